"""Saddle points: what the critical points of a seed are summed up in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from genlab_tui.data.seeding import generator
from genlab_tui.stats import pearson, spearman

if TYPE_CHECKING:
    from genlab_tui.training.critical_points import CriticalPoint


def measures(points: Sequence[CriticalPoint], seed: int) -> dict[str, float]:
    """Return the measures of a seed's critical points, which ascend in their loss; NaN for what there is not.

    `correlation` (Pearson's) and `ranks` (Spearman's) of index and loss, `shuffled` the correlation with the losses
    in a random order, `saddles` the share of saddles in the upper half of the range of losses, `highest_minimum` the
    place of the highest minimum in that range.
    """
    if not points:
        names = ("correlation", "ranks", "shuffled", "saddles", "highest_minimum", "largest_index")
        return {"points": 0.0} | dict.fromkeys(names, math.nan)
    loss, index = [p.loss for p in points], [p.index for p in points]
    low, high = loss[0], loss[-1]
    order = generator(seed, "shuffled losses").permutation(len(loss))
    upper = [p for p in points if p.loss >= (low + high) / 2]
    minima = [p.loss for p in points if not p.index]
    span = high - low
    return {
        "points": float(len(points)),
        "correlation": pearson(loss, index),
        "ranks": spearman(loss, index),
        "shuffled": pearson([loss[k] for k in order], index),
        "saddles": sum(p.index > 0 for p in upper) / len(upper),
        "highest_minimum": (max(minima) - low) / span if minima and span > 0 else math.nan,
        "largest_index": max(index),
    }


def thirds(points: Sequence[CriticalPoint]) -> list[list[float]]:
    """Return the mean spectra, ascending, of the lowest, middle and highest third of the points by loss."""
    count, size = len(points), len(points[0].eigenvalues)
    cuts = [0, math.ceil(count / 3), math.ceil(2 * count / 3), count]
    found = []
    for start, stop in pairwise(cuts):
        part = points[start:stop]
        found.append([math.fsum(p.eigenvalues[k] for p in part) / len(part) if part else math.nan for k in range(size)])
    return found
