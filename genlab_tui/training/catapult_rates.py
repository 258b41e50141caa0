"""The largest rate at which networks on two classes train, and how they descend at one rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.phenomenon import Arm, Checkpoint, Context
from genlab_tui.training.bisection import Bisection
from genlab_tui.training.catapult_networks import (
    Samples,
    Weights,
    descend,
    descend_linearised,
    draw,
    kernels,
    largest,
    outputs,
    trained,
)
from genlab_tui.training.catapult_sweep import measures
from genlab_tui.training.loss_track import LossTrack

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """Networks of one activation, one a seed, with their samples, kernels and lambda at the start."""

    activation: str
    seeds: tuple[int, ...]
    samples: Samples
    start: Weights
    kernel: Tensor
    lambdas: Array

    def descend(
        self, arm: Arm, products: Array, steps: int, poll: Callable[[], None]
    ) -> tuple[LossTrack, Array, list[Array]]:
        """Descend at eta * lambda_0 [M]; return the track, lambda at the end and the losses of every step.

        Polls after each: a step of large networks takes seconds.
        """
        rates = products / self.lambdas
        rows: list[Array] = []

        def look(_: int, loss: Array) -> None:
            rows.append(loss.copy())
            poll()

        if "linearised" in arm.factors:
            first = outputs(self.activation, self.start, self.samples)
            width = self.start.outer.shape[1]
            track = descend_linearised(self.kernel, first, self.samples.y, rates, steps, width, look)
            return track, self.lambdas, rows
        track, end = descend(self.activation, self.start, self.samples, rates, steps, look)
        lambdas = largest(kernels(self.activation, end, self.samples))
        return track, np.where(track.diverged, math.nan, lambdas), rows


def problem(activation: str, seeds: Sequence[int], samples: Samples, width: int) -> Problem:
    """Draw the networks and work out their kernels."""
    start = draw(samples, seeds, width)
    kernel = kernels(activation, start, samples)
    return Problem(activation, tuple(seeds), samples, start, kernel, largest(kernel))


def at_one_rate(
    own: Problem, arms: Sequence[Arm], product: float, steps: int, cohort: str, context: Context
) -> Generator[ev.Event, None, int]:
    """Descend at one eta * lambda_0; yield the losses of every step, and what became of lambda."""
    products = np.full(len(own.seeds), product)
    found = [own.descend(arm, products, steps, context.poll) for arm in arms]
    yield ev.Cohort(id=cohort, members=tuple((arm.name, seed) for arm in arms for seed in own.seeds))
    for step in range(steps + 1):
        values = [rows[step] if step < len(rows) else np.full(len(products), math.nan) for _, _, rows in found]
        shown = ev.to_values(np.concatenate(values).tolist())
        yield ev.Curve(cohort=cohort, metric="network_loss", step=step, epoch=float(step), values=shown)
    columns = {
        "lambda": np.concatenate([own.lambdas for _ in found]),
        "network_ratio": np.concatenate([last / own.lambdas for _, last, _ in found]),
        "network_rise": np.concatenate([track.peak / track.first for track, _, _ in found]),
        "network_end_loss": np.concatenate([track.last for track, _, _ in found]),
    }
    yield from measures(cohort, columns)
    return len(products)


def largest_rate(
    own: Problem, arm: Arm, bracket: tuple[float, float], rounds: int, steps: int, cohort: str, context: Context
) -> Generator[ev.Event, None, list[float]]:
    """Search eta * lambda_0 up to which the networks of an arm train (`eta_max`), by bisection."""

    def fails(products: Array) -> NDArray[np.bool_]:
        track, _, _ = own.descend(arm, products, steps, lambda: context.poll(save))
        found: NDArray[np.bool_] = ~trained(track, own.samples.y)
        return found

    search = Bisection(len(own.seeds), *bracket)
    saved = context.resume()
    if saved is not None:
        search.restore({name: np.asarray(array) for name, array in saved.arrays.items()}, saved.step)

    def save() -> Checkpoint:
        return Checkpoint(search.rounds, search.arrays())

    search.check(fails)
    while search.rounds <= rounds:
        search.halve(fails)
    yield ev.Cohort(id=cohort, members=tuple((arm.name, seed) for seed in own.seeds))
    yield from measures(cohort, {"eta_max": search.found})
    if not search.sound.all():
        never = ~search.sound & fails(np.full(len(own.seeds), bracket[0]))
        bad = ", ".join(str(seed) for seed, sound in zip(own.seeds, search.sound, strict=True) if not sound)
        low, high = bracket
        text = f"{arm.title}: no largest rate between eta lambda {low:g} and {high:g}, seeds {bad}"
        if never.any():
            count = f"{int(never.sum())} of them train"
            text += f"; {count} at no rate, not even the lowest: {steps} steps may be too few"
        yield ev.Log(text=text, level="warning")
    return [float(value) for value in search.found]
