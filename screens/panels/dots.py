"""Faint lines as dots of braille, hundreds of them at once (numpy): what lies below the lines that plotext draws.

plotext takes 5 µs a point, so the single seeds of a large run would keep every key waiting for a third of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from screens.panels.cells import Cells

if TYPE_CHECKING:
    from screens.panels.paint import Stroke

ACROSS, DOWN = 2, 4
"""Dots in a cell."""
BLANK = 0x2800
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""What the dots of a cell count, row by row from the top."""


def lay(strokes: Sequence[Stroke], cells: Cells, left: int, top: int, width: int, height: int) -> None:
    """Add the dots of strokes to a rectangle of cells: below what is drawn there, over blanks and reference lines."""
    if not strokes:
        return
    for row, column, bits, stroke in _dots(strokes, width, height):
        row, column = top + row, left + column
        there = cells.text[row][column]
        if len(there) == 1 and BLANK < ord(there) <= BLANK + 0xFF:
            cells.text[row][column] = chr(ord(there) | bits)
        elif there == " " or cells.keys[row][column] == "reference":
            cells.text[row][column], cells.keys[row][column] = chr(BLANK | bits), strokes[stroke].key


def _dots(strokes: Sequence[Stroke], width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Return row, column and dots of every cell that strokes pass, with the number of the last of them."""
    import numpy as np

    owner, linked, points = [], [], []
    for number, stroke in enumerate(strokes):
        for piece in stroke.pieces:
            points += piece
            owner += [number] * len(piece)
            linked += [False] + [stroke.joined] * (len(piece) - 1)
    at = np.array(points, dtype=np.int64)
    whose = np.array(owner, dtype=np.int64)
    ends = np.flatnonzero(linked)
    way = at[ends] - at[ends - 1]
    steps = np.abs(way).max(1, initial=0)
    segment = np.repeat(np.arange(len(ends)), steps)
    before = np.arange(len(segment)) - np.repeat(np.cumsum(steps) - steps, steps)
    share = (before / np.repeat(steps, steps))[:, None]
    between = at[ends - 1][segment] + np.rint(share * way[segment]).astype(np.int64)
    x, y = np.concatenate((at, between)).T
    whose = np.concatenate((whose, whose[ends][segment]))
    down = DOWN * height - 1 - y
    cell = down // DOWN * width + x // ACROSS
    bits, last = np.zeros(width * height, dtype=np.int64), np.zeros(width * height, dtype=np.int64)
    np.bitwise_or.at(bits, cell, np.array(BITS)[down % DOWN, x % ACROSS])
    np.maximum.at(last, cell, whose)
    drawn = np.flatnonzero(bits)
    rows, columns = np.divmod(drawn, width)
    return list(zip(rows.tolist(), columns.tolist(), bits[drawn].tolist(), last[drawn].tolist(), strict=True))
