"""A curve over a factor of the arms or over epochs, seed by seed: the ups and downs that claims about peaks are of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise


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


def curve_profile(data: RunData, metric: str, arm: str, since: float = 0.0) -> Profile:
    """Return an arm's curve of a metric over epochs, from the epoch `since` on.

    For runs whose seeds are all measured at the same steps. A seed that lacks one of them or has a value there that is
    not finite is left out.
    """
    curves = {seed: curve for (name, seed), curve in data.curves.get(metric, {}).items() if name == arm}
    if not curves:
        return Profile((), {})
    longest = max(curves.values(), key=lambda curve: len(curve.epoch))
    kept = [place for place, epoch in enumerate(longest.epoch.tolist()) if epoch >= since]
    steps = longest.step.tolist()
    rows = {}
    for seed, curve in sorted(curves.items()):
        if curve.step.tolist() == steps:
            values = curve.value.tolist()
            rows[seed] = tuple(values[place] for place in kept)
    complete = {seed: row for seed, row in rows.items() if all(map(math.isfinite, row))}
    return Profile(tuple(float(longest.epoch[place]) for place in kept), complete)


@dataclass(frozen=True)
class Legs:
    """A curve that falls, rises and falls again, of one seed: how far. `low` and `peak` are the places between them."""

    fall: float
    rise: float
    second_fall: float
    low: int
    peak: int


def legs(found: Profile) -> dict[int, Legs]:
    """Return the three legs of every seed between places that the others agree on.

    The places are those of the largest rise of the mean over all the other seeds. Read off a seed itself, or off a mean
    that it is part of, they would make a rise out of noise.
    """
    seen = {}
    for seed, row in found.per_seed.items():
        rest = Profile(found.x, {other: values for other, values in found.per_seed.items() if other != seed})
        if rest.per_seed:
            _, low, peak = largest_rise(rest.mean)
            seen[seed] = Legs(row[0] - row[low], row[peak] - row[low], row[peak] - row[-1], low, peak)
    return seen


def in_standard_errors(values: Mapping[int, float]) -> dict[int, float]:
    """Return values divided by the standard error of their mean, so that their mean is the mean in standard errors.

    Where all are the same, it is 0 for zeros and infinite for others. Nothing for fewer than two.
    """
    summary = summarise(values.values())
    if summary.n < 2:
        return {}
    error = summary.sd / math.sqrt(summary.n)
    return {seed: value / error if error else (math.copysign(math.inf, value) if value else 0.0)
            for seed, value in values.items()}  # fmt: skip
