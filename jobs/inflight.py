"""Regulariser changes in flight, on the user's side: ask for one, see what has not taken effect, withdraw it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from genlab_tui import events as ev
from genlab_tui import phenomena, regularisers
from genlab_tui.errors import BadValue
from genlab_tui.paths import Lab, RunDir
from genlab_tui.record import attempt_of
from genlab_tui.run import RunId, RunState
from genlab_tui.text import clean_text
from jobs import tail
from jobs.verb import Verb, run_dir

SETTLED = 0.2
"""Seconds after which a worker that was just about to make a change has said so."""
CHANGING = frozenset({RunState.STARTING, RunState.RUNNING, RunState.PAUSED})
"""The states in which a regulariser can be changed."""


@dataclass(frozen=True)
class Pending:
    """A change that was asked for and has not taken effect; strength None switches the regulariser off."""

    id: str
    regulariser: str
    strength: float | None


def change(lab: Lab, run_id: RunId, regulariser: str, strength: float | None) -> str:
    """Ask a run in training to change a regulariser (None: off) at the beginning of its next epoch.

    Returns the id by which `withdraw` takes it back. Raises GenlabError for a run that is not training, BadValue for a
    regulariser that it cannot change.
    """
    with Verb(lab, run_id) as verb:
        if verb.record.state not in CHANGING:
            raise verb.wrong("a regulariser can be changed only while it trains", "fork it: genlab-tui fork")
        check(verb.dir, verb.record.title, regulariser, strength)
        request = secrets.token_hex(4)
        verb.ask("change", id=request, regulariser=regulariser, strength=strength)
    return request


def check(run: RunDir, title: str, regulariser: str, strength: float | None) -> None:
    """Raise BadValue where a regulariser of a run cannot be changed in flight, or not to that strength."""
    spec = tail.read_spec(run)
    known = phenomena.get(spec.phenomenon).changeable(spec)
    if regulariser not in known:
        raise BadValue(
            f"{clean_text(regulariser, 80)} cannot be changed while {title} trains",
            f"one of {', '.join(known)}" if known else "nothing can: fork it from step 0",
        )
    if strength is not None:
        regularisers.get(regulariser).check(strength)


def withdraw(lab: Lab, run_id: RunId, request_id: str) -> None:
    """Take back a change that was asked for. Raises GenlabError where it has taken effect, or nobody asked for it."""
    with Verb(lab, run_id) as verb:
        if request_id not in {pending.id for pending in pending_changes(lab, run_id)}:
            raise verb.wrong(f"no change {clean_text(request_id, 40)!r} waits to take effect")
        verb.ask("withdraw", id=request_id)
    time.sleep(SETTLED)
    if request_id in _taken(verb.dir):
        raise verb.wrong("the change has taken effect by now", "change it back: the run stays flagged")


def pending_changes(lab: Lab, run_id: RunId, taken: Collection[str] | None = None) -> list[Pending]:
    """Return what the newest attempt was asked to change and has not, in the order of asking. Raises NotFound.

    `taken` are the requests that took effect, where the caller knows them (`RunData.taken`); else the events are read.
    """
    run = run_dir(lab, run_id)
    attempt = attempt_of(run)
    asked: dict[str, Pending] = {}
    for request in _requests(run):
        key = str(request.get("id", ""))
        if request.get("attempt") != attempt or not key:
            continue
        if request.get("action") == "withdraw":
            asked.pop(key, None)
        elif request.get("action") == "change":
            strength = request.get("strength")
            number = float(strength) if isinstance(strength, (int, float)) else None
            asked[key] = Pending(key, clean_text(request.get("regulariser", ""), 80), number)
    if not asked:
        return []
    taken = _taken(run) if taken is None else taken
    return [pending for pending in asked.values() if pending.id not in taken]


def _requests(run: RunDir) -> Iterator[dict[str, Any]]:
    for line in tail.LineTail(run.control).read(1_000_000):
        with suppress(msgspec.MsgspecError, UnicodeError):
            yield msgspec.json.decode(line, type=dict[str, Any])


def _taken(run: RunDir) -> set[str]:
    """Return the ids of the requests that took effect."""
    with suppress(OSError), run.events.open("rb") as file:
        lines = (ev.decode(line) for line in file if b'"taken"' in line)
        return {request for event in lines if isinstance(event, ev.Taken) for request in event.requests}
    return set()
