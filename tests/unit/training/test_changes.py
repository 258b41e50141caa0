"""Regularisers changed while a run trains: from the next epoch on, for everyone, and through a checkpoint."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.training.members import Member, Recipe

BASE = Recipe((9, 7), "sgd", 0.02, batch=10, epochs=6, target=2, regularisers={"dropout": 0.2})
MEMBERS = [
    Member("a", 1),
    Member("b", 1, labels=1, recipe=dataclasses.replace(BASE, hidden=(5, 8), lr=0.01)),
    Member("c", 2, recipe=dataclasses.replace(BASE, regularisers={"mixup": 0.4, "weight-decay": 0.2}, steps=15)),
]
DYNAMIC = [r.name for r in REGULARISERS if r.dynamic]
FIXED = [r.name for r in REGULARISERS if not r.dynamic]


@pytest.fixture(autouse=True)
def _poll_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", -1.0)


def _changes(result: Any) -> list[tuple[str, str, float | None, int]]:
    return [(e.cohort, e.regulariser, e.strength, e.step) for e in result.of(ev.Change)]


@pytest.mark.parametrize("name", DYNAMIC)
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_switched_on_and_off_again(kit: SimpleNamespace, name: str, optimiser: str) -> None:
    """Asked for in the middle of an epoch, it is there from the next on: a plain run that changes there too."""
    samples = kit.make_samples()
    strength = next(r.default for r in REGULARISERS if r.name == name)
    script = [(8, name, strength), (26, name, None)]
    members = [Member("a", 1), Member("b", 2, labels=1, recipe=dataclasses.replace(BASE, hidden=(4, 4)))]
    recipe = dataclasses.replace(BASE, optimiser=optimiser, lr=0.02 if optimiser == "sgd" else 2e-3, regularisers={})
    members = [m if m.recipe is None else dataclasses.replace(m, recipe=dataclasses.replace(
        recipe, hidden=m.recipe.hidden
    )) for m in members]  # fmt: skip
    result = kit.run(members, samples, recipe, kit.Desk(script=script))
    assert _changes(result) == [("all", name, strength, 12), ("all", name, None, 30)]
    effective = [(12, name, strength), (30, name, None)]
    kit.assert_equal_to_plain(result, members, samples, recipe, script=effective)
    unchanged = kit.run(members, samples, recipe)
    assert not torch.allclose(result.flat(0), unchanged.flat(0))


def test_everyone_gets_it_whatever_they_had(kit: SimpleNamespace) -> None:
    """Members with and without, of other widths, rates and streams; some of them have left by then."""
    samples = kit.make_samples()
    script = [(6, "mixup", 0.8), (6, "augmentation", 1.0), (12, "dropout", 0.5), (18, "l1", 1e-3), (18, "mixup", None)]
    result = kit.run(MEMBERS, samples, BASE, kit.Desk(script=script))
    assert result.state.plan == [[0, 1, 2]]
    assert len(_changes(result)) == 5
    kit.assert_equal_to_plain(result, MEMBERS, samples, BASE, script=script)


def test_asked_for_before_the_start_it_is_there_from_the_first_step(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    result = kit.run(MEMBERS[:1], samples, BASE, kit.Desk(script=[(0, "dropout", 0.4)]))
    assert _changes(result) == [("all", "dropout", 0.4, 0)]
    other = dataclasses.replace(BASE, regularisers={"dropout": 0.4})
    assert torch.equal(result.flat(0), kit.run(MEMBERS[:1], samples, other).flat(0))


def test_the_change_comes_between_the_curves_of_its_epochs(kit: SimpleNamespace) -> None:
    """The event stands where it took effect: after the end of an epoch, before the next step."""
    result = kit.run(MEMBERS[:1], kit.make_samples(), BASE, kit.Desk(script=[(3, "dropout", None)]))
    at = next(i for i, e in enumerate(result.events) if isinstance(e, ev.Change))
    steps = [e.step for e in result.events[:at] if isinstance(e, ev.Curve)]
    later = [e.step for e in result.events[at:] if isinstance(e, ev.Curve)]
    assert max(steps) == 6 == result.of(ev.Change)[0].step < min(later)


@pytest.mark.parametrize("stop", [5, 6, 7, 12, 13, 20, 30])
def test_a_stopped_run_goes_on_with_what_was_changed(kit: SimpleNamespace, stop: int) -> None:
    """Bit for bit, wherever it was stopped: what had taken effect is in the checkpoint, the rest is asked for again."""
    samples = kit.make_samples(dtype=torch.float32)
    script = [(6, "mixup", 0.8), (7, "dropout", 0.5), (18, "weight-decay", 0.5), (24, "dropout", None)]
    whole = kit.run(MEMBERS, samples, BASE, kit.Desk(script=script))
    desk = kit.Desk(script=script, stop_at=stop)
    before = kit.run(MEMBERS, samples, BASE, desk)
    resumed = kit.run(MEMBERS, samples, BASE, kit.Desk(before.saved, script=desk.script))
    assert _changes(before) + _changes(resumed) == _changes(whole)
    for i in range(len(MEMBERS)):
        assert torch.equal(resumed.state.weights[i][0], whole.state.weights[i][0])
        assert resumed.state.outcomes[i].values == pytest.approx(whole.state.outcomes[i].values, rel=0, nan_ok=True)


def test_later_programs_have_it_from_their_start(kit: SimpleNamespace) -> None:
    """Also after a resume in between; programs that were done before keep what they were trained with."""
    samples = kit.make_samples(dtype=torch.float64)
    apart = [dataclasses.replace(m, recipe=dataclasses.replace(m.recipe or BASE, batch=15)) for m in MEMBERS]
    last = dataclasses.replace(BASE, batch=20)
    members = [*MEMBERS, *apart, Member("last", 1, recipe=last)]
    script = [(12, "dropout", 0.5), (12, "l1", 1e-3)]
    desk = kit.Desk(script=script)
    result = kit.run(members, samples, BASE, desk)
    assert result.state.plan == [[0, 1, 2], [3, 4, 5], [6]]
    assert {c[0] for c in _changes(result)} == {"all"}
    kit.assert_equal_to_plain(result, MEMBERS, samples, BASE, script=script)
    for i in (3, 4, 5, 6):
        plain = kit.train_plainly(members[i], samples, BASE, [(0, name, strength) for _, name, strength in script])
        torch.testing.assert_close(result.flat(i), plain.flat, rtol=1e-10, atol=1e-11)
    for stop in (20, 36, 40, 59):
        first = kit.Desk(script=script, stop_at=stop)
        before = kit.run(members, samples, BASE, first)
        resumed = kit.run(members, samples, BASE, kit.Desk(before.saved, script=first.script))
        assert all(torch.equal(resumed.flat(i), result.flat(i)) for i in range(len(members)))


@pytest.mark.parametrize("name", FIXED)
def test_what_is_fixed_at_the_start_does_not_change(kit: SimpleNamespace, name: str) -> None:
    """A request for it is refused with a warning; training goes on as if it had not been made."""
    samples = kit.make_samples()
    recipe = dataclasses.replace(BASE, regularisers={"batch-norm": 0.1, "early-stopping": 3.0})
    members = [Member("a", 1), Member("b", 2, recipe=dataclasses.replace(recipe, steps=9))]
    usual = kit.run(members, samples, recipe)
    asked = kit.run(members, samples, recipe, kit.Desk(script=[(6, name, 1.0)]))
    assert not asked.of(ev.Change)
    assert [(log.level, name in log.text) for log in asked.of(ev.Log)] == [("warning", True)]
    for i in range(2):
        assert torch.equal(asked.flat(i), usual.flat(i))
        assert asked.state.outcomes[i] == usual.state.outcomes[i]
