"""What trains of a network: scales and shifts, as many random weights, nothing; and how small scales become."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import pytest
import torch

from genlab_tui.training import frozen
from genlab_tui.training.layers import initial
from genlab_tui.training.members import Member, Recipe

MLP = Recipe((12, 7), "adam", 0.02, batch=10, epochs=3, target=2, regularisers={"batch-norm": 0.1})
RESNET = dataclasses.replace(MLP, hidden=(), network="cifar-resnet:8", epochs=1)


@pytest.mark.parametrize("recipe", [MLP, RESNET], ids=["perceptron", "resnet"])
def test_places_are_those_of_the_stored_numbers(kit: SimpleNamespace, recipe: Recipe) -> None:
    samples = kit.make_samples(n=20, k=10, shape=(1, 8, 8))
    numbers = frozen.numbers_of(recipe, samples)
    stored = initial(recipe, 1, samples).parameters.tensors_of(0)
    assert [tuple(number.shape) for number in stored] == list(numbers.shapes)
    for at, number in enumerate(stored):
        fresh_scale = number.dim() == 1 and bool((number == 1).all())
        assert (at in numbers.scales) == fresh_scale, at
    assert len(numbers.scales) == len(numbers.shifts)
    assert numbers.normalised == (38 if recipe is MLP else 2 * (16 + 2 * (16 + 32 + 64) + 32 + 64))
    assert not set(numbers.scales) & set(numbers.shifts)


@pytest.mark.parametrize("recipe", [MLP, RESNET], ids=["perceptron", "resnet"])
def test_counts_are_equal_and_choices_differ(kit: SimpleNamespace, recipe: Recipe) -> None:
    """As many random weights as scales and shifts, none of them a vector; a draw of its own for seed and choice."""
    numbers = frozen.numbers_of(recipe, kit.make_samples(n=20, k=10, shape=(1, 8, 8)))

    def count(multipliers: list[torch.Tensor]) -> int:
        assert [tuple(one.shape) for one in multipliers] == list(numbers.shapes)
        return sum(int(one.sum()) for one in multipliers)

    assert count(frozen.nothing(numbers)) == 0
    assert count(frozen.scales_and_shifts(numbers)) == numbers.normalised
    first, again, second, other = (frozen.random_weights(numbers, *which) for which in ((1, 0), (1, 0), (1, 1), (2, 0)))
    for chosen in (first, second, other):
        assert count(chosen) == numbers.normalised
        assert not any(bool(one.any()) for one in chosen if one.dim() == 1)
    same = [bool(torch.equal(a, b)) for a, b in zip(first, again, strict=True)]
    assert all(same)
    for different in (second, other):
        assert not all(torch.equal(a, b) for a, b in zip(first, different, strict=True))


def test_scales_drawn_uniformly_and_all_else_as_the_seed_has_it(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    numbers = frozen.numbers_of(MLP, samples)
    plain = initial(MLP, 3, samples).parameters.tensors_of(0)
    drawn = frozen.uniform_scales(MLP, 3, samples)
    for at, (mine, theirs) in enumerate(zip(drawn, plain, strict=True)):
        if at in numbers.scales:
            assert 0 <= float(mine.min()) < float(mine.max()) <= 1
        else:
            assert torch.equal(mine, theirs)
    assert all(torch.equal(a, b) for a, b in zip(drawn, frozen.uniform_scales(MLP, 3, samples), strict=True))


def test_shares_of_small_scales(kit: SimpleNamespace) -> None:
    """Of what training left; a diverged network has none."""
    samples = kit.make_samples()
    numbers = frozen.numbers_of(MLP, samples)
    start = frozen.uniform_scales(MLP, 3, samples)
    still = Member("still", 3, start=start, trains=frozen.nothing(numbers))
    wild = Member("wild", 3, recipe=dataclasses.replace(MLP, lr=math.inf))
    result = kit.run([still, wild], samples, MLP)
    scales = torch.cat([start[at] for at in numbers.scales])
    shares = frozen.shares_below(result.state, [0, 1], [0.3, 2.0])
    assert shares[0][0] == pytest.approx(float((scales < 0.3).double().mean()))
    assert shares[1][0] == 1.0
    assert math.isnan(shares[0][1])
    assert math.isnan(shares[1][1])
