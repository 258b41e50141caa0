"""A member that diverges is frozen and marked, its numbers are nan, and nobody else notices."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.training.members import FINALS, Member, Recipe, Samples
from genlab_tui.training.optimise import SGD
from genlab_tui.training.strengths import Strengths

MEMBERS = [
    Member("true", 1),
    Member("bad", 1, inputs=1, labels=2),
    Member("random", 1, labels=1),
    Member("true", 2),
    Member("random", 2, labels=1),
]
BAD = 1
OTHERS = [0, 2, 3, 4]


def _samples(kit: SimpleNamespace, scale: float, noise: float = 0.5) -> Samples:
    samples: Samples = kit.make_samples(dtype=torch.float32, noise=noise)
    inputs, tests = samples.inputs.clone(), samples.test_inputs.clone()
    inputs[1] *= scale
    tests[1] *= scale
    return dataclasses.replace(samples, inputs=inputs, test_inputs=tests)


def _values_of(result: Any, members: list[int], until: int) -> list[tuple[Any, ...]]:
    curves = [e for e in result.events if isinstance(e, ev.Curve) and e.step <= until]
    return [(c.metric, c.step, [c.values[i] for i in members]) for c in curves]


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
@pytest.mark.parametrize("regularisers", [{}, {"dropout": 0.2, "mixup": 0.2}, {"early-stopping": 5.0}])
def test_the_others_are_exactly_what_they_were(
    kit: SimpleNamespace, optimiser: str, regularisers: dict[str, float]
) -> None:
    """Curves, measures and weights of the others equal those of a population whose second member is healthy."""
    lr = 0.05 if optimiser == "sgd" else 5e-3
    recipe = Recipe((14,), optimiser, lr, batch=10, epochs=8, target=2, regularisers=regularisers)
    healthy = kit.run(MEMBERS, _samples(kit, 1.0), recipe)
    broken = kit.run(MEMBERS, _samples(kit, math.inf), recipe)
    assert [o.end for i, o in sorted(broken.state.outcomes.items()) if i != BAD] == [
        o.end for i, o in sorted(healthy.state.outcomes.items()) if i != BAD
    ]
    assert broken.state.outcomes[BAD].end == "diverged"
    last = min(r.state.step for r in (healthy, broken))
    assert _values_of(broken, OTHERS, last) == _values_of(healthy, OTHERS, last)
    for i in OTHERS:
        assert broken.state.outcomes[i].values.keys() == healthy.state.outcomes[i].values.keys()
        for name, value in healthy.state.outcomes[i].values.items():
            mine = broken.state.outcomes[i].values[name]
            assert mine == value or (math.isnan(mine) and math.isnan(value))
        assert torch.equal(broken.state.weights[i][0], healthy.state.weights[i][0])


def test_it_is_marked_with_its_step_and_reported_as_nan(kit: SimpleNamespace) -> None:
    """With inputs that are infinite the first step is the one; no curve goes on, no measure but the steps is finite."""
    recipe = Recipe((14,), "sgd", 0.05, batch=10, epochs=4, target=2)
    result = kit.run(MEMBERS, _samples(kit, math.inf), recipe)
    marks = [mark for mark in result.marks() if mark.arm == "bad"]
    assert [(mark.text, mark.step, mark.seed) for mark in marks] == [("diverged", 1, 1)]
    outcome = result.state.outcomes[BAD]
    assert (outcome.end, outcome.step) == ("diverged", 1)
    assert outcome.values["steps"] == 1
    for name in (*FINALS, "test_error", "steps_to_fit", "epochs_to_fit"):
        assert math.isnan(outcome.values[name])
    for name, values in {e.name: e.values for e in result.events if isinstance(e, ev.Measure)}.items():
        if name not in ("steps", "epochs"):
            assert values[BAD] == "nan"
    for curve in result.curves("train_loss"):
        assert curve.values[BAD] == ("nan" if curve.step == 0 else None)
        assert all(isinstance(curve.values[i], float) for i in OTHERS)


@pytest.mark.parametrize("poll_every", [-1.0, 1e9])
def test_its_step_is_that_of_the_first_loss_that_is_not_finite(
    kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, poll_every: float
) -> None:
    """The step is found by a plain loop too, however seldom the program looks."""
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", poll_every)
    samples = _samples(kit, 4e18, noise=2.0)  # a linear model whose weights grow until its outputs overflow
    recipe = Recipe((), "sgd", 0.05, batch=5, epochs=6, target=2)
    result = kit.run(MEMBERS, samples, recipe)
    outcome = result.state.outcomes[BAD]
    assert outcome.end == "diverged"
    assert 1 < outcome.step < 72, "not at once, not never"
    assert outcome.step % 12, "in the middle of an epoch"
    assert [mark.step for mark in result.marks() if mark.text == "diverged"] == [outcome.step]

    def loss_after(count: int) -> torch.Tensor:
        population = kit.population((), [MEMBERS[BAD].seed], dtype=torch.float32)
        sgd, batches = SGD(population.parameters, Strengths([recipe])), kit.Draws([MEMBERS[BAD]], samples, recipe)
        for step in range(count):
            epoch, position = divmod(step, 12)
            batches.begin(epoch)
            loss = kit.gradient(population, *batches.batch(position), [], sgd.gradient, sgd.keep)
            sgd.update(population.parameters, 1.0, step + 1)
        return loss[0]

    assert not torch.isfinite(loss_after(outcome.step))
    assert torch.isfinite(loss_after(outcome.step - 1))


def test_when_all_diverge_training_ends(kit: SimpleNamespace) -> None:
    """Nothing is trained on in vain, every member has its outcome and no curve line is without a value."""
    recipe = Recipe((14,), "sgd", 1e30, batch=10, epochs=1000, target=2)
    result = kit.run(MEMBERS, _samples(kit, 1.0), recipe)
    assert {o.end for o in result.state.outcomes.values()} == {"diverged"}
    assert result.state.step <= 6, "it ended within the first epoch"
    assert all(any(v is not None for v in e.values) for e in result.events if isinstance(e, ev.Curve))


def test_who_follows_it_ends_too(kit: SimpleNamespace) -> None:
    """A control that ends with its partner does so when the partner diverges, with numbers of its own."""
    members = [Member("bad", 1, inputs=1), Member("follower", 1, fresh=True, follows=0), Member("true", 2)]
    recipe = Recipe((14,), "adam", 5e-3, batch=10, epochs=5, target=2)
    outcomes = kit.run(members, _samples(kit, math.inf), recipe).state.outcomes
    assert [outcomes[i].end for i in range(3)] == ["diverged", "partner", "epochs"]
    assert outcomes[1].epoch == 1
    assert math.isfinite(outcomes[1].values["train_accuracy"])


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
@pytest.mark.parametrize("regularisers", [{}, {"dropout": 0.2, "mixup": 0.2}, {"batch-norm": 0.1}])
@pytest.mark.parametrize("rates", ["one rate", "own rates"])
def test_nor_do_those_notice_that_share_its_first_layer(
    kit: SimpleNamespace, optimiser: str, regularisers: dict[str, float], rates: str
) -> None:
    """All in one wide product, of one stream, pruned and not: bit for bit what they are beside a healthy member."""
    lr = 0.02 if optimiser == "sgd" else 5e-3
    recipe = Recipe((14, 6), optimiser, lr, batch=10, epochs=8, target=2, regularisers=regularisers)
    shapes = [(14, 6), (14, 6), (20, 5), (14, 6), (9, 9)]
    members = []
    for i, hidden in enumerate(shapes):
        own = dataclasses.replace(recipe, hidden=hidden, lr=lr / (1 + (rates == "own rates") * (i % 3)))
        masks = [torch.ones(h, d) for d, h in zip((25, *hidden), (*hidden, 4), strict=True)] if i == 3 else None
        if masks:
            masks[0][::2] = 0
        members.append(Member(f"member {i}", 1, labels=i % 3, recipe=own, masks=masks))
    samples = kit.make_samples(dtype=torch.float32)
    healthy = kit.run(members, samples, recipe)
    (shard,) = healthy.state.program.shards
    assert [(block.groups, block.size) for block in shard.population.layout.blocks] == [(1, 5)]
    start = [part.clone() for part in healthy.state.trained(BAD).parameters.tensors_of(0)]
    start[1].fill_(3e38)
    start[0][0] = math.nan
    members[BAD] = dataclasses.replace(members[BAD], start=start)
    broken = kit.run(members, samples, recipe)
    assert [o.end for _, o in sorted(broken.state.outcomes.items())] == ["epochs", "diverged", *["epochs"] * 3]
    assert _values_of(broken, OTHERS, 10**6) == _values_of(healthy, OTHERS, 10**6)
    for i in OTHERS:
        assert broken.state.outcomes[i].values == pytest.approx(healthy.state.outcomes[i].values, rel=0, nan_ok=True)
        for mine, theirs in zip(broken.state.weights[i], healthy.state.weights[i], strict=True):
            assert torch.equal(mine, theirs)
