"""Live's charts under the keys: cursor, window, marks, arms, axes, pictures; and every chart of hard data."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from genlab_tui import events as ev
from genlab_tui.colours import marker
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, Line, Reference, Tick
from genlab_tui.paths import Lab, RunDir
from genlab_tui.phenomenon import Arm
from genlab_tui.run import RunMeta, RunRecord, RunSpec, RunState, decode
from genlab_tui.rundata import Curve, RunData
from genlab_tui.safe_io import read_json, write_json
from genlab_tui.summary import LoadedRun
from jobs import runs
from jobs.launcher import Device, QueueEntry
from jobs.request import build_spec
from screens.armlist import ArmList
from screens.gallery import FEW, Gallery
from screens.lens import Lens
from screens.live import LiveScreen
from screens.liveview import ALL, CurveView, LiveView
from screens.panels import happened
from screens.panels.cells import Cells, telling
from screens.panels.chart import EMPTY, Chart, raster
from screens.panels.crosshair import crosshair, readings
from screens.panels.frame import Frame
from screens.panels.labels import TICK
from screens.panels.legend import Legend
from screens.panels.log import reports
from screens.panels.paint import paint
from screens.panels.runline import queue_words, run_line
from screens.panels.slot import Slot
from screens.prompt import Prompt
from screens.window import Window, follow, pan, zoom

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Until = Callable[[Callable[[], object]], Awaitable[None]]
Text = Callable[[App[None]], str]

NAN, INF = math.nan, math.inf
SEEDS = (0, 1, 2)


# --- the window on an axis --------------------------------------------------------------------------------------------


def test_zoom_keeps_the_place_it_is_made_around() -> None:
    whole = (0.0, 1000.0)
    assert zoom(whole, None, 0.5, None) == Window(500.0, 1000.0, True)
    around = zoom(whole, None, 0.5, 200.0)
    assert around == Window(100.0, 600.0)
    assert zoom(whole, around, 0.5, 200.0) == Window(150.0, 400.0)
    assert zoom(whole, around, 2.0, 200.0) is None  # the whole again
    deep: Window | None = None
    for _ in range(40):
        deep = zoom(whole, deep, 0.5, 300.0)
    assert deep is not None
    assert deep.high - deep.low == pytest.approx(1000 / 4096)
    assert deep.low <= 300 <= deep.high


def test_pan_moves_by_a_share_and_stops_at_the_ends() -> None:
    whole, window = (0.0, 1000.0), Window(200.0, 400.0)
    assert pan(whole, window, 0.25) == Window(250.0, 450.0)
    assert pan(whole, window, -5) == Window(0.0, 200.0)
    assert pan(whole, window, 50) == Window(800.0, 1000.0, True)
    assert pan(whole, None, 1) is None


def test_new_data_move_only_a_window_that_touches_the_end() -> None:
    still, growing = Window(200.0, 400.0), Window(500.0, 1000.0, True)
    assert follow((0.0, 1500.0), still) is still
    assert follow((0.0, 1500.0), growing) == Window(1000.0, 1500.0, True)
    assert follow((0.0, 1000.0), growing) is growing
    assert follow((500.0, 900.0), still) is None  # nothing of the data is in it


def test_a_logarithmic_axis_is_halved_in_decades() -> None:
    window = zoom((1.0, 10_000.0), None, 0.5, 1.0, log=True)
    assert window is not None
    assert window.span == pytest.approx((1.0, 100.0))
    moved = pan((1.0, 10_000.0), window, 0.25, log=True)
    assert moved is not None
    assert moved.span == pytest.approx((10**0.5, 10**2.5))
    end = zoom((1.0, 9_999.7), None, 0.5, None, log=True)
    assert end is not None
    assert end.high == 9_999.7  # the very end, whatever a logarithm makes of it


# --- the cursor without a screen --------------------------------------------------------------------------------------


def curves(*lines: Line, **options: Any) -> Figure:
    return Figure("loss", options.pop("title", "loss"), "step", "loss", tuple(lines), **options)


def line(label: str, y: Any, x: Any = None) -> Line:
    return Line(label, tuple(float(i) for i in (range(len(y)) if x is None else x)), tuple(y))


def drawn(frame: Frame, width: int = 39, height: int = 9, at: float | None = None) -> list[str]:
    cells = Cells(width, height)
    paint(frame, cells, raster, EMPTY, ())
    if at is not None:
        crosshair(frame, cells, at)
    rows = ["".join(row) for row in cells.text]
    assert len(rows) == height
    assert all(cell_len(row) == width for row in rows)
    return rows


def test_a_reading_is_the_last_measured_value_and_says_where() -> None:
    frame = Frame(curves(line("a", [0.5, 0.25, 0.125], [0, 10, 20]), line("b", [4.0, 3.0], [0, 10])))
    found = readings(frame, 14.0)
    assert [(r.label, r.x, r.y, r.past) for r in found] == [("a", 10.0, 0.25, False), ("b", 10.0, 3.0, True)]
    assert [r.y for r in readings(frame, 20.0)] == [0.125, 3.0]
    assert [r.y for r in readings(frame, -1.0)] == [None, None]
    last = drawn(frame, at=14.0)[-1]
    assert last.startswith("10 ")
    assert f"{marker(0)} a 0.25" in last
    assert "(3)" in last


def test_the_values_take_the_place_of_the_labels_and_nothing_jumps() -> None:
    lines = [line(f"arm number {k}", [1.0 / (k + 2), 2.0 / (k + 2), 3.0 / (k + 2)]) for k in range(10)]
    frame = Frame(curves(*lines, title="training loss"), slots={li.label: k for k, li in enumerate(lines)})
    before, after = drawn(frame), drawn(frame, at=1.0)
    assert [row.replace("│", " ") for row in after[1:-1]] == [row.replace("│", " ") for row in before[1:-1]]
    said = after[0] + after[-1]
    assert sum(marker(k) in said for k in range(10)) >= 9
    assert "training loss" in after[0]


def test_labels_in_a_legend_say_what_tells_them_apart() -> None:
    labels = [f"condition with width {width} and noise" for width in (4, 75)]
    assert list(telling(labels).values()) == ["4 and noise", "75 and noise"]
    assert telling(["alone it stays"]) == {"alone it stays": "alone it stays"}
    assert list(telling(["a", "a b"]).values()) == ["a", "a b"]
    lines = [line(f"{label} {k}", [0.0, float(k)]) for k, label in enumerate(labels * 2)]
    rows = drawn(Frame(curves(*lines)), 39, 9)
    assert f"{marker(0)} 4 an…noise 0 {marker(1)} 75 a…noise 1 +2" in rows[1]


def test_five_hundred_readings_say_how_many_are_left_out() -> None:
    lines = [line(f"arm {k}", [float(k), float(k + 1)]) for k in range(500)]
    rows = drawn(Frame(curves(*lines), slots={li.label: k for k, li in enumerate(lines)}), at=0.5)
    assert any(f"+{left}" in rows[0] + rows[-1] for left in range(480, 500))


def test_the_cursor_moves_by_columns_and_reaches_both_ends() -> None:
    lens = Lens()
    figure = curves(line("a", list(range(101))))
    lens.look({0: figure})
    assert lens.place(lens.axis_of(0))
    assert lens.cursor == 100.0
    lens.move(-1, 50)
    assert lens.cursor == 97.0  # the middle of the column before the last
    lens.move(-(10**6), 50)
    assert lens.cursor == 0.0
    lens.move(1, 50)
    assert lens.cursor == 3.0
    lens.zoom("step", 0.5)
    assert lens.window(figure) == pytest.approx((1.5, 51.5))
    lens.pan("step", 0.25)
    assert lens.seen("step") == pytest.approx((14.0, 64.0))
    assert lens.cursor == 14.0  # it stays in sight
    assert lens.points(0) == 800
    assert lens.window(dataclasses.replace(figure, x_label="width")) is None
    assert not lens.place("width")


# --- a chart in a window ----------------------------------------------------------------------------------------------


def test_in_a_window_y_is_what_is_seen_and_lines_end_at_its_edges() -> None:
    values = [1000.0 - k if k < 100 else 1.0 + k / 1000 for k in range(200)]
    far = Reference(5000.0, "far off")
    frame = Frame(curves(line("a", values), references=(far,)), window=(120.0, 180.5))
    assert (frame.x_axis.low, frame.x_axis.high) == (120.0, 180.5)
    assert frame.y_axis.high < 1.3
    assert frame.series[0].x[0] == 120.0
    assert frame.series[0].x[-1] == 180.5
    assert frame.series[0].y[-1] == pytest.approx(1.1805)
    assert readings(frame, 150.0)[0].y == values[150]
    assert "far off" not in "".join(drawn(frame))


def test_a_window_on_a_log_axis_interpolates_in_decades() -> None:
    frame = Frame(curves(line("a", [1.0, 100.0], [1, 100]), log_x=True, log_y=True), window=(10.0, 100.0))
    assert frame.series[0].y.tolist() == pytest.approx([10.0, 100.0])
    assert Frame(curves(line("a", [1.0, 2.0], [0, 10]), log_x=True), window=(0.0, 10.0)).window is None


HARD: dict[str, tuple[list[float], list[float]]] = {
    "empty": ([], []),
    "one point": ([3.0], [1.0]),
    "nan": ([0, 1, 2, 3], [1.0, NAN, 2.0, NAN]),
    "all nan": ([0, 1, 2], [NAN] * 3),
    "infinity": ([0, 1, 2, 3], [1.0, INF, -INF, 2.0]),
    "two hours": ([0, 1, 2, 7202, 7203], [1.0, 0.9, 0.8, 0.7, 0.6]),
    "x of nan": ([0, NAN, 2, 3], [1.0, 2.0, 3.0, 4.0]),
    "constant x": ([5, 5, 5], [1.0, 2.0, 3.0]),
    "back": ([3, 1, 2], [1.0, 2.0, 3.0]),
}


@pytest.mark.parametrize("log", [False, True], ids=["linear", "log"])
@pytest.mark.parametrize("size", [(1, 1), (11, 4), (39, 8), (80, 22), (200, 58)])
@pytest.mark.parametrize("name", HARD)
def test_hard_data_stay_readable_under_cursor_and_window(name: str, size: tuple[int, int], log: bool) -> None:
    x, y = HARD[name]
    bands = {"low": tuple(v - 1 for v in y), "high": tuple(v + 1 for v in y)}
    marks = (Tick(1.0, "diverged", "a", 3), Tick(NAN, "nowhere", "a"), Tick(2.0, "of another line", "b"))
    hard = Figure(
        "f", "title", "step", "y", (Line("a", tuple(x), tuple(y), **bands),), (Reference(1.0, "changed", "x"),),
        log_x=log, log_y=log, ticks=marks,
    )  # fmt: skip
    for window in (None, (1.0, 2.5), (0.0, 1e9), (-5.0, -1.0), (2.0, 2.0), (NAN, 1.0)):
        for smooth in (0.0, 0.9):
            frame = Frame(hard, smooth, window=window)
            for at in (None, 0.0, 1.7, 1e12, NAN):
                text = "".join(drawn(frame, *size, at=at))
                if size[0] >= 39 and name in ("empty", "all nan"):
                    assert "no data yet" in text or "nothing that can be drawn" in text
                elif window is None and at == 1.7 and size[0] >= 39 and name in ("nan", "infinity") and not log:
                    assert marker(0) in text.split("title")[1]


# --- marks ------------------------------------------------------------------------------------------------------------


def run_data(arms: int, seeds: int = 2, steps: int = 40, **more: Any) -> LoadedRun:
    """A run of many arms with a curve each."""
    spec = RunSpec("abcdef01", "many", {}, seeds=seeds)
    names = [f"arm-{k}" for k in range(arms)]
    step = np.arange(steps, dtype=float) * 10
    loss = {
        (name, seed): Curve(step, step / 100, step / 2, np.exp(-step / (100 + k)) + 0.01 * seed)
        for k, name in enumerate(names)
        for seed in range(seeds)
    }
    data = RunData(spec, tuple(Arm(n, f"title of {n}") for n in names), tuple(range(seeds)), {"loss": loss}, **more)
    return LoadedRun(RunRecord(spec.id, "many"), data)


def test_marks_are_the_earliest_of_each_arm_and_kind_with_their_count() -> None:
    marks = tuple(
        ev.Mark(text="fitted", step=100 + 10 * seed, arm=f"arm-{k}", seed=seed) for k in range(3) for seed in (1, 0)
    )
    run = run_data(3, marks=(*marks, ev.Mark(text="of the run", step=50), ev.Mark(text="no step", arm="arm-0")))
    found = happened.ticks([run], "loss", "step", ["arm-0", "arm-2"])
    assert [(t.x, t.label, t.line, t.count) for t in found] == [
        (100.0, "fitted", "title of arm-0", 2),
        (100.0, "fitted", "title of arm-2", 2),
    ]
    assert [t.x for t in happened.ticks([run], "loss", "seconds", ["arm-0"])] == [50.0]
    assert happened.references([run], "loss", "epoch", {run.id: ((200, "mine"),)}) == (
        Reference(0.5, "of the run", "x"),
        Reference(2.0, "mine", "x"),
    )
    assert happened.ticks([run], "no such metric", "step", ["arm-0"]) == ()


def test_marks_are_drawn_on_their_lines_and_told_once() -> None:
    lines = [line(f"a{k}", [math.exp(-x / (10 + 10 * k)) for x in range(60)]) for k in range(3)]
    marks = tuple(Tick(20.0, "fitted", f"a{k}", 5) for k in range(3))
    rows = drawn(Frame(curves(*lines, ticks=marks)), 80, 22)
    assert sum(row.count(TICK) for row in rows) == 3
    assert "".join(rows).count("fitted ×15") == 1
    ends = tuple(Tick(59.0, "last epoch", f"a{k}") for k in range(3))
    assert not any(TICK in row for row in drawn(Frame(curves(*lines, ticks=ends)), 80, 22))


def test_the_marks_of_a_user_are_checked_kept_and_read_again(lab: Lab, toys: object, queue_held: None) -> None:
    run_id = runs.submit(lab, build_spec("toy", lab=lab)).id
    path = lab.run(run_id).meta
    old = {k: v for k, v in (read_json(path) or {}).items() if k != "marks"}
    write_json(path, old)
    assert decode(RunMeta, read_json(path) or {}).marks == ()  # a file from before there were marks
    runs.edit(lab, run_id, marks=[(30, "drop\x1b[31m [/x]"), (10, " a "), (30, "later"), (40, " ")])
    assert decode(RunMeta, read_json(path) or {}).marks == ((10, "a"), (30, "later"))
    runs.edit(lab, run_id, name="kept")
    assert decode(RunMeta, read_json(path) or {}).marks == ((10, "a"), (30, "later"))
    with pytest.raises(BadValue, match="at most 64"):
        runs.edit(lab, run_id, marks=[(k, "x") for k in range(65)])


def test_the_log_tells_the_marks_of_a_user_where_they_were_reached() -> None:
    run = run_data(1, logs=(ev.Log(text="early", at=1.0), ev.Log(text="late", at=190.0)))
    texts = [log.text for log in reports(run.data, [(200, "mine")])]
    assert texts == ["early", "your mark: mine at step 200", "late"]


# --- many arms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2])
def test_of_five_hundred_arms_a_few_are_drawn_and_others_can_be_chosen(count: int) -> None:
    gallery = Gallery()
    one = run_data(500, seeds=1)
    other = dataclasses.replace(one, record=RunRecord("abcdef02", "many"))
    gallery.take([one, other][:count])
    view = LiveView(choices={"many": {0: "loss", 1: "loss"}})
    few = gallery.picture(0, view)
    assert isinstance(few, Figure)
    assert len(few.lines) <= FEW
    assert "of 500 arms" in gallery.note(0, view)
    chosen = view.with_arms("many", [1], ["arm-7", "arm-499", "gone"])
    two = gallery.picture(1, chosen)
    assert isinstance(two, Figure)
    assert [li.label.rpartition(" · ")[2] for li in two.lines] == ["title of arm-7", "title of arm-499"] * count
    assert gallery.picture(0, chosen) is few
    slots = gallery.slots([0, 1], chosen)
    assert {li.label for li in (*few.lines, *two.lines)} == set(slots)
    rows = drawn(Frame(two, slots=slots), 39, 8, at=100.0)
    assert marker(slots[two.lines[0].label]) in rows[-1]
    everything = view.with_arms("many", [0], list(gallery.names))
    whole = gallery.picture(0, everything)
    assert isinstance(whole, Figure)
    assert len(whole.lines) == 500 * count
    drawn(Frame(whole, slots=gallery.slots([0], everything)), 39, 8)


def test_curves_of_arms_that_nobody_launched_by_name_are_drawn_where_there_are_no_others() -> None:
    """An arm may be many trainings (one a dimension of a subspace): their curves have names of their own."""
    whole = run_data(2)
    derived = {
        metric: {(f"{arm}, d 10", seed): curve for (arm, seed), curve in curves.items()}
        for metric, curves in whole.data.curves.items()
    }
    gallery = Gallery()
    gallery.take([dataclasses.replace(whole, data=dataclasses.replace(whole.data, curves=derived))])
    picture = gallery.picture(0, LiveView(choices={"many": {0: "loss"}}))
    assert isinstance(picture, Figure)
    assert {li.label for li in picture.lines} == {"arm-0, d 10", "arm-1, d 10"}
    some = dataclasses.replace(whole.data, curves={m: {**derived[m], **whole.data.curves[m]} for m in derived})
    gallery.take([dataclasses.replace(whole, data=some)])
    assert set(gallery.names) == {"arm-0", "arm-1"}


def test_a_panel_can_leave_runs_out_and_keeps_their_colours() -> None:
    gallery = Gallery()
    one = run_data(2)
    other = dataclasses.replace(one, record=RunRecord("abcdef02", "many"))
    gallery.take([one, other])
    view = LiveView(choices={"many": {0: "loss"}}).leaving_out([0], ["abcdef01"])
    alone = gallery.picture(0, view)
    assert isinstance(alone, Figure)
    assert [li.label for li in alone.lines] == ["abcdef02 · title of arm-0", "abcdef02 · title of arm-1"]
    assert set(gallery.slots([0], view)) == {li.label for li in alone.lines}
    assert gallery.note(0, view) == "1 of 2 runs"
    assert len(gallery.runs_of(0, view.leaving_out([0], ["abcdef01", "abcdef02"]))) == 2  # never nothing at all


# --- settings ---------------------------------------------------------------------------------------------------------


def test_a_setting_holds_for_one_panel_or_for_all() -> None:
    view = LiveView().with_setting(2, "smooth", 0.6).with_setting(2, "log_y", True)
    assert view.of(2) == CurveView(smooth=0.6, log_y=True)
    assert view.of(0) == CurveView()
    everywhere = view.with_setting(ALL, "smooth", 0.9)
    assert (everywhere.of(0).smooth, everywhere.of(2).smooth) == (0.9, 0.9)
    assert everywhere.of(2).log_y is True
    assert view.with_setting(2, "smooth", 0.0).with_setting(2, "log_y", None).own == {}


def test_settings_of_panels_survive_a_document_and_old_ones_load() -> None:
    view = LiveView().with_setting(1, "x", "epoch").with_setting(ALL, "log_x", True)
    view = view.with_arms("toy", [0, 3], ["fast"]).leaving_out([5], ["abcdef01"])
    assert LiveView.read(view.document()) == view
    old = {"panels": 2, "x": "epoch", "log_y": None, "smooth": 0.6, "members": True, "choices": {"toy": {"0": "gap"}}}
    assert LiveView.read(old) == LiveView(2, "epoch", None, 0.6, True, {"toy": {0: "gap"}})
    broken = {
        "own": {"0": {"x": [], "smooth": 7, "log_y": 1, "what": 3}, "-1": {"x": "epoch"}, "99": {"x": "epoch"}},
        "arms": {"toy": {"0": "fast", "1": [3], "2": []}, 4: {}},
        "without": [1],
        "log_x": "yes",
    }
    assert LiveView.read(broken) == LiveView()


# --- the run line -----------------------------------------------------------------------------------------------------


def test_the_queue_is_told_with_its_end_where_that_is_known() -> None:
    def entry(run_id: str, position: int, takes: float, **more: Any) -> QueueEntry:
        state = RunState.QUEUED if position else RunState.RUNNING
        return QueueEntry(RunRecord(run_id, "toy", state, device="cpu", **more), position, "", takes)

    cpu = [Device("cpu", "cpu", 1, 1)]
    queue = [entry("a0000001", 0, 500.0), entry("a0000002", 1, 100.0), entry("a0000003", 2, 60.0)]
    left = {"a0000001": ev.Progress(done=0.5, eta=40.0)}
    assert queue_words(queue, left, cpu) == "queue 2 runs, 3:20"
    assert queue_words(queue, left, cpu, short=True) == "queue 2, 3:20"
    assert queue_words(queue[:1], left, cpu) == ""
    assert queue_words([queue[0], entry("a0000004", 1, 1.0, held=True)], left, cpu) == ""
    assert queue_words([queue[0], entry("a0000005", 1, -1.0)], left, cpu) == "queue 1 run"
    spec = RunSpec("a0000001", "toy", {})
    for width in (60, 80, 200):
        shown = run_line(queue[0].record, spec, None, 0, width, queue="queue 2, 3:20")
        assert "queue 2, 3:20" in shown.plain
        assert shown.cell_length <= width


# --- the screen -------------------------------------------------------------------------------------------------------


class Training:
    """A run whose events the test writes itself."""

    def __init__(self, lab: Lab, **request: Any) -> None:
        self.record = runs.submit(lab, build_spec("toy", lab=lab, **request))
        self.dir: RunDir = lab.run(self.record.id)
        self.steps = 0
        cohorts = (ev.Cohort(id=arm, members=tuple((arm, s) for s in SEEDS)) for arm in ("fast", "slow"))
        self.write(ev.Begin(time=time.time()), *cohorts)

    def write(self, *events: ev.Event) -> None:
        with self.dir.events.open("ab") as file:
            file.write(b"".join(ev.encode(event) + b"\n" for event in events))

    def train(self, steps: int) -> None:
        lines: list[ev.Event] = []
        for step in range(self.steps, self.steps + steps):
            for arm, rate in (("fast", 0.05), ("slow", 0.01)):
                for metric in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
                    value = 1 - math.exp(-rate * step) if metric.endswith("accuracy") else math.exp(-rate * step)
                    values = tuple(value * (1 + 0.02 * s) * (0.9 if "test" in metric else 1) for s in SEEDS)
                    lines.append(
                        ev.Curve(cohort=arm, metric=metric, step=step, epoch=step / 10, seconds=step / 5, values=values)
                    )
        self.steps += steps
        self.write(*lines, ev.Progress(done=min(self.steps / 200, 1.0), label="epoch", eta=16))


@pytest.fixture
def run(lab: Lab, toys: object, queue_held: None) -> Training:
    training = Training(lab)
    training.train(61)
    return training


def live(pilot: Pilot[None]) -> LiveScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, LiveScreen)
    return screen


def chart(pilot: Pilot[None], number: int) -> Chart:
    return live(pilot).query(Slot)[number].query_one(Chart)


def figure(pilot: Pilot[None], number: int) -> Figure:
    found = chart(pilot, number).figure
    assert found is not None
    return found


def last_row(pilot: Pilot[None], number: int) -> str:
    widget = chart(pilot, number)
    return widget.render_line(widget.size.height - 1).text


async def ready(pilot: Pilot[None], until: Until) -> LiveScreen:
    await until(lambda: live(pilot).seen and chart(pilot, 0).figure)
    await pilot.pause()
    return live(pilot)


async def test_c_reads_all_charts_at_once_and_the_arrows_move_it(
    open_app: OpenApp, run: Training, until: Until, shown: Text
) -> None:
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        keys = screen._gallery.keys(screen.view)
        await pilot.press("left", "right")  # without a cursor they are the panel's
        await pilot.press("c")
        await pilot.pause()
        assert screen.lens.cursor == 60.0
        for number in (0, 1, 2):
            assert last_row(pilot, number).startswith("60 ")
        assert "60 " not in last_row(pilot, 3)  # no curves there
        assert "cursor" in shown(pilot.app).splitlines()[-1]
        await pilot.press("left")
        await pilot.pause()
        assert 57 < screen.lens.cursor < 60
        assert last_row(pilot, 0).split()[0] == last_row(pilot, 1).split()[0] == f"{int(screen.lens.cursor)}"
        await pilot.press("shift+left", "shift+left")
        far = screen.lens.cursor
        assert far < 30
        await pilot.press("shift+right", "right")
        assert screen.lens.cursor > far + 10
        await pilot.press("home")
        assert screen.lens.cursor == 0.0
        await pilot.press("end")
        assert screen.lens.cursor == 60.0
        assert screen._gallery.keys(screen.view) == keys
        await pilot.press("escape")
        await pilot.pause()
        assert screen.lens.cursor is None
        assert "step" in last_row(pilot, 0)
        await pilot.press("right")
        await pilot.pause()
        assert screen._gallery.keys(screen.view) != keys
        await pilot.press("left", "c", "c")
        assert screen.lens.cursor is None


async def test_the_value_at_the_cursor_is_the_mean_of_each_arm(open_app: OpenApp, run: Training, until: Until) -> None:
    async with open_app(start="live", size=(200, 60)) as pilot:
        screen = await ready(pilot, until)
        await pilot.press("c", "home")
        await pilot.pause()
        for _ in range(200):
            await pilot.press("right")
            if screen.lens.cursor >= 20:
                break
        await pilot.pause()
        step = int(screen.lens.cursor)
        for label, rate in (("fast learner", 0.05), ("slow learner", 0.01)):
            mean = np.mean([math.exp(-rate * step) * (1 + 0.02 * s) for s in SEEDS])
            assert f"{label} {mean:.4g}" in last_row(pilot, 0)


async def test_a_click_places_the_cursor(open_app: OpenApp, run: Training, until: Until) -> None:
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        await pilot.click(Slot, offset=(20, 4))
        assert screen.lens.cursor is None  # without a cursor a click only moves the focus
        await pilot.press("c")
        await pilot.click(Slot, offset=(20, 4))
        await pilot.pause()
        expected = chart(pilot, 0).value_at(20)
        assert screen.lens.cursor == pytest.approx(expected)
        await pilot.click(Slot, offset=(0, 4))  # beside the lines
        assert screen.lens.cursor == pytest.approx(expected)


async def test_charts_with_another_axis_have_no_cursor(open_app: OpenApp, run: Training, until: Until) -> None:
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        await pilot.press("tab", "a", "shift+tab", "c")
        await pilot.pause()
        assert figure(pilot, 1).x_label == "epoch"
        assert figure(pilot, 0).x_label == "step"
        assert last_row(pilot, 0).startswith("60 ")
        assert "epoch" in last_row(pilot, 1)
        await pilot.press("A")
        await pilot.pause()
        assert {figure(pilot, n).x_label for n in range(3)} == {"epoch"}
        assert screen.view.own == {}


async def test_zoom_and_pan_move_all_curves_and_say_so(
    open_app: OpenApp, run: Training, until: Until, shown: Text
) -> None:
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        await pilot.press("z")
        await pilot.pause()
        assert screen.lens.seen("step") == (30.0, 60.0)
        assert "x 30..60" in shown(pilot.app)
        assert [chart(pilot, n)._plan.window for n in range(3)] == [(30.0, 60.0)] * 3
        assert chart(pilot, 3)._plan.window is None
        await pilot.press("comma")
        await pilot.pause()
        assert screen.lens.seen("step") == (22.5, 52.5)
        assert "x 22.5..52.5" in shown(pilot.app)
        run.train(40)
        await until(lambda: len(figure(pilot, 0).lines[0].x) == 101)
        await pilot.pause()
        assert screen.lens.seen("step") == (22.5, 52.5)  # new data do not move it
        await pilot.press("full_stop", "full_stop", "full_stop", "full_stop", "full_stop", "full_stop", "full_stop")
        await pilot.pause()
        assert screen.lens.seen("step") == (70.0, 100.0)
        run.train(20)
        await until(lambda: screen.lens.seen("step") == (90.0, 120.0))  # at the end it follows
        await pilot.press("Z")
        await pilot.pause()
        assert screen.lens.seen("step") == (60.0, 120.0)
        await pilot.press("0")
        await pilot.pause()
        assert screen.lens.windows == {}
        assert "x " not in str(live(pilot).query_one(Legend).note)


async def test_zoom_is_around_the_cursor_and_on_a_log_axis_too(
    open_app: OpenApp, run: Training, until: Until, shown: Text
) -> None:
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        await pilot.press("X")
        await pilot.pause()
        assert all(figure(pilot, n).log_x for n in range(3))
        assert "x: log" in shown(pilot.app)
        await pilot.press("X")
        await pilot.pause()
        assert not any(figure(pilot, n).log_x for n in range(3))
        assert figure(pilot, 3).log_x  # a figure's axis is its own
        await pilot.press("tab", "tab", "tab", "X", "X")  # logarithmic, linear
        await pilot.pause()
        assert not figure(pilot, 3).log_x
        await pilot.press("shift+tab", "X", "X")
        await pilot.pause()
        assert all(figure(pilot, n).log_x for n in range(3))
        await pilot.press("c", "home", "shift+right", "z")
        await pilot.pause()
        low, high = screen.lens.seen("step")
        assert low < screen.lens.cursor < high
        assert math.log(high / low) == pytest.approx(math.log(60) / 2)
        assert chart(pilot, 0)._plan.x_axis.low == pytest.approx(math.log10(low))


async def test_k_puts_a_mark_at_the_cursor_and_takes_it_away(
    open_app: OpenApp, lab: Lab, run: Training, until: Until, shown: Text, toasts: Text
) -> None:
    def marks() -> tuple[tuple[int, str], ...]:
        return decode(RunMeta, read_json(lab.run(run.record.id).meta) or {}).marks

    async with open_app(start="live", size=(200, 60)) as pilot:
        screen = await ready(pilot, until)
        await pilot.press("k")
        await until(lambda: "c brings it" in toasts(pilot.app))
        await pilot.press("A", "c", "shift+left", "k")  # the axis is in epochs: the mark is at a step
        await until(lambda: isinstance(pilot.app.screen, Prompt))
        pilot.app.screen.query_one(Input).value = "drop [/x]"
        await pilot.press("enter")
        await until(marks)
        step, text = marks()[0]
        assert step == round(screen.lens.cursor * 10)
        assert text == "drop [/x]"
        await until(lambda: Reference(step / 10, "drop [/x]", "x") in figure(pilot, 0).references)
        await pilot.pause()
        assert f"⚑ {step} drop [/x]" in shown(pilot.app)
        assert f"your mark: drop [/x] at step {step}" in shown(pilot.app)
        await pilot.press("k")
        await until(lambda: marks() == ())
        await until(
            lambda: figure(pilot, 0).references == figure(pilot, 0).references[:1] or "drop" not in shown(pilot.app)
        )
        await pilot.press("k", "escape")
        await pilot.pause()
        assert marks() == ()


async def test_w_switches_arms_for_a_panel_or_for_all(open_app: OpenApp, lab: Lab, run: Training, until: Until) -> None:
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        await pilot.press("w")
        await until(lambda: isinstance(pilot.app.screen, ArmList))
        listed = pilot.app.screen.query_one(OptionList)
        assert [listed.get_option_at_index(i).prompt.plain for i in range(3)] == [
            "[ ] for all panels", "[x] fast learner", "[x] slow learner",
        ]  # fmt: skip
        await pilot.press("space", "j", "space", "enter")  # the last one that is on stays on
        await until(lambda: isinstance(pilot.app.screen, LiveScreen))
        await pilot.pause()
        assert [li.label for li in figure(pilot, 0).lines] == ["slow learner"]
        assert len(figure(pilot, 1).lines) == 2
        assert set(screen.query_one(Legend).slots) == {"fast learner", "slow learner"}
        await pilot.press("w", "home", "space", "end", "a", "k", "o", "enter")
        await until(lambda: isinstance(pilot.app.screen, LiveScreen))
        await pilot.pause()
        assert [[li.label for li in figure(pilot, n).lines] for n in range(3)] == [["fast learner"]] * 3
        assert set(screen.query_one(Legend).slots) == {"fast learner"}
        await pilot.press("w", "o", "escape")
        await pilot.pause()
        assert read_json(lab.view)["live"]["arms"]["toy"]["2"] == ["fast"]
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        assert [li.label for li in figure(pilot, 2).lines] == ["fast learner"]
        await pilot.press("w", "home", "space", "end", "a", "enter")
        await until(lambda: isinstance(pilot.app.screen, LiveScreen))
        await pilot.pause()
        assert len(figure(pilot, 2).lines) == 2
        assert live(pilot).view.arms == {}


async def test_with_several_runs_a_panel_can_show_one(
    open_app: OpenApp, lab: Lab, run: Training, until: Until, shown: Text
) -> None:
    other = Training(lab, first_seed=100)
    other.train(10)
    async with open_app() as pilot:
        pilot.app.open_live(run.record.id, other.record.id)
        await until(lambda: isinstance(pilot.app.screen_stack[0], LiveScreen))
        await until(lambda: len(live(pilot).seen) == 2 and len(figure(pilot, 0).lines) == 4)
        await pilot.press("w")
        await until(lambda: isinstance(pilot.app.screen, ArmList))
        await pilot.press("o", "enter")
        await until(lambda: isinstance(pilot.app.screen, LiveScreen))
        await pilot.pause()
        assert {li.label.partition(" · ")[0] for li in figure(pilot, 0).lines} == {run.record.id}
        assert run.record.id in figure(pilot, 0).title
        assert len(figure(pilot, 1).lines) == 4
        assert "1 of 2 runs" in shown(pilot.app)


@pytest.mark.parametrize(
    ("here", "everywhere", "name", "value"),
    [("a", "A", "x", "epoch"), ("y", "Y", "log_y", True), ("o", "O", "smooth", 0.6), ("e", "E", "members", True)],
)
async def test_small_letters_are_for_a_panel_and_capitals_for_all(
    open_app: OpenApp, run: Training, until: Until, here: str, everywhere: str, name: str, value: object
) -> None:
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        usual = getattr(screen.view.of(0), name)
        await pilot.press("tab", here)
        await pilot.pause()
        assert [getattr(screen.view.of(n), name) for n in range(3)] == [usual, value, usual]
        await pilot.press("shift+tab", everywhere)
        await pilot.pause()
        assert [getattr(screen.view.of(n), name) for n in range(3)] == [value] * 3
        if name == "members":
            assert len(figure(pilot, 2).lines) == 2 + 2 * len(SEEDS)


async def test_a_hostile_mark_and_an_empty_run_do_no_harm(
    open_app: OpenApp, lab: Lab, toys: object, queue_held: None, until: Until, shown: Text
) -> None:
    empty = Training(lab)
    async with open_app(start="live", size=(60, 20)) as pilot:
        await until(lambda: live(pilot).seen)
        for key in ("c", "home", "z", "Z", "comma", "full_stop", "0", "k", "X", "a", "A", "P", "w", "escape"):
            await pilot.press(key)
        await pilot.pause()
        assert live(pilot).lens.cursor is None
        empty.write(ev.Mark(text="\x1b[31m[/x]", step=3, arm="fast"), ev.Mark(text="[/y]\x07", step=2))
        empty.train(8)
        await until(lambda: chart(pilot, 0).figure and figure(pilot, 0).ticks)
        await pilot.press("c", "home", "right")
        await pilot.pause()
        text = shown(pilot.app)
        assert not {"\x1b", "\x07"} & set(text)
        assert all(cell_len(row) == 60 for row in text.splitlines())


async def test_another_run_is_seen_whole(open_app: OpenApp, lab: Lab, run: Training, until: Until) -> None:
    other = Training(lab, first_seed=100)
    other.train(10)
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        first = screen.ids
        await until(lambda: len(pilot.app.runs) == 2)
        await pilot.press("z", "z", "c", "right_square_bracket")
        await until(lambda: screen.ids != first and screen.ids[0] in screen.seen)
        await pilot.pause()
        assert (screen.lens.cursor, screen.lens.windows) == (None, {})
        assert not any(slot.reading for slot in screen.query(Slot))
        screen.show((*first, *screen.ids))
        await until(lambda: len(screen.seen) == 2)
        await pilot.pause()
        await pilot.press("z", "right_square_bracket")
        assert screen.lens.windows, "the same runs in another order are seen as they were"


# --- pictures ---------------------------------------------------------------------------------------------------------


async def test_p_writes_the_chart_as_a_picture_of_its_own(
    open_app: OpenApp, lab: Lab, run: Training, until: Until, toasts: Text
) -> None:
    runs.edit(lab, run.record.id, name="[/x] <&> \x1b[31m")
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        await pilot.press("tab", "P")
        await until(lambda: list(lab.exports.glob("*.svg")))
        await until(lambda: "picture" in toasts(pilot.app))
        path = next(lab.exports.glob("*.svg"))
        assert path.name.startswith(f"toy-{run.record.id}-")
        assert path.name in toasts(pilot.app).replace("\n", "")
        document = path.read_text(encoding="utf-8")
        root = ElementTree.fromstring(document)
        text = "".join(root.itertext())
        assert "test accuracy" in text.replace("\xa0", " ")
        for arm in ("fast learner", "slow learner"):  # its legend is in the picture, not only above the panels
            assert arm in text.replace("\xa0", " ")
        assert marker(0) in text
        texts = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]
        assert not [t for t in texts if t.startswith("\xa0") and t.strip("\xa0")]  # some viewers drop such blanks
        assert "http" not in document.replace("http://www.w3.org", "")  # nothing from elsewhere
        await pilot.press("P")
        await until(lambda: len(list(lab.exports.glob("*.svg"))) == 2)


async def test_the_palette_writes_the_screen_as_a_picture(
    open_app: OpenApp, lab: Lab, run: Training, until: Until
) -> None:
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        await pilot.press("colon")
        await until(lambda: len(pilot.app.screen_stack) == 2)
        await pilot.press(*"screenshot of")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await pilot.pause()
        if len(pilot.app.screen_stack) == 2:
            await pilot.press("enter")
        await until(lambda: list(lab.exports.glob("screen-live*.svg")))
        document = next(lab.exports.glob("screen-live*.svg")).read_text(encoding="utf-8")
        text = "".join(ElementTree.fromstring(document).itertext()).replace("\xa0", " ")
        assert "train loss" in text
        assert "screenshot of" not in text


async def test_the_legend_says_how_the_focused_panel_is_set(
    keep_run: Callable[..., str], open_app: OpenApp, until: Until
) -> None:
    """At once, not with the next picture: of a run that has ended there is none."""
    keep_run("first")
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        await pilot.press("o")
        await until(lambda: "smooth" in pilot.app.screen.query_one(Legend).note)
        await pilot.press("tab")
        await until(lambda: "smooth" not in pilot.app.screen.query_one(Legend).note)
        await pilot.press("shift+tab")
        await until(lambda: "smooth" in pilot.app.screen.query_one(Legend).note)
