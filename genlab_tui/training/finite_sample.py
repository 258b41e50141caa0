"""Networks that fit n points by construction (Zhang et al. 2017, theorem 1 and appendix C): 2n + d weights.

c(x) = sum_j w_j max(<a, x> - b_j, 0) is a piecewise linear function of one projection of the inputs, so it passes
through any n points whose projections differ. float64 throughout: the weights are huge and cancel. No torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlab_tui.data.seeding import generator

Array = NDArray[np.float64]
ENTRIES = 4_000_000  # hidden activations in memory at once


@dataclass(frozen=True)
class Network:
    """A ReLU network of one hidden layer whose units share one direction: `a` [d], thresholds `b`, `w` [units]."""

    a: NDArray[Any]
    b: NDArray[Any]
    w: NDArray[Any]

    @property
    def weights(self) -> int:
        """The numbers that it consists of, as they are stored."""
        return self.a.size + self.b.size + self.w.size

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return c(x) of inputs [n, d], unit by unit, in the precision of its numbers."""
        rows = max(ENTRIES // self.b.size, 1)
        parts = []
        for start in range(0, len(x), rows):
            z = x[start : start + rows].astype(self.a.dtype, copy=False) @ self.a
            parts.append(np.maximum(z[:, None] - self.b, 0) @ self.w)
        return np.concatenate(parts)

    def cast(self, kind: type[np.floating[Any]]) -> Network:
        """Return the same network with numbers of another precision."""
        return Network(self.a.astype(kind), self.b.astype(kind), self.w.astype(kind))


@dataclass(frozen=True)
class Projection:
    """Inputs on a line: direction `a` of length 1, `z` ascending, and the `order` that sorts the inputs so.

    `smallest` is the smallest gap between neighbours, `evenness` that over the median gap: 0 where two inputs meet.
    """

    a: Array
    z: Array
    order: NDArray[np.int64]
    smallest: float
    evenness: float

    @property
    def first(self) -> float:
        """The first threshold: below all inputs, by their median gap."""
        return float(self.z[0] - np.median(np.diff(self.z)))


def project(x: Array, seed: int, tries: int) -> Projection:
    """Return inputs [n, d] on the one of `tries` random lines where the smallest gap over the median gap is largest.

    The first line is the same for any number of tries.
    """
    directions = generator(seed, "direction").standard_normal((tries, x.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    best: Projection | None = None
    for a in directions:
        z = x @ a
        order = np.argsort(z, kind="stable")
        gaps = np.diff(z[order])
        middle = float(np.median(gaps))
        evenness = float(gaps.min()) / middle if middle > 0 else 0.0
        if best is None or evenness > best.evenness:
            best = Projection(a, z[order], order, float(gaps.min()), evenness)
    assert best is not None
    return best


def distinct(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Return the rows of x without exact copies, and how many rows repeat an input with another target.

    Copies that agree are one point. Those that do not cannot be fitted by any function: their number must be 0.
    """
    seen: dict[bytes, int] = {}
    kept, conflicts = [], 0
    for row, values in enumerate(x.reshape(len(x), -1)):
        # 16 bytes stand for the row, as all rows once more would be as large as x. + 0.0: -0 and 0 are one number.
        first = seen.setdefault(blake2b((values + 0.0).tobytes(), digest_size=16).digest(), row)
        if first == row:
            kept.append(row)
        elif y[first] != y[row]:
            conflicts += 1
    return np.array(kept, dtype=np.int64), conflicts


def slopes(knots: Array, values: Array, first: float) -> Array:
    """Return the slope of each piece of the function that is 0 up to `first` and linear between the knots."""
    return np.diff(values, prepend=0.0) / np.diff(knots, prepend=first)


def through(a: Array, knots: Array, values: Array, first: float) -> Network:
    """Return the network that passes through values at ascending knots: w are the changes of slope, O(n)."""
    return Network(a, np.concatenate(([first], knots[:-1])), np.diff(slopes(knots, values, first), prepend=0.0))


def fit(line: Projection, y: Array) -> Network:
    """Return the network of 2n + d weights that passes through targets [n], its thresholds at the points."""
    return through(line.a, line.z, y[line.order], line.first)


def condition(line: Projection) -> float:
    """Return the condition number (1-norm) of the triangular system that `fit` solves in closed form.

    Its matrix max(z_i - b_j, 0) is S diag(gaps) S, with S the cumulative sum, so both norms are known.
    """
    gaps = np.diff(line.z, prepend=line.first)
    with np.errstate(divide="ignore"):
        inverse = 2.0 / gaps + np.append(2.0 / gaps[1:], 0.0)
        inverse[-1] = 1.0 / gaps[-1]
        if len(gaps) > 1:
            inverse[-2] = 2.0 / gaps[-2] + 1.0 / gaps[-1]
    return float(np.sum(line.z - line.first) * inverse.max())


def fit_between(line: Projection, y: Array) -> tuple[Network, float]:
    """Return the network with thresholds midway between the points, and its condition number (1-norm, estimated).

    The proof's own system, lower triangular and solved as it stands: n x n numbers. Its smallest eigenvalue is the
    smallest distance of a point from the threshold before it.
    """
    from scipy.linalg import solve_triangular
    from scipy.linalg.lapack import dtrcon

    z = line.z
    b = np.concatenate(([line.first], 0.5 * (z[1:] + z[:-1])))
    system = np.maximum(z[:, None] - b, 0.0)
    reciprocal, _ = dtrcon(system, norm="1", uplo="L")
    w = solve_triangular(system, y[line.order], lower=True, check_finite=False)
    return Network(line.a, b, w), 1.0 / reciprocal if reciprocal else float("inf")


def fit_half(line: Projection, y: Array) -> Network:
    """Return the network with half as many units whose squared error on the points is least: n + d weights.

    Its thresholds are at every other point; the values there solve a tridiagonal system.
    """
    from scipy.linalg import solveh_banded

    z, targets = line.z, y[line.order]
    at = np.round(np.linspace(0, len(z) - 1, len(z) // 2)).astype(np.int64)
    knots = z[at]
    left = np.clip(np.searchsorted(knots, z, side="right") - 1, 0, len(knots) - 2)
    share = (z - knots[left]) / (knots[left + 1] - knots[left])
    banded, right = np.zeros((2, len(knots))), np.zeros(len(knots))
    np.add.at(banded[1], left, (1 - share) ** 2)
    np.add.at(banded[1], left + 1, share**2)
    np.add.at(banded[0], left + 1, share * (1 - share))
    np.add.at(right, left, (1 - share) * targets)
    np.add.at(right, left + 1, share * targets)
    return through(line.a, knots, solveh_banded(banded, right), line.first)


@dataclass(frozen=True)
class DeepNetwork:
    """A ReLU network of several hidden layers on one projection: `layers` are (matrix, bias), the last one linear."""

    a: Array
    layers: Sequence[tuple[Array, Array]]

    @property
    def weights(self) -> int:
        """The numbers in it that are not 0."""
        return self.a.size + sum(int(np.count_nonzero(part)) for layer in self.layers for part in layer)

    @property
    def width(self) -> int:
        """The units of its widest hidden layer."""
        return max(len(bias) for _, bias in self.layers[:-1])

    def __call__(self, x: Array) -> Array:
        """Return the outputs for inputs [n, d], layer by layer."""
        rows = max(ENTRIES // self.width, 1)
        parts = []
        for start in range(0, len(x), rows):
            h = (x[start : start + rows] @ self.a)[:, None]
            for matrix, bias in self.layers[:-1]:
                h = np.maximum(h @ matrix.T + bias, 0.0)
            matrix, bias = self.layers[-1]
            parts.append((h @ matrix.T + bias)[:, 0])
        return np.concatenate(parts)


def deepen(network: Network, depth: int) -> DeepNetwork:
    """Return the same function with `depth` hidden layers of about units / depth + 3 each (Zhang et al., corollary 1).

    Every layer has a part of the thresholds, one unit that hands on the projection (from the first threshold on, so
    that it is never negative) and two that hand on what was summed so far, its positive and its negative part.
    """
    shifted = network.b - network.b[0]
    layers: list[tuple[Array, Array]] = []
    read = np.zeros(1)  # how the sum so far is read off the layer before: its first unit is the projection
    for at, chunk in enumerate(np.array_split(np.arange(len(shifted)), depth)):
        matrix = np.zeros((len(chunk) + (3 if at else 1), len(read)))
        bias = np.zeros(len(matrix))
        matrix[0, 0] = 1.0
        units = slice(len(matrix) - len(chunk), None)
        matrix[units, 0] = 1.0
        bias[units] = -shifted[chunk]
        if at:
            matrix[1], matrix[2] = read, -read
        else:
            bias -= network.b[0]  # from here on the projection counts from the first threshold
        read = np.concatenate(([0.0], [1.0, -1.0] if at else [], network.w[chunk]))
        layers.append((matrix, bias))
    layers.append((read[None, :], np.zeros(1)))
    return DeepNetwork(network.a, layers)


def nearest(x: Array, y: NDArray[Any], at: Array) -> NDArray[Any]:
    """Return the target of the training input [n, d] that is nearest to each row of `at`."""
    rows = max(ENTRIES // len(x), 1)
    squares = np.einsum("nd,nd->n", x, x)
    found = [(squares - 2.0 * at[start : start + rows] @ x.T).argmin(axis=1) for start in range(0, len(at), rows)]
    targets: NDArray[Any] = y[np.concatenate(found)]
    return targets
