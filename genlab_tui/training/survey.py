"""The loss around one trained network: how far it stays low, and slices in two directions (Li et al. 2018).

Points are asked for in blocks, and what has been evaluated is a checkpoint: a run can stop in the middle of a slice.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training.plane_measures import Slice, describe
from genlab_tui.training.train import Share

Evaluate = Callable[[Tensor, Tensor], Tensor]
"""Losses [N] at the network + steps [N, D] @ directions [D, P]."""
Found = Generator[ev.Event, None, Tensor]

FIRST, FACTOR, FURTHEST, NEAREST = 0.02, 1.25, 8.0, 1e-5
"""Steps along a direction at which the loss is looked at: the first, each over the one before, the last; of those that
cross the level before the first, halves of it down to the nearest."""
HALVINGS = 5
"""Halvings, on a log scale, of the step in which the level is crossed: to 0.4 % of the radius."""


@dataclass
class Survey:
    """Losses around one network. `total` are the points that will be asked for, about; `block` those at once."""

    evaluate: Evaluate
    context: Context
    share: Share
    total: float
    label: str
    block: int
    done: dict[str, Tensor] = field(default_factory=dict)
    count: int = 0
    """Points that this attempt has evaluated."""

    def __post_init__(self) -> None:
        saved = self.context.resume()
        if saved is not None:
            self.done = {name: torch.as_tensor(array).clone() for name, array in saved.arrays.items()}
        self.begun = time.monotonic()
        self.kept = sum(map(len, self.done.values()))

    def save(self) -> Checkpoint:
        """Return what has been evaluated."""
        return Checkpoint(self.kept + self.count, dict(self.done))

    def losses(self, name: str, directions: Tensor, steps: Tensor) -> Found:
        """Evaluate points under a name that no others have; those of an earlier attempt are not evaluated again."""
        found = self.done.get(name, torch.zeros(0))
        while len(found) < len(steps):
            asked = steps[len(found) : len(found) + self.block].to(directions)
            found = torch.cat([found, self.evaluate(directions, asked).float().cpu()])
            self.count += len(asked)
            self.done[name] = found
            part = min((self.kept + self.count) / self.total, 1.0)
            seconds = time.monotonic() - self.begun
            left = self.total * (1 - self.share.before - self.share.size * part) / self.share.size
            yield ev.Progress(
                done=round(self.share.before + self.share.size * part, 4),
                label=self.label,
                eta=round(max(seconds / self.count * left, 0.0), 1),
            )
            self.context.poll(self.save)
        return found

    def radii(self, directions: Tensor, level: float) -> Generator[ev.Event, None, list[float]]:
        """Return the step at which the loss first reaches a level, along every direction [D, P] to both sides.

        Looked at from 0.02 on, a quarter further each time; infinite where it stays below up to 8.
        """
        rays = torch.cat([torch.eye(len(directions)), -torch.eye(len(directions))])
        low, high = torch.zeros(len(rays)), torch.full((len(rays),), math.inf)
        reach = FIRST
        while reach <= FURTHEST and (waiting := high.isinf().nonzero()[:, 0]).numel():
            found = yield from self.losses(f"radii to {reach:.6f}", directions, reach * rays[waiting])
            crossed = ~(found < level)
            high[waiting[crossed]] = reach
            low[waiting[~crossed]] = reach
            reach *= FACTOR
        reach = FIRST / 2
        while reach >= NEAREST and (waiting := (low == 0).nonzero()[:, 0]).numel():
            found = yield from self.losses(f"radii to {reach:.6f}", directions, reach * rays[waiting])
            crossed = ~(found < level)
            high[waiting[crossed]] = reach
            low[waiting[~crossed]] = reach
            reach /= 2
        crossed = high.isfinite().nonzero()[:, 0]
        for turn in range(HALVINGS if crossed.numel() else 0):
            middle = torch.where(low > 0, (low * high).sqrt(), high / 2)[crossed]
            found = yield from self.losses(f"radii, halving {turn}", directions, middle[:, None] * rays[crossed])
            beyond = ~(found < level)
            high[crossed[beyond]] = middle[beyond]
            low[crossed[~beyond]] = middle[~beyond]
        return [math.sqrt(a * b) if a else b for a, b in zip(low.tolist(), high.tolist(), strict=True)]

    def plane(
        self, name: str, directions: Tensor, columns: Sequence[float], rows: Sequence[float]
    ) -> Generator[ev.Event, None, NDArray[np.float64]]:
        """Return losses [rows, columns] at the network + column x directions[0] + row x directions[1]."""
        steps = torch.tensor([(column, row) for row in rows for column in columns])
        found = yield from self.losses(name, directions, steps)
        table: NDArray[np.float64] = found.double().numpy().reshape(len(rows), len(columns))
        return table


@dataclass(frozen=True)
class Around:
    """What random slices say of a network: `radii` of all rays, the measures of every slice, its losses."""

    loss: float
    radii: list[float]
    square: list[Slice]
    near: list[Slice]
    squares: list[NDArray[np.float64]]
    nears: list[NDArray[np.float64]]
    reach: float

    @property
    def radius(self) -> float:
        """The median radius; NaN where the network itself is not inside."""
        return statistics.median(self.radii) if self.radii else math.nan

    def measures(self, several: float) -> dict[str, float]:
        """Return the numbers that criteria and figures are made of; `several` minima make a slice look chaotic."""
        ordered = sorted(self.radii)
        found = {
            "slice_loss": self.loss,
            "radius": self.radius,
            "radius_low": ordered[len(ordered) // 4] if ordered else math.nan,
            "radius_high": ordered[-1 - len(ordered) // 4] if ordered else math.nan,
        }
        for name, slices in (("square", self.square), ("near", self.near)):
            convex = [one.non_convex for one in slices if not math.isnan(one.non_convex)]
            found[f"{name}_basin"] = _mean([one.basin for one in slices])
            found[f"{name}_non_convex"] = _mean(convex)
            found[f"{name}_minima"] = _mean([float(one.minima) for one in slices])
            found[f"{name}_chaotic"] = _mean([float(one.minima >= several) for one in slices])
        return found

    def profile(self) -> list[float]:
        """Return the losses along the axes of the squares: the median over them at every step."""
        middle = len(self.squares[0]) // 2
        axes = [axis for table in self.squares for axis in (table[middle], table[:, middle])]
        return [statistics.median(values) for values in zip(*axes, strict=True)]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def steps(reach: float, grid: int) -> list[float]:
    """Return an odd number of equal steps from -reach to reach, 0 in the middle."""
    return [reach * (k - grid // 2) / (grid // 2) for k in range(grid)]


def around(
    survey: Survey, directions: Tensor, spanning: Tensor, level: float, *, grid: int, near: float
) -> Generator[ev.Event, None, Around]:
    """Return radii along `directions` [D, P] and slices in pairs of `spanning` [2 k, P].

    Each pair is sliced twice: on the square from -1 to 1, and `near` median radii far.
    """
    (loss,) = (yield from survey.losses("centre", directions[:1], torch.zeros(1, 1))).tolist()
    radii = (yield from survey.radii(directions, level)) if loss < level else []
    radius = statistics.median(radii) if radii else math.nan
    squares, nears = [], []
    for k in range(len(spanning) // 2):
        pair = spanning[2 * k : 2 * k + 2]
        squares.append((yield from survey.plane(f"square {k}", pair, steps(1.0, grid), steps(1.0, grid))))
        if math.isfinite(radius):
            places = steps(near * radius, grid)
            nears.append((yield from survey.plane(f"near {k}", pair, places, places)))
    square, close = ([describe(table, level) for table in tables] for tables in (squares, nears))
    return Around(loss, radii, square, close, squares, nears, near * radius)


MARGIN = 0.2
"""How far the plane of a way reaches beyond it on every side, in its extents."""


def way_grid(path: Tensor, grid: int) -> tuple[list[float], list[float], list[tuple[float, float]]]:
    """Return columns and rows of the plane around a path [T, 2], and the path in units of its cells."""
    low, high = path.amin(0), path.amax(0)
    room = (high - low).clamp_min(1e-6 * float((high - low).max()) + 1e-12)
    low, high = low - MARGIN * room, high + MARGIN * room
    columns, rows = (torch.linspace(float(low[k]), float(high[k]), grid).tolist() for k in (0, 1))
    cells = ((path - low) / (high - low) * (grid - 1)).tolist()
    return columns, rows, [(column, row) for column, row in cells]
