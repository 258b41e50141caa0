"""What a worker gives to a phenomenon: stages that are kept, a poll that obeys, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from genlab_tui import events as ev
from genlab_tui.errors import GenlabError
from genlab_tui.paths import RunDir
from genlab_tui.phenomenon import Arm, Checkpoint, Stopped
from genlab_tui.run import RunSpec
from genlab_tui.safe_io import LineWriter
from jobs import checkpoint
from jobs.changes import Changes
from jobs.tail import LineTail

T = TypeVar("T")

CONTROL_SECONDS = 0.1
SETTLED = 2.0
"""Seconds of progress from which on an estimate of the end can be believed."""
SAMPLES = 256
"""Moments of progress that are remembered for it."""
CHECKPOINT_SECONDS = 30.0
CHECKPOINT_SHARE = 50.0
"""A checkpoint that takes s seconds is followed by at least 50 s of work: 2 % of the time at most."""


class EventLog:
    """Writes the events of one attempt: stamped with attempt, stage and time; ends of stages are durable."""

    def __init__(self, path: Path, attempt: int) -> None:
        self.attempt = attempt
        self.stage = ""
        self.idle = 0.0
        """Seconds spent paused: they count for no estimate."""
        self._writer = LineWriter(path)
        self._start = time.monotonic()
        self._began: float | None = None
        self._done: list[tuple[float, float]] = []
        """When how much was done, in the later half of the attempt."""

    def write(self, event: ev.Event) -> None:
        """Append an event. Raises OSError."""
        at = time.monotonic() - self._start
        if isinstance(event, ev.Progress) and event.eta < 0:
            event = msgspec.structs.replace(event, eta=self._eta(event.done, at - self.idle))
        event = msgspec.structs.replace(event, attempt=self.attempt, stage=self.stage, at=round(at, 3))
        self._writer.write(ev.encode(event), durable=isinstance(event, (ev.Stage, ev.Begin)))

    def _eta(self, done: float, at: float) -> float:
        """Seconds to the end; -1 while that is not known.

        The speed is that of the later half of the attempt: it forgets the slow first steps, and follows a run whose
        members end one after another. In its first moments a run says nothing rather than ten times too much.
        """
        if done >= 1:
            return 0.0
        if self._began is None:
            self._began = at
        self._done.append((at, done))
        while len(self._done) > 2 and self._done[1][0] <= (self._began + at) / 2:
            del self._done[0]
        if len(self._done) > SAMPLES:
            del self._done[1:-1:2]
        then, was = self._done[0]
        if at - self._began < SETTLED or done <= was or at <= then:
            return -1.0
        return round((at - then) * (1 - done) / (done - was), 1)

    def close(self) -> None:
        self._writer.close()


class WorkerContext:
    """The Context of one attempt. `kept` are the finished stages of earlier attempts with what they returned.

    `changed` are the regulariser changes that earlier attempts made, `first_changes` those that this one begins with.
    """

    def __init__(
        self,
        run: RunDir,
        spec: RunSpec,
        arms: tuple[Arm, ...],
        *,
        devices: tuple[str, ...],
        data_dir: Path,
        log: EventLog,
        kept: Mapping[str, Any] | None = None,
        saved: checkpoint.Label | None = None,
        changed: Sequence[ev.Change] = (),
        first_changes: Mapping[str, float | None] | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self.spec, self.arms, self.data_dir = spec, arms, data_dir
        self.device, self.devices = devices[0], devices
        self.terminated = False
        """Set by a signal or by the loss of the keeper: the next poll saves and stops."""
        self._run, self._log = run, log
        self._kept, self._saved = dict(kept or {}), saved
        self._control = LineTail(run.control)
        self._requests = {"stop": False, "pause": False}
        self._changes = Changes(changed, self._kept, saved, first_changes or {})
        self._looked = 0.0
        self._every = checkpoint_seconds
        self._due = time.monotonic() + checkpoint_seconds
        self._ran: set[str] = set()

    def stage(self, key: str, body: Callable[[], Generator[ev.Event, None, T]]) -> Generator[ev.Event, None, T]:
        """Run a part of the work once (see Context). Raises RuntimeError for a nested, empty or repeated key."""
        if self._log.stage or not key or key in self._ran:
            raise RuntimeError(f"stage {key!r} is nested, empty or repeated")
        self._ran.add(key)
        if key in self._kept:
            kept: T = self._kept[key]
            return kept
        self._log.stage = key
        self._due = time.monotonic() + self._every
        value = yield from body()
        # What is returned now is what a resumed attempt will get: the value after its way through JSON.
        plain: T = msgspec.json.decode(msgspec.json.encode(value))
        yield ev.Stage(key=key, value=plain)
        self._log.stage = ""
        with suppress(FileNotFoundError):
            self._run.checkpoint.unlink()
        return plain

    def changes(self, cohort: str, step: int) -> list[tuple[str, float | None]]:
        """Return the regularisers to change now (see Context)."""
        self._look()
        found, carried_out = self._changes.due(self._log.stage, cohort, step, self._look_now)
        if found:
            self._run.changed.touch(mode=0o600)  # whoever lists the runs sees it without reading events
        if carried_out:
            self._log.write(ev.Taken(requests=tuple(carried_out)))
        return found

    def keep(self, name: str, arrays: Mapping[str, Any]) -> None:
        """Keep arrays for later stages and attempts (see Context). Raises RuntimeError outside a stage."""
        if not self._log.stage:
            raise RuntimeError("arrays are kept by a stage: outside one, nothing says that they are whole")
        kept = Checkpoint(0, arrays)
        checkpoint.save(self._run.kept(name), kept, stage=self._log.stage, attempt=self._log.attempt)

    def kept(self, name: str) -> Mapping[str, Any]:
        """Return what an earlier stage kept (see Context). Raises KeyError."""
        path = self._run.kept(name)
        label = checkpoint.read_label(path)
        if label is None:
            raise KeyError(f"no stage kept {name!r}")
        return checkpoint.load(path, label).arrays

    def resume(self) -> Checkpoint | None:
        """Return the checkpoint that an earlier attempt left of the open stage (torch tensors), or None."""
        if self._saved is None or not self._log.stage or self._saved.stage != self._log.stage:
            return None
        return checkpoint.load(self._run.checkpoint, self._saved)

    def poll(self, save: Callable[[], Checkpoint] | None = None) -> None:
        """Obey stop, pause and the end of the machine; write a checkpoint now and then. Raises Stopped."""
        self._look()
        if self.terminated or self._requests["stop"]:
            self._stop(save)
        if self._requests["pause"]:
            self._pause(save)
        if save and time.monotonic() >= self._due:
            self._save(save)

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < CONTROL_SECONDS:
            return
        self._look_now()

    def _look_now(self) -> None:
        self._looked = time.monotonic()
        for line in self._control.read(1_000_000):
            with suppress(msgspec.MsgspecError, UnicodeError, GenlabError, TypeError, ValueError):
                request = msgspec.json.decode(line, type=dict[str, Any])
                if request.get("attempt") == self._log.attempt:
                    self._obey(request.get("action"), request)

    def _obey(self, action: object, request: Mapping[str, Any]) -> None:
        if action == "change":
            self._changes.ask(request)
        elif action == "withdraw":
            self._changes.withdraw(request)
        elif action == "save":
            self._due = 0.0
        elif action == "stop":
            self._requests["stop"] = True
        elif action in ("pause", "resume"):
            self._requests["pause"] = action == "pause"

    def _stop(self, save: Callable[[], Checkpoint] | None) -> None:
        self._log.write(ev.Status(status="stopping"))
        if save:
            self._save(save)
        raise Stopped

    def _pause(self, save: Callable[[], Checkpoint] | None) -> None:
        began = time.monotonic()
        if save:
            self._save(save)
        self._log.write(ev.Status(status="paused"))
        while self._requests["pause"] and not self._requests["stop"] and not self.terminated:
            time.sleep(CONTROL_SECONDS)
            self._look()
        self._log.idle += time.monotonic() - began
        if self._requests["stop"] or self.terminated:
            self._log.write(ev.Status(status="stopping"))
            raise Stopped
        self._log.write(ev.Status(status="running"))

    def _save(self, save: Callable[[], Checkpoint]) -> None:
        if not self._log.stage:
            return  # outside a stage there is nothing that a later attempt could continue
        began = time.monotonic()
        checkpoint.save(self._run.checkpoint, save(), stage=self._log.stage, attempt=self._log.attempt)
        now = time.monotonic()
        self._due = now + max(self._every, CHECKPOINT_SHARE * (now - began))
