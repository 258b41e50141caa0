"""Words inside a chart: the names of reference lines, and marks on lines where something happened."""

from __future__ import annotations

from collections.abc import Sequence

from genlab_tui.colours import COLOURS
from screens.panels.cells import Cells, columns_of, shorten, squeeze
from screens.panels.frame import Area, Frame

FREE = ("reference", "")
"""Kinds of cells that a label may lie on."""
TICK = "╋"
NAMED = 3
"""Kinds of marks that are told in words in a chart, at most."""


WORDS = ("tick", "note")
"""Kinds of cells that are read: no label lies on another."""
Told = dict[str, tuple[int, int]]
"""What is to be said in words, each with the cell that it is said of."""


def tick_marks(frame: Frame, cells: Cells, area: Area) -> Told:
    """Put a mark on the lines where something happened; return what each kind is called, and where its first is."""
    left, top, columns, rows = area
    slots = {s.label: s for s in frame.series if not s.faint}
    first: dict[str, tuple[int, int]] = {}
    counts: dict[str, int] = {}
    for x, label, name, count in sorted(frame.ticks):
        s = slots.get(name)
        place = frame.x_axis.place(x)
        height = s.value_at(x) if s else None
        at = frame.y_axis.place(height) if height is not None else None
        if s is None or place is None or at is None or not (0 <= place <= 1 and 0 <= at <= 1):
            continue
        row, column = top + min(int((1 - at) * rows), rows - 1), left + min(int(place * columns), columns - 1)
        counts[label] = counts.get(label, 0) + count
        first.setdefault(label, (row, column))
        if x < s.measured[0][-1]:  # the end of a line has the line's own marker
            cells.put(row, column, TICK, f"line-{s.slot % COLOURS}")
    return {
        f"{label} ×{counts[label]}" if counts[label] > 1 else label: place
        for label, place in list(first.items())[:NAMED]
    }


def tick_labels(told: Told, cells: Cells, area: Area) -> None:
    """Say in words what the marks on the lines mean, beside the first of each kind."""
    left, top, columns, rows = area
    for text, (row, column) in told.items():
        text = shorten(text, max(columns // 2, 8))
        size = columns_of(text)
        near = [r for r in (row, row - 1, row + 1, row - 2, row + 2) if top <= r < top + rows]
        sides = [c for c in (column + 2, column - size - 1) if left <= c and c + size <= left + columns]
        spots = [(r, c) for r in near for c in sides]
        if spots:
            _put_free(cells, text, spots, 0, "note")


def reference_label(cells: Cells, place: float, label: str, vertical: bool, area: Area) -> None:
    """Write the label of a reference line on it, where it hides least; left out where everything is taken."""
    left, top, columns, rows = area
    if not label:
        return
    if vertical:
        column = left + min(int(place * columns), columns - 1)
        after, before = left + columns - column - 1, column - left
        label = shorten(label, max(after, before))
        start = column + 1 if columns_of(label) <= after else column - columns_of(label)
        order = dict.fromkeys((0, rows - 1, rows // 2, *range(rows)))
        _put_free(cells, label, [(top + row, start) for row in order], columns_of(label) // 3)
        return
    row = top + min(int((1 - place) * rows), rows - 1)
    # The whole label where it hides nothing, else less of it, cut in its middle.
    for longest, may_hide in (
        (columns - 3, 0),
        (columns * 2 // 3, 0),
        (columns // 2 - 2, 0),
        (columns // 2 - 2, 1 / 3),
    ):
        text = f" {squeeze(label, max(longest, 1))} "
        size = columns_of(text)
        spots = [(row, left + columns - size - 1), (row, left + 1), (row, left + (columns - size) // 2)]
        if _put_free(cells, text, spots, int(size * may_hide)):
            return


def _put_free(cells: Cells, text: str, spots: Sequence[tuple[int, int]], may_hide: int, key: str = "tick") -> bool:
    """Write text at the spot where it hides least; nowhere where it would hide more than so many cells."""
    size = columns_of(text)

    def hidden(spot: tuple[int, int]) -> int:
        row, start = spot
        under = range(max(start, 0), min(start + size, cells.width))
        if any(cells.keys[row][c] in WORDS or cells.text[row][c] == TICK for c in under):
            return size + 1
        return sum(cells.keys[row][c] not in FREE for c in under) + max(-start, 0)

    best = min(spots, key=hidden)
    if hidden(best) > may_hide:
        return False
    cells.put(*best, text, key)
    return True
