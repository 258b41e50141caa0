"""What is read off a width sweep, seed by seed, among the networks that fit their training data."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData
from genlab_tui.stats import spearman

FITS = 0.0
"""Training error up to which a network counts as fitting its data: none. Fixed before any run that is judged by it."""


def fitting(run_data: RunData, arms: Sequence[Arm]) -> dict[int, list[Arm]]:
    """Return, per seed, the arms that fit, narrowest first, by training error or by the loss that training stops at.

    Only seeds that have numbers of all arms.
    """
    stop = float(str(run_data.spec.config.get("stop_loss", 0.0)))
    accuracy = [run_data.measure("train_accuracy", arm.name) for arm in arms]
    loss = [run_data.measure("train_loss", arm.name) for arm in arms]
    seeds = sorted(set.intersection(*(set(one) for one in accuracy))) if arms else []
    return {
        seed: [
            arm
            for arm, right, nats in zip(arms, accuracy, loss, strict=True)
            if right[seed] > 1.0 - FITS - 1e-9 or nats.get(seed, math.nan) <= stop
        ]
        for seed in seeds
    }


def spans(run_data: RunData, arms: Sequence[Arm]) -> dict[int, float]:
    """Return, per seed, the widest H over the first that fits; 0 where none does or the widest does not."""
    found = {}
    for seed, fit in fitting(run_data, arms).items():
        reaches = bool(fit) and fit[-1] is arms[-1]
        found[seed] = float(arms[-1].factors["width"]) / float(fit[0].factors["width"]) if reaches else 0.0
    return found


def drops(run_data: RunData, arms: Sequence[Arm]) -> dict[int, float]:
    """Return, per seed, the fall of the test error from the first width that fits to the widest, as a share of it.

    NaN where there is no such range.
    """
    found = {}
    for seed, fit in fitting(run_data, arms).items():
        errors = [run_data.measure("test_error", arm.name).get(seed, math.nan) for arm in (*fit[:1], arms[-1])]
        whole = len(fit) > 1 and fit[-1] is arms[-1] and errors[0] > 0.0
        found[seed] = 1.0 - errors[-1] / errors[0] if whole else math.nan
    return found


def ranks(run_data: RunData, arms: Sequence[Arm]) -> dict[int, float]:
    """Return, per seed, Spearman's correlation of H and test error over the widths that fit."""
    return {
        seed: spearman(
            [float(arm.factors["width"]) for arm in fit],
            [run_data.measure("test_error", arm.name).get(seed, math.nan) for arm in fit],
        )
        for seed, fit in fitting(run_data, arms).items()
    }


def slopes(run_data: RunData, measure: str, arms: Sequence[Arm]) -> dict[int, float]:
    """Return, per seed, the slope of log measure over log H among the widths that fit; NaN below two of them."""
    found = {}
    for seed, fit in fitting(run_data, arms).items():
        values = [run_data.measure(measure, arm.name).get(seed, math.nan) for arm in fit]
        x = [math.log(float(arm.factors["width"])) for arm in fit]
        y = [math.log(value) if value > 0 else math.nan for value in values]
        centre, level = (sum(v) / max(len(v), 1) for v in (x, y))
        spread = sum((a - centre) ** 2 for a in x)
        found[seed] = (
            sum((a - centre) * (b - level) for a, b in zip(x, y, strict=True)) / spread if spread else math.nan
        )
    return found


def first_of_all(run_data: RunData, arms: Sequence[Arm]) -> Arm | None:
    """Return the first arm that fits in every seed."""
    found = fitting(run_data, arms)
    return next((arm for arm in arms if found and all(arm in fit for fit in found.values())), None)
