"""Slices: one population gives what evaluation point by point gives; directions are normalised filter by filter."""

from __future__ import annotations

import pytest
import torch

from genlab_tui.training import nets, seeds, slices
from genlab_tui.training.nets import Net

NET = Net((6, 5, 4, 3))


def _loss(flat: torch.Tensor) -> torch.Tensor:
    source = seeds.generator(1, "test")
    x = torch.randn(30, 6, generator=source, dtype=torch.float64)
    return nets.losses(NET, flat, x, torch.randint(3, (30,), generator=source))


def test_every_filter_of_a_direction_is_as_long_as_the_networks_and_biases_stay() -> None:
    flat = NET.initial([1, 2], dtype=torch.float64) + 0.3
    found = slices.direction(NET, flat, 9, 0)
    for ours, theirs in zip(NET.split(found)[0], NET.split(flat)[0], strict=True):
        torch.testing.assert_close(ours.norm(dim=2), theirs.norm(dim=2))
    assert all(not bias.any() for bias in NET.split(found)[1])
    assert not torch.equal(found, slices.direction(NET, flat, 9, 1))
    assert torch.equal(found, slices.direction(NET, flat, 9, 0))


def test_a_unit_without_weights_stays_without() -> None:
    """A dead filter has length 0: no direction leads out of it, and nothing becomes NaN."""
    flat = NET.initial([1], dtype=torch.float64)
    NET.split(flat)[0][0][0, 2] = 0
    found = slices.direction(NET, flat, 1, 0)
    assert bool(found.isfinite().all())
    assert not NET.split(found)[0][0][0, 2].any()


@pytest.mark.parametrize("at_once", [1, 3, 100])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_plane_is_what_its_points_are_one_by_one(at_once: int, threads: int) -> None:
    flat = NET.initial([1], dtype=torch.float64)
    first, second = (slices.direction(NET, flat, 1, number)[0] for number in (0, 1))
    alphas, betas = (-1.0, 0.0, 0.5, 1.0), (-0.5, 0.0, 2.0)
    found = slices.plane(_loss, flat[0], first, second, alphas, betas)
    steps = torch.tensor([(a, b) for b in betas for a in alphas], dtype=torch.float64)
    calls = 0

    def poll() -> None:
        nonlocal calls
        calls += 1

    directions = torch.stack([first, second])
    again = slices.evaluate_at(_loss, flat[0], directions, steps, at_once=at_once, threads=threads, poll=poll)
    torch.testing.assert_close(again.view(3, 4), found)
    assert calls == -(-12 // (at_once * threads))
    for i, b in enumerate(betas):
        for j, a in enumerate(alphas):
            alone = _loss((flat[0] + a * first + b * second)[None])[0]
            torch.testing.assert_close(found[i, j], alone)
    torch.testing.assert_close(found[1, 1], _loss(flat)[0])


def test_the_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    flat = NET.initial([1], dtype=torch.float64)
    slices.evaluate_at(_loss, flat[0], flat, torch.ones(5, 1, dtype=torch.float64), threads=before)
    assert torch.get_num_threads() == before
