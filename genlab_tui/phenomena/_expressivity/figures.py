"""Expressivity: error, size of the weights, condition and test accuracy over the number of points."""

from __future__ import annotations

from genlab_tui.figure import Figure, Reference
from genlab_tui.lines import MEDIAN, median_lines
from genlab_tui.phenomena._expressivity.claims import CHANCE, EXACT
from genlab_tui.phenomena._expressivity.config import JUDGED
from genlab_tui.rundata import RunData

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
        median_lines(run_data, "error", (*BUILT, *deep)),
        (Reference(EXACT, "exact: 1e-6"), judged),
        log_x=True,
        log_y=True,
        note=MEDIAN,
    )
    weights = Figure(
        "weights",
        "The price: size of the weights and of the slopes",
        POINTS,
        "largest |w|, largest |slope|",
        (
            *median_lines(run_data, "largest_weight", ("gaussian", "between"), "|w|, "),
            *median_lines(run_data, "lipschitz", ("gaussian", "one-direction", "real-random"), "|slope|, "),
        ),
        log_x=True,
        log_y=True,
        note=f"the largest slope along the line is the Lipschitz constant; {MEDIAN}",
    )
    condition = Figure(
        "condition",
        "Condition of the triangular system",
        POINTS,
        "condition number (1-norm)",
        median_lines(run_data, "condition", ("gaussian", "one-direction", "between", "real-random")),
        (Reference(2.0**52, "1 / precision of float64"), Reference(2.0**23, "1 / precision of float32")),
        log_x=True,
        log_y=True,
        note=MEDIAN,
    )
    counted = Figure(
        "count",
        "Weights that are needed",
        POINTS,
        "weights",
        median_lines(run_data, "weights", ("gaussian", "half", *deep, "real-random")),
        log_x=True,
        log_y=True,
        note="direction, thresholds, output weights: with one hidden layer every number that is stored, 2n + d; with "
        "several those that are not 0, as most of a matrix between layers is",
    )
    test = Figure(
        "test",
        "Right on new inputs",
        POINTS,
        "test accuracy",
        median_lines(run_data, "test_accuracy", ("neighbour", "real-true", "real-random")),
        (Reference(CHANCE, "guessing"),),
        log_x=True,
        note=f"all three fit their training points exactly; {MEDIAN}",
    )
    return error, test, weights, condition, counted
