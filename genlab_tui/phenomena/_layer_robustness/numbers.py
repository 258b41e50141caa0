"""Layer robustness: numbers per layer, seed by seed, of which figures and claims are made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from genlab_tui.measures import least
from genlab_tui.phenomena._layer_robustness.config import DROP, FINAL, MOVED, RAND, arm_of
from genlab_tui.rundata import RunData
from genlab_tui.stats import Summary, summarise


def layer_names(run_data: RunData) -> list[str]:
    """Return the layers measured so far, from the inputs on."""
    return list(dict.fromkeys(arm for arm, _ in run_data.measures.get(MOVED, {})))


def drops(run_data: RunData, source: str) -> dict[int, list[float]]:
    """Return the accuracy lost with each layer replaced by that source, per seed; only seeds that have them all."""
    found = [run_data.measure(DROP, arm_of(layer, source)) for layer in layer_names(run_data)]
    seeds = set.intersection(*(set(one) for one in found)) if found else set()
    return {seed: [one[seed] for one in found] for seed in sorted(seeds)}


def worst_ratio(run_data: RunData, source: str) -> dict[int, float]:
    """Return the largest drop over the layers, relative to that of fresh draws; NaN where those cost nothing."""
    fresh = drops(run_data, RAND)
    return {
        seed: -least(-a / b if b > 0 else math.nan for a, b in zip(row, fresh[seed], strict=True))
        for seed, row in drops(run_data, source).items()
        if seed in fresh
    }


def least_share(run_data: RunData, source: str, chance: float) -> dict[int, float]:
    """Return the smallest drop over the layers as a share of the gap between the whole network and chance."""
    whole = run_data.measure("test_accuracy", FINAL)
    return {
        seed: least(drop / (whole[seed] - chance) if whole[seed] > chance else math.nan for drop in row)
        for seed, row in drops(run_data, source).items()
        if seed in whole
    }


def over_seeds(rows: Mapping[int, Sequence[float]]) -> list[Summary]:
    """Return a summary over the seeds for each layer."""
    return [summarise(column) for column in zip(*rows.values(), strict=True)]


def movements(run_data: RunData, measure: str) -> dict[int, list[float]]:
    found = [run_data.measure(measure, layer) for layer in layer_names(run_data)]
    seeds = set.intersection(*(set(one) for one in found)) if found else set()
    return {seed: [one[seed] for one in found] for seed in sorted(seeds)}
