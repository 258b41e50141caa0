"""What the Runs screen does to many runs, how it is undone, the trash, the filter line, the colours, what it keeps."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from genlab_tui.colours import COLOURS
from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab, lab_home
from genlab_tui.pins import NAMES
from genlab_tui.run import RunRecord
from genlab_tui.safe_io import read_json, write_json
from genlab_tui.store import rebuild
from jobs import edits
from jobs import runs as verbs
from screens.batch import retagged, tags_text
from screens.panels.chart import Chart
from screens.panels.legend import Legend
from screens.panels.table import Table
from screens.runs import RunsScreen
from screens.sheet import Ask, Sheet
from screens.swatches import KEYS, Swatches
from screens.undo import Change, History

OpenApp = Callable[..., Any]
Until = Callable[..., Any]
Keep = Callable[..., str]
Text = Callable[[App[None]], str]

pytestmark = pytest.mark.usefixtures("toys")


def screen_of(pilot: Pilot[None]) -> RunsScreen:
    return cast(RunsScreen, pilot.app.screen_stack[0])


def table_of(pilot: Pilot[None]) -> Table[RunRecord]:
    return screen_of(pilot).table


async def ready(pilot: Pilot[None], until: Until, count: int) -> Table[RunRecord]:
    await until(lambda: len(table_of(pilot).rows) == count)
    await pilot.pause()
    return table_of(pilot)


def runs_of(pilot: Pilot[None]) -> dict[str, RunRecord]:
    return {run.id: run for run in cast(Any, pilot.app).runs}


async def type_filter(pilot: Pilot[None], text: str) -> None:
    await pilot.press("slash")
    pilot.app.screen.query_one("#runs-filter", Input).value = text
    await pilot.pause()
    await pilot.press("enter")


# --- undo -------------------------------------------------------------------------------------------------------------


async def test_every_change_is_undone_one_after_the_other(
    keep_run: Keep, open_app: OpenApp, until: Until, toasts: Text
) -> None:
    first, second = keep_run("one"), keep_run("two")
    async with open_app(start="runs") as pilot:
        table = await ready(pilot, until, 2)
        await pilot.press("A", "t", *"good", "enter")
        await until(lambda: all(run.tags == ("good",) for run in runs_of(pilot).values()))
        await until(lambda: "2 runs; u undoes it" in toasts(pilot.app))
        await pilot.press("escape")
        table.choose(first)
        await pilot.press("n", "backspace", "backspace", "backspace", *"neu", "enter")
        await until(lambda: runs_of(pilot)[first].name == "neu")
        await pilot.press("N", *"look", "enter")
        await until(lambda: runs_of(pilot)[first].note == "look")
        await pilot.press("K", "c")
        await until(lambda: runs_of(pilot)[first].colour == NAMES[2])
        await pilot.press("d")
        await until(lambda: set(runs_of(pilot)) == {second})

        await pilot.press("u")
        await until(lambda: first in runs_of(pilot))
        await pilot.press("u")
        await until(lambda: runs_of(pilot)[first].colour == "")
        await pilot.press("u")
        await until(lambda: runs_of(pilot)[first].note == "")
        await pilot.press("u")
        await until(lambda: runs_of(pilot)[first].name == "one")
        await pilot.press("u")
        await until(lambda: all(run.tags == () for run in runs_of(pilot).values()))
        said = toasts(pilot.app)
        for what in (
            f"{first} is back among the runs",
            "the colour of neu",
            "the note of neu",
            "the name of one",
            "the tags of 2 runs",
        ):
            assert f"undone: {what}" in said
        await pilot.press("u")
        await until(lambda: "nothing was changed since the app started" in toasts(pilot.app))


async def test_an_undo_that_fails_can_be_tried_again(
    keep_run: Keep, open_app: OpenApp, until: Until, toasts: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = keep_run("one")
    async with open_app(start="runs") as pilot:
        await ready(pilot, until, 1)
        await pilot.press("n", *"neu", "enter")
        await until(lambda: runs_of(pilot)[run_id].name == "neu")
        with monkeypatch.context() as full:
            full.setattr(edits, "_put_meta", _no_space)
            await pilot.press("u")
            await until(lambda: "cannot undo the name of one" in toasts(pilot.app))
        await pilot.press("u")
        await until(lambda: runs_of(pilot)[run_id].name == "one")


def _no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_what_can_never_be_undone_does_not_keep_the_rest_from_it() -> None:
    def fails(lab: Lab) -> None:
        raise GenlabError("gone")

    history, undone = History(), []
    history.add(Change("first", lambda lab: undone.append("first")))
    history.add(Change("second", fails))
    for expected in ("second", "second", "first", "second"):
        change = history.pop()
        assert change is not None
        assert change.what == expected
        with suppress(GenlabError):
            history.taking_back(change)(lab_home())
    assert undone == ["first"]


async def test_typing_what_was_there_changes_nothing(keep_run: Keep, open_app: OpenApp, until: Until) -> None:
    keep_run("one")
    async with open_app(start="runs") as pilot:
        await ready(pilot, until, 1)
        await pilot.press("n", "enter")
        assert screen_of(pilot).history.pop() is None


def test_tags_with_blanks_are_typed_in_quotes() -> None:
    run = RunRecord("a0000000", "toy", tags=("good one", "paper"))
    assert tags_text(run.tags) == '"good one" paper'
    assert retagged([run], tags_text(run.tags)) == {run.id: {"tags": ["good one", "paper"]}}
    other = RunRecord("a0000001", "toy", tags=("paper",))
    changed = retagged([run, other], '-"good one", #new -')
    assert {run_id: change["tags"] for run_id, change in changed.items()} == {
        run.id: ("paper", "new"),
        other.id: ("paper", "new"),
    }


# --- the trash --------------------------------------------------------------------------------------------------------


async def test_the_trash_is_shown_and_brought_back_also_after_a_restart(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Text, toasts: Text
) -> None:
    keep_run("one"), keep_run("two"), keep_run("three")
    async with open_app(start="runs") as pilot:
        await ready(pilot, until, 3)
        await pilot.press("A", "d")
        await ready(pilot, until, 0)
        await until(lambda: "all 3 runs are in the trash: T shows it" in shown(pilot.app))
    async with open_app(start="runs") as pilot:
        await until(lambda: "all 3 runs are in the trash" in shown(pilot.app))
        await pilot.press("T")
        await ready(pilot, until, 3)
        assert "trash · 3 runs" in shown(pilot.app)
        await pilot.press("enter", "t", "n", "c", "x")
        assert pilot.app.screen is screen_of(pilot), "what is meant for runs does nothing to what was thrown away"
        await type_filter(pilot, "two or three")
        await ready(pilot, until, 2)
        await pilot.press("A", "u")
        await until(lambda: len(runs_of(pilot)) == 2)
        await ready(pilot, until, 0)
        await pilot.press("escape")
        await ready(pilot, until, 1)
        await pilot.press("escape")
        assert not screen_of(pilot).in_trash
        await ready(pilot, until, 2)
        await pilot.press("u")
        await until(lambda: not runs_of(pilot))  # bringing back is a change like any other
        await until(lambda: "2 runs are in the trash again" in toasts(pilot.app))
    assert len(verbs.list_runs(lab, trashed=True)) == 3


async def test_deleting_for_ever_is_asked_for(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Text
) -> None:
    kept, gone, last = keep_run("kept"), keep_run("gone"), keep_run("last")
    for run_id in (gone, last):
        verbs.trash(lab, run_id)
    async with open_app(start="runs") as pilot:
        await ready(pilot, until, 1)
        await pilot.press("D")
        assert pilot.app.screen is screen_of(pilot), "among the runs there is nothing to delete"
        await pilot.press("T")
        table = await ready(pilot, until, 2)
        table.choose(gone)
        await pilot.press("space", "D")
        assert isinstance(pilot.app.screen, Ask)
        await pilot.press("escape")
        assert lab.run(gone).spec.exists()
        await pilot.press("D", "D")
        await ready(pilot, until, 1)
        assert not lab.run(gone).path.exists()
        await pilot.press("D")
        assert "everything in the trash" in shown(pilot.app)
        await pilot.press("D")
        await ready(pilot, until, 0)
        assert "the trash is empty" in shown(pilot.app)
        await pilot.press("T")
        await ready(pilot, until, 1)
    assert [path.name for path in lab.runs.iterdir()] == [kept]


async def test_what_a_filter_hides_is_not_deleted(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Text
) -> None:
    hidden, gone = keep_run("hidden"), keep_run("gone")
    for run_id in (hidden, gone):
        verbs.trash(lab, run_id)
    async with open_app(start="runs") as pilot:
        await ready(pilot, until, 0)
        await pilot.press("T")
        await ready(pilot, until, 2)
        await type_filter(pilot, "gone")
        await ready(pilot, until, 1)
        await pilot.press("D")
        assert "all that the filter shows" in shown(pilot.app)
        await pilot.press("D")
        await until(lambda: not lab.run(gone).path.exists())
    assert [path.name for path in lab.runs.iterdir()] == [hidden]


# --- queue and workers ------------------------------------------------------------------------------------------------


async def test_stopping_several_asks_first(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Text
) -> None:
    ids = [keep_run("one", "running", steps=5), keep_run("two", "running", steps=5), keep_run("done")]
    async with open_app(start="runs") as pilot:
        await ready(pilot, until, 3)
        await pilot.press("A", "x")
        assert isinstance(pilot.app.screen, Ask)
        assert "2 at work" in shown(pilot.app)
        await pilot.press("escape")
        assert not any(lab.run(run_id).control.exists() for run_id in ids)
        await pilot.press("x", "x")
        await until(lambda: all(lab.run(run_id).control.exists() for run_id in ids[:2]))


async def test_hold_and_release(
    lab: Lab, queue_held: None, keep_run: Keep, open_app: OpenApp, until: Until, toasts: Text
) -> None:
    ids = [keep_run("one", "stopped", steps=5), keep_run("two", "stopped", steps=5)]
    for run_id in ids:
        verbs.retry(lab, run_id)
    keep_run("done")
    async with open_app(start="runs") as pilot:
        await ready(pilot, until, 3)
        await pilot.press("A", "h")
        await until(lambda: all(runs_of(pilot)[run_id].held for run_id in ids))
        await pilot.press("h")
        await until(lambda: not any(runs_of(pilot)[run_id].held for run_id in ids))
        await type_filter(pilot, "is:done")
        await pilot.press("escape", "h")
        await until(lambda: "there is nothing to hold" in toasts(pilot.app))


# --- colours ----------------------------------------------------------------------------------------------------------


async def test_a_colour_is_pinned_shown_and_taken_away(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Text
) -> None:
    first, second = keep_run("one"), keep_run("two")
    async with open_app(start="runs") as pilot:
        table = await ready(pilot, until, 2)
        assert next(column.key for column, _ in table.layout_now) == "state"
        await pilot.press("A", "K")
        assert isinstance(pilot.app.screen, Swatches)
        assert "a to m takes it · n none · o each · esc" in shown(pilot.app)
        await pilot.press("o")
        await until(lambda: {run.colour for run in runs_of(pilot).values()} == {"dot", "square"})
        await until(lambda: "■" in shown(pilot.app) and "●" in shown(pilot.app))
        assert next(column.key for column, _ in table.layout_now) == "colour"
        await pilot.press("escape")
        table.choose(second)
        before = NAMES.index(colour_of(pilot, second))
        await pilot.press("K", "down", "up", "down", "enter")
        await until(lambda: colour_of(pilot, second) == NAMES[before + 1])
        await pilot.press("K", "escape")
        meta = read_json(lab.run(first).meta)
        assert meta is not None
        assert meta["colour"] in ("dot", "square")
        await pilot.press("A", "K", "n")
        await until(lambda: not any(run.colour for run in runs_of(pilot).values()))


def colour_of(pilot: Pilot[None], run_id: str) -> str:
    return runs_of(pilot)[run_id].colour


async def test_every_swatch_has_a_key(keep_run: Keep, open_app: OpenApp, until: Until, shown: Text) -> None:
    run_id = keep_run("[/x]")
    async with open_app(size=(60, 20), start="runs") as pilot:
        await ready(pilot, until, 1)
        for key, name in zip(KEYS, NAMES, strict=True):
            await pilot.press("K")
            assert name in shown(pilot.app)
            assert "a colour for [/x]" in shown(pilot.app)
            await pilot.press(key)
            await until(lambda name=name: colour_of(pilot, run_id) == name)
        await type_filter(pilot, "colour:spark")
        assert len(table_of(pilot).rows) == 1


async def test_charts_of_several_runs_have_the_pinned_colour_and_marker(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Text
) -> None:
    plain, pinned = keep_run("plain"), keep_run("pinned")
    verbs.edit(lab, pinned, colour="star")
    hue = NAMES.index("star") % COLOURS
    async with open_app(size=(120, 40), start="runs") as pilot:
        await ready(pilot, until, 2)
        pilot.app.open_compare(plain, pinned)

        def lines() -> dict[str, int]:
            charts = list(pilot.app.screen.query(Chart))
            figure = charts[0].figure if charts else None
            return {line.label: line.slot for line in figure.lines} if figure else {}

        await until(lambda: len(lines()) == 4)
        assert {slot % COLOURS for label, slot in lines().items() if label.startswith("pinned")} == {hue}
        assert {slot % COLOURS == hue for label, slot in lines().items() if label.startswith("plain")} == {False}
        await until(lambda: "★" in shown(pilot.app))
        pilot.app.open_live(plain, pinned)

        def pinned_hues() -> set[int]:
            legends = list(pilot.app.screen.query(Legend))
            slots = legends[0].slots if legends else {}
            return {slot % COLOURS for label, slot in slots.items() if label.startswith("pinned")}

        await until(pinned_hues)  # the runs are read one after the other
        assert pinned_hues() == {hue}
        await until(lambda: "★" in shown(pilot.app))
        verbs.edit(lab, pinned, colour="")
        pilot.app._poller.wake()
        await until(lambda: "★" not in shown(pilot.app))


# --- the filter line --------------------------------------------------------------------------------------------------


async def test_the_filter_offers_what_could_come_next(
    keep_run: Keep, open_app: OpenApp, until: Until, shown: Text
) -> None:
    keep_run("one"), keep_run("two", "stopped", steps=5)
    async with open_app(start="runs") as pilot:
        await ready(pilot, until, 2)
        await pilot.press("slash")
        assert "tab state:" in shown(pilot.app)
        await pilot.press(*"sta")
        await pilot.press("tab", *"st", "tab")
        assert pilot.app.screen.query_one("#runs-filter", Input).value == "state:stopped"
        assert [run.name for run in table_of(pilot).rows] == ["two"]
        assert pilot.app.focused is pilot.app.screen.query_one("#runs-filter", Input)
        await pilot.press("space", *"or (name:one", "enter")
        assert len(table_of(pilot).rows) == 2
        assert "at 18: this parenthesis is not closed" in shown(pilot.app), "it is said while the filter holds"
        await pilot.press("escape")
        assert "parenthesis" not in shown(pilot.app)


async def test_a_question_mark_in_the_filter_says_what_it_can(
    keep_run: Keep, open_app: OpenApp, until: Until, shown: Text
) -> None:
    keep_run("one")
    for size in ((80, 24), (60, 20)):
        async with open_app(size=size, start="runs") as pilot:
            await ready(pilot, until, 1)
            await pilot.press("slash", "question_mark")
            assert isinstance(pilot.app.screen, Sheet)
            assert "state:failed,killed" in shown(pilot.app)
            await pilot.press("escape")
            assert pilot.app.focused is pilot.app.screen.query_one("#runs-filter", Input)
            assert pilot.app.screen.query_one("#runs-filter", Input).value == ""


async def test_a_hostile_filter_is_only_text(keep_run: Keep, open_app: OpenApp, until: Until, shown: Text) -> None:
    keep_run("[red]x[/]")
    async with open_app(start="runs") as pilot:
        await ready(pilot, until, 1)
        for text in ("[/x]:[bold]", "\x1b[31m>2", '[red] or "[/]', "name:[red]"):
            await type_filter(pilot, text)
            assert "\x1b" not in shown(pilot.app)
        assert len(table_of(pilot).rows) == 1


# --- the order, the view over a restart -------------------------------------------------------------------------------


async def test_equals_are_sorted_by_a_second_column(
    keep_run: Keep, open_app: OpenApp, until: Until, shown: Text
) -> None:
    for name, state in (("b", "done"), ("a", "done"), ("c", "stopped"), ("d", "failed")):
        keep_run(name, state, steps=5)
    async with open_app(start="runs") as pilot:
        table = await ready(pilot, until, 4)
        await pilot.press("s")
        assert screen_of(pilot).orders == (("state", False),)
        await pilot.press("o", "o")
        assert screen_of(pilot).orders == (("state", False), ("name", False))
        assert "by state, then name" in shown(pilot.app)
        assert [run.name for run in table.rows] == ["a", "b", "c", "d"]
        for _ in range(len(table.layout_now) - 2):
            await pilot.press("o")
        assert screen_of(pilot).orders == (("state", False),), "after the last column comes none"


async def test_the_view_is_there_again(lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Text) -> None:
    for name in ("one", "two", "three"):
        keep_run(name)
    async with open_app(start="runs") as pilot:
        table = await ready(pilot, until, 3)
        await pilot.press("s", "s", "s", "S")
        await type_filter(pilot, "name:t")
        await pilot.press("end")
        at, orders = table.chosen, screen_of(pilot).orders
    async with open_app(start="runs") as pilot:
        table = await ready(pilot, until, 2)
        assert (table.chosen, screen_of(pilot).orders) == (at, orders)
        assert "name:t" in shown(pilot.app)
        await pilot.press("escape")
        assert len(table.rows) == 3
    view = read_json(lab.view)
    assert view is not None
    assert view["runs"]["filter"] == ""
    for damaged in ([], {"sort": [["nosuch", 1], 3, ["age"]], "filter": 7, "cursor": []}, {"sort": "x", "filter": "("}):
        write_json(lab.view, {"runs": damaged})
        async with open_app(start="runs") as pilot:
            await ready(pilot, until, 3)
            assert screen_of(pilot).orders == (("age", False),)


# --- odd runs ---------------------------------------------------------------------------------------------------------


async def test_lineage_and_prediction_are_told(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Text
) -> None:
    source = keep_run("source")
    fork = keep_run("[/x]", parent=source, regularisers={"dropout": 0.5}, expected="NOT SHOWN", prediction="[b]no[/b]")
    more = keep_run("more", parent=source, seeds=5, inherited=3)
    orphan = keep_run("orphan", parent="c0ffee00")
    async with open_app(size=(200, 60), start="runs") as pilot:
        table = await ready(pilot, until, 4)
        for run_id, said in {
            source: ("made from it", f"{fork} [/x]", f"{more} more"),
            fork: (f"forked from {source}: dropout off → 0.5", "predicted NOT SHOWN: wrong", "[b]no[/b]"),
            more: (f"seeds 0 to 2 taken over from {source}",),
            orphan: ("forked from c0ffee00",),
        }.items():
            table.choose(run_id)
            for text in said:
                await until(lambda text=text: text in shown(pilot.app))
        table.choose(fork)
        await pilot.press("i")
        assert isinstance(pilot.app.screen, Sheet)
        assert "[b]no[/b]" in shown(pilot.app)


async def test_an_unknown_phenomenon_and_unreadable_files_are_said(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Text
) -> None:
    foreign, damaged, gone = keep_run("foreign"), keep_run("damaged"), keep_run("gone")
    rebuild(lab)
    spec = read_json(lab.run(foreign).spec)
    assert spec is not None
    write_json(lab.run(foreign).spec, spec | {"phenomenon": "no-such-thing"})
    lab.run(damaged).spec.write_bytes(b"\xff{")
    async with open_app(size=(200, 60), start="runs") as pilot:
        table = await ready(pilot, until, 3)
        table.choose(damaged)
        await until(lambda: f"the specification of run {damaged} cannot be read" in shown(pilot.app))
        shutil.rmtree(lab.run(gone).path)
        table.choose(gone)
        await until(lambda: gone not in runs_of(pilot))
    rebuild(lab)
    async with open_app(size=(200, 60), start="runs") as pilot:
        table = await ready(pilot, until, 1)
        table.choose(foreign)
        await until(lambda: "figures and verdict cannot be made again" in shown(pilot.app))
        assert "no-such-thing" in shown(pilot.app)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
async def test_an_empty_lab_takes_every_key(size: tuple[int, int], open_app: OpenApp, shown: Text) -> None:
    async with open_app(size=size, start="runs") as pilot:
        await pilot.pause(0.2)
        assert "no run yet" in shown(pilot.app)
        for key in "cetnNduKRxphiAsSo":
            await pilot.press(key)
        assert pilot.app.screen is screen_of(pilot)
        await pilot.press("T")
        assert "the trash is empty" in shown(pilot.app)
        await pilot.press("u", "D", "escape")
        assert "no run yet" in shown(pilot.app)
        assert screen_of(pilot).targets == []
