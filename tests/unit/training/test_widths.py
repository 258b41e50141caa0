"""Networks of many widths: what the arms of a seed share, and what stays clean."""

from __future__ import annotations

import numpy as np
import torch

from genlab_tui.data import Arrays
from genlab_tui.data import arrays as prepare
from genlab_tui.phenomenon import Arm
from genlab_tui.training.members import Recipe
from genlab_tui.training.width_sweep import widths

NOISE = (0.0, 0.2, 0.4)
ARMS = tuple(Arm(f"{p}-{h}", factors={"noise": p, "width": h}) for p in NOISE for h in (3, 9))


def _arrays() -> Arrays:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(300, 5)).astype(np.float32), random.integers(0, 10, 300)
    return Arrays(x[:200], y[:200], x[200:], y[200:], (5,), 10)


def test_the_arms_of_a_seed_share_everything_but_width_and_noise() -> None:
    arrays = _arrays()
    members, samples = widths(arrays, ARMS, (4, 5), Recipe(), n=150, n_test=60, device="cpu")
    for seed in (4, 5):
        own = [m for m in members if m.seed == seed]
        assert len({m.inputs for m in own}) == 1
        assert len({(m.init_seed, m.order_seed) for m in own}) == 1
        assert sorted(m.recipe.hidden for m in own if m.recipe) == [(3,)] * 3 + [(9,)] * 3
        by_noise = {float(m.arm.split("-")[0]): samples.labels[m.labels] for m in own}
        part = prepare.split(arrays, 150, seed, n_test=60)
        assert torch.equal(by_noise[0.0], torch.from_numpy(part.y_train))
        assert torch.equal(samples.test_labels[own[0].inputs], torch.from_numpy(part.y_test)), "never corrupted"
        changed = {p: by_noise[p] != by_noise[0.0] for p in NOISE}
        assert 0.05 < float(changed[0.2].double().mean()) < 0.31, "a fifth redrawn, the true class among them"
        assert bool((changed[0.4] >= changed[0.2]).all()), "what is wrong at 20 % is wrong at 40 %"
        assert torch.equal(by_noise[0.4][changed[0.2]], by_noise[0.2][changed[0.2]])
