"""The Compare screen: overlay, baseline, tables at every width, live refresh, export, what cannot be read."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot

from genlab_tui import events as ev
from genlab_tui.compare import verdict_rows
from genlab_tui.figure import Figure
from genlab_tui.paths import Lab
from genlab_tui.phenomenon import Arm
from genlab_tui.run import RunRecord, RunSpec, RunState
from genlab_tui.rundata import RunData
from genlab_tui.safe_io import write_json
from genlab_tui.settings import settings_table
from genlab_tui.summary import LoadedRun, summary_rows
from jobs import runs as verbs
from screens import tables
from screens.compare import CompareScreen
from screens.compared import ComparedRuns
from screens.comparison import Comparison, short_titles
from screens.overlay import Overlay
from screens.panels.chart import Chart
from screens.panels.table import Table
from screens.summarytable import summary_text
from screens.verdicttable import verdicts_text

OpenApp = Callable[..., Any]
Until = Callable[..., Any]
Keep = Callable[..., str]
Shown = Callable[[App[None]], str]


# --- tables (pure) ----------------------------------------------------------------------------------------------------


def loaded(run_id: str, values: dict[str, dict[int, float]], name: str = "", **spec: Any) -> LoadedRun:
    full = dataclasses.replace(RunSpec(run_id, "gone", {"width": 64}), **spec)
    arms = tuple(Arm(arm) for arm in values)
    measures = {"test_error": {(arm, seed): v for arm, seeds in values.items() for seed, v in seeds.items()}}
    return LoadedRun(RunRecord(run_id, "gone", RunState.DONE, name=name), RunData(full, arms, (0, 1, 2), {}, measures))


def beside(*runs: LoadedRun) -> Comparison:
    return Comparison(
        runs=runs,
        baseline=runs[0].id,
        titles=short_titles([run.record for run in runs]),
        settings=settings_table(runs, all_of_them=True),
        summary=summary_rows(runs),
        verdicts=verdict_rows(runs),
    )


def seeds(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


PAIR = (
    loaded("aaaaaaaa", {"true": seeds(0.10, 0.12, 0.14), "random": seeds(0.9, 0.9, 0.9)}, "plain"),
    loaded(
        "bbbbbbbb", {"true": seeds(0.05, 0.08, 0.08), "random": seeds(0.9, math.inf, 0.8)}, regularisers={"l1": 0.1}
    ),
)


def test_the_summary_shows_both_runs_and_the_paired_difference() -> None:
    text = summary_text(beside(*PAIR), 120).plain
    assert "★ plain" in text
    assert "bbbb" in text
    assert "95 % · pairs" in text, "the numbers of pairs differ, so each row has its own"
    first = next(line for line in text.split("\n") if line.startswith("test error"))
    assert "0.12 ±0.02" in first
    assert "-0.05" in first
    assert first.rstrip().endswith("[-0.075, -0.025] 3")


@pytest.mark.parametrize("width", [50, 73, 90, 150])
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_the_summary_takes_a_form_that_fits(width: int, count: int) -> None:
    runs = [
        dataclasses.replace(PAIR[i % 2], record=RunRecord(f"{i:08x}", "gone", name=f"run number {i}"))
        for i in range(count)
    ]
    text = summary_text(beside(*runs), width).plain
    widest = max(map(cell_len, text.split("\n")))
    if width >= 73:
        assert widest <= width
    assert "test error" in text


def test_a_single_run_compares_its_arms() -> None:
    text = summary_text(beside(PAIR[0]), 100).plain
    assert "★ true" in text
    assert "+0.78" in text
    assert "95 % · 3 pairs" in text


def test_no_shared_seed_and_no_numbers_are_said() -> None:
    other = loaded("cccccccc", {"true": {7: 0.1}})
    assert "no shared seed" in summary_text(beside(PAIR[0], other), 150).plain
    assert "no numbers yet" in summary_text(beside(loaded("dddddddd", {})), 100).plain


def test_what_sets_a_run_apart() -> None:
    found = beside(*PAIR)
    assert tables.differing(found, "bbbbbbbb") == "L1 0.1"
    assert tables.differing(found, "aaaaaaaa") == ""
    assert "L1" in tables.settings_text(found).plain
    assert "width" not in tables.settings_text(found).plain
    assert "width" in tables.settings_text(found, all_of_them=True).plain
    assert "nothing differs" in tables.settings_text(beside(PAIR[0], PAIR[0])).plain


def test_titles_are_short_and_differ() -> None:
    records = [
        RunRecord("aaaa1111", "p", name="same"),
        RunRecord("aaaa2222", "p", name="same"),
        RunRecord("b" * 8, "p"),
    ]
    assert list(short_titles(records).values()) == ["same aaaa11", "same aaaa22", "bbbb"]


def test_hostile_text_in_tables_is_only_text() -> None:
    hostile = loaded("aaaaaaaa", {"[/red]\x1b[2J": seeds(1.0, 2.0)}, "[bold]\x1b]0;x\x07", data="[/]\x9b2J")
    found = beside(hostile, PAIR[0])
    for text in (summary_text(found, 100), tables.settings_text(found), verdicts_text(found)):
        assert "\x1b" not in text.plain
        assert "\x9b" not in text.plain
    assert "[/red]" in summary_text(found, 100).plain


def test_one_arm_is_shown_at_first_where_all_would_be_too_many() -> None:
    many = {f"arm{i}": seeds(0.1, 0.2) for i in range(5)}
    found = beside(loaded("aaaaaaaa", many), loaded("bbbbbbbb", many))
    overlay = Overlay()
    overlay.settle(found)
    assert overlay.arm == "arm0"
    overlay.next_arm(found, -1)
    overlay.settle(found)
    assert overlay.arm is None, "a choice of the user stays"
    few = Overlay()
    few.settle(beside(*PAIR))
    assert few.arm is None


# --- the screen -------------------------------------------------------------------------------------------------------


def screen_of(pilot: Pilot[None]) -> CompareScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, CompareScreen)
    return screen


async def compared(pilot: Pilot[None], until: Until, *run_ids: str) -> CompareScreen:
    await until(lambda: len(pilot.app.runs) >= len(run_ids))
    pilot.app.open_compare(*run_ids)
    await until(lambda: [run.id for run in screen_of(pilot).found.runs] == list(run_ids))
    await pilot.pause()
    return screen_of(pilot)


def lines_of(pilot: Pilot[None]) -> list[str]:
    figure = pilot.app.screen.query_one(Chart).figure
    return [line.label for line in figure.lines] if isinstance(figure, Figure) else []


async def test_nothing_to_compare_says_how(open_app: OpenApp, shown: Shown) -> None:
    async with open_app(start="compare") as pilot:
        assert "nothing to compare yet" in shown(pilot.app)
        for key in ("tab", "m", "right", "asterisk", "e", "a", "l", "o", "b", "i", "minus", "y", "Y", "enter"):
            await pilot.press(key)


async def test_two_runs_from_the_list_to_the_export(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown, toasts: Shown
) -> None:
    keep_run("plain"), keep_run("decay", regularisers={"weight-decay": 0.001})
    async with open_app(start="runs") as pilot:
        await until(lambda: len(pilot.app.runs) == 2)
        await until(lambda: len(pilot.app.screen.query_one("#runs-table", Table).rows) == 2)
        await pilot.press("space", "space", "c")
        await until(lambda: pilot.app.current_mode == "compare" and len(screen_of(pilot).found.runs) == 2)
        await pilot.pause()
        text = shown(pilot.app)
        for part in ("★", "plain", "decay", "weight decay 0.001", "✓ done", "test accuracy", "paired by seed"):
            assert part in text
        assert len(lines_of(pilot)) == 4
        await pilot.press("e")
        await until(lambda: "exported" in toasts(pilot.app))
        assert "exports" in toasts(pilot.app)
        assert len(list(lab.exports.iterdir())) == 6


async def test_the_baseline_moves_with_the_star(keep_run: Keep, open_app: OpenApp, until: Until) -> None:
    first, second = keep_run("one"), keep_run("two")
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, first, second)
        assert screen.found.baseline == first
        await pilot.press("down", "asterisk")
        await until(lambda: screen.found.baseline == second)
        assert {row.baseline for row in screen.found.summary if row.run == first} == {second}


async def test_a_run_without_the_curve_shown_is_named(
    keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown
) -> None:
    full, empty = keep_run("full"), keep_run("empty", steps=0)
    async with open_app(start="compare", size=(120, 36)) as pilot:
        await compared(pilot, until, full, empty)
        await until(lambda: "no such curve in empty" in shown(pilot.app))


async def test_runs_are_taken_out_and_picked_from_a_list(keep_run: Keep, open_app: OpenApp, until: Until) -> None:
    ids = [keep_run(name) for name in ("one", "two", "three")]
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await pilot.press("minus")
        await until(lambda: [run.id for run in screen.found.runs] == ids[1:])
        await pilot.press("space")
        await pilot.pause()
        picker = pilot.app.screen.query_one("#picker-table", Table)
        assert set(picker.marked) == set(ids[1:])
        picker.choose(ids[0])
        await pilot.press("space", "enter")
        await until(lambda: {run.id for run in screen.found.runs} == set(ids))
        await pilot.press("space", "escape")
        assert len(screen.run_ids) == 3


async def test_a_list_that_was_emptied_stays_empty(keep_run: Keep, open_app: OpenApp, until: Until) -> None:
    found = keep_run("one")
    async with open_app(start="compare") as pilot:
        await compared(pilot, until, found)
        pilot.app.show_mode("runs")
        await until(lambda: (pilot.app.recall("compare") or {}).get("runs") == [found])
        pilot.app.show_mode("compare")
        await pilot.press("minus")
        await until(lambda: not screen_of(pilot).found.runs)
    async with open_app(start="compare") as pilot:
        await until(lambda: pilot.app.runs)
        assert screen_of(pilot).run_ids == []


async def test_tables_are_those_of_the_comparison_that_is_shown(
    keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown
) -> None:
    """A comparison that takes the place, and the address, of one that is gone is still another one."""
    ids = [keep_run("one"), keep_run("two", regularisers={"l1": 0.1})]
    async with open_app(start="compare", size=(120, 40)) as pilot:
        screen = await compared(pilot, until, *ids)
        for panel_id, (made_of, _) in screen._written.items():
            assert made_of is screen.found, panel_id


async def test_a_single_run_is_added_to_those_there(keep_run: Keep, open_app: OpenApp, until: Until) -> None:
    ids = [keep_run() for _ in range(3)]
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids[:2])
        pilot.app.open_compare(ids[2])
        await until(lambda: [run.id for run in screen.found.runs] == ids)


async def test_views_and_the_ways_of_drawing(keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown) -> None:
    first, second = keep_run("one"), keep_run("two", regularisers={"dropout": 0.5})
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, first, second)
        await pilot.press("right")
        assert lines_of(pilot) == ["one", "two"]
        assert "fast learner" in shown(pilot.app)
        await pilot.press("i")
        assert len(lines_of(pilot)) == 8
        await pilot.press("i", "b")
        figure = pilot.app.screen.query_one(Chart).figure
        assert figure is not None
        assert all(line.low is None for line in figure.lines)
        await pilot.press("b", "a", "o", "l")
        figure = pilot.app.screen.query_one(Chart).figure
        assert figure is not None
        assert (figure.x_label, figure.log_y) == ("epoch", True)
        assert "smooth 0.6" in shown(pilot.app)
        await pilot.press("left", "tab")
        assert screen.overlay.view == "difference"
        await pilot.press("tab")
        assert screen.overlay.view == "figure"
        assert "Test accuracy against learning rate" in shown(pilot.app)
        await pilot.press("m")
        assert "Steps to fit" in shown(pilot.app)
        await pilot.press("tab")
        assert "paired by seed" in shown(pilot.app)
        await pilot.press("tab")
        assert "dropout" in shown(pilot.app)
        assert "device" not in shown(pilot.app)
        await pilot.press("D")
        assert "device" in shown(pilot.app)
        await pilot.press("tab")
        assert "fast minus slow" in shown(pilot.app)
        await pilot.press("escape")
        assert screen.overlay.view == "curves"
        await pilot.press("escape")
        assert pilot.app.current_mode == "runs"


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36), (200, 60)])
async def test_every_size_shows_chart_and_numbers(
    size: tuple[int, int], keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown
) -> None:
    ids = [keep_run(f"run number {i}", regularisers={"dropout": 0.1 * i} if i else {}) for i in range(3)]
    async with open_app(size=size, start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        chart = screen.query_one(Chart)
        assert chart.size.height >= 6
        assert chart.size.width >= 50
        text = shown(pilot.app)
        assert "run number 2" in text
        if size[1] >= 24:
            assert "paired by seed" in text
        if size[0] >= 120:
            assert "what differs" in text


async def test_curves_grow_while_a_compared_run_trains(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until
) -> None:
    done, busy = keep_run("done"), keep_run("busy", "running", steps=10)
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, done, busy)

        def length() -> int:
            figure = screen.query_one(Chart).figure
            assert figure is not None
            return max(len(line.x) for line in figure.lines if line.label.startswith("busy · slow"))

        assert length() == 10
        with lab.run(busy).events.open("ab") as file:
            for step in range(10, 25):
                line = ev.Curve(cohort="slow", metric="test_accuracy", step=step, values=(0.5, 0.5, 0.5))
                file.write(ev.encode(line) + b"\n")
        await until(lambda: length() == 25)


async def test_what_will_never_come_is_not_awaited_and_not_drawn(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown, toasts: Shown
) -> None:
    ids = keep_run("one"), keep_run("two")
    for run_id, other in zip(ids, (b'"slow"', b'"fast"'), strict=True):
        lines = lab.run(run_id).events.read_bytes().splitlines(keepends=True)
        lab.run(run_id).events.write_bytes(b"".join(line for line in lines if other not in line))
    async with open_app(size=(110, 30), start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await pilot.press("tab")
        await until(lambda: screen.overlay.view == "difference" and "no arm in common" in shown(pilot.app))
        assert "no data yet" not in shown(pilot.app)
        await pilot.press("P")
        await until(lambda: "there is no chart here: no arm in common" in toasts(pilot.app))
        assert not list(lab.exports.glob("*.svg"))
        screen.overlay.view = "curves"
        for run in screen.found.runs:
            run.data.curves.clear()
        assert screen.overlay.nothing(screen.found) == "no such curve"


async def test_a_run_that_cannot_be_read_is_named_and_the_others_stay(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, toasts: Shown
) -> None:
    good, bad = keep_run("good"), keep_run("bad")
    async with open_app(start="compare") as pilot:
        await until(lambda: len(pilot.app.runs) == 2)
        lab.run(bad).spec.write_bytes(b"{torn")
        pilot.app.open_compare(good, bad)
        await until(lambda: [run.id for run in screen_of(pilot).found.runs] == [good])
        await until(lambda: "not compared" in toasts(pilot.app))
        assert "bad" in toasts(pilot.app)


async def test_a_run_thrown_away_leaves_the_comparison(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until
) -> None:
    first, second = keep_run("one"), keep_run("two")
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, first, second)
        verbs.trash(lab, second)
        await until(lambda: [run.id for run in screen.found.runs] == [first])
        assert "arm" in str(screen.query_one("#cmp-status").render())


async def test_a_change_in_flight_is_flagged(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown
) -> None:
    first, second = keep_run("one"), keep_run("two")
    with lab.run(second).events.open("ab") as file:
        file.write(ev.encode(ev.Change(regulariser="dropout", strength=0.5, step=12)) + b"\n")
    async with open_app(start="compare") as pilot:
        await compared(pilot, until, first, second)
        assert "⚑" in shown(pilot.app)
        assert "never pooled" in shown(pilot.app)
        assert "dropout 0.5 at 12" in shown(pilot.app)


async def test_hostile_names_are_only_text(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown
) -> None:
    first, second = keep_run("one"), keep_run("two")
    write_json(lab.run(second).meta, {"name": "[/red]\x1b[31m[@click=app.quit]x"})
    async with open_app(size=(120, 36), start="compare") as pilot:
        await compared(pilot, until, first, second)
        text = shown(pilot.app)
        assert "[/red]" in text
        assert "\x1b" not in text


async def test_copying_the_command_and_the_table(
    keep_run: Keep, open_app: OpenApp, until: Until, toasts: Shown
) -> None:
    first, second = keep_run("one"), keep_run("two")
    async with open_app(start="compare") as pilot:
        await compared(pilot, until, first, second)
        await pilot.press("y")
        assert f"genlab-tui compare {first} {second} --baseline {first} --values all" in toasts(pilot.app)
        await pilot.press("Y")
        assert "copied the summary" in toasts(pilot.app)


async def test_enter_opens_the_run_under_the_cursor(keep_run: Keep, open_app: OpenApp, until: Until) -> None:
    first, second = keep_run("one"), keep_run("two")
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, first, second)
        assert isinstance(pilot.app.focused, ComparedRuns)
        assert screen.watched == [first, second]
        await pilot.press("down", "enter")
        await until(lambda: pilot.app.current_mode == "live")
