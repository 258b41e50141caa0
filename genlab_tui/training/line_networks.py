"""ReLU networks of one hidden layer on the unit interval: evaluated in one pass, written down from their knots.

A unit is active on one side of its knot, so outputs and gradients on sorted inputs are cumulative sums: units + inputs
operations in place of units x inputs. Also targets with what is known of their kinks. float64, no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlab_tui.data.seeding import generator

Array = NDArray[np.float64]
TEETH = 4  # of the sawtooth on the unit interval


@dataclass(frozen=True)
class LineNetwork:
    """sum_j v_j max(w_j x + b_j, 0) + offset."""

    w: Array
    b: Array
    v: Array
    offset: float

    def __call__(self, x: Array) -> Array:
        """Return the outputs at ascending inputs."""
        with np.errstate(divide="ignore", invalid="ignore"):
            knots = -self.b / self.w
        rises = self.w > 0
        side = np.where(rises | (self.w < 0), knots, np.where(self.b > 0, np.inf, -np.inf))
        at = np.searchsorted(x, side, side="left")
        signed = np.where(rises, 1.0, -1.0)
        before = ~rises  # active up to the knot; without a slope everywhere or nowhere, as the bias says
        totals = []
        for part in (self.v * self.w, self.v * self.b):
            steps = np.bincount(at, signed * part, minlength=len(x) + 1)[: len(x)]
            totals.append(np.cumsum(steps) + part[before].sum())
        outputs: Array = totals[0] * x + totals[1] + self.offset
        return outputs


def through(knots: Array, values: Array) -> LineNetwork:
    """Return the network that is linear between ascending knots: a unit a piece, its weight the change of slope."""
    slopes = np.diff(values) / np.diff(knots)
    return LineNetwork(np.ones(len(slopes)), -knots[:-1], np.diff(slopes, prepend=0.0), float(values[0]))


@dataclass(frozen=True)
class Target:
    """A function on the unit interval; `breaks` are its kinks or jumps, `jumps` that they are jumps (value from right).

    `left` gives the values from the left at the breaks.
    """

    f: Callable[[Array], Array]
    breaks: Array
    left: Array

    def points(self, grid: Array) -> tuple[Array, Array]:
        """Return ascending inputs and values: the grid and, where the function breaks, the values on both sides."""
        x = np.concatenate((grid, self.breaks, self.breaks))
        y = np.concatenate((self.f(grid), self.left, self.f(self.breaks)))
        order = np.argsort(x, kind="stable")
        return x[order], y[order]


def _sine(shift: float) -> Target:
    return Target(lambda x: np.sin(2 * np.pi * (x + shift)), np.empty(0), np.empty(0))


def _kink(shift: float) -> Target:
    at = 0.25 + 0.5 * shift
    return Target(lambda x: np.abs(x - at), np.array([at]), np.zeros(1))


def _sawtooth(shift: float) -> Target:
    def f(x: Array) -> Array:
        return np.abs(2.0 * ((TEETH * x + shift) % 1.0) - 1.0)

    breaks = (np.arange(2 * TEETH + 2) / 2 - shift) / TEETH
    inside = breaks[(breaks > 0) & (breaks < 1)]
    return Target(f, inside, f(inside))


def _step(shift: float) -> Target:
    at = 0.25 + 0.5 * shift
    return Target(lambda x: (x >= at).astype(np.float64), np.array([at]), np.zeros(1))


KINDS: dict[str, Callable[[float], Target]] = {"sine": _sine, "kink": _kink, "sawtooth": _sawtooth, "step": _step}


def draw_targets(kind: str, seed: int, count: int) -> list[Target]:
    """Return `count` targets of a kind: the seed draws where they are shifted to. The first is what is trained on."""
    return [KINDS[kind](float(shift)) for shift in generator(seed, f"{kind} shift").random(count)]


def errors(network: LineNetwork, x: Array, y: Array) -> tuple[float, float]:
    """Return the largest distance of a network from values at ascending inputs, and the root of its mean square."""
    away = network(x) - y
    return float(np.abs(away).max()), float(np.sqrt(np.trapezoid(away**2, x)))


# --- depth ------------------------------------------------------------------------------------------------------------


def draw_tents(seed: int, count: int) -> list[float]:
    """Return where `count` tents on the unit interval have their tops: the seed draws them, off the middle."""
    tops: list[float] = generator(seed, "tents").uniform(0.3, 0.7, count).tolist()
    return tops


def tents(tops: Sequence[float], x: Array) -> Array:
    """Return the tents applied one after another: 2^count linear pieces between 0 and 1."""
    for top in tops:
        x = np.minimum(x / top, (1.0 - x) / (1.0 - top))
    return x


def _piecewise(tops: Sequence[float]) -> tuple[Array, Array]:
    """Return knots and values of tents applied one after another."""
    knots, values = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    for top in tops:
        rise = np.diff(values)
        between = knots[:-1] + (top - values[:-1]) / rise * np.diff(knots)  # every piece crosses every height once
        knots = np.insert(knots, np.arange(1, len(knots)), between)
        ends = np.zeros(len(knots))
        ends[1::2] = 1.0
        values = ends
    return knots, values


@dataclass(frozen=True)
class Composed:
    """A network of several hidden layers, each a line network whose output is the next one's input."""

    layers: tuple[LineNetwork, ...]

    @property
    def units(self) -> int:
        return sum(len(layer.w) for layer in self.layers)

    def __call__(self, x: Array) -> Array:
        """Return the outputs at inputs in any order."""
        for layer in self.layers:
            order = np.argsort(x, kind="stable")
            out = np.empty_like(x)
            out[order] = layer(x[order])
            x = out
        return x


def compose(tops: Sequence[float], depth: int) -> Composed:
    """Return the network of `depth` hidden layers that is equal to the tents: a layer writes out a part of them."""
    parts = [part.tolist() for part in np.array_split(np.asarray(tops), depth)]
    return Composed(tuple(through(*_piecewise(part)) for part in parts if part))


def with_units(tops: Sequence[float], units: int) -> Composed:
    """Return the network of one hidden layer and that many units that meets the tents at equispaced knots."""
    knots = np.linspace(0.0, 1.0, units + 1)
    return Composed((through(knots, tents(tops, knots)),))


def composed_error(network: Composed, tops: Sequence[float]) -> float:
    """Return the largest distance of a network from the tents, on a grid finer than their pieces and at their knots."""
    knots, _ = _piecewise(tops)
    x = np.union1d(np.linspace(0.0, 1.0, 16 * len(knots) + 1), knots)
    return float(np.abs(network(x) - tents(tops, x)).max())
