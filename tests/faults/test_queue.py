"""The queue with real processes: order, slots, stop, pause, resume, and no screen needed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from genlab_tui import events as ev
from genlab_tui import phenomena
from genlab_tui.errors import BadValue, GenlabError, LabUnusable, NotFound
from genlab_tui.paths import Lab
from genlab_tui.run import RunState
from genlab_tui.safe_io import is_locked, read_json
from jobs import local, machine, runs
from jobs.request import build_spec
from jobs.tail import iter_events, load_run, read_spec

SUBMIT = """
import sys
from genlab_tui.paths import lab_home
from jobs import request, runs
for _ in range(int(sys.argv[1])):
    spec = request.build_spec("toy", lab=lab_home(), preset="instant", values={"seconds": sys.argv[2]}, device="cpu")
    print(runs.submit(lab_home(), spec).id, flush=True)
"""


def submitter(count: int, seconds: float, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-c", SUBMIT, str(count), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload,no-any-return]


def test_a_run_is_done_with_result_verdict_and_index(bench: Any) -> None:
    run_id = bench.submit(name="first", seconds=0.2)
    record = runs.wait(bench.lab, run_id, timeout=20)
    assert (record.state, record.verdict, record.device, record.name) == ("done", "SHOWN", "cpu", "first")
    assert record.created <= record.started <= record.ended
    assert runs.list_runs(bench.lab) == [record]
    result = runs.read_result(bench.lab, run_id)
    assert result is not None
    assert result["schema"] == 1
    assert result["verdict"]["status"] == "SHOWN"
    assert set(result["summary"]["fast"]["test_accuracy"]) == {"mean", "sd", "n"}
    assert set(result["headline"]) == {"fast minus slow", "test_accuracy"}
    data = load_run(bench.lab.run(run_id))
    assert len(data.curves["train_loss"]["slow", 2].value) == 20
    for path in (bench.lab.root, bench.lab.runs, bench.lab.run(run_id).path):
        assert path.stat().st_mode & 0o777 == 0o700
    for path in bench.lab.run(run_id).path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_three_runs_on_one_slot_are_done_though_everything_that_launched_them_was_killed(bench: Any) -> None:
    shell = submitter(3, 0.6, start_new_session=True)
    assert shell.stdout
    ids = [shell.stdout.readline().strip() for _ in range(3)]
    os.killpg(shell.pid, signal.SIGHUP)
    os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()
    shell.stdout.close()
    ended = [bench.until_state(run_id, "done") for run_id in ids]
    for one, next_one in pairwise(ended):
        assert one.ended <= next_one.started
    assert {r.state for r in runs.list_runs(bench.lab)} == {RunState.DONE}


def test_two_slots_run_two_at_once_and_never_three(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLAB_CPU_SLOTS", "2")
    ids = [bench.submit(seconds=0.7) for _ in range(4)]
    records = [runs.wait(bench.lab, run_id, timeout=30) for run_id in ids]
    assert {r.state for r in records} == {RunState.DONE}
    changes = sorted([(r.started, 1) for r in records] + [(r.ended, -1) for r in records])
    at_once, most = 0, 0
    for _, change in changes:
        at_once += change
        most = max(most, at_once)
    assert most == 2


def test_many_submitters_lose_no_wake_up(bench: Any) -> None:
    bench.submit()
    submitters = [submitter(3, 0.0) for _ in range(2)]
    ids = []
    for one in submitters:
        out, _ = one.communicate(timeout=60)
        assert one.returncode == 0
        ids += out.split()
    for run_id in ids:  # nobody lists or waits here: what was started, was started by the drains alone
        bench.until(lambda run_id=run_id: bench.lab.run(run_id).exit.exists(), 60)
    assert {bench.see(run_id).state for run_id in ids} == {RunState.DONE}


def test_a_second_drain_leaves_at_once(bench: Any) -> None:
    bench.submit(seconds=2)
    waiting = bench.submit()
    bench.until(lambda: is_locked(bench.lab.queue_lock))
    second = subprocess.run(local.drain_command(bench.lab), env=machine.child_environment(), timeout=10, check=False)
    assert second.returncode == 0
    assert bench.see(waiting).state is RunState.QUEUED
    assert is_locked(bench.lab.queue_lock)


def test_cancelled_held_and_moved(bench: Any) -> None:
    blocker = bench.submit("quick", seconds=60)
    bench.until_state(blocker, "running")
    first, second, third, fourth = (bench.submit(name=name) for name in ("a", "b", "c", "d"))
    runs.cancel(bench.lab, first)
    runs.hold(bench.lab, second)
    runs.move(bench.lab, fourth, third)
    view = local.queue_view(bench.lab)
    assert [(e.record.id, e.position) for e in view] == [(blocker, 0), (second, 1), (fourth, 2), (third, 3)]
    assert [e.waiting_for for e in view] == ["", "release (held)", "the CPU", "the CPU"]
    assert (bench.see(first).state, bench.see(first).reason) == ("stopped", "cancelled before it started")
    with pytest.raises(GenlabError, match="only a queued run"):
        runs.cancel(bench.lab, first)
    with pytest.raises(NotFound):
        runs.move(bench.lab, third, blocker)
    runs.stop(bench.lab, blocker)
    ended = [bench.until_state(run_id, "done") for run_id in (fourth, third)]
    assert ended[0].ended <= ended[1].started
    bench.until_quiet()  # what is held keeps no drain alive
    assert bench.see(second).state is RunState.QUEUED
    runs.release(bench.lab, second)
    bench.until_state(second, "done")
    runs.resume(bench.lab, first)
    assert bench.until_state(first, "done").attempt == 2


def test_pause_and_resume(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=2)
    bench.until_step(run_id, 20)
    runs.pause(bench.lab, run_id)
    bench.until_state(run_id, "paused")
    events = bench.lab.run(run_id).events
    size = events.stat().st_size
    time.sleep(0.4)
    assert events.stat().st_size == size
    assert is_locked(bench.lab.slots / "cpu-0.lock")
    runs.resume(bench.lab, run_id)
    assert bench.until_state(run_id, "done").attempt == 1
    statuses = [e.status for e in iter_events(events) if isinstance(e, ev.Status)]
    assert statuses == ["paused", "running"]


def test_stop_while_paused(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=60)
    bench.until_step(run_id, 2)
    runs.pause(bench.lab, run_id)
    bench.until_state(run_id, "paused")
    runs.stop(bench.lab, run_id)
    assert bench.until_state(run_id, "stopped").reason == "on request"


def test_stopped_in_the_middle_and_resumed_equals_a_run_that_was_left_alone(bench: Any) -> None:
    whole = bench.submit("quick", seconds=1, steps=60)
    runs.wait(bench.lab, whole, timeout=20)
    run_id = bench.submit("quick", seconds=1, steps=60)
    for step, stage in ((20, "fast"), (10, "slow"), (40, "slow")):
        bench.until_step(run_id, step, stage)
        runs.stop(bench.lab, run_id)
        record = bench.until_state(run_id, "stopped", "done")
        assert (record.state, record.reason) == ("stopped", "on request")
        assert bench.lab.run(run_id).checkpoint.exists()
        runs.resume(bench.lab, run_id)
    record = runs.wait(bench.lab, run_id, timeout=20)
    assert (record.state, record.attempt) == ("done", 4)
    run = bench.lab.run(run_id)
    assert not run.checkpoint.exists()

    left_alone, resumed = load_run(bench.lab.run(whole)), load_run(run)
    assert resumed.measures == left_alone.measures
    assert resumed.stages == left_alone.stages
    for metric, members in left_alone.curves.items():
        for member, curve in members.items():
            assert list(resumed.curves[metric][member].step) == list(range(60))
            assert list(resumed.curves[metric][member].value) == list(curve.value)

    begins = [e for e in iter_events(run.events) if isinstance(e, ev.Begin)]
    assert [(b.attempt, b.kept, b.resume) for b in begins] == [
        (1, (), ""),
        (2, (), "fast"),
        (3, ("fast",), "slow"),
        (4, ("fast",), "slow"),
    ]
    steps_of_fast = [
        e.step
        for e in iter_events(run.events)
        if isinstance(e, ev.Curve) and e.metric == "train_loss" and e.cohort == "fast"
    ]
    assert sorted(steps_of_fast) == list(range(60))  # no step was computed twice


def test_a_worker_that_does_not_listen_is_told_and_then_killed(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLAB_GRACE", "0.3")
    run_id = bench.submit("quick", seconds=0.1, crash="hang", crash_at=0.1)
    bench.until_step(run_id, 30)
    runs.stop(bench.lab, run_id)
    assert bench.see(run_id).state is RunState.STOPPING
    record = bench.until_state(run_id, "stopped", "killed", "failed")
    assert (record.state, record.reason) == ("stopped", "did not stop when asked, killed")


def test_verbs_refuse_what_makes_no_sense(bench: Any) -> None:
    run_id = bench.submit()
    runs.wait(bench.lab, run_id, timeout=20)
    for verb in (runs.stop, runs.pause, runs.resume, runs.retry, runs.hold, runs.release, runs.cancel):
        with pytest.raises(GenlabError, match="is done"):
            verb(bench.lab, run_id)
        with pytest.raises(NotFound):
            verb(bench.lab, "ffffffff")
        with pytest.raises(NotFound):
            verb(bench.lab, "../../etc")


def test_trash_and_restore(bench: Any) -> None:
    run_id = bench.submit("quick", seconds=60)
    bench.until_state(run_id, "running")
    with pytest.raises(GenlabError, match="stop it first"):
        runs.trash(bench.lab, run_id)
    runs.stop(bench.lab, run_id)
    bench.until_state(run_id, "stopped")
    runs.trash(bench.lab, run_id)
    assert runs.list_runs(bench.lab) == []
    assert [r.id for r in runs.list_runs(bench.lab, trashed=True)] == [run_id]
    runs.restore(bench.lab, run_id)
    assert [r.id for r in runs.list_runs(bench.lab)] == [run_id]


def test_an_identical_run_is_found(bench: Any) -> None:
    spec = build_spec("toy", lab=bench.lab, preset="instant", device="cpu")
    assert runs.find_identical(bench.lab, spec) is None
    record = runs.submit(bench.lab, spec)
    runs.wait(bench.lab, record.id, timeout=20)
    found = runs.find_identical(bench.lab, build_spec("toy", lab=bench.lab, preset="instant", device="cpu"))
    assert found is not None
    assert found.id == record.id
    other = build_spec("toy", lab=bench.lab, preset="instant", device="cpu", first_seed=1)
    assert runs.find_identical(bench.lab, other) is None
    runs.trash(bench.lab, record.id)
    assert runs.find_identical(bench.lab, spec) is None


HOSTILE = "raise SystemExit('the wrong module was imported')\n"


def test_a_hostile_directory_is_never_imported_from(bench: Any, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile"
    for package in ("jobs", "genlab_tui", "screens"):
        (hostile / package).mkdir(parents=True)
        (hostile / package / "__init__.py").write_text(HOSTILE)
    for module in ("torch", "numpy", "msgspec", "json", "keeper", "sitecustomize"):
        (hostile / f"{module}.py").write_text(HOSTILE)
    # The program itself was started well; what surrounds it is hostile from then on.
    code = f"import os, genlab_tui, jobs\nos.environ['PYTHONPATH'] = {str(hostile)!r}\n{SUBMIT}"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "2", "0.1"], cwd=hostile, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for run_id in done.stdout.split():
        assert bench.until_state(run_id, "done", "failed").state is RunState.DONE
        assert "wrong module" not in bench.lab.run(run_id).log.read_text()


def test_a_device_that_is_not_here_is_refused(bench: Any) -> None:
    spec = build_spec("toy", lab=bench.lab, preset="instant", device="cuda:7")
    with pytest.raises(BadValue, match="no cuda:7"):
        runs.submit(bench.lab, spec)
    assert runs.list_runs(bench.lab) == []


def test_a_full_disk_at_launch_leaves_no_half_run(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = build_spec("toy", lab=bench.lab, preset="instant", device="cpu")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("jobs.runs.write_json", full)
        with pytest.raises(LabUnusable, match="No space left"):
            runs.submit(bench.lab, spec)
    assert list(bench.lab.runs.iterdir()) == []


def test_runs_are_found_by_id_beginning_name_and_last(bench: Any) -> None:
    with pytest.raises(NotFound, match="no run yet"):
        runs.find_run(bench.lab, "last")
    first = bench.submit(name="alpha", held=True)
    second = bench.submit(name="beta", held=True)
    assert runs.find_run(bench.lab, first).id == first
    assert runs.find_run(bench.lab, "beta").id == second
    assert runs.find_run(bench.lab, "last").id == second
    assert runs.find_run(bench.lab, first[:7]).id == first
    for text in ("", "gamma", "../x", "\x1b[31m"):
        with pytest.raises(NotFound) as caught:
            runs.find_run(bench.lab, text)
        assert "\x1b" not in str(caught.value)
    runs.edit(bench.lab, second, name="alpha")
    with pytest.raises(NotFound, match="fits 2 runs"):
        runs.find_run(bench.lab, "alpha")


def test_edits_reach_the_index_and_the_directory(bench: Any) -> None:
    run_id = bench.submit(held=True)
    runs.edit(bench.lab, run_id, name=" my\trun ", tags=["a", "a", "", "b\x1b[1m"], note="why", colour="red")
    record = runs.find_run(bench.lab, run_id)
    assert (record.name, record.tags, record.note, record.colour) == ("my run", ("a", "b"), "why", "red")
    runs.edit(bench.lab, run_id, note="")
    assert runs.find_run(bench.lab, run_id).note == ""
    assert runs.find_run(bench.lab, run_id).name == "my run"
    meta = read_json(bench.lab.run(run_id).meta)
    assert meta is not None
    assert meta["tags"] == ["a", "b"]
    with pytest.raises(BadValue):
        runs.edit(bench.lab, run_id, name="\x1b[31m")


def test_the_index_follows_directories_that_come_and_go(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setattr("jobs.index.SETTLED", 0.0)
    ids = [bench.submit(held=True) for _ in range(3)]
    assert {r.id for r in runs.list_runs(bench.lab)} == set(ids)
    away = bench.lab.root / "away"
    bench.lab.run(ids[0]).path.rename(away)
    shutil.rmtree(bench.lab.run(ids[1]).path)
    assert [r.id for r in runs.list_runs(bench.lab)] == [ids[2]]
    away.rename(bench.lab.run(ids[0]).path)
    assert {r.id for r in runs.list_runs(bench.lab)} == {ids[0], ids[2]}
    bench.lab.store.unlink()
    assert {r.id for r in runs.list_runs(bench.lab)} == {ids[0], ids[2]}


def test_wait_gives_up_in_time(bench: Any) -> None:
    run_id = bench.submit(held=True)
    start = time.monotonic()
    assert runs.wait(bench.lab, run_id, timeout=0.3).state is RunState.QUEUED
    assert time.monotonic() - start < 2


def test_two_labs_do_not_meet(bench: Any, tmp_path: Path) -> None:
    other = type(bench)(Lab(tmp_path / "other"))
    mine, theirs = bench.submit(), other.submit()
    bench.until_state(mine, "done")
    other.until_state(theirs, "done")
    assert [r.id for r in runs.list_runs(bench.lab)] == [mine]
    other.until_quiet()


def test_a_run_that_cannot_be_started_is_held_and_not_tried_for_ever(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs import keeper
    from jobs.drain import MAX_STARTS, Drain

    broken = tmp_path / "broken_keeper.py"
    broken.write_text("raise SystemExit('no keeper today')")
    run_id = bench.submit(held=True)
    other = bench.submit(held=True)
    runs.hold(bench.lab, other)
    with monkeypatch.context() as patch:
        patch.setattr(local, "wake", lambda *_, **__: None)
        runs.release(bench.lab, run_id)
        patch.setattr(keeper, "__file__", str(broken))
        drain = Drain(bench.lab)
        drain.run()
    assert bench.see(run_id).state is RunState.QUEUED
    assert bench.see(run_id).held
    assert bench.lab.run(run_id).log.read_text().count("no keeper today") == MAX_STARTS
    runs.release(bench.lab, run_id)
    bench.until_state(run_id, "done")


def test_a_thousand_queued_runs_cost_one_look_each(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs import index

    ids = [bench.submit(held=True) for _ in range(5)]
    monkeypatch.setattr(index, "SETTLED", 0.0)
    looks: list[str] = []
    gather = index.reconcile

    def counted(record: Any, run: Any) -> Any:
        looks.append(run.id)
        return gather(record, run)

    monkeypatch.setattr(index, "reconcile", counted)
    index.list_now(bench.lab)
    assert sorted(looks) == sorted(ids)
    looks.clear()
    index.list_now(bench.lab)
    assert looks == []
    time.sleep(0.02)
    runs.release(bench.lab, ids[0])
    looks.clear()
    bench.until(lambda: (index.list_now(bench.lab), bench.see(ids[0]).state.ended)[1])
    assert set(looks) == {ids[0]}
    assert bench.see(ids[1]).state is RunState.QUEUED


def test_a_change_is_asked_of_a_run_that_trains_and_of_no_other(bench: Any) -> None:
    """The request names regulariser, strength and attempt; what cannot be changed is refused with what can."""
    run_id = bench.submit("quick", seconds=2)
    bench.until_step(run_id, 5)
    known = phenomena.get("toy").changeable(read_spec(bench.lab.run(run_id)))
    runs.change(bench.lab, run_id, known[0], None)
    with pytest.raises(BadValue, match="outside"):
        runs.change(bench.lab, run_id, known[0], 1e9)
    with pytest.raises(BadValue, match=f"cannot be changed.*{known[0]}"):
        runs.change(bench.lab, run_id, "batch-norm", 0.1)
    line = json.loads(bench.lab.run(run_id).control.read_text().splitlines()[-1])
    assert (line["action"], line["regulariser"], line["strength"], line["attempt"]) == ("change", known[0], None, 1)
    bench.until_state(run_id, "done")
    with pytest.raises(GenlabError, match="only while it trains"):
        runs.change(bench.lab, run_id, known[0], None)
