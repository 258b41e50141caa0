"""A real run, watched from its launch to its verdict: worker, files, reader, thread and screen together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from textual.app import App
from textual.pilot import Pilot

from genlab_tui.paths import Lab
from genlab_tui.run import RunState
from jobs import runs
from jobs.request import build_spec
from screens.live import LiveScreen
from screens.panels.chart import Chart

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Until = Callable[[Callable[[], object]], Awaitable[None]]
Text = Callable[[App[None]], str]

pytestmark = pytest.mark.usefixtures("toys")


async def test_a_real_run_is_watched_to_its_verdict(open_app: OpenApp, lab: Lab, until: Until, shown: Text) -> None:
    async with open_app(start="live") as pilot:
        record = runs.submit(lab, build_spec("toy", lab=lab, values={"steps": 60, "seconds": 3.0}))
        screen = pilot.app.screen
        assert isinstance(screen, LiveScreen)
        pilot.app._poller.wake()
        await until(lambda: screen.ids == (record.id,))

        def points() -> int:
            figure = screen.query(Chart).first().figure
            return len(figure.lines[0].x) if figure and figure.lines else 0

        await until(lambda: points() > 1)
        early = points()
        await until(lambda: points() > early)
        runs.wait(lab, record.id, timeout=30)
        await until(lambda: screen.record and screen.record.state is RunState.DONE)
        await until(lambda: points() == 60 and "✓ fast minus slow" in shown(pilot.app))
        await until(lambda: "no data yet" not in shown(pilot.app))  # charts are drawn in parts
        text = shown(pilot.app)
        assert "✓ done" in text
        assert "SHOWN" in text


async def test_a_run_that_crashes_says_why(open_app: OpenApp, lab: Lab, until: Until, shown: Text) -> None:
    values = {"steps": 20, "seconds": 0.2, "crash": "error", "crash_at": 0.5}
    record = runs.submit(lab, build_spec("toy", lab=lab, values=values))
    runs.wait(lab, record.id, timeout=30)
    async with open_app(start="live") as pilot:
        await until(lambda: "failed" in shown(pilot.app) and "ValueError: the toy was told to fail" in shown(pilot.app))
        assert "R starts it again" in shown(pilot.app)
