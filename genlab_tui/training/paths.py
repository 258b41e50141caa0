"""Straight lines between trained networks, scored point by point: error barriers (Frankle et al. 2020)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab_tui.training.assess import PARTS, Point, assess
from genlab_tui.training.full_pass import statistics
from genlab_tui.training.members import Recipe, Samples


@dataclass(frozen=True)
class Path:
    """A line from `start` to `end`, flat numbers of two networks of one seed under the name of an arm.

    `averages` are running statistics of either end, empty without batch norm; `place` is the seed's samples.
    """

    arm: str
    seed: int
    start: Tensor
    end: Tensor
    averages: Tensor
    place: int

    @property
    def distance(self) -> float:
        """The distance of the ends relative to the mean of their norms."""
        start, end = self.start.double(), self.end.double()
        return float(2 * (start - end).norm() / (start.norm() + end.norm()))


def alphas(count: int) -> list[float]:
    """Return that many places between the ends, evenly spaced, both ends among them."""
    return [k / (count - 1) for k in range(count)]


def scores(
    paths: Sequence[Path], places: Sequence[float], recipe: Recipe, samples: Samples, poll: Callable[[], None]
) -> Iterator[dict[str, list[float]]]:
    """Yield `train_error`, `test_error`, `train_loss` and `test_loss` at every place of one path after the other.

    The running statistics of networks with batch norm are taken anew at every place, ends included, from a pass over
    training samples: averaged along the line they would belong to no network. A path with an end that is not finite
    (a network that diverged) has NaN everywhere.
    """

    def points() -> Iterator[Point]:
        device = samples.inputs.device
        for path in paths:
            start, end = path.start.to(device), path.end.to(device)
            for at in places:
                flat = torch.lerp(start, end, at)
                averages = path.averages.to(device)
                if averages.numel():
                    averages = statistics(recipe, samples, flat, averages, samples.inputs[path.place])
                yield Point(flat, averages, path.place, path.place)

    own: list[dict[str, float]] = []
    for number, found in enumerate(assess(points(), recipe, samples, poll=poll)):
        own.append(found)
        if len(own) < len(places):
            continue
        path = paths[number // len(places)]
        lost = not (bool(path.start.isfinite().all()) and bool(path.end.isfinite().all()))
        row = {f"{part}_error": [math.nan if lost else 1 - one[f"{part}_accuracy"] for one in own] for part in PARTS}
        row |= {f"{part}_loss": [math.nan if lost else one[f"{part}_loss"] for one in own] for part in PARTS}
        yield row
        own = []


def barrier(values: Sequence[float]) -> float:
    """Return the largest value along a path minus the mean of its ends; NaN where one is missing."""
    if any(math.isnan(value) for value in values):
        return math.nan
    return max(values) - (values[0] + values[-1]) / 2
