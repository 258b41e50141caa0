"""The thread that looks at the lab for the app: runs, progress of the active ones, load of the devices.

It starts after the first paint, so that the index, the locks and the device libraries cost the start nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from genlab_tui.errors import GenlabError
from genlab_tui.events import Progress, decode
from genlab_tui.paths import Lab, RunDir
from genlab_tui.run import RunRecord, RunState

if TYPE_CHECKING:
    from jobs.launcher import Device, QueueEntry

EVERY = 1.0
"""Seconds between two looks at the runs; longer where a look takes long."""
DEVICES_EVERY = 2.0
TAIL = 65_536


@dataclass(frozen=True)
class Snapshot:
    """What one look found; `error` is why the runs could not be read."""

    runs: tuple[RunRecord, ...] = ()
    progress: Mapping[str, Progress] = field(default_factory=dict)
    queue: tuple[QueueEntry, ...] = ()
    devices: tuple[Device, ...] = ()
    error: str = ""


class Poller:
    """Looks at a lab about once a second and delivers a snapshot when something changed.

    `pace` tells how many seconds to leave between two of them because the link is slow.
    """

    def __init__(self, lab: Lab, deliver: Callable[[Snapshot], None], pace: Callable[[], float] = float) -> None:
        self.lab = lab
        self.deliver = deliver
        self.pace = pace
        self.last = Snapshot()
        self._sampled = -DEVICES_EVERY
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._loop, name="poller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Have the thread look now."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread; waits at most two seconds for a look under way."""
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _loop(self) -> None:
        delivered = False
        while not self._stopped:
            self._wake.clear()
            began = time.monotonic()
            try:
                found = self.look()
            except Exception as problem:  # noqa: BLE001 - the thread must live on, and says what is wrong
                found = replace(self.last, error=f"{type(problem).__name__}: {problem}")
            if not self._stopped and (found != self.last or not delivered):
                self.last, delivered = found, True
                self.deliver(found)
            self._wake.wait(max(EVERY, 4 * (time.monotonic() - began), self.pace()))

    def look(self) -> Snapshot:
        """Read runs, progress and (every other second) devices."""
        from jobs import local, runs

        devices, error = self.last.devices, ""
        found, queue = self.last.runs, self.last.queue
        try:
            found = tuple(runs.list_runs(self.lab))
            queue = tuple(local.view(self.lab, list(found)))
        except (GenlabError, OSError) as problem:
            error = str(problem)
        progress = {r.id: p for r in found if r.state.active and (p := last_progress(self.lab.run(r.id)))}
        if time.monotonic() - self._sampled >= DEVICES_EVERY:
            try:
                devices = tuple(local.devices(self.lab))
            except (GenlabError, OSError) as problem:
                error = error or str(problem)
            self._sampled = time.monotonic()
        return Snapshot(found, progress, queue, devices, error)


def last_progress(run: RunDir) -> Progress | None:
    """Return the last progress event near the end of a run's events, or None; reads at most 64 KB."""
    try:
        with run.events.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - TAIL, 0))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    for line in reversed(lines):
        if b'"progress"' in line and isinstance(event := decode(line), Progress):
            return event
    return None


def endings(before: Iterable[RunRecord], after: Iterable[RunRecord], watched: Container[str]) -> list[tuple[str, str]]:
    """Return a line and a severity for every run that ended between two looks, but for the runs being watched."""
    going = {run.id for run in before if not run.state.ended}
    return [
        (
            f"{run.phenomenon} {run.title}: {run.state}" + (f" · {end}" if (end := run.verdict or run.reason) else ""),
            "error" if run.state in (RunState.FAILED, RunState.KILLED, RunState.LOST) else "information",
        )
        for run in after
        if run.id in going and run.state.ended and run.id not in watched
    ]
