"""Lines drawn with ASCII characters, one for each arm, where a terminal has no braille: plotext is not needed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from screens.ascii import to_ascii
from screens.panels.cells import Cells

if TYPE_CHECKING:
    from screens.panels.paint import Plot

FAINT = "."
"""What bands, members and unsmoothed lines are drawn with."""
ACROSS, DOWN = 2, 4
"""Dots of the plot in a cell."""


def raster(plot: Plot, cells: Cells, left: int, top: int, width: int, height: int) -> None:
    """Draw lines, points and reference lines of a plot into a rectangle of cells, as `chart.raster` does."""
    for place, vertical in plot.references:
        if vertical:
            column = min(int(place * width), width - 1)
            for row in range(0, height, 2):
                cells.put(top + row, left + column, ":", "reference")
        else:
            row = min(int((1 - place) * height), height - 1)
            for column in range(0, width, 2):
                cells.put(top + row, left + column, "-", "reference")
    for stroke in plot.strokes:
        mark = FAINT if stroke.key.startswith("faint") else to_ascii(stroke.mark)
        for piece in stroke.pieces:
            places = [(x // ACROSS, height - 1 - y // DOWN) for x, y in piece]
            for column, row in joined(places) if stroke.joined else places:
                cells.put(top + row, left + column, mark, stroke.key)


def joined(places: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield every cell on the way from place to place."""
    yield places[0]
    for (x, y), (to_x, to_y) in pairwise(places):
        steps = max(abs(to_x - x), abs(to_y - y))
        for i in range(1, steps + 1):
            yield x + round(i * (to_x - x) / steps), y + round(i * (to_y - y) / steps)
