"""What the screen tests share: a lab, the toy phenomenon in the catalogue (here and in workers), an app to drive."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from genlab_tui import events as ev
from genlab_tui import phenomena, verdict
from genlab_tui.app import GenlabApp
from genlab_tui.paths import Lab, lab_home
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunMeta, RunSpec, boot_id, encode, host_name, new_run_id
from genlab_tui.rundata import RunDataBuilder
from genlab_tui.safe_io import make_private_dir, try_flock, write_json
from jobs.keeper import process_start

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
def toasts(monkeypatch: pytest.MonkeyPatch) -> Callable[[App[None]], str]:
    """Return the text of all toasts of the app so far, also of those that gave way to a newer one."""
    said: list[tuple[App[Any], str]] = []
    notify = App.notify

    def recorded(self: App[Any], message: str, *, title: str = "", **options: Any) -> None:
        said.append((self, f"{title}: {message}"))
        notify(self, message, title=title, **options)

    monkeypatch.setattr(App, "notify", recorded)

    def text(app: App[None]) -> str:
        return "\n".join(words for teller, words in said if teller is app)

    return text


@pytest.fixture
def keep_run(lab: Lab, toys: Path) -> Iterator[Callable[..., str]]:
    """Write a toy run into the lab as its worker and keeper would have left it; returns its id.

    `state` is how it ended; `running` leaves it at work (the test holds its keeper's lock). `steps` are written of 40.
    """
    held: list[int] = []

    def write(
        name: str = "",
        state: str = "done",
        *,
        steps: int = 40,
        regularisers: dict[str, float] | None = None,
        **spec: Any,
    ) -> str:
        toy = phenomena.get("toy")
        config = toy.make_config("quick", {"steps": 40, "seconds": 0.0})
        created = time.time() - 60
        asked = RunSpec(new_run_id(), "toy", config_values(config), regularisers=regularisers or {}, created=created)
        asked = dataclasses.replace(asked, **spec)
        folder = lab.run(asked.id)
        make_private_dir(folder.path)
        attempt = {"attempt": 1}
        write_json(folder.spec, encode(asked))
        write_json(folder.meta, encode(RunMeta(name=name)))
        write_json(folder.queue, attempt | {"order": created, "held": False, "cancelled": False})
        here = {"host": host_name(), "boot_id": boot_id(), "slot": "cpu-0", "device": "cpu", "started": created + 1}
        process = {"pid": os.getpid(), "start": process_start(os.getpid())}
        write_json(folder.pid, attempt | here | {"keeper": process, "worker": process})
        builder = RunDataBuilder(asked, toy.arms_of(asked))
        with folder.events.open("wb") as file:
            for event in toy_events(asked, steps):
                file.write(ev.encode(event) + b"\n")
                builder.feed(event)
        if state == "running":
            lock = try_flock(folder.keeper_lock)
            assert lock is not None
            held.append(lock)
        else:
            judged = verdict.encode(verdict.judge(toy, asked, builder.snapshot()))
            headline = {"test_accuracy": 0.5}
            write_json(folder.result, attempt | {"schema": 1, "summary": {}, "verdict": judged, "headline": headline})
            write_json(folder.exit, attempt | {"state": state, "code": 0, "reason": "", "ended": created + 30})
        return asked.id

    yield write
    for lock in held:
        os.close(lock)


def toy_events(spec: RunSpec, steps: int) -> Iterator[ev.AnyEvent]:
    """Yield what two arms of the toy report: a curve each, and their measures once all 40 steps are there."""
    yield ev.Begin(time=spec.created, device="cpu")
    for arm, rate in (("fast", 2.0), ("slow", 1.0)):
        yield ev.Cohort(id=arm, members=tuple((arm, seed) for seed in spec.seed_list))
        ends = [1 - 1 / (1 + rate * (step + 1) / 10) for step in range(steps)]
        for step, level in enumerate(ends):
            values = ev.to_values(level + 0.01 * seed for seed in spec.seed_list)
            yield ev.Curve(
                cohort=arm, metric="test_accuracy", step=step, epoch=step / 10, seconds=step / 5, values=values
            )
        if steps == 40:
            values = ev.to_values(ends[-1] + 0.01 * seed for seed in spec.seed_list)
            yield ev.Measure(cohort=arm, name="test_accuracy", values=values)
