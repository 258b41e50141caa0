"""What a worker gives to a phenomenon's `run`: stages, checkpoints, changes in flight, arrays kept for later."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from genlab_tui.events import Event
    from genlab_tui.phenomenon import Arm
    from genlab_tui.run import RunSpec

T = TypeVar("T")


class Stopped(Exception):
    """Raised by `Context.poll` when the run was asked to stop; the worker catches it."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of an open stage. `arrays` are torch tensors or numpy arrays, `meta` JSON-able, `step` the step.

    Where a stage has several cohorts, `cohort` is the one that the step belongs to; the `finished` ones are whole.
    """

    step: int
    arrays: Mapping[str, Any]
    meta: Mapping[str, Any] = field(default_factory=dict)
    cohort: str = ""
    finished: tuple[str, ...] = ()


class Context(Protocol):
    """What a worker gives to `Phenomenon.run`."""

    spec: RunSpec
    arms: tuple[Arm, ...]
    """The arms launched, in the order of the plan."""
    device: str
    """`cpu` or `cuda:N`, resolved: where the samples are put."""
    devices: tuple[str, ...]
    """All that the run was given; `device` is the first of them."""
    data_dir: Path

    def stage(self, key: str, body: Callable[[], Generator[Event, None, T]]) -> Generator[Event, None, T]:
        """Run a part of the work once: `value = yield from context.stage("round 3", train_round)`.

        `body()` yields events and returns a JSON-able value. A stage that an earlier attempt finished is skipped and
        its stored value returned; its events are already in the file. Stages do not nest. A cohort belongs to the
        stage that names it: name it inside, or its curves are dropped when the run is resumed.
        """
        ...

    def poll(self, save: Callable[[], Checkpoint] | None = None) -> None:
        """Call often (every epoch, every solve): obeys pause, stop and the shut-down of the machine.

        `save` gives the checkpoint of the open stage; it is written on stop, on pause and every now and then.
        Raises Stopped.
        """
        ...

    def changes(self, cohort: str, step: int) -> Sequence[tuple[str, float | None]]:
        """Return the regularisers to change now (None: off), each once; those of an earlier attempt at their steps.

        Whoever asks makes the changes and yields a `Change` for each, with this cohort and step.
        """
        ...

    def keep(self, name: str, arrays: Mapping[str, Any]) -> None:
        """Keep arrays (torch or numpy) for later stages and attempts: pruning masks, weights to rewind to.

        Call inside the stage that makes them, before it ends; written atomically, also of an earlier name (letters,
        digits, dashes). Raises ValueError for another name, OSError where the disk is full.
        """
        ...

    def kept(self, name: str) -> Mapping[str, Any]:
        """Return what an earlier stage kept under a name, as torch tensors on the CPU; raises KeyError."""
        ...

    def resume(self) -> Checkpoint | None:
        """Return the checkpoint of the open stage if an earlier attempt left one (torch tensors), else None."""
        ...
