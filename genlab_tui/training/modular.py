"""Arithmetic modulo a prime as a table to learn: its pairs, its answers, splits and how much they leak.

Every pair (a, b) is a sample. For a network that cannot tell (a, b) from (b, a), or has learnt that they are alike,
much of what is held out at random is known: mirror images of it were trained on. A split by unordered pairs keeps both
images on one side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlab_tui.data.seeding import generator

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """All pairs of an operation modulo p: `a`, `b` and `answer` [n], in the order of (a, b)."""

    p: int
    operation: str
    a: Ints
    b: Ints
    answer: Ints

    @property
    def n(self) -> int:
        return len(self.a)


def table(operation: str, p: int) -> Table:
    """Return the table of an operation modulo a prime.

    Division leaves out the divisor 0. Multiplication leaves out both zeros: what is multiplied by 0 needs no rule.
    """
    low_a, low_b = int(operation == "multiplication"), int(operation in ("multiplication", "division"))
    a, b = (part.ravel() for part in np.mgrid[low_a:p, low_b:p].astype(np.int64))
    if operation == "division":
        inverse = np.array([0, *(pow(k, -1, p) for k in range(1, p))], dtype=np.int64)
        answer = a * inverse[b] % p
    else:
        answer = {"addition": a + b, "subtraction": a - b, "multiplication": a * b}[operation] % p
    return Table(p, operation, a, b, answer)


def split(of: Table, fraction: float, seed: int, ordered: bool = False) -> Bools:
    """Return which pairs are trained on [n]: that fraction of them, as many in every seed.

    A fraction's pairs are among those of a larger one. (a, b) and (b, a) are on one side, unless `ordered`: then each
    pair is drawn by itself.
    """
    random = generator(seed, f"pairs {of.p} {of.operation}")
    train = np.zeros(of.n, dtype=bool)
    if ordered:
        train[random.permutation(of.n)[: round(fraction * of.n)]] = True
        return train
    key = np.minimum(of.a, of.b) * of.p + np.maximum(of.a, of.b)
    keys, counts = np.unique(key, return_counts=True)
    for size in (1, 2):  # of each kind its share: every seed then has as many samples
        own = random.permutation(keys[counts == size])
        train |= np.isin(key, own[: round(fraction * len(own))])
    return train


def leakage(of: Table, train: Bools) -> float:
    """Return the share of held-out pairs (a, b) whose mirror image (b, a) was trained on; NaN without any."""
    known = np.zeros((of.p, of.p), dtype=bool)
    known[of.a[train], of.b[train]] = True
    held = ~train
    return float(known[of.b[held], of.a[held]].mean()) if held.any() else float("nan")
