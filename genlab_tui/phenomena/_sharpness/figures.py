"""Sharp and flat minima: sharpness against test error, curvature on the way, all measures, spectra, learning curves."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.phenomena._sharpness.claims import PUBLISHED_ACCURACY, PUBLISHED_SHARPNESS
from genlab_tui.phenomena._sharpness.config import (
    ADAPTIVE,
    BOX,
    EIGENVALUE,
    ERROR,
    LOSS,
    MEASURES,
    RESCALED,
    RISE,
    SAM,
    SHARPER,
    Config,
    eigenvalue_name,
    level_arm,
    levels,
    small,
)
from genlab_tui.phenomena._sharpness.numbers import rank_of_all, times
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

BAND = "mean over seeds, band: 1 standard deviation"


def figures(config: Config, run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return what sharpness says of test error, and what it depends on; also of data still coming."""
    arms = [arm.name for arm in run_data.arms]
    return (
        _against_error(config, run_data, EIGENVALUE, "curvature-error"),
        _path(config, run_data),
        _bars(config, run_data, arms),
        _against_error(config, run_data, BOX, "box-error"),
        _against_error(config, run_data, RISE, "rise-error"),
        _spectrum(config, run_data),
        Figure(
            "learning",
            "Training loss of every batch size",
            "step",
            "training loss (nats)",
            curve_lines(run_data, LOSS, arms=arms),
            (Reference(config.loss, "where all stop"),),
            log_x=True,
            log_y=True,
            note=f"evaluation mode, plain cross-entropy; {BAND}",
        ),
    )


def _against_error(config: Config, run_data: RunData, measure: str, name: str) -> Figure:
    """Return every trained network as a point: what a measure says, and its test error."""
    lines = []
    for slot, arm in enumerate(run_data.arms):
        x, y = run_data.measure(measure, arm.name), run_data.measure(ERROR, arm.name)
        seeds = [s for s in x if s in y and x[s] > 0 and math.isfinite(x[s]) and math.isfinite(y[s])]
        if seeds:
            lines.append(
                Line(arm.title, tuple(x[s] for s in seeds), tuple(y[s] for s in seeds), points=True, slot=slot)
            )
    stop = f"all at a training loss of {config.loss:g}"
    if measure == BOX and run_data.spec.data == "mnist":
        stop = f"ours {stop}, the two published ones were not stopped at any loss"
        for label, at, reached in zip(("small", "large"), PUBLISHED_SHARPNESS, PUBLISHED_ACCURACY, strict=True):
            lines.append(Line(f"published, F1, {label} batch", (at,), (round(1 - reached, 4),), points=True))
    rank = rank_of_all(run_data, measure, ERROR, [arm.name for arm in run_data.arms])
    words = "" if math.isnan(rank) else f"rank correlation {rank:.2f}; "
    return Figure(
        name,
        f"Test error against {_words(measure)}",
        f"{_words(measure)}{' (%)' if measure == BOX else ''}",
        "test error",
        tuple(lines),
        log_x=True,
        note=f"{words}a point is a network; {stop}",
    )


def _words(measure: str) -> str:
    words = MEASURES[measure]
    return words if words.startswith("Keskar") else f"the {words}" if measure != EIGENVALUE else words


def _path(config: Config, run_data: RunData) -> Figure:
    """Return the largest eigenvalue over the training loss at which it was measured, arm by arm."""
    lines = []
    for slot, arm in enumerate(run_data.arms):
        rows = []
        for level in (*levels(config), config.loss):
            name = arm.name if level == config.loss else level_arm(arm.name, level)
            x, y = (
                summarise(run_data.measure(LOSS, name).values()),
                summarise(run_data.measure(EIGENVALUE, name).values()),
            )
            if x.n and y.n:
                rows.append((x.mean, y))
        if rows:
            lines.append(
                Line(
                    arm.title,
                    tuple(at for at, _ in rows),
                    tuple(s.mean for _, s in rows),
                    tuple(s.mean - s.sd for _, s in rows),
                    tuple(s.mean + s.sd for _, s in rows),
                    n=tuple(s.n for _, s in rows),
                    slot=slot,
                )
            )
    return Figure(
        "path",
        "Curvature on the way down",
        "training loss (nats), falling to the left",
        MEASURES[EIGENVALUE],
        tuple(lines),
        log_x=True,
        log_y=True,
        note=f"networks that stopped at these losses: sharpness is comparable at equal loss only; {BAND}",
    )


SHORT = {EIGENVALUE: "eigenv.", SAM: "SAM", ADAPTIVE: "adaptive", BOX: "Keskar", RISE: "rise"}
"""The measures in the width of a cell."""


def _bars(config: Config, run_data: RunData, arms: Sequence[str]) -> HeatMap:
    """Return every measure of every arm, divided by that of the small batch, on a scale of factors of 2."""
    base = small(config)
    rows = [name for name in arms if name != base] + [RESCALED]
    titles = {arm.name: arm.title for arm in run_data.arms} | {RESCALED: f"rescaled by {config.rescale:g}"}
    values = []
    for name in rows:
        found = [times(run_data, measure, name, base) for measure in MEASURES]
        logs = [[math.log2(v) for v in one.values() if v > 0 and math.isfinite(v)] for one in found]
        values.append(tuple(summarise(one).mean for one in logs))
    return HeatMap(
        "measures",
        "Sharper than the small batch, doublings",
        "measure",
        "network",
        tuple(SHORT[measure] for measure in MEASURES),
        tuple(titles[name] for name in rows),
        tuple(values),
        note=f"0: as sharp; {math.log2(SHARPER):g}: twice as sharp, as the claim asks; log2 of the ratio, seed mean",
    )


def _spectrum(config: Config, run_data: RunData) -> Figure:
    lines = []
    for slot, arm in enumerate(run_data.arms):
        found = [
            (k, summarise(run_data.measure(eigenvalue_name(k), arm.name).values()))
            for k in range(1, config.eigenvalues + 1)
        ]
        rows = [(k, s) for k, s in found if s.n]
        if rows:
            lines.append(
                Line(
                    arm.title,
                    tuple(float(k) for k, _ in rows),
                    tuple(s.mean for _, s in rows),
                    tuple(s.mean - s.sd for _, s in rows),
                    tuple(s.mean + s.sd for _, s in rows),
                    n=tuple(s.n for _, s in rows),
                    slot=slot,
                )
            )
    return Figure(
        "spectrum",
        "Largest eigenvalues of the Hessian",
        "eigenvalue, the largest first",
        "eigenvalue",
        tuple(lines),
        note=f"on {config.subset:,} training samples at most, always the same; {BAND}",
    )
