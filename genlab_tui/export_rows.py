"""The rows of exported files: which run or group each is from, and the numbers of one kind of file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genlab_tui import regularisers
from genlab_tui.csv_file import Row, cell
from genlab_tui.difference import difference_lines
from genlab_tui.events import Value, from_value
from genlab_tui.exact import EventSource, exact_curves
from genlab_tui.expectation import expectation
from genlab_tui.figure import Figure, HeatMap, Line
from genlab_tui.grouping import Group
from genlab_tui.lines import curve_lines
from genlab_tui.selection import Selected
from genlab_tui.settings import NONE, settings_table
from genlab_tui.stats import Summary
from genlab_tui.summary import LoadedRun
from genlab_tui.verdict import Verdict


@dataclass(frozen=True, eq=False)
class ExportRun(LoadedRun):
    """A run to export. `events` opens its events from the start (for every curve value; called twice)."""

    events: EventSource = tuple


Cells = Mapping[str, list[str]]
"""Per run id, the text of the cells that say which run a row is from."""


def about_cells(runs: Sequence[LoadedRun], selected: Selected) -> tuple[list[str], Cells]:
    """Return the columns that every file starts with, and the cells for them of each run and of each group.

    A group has the ids of its runs, and what they all have in common.
    """
    config = list(dict.fromkeys(name for run in runs for name in run.spec.config))
    field, groups = selected.grouping.field, selected.grouping.groups
    group_of = {run.id: group.value for group in groups for run in group.members}
    cells: dict[str, list[str]] = {}
    for run in runs:
        spec = run.spec
        own: list[Any] = [run.id, run.record.name, spec.phenomenon, spec.data, spec.preset]
        own += [regularisers.summary(spec.regularisers), "; ".join(run.flags), field, group_of.get(run.id, "")]
        cells[run.id] = [cell(value) for value in (*own, *(spec.config.get(name) for name in config))]
    for group in groups:
        columns = list(zip(*(cells[run.id] for run in group.members), strict=True))
        shared = [column[0] if len(set(column)) == 1 else "" for column in columns]
        flags = cell("; ".join(group.flags))
        ids = cell(" ".join(run.id for run in group.members))
        cells[group_key(group.id)] = [ids, *shared[1:6], flags, *shared[7:]]
    names = ["run", "name", "phenomenon", "data", "preset", "regularisers", "flags", "group_by", "group"]
    return [*names, *(f"config_{name}" for name in config)], cells


def group_key(value: str) -> str:
    """Return the key of a group's cells: no value of a field may hide a run of the same text."""
    return f"group {value}"


def _unit_cells(unit: LoadedRun, cells: Cells) -> list[str]:
    return cells[group_key(unit.id) if isinstance(unit, Group) else unit.id]


def _number(value: float | None) -> float | None:
    """Return a statistic for its cell: NaN means that there is none (too few seeds), so the cell is empty."""
    return None if value is None or math.isnan(value) else value


def _value(value: Value) -> float | None:
    """Return a number of a verdict for its cell: a measured NaN stays one, no number leaves the cell empty."""
    return None if value is None else from_value(value)


DELTA = ["baseline", "delta", "delta_sd", "delta_n", "delta_low", "delta_high"]
AT = ["at_step", "measured_from", "measured_to"]
SUMMARY = ["arm", "measure", "mean", "sd", "n", *DELTA, *(f"arm_{name}" for name in DELTA), *AT]


def summary_rows(selected: Selected, cells: Cells) -> Iterator[Row]:
    units = {unit.id: unit for unit in selected.units}
    for row in selected.rows:
        value = row.value
        own: dict[str, Any] = {"arm": row.arm, "measure": row.measure, "n": value.n}
        own |= {"mean": _number(value.mean), "sd": _number(value.sd)}
        own |= {"baseline": row.baseline, "arm_baseline": row.arm_baseline}
        if row.steps:
            own |= dict(zip(AT, (selected.selection.at, *row.steps), strict=True))
        yield _unit_cells(units[row.run], cells), own | _delta("", row.delta) | _delta("arm_", row.arm_delta)


def _delta(prefix: str, delta: Summary | None) -> dict[str, Any]:
    if delta is None:
        return {}
    numbers = {"": delta.mean, "_sd": delta.sd, "_low": delta.low, "_high": delta.high}
    return {f"{prefix}delta{end}": _number(v) for end, v in numbers.items()} | {f"{prefix}delta_n": delta.n}


CURVES = ["arm", "seed", "step", "metric", "epoch", "seconds", "value"]


def curves_rows(runs: Sequence[ExportRun], arm: str | None, cells: Cells) -> Iterator[Row]:
    for run in runs:
        for value in exact_curves(run.events):
            if arm is None or value.arm == arm:
                yield cells[run.id], vars(value)


MEANS = ["arm", "metric", "what", "baseline", "x_axis", "x", "mean", "low", "high", "n"]
ALL_POINTS = 1 << 40


def means_rows(selected: Selected, cells: Cells) -> Iterator[Row]:
    """Yield the lines of the curves: the mean over seeds with ±1 sd, and the paired difference with its interval."""
    x, arms = selected.selection.x, selected.arms
    base = next((unit for unit in selected.units if unit.id == selected.baseline), None)
    for unit in selected.units:
        titles = {arm.title: arm.name for arm in unit.data.arms}
        for metric in unit.data.curves:
            means = curve_lines(unit.data, metric, x=x, arms=arms, points=ALL_POINTS)
            pairs: tuple[Line, ...] = ()
            if base is not None and unit is not base:
                pairs = difference_lines(unit.data, base.data, metric, x=x, arms=arms, points=ALL_POINTS)
            for what, lines in (("mean", means), ("difference", pairs)):
                against = selected.baseline if what == "difference" else None
                for line in lines:
                    named = {"arm": titles.get(line.label, line.label), "metric": metric, "what": what, "x_axis": x}
                    for point in _points(Figure("", "", "", "", (line,))):
                        yield (
                            _unit_cells(unit, cells),
                            point | named | {"baseline": against, "mean": _number(point["y"])},
                        )


SETTINGS = ["kind", "setting", "value", "differs"]


def settings_rows(runs: Sequence[ExportRun], cells: Cells) -> Iterator[Row]:
    rows = settings_table(runs, all_of_them=True)
    for i, run in enumerate(runs):
        for row in rows:
            if row.values[i] != NONE:
                own = {"kind": row.group, "setting": row.name, "value": row.values[i], "differs": row.differs}
                yield cells[run.id], own


FIGURE = ["figure", "kind", "series", "x", "y", "low", "high", "n", "x_label", "y_label", "x_tick"]


def figure_rows(runs: Sequence[ExportRun], cells: Cells) -> Iterator[Row]:
    for run in runs:
        for figure in run.figures():
            axes = {"figure": figure.name, "x_label": figure.x_label, "y_label": figure.y_label}
            points = _heat_cells(figure) if isinstance(figure, HeatMap) else _points(figure)
            for point in points:
                yield cells[run.id], axes | point


def _points(figure: Figure) -> Iterator[dict[str, Any]]:
    for line in figure.lines:
        kind = "point" if line.points else "line"
        for i, (x, y) in enumerate(zip(line.x, line.y, strict=True)):
            band = {
                "low": _number(line.low[i]) if line.low else None,
                "high": _number(line.high[i]) if line.high else None,
            }
            n = line.n[i] if line.n else None
            yield {"kind": kind, "series": line.label, "x": float(x), "y": float(y), "n": n} | band
    for reference in figure.references:
        yield {"kind": "reference", "series": reference.label, reference.axis: float(reference.value)}


def _heat_cells(heat: HeatMap) -> Iterator[dict[str, Any]]:
    """A row per cell: the series is its row, x the number of its column's tick (its position where that is none)."""
    for tick, row in zip(heat.y_ticks, heat.values, strict=True):
        for position, (x_tick, value) in enumerate(zip(heat.x_ticks, row, strict=True)):
            try:
                x = float(x_tick)
            except ValueError:
                x = float(position)
            yield {"kind": "cell", "series": tick, "x": x, "y": float(value), "x_tick": x_tick}


CRITERIA = ["claim", "main", "claim_status", "criterion", "status", "value", "threshold", "published"]
CRITERIA += ["published_source", "seeds", "seeds_that_pass", "reason", "control", "control_value"]
CRITERIA += ["control_threshold", "control_fired", "control_seeds", "verdict", "scope"]
CRITERIA += ["prediction", "expected", "as_expected"]


def criteria_rows(runs: Sequence[ExportRun], cells: Cells) -> Iterator[Row]:
    for run in runs:
        if run.verdict:
            guess = {"prediction": run.spec.prediction, "expected": run.spec.expected}
            if came := expectation(run):
                guess["as_expected"] = str(came == "right")
            for own in _judged(run.verdict):
                yield cells[run.id], own | guess


def _judged(verdict: Verdict) -> Iterator[dict[str, Any]]:
    for claim in verdict.claims:
        for c in claim.criteria:
            own: dict[str, Any] = {
                "claim": claim.name,
                "main": claim.main,
                "claim_status": str(claim.status),
                "criterion": c.name,
                "status": str(c.status),
                "value": _value(c.value),
                "threshold": c.threshold,
                "published": c.published,
                "published_source": c.published_source,
                "seeds": len(c.seeds),
                "seeds_that_pass": c.agree,
                "reason": c.reason or claim.reason,
                "verdict": str(verdict.status),
                "scope": verdict.scope,
            }
            if c.control:
                own |= {
                    "control": c.control.name,
                    "control_value": _value(c.control.value),
                    "control_threshold": c.control.threshold,
                    "control_fired": c.control.fired,
                    "control_seeds": len(c.control.seeds),
                }
            yield own
