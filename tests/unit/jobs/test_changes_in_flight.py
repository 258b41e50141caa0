"""Regulariser changes on their way: from a control line to the phenomenon, and again after a resume."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from genlab_tui import events as ev
from genlab_tui.paths import Lab, RunDir
from genlab_tui.phenomenon import Arm
from genlab_tui.run import RunSpec
from jobs import checkpoint
from jobs.context import EventLog, WorkerContext
from jobs.worker import changed


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    run = Lab(tmp_path).run("0000abcd")
    run.path.mkdir(parents=True)
    return run


def make(run: RunDir, attempt: int = 1, **options: Any) -> WorkerContext:
    spec = RunSpec(id="0000abcd", phenomenon="toy", config={})
    log = EventLog(run.events, attempt)
    return WorkerContext(run, spec, (Arm("a"),), devices=("cpu",), data_dir=run.path, log=log, **options)


def ask(run: RunDir, attempt: int = 1, **what: Any) -> None:
    with run.control.open("ab") as file:
        file.write(msgspec.json.encode({"attempt": attempt, "action": "change", **what}) + b"\n")


def inside(context: WorkerContext, stage: str, *asked: tuple[str, int]) -> list[list[tuple[str, float | None]]]:
    """Return what `changes` gives inside a stage for each (cohort, step)."""
    found: list[list[tuple[str, float | None]]] = []

    def body() -> Generator[ev.Event, None, None]:
        yield from ()
        found.extend(context.changes(cohort, step) for cohort, step in asked)

    for _ in context.stage(stage, body):
        pass
    return found


def test_a_request_is_handed_out_once(run: RunDir) -> None:
    context = make(run)
    ask(run, regulariser="wd", strength=0.1)
    ask(run, regulariser="dropout", strength=None)
    assert inside(context, "one", ("c", 0), ("c", 10)) == [[("weight-decay", 0.1), ("dropout", None)], []]


@pytest.mark.parametrize(
    "what",
    [
        {"regulariser": "dropot", "strength": 0.1},
        {"regulariser": "dropout", "strength": 7},
        {"regulariser": "dropout", "strength": "much"},
        {"regulariser": "dropout", "strength": float("nan")},
        {"regulariser": 3, "strength": [1]},
        {},
    ],
)
def test_what_cannot_be_is_left_out(run: RunDir, what: dict[str, Any]) -> None:
    """A line that no verb wrote neither stops training nor hides the next."""
    context = make(run)
    ask(run, **what)
    ask(run, regulariser="l1", strength=1e-4)
    found = inside(context, "one", ("c", 0))[0]
    assert found[-1] == ("l1", 1e-4)
    assert all(strength is None or 0 < strength < 1 for _, strength in found)


def test_of_another_attempt_it_is_ignored(run: RunDir) -> None:
    ask(run, attempt=1, regulariser="dropout", strength=0.3)
    assert inside(make(run, attempt=2), "one", ("c", 0)) == [[]]


def _change(stage: str, cohort: str, step: int, strength: float) -> ev.Change:
    return ev.Change(stage=stage, cohort=cohort, step=step, regulariser="dropout", strength=strength)


def test_after_a_resume_what_the_checkpoint_lacks_is_changed_again(run: RunDir) -> None:
    """Finished stages and cohorts and what came before the checkpoint are in it; at its very step it came after."""
    made = [
        _change("done", "c", 3, 0.1),
        _change("open", "c", 500, 0.2),
        _change("open", "c 2", 10, 0.3),
        _change("open", "c 2", 20, 0.4),
        _change("open", "c 2", 30, 0.5),
        _change("open", "c 3", 5, 0.6),
    ]
    saved = checkpoint.Label("open", 20, 1, {}, "c 2", ("c",))
    context = make(run, attempt=2, kept={"done": None}, saved=saved, changed=made)
    asked = [("c 2", 20), ("c 2", 29), ("c 2", 31), ("c 3", 0), ("c 3", 5)]
    assert inside(context, "open", *asked) == [[("dropout", 0.4)], [], [("dropout", 0.5)], [], [("dropout", 0.6)]]


def test_without_a_checkpoint_the_stage_changes_all_over(run: RunDir) -> None:
    made = [_change("open", "c", 3, 0.1), _change("other", "c", 3, 0.2)]
    context = make(run, attempt=2, changed=made)
    assert inside(context, "open", ("c", 2), ("c", 6)) == [[], [("dropout", 0.1)]]


def test_changes_of_every_attempt_are_found_in_the_events(run: RunDir) -> None:
    """Also one that a resumed attempt superseded and had no time to make again."""
    log = EventLog(run.events, 1)
    for event in (_change("open", "c", 50, 0.1), ev.Begin(attempt=2, time=0.0), _change("open", "c", 10, 0.2)):
        log.write(event)
    log.close()
    assert [(c.step, c.strength) for c in changed(run)] == [(50, 0.1), (10, 0.2)]


def test_a_change_before_the_checkpoint_holds_in_later_stages_after_a_resume(run: RunDir) -> None:
    """An unbroken run begins its next stage with the change: so must one that was stopped in between."""
    made = [_change("open", "c", 10, 0.3)]
    saved = checkpoint.Label("open", 20, 1, {}, "c", ())
    context = make(run, attempt=2, saved=saved, changed=made)
    assert inside(context, "open", ("c", 20), ("c", 30)) == [[], []]
    assert inside(context, "next", ("c", 0), ("c", 10)) == [[("dropout", 0.3)], []]


def test_what_is_changed_now_holds_in_later_stages(run: RunDir) -> None:
    context = make(run)
    ask(run, regulariser="dropout", strength=0.4)
    assert inside(context, "one", ("c", 0)) == [[("dropout", 0.4)]]
    assert inside(context, "two", ("c", 0), ("c", 5)) == [[("dropout", 0.4)], []]
