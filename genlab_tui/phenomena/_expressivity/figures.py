"""Expressivity: error, size of the weights, condition and test accuracy over the number of points."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.phenomena._expressivity.claims import CHANCE, EXACT
from genlab_tui.phenomena._expressivity.config import JUDGED
from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData

NOTE = "line: median over seeds, band: smallest to largest"
POINTS = "points n"
BUILT = ("gaussian", "float32", "half", "between", "one-direction", "real-random")


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return the figures, also of data still coming."""
    deep = [arm.name for arm in run_data.arms if arm.factors.get("network") == "deep"]
    judged = Reference(float(JUDGED), f"judged up to n = {JUDGED:,}", "x")
    error = Figure(
        "error",
        "How far the network is from its targets",
        POINTS,
        "largest |c(x) - y| / largest |y|",
        over_sizes(run_data, "error", (*BUILT, *deep)),
        (Reference(EXACT, "exact: 1e-6"), judged),
        log_x=True,
        log_y=True,
        note=NOTE,
    )
    weights = Figure(
        "weights",
        "The price: size of the weights and of the slopes",
        POINTS,
        "largest |w|, largest |slope|",
        (
            *over_sizes(run_data, "largest_weight", ("gaussian", "between"), "|w|, "),
            *over_sizes(run_data, "lipschitz", ("gaussian", "one-direction", "real-random"), "|slope|, "),
        ),
        log_x=True,
        log_y=True,
        note=f"the largest slope along the line is the Lipschitz constant; {NOTE}",
    )
    condition = Figure(
        "condition",
        "Condition of the triangular system",
        POINTS,
        "condition number (1-norm)",
        over_sizes(run_data, "condition", ("gaussian", "one-direction", "between", "real-random")),
        (Reference(2.0**52, "1 / precision of float64"), Reference(2.0**23, "1 / precision of float32")),
        log_x=True,
        log_y=True,
        note=NOTE,
    )
    counted = Figure(
        "count",
        "Weights that are needed",
        POINTS,
        "weights",
        over_sizes(run_data, "weights", ("gaussian", "half", *deep, "real-random")),
        log_x=True,
        log_y=True,
        note="numbers that are not 0: direction, thresholds, output weights; 2n + d of one hidden layer",
    )
    test = Figure(
        "test",
        "Right on new inputs",
        POINTS,
        "test accuracy",
        over_sizes(run_data, "test_accuracy", ("neighbour", "real-true", "real-random")),
        (Reference(CHANCE, "guessing"),),
        log_x=True,
        note=f"all three fit their training points exactly; {NOTE}",
    )
    return error, test, weights, condition, counted


def over_sizes(run_data: RunData, metric: str, arms: Sequence[str], prefix: str = "") -> tuple[Line, ...]:
    """Return an arm's median over seeds at every number of points, with the range over seeds; those without are out."""
    lines = []
    for name in arms:
        arm = run_data.arm(name)
        line = _line(run_data, metric, arm, prefix) if arm else None
        lines += [line] if line else []
    return tuple(lines)


def _line(run_data: RunData, metric: str, arm: Arm, prefix: str) -> Line | None:
    points: dict[float, list[float]] = {}
    for (name, _), curve in sorted(run_data.curves.get(metric, {}).items()):
        if name == arm.name:
            for place, value in zip(curve.step.tolist(), curve.value.tolist(), strict=True):
                if value == value:
                    points.setdefault(place, []).append(value)
    if not points:
        return None
    x = tuple(sorted(points))
    return Line(
        prefix + arm.title,
        x,
        tuple(statistics.median(points[place]) for place in x),
        tuple(min(points[place]) for place in x),
        tuple(max(points[place]) for place in x),
        n=tuple(len(points[place]) for place in x),
    )
