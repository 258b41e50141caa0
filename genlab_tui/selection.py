"""What a comparison shows of its runs, and the numbers of it: screen, command line and CSV ask here, so they agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from genlab_tui.errors import BadValue, NotFound, nearest
from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.grouping import Group, Grouping, group_runs
from genlab_tui.lines import Axis
from genlab_tui.summary import LoadedRun, SummaryRow, Values, pairing_note, step_text, summary_rows

DECADES = 30.0
"""From this ratio of the largest to the smallest value on, an axis of a field is logarithmic."""


@dataclass(frozen=True)
class Selection:
    """The choices: whose numbers the differences are taken to, one arm or all, groups, which values, at which step."""

    baseline: str | None = None
    arm: str | None = None
    group_by: str = ""
    at: float | None = None
    values: Values = "all"
    x: Axis = "step"

    def options(self) -> list[str]:
        """Return the choices as options of the commands `compare` and `export`."""
        found = []
        for name, value in (
            ("--baseline", self.baseline),
            ("--arm", self.arm),
            ("--group-by", self.group_by),
            ("--at", None if self.at is None else step_text(self.at)),
            ("--x", self.x if self.x != "step" else None),
        ):
            if value:
                found += [name, value]
        return [*found, "--values", self.values]


@dataclass(frozen=True)
class Selected:
    """Runs under a selection: what is compared, the baseline among it, and the rows of the summary."""

    selection: Selection
    grouping: Grouping
    baseline: str
    note: str = ""

    @cached_property
    def rows(self) -> tuple[SummaryRow, ...]:
        """The rows of the summary."""
        chosen = self.selection
        rows = summary_rows(self.units, self.baseline or None, values=chosen.values, at=chosen.at)
        return tuple(row for row in rows if chosen.arm is None or row.arm == chosen.arm)

    @property
    def units(self) -> tuple[LoadedRun, ...]:
        return self.grouping.units

    @property
    def arms(self) -> list[str] | None:
        """The arms shown; None for all."""
        return None if self.selection.arm is None else [self.selection.arm]


def select(runs: Sequence[LoadedRun], selection: Selection) -> Selected:
    """Return what a selection shows of runs. Raises NotFound for a foreign baseline or arm, BadValue for a field."""
    if selection.baseline is not None and selection.baseline not in {run.id for run in runs}:
        known = tuple(run.id for run in runs)
        raise NotFound(f"the baseline {selection.baseline!r} is not among the runs", nearest(selection.baseline, known))
    arms = tuple(dict.fromkeys(arm.name for run in runs for arm in run.data.arms))
    if selection.arm is not None and selection.arm not in arms:
        raise NotFound(f"no run has an arm {selection.arm!r}", nearest(selection.arm, arms))
    if selection.at is not None and not math.isfinite(selection.at):
        raise BadValue(f"{selection.at} is no step")
    if selection.values == "at" and selection.at is None:
        raise BadValue("values at a step need a step", "name it: --at STEP")
    grouping = group_runs(runs, selection.group_by)
    if not grouping.units:
        return Selected(selection, grouping, "", left_out_note(grouping))
    wanted = grouping.unit_of(selection.baseline)
    base = wanted or grouping.units[0]
    instead = f"the baseline is in no group: {base.title} takes its place" if selection.baseline and not wanted else ""
    notes = (left_out_note(grouping), instead, grouping.note or pairing_note(grouping.units, base.id))
    return Selected(selection, grouping, base.id, "; ".join(filter(None, notes)))


def left_out_note(grouping: Grouping) -> str:
    """Name the runs that belong to no group."""
    names = ", ".join(run.title for run in grouping.left_out)
    return f"left out, changed in flight: {names}" if names else ""


def steps_note(rows: Sequence[SummaryRow], at: float | None) -> str:
    """Say at which steps values at a step were measured. Empty where none were asked for."""
    steps = [step for row in rows if row.steps for step in row.steps]
    if at is None or not steps:
        return ""
    low, high = min(steps), max(steps)
    if low == high:
        same = low == at
        return f"at step {step_text(at)}" if same else f"at step {step_text(at)}: measured at {step_text(low)}"
    return f"at step {step_text(at)}: measured at {step_text(low)} to {step_text(high)}"


def numeric(grouping: Grouping) -> bool:
    """Tell whether the groups lie along an axis: two of them or more, each with a number for its value."""
    groups = grouping.groups
    return len(groups) > 1 and all(group.number is not None for group in groups)


def field_figure(rows: Sequence[SummaryRow], grouping: Grouping, measure: str, *, log_x: bool | None = None) -> Figure:
    """Return a value of the summary against the field of the groups: mean and ±1 sd, a line per arm.

    The axis is logarithmic where the values span decades; a 0 (off) has no place there and becomes a line across.
    """
    groups: Mapping[str, Group] = {group.id: group for group in grouping.groups}
    numbers = [group.number for group in groups.values() if group.number is not None]
    positive = [number for number in numbers if number > 0]
    spans = len(positive) > 1 and min(numbers) >= 0 and max(positive) / min(positive) >= DECADES
    log = spans if log_x is None else log_x
    lines: list[Line] = []
    references: list[Reference] = []
    by_arm: dict[str, list[SummaryRow]] = {}
    for row in rows:
        if row.measure == measure:
            by_arm.setdefault(row.arm_title, []).append(row)
    for arm, found in by_arm.items():
        points: list[tuple[float, SummaryRow]] = []
        for row in found:
            number = groups[row.run].number
            if number is None:
                continue
            if log and number <= 0:
                label = f"{groups[row.run].value}" if number else "off"
                references.append(Reference(row.value.mean, f"{label} · {arm}" if len(by_arm) > 1 else label))
            else:
                points.append((number, row))
        lines.append(
            Line(
                label=arm,
                x=tuple(number for number, _ in points),
                y=tuple(row.value.mean for _, row in points),
                low=tuple(_bound(row, -1) for _, row in points),
                high=tuple(_bound(row, 1) for _, row in points),
                n=tuple(row.value.n for _, row in points),
            )
        )
    field = grouping.field.replace("_", " ")
    name = measure.replace("_", " ")
    return Figure(
        name=f"{measure} by {grouping.field}",
        title=f"{name} against {field}",
        x_label=field,
        y_label=name,
        lines=tuple(lines),
        references=tuple(reference for reference in references if math.isfinite(reference.value)),
        log_x=log,
    )


def _bound(row: SummaryRow, side: int) -> float:
    return row.value.mean + side * row.value.sd
