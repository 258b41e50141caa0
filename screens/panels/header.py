"""The first rows of a chart: its title, what is to be known of its scale, and which line is which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genlab_tui.colours import COLOURS, marker
from screens.panels.cells import Cells, columns_of, shorten, squeeze, telling
from screens.panels.frame import Frame, Series

TALL, LEGEND = 16, 3
"""Rows of a chart, alone on a screen of usual size, in which a legend may take so many."""


def header(frame: Frame, cells: Cells) -> int:
    """Write title and legend; return how many rows beyond the first they take."""
    width = cells.width
    cells.put(0, 0, "─" * width, "rule")
    column = cells.put(0, 1, shorten(f" {frame.title} " if frame.title else "", width - 2), "title")
    frame.title_end = column
    note = frame.scale_note
    if note and column + columns_of(note) + 4 <= width:
        end = width - columns_of(note) - 3
        cells.put(0, end, f" {note} ", "note")
    else:
        end = width
    named = [s for s in frame.series if s.label and not s.faint and s.label not in frame.known]
    if not named or (len(frame.series) == 1 and named[0].label.lower() in frame.title.lower()):
        return 0
    short = end - column - 2
    if cells.height < 7 or sum(columns_of(s.label) + 3 for s in named) <= short:
        lines, rooms = [(0, column + 1)], [short]
    else:
        rows = max(1 + (cells.height - 7) // 8, LEGEND if cells.height >= TALL else 1)
        lines = [(row, 1) for row in range(1, 1 + rows)]
        rooms = [width - 1] * len(lines)
    entries, left_over = _fitted(named, rooms)
    for (row, start), shown in zip(lines, entries, strict=False):
        column = start
        for s, label in shown:
            column = cells.put(row, column, marker(s.slot), f"line-{s.slot % COLOURS}")
            column = cells.put(row, column, f" {label} ", "text")
        if left_over and row == lines[-1][0]:
            cells.put(row, column, f"+{left_over}", "tick")
    return max((row for (row, _), shown in zip(lines, entries, strict=False) if shown), default=0)


Entry = tuple[Series, str]
WHOLE, LONG, SHORTEST = 60, 24, 12
"""Cells of a label in a legend at most; at most where not all have room; and what is left of it at least."""


def _fitted(named: Sequence[Series], rooms: Sequence[int]) -> tuple[list[list[Entry]], int]:
    """Return the entries of a legend in rows of some widths, as short as they must be, and how many are left out."""
    rows = _filled(named, rooms, {s.label: squeeze(s.label, WHOLE) for s in named})
    if sum(map(len, rows)) == len(named):
        return rows, 0
    words = telling([s.label for s in named])
    shortest = _apart(words)
    for longest in range(max(LONG, shortest), shortest - 1, -1):
        rows = _filled(named, rooms, {label: squeeze(word, longest) for label, word in words.items()})
        if sum(map(len, rows)) == len(named):
            return rows, 0
    reserved = [*rooms[:-1], rooms[-1] - len(f"+{len(named)}")]
    rows = _filled(named, reserved, {label: squeeze(word, shortest) for label, word in words.items()})
    return rows, len(named) - sum(map(len, rows))


def _apart(words: Mapping[str, str]) -> int:
    """Return to how many cells labels can be cut so that none looks like another that it is not."""
    different = len(set(words.values()))
    for cells in (SHORTEST, 16, 20, LONG, 32, 40):
        if len({squeeze(word, cells) for word in words.values()}) == different:
            return cells
    return WHOLE


def _filled(named: Sequence[Series], rooms: Sequence[int], labels: Mapping[str, str]) -> list[list[Entry]]:
    """Return as many entries as fit into rows of some widths, with these words for their labels."""
    rows: list[list[Entry]] = [[] for _ in rooms]
    row = used = 0
    for s in named:
        label = labels[s.label]
        need = columns_of(label) + 2
        while row < len(rooms) and used + need > rooms[row]:
            row, used = row + 1, 0
        if row == len(rooms):
            break
        rows[row].append((s, label))
        used += need + 1
    return rows
