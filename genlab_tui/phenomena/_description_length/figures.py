"""Description length: code length over labels sent, all codes by model size, code length against test error."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.phenomena._description_length.claims import FLOAT, PREQUENTIAL, SMALL
from genlab_tui.phenomena._description_length.config import (
    COMPRESSES,
    RANDOM,
    TRUE,
    Config,
    arm_of,
    data_of,
    samples_of,
)
from genlab_tui.rundata import RunData
from genlab_tui.stats import Summary, summarise
from genlab_tui.training.prequential import splits

BAND = "line: mean over seeds, band: 1 standard deviation"
MEASURES = (
    "code_length",
    PREQUENTIAL,
    "parameters",
    "parameters_per_bit",
    FLOAT,
    "labels_given_ratio",
    SMALL,
    "small_kept",
    "small_bits",
    "small_drop",
)
"""What is measured of every member when all labels are sent."""


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return code length and bits a label over labels sent, all codes by size, code length against test error."""
    return (
        _code(config, run_data),
        _codes(config, run_data),
        _error(config, run_data),
        _block(config, run_data),
    )


def _shown(config: Config) -> list[str]:
    """Return the arms of learning curves: every model with true labels, the largest with random ones."""
    return [*(arm_of(TRUE, model) for model in config.models), arm_of(RANDOM, config.models[-1])]


def _code(config: Config, run_data: RunData) -> Figure:
    """Return cumulative code length over labels sent, with the uniform code."""
    n = samples_of(config, run_data.spec)[0]
    each = math.log2(data_of(run_data.spec).classes)
    ends = [float(end) for end in (*splits(config.first, n), n)]
    uniform = Line("uniform code", tuple(ends), tuple(each * end for end in ends))
    return Figure(
        "code",
        "Code length of the labels sent so far",
        "labels sent",
        "bits",
        (*curve_lines(run_data, "code_bits", arms=_shown(config)), uniform),
        log_x=True,
        log_y=True,
        note=f"prequential code: trained from scratch before every block, on the labels sent by then; {BAND}",
    )


def _block(config: Config, run_data: RunData) -> Figure:
    """Return bits a label of every block."""
    uniform = math.log2(data_of(run_data.spec).classes)
    return Figure(
        "block",
        "What a label of the newest block costs",
        "labels sent",
        "bits a label",
        curve_lines(run_data, "label_bits", arms=_shown(config)),
        (Reference(uniform, "uniform code"),),
        log_x=True,
        note=f"each point at the end of its block; {BAND}",
    )


def _summaries(run_data: RunData, measure: str, arms: Sequence[str]) -> list[Summary]:
    return [summarise(run_data.measure(measure, arm).values()) for arm in arms]


def _codes(config: Config, run_data: RunData) -> Figure:
    """Return the length of every code over that of the uniform one, by parameters of the model."""
    lines = []
    for label, measure, kind in (
        ("prequential", PREQUENTIAL, TRUE),
        ("random labels", PREQUENTIAL, RANDOM),
        ("two-part, float32", FLOAT, TRUE),
        ("pruned, quantised", SMALL, TRUE),
        ("labels alone", "labels_given_ratio", TRUE),
    ):
        arms = [arm_of(kind, model) for model in config.models]
        sizes = _summaries(run_data, "parameters", arms)
        rows = [(x.mean, y) for x, y in zip(sizes, _summaries(run_data, measure, arms), strict=True) if x.n and y.n]
        if rows:
            lines.append(
                Line(
                    label,
                    tuple(x for x, _ in rows),
                    tuple(y.mean for _, y in rows),
                    tuple(y.mean - y.sd for _, y in rows),
                    tuple(y.mean + y.sd for _, y in rows),
                    n=tuple(y.n for _, y in rows),
                )
            )
    return Figure(
        "codes",
        "Code lengths by size of the model",
        "parameters",
        "code length / uniform code",
        tuple(lines),
        (
            Reference(1.0, "uniform code: n log2 K"),
            Reference(COMPRESSES, "half of it"),
            Reference(0.27, "published, CIFAR-10"),
            Reference(0.021, "published, MNIST"),
        ),
        log_x=True,
        log_y=True,
        note=f"models: {', '.join(config.models)}; {BAND}",
    )


def _error(config: Config, run_data: RunData) -> Figure:
    """Return test error against code length: a point a model, its band over seeds."""
    lines = []
    for kind in (TRUE, RANDOM):
        for model in config.models:
            arm = arm_of(kind, model)
            length, error = (_summaries(run_data, m, [arm])[0] for m in (PREQUENTIAL, "test_error"))
            if length.n and error.n:
                low, high = (error.mean - error.sd,), (error.mean + error.sd,)
                label = model if kind == TRUE else f"{model}, random labels"
                lines.append(Line(label, (length.mean,), (error.mean,), low, high, points=True, n=(error.n,)))
    guessing = 1 - 1 / data_of(run_data.spec).classes
    return Figure(
        "error",
        "Test error against code length",
        "prequential code / uniform code",
        "test error",
        tuple(lines),
        (Reference(1.0, "uniform code", "x"), Reference(guessing, "guessing")),
        log_x=True,
        note="trained on all labels, a tenth of them held out to choose the epoch; point: mean over seeds, band: 1 "
        "standard deviation",
    )
