"""Samples whose coordinates tell the class in a simple way (a threshold) or in a complex one (slabs).

Shah et al. 2020, after their released code: classes -1 and 1 are equally likely, coordinates are independent given the
class, all of them lie in [-1, 1]. The simple coordinate is uniform in [margin, 1] times the class. A coordinate of k
slabs (k = 5, 7) has k intervals of equal width, 2 margin apart, that belong to the classes by turns, the middle one to
class -1; inside a slab it is uniform. Such a coordinate is symmetric around 0, so that its sign says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlab_tui.data.seeding import generator

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

SIMPLE = 0
"""The place of the simple coordinate."""
ODDS = {
    "released": {5: {0: 3 / 4, 2: 1 / 4, 1: 1.0}, 7: {0: 1 / 2, 2: 1 / 2, 1: 7 / 8, 3: 1 / 8}},
    "equal": {5: {0: 1 / 3, 2: 2 / 3, 1: 1.0}, 7: {0: 1 / 3, 2: 2 / 3, 1: 1 / 2, 3: 1 / 2}},
}
"""How likely a sample of its class lies in the middle slab (0), or in one of the two that lie 1, 2, 3 slabs away.

`released`: the numbers of the paper's code. `equal`: all slabs of a class alike.
"""


@dataclass(frozen=True)
class Slabs:
    """What is drawn: coordinates, the slabs of the complex ones by turns, margins, odds, whether they are rotated."""

    features: int
    kinds: tuple[int, ...]
    margin: float
    odds: str = "released"
    rotate: bool = False

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of slabs of every complex coordinate."""
        return tuple(self.kinds[at % len(self.kinds)] for at in range(self.features - 1))


def width_of(slabs: int, margin: float) -> float:
    """Return the width of each of so many slabs that are 2 margin apart and fill [-1, 1]."""
    return (2.0 - 2.0 * (slabs - 1) * margin) / slabs


def draw(kind: Slabs, n: int, seed: int, purpose: str) -> tuple[Floats, Labels]:
    """Draw inputs [n, features], not rotated, and labels 0 (class -1) or 1 [n]."""
    random = generator(seed, f"slabs {purpose}")
    labels = random.integers(0, 2, n)
    x = np.empty((n, kind.features))
    x[:, SIMPLE] = (2 * labels - 1) * random.uniform(kind.margin, 1.0, n)
    for column, slabs in enumerate(kind.counts, start=1):
        x[:, column] = _coordinate(slabs, kind, labels, random)
    return x, labels


def _coordinate(slabs: int, kind: Slabs, labels: Labels, random: np.random.Generator) -> Floats:
    odds, width = ODDS[kind.odds][slabs], width_of(slabs, kind.margin)
    away = np.empty(len(labels), dtype=np.int64)
    for label, places in ((0, (0, 2)), (1, (1, 3) if slabs == 7 else (1,))):
        own = labels == label
        away[own] = random.choice(places, int(own.sum()), p=[odds[place] for place in places])
    side = 2 * random.integers(0, 2, len(labels)) - 1
    return side * away * (width + 2 * kind.margin) + random.uniform(-width / 2, width / 2, len(labels))


def rotation(kind: Slabs, seed: int) -> Floats:
    """Return the orthogonal matrix that the inputs of a seed are multiplied with: the identity, or a uniform draw."""
    if not kind.rotate:
        return np.eye(kind.features)
    q, r = np.linalg.qr(generator(seed, "slabs rotation").normal(size=(kind.features, kind.features)))
    return np.asarray(q * np.sign(np.diag(r)))


def permuted(x: Floats, columns: Sequence[int] | slice, seed: int, purpose: str) -> Floats:
    """Return inputs with some columns taken from other samples: all of them by one permutation.

    Their distribution, also with each other, stays what it was; what they say of the class and of the rest is gone.
    """
    other = x.copy()
    other[:, columns] = x[generator(seed, f"slabs {purpose}").permutation(len(x))][:, columns]
    return other


def auc(scores: Floats, labels: Labels) -> float:
    """Return how often a sample of class 1 has a larger score than one of class 0; ties count half.

    NaN without both classes and for scores that are not finite.
    """
    ones, zeros = scores[labels == 1], np.sort(scores[labels == 0])
    if not len(ones) or not len(zeros) or not np.isfinite(scores).all():
        return float("nan")
    below, up_to = np.searchsorted(zeros, ones, "left"), np.searchsorted(zeros, ones, "right")
    return float((below + up_to).sum() / (2 * len(ones) * len(zeros)))
