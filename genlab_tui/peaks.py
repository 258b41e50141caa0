"""A curve over a factor of the arms, seed by seed, and its ups and downs: what claims about peaks are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData


@dataclass(frozen=True)
class Profile:
    """A measure over a factor: `x` ascending, `per_seed[seed]` one value per x. Only seeds that have all of them."""

    x: tuple[float, ...]
    per_seed: dict[int, tuple[float, ...]]

    @property
    def mean(self) -> tuple[float, ...]:
        """The mean over the seeds at every x; empty without seeds."""
        rows = list(self.per_seed.values())
        return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True)) if rows else ()


def profile(data: RunData, measure: str, arms: Sequence[Arm], factor: str) -> Profile:
    """Return a measure of some arms over one of their factors; a seed without a finite value at every x is left out."""
    ordered = sorted(arms, key=lambda arm: float(arm.factors[factor]))
    found = [data.measure(measure, arm.name) for arm in ordered]
    seeds = sorted(set.intersection(*(set(one) for one in found))) if found else []
    rows = {seed: tuple(one[seed] for one in found) for seed in seeds}
    complete = {seed: row for seed, row in rows.items() if all(map(math.isfinite, row))}
    return Profile(tuple(float(arm.factors[factor]) for arm in ordered), complete)


def largest_rise(values: Sequence[float]) -> tuple[float, int, int]:
    """Return the largest rise from one place to a later one, and both places; 0 where values only fall."""
    best, low, at_low, at_high = 0.0, 0, 0, 0
    for place, value in enumerate(values):
        if value < values[low]:
            low = place
        if value - values[low] > best:
            best, at_low, at_high = value - values[low], low, place
    return best, at_low, at_high


def first_below(values: Sequence[float], bound: float) -> int | None:
    """Return the first place with a value of at most `bound`, or None."""
    return next((place for place, value in enumerate(values) if value <= bound), None)


def rise_near(values: Sequence[float], x: Sequence[float], centre: float, factor: float) -> float:
    """Return how far the largest value within a factor of `centre` lies above the smallest one before it; NaN: none."""
    near = [place for place, at in enumerate(x) if centre / factor <= at <= centre * factor and place > 0]
    if not near:
        return math.nan
    top = max(near, key=lambda place: values[place])
    return values[top] - min(values[:top])
