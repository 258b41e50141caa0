"""The exponent of a power law: the slope of a straight line through logarithms. No numpy, no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence


def growth(x: Sequence[float], y: Sequence[float]) -> float:
    """Return p of the least-squares fit log y = p log x + c; NaN for fewer than two places or a y that is not > 0."""
    if len(x) < 2 or not all(math.isfinite(v) and v > 0 for v in (*x, *y)):
        return math.nan
    u, v = [math.log(value) for value in x], [math.log(value) for value in y]
    centre_u, centre_v = math.fsum(u) / len(u), math.fsum(v) / len(v)
    spread = math.fsum((a - centre_u) ** 2 for a in u)
    if not spread:
        return math.nan
    return math.fsum((a - centre_u) * (b - centre_v) for a, b in zip(u, v, strict=True)) / spread
