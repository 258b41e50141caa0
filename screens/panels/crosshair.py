"""What a chart shows at the cursor: a vertical line and, in its last row, the value of every line there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlab_tui.colours import COLOURS, marker
from genlab_tui.text import human_number
from screens.panels.cells import Cells, columns_of, squeeze
from screens.panels.frame import Frame, Series

FREE = ("", "reference", "tint", "ground")
"""Kinds of cells that the cursor's line may cover: nothing is read off them."""


@dataclass(frozen=True)
class Reading:
    """The value of a line at the cursor, measured at `x`; None where there is none. `past`: the line ended before."""

    label: str
    slot: int
    x: float | None
    y: float | None
    past: bool = False


def readings(frame: Frame, at: float) -> list[Reading]:
    """Return the value of every line (no single seeds) where it was measured last before a place, in their order."""
    return [_read(s, at) for s in frame.series if not s.faint and s.label and not s.line.points]


def _read(s: Series, at: float) -> Reading:
    import numpy as np

    xs, ys = s.measured
    if not len(xs) or not s.ascending:
        return Reading(s.label, s.slot, None, None)
    index = int(np.searchsorted(xs, at * (1 + 1e-12) if at > 0 else at, side="right")) - 1
    if index < 0:
        return Reading(s.label, s.slot, None, None)
    return Reading(s.label, s.slot, float(xs[index]), float(ys[index]), bool(at > xs[-1] and index == len(xs) - 1))


def crosshair(frame: Frame, cells: Cells, at: float, tint: str = "") -> None:
    """Draw the cursor over a painted chart; `tint` is its background where there are colours for one.

    Nothing moves: the values take the place of the labels of the x axis, and of what stands right of the title.
    """
    left, top, columns, rows = frame.area
    place = frame.x_axis.place(at)
    if frame.empty or columns < 1 or rows < 1 or place is None:
        return
    if -1e-9 <= place <= 1 + 1e-9:
        column = left + min(max(int(place * columns), 0), columns - 1)
        for row in range(top, top + rows):
            if cells.keys[row][column].partition("-")[0] in FREE:
                cells.put(row, column, "│", "text")
            if tint:
                cells.tints[row, column] = tint
    if top + rows < cells.height:
        found = [r for r in readings(frame, at) if r.x is not None]
        above = cells.height > rows + 1 and frame.title_end < cells.width - MINIMUM
        rest = _write(found, _when(found, at), cells, top + rows, 0, last=not above)
        if rest and above:
            _write(rest, "", cells, 0, frame.title_end + 1, last=True)


MINIMUM = 8
"""Cells for a value at least."""


def _when(found: list[Reading], at: float) -> str:
    """Return the step that the values were measured at, in words; where lines differ in it, the last."""
    inside = [r.x for r in found if r.x is not None and not r.past]
    same = not inside or min(inside) == max(inside)
    return f"{'' if same else '≤'}{place_text(max(inside, default=at))}"


def _write(
    found: Sequence[Reading], before: str, cells: Cells, row: int, start: int, *, last: bool
) -> Sequence[Reading]:
    """Write values into a row from a column on, as fully as there is room; return those for which there was none.

    The `last` row says how many they are.
    """
    cells.put(row, start, " " * (cells.width - start))
    column = cells.put(row, start, f"{before} ", "title") if before else start
    room = cells.width - column
    texts: list[str] = []
    for label, digits in ((60, 4), (16, 4), (10, 4), (0, 4), (0, 3), (0, 2)):
        texts = [_text(r, label, digits) for r in found]
        if sum(columns_of(text) + 1 for text in texts) <= room:
            break
    else:
        room -= len(f"+{len(found)}") if last else 0
    for done, (r, text) in enumerate(zip(found, texts, strict=True)):
        room -= columns_of(text) + 1
        if room < (-1 if done == len(found) - 1 else 0):  # the blank at the very end may be cut
            if last:
                cells.put(row, column, f"+{len(found) - done}", "tick")
            return found[done:]
        column = cells.put(row, column, marker(r.slot), f"line-{r.slot % COLOURS}")
        column = cells.put(row, column, text, "text")
    return []


def _text(r: Reading, label: int, digits: int) -> str:
    value = human_number(r.y, digits)
    if not label and digits < 4 and value.startswith(("0.", "-0.")):
        value = value.replace("0.", ".", 1)  # the nought says nothing, and there is no room to spare
    value = f"({value})" if r.past else value
    return f" {squeeze(r.label, label)} {value}  " if label else f"{value} "


def place_text(value: float) -> str:
    """Return a place on the x axis in words: whole steps with commas, seconds and epochs with few digits."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}" if abs(value) < 1e12 else human_number(value, 4)
    return human_number(value, 3)
