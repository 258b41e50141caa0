"""What a two-dimensional slice through a loss says: the basin, negative curvature inside it, its minima."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDING = 1e-5
"""Curvature below this share of the losses that it is the difference of is rounding (they are float32)."""


@dataclass(frozen=True)
class Slice:
    """`basin`: share of the points below the level. `non_convex`: share of these with a negative smallest curvature,
    of those that have all eight neighbours; NaN without any. `minima`: strict local minima among these."""

    basin: float
    non_convex: float
    minima: int


def describe(values: Floats, level: float) -> Slice:
    """Return the measures of losses [rows, columns] on a grid of equal steps, at least 3 x 3.

    The curvature is that of second differences over one step of the grid, the 2 x 2 Hessian's smaller eigenvalue: a
    negative one means that the loss is not convex, a positive one only that this slice does not show it.
    """
    inside = values < level  # NaN is not
    here = values[1:-1, 1:-1]
    stencil = np.stack(
        [values[1 + i : len(values) - 1 + i, 1 + j : values.shape[1] - 1 + j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    )
    core = inside[1:-1, 1:-1] & np.isfinite(stencil).all(0)
    around = np.delete(stencil, 4, axis=0)
    with np.errstate(invalid="ignore", over="ignore"):
        minima = core & (here < around.min(0))
        xx = stencil[5] - 2 * here + stencil[3]
        yy = stencil[7] - 2 * here + stencil[1]
        xy = (stencil[8] - stencil[6] - stencil[2] + stencil[0]) / 4
        smallest = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
        negative = core & (smallest < -ROUNDING * np.abs(stencil).max(0))
    count = int(core.sum())
    return Slice(float(inside.mean()), float(negative.sum()) / count if count else float("nan"), int(minima.sum()))
