"""What a phenomenon gets from its worker: stages, poll, checkpoints, stamps, the way out."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from genlab_tui import events as ev
from genlab_tui.errors import GenlabError, MissingData
from genlab_tui.paths import Lab, RunDir
from genlab_tui.phenomenon import Arm, Checkpoint, Stopped
from genlab_tui.run import RunSpec
from jobs import checkpoint, keeper
from jobs.context import EventLog, WorkerContext
from jobs.tail import iter_events
from jobs.worker import reason_of, resolve_device

SPEC = RunSpec(id="0000abcd", phenomenon="toy", config={})


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    run = Lab(tmp_path).run("0000abcd")
    run.path.mkdir(parents=True)
    return run


def make(run: RunDir, attempt: int = 1, **options: Any) -> tuple[WorkerContext, EventLog]:
    log = EventLog(run.events, attempt)
    arms = (Arm("a"),)
    return WorkerContext(run, SPEC, arms, devices=("cpu",), data_dir=run.path, log=log, **options), log


def drive(log: EventLog, events: Generator[ev.Event, None, Any]) -> Any:
    """Write what a generator yields, as the worker does, and return what it returns."""
    while True:
        try:
            log.write(next(events))
        except StopIteration as end:
            return end.value


def body(value: Any) -> Generator[ev.Event, None, Any]:
    yield ev.Log(text="inside")
    return value


def ask(run: RunDir, action: str, attempt: int = 1) -> None:
    with run.control.open("ab") as file:
        file.write(msgspec.json.encode({"attempt": attempt, "action": action}) + b"\n")


def kinds(run: RunDir) -> list[tuple[str, str]]:
    return [(type(event).__name__, event.stage) for event in iter_events(run.events)]


def test_a_stage_is_stamped_ended_and_its_value_is_what_a_resume_would_give(run: RunDir) -> None:
    context, log = make(run, attempt=3)
    log.write(ev.Log(text="before", attempt=99, stage="nonsense"))
    value = drive(log, context.stage("one", lambda: body({"t": (1, 2), "x": None})))
    log.write(ev.Log(text="after"))
    assert value == {"t": [1, 2], "x": None}
    assert kinds(run) == [("Log", ""), ("Log", "one"), ("Stage", "one"), ("Log", "")]
    events = list(iter_events(run.events))
    assert {event.attempt for event in events} == {3}
    assert all(event.at >= 0 for event in events)
    assert isinstance(events[2], ev.Stage)
    assert (events[2].key, events[2].value) == ("one", value)


def test_a_kept_stage_is_not_run_again(run: RunDir) -> None:
    context, log = make(run, attempt=2, kept={"one": [7]})

    def never() -> Generator[ev.Event, None, Any]:
        raise AssertionError("computed again")

    assert drive(log, context.stage("one", never)) == [7]
    assert run.events.read_bytes() == b""


def test_stages_do_not_nest_repeat_or_lack_a_name(run: RunDir) -> None:
    context, log = make(run)
    with pytest.raises(RuntimeError, match="nested"):
        drive(log, context.stage("outer", lambda: context.stage("inner", lambda: body(1))))
    context, log = make(run)
    drive(log, context.stage("one", lambda: body(1)))
    for key in ("one", ""):
        with pytest.raises(RuntimeError, match="repeated"):
            drive(log, context.stage(key, lambda: body(1)))


def test_stop_saves_the_open_stage_and_resume_gives_it_back(run: RunDir) -> None:
    context, log = make(run)
    arrays = {"w": np.arange(6.0).reshape(2, 3).T, "scalar": np.array(3), "empty": np.zeros((0, 2))}

    def training() -> Generator[ev.Event, None, None]:
        yield ev.Curve(cohort="c", metric="m", step=4)
        context.poll()
        ask(run, "stop", attempt=2)
        ask(run, "stop")
        time.sleep(0.11)
        context.poll(lambda: Checkpoint(4, arrays, {"rng": [1, 2]}))

    with pytest.raises(Stopped):
        drive(log, context.stage("train", training))
    assert kinds(run)[-1] == ("Status", "train")
    label = checkpoint.read_label(run.checkpoint)
    assert label == checkpoint.Label("train", 4, 1, {"rng": [1, 2]})
    assert run.checkpoint.stat().st_mode & 0o777 == 0o600

    context, log = make(run, attempt=2, saved=label)
    assert context.resume() is None  # no stage is open
    found: list[Checkpoint | None] = []

    def other() -> Generator[ev.Event, None, None]:
        yield from ()
        found.append(context.resume())

    drive(log, context.stage("another", other))
    assert found.pop() is None


def test_a_resumed_checkpoint_has_tensors_equal_to_what_was_saved(run: RunDir) -> None:
    torch = pytest.importorskip("torch")
    tied = torch.arange(4.0)
    arrays = {
        "strided": torch.arange(6.0).reshape(2, 3).T,
        "tied": tied,
        "too": tied,
        "half": torch.ones(2, dtype=torch.bfloat16),
        "numpy": np.arange(3),
        "grad": torch.ones(1, requires_grad=True),
    }
    for saved in (arrays, {"w": np.arange(6.0).reshape(2, 3).T, "scalar": np.array(3)}):
        checkpoint.save(run.checkpoint, Checkpoint(9, saved, {"a": 1}), stage="s", attempt=1)
        label = checkpoint.read_label(run.checkpoint)
        assert label is not None
        loaded = checkpoint.load(run.checkpoint, label)
        assert (loaded.step, loaded.meta) == (9, {"a": 1})
        assert loaded.arrays.keys() == saved.keys()
        for name, array in saved.items():
            assert isinstance(loaded.arrays[name], torch.Tensor)
            assert torch.equal(loaded.arrays[name], torch.as_tensor(array))
            assert loaded.arrays[name].shape == torch.as_tensor(array).shape


def test_a_finished_stage_leaves_no_checkpoint(run: RunDir) -> None:
    context, log = make(run, checkpoint_seconds=0.0)

    def training() -> Generator[ev.Event, None, None]:
        yield ev.Log(text="x")
        context.poll(lambda: Checkpoint(1, {}))
        assert run.checkpoint.exists()

    drive(log, context.stage("train", training))
    assert not run.checkpoint.exists()
    context.poll(lambda: Checkpoint(2, {}))  # outside a stage there is nothing to continue
    assert not run.checkpoint.exists()


def test_checkpoints_are_written_now_and_then_and_cost_little(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    context, log = make(run, checkpoint_seconds=0.05)
    saves = []

    def slow_save(*_: Any, **__: Any) -> None:
        saves.append(time.monotonic())
        time.sleep(0.02)

    monkeypatch.setattr(checkpoint, "save", slow_save)

    def training() -> Generator[ev.Event, None, None]:
        yield ev.Log(text="x")
        until = time.monotonic() + 0.4
        while time.monotonic() < until:
            context.poll(lambda: Checkpoint(1, {}))

    drive(log, context.stage("train", training))
    assert len(saves) == 1  # 50 times the 20 ms that it took: the next is a second away


def test_pause_waits_for_resume_and_its_time_counts_for_no_estimate(run: RunDir) -> None:
    import threading

    context, log = make(run)
    ask(run, "pause")
    threading.Timer(0.4, ask, (run, "resume")).start()
    start = time.monotonic()
    context.poll()
    assert 0.3 < time.monotonic() - start < 3
    assert 0.3 < log.idle < 3
    statuses = [event.status for event in iter_events(run.events) if isinstance(event, ev.Status)]
    assert statuses == ["paused", "running"]
    context.poll()


def test_a_signal_ends_the_pause_and_the_run(run: RunDir) -> None:
    import threading

    context, _ = make(run)
    ask(run, "pause")
    threading.Timer(0.2, setattr, (context, "terminated", True)).start()
    with pytest.raises(Stopped):
        context.poll()


def test_control_lines_that_are_none_are_passed_over(run: RunDir) -> None:
    context, _ = make(run)
    run.control.write_bytes(b'\xff\n{"attempt": 1}\n[]\n{"attempt": 1, "action": ["stop"]}\n{"attempt": 1, "acti')
    context.poll()
    with run.control.open("ab") as file:
        file.write(b'on": "stop"}\n')
    time.sleep(0.11)
    with pytest.raises(Stopped):
        context.poll()


def test_polling_is_cheap(run: RunDir) -> None:
    context, _ = make(run)
    start = time.perf_counter()
    for _ in range(10_000):
        context.poll()
    assert (time.perf_counter() - start) / 10_000 < 20e-6


def test_the_time_left_is_filled_in(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("jobs.context.time.monotonic", lambda: now[0])
    log = EventLog(run.events, 1)
    for at, done, idle in ((100, 0.0, 0), (110, 0.2, 0), (130, 0.4, 10), (140, 1.0, 10)):
        now[0], log.idle = float(at), float(idle)
        log.write(ev.Progress(done=done))
    log.write(ev.Progress(done=0.5, eta=7.0))
    etas = [event.eta for event in iter_events(run.events) if isinstance(event, ev.Progress)]
    assert etas == [-1.0, 40.0, 30.0, 0.0, 7.0]


def test_the_time_left_forgets_a_slow_beginning(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that needs 10 s for its first hundredth and 1 s for each of the others."""
    now = [0.0]
    monkeypatch.setattr("jobs.context.time.monotonic", lambda: now[0])
    log = EventLog(run.events, 1)
    for at, done in ((1.0, 0.0), (2.0, 0.001), *((10.0 + k, 0.01 + k / 100) for k in range(30))):
        now[0] = at
        log.write(ev.Progress(done=done))
    etas = [event.eta for event in iter_events(run.events) if isinstance(event, ev.Progress)]
    assert etas[:2] == [-1.0, -1.0]  # nothing is said of the first moments
    assert etas[-1] == pytest.approx(70.0)
    for k in range(3000):
        now[0] += 0.001
        log.write(ev.Progress(done=0.5 + k / 10_000))
    assert len(log._done) <= 256


def test_a_resumed_attempt_judges_its_speed_by_its_own_work(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("jobs.context.time.monotonic", lambda: now[0])
    log = EventLog(run.events, 2)
    for at, done in ((101, 0.8), (111, 0.9)):
        now[0] = float(at)
        log.write(ev.Progress(done=done))
    etas = [event.eta for event in iter_events(run.events) if isinstance(event, ev.Progress)]
    assert etas == [-1.0, 10.0]


def test_no_checkpoint_is_taken_for_one(run: RunDir) -> None:
    assert checkpoint.read_label(run.checkpoint) is None
    for content in (b"", b"\x00" * 100, b"\xff" * 8, b"\x02\x00\x00\x00\x00\x00\x00\x00{}"):
        run.checkpoint.write_bytes(content)
        assert checkpoint.read_label(run.checkpoint) is None


class OutOfMemoryError(RuntimeError):
    """Named like torch's."""


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (ValueError("x\x1b[31m\ny"), keeper.FAILED, "traceback: ValueError: x y"),
        (KeyError(), keeper.FAILED, "traceback: KeyError"),
        (GenlabError("no", "do this"), keeper.FAILED, "no (do this)"),
        (MissingData("gone", "fetch"), 86, "data set missing: gone (fetch)"),
        (OSError(28, "No space left on device"), 85, "disk full"),
        (OSError(2, "No such file"), keeper.FAILED, "traceback: FileNotFoundError: [Errno 2] No such file"),
        (MemoryError(), 84, "host OOM"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), 84, "host OOM"),
        (OutOfMemoryError("CUDA out of memory"), 83, "CUDA OOM"),
        (RuntimeError("CUDA out of memory. Tried"), 83, "CUDA OOM"),
        (FloatingPointError("loss"), 82, "diverged: loss"),
        (FloatingPointError(), 82, "diverged"),
    ],
)
def test_every_failure_has_a_code_and_a_reason(error: Exception, code: int, reason: str) -> None:
    assert reason_of(error) == (code, reason)


def test_the_device_of_a_cpu_run_needs_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    assert resolve_device("cpu", SPEC) == (("cpu",), "")
