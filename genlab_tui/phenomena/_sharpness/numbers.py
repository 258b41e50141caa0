"""Sharp and flat minima: numbers per seed that claims and figures are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlab_tui.measures import difference, least, together
from genlab_tui.phenomena._sharpness.config import ACCURACY, ERRORS, LOSS, RESCALED
from genlab_tui.phenomenon import PerSeed
from genlab_tui.rundata import RunData
from genlab_tui.stats import spearman


def of_ended(data: RunData, name: str, arms: Sequence[str]) -> dict[int, list[float]]:
    """Return a measure of several arms for every seed of which all of them ended; NaN where one has no such measure.

    A network that diverged ended too and has a training loss, NaN, but its sharpness is not measured: its seed must
    not be left out, or a claim would be judged on the others alone. The rescaled network is one of those that trained.
    """
    ended = together(data, LOSS, [arm for arm in arms if arm != RESCALED])
    found = [data.measure(name, arm) for arm in arms]
    return {seed: [one.get(seed, math.nan) for one in found] for seed in ended}


def extent(values: Sequence[float]) -> float:
    """Return the largest over the smallest of positive numbers; NaN where one is NaN or not positive."""
    smallest = least(values)
    return max(values) / smallest if smallest > 0 else math.nan


def spread(data: RunData, arms: Sequence[str]) -> PerSeed:
    """Return the largest training loss over the smallest one of some arms; NaN where one has none."""
    return {seed: extent(row) for seed, row in of_ended(data, LOSS, arms).items()}


def times(data: RunData, name: str, arm: str, base: str) -> PerSeed:
    """Return a measure of one arm over that of another, for the seeds of which both ended.

    NaN where one was not measured, and where the other's is 0, as of a network that is constant.
    """
    found = of_ended(data, name, (arm, base))
    return {seed: top / bottom if bottom else math.nan for seed, (top, bottom) in found.items()}


def standard_error(accuracy: float, n_test: int) -> float:
    """Return the standard error of an accuracy on that many test samples."""
    return math.sqrt(max(accuracy * (1 - accuracy), 0.0) / n_test)


def beyond_error(data: RunData, worse: str, better: str, n_test: int, *, sign: float = -1.0) -> PerSeed:
    """Return by how much an arm is worse than another one in test accuracy, less (or plus) 2 standard errors."""
    lost = difference(data, ACCURACY, better, worse)
    reached = data.measure(ACCURACY, better)
    return {seed: gap + sign * ERRORS * standard_error(reached[seed], n_test) for seed, gap in lost.items()}


def ranks(data: RunData, first: str, second: str, arms: Sequence[str]) -> PerSeed:
    """Return the rank correlation of two measures over the networks of each seed."""
    x, y = together(data, first, arms), together(data, second, arms)
    return {seed: spearman(x[seed], y[seed]) for seed in x if seed in y}


def rank_of_all(data: RunData, first: str, second: str, arms: Sequence[str]) -> float:
    """Return the rank correlation of two measures over all networks of all seeds that have both."""
    x, y = together(data, first, arms), together(data, second, arms)
    pairs = [pair for seed in x if seed in y for pair in zip(x[seed], y[seed], strict=True)]
    pairs = [pair for pair in pairs if all(map(math.isfinite, pair))]
    return spearman([a for a, _ in pairs], [b for _, b in pairs])
