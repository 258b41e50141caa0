"""Runs as CSV for a colleague: tidy, exact, private, safe to open in a spreadsheet, loads in pandas as it is.

Every row says which run it is from and how that run was configured. Numbers are written so that `float()` gives back
the very same value (`inf`, `-inf` and `nan` by name, an empty cell for no value); text that a spreadsheet would take
for a formula gets a leading apostrophe, numbers never do.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from genlab_tui import regularisers
from genlab_tui.csv_file import Row, cell, check_targets, whole_file, write_rows
from genlab_tui.errors import BadValue, GenlabError, nearest
from genlab_tui.events import Value, from_value
from genlab_tui.exact import EventSource, exact_curves
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.stats import Summary
from genlab_tui.summary import LoadedRun, find_baseline, summary_rows
from genlab_tui.text import clean_text, slug
from genlab_tui.verdict import Verdict

Kind = Literal["summary", "curves", "figure", "criteria"]
KINDS: tuple[Kind, ...] = ("summary", "curves", "figure", "criteria")


@dataclass(frozen=True, eq=False)
class ExportRun(LoadedRun):
    """A run to export. `events` opens its events from the start (for every curve value; called twice)."""

    events: EventSource = tuple


def export_csv(
    runs: Sequence[ExportRun],
    kind: str,
    path: str | os.PathLike[str],
    baseline: str | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write runs as CSV and return the files written.

    `kind` is summary, curves, figure or criteria, or `all`: then `path` gets the summary and `PATH-curves.csv`,
    `PATH-figure.csv`, `PATH-criteria.csv` lie beside it. Files are private (0600) and appear whole or not at all.
    Raises BadValue for an unknown kind or a file that is there already (unless `overwrite`), GenlabError where the
    folder cannot be written, NotFound for a baseline that is not among the runs.
    """
    if not runs:
        raise BadValue("there is no run to export")
    if kind != "all" and kind not in KINDS:
        raise BadValue(f"there is no export kind {kind!r}", nearest(kind, (*KINDS, "all")))
    base = find_baseline(runs, baseline).id
    target = Path(path).expanduser()
    if not target.suffix:
        target = target.with_name(target.name + ".csv")
    files: dict[Kind, Path] = {}
    for one in KINDS:
        if kind == "all":
            files[one] = target if one == "summary" else target.with_name(f"{target.stem}-{one}{target.suffix}")
        elif kind == one:
            files[one] = target
    check_targets(files.values(), overwrite)
    about, cells = _about(runs)
    makers: dict[Kind, Callable[[], tuple[list[str], Iterator[Row]]]] = {
        "summary": lambda: (SUMMARY, _summary(runs, base, cells)),
        "curves": lambda: (CURVES, _curves(runs, cells)),
        "figure": lambda: (FIGURE, _figure(runs, cells)),
        "criteria": lambda: (CRITERIA, _criteria(runs, cells)),
    }
    for one, file in files.items():
        columns, rows = makers[one]()
        with whole_file(file, overwrite) as out:
            write_rows(out, about, columns, rows)
    return list(files.values())


def default_path(folder: Path, runs: Sequence[LoadedRun], kind: str = "all") -> Path:
    """Return a free file name in a folder, made of what the runs are; hostile names lose whatever is not a letter."""
    names = dict.fromkeys(run.spec.phenomenon for run in runs)
    parts = [slug("-".join(names).replace(".", "-"), 40)]
    if runs[0].record.name:
        parts.append(slug(clean_text(runs[0].record.name).replace(".", "-"), 30))
    parts.append(slug(runs[0].id))
    if len(runs) > 1:
        parts.append(f"and-{len(runs) - 1}-more")
    if kind != "all":
        parts.append(slug(kind))
    stem = "-".join(parts)
    for number in range(1, 10_000):
        path = folder / (f"{stem}.csv" if number == 1 else f"{stem}-{number}.csv")
        if not any(path.with_name(f"{path.stem}{end}.csv").exists() for end in ("", *(f"-{k}" for k in KINDS))):
            return path
    raise GenlabError(f"{folder} is full of exports of these runs", "remove some")


# --- rows -------------------------------------------------------------------------------------------------------------

Cells = Mapping[str, list[str]]
"""Per run id, the text of the cells that say which run a row is from."""


def _about(runs: Sequence[LoadedRun]) -> tuple[list[str], Cells]:
    """Return the columns that every file starts with, and each run's cells for them."""
    config = list(dict.fromkeys(name for run in runs for name in run.spec.config))
    cells = {}
    for run in runs:
        spec = run.spec
        own = [run.id, run.record.name, spec.phenomenon, spec.data, spec.preset]
        own += [regularisers.summary(spec.regularisers), "; ".join(run.flags)]
        cells[run.id] = [cell(value) for value in (*own, *(spec.config.get(name) for name in config))]
    names = ["run", "name", "phenomenon", "data", "preset", "regularisers", "flags"]
    return [*names, *(f"config_{name}" for name in config)], cells


def _number(value: float | None) -> float | None:
    """Return a statistic for its cell: NaN means that there is none (too few seeds), so the cell is empty."""
    return None if value is None or math.isnan(value) else value


def _value(value: Value) -> float | None:
    """Return a number of a verdict for its cell: a measured NaN stays one, no number leaves the cell empty."""
    return None if value is None else from_value(value)


DELTA = ["baseline", "delta", "delta_sd", "delta_n", "delta_low", "delta_high"]
SUMMARY = ["arm", "measure", "mean", "sd", "n", *DELTA, *(f"arm_{name}" for name in DELTA)]


def _summary(runs: Sequence[ExportRun], baseline: str, cells: Cells) -> Iterator[Row]:
    for row in summary_rows(runs, baseline):
        value = row.value
        own = {"arm": row.arm, "measure": row.measure, "n": value.n}
        own |= {"mean": _number(value.mean), "sd": _number(value.sd)}
        own |= {"baseline": row.baseline, "arm_baseline": row.arm_baseline}
        yield cells[row.run], own | _delta("", row.delta) | _delta("arm_", row.arm_delta)


def _delta(prefix: str, delta: Summary | None) -> dict[str, Any]:
    if delta is None:
        return {}
    numbers = {"": delta.mean, "_sd": delta.sd, "_low": delta.low, "_high": delta.high}
    return {f"{prefix}delta{end}": _number(v) for end, v in numbers.items()} | {f"{prefix}delta_n": delta.n}


CURVES = ["arm", "seed", "step", "metric", "epoch", "seconds", "value"]


def _curves(runs: Sequence[ExportRun], cells: Cells) -> Iterator[Row]:
    for run in runs:
        for value in exact_curves(run.events):
            yield cells[run.id], vars(value)


FIGURE = ["figure", "kind", "series", "x", "y", "low", "high", "n", "x_label", "y_label", "x_tick"]


def _figure(runs: Sequence[ExportRun], cells: Cells) -> Iterator[Row]:
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


def _criteria(runs: Sequence[ExportRun], cells: Cells) -> Iterator[Row]:
    for run in runs:
        if run.verdict:
            for own in _judged(run.verdict):
                yield cells[run.id], own


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
