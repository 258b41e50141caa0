"""When the queue will be empty: what runs took, what the estimate says, who takes turns on which slot."""

from __future__ import annotations

import dataclasses

import pytest

from genlab_tui import phenomena
from genlab_tui.paths import Lab, lab_home
from genlab_tui.run import RunRecord, RunState
from jobs import local, runs
from jobs.durations import expected, took
from jobs.forecast import forecast
from jobs.launcher import Device, QueueEntry
from jobs.request import build_spec

CPU = Device("cpu", "cores", slots=1)
GPUS = (CPU, Device("cuda:0", "H", slots=1), Device("cuda:1", "H", slots=1))


def entry(name: str, position: int, takes: float, device: str = "cpu", **facts: object) -> QueueEntry:
    state = RunState.RUNNING if position == 0 else RunState.QUEUED
    record = dataclasses.replace(RunRecord(name, "toy", state, device=device), **facts)  # type: ignore[arg-type]
    return QueueEntry(record, position, "", takes)


def test_runs_take_turns_on_one_slot() -> None:
    entries = [entry("a", 0, 100.0), entry("b", 1, 20.0), entry("c", 2, 5.0)]
    assert forecast(entries, {"a": 30.0}, [CPU]) == {"a": 30.0, "b": 50.0, "c": 55.0}
    assert forecast(entries, {}, [CPU])["c"] == 125.0, "without a word of its own, a run takes what is expected of it"


def test_a_run_starts_where_there_is_room_first() -> None:
    entries = [
        entry("a", 0, 50.0, "cuda:0"),
        entry("b", 1, 10.0, "auto"),
        entry("c", 2, 10.0, "auto"),
        entry("d", 3, 7.0, "all"),
    ]
    assert forecast(entries, {}, GPUS) == {"a": 50.0, "b": 10.0, "c": 20.0, "d": 57.0}


def test_what_nobody_can_know_is_left_out() -> None:
    held = entry("b", 2, 5.0, held=True)
    entries = [entry("a", 0, -1.0), entry("lost", 1, 5.0, "cuda:3"), held, entry("c", 3, 5.0)]
    assert forecast(entries, {}, [CPU]) == {}
    assert forecast(entries, {"a": 1.0}, [CPU]) == {"a": 1.0, "c": 6.0}
    assert forecast(entries, {}, []) == {}


def test_the_newest_whole_run_of_an_identity_says_how_long_it_takes() -> None:
    base = RunRecord("a", "toy", RunState.DONE, identity="x", attempt=1, created=1.0, started=10.0, ended=40.0)
    newer = dataclasses.replace(base, id="b", created=2.0, ended=45.0)
    for other in ({"attempt": 2}, {"inherited": 3}, {"state": RunState.FAILED}, {"started": 0.0}):
        assert took([dataclasses.replace(base, **other)]) == {}  # type: ignore[arg-type]
    assert took([newer, base]) == {"x": 35.0}


@pytest.mark.usefixtures("toy")
def test_without_such_a_run_the_estimate_counts() -> None:
    lab: Lab = lab_home()
    record = runs.submit(lab, build_spec("toy", lab=lab, values={"seconds": "77"}), held=True)
    assert expected(lab, record, {}) == 77.0
    assert expected(lab, record, {record.identity: 5.0}) == 5.0
    (found,) = local.queue_view(lab)
    assert found.takes == 77.0
    assert expected(lab, dataclasses.replace(record, id="ffffffff"), {}) == -1.0


@pytest.mark.usefixtures("toy")
def test_a_phenomenon_whose_estimate_breaks_hides_no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = lab_home()
    record = runs.submit(lab, build_spec("toy", lab=lab), held=True)
    broken = dataclasses.replace(phenomena.get("toy"), estimate=lambda config, spec: {}[spec.id])
    monkeypatch.setattr(phenomena, "get", lambda name: broken)
    assert [(e.record.id, e.takes) for e in local.queue_view(lab)] == [(record.id, -1.0)]
