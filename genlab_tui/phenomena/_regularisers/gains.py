"""Numbers per seed of the rows: gains over their base at equal steps and at equal loss, and whether noise is fitted."""

from __future__ import annotations

import math

from genlab_tui.measures import difference, mean
from genlab_tui.phenomena._regularisers.config import Config, sizes
from genlab_tui.phenomena._regularisers.rows import (
    RANDOM,
    TRUE,
    Row,
    arm_name,
    better,
    plain,
    regularised,
)
from genlab_tui.phenomenon import PerSeed
from genlab_tui.rundata import RunData


def launched(run_data: RunData, config: Config, *regimes: str) -> tuple[Row, ...]:
    """Return the regularised rows whose arms of these regimes, and whose base, a run has."""
    there = {arm.name for arm in run_data.arms}
    return tuple(
        row
        for row in regularised(config, run_data.spec)
        if all(arm_name(regime, row.name) in there for regime in regimes)
        and (regimes == (RANDOM,) or all(arm_name(regime, row.base) in there for regime in regimes))
    )


def gain(run_data: RunData, row: Row, regime: str = TRUE) -> dict[int, float]:
    """Return a row's test accuracy minus its base's, per seed, after the same number of steps."""
    return difference(run_data, "test_accuracy", arm_name(regime, row.name), arm_name(regime, row.base))


def architecture_gain(run_data: RunData, config: Config, regime: str = TRUE) -> dict[int, float]:
    """Return the better architecture's test accuracy minus the perceptron's, both without regularisers."""
    return difference(run_data, "test_accuracy", arm_name(regime, better(config)), arm_name(regime, plain(config)))


def largest_gain(run_data: RunData, config: Config) -> Row | None:
    """Return the row with the largest mean gain on true labels."""
    found = [(mean(gain(run_data, row)), row) for row in launched(run_data, config, TRUE)]
    finite = [(value, row) for value, row in found if math.isfinite(value)]
    return max(finite, key=lambda pair: pair[0])[1] if finite else None


def left_over(run_data: RunData, config: Config, regime: str = TRUE) -> dict[int, float]:
    """Return the architecture's gain on inputs of a regime minus the largest regulariser's on true labels.

    Less what the test set cannot resolve, 2 sqrt(p (1 - p) / samples) at the perceptron's accuracy p on true labels:
    where both gain nothing, neither gains more.
    """
    row = largest_gain(run_data, config)
    if row is None:
        return {}
    best, architecture = gain(run_data, row), architecture_gain(run_data, config, regime)
    accuracy = run_data.measure("test_accuracy", arm_name(TRUE, plain(config)))
    _, test = sizes(config, run_data.spec)
    blur = {seed: 2 * math.sqrt(p * (1 - p) / test) for seed, p in accuracy.items()}
    shared = [seed for seed in architecture if seed in best and seed in blur]
    return {seed: architecture[seed] - best[seed] - blur[seed] for seed in shared}


def fitted(run_data: RunData, row: str, regime: str = RANDOM) -> dict[int, float]:
    """Return a row's final training accuracy, in evaluation mode."""
    return run_data.measure("train_accuracy", arm_name(regime, row))


def best_fit(run_data: RunData, config: Config) -> PerSeed:
    """Return the training accuracy on random labels of the regularised row that fits them best, by its mean.

    Another batch size is no regulariser that a network could be said to fit noise in spite of.
    """
    found = [fitted(run_data, row.name) for row in launched(run_data, config, RANDOM) if not row.batch]
    return max((f for f in found if f), key=lambda f: _or_less(mean(f)), default={})


def _or_less(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def at_loss(run_data: RunData, arm: str, target: float) -> dict[int, float]:
    """Return the test accuracy of an arm where its clean training loss first falls to `target`, per seed.

    Read off between the two evaluations around it, linearly in the logarithm of the loss. A seed that never gets there
    is left out.
    """
    found: dict[int, float] = {}
    losses, accuracies = run_data.curves.get("train_loss", {}), run_data.curves.get("test_accuracy", {})
    for (name, seed), curve in losses.items():
        other = accuracies.get((name, seed))
        if name != arm or other is None:
            continue
        # Rows without a value are evaluations of other members alone.
        pairs = zip(curve.value.tolist(), other.value.tolist(), strict=False)
        points = [(loss, accuracy) for loss, accuracy in pairs if math.isfinite(loss) and math.isfinite(accuracy)]
        place = next((k for k, (loss, _) in enumerate(points) if loss <= target), None)
        if place is None:
            continue
        loss, found[seed] = points[place]
        if place and loss > 0:
            before, accuracy = points[place - 1]
            share = math.log(before / target) / math.log(before / loss)
            found[seed] = accuracy + share * (found[seed] - accuracy)
    return found


def equal_loss_gain(run_data: RunData, row: Row, target: float) -> dict[int, float]:
    """Return a row's test accuracy minus its base's where both have the same clean training loss, on true labels."""
    mine, theirs = (at_loss(run_data, arm_name(TRUE, name), target) for name in (row.name, row.base))
    return {seed: mine[seed] - theirs[seed] for seed in mine if seed in theirs}
