"""Pictures of the screens for the documentation, from a lab that `tour.sh` left.

    python tests/screens/pictures.py OUT/lab docs/screens

Writes every screen and the two dialogs of a run (one is trained for a moment) at 80x24 and 200x60, in the dark and in
the light theme, as SVG that needs no web fonts. The lab is copied first: it stays as it was.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from textual.pilot import Pilot

from genlab_tui.app import GenlabApp
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunState
from jobs import runs
from screens.picture import without_web_fonts

SIZES = ((80, 24), (200, 60))
THEMES = ("dark", "light")
SETTLED = 2.0


async def main(source: Path, out: Path) -> None:
    """Write all pictures of a lab."""
    out.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        for theme in THEMES:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                lab = Lab(Path(folder) / "genlab")
                shutil.copytree(source, lab.root)
                lab.view.unlink(missing_ok=True)
                await _pictures(lab, size, theme, out)


async def _pictures(lab: Lab, size: tuple[int, int], theme: str, out: Path) -> None:
    app = GenlabApp(lab)
    done = [run for run in runs.list_runs(lab) if run.state is RunState.DONE]
    first, fork = _pair(done)
    async with app.run_test(size=size) as pilot:
        app.theme = f"genlab-{theme}"
        await pilot.pause(SETTLED)

        async def keep(name: str) -> None:
            await pilot.pause(SETTLED)
            drawn = without_web_fonts(app.export_screenshot(title="genlab-tui"))
            drawn = drawn.replace(str(lab.root), "~/.local/share/genlab")
            path = out / f"{name}-{size[0]}x{size[1]}-{theme}.svg"
            path.write_text(drawn, encoding="utf-8")
            print(path)

        app.open_lab(first.phenomenon)
        await keep("lab")
        app.open_live(first.id)
        await keep("live")
        await _typed(pilot, "f", "s")
        await keep("fork")
        await _typed(pilot, "escape", "3")
        await keep("runs")
        app.open_compare(first.id, fork.id, baseline=first.id)
        await keep("compare")
        going = runs.submit(lab, runs.read_spec(lab, first.id).anew(first_seed=100)).id
        while not (app.progress.get(going) and app.progress[going].done > 0.1):
            app._poller.wake()
            await pilot.pause(0.5)
        app.open_live(going)
        await pilot.pause(SETTLED)
        await _typed(pilot, "t", "s")
        await keep("toggle")
        await _typed(pilot, "escape")
    runs.stop(lab, going)
    runs.wait(lab, going, timeout=60)
    time.sleep(SETTLED)  # its keeper leaves


def _pair(done: list[RunRecord]) -> tuple[RunRecord, RunRecord]:
    """Return a run and its fork."""
    known = {run.id: run for run in done}
    fork = next(run for run in done if run.parent in known and not run.inherited)
    return known[fork.parent], fork


async def _typed(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause(0.3)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
