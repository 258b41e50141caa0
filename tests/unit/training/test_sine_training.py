"""Networks on sums of sines: targets, coefficients, kinks, and steps that equal those of autograd and torch.optim."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.training.nets import Net
from genlab_tui.training.sine_sweep import PARTS, learn_sines, looks
from genlab_tui.training.sine_training import Learners, Shape, Waves, covered

WAVES = Waves((1, 3, 6), 32)


def _learners(shape: Shape, seeds: tuple[int, ...], lr: float, at_once: int) -> Learners:
    return Learners(shape, WAVES, seeds, lr, enough=0.8, fit=0.25, at_once=at_once, device="cpu")


def _coefficients(waves: Waves, y: np.ndarray) -> np.ndarray:
    parts = y @ waves.basis()
    count = len(waves.frequencies)
    return np.hypot(parts[:count], parts[count:])


@pytest.mark.parametrize("growing", [False, True])
def test_the_target_has_coefficients_of_1(growing: bool) -> None:
    waves = Waves((1, 3, 6), 32, growing)
    y = waves.target(0)
    assert np.allclose(_coefficients(waves, y), 1.0, atol=1e-12)
    spectrum = np.abs(np.fft.rfft(y)) * 2 / 32
    assert np.allclose(spectrum[[1, 3, 6]], waves.amplitudes, atol=1e-12)
    assert np.allclose(np.delete(spectrum, [1, 3, 6]), 0.0, atol=1e-12)
    assert not np.allclose(y, waves.target(1))


def test_kinks_cover_the_interval_unless_biases_are_zero() -> None:
    """With biases of zero every kink lies at 0: what then comes late comes late for want of kinks."""
    for width in (16, 256):
        spread, zero = Shape(width, 2), Shape(width, 2, "zero")
        assert covered(spread.net, spread.initial(0), PARTS) == 1.0
        assert covered(zero.net, zero.initial(0), PARTS) == 0.0
    drawn = Shape(256, 2, "torch")
    assert covered(drawn.net, drawn.initial(0), PARTS) >= 0.9


def test_kinds_of_kinks_differ_in_the_first_biases_alone() -> None:
    spread, zero = Shape(16, 2).initial(3), Shape(16, 2, "zero").initial(3)
    matrices, biases = Net((1, 16, 16, 1)).split(torch.stack([spread, zero]))
    assert all(torch.equal(m[0], m[1]) for m in matrices)
    assert not torch.equal(biases[0][0], biases[0][1])
    assert all(not bool(b.any()) for b in biases[1:])


@pytest.mark.parametrize(
    "shape", [Shape(12, 3), Shape(12, 1, "zero"), Shape(12, 2, "torch"), Shape(12, 2, features=4, scale=3.0)]
)
def test_steps_are_those_of_autograd_and_adam(shape: Shape) -> None:
    seeds = (0, 1, 2)
    learners = _learners(shape, seeds, 1e-2, 2)
    taken = [learners.advance(at, 25) for at in range(len(learners.chunks))]
    found = np.concatenate([coefficients for coefficients, _ in taken], axis=1)
    lost = np.concatenate([losses for _, losses in taken], axis=1)
    for row, seed in enumerate(seeds):
        flat = shape.initial(seed)[None].double().requires_grad_()
        x = torch.from_numpy(shape.inputs(WAVES, seed).T.copy())
        y = torch.from_numpy(WAVES.target(seed))
        adam = torch.optim.Adam([flat], lr=1e-2)
        for step in range(25):
            output = shape.net.outputs(flat, x)[0, :, 0]
            loss = (output - y).square().mean()
            assert lost[step, row] == pytest.approx(float(loss.detach()), rel=1e-3)
            assert found[step, row] == pytest.approx(_coefficients(WAVES, output.detach().numpy()), abs=2e-3)
            adam.zero_grad()
            loss.backward()
            adam.step()
        assert torch.allclose(learners.numbers[row].double(), flat[0].detach(), atol=2e-3)


def test_a_sine_is_there_from_the_first_step_at_which_it_was() -> None:
    learners = _learners(Shape(8, 1), (0, 1), 1e-3, 2)
    learners.step = 40
    low = np.full((4, 2, 3), 0.1)
    low[2:, 0, 0], low[1, 0, 1], low[0, 0, 2] = 0.9, 0.8, 2.0
    learners.note(0, low, np.full((4, 2), 0.3))
    assert learners.reached.tolist() == [[42, 41, 40], [-1, -1, -1]]
    assert learners.done.tolist() == [True, False]
    assert learners.waiting == [0]
    learners.error[0] = 9.0  # large coefficients of an output that is far off: not done
    assert learners.done.tolist() == [False, False]
    learners.step = 44
    learners.note(0, np.full((1, 2, 3), 0.95), np.array([[0.3, np.nan]]))
    assert learners.reached.tolist() == [[42, 41, 40], [44, 44, 44]]
    assert learners.diverged.tolist() == [False, True]


def test_a_network_that_diverged_is_waited_for_no_longer() -> None:
    learners = _learners(Shape(8, 2), (0,), 1e30, 1)
    learners.note(0, *learners.advance(0, 10))
    assert learners.diverged.all()
    assert learners.waiting == []


def test_members_do_not_depend_on_each_other() -> None:
    """In one chunk or alone: the same numbers but for rounding."""
    together, alone = (_learners(Shape(12, 2), (0, 1, 2), 1e-3, size) for size in (3, 1))
    together.advance(0, 10)
    for at in range(3):
        alone.advance(at, 10)
    assert torch.allclose(together.numbers, alone.numbers, atol=1e-5)


def test_looks_are_dense_at_first_and_a_few_hundred_in_all() -> None:
    places = looks(100_000)
    assert {0, 1, 2, 3, 10, 100, 1000, 10_000, 100_000} <= places
    assert len(places) < 150


def test_the_time_left_is_the_worker_s_to_estimate() -> None:
    """A stage knows of itself alone: not of the stages to come, nor that its networks end before the last step."""
    context: Any = SimpleNamespace(device="cpu", resume=lambda: None, poll=lambda save: None)
    events = learn_sines(
        {"line": Shape(8, 1)},
        WAVES,
        (0,),
        lr=1e-3,
        steps=60,
        enough=0.8,
        fit=0.25,
        part=lambda arm, k: f"{arm} {k}",
        share=(0.25, 0.5),
        context=context,
    )
    said = [one for one in events if isinstance(one, ev.Progress)]
    assert [one.eta for one in said] == [-1.0] * 3
    assert [one.done for one in said] == pytest.approx([0.25 + 0.5 * part for part in (1 / 3, 2 / 3, 1.0)], abs=1e-4)
