"""What the screen tests share: a lab, the toy phenomenon in the catalogue (here and in workers), an app to drive."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from genlab_tui import phenomena
from genlab_tui.app import GenlabApp
from genlab_tui.paths import Lab, lab_home
from genlab_tui.safe_io import make_private_dir, try_flock

TOYS = Path(__file__).parent.parent / "data" / "phenomena"

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def lab() -> Lab:
    """An empty lab under the test's own directory."""
    return lab_home()


@pytest.fixture
def add_phenomena(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Put a folder of phenomena into the catalogue, as `GENLAB_PHENOMENA` does at the start of a process."""

    def forget() -> None:
        for cached in (phenomena.catalogue, phenomena.broken, phenomena._scan):
            cached.cache_clear()

    def add(folder: Path) -> None:
        monkeypatch.setenv("GENLAB_PHENOMENA", str(folder))
        monkeypatch.setattr(phenomena, "__path__", [*phenomena.__path__, str(folder)])
        forget()

    yield add
    monkeypatch.undo()
    forget()


@pytest.fixture
def toys(add_phenomena: Callable[[Path], None]) -> Path:
    """The toy phenomenon, in the catalogue and for the workers."""
    add_phenomena(TOYS)
    return TOYS


@pytest.fixture
def queue_held(lab: Lab) -> Iterator[None]:
    """Nobody starts queued runs: the test itself holds the lock of the drain."""
    make_private_dir(lab.root)
    held = try_flock(lab.queue_lock)
    assert held is not None
    yield
    os.close(held)


@pytest.fixture
def open_app(lab: Lab) -> OpenApp:
    """Open the app on the lab: `async with open_app(size=(80, 24)) as pilot`."""

    @asynccontextmanager
    async def opened(size: tuple[int, int] = (80, 24), start: str = "lab") -> AsyncIterator[Pilot[None]]:
        app = GenlabApp(lab, start)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield pilot

    return opened


@pytest.fixture
def until() -> Until:
    """Wait until something holds: `await until(lambda: app.runs)`; at most 15 seconds."""

    async def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 15
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            await asyncio.sleep(0.02)

    return wait


@pytest.fixture
def shown() -> Callable[[App[None]], str]:
    """Return what a terminal would show, line by line."""

    def text(app: App[None]) -> str:
        return "\n".join(strip.text for strip in app.screen._compositor.render_strips())

    return text


@pytest.fixture
def toasts() -> Callable[[App[None]], str]:
    """Return the text of all toasts of the app so far."""

    def text(app: App[None]) -> str:
        return "\n".join(f"{note.title}: {note.message}" for note in app._notifications)

    return text
