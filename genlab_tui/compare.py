"""Runs side by side: what differs between them, their figures on top of each other, their verdicts, one document.

Everything is pure and frozen. Runs of different phenomena compare too: tables then show what they share and leave the
rest empty.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genlab_tui.events import Value, from_value, to_value
from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.lines import Axis, curve_lines
from genlab_tui.selection import Selection, select
from genlab_tui.settings import settings_table
from genlab_tui.stats import Summary
from genlab_tui.summary import METHOD, LoadedRun, SummaryRow
from genlab_tui.verdict import CriterionResult, Verdict

SCHEMA = 1


# --- curves and figures on top of each other --------------------------------------------------------------------------


def metric_names(runs: Iterable[LoadedRun]) -> tuple[str, ...]:
    """Return every metric that some run has a curve of: declared ones first, those of more runs before others."""
    runs = tuple(runs)
    counts: dict[str, int] = {}
    for run in runs:
        declared = [m.name for m in run.phenomenon.metrics] if run.phenomenon else []
        for metric in dict.fromkeys([*(m for m in declared if m in run.data.curves), *run.data.curves]):
            counts[metric] = counts.get(metric, 0) + 1
    return tuple(sorted(counts, key=lambda m: -counts[m]))


def metric_figure(
    runs: Sequence[LoadedRun],
    metric: str,
    *,
    x: Axis = "step",
    arms: Sequence[str] | None = None,
    members: bool = False,
    log_x: bool | None = None,
    log_y: bool | None = None,
    titles: Mapping[str, str] | None = None,
    points: int = 400,
) -> Figure:
    """Return one chart of a metric of several runs. `log_x`, `log_y` None: as the phenomenon declares them.

    `titles` maps run ids to what their lines are prefixed with (default: the run's title; nothing for a single run).
    """
    lines: list[Line] = []
    references: dict[tuple[float, str], Reference] = {}
    label, log, x_label, log_step = metric.replace("_", " "), False, str(x), False
    for run in runs:
        title = (titles or {}).get(run.id, run.title)
        prefix = f"{title} · " if len(runs) > 1 else ""
        lines += curve_lines(run.data, metric, x=x, arms=arms, members=members, prefix=prefix, points=points)
        declared = next((m for m in run.phenomenon.metrics if m.name == metric), None) if run.phenomenon else None
        if declared:
            label, log = declared.label, log or declared.log
            if x == "step":
                x_label, log_step = declared.step_label, log_step or declared.log_step
            for value, name in declared.references:
                references[value, name] = Reference(value, name)
    return Figure(
        name=metric,
        title=label,
        x_label=x_label,
        y_label=label,
        lines=tuple(lines),
        references=tuple(references.values()),
        log_x=log_step if log_x is None else log_x,
        log_y=log if log_y is None else log_y,
    )


def overlay_figures(runs: Sequence[LoadedRun], titles: Mapping[str, str] | None = None) -> tuple[Figure | HeatMap, ...]:
    """Return the runs' figures on top of each other: those of one name and the same axes become one.

    Lines are prefixed by their run's title. Heat maps cannot lie on top of each other: each stays alone under its
    run's title. Raises GenlabError where a phenomenon's own drawing code fails.
    """
    merged: dict[tuple[str, str, str], Figure] = {}
    heats: list[HeatMap] = []
    for run in runs:
        title = (titles or {}).get(run.id, run.title)
        prefix = f"{title} · " if len(runs) > 1 else ""
        for figure in run.figures():
            if isinstance(figure, HeatMap):
                heats.append(dataclasses.replace(figure, title=prefix + figure.title))
                continue
            lines = tuple(dataclasses.replace(line, label=prefix + line.label) for line in figure.lines)
            key = (figure.name, figure.x_label, figure.y_label)
            under = merged.get(key)
            merged[key] = dataclasses.replace(
                under or figure,
                lines=(under.lines if under else ()) + lines,
                references=_together(under.references if under else (), figure.references),
            )
    return (*merged.values(), *heats)


def _together(first: tuple[Reference, ...], second: tuple[Reference, ...]) -> tuple[Reference, ...]:
    return tuple(dict.fromkeys((*first, *second)))


# --- verdicts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VerdictRow:
    """A claim (`criterion` empty) or one of its criteria. `cells` has one result per run, None where it has none."""

    claim: str
    main: bool
    criterion: str
    statuses: tuple[str, ...]
    cells: tuple[CriterionResult | None, ...] = ()


def verdict_rows(runs: Sequence[LoadedRun]) -> tuple[VerdictRow, ...]:
    """Return claims and criteria of all runs side by side; runs of other phenomena have empty cells."""
    verdicts = [run.verdict for run in runs]
    rows: list[VerdictRow] = []
    claims: dict[str, bool] = {}
    for verdict in verdicts:
        for claim in verdict.claims if verdict else ():
            claims[claim.name] = claims.get(claim.name, False) or claim.main
    for name, main in claims.items():
        judged = [next((c for c in v.claims if c.name == name), None) if v else None for v in verdicts]
        rows.append(VerdictRow(name, main, "", tuple(str(c.status) if c else "" for c in judged)))
        for criterion in dict.fromkeys(r.name for c in judged if c for r in c.criteria):
            cells = tuple(next((r for r in c.criteria if r.name == criterion), None) if c else None for c in judged)
            rows.append(VerdictRow(name, main, criterion, tuple(str(c.status) if c else "" for c in cells), cells))
    return tuple(rows)


# --- the document -----------------------------------------------------------------------------------------------------


def compare_document(runs: Sequence[LoadedRun], selection: Selection | None = None) -> dict[str, Any]:
    """Return the comparison as a JSON document of schema 1: runs, what differs, summary, verdicts.

    `run` and `baseline` of a row of the summary are run ids, or values of the field where runs are grouped. Numbers
    that are not finite are written by name, missing ones are null. Raises NotFound for a foreign baseline.
    """
    selected = select(runs, selection or Selection())
    grouping = selected.grouping
    ids = tuple(run.id for run in runs)
    return {
        "schema": SCHEMA,
        "baseline": selected.baseline,
        "method": METHOD,
        "note": selected.note,
        "group_by": grouping.field or None,
        "groups": [
            {"value": group.value, "runs": [run.id for run in group.members], "networks": len(group.data.seeds)}
            for group in grouping.groups
        ],
        "left_out": [run.id for run in grouping.left_out],
        "runs": [_run_document(run) for run in runs],
        "differs": [
            {"name": row.name, "group": row.group or "run", "values": dict(zip(ids, row.values, strict=True))}
            for row in settings_table(runs)
        ],
        "summary": [_row_document(row) for row in selected.rows],
        "verdicts": [
            {
                "claim": row.claim,
                "main": row.main,
                "criterion": row.criterion or None,
                "status": dict(zip(ids, (s or None for s in row.statuses), strict=True)),
                "value": {i: c.value for i, c in zip(ids, row.cells, strict=True) if c} if row.cells else None,
                "threshold": next((c.threshold for c in row.cells if c), None),
            }
            for row in verdict_rows(runs)
        ],
    }


def _run_document(run: LoadedRun) -> dict[str, Any]:
    spec, record = run.spec, run.record
    return {
        "id": run.id,
        "name": record.name,
        "phenomenon": spec.phenomenon,
        "state": str(record.state),
        "reason": record.reason,
        "preset": spec.preset,
        "data": spec.data,
        "config": dict(spec.config),
        "regularisers": dict(spec.regularisers),
        "seeds": list(spec.seed_list),
        "arms": [a.name for a in run.data.arms],
        "flags": list(run.flags),
        "verdict": _status(run.verdict),
        "prediction": spec.prediction or None,
        "expected": spec.expected or None,
        "headline": {name: to_value(value) for name, value in record.headline.items()},
    }


def _status(verdict: Verdict | None) -> str | None:
    return str(verdict.status) if verdict else None


def _row_document(row: SummaryRow) -> dict[str, Any]:
    return {
        "run": row.run,
        "arm": row.arm,
        "measure": row.measure,
        "mean": number(row.value.mean),
        "sd": number(row.value.sd),
        "n": row.value.n,
        "higher_is_better": row.higher_is_better,
        "measured_at_steps": list(row.steps) if row.steps else None,
        "baseline": row.baseline or None,
        "delta": delta_document(row.delta),
        "arm_baseline": row.arm_baseline or None,
        "arm_delta": delta_document(row.arm_delta),
    }


def delta_document(delta: Summary | None) -> dict[str, Value] | None:
    """Return a paired difference as JSON: mean, sd, n of pairs, interval; null where there is none."""
    if delta is None:
        return None
    keys = ("mean", "sd", "low", "high")
    return {"n": delta.n} | {key: number(getattr(delta, key)) for key in keys}


def number(value: float | Value) -> Value:
    """Return a number for JSON: NaN means that there is none, infinities go by name."""
    as_float = from_value(value)
    return None if math.isnan(as_float) else to_value(as_float)
