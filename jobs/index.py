"""The index brought up to date with the facts: what lists, verbs and the drain start from."""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import suppress

from genlab_tui.paths import Lab, RunDir
from genlab_tui.record import of_spec, record_of
from genlab_tui.run import RunId, RunMeta, RunRecord, RunState, decode
from genlab_tui.safe_io import read_json
from genlab_tui.store import RunStore, open_store, run_ids
from jobs.reconcile import reconcile
from jobs.tail import read_spec

SETTLED = 2.0
"""Seconds after which a directory without a line in the index belongs to nobody who is still writing that line."""

_seen: dict[Lab, tuple[int, int]] = {}
"""The time of the folder of runs and the length of the index when the two were last found to agree."""

_resting: dict[tuple[Lab, RunId], tuple[int, RunRecord]] = {}
_sorted: dict[Lab, tuple[object, list[RunRecord]]] = {}
_mutex = threading.Lock()


def list_now(lab: Lab) -> list[RunRecord]:
    """Return every run, trash included, newest first, as the facts say now; what changed is written to the index.

    An ended run costs nothing: only those that have not ended are looked at on disk.
    """
    store = open_store(lab)
    _compare_directories(lab, store)
    records = store.records()
    stale = [r.id for r in records.values() if not r.state.ended and not _rests(lab, r) and _is_stale(lab, r)]
    if stale:
        # Once more under the lock: a verb may have been at work since.
        store.update(lambda now: [reconcile(now[i], lab.run(i)) for i in stale if i in now])
    return _newest_first(lab, store)


def _is_stale(lab: Lab, record: RunRecord) -> bool:
    run = lab.run(record.id)
    modified = _modified(run)
    if reconcile(record, run) != record:
        return True
    if record.state is RunState.QUEUED and time.time() - modified / 1e9 > SETTLED:
        _resting[lab, record.id] = (modified, record)
    return False


def _rests(lab: Lab, record: RunRecord) -> bool:
    """Tell whether a queued run was found to be just that and nothing in its directory has changed since.

    Whatever makes it anything else puts a file there first; with a thousand runs queued this look is all they cost.
    """
    modified, seen = _resting.get((lab, record.id), (0, None))
    return seen is record and modified == _modified(lab.run(record.id))


def _modified(run: RunDir) -> int:
    try:
        return run.path.stat().st_mtime_ns
    except OSError:
        return 0


def _newest_first(lab: Lab, store: RunStore) -> list[RunRecord]:
    with _mutex:
        records = store.records()
        kept = _sorted.get(lab)
        if kept is None or kept[0] is not records:
            kept = (records, sorted(records.values(), key=lambda r: (r.created, r.id), reverse=True))
            _sorted[lab] = kept
        return list(kept[1])


def _compare_directories(lab: Lab, store: RunStore) -> None:
    """Index run directories that the index lacks and drop lines whose directory is gone; cheap when none came or went.

    The folder's time tells. It is trusted once it is old enough for every change before it to have been seen.
    """
    modified = lab.runs.stat().st_mtime_ns
    known = store.records().keys()
    stamp = (modified, len(known))
    if _seen.get(lab) == stamp:
        return
    present = run_ids(lab)
    settled = time.time() - modified / 1e9 > SETTLED
    if present == set(known):
        if settled:
            _seen[lab] = stamp
        return
    young = {i for i in present - known if _age(lab, i) < SETTLED}
    missing = present - known - young
    store.update(
        lambda now: [record for i in missing if i not in now and (record := record_of(lab.run(i)))],
        remove=[i for i in known - present if not lab.run(i).path.exists()],
    )
    if settled and not young:
        _seen[lab] = (modified, len(store.records()))  # what is left is no run: a directory without a specification
    _sweep(lab)


def _age(lab: Lab, run_id: RunId) -> float:
    try:
        return time.time() - lab.run(run_id).path.stat().st_ctime
    except OSError:
        return 0.0


def _sweep(lab: Lab) -> None:
    """Remove the half-made directories of launches that were killed."""
    for temp in lab.runs.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - temp.stat().st_mtime > 3600:
                shutil.rmtree(temp)


def reconciled(lab: Lab, run_id: RunId) -> RunRecord:
    """Return one run as its files and the facts say now, whatever the index has. Raises NotFound or GenlabError."""
    run = lab.run(run_id)
    spec = read_spec(run)
    meta = decode(RunMeta, read_json(run.meta) or {})
    return reconcile(of_spec(spec, meta), run)


def rebuild(lab: Lab) -> int:
    """Make the index anew from the run directories, with true states; return how many runs it has."""
    open_store(lab).rebuild()
    return len(list_now(lab))
