"""Where runs run: the protocol that the local machine implements and that a cluster can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord


@dataclass(frozen=True)
class Device:
    """A device as its user sees it. Bytes for memory, shares of 1 for utilisation, degrees Celsius; None: not known.

    `name` is `cpu` or `cuda:N`, numbered as torch numbers what `CUDA_VISIBLE_DEVICES` lets through. `slots` runs fit
    on it at once. `used_by_others`: processes that are no run of this lab compute on it, so no run is started there.
    """

    name: str
    title: str
    slots: int
    busy_slots: int = 0
    used_by_others: bool = False
    utilisation: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    temperature: float | None = None


@dataclass(frozen=True)
class QueueEntry:
    """A run that is active (position 0) or queued (1, 2, ...), and what a queued one waits for.

    `takes` is how many seconds the whole run is expected to take, -1 where nobody knows.
    """

    record: RunRecord
    position: int
    waiting_for: str
    takes: float = -1.0


class Launcher(Protocol):
    """Runs queued runs somewhere. A run's files are the only way to talk to it once it started."""

    name: str

    def devices(self, lab: Lab) -> list[Device]:
        """Return what there is to run on, with its load."""
        ...

    def wake(self, lab: Lab) -> None:
        """See to it that queued runs get started, now or when there is room; cheap where that is already so."""
        ...

    def queue_view(self, lab: Lab) -> list[QueueEntry]:
        """Return active runs, then queued ones in the order in which they will start."""
        ...
