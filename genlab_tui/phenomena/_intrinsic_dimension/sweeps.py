"""Intrinsic dimension: tests made of d_int90, judged on the mean over draws and shown for every draw by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from genlab_tui.measures import mean
from genlab_tui.phenomena._intrinsic_dimension.config import LEARNT, SMALL, Config
from genlab_tui.phenomena._intrinsic_dimension.numbers import TEST, Sweep, direct, fitted, local
from genlab_tui.phenomenon import Arm, PerSeed, Rule, Test
from genlab_tui.rundata import RunData

Sweeps = Callable[[RunData], Sweep]


def where(known: Callable[[RunData], bool], test: Test, reason: str) -> Test:
    """Make a control that has no number where the dimensions trained leave open whether it passes; say so in its name.

    A control that only the grid of dimensions keeps from firing, or makes fire, would say nothing.
    """
    pooled = test.pooled
    assert pooled is not None

    def per_seed(data: RunData) -> PerSeed:
        found = test.measure(data)
        return found if known(data) else dict.fromkeys(found, math.nan)

    return replace(
        test,
        name=f"{test.name} (no number {reason})",
        measure=per_seed,
        pooled=lambda data: pooled(data) if known(data) else math.nan,
    )


def ratio(name: str, top: Sweeps, bottom: Sweeps, rule: Rule, needs: tuple[str, ...], statement: str = "") -> Test:
    """Make a test of one d_int90 over another."""

    def per_seed(data: RunData) -> PerSeed:
        above, below = top(data).per_seed(), bottom(data).per_seed()
        return {seed: above[seed] / below[seed] for seed in above if seed in below}

    def pooled(data: RunData) -> float:
        return top(data).bounded() / bottom(data).bounded()

    return Test(name, per_seed, rule, needs, pooled, statement)


def spread(name: str, of: Sequence[Sweeps], rule: Rule, needs: tuple[str, ...], statement: str = "") -> Test:
    """Make a test of the largest d_int90 over the smallest."""

    def per_seed(data: RunData) -> PerSeed:
        rows = [sweep(data).per_seed() for sweep in of]
        seeds = set.intersection(*(set(row) for row in rows))
        return {s: max(row[s] for row in rows) / min(row[s] for row in rows) for s in sorted(seeds)}

    def pooled(data: RunData) -> float:
        values = [sweep(data).bounded() for sweep in of]
        return max(values) / min(values)

    return Test(name, per_seed, rule, needs, pooled, statement)


def shares(name: str, of: Sequence[tuple[Sweeps, float]], needs: tuple[str, ...], statement: str = "") -> Test:
    """Make a test that the largest d_int90 / D is small."""

    def per_seed(data: RunData) -> PerSeed:
        rows = [(sweep(data).per_seed(), size) for sweep, size in of]
        seeds = set.intersection(*(set(row) for row, _ in rows))
        return {s: max(row[s] / size for row, size in rows) for s in sorted(seeds)}

    def pooled(data: RunData) -> float:
        return max(sweep(data).bounded() / size for sweep, size in of)

    return Test(name, per_seed, Rule(high=SMALL), needs, pooled, statement)


def largest_share(nets: Sequence[Arm], more: str = "") -> str:
    """Return what the largest d_int90 / D of networks is called, the smallest first: it is left out among several."""
    if len(nets) == 1:
        return f"d_int90 / D{more} of network {nets[0].name}"
    return f"largest d_int90 / D{more}, all networks but the smallest"


def by_test(config: Config, arm: str) -> Sweeps:
    return lambda data: local(data, config, arm)


def by_training(config: Config, arm: str) -> Sweeps:
    return lambda data: fitted(data, config, arm)


def ready(name: str, condition: Callable[[RunData], float], metric: str, needs: tuple[str, ...]) -> Test:
    """Make a precondition of a number that belongs to all draws together; a seed has it where it has the first arm."""

    def per_seed(data: RunData) -> PerSeed:
        return dict.fromkeys(data.measure(metric, direct(needs[0])), condition(data))

    return Test(name, per_seed, Rule(low=1.0), needs, condition)


def within(name: str, of: Sequence[Sweeps], metric: str, needs: tuple[str, ...]) -> Test:
    """Make the precondition that every d_int90 lies inside the d's that were trained."""
    return ready(name, lambda data: sum(sweep(data).inside for sweep in of) / len(of), metric, needs)


def learns(data: RunData, chance: float, arm: str) -> bool:
    return mean(data.measure(TEST, direct(arm))) >= LEARNT * chance
