"""A field as pixels of half a cell: colours that run smoothly, contours and a path over them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from genlab_tui.axes import LARGEST
from genlab_tui.figure import HeatMap
from genlab_tui.shades import contour, is_light, shade, stretch
from screens.ascii import RAMP
from screens.panels.cells import Cells

WHITE, BLACK = "#ffffff", "#000000"
START, STEP, END = "o", "•", "×"
DOTTED = 3
"""Of a dotted contour, one place in so many is drawn."""
BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of the dots of a braille character, row by row."""


@dataclass(frozen=True)
class Scale:
    """From places on the scale of colours (logarithms to base 10 with `log`) to colours and back to values."""

    low: float
    high: float
    log: bool = False

    def share(self, place: float) -> float:
        """Return how far up the scale a place is, 0 to 1; the middle where all is alike, NaN where it is not finite."""
        if not abs(place) < LARGEST:
            return math.nan
        span = self.high - self.low
        return place / span - self.low / span if span > 0 else 0.5

    def colour(self, place: float) -> str:
        """Return a place's colour, nothing where it is not finite."""
        share = self.share(place)
        return "" if math.isnan(share) else shade(share)

    def value(self, place: float) -> float:
        """Return the value that stands at a place."""
        return 10**place if self.log and place < 300 else place


def half_cells(cells: Cells, at: tuple[int, int], wide: int, above: str, below: str, colours: set[str]) -> None:
    """Paint two colours into a row of cells, one over the other; an empty one leaves its half as it is."""
    colours |= {colour for colour in (above, below) if colour}
    if above:
        cells.put(at[0], at[1], "▀" * wide, above)
    elif below:
        cells.put(at[0], at[1], "▄" * wide, below)
    if above and below:
        for column in range(at[1], min(at[1] + wide, cells.width)):
            cells.tints[at[0], column] = below


def paint_field(
    heat_map: HeatMap,
    given: list[list[float]],
    cells: Cells,
    at: tuple[int, int],
    room: tuple[int, int],
    scale: Scale,
    *,
    ascii_only: bool,
) -> set[str]:
    """Paint a field (`given`: its places on the scale) into `room` cells from `at`; return the keys of styles."""
    (top, left), (rows, columns) = at, room
    fine = 1 if ascii_only else 2
    places = stretch(given, rows * fine, columns)
    colours: set[str] = {WHITE, BLACK}
    pixels = [[scale.colour(place) for place in line] for line in places]
    lines = _contours(heat_map, given, (rows, columns) if ascii_only else (4 * rows, 2 * columns))
    if ascii_only:
        for i, line in enumerate(places):
            for j, place in enumerate(line):
                if pixels[i][j]:
                    cells.tints[top + i, left + j] = pixels[i][j]
                    ink = "/" if (i, j) in lines else RAMP[round(scale.share(place) * (len(RAMP) - 1))]
                    cells.put(top + i, left + j, ink, _ink(pixels[i][j]))
    else:
        for i in range(rows):
            for j in range(columns):
                half_cells(cells, (top + i, left + j), 1, pixels[2 * i][j], pixels[2 * i + 1][j], colours)
        for (i, j), dots in _dotted(lines).items():
            _dots(cells, (top + i, left + j), dots, pixels[2 * i][j] or pixels[2 * i + 1][j])
    _path(heat_map, given, cells, at, room, [line[:] for line in pixels[::fine]], ascii_only=ascii_only)
    return colours


def _ink(colour: str) -> str:
    return BLACK if colour and is_light(colour) else WHITE


def _dotted(dots: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Return the braille dots of every cell, as bits, that a finer grid (four by two to a cell) has set."""
    cells: dict[tuple[int, int], int] = {}
    for row, column in dots:
        place = row // 4, column // 2
        cells[place] = cells.get(place, 0) | BRAILLE[row % 4][column % 2]
    return cells


def _dots(cells: Cells, at: tuple[int, int], dots: int, colour: str) -> None:
    """Put a cell's piece of a contour over its colour."""
    if colour:
        cells.tints[at] = colour
    cells.put(at[0], at[1], chr(0x2800 + dots), _ink(colour))


def _contours(heat_map: HeatMap, given: list[list[float]], size: tuple[int, int]) -> set[tuple[int, int]]:
    """Return the places (row, column) of a grid of this size over the whole map that contours go through."""
    tall, wide = len(given), max(len(line) for line in given)
    down, across = size[0] / tall, size[1] / wide
    found = set()
    for number, level in enumerate(heat_map.levels):
        if heat_map.log and level <= 0:
            continue
        for (x, y), (u, w) in contour(given, math.log10(level) if heat_map.log else level):
            steps = max(math.ceil(max(abs(u - x) * across, abs(w - y) * down)), 1) * 2
            for k in range(steps + 1):
                row = (y + (w - y) * k / steps + 0.5) * down
                column = (x + (u - x) * k / steps + 0.5) * across
                place = min(int(row), size[0] - 1), min(int(column), size[1] - 1)
                if number == 0 or (place[0] + place[1]) % DOTTED == 0:
                    found.add(place)
    return found


def _path(
    heat_map: HeatMap,
    given: list[list[float]],
    cells: Cells,
    at: tuple[int, int],
    room: tuple[int, int],
    pixels: list[list[str]],
    *,
    ascii_only: bool,
) -> None:
    """Put a path's places over the field: its start and its end have signs of their own."""
    (top, left), (rows, columns) = at, room
    tall, wide = len(given), max(len(line) for line in given)
    last = len(heat_map.path) - 1
    for k in [*range(1, last), 0, last] if last >= 0 else []:
        x, y = heat_map.path[k]
        if not (-0.5 <= x <= wide - 0.5 and -0.5 <= y <= tall - 0.5):
            continue
        row, column = min(int((y + 0.5) / tall * rows), rows - 1), min(int((x + 0.5) / wide * columns), columns - 1)
        sign = START if k == 0 else END if k == last else STEP
        if ascii_only:
            sign = {STEP: ".", END: "x"}.get(sign, sign)
        colour = pixels[row][column]
        if colour:
            cells.tints[top + row, left + column] = colour
        cells.put(top + row, left + column, sign, _ink(colour))
