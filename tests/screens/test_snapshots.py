"""The screens as text, at two sizes: what changes in them is looked at, then accepted with --accept-snapshots.

pytest tests/screens/test_snapshots.py --accept-snapshots
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.app import App
from textual.pilot import Pilot

from genlab_tui.paths import Lab
from genlab_tui.safe_io import make_private_dir, write_json
from jobs.launcher import Device
from screens.base import MODES
from screens.panels import marks

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Until = Callable[[Callable[[], object]], Awaitable[None]]
Text = Callable[[App[None]], str]
KeepRun = Callable[..., str]

SNAPSHOTS = Path(__file__).parent / "snapshots"
BEGAN = 1_750_000_000.0
"""When the runs of the lab were made."""
NOW = BEGAN + 7200.0
SIZES = ((80, 24), (200, 60))

pytestmark = pytest.mark.usefixtures("toys")


@pytest.fixture
def recorded(lab: Lab, keep_run: KeepRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small lab that is the same every time: ids, times, clock, machine."""
    monkeypatch.setattr("genlab_tui.run.host_name", lambda: "box")
    monkeypatch.setenv("TZ", "UTC")
    for number, (name, state, steps) in enumerate(
        (("first", "done", 40), ("second", "done", 40), ("broken", "failed", 15))
    ):
        keep_run(name, state, steps=steps, id=f"{number + 1}" * 8, created=BEGAN + 600 * number)
    make_private_dir(lab.root)
    write_json(lab.view, {"welcomed": True})
    device = Device("cpu", "2 cores", 1, utilisation=0.25, memory_used=int(3e9), memory_total=int(24e9))
    monkeypatch.setattr("jobs.local.devices", lambda lab: [device])
    monkeypatch.setattr("screens.panels.chrome.short_path", lambda path: "~/lab")
    monkeypatch.setattr(marks, "time", SimpleNamespace(time=lambda: NOW))


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("mode", MODES)
async def test_a_screen_looks_as_it_was_accepted(
    open_app: OpenApp, until: Until, shown: Text, request: pytest.FixtureRequest, mode: str, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as pilot:
        await until(lambda: pilot.app.runs and pilot.app.devices)
        if mode == "compare":
            pilot.app.open_compare("1" * 8, "2" * 8)
        elif mode == "live":
            pilot.app.open_live("1" * 8)
        else:
            pilot.app.show_mode(mode)
        text = await still(pilot, shown)
    file = SNAPSHOTS / f"{mode}-{size[0]}x{size[1]}.txt"
    if request.config.getoption("--accept-snapshots"):
        SNAPSHOTS.mkdir(exist_ok=True)
        file.write_text(text)
    assert file.exists(), f"nobody has accepted {file.name} yet: look at it, then run with --accept-snapshots\n{text}"
    assert text == file.read_text(), "if it is meant to look like that now: --accept-snapshots"


async def still(pilot: Pilot[None], shown: Text) -> str:
    """Return what is shown once nothing changes any more; blanks at the ends of lines left out."""
    looks: list[str] = []
    while len(looks) < 40 and not (len(looks) >= 4 and len(set(looks[-4:])) == 1):
        await pilot.pause(0.2)
        looks.append(shown(pilot.app))
    return "".join(line.rstrip() + "\n" for line in looks[-1].splitlines())
