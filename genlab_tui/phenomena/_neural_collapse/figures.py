"""Neural collapse: its numbers over epochs, the cosines between class means, test accuracy after the last error."""

from __future__ import annotations

import math
from dataclasses import replace

from genlab_tui.events import from_value
from genlab_tui.figure import Figure, HeatMap, Line, Reference, Tick
from genlab_tui.lines import curve_lines
from genlab_tui.phenomena._neural_collapse.claims import NAMES
from genlab_tui.phenomena._neural_collapse.config import (
    ANGLES,
    COSINES,
    DECAY_NOTE,
    NC1,
    NC3,
    NC4,
    NEAREST,
    NORMS,
    Config,
    arm_of,
    data_of,
    fit_of,
)
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

FIT = "no training error from here on"
TITLES = {
    NC1: "Features gather around their class means (NC1)",
    NORMS: "Class means become equally long (NC2)",
    ANGLES: "Class means spread to equal angles (NC2)",
    NC3: "Output weights become the class means (NC3)",
    NC4: "The nearest class mean decides (NC4)",
}
LABELS = {
    NC1: "Tr(S_w S_b^+) / C",
    NORMS: "standard deviation / mean of lengths",
    ANGLES: "mean |cos + 1/(C-1)|",
    NC3: "|W/|W| - M/|M||^2",
    NC4: "share of training samples",
}


def figures(config: Config, run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return one figure a number of collapse, heat maps of cosines of the first arm and the control, test accuracy."""
    return (
        _over_epochs(run_data, NC1),
        _over_epochs(run_data, NORMS),
        _over_epochs(run_data, ANGLES),
        _over_epochs(run_data, NC3),
        _over_epochs(run_data, NC4),
        _cosines(run_data, arm_of(config.weight_decays[0]), "cosines"),
        _cosines(run_data, arm_of(0.0), "cosines-control"),
        _accuracy(run_data),
    )


def _over_epochs(run_data: RunData, metric: str) -> Figure:
    lines = _lines(run_data, metric)
    log = metric != NC4  # which is 0 where the collapse is complete
    return Figure(
        metric.replace("_", "-"),
        TITLES[metric],
        "epoch",
        LABELS[metric],
        lines,
        (Reference(NEAREST, "asked at the end"),) if metric == NC4 else (),
        log_y=log,
        note=f"{NAMES[metric]}, training set; marks: {FIT}; line: mean over seeds, band: 1 standard deviation; "
        f"{DECAY_NOTE}",
        ticks=_ticks(run_data, lines),
    )


def _lines(run_data: RunData, metric: str) -> tuple[Line, ...]:
    """Return the launched arms' curves from the first epoch on, without the networks that stop at their last error."""
    lines = curve_lines(run_data, metric, x="epoch", arms=[arm.name for arm in run_data.arms])
    return tuple(_positive(_later(line)) for line in lines)


def _later(line: Line) -> Line:
    """Return a line without what came before the end of the first epoch: it would take most of the axis."""
    first = next((place for place, epoch in enumerate(line.x) if epoch >= 1), 0)
    return replace(
        line,
        x=line.x[first:],
        y=line.y[first:],
        low=line.low and line.low[first:],
        high=line.high and line.high[first:],
        n=line.n and line.n[first:],
    )


def _positive(line: Line) -> Line:
    """Return a line whose band goes no lower than a thousandth of its mean: on a log axis 0 is nowhere."""
    if line.low is None:
        return line
    return replace(line, low=tuple(max(low, y / 1000) for low, y in zip(line.low, line.y, strict=True)))


def _ticks(run_data: RunData, lines: tuple[Line, ...]) -> tuple[Tick, ...]:
    drawn = {line.label for line in lines}
    found = []
    for arm in run_data.arms:
        epochs = [e for e in run_data.measure("epochs_to_fit", fit_of(arm.name)).values() if math.isfinite(e)]
        if epochs and arm.title in drawn:
            found.append(Tick(sum(epochs) / len(epochs), FIT, arm.title, len(epochs)))
    return tuple(found)


def _cosines(run_data: RunData, arm: str, name: str) -> HeatMap:
    """Return the mean over seeds of the cosines between class means at the end, and beside it what all should be."""
    heats = [heat for (own, _), heat in sorted(run_data.heats.get(COSINES, {}).items()) if own == arm]
    launched = run_data.arm(arm)
    classes = data_of(run_data.spec).classes
    ideal = -1 / (classes - 1)
    rows: list[tuple[float, ...]] = []
    ticks = heats[0].y_ticks if heats else ()
    for i in range(len(ticks)):
        row = [math.nan if i == j else summarise(from_value(heat.values[i][j]) for heat in heats).mean
               for j in range(len(ticks))]  # fmt: skip
        rows.append((*row, math.nan, ideal))
    return HeatMap(
        name,
        f"Cosines between class means at the end, {launched.title if launched else arm}",
        "class",
        "class",
        (*ticks, "", "ideal") if ticks else (),
        ticks,
        tuple(rows),
        note=f"last column: {ideal:.3f}, as far apart as {classes} directions can be; class means less their mean, on "
        f"the training set; mean over {len(heats)} seeds; {DECAY_NOTE}",
    )


def _accuracy(run_data: RunData) -> Figure:
    lines = curve_lines(run_data, "test_accuracy", x="epoch", arms=[arm.name for arm in run_data.arms])
    return Figure(
        "accuracy",
        "Test accuracy, before and after the last training error",
        "epoch",
        "test accuracy",
        lines,
        note=f"marks: {FIT}; line: mean over seeds, band: 1 standard deviation; {DECAY_NOTE}",
        ticks=_ticks(run_data, lines),
    )
