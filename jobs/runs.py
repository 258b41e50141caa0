"""The verbs: what an app or a command can do with runs. Each takes the lab first and raises GenlabError.

A verb checks the facts, writes into the run's directory and updates the index, all under the lock of the index; it
signals no process. Where a run may start because of it, it wakes the drain.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from genlab_tui.errors import BadValue, GenlabError, LabUnusable, NotFound, nearest
from genlab_tui.paths import RUN_ID, Lab, RunDir
from genlab_tui.run import RunId, RunMeta, RunRecord, RunSpec, RunState, check_name, decode, encode, new_run_id
from genlab_tui.safe_io import PRIVATE_DIR, LineWriter, fsync_dir, is_locked, read_json, write_json
from genlab_tui.store import IDENTITY_DIGITS, of_spec, open_store
from genlab_tui.text import clean_text
from jobs import local, tail
from jobs.index import list_now, reconciled

WAIT_POLL = 0.2


def submit(lab: Lab, spec: RunSpec, *, name: str = "", held: bool = False) -> RunRecord:
    """Queue a run and return its record: its directory and its line in the index are on disk by then.

    Raises BadValue for a device that this machine lacks and for a bad name, LabUnusable where it cannot be written.
    """
    if spec.device not in ("auto", "cpu") and spec.device not in {s.device for s in local.all_slots()}:
        known = ", ".join(dict.fromkeys(s.device for s in local.all_slots()))
        raise BadValue(f"this machine has no {spec.device}", f"it has: {known}")
    meta = RunMeta(name=check_name(name))
    store = open_store(lab)
    spec = _make_directory(lab, spec, meta, held)
    record = dataclasses.replace(of_spec(spec, meta), held=held)
    store.put(record)
    if not held:
        local.wake(lab)
    return record


def _make_directory(lab: Lab, spec: RunSpec, meta: RunMeta, held: bool) -> RunSpec:
    """Write a run's directory aside and move it into place whole; a taken id gives way to a fresh one."""
    while lab.run(spec.id).path.exists():
        spec = dataclasses.replace(spec, id=new_run_id())
    target = lab.run(spec.id).path
    temp = RunDir(lab.runs / f".{spec.id}.{os.getpid()}.tmp")
    try:
        temp.path.mkdir(mode=PRIVATE_DIR)
        temp.path.chmod(PRIVATE_DIR)
        write_json(temp.spec, encode(spec))
        write_json(temp.meta, encode(meta))
        write_json(temp.queue, {"attempt": 1, "order": time.time(), "held": held, "cancelled": False})
        temp.path.rename(target)
        fsync_dir(lab.runs)
    except OSError as error:
        shutil.rmtree(temp.path, ignore_errors=True)
        raise _unusable(lab, error) from error
    return spec


def _unusable(lab: Lab, error: OSError) -> LabUnusable:
    return LabUnusable(f"cannot write to {lab.root}: {error.strerror or error}", "free some space, or set GENLAB_HOME")


def list_runs(lab: Lab, *, trashed: bool = False) -> list[RunRecord]:
    """Return the runs, newest first, as they truly are now; the trash with `trashed`, else without it.

    Where a run waits and nobody serves the queue, a drain is started.
    """
    records = list_now(lab)
    if any(r.state is RunState.QUEUED and not r.held for r in records):
        local.wake(lab)
    return [record for record in records if record.trashed == trashed]


def find_run(lab: Lab, text: str) -> RunRecord:
    """Return the run of an id, the beginning of one (2 characters or more), an exact name, or `last`.

    Raises NotFound, also for what fits several.
    """
    records = list_now(lab)
    visible = [r for r in records if not r.trashed]
    if text == "last":
        if not visible:
            raise NotFound("there is no run yet", "start one with `genlab-tui run`")
        return visible[0]
    exact = [r for r in records if r.id == text] or [r for r in visible if text and r.name == text]
    found = exact or [r for r in visible if len(text) >= 2 and r.id.startswith(text.lower())]
    if len(found) == 1:
        return found[0]
    shown = clean_text(text, 80)
    if found:
        raise NotFound(f"{shown!r} fits {len(found)} runs", "one of " + ", ".join(r.id for r in found[:6]))
    known = tuple(word for r in visible[:200] for word in (r.id, r.name) if word)
    raise NotFound(f"there is no run {shown!r}", nearest(text, known) if len(known) <= 12 else "see `genlab-tui ls`")


def _run(lab: Lab, run_id: RunId) -> RunDir:
    if not RUN_ID.fullmatch(run_id) or not lab.run(run_id).path.is_dir():
        raise NotFound(f"there is no run {clean_text(run_id, 80)!r}", "see `genlab-tui ls`")
    return lab.run(run_id)


class _Verb:
    """The frame of a verb on one run: the lock, the true record before, the record after written to the index."""

    def __init__(self, lab: Lab, run_id: RunId) -> None:
        self.lab, self.dir = lab, _run(lab, run_id)
        self._locked = open_store(lab).locked()

    def __enter__(self) -> _Verb:
        self._locked.__enter__()
        try:
            self.record = reconciled(self.lab, self.dir.id)
            self.queue = read_json(self.dir.queue) or {"attempt": 1, "order": self.record.created}
        except BaseException:
            self._locked.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            if error is None:
                open_store(self.lab).put(reconciled(self.lab, self.dir.id))
        finally:
            self._locked.__exit__(None, None, None)
        if isinstance(error, OSError):
            raise _unusable(self.lab, error) from error

    def put_queue(self, **changes: Any) -> None:
        """Change `queue.json`, whose other fields stay."""
        write_json(self.dir.queue, self.queue | changes)

    def ask(self, action: str) -> None:
        """Ask the worker of the present attempt for something."""
        writer = LineWriter(self.dir.control)
        try:
            request = {"attempt": self.queue.get("attempt", 1), "at": round(time.time(), 3), "action": action}
            writer.write(msgspec.json.encode(request), durable=True)
        finally:
            writer.close()

    def wrong(self, what: str, hint: str = "") -> GenlabError:
        return GenlabError(f"run {self.record.title} is {self.record.state}: {what}", hint)


def stop(lab: Lab, run_id: RunId) -> None:
    """Stop a run: a queued one is cancelled, an active one saves where it is and ends (`resume` goes on from there).

    A worker that does not react is told again by its keeper after 30 s, and killed after another 30 s.
    """
    with _Verb(lab, run_id) as verb:
        if verb.record.state is RunState.QUEUED:
            verb.put_queue(cancelled=True, cancelled_at=round(time.time(), 3), held=False)
        elif verb.record.state.active:
            verb.ask("stop")
        else:
            raise verb.wrong("there is nothing to stop")


def cancel(lab: Lab, run_id: RunId) -> None:
    """Cancel a queued run."""
    with _Verb(lab, run_id) as verb:
        if verb.record.state is not RunState.QUEUED:
            raise verb.wrong("only a queued run can be cancelled", "stop it instead" * verb.record.state.active)
        verb.put_queue(cancelled=True, cancelled_at=round(time.time(), 3), held=False)


def pause(lab: Lab, run_id: RunId) -> None:
    """Ask a running run to pause; it keeps its slot."""
    with _Verb(lab, run_id) as verb:
        if verb.record.state not in (RunState.STARTING, RunState.RUNNING):
            hint = "hold it instead" if verb.record.state is RunState.QUEUED else ""
            raise verb.wrong("only a running run can be paused", hint)
        verb.ask("pause")


def resume(lab: Lab, run_id: RunId) -> None:
    """Let a run go on: a paused one, a held one, or one that ended before it was done (see `retry`)."""
    with _Verb(lab, run_id) as verb:
        if verb.record.state.active and verb.record.state is not RunState.STOPPING:
            verb.ask("resume")
        elif verb.record.state is RunState.QUEUED and verb.record.held:
            verb.put_queue(held=False)
        else:
            _again(verb)
    local.wake(lab)


def retry(lab: Lab, run_id: RunId) -> None:
    """Queue another attempt of a run that ended before it was done; finished stages are not computed again."""
    with _Verb(lab, run_id) as verb:
        _again(verb)
    local.wake(lab)


def _again(verb: _Verb) -> None:
    if verb.record.state is RunState.DONE:
        raise verb.wrong("there is nothing left to do", "launch it again to repeat it")
    if not verb.record.state.resumable:
        raise verb.wrong("it has not ended")
    patience = time.monotonic() + 1.0
    while is_locked(verb.dir.keeper_lock):  # its keeper has recorded the end and is on its way out
        if time.monotonic() < patience:
            time.sleep(0.01)
            continue
        raise verb.wrong("a process of its last attempt still runs", "wait for its end, or end it")
    attempt = int(verb.queue.get("attempt", 1)) + 1
    verb.put_queue(attempt=attempt, order=time.time(), held=False, cancelled=False)


def hold(lab: Lab, run_id: RunId) -> None:
    """Keep a queued run from starting until it is released."""
    with _Verb(lab, run_id) as verb:
        if verb.record.state is not RunState.QUEUED:
            raise verb.wrong("only a queued run can be held")
        verb.put_queue(held=True)


def release(lab: Lab, run_id: RunId) -> None:
    """Let a held run start when its turn comes."""
    with _Verb(lab, run_id) as verb:
        if verb.record.state is not RunState.QUEUED:
            raise verb.wrong("only a queued run can be released")
        verb.put_queue(held=False)
    local.wake(lab)


def move(lab: Lab, run_id: RunId, before: RunId | None) -> None:
    """Move a queued run before another queued one, or to the end of the queue with None."""
    with _Verb(lab, run_id) as verb:
        if verb.record.state is not RunState.QUEUED:
            raise verb.wrong("only a queued run can be moved")
        queued = [r for r in list_now(lab) if r.state is RunState.QUEUED and r.id != run_id]
        order = [r.id for r in sorted(queued, key=lambda r: local.queue_order(lab, r))]
        if before is not None and before not in order:
            raise NotFound(f"run {clean_text(before, 80)!r} is not another queued run")
        order.insert(len(order) if before is None else order.index(before), run_id)
        now = time.time()
        for place, other in enumerate(order):
            queue = read_json(lab.run(other).queue) or {"attempt": 1}
            # In the past, so that what is queued from now on comes after.
            write_json(lab.run(other).queue, queue | {"order": now - (len(order) - place) * 1e-3})


def edit(
    lab: Lab,
    run_id: RunId,
    *,
    name: str | None = None,
    tags: Iterable[str] | None = None,
    note: str | None = None,
    colour: str | None = None,
) -> None:
    """Change what a user adds to a run; None leaves a field as it is. Raises BadValue."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = check_name(name)
    if tags is not None:
        changes["tags"] = list(dict.fromkeys(t for tag in tags if (t := clean_text(tag, 40))))
    if note is not None:
        changes["note"] = clean_text(note, 2000)
    if colour is not None:
        changes["colour"] = clean_text(colour, 40)
    with _Verb(lab, run_id) as verb:
        _put_meta(verb, changes)


def trash(lab: Lab, run_id: RunId) -> None:
    """Move a run out of sight. It must not be active; a queued one must be cancelled first."""
    with _Verb(lab, run_id) as verb:
        if not verb.record.state.ended:
            raise verb.wrong("it has not ended", "stop it first")
        _put_meta(verb, {"trashed": True})


def restore(lab: Lab, run_id: RunId) -> None:
    """Take a run out of the trash."""
    with _Verb(lab, run_id) as verb:
        _put_meta(verb, {"trashed": False})


def _put_meta(verb: _Verb, changes: dict[str, Any]) -> None:
    document = (read_json(verb.dir.meta) or {}) | changes
    decode(RunMeta, document)
    write_json(verb.dir.meta, document)


def find_identical(lab: Lab, spec: RunSpec) -> RunRecord | None:
    """Return the newest run with the same identity that is done, queued or active, or None."""
    identity = spec.identity()
    for record in list_now(lab):
        wanted = record.state is RunState.DONE or not record.state.ended
        if wanted and not record.trashed and record.identity == identity[:IDENTITY_DIGITS]:
            with suppress(GenlabError):
                if read_spec(lab, record.id).identity() == identity:
                    return record
    return None


def wait(lab: Lab, run_id: RunId, *, timeout: float | None = None) -> RunRecord:
    """Wait for the end of a run and return its record; after `timeout` seconds, as it is then."""
    _run(lab, run_id)
    until = None if timeout is None else time.monotonic() + timeout
    looked = 0.0
    while True:
        record = reconciled(lab, run_id)
        now = time.monotonic()
        if record.state.ended or (until is not None and now >= until):
            open_store(lab).put(record)
            return record
        if record.state is RunState.QUEUED and not record.held and now - looked >= 2.0:
            looked = now
            local.wake(lab)
        time.sleep(WAIT_POLL)


def read_spec(lab: Lab, run_id: RunId) -> RunSpec:
    """Return the specification of a run. Raises NotFound or GenlabError."""
    return tail.read_spec(_run(lab, run_id))


def read_result(lab: Lab, run_id: RunId) -> dict[str, Any] | None:
    """Return what the worker of the newest attempt wrote as its result, or None."""
    run = _run(lab, run_id)
    result, queue = read_json(run.result), read_json(run.queue) or {}
    return result if result and result.get("attempt") == queue.get("attempt", 1) else None


def run_path(lab: Lab, run_id: RunId) -> Path:
    """Return the directory of a run. Raises NotFound."""
    return _run(lab, run_id).path
