"""The index of runs: TinyDB over a storage that survives kills and concurrent writers.

An index, not the truth: the run directories are, and `rebuild` makes the index from them. Each document is a RunRecord
without its defaults, 200 to 400 bytes, so that ten thousand of them are read and written in a few hundredths of a
second. Every change is read-modify-write under one file lock and lands by an atomic rename; readers need no lock.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from tinydb import TinyDB
from tinydb.table import Document

from genlab_tui.errors import LabUnusable
from genlab_tui.paths import RUN_ID, Lab
from genlab_tui.record import IDENTITY_DIGITS, record_of, six_digits
from genlab_tui.run import RunId, RunRecord
from genlab_tui.safe_io import file_lock, make_private_dir, sweep_temps
from genlab_tui.storage import CorruptStore, SafeStorage, Tables

TABLE = "runs"

_DEFAULTS = {
    f.name: f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default
    for f in dataclasses.fields(RunRecord)
}
_DECODER = msgspec.json.Decoder(RunRecord)


class RunStore:
    """The index of one lab. Safe for threads and processes."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        make_private_dir(lab.root)
        make_private_dir(lab.runs)
        self._mutex = threading.RLock()
        self._depth = 0
        self._db = TinyDB(lab.store, storage=SafeStorage)
        self._table = self._db.table(TABLE, cache_size=0)  # a query cache would not see other processes' writes
        self._read_at: Tables | None = None
        self._documents: dict[str, tuple[msgspec.Raw, RunRecord]] = {}
        self._records: dict[RunId, RunRecord] = {}
        if any(lab.root.glob(".*.tmp")):
            with self.locked():
                sweep_temps(lab.root)

    @property
    def _storage(self) -> SafeStorage:
        storage = self._db.storage
        assert isinstance(storage, SafeStorage)
        return storage

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the index against other threads and processes; re-entrant. Raises LabUnusable."""
        with self._mutex:
            if self._depth:
                yield
                return
            with file_lock(self.lab.store_lock):
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1

    def signature(self) -> object:
        """Return a value that changes whenever the index does."""
        return self._storage.signature()

    def records(self) -> Mapping[RunId, RunRecord]:
        """Return every run by id (not to be changed). Cheap where nothing changed on disk.

        A document that is no record is left out. A corrupt file is moved aside and rebuilt. Raises LabUnusable.
        """
        with self._mutex:
            try:
                tables = self._storage.read()
            except CorruptStore:
                self._repair()
                tables = self._storage.read()
            if tables is not self._read_at:
                self._load(tables.get(TABLE, {}))
                self._read_at = tables
            return self._records

    def _load(self, table: Mapping[str, msgspec.Raw]) -> None:
        documents = {}
        for key, raw in table.items():
            known = self._documents.get(key)
            if known is None or bytes(known[0]) != bytes(raw):
                try:
                    known = raw, _DECODER.decode(raw)
                except msgspec.MsgspecError:
                    continue  # not a record of ours; the run's directory will give a better one
            documents[key] = known
        self._documents = documents
        self._records = {record.id: record for _, record in documents.values()}

    def get(self, run_id: RunId) -> RunRecord | None:
        """Return the record of a run, or None."""
        return self.records().get(run_id)

    def update(
        self,
        change: Callable[[Mapping[RunId, RunRecord]], Iterable[RunRecord]],
        remove: Iterable[RunId] = (),
    ) -> bool:
        """Read, change and write under the lock; return whether anything was written.

        `change` gets the records as they are now and returns those to put. Fields of a document that this version does
        not know stay. Raises LabUnusable.
        """
        with self.locked():
            current = self.records()
            puts = {r.id: document for r in change(current) if (document := self._document(r)) is not None}
            gone = [run_id for run_id in remove if run_id in current]
            if not puts and not gone:
                return False
            replaced = [_doc_id(run_id) for run_id in (*puts, *gone) if self._stored(run_id) is not None]
            try:
                with self._storage.batch():
                    self._table.remove(doc_ids=replaced)
                    self._table.insert_multiple(Document(d, doc_id=_doc_id(run_id)) for run_id, d in puts.items())
            except OSError as error:
                raise LabUnusable(f"cannot write {self.lab.store}: {error.strerror}", "free some space") from error
            return True

    def _stored(self, run_id: RunId) -> dict[str, Any] | None:
        raw = self._storage.read().get(TABLE, {}).get(str(_doc_id(run_id)))
        if raw is None:
            return None
        value = msgspec.json.decode(raw)
        return value if isinstance(value, dict) else {}

    def _document(self, record: RunRecord) -> dict[str, Any] | None:
        """Return the document that a record makes of the stored one, or None where that says the same already."""
        stored = self._stored(record.id)
        kept = {key: value for key, value in (stored or {}).items() if key not in _DEFAULTS}
        document = _document(record) | kept
        return document if document != stored else None

    def put(self, *records: RunRecord) -> bool:
        """Insert or replace records; return whether anything was written."""
        return self.update(lambda _: records)

    def _repair(self) -> None:
        with self.locked():
            try:
                self._storage.read()
            except CorruptStore:
                aside = self.lab.store.with_name(f"{self.lab.store.name}.corrupt-{time.strftime('%Y%m%d-%H%M%S')}")
                self.lab.store.replace(aside)
                self._write_all(_scan(self.lab))

    def rebuild(self) -> int:
        """Make the index anew from the run directories; return how many runs it has.

        A run that has not ended comes out as queued or starting: who lists runs next puts its true state.
        """
        with self.locked():
            records = _scan(self.lab)
            try:
                self._write_all(records)
            except CorruptStore:
                self._repair()
            return len(records)

    def _write_all(self, records: list[RunRecord]) -> None:
        with self._storage.batch():
            self._table.truncate()
            self._table.insert_multiple(Document(_document(r), doc_id=_doc_id(r.id)) for r in records)


@cache
def _open(root: Path) -> RunStore:
    return RunStore(Lab(root))


def open_store(lab: Lab) -> RunStore:
    """Return this process's index of a lab; raises LabUnusable where the lab cannot be created, read or written."""
    if not lab.runs.is_dir() or not os.access(lab.root, os.W_OK | os.X_OK):
        make_private_dir(lab.root)
        make_private_dir(lab.runs)
    return _open(lab.root)


def rebuild(lab: Lab) -> int:
    """Make the index of a lab anew from its run directories; return how many runs it has."""
    return open_store(lab).rebuild()


def run_ids(lab: Lab) -> set[RunId]:
    """Return the ids of all run directories."""
    with os.scandir(lab.runs) as entries:
        return {entry.name for entry in entries if RUN_ID.fullmatch(entry.name)}


def _scan(lab: Lab) -> list[RunRecord]:
    records = (record_of(lab.run(run_id)) for run_id in sorted(run_ids(lab)))
    return [record for record in records if record]


def _doc_id(run_id: RunId) -> int:
    return int(run_id, 16)


def _document(record: RunRecord) -> dict[str, Any]:
    """A record as it is stored: no defaults, times to the millisecond, headlines to six digits, a short identity."""
    full = msgspec.to_builtins(dataclasses.replace(record, tags=()))
    document: dict[str, Any] = {key: value for key, value in full.items() if value != _DEFAULTS[key]}
    for key in ("created", "started", "ended"):
        if key in document:
            document[key] = round(document[key], 3)
    if "headline" in document:
        document["headline"] = six_digits(document["headline"])
    if "identity" in document:
        document["identity"] = document["identity"][:IDENTITY_DIGITS]
    document.pop("tags", None)
    if record.tags:
        document["tags"] = list(record.tags)
    return document
