"""The verbs: what an app or a command can do with runs. Each takes the lab first and raises GenlabError.

A verb checks the facts, writes into the run's directory and updates the index, all under the lock of the index; it
signals no process. Where a run may start because of it, it wakes the drain.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from genlab_tui.errors import BadValue, GenlabError, NotFound, nearest
from genlab_tui.paths import Lab, RunDir
from genlab_tui.record import IDENTITY_DIGITS, attempt_of, of_spec
from genlab_tui.run import RunId, RunMeta, RunRecord, RunSpec, RunState, check_name, encode, new_run_id
from genlab_tui.safe_io import PRIVATE_DIR, fsync_dir, read_json, write_json
from genlab_tui.store import open_store
from genlab_tui.text import clean_text
from jobs import local, tail
from jobs.edits import meta_changes
from jobs.here import check_here
from jobs.index import list_now, reconciled
from jobs.inflight import Pending, change, pending_changes, withdraw
from jobs.verb import Verb, run_dir, unusable

__all__ = [
    "Pending",
    "cancel",
    "change",
    "edit",
    "find_identical",
    "find_run",
    "hold",
    "list_runs",
    "move",
    "pause",
    "pending_changes",
    "read_result",
    "read_spec",
    "release",
    "restore",
    "resume",
    "retry",
    "stop",
    "submit",
    "trash",
    "wait",
    "withdraw",
]

WAIT_POLL = 0.2
MARKS = 64
"""Marks of a user on the curves of a run, at most."""
WAKE_SECONDS = 2.0
"""Seconds between two drains that looking at runs may start: one that cannot start must not be started for ever."""


Fill = Callable[[RunSpec, RunDir], RunSpec]
"""Puts what a run takes over into its directory before it is seen, and returns its specification."""


def submit(lab: Lab, spec: RunSpec, *, name: str = "", held: bool = False, fill: Fill | None = None) -> RunRecord:
    """Queue a run and return its record: its directory and its line in the index are on disk by then.

    Raises BadValue for a device that this machine lacks, for a preset that asks for a GPU where there is none and the
    CPU was not named, and for a bad name; LabUnusable where it cannot be written.
    """
    check_here(spec)
    meta = RunMeta(name=check_name(name))
    store = open_store(lab)
    spec = _make_directory(lab, spec, meta, held, fill)
    record = dataclasses.replace(of_spec(spec, meta), held=held)
    store.put(record)
    if not held:
        local.wake(lab)
    return record


def _make_directory(lab: Lab, spec: RunSpec, meta: RunMeta, held: bool, fill: Fill | None) -> RunSpec:
    """Write a run's directory aside and move it into place whole; a taken id gives way to a fresh one."""
    while lab.run(spec.id).path.exists():
        spec = dataclasses.replace(spec, id=new_run_id())
    target = lab.run(spec.id).path
    temp = RunDir(lab.runs / f".{spec.id}.{os.getpid()}.tmp")
    try:
        temp.path.mkdir(mode=PRIVATE_DIR)
        temp.path.chmod(PRIVATE_DIR)
        spec = fill(spec, temp) if fill else spec
        write_json(temp.spec, encode(spec))
        write_json(temp.meta, encode(meta))
        write_json(temp.queue, {"attempt": 1, "order": time.time(), "held": held, "cancelled": False})
        temp.path.rename(target)
        fsync_dir(lab.runs)
    except BaseException as error:
        shutil.rmtree(temp.path, ignore_errors=True)
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            raise unusable(lab, error) from error
        raise
    return spec


def list_runs(lab: Lab, *, trashed: bool = False) -> list[RunRecord]:
    """Return the runs, newest first, as they truly are now; the trash with `trashed`, else without it.

    Where a run waits and nobody serves the queue, a drain is started.
    """
    records = list_now(lab)
    if any(r.state is RunState.QUEUED and not r.held for r in records):
        local.wake(lab, again_after=WAKE_SECONDS)
    return [record for record in records if record.trashed == trashed]


def find_run(lab: Lab, text: str) -> RunRecord:
    """Return the run of an id, the beginning of one, an exact name, or `last`.

    A run in the trash is found where no other fits. Raises NotFound, also for what fits several.
    """
    records = list_now(lab)
    visible = [r for r in records if not r.trashed]
    if text == "last":
        if not visible:
            raise NotFound("there is no run yet", "start one with `genlab-tui run`")
        return visible[0]
    exact = [r for r in records if r.id == text] or [r for r in visible if text and r.name == text]
    found = exact or [r for r in visible if text and r.id.startswith(text.lower())]
    found = found or [r for r in records if text and r.trashed and (r.name == text or r.id.startswith(text.lower()))]
    if len(found) == 1:
        return found[0]
    shown = clean_text(text, 80)
    if found:
        raise NotFound(f"{shown!r} fits {len(found)} runs", "one of " + ", ".join(r.id for r in found[:6]))
    known = tuple(word for r in visible[:200] for word in (r.id, r.name) if word)
    raise NotFound(f"there is no run {shown!r}", nearest(text, known) if len(known) <= 12 else "see `genlab-tui ls`")


def stop(lab: Lab, run_id: RunId) -> None:
    """Stop a run: a queued one is cancelled, an active one saves where it is and ends (`resume` goes on from there).

    A worker that does not react is told again by its keeper after 30 s, and killed after another 30 s.
    """
    with Verb(lab, run_id) as verb:
        if verb.record.state is RunState.QUEUED:
            verb.put_queue(cancelled=True, cancelled_at=round(time.time(), 3), held=False)
        elif verb.record.state.active:
            verb.ask("stop")
        else:
            raise verb.wrong("there is nothing to stop")


def cancel(lab: Lab, run_id: RunId) -> None:
    """Cancel a queued run."""
    with Verb(lab, run_id) as verb:
        if verb.record.state is not RunState.QUEUED:
            raise verb.wrong("only a queued run can be cancelled", "stop it instead" * verb.record.state.active)
        verb.put_queue(cancelled=True, cancelled_at=round(time.time(), 3), held=False)


def pause(lab: Lab, run_id: RunId) -> None:
    """Ask a running run to pause; it keeps its slot."""
    with Verb(lab, run_id) as verb:
        if verb.record.state not in (RunState.STARTING, RunState.RUNNING):
            hint = "hold it instead" if verb.record.state is RunState.QUEUED else ""
            raise verb.wrong("only a running run can be paused", hint)
        verb.ask("pause")


def resume(lab: Lab, run_id: RunId) -> None:
    """Let a run go on: a paused one, a held one, or one that ended before it was done (see `retry`)."""
    with Verb(lab, run_id) as verb:
        if verb.record.state.active and verb.record.state is not RunState.STOPPING:
            verb.ask("resume")
        elif verb.record.state is RunState.QUEUED and verb.record.held:
            verb.put_queue(held=False)
        else:
            verb.again()
    local.wake(lab)


def retry(lab: Lab, run_id: RunId) -> None:
    """Queue another attempt of a run that ended before it was done; finished stages are not computed again."""
    with Verb(lab, run_id) as verb:
        verb.again()
    local.wake(lab)


def hold(lab: Lab, run_id: RunId) -> None:
    """Keep a queued run from starting until it is released."""
    with Verb(lab, run_id) as verb:
        if verb.record.state is not RunState.QUEUED:
            raise verb.wrong("only a queued run can be held")
        verb.put_queue(held=True)


def release(lab: Lab, run_id: RunId) -> None:
    """Let a held run start when its turn comes."""
    with Verb(lab, run_id) as verb:
        if verb.record.state is not RunState.QUEUED:
            raise verb.wrong("only a queued run can be released")
        verb.put_queue(held=False)
    local.wake(lab)


def move(lab: Lab, run_id: RunId, before: RunId | None) -> None:
    """Move a queued run before another queued one, or to the end of the queue with None."""
    with Verb(lab, run_id) as verb:
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
    marks: Iterable[tuple[int, str]] | None = None,
) -> None:
    """Change what a user adds to a run; None leaves a field as it is. Raises BadValue.

    `marks` are (step, a few words) on its curves; at most `MARKS` of them, one a step.
    """
    changes = meta_changes(name=name, tags=tags, note=note, colour=colour)
    if marks is not None:
        placed = {int(step): words for step, text in marks if (words := clean_text(text, 60).strip())}
        if len(placed) > MARKS:
            raise BadValue(f"a run has at most {MARKS} marks", "take one away first")
        changes["marks"] = sorted(placed.items())
    with Verb(lab, run_id) as verb:
        verb.put_meta(**changes)


def trash(lab: Lab, run_id: RunId) -> None:
    """Move a run out of sight. It must not be active; a queued one must be cancelled first."""
    with Verb(lab, run_id) as verb:
        if not verb.record.state.ended:
            raise verb.wrong("it has not ended", "stop it first")
        verb.put_meta(trashed=True)


def restore(lab: Lab, run_id: RunId) -> None:
    """Take a run out of the trash."""
    with Verb(lab, run_id) as verb:
        verb.put_meta(trashed=False)


def find_identical(lab: Lab, spec: RunSpec, *, unfinished: bool = False) -> RunRecord | None:
    """Return the newest run with the same identity that is done, queued or active, or None.

    With `unfinished`, one that ended before it was done. A run that was changed in flight is like no other.
    """
    identity = spec.identity()
    for record in list_now(lab):
        wanted = (record.state is RunState.DONE or not record.state.ended) != unfinished
        alike = record.identity == identity[:IDENTITY_DIGITS] and not record.changed
        if wanted and alike and not record.trashed:
            with suppress(GenlabError):
                if read_spec(lab, record.id).identity() == identity:
                    return record
    return None


def wait(lab: Lab, run_id: RunId, *, timeout: float | None = None) -> RunRecord:
    """Wait for the end of a run and return its record; after `timeout` seconds, as it is then."""
    run_dir(lab, run_id)
    until = None if timeout is None else time.monotonic() + timeout
    while True:
        record = reconciled(lab, run_id)
        now = time.monotonic()
        if record.state.ended or (until is not None and now >= until):
            open_store(lab).put(record)
            return record
        if record.state is RunState.QUEUED and not record.held:
            local.wake(lab, again_after=WAKE_SECONDS)
        time.sleep(WAIT_POLL)


def read_spec(lab: Lab, run_id: RunId) -> RunSpec:
    """Return the specification of a run. Raises NotFound or GenlabError."""
    return tail.read_spec(run_dir(lab, run_id))


def read_result(lab: Lab, run_id: RunId) -> dict[str, Any] | None:
    """Return what the worker of the newest attempt wrote as its result, or None."""
    run = run_dir(lab, run_id)
    result = read_json(run.result)
    return result if result and result.get("attempt") == attempt_of(run) else None
