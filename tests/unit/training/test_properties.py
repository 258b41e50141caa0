"""Populations drawn at random, everything mixed: every member is what one network at a time gives."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genlab_tui.training.members import INITS, Member, Recipe

few = settings(
    max_examples=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
RATES = {
    ("sgd", "cross-entropy"): (0.004, 0.01, 0.03),
    ("sgd", "squared"): (5e-4, 1e-3, 3e-3),
    ("adam", "cross-entropy"): (5e-4, 2e-3, 5e-3),
    ("adam", "squared"): (5e-4, 1e-3, 3e-3),
}
ON_OFF = {
    "weight-decay": (0.02, 0.2),
    "l1": (1e-4, 1e-3),
    "dropout": (0.2, 0.5),
    "augmentation": (1.0, 2.0),
    "label-smoothing": (0.1, 0.3),
    "mixup": (0.2, 1.0),
}


def _numbers(recipe: Recipe, seed: int, *, prune: bool) -> list[torch.Tensor]:
    """Return numbers to start from, or masks that prune a third of the weights."""
    source = torch.Generator().manual_seed(seed)
    sizes = (25, *recipe.hidden, 4)
    shapes: list[tuple[int, ...]] = [(b, a) for a, b in pairwise(sizes)]
    if prune:
        return [(torch.rand(shape, generator=source) > 0.33).to(torch.uint8) for shape in shapes]
    norm = "batch-norm" in recipe.regularisers
    shapes += [(h,) for h in recipe.hidden for _ in range(1 + norm)] + [(4,)]
    numbers = [0.3 * torch.randn(shape, generator=source, dtype=torch.float64) for shape in shapes]
    if norm:
        # Scales near 1: behind batch norm, a unit that is never off has a gradient of 0 that Adam makes noise of.
        for scale in numbers[len(sizes) - 1 : -1 : 2]:
            scale += 1.0
    return numbers


@st.composite
def populations(draw: Any) -> list[Member]:
    """Draw members of one or two programs: what a program shares, then everything that its members may differ in."""
    members: list[Member] = []
    for _ in range(draw(st.integers(1, 2))):
        optimiser, loss = draw(st.sampled_from(["sgd", "adam"])), draw(st.sampled_from(["cross-entropy", "squared"]))
        depth, norm, held = draw(st.integers(0, 2)), draw(st.booleans()), draw(st.integers(0, 3)) == 0
        shared = {
            "batch": draw(st.sampled_from([7, 10, 16])),
            "decay": draw(st.sampled_from([1.0, 0.9])),
            "loss": loss,
            "nesterov": optimiser == "sgd" and draw(st.booleans()),
        }
        n = draw(st.sampled_from([0, 45, 31]))
        alike = draw(st.tuples(*[st.integers(3, 12)] * depth))
        for _ in range(draw(st.integers(1, 4))):
            regularisers = {k: draw(st.sampled_from(v)) for k, v in ON_OFF.items() if draw(st.integers(0, 2)) == 0}
            if norm:
                regularisers["batch-norm"] = draw(st.sampled_from([0.1, 0.4, 1.0]))
            if held:
                regularisers["early-stopping"] = draw(st.sampled_from([1.0, 2.0, 5.0]))
            kind = optimiser if optimiser == "sgd" else draw(st.sampled_from(["adam", "adamw"]))
            recipe = Recipe(
                draw(st.sampled_from([alike, tuple(h + 2 for h in alike)])),
                kind,
                draw(st.sampled_from(RATES[optimiser, loss])),
                draw(st.sampled_from([0.0, 0.5, 0.9][shared["nesterov"] :])),
                epochs=draw(st.integers(1, 5)),
                steps=draw(st.sampled_from([0, 0, 0, 3, 11, 20])),
                target=draw(st.sampled_from([2.0, 0.5, 0.8])),
                loss_target=draw(st.sampled_from([-math.inf, 1.0])),
                coupled=kind != "adamw" and draw(st.booleans()),
                init=draw(st.sampled_from(INITS)),
                regularisers=regularisers,
                **shared,
            )
            some = st.sampled_from([None, None, 1, 2])
            starting, pruning = draw(some), draw(some)
            members.append(
                Member(
                    f"member {len(members)}",
                    draw(st.integers(0, 2)),
                    inputs=draw(st.integers(0, 1)),
                    labels=draw(st.integers(0, 2)),
                    fresh=draw(st.integers(0, 4)) == 0,
                    recipe=recipe,
                    n=n,
                    init=draw(some),
                    order=draw(some),
                    start=None if starting is None else _numbers(recipe, starting, prune=False),
                    masks=None if pruning is None else _numbers(recipe, pruning, prune=True),
                )
            )
    return draw(st.permutations(members))


@few
@given(populations(), st.sampled_from([1, 1, 2, 3]))
def test_every_member_of_any_population_is_trained_as_alone_and_plainly(
    kit: SimpleNamespace, members: list[Member], threads: int
) -> None:
    """To 1e-10 in float64, at the same step and for the same reason, whatever else trains beside it and on what."""
    samples = kit.make_samples(noise=0.8)
    result = kit.run(members, samples, Recipe(), threads=threads)
    kit.assert_equal_to_plain(result, members, samples, Recipe())


def _mixed(optimiser: str) -> list[Member]:
    """Return members of one program, no two alike."""
    lr = 0.01 if optimiser == "sgd" else 1e-3
    base = Recipe((10, 6), optimiser, lr, batch=10, epochs=10_000, target=2, decay=0.995)
    kinds: list[tuple[dict[str, Any], dict[str, float]]] = [
        ({}, {}),
        ({"hidden": (7, 9), "lr": lr / 2}, {"weight-decay": 0.1, "dropout": 0.2}),
        ({"momentum": 0.5, "coupled": True}, {"weight-decay": 0.01, "mixup": 0.3, "label-smoothing": 0.1}),
        ({"hidden": (4, 4), "lr": 2 * lr, "momentum": 0.0}, {"l1": 1e-4, "augmentation": 1.0}),
        ({"init": "torch", "lr": lr / 4}, {name: low for name, (low, _) in ON_OFF.items()}),
    ]
    recipes = [dataclasses.replace(base, **fields, regularisers=on) for fields, on in kinds]
    return [Member(f"member {i}", 3 + i // 4, labels=i % 2, recipe=r) for i, r in enumerate(recipes)]


def test_a_thousand_steps_with_everything_mixed(kit: SimpleNamespace) -> None:
    """Members with batch norm, whose learning rates, momenta, widths and regularisers all differ, to 1e-10."""
    members = []
    for i, member in enumerate(_mixed("sgd")):
        assert member.recipe is not None
        regularisers = {**member.recipe.regularisers, "batch-norm": 0.1 + 0.1 * i}
        members.append(dataclasses.replace(member, recipe=dataclasses.replace(
            member.recipe, steps=1000, regularisers=regularisers
        )))  # fmt: skip
    samples = kit.make_samples()
    result = kit.run(members, samples, Recipe())
    assert result.state.plan == [list(range(5))]
    assert {o.step for o in result.state.outcomes.values()} == {1000}
    kit.assert_equal_to_plain(result, members, samples, Recipe())


def test_eighty_steps_in_float32(kit: SimpleNamespace) -> None:
    """The precision of real runs: to 1e-5 under both optimisers, everything mixed."""
    samples = kit.make_samples(dtype=torch.float32)
    for optimiser in ("sgd", "adam"):
        members = []
        for member in _mixed(optimiser):
            assert member.recipe is not None
            members.append(dataclasses.replace(member, recipe=dataclasses.replace(member.recipe, steps=80)))
        result = kit.run(members, samples, Recipe())
        assert result.state.plan == [list(range(5))]
        kit.assert_equal_to_plain(result, members, samples, Recipe(), rtol=1e-5, atol=1e-5)
