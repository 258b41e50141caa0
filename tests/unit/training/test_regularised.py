"""The data of the regularisers: what arms of a seed share, what differs, and that the test set is left alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genlab_tui.data import Arrays
from genlab_tui.phenomenon import Arm
from genlab_tui.training.members import Recipe
from genlab_tui.training.regularised import regularised

SEEDS = (3, 4)


def _arm(labels: str, row: str, corruption: float = 0.0, share: float = 1.0) -> Arm:
    return Arm(f"{labels}-{row}", "", {"labels": labels, "row": row, "corruption": corruption, "share": share})


ARMS = (
    _arm("true", "none"),
    _arm("true", "shift"),
    _arm("true", "none-90", share=0.9),
    _arm("noisy", "none", 0.2),
    _arm("random", "decay", 1.0),
    _arm("random", "none", 1.0),
    _arm("fresh", "decay", 1.0),
    _arm("shuffled", "none"),
)
RECIPES = {arm.name: Recipe(hidden=(4 + k,)) for k, arm in enumerate(ARMS)}


@pytest.fixture
def arrays() -> Arrays:
    random = np.random.default_rng(0)
    x, x_test = random.random((60, 3, 10, 10), dtype=np.float32), random.random((30, 3, 10, 10), dtype=np.float32)
    return Arrays(x, np.arange(60) % 10, x_test, np.arange(30) % 10, 10, (3, 10, 10))


def test_arms_of_a_seed_share_inputs_and_differ_in_labels(arrays: Arrays) -> None:
    members, samples = regularised(arrays, ARMS, SEEDS, RECIPES, n=50, n_test=30)
    assert [(m.arm, m.seed) for m in members] == [(arm.name, seed) for seed in SEEDS for arm in ARMS]
    by = {(m.arm, m.seed): m for m in members}
    for seed in SEEDS:
        assert len({by[arm.name, seed].inputs for arm in ARMS[:-1]}) == 1
        assert by["true-none", seed].labels == by["true-shift", seed].labels == by["shuffled-none", seed].labels
        assert by["random-none", seed].labels == by["random-decay", seed].labels
    true, noisy, random = (samples.labels[by[name, 3].labels] for name in ("true-none", "noisy-none", "random-none"))
    changed = noisy != true
    assert 0 < int(changed.sum()) < 20
    assert torch.equal(noisy[changed], random[changed]), "what is corrupted at 0.2 is corrupted in the same way at 1"
    assert all(by[arm.name, 3].recipe == RECIPES[arm.name] for arm in ARMS)


def test_test_labels_are_never_corrupted_and_one_permutation_moves_train_and_test(arrays: Arrays) -> None:
    members, samples = regularised(arrays, ARMS, SEEDS, RECIPES, n=50, n_test=30)
    assert all(row.tolist() == arrays.y_test.tolist() for row in samples.test_labels)
    plain, moved = members[0].inputs, members[len(ARMS) - 1].inputs
    assert plain != moved
    shape = samples.shape
    pixels = samples.inputs[:, 0].view(-1, *shape).flatten(2)
    order = torch.stack([(pixels[plain][0] == value).nonzero()[0, 0] for value in pixels[moved][0]])
    for inputs in (samples.inputs, samples.test_inputs):
        flat = inputs.view(*inputs.shape[:2], shape[0], -1)
        assert torch.equal(flat[plain][..., order], flat[moved])


def test_shares_and_partners(arrays: Arrays) -> None:
    members, _ = regularised(arrays, ARMS, SEEDS, RECIPES, n=50, n_test=30)
    assert {m.arm: m.n for m in members if m.n} == {"true-none-90": 45}
    fresh = [m for m in members if m.fresh]
    assert [m.arm for m in fresh] == ["fresh-decay", "fresh-decay"]
    assert [members[m.follows].arm for m in fresh if m.follows is not None] == ["random-decay", "random-decay"]
    assert [members[m.follows].seed for m in fresh if m.follows is not None] == list(SEEDS)
    alone, _ = regularised(arrays, (ARMS[0], ARMS[6]), SEEDS, RECIPES, n=50, n_test=30)
    assert [m.follows for m in alone] == [None] * 4


def test_images_are_cropped_and_whitened_one_by_one(arrays: Arrays) -> None:
    _, samples = regularised(arrays, ARMS, SEEDS, RECIPES, n=50, n_test=30, crop=6, whiten=True)
    assert samples.shape == (3, 6, 6)
    assert samples.fill == 0.0
    torch.testing.assert_close(samples.inputs.mean(2), torch.zeros(4, 50), rtol=0, atol=1e-5)
    torch.testing.assert_close(samples.inputs.std(2, correction=0), torch.ones(4, 50), rtol=0, atol=1e-4)
