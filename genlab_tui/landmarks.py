"""Numbers per seed read off learning curves, epoch by epoch: when a metric gets somewhere, and what others are then."""

from __future__ import annotations

import math
from collections.abc import Mapping

from genlab_tui.rundata import RunData


def whole_epochs(data: RunData, metric: str, arm: str) -> dict[int, dict[int, float]]:
    """Return a metric per seed at the ends of epochs, from the first on; what is not finite is left out."""
    found: dict[int, dict[int, float]] = {}
    for (name, seed), curve in sorted(data.curves.get(metric, {}).items()):
        if name == arm:
            pairs = zip(curve.epoch.tolist(), curve.value.tolist(), strict=True)
            found[seed] = {round(e): v for e, v in pairs if e >= 1 and e == round(e) and math.isfinite(v)}
    return found


def first_reaching(data: RunData, metric: str, arm: str, bound: float) -> dict[int, float]:
    """Return the first measured epoch with a metric of at least `bound`, per seed; NaN: never."""
    return {
        seed: next((float(epoch) for epoch, value in sorted(curve.items()) if value >= bound), math.nan)
        for seed, curve in whole_epochs(data, metric, arm).items()
    }


def at_epochs(data: RunData, metric: str, arm: str, epochs: Mapping[int, float]) -> dict[int, float]:
    """Return a metric at an epoch of every seed; NaN where the epoch is, or where it was not measured."""
    curves = whole_epochs(data, metric, arm)
    return {
        seed: curves.get(seed, {}).get(round(epoch), math.nan) if math.isfinite(epoch) else math.nan
        for seed, epoch in epochs.items()
    }


def where_crossing(data: RunData, metric: str, arm: str, bound: float, of: str) -> dict[int, float]:
    """Return a metric per seed where another one, `of`, first reaches `bound`, between epochs; NaN: it never does."""
    found = {}
    values = whole_epochs(data, metric, arm)
    for seed, other in whole_epochs(data, of, arm).items():
        points = [(other[e], values[seed][e]) for e in sorted(other) if e in values.get(seed, {})]
        place = next((k for k, (x, _) in enumerate(points) if x >= bound), None)
        if place is None:
            found[seed] = math.nan
            continue
        (before, low), (after, high) = points[max(place - 1, 0)], points[place]
        part = (bound - before) / (after - before) if after > before else 1.0
        found[seed] = low + part * (high - low)
    return found


def largest_gap(data: RunData, first: str, second: str, arm: str) -> dict[int, float]:
    """Return how far two metrics are apart at most, per seed, at the epochs that have both."""
    one, other = whole_epochs(data, first, arm), whole_epochs(data, second, arm)
    gaps = {s: [abs(curve[e] - other[s][e]) for e in curve if e in other.get(s, {})] for s, curve in one.items()}
    return {seed: max(found) for seed, found in gaps.items() if found}


def highest(data: RunData, metric: str, arm: str) -> dict[int, float]:
    """Return the largest value of a metric over the epochs, per seed."""
    return {seed: max(curve.values()) for seed, curve in whole_epochs(data, metric, arm).items() if curve}
