"""Numbers per seed made of a run's measures: what the criteria and figures of many phenomena are built from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from genlab_tui.figure import Line
from genlab_tui.phenomenon import Arm, PerSeed, Rule, Test
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise


def ratio(data: RunData, name: str, arm: str, base: str) -> dict[int, float]:
    """Return a measure of one arm over that of another, for every seed that has both."""
    top, bottom = data.measure(name, arm), data.measure(name, base)
    return {seed: top[seed] / bottom[seed] for seed in top if seed in bottom}


def difference(data: RunData, name: str, arm: str, base: str) -> dict[int, float]:
    """Return a measure of one arm minus that of another, for every seed that has both."""
    first, second = data.measure(name, arm), data.measure(name, base)
    return {seed: first[seed] - second[seed] for seed in first if seed in second}


def together(data: RunData, name: str, arms: Sequence[str]) -> dict[int, list[float]]:
    """Return a measure of several arms, in their order, for every seed that all of them have."""
    found = [data.measure(name, arm) for arm in arms]
    seeds = set.intersection(*(set(one) for one in found)) if found else set()
    return {seed: [one[seed] for one in found] for seed in sorted(seeds)}


def least(values: Iterable[float]) -> float:
    """Return the smallest value; NaN if any is."""
    found = list(values)
    return math.nan if any(math.isnan(v) for v in found) else min(found)


def mean(per_seed: Mapping[int, float]) -> float:
    """Return the mean of the finite values; NaN without any."""
    return summarise(per_seed.values()).mean


def measure_test(
    name: str,
    arm: str,
    words: str,
    rule: Rule,
    statement: str = "",
    *,
    pooled: Callable[[Sequence[float]], float] | None = None,
) -> Test:
    """Make the test of one measure of one arm; with `pooled`, of that one number of its seeds' values."""

    def measure(data: RunData) -> PerSeed:
        return data.measure(name, arm)

    def together(data: RunData) -> float:
        values = list(measure(data).values())
        return pooled(values) if pooled and values else math.nan

    return Test(words, measure, rule, (arm,), together if pooled else None, statement)


def all_finite(name: str, measure: str, *arms: str) -> Test:
    """Make the precondition that a measure (steps to fit, say) is finite in every seed of some arms."""

    def finite(data: RunData) -> PerSeed:
        found = [data.measure(measure, arm) for arm in arms]
        seeds = set.union(*(set(one) for one in found))
        return {seed: float(all(math.isfinite(one.get(seed, math.nan)) for one in found)) for seed in sorted(seeds)}

    return Test(name, finite, Rule(low=1.0, every=True), arms)


def at_least_seeds(count: int, measure: str, arm: str) -> Test:
    """Make the precondition that `count` seeds have a measure of an arm; one that diverged has none."""

    def seeds(data: RunData) -> PerSeed:
        found = [seed for seed, value in data.measure(measure, arm).items() if math.isfinite(value)]
        return dict.fromkeys(found, float(len(found)))

    return Test(f"seeds (at least {count})", seeds, Rule(low=float(count)), (arm,))


def over_factor(
    label: str, arms: Iterable[Arm], factor: str, of: Callable[[str], Mapping[int, float]], *, points: bool = False
) -> tuple[Line, ...]:
    """Return a number over a factor of the arms: mean over seeds, band of one standard deviation; none without data."""
    rows = [(float(arm.factors[factor]), summarise(of(arm.name).values())) for arm in arms]
    rows = [(x, s) for x, s in rows if s.n]
    if not rows:
        return ()
    return (
        Line(
            label,
            tuple(x for x, _ in rows),
            tuple(s.mean for _, s in rows),
            tuple(s.mean - s.sd for _, s in rows),
            tuple(s.mean + s.sd for _, s in rows),
            points=points,
            n=tuple(s.n for _, s in rows),
        ),
    )
