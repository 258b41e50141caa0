"""The colours of a heat map, and a matrix folded to the room there is. Pure, without numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlab_tui.axes import LARGEST

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
