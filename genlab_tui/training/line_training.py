"""Line networks trained by Adam on all samples at once, all widths, targets and seeds together.

A step costs units + samples (see `line_networks`): for every member two cumulative sums over its samples and, per unit,
a look-up at its knot. numpy, float64; a member's numbers depend on nobody else's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genlab_tui.data.seeding import generator
from genlab_tui.training.flat_adam import FlatAdam
from genlab_tui.training.line_networks import Array, LineNetwork


@dataclass(frozen=True)
class Start:
    """A member to train: its network as drawn and its targets at the samples."""

    network: LineNetwork
    y: Array


def draw_network(width: int, seed: int) -> LineNetwork:
    """Draw a network as torch initialises one: input weights and biases within 1, the rest within 1 / sqrt(width)."""
    random = generator(seed, f"line network {width}")
    w, b, v = random.uniform(-1.0, 1.0, (3, width))
    return LineNetwork(w, b, v / math.sqrt(width), float(random.uniform(-1.0, 1.0)) / math.sqrt(width))


class Lines(FlatAdam):
    """Members side by side: units in one row, each knowing its member; mean squared error on equispaced samples."""

    def __init__(self, starts: Sequence[Start], lr: float) -> None:
        self.y = np.stack([start.y for start in starts])
        members, self.n = self.y.shape
        self.x = np.linspace(0.0, 1.0, self.n)
        widths = [len(start.network.w) for start in starts]
        self.member = np.repeat(np.arange(members), widths)
        self.cuts = np.cumsum(widths)[:-1]
        hidden = [np.concatenate([getattr(start.network, part) for start in starts]) for part in "wbv"]
        self.units = len(self.member)
        super().__init__(np.concatenate([*hidden, [start.network.offset for start in starts]]), lr)
        self.loss = np.full(members, math.nan)

    def _parts(self, row: Array) -> tuple[Array, Array, Array, Array]:
        u = self.units
        return row[:u], row[u : 2 * u], row[2 * u : 3 * u], row[3 * u :]

    def gradient(self) -> Array:
        """Return the gradient of every member's mean squared error, and keep that error in `loss`."""
        w, b, v, offset = self._parts(self.numbers)
        members, n = self.y.shape
        rises = w > 0
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            knot = np.ceil(-b / w * (n - 1))
        knot = np.where(w != 0, knot, np.where(b > 0, n, 0))  # without a slope: active everywhere or nowhere
        at = self.member * (n + 1) + np.minimum(np.fmax(knot, 0), n).astype(np.int64)  # fmax: NaN counts as 0
        signed = np.where(rises, 1.0, -1.0)
        falls = np.where(rises, 0.0, 1.0)
        totals = []
        for part in (v * w, v * b):
            steps = np.bincount(at, signed * part, minlength=members * (n + 1)).reshape(members, n + 1)[:, :n]
            base = np.bincount(self.member, falls * part, minlength=members)
            totals.append(np.cumsum(steps, axis=1) + base[:, None])
        away = totals[0] * self.x + totals[1] + offset[:, None] - self.y
        self.loss = np.einsum("mn,mn->m", away, away) / n
        away *= 2.0 / n
        below = np.zeros((2, members, n + 1))
        np.cumsum(away, axis=1, out=below[0, :, 1:])
        np.cumsum(away * self.x, axis=1, out=below[1, :, 1:])
        all_of = below[:, :, -1]
        flat = below.reshape(2, -1)[:, at]
        plain, weighted = np.where(rises, all_of[:, self.member] - flat, flat)
        return np.concatenate((v * weighted, v * plain, w * weighted + b * plain, all_of[0]))

    def step(self) -> None:
        """Take one step of Adam, from the gradient at the numbers as they are; one that diverges ends at NaN."""
        with np.errstate(over="ignore", invalid="ignore"):
            self.descend(self.gradient())

    def networks(self) -> list[LineNetwork]:
        """Return the members as they are now."""
        *hidden, offset = self._parts(self.numbers)
        rows = [np.split(part, self.cuts) for part in hidden]
        return [LineNetwork(w, b, v, float(o)) for w, b, v, o in zip(*rows, offset, strict=True)]
