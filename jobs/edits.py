"""What a user does to many runs at once: names, tags, notes, colours, the trash. One look at the index for all of them.

A verb of `jobs.runs` rewrites the index for its one run; for a thousand runs that would be a thousand times. Here the
files are written run by run and the index once a batch, so that other processes get their turn in between.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab, RunDir
from genlab_tui.run import RunId, RunMeta, RunRecord, check_name, decode
from genlab_tui.safe_io import is_locked, read_json, write_json
from genlab_tui.store import RunStore, open_store
from genlab_tui.text import clean_text
from jobs.index import reconciled
from jobs.verb import run_dir, unusable

BATCH = 100


@dataclass(frozen=True)
class Outcome:
    """The runs that a verb was done to, and why it was not done to others (the first reason, and how many)."""

    done: tuple[RunId, ...]
    refusal: str = ""
    refused: int = 0

    @property
    def but(self) -> str:
        """What to add to the words about those done; empty where none refused."""
        return f"; {self.refused} not: {self.refusal}" if self.refused else ""


def outcome(done: Sequence[RunId], refusals: Sequence[GenlabError]) -> Outcome:
    """Return what came of a verb on many runs. Raises GenlabError where all of them refused."""
    if refusals and not done:
        more = f" ({len(refusals) - 1} more likewise)" if len(refusals) > 1 else ""
        raise GenlabError(refusals[0].message + more, refusals[0].hint) from refusals[0]
    return Outcome(tuple(done), str(refusals[0]) if refusals else "", len(refusals))


def meta_changes(
    *,
    name: str | None = None,
    tags: Iterable[str] | None = None,
    note: str | None = None,
    colour: str | None = None,
) -> dict[str, Any]:
    """Return what to change in `meta.json`, cleaned; None leaves a field as it is. Raises BadValue for a bad name."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = check_name(name)
    if tags is not None:
        changes["tags"] = list(dict.fromkeys(t for tag in tags if (t := clean_text(tag, 40))))
    if note is not None:
        changes["note"] = clean_text(note, 2000)
    if colour is not None:
        changes["colour"] = clean_text(colour, 40)
    return changes


def edit_all(lab: Lab, changes: Mapping[RunId, Mapping[str, Any]]) -> Outcome:
    """Change name, tags, note or colour of every run named. Raises GenlabError where all of them refuse."""

    def edit(run: RunDir, record: RunRecord) -> None:
        _put_meta(run, meta_changes(**changes[run.id]))

    return _each(lab, changes, edit)


def trash_all(lab: Lab, run_ids: Iterable[RunId]) -> Outcome:
    """Move runs that have ended out of sight. Raises GenlabError where all of them refuse."""

    def trash(run: RunDir, record: RunRecord) -> None:
        if not record.state.ended:
            raise GenlabError(f"run {record.title} is {record.state}: it has not ended", "stop it first")
        _put_meta(run, {"trashed": True})

    return _each(lab, run_ids, trash)


def restore_all(lab: Lab, run_ids: Iterable[RunId]) -> Outcome:
    """Take runs out of the trash. Raises GenlabError where all of them refuse."""
    return _each(lab, run_ids, lambda run, record: _put_meta(run, {"trashed": False}))


def erase_all(lab: Lab, run_ids: Iterable[RunId]) -> Outcome:
    """Delete runs that are in the trash for ever. Raises GenlabError where all of them refuse."""

    def erase(run: RunDir, record: RunRecord) -> None:
        if not record.trashed:
            raise GenlabError(f"run {record.title} is not in the trash", "move it there first")
        if not record.state.ended or is_locked(run.keeper_lock):
            raise GenlabError(f"run {record.title} is still at work", "wait for its end")
        # Aside first: a directory that is half deleted must not be taken for a run.
        aside = run.path.with_name(f".{run.id}.{os.getpid()}.tmp")
        run.path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)  # what cannot be deleted now is swept later

    return _each(lab, run_ids, erase)


def _put_meta(run: RunDir, changes: Mapping[str, Any]) -> None:
    document = {**(read_json(run.meta) or {}), **changes}
    decode(RunMeta, document)
    write_json(run.meta, document)


def _reindex(lab: Lab, store: RunStore, run_ids: Sequence[RunId]) -> None:
    """Bring runs that were changed into the index, and those that are gone out of it."""
    there = [run_id for run_id in run_ids if lab.run(run_id).path.is_dir()]
    puts: list[RunRecord] = []
    for run_id in there:
        with suppress(GenlabError):
            puts.append(reconciled(lab, run_id))
    store.update(lambda _: puts, remove=set(run_ids) - set(there))


def _each(lab: Lab, run_ids: Iterable[RunId], change: Callable[[RunDir, RunRecord], None]) -> Outcome:
    """Do something to every run, its true record given; one that refuses does not keep the others from it.

    Where the index itself refuses, the rest is left; what was done until then is done, and said, so it can be undone.
    """
    store = open_store(lab)
    done: list[RunId] = []
    refusals: list[GenlabError] = []
    wanted = list(run_ids)
    for batch in (wanted[at : at + BATCH] for at in range(0, len(wanted), BATCH)):
        try:
            with store.locked():
                first = len(done)
                for run_id in batch:
                    try:
                        run = run_dir(lab, run_id)
                        change(run, reconciled(lab, run_id))
                    except GenlabError as error:
                        refusals.append(error)
                    except OSError as error:
                        refusals.append(unusable(lab, error))
                    else:
                        done.append(run_id)
                _reindex(lab, store, done[first:])
        except GenlabError as error:
            left = len(wanted) - len(done) - len(refusals)
            refusals = [error] * max(left, 1) + refusals
            break
    return outcome(done, refusals)
