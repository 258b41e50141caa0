"""The Compare screen with many runs: groups, values at a step, differences, what is exported, what is remembered."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import OptionList

from genlab_tui import events as ev
from genlab_tui.cli import run_cli
from genlab_tui.figure import Figure
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunSpec, RunState
from genlab_tui.rundata import RunData
from genlab_tui.safe_io import write_json
from genlab_tui.stats import Summary
from genlab_tui.summary import LoadedRun, SummaryRow
from genlab_tui.text import human_number
from genlab_tui.verdict import ClaimResult, CriterionResult, Grade, Status, Verdict
from screens.compare import CompareScreen
from screens.compared import ComparedRuns
from screens.comparison import Comparison
from screens.overlay import Overlay
from screens.panels.chart import Chart
from screens.panels.table import Table
from screens.summarytable import summary_text
from screens.verdicttable import verdicts_text

OpenApp = Callable[..., Any]
Until = Callable[..., Any]
Keep = Callable[..., str]
Shown = Callable[[App[None]], str]
KINDS = ("-curves", "-figure", "-criteria", "-means", "-settings")
HOSTILE = "[/x]\x1b[31m evil"


def screen_of(pilot: Pilot[None]) -> CompareScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, CompareScreen)
    return screen


async def compared(pilot: Pilot[None], until: Until, *run_ids: str, baseline: str | None = None) -> CompareScreen:
    await until(lambda: len(pilot.app.runs) >= len(run_ids))
    pilot.app.open_compare(*run_ids, baseline=baseline)
    await until(lambda: [run.id for run in screen_of(pilot).found.runs] == list(run_ids))
    await pilot.pause()
    return screen_of(pilot)


def figure_of(pilot: Pilot[None]) -> Figure:
    figure = screen_of(pilot).query_one(Chart).figure
    assert isinstance(figure, Figure)
    return figure


def written(lab: Lab, ending: str) -> list[dict[str, str]]:
    files = [p for p in lab.exports.glob(f"*{ending}.csv") if ending or not p.stem.endswith(KINDS)]
    newest = max(files, key=lambda path: path.stat().st_mtime_ns)
    with newest.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def by_field(pilot: Pilot[None], until: Until, field: str) -> None:
    await pilot.press("g")
    await until(lambda: len(pilot.app.screen_stack) == 2)
    options = pilot.app.screen.query_one(OptionList)
    at = next(i for i in range(options.option_count) if str(options.get_option_at_index(i).prompt).startswith(field))
    options.highlighted = at
    await pilot.press("enter")
    await until(lambda: screen_of(pilot).found.grouping.field.startswith("" if field == "none" else field))
    await until(lambda: bool(screen_of(pilot).found.grouping.field) == (field != "none"))
    await pilot.pause()


async def at_step(pilot: Pilot[None], until: Until, typed: str) -> None:
    await pilot.press("at")
    await until(lambda: len(pilot.app.screen_stack) == 2)
    await pilot.press("ctrl+a", *("delete" for _ in range(8)), *typed, "enter")
    await until(lambda: len(pilot.app.screen_stack) == 1)
    await pilot.pause()


# --- many runs --------------------------------------------------------------------------------------------------------


async def test_thirty_runs_scroll_and_stay_distinct(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown
) -> None:
    ids = [keep_run(f"run {i:02}", regularisers={"dropout": 0.01 * i} if i else {}) for i in range(29)]
    ids.append(keep_run("last"))
    write_json(lab.run(ids[-1]).meta, {"name": HOSTILE})
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        slots = screen.runs.slots_of(screen.found)
        assert len(set(slots.values())) == 30, "no colour with the same marker twice"
        assert "run 00" in shown(pilot.app)
        assert "run 28" not in shown(pilot.app)
        await pilot.press("end")
        assert screen.runs.chosen == ids[-1]
        text = shown(pilot.app)
        assert "evil" in text
        assert "\x1b" not in text
        summary = summary_text(screen.found, 74, screen.overlay)
        assert max(cell_len(line) for line in summary.plain.split("\n")) <= 74
        assert all(f"run {i:02}" in summary.plain for i in range(29))
        await pilot.press("b")
        assert all(line.low is not None for line in figure_of(pilot).lines), "asked for, so many bands are drawn"
        await pilot.press("b")
        assert all(line.low is None for line in figure_of(pilot).lines)
        for view in ("summary", "settings", "verdicts"):
            while screen.overlay.view != view:
                await pilot.press("tab")
            assert "run 01" in shown(pilot.app)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
async def test_groups_at_every_size(
    size: tuple[int, int], keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown
) -> None:
    ids = [keep_run(f"run {i}", regularisers={"weight-decay": 10.0**-i} if i else {}) for i in range(4)]
    async with open_app(size=size, start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await by_field(pilot, until, "weight decay")
        text = shown(pilot.app)
        assert "wd 0.001" in text
        assert "1 run · 3 seeds" in text
        assert len(screen.found.units) == 4


# --- groups -----------------------------------------------------------------------------------------------------------


async def test_groups_pool_and_none_takes_them_apart(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown, toasts: Shown
) -> None:
    ids = [keep_run("one"), keep_run("two", first_seed=3)]
    ids += [keep_run("three", regularisers={"dropout": 0.5}), keep_run("four", regularisers={"dropout": 0.5})]
    with lab.run(ids[3]).events.open("ab") as file:
        file.write(ev.encode(ev.Change(regulariser="dropout", strength=0.1, step=12)) + b"\n")
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await by_field(pilot, until, "dropout")
        assert [unit.id for unit in screen.found.units] == ["0", "0.5"]
        text = shown(pilot.app)
        assert "2 runs · 6 seeds" in text
        assert "1 run · 3 seeds · 1 left out" in text
        assert next(row.value.n for row in screen.found.summary if row.arm == "fast") == 6
        assert "left out, changed in flight: four" in summary_text(screen.found, 100, screen.overlay).plain
        assert {line.label.split(" · ")[0] for line in figure_of(pilot).lines} == {"drop 0", "drop 0.5"}
        await pilot.press("down", "asterisk")
        await until(lambda: screen.found.baseline == "0.5")
        assert screen.wanted_baseline == ids[2]
        await pilot.press("y")
        assert f"--baseline {ids[2]} --group-by dropout --values all" in toasts(pilot.app)
        await by_field(pilot, until, "none")
        assert len(screen.found.units) == 4
        assert screen.found.baseline == ids[2], "the baseline stays the run that it was taken from"


async def test_taking_a_group_out_takes_its_runs_out(keep_run: Keep, open_app: OpenApp, until: Until) -> None:
    ids = [keep_run(), keep_run(), keep_run(regularisers={"dropout": 0.5})]
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await by_field(pilot, until, "dropout")
        assert screen.runs.chosen == "0"
        await pilot.press("minus")
        await until(lambda: [run.id for run in screen.found.runs] == ids[2:])
        assert screen.found.grouping.field == "dropout", "one value is a group too"


async def test_nothing_to_group_by_is_said(keep_run: Keep, open_app: OpenApp, until: Until, toasts: Shown) -> None:
    ids = [keep_run("one"), keep_run("two")]
    async with open_app(start="compare") as pilot:
        await compared(pilot, until, *ids)
        await pilot.press("g")
        await until(lambda: "nothing differs" in toasts(pilot.app))
        assert len(pilot.app.screen_stack) == 1


async def test_a_value_against_a_field_of_numbers(
    keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown
) -> None:
    ids = [keep_run(regularisers={"weight-decay": 10.0**-i} if i else {}) for i in range(4)]
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        assert "field" not in screen.overlay.views(screen.found)
        await by_field(pilot, until, "weight decay")
        while screen.overlay.view != "field":
            await pilot.press("tab")
        assert "test accuracy against weight decay" in shown(pilot.app)
        figure = figure_of(pilot)
        assert figure.log_x
        assert [line.x for line in figure.lines] == [(0.001, 0.01, 0.1)]
        await pilot.press("L", "L")
        assert not figure_of(pilot).log_x
        first = figure_of(pilot).title
        await pilot.press("m")
        assert figure_of(pilot).title != first
        await by_field(pilot, until, "none")
        assert screen.overlay.view == "curves", "without groups there is nothing along the axis"


# --- values -----------------------------------------------------------------------------------------------------------


async def test_values_at_a_step_say_at_which(
    keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown, toasts: Shown
) -> None:
    ids = [keep_run("one"), keep_run("short", steps=20)]
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await at_step(pilot, until, "20")
        await until(lambda: screen.found.selection.at == 20)
        await until(lambda: "at step 20: measured at 19 to 20" in shown(pilot.app))
        assert screen.overlay.view == "summary"
        assert "values: at" in shown(pilot.app)
        for typed in ("x", "-3", "inf"):
            await at_step(pilot, until, typed)
            await until(lambda typed=typed: f"{typed} is no step" in toasts(pilot.app))  # type: ignore[misc]
        assert screen.overlay.at == 20
        kinds = []
        for _ in range(5):
            await pilot.press("n")
            kinds.append(screen.overlay.values)
        assert kinds == ["all", "measured", "final", "best", "at"]
        await at_step(pilot, until, "")
        await until(lambda: screen.found.selection.at is None)
        assert screen.overlay.values == "all"
        assert "measured at" not in shown(pilot.app)
        await pilot.press("at", "escape")
        assert screen.overlay.at is None


# --- differences ------------------------------------------------------------------------------------------------------


async def test_a_fork_of_a_running_run_shows_its_difference_as_it_grows(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown
) -> None:
    source = keep_run("source", "running", steps=20)
    fork = keep_run("fork", "running", steps=0, regularisers={"dropout": 0.5}, parent=source)
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, source, fork, baseline=source)
        assert screen.found.baseline == source
        await pilot.press("tab")
        assert screen.overlay.view == "difference"
        assert figure_of(pilot).lines == ()
        with lab.run(fork).events.open("ab") as file:
            for step in range(8):
                line = ev.Curve(cohort="slow", metric="test_accuracy", step=step, values=(0.5, 0.6, 0.7))
                file.write(ev.encode(line) + b"\n")
        await until(lambda: figure_of(pilot).lines)
        (line,) = figure_of(pilot).lines
        assert len(line.x) == 8
        assert line.low is not None
        assert figure_of(pilot).references[0].value == 0.0
        assert "difference to source" in shown(pilot.app)
        kept = screen._kept[source].run
        with lab.run(fork).events.open("ab") as file:
            more = ev.Curve(cohort="slow", metric="test_accuracy", step=8, values=(0.5, 0.6, 0.7))
            file.write(ev.encode(more) + b"\n")
        await until(lambda: len(figure_of(pilot).lines[0].x) == 9)
        assert screen._kept[source].run is kept, "a run without news is not worked out again"


async def test_the_cursor_reads_values_and_leaves_first(
    keep_run: Keep, open_app: OpenApp, until: Until, shown: Shown
) -> None:
    ids = [keep_run("one"), keep_run("two")]
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await pilot.press("c")
        first, arm = screen.cursor, screen.overlay.arm
        assert first is not None
        await pilot.press("right", "right")
        assert screen.cursor is not None
        assert screen.cursor > first
        assert screen.overlay.arm == arm
        await pilot.press("left", "left")
        assert screen.cursor == pytest.approx(first)
        await pilot.press("escape")
        assert screen.cursor is None
        assert pilot.app.current_mode == "compare"


# --- taking it along --------------------------------------------------------------------------------------------------


def rows_of(rows: list[dict[str, str]]) -> tuple[SummaryRow, ...]:
    """Make the rows of a summary again from a file."""

    def number(text: str) -> float:
        return float(text) if text else math.nan

    def delta(row: dict[str, str], prefix: str) -> Summary | None:
        if not row[f"{prefix}delta_n"]:
            return None
        parts = [number(row[f"{prefix}delta{end}"]) for end in ("", "_sd", "_low", "_high")]
        return Summary(int(row[f"{prefix}delta_n"]), *parts, math.nan, math.nan)

    found = []
    for row in rows:
        value = Summary(int(row["n"]), number(row["mean"]), number(row["sd"]), *(math.nan,) * 4)
        steps = (number(row["measured_from"]), number(row["measured_to"])) if row["at_step"] else None
        unit = row["group"] or row["run"]
        found.append(
            SummaryRow(
                unit,
                row["arm"],
                {"fast": "fast learner", "slow": "slow learner"}[row["arm"]],
                row["measure"],
                value,
                (),
                row["baseline"],
                delta(row, ""),
                row["arm_baseline"],
                delta(row, "arm_"),
                steps=steps,
            )
        )
    return tuple(found)


async def exported(pilot: Pilot[None], until: Until, lab: Lab, count: int) -> None:
    await pilot.press("e")
    await until(lambda: lab.exports.is_dir() and len(list(lab.exports.glob("*-settings.csv"))) == count)
    await until(lambda: not list(lab.exports.glob("*.tmp")))


async def test_what_is_exported_equals_what_is_shown(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, toasts: Shown
) -> None:
    ids = [keep_run("one"), keep_run("two", first_seed=1), keep_run("drop", regularisers={"dropout": 0.5})]
    ids.append(keep_run("both", regularisers={"dropout": 0.5, "weight-decay": 0.01}, first_seed=2))
    async with open_app(size=(160, 48), start="compare") as pilot:
        screen = await compared(pilot, until, *ids)

        async def check(count: int) -> None:
            await exported(pilot, until, lab, count)
            found, overlay = screen.found, screen.overlay
            summary = written(lab, "")
            assert summary
            assert {row["group_by"] for row in summary} == {overlay.group_by}
            # Every number of the table, in the form in which it is shown.
            again = dataclasses.replace(found, summary=rows_of(summary))
            plain = [dataclasses.replace(row, higher_is_better=None) for row in found.summary]
            before = dataclasses.replace(found, summary=tuple(plain))
            text = summary_text(before, 1000, overlay).plain
            assert "no such values" not in text
            assert summary_text(again, 1000, overlay).plain == text
            # And exactly.
            exact = {(r.run, r.arm, r.measure): r for r in overlay.rows(found)}
            read = {(r.run, r.arm, r.measure): r for r in rows_of(summary)}
            assert exact.keys() == read.keys()
            for key, row in exact.items():
                other = read[key]
                assert (row.value.n, row.value.mean, row.baseline, row.steps) == (
                    *(other.value.n, other.value.mean, other.baseline, other.steps),
                )
                if row.delta and row.delta.n > 1:
                    assert other.delta is not None
                    assert (row.delta.n, row.delta.mean, row.delta.low, row.delta.high) == (
                        *(other.delta.n, other.delta.mean, other.delta.low, other.delta.high),
                    )

        await check(1)
        await pilot.press("down", "asterisk")
        await until(lambda: screen.found.baseline == ids[1])
        await pilot.press("right")
        await check(2)
        assert {row["arm"] for row in written(lab, "-curves")} == {screen.overlay.arm}
        await at_step(pilot, until, "7")
        await until(lambda: screen.found.selection.at == 7)
        await check(3)
        assert {row["at_step"] for row in written(lab, "")} == {"7.0"}
        await by_field(pilot, until, "dropout")
        await check(4)
        assert {row["group"] for row in written(lab, "")} == {"0", "0.5"}
        await pilot.press("n")
        assert screen.overlay.values == "all"
        await check(5)
        assert "exports" in toasts(pilot.app)


async def test_the_chart_is_exported_as_it_is_drawn(lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until) -> None:
    ids = [keep_run("one"), keep_run("two", first_seed=1), keep_run("drop", regularisers={"dropout": 0.5})]
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await by_field(pilot, until, "dropout")
        await pilot.press("a")
        assert screen.overlay.x == "epoch"
        for count, (view, what) in enumerate((("curves", "mean"), ("difference", "difference")), start=1):
            while screen.overlay.view != view:
                await pilot.press("tab")
            await exported(pilot, until, lab, count)
            rows = [r for r in written(lab, "-means") if r["what"] == what and r["metric"] == screen.overlay.metric]
            assert {row["x_axis"] for row in rows} == {"epoch"}
            lines = figure_of(pilot).lines
            assert lines
            for line in lines:
                group, _, title = line.label.partition(" · ")
                arm = {"fast learner": "fast", "slow learner": "slow"}[title]
                mine = [row for row in rows if row["arm"] == arm and group == f"drop {row['group']}"]
                assert [float(row["x"]) for row in mine] == list(line.x)
                assert [float(row["mean"]) for row in mine] == list(line.y)
                assert line.low is not None
                assert [float(row["low"]) for row in mine] == list(line.low)
                assert [int(row["n"]) for row in mine] == list(line.n or ())


async def test_the_command_line_writes_and_prints_the_same(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [keep_run("one"), keep_run("two", first_seed=1), keep_run("drop", regularisers={"dropout": 0.5})]
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await by_field(pilot, until, "dropout")
        await pilot.press("down", "asterisk", "right", "a")
        await until(lambda: screen.found.baseline == "0.5")
        await at_step(pilot, until, "11")
        await until(lambda: screen.found.selection.at == 11)
        await exported(pilot, until, lab, 1)
        options, command = screen.selection.options(), screen.command
        mean = next(row.value.mean for row in screen.overlay.rows(screen.found))
    capsys.readouterr()
    chosen = f"--baseline {ids[2]} --arm fast --group-by dropout --at 11 --x epoch --values at"
    assert options == chosen.split()
    assert run_cli(["export", *ids, *options, "--csv", str(tmp_path / "same.csv")]) == 0
    for ending in ("", *KINDS):
        mine = tmp_path / f"same{ending}.csv"
        theirs = next(p for p in lab.exports.iterdir() if p.stem.endswith(ending) and (ending or p.stem[-4:] == "more"))
        assert mine.read_bytes() == theirs.read_bytes()
    assert run_cli(shlex.split(command)[1:]) == 0
    printed = capsys.readouterr()
    assert human_number(mean) in printed.out
    assert "★ dropout 0.5" in printed.out
    assert "slow" not in printed.out.split("verdict")[0].split("what differs")[1].split("dropout 0:")[1]
    assert "at step 11" in printed.err


async def test_settings_are_exported_as_they_are_shown(
    lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until
) -> None:
    ids = [keep_run("one"), keep_run("two", regularisers={"dropout": 0.5})]
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await exported(pilot, until, lab, 1)
        rows = written(lab, "-settings")
        for setting in screen.found.settings:
            mine = {r["run"]: r for r in rows if r["setting"] == setting.name}
            assert [mine[i]["value"] if i in mine else "–" for i in ids] == list(setting.values)
            assert {row["differs"] for row in mine.values()} <= {str(setting.differs)}


async def test_the_chart_as_a_picture(lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until) -> None:
    ids = [keep_run(HOSTILE[:4]), keep_run("two")]
    async with open_app(start="compare") as pilot:
        await compared(pilot, until, *ids)
        await pilot.press("P")
        await until(lambda: list(lab.exports.glob("compare*.svg")))
        assert "<svg" in next(lab.exports.glob("compare*.svg")).read_text()


# --- remembered -------------------------------------------------------------------------------------------------------


async def test_the_view_is_remembered_per_lab(lab: Lab, keep_run: Keep, open_app: OpenApp, until: Until) -> None:
    ids = [keep_run("one"), keep_run("two"), keep_run("three", regularisers={"dropout": 0.5})]
    async with open_app(start="compare") as pilot:
        screen = await compared(pilot, until, *ids)
        await by_field(pilot, until, "dropout")
        await pilot.press("down", "asterisk", "right", "a", "l", "o", "i", "tab")
        await until(lambda: screen.found.baseline == "0.5")
        chosen = dataclasses.replace(screen.overlay)
        await until(lambda: json.loads(lab.view.read_text()).get("compare", {}).get("baseline") == ids[2])
        await until(lambda: json.loads(lab.view.read_text())["compare"]["view"]["view"] == "difference")
    async with open_app(start="compare") as pilot:
        screen = screen_of(pilot)
        await until(lambda: [run.id for run in screen.found.runs] == ids)
        assert screen.overlay == chosen
        assert (screen.found.grouping.field, screen.found.baseline) == ("dropout", "0.5")
        other = keep_run("four")
        await until(lambda: len(pilot.app.runs) == 4)
        pilot.app.open_compare(ids[0], other)
        await until(lambda: [run.id for run in screen.found.runs] == [ids[0], other])
        assert (screen.overlay.group_by, screen.overlay.x) == ("", "epoch"), "other runs stand for themselves at first"


@pytest.mark.parametrize(
    "kept",
    [
        7,
        {"runs": "abc", "baseline": 3, "view": []},
        {"runs": [1, None, "zzzzzzzz"], "view": {"view": "x", "at": math.inf, "smooth": "a", "band": 3, "metric": 4}},
    ],
)
async def test_a_spoilt_memory_is_no_harm(kept: object, lab: Lab, open_app: OpenApp, shown: Shown) -> None:
    lab.root.mkdir(parents=True)
    lab.view.write_text(json.dumps({"compare": kept}))
    async with open_app(start="compare") as pilot:
        await pilot.pause()
        assert "nothing to compare yet" in shown(pilot.app)
        assert dataclasses.replace(screen_of(pilot).overlay) == Overlay()


# --- verdicts (pure) --------------------------------------------------------------------------------------------------


def judged(run_id: str, status: Status, expected: str = "", prediction: str = "") -> LoadedRun:
    criterion = CriterionResult("gap", Grade.PASS, 0.9, "≥ 0.5", {"0": 0.9}, published=0.88, published_source="Table 1")
    verdict = Verdict(status, "scope", (ClaimResult("fits noise", True, status, (criterion,)),))
    spec = RunSpec(run_id, "gone", {}, expected=expected, prediction=prediction)
    return LoadedRun(RunRecord(run_id, "gone", RunState.DONE, name=f"run {run_id[0]}"), RunData(spec), verdict)


def comparison(*runs: LoadedRun) -> Comparison:
    from genlab_tui.compare import verdict_rows

    titles = {run.id: run.record.name for run in runs}
    return Comparison(runs=runs, baseline=runs[0].id, titles=titles, verdicts=verdict_rows(runs))


def test_predictions_stand_beside_the_verdict_and_published_numbers_beside_the_measured() -> None:
    right = judged("a" * 8, Status.SHOWN, "SHOWN", "[/x] it will\x1b[2J fit " + "well " * 30)
    wrong, silent = judged("b" * 8, Status.NOT_SHOWN, "SHOWN"), judged("c" * 8, Status.SHOWN)
    text = verdicts_text(comparison(right, wrong, silent), 120).plain
    assert "0.88" in text
    assert "SHOWN ✓ right" in text
    assert "SHOWN ✗ wrong" in text
    assert "run a predicted SHOWN: right" in text
    assert "run b predicted SHOWN: wrong" in text
    assert "[/x] it will fit well" in text
    assert "\x1b" not in text
    assert max(cell_len(line) for line in text.split("\n")) <= 120


def test_a_run_that_goes_on_is_neither_right_nor_wrong() -> None:
    run = judged("a" * 8, Status.SHOWN, "NOT SHOWN")
    for state in (RunState.RUNNING, RunState.STOPPED, RunState.FAILED):
        going = dataclasses.replace(run, record=dataclasses.replace(run.record, state=state))
        text = verdicts_text(comparison(going), 100).plain
        assert "predicted NOT SHOWN" in text
        assert not re.search("right|wrong", text)


def test_an_inconclusive_run_decides_no_other_prediction() -> None:
    text = verdicts_text(comparison(judged("a" * 8, Status.INCONCLUSIVE, "SHOWN")), 120).plain
    assert "SHOWN ? undecided" in text
    assert "run a predicted SHOWN: undecided" in text


@pytest.mark.parametrize("width", [56, 76, 120])
def test_verdicts_of_many_runs_have_a_line_each(width: int) -> None:
    runs = [judged(f"{i:08x}", Status.SHOWN, "SHOWN" if i % 2 else "") for i in range(30)]
    named = [
        dataclasses.replace(r, record=dataclasses.replace(r.record, name=f"run {i:02}")) for i, r in enumerate(runs)
    ]
    lines = verdicts_text(comparison(*named), width).plain.split("\n")
    assert max(map(cell_len, lines)) <= width
    assert all(any(line.startswith(f"run {i:02}") and "✓" in line for line in lines) for i in range(30))


def test_keys_of_the_list_leave_g_to_the_screen() -> None:
    bindings = ComparedRuns._merge_bindings().key_to_bindings
    assert [b.action for b in bindings["g"]] == ["screen.group"]
    assert [b.action for b in bindings["home"]] == ["edge(-1)"]
    assert issubclass(ComparedRuns, Table)
    assert not hasattr(Table, "_key_at"), "Textual would call it for the key @"
