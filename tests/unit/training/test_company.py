"""Who else is in a population makes no difference to a member: neither to what it draws nor to what it becomes."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import torch

from genlab_tui.training.members import Member, Recipe

BASE = Recipe((9, 7), "sgd", 0.02, batch=11, epochs=4, target=2)
EVERYTHING = {
    "l1": 1e-4,
    "weight-decay": 0.05,
    "dropout": 0.3,
    "augmentation": 1.0,
    "label-smoothing": 0.2,
    "mixup": 0.5,
}


def _recipe(on: dict[str, float], hidden: tuple[int, ...] = (9, 7), lr: float = 0.02, momentum: float = 0.9) -> Recipe:
    return dataclasses.replace(BASE, hidden=hidden, lr=lr, momentum=momentum, regularisers=on)


ME = Member("me", 3, labels=1, recipe=_recipe(EVERYTHING))
COMPANY = {
    "nobody": [],
    "other widths": [
        Member("narrow", 3, recipe=_recipe(EVERYTHING, (4, 3))),
        Member("wide", 3, recipe=_recipe(EVERYTHING, (20, 17))),
    ],
    "other streams": [
        Member("seed", 8, recipe=_recipe(EVERYTHING)),
        Member("inputs", 3, inputs=1, recipe=_recipe(EVERYTHING)),
        Member("order", 3, order=5, recipe=_recipe(EVERYTHING)),
    ],
    "other regularisers": [
        Member("plain", 3, recipe=_recipe({})),
        Member("far", 3, recipe=_recipe({"augmentation": 2.0, "dropout": 0.7})),
        Member("mixed", 3, recipe=_recipe({"mixup": 2.0})),
        Member("smooth", 3, recipe=_recipe({"label-smoothing": 0.5, "augmentation": 1.0, "mixup": 0.5})),
    ],
    "other rates": [Member("rate", 3, recipe=_recipe(EVERYTHING, lr=0.001, momentum=0.2))],
    "itself": [ME, dataclasses.replace(ME, fresh=True), dataclasses.replace(ME, labels=2)],
}
NAMES = list(COMPANY)


def _populations() -> list[list[Member]]:
    everyone = [member for company in COMPANY.values() for member in company]
    found = [[ME, *company] for company in COMPANY.values()]
    return [*found, [*everyone, ME], [*everyone[::2], ME, *everyone[1::2]]]


@pytest.mark.parametrize("which", range(len(NAMES) + 2))
def test_draws_do_not_depend_on_the_company(kit: SimpleNamespace, which: int) -> None:
    """Inputs, targets, masks and orders are bit for bit those of a member alone: whatever trains beside it."""
    samples = kit.make_samples()
    members = _populations()[which]
    at = members.index(ME)
    alone, together = kit.Draws([ME], samples, BASE), kit.Draws(members, samples, BASE)
    assert together.layout.depth == 3
    for epoch in (0, 3):
        alone.begin(epoch)
        together.begin(epoch)
        assert torch.equal(together.order[at], alone.order[0])
        assert torch.equal(together.mixing[at], alone.mixing[0])
        for position in range(len(alone.bounds)):
            for mine, theirs in zip(together.batch(position), alone.batch(position), strict=True):
                assert torch.equal(mine[at], theirs[0])
            step = epoch * len(alone.bounds) + position
            masks = list(zip(together.masks(step, position), alone.masks(step, position), strict=True))
            assert len(masks) == 2
            assert all(torch.equal(mine[at], theirs[0]) for mine, theirs in masks)


@pytest.mark.parametrize("which", range(len(NAMES) + 2))
def test_results_do_not_depend_on_the_company(kit: SimpleNamespace, which: int) -> None:
    """Weights, curves and measures are those of the member alone, to rounding."""
    samples = kit.make_samples()
    members = _populations()[which]
    at = members.index(ME)
    alone, together = kit.run([ME], samples, BASE), kit.run(members, samples, BASE)
    assert together.state.plan == [list(range(len(members)))], "one program"
    torch.testing.assert_close(together.flat(at), alone.flat(0), rtol=1e-10, atol=1e-12)
    mine, theirs = together.state.outcomes[at], alone.state.outcomes[0]
    assert (mine.end, mine.step) == (theirs.end, theirs.step)
    for name, value in theirs.values.items():
        assert mine.values[name] == pytest.approx(value, rel=1e-9, nan_ok=True)
    for curve, own in zip(together.curves("test_loss"), alone.curves("test_loss"), strict=True):
        assert curve.values[at] == pytest.approx(own.values[0], rel=1e-9)


def test_seeds_are_for_what_they_are_named_for(kit: SimpleNamespace) -> None:
    """`init` decides the weights, `order` the batches (shifts and mixing too), the seed masks and fresh labels."""
    samples = kit.make_samples()
    recipe = _recipe(EVERYTHING)
    base = Member("base", 1, fresh=True, recipe=recipe)
    other_init = dataclasses.replace(base, init=7)
    other_order = dataclasses.replace(base, order=7)
    other_seed = dataclasses.replace(base, seed=7, init=1, order=1)
    members = [base, other_init, other_order, other_seed]
    draws = kit.Draws(members, samples, recipe)
    draws.begin(0)
    inputs, _ = draws.batch(0)
    masks, labels = draws.masks(0, 0)[0], draws.labels_at(0)
    same = [
        (torch.equal(inputs[0], inputs[i]), torch.equal(masks[0], masks[i]), torch.equal(labels[0], labels[i]))
        for i in (1, 2, 3)
    ]
    assert same == [(True, True, True), (False, True, True), (True, False, False)]
    populations = [kit.population((9, 7), [m.init_seed]).parameters.flat for m in members]
    assert [torch.equal(populations[0], p) for p in populations[1:]] == [False, True, True]
    as_seven = dataclasses.replace(base, seed=7)
    assert torch.equal(populations[1], kit.population((9, 7), [as_seven.init_seed]).parameters.flat)
    sevens = kit.Draws([as_seven], samples, recipe)
    sevens.begin(0)
    assert torch.equal(sevens.order[0], draws.order[2])


def test_fewer_samples_have_the_same_labels(kit: SimpleNamespace) -> None:
    """A member that learns the first of the samples has their labels, fresh ones too, and never sees the others."""
    samples = kit.make_samples()
    whole, part = Member("whole", 1, fresh=True), Member("part", 1, fresh=True, n=23)
    recipe = Recipe((5,), "sgd", 0.01, batch=10, epochs=2, target=2)
    all_labels = kit.Draws([whole], samples, recipe).labels_at(3)
    draws = kit.Draws([part], samples, recipe)
    assert torch.equal(draws.labels_at(3), all_labels[:, :23])
    assert draws.bounds[-1][1] == 23
    draws.begin(0)
    assert sorted(draws.order[0].tolist()) == list(range(23))
    members = [dataclasses.replace(part, fresh=False), dataclasses.replace(part, labels=1, fresh=False)]
    result = kit.run(members, samples, recipe)
    kit.assert_equal_to_plain(result, members, samples, recipe)
    fewer = dataclasses.replace(samples, inputs=samples.inputs[:, :23], labels=samples.labels[:, :23])
    again = kit.run([dataclasses.replace(m, n=0) for m in members], fewer, recipe)
    for i in range(2):
        assert torch.equal(again.state.weights[i][0], result.state.weights[i][0])
        assert again.state.outcomes[i].values == result.state.outcomes[i].values
