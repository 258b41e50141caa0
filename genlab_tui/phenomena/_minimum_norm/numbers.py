"""Minimum norm: numbers per seed that criteria and figures are made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from genlab_tui.measures import together
from genlab_tui.phenomena._minimum_norm.config import TRUE, arm_of
from genlab_tui.rundata import RunData


def worst(run_data: RunData, measure: str, arms: Sequence[str], *, high: bool) -> dict[int, float]:
    """Return the largest (or smallest) value of a measure over some arms, per seed; NaN where one has none."""

    def end(values: Iterable[float]) -> float:
        found = list(values)
        return math.nan if any(map(math.isnan, found)) else (max(found) if high else min(found))

    return {seed: end(row) for seed, row in together(run_data, measure, arms).items()}


def resolution(error: float, tests: int) -> float:
    """Return the difference of two error rates that a test set of that many samples resolves."""
    return 2.0 * math.sqrt(max(error * (1.0 - error), 0.0) / tests)


def in_resolutions(difference: float, error: float, tests: int) -> float:
    """Return a difference of error rates in units of what the test set resolves; 0 for none at all."""
    unit = resolution(error, tests)
    return difference / unit if unit else (0.0 if not difference else math.copysign(math.inf, difference))


def ridge_gain(run_data: RunData, kind: str, penalties: Sequence[float], tests: int) -> dict[int, float]:
    """Return how far the best penalty lowers the test error below that without any, in units of the resolution.

    The best is read off the test set itself: in favour of the ridge.
    """
    rows = together(run_data, "test_error", [arm_of(kind, value) for value in (0.0, *penalties)])
    return {
        seed: math.nan if any(map(math.isnan, row)) else in_resolutions(row[0] - min(row[1:]), row[0], tests)
        for seed, row in rows.items()
    }


def price_of_the_smallest(run_data: RunData, sigmas: Sequence[float], tests: int) -> dict[int, float]:
    """Return how far the kernel of smallest norm on true labels lies above the best predictor, in resolutions.

    The best predictor is read off the mean over the other seeds: read off a seed itself, it would be made of noise.
    """
    arms = [arm_of(TRUE, sigma) for sigma in sigmas]
    norms, errors = together(run_data, "norm", arms), together(run_data, "test_error", arms)
    seeds = [s for s in norms if s in errors and not any(map(math.isnan, (*norms[s], *errors[s])))]
    found = {}
    for seed in seeds:
        others = [errors[other] for other in seeds if other != seed]
        if not others:
            continue
        sums = [math.fsum(column) for column in zip(*others, strict=True)]
        own = errors[seed]
        at = own[norms[seed].index(min(norms[seed]))]
        found[seed] = in_resolutions(at - own[sums.index(min(sums))], at, tests)
    return found
