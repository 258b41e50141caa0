"""Series made small enough to draw: gaps, smoothing, and the least and greatest value of every column (numpy)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from genlab_tui.axes import LARGEST, Axis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

SMOOTHED = 4096
"""Smoothing runs over at most so many points; longer series are averaged down to them first."""


def to_array(values: Sequence[float] | Floats) -> Floats:
    """Return numbers as a float64 array (arrays as they are)."""
    import numpy as np

    if isinstance(values, np.ndarray):
        return values.astype(np.float64, copy=False)
    return np.fromiter(values, np.float64, len(values))


def drawable(x: Floats, y: Floats, *, log_x: bool = False, log_y: bool = False) -> Flags:
    """Return which points can be drawn: finite, of a sane magnitude, positive on a log axis."""
    import numpy as np

    keep = (np.abs(x) < LARGEST) & (np.abs(y) < LARGEST)  # NaN compares false
    if log_x:
        keep &= x > 0
    if log_y:
        keep &= y > 0
    return keep


def path(
    x: Floats, y: Floats, keep: Flags, x_axis: Axis, y_axis: Axis, width: int, height: int, *, joined: bool = True
) -> list[Dots]:
    """Return the pieces of a line on a grid of `width` x `height` dots, origin at the lower left.

    A piece is unbroken: gaps (points not kept) end it. Of every column of dots only the least and the greatest value
    are kept, in the order in which they came, so that a spike is never lost; points on the same dot are merged, and
    where points are `joined`, those that lie straight between their neighbours are left out.
    """
    import numpy as np

    gaps = np.empty(0, dtype=np.intp)
    if not keep.all():
        index = np.flatnonzero(keep)
        x, y = x[index], y[index]
        gaps = np.flatnonzero(np.diff(index) > 1) + 1
    if not len(x):
        return []
    if len(x) > 4 * width:
        starts = _starts(x, x_axis, width, gaps)
        low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
        rising = y[np.append(starts[1:], len(y)) - 1] >= y[starts]
        columns = np.repeat(_dots(x[starts], x_axis, width), 2)
        values = np.column_stack((np.where(rising, low, high), np.where(rising, high, low))).ravel()
        gaps = 2 * np.searchsorted(starts, gaps)
    else:
        columns, values = _dots(x, x_axis, width), y
    rows = _dots(values, y_axis, height)
    pieces = np.zeros(len(rows), dtype=bool)
    pieces[gaps] = True
    if len(rows) > 64 * width:  # a line that winds back and forth more than the canvas can show
        stride = len(rows) // (64 * width) + 1
        columns, rows, pieces = columns[::stride], rows[::stride], pieces[::stride]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (columns[1:] != columns[:-1]) | (rows[1:] != rows[:-1]) | pieces[1:]
    columns, rows, pieces = columns[new], rows[new], pieces[new]
    if joined and len(rows) > 2:
        across, up = np.diff(columns), np.diff(rows)
        onward = across[1:] * across[:-1] + up[1:] * up[:-1] > 0
        turns = np.ones(len(rows), dtype=bool)
        turns[1:-1] = (across[1:] * up[:-1] != across[:-1] * up[1:]) | ~onward | pieces[1:-1] | pieces[2:]
        columns, rows, pieces = columns[turns], rows[turns], pieces[turns]
    cuts = [0, *(np.flatnonzero(pieces[1:]) + 1).tolist(), len(rows)]
    both = list(zip(columns.tolist(), rows.tolist(), strict=True))
    return [both[a:b] for a, b in pairwise(cuts) if b > a]


Dots = list[tuple[int, int]]


def _starts(x: Floats, axis: Axis, width: int, gaps: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where the points of another column (or, after a gap, another piece) begin."""
    import numpy as np

    if (x[1:] >= x[:-1]).all():
        edges = axis.low + np.arange(1, width) / width * axis.span
        starts = np.searchsorted(x, 10.0**edges if axis.log else edges)
    else:
        columns = _dots(x, axis, width)
        starts = np.flatnonzero(columns[1:] != columns[:-1]) + 1
    starts = np.unique(np.concatenate(([0], starts, gaps)))
    return starts[starts < len(x)]


def _dots(values: Floats, axis: Axis, count: int) -> NDArray[np.int64]:
    import numpy as np

    drawn = np.log10(values) if axis.log else values
    # Divided before subtracting: a span near the largest float would overflow the other way round.
    place = (drawn / axis.span - axis.low / axis.span) * count
    return np.clip(place, 0, count - 1).astype(np.int64)


def cut(
    x: Floats,
    y: Floats,
    keep: Flags,
    low: Floats | None,
    high: Floats | None,
    first: float,
    last: float,
    log: tuple[bool, bool],
) -> tuple[Floats, Floats, Flags, Floats | None, Floats | None]:
    """Return a line of ascending x between two values of x, with a point on the edge where it goes on beyond.

    `log` tells which axes (x, y) are logarithmic: a straight piece of a line is straight on the axes that are drawn.
    """
    import numpy as np

    start, end = int(np.searchsorted(x, first, side="left")), int(np.searchsorted(x, last, side="right"))
    edges: list[tuple[int, float]] = []
    if 0 < start < len(x) and x[start] > first and keep[start - 1] and keep[start]:
        edges.append((start, first))
    if 0 < end < len(x) and x[end - 1] < last and keep[end - 1] and keep[end]:
        edges.append((end, last))

    def between(values: Floats, index: int, at: float) -> float:
        a, b = float(values[index - 1]), float(values[index])
        before, after = float(x[index - 1]), float(x[index])
        if log[0]:
            before, after, at = math.log10(before), math.log10(after), math.log10(at)
        share = (at - before) / (after - before)
        if log[1] and a > 0 and b > 0:
            return float(a ** (1 - share) * b**share)
        return a * (1 - share) + b * share

    def part(values: Floats, ends: list[float]) -> Floats:
        inner = values[start:end]
        for (_, at), value in zip(edges, ends, strict=True):
            inner = np.insert(inner, 0 if at == first else len(inner), value)
        return inner

    def whole(values: Floats | None) -> Floats | None:
        return None if values is None else part(values, [between(values, index, at) for index, at in edges])

    cut_y = part(y, [between(y, index, at) for index, at in edges])
    kept = np.concatenate(
        (
            np.ones(sum(at == first for _, at in edges), dtype=bool),
            keep[start:end],
            np.ones(sum(at == last for _, at in edges), dtype=bool),
        )
    )
    return part(x, [at for _, at in edges]), cut_y, kept, whole(low), whole(high)


def bounds(x: Floats, low: Floats, high: Floats, keep: Flags, x_axis: Axis, y_axis: Axis, width: int) -> BandColumns:
    """Return the lower and upper edge of a band for every column it covers, as places from 0 to 1 on the y axis."""
    import numpy as np

    index = np.flatnonzero(keep)
    if not len(index):
        return {}
    xs = x[index]
    order = np.argsort(xs, kind="stable")
    position = np.log10(xs[order]) if x_axis.log else xs[order]
    place = (position / x_axis.span - x_axis.low / x_axis.span) * width
    lower, upper = _places(low[index][order], y_axis), _places(high[index][order], y_axis)
    if len(place) > 4 * width:
        column = np.clip(place, 0, width - 1).astype(np.int64)
        starts = np.concatenate(([0], np.flatnonzero(np.diff(column)) + 1))
        place, lower, upper = place[starts], np.minimum.reduceat(lower, starts), np.maximum.reduceat(upper, starts)
    first, last = max(round(float(place[0]) - 0.5), 0), min(round(float(place[-1]) - 0.5), width - 1)
    at = np.arange(first, last + 1)
    lows = np.interp(at + 0.5, place, lower).tolist()
    highs = np.interp(at + 0.5, place, upper).tolist()
    return {int(column): (a, b) for column, a, b in zip(at.tolist(), lows, highs, strict=True)}


BandColumns = dict[int, tuple[float, float]]


def _places(values: Floats, axis: Axis) -> Floats:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.log10(np.maximum(values, 0)) if axis.log else values
        # The lower edge of a band may be zero or below on a log axis: it then ends at the bottom.
        return np.clip(drawn / axis.span - axis.low / axis.span, -1.0, 2.0)


def smooth(x: Floats, y: Floats, weight: float) -> tuple[Floats, Floats]:
    """Return the bias-corrected exponential moving average with a weight of 0 to 1 for the past.

    It starts anew after a gap. Series longer than `SMOOTHED` are averaged down first.
    """
    import numpy as np

    if len(x) > SMOOTHED:
        size = -(-len(x) // SMOOTHED)
        whole = len(x) // size * size
        with np.errstate(invalid="ignore"):
            x, y = x[:whole].reshape(-1, size).mean(1), y[:whole].reshape(-1, size).mean(1)
    out, average, mass = [], 0.0, 0.0
    for value in y.tolist():
        if not abs(value) < LARGEST:
            average, mass = 0.0, 0.0
            out.append(value)
            continue
        average = weight * average + (1 - weight) * value
        mass = weight * mass + (1 - weight)
        out.append(average / mass)
    return x, np.array(out, dtype=np.float64)
