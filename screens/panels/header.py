"""The first rows of a chart: its title, what is to be known of its scale, and which line is which."""

from __future__ import annotations

from collections.abc import Sequence

from genlab_tui.colours import COLOURS, marker
from screens.panels.cells import Cells, columns_of, shorten, squeeze, telling
from screens.panels.frame import Frame, Series


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
        lines = [(row, 1) for row in range(1, 2 + (cells.height - 7) // 8)]
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
WHOLE, SHORTEST = 60, 6
"""Cells of a label in a legend at most, and at least; where that is too much for all, fewer are told in more words."""


def _fitted(named: Sequence[Series], rooms: Sequence[int]) -> tuple[list[list[Entry]], int]:
    """Return the entries of a legend in rows of some widths, as short as they must be, and how many are left out."""
    for longest in (WHOLE, *range(24, SHORTEST - 1, -1)):
        rows = _filled(named, rooms, longest)
        if sum(map(len, rows)) == len(named):
            return rows, 0
    reserved = [*rooms[:-1], rooms[-1] - len(f"+{len(named)}")]
    for longest in (SHORTEST, 2 * SHORTEST):
        rows = _filled(named, reserved, longest)
        if 2 * sum(map(len, rows)) >= len(named):
            break
    return rows, len(named) - sum(map(len, rows))


def _filled(named: Sequence[Series], rooms: Sequence[int], longest: int) -> list[list[Entry]]:
    """Return as many entries as fit into rows of some widths, no label longer than that."""
    rows: list[list[Entry]] = [[] for _ in rooms]
    row = used = 0
    words = telling([s.label for s in named]) if longest < WHOLE else {}
    for s in named:
        label = squeeze(words.get(s.label, s.label), longest)
        need = columns_of(label) + 2
        while row < len(rooms) and used + need > rooms[row]:
            row, used = row + 1, 0
        if row == len(rooms):
            break
        rows[row].append((s, label))
        used += need + 1
    return rows
