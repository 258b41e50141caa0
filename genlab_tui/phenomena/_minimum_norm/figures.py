"""Minimum norm: norm, test error and condition over bandwidths, the descents, the ridge curve."""

from __future__ import annotations

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import mean, over_factor
from genlab_tui.phenomena._minimum_norm.config import (
    CLOSE,
    DIGITS,
    KINDS,
    NOISY,
    RANDOM,
    RIDGE,
    SETTLED,
    TRUE,
    Config,
    arm_of,
    data_of,
)
from genlab_tui.rundata import RunData

PUBLISHED_ERROR = 0.012
BANDWIDTH = "bandwidth sigma of the Gaussian kernel"
BAND = "line: mean over seeds, band: 1 standard deviation"


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return the figures of a run, also of data still coming."""
    classes = data_of(run_data.spec).classes
    guessing = Reference(1.0 - 1.0 / classes, "guessing")
    published = (Reference(PUBLISHED_ERROR, "Zhang et al. 2017: MNIST, 60,000 images"),)
    return (
        Figure(
            "norm",
            "Norm that exact fits need",
            BANDWIDTH,
            "norm in the kernel's space",
            _over_bandwidths(run_data, "norm", (TRUE, RANDOM)),
            log_x=True,
            log_y=True,
            note=f"{BAND}; where both meet, the kernel is too narrow to tell labels apart",
        ),
        Figure(
            "error",
            "Test error of exact fits",
            BANDWIDTH,
            "test error",
            _over_bandwidths(run_data, "test_error", (TRUE, RANDOM)),
            (guessing, *(published if run_data.spec.data in DIGITS else ())),
            log_x=True,
            log_y=True,
            note=BAND,
        ),
        Figure(
            "distance",
            "Distance of gradient descent from the minimum-norm solution",
            "passes over the equations",
            "|w - w_least| / |w_least|",
            curve_lines(run_data, "distance"),
            (Reference(CLOSE, "asked"), Reference(SETTLED, "rounding: judged until here")),
            log_x=True,
            log_y=True,
            note=BAND,
        ),
        _ridge(config, run_data, guessing),
        Figure(
            "condition",
            "How well conditioned the kernel matrix is",
            BANDWIDTH,
            "condition number, estimated",
            _over_bandwidths(run_data, "condition", (TRUE,), "kernel matrix"),
            (Reference(1e16, "float64 ends here"),),
            log_x=True,
            log_y=True,
            note=f"{BAND}; no jitter is added",
        ),
    )


def _over_bandwidths(run_data: RunData, measure: str, kinds: tuple[str, ...], label: str = "") -> tuple[Line, ...]:
    lines: tuple[Line, ...] = ()
    for kind in kinds:
        arms = [a for a in run_data.arms if "sigma" in a.factors and a.factors["labels"] == KINDS[kind]]
        arms.sort(key=lambda arm: float(arm.factors["sigma"]))
        lines += over_factor(label or KINDS[kind], arms, "sigma", lambda arm: run_data.measure(measure, arm))
    return lines


def _ridge(config: Config, run_data: RunData, guessing: Reference) -> Figure:
    """Return the test error over the penalty; without any, as a level: zero has no place on a log axis."""
    lines: tuple[Line, ...] = ()
    levels: tuple[Reference, ...] = ()
    for kind in (RIDGE, NOISY):
        arms = [arm for arm in run_data.arms if arm.name.startswith(f"{kind}-") and arm.factors["penalty"]]
        if not arms:
            continue
        words = str(arms[0].factors["labels"])
        lines += over_factor(words, arms, "penalty", lambda arm: run_data.measure("test_error", arm))
        ridgeless = mean(run_data.measure("test_error", arm_of(kind, 0.0)))
        levels += (Reference(ridgeless, f"no ridge, {words}"),) if ridgeless == ridgeless else ()
    return Figure(
        "ridge",
        f"Test error over the ridge penalty, sigma = {config.ridge_bandwidth:g}",
        "ridge penalty lambda",
        "test error",
        lines,
        (*levels, guessing),
        log_x=True,
        log_y=True,
        note=BAND,
    )
