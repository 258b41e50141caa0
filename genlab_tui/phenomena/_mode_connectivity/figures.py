"""Mode connectivity: errors on the line between two networks, barriers and distances over the common steps."""

from __future__ import annotations

from dataclasses import replace

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import mean, over_factor
from genlab_tui.phenomena._mode_connectivity.claims import over_forks, stable_from
from genlab_tui.phenomena._mode_connectivity.config import (
    DISTANCE,
    MATCHED,
    OTHER,
    SHUFFLED,
    STABLE,
    TEST,
    TRAIN,
    UNSTABLE,
    Config,
    copy_of,
    forks_of,
)
from genlab_tui.rundata import RunData

ORIGIN = 0.5
"""Where k = 0 is drawn on a logarithmic axis, over the smallest k beside it."""

LABELS = {
    MATCHED: "independent, units matched",
    SHUFFLED: "independent, units shuffled",
}


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return errors along the lines, barriers and distances over k, and learning curves."""
    forks = forks_of(config)
    between = (copy_of(0), copy_of(forks[-1]), OTHER, MATCHED)
    note = "band: 1 standard deviation over seeds"
    learning = curve_lines(run_data, "train_accuracy", x="epoch", prefix="training: ")
    learning += curve_lines(run_data, "test_accuracy", x="epoch", prefix="test: ")
    return (
        Figure(
            "path",
            "Test error between two networks",
            "alpha: (1 - alpha) first + alpha second",
            "test error (%)",
            _along(run_data, "path_test_error", between),
            note=f"weighted means of all numbers, no training; {note}",
        ),
        Figure(
            "barrier",
            "Error barrier over common steps",
            "common steps k",
            "barrier (points of error)",
            (*_over_k(run_data, TEST, "test", forks), *_over_k(run_data, TRAIN, "training", forks)),
            (
                Reference(STABLE, "stable"),
                Reference(UNSTABLE, "not connected"),
                *_level(run_data, OTHER, "independent"),
                *_level(run_data, MATCHED, "independent, matched"),
                *_marks(config, run_data),
            ),
            log_x=len(forks) > 2,
            note=f"largest error between two copies minus the mean of the ends; {note}",
        ),
        Figure(
            "path-train",
            "Training error between two networks",
            "alpha: (1 - alpha) first + alpha second",
            "training error (%)",
            _along(run_data, "path_train_error", (*between, SHUFFLED)),
            note=note,
        ),
        Figure(
            "distance",
            "How far apart the two networks are",
            "common steps k",
            "distance / norm",
            _over_k(run_data, DISTANCE, "copies", forks),
            (
                *_level(run_data, OTHER, "independent", DISTANCE),
                *_level(run_data, MATCHED, "independent, matched", DISTANCE),
                *_origin(forks),
            ),
            log_x=len(forks) > 2,
            note="distance of all numbers over the mean of the norms; copies that do not differ would prove nothing",
        ),
        Figure("learning", "Learning", "epoch", "accuracy", learning, note=note),
    )


def _along(run_data: RunData, metric: str, arms: tuple[str, ...]) -> tuple[Line, ...]:
    return tuple(
        _percent(replace(line, label=LABELS.get(arm, line.label)))
        for arm in dict.fromkeys(arms)
        for line in curve_lines(run_data, metric, x="epoch", arms=(arm,))
    )


def _percent(line: Line) -> Line:
    low, high = (tuple(100 * v for v in band) if band else None for band in (line.low, line.high))
    return replace(line, y=tuple(100 * v for v in line.y), low=low, high=high)


def _drawn_at(k: float, forks: list[int]) -> float:
    """Return where a k stands: 0 has no place on a logarithmic axis, it gets one left of the others."""
    return k if k or len(forks) < 3 else ORIGIN * forks[1]


def _over_k(run_data: RunData, measure: str, label: str, forks: list[int]) -> tuple[Line, ...]:
    arms = [arm for arm in run_data.arms if "fork" in arm.factors]
    lines = over_factor(label, arms, "fork", lambda arm: run_data.measure(measure, arm), points=len(arms) < 2)
    return tuple(replace(line, x=tuple(_drawn_at(k, forks) for k in line.x)) for line in lines)


def _level(run_data: RunData, arm: str, label: str, measure: str = TEST) -> tuple[Reference, ...]:
    found = run_data.measure(measure, arm)
    return (Reference(mean(found), label),) if found else ()


def _origin(forks: list[int]) -> tuple[Reference, ...]:
    return (Reference(_drawn_at(0, forks), "k = 0", "x"),) if len(forks) > 2 else ()


def _marks(config: Config, run_data: RunData) -> tuple[Reference, ...]:
    """Return where k = 0 stands, from where copies are stable, and where the paper's network is."""
    forks, found = forks_of(config), over_forks(run_data)
    marks = list(_origin(forks))
    if found.per_seed and 0 < (k := stable_from(found.x, found.mean)) <= forks[-1]:
        marks.append(Reference(k, f"stable from {k:,.0f} on", "x"))
    if config.network == "resnet-20" and run_data.spec.data == "cifar10":
        marks.append(Reference(2000.0, "Frankle et al.: 2,000", "x"))
    return tuple(marks)
