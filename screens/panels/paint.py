"""A chart laid out and painted into cells: header, legend, ticks, lines, bands, markers, reference labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from genlab_tui.axes import LARGEST, ticks
from genlab_tui.colours import COLOURS, marker
from screens.panels import series
from screens.panels.cells import Cells, columns_of, shorten, wrapped
from screens.panels.frame import Area, Frame, Series
from screens.panels.header import TALL, header
from screens.panels.labels import reference_label, tick_labels, tick_marks


@dataclass(frozen=True)
class Stroke:
    """A line or a set of points on the grid of dots, in a style; `mark` is the marker of its arm."""

    key: str
    pieces: list[series.Dots]
    joined: bool
    mark: str


@dataclass
class Plot:
    """What plotext draws. `references` are (place from 0 to 1, vertical?)."""

    strokes: list[Stroke] = field(default_factory=list)
    references: list[tuple[float, bool]] = field(default_factory=list)


NOTE, LINES = 3, 8
"""Rows of a note at most where a chart is tall, and rows of the lines that it then leaves at least."""
LEGIBLE = 6
"""Columns of a cut name of an axis from which it says anything."""
APART = 5
"""Columns between two markers of a line at least, so that the line stays seen between them."""
Raster = Callable[[Plot, Cells, int, int, int, int], None]


def paint(frame: Frame, cells: Cells, raster: Raster, empty_text: str, tints: Sequence[str]) -> None:
    """Paint a whole chart into cells. Without `tints` (few colours), bands are drawn as faint edges."""
    width, height = cells.width, cells.height
    top = 0
    if height >= 3:
        top = 1 + header(frame, cells)
    if frame.empty:
        reason = empty_text if not (frame.not_finite or frame.not_positive) else "nothing that can be drawn"
        reason = shorten(reason, width)
        cells.put(top + (height - top) // 2, max((width - columns_of(reason)) // 2, 0), reason, "note")
        return
    bottom = height
    if frame.note and height >= 14:
        note = wrapped(frame.note, width, min(max(height - top - LINES - 2, 1), NOTE) if height >= TALL else 1)
        bottom -= len(note)
        for row, text in enumerate(note, start=bottom):
            cells.put(row, 0, text, "note")
    labelled = height >= 4 and width >= 12
    own_row = labelled and height >= 12 and bool(frame.x_label) and columns_of(frame.x_label) > (width - 8) // 4
    if own_row:
        bottom -= 1
        label = shorten(frame.x_label + (" (log)" if frame.log_x else ""), width)
        cells.put(bottom, max((width - columns_of(label)) // 2, 0), label, "tick")
    rows = bottom - top - (1 if labelled else 0)
    y_ticks = ticks(frame.y_axis, max(rows // 2, 2)) if labelled else []
    left = min(max((columns_of(label) for _, label in y_ticks), default=0) + 1, width // 2) if labelled else 0
    columns = width - left
    if labelled:
        _left_axis(cells, y_ticks, left, top, rows)
        _bottom_ticks(frame, cells, left, top + rows, columns, named=not own_row)
    frame.area = (left, top, columns, rows)
    _inside(frame, cells, raster, tints, frame.area)


def _left_axis(cells: Cells, y_ticks: list[tuple[float, str]], left: int, top: int, rows: int) -> None:
    for row in range(rows):
        cells.put(top + row, left - 1, "│", "rule")
    for place, label in y_ticks:
        row = top + min(int((1 - place) * rows), rows - 1)
        label = shorten(label, left - 1)
        cells.put(row, left - 1 - columns_of(label), label, "tick")
        cells.put(row, left - 1, "┤", "rule")


def _bottom_ticks(frame: Frame, cells: Cells, left: int, row: int, columns: int, *, named: bool) -> None:
    """Put the ticks below a chart and, with `named`, the name of the axis beside them, as far right as it fits."""
    name = frame.x_label + (" (log)" if frame.log_x else "") if named and frame.x_label else ""
    for most in (columns // 8, max(columns // 12, 3)):
        placed = list(_apart(ticks(frame.x_axis, max(most, 2), frame.stops), left, columns, cells.width))
        ends = [max(left - 2, 0), *(start + columns_of(label) + 1 for start, label in placed)]
        gaps = list(zip(ends, [*(start - 1 for start, _ in placed), cells.width], strict=True))
        fitting = [gap for gap in gaps if gap[1] - gap[0] >= columns_of(name)]
        begin, end = fitting[-1] if fitting else max(gaps, key=lambda gap: gap[1] - gap[0])
        if fitting:
            break
    for start, label in placed:
        cells.put(row, start, label, "tick")
    name = shorten(name, max(end - begin, 0))
    if name and columns_of(name) >= min(LEGIBLE, columns_of(frame.x_label)):
        cells.put(row, end - columns_of(name), name, "note")


def _apart(placed: Sequence[tuple[float, str]], left: int, columns: int, width: int) -> Iterator[tuple[int, str]]:
    """Yield the ticks that have room as (first column, label); the last one says how far the axis goes."""
    free_from = max(left - 2, 0)
    for number, (place, label) in enumerate(placed):
        size = columns_of(label)
        start = min(max(left + int(place * columns) - size // 2, free_from), width - size)
        if number + 1 < len(placed) and start + size >= width - columns_of(placed[-1][1]):
            continue
        if abs(start + size / 2 - (left + place * columns)) <= max(size, 2):
            yield start, label
            free_from = start + size + 1


def _inside(frame: Frame, cells: Cells, raster: Raster, tints: Sequence[str], area: Area) -> None:
    """Draw what lies between the axes."""
    left, top, columns, rows = area
    if columns < 1 or rows < 1:
        return
    plot = Plot()
    placed = [
        (axis.place(value), label, vertical)
        for value, label, vertical in frame.references
        for axis in (frame.x_axis if vertical else frame.y_axis,)
    ]
    shown = [(place, label, vertical) for place, label, vertical in placed if place is not None and 0 <= place < 1]
    plot.references = [(place, vertical) for place, _, vertical in shown]
    faint = [*frame.unsmoothed, *(s for s in frame.series if s.faint)]
    for s in (*faint, *(s for s in frame.series if not s.faint)):
        if not tints and s.low is not None and s.high is not None and not s.line.points:
            for edge in (s.low, s.high):
                keep = s.keep & series.drawable(s.x, edge, log_x=frame.log_x, log_y=frame.log_y)
                pieces = series.path(s.x, edge, keep, frame.x_axis, frame.y_axis, 2 * columns, 4 * rows)
                plot.strokes.append(Stroke(f"faint-{s.slot % COLOURS}", pieces, True, marker(s.slot)))
        if s.line.points and s.low is not None and s.high is not None:
            plot.strokes.append(_error_bars(frame, s, columns, rows))
        joined = not s.line.points
        pieces = series.path(s.x, s.y, s.keep, frame.x_axis, frame.y_axis, 2 * columns, 4 * rows, joined=joined)
        if pieces:
            key = f"{'faint' if s.faint else 'line'}-{s.slot % COLOURS}"
            plot.strokes.append(Stroke(key, pieces, joined, marker(s.slot)))
    plot.strokes = [stroke for stroke in plot.strokes if stroke.pieces]
    raster(plot, cells, left, top, columns, rows)
    if tints:
        for s in frame.series:
            if not s.faint and not s.line.points:
                _band(frame, s, cells, tints, area)
    for order, s in enumerate([s for s in frame.series if not s.faint]):
        _markers(frame, s, cells, area, order)
    told = tick_marks(frame, cells, area)  # before all words: a mark has its place, words find one
    for place, label, vertical in shown:
        reference_label(cells, place, label, vertical, area)
    tick_labels(told, cells, area)


def _error_bars(frame: Frame, s: Series, columns: int, rows: int) -> Stroke:
    import numpy as np

    pieces: list[series.Dots] = []
    assert s.low is not None
    assert s.high is not None
    for i in np.flatnonzero(s.keep).tolist()[: 4 * columns]:
        x = np.full(2, s.x[i])
        y = np.array([s.low[i], s.high[i]])
        keep = series.drawable(x, y, log_x=frame.log_x, log_y=frame.log_y)
        if keep.all():
            pieces += series.path(x, y, keep, frame.x_axis, frame.y_axis, 2 * columns, 4 * rows)
    return Stroke(f"faint-{s.slot % COLOURS}", pieces, True, marker(s.slot))


_LOWER = " ▁▂▃▄▅▆▇█"


def _band(frame: Frame, s: Series, cells: Cells, tints: Sequence[str], area: Area) -> None:
    """Tint the background between the edges of a band, to an eighth of a cell where nothing else is drawn."""
    if s.low is None or s.high is None:
        return
    left, top, columns, rows = area
    keep = s.keep & (abs(s.low) < LARGEST) & (abs(s.high) < LARGEST)
    tint, key = tints[s.slot % COLOURS], f"tint-{s.slot % COLOURS}"
    for column, (low, high) in series.bounds(s.x, s.low, s.high, keep, frame.x_axis, frame.y_axis, columns).items():
        above, below = max((1 - high) * rows, 0.0), min((1 - low) * rows, float(rows))
        for row in range(int(above), min(int(below) + 1, rows)):
            first, last = max(above - row, 0.0), min(below - row, 1.0)
            share = last - first
            at = (top + row, left + column)
            if cells.text[at[0]][at[1]] != " ":
                if share >= 0.6:
                    cells.tints[at] = tint
            elif share >= 0.95:
                cells.tints[at] = tint
            elif last >= 0.99 and round(share * 8):
                cells.put(*at, _LOWER[round(share * 8)], key)
            elif first <= 0.01 and round(share * 8):
                cells.put(*at, _LOWER[8 - round(share * 8)], "ground")
                cells.tints[at] = tint


def _markers(frame: Frame, s: Series, cells: Cells, area: Area, order: int) -> None:
    """Put a line's marker on its points where they are few, else at its end and here and there along it."""
    import numpy as np

    left, top, columns, rows = area
    xs, ys = s.kept
    if not len(xs):
        return
    last = len(xs) - 1
    chosen: Iterable[int] = range(last + 1)
    if len(xs) > (4 * columns if s.line.points else columns // 3):
        # Spread over the width and staggered, so that lines on top of each other show both markers.
        every = max(columns / 4, 12.0)
        places = np.arange(every / 2 + order * 3 % every, columns - 4, every) / columns
        wanted = frame.x_axis.low + places * frame.x_axis.span
        targets = (10.0**wanted if frame.x_axis.log else wanted) if s.ascending else wanted[:0]
        near = np.searchsorted(xs, targets).tolist()
        chosen = sorted({i for i in near if i < last} | {last})
    taken = -APART
    for i in chosen:
        x, y = frame.x_axis.place(float(xs[i])), frame.y_axis.place(float(ys[i]))
        if x is None or y is None:
            continue
        column, row = min(int(x * columns), columns - 1), min(int((1 - y) * rows), rows - 1)
        if s.line.points or i == last or abs(column - taken) >= APART:
            cells.put(top + max(row, 0), left + max(column, 0), marker(s.slot), f"line-{s.slot % COLOURS}")
            taken = column
