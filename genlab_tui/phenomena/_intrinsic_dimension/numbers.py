"""Intrinsic dimension: d_int90 of one seed and of the mean over draws, from accuracies at the dimensions trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genlab_tui.measures import mean
from genlab_tui.phenomena._intrinsic_dimension.config import CONTROLS, REACH, Config, dims_of
from genlab_tui.rundata import RunData

TEST, TRAIN = "test_accuracy", "train_accuracy"


def direct(arm: str) -> str:
    """Return what the network of an arm is called that trains all its numbers."""
    return f"{arm}, direct"


def name_of(arm: str, d: int) -> str:
    """Return what the network of an arm is called that trains d numbers."""
    return f"{arm}, d {d}"


def small_name(hidden: int) -> str:
    """Return what a small network is called."""
    return f"small, {hidden} hidden"


def crossing(dims: Sequence[float], values: Sequence[float], target: float) -> float:
    """Return where values over ascending dimensions first reach a target, interpolated in log d; infinite: nowhere.

    Reached at the first dimension already, that one is returned: an upper bound. NaN where a value is missing.
    """
    if any(math.isnan(v) for v in (*values, target)) or not values:
        return math.nan
    for place, value in enumerate(values):
        if value >= target:
            if place == 0 or value == target:
                return float(dims[place])
            before = values[place - 1]
            share = (target - before) / (value - before)
            low, high = math.log(dims[place - 1]), math.log(dims[place])
            return math.exp(low + share * (high - low))
    return math.inf


@dataclass(frozen=True)
class Sweep:
    """Accuracies of an arm: `rows[seed]` over `dims`, and what has to be reached, `targets[seed]`."""

    dims: tuple[int, ...]
    rows: Mapping[int, tuple[float, ...]]
    targets: Mapping[int, float]

    @property
    def mean(self) -> tuple[float, ...]:
        """The mean over draws at every dimension."""
        return tuple(sum(column) / len(self.rows) for column in zip(*self.rows.values(), strict=True))

    @property
    def target(self) -> float:
        """What the mean has to reach."""
        return sum(self.targets[seed] for seed in self.rows) / len(self.rows) if self.rows else math.nan

    @property
    def shares(self) -> dict[int, tuple[float, ...]]:
        """Accuracies over that of the baseline, seed by seed."""
        return {s: tuple(REACH * v / self.targets[s] for v in row) for s, row in self.rows.items()}

    def dimension(self) -> float:
        """Return d_int90 of the mean over draws; infinite where it is not reached, NaN without seeds."""
        return crossing(self.dims, self.mean, self.target) if self.rows else math.nan

    def bounded(self) -> float:
        """Return d_int90 of the mean over draws, or the largest dimension, a lower bound, where it is not reached."""
        return min(self.dimension(), float(self.dims[-1]))

    def per_seed(self) -> dict[int, float]:
        """Return d_int90 of every seed, bounded likewise."""
        return {
            seed: min(crossing(self.dims, row, self.targets[seed]), float(self.dims[-1]))
            for seed, row in self.rows.items()
        }

    @property
    def reached(self) -> bool:
        return math.isfinite(self.dimension())

    @property
    def at_first(self) -> bool:
        """Whether it is reached at the first dimension already, which is then no more than an upper bound."""
        return self.reached and self.mean[0] >= self.target

    @property
    def inside(self) -> bool:
        """Whether it is reached, and not at the first dimension already."""
        return self.reached and not self.at_first

    def known(self, threshold: float) -> bool:
        """Whether the dimensions trained say on which side of a threshold d_int90 lies: a bound may not."""
        if not self.rows or not self.reached:
            return bool(self.rows) and self.dims[-1] > threshold
        return not self.at_first or self.dims[0] <= threshold


def sweep(run_data: RunData, config: Config, arm: str, metric: str, targets: Mapping[int, float]) -> Sweep:
    """Return an arm's accuracies; a seed that lacks one or has no finite target is left out."""
    dims = dims_of(config, arm)
    found = [run_data.measure(metric, name_of(arm, d)) for d in dims]
    seeds = sorted(set.intersection(set(targets), *(set(one) for one in found)))
    rows = {seed: tuple(one[seed] for one in found) for seed in seeds}
    whole = {s: row for s, row in rows.items() if all(map(math.isfinite, (*row, targets[s]))) and targets[s] > 0}
    return Sweep(dims, whole, targets)


def local(run_data: RunData, config: Config, arm: str) -> Sweep:
    """Return test accuracies over d, to reach 90 % of the same network trained directly on the same data."""
    baseline = run_data.measure(TEST, direct(arm))
    return sweep(run_data, config, arm, TEST, {seed: REACH * v for seed, v in baseline.items()})


def overall(run_data: RunData, config: Config, arm: str, arms: Iterable[str]) -> Sweep:
    """Return test accuracies over d, to reach 90 % of the best network of all, trained directly."""
    best: dict[int, float] = {}
    for other in arms:
        for seed, value in run_data.measure(TEST, direct(other)).items():
            if math.isfinite(value):
                best[seed] = max(best.get(seed, 0.0), value)
    return sweep(run_data, config, arm, TEST, {seed: REACH * v for seed, v in best.items()})


def fitted(run_data: RunData, config: Config, arm: str) -> Sweep:
    """Return training accuracies over d, to reach 90 %."""
    return sweep(run_data, config, arm, TRAIN, dict.fromkeys(run_data.seeds, REACH))


def of_arm(run_data: RunData, config: Config, arm: str) -> Sweep:
    """Return what the d_int90 of an arm is read off: test accuracy of a network, training accuracy of a control."""
    return fitted(run_data, config, arm) if arm in CONTROLS else local(run_data, config, arm)


def small_networks(
    run_data: RunData, config: Config, features: int, classes: int
) -> list[tuple[int, dict[int, float]]]:
    """Return parameters and test accuracies of the small networks, smallest first."""
    return [
        ((features + 1 + classes) * hidden + classes, run_data.measure(TEST, small_name(hidden)))
        for hidden in sorted(set(config.small))
    ]


def mean_of(run_data: RunData, metric: str, arm: str) -> float:
    """Return the mean of a final number over the seeds."""
    return mean(run_data.measure(metric, arm))
