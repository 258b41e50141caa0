"""When what runs and waits will have ended: the slots that runs take turns on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from genlab_tui.run import RunId
from jobs import local
from jobs.launcher import Device, QueueEntry


def forecast(
    entries: Sequence[QueueEntry], left: Mapping[RunId, float], devices: Sequence[Device]
) -> dict[RunId, float]:
    """Return in how many seconds each run of the queue is expected to have ended; what nobody can know is left out.

    `left` is what active runs say themselves. A held run, and one that no device fits, ends at no time; a run starts on
    the device of its candidates that is free first.
    """
    free = {device.name: [0.0] * device.slots for device in devices}
    found: dict[RunId, float] = {}
    for entry in entries:
        run, takes = entry.record, entry.takes if entry.takes >= 0 else math.nan
        if entry.position == 0:
            end = left.get(run.id, takes)
            _occupy(free.get(run.device, []), end)
        else:
            names = [] if run.held else [n for n in local.candidates(run.device, list(devices))[0] if free.get(n)]
            together = run.device == local.ALL
            starts = {name: min(free[name]) for name in names}
            chosen = names if together else sorted(names, key=lambda name: starts[name])[:1]
            end = max((starts[name] for name in chosen), default=math.nan) + takes
            for name in chosen:
                _occupy(free[name], end)
        if math.isfinite(end):
            found[run.id] = max(end, 0.0)
    return found


def _occupy(slots: list[float], end: float) -> None:
    """Have the slot that is free first taken until `end`; for ever where that is not known."""
    if slots:
        slots[slots.index(min(slots))] = end if math.isfinite(end) else math.inf
