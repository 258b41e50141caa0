"""Reads the events of a run while it writes them: incremental, tolerant of any cut, bounded in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from genlab_tui import events as ev
from genlab_tui import phenomena
from genlab_tui.errors import GenlabError, NotFound
from genlab_tui.paths import RunDir
from genlab_tui.phenomenon import Arm, Phenomenon
from genlab_tui.record import attempt_of
from genlab_tui.run import RunSpec, decode
from genlab_tui.rundata import RunData, RunDataBuilder
from genlab_tui.safe_io import read_json
from genlab_tui.verdict import Verdict, judge
from genlab_tui.verdict import decode as decode_verdict

CHUNK = 1_000_000
MAX_LINE = 64_000_000
"""Bytes of the longest line that is read; a longer one is skipped."""


class LineTail:
    """Whole lines of a growing file from where the last look ended. A file that shrank or was replaced starts anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.restarted = False
        self._inode = 0

    def read(self, max_bytes: int) -> list[bytes]:
        """Return the whole lines among the next `max_bytes` or so; what follows the last line break waits."""
        self.restarted = False
        try:
            with self.path.open("rb") as file:
                return self._lines(file, max_bytes)
        except FileNotFoundError:
            return []

    def _lines(self, file: BinaryIO, max_bytes: int) -> list[bytes]:
        status = os.fstat(file.fileno())
        if status.st_size < self.offset or (self._inode and status.st_ino != self._inode):
            self.offset, self.restarted = 0, True
        self._inode = status.st_ino
        file.seek(self.offset)
        data = file.read(max_bytes)
        while b"\n" not in data and len(data) < MAX_LINE and (more := file.read(CHUNK)):
            data += more
        end = data.rfind(b"\n") + 1
        if not end:
            if len(data) >= MAX_LINE:
                self.offset += len(data)
            return []
        self.offset += end
        return data[: end - 1].split(b"\n")


class RunReader:
    """Follows one run: `poll` now and then, then `data` and `verdict`.

    Raises NotFound where there is no such run, GenlabError where its specification cannot be read.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self.run_dir = run_dir
        self.spec = read_spec(run_dir)
        try:
            self._phenomenon: Phenomenon | None = phenomena.get(self.spec.phenomenon)
            self.arms: tuple[Arm, ...] = self._phenomenon.arms_of(self.spec)
        except GenlabError:
            self._phenomenon, self.arms = None, ()  # its file is gone: the curves can still be read
        self.builder = RunDataBuilder(self.spec, self.arms)
        self._tail = LineTail(run_dir.events)
        self._data: tuple[int, RunData] | None = None
        self._judged: tuple[object, Verdict | None] | None = None

    def poll(self, max_bytes: int = 4_000_000) -> bool:
        """Take in what was written since the last time, up to `max_bytes`; return whether there was anything new."""
        lines = self._tail.read(max_bytes)
        if self._tail.restarted:
            version = self.builder.version
            self.builder = RunDataBuilder(self.spec, self.arms)
            self.builder.version = version + 1
        before = self.builder.version
        for line in lines:
            event = ev.decode(line)
            if event is not None:
                if self._phenomenon is None and isinstance(event, ev.Cohort):
                    self._meet(event)
                self.builder.feed(event)
        return self._tail.restarted or self.builder.version != before

    def read_all(self) -> None:
        """Take in everything that is there."""
        offset = -1
        while self._tail.offset != offset:
            offset = self._tail.offset
            self.poll()

    def _meet(self, cohort: ev.Cohort) -> None:
        known = {arm.name for arm in self.arms}
        self.arms += tuple(Arm(name) for name in dict.fromkeys(a for a, _ in cohort.members) if name not in known)
        self.builder.arms = self.arms

    def data(self) -> RunData:
        """Return what is known now; the same object as long as nothing is new."""
        if self._data is None or self._data[0] != self.builder.version:
            self._data = (self.builder.version, self.builder.snapshot())
        return self._data[1]

    def verdict(self) -> Verdict | None:
        """Return the verdict that the worker wrote, else what the data say so far; None without its phenomenon."""
        stamp = _stamp(self.run_dir.result)
        key = (self.builder.version, stamp)
        if self._judged is None or self._judged[0] != key:
            self._judged = (key, self._stored_verdict() or self._live_verdict())
        return self._judged[1]

    def _stored_verdict(self) -> Verdict | None:
        result = read_json(self.run_dir.result)
        if result is None or result.get("attempt") != attempt_of(self.run_dir):
            return None
        try:
            return decode_verdict(result["verdict"])
        except (KeyError, msgspec.ValidationError):
            return None

    def _live_verdict(self) -> Verdict | None:
        if self._phenomenon is None:
            return None
        try:
            return judge(self._phenomenon, self.spec, self.data())
        except Exception:  # noqa: BLE001 - a criterion that cannot bear half of the data must not take a screen down
            return None


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def read_spec(run_dir: RunDir) -> RunSpec:
    """Return the specification of a run. Raises NotFound or GenlabError."""
    document = read_json(run_dir.spec)
    if document is None:
        if run_dir.path.is_dir():
            raise GenlabError(f"the specification of run {run_dir.id} cannot be read")
        raise NotFound(f"there is no run {run_dir.id!r}")
    return decode(RunSpec, document)


def load_run(run_dir: RunDir) -> RunData:
    """Return everything that a run has written. Raises NotFound or GenlabError."""
    reader = RunReader(run_dir)
    reader.read_all()
    return reader.data()


def iter_events(path: Path) -> Iterator[ev.AnyEvent]:
    """Yield the events of a file in order, with every attempt in it; what cannot be read is skipped."""
    tail, offset = LineTail(path), -1
    while tail.offset != offset:
        offset = tail.offset
        for line in tail.read(CHUNK):
            event = ev.decode(line)
            if event is not None:
                yield event
