"""Events become data: bounded memory, torn and foreign lines, attempts that supersede."""

from __future__ import annotations

import math

import pytest

from genlab_tui import events as ev
from genlab_tui.phenomenon import Arm
from genlab_tui.run import RunSpec
from genlab_tui.rundata import MAX_ROWS, RunDataBuilder

SPEC = RunSpec(id="00000000", phenomenon="p", config={}, seeds=2)
COHORT = ev.Cohort(id="c", members=(("a", 0), ("a", 1)))


def build(*events: ev.AnyEvent) -> RunDataBuilder:
    builder = RunDataBuilder(SPEC, (Arm("a"),))
    builder.feed_all(events)
    return builder


def curve(step: int, *values: ev.Value, attempt: int = 1, stage: str = "") -> ev.Curve:
    return ev.Curve(cohort="c", metric="loss", step=step, values=values, attempt=attempt, stage=stage)


def test_curves_have_one_series_per_member_with_gaps_where_there_is_no_value() -> None:
    data = build(COHORT, curve(0, 1.0, 2.0), curve(1, "nan", None), curve(2, "inf", 3.0)).snapshot()
    first, second = data.curves["loss"]["a", 0], data.curves["loss"]["a", 1]
    assert list(first.step) == [0, 1, 2]
    assert first.value[0] == 1.0
    assert math.isnan(first.value[1])
    assert first.value[2] == math.inf
    assert math.isnan(second.value[1])


def test_rows_are_bounded_and_extremes_survive_the_halving() -> None:
    builder = build(COHORT)
    steps = 50_000
    for step in range(steps):
        builder.feed(curve(step, 1000.0 if step == 12_345 else 0.0, float(step)))
    found = builder.snapshot().curves["loss"]
    assert len(found["a", 0].step) <= MAX_ROWS
    assert found["a", 0].value.max() == 1000.0
    assert found["a", 1].step[-1] == found["a", 1].value[-1] == steps - 1
    assert (found["a", 1].step[1:] > found["a", 1].step[:-1]).all()


def test_lines_of_an_older_attempt_are_ignored() -> None:
    begin = ev.Begin(attempt=2, time=0.0)
    data = build(ev.Begin(time=0.0), begin, ev.Cohort(id="c", members=(("a", 0),), attempt=2), curve(5, 1.0)).snapshot()
    assert data.curves == {}


def test_a_new_attempt_keeps_finished_stages_and_cuts_the_open_one_at_its_checkpoint() -> None:
    done = ev.Cohort(id="done", members=(("a", 0),), stage="one")
    events: list[ev.AnyEvent] = [
        ev.Begin(time=0.0),
        done,
        ev.Measure(cohort="done", name="err", values=(0.5,), stage="one"),
        ev.Stage(key="one", value=7, stage="one"),
        ev.Cohort(id="c", members=COHORT.members, stage="two"),
        *(curve(s, float(s), float(s), stage="two") for s in range(10)),
        ev.Measure(cohort="c", name="err2", values=(0.1, 0.2), stage="two"),
        ev.Mark(text="early", step=3, stage="two"),
        ev.Mark(text="late", step=8, stage="two"),
        ev.Begin(attempt=2, time=1.0, kept=("one",), resume="two", resume_step=5),
        curve(6, 60.0, 60.0, stage="two", attempt=2),
    ]
    data = build(*events).snapshot()
    assert list(data.curves["loss"]["a", 0].step) == [0, 1, 2, 3, 4, 5, 6]
    assert data.curves["loss"]["a", 0].value[-1] == 60.0
    assert data.measures["err"] == {("a", 0): 0.5}
    assert data.measures.get("err2", {}) == {}
    assert [m.text for m in data.marks] == ["early"]
    assert data.stages == {"one": 7}


def test_of_an_open_stage_with_several_cohorts_the_finished_ones_stay_whole() -> None:
    """The step of a checkpoint is that of its cohort: others are whole, or begin anew."""
    events: list[ev.AnyEvent] = [ev.Begin(time=0.0)]
    for name, seed in (("c", 0), ("c 2", 1), ("c 3", 2)):
        events.append(ev.Cohort(id=name, members=(("a", seed),), stage="s"))
        events += [ev.Curve(cohort=name, metric="loss", step=k, values=(float(k),), stage="s") for k in range(10)]
        events.append(ev.Mark(text=name, step=7, stage="s", cohort=name))
        events.append(ev.Change(regulariser="l1", strength=0.1, step=4, stage="s", cohort=name))
    begin = ev.Begin(attempt=2, time=1.0, resume="s", resume_step=4, resume_cohort="c 2", resume_finished=("c",))
    data = build(*events, begin).snapshot()
    steps = {seed: len(curve.step) for (_, seed), curve in data.curves["loss"].items()}
    assert steps == {0: 10, 1: 5}
    assert [m.text for m in data.marks] == ["c"]
    assert [c.cohort for c in data.changes] == ["c"], "a change at the step of the checkpoint is made again"


def test_a_new_attempt_drops_an_open_stage_without_a_checkpoint() -> None:
    data = build(
        ev.Begin(time=0.0),
        ev.Cohort(id="c", members=COHORT.members, stage="two"),
        curve(1, 1.0, 1.0, stage="two"),
        ev.Begin(attempt=2, time=1.0),
    ).snapshot()
    assert data.curves == {}


def test_a_snapshot_never_changes() -> None:
    builder = build(COHORT, curve(0, 1.0, 2.0))
    before = builder.snapshot()
    builder.feed(curve(1, 9.0, 9.0))
    assert list(before.curves["loss"]["a", 0].value) == [1.0]
    assert builder.version > 0


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"kind":"future"}', b'{"kind":"curve"}', b"\xff", b"[" * 9999])
def test_a_line_that_is_no_event_is_skipped(line: bytes) -> None:
    assert ev.decode(line) is None


def test_events_survive_their_line() -> None:
    for event in (curve(3, 0.1, "-inf"), ev.Stage(key="k", value={"a": [1, 2.5]}), ev.Progress(done=0.3, eta=4.0)):
        assert ev.decode(ev.encode(event)) == event


@pytest.mark.parametrize("number", [0.1, -1e300, math.inf, -math.inf])
def test_values_keep_non_finite_numbers(number: float) -> None:
    assert ev.from_value(ev.to_value(number)) == number
    assert math.isnan(ev.from_value(ev.to_value(math.nan)))
