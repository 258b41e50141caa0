"""Speed by batch norm: numbers per seed of a kind of network, over its whole grid of learning rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from genlab_tui.phenomena._batch_norm_speed.config import ACCURACY, FIT, Config, data_of, families
from genlab_tui.rundata import RunData

Grid = dict[int, list[float]]
"""One number a learning rate, ascending, for every seed that has all of them."""


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
    """Return where a curve first reaches a bound, between its points that are finite; NaN: never."""
    before: tuple[float, float] | None = None
    for step, value in zip(at, values, strict=True):
        if not math.isfinite(value):
            continue
        if value >= bound:
            if before is None:
                return step
            return before[0] + (step - before[0]) * (bound - before[1]) / (value - before[1])
        before = step, value
    return math.nan


def fewest(run_data: RunData, config: Config, family: str) -> dict[int, float]:
    """Return the steps to the target at the learning rate that needs fewest, per seed; NaN: none gets there."""
    return {
        seed: min((value for value in row if math.isfinite(value)), default=math.nan)
        for seed, row in steps(run_data, config, family).items()
    }


def decades(lrs: Sequence[float], row: Sequence[float], usable: float) -> float:
    """Return the decades of the longest unbroken stretch of usable learning rates, end to end; 0: fewer than 2."""
    longest, begun = 0.0, None
    for lr, value in zip(lrs, row, strict=True):
        if value < usable:
            begun = None
            continue
        begun = lr if begun is None else begun
        longest = max(longest, math.log10(lr / begun))
    return longest


def usable_range(run_data: RunData, config: Config, family: str) -> dict[int, float]:
    """Return the decades of usable learning rates, per seed."""
    lrs = rates(config, family)
    return {seed: decades(lrs, row, config.usable) for seed, row in accuracies(run_data, config, family).items()}


def best(run_data: RunData, config: Config, family: str) -> dict[int, float]:
    """Return the accuracy at the best learning rate, per seed."""
    return {seed: max(row) for seed, row in accuracies(run_data, config, family).items()}


def worst(run_data: RunData, config: Config, family: str, within: tuple[float, float]) -> dict[int, float]:
    """Return the accuracy at the worst of the learning rates in a range, per seed."""
    chosen = [k for k, lr in enumerate(rates(config, family)) if within[0] <= lr <= within[1]]
    return {seed: min(row[k] for k in chosen) for seed, row in accuracies(run_data, config, family).items() if chosen}


def at_the_others_best(run_data: RunData, config: Config, family: str, other: str) -> dict[int, float]:
    """Return steps of one family over those of another, at the learning rate where the other needs fewest."""
    mine, found = steps(run_data, config, family), {}
    for seed, row in steps(run_data, config, other).items():
        finite = [k for k, value in enumerate(row) if math.isfinite(value)]
        if seed in mine:
            at = min(finite, key=row.__getitem__, default=None)
            found[seed] = math.nan if at is None else mine[seed][at] / row[at]
    return found


def pairs(first: Mapping[int, float], second: Mapping[int, float]) -> dict[int, tuple[float, float]]:
    """Return two numbers per seed, of the seeds that have both."""
    return {seed: (first[seed], second[seed]) for seed in sorted(first) if seed in second}


def _common(found: Sequence[Mapping[int, float]]) -> list[int]:
    return sorted(set.intersection(*(set(one) for one in found))) if found else []
