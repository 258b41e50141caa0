"""Speed by batch norm: numbers per seed of a kind of network, over its whole grid of learning rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from genlab_tui.phenomena._batch_norm_speed.config import ACCURACY, FIT, Config, data_of, families, sizes
from genlab_tui.rundata import RunData

Grid = dict[int, list[float]]
"""One number a learning rate, ascending, for every seed that has all of them."""

Pairs = dict[int, tuple[float, float]]
"""A number of one network and of another, for every seed that has both."""


def rates(config: Config, family: str) -> tuple[float, ...]:
    """Return the learning rates of a kind of network, ascending; none where the config does not have it."""
    return next((each.rates(config) for each in families(config) if each.name == family), ())


def accuracies(run_data: RunData, config: Config, family: str) -> Grid:
    """Return test accuracies at the end; that of a network that diverged is that of guessing."""
    chance = 1 / data_of(run_data.spec).classes
    found = [run_data.measure(ACCURACY, f"{family}@{lr:g}") for lr in rates(config, family)]
    return {seed: [one[seed] if math.isfinite(one[seed]) else chance for one in found] for seed in _common(found)}


def steps(run_data: RunData, config: Config, family: str) -> Grid:
    """Return steps to the target training accuracy, between looks; NaN where it is never reached."""
    found = []
    for lr in rates(config, family):
        arm = f"{family}@{lr:g}"
        curves = {seed: curve for (name, seed), curve in run_data.curves.get(FIT, {}).items() if name == arm}
        found.append({
            seed: crossing(curve.step.tolist(), curve.value.tolist(), config.target) for seed, curve in curves.items()
        })  # fmt: skip
    return {seed: [one[seed] for one in found] for seed in _common(found)}


def crossing(at: Sequence[float], values: Sequence[float], bound: float) -> float:
    """Return where a curve first reaches a bound, between its points that are finite; NaN: never.

    Steps count from 1: an untrained network that is there already has taken one.
    """
    before: tuple[float, float] | None = None
    for step, value in zip(at, values, strict=True):
        if not math.isfinite(value):
            continue
        if value >= bound:
            if before is None:
                return max(step, 1.0)
            there = before[0] + (step - before[0]) * (bound - before[1]) / (value - before[1])
            return max(there, 1.0)
        before = step, value
    return math.nan


def fewest(run_data: RunData, config: Config, family: str) -> dict[int, float]:
    """Return the steps to the target at the learning rate that needs fewest, per seed; NaN: none gets there."""
    return {
        seed: min((value for value in row if math.isfinite(value)), default=math.nan)
        for seed, row in steps(run_data, config, family).items()
    }


def ratios(run_data: RunData, config: Config, both: Pairs) -> dict[int, float]:
    """Return steps over those of another network, per seed; NaN where the other one never gets there.

    One that never gets there itself counts with all steps of its training: a lower bound, at least 1, so no gain.
    """
    whole = float(config.epochs * math.ceil(sizes(config, run_data.spec)[0] / config.batch))
    return {seed: (mine if math.isfinite(mine) else whole) / other for seed, (mine, other) in both.items()}


def stretches(row: Sequence[float], usable: float) -> list[tuple[int, int]]:
    """Return first and last place of every unbroken stretch of usable learning rates."""
    found: list[tuple[int, int]] = []
    for at, value in enumerate(row):
        if value >= usable:
            if found and found[-1][1] == at - 1:
                found[-1] = found[-1][0], at
            else:
                found.append((at, at))
    return found


def decades(lrs: Sequence[float], row: Sequence[float], usable: float) -> float:
    """Return the decades of the longest unbroken stretch of usable learning rates; 0: none is usable.

    It ends where the accuracy crosses `usable`, linearly in the logarithm of the rate, on the way to the next rate
    outwards; at an end of the grid it ends there: a lower bound.
    """
    x = [math.log10(lr) for lr in lrs]

    def edge(last: int, beyond: int) -> float:
        if not 0 <= beyond < len(x):
            return x[last]
        return x[last] + (x[beyond] - x[last]) * (row[last] - usable) / (row[last] - row[beyond])

    return max((edge(b, b + 1) - edge(a, a - 1) for a, b in stretches(row, usable)), default=0.0)


def ends_inside(row: Sequence[float], usable: float) -> bool:
    """Whether some rates are usable, and neither the smallest nor the largest one of the grid is."""
    return bool(stretches(row, usable)) and max(row[0], row[-1]) < usable


def usable_range(run_data: RunData, config: Config, family: str) -> dict[int, float]:
    """Return the decades of usable learning rates, per seed; a lower bound where the range reaches the grid's end."""
    lrs = rates(config, family)
    return {seed: decades(lrs, row, config.usable) for seed, row in accuracies(run_data, config, family).items()}


def best(run_data: RunData, config: Config, family: str) -> dict[int, float]:
    """Return the accuracy at the best learning rate, per seed."""
    return {seed: max(row) for seed, row in accuracies(run_data, config, family).items()}


def worst(run_data: RunData, config: Config, family: str, within: tuple[float, float]) -> dict[int, float]:
    """Return the accuracy at the worst of the learning rates in a range, per seed."""
    chosen = [k for k, lr in enumerate(rates(config, family)) if within[0] <= lr <= within[1]]
    return {seed: min(row[k] for k in chosen) for seed, row in accuracies(run_data, config, family).items() if chosen}


def at_their_best(run_data: RunData, config: Config, family: str, other: str) -> Pairs:
    """Return the steps of two families, each at the learning rate where it needs fewest; NaN: none gets there."""
    return pairs(fewest(run_data, config, family), fewest(run_data, config, other))


def at_the_others_best(run_data: RunData, config: Config, family: str, other: str) -> Pairs:
    """Return the steps of two families at the learning rate where the other needs fewest; NaN: never there."""
    mine, found = steps(run_data, config, family), {}
    for seed, row in steps(run_data, config, other).items():
        finite = [k for k, value in enumerate(row) if math.isfinite(value)]
        if seed in mine:
            at = min(finite, key=row.__getitem__, default=None)
            found[seed] = (math.nan, math.nan) if at is None else (mine[seed][at], row[at])
    return found


def pairs(first: Mapping[int, float], second: Mapping[int, float]) -> Pairs:
    """Return two numbers per seed, of the seeds that have both."""
    return {seed: (first[seed], second[seed]) for seed in sorted(first) if seed in second}


def _common(found: Sequence[Mapping[int, float]]) -> list[int]:
    return sorted(set.intersection(*(set(one) for one in found))) if found else []
