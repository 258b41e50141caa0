"""Members that cannot batch train one program after the other: as each would alone, and resumed as if never stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.training import plan
from genlab_tui.training.members import MEASURES, Member, Recipe
from genlab_tui.training.train import Share
from jobs import checkpoint

BASE = Recipe((12,), "adam", 5e-3, batch=10, epochs=4, target=2)


def _with(**fields: Any) -> Recipe:
    return dataclasses.replace(BASE, **fields)


APART = {
    "depth": _with(hidden=(12, 5)),
    "batch size": _with(batch=15),
    "optimiser": _with(optimiser="sgd", lr=0.02),
    "Nesterov": _with(optimiser="sgd", lr=0.02, nesterov=True),
    "loss": _with(loss="squared", lr=1e-3),
    "batch norm": _with(regularisers={"batch-norm": 0.1}),
    "schedule": _with(decay=0.9),
    "early stopping": _with(regularisers={"early-stopping": 2.0}),
    "cadence": _with(log_points=3),
}
TOGETHER = [
    _with(hidden=(7,)),
    _with(lr=1e-3, epochs=3),
    _with(regularisers={"dropout": 0.2, "mixup": 0.3}),
    _with(optimiser="adamw", regularisers={"weight-decay": 0.1}, init="torch", target=0.9),
    _with(coupled=True, regularisers={"weight-decay": 0.1}, steps=9),
]


def _everyone() -> list[Member]:
    """Return one member of the base's program between any two others."""
    others = [Member(name, 1, recipe=recipe) for name, recipe in APART.items()]
    others.append(Member("n", 1, n=40))
    beside = [Member(f"beside {i}", i, recipe=recipe) for i, recipe in enumerate(TOGETHER)]
    members: list[Member] = [Member("base", 1)]
    for i, other in enumerate(others):
        members += [other, *beside[i : i + 1]]
    return members


def _lines(result: Any) -> list[tuple[Any, ...]]:
    return [(c.cohort, c.metric, c.step, c.epoch, c.values) for c in result.of(ev.Curve)]


def _measures(result: Any) -> dict[tuple[str, str], tuple[ev.Value, ...]]:
    return {(e.cohort, e.name): e.values for e in result.of(ev.Measure)}


def test_what_batches_and_what_does_not(kit: SimpleNamespace) -> None:
    """One program for all that only widths, rates, regularisers and ends tell apart, one for every other member."""
    members = _everyone()
    parts = plan.programs(members, kit.make_samples(), BASE)
    names = [[members[i].arm for i in part] for part in parts]
    assert names == [["base", *(f"beside {i}" for i in range(len(TOGETHER)))], *[[name] for name in APART], ["n"]]


def test_one_after_the_other_is_as_alone(kit: SimpleNamespace) -> None:
    """Every member of eleven programs ends as by itself; all cohorts, curves and measures come out."""
    samples, members = kit.make_samples(), _everyone()
    result = kit.run(members, samples, BASE)
    parts = result.state.plan
    assert len(parts) == 11
    cohorts = result.of(ev.Cohort)
    assert [c.id for c in cohorts] == ["all", *(f"all {k}" for k in range(2, 12))]
    for cohort, part in zip(cohorts, parts, strict=True):
        assert cohort.members == tuple((members[i].arm, members[i].seed) for i in part)
    measures = _measures(result)
    for cohort, part in zip(cohorts, parts, strict=True):
        for name in MEASURES:
            values = [ev.to_value(result.state.outcomes[i].values[name]) for i in part]
            assert list(measures[cohort.id, name]) == values
    for i, member in enumerate(members):
        alone = kit.run([member], samples, BASE)
        assert alone.state.outcomes[0].step == result.state.outcomes[i].step
        torch.testing.assert_close(result.flat(i), alone.flat(0), rtol=1e-10, atol=1e-12)
    kit.assert_equal_to_plain(result, members, samples, BASE)


@pytest.mark.parametrize("share", [Share(), Share(0.25, 0.5)])
def test_progress_never_runs_back(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, share: Share) -> None:
    """Over programs of many lengths it rises to 1, or through this call's share of the run."""
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", -1.0)
    members = [*_everyone(), Member("guessed", 1, expected_epochs=2.0), Member("long", 1, expected_epochs=50.0)]
    result = kit.run(members, kit.make_samples(), BASE, share=share)
    done = [e.done for e in result.of(ev.Progress)]
    assert done == sorted(done)
    assert done[0] == pytest.approx(share.before)
    assert done[-1] == pytest.approx(share.before + share.size)
    assert len(set(done)) > 100


@pytest.fixture
def _poll_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", -1.0)


def _three() -> list[Member]:
    """Return members of three programs, some of which leave early; the second follows the first's interleaving."""
    on = {"dropout": 0.2, "batch-norm": 0.2}
    return [
        Member("a", 1, recipe=_with(steps=8)),
        Member("b", 1, recipe=_with(optimiser="sgd", lr=0.02, regularisers={"early-stopping": 1.0}, epochs=9)),
        Member("a", 2),
        Member("c", 1, recipe=_with(hidden=(9, 4), regularisers=on, lr=2e-3)),
        Member(
            "b", 2, recipe=_with(optimiser="sgd", lr=0.04, regularisers={"early-stopping": 2.0}, epochs=9), labels=1
        ),
        Member("c", 2, recipe=_with(hidden=(6, 4), regularisers=on), labels=1),
    ]


def _assert_same_end(whole: Any, resumed: Any, members: Sequence[Member]) -> None:
    for i in range(len(members)):
        mine, theirs = resumed.state.outcomes[i], whole.state.outcomes[i]
        assert (mine.end, mine.step, mine.epoch) == (theirs.end, theirs.step, theirs.epoch)
        for a, b in zip(resumed.state.weights[i], whole.state.weights[i], strict=True):
            assert torch.equal(a, b)


@pytest.mark.usefixtures("_poll_at_every_step")
def test_stopped_in_any_program_it_ends_the_same(kit: SimpleNamespace, tmp_path: Path) -> None:
    """To the last bit, in the middle of programs, at their seams and through the file; with the curves that follow."""
    samples, members = kit.make_samples(dtype=torch.float32), _three()
    desk = kit.Desk()
    whole = kit.run(members, samples, BASE, desk)
    assert whole.state.plan == [[0, 2], [1, 4], [3, 5]]
    lengths = [max(whole.state.outcomes[i].step for i in part) for part in whole.state.plan]
    assert desk.polls == sum(lengths)
    first, second = lengths[0], lengths[0] + lengths[1]
    for stop in (5, first, first + 1, first + 8, second - 1, second, second + 7, desk.polls):
        before = kit.run(members, samples, BASE, kit.Desk(stop_at=stop))
        at = (stop > first) + (stop > second)
        named = ["all", "all 2", "all 3"]
        assert before.saved.step == stop - (0, first, second)[at]
        assert (before.saved.cohort, before.saved.finished) == (named[at], tuple(named[:at]))
        path = tmp_path / "checkpoint.safetensors"
        checkpoint.save(path, before.saved, stage="one", attempt=1)
        label = checkpoint.read_label(path)
        assert label is not None
        saved = checkpoint.load(path, label)
        assert (saved.cohort, saved.finished) == (before.saved.cohort, before.saved.finished)
        resumed = kit.run(members, samples, BASE, kit.Desk(saved))
        assert _lines(before) + _lines(resumed) == _lines(whole), f"stopped after {stop}"
        assert before.marks() + resumed.marks() == whole.marks()
        later = named[at:]
        assert [c.id for c in resumed.of(ev.Cohort)] == later
        assert _measures(resumed) == _measures(whole), "also of the programs that were finished"
        _assert_same_end(whole, resumed, members)
        done = [e.done for r in (before, resumed) for e in r.of(ev.Progress)]
        assert done == sorted(done)
        assert done[-1] == 1.0


@pytest.mark.usefixtures("_poll_at_every_step")
def test_stopped_again_and_again(kit: SimpleNamespace) -> None:
    """Every attempt goes a few steps further, over all seams; training time adds up."""
    samples, members = kit.make_samples(dtype=torch.float32), _three()
    whole = kit.run(members, samples, BASE)
    saved, parts = None, []
    while True:
        part = kit.run(members, samples, BASE, kit.Desk(saved, stop_at=7))
        parts.append(part)
        if part.state is not None:
            break
        saved = part.saved
    assert len(parts) > 10
    assert [line for part in parts for line in _lines(part)] == _lines(whole)
    _assert_same_end(whole, parts[-1], members)
    seconds = [c.seconds for part in parts for c in part.curves("train_loss")]
    assert seconds == sorted(seconds)
