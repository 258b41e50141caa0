"""From facts to the state of a run. The facts lie in its directory and its locks; the decision is a pure function."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

import msgspec

from genlab_tui import events as ev
from genlab_tui.paths import RunDir
from genlab_tui.record import CANCELLED, newest_attempt, with_files
from genlab_tui.run import RunRecord, RunState, boot_id, host_name
from genlab_tui.safe_io import is_locked, read_json
from jobs.keeper import HEARTBEAT, process_start

SILENCE = 9 * HEARTBEAT
"""Seconds without a heartbeat after which a run on another machine counts as lost."""

TAIL = 65536


@dataclass(frozen=True)
class Facts:
    """What is known about a run. Attempts are 0 where there is none.

    `locked`: somebody holds `keeper.lock`. `alive`: keeper or worker, as `pid.json` names them, live on this machine
    (None: they are on another one, or were never recorded). `silence`: seconds since the last heartbeat.
    `last` is the newest whole line of the events.
    """

    queue_attempt: int = 1
    pid_attempt: int = 0
    cancelled: bool = False
    exit: dict[str, Any] | None = None
    locked: bool = False
    alive: bool | None = None
    host: str = ""
    here: bool = True
    same_boot: bool = True
    silence: float = 0.0
    actions: tuple[str, ...] = ()
    last: ev.AnyEvent | None = None


def state_of(facts: Facts) -> tuple[RunState, str]:
    """Return the state and, for an end, its reason."""
    if facts.queue_attempt > facts.pid_attempt:
        if facts.locked:
            return RunState.STARTING, ""
        return (RunState.STOPPED, CANCELLED) if facts.cancelled else (RunState.QUEUED, "")
    if facts.exit and facts.exit.get("attempt") == facts.queue_attempt:
        try:
            state = RunState(str(facts.exit.get("state")))
        except ValueError:
            return RunState.LOST, "its exit.json is damaged"
        return state, str(facts.exit.get("reason") or "")
    lost = _lost(facts)
    return (RunState.LOST, lost) if lost else (_activity(facts), "")


def _lost(facts: Facts) -> str:
    """Return why nobody runs it any more, or "" while somebody does."""
    if not facts.here:
        # On a shared file system its lock may not be seen from here; its keeper touches the file as long as it lives.
        gone = not facts.locked and facts.silence > SILENCE
        return f"no sign of life from {facts.host} for {facts.silence:.0f} s" if gone else ""
    if not facts.same_boot:
        return "rebooted"
    if not facts.locked:
        return "keeper lost"
    # Held, but not by them: a process that the worker left behind. Its slot stays taken, the run itself is over.
    return "keeper lost, a process that it left behind still holds its slot" if facts.alive is False else ""


def _activity(facts: Facts) -> RunState:
    if "stop" in facts.actions:
        return RunState.STOPPING
    if facts.last is None or facts.last.attempt != facts.queue_attempt:
        return RunState.STARTING
    if isinstance(facts.last, ev.Status):
        return {"paused": RunState.PAUSED, "stopping": RunState.STOPPING}.get(facts.last.status, RunState.RUNNING)
    return RunState.RUNNING


def _still_locked(run: RunDir) -> bool:
    """Look again: they may have ended between the two looks, and a dead process lets go of its locks last."""
    for wait in (0.0, 0.02, 0.1):
        time.sleep(wait)
        if not is_locked(run.keeper_lock):
            return False
    return True


def gather(run: RunDir) -> Facts:
    """Return the facts about a run.

    The order of reading matters. A keeper holds the lock from before it writes `pid.json` until after it wrote
    `exit.json`: whoever reads them in this order never takes a start or an end for a loss.
    """
    pid = read_json(run.pid) or {}
    queue = read_json(run.queue) or {}
    attempt = newest_attempt(queue, pid)
    host = str(pid.get("host", ""))
    here = not host or host == host_name()
    same_boot = not pid or pid.get("boot_id", "") == boot_id()
    locked = is_locked(run.keeper_lock)
    alive = _alive(pid) if here and same_boot and pid else None
    if locked and alive is False:
        locked = _still_locked(run)
    return Facts(
        queue_attempt=attempt,
        pid_attempt=newest_attempt({"attempt": 0}, pid),
        cancelled=bool(queue.get("cancelled")),
        exit=read_json(run.exit),
        locked=locked,
        alive=alive,
        host=host,
        here=here,
        same_boot=same_boot,
        silence=_silence(run),
        actions=_actions(run, attempt),
        last=last_event(run),
    )


def _alive(pid: dict[str, Any]) -> bool:
    """Tell whether the recorded keeper or worker lives: a pid counts only with the start time it had."""
    for who in (pid.get("keeper"), pid.get("worker")):
        if isinstance(who, dict) and isinstance(who.get("pid"), int):
            start = process_start(who["pid"])
            if start and start == who.get("start"):
                return True
    return False


def _silence(run: RunDir) -> float:
    try:
        return max(time.time() - run.keeper_lock.stat().st_mtime, 0.0)
    except OSError:
        return float("inf")


def read_control(run: RunDir) -> list[dict[str, Any]]:
    """Return the requests to the worker, of every attempt; lines that are none are left out."""
    try:
        lines = run.control.read_bytes().split(b"\n")
    except OSError:
        return []
    requests = []
    for line in lines:
        try:
            request = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
        if isinstance(request, dict):
            requests.append(request)
    return requests


def _actions(run: RunDir, attempt: int) -> tuple[str, ...]:
    return tuple(str(r.get("action", "")) for r in read_control(run) if r.get("attempt") == attempt)


def last_event(run: RunDir) -> ev.AnyEvent | None:
    """Return the newest whole line of the events that can be read."""
    try:
        with run.events.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - TAIL, 0))
            lines = file.read(TAIL).split(b"\n")[:-1]  # what follows the last line break is torn or still growing
    except OSError:
        return None
    return next((event for line in reversed(lines) if (event := ev.decode(line)) is not None), None)


def reconcile(record: RunRecord, run: RunDir) -> RunRecord:
    """Return a record with the run's true state, its times and, when it is done, its verdict and headline."""
    found = with_files(record, run)
    if found.state.ended:
        return found
    state, reason = state_of(gather(run))
    if state.ended:
        found = with_files(record, run)  # it may have ended in between
        if found.state.ended:
            return found
        return dataclasses.replace(found, state=state, reason=reason, ended=_last_sign(run), held=False)
    return dataclasses.replace(found, state=state, reason="", ended=0.0, held=found.held and not state.active)


def _last_sign(run: RunDir) -> float:
    """Return when a run that nobody saw end last wrote something."""
    times = []
    for path in (run.events, run.log, run.pid, run.queue):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return round(max(times, default=0.0), 3)
