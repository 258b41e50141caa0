"""The Live screen on real run directories: what it shows, its keys, what it polls and what it leaves alone."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import OptionList

from genlab_tui import events as ev
from genlab_tui import phenomena
from genlab_tui.figure import Figure
from genlab_tui.lines import curve_lines
from genlab_tui.paths import Lab, RunDir
from genlab_tui.phenomenon import Estimate
from genlab_tui.run import RunRecord, RunState
from genlab_tui.rundata import Curve, RunData
from genlab_tui.safe_io import read_json
from genlab_tui.verdict import ClaimResult, ControlResult, CriterionResult, Grade, Status, Verdict
from jobs import runs
from jobs.request import build_spec
from jobs.tail import RunReader
from screens.cost import cost_line
from screens.follow import Follower, Seen
from screens.live import LiveScreen
from screens.liveview import LiveView
from screens.logview import LogView
from screens.panels.chart import Chart
from screens.panels.choices import GAP, Choice, defaults, with_gap
from screens.panels.legend import Legend, squeeze
from screens.panels.log import LogPanel, log_tail
from screens.panels.runline import Outcome, RunLine, run_line
from screens.panels.slot import Slot
from screens.panels.verdict import verdict_line, verdict_table
from screens.pick import Pick
from screens.sheet import Ask, Sheet

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Until = Callable[[Callable[[], object]], Awaitable[None]]
Text = Callable[[App[None]], str]

pytestmark = pytest.mark.usefixtures("toys", "queue_held")

SEEDS = (0, 1, 2)


class Written:
    """A run whose events the test writes itself."""

    def __init__(self, lab: Lab, **request: Any) -> None:
        self.record: RunRecord = runs.submit(lab, build_spec("toy", lab=lab, **request))
        self.dir: RunDir = lab.run(self.record.id)
        self.write(ev.Begin(time=time.time()), *(self._cohort(arm) for arm in ("fast", "slow")))
        self.steps = 0

    def _cohort(self, arm: str) -> ev.Cohort:
        return ev.Cohort(id=arm, members=tuple((arm, seed) for seed in SEEDS))

    def write(self, *events: ev.Event) -> None:
        with self.dir.events.open("ab") as file:
            file.write(b"".join(ev.encode(event) + b"\n" for event in events))

    def train(self, steps: int, eta: float = 16) -> None:
        """Write the curves of some more steps."""
        lines: list[ev.Event] = []
        for step in range(self.steps, self.steps + steps):
            for arm, rate in (("fast", 0.05), ("slow", 0.01)):
                for metric in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
                    grown = 1 - math.exp(-rate * step) if metric.endswith("accuracy") else math.exp(-rate * step)
                    values = tuple(grown * (1 + 0.02 * seed) * (0.9 if "test" in metric else 1) for seed in SEEDS)
                    lines.append(
                        ev.Curve(cohort=arm, metric=metric, step=step, epoch=step / 10, seconds=step / 5, values=values)
                    )
        self.steps += steps
        self.write(*lines, ev.Progress(done=min(self.steps / 200, 1.0), label="fast, epoch 3", eta=eta))

    def finish(self) -> None:
        self.write(
            *(
                ev.Measure(cohort=arm, name=name, values=(value, value + 0.01, value + 0.02))
                for arm, value in (("fast", 0.9), ("slow", 0.6))
                for name in ("test_accuracy", "steps_to_fit")
            ),
            ev.Mark(text="fast learner: 0.9", arm="fast", step=self.steps - 1),
        )


@pytest.fixture
def run(lab: Lab) -> Written:
    written = Written(lab)
    written.train(60)
    return written


def live(pilot: Pilot[None]) -> LiveScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, LiveScreen)
    return screen


def chart_of(pilot: Pilot[None], number: int) -> Chart:
    return live(pilot).query(Slot)[number].query_one(Chart)


def title(pilot: Pilot[None], number: int) -> str:
    figure = chart_of(pilot, number).figure
    return figure.title if figure else ""


def visible(pilot: Pilot[None]) -> list[int]:
    return [slot.number for slot in live(pilot).query(Slot) if slot.display]


async def ready(pilot: Pilot[None], until: Until) -> LiveScreen:
    """Wait until a run is read and drawn."""
    await until(lambda: live(pilot).seen and chart_of(pilot, 0).figure)
    await pilot.pause()
    return live(pilot)


# --- what it shows ----------------------------------------------------------------------------------------------------


async def test_without_runs_it_says_what_to_do(open_app: OpenApp, shown: Text) -> None:
    async with open_app(start="live") as pilot:
        await pilot.pause(0.2)
        text = shown(pilot.app)
        assert "No runs yet" in text
        assert "Press 1" in text
        for key in ("p", "x", "l", "v", "R", "m", "enter", "right", "plus", "a", "y", "o", "e", "up", "escape"):
            await pilot.press(key)
        assert isinstance(pilot.app.screen, LiveScreen)


async def test_a_run_appears_with_loss_accuracy_gap_and_its_own_figure(
    open_app: OpenApp, run: Written, until: Until, shown: Text
) -> None:
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        titles = [title(pilot, number) for number in range(4)]
        assert titles[0] == "train loss"
        assert titles[1] == "test accuracy"
        assert titles[2] == "generalisation gap"
        assert titles[3] not in titles[:3]
        text = shown(pilot.app)
        assert f"toy {run.record.id}" in text
        assert "30 %" in text
        assert "ETA 0:16" in text
        assert "3 seeds" in text
        assert "fast learner" in text.splitlines()[2]
        assert "chance" in text
        assert "no data yet" in text  # the figure waits for its first arm
        run.finish()
        await until(lambda: "no data yet" not in shown(pilot.app))
        assert "✓ fast minus slow" in shown(pilot.app)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (100, 30), (200, 60)])
async def test_every_line_fits_at_every_size(
    open_app: OpenApp, run: Written, until: Until, shown: Text, size: tuple[int, int]
) -> None:
    async with open_app(start="live", size=size) as pilot:
        await ready(pilot, until)
        lines = shown(pilot.app).splitlines()
        assert len(lines) == size[1]
        assert "train loss" in "\n".join(lines)
        assert all(chart_of(pilot, number).size.height >= 4 for number in visible(pilot))
        assert any(words in "\n".join(lines) for words in ("verdict forms", "control")) or size[0] == 60


async def test_it_grows_while_the_run_writes(open_app: OpenApp, run: Written, until: Until, shown: Text) -> None:
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        before = len(chart_of(pilot, 0).figure.lines[0].x)
        run.train(40)
        await until(lambda: len(chart_of(pilot, 0).figure.lines[0].x) == before + 40)
        await until(lambda: "50 %" in shown(pilot.app))
        with run.dir.events.open("ab") as file:
            file.write(b'{"kind":"progress","done":0.7')  # torn: written later
        await pilot.pause(0.6)
        assert "50 %" in shown(pilot.app)
        with run.dir.events.open("ab") as file:
            file.write(b'5}\n{"kind":"unheard of"}\nnot json\n')
        await until(lambda: "75 %" in shown(pilot.app))


async def test_names_tags_and_text_of_a_run_are_only_text(
    open_app: OpenApp, lab: Lab, run: Written, until: Until, shown: Text
) -> None:
    runs.edit(lab, run.record.id, name="[/x] [bold]名前")
    run.write(ev.Progress(done=0.5, label="\x1b[31m[/x]"), ev.Log(text="\x1b]0;t\x07[/x] logged"))
    run.dir.log.write_bytes(b"\x1b[31mred\x1b[0m [/y]\n50 %\r100 %\n")
    async with open_app(start="live", size=(200, 60)) as pilot:
        await ready(pilot, until)
        await until(lambda: "[/x] [bold]" in shown(pilot.app))
        text = shown(pilot.app)
        assert "\x1b" not in text
        assert "[/x] logged" in text
        assert "red [/y]" in text
        assert "100 %" in text
        await pilot.press("l")
        await until(lambda: "[/x] logged" in shown(pilot.app))


async def test_a_run_that_failed_says_why_with_the_end_of_its_log(
    open_app: OpenApp, run: Written, until: Until, shown: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.dir.log.write_text("Traceback (most recent call last):\nValueError: too hot\n")
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        assert not screen.query_one(Outcome).display
        ended = RunRecord(run.record.id, "toy", RunState.FAILED, "diverged [/x]", started=1, ended=62)
        pilot.app.runs = (ended,)
        monkeypatch.setattr(pilot.app._poller, "look", lambda: pilot.app._poller.last)
        screen._draw()
        await pilot.pause()
        text = shown(pilot.app)
        assert "failed: diverged [/x]" in text
        assert "R starts it again" in text
        assert "ValueError: too hot" in text
        assert "1:01" in text


async def test_figures_that_raise_are_shown_as_a_problem_and_nothing_worse(
    open_app: OpenApp, run: Written, until: Until, shown: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: RunData) -> tuple[Figure, ...]:
        raise ZeroDivisionError("[/x] in a figure")

    known = phenomena.catalogue()
    monkeypatch.setitem(known, "toy", dataclasses.replace(known["toy"], figures=fail))
    async with open_app(start="live") as pilot:
        await until(lambda: "in a figure" in shown(pilot.app))
        assert title(pilot, 0) == "train loss"


# --- panels -----------------------------------------------------------------------------------------------------------


async def test_plus_and_minus_change_the_panels_and_it_is_remembered(
    open_app: OpenApp, lab: Lab, run: Written, until: Until
) -> None:
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        assert visible(pilot) == [0, 1, 2, 3]
        await pilot.press("plus")
        await pilot.pause()
        assert visible(pilot) == [0, 1, 2, 3, 4, 5]
        await pilot.press("plus", "minus", "minus")
        await pilot.pause()
        assert visible(pilot) == [0, 1]
        await pilot.press("minus", "minus")
        await pilot.pause()
        assert visible(pilot) == [0]
        await pilot.press("right", "O", "A")
        await pilot.pause()
        chosen = title(pilot, 0)
        assert chosen != "train loss"
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        assert visible(pilot) == [0]
        assert title(pilot, 0) == chosen
        assert (screen.view.smooth, screen.view.x) == (0.6, "epoch")
    assert read_json(lab.view)["live"]["panels"] == 1


async def test_left_and_right_step_through_everything_there_is(open_app: OpenApp, run: Written, until: Until) -> None:
    run.finish()
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        await until(lambda: screen._gallery.choices)
        count = len(screen._gallery.choices)
        seen = []
        for _ in range(count):
            seen.append(screen._gallery.keys(screen.view)[0])
            await pilot.press("right")
            await pilot.pause()
        assert sorted(set(seen)) == sorted(choice.key for choice in screen._gallery.choices)
        assert screen._gallery.keys(screen.view)[0] == seen[0]
        await pilot.press("left")
        await pilot.pause()
        assert screen._gallery.keys(screen.view)[0] == seen[-1]


async def test_a_panel_picks_from_a_list(open_app: OpenApp, run: Written, until: Until) -> None:
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        await pilot.press("tab", "m")
        await until(lambda: isinstance(pilot.app.screen, Pick))
        picked = pilot.app.screen.query_one(OptionList)
        assert picked.get_option_at_index(picked.highlighted).prompt.plain == "test accuracy"
        await pilot.press("home", "enter")
        await pilot.pause()
        assert title(pilot, 1) == live(pilot)._gallery.choices[0].title
        await pilot.press("m", "escape")
        await pilot.pause()
        assert title(pilot, 1) == live(pilot)._gallery.choices[0].title


async def test_enter_zooms_a_panel_and_escape_brings_the_others_back(
    open_app: OpenApp, run: Written, until: Until
) -> None:
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert visible(pilot) == [1]
        assert chart_of(pilot, 1).size.width == 80
        await pilot.press("escape")
        await pilot.pause()
        assert visible(pilot) == [0, 1, 2, 3]
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert visible(pilot) == [0, 1, 2, 3]


async def test_axis_log_smoothing_and_members(open_app: OpenApp, run: Written, until: Until, shown: Text) -> None:
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        assert chart_of(pilot, 0).figure.x_label == "step"
        await pilot.press("a", "a")
        await pilot.pause()
        figure = chart_of(pilot, 0).figure
        assert figure.x_label == "seconds"
        assert max(figure.lines[0].x) == pytest.approx(59 / 5)
        declared = figure.log_y
        await pilot.press("y")
        await pilot.pause()
        assert chart_of(pilot, 0).figure.log_y is True
        await pilot.press("y")
        await pilot.pause()
        assert chart_of(pilot, 0).figure.log_y is False
        await pilot.press("y")
        await pilot.pause()
        assert chart_of(pilot, 0).figure.log_y is declared
        assert len(figure.lines) == 2
        await pilot.press("e", "o")
        await pilot.pause()
        assert len(chart_of(pilot, 0).figure.lines) == 2 + 2 * len(SEEDS)
        assert "smooth 0.6" in shown(pilot.app)
        assert "each seed" in shown(pilot.app)


async def test_panels_out_of_sight_are_not_worked_out(
    open_app: OpenApp, run: Written, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    from screens import gallery

    drawn: list[str] = []
    true_chart = gallery.chart
    monkeypatch.setattr(gallery, "chart", lambda key, *rest: (drawn.append(key), true_chart(key, *rest))[1])
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        await pilot.press("minus", "minus")
        await pilot.pause()
        drawn.clear()
        run.train(5)
        await until(lambda: drawn)
        await pilot.pause()
        assert set(drawn) == {"train_loss"}
        drawn.clear()
        live(pilot)._draw()
        assert drawn == []  # nothing new: nothing is worked out again


# --- runs -------------------------------------------------------------------------------------------------------------


async def test_brackets_cycle_through_the_runs(open_app: OpenApp, lab: Lab, run: Written, until: Until) -> None:
    other = Written(lab, first_seed=100)
    other.train(5)
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        await until(lambda: len(pilot.app.runs) == 2)
        first = screen.ids
        await pilot.press("right_square_bracket")
        await until(lambda: screen.ids != first and screen.ids[0] in screen.seen)
        await pilot.press("up")
        await until(lambda: screen.ids == first)


async def test_several_runs_share_the_charts(
    open_app: OpenApp, lab: Lab, run: Written, until: Until, shown: Text
) -> None:
    other = Written(lab, first_seed=100)
    other.train(5)
    async with open_app(start="lab") as pilot:
        await pilot.pause()
        pilot.app.open_live(run.record.id, other.record.id)
        await until(lambda: isinstance(pilot.app.screen_stack[0], LiveScreen))
        await until(lambda: len(live(pilot).seen) == 2 and len(chart_of(pilot, 0).figure.lines) == 4)
        labels = [line.label for line in chart_of(pilot, 0).figure.lines]
        assert sum(label.startswith(run.record.id) for label in labels) == 2
        await pilot.pause()
        assert "+1" in shown(pilot.app).splitlines()[1]
        assert set(live(pilot).query_one(Legend).slots) == set(labels)
        assert set(live(pilot).watched) == {run.record.id, other.record.id}
        await pilot.press("right_square_bracket")
        await until(lambda: live(pilot).ids == (other.record.id, run.record.id))


async def test_a_run_that_does_not_exist_is_a_toast(open_app: OpenApp, toasts: Text, until: Until) -> None:
    async with open_app(start="live") as pilot:
        live(pilot).show(("00000000",))
        live(pilot).show(("../../etc",))
        await until(lambda: "00000000" in toasts(pilot.app) and "etc" in toasts(pilot.app))
        assert live(pilot).ids == ()


async def test_pause_stop_and_retry_ask_for_the_verbs(
    open_app: OpenApp, lab: Lab, run: Written, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    for name in ("pause", "resume", "stop", "retry", "cancel"):
        monkeypatch.setattr(runs, name, _recorder(asked, name))
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        monkeypatch.setattr(pilot.app._poller, "look", lambda: pilot.app._poller.last)
        for state, key, wanted in (
            (RunState.RUNNING, "p", ["pause"]),
            (RunState.PAUSED, "p", ["resume"]),
            (RunState.RUNNING, "p", ["pause"]),
            (RunState.PAUSED, "R", ["resume"]),
            (RunState.FAILED, "R", ["retry"]),
            (RunState.DONE, "R", []),
            (RunState.DONE, "x", []),
        ):
            asked.clear()
            pilot.app.runs = (RunRecord(run.record.id, "toy", state),)
            await pilot.press(key, key)  # the second press, while the first is under way, does nothing
            await pilot.pause(0.1)
            assert [verb for verb, _ in asked] == wanted, (state, key)
        asked.clear()
        pilot.app.runs = (RunRecord(run.record.id, "toy", RunState.RUNNING),)
        await pilot.press("x")
        await until(lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press("escape")
        await pilot.pause()
        assert asked == []
        await pilot.press("x", "x")
        await until(lambda: asked)
        assert asked == [("stop", run.record.id)]


def _recorder(asked: list[tuple[str, str]], verb: str) -> Callable[[Lab, str], None]:
    def record(_: Lab, run_id: str) -> None:
        asked.append((verb, run_id))

    record.__name__ = verb
    return record


async def test_v_shows_every_criterion_with_its_numbers(
    open_app: OpenApp, run: Written, until: Until, shown: Text
) -> None:
    run.finish()
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        await pilot.press("v")
        await until(lambda: isinstance(pilot.app.screen, Sheet))
        text = shown(pilot.app)
        for expected in ("fast minus slow", "asked ≥ 0.02", "published", "control", "3 of 3 pass alone"):
            assert expected in text


async def test_i_says_what_the_phenomenon_is_and_what_is_claimed(
    open_app: OpenApp, run: Written, until: Until, shown: Text
) -> None:
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        await pilot.press("i")
        await until(lambda: isinstance(pilot.app.screen, Sheet))
        text = shown(pilot.app)
        assert "Does a faster learner end higher?" in text
        assert "claim: speed pays: A faster learner ends with a higher test accuracy." in text
        await pilot.press("i")
        await pilot.pause()
        assert isinstance(pilot.app.screen, LiveScreen)


async def test_i_says_that_a_phenomenon_is_gone(
    open_app: OpenApp, run: Written, until: Until, toasts: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        monkeypatch.setattr(phenomena, "catalogue", dict)
        await pilot.press("i")
        assert "nothing to read about it" in toasts(pilot.app)


@pytest.mark.parametrize(("choice", "awaited"), [("figure:steps-to-fit", False), ("train_loss", True)])
async def test_the_cursor_awaits_only_what_can_come(
    open_app: OpenApp, lab: Lab, until: Until, toasts: Text, choice: str, awaited: bool
) -> None:
    written = Written(lab)
    written.finish()
    async with open_app(start="live") as pilot:
        screen = live(pilot)
        await until(lambda: screen.seen and screen._gallery.choices)
        screen._set_choice(0, choice)
        await pilot.press("enter")
        await until(lambda: visible(pilot) == [0])
        await until(lambda: awaited or screen.query(Slot)[0].has_class("-heat"))
        await pilot.press("c")
        await until(lambda: "the cursor reads curves" in toasts(pilot.app))
        assert ("none is here yet" in toasts(pilot.app)) is awaited
        assert ("nothing for it to read here" in toasts(pilot.app)) is not awaited


async def test_a_zoomed_panel_leaves_the_legend_three_rows(open_app: OpenApp, run: Written, until: Until) -> None:
    arms = {f"arm {k} of them all": k for k in range(9)}
    async with open_app(start="live") as pilot:
        legend = (await ready(pilot, until)).query_one(Legend)
        legend.tell(arms, "")
        assert [len(legend._lines(80)), "arm 8 of them all" in legend.render().plain] == [2, False]
        await pilot.press("enter")
        legend.tell(arms, "")
        assert [len(legend._lines(80)), "arm 8 of them all" in legend.render().plain] == [3, True]
        await pilot.press("enter")
        legend.tell(arms, "")
        assert len(legend._lines(80)) == 2


async def test_l_follows_the_log(open_app: OpenApp, run: Written, until: Until, shown: Text) -> None:
    run.dir.log.write_text("first line\n")
    async with open_app(start="live") as pilot:
        await ready(pilot, until)
        await pilot.press("l")
        await until(lambda: isinstance(pilot.app.screen, LogView) and "first line" in shown(pilot.app))
        with run.dir.log.open("a") as file:
            file.write("second line\n")
        await until(lambda: "second line" in shown(pilot.app))
        panel = pilot.app.screen.query_one(LogPanel)
        written = [strip.text.rstrip() for strip in panel.lines]
        assert "began" in written[0], "a healthy run has a log too"
        assert written[-2:] == ["first line", "second line"]
        await pilot.press("l")
        await pilot.pause()
        assert isinstance(pilot.app.screen, LiveScreen)


# --- the thread -------------------------------------------------------------------------------------------------------


async def test_nothing_is_polled_while_another_mode_is_shown(open_app: OpenApp, run: Written, until: Until) -> None:
    async with open_app(start="live") as pilot:
        screen = await ready(pilot, until)
        await pilot.press("1")
        await pilot.pause(0.3)
        looks = screen._follower.looks
        run.train(10)
        await pilot.pause(1.0)
        assert screen._follower.looks == looks
        await pilot.press("2")
        await until(lambda: len(chart_of(pilot, 0).figure.lines[0].x) == 70)


def test_the_follower_is_quick_with_news_slow_without_and_ends(run: Written) -> None:
    delivered: list[tuple[float, Seen]] = []
    follower = Follower(lambda seen: delivered.append((time.monotonic(), seen)))
    reader = RunReader(run.dir)
    follower.follow({run.record.id: reader})
    follower.set_active(True)
    follower.start()
    try:
        time.sleep(0.5)
        assert len(delivered) == 1
        for _ in range(20):
            run.train(1)
            time.sleep(0.1)
        assert 2 <= len(delivered) <= 5  # two seconds of news: a few pictures, not twenty
        time.sleep(3.0)
        looks = follower.looks
        time.sleep(1.0)
        assert follower.looks - looks <= 2  # nothing happens: it hardly looks
    finally:
        follower.stop()
    assert not follower._thread.is_alive()
    assert delivered[-1][1].data.progress is not None


def test_a_verdict_that_raises_is_a_message_not_an_end(run: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered: list[Seen] = []
    reader = RunReader(run.dir)

    def fail() -> None:
        raise KeyError("a number that is not there yet")

    monkeypatch.setattr(reader, "verdict", fail)
    follower = Follower(delivered.append)
    follower._active = True
    follower._readers = readers = {run.record.id: reader}
    assert follower._look(run.record.id, reader, readers)
    assert delivered[0].verdict is None
    assert "KeyError" in delivered[0].error


# --- pieces -----------------------------------------------------------------------------------------------------------


def test_the_settings_survive_any_document() -> None:
    for document in (
        None,
        3,
        [],
        {"panels": 5, "x": "years", "smooth": "a", "choices": 3, "log_y": 1, "members": "no"},
    ):
        assert LiveView.read(document) == LiveView()
    view = LiveView(6, "epoch", True, 0.9, True, {"toy": {0: "train_loss"}})
    assert LiveView.read(view.document()) == view
    assert LiveView.read({"choices": {"toy": {"0": 3, "x": "y", "1": "gap"}, 4: {}}}).choices == {"toy": {1: "gap"}}


def test_the_first_panels_show_curves_and_figures_that_are_not_curves_again() -> None:
    known = [Choice("train_loss", ""), Choice("train_accuracy", ""), Choice("test_accuracy", ""), Choice(GAP, "")]
    figures = [Choice("figure:curves", "", curves=True), Choice("figure:fit", "")]
    assert defaults([*known, *figures], 4) == ["train_loss", "test_accuracy", GAP, "figure:fit"]
    assert defaults([Choice("norm", ""), Choice("figure:risk", "")], 4) == ["figure:risk", "norm"] * 2
    assert defaults([], 4) == []


def test_the_gap_is_taken_where_both_were_measured() -> None:
    import numpy as np

    def curve(steps: list[float], values: list[float]) -> Curve:
        return Curve(np.array(steps), np.array(steps) / 10, np.array(steps), np.array(values))

    curves = {
        "train_accuracy": {("a", 0): curve([0, 1, 2], [0.5, 0.75, 1.0]), ("a", 1): curve([0], [1.0])},
        "test_accuracy": {("a", 0): curve([0, 2, 3], [0.25, 0.5, 0.5])},
    }
    gap = with_gap(RunData(None, curves=curves)).curves[GAP]  # type: ignore[arg-type]
    assert list(gap) == [("a", 0)]
    assert gap["a", 0].step.tolist() == [0, 2]
    assert gap["a", 0].value.tolist() == [0.25, 0.5]


def test_a_log_is_read_from_its_end_and_cleaned(tmp_path: Path) -> None:
    assert log_tail(tmp_path / "none") == []
    path = tmp_path / "log.txt"
    path.write_bytes(b"".join(b"line %d\n" % i for i in range(10_000)) + b"\xff\x1b[2Jlast\tone")
    lines = log_tail(path, 1000)
    assert len(lines) < 120
    assert all(line.startswith("line ") for line in lines[:-1])
    assert lines[-1] == "\ufffdlast   one"


def criterion(name: str, status: Grade, value: float | None = 1.0, fired: bool = False) -> CriterionResult:
    seeds = {} if value is None else {"0": value, "1": value, "2": value}
    control = ControlResult(f"control of {name}", value, "≥ 2", fired, seeds, missing=not seeds)
    return CriterionResult(name, status, value, "≥ 0.5", seeds, control, published=0.9, agree=3, reason="why [/x]")


def verdict(*criteria: CriterionResult, status: Status = Status.SHOWN) -> Verdict:
    return Verdict(status, "quick preset", (ClaimResult("claim [/x]", True, status, criteria, reason="because"),))


@pytest.mark.parametrize("width", [20, 60, 80, 200])
@pytest.mark.parametrize("count", [1, 3, 12])
def test_the_verdict_fits_one_line_and_names_what_needs_a_look_first(width: int, count: int) -> None:
    criteria = [criterion(f"criterion number {k}", Grade.PASS) for k in range(count)]
    criteria[-1] = criterion("the bad one", Grade.FAIL)
    line = verdict_line(verdict(*criteria, status=Status.NOT_SHOWN), width, ended=True)
    assert line.cell_length <= max(width, 45)
    assert "NOT SHOWN" in line.plain
    if width >= 60:
        assert "✗ the bad one" in line.plain
    if width == 200 and count == 3:
        assert "≥ 0.5" in line.plain


def test_the_verdict_line_says_that_it_waits_and_names_what_is_measured() -> None:
    waiting = [criterion(f"training accuracy of arm {k}", Grade.UNMET, None) for k in range(5)]
    assert verdict_line(verdict(*waiting), 80, ended=False).plain.strip() == "… verdict forms when networks finish"
    line = verdict_line(verdict(criterion("test accuracy after 30 epochs", Grade.FAIL), *waiting), 80, ended=False)
    assert "✗ test accuracy after 30 epochs 1" in line.plain
    assert "+5 …" in line.plain


def with_side(*statuses: Status) -> Verdict:
    """A verdict of one main claim that is shown, with side claims that came out like that."""
    main = verdict(criterion("first", Grade.PASS), criterion("second", Grade.PASS))
    side = tuple(ClaimResult(f"side {k}", False, status, ()) for k, status in enumerate(statuses))
    return dataclasses.replace(main, claims=(*main.claims, *side))


def test_the_verdict_line_says_how_the_side_claims_came_out() -> None:
    told = with_side(*[Status.NOT_SHOWN] * 4, *[Status.SHOWN] * 3, Status.INCONCLUSIVE)
    for width in (60, 80, 200):
        line = verdict_line(told, width, ended=True)
        assert line.plain.endswith("SHOWN  side 3✓ 4✗ 1?")
        assert line.cell_length <= width
    narrow = verdict_line(told, 50, ended=True)
    assert narrow.plain.endswith("control quiet  SHOWN")
    assert "✓ first" in narrow.plain
    assert "side" not in verdict_line(told, 80, ended=False).plain
    assert "side" not in verdict_line(with_side(), 80, ended=True).plain
    assert verdict_line(with_side(Status.NOT_SHOWN), 80, ended=True).plain.endswith("side 1✗")
    alone = dataclasses.replace(told, claims=told.claims[1:])
    assert verdict_line(alone, 80, ended=True).plain.endswith("with these arms  side 3✓ 4✗ 1?")


@pytest.mark.parametrize("width", range(60, 121, 4))
def test_side_claims_give_way_before_the_criterion_that_failed_is_named_no_more(width: int) -> None:
    """Long names, marks of two kinds behind them, and a long status: what a first reader must see is what failed."""
    criteria = [criterion(f"largest eigenvalue, large batch over small batch {k}", Grade.FAIL) for k in range(2)]
    main = verdict(*criteria, criterion("test accuracy lost", Grade.PASS), status=Status.NOT_SHOWN)
    statuses = (*[Status.SHOWN] * 4, *[Status.NOT_SHOWN] * 9, Status.INCONCLUSIVE)
    side = tuple(ClaimResult(f"side {k}", False, status, ()) for k, status in enumerate(statuses))
    whole = dataclasses.replace(main, claims=(*main.claims, *side))
    alone, told = (verdict_line(v, width, ended=True).plain for v in (main, whole))
    assert ("✗ largest" in told) == ("✗ largest" in alone)
    if width >= 100:
        assert told.endswith("side 4✓ 9✗ 1?")


def test_the_table_of_a_verdict_cuts_no_sentence_and_lets_nothing_through() -> None:
    statement = "`a` is [b]more[/b] than b, " * 40 + "and `that` is its end"
    name = "test barrier of independent starts minus that of copies from one start, trained as long as the others"
    claim = ClaimResult(name, True, Status.SHOWN, (criterion(name, Grade.PASS),), f"\x1b[2J{statement}\x07")
    told = Verdict(Status.SHOWN, "scope", (claim,))
    text = verdict_table(told, ended=True).plain
    assert statement in text
    assert text.count(name) == 3  # the claim, its criterion, the control
    assert "…" not in text
    assert not {"\x1b", "\x07"} & set(text)


async def test_a_long_statement_is_wrapped_in_the_sheet(
    open_app: OpenApp, run: Written, until: Until, shown: Text
) -> None:
    run.finish()
    async with open_app(start="live", size=(80, 60)) as pilot:
        screen = await ready(pilot, until)
        await until(lambda: screen.shown and screen.shown.verdict and screen.shown.verdict.claims)
        seen = screen.seen[screen.ids[0]]
        told = dataclasses.replace(seen.verdict.claims[0], statement="many words of `it` " * 40 + "the `end`.")
        screen.seen[seen.run_id] = dataclasses.replace(seen, verdict=dataclasses.replace(seen.verdict, claims=(told,)))
        screen.action_verdict()
        await until(lambda: isinstance(pilot.app.screen, Sheet))
        await pilot.pause()
        assert "`end`." in shown(pilot.app)


def test_a_verdict_that_is_forming_waits_and_one_that_ended_does_not() -> None:
    forming = verdict(criterion("a", Grade.UNMET, None), status=Status.INCONCLUSIVE)
    assert "…" in verdict_line(forming, 80, ended=False).plain
    assert "INCONCLUSIVE" not in verdict_line(forming, 80, ended=False).plain
    assert "?" in verdict_line(forming, 80, ended=True).plain
    assert "INCONCLUSIVE" in verdict_line(forming, 80, ended=True).plain
    assert "why [/x]" in verdict_table(forming, ended=True).plain
    assert "no number yet" in verdict_table(forming, ended=False).plain
    assert "control FIRED" in verdict_line(verdict(criterion("a", Grade.PASS, fired=True)), 80, ended=True).plain
    assert verdict_table(None, ended=True).plain
    assert verdict_line(None, 80, ended=True).plain


def test_the_run_line_fits_and_drops_the_least_important_first(run: Written) -> None:
    reader = RunReader(run.dir)
    reader.read_all()
    record = RunRecord(run.record.id, "toy", RunState.RUNNING, name="a name that is rather long " * 3)
    for width in (40, 60, 80, 120, 200):
        line = run_line(record, reader.spec, reader.data(), 1, width)
        assert line.cell_length <= max(width, 60)
        assert "30 %" in line.plain
        assert "+1" in line.plain


def test_panels_that_a_phenomenon_asks_for_come_first() -> None:
    known = [
        Choice(name, name) for name in ("train_loss", "test_accuracy", "gap", "figure:norm", "figure:angle", "norm")
    ]
    assert defaults(known, 3) == ["train_loss", "test_accuracy", "gap"]
    assert defaults(known, 4, first=("norm", "gone", "test_accuracy")) == [
        "figure:norm",
        "test_accuracy",
        "figure:angle",
        "train_loss",
    ]


def test_an_unusual_precision_is_said_where_there_is_room(run: Written) -> None:
    reader = RunReader(run.dir)
    reader.read_all()
    wide = run_line(None, reader.spec, None, 0, 160, precision="float64 (network: float32)").plain
    assert "float64 (network: float32)" in wide
    assert "float32" not in run_line(None, reader.spec, None, 0, 160).plain
    cost = Estimate(12, 30.0, 1e6)
    assert cost_line(cost, 4, 3, 80, precision="float64 (network: float32)").endswith("float64 (network: float32)")
    assert cost_line(cost, 4, 3, 50, precision="float64 (network: float32)").endswith("float64")
    assert "float" not in cost_line(cost, 4, 3, 30, precision="float64")
    assert "float" not in cost_line(cost, 4, 3, 80)


def test_a_long_label_keeps_its_two_ends() -> None:
    assert squeeze("short", 9) == "short"
    assert squeeze("minimum norm, clean labels", 14) == "mini…an labels"
    assert len(squeeze("minimum norm, clean labels", 6)) <= 6


def test_the_memory_of_a_long_run_is_bounded(lab: Lab) -> None:
    """What a panel is drawn from does not grow with the run: thinned while read, thinned again when drawn."""
    written = Written(lab)
    line = ev.encode(ev.Curve(cohort="fast", metric="train_loss", step=0, values=(1.0, 2.0, 3.0)))
    with written.dir.events.open("ab") as file:
        for step in range(20_000):
            file.write(line.replace(b'"step":0', b'"step":%d' % step) + b"\n")
    reader = RunReader(written.dir)
    reader.read_all()
    drawn = curve_lines(reader.data(), "train_loss")
    assert max(drawn[0].x) == 19_999
    assert len(drawn[0].x) <= 410
    assert len(reader.data().curves["train_loss"]["fast", 0].step) <= 4096


def test_a_figure_with_another_scale_is_the_same_otherwise() -> None:
    from screens.panels.choices import Options, _with_logs

    figure = Figure("f", "t", "x", "y", log_y=True)
    assert _with_logs(figure, Options()) is figure
    assert _with_logs(figure, Options(log_y=True)) is figure
    changed = _with_logs(figure, Options(log_y=False))
    assert isinstance(changed, Figure)
    assert not changed.log_y


def test_the_run_line_widget_is_empty_before_it_is_told() -> None:
    assert str(RunLine().render()) == ""
