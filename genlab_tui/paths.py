"""Every directory and file name of the lab and of a run, in one place.

A lab is one directory: the run index, the locks and one directory per run. A run directory is the only link between
its worker and everyone else, and the truth about the run.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

RUN_ID = re.compile(r"[0-9a-f]{8}")
KEPT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")


@dataclass(frozen=True)
class RunDir:
    """The files of one run (design: 0700, files 0600)."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def spec(self) -> Path:
        """What was asked: immutable, written first."""
        return self.path / "spec.json"

    @property
    def meta(self) -> Path:
        """What the user adds: name, tags, note, colour, trash."""
        return self.path / "meta.json"

    @property
    def queue(self) -> Path:
        """The place in the queue: attempt, order, held, cancelled."""
        return self.path / "queue.json"

    @property
    def keeper_lock(self) -> Path:
        """Held (flock) by the keeper and inherited by the worker for as long as either lives."""
        return self.path / "keeper.lock"

    @property
    def pid(self) -> Path:
        """Who runs it: host, pids, start times, boot id, attempt, slot (by the keeper)."""
        return self.path / "pid.json"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log(self) -> Path:
        """Everything the worker printed."""
        return self.path / "log.txt"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"

    def kept(self, name: str) -> Path:
        """Arrays that a stage keeps for later ones; raises ValueError for anything but a plain name (never a path)."""
        if not KEPT_NAME.fullmatch(name):
            raise ValueError(f"not a name for kept arrays: {name!r}")
        return self.path / f"checkpoint.{name}.safetensors"

    @property
    def control(self) -> Path:
        """Requests to the worker: stop, pause, resume, regulariser changes."""
        return self.path / "control.jsonl"

    @property
    def changed(self) -> Path:
        """An empty file: a regulariser was changed in flight, so that the run is never pooled."""
        return self.path / "changed"

    @property
    def result(self) -> Path:
        """Summary and verdict, by the worker."""
        return self.path / "result.json"

    @property
    def exit(self) -> Path:
        """How the worker ended, by the keeper."""
        return self.path / "exit.json"


@dataclass(frozen=True)
class Lab:
    """The files of a lab."""

    root: Path

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def store(self) -> Path:
        """The index of runs (TinyDB); rebuildable from the run directories."""
        return self.root / "store.json"

    @property
    def store_lock(self) -> Path:
        return self.root / "store.lock"

    @property
    def queue_lock(self) -> Path:
        """Held (flock) by the one drain of this lab."""
        return self.root / "queue.lock"

    @property
    def slots(self) -> Path:
        """One lock file a slot (`cpu-0.lock`, `cuda-0-0.lock`), held like `keeper.lock`."""
        return self.root / "slots"

    @property
    def drain_log(self) -> Path:
        return self.root / "drain.log"

    @property
    def screen_log(self) -> Path:
        """What went wrong in the app itself, with its traceback."""
        return self.root / "screen.log"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def data(self) -> Path:
        """Data sets that were downloaded or built; `GENLAB_DATA` moves them."""
        override = os.environ.get("GENLAB_DATA")
        return Path(override).expanduser().absolute() if override else self.root / "data"

    @property
    def view(self) -> Path:
        """What the screens remember."""
        return self.root / "view.json"

    def run(self, run_id: str) -> RunDir:
        """Return the directory of a run; raises ValueError for anything that is not a run id (never a path)."""
        if not RUN_ID.fullmatch(run_id):
            raise ValueError(f"not a run id: {run_id!r}")
        return RunDir(self.runs / run_id)


def lab_home(explicit: str | os.PathLike[str] | None = None) -> Lab:
    """Return the lab to use: the argument, else `GENLAB_HOME`, else the user's data directory (XDG)."""
    chosen = explicit or os.environ.get("GENLAB_HOME")
    if chosen:
        return Lab(Path(chosen).expanduser().absolute())
    from platformdirs import user_data_path

    return Lab(user_data_path("genlab"))
