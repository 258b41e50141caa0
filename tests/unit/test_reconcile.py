"""Facts to states: every branch of the decision, and the facts as they are gathered from files and locks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from genlab_tui import events as ev
from genlab_tui.paths import Lab, RunDir
from genlab_tui.record import of_spec
from genlab_tui.run import RunMeta, RunSpec, RunState, boot_id, encode, host_name
from genlab_tui.safe_io import try_flock, write_json
from jobs.keeper import identity, process_start
from jobs.reconcile import SILENCE, Facts, gather, last_event, reconcile, state_of

RUNNING = {"queue_attempt": 1, "pid_attempt": 1, "locked": True, "alive": True, "host": "here"}
CURVE = ev.Curve(cohort="c", metric="m", step=1)


def end(state: str, attempt: int = 1, reason: str = "") -> dict[str, Any]:
    return {"attempt": attempt, "state": state, "reason": reason}


@pytest.mark.parametrize(
    ("facts", "state", "reason"),
    [
        (Facts(), "queued", ""),
        (Facts(queue_attempt=2, pid_attempt=1, exit=end("failed")), "queued", ""),
        (Facts(locked=True), "starting", ""),
        (Facts(cancelled=True), "stopped", "cancelled before it started"),
        (Facts(cancelled=True, locked=True), "starting", ""),
        (Facts(cancelled=True, pid_attempt=1, exit=end("done")), "done", ""),
        (Facts(pid_attempt=1, exit=end("failed", reason="diverged")), "failed", "diverged"),
        (Facts(pid_attempt=1, exit=end("killed", reason="signal 9 (SIGKILL)")), "killed", "signal 9 (SIGKILL)"),
        (Facts(**RUNNING, exit=end("done")), "done", ""),  # the keeper has not let go yet
        (Facts(pid_attempt=1, exit=end("nonsense")), "lost", "its exit.json is damaged"),
        (Facts(queue_attempt=2, pid_attempt=2, locked=True, exit=end("failed"), last=CURVE), "starting", ""),
        (Facts(pid_attempt=1), "lost", "keeper lost"),
        (Facts(pid_attempt=1, exit=end("done", attempt=7)), "lost", "keeper lost"),
        (Facts(pid_attempt=1, same_boot=False), "lost", "rebooted"),
        (
            Facts(**RUNNING | {"alive": False}),
            "lost",
            "keeper lost, a process that it left behind still holds its slot",
        ),
        (Facts(**RUNNING), "starting", ""),
        (Facts(**RUNNING | {"alive": None}), "starting", ""),
        (Facts(**RUNNING, last=CURVE), "running", ""),
        (Facts(**RUNNING, last=ev.Status(status="running")), "running", ""),
        (Facts(**RUNNING, last=ev.Status(status="paused")), "paused", ""),
        (Facts(**RUNNING, last=ev.Status(status="stopping")), "stopping", ""),
        (Facts(**RUNNING, last=CURVE, actions=("pause", "stop")), "stopping", ""),
        (Facts(**RUNNING, last=CURVE, actions=("pause",)), "running", ""),
        (Facts(**RUNNING | {"here": False, "alive": None}, last=CURVE, silence=1e6), "running", ""),
        (Facts(pid_attempt=1, here=False, host="far", last=CURVE, silence=SILENCE - 1), "running", ""),
        (Facts(pid_attempt=1, here=False, host="far", silence=200.0), "lost", "no sign of life from far for 200 s"),
        (Facts(pid_attempt=1, here=False, host="far", silence=200.0, exit=end("done")), "done", ""),
    ],
)
def test_every_branch(facts: Facts, state: str, reason: str) -> None:
    assert state_of(facts) == (RunState(state), reason)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    run = Lab(tmp_path).run("0000abcd")
    run.path.mkdir(parents=True)
    write_json(run.spec, encode(RunSpec(id=run.id, phenomenon="toy", config={}, created=5.0)))
    write_json(run.queue, {"attempt": 1, "held": False})
    return run


def started(run: RunDir, **changes: Any) -> None:
    """Write what a keeper (this process) writes."""
    me = identity(os.getpid())
    value = {"attempt": 1, "host": host_name(), "boot_id": boot_id(), "keeper": me, "worker": None, "started": 6.0}
    write_json(run.pid, value | changes)


def see(run: RunDir) -> RunState:
    return state_of(gather(run))[0]


def test_a_run_from_launch_to_end(run: RunDir) -> None:
    assert see(run) is RunState.QUEUED
    lock = try_flock(run.keeper_lock)
    assert lock is not None
    assert see(run) is RunState.STARTING
    started(run)
    assert see(run) is RunState.STARTING
    run.events.write_bytes(ev.encode(ev.Begin(time=1.0)) + b"\n")
    assert see(run) is RunState.RUNNING
    run.events.write_bytes(ev.encode(ev.Status(status="paused")) + b"\n" + b'{"kind":"cur')
    assert see(run) is RunState.PAUSED
    run.control.write_bytes(b'{"attempt": 3, "action": "stop"}\nnonsense\n[]\n')
    assert see(run) is RunState.PAUSED
    run.control.write_bytes(b'{"attempt": 1, "action": "stop"}\n')
    assert see(run) is RunState.STOPPING
    write_json(run.exit, {"attempt": 1, "state": "stopped", "reason": "on request"})
    assert see(run) is RunState.STOPPED
    os.close(lock)
    assert state_of(gather(run)) == (RunState.STOPPED, "on request")


def test_a_keeper_of_an_earlier_boot_is_gone_whatever_has_its_pid(run: RunDir) -> None:
    started(run, boot_id="another")
    assert state_of(gather(run)) == (RunState.LOST, "rebooted")


def test_a_pid_that_another_process_has_now_is_not_the_keeper(run: RunDir) -> None:
    lock = try_flock(run.keeper_lock)
    assert lock is not None
    started(run, keeper={"pid": os.getpid(), "start": "1"}, worker={"pid": 1, "start": "0"})
    assert gather(run).alive is False
    started(run, worker={"pid": "x"}, keeper=None)
    assert gather(run).alive is False
    started(run)
    assert gather(run).alive is True
    os.close(lock)


def test_a_run_of_another_host_is_judged_by_lock_and_heartbeat(run: RunDir) -> None:
    run.keeper_lock.touch()
    started(run, host="elsewhere", boot_id="theirs")
    assert see(run) is RunState.STARTING
    os.utime(run.keeper_lock, (time.time() - SILENCE - 60,) * 2)
    state, reason = state_of(gather(run))
    assert state is RunState.LOST
    assert "elsewhere" in reason
    lock = try_flock(run.keeper_lock)
    assert lock is not None
    assert see(run) is RunState.STARTING
    os.close(lock)


def test_process_start_tells_processes_apart() -> None:
    mine = process_start(os.getpid())
    assert mine
    assert mine == process_start(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_start(child.pid) not in ("", mine)
    child.communicate(b"\n")
    assert process_start(child.pid) == ""
    assert [process_start(pid) for pid in (-1, 0, 1)] == ["", "", ""]


def test_the_last_event_is_the_last_whole_line(run: RunDir) -> None:
    assert last_event(run) is None
    lines = [ev.encode(ev.Log(text="a")), b"torn", ev.encode(ev.Log(text="b")), b'{"kind":"unknown"}']
    run.events.write_bytes(b"\n".join(lines) + b"\n" + ev.encode(ev.Log(text="no line break yet")))
    assert last_event(run) == ev.Log(text="b")
    run.events.write_bytes(b"x" * 200_000)
    assert last_event(run) is None


def test_a_lost_run_ended_when_it_last_wrote(run: RunDir) -> None:
    started(run)
    for path in (run.pid, run.queue):
        os.utime(path, (1000.0, 1000.0))
    run.events.write_bytes(b"")
    os.utime(run.events, (2000.0, 2000.0))
    record = of_spec(RunSpec(id=run.id, phenomenon="toy", config={}, created=5.0), RunMeta())
    found = reconcile(record, run)
    assert (found.state, found.reason, found.started, found.ended) == (RunState.LOST, "keeper lost", 6.0, 2000.0)
    assert reconcile(found, run) == found


def test_damaged_files_are_survived(run: RunDir) -> None:
    record = of_spec(RunSpec(id=run.id, phenomenon="toy", config={}), RunMeta())
    for path in (run.queue, run.pid, run.exit, run.control, run.events, run.result):
        path.write_bytes(b"\x00{]")
    assert reconcile(record, run).state is RunState.QUEUED
    for path in (run.queue, run.pid, run.exit):
        path.write_bytes(b'{"attempt": "x", "state": 5, "order": [], "started": {}}')
    assert reconcile(record, run).state is RunState.QUEUED
