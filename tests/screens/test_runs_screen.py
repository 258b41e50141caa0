"""The Runs screen: ten thousand rows, filter, sort, selection, the keys that change runs, hostile names."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Static

import screens
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunState
from genlab_tui.safe_io import read_json
from jobs import runs as verbs
from screens.messages import RunsChanged
from screens.panels.layout import Column, layout
from screens.panels.table import Table
from screens.runs import RunsScreen

OpenApp = Callable[..., Any]
Until = Callable[..., Any]


class Desk(App[None]):
    """The app as the screen sees it, with runs of its own and nothing on disk."""

    CSS_PATH = Path(screens.__file__).parent / "runs.tcss"

    def __init__(self, runs: tuple[RunRecord, ...], lab: Lab) -> None:
        super().__init__()
        self.lab, self.runs, self.devices, self.progress = lab, runs, (), {}
        self.opened: list[tuple[str, tuple[str, ...]]] = []
        self.kept: dict[str, Any] = {}
        self.screen_of_runs = RunsScreen()

    def get_default_screen(self) -> Screen[Any]:
        return self.screen_of_runs

    def open_live(self, *run_ids: str) -> None:
        self.opened.append(("live", run_ids))

    def open_compare(self, *run_ids: str, baseline: str | None = None) -> None:
        self.opened.append(("compare", run_ids))

    def recall(self, name: str) -> Any:
        return self.kept.get(name)

    def remember(self, **settings: Any) -> None:
        self.kept |= settings

    def catch_up(self) -> None:
        """There is nothing left unsaid."""

    def show_mode(self, mode: str) -> None:
        self.opened.append(("mode", (mode,)))


def records(count: int) -> tuple[RunRecord, ...]:
    now = time.time()
    states = (RunState.DONE, RunState.FAILED, RunState.RUNNING, RunState.QUEUED)
    return tuple(
        RunRecord(
            id=f"a{i:07x}",
            phenomenon="random-labels" if i % 3 else "double-descent",
            state=states[i % 4],
            reason="diverged" if i % 4 == 1 else "",
            data="digits",
            seeds=3,
            regularisers={"weight-decay": 0.001 * (i % 5)} if i % 5 else {},
            created=now - 60 * i,
            name=f"run {i}",
        )
        for i in range(count)
    )


def table_of(pilot: Pilot[None]) -> Table[RunRecord]:
    return pilot.app.screen.query_one("#runs-table", Table)


async def refill(pilot: Pilot[None]) -> None:
    desk = cast(Desk, pilot.app)
    desk.screen.post_message(RunsChanged(desk.runs))
    await pilot.pause()


async def filter_by(pilot: Pilot[None], text: str) -> None:
    await pilot.press("slash")
    pilot.app.screen.query_one("#runs-filter", Input).value = text
    await pilot.pause()
    await pilot.press("enter")


# --- the table --------------------------------------------------------------------------------------------------------


async def test_ten_thousand_runs_draw_only_what_is_on_the_screen(lab: Lab) -> None:
    async with Desk(records(10_000), lab).run_test(size=(80, 24)) as pilot:
        table = table_of(pilot)
        assert len(table.rows) == 10_000
        height = table.size.height
        assert 0 < table.lines_rendered <= 4 * height
        before = table.lines_rendered
        await pilot.press("end")
        assert table.cursor == 9_999
        assert "run 9999" in screen_text(pilot)
        assert table.lines_rendered - before <= 3 * height
        before = table.lines_rendered
        await pilot.press("up")
        assert table.lines_rendered - before <= 4, "moving the cursor composes the two rows it touches"


async def test_an_unchanged_index_composes_nothing_anew(lab: Lab) -> None:
    async with Desk(records(2_000), lab).run_test(size=(120, 40)) as pilot:
        await refill(pilot)
        table = table_of(pilot)
        before = table.lines_rendered
        await refill(pilot)
        assert table.lines_rendered == before


async def test_one_changed_run_composes_one_line(lab: Lab) -> None:
    runs = records(500)
    async with Desk(runs, lab).run_test(size=(120, 40)) as pilot:
        await refill(pilot)
        table = table_of(pilot)
        before = table.lines_rendered
        changed = RunRecord(**{**vars(runs[3]), "verdict": "SHOWN"})
        cast(Desk, pilot.app).runs = (*runs[:3], changed, *runs[4:])
        await refill(pilot)
        assert table.lines_rendered - before == 1
        assert "SHOWN" in screen_text(pilot)


async def test_the_cursor_stays_on_its_run_when_others_arrive(lab: Lab) -> None:
    runs = records(50)
    async with Desk(runs[10:], lab).run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j")
        chosen = table_of(pilot).chosen
        cast(Desk, pilot.app).runs = runs
        await refill(pilot)
        assert table_of(pilot).chosen == chosen
        assert table_of(pilot).cursor == 12


async def test_keys_move_by_lines_pages_and_to_the_ends(lab: Lab) -> None:
    async with Desk(records(100), lab).run_test(size=(80, 24)) as pilot:
        table = table_of(pilot)
        await pilot.press("down", "j", "k")
        assert table.cursor == 1
        await pilot.press("pagedown")
        assert table.cursor == 1 + table.size.height - 2
        await pilot.press("G")
        assert table.cursor == 99
        await pilot.press("g", "up")
        assert table.cursor == 0


async def test_the_wheel_takes_the_cursor_along(lab: Lab) -> None:
    async with Desk(records(100), lab).run_test(size=(80, 24)) as pilot:
        table = table_of(pilot)
        table.scroll_to(y=40, animate=False)
        await pilot.pause()
        assert 40 <= table.cursor < 40 + table.size.height


async def test_a_click_moves_the_cursor_and_on_the_heading_sorts(lab: Lab) -> None:
    async with Desk(records(20), lab).run_test(size=(80, 24)) as pilot:
        table = table_of(pilot)
        await pilot.click(table, offset=(20, 4))
        assert table.cursor == 3
        await pilot.click(table, offset=(0, 6))
        assert list(table.marked) == [table.chosen]
        await pilot.click(table, offset=(3, 0))
        assert table.sorted_by == ("state", False)
        await pilot.click(table, offset=(3, 0))
        assert table.sorted_by == ("state", True)


def test_columns_leave_by_rank_and_share_what_is_left_over() -> None:
    columns = [
        Column(k, k, lambda row, width: "", least, most, rank)
        for k, least, most, rank in (  # type: ignore[arg-type,return-value]
            ("a", 5, 9, 0),
            ("b", 5, 5, 2),
            ("c", 5, 20, 1),
        )
    ]
    assert [(c.key, size) for c, size in layout(columns, 30)] == [("a", 9), ("b", 5), ("c", 12)]
    assert [(c.key, size) for c, size in layout(columns, 13)] == [("a", 6), ("c", 5)]
    assert [c.key for c, _ in layout(columns, 3)] == ["a"]


async def test_what_tells_no_run_from_another_makes_room_for_the_regularisers(lab: Lab) -> None:
    base = dataclasses.replace(records(1)[0], name="", phenomenon="random-labels", state=RunState.DONE, verdict="SHOWN")
    forks = tuple(
        dataclasses.replace(
            base,
            id=f"{i}f00d00d",
            regularisers={"weight-decay": 0.1, "label-smoothing": 0.1, "l1": 0.001, "dropout": 0.1 * i},
        )
        for i in range(1, 4)
    )
    async with Desk(forks, lab).run_test(size=(80, 24)) as pilot:
        table = table_of(pilot)
        assert [f"drop 0.{i}" in table.render_line(i).text for i in (1, 2, 3)] == [True] * 3
        keys = [column.key for column, _ in table.layout_now]
        assert not {"name", "phenomenon", "data"} & set(keys)
        assert all(run.id[:6] in table.render_line(i).text for i, run in enumerate(forks, 1))
        desk = cast(Desk, pilot.app)
        desk.runs = (dataclasses.replace(forks[0], tags=("odd",)), *forks[1:])
        await refill(pilot)
        await pilot.pause()
        assert "#odd" in table.render_line(1).text
        assert all(f"{run.id[:6]}  " in table.render_line(i).text for i, run in enumerate(forks, 1))


async def test_a_list_that_differs_in_everything_keeps_its_columns(lab: Lab) -> None:
    async with Desk(records(10), lab).run_test(size=(80, 24)) as pilot:
        assert {"name", "phenomenon"} <= {column.key for column, _ in table_of(pilot).layout_now}


async def test_a_changed_run_is_flagged_beside_its_state_however_narrow(lab: Lab) -> None:
    run = RunRecord("a0000000", "toy", RunState.DONE, changed=True, created=1.0, regularisers={"l1": 0.1})
    for width in (60, 80, 200):
        async with Desk((run,), lab).run_test(size=(width, 20)) as pilot:
            await pilot.pause()
            assert "✓ ⚑ done" in screen_text(pilot)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
async def test_every_line_is_as_wide_as_the_table(lab: Lab, size: tuple[int, int]) -> None:
    wide = RunRecord("a0000000", "デ" * 30, RunState.DONE, name="宽" * 40, tags=("é", "🙂" * 9), data="x" * 90)
    async with Desk((wide, *records(3)), lab).run_test(size=size) as pilot:
        table = table_of(pilot)
        width = table.scrollable_content_region.width
        assert {table.render_line(y).cell_length for y in range(table.size.height)} == {width}


# --- filter, sort, selection ------------------------------------------------------------------------------------------


def screen_text(pilot: Pilot[None]) -> str:
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


async def test_the_filter_narrows_while_typing_and_esc_leaves_it(lab: Lab) -> None:
    async with Desk(records(100), lab).run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"state:failed")
        assert {run.state for run in table_of(pilot).rows} == {RunState.FAILED}
        assert "25 of 100 runs" in screen_text(pilot)
        await pilot.press("space", *"wd>0.003")
        assert {run.regularisers["weight-decay"] for run in table_of(pilot).rows} == {0.004}
        await pilot.press("enter")
        assert pilot.app.focused is table_of(pilot)
        assert "state:failed" in screen_text(pilot), "what narrows the list stays in sight"
        await pilot.press("escape")
        assert len(table_of(pilot).rows) == 100


async def test_a_filter_that_is_not_understood_says_so(lab: Lab) -> None:
    async with Desk(records(5), lab).run_test(size=(120, 30)) as pilot:
        for text, words in (("phenomenom:x", "there is no field 'phenomenom'"), ("wd>", "wd> what?")):
            await pilot.press("slash", *text)
            await pilot.pause()
            assert words in screen_text(pilot)
            assert len(table_of(pilot).rows) == 5
            assert "5 runs, as far as it is understood" in screen_text(pilot)
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(pilot.app.focused, Input), "the line stays until it is put right"
            assert words in screen_text(pilot)
            await pilot.press("escape")
            assert "as far as" not in screen_text(pilot)


async def test_nothing_matches_and_nothing_there(lab: Lab) -> None:
    async with Desk(records(5), lab).run_test(size=(80, 24)) as pilot:
        await filter_by(pilot, "zebra")
        assert "nothing matches" in screen_text(pilot)
        await pilot.press("enter", "space", "c", "d", "e", "n", "t", "x", "R", "A")
    async with Desk((), lab).run_test(size=(80, 24)) as pilot:
        assert "no run yet" in screen_text(pilot)
        await pilot.press("enter", "space", "j", "end", "c")


async def test_sort_goes_through_the_columns_and_turns_around(lab: Lab) -> None:
    async with Desk(records(10), lab).run_test(size=(80, 24)) as pilot:
        table = table_of(pilot)
        assert table.sorted_by == ("age", False)
        await pilot.press("s")
        assert table.sorted_by == ("state", False)
        assert [run.state for run in table.rows] == sorted((r.state for r in records(10)), key=list(RunState).index)
        await pilot.press("S")
        assert table.rows[0].state is RunState.FAILED
        shown = [column.key for column, _ in table.layout_now]
        for _ in shown:
            await pilot.press("s")
        assert table.sorted_by[0] == "state"


async def test_selection_survives_filters_and_goes_to_compare(lab: Lab) -> None:
    async with Desk(records(20), lab).run_test(size=(80, 24)) as pilot:
        await pilot.press("space", "j", "space")
        assert list(table_of(pilot).marked) == ["a0000000", "a0000002"]
        await filter_by(pilot, "double")
        assert "2 selected (1 hidden)" in screen_text(pilot)
        await pilot.press("c")
        assert cast(Desk, pilot.app).opened == [("compare", ("a0000000", "a0000002"))]
        await pilot.press("escape")
        assert not table_of(pilot).marked
        await pilot.press("A")
        assert len(table_of(pilot).marked) == len(table_of(pilot).rows) == 7
        await pilot.press("A")
        assert not table_of(pilot).marked


async def test_enter_opens_live(lab: Lab) -> None:
    async with Desk(records(20), lab).run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "enter")
        assert cast(Desk, pilot.app).opened == [("live", ("a0000001",))]


async def test_hostile_names_are_only_text(lab: Lab) -> None:
    hostile = RunRecord(
        "a0000000",
        "[/bold]",
        RunState.FAILED,
        reason="[link=x]\x1b]0;owned\x07\x1b[2J",
        name="[red]x[/blue]\x1b[31m\u202e",
        tags=("[/]",),
        note="[@click=app.quit]\x9b2J",
    )
    async with Desk((hostile,), lab).run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        text = screen_text(pilot)
        assert "[red]x[/blue]" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[@click=app.quit]" in str(pilot.app.screen.query_one("#runs-about", Static).content)


# --- with a lab -------------------------------------------------------------------------------------------------------


async def opened(pilot: Pilot[None], until: Until, count: int) -> Table[RunRecord]:
    await until(lambda: len(table_of(pilot).rows) == count)
    return table_of(pilot)


async def test_name_tags_and_note_are_kept(
    lab: Lab, keep_run: Callable[..., str], open_app: OpenApp, until: Until
) -> None:
    first = keep_run()
    async with open_app(start="runs") as pilot:
        await opened(pilot, until, 1)
        await pilot.press("n", *"plain", "enter")
        await until(lambda: pilot.app.runs and pilot.app.runs[0].name == "plain")
        await pilot.press("t", *"good paper", "enter")
        await until(lambda: pilot.app.runs[0].tags == ("good", "paper"))
        await pilot.press("N", *"look", "enter")
        await until(lambda: pilot.app.runs[0].note == "look")
        await pilot.press("n", "escape")
        assert pilot.app.runs[0].name == "plain"
    meta = read_json(lab.run(first).meta)
    assert meta is not None
    assert (meta["name"], meta["tags"], meta["note"]) == ("plain", ["good", "paper"], "look")


async def test_tags_of_several_runs_are_added_and_taken_away(
    lab: Lab, keep_run: Callable[..., str], open_app: OpenApp, until: Until
) -> None:
    ids = {keep_run(), keep_run()}
    for run_id in ids:
        verbs.edit(lab, run_id, tags=["old", run_id])
    async with open_app(start="runs") as pilot:
        await opened(pilot, until, 2)
        await pilot.press("A", "t", *"new -old", "enter")
        await until(lambda: all(set(run.tags) == {run.id, "new"} for run in pilot.app.runs))


async def test_trash_and_undo(
    lab: Lab,
    keep_run: Callable[..., str],
    open_app: OpenApp,
    until: Until,
    toasts: Callable[[App[None]], str],
) -> None:
    keep_run("one"), keep_run("two"), keep_run("three")
    async with open_app(start="runs") as pilot:
        await opened(pilot, until, 3)
        await pilot.press("u")
        assert "nothing was changed" in toasts(pilot.app)
        await pilot.press("space", "space", "d")
        await opened(pilot, until, 1)
        assert "2 runs are in the trash" in toasts(pilot.app)
        assert not table_of(pilot).marked
        await pilot.press("u")
        await opened(pilot, until, 3)
    assert len(verbs.list_runs(lab)) == 3


async def test_a_run_at_work_is_not_thrown_away(
    keep_run: Callable[..., str], open_app: OpenApp, until: Until, toasts: Callable[[App[None]], str]
) -> None:
    keep_run("busy", "running", steps=5)
    async with open_app(start="runs") as pilot:
        await opened(pilot, until, 1)
        await pilot.press("d")
        await until(lambda: "cannot trash busy" in toasts(pilot.app))
        assert len(pilot.app.runs) == 1


async def test_stop_reaches_the_worker_and_retry_queues_again(
    lab: Lab, queue_held: None, keep_run: Callable[..., str], open_app: OpenApp, until: Until
) -> None:
    busy = keep_run("busy", "running", steps=5)
    async with open_app(start="runs") as pilot:
        await opened(pilot, until, 1)
        await pilot.press("x")
        await until(lambda: lab.run(busy).control.exists() and b"stop" in lab.run(busy).control.read_bytes())
    stopped = keep_run("stopped", "stopped", steps=5)
    async with open_app(start="runs") as pilot:
        table = await opened(pilot, until, 2)
        table.choose(stopped)
        await pilot.press("R")
        await until(lambda: any(r.id == stopped and r.state is RunState.QUEUED for r in pilot.app.runs))


async def test_export_writes_the_selection_and_says_where(
    lab: Lab, keep_run: Callable[..., str], open_app: OpenApp, until: Until, toasts: Callable[[App[None]], str]
) -> None:
    keep_run("one"), keep_run("two")
    async with open_app(start="runs") as pilot:
        await opened(pilot, until, 2)
        await pilot.press("A", "e")
        await until(lambda: "exported" in toasts(pilot.app))
        files = sorted(lab.exports.iterdir())
        assert len(files) == 6
        assert all(file.stat().st_mode & 0o077 == 0 for file in files)
        assert Path(files[0]).stem.split("-")[0] == "toy"


async def test_the_detail_shows_config_and_verdict_of_the_run_under_the_cursor(
    keep_run: Callable[..., str], open_app: OpenApp, until: Until, shown: Callable[[App[None]], str]
) -> None:
    keep_run("plain")
    async with open_app(size=(200, 60), start="runs") as pilot:
        await opened(pilot, until, 1)
        await until(lambda: "steps=40" in shown(pilot.app))
        await until(lambda: "fast minus slow" in shown(pilot.app))
        assert "SHOWN" in shown(pilot.app)
