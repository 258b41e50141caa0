"""Numbers as the tables of a report show them, and the numbers behind a figure."""

from __future__ import annotations

from collections.abc import Iterator

from genlab_tui.blocks import Block, Table, Text
from genlab_tui.events import Value, from_value
from genlab_tui.figure import Figure, HeatMap, Line
from genlab_tui.stats import Summary
from genlab_tui.summary import SummaryRow
from genlab_tui.text import human_number

LONG = 40
"""A line with more points than that is not written out."""
ROWS = 400


def measured(value: Value, unit: str = "") -> str:
    """Return a number with its unit; a dash where there is none."""
    text = human_number(from_value(value)) if value is not None else "–"
    return f"{text} {unit}".strip() if value is not None else text


def spread(row: SummaryRow | None) -> str:
    """Return mean ± standard deviation."""
    if row is None or not row.value.n:
        return "–"
    sd = f" ± {human_number(row.value.sd, 2)}" if row.value.n > 1 else ""
    return human_number(row.value.mean) + sd


def delta(found: Summary | None) -> tuple[str, str, str]:
    """Return a paired difference, its interval and how many pairs it is over."""
    if found is None or not found.n:
        return "", "", ""
    interval = f"[{human_number(found.low, 3)}, {human_number(found.high, 3)}]" if found.n > 1 else "–"
    return ("+" if found.mean > 0 else "") + human_number(found.mean, 3), interval, str(found.n)


def numbers_of(figure: Figure | HeatMap) -> Iterator[Block]:
    """Yield the numbers of a figure as a table to unfold; lines of very many points are only counted."""
    caption = f"Numbers of: {figure.title or figure.name}"
    if isinstance(figure, HeatMap):
        if 0 < len(figure.values) * len(figure.x_ticks) <= ROWS:
            rows = tuple(
                (tick, *map(human_number, row)) for tick, row in zip(figure.y_ticks, figure.values, strict=False)
            )
            right = frozenset(range(1, len(figure.x_ticks) + 1))
            yield Table((figure.y_label or "", *figure.x_ticks), rows, right, caption, folded=True)
        return
    short = [line for line in figure.lines if len(line.x) <= LONG]
    points = tuple(row for line in short for row in _points(line))
    if points and len(points) <= ROWS:
        headers = ("series", figure.x_label or "x", figure.y_label or "y", "band", "n")
        yield Table(headers, points, frozenset((1, 2, 3, 4)), caption, folded=True)
    elif figure.lines:
        count = sum(len(line.x) for line in figure.lines)
        yield Text(f"{count} points in {len(figure.lines)} lines: `genlab-tui export` writes them all as CSV.", "quiet")


def _points(line: Line) -> Iterator[tuple[str, ...]]:
    for i, (x, y) in enumerate(zip(line.x, line.y, strict=False)):
        low, high = (edge[i] if edge and i < len(edge) else None for edge in (line.low, line.high))
        banded = low is not None and high is not None and low == low and high == high
        band = f"{human_number(low)} to {human_number(high)}" if banded else "–"
        yield line.label, human_number(x, 6), human_number(y), band, str(line.n[i]) if line.n else "–"
