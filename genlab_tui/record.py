"""The record of a run from the files in its directory, which are the truth about it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from genlab_tui.errors import GenlabError
from genlab_tui.paths import RunDir
from genlab_tui.run import RunMeta, RunRecord, RunSpec, RunState, decode
from genlab_tui.safe_io import read_json

IDENTITY_DIGITS = 16
"""Of 64: enough to find a twin among runs, and half the size of a document of the index."""

HEADLINES = 4
CANCELLED = "cancelled before it started"
_ENDS = frozenset(state.value for state in RunState if state.ended)


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
        parent=spec.parent,
        inherited=spec.inherited,
        prediction=spec.prediction,
        expected=spec.expected,
        name=meta.name,
        tags=meta.tags,
        note=meta.note,
        colour=meta.colour,
        trashed=meta.trashed,
    )


def with_files(record: RunRecord, run: RunDir) -> RunRecord:
    """Return a record with what `queue.json`, `pid.json`, `exit.json` and `result.json` say about it."""
    queue, pid = read_json(run.queue) or {}, read_json(run.pid) or {}
    taken = _number(pid.get("attempt"), int, 0)
    attempt = newest_attempt(queue, pid)
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
        "changed": run.changed.exists(),
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
        changes["changed"] = changes["changed"] or bool(result.get("changed"))
        if isinstance(headline, dict):
            numbers = {str(k): v for k, v in headline.items() if isinstance(v, (int, float)) and math.isfinite(v)}
            changes["headline"] = six_digits(dict(list(numbers.items())[:HEADLINES]))
    return dataclasses.replace(record, **changes)


def newest_attempt(queue: dict[str, Any], pid: dict[str, Any]) -> int:
    """Return the attempt that `queue.json` asks for; a damaged one asks for what `pid.json` shows to be under way."""
    asked: int = _number(queue.get("attempt"), int, 1)
    taken: int = _number(pid.get("attempt"), int, 0)
    return max(asked, taken)


def attempt_of(run: RunDir) -> int:
    """Return the number of the newest attempt of a run, from 1."""
    return newest_attempt(read_json(run.queue) or {}, read_json(run.pid) or {})


def _number(value: Any, kind: type[Any], default: Any) -> Any:
    return kind(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def six_digits(numbers: dict[str, float]) -> dict[str, float]:
    """Return numbers as the index keeps them."""
    return {key: float(f"{value:.6g}") for key, value in numbers.items()}
