"""The index of runs: TinyDB over a storage that survives kills and concurrent writers.

An index, not the truth: the run directories are, and `rebuild` makes the index from them. Each document is a RunRecord
without its defaults, 200 to 400 bytes, so that ten thousand of them are read and written in a few hundredths of a
second. Every change is read-modify-write under one file lock and lands by an atomic rename; readers need no lock.
"""

from __future__ import annotations

import dataclasses
import math
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
from tinydb.storages import Storage
from tinydb.table import Document

from genlab_tui.errors import GenlabError, LabUnusable
from genlab_tui.paths import RUN_ID, Lab, RunDir
from genlab_tui.run import RunId, RunMeta, RunRecord, RunSpec, RunState, decode
from genlab_tui.safe_io import atomic_write, file_lock, make_private_dir, read_json, sweep_temps

TABLE = "runs"
IDENTITY_DIGITS = 16  # of 64: enough to find a twin among runs, and half the size of a document
HEADLINES = 4

_DEFAULTS = {
    f.name: f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default
    for f in dataclasses.fields(RunRecord)
}
_Tables = dict[str, dict[str, msgspec.Raw]]
_DECODER = msgspec.json.Decoder(RunRecord)
_Signature = tuple[int, int, int]


class CorruptStore(Exception):
    """The file of the index is not one; RunStore rebuilds it."""


class SafeStorage(Storage):
    """TinyDB storage: documents stay undecoded JSON until somebody wants one; writes are atomic replacements.

    Inside `batch` writes are gathered and land as one at its end; outside, each lands before `write` returns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._signature: _Signature | None = None
        self._tables: _Tables = {}
        self._batch = False
        self._dirty = False

    def signature(self) -> _Signature | None:
        """Return what tells one state of the file from the next; None where there is no file."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LabUnusable(f"cannot read {self.path}: {error.strerror}", "check its permissions") from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def read(self) -> _Tables:
        """Return the tables; raises CorruptStore or LabUnusable."""
        if self._batch and self._dirty:
            return self._tables
        signature = self.signature()
        if signature is None:
            self._signature, self._tables = None, {}
        elif signature != self._signature:
            try:
                self._tables = msgspec.json.decode(self.path.read_bytes(), type=_Tables)
            except OSError as error:
                raise LabUnusable(f"cannot read {self.path}: {error.strerror}", "check its permissions") from error
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise CorruptStore(str(error)) from error
            self._signature = signature
        return self._tables

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace the tables. Raises OSError, and then forgets what it knew."""
        self._tables = {
            name: {
                key: document if isinstance(document, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(document))
                for key, document in table.items()
            }
            for name, table in data.items()
        }
        self._dirty = True
        if not self._batch:
            self._flush()

    def _flush(self) -> None:
        self._dirty, self._signature = False, None
        atomic_write(self.path, msgspec.json.encode(self._tables))
        self._signature = self.signature()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Gather writes into one. Where the body raises, nothing is written."""
        self._batch = True
        try:
            yield
        except BaseException:
            self._batch, self._dirty, self._signature = False, False, None
            raise
        self._batch = False
        if self._dirty:
            self._flush()


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
        self._read_at: _Tables | None = None
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


def record_of(run: RunDir) -> RunRecord | None:
    """Return the record that the files of a run give, or None where there is no readable specification.

    State and end are those of `exit.json` if it is of the newest attempt; else the run counts as queued or starting.
    """
    document = read_json(run.spec)
    if document is None:
        return None
    try:
        spec = decode(RunSpec, document)
        meta = decode(RunMeta, read_json(run.meta) or {})
    except GenlabError:
        return None
    if spec.id != run.id:
        return None
    return with_files(of_spec(spec, meta), run)


def of_spec(spec: RunSpec, meta: RunMeta) -> RunRecord:
    """Return the record of a run that nobody has started."""
    return RunRecord(
        id=spec.id,
        phenomenon=spec.phenomenon,
        preset=spec.preset,
        data=spec.data,
        device=spec.device,
        seeds=spec.seeds,
        first_seed=spec.first_seed,
        regularisers=spec.regularisers,
        created=spec.created,
        attempt=1,
        identity=spec.identity()[:IDENTITY_DIGITS],
        name=meta.name,
        tags=meta.tags,
        note=meta.note,
        colour=meta.colour,
        trashed=meta.trashed,
    )


def with_files(record: RunRecord, run: RunDir) -> RunRecord:
    """Return a record with what `queue.json`, `pid.json`, `exit.json` and `result.json` say about it."""
    queue, pid = read_json(run.queue) or {}, read_json(run.pid) or {}
    attempt = _number(queue.get("attempt"), int, 1)
    taken = _number(pid.get("attempt"), int, 0)
    ending = read_json(run.exit) or {}
    ended = ending.get("attempt") == attempt == taken and ending.get("state") in _ENDS
    state = RunState(ending["state"]) if ended else RunState.STARTING if taken == attempt else RunState.QUEUED
    changes: dict[str, Any] = {
        "state": state,
        "attempt": attempt,
        "reason": str(ending.get("reason", "")) if ended else "",
        "ended": _number(ending.get("ended"), float, 0.0) if ended else 0.0,
        "started": _number(pid.get("started"), float, 0.0) if taken == attempt else 0.0,
        "held": bool(queue.get("held")) and state is RunState.QUEUED,
        "verdict": "",
        "headline": {},
        "changed": False,
    }
    if taken == attempt and pid.get("device"):
        changes["device"] = str(pid["device"])
    if state is RunState.QUEUED and queue.get("cancelled"):
        changes |= {"state": RunState.STOPPED, "reason": CANCELLED, "held": False}
        changes["ended"] = _number(queue.get("cancelled_at"), float, 0.0)
    result = read_json(run.result) if state is RunState.DONE else None
    if result and result.get("attempt") == attempt:
        verdict, headline = result.get("verdict"), result.get("headline")
        changes["verdict"] = str(verdict.get("status", "")) if isinstance(verdict, dict) else ""
        changes["changed"] = bool(result.get("changed"))
        if isinstance(headline, dict):
            numbers = {str(k): v for k, v in headline.items() if isinstance(v, (int, float)) and math.isfinite(v)}
            changes["headline"] = _six_digits(dict(list(numbers.items())[:HEADLINES]))
    return dataclasses.replace(record, **changes)


CANCELLED = "cancelled before it started"
_ENDS = frozenset(state.value for state in RunState if state.ended)


def _number(value: Any, kind: type[Any], default: Any) -> Any:
    return kind(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def _six_digits(numbers: dict[str, float]) -> dict[str, float]:
    return {key: float(f"{value:.6g}") for key, value in numbers.items()}


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
        document["headline"] = _six_digits(document["headline"])
    if "identity" in document:
        document["identity"] = document["identity"][:IDENTITY_DIGITS]
    document.pop("tags", None)
    if record.tags:
        document["tags"] = list(record.tags)
    return document
