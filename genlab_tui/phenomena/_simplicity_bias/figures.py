"""Simplicity bias: AUC under permuted inputs, coefficients over steps, steps to learn over frequency."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace

from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.lines import MEDIAN, curve_lines
from genlab_tui.measures import mean
from genlab_tui.phenomena._simplicity_bias.claims import APART, ENOUGH, GUESSING, UNMOVED
from genlab_tui.phenomena._simplicity_bias.config import (
    BOTH,
    COMPLEX,
    FOURIER,
    LINE,
    SINE_ARMS,
    SLAB_ARMS,
    Config,
    ordered,
    part,
)
from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData

VERSIONS = {
    "auc": "as drawn",
    "auc_simple_permuted": "simple permuted",
    "auc_complex_permuted": "complex permuted",
}
SHORT = {BOTH: "all", COMPLEX: "slabs"}


def figures(config: Config, run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return the figures of the arms that were launched, also of data still coming."""
    launched = {arm.name for arm in run_data.arms}
    found: list[Figure | HeatMap] = []
    if launched & set(SLAB_ARMS):
        found += [_auc(run_data), _table(run_data)]
    found += [_spectrum(config, run_data, arm) for arm in SINE_ARMS if arm in launched]
    if launched & set(SINE_ARMS):
        found.append(_arrivals(config, run_data))
    return tuple(found)


def _auc(run_data: RunData) -> Figure:
    lines = tuple(
        replace(line, label=f"{SHORT[arm]}, {words}")
        for arm in SLAB_ARMS
        for metric, words in VERSIONS.items()
        for line in curve_lines(run_data, metric, x="epoch", arms=[arm])
    )
    return Figure(
        "permuted",
        "Test AUC with coordinates permuted",
        "epoch",
        "test AUC",
        lines,
        (
            Reference(0.5, "guessing"),
            Reference(GUESSING, "simple permuted: below this is guessing"),
        ),
        note="line: mean over seeds, band: 1 standard deviation; permuted: taken from other test samples, the complex "
        "coordinates together",
    )


def _table(run_data: RunData) -> HeatMap:
    rows = [arm.name for arm in run_data.arms if arm.name in SLAB_ARMS]
    return HeatMap(
        "auc-table",
        "Which coordinates a network uses: test AUC",
        "permuted in the test inputs",
        "trained on",
        ("nothing", "simple", "complex"),
        tuple(SHORT[arm] for arm in rows),
        tuple(tuple(mean(run_data.measure(metric, arm)) for metric in VERSIONS) for arm in rows),
        note=f"mean over seeds; unmoved: loses less than {UNMOVED:g}",
    )


def _spectrum(config: Config, run_data: RunData, arm: str) -> Figure:
    lines = tuple(
        replace(line, label=f"k = {k}")
        for k in ordered(config)
        for line in curve_lines(run_data, "coefficient", arms=[part(arm, k)])
    )
    words = {LINE: "read off the point x", FOURIER: "read off random Fourier features (control)"}
    return Figure(
        f"spectrum-{arm}",
        f"Sines learnt, {words[arm]}",
        "step",
        "Fourier coefficient over the target's",
        lines,
        (Reference(ENOUGH, "learnt"), Reference(1.0, "the target")),
        log_x=True,
        note="mean over the seeds that still train, band: 1 standard deviation; a network ends once it has all sines",
    )


def _arrivals(config: Config, run_data: RunData) -> Figure:
    lines = (_line(run_data, arm, ordered(config)) for arm in run_data.arms if arm.name in SINE_ARMS)
    return Figure(
        "arrivals",
        "Steps until a sine is learnt, over its frequency",
        "periods on [0, 1]",
        f"steps to a coefficient of {ENOUGH:g}",
        tuple(line for line in lines if line),
        log_x=True,
        log_y=True,
        note=f"{MEDIAN}; asked: strictly rising in every seed, by a factor of {APART:g} in all",
    )


def _line(run_data: RunData, arm: Arm, waves: tuple[int, ...]) -> Line | None:
    """Return the steps to learn of an arm over the frequency, of the seeds that learnt it; None without any."""
    found = {k: run_data.measure("steps_to_learn", part(arm.name, k)).values() for k in waves}
    rows = {float(k): [at for at in values if math.isfinite(at)] for k, values in found.items()}
    rows = {k: row for k, row in rows.items() if row}
    if not rows:
        return None
    own = list(rows.values())
    middle = tuple(float(statistics.median(row)) for row in own)
    return Line(arm.title, tuple(rows), middle, tuple(map(min, own)), tuple(map(max, own)), n=tuple(map(len, own)))
