"""Real processes: a lab with the toy phenomenon, short graces, and nothing left running afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunState
from genlab_tui.safe_io import is_locked, read_json
from jobs import runs
from jobs.index import list_now, reconciled
from jobs.keeper import process_start
from jobs.request import build_spec


@pytest.fixture(autouse=True)
def _toy(toy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here has the toy, one CPU slot and two seconds of grace."""
    monkeypatch.setenv("GENLAB_CPU_SLOTS", "1")
    monkeypatch.setenv("GENLAB_GRACE", "2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


class Bench:
    """A lab under test, with what tests do to it over and over."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def submit(self, preset: str = "instant", *, name: str = "", held: bool = False, **values: Any) -> str:
        """Queue a toy run and return its id."""
        spec = build_spec("toy", lab=self.lab, preset=preset, values=values, device="cpu")
        return runs.submit(self.lab, spec, name=name, held=held).id

    def see(self, run_id: str) -> RunRecord:
        """Return a run as the facts say, without touching the index or waking anything."""
        return reconciled(self.lab, run_id)

    def until(self, what: Callable[[], Any], seconds: float = 20.0, why: str = "") -> Any:
        """Wait for something to be true and return it."""
        end = time.monotonic() + seconds
        while not (found := what()):
            if time.monotonic() > end:
                states = {r.id: (str(r.state), r.reason) for r in list_now(self.lab)}
                drain = self.lab.drain_log.read_text() if self.lab.drain_log.exists() else ""
                pytest.fail(f"waited {seconds} s in vain {why}: {states}\n{drain}")
            time.sleep(0.01)
        return found

    def until_state(self, run_id: str, *states: str, seconds: float = 20.0) -> RunRecord:
        """Wait until a run is in one of some states."""

        def reached() -> RunRecord | None:
            record = self.see(run_id)
            return record if record.state in states else None

        found: RunRecord = self.until(reached, seconds, f"for {run_id} to be {states}")
        return found

    def until_step(self, run_id: str, step: int, stage: str = "fast") -> None:
        """Wait until a run has written a curve point of a step."""
        mark, line = f'"step":{step},'.encode(), f'"stage":"{stage}"'.encode()
        events = self.lab.run(run_id).events

        def there() -> bool:
            return events.exists() and any(mark in x and line in x for x in events.read_bytes().split(b"\n"))

        self.until(there, why=f"for {run_id} to come to step {step}")

    def pid(self, run_id: str, who: str) -> int:
        """Return the pid of the keeper or the worker of a run, which must live."""
        recorded = self.until(lambda: (read_json(self.lab.run(run_id).pid) or {}).get(who))
        assert process_start(recorded["pid"]) == recorded["start"]
        return int(recorded["pid"])

    def until_quiet(self) -> None:
        """Wait until no drain serves the queue."""
        self.until(lambda: not is_locked(self.lab.queue_lock), why="for the drain to leave")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    lab = Lab(tmp_path / "lab")
    bench = Bench(lab)
    yield bench
    if not lab.runs.is_dir():
        return
    for record in list_now(lab):
        if record.state is RunState.QUEUED:
            with contextlib.suppress(GenlabError):
                runs.cancel(lab, record.id)
    for record in list_now(lab):
        recorded = read_json(lab.run(record.id).pid) or {}
        for who in ("keeper", "worker"):
            process = recorded.get(who) or {}
            if process and process_start(process["pid"]) == process["start"] != "":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process["pid"], signal.SIGKILL)
    bench.until_quiet()
