"""ctrl+r writes the report of what is shown, selected or compared, and says where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.app import App

from genlab_tui.paths import Lab
from screens.palette import GenlabCommands

KeepRun = Callable[..., str]
HOSTILE = "<script>x</script> [/x] \x1b[31mred"


def written(lab: Lab) -> list[Path]:
    """Return the reports that are there, none of them half."""
    found = sorted(lab.exports.glob("[!.]*-report*")) if lab.exports.is_dir() else []
    return found if {file.suffix for file in found} == {".md", ".html"} else []


@pytest.mark.parametrize("start", ["runs", "live"])
async def test_ctrl_r_reports_on_the_run_at_hand(start, lab: Lab, open_app, keep_run: KeepRun, until, toasts) -> None:
    run_id = keep_run(HOSTILE)
    async with open_app(start=start) as pilot:
        await until(lambda: pilot.app.runs)
        await pilot.pause(0.2)
        await pilot.press("ctrl+r")
        await until(lambda: written(lab) and "report written" in toasts(pilot.app))
    page, text = written(lab)
    assert run_id in page.stem
    assert page.stem == text.stem
    assert "&lt;script&gt;x&lt;/script&gt; [/x] red" in page.read_text()
    for file in (page, text):
        assert "<script" not in file.read_text()
        assert "\x1b" not in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
    assert page.name in toasts(pilot.app).replace("\n", "")


async def test_the_selected_runs_share_a_report_and_the_next_one_has_another_name(
    lab: Lab, open_app, keep_run: KeepRun, until
) -> None:
    ids = [keep_run(f"run {i}") for i in range(3)]
    async with open_app((120, 36), "runs") as pilot:
        await until(lambda: len(pilot.app.runs) == 3)
        await pilot.pause(0.2)
        await pilot.press("A", "ctrl+r")
        await until(lambda: written(lab))
        await until(lambda: len(written(lab)) == 2)
        text = next(file for file in written(lab) if file.suffix == ".md").read_text()
        assert all(run_id in text for run_id in ids)
        assert "paired differences" in text
        await pilot.press("ctrl+r")
        await until(lambda: len(written(lab)) == 4)


async def test_compare_reports_on_the_compared_runs(lab: Lab, open_app, keep_run: KeepRun, until) -> None:
    first, second = keep_run("one"), keep_run("two")
    async with open_app((120, 36), "compare") as pilot:
        await until(lambda: len(pilot.app.runs) == 2)
        pilot.app.open_compare(first, second, baseline=second)
        await until(lambda: len(pilot.app.screen.found.runs) == 2)
        await pilot.press("ctrl+r")
        await until(lambda: written(lab))
    text = next(file for file in written(lab) if file.suffix == ".md").read_text()
    assert f"★ two {second[:4]}" in text


@pytest.mark.parametrize("start", ["runs", "live", "compare"])
async def test_without_a_run_it_says_so(start: str, lab: Lab, open_app, until, toasts) -> None:
    async with open_app((60, 20), start) as pilot:
        await pilot.press("ctrl+r")
        await until(lambda: "no run to report on" in toasts(pilot.app))
    assert not lab.exports.exists()


async def test_the_palette_has_it(open_app, keep_run: KeepRun, until) -> None:
    keep_run()
    async with open_app(start="runs") as pilot:
        await until(lambda: pilot.app.runs)
        app: App[None] = pilot.app
        names = [command.name for command in GenlabCommands(app.screen)._commands()]
        assert any(name.startswith("report") for name in names)
