"""Why batch norm helps: numbers per seed, compared at matched loss."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping

from genlab_tui.phenomena._batch_norm_why.config import (
    FELL,
    LINEAR,
    PLAIN,
    TRAINED,
    Config,
    name_of,
    rates,
    sizes,
)
from genlab_tui.phenomenon import PerSeed
from genlab_tui.rundata import RunData

Place = Callable[[RunData, int], tuple[str, int] | None]
"""Whose numbers are meant, for a seed: an arm and a seed."""
Measures = Mapping[str, Mapping[tuple[str, int], float]]


def of(arm: str) -> Place:
    """Return the place of an arm of the same seed."""
    return lambda run_data, seed: (arm, seed)


def of_next(arm: str) -> Place:
    """Return the place of an arm of the next seed of the run (after the last comes the first)."""

    def place(run_data: RunData, seed: int) -> tuple[str, int] | None:
        seeds = sorted(run_data.seeds)
        return (arm, seeds[(seeds.index(seed) + 1) % len(seeds)]) if len(seeds) > 1 else None

    return place


def best_plain(config: Config) -> Place:
    """Return the place of the plain network with the learning rate whose training loss ends lowest."""

    def place(run_data: RunData, seed: int) -> tuple[str, int] | None:
        arms = [name_of(PLAIN, lr, config) for lr in rates(config)]
        found = [(run_data.measures.get("train_loss", {}).get((arm, seed), math.nan), arm) for arm in arms]
        ended = [(loss, arm) for loss, arm in found if math.isfinite(loss)]
        return (min(ended)[1], seed) if ended else None

    return place


def levels(run_data: RunData, metric: str, place: tuple[str, int] | None) -> dict[int, float]:
    """Return a probe's median at every level of loss that has one."""
    prefix = f"{metric} at level "
    found = {
        int(name[len(prefix) :]): named[place]
        for name, named in run_data.measures.items()
        if place and name.startswith(prefix) and place in named
    }
    return {level: value for level, value in found.items() if math.isfinite(value)}


def shared(run_data: RunData, metric: str, first: tuple[str, int] | None, second: tuple[str, int] | None) -> list[int]:
    """Return the levels of loss at which both have a median."""
    return sorted(levels(run_data, metric, first).keys() & levels(run_data, metric, second).keys())


def at_matched_loss(metric: str, top: Place, bottom: Place, *, ratio: bool = True) -> Callable[[RunData], PerSeed]:
    """Return the measure: median over shared levels of loss of top over bottom (or of top minus bottom)."""

    def measure(run_data: RunData) -> PerSeed:
        found = {}
        for seed in run_data.seeds:
            first, second = top(run_data, seed), bottom(run_data, seed)
            high, low = levels(run_data, metric, first), levels(run_data, metric, second)
            both = shared(run_data, metric, first, second)
            if ratio:
                logs = [math.log(high[k] / low[k]) for k in both if high[k] > 0 and low[k] > 0]
                found[seed] = math.exp(statistics.median(logs)) if logs else math.nan
            else:
                found[seed] = statistics.median(high[k] - low[k] for k in both) if both else math.nan
        return found if run_data.measures.get("train_loss") else {}

    return measure


def apart(metric: str, arm: str) -> Callable[[RunData], PerSeed]:
    """Return the measure: how many times a probe of one seed is that of the next at matched loss, or the reverse.

    Without "or the reverse" the mean over seeds would tell nothing: one after another they come back to the first.
    """
    ratios = at_matched_loss(metric, of_next(arm), of(arm))
    return lambda run_data: {seed: max(r, 1 / r) if r == r else r for seed, r in ratios(run_data).items()}


def comparable(config: Config, metric: str, top: Place, bottom: Place) -> Callable[[RunData], PerSeed]:
    """Return the measure: shared levels of loss of two networks, 0 where one of them has not trained."""

    def measure(run_data: RunData) -> PerSeed:
        found = {}
        for seed in run_data.seeds:
            places = top(run_data, seed), bottom(run_data, seed)
            fine = all(place and has_trained(config, run_data.measures, place) for place in places)
            found[seed] = float(len(shared(run_data, metric, *places))) if fine else 0.0
        return found if run_data.measures.get("train_loss") else {}

    return measure


def has_trained(config: Config, measures: Measures, place: tuple[str, int]) -> bool:
    """Whether a network has at some time learnt its training data, or (deep-linear) lost a good part of its loss."""

    def number(name: str) -> float:
        return measures.get(name, {}).get(place, math.nan)

    if config.model == LINEAR:
        return number("train_loss") <= FELL * number("first_train_loss")
    return number("best_train_accuracy") >= TRAINED


def gap(name: str, first: Place, second: Place) -> Callable[[RunData], PerSeed]:
    """Return the measure: a number of one network minus that of another."""

    def measure(run_data: RunData) -> PerSeed:
        named = run_data.measures.get(name, {})
        found = {}
        for seed in run_data.seeds:
            places = first(run_data, seed), second(run_data, seed)
            values = [named.get(place, math.nan) if place else math.nan for place in places]
            found[seed] = values[0] - values[1]
        return found if named else {}

    return measure


def standard_errors(config: Config, first: Place, second: Place) -> Callable[[RunData], PerSeed]:
    """Return the measure: final test accuracy of one network minus another's, in standard errors of the test set.

    Those of the accuracy that the two have on average; 0 where both are right everywhere.
    """

    def measure(run_data: RunData) -> PerSeed:
        named, count = run_data.measures.get("test_accuracy", {}), sizes(config, run_data.spec)[1]
        found = {}
        for seed, difference in gap("test_accuracy", first, second)(run_data).items():
            places = first(run_data, seed), second(run_data, seed)
            share = sum(named.get(place, math.nan) if place else math.nan for place in places) / 2
            error = math.sqrt(share * (1 - share) / count) if math.isfinite(share) else math.nan
            found[seed] = difference / error if error else 0.0
        return found

    return measure


def trained(config: Config, *places: Place) -> Callable[[RunData], PerSeed]:
    """Return the measure: 1 in a seed whose networks have all trained, else 0."""

    def measure(run_data: RunData) -> PerSeed:
        if not run_data.measures.get("train_loss"):
            return {}
        chosen = {seed: [place(run_data, seed) for place in places] for seed in run_data.seeds}
        return {
            seed: float(all(one and has_trained(config, run_data.measures, one) for one in mine))
            for seed, mine in chosen.items()
        }

    return measure
