"""The colours of a heat map, and a matrix folded or stretched to the room there is. Pure, without numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlab_tui.axes import LARGEST
from genlab_tui.figure import HeatMap

# Viridis (matplotlib, CC0) in nine stops: lightness grows along it, so it reads without colour too.
STOPS = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725")
SHADES = 64


def shade(place: float) -> str:
    """Return the colour of a place from 0 to 1 on the scale, one of `SHADES`."""
    place = round(min(max(place, 0.0), 1.0) * (SHADES - 1)) / (SHADES - 1) * (len(STOPS) - 1)
    low = min(int(place), len(STOPS) - 2)
    below, above = _parts(STOPS[low]), _parts(STOPS[low + 1])
    mixed = (int(a + (b - a) * (place - low)) for a, b in zip(below, above, strict=True))
    return "#" + "".join(f"{part:02X}" for part in mixed)


def is_light(colour: str) -> bool:
    """Whether black text reads better than white on a colour (`#rrggbb`)."""
    red, green, blue = _parts(colour)
    return (299 * red + 587 * green + 114 * blue) / 1000 > 127.5


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def fold(values: Sequence[Sequence[float]], rows: int, columns: int) -> list[list[float]]:
    """Return a matrix of at most `rows` x `columns`: means over neighbours, NaN where none is finite.

    Ragged rows are filled up with NaN.
    """
    tall, wide = len(values), max((len(row) for row in values), default=0)
    down, across = max(-(-tall // max(rows, 1)), 1), max(-(-wide // max(columns, 1)), 1)
    folded = []
    for top in range(0, tall, down):
        line = []
        for left in range(0, wide, across):
            block = [v for row in values[top : top + down] for v in row[left : left + across] if abs(v) < LARGEST]
            line.append(math.fsum(v / len(block) for v in block) if block else math.nan)
        folded.append(line)
    return folded


def placed(values: Sequence[Sequence[float]], log: bool) -> list[list[float]]:
    """Return where values stand on the scale of colours: themselves or, with `log`, their logarithms to base 10.

    On a logarithmic scale, what is 0 or less stands where the smallest value above does (NaN where there is none).
    """
    if not log:
        return [list(row) for row in values]
    least = min((v for row in values for v in row if 0 < v < LARGEST), default=math.nan)
    # `least` first: max returns its first argument where that is NaN, and there is no logarithm of the other.
    return [[math.log10(max(least, v)) if abs(v) < LARGEST else v for v in row] for row in values]


def ends_of(heat: HeatMap, finite: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the scale as places on it: those that the map names, else of its finite places."""
    if heat.limits is None:
        return min(finite), max(finite)
    low, high = placed([heat.limits], heat.log)[0]
    return (low, high) if abs(low) < LARGEST and abs(high) < LARGEST else (min(finite), max(finite))


def stretch(values: Sequence[Sequence[float]], rows: int, columns: int) -> list[list[float]]:
    """Return a matrix of `rows` x `columns` pixels of a field that is known at the centres of cells.

    Linear between centres; where one of the four around is not finite, the nearest.
    """
    tall, wide = len(values), max((len(row) for row in values), default=0)
    found = []
    for i in range(rows):
        y = min(max((i + 0.5) * tall / rows - 0.5, 0.0), tall - 1.0)
        top = min(int(y), max(tall - 2, 0))
        line = []
        for j in range(columns):
            x = min(max((j + 0.5) * wide / columns - 0.5, 0.0), wide - 1.0)
            left = min(int(x), max(wide - 2, 0))
            line.append(_between(values, (top, left), (y - top, x - left)))
        found.append(line)
    return found


def _between(values: Sequence[Sequence[float]], at: tuple[int, int], share: tuple[float, float]) -> float:
    """Return the value at a share of the way from one cell to the next, down and across."""

    def cell(row: int, column: int) -> float:
        line = values[min(row, len(values) - 1)]
        return line[min(column, len(line) - 1)] if line else math.nan

    (top, left), (down, across) = at, share
    corners = [[cell(top + i, left + j) for j in (0, 1)] for i in (0, 1)]
    if all(abs(v) < LARGEST for line in corners for v in line):
        above, below = (a + (b - a) * across for a, b in corners)
        return above + (below - above) * down
    return corners[round(down)][round(across)]


Segment = tuple[tuple[float, float], tuple[float, float]]


def contour(values: Sequence[Sequence[float]], level: float) -> list[Segment]:
    """Return the pieces ((x, y), (x, y)) of a field's contour, in cells: the centre of the first cell is (0, 0).

    By marching triangles: each square between four centres is cut in two. Nothing where a corner is not finite.
    """
    found: list[Segment] = []
    for i in range(len(values) - 1):
        for j in range(min(len(values[i]), len(values[i + 1])) - 1):
            square = [(j, i), (j + 1, i), (j + 1, i + 1), (j, i + 1)]
            for triangle in (square[:3], [square[0], square[2], square[3]]):
                corners = [(x, y, values[y][x]) for x, y in triangle]
                if all(abs(v) < LARGEST for _, _, v in corners):
                    crossings = _crossings(corners, level)
                    if len(crossings) == 2:
                        found.append((crossings[0], crossings[1]))
    return found


def _crossings(corners: Sequence[tuple[int, int, float]], level: float) -> list[tuple[float, float]]:
    """Return where a triangle's sides cross a level: two places, or none."""
    found = []
    for (x, y, a), (u, w, b) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (a < level) != (b < level):
            share = (level - a) / (b - a)
            found.append((x + (u - x) * share, y + (w - y) * share))
    return found
