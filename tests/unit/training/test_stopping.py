"""When members end and why: every rule alone in the plain loop, all of them together in one population."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.training.evaluate import Cadence
from genlab_tui.training.members import Member, Recipe

BASE = Recipe((16,), "adam", 5e-3, batch=10, epochs=12, target=2)
PATIENT = {"early-stopping": 2.0}


def _with(**fields: object) -> Recipe:
    return dataclasses.replace(BASE, **fields)  # type: ignore[arg-type]  # any of its fields


MEMBERS = [
    Member("fits", 1, recipe=_with(target=0.9)),
    Member("loss", 1, recipe=_with(loss_target=0.5)),
    Member("either", 2, recipe=_with(target=1.0, loss_target=0.9)),
    Member("mid", 1, labels=1, recipe=_with(steps=20)),
    Member("control", 1, labels=1, fresh=True, follows=3),
    Member("epoch", 2, labels=1, recipe=_with(steps=18)),
    Member("last", 1, labels=2, recipe=_with(epochs=5)),
    Member("never", 2, labels=2),
    Member("patient", 1, labels=1, recipe=_with(regularisers=PATIENT, lr=0.03, epochs=40)),
    Member(
        "less patient", 2, labels=1, recipe=_with(regularisers={"early-stopping": 1.0}, hidden=(9,), lr=0.02, epochs=40)
    ),
    Member("patient but fits", 1, recipe=_with(regularisers=PATIENT, target=0.5)),
    Member("patient but short", 1, recipe=_with(regularisers=PATIENT, steps=2)),
    Member("patient but mid", 2, recipe=_with(regularisers=PATIENT, steps=15)),
]
FOLLOWER = 4


def test_each_ends_at_its_step_with_its_word(kit: SimpleNamespace) -> None:
    """All rules mixed, in two programs: ends, steps and final numbers are those of the plain loop."""
    samples = kit.make_samples(noise=1.5)
    result = kit.run(MEMBERS, samples, BASE)
    assert result.state.plan == [list(range(8)), list(range(8, 13))]
    outcomes = result.state.outcomes
    words = [outcomes[i].end for i in range(len(MEMBERS))]
    assert words[:3] == ["fitted", "loss", "loss"]
    assert words[3:8] == ["steps", "partner", "steps", "epochs", "epochs"]
    assert words[8:] == ["early stopping", "early stopping", "fitted", "steps", "steps"]
    assert [outcomes[i].step for i in range(3, 8)] == [20, 20, 18, 30, 72]
    assert [outcomes[i].epoch for i in (3, 4, 5)] == [pytest.approx(20 / 6), pytest.approx(20 / 6), 3.0]
    alone = [i for i in range(len(MEMBERS)) if i != FOLLOWER]
    for i in alone:
        plain = kit.train_plainly(MEMBERS[i], samples, BASE)
        assert (outcomes[i].end, outcomes[i].step) == (plain.end, plain.step), MEMBERS[i].arm
        torch.testing.assert_close(result.flat(i), plain.flat, rtol=1e-10, atol=1e-11)
    follower = dataclasses.replace(MEMBERS[FOLLOWER], follows=None, recipe=_with(steps=20))
    plain = kit.train_plainly(follower, samples, BASE)
    torch.testing.assert_close(result.flat(FOLLOWER), plain.flat, rtol=1e-10, atol=1e-11)


def test_it_is_said_once_with_numbers(kit: SimpleNamespace) -> None:
    """One mark a member, in words, at its step; steps to fit only of those that fitted; the last curve has its end."""
    result = kit.run(MEMBERS, kit.make_samples(noise=1.5), BASE)
    outcomes = result.state.outcomes
    marks = {(m.arm, m.seed): m for m in result.marks()}
    assert len(marks) == len(result.marks()) == len(MEMBERS)
    for i, member in enumerate(MEMBERS):
        mark, outcome = marks[member.arm, member.seed], outcomes[i]
        assert mark.step == outcome.step
        assert mark.cohort == ("all" if i < 8 else "all 2")
        assert math.isfinite(outcome.values["steps_to_fit"]) == (outcome.end == "fitted")
        assert outcome.values["steps"] == outcome.step
        curves = [c for c in result.curves("test_loss") if c.cohort == mark.cohort and c.step == outcome.step]
        assert len(curves) == 1
        value = curves[0].values[i if i < 8 else i - 8]
        assert isinstance(value, float)
        if i < 8:  # with early stopping, the final numbers are those of other weights
            assert outcome.values["test_loss"] == value
    assert marks["fits", 1].text == "fitted its training set"
    assert marks["loss", 1].text == "reached its training loss"
    assert marks["mid", 1].text == "reached its last step"
    assert marks["control", 1].text == "ended with its partner"
    assert marks["last", 1].text == "reached the last epoch"
    best = result.state.best_epoch[8]
    assert best == outcomes[8].epoch - 2
    assert marks["patient", 1].text == f"stopped early, best at epoch {best}"
    measures = [e for e in result.of(ev.Measure) if e.name == "steps"]
    last = {cohort: [e.values for e in measures if e.cohort == cohort][-1] for cohort in ("all", "all 2")}
    assert [*last["all"], *last["all 2"]] == [float(outcomes[i].step) for i in range(len(MEMBERS))]


def test_a_member_can_stop_before_its_first_epoch_is_over(kit: SimpleNamespace) -> None:
    """With early stopping too, whose only score is then that of its last step: not of its initial weights."""
    samples = kit.make_samples()
    for regularisers in ({}, PATIENT):
        member = Member("short", 1, recipe=_with(steps=3, regularisers=regularisers))
        result = kit.run([member], samples, BASE)
        kit.assert_equal_to_plain(result, [member], samples, BASE)
        start = kit.flat_of(kit.module_of(kit.population((16,), [1]), 0))
        assert not torch.allclose(result.flat(0), start)
        assert [c.step for c in result.curves("train_loss")] == [0, 1, 3]


def test_a_look_never_rules_out_a_loss_that_is_reached(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where all the loss that is left is that of a few samples, and the look happens to see them."""
    samples = kit.make_samples(n=400, noise=0.3)
    labels = samples.labels.clone()
    labels[0, [5, 50, 90]] = (labels[0, [5, 50, 90]] + 1) % 4
    samples = dataclasses.replace(samples, labels=labels)
    recipe = _with(hidden=(), lr=0.01, batch=40, epochs=60, loss_target=0.05, optimiser="sgd")
    usual = kit.run([Member("one", 1)], samples, recipe).state.outcomes[0]
    monkeypatch.setattr("genlab_tui.training.measure.SCREEN", 400)
    looked = kit.run([Member("one", 1)], samples, recipe).state.outcomes[0]
    assert looked.end == "loss"
    assert looked.step > 20
    assert (usual.end, usual.step) == (looked.end, looked.step)


def test_ends_do_not_depend_on_when_curves_are_drawn(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = kit.make_samples(noise=1.5)
    usual = kit.run(MEMBERS, samples, BASE).state.outcomes
    for often in (True, False):
        monkeypatch.setattr(Cadence, "due", lambda self, step, often=often: often)
        other = kit.run(MEMBERS, samples, BASE).state.outcomes
        assert {i: (o.end, o.step) for i, o in other.items()} == {i: (o.end, o.step) for i, o in usual.items()}
        for i, outcome in usual.items():
            assert other[i].values == pytest.approx(outcome.values, rel=1e-9, nan_ok=True)


def test_curves_on_a_logarithmic_grid(kit: SimpleNamespace) -> None:
    """As many lines a decade of steps as asked for, at rounded powers; the first step and the last are there."""
    recipe = Recipe((4,), "sgd", 0.01, batch=10, epochs=1000, steps=260, target=2, log_points=5)
    result = kit.run([Member("true", 1), Member("random", 1, labels=1)], kit.make_samples(), recipe)
    for metric in ("train_loss", "test_accuracy"):
        steps = [c.step for c in result.curves(metric)]
        grid = sorted({round(10 ** (k / 5)) for k in range(13)} - {0})
        assert steps == [0, *[s for s in grid if s <= 260], 260]
        assert steps[-1] == 260
    assert [c.epoch for c in result.curves("train_loss")][-1] == pytest.approx(260 / 6)


@pytest.mark.parametrize("points", [1, 7, 20])
def test_the_grid_has_its_points_in_every_decade(points: int) -> None:
    cadence = Cadence(1000, 100, 10, 10**5, log_points=points)
    due = [step for step in range(1, 100_001) if cadence.due(step)]
    assert due == sorted({round(10 ** (k / points)) for k in range(5 * points + 1)})
    assert sum(10_000 <= step < 100_000 for step in due) == points


def test_who_follows_has_to_train_beside_its_partner(kit: SimpleNamespace) -> None:
    members = [Member("partner", 1, recipe=_with(batch=7)), Member("follower", 1, follows=0)]
    with pytest.raises(BadValue, match="trains beside it"):
        kit.run(members, kit.make_samples(), BASE)


@pytest.mark.parametrize(
    "fields",
    [
        {"optimiser": "lion"},
        {"loss": "hinge"},
        {"init": "zeros"},
        {"batch": 0},
        {"epochs": 0},
        {"optimiser": "adamw", "coupled": True},
        {"nesterov": True},
    ],
)
def test_recipes_that_cannot_be_trained_are_refused(kit: SimpleNamespace, fields: dict[str, object]) -> None:
    """In the common recipe and in a member's own, before anything is trained."""
    samples = kit.make_samples()
    with pytest.raises(BadValue):
        kit.run([Member("true", 1)], samples, _with(**fields))
    with pytest.raises(BadValue):
        kit.run([Member("true", 1), Member("own", 1, recipe=_with(**fields))], samples, BASE)


@pytest.mark.parametrize("member", [Member("x", 1, inputs=2), Member("x", 1, labels=3), Member("x", 1, n=61)])
def test_members_without_data_are_refused(kit: SimpleNamespace, member: Member) -> None:
    with pytest.raises(BadValue):
        kit.run([member], kit.make_samples(), BASE)
