"""Real kills: whoever dies, the run's end is known, its slot is never given twice, and the queue goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from genlab_tui import events as ev
from genlab_tui.errors import GenlabError
from genlab_tui.run import RunState
from genlab_tui.safe_io import is_locked, read_json, try_flock
from jobs import runs
from jobs.index import rebuild
from jobs.keeper import process_start
from jobs.tail import iter_events, load_run


def gone(pid: int) -> bool:
    return process_start(pid) == ""


@pytest.mark.parametrize(
    ("crash", "state", "reason"),
    [
        ("error", "failed", "traceback: ValueError: the toy was told to fail"),
        ("segfault", "killed", "signal 11 (SIGSEGV)"),
        ("kill", "killed", "signal 9 (SIGKILL)"),
        ("exit", "failed", "exit code 3"),
        ("nan", "failed", "diverged: the loss is not finite"),
        ("oom", "failed", "host OOM"),
        ("cuda-oom", "failed", "CUDA OOM"),
        ("disk-full", "failed", "disk full"),
        ("data", "failed", "data set missing: cifar10 is not on this machine (genlab-tui data fetch cifar10)"),
    ],
)
def test_every_end_has_its_reason(bench: Any, crash: str, state: str, reason: str) -> None:
    run_id = bench.submit(crash=crash)
    record = runs.wait(bench.lab, run_id, timeout=20)
    assert (record.state, record.reason) == (state, reason)
    assert runs.list_runs(bench.lab) == [record]
    assert record.ended >= record.started > 0
    log = bench.lab.run(run_id).log.read_text()
    assert ("Traceback" in log) == (state == "failed" and crash != "exit")
    if crash == "segfault":
        assert "Fatal Python error" in log


def test_a_killed_worker_is_shown_within_two_seconds(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=60)
    bench.until_step(run_id, 2)
    os.kill(bench.pid(run_id, "worker"), signal.SIGKILL)
    start = time.monotonic()
    bench.until(lambda: runs.list_runs(bench.lab)[0].state is RunState.KILLED, 2)
    assert time.monotonic() - start < 2
    assert runs.list_runs(bench.lab)[0].reason == "signal 9 (SIGKILL)"


def test_a_killed_worker_goes_on_from_its_last_stage(bench: Any) -> None:
    whole = bench.submit("quick", seconds=0.5, steps=40)
    run_id = bench.submit("quick", seconds=1.5, steps=40)
    bench.until_step(run_id, 10, "slow")
    os.kill(bench.pid(run_id, "worker"), signal.SIGKILL)
    bench.until_state(run_id, "killed")
    runs.retry(bench.lab, run_id)
    assert runs.wait(bench.lab, run_id, timeout=20).state is RunState.DONE
    left_alone, resumed = load_run(bench.lab.run(whole)), load_run(bench.lab.run(run_id))
    assert resumed.measures == left_alone.measures
    for member, curve in left_alone.curves["test_loss"].items():
        assert list(resumed.curves["test_loss"][member].value) == list(curve.value)
    begins = [e for e in iter_events(bench.lab.run(run_id).events) if isinstance(e, ev.Begin)]
    assert begins[1].kept == ("fast",)


def test_a_killed_keeper_ends_its_run_and_the_queue_goes_on_at_the_next_command(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=60)
    next_id = bench.submit()
    bench.until_step(run_id, 5)
    keeper, worker = bench.pid(run_id, "keeper"), bench.pid(run_id, "worker")
    os.kill(keeper, signal.SIGKILL)
    bench.until(lambda: gone(worker), 10)
    assert bench.see(run_id).state is RunState.LOST
    assert bench.see(run_id).reason == "keeper lost"
    assert bench.lab.run(run_id).checkpoint.exists()  # it was told to end, and saved where it was
    runs.list_runs(bench.lab)  # the next command
    assert bench.until_state(next_id, "done").started > 0
    runs.resume(bench.lab, run_id)
    bench.until_state(run_id, "running")
    begins = [e for e in iter_events(bench.lab.run(run_id).events) if isinstance(e, ev.Begin)]
    assert begins[-1].resume == "fast"
    assert begins[-1].resume_step >= 5


def test_the_slot_stays_taken_while_a_worker_without_keeper_lives(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=0.1, crash="hang", crash_at=0.1)
    bench.until_step(run_id, 30)
    next_id = bench.submit()
    keeper, worker = bench.pid(run_id, "keeper"), bench.pid(run_id, "worker")
    os.kill(keeper, signal.SIGKILL)
    with pytest.raises(GenlabError, match=r"running|starting"):
        runs.retry(bench.lab, run_id)
    while not gone(worker):
        free = try_flock(bench.lab.slots / "cpu-0.lock")
        if free is not None:
            os.close(free)
            bench.until(lambda: gone(worker), 0.5)  # it let go of the slot because it was dying that very moment
            break
        if not bench.see(run_id).state.active:
            bench.until(lambda: gone(worker), 0.5)  # seen in its last moment
            break
    assert bench.see(run_id).state is RunState.LOST
    runs.list_runs(bench.lab)
    bench.until_state(next_id, "done")


def test_a_killed_drain_is_replaced(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=1)
    next_id = bench.submit()
    bench.until_step(run_id, 2)
    holder = bench.until(lambda: drain_of(bench))
    os.kill(holder, signal.SIGKILL)
    bench.until(lambda: not is_locked(bench.lab.queue_lock))
    # Nobody looks: the keeper of the first run starts the next drain at its end.
    bench.until(lambda: bench.lab.run(next_id).exit.exists())
    assert bench.see(next_id).state is RunState.DONE


def drain_of(bench: Any) -> int:
    """Return the pid of the drain of a lab."""
    for proc in Path("/proc").iterdir():
        if proc.name.isdigit():
            try:
                command = (proc / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"jobs.drain" in command and str(bench.lab.root).encode() in command:
                return int(proc.name)
    return 0


def test_a_terminated_keeper_lets_its_worker_save(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=60)
    bench.until_step(run_id, 5)
    os.kill(bench.pid(run_id, "keeper"), signal.SIGTERM)
    record = bench.until_state(run_id, "stopped")
    assert record.reason == "terminated (SIGTERM)"
    assert bench.lab.run(run_id).checkpoint.exists()


def test_everything_terminated_at_once_as_at_shutdown(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=60)
    bench.until_step(run_id, 5)
    keeper, worker = bench.pid(run_id, "keeper"), bench.pid(run_id, "worker")
    for pid in (worker, keeper):
        os.kill(pid, signal.SIGTERM)
    assert bench.until_state(run_id, "stopped").reason == "terminated (SIGTERM)"
    bench.until(lambda: gone(worker) and gone(keeper))


def test_killed_keeper_and_worker(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=60)
    bench.until_step(run_id, 2)
    keeper, worker = bench.pid(run_id, "keeper"), bench.pid(run_id, "worker")
    os.kill(keeper, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    bench.until_state(run_id, "lost", seconds=2)
    assert runs.list_runs(bench.lab)[0].state is RunState.LOST


def test_a_process_that_the_worker_left_behind_cannot_keep_the_run_alive(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=60)
    bench.until_step(run_id, 2)
    keeper, worker = bench.pid(run_id, "keeper"), bench.pid(run_id, "worker")
    # Somebody who holds the lock and is neither keeper nor worker: as a forked child would.
    hold = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.flock(f, fcntl.LOCK_EX); print(); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(bench.lab.run(run_id).keeper_lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        os.kill(keeper, signal.SIGKILL)
        os.kill(worker, signal.SIGKILL)
        assert child.stdout
        assert child.stdin
        child.stdout.readline()
        record = bench.until_state(run_id, "lost")
        assert "left behind" in record.reason
        with pytest.raises(Exception, match="still runs"):
            runs.retry(bench.lab, run_id)
        child.stdin.close()
    runs.retry(bench.lab, run_id)
    bench.until_state(run_id, "running")


def test_a_disk_that_fills_up_is_a_reason_not_a_mystery(bench: Any) -> None:
    run_id = bench.submit(held=True)
    bench.lab.run(run_id).events.symlink_to("/dev/full")
    runs.release(bench.lab, run_id)
    record = runs.wait(bench.lab, run_id, timeout=20)
    assert (record.state, record.reason) == ("failed", "disk full")


def test_a_run_whose_files_are_damaged_fails_with_a_reason(bench: Any) -> None:
    run_id = bench.submit(held=True)
    spec = read_json(bench.lab.run(run_id).spec)
    assert spec is not None
    bench.lab.run(run_id).spec.write_text(json.dumps(spec | {"phenomenon": "vanished"}))
    runs.release(bench.lab, run_id)
    record = runs.wait(bench.lab, run_id, timeout=20)
    assert record.state is RunState.FAILED
    assert "there is no phenomenon 'vanished'" in record.reason


def test_a_phenomenon_that_changed_is_not_mixed_with_its_past(bench: Any) -> None:
    run_id = bench.submit(held=True)
    spec = read_json(bench.lab.run(run_id).spec)
    assert spec is not None
    bench.lab.run(run_id).spec.write_text(json.dumps(spec | {"phenomenon_version": 7}))
    runs.release(bench.lab, run_id)
    assert "toy is at version 1 now, this run is of 7" in runs.wait(bench.lab, run_id, timeout=20).reason


def test_the_index_rebuilt_is_the_index_kept(bench: Any) -> None:
    ids = [bench.submit(name="done"), bench.submit(crash="error"), bench.submit(held=True), bench.submit()]
    for run_id in (ids[0], ids[1], ids[3]):
        runs.wait(bench.lab, run_id, timeout=20)
    runs.edit(bench.lab, ids[0], tags=["kept"], note="a note")
    before = runs.list_runs(bench.lab)
    assert rebuild(bench.lab) == 4
    assert runs.list_runs(bench.lab) == before
    bench.lab.store.write_bytes(b"{broken")
    assert runs.list_runs(bench.lab) == before


def test_kills_at_random_moments_lose_no_run(bench: Any) -> None:
    """Kill workers and keepers as they come: every run ends or can be made to, and its events stay readable."""
    import random

    chance = random.Random(1)
    ids = [bench.submit("quick", seconds=0.5, steps=30) for _ in range(4)]
    for run_id in ids:
        runs.list_runs(bench.lab)
        bench.until(lambda run_id=run_id: (runs.list_runs(bench.lab), bench.see(run_id).started)[1])
        recorded = bench.until(lambda run_id=run_id: read_json(bench.lab.run(run_id).pid))
        time.sleep(chance.uniform(0, 0.6))
        victim = recorded[chance.choice(["keeper", "worker"])] or recorded["keeper"]
        if process_start(victim["pid"]) == victim["start"]:
            os.kill(victim["pid"], signal.SIGKILL)
    for _ in range(4):
        for run_id in ids:
            bench.until(lambda run_id=run_id: (runs.list_runs(bench.lab), bench.see(run_id).state.ended)[1])
            if bench.see(run_id).state is not RunState.DONE:
                runs.retry(bench.lab, run_id)
    finals = [load_run(bench.lab.run(run_id)).measures for run_id in ids]
    assert {bench.see(run_id).state for run_id in ids} == {RunState.DONE}
    assert all(final == finals[0] for final in finals)
