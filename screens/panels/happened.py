"""What happened while a run trained, as marks on its curves: changes of regularisers, marks of its own and the user's.

A mark stands at a step; on an axis of epochs or seconds it stands where its curve was at that step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genlab_tui.figure import Reference, Tick
from genlab_tui.lines import Axis
from genlab_tui.regularisers import SHORT, strength_text
from genlab_tui.rundata import Curve, RunData
from genlab_tui.summary import LoadedRun

OwnMarks = Mapping[str, Sequence[tuple[int, str]]]
"""Marks of the user's own: run id to steps with a few words."""
MOST = 200
"""Marks on the lines of a chart at most, the earliest."""
EVERYBODY = 6
"""Marks that belong to no arm, at most: each is a line across the chart."""


def changes_text(data: RunData) -> str:
    """Return what was changed in flight and at which step, in few cells: `smooth 0.1 @10, drop 0.7 @35`."""
    made: list[str] = []
    now: dict[str, float | None] = {}
    for change in data.changes:
        # What is trained later takes the changes over at its beginning: that is no change of its own.
        if change.regulariser not in now or now[change.regulariser] != change.strength:
            made.append(f"{SHORT.get(change.regulariser, change.regulariser)} {_at(change.strength, change.step)}")
        now[change.regulariser] = change.strength
    if not made and data.spec.forked_at >= 0:
        given = data.spec.forked_with.items()
        made = [f"{SHORT.get(name, name)} {_at(strength, data.spec.forked_at)}" for name, strength in given]
    return ", ".join(made)


def _at(strength: float | None, step: int) -> str:
    return f"{strength_text(strength)} @{step}"


def convert(curve: Curve, value: float, source: Axis, target: Axis) -> float:
    """Return where a curve was on one axis when it was at a value of another (at its ends: no further)."""
    import numpy as np

    if source == target:
        return value
    return float(np.interp(value, getattr(curve, source), getattr(curve, target)))


def any_curve(data: RunData, metric: str, arm: str = "") -> Curve | None:
    """Return the longest curve of a metric, of one arm where it is named; None where nothing was measured."""
    found = [c for (name, _), c in data.curves.get(metric, {}).items() if len(c.step) and arm in ("", name)]
    return max(found, key=lambda c: float(c.step[-1]), default=None)


def references(runs: Sequence[LoadedRun], metric: str, x: Axis, own: OwnMarks) -> tuple[Reference, ...]:
    """Return lines across the chart: where regularisers were changed, the user's marks, marks of the whole run."""
    found: list[Reference] = []
    for run in runs:
        curve = any_curve(run.data, metric)
        if curve is None:
            continue
        prefix = f"{run.title}: " if len(runs) > 1 else ""
        said = [(c.step, f"{c.regulariser} {strength_text(c.strength)}") for c in run.data.changes]
        said += [(mark.step, mark.text) for mark in run.data.marks if not mark.arm and mark.step >= 0][:EVERYBODY]
        said += list(own.get(run.id, ()))
        found += [Reference(convert(curve, step, "step", x), prefix + text, "x") for step, text in dict.fromkeys(said)]
    return tuple(found)


def ticks(runs: Sequence[LoadedRun], metric: str, x: Axis, arms: Sequence[str]) -> tuple[Tick, ...]:
    """Return the marks on the lines of some arms: of each arm and each kind the earliest, with how many there are."""
    found: list[Tick] = []
    for run in runs:
        first: dict[tuple[str, str], tuple[int, int]] = {}
        for mark in run.data.marks:
            if mark.step >= 0 and mark.arm in arms:
                step, count = first.get((mark.arm, mark.text), (mark.step, 0))
                first[mark.arm, mark.text] = min(step, mark.step), count + 1
        for (arm, text), (step, count) in first.items():
            curve = any_curve(run.data, metric, arm)
            if curve is None:
                continue
            declared = run.data.arm(arm)
            prefix = f"{run.title} · " if len(runs) > 1 else ""
            label = prefix + (declared.title if declared else arm)
            found.append(Tick(convert(curve, step, "step", x), text, label, count))
    return tuple(sorted(found, key=lambda tick: tick.x)[:MOST])
