"""The process that computes a run: `python -P -m jobs.worker RUN_DIR`, started by its keeper.

It runs the phenomenon, writes every event, judges its own data at the end, and ends with an exit code that says how.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import genlab_tui
import jobs
from genlab_tui import events as ev
from genlab_tui import phenomena
from genlab_tui.errors import GenlabError, MissingData
from genlab_tui.paths import Lab, RunDir
from genlab_tui.phenomenon import Phenomenon, Stopped
from genlab_tui.run import RunSpec, host_name
from genlab_tui.safe_io import read_json
from genlab_tui.text import clean_text
from jobs import checkpoint, keeper, machine
from jobs.context import EventLog, WorkerContext
from jobs.result import write_result
from jobs.tail import RunReader, iter_events, read_spec


def work(run: RunDir, guard: Guard) -> None:
    """Compute a run and write its result. Raises Stopped, GenlabError and whatever the phenomenon raises."""
    check_origin()
    spec = read_spec(run)
    phenomenon = phenomena.get(spec.phenomenon)
    if phenomenon.version != spec.phenomenon_version:
        raise GenlabError(
            f"{spec.phenomenon} is at version {phenomenon.version} now, this run is of {spec.phenomenon_version}",
            "launch it again",
        )
    pid = read_json(run.pid) or {}
    attempt = int(pid.get("attempt", 1))
    kept, saved = earlier(run)
    log = EventLog(run.events, attempt)
    devices, warning = resolve_device(str(pid.get("device", "cpu")), spec)
    lab = Lab(run.path.parent.parent)
    own = spec.own_seeds
    made = changed(run)
    context = WorkerContext(
        run,
        own,
        phenomenon.arms_of(own),
        devices=devices,
        data_dir=lab.data,
        log=log,
        kept=kept,
        saved=saved,
        changed=made,
        first_changes=not_made(spec, made),
    )
    guard.context = context
    log.write(_begin(" ".join(devices), kept, saved))
    if warning:
        log.write(ev.Log(text=warning, level="warning"))
    try:
        _run(phenomenon, own, context, log)
        log.write(ev.Progress(done=1.0, label="done", eta=0.0))
        write_result(run, phenomenon, attempt)
        for path in run.path.glob("checkpoint.*.safetensors"):
            path.unlink()  # what stages kept for each other: a run that is done has no more use for it
    except Exception as error:
        if not isinstance(error, Stopped):
            with contextlib.suppress(OSError):
                log.write(ev.Log(text=reason_of(error)[1], level="error"))
        raise
    finally:
        log.close()


def _run(phenomenon: Phenomenon, spec: RunSpec, context: WorkerContext, log: EventLog) -> None:
    events = iter(phenomenon.run(phenomenon.config_of(spec), context))
    try:
        for event in events:
            log.write(event)
    finally:
        if isinstance(events, Generator):
            events.close()
    context.poll()  # a stop that came after the last poll still counts


def check_origin() -> None:
    """Refuse to run when the packages come from different places: another `jobs` than ours was found first."""
    parents = {Path(str(package.__file__)).resolve().parent.parent for package in (genlab_tui, jobs)}
    if len(parents) > 1:
        places = " and ".join(sorted(map(str, parents)))
        raise GenlabError(f"jobs and genlab_tui come from different folders: {places}", "run `genlab-tui doctor`")


def earlier(run: RunDir) -> tuple[dict[str, Any], checkpoint.Label | None]:
    """Return what earlier attempts left: finished stages with their values, and the checkpoint of an open one."""
    reader = RunReader(run)
    reader.read_all()
    stages = dict(reader.data().stages)
    saved = checkpoint.read_label(run.checkpoint) if run.checkpoint.exists() else None
    return stages, None if saved is None or saved.stage in stages else saved


def changed(run: RunDir) -> tuple[ev.Change, ...]:
    """Return every regulariser change that any attempt made, as they were made, also those that were superseded."""
    made = (e for e in iter_events(run.events) if isinstance(e, ev.Change))
    return tuple({(c.stage, c.cohort, c.step, c.regulariser): c for c in made}.values())


def not_made(spec: RunSpec, made: Sequence[ev.Change]) -> dict[str, float | None]:
    """Return the changes that a fork from a checkpoint begins with, as far as no attempt of it made them yet."""
    own = {c.regulariser for c in made if c.attempt}  # what was taken over from the parent is of attempt 0
    return {name: strength for name, strength in spec.forked_with.items() if name not in own}


def resolve_device(given: str, spec: RunSpec) -> tuple[tuple[str, ...], str]:
    """Return the devices as torch calls them, and a warning or "". The keeper shows the worker its GPUs alone.

    Raises GenlabError where a GPU was asked for by name and torch cannot use it.
    """
    if not given.startswith("cuda"):
        return ("cpu",), ""
    import torch

    if torch.cuda.is_available():
        return tuple(f"cuda:{number}" for number in range(torch.cuda.device_count())), ""
    if spec.device == "auto":
        return ("cpu",), f"torch {torch.__version__} cannot use {given}: running on the CPU"
    raise GenlabError(f"torch {torch.__version__} cannot use {given}", "run `genlab-tui doctor`, or use --device cpu")


def limit_threads() -> int:
    """Share the cores among the slots of the CPU; what the user set stays. Must come before torch and numpy."""
    threads = max(1, machine.cores() // machine.slots_of("GENLAB_CPU_SLOTS"))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))
    return threads


def _begin(device: str, kept: dict[str, Any], saved: checkpoint.Label | None) -> ev.Begin:
    from importlib.metadata import PackageNotFoundError, version

    info = {"python": sys.version.split()[0], "threads": os.environ.get("OMP_NUM_THREADS", "")}
    for package in ("torch", "numpy"):
        with contextlib.suppress(PackageNotFoundError):
            info[package] = version(package)
    return ev.Begin(
        time=round(time.time(), 3),
        version=genlab_tui.__version__,
        device=device,
        host=host_name(),
        kept=tuple(kept),
        resume=saved.stage if saved else "",
        resume_step=saved.step if saved else -1,
        resume_cohort=saved.cohort if saved else "",
        resume_finished=saved.finished if saved else (),
        info=info,
    )


def reason_of(error: BaseException) -> tuple[int, str]:
    """Return the exit code and the reason of a failure in one line."""
    text = clean_text(error, 250)
    kind = type(error).__name__
    if isinstance(error, MissingData):
        return _code("data set missing"), f"data set missing: {text}"
    if isinstance(error, GenlabError):
        return keeper.FAILED, text
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _code("disk full"), "disk full"
    if isinstance(error, FloatingPointError):
        return _code("diverged"), f"diverged: {text}" if text else "diverged"
    if "CUDA out of memory" in text or (kind == "OutOfMemoryError" and not isinstance(error, MemoryError)):
        return _code("CUDA OOM"), "CUDA OOM"
    if isinstance(error, MemoryError) or "DefaultCPUAllocator" in text:
        return _code("host OOM"), "host OOM"
    return keeper.FAILED, f"traceback: {kind}: {text}" if text else f"traceback: {kind}"


def _code(reason: str) -> int:
    return next(code for code, name in keeper.REASONS.items() if name == reason)


class Guard:
    """Ends the worker with its keeper: by signal where the system can, by looking where it cannot.

    A worker that does not come to a poll within the grace time after its keeper died is killed.
    """

    def __init__(self, keeper_pid: int, grace: float) -> None:
        self.keeper_pid, self.grace = keeper_pid, grace
        self.context: WorkerContext | None = None
        self.terminated = False

    def arm(self) -> None:
        """Start guarding."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        if not self.keeper_pid:
            return  # started by hand
        if sys.platform == "linux":
            import ctypes

            ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
        if os.getppid() != self.keeper_pid:  # it died before the line above
            os.kill(os.getpid(), signal.SIGTERM)
        threading.Thread(target=self._watch, daemon=True).start()

    def _on_signal(self, *_: object) -> None:
        self.terminated = True
        if self.context:
            self.context.terminated = True

    def _watch(self) -> None:
        while os.getppid() == self.keeper_pid:
            time.sleep(0.5)
        self._on_signal()
        time.sleep(self.grace)
        os.kill(os.getpid(), signal.SIGKILL)


def _inherited_locks() -> None:
    """Keep the locks of run and slot for this process alone: no process that it starts may hold them longer."""
    for text in os.environ.pop("GENLAB_LOCKS", "").split(","):
        if text.isdecimal():
            with contextlib.suppress(OSError):
                fcntl.fcntl(int(text), fcntl.F_SETFD, fcntl.FD_CLOEXEC)


def main() -> int:
    """Run as `python -P -m jobs.worker RUN_DIR`; return the exit code."""
    guard = Guard(int(os.environ.pop("GENLAB_KEEPER", "0")), machine.grace_seconds())
    guard.arm()
    _inherited_locks()
    limit_threads()
    run = RunDir(Path(sys.argv[1]).absolute())
    try:
        work(run, guard)
    except Stopped:
        return keeper.STOPPED
    except BaseException as error:  # noqa: BLE001 - whatever it was, its reason must be recorded
        traceback.print_exc()
        code, reason = reason_of(error)
        print(f"{keeper.FAILED_MARK}{reason}", file=sys.stderr)
        return code
    return keeper.DONE


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # everything is written: what breaks while libraries shut down must not change how the run ended
