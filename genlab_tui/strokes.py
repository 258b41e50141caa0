"""The lines of an SVG chart: strokes, bands, error bars, markers, and rings around what happened. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from genlab_tui import colours
from genlab_tui.axes import Axis
from genlab_tui.figure import Line, Tick
from genlab_tui.svg import xml_text
from genlab_tui.text import clean_text

_FILLED = {
    "●": "m-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0Z",
    "■": "m-3-3h6v6h-6Z",
    "▲": "m0-4l4 7h-8Z",
    "◆": "m0-4.4l4.4 4.4l-4.4 4.4l-4.4-4.4Z",
    "✚": "m-1.4-4.2h2.8v2.8h2.8v2.8h-2.8v2.8h-2.8v-2.8h-2.8v-2.8h2.8Z",
    "★": "m0-4.6l1.3 2.9l3.1.3l-2.3 2.1l.7 3.1l-2.8-1.6l-2.8 1.6l.7-3.1l-2.3-2.1l3.1-.3Z",
    "▼": "m0 4l4-7h-8Z",
    "✦": "m0-5l1.4 3.6l3.6 1.4l-3.6 1.4l-1.4 3.6l-1.4-3.6l-3.6-1.4l3.6-1.4Z",
}
_HOLLOW = {"○": "●", "□": "■", "△": "▲", "◇": "◆", "▽": "▼"}
"""The markers that are the outline of another one."""


@dataclass(frozen=True)
class Room:
    """The rectangle of the data and its axes."""

    left: float
    top: float
    right: float
    bottom: float
    x: Axis
    y: Axis

    def at(self, x: float, y: float) -> tuple[float, float] | None:
        """Return where a point lies, or None for one that cannot be drawn."""
        across, up = self.x.place(x), self.y.place(y)
        if across is None or up is None:
            return None
        across, up = min(max(across, 0.0), 1.0), min(max(up, 0.0), 1.0)
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)


@dataclass(frozen=True)
class Series:
    """A line with its colour and marker; a faint one is a single member."""

    line: Line
    label: str
    slot: int
    faint: bool

    @property
    def colour(self) -> int:
        return self.slot % colours.COLOURS


def edges_of(line: Line) -> tuple[Sequence[float], Sequence[float]]:
    """Return the lower and upper edge of the band, NaN where there is none."""
    n = len(line.y)
    if line.low is None or line.high is None or not len(line.low) >= n <= len(line.high):
        return (math.nan,) * n, (math.nan,) * n
    return line.low, line.high


def _pieces(points: Iterable[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    """Yield the stretches between gaps."""
    piece: list[tuple[float, float]] = []
    for point in points:
        if point is not None:
            piece.append(point)
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def bands(s: Series, room: Room) -> Iterator[str]:
    """Yield the bands between `low` and `high`, stretch by stretch; points have error bars instead."""
    if s.line.low is None or s.faint:
        return
    edges = list(zip(s.line.x, s.line.y, *edges_of(s.line), strict=False))
    if s.line.points:
        for x, y, low, high in edges:
            ends = _ends(room, x, y, low, high)
            if ends:
                yield f'<path class="l s{s.colour}" d="M{ends[0][0]:.1f} {ends[0][1]:.1f}V{ends[1][1]:.1f}"/>'
        return
    ends_of = [_ends(room, *edge) for edge in edges]
    for piece in _pieces_of(ends_of):
        outline = [low for low, _ in piece] + [high for _, high in reversed(piece)]
        yield f'<path class="b c{s.colour}" d="{_path(outline)}Z"/>'


Ends = tuple[tuple[float, float], tuple[float, float]]


def _ends(room: Room, x: float, y: float, low: float, high: float) -> Ends | None:
    """Return where the band begins and ends at a point, or None where it has none."""
    if room.y.log and low <= 0 < high:
        low = 10.0**room.y.low
    bottom, top = room.at(x, low), room.at(x, high)
    return (bottom, top) if bottom and top and room.at(x, y) else None


def _pieces_of(ends: Iterable[Ends | None]) -> Iterator[list[Ends]]:
    piece: list[Ends] = []
    for one in (*ends, None):
        if one is not None:
            piece.append(one)
        else:
            if len(piece) > 1:
                yield piece
            piece = []


def stroke(s: Series, room: Room, number: int) -> list[str]:
    """Return a line with its markers: on every point of a short one, else a few, apart from those of other lines."""
    parts, found = [], []
    kind = f"l s{s.colour}" + (" f" if s.faint else "")
    for piece in _pieces(room.at(x, y) for x, y in zip(s.line.x, s.line.y, strict=False)):
        found += piece
        if len(piece) > 1 and not s.line.points:
            parts.append(f'<path class="{kind}" d="{_path(piece)}"/>')
    if s.faint or not found:
        return parts
    if s.line.points or len(found) <= 40:
        marked = found
    else:
        stride = len(found) / 6
        marked = [found[min(int((i + (number * 0.37) % 1) * stride), len(found) - 1)] for i in range(6)]
    return parts + [marker(s, x, y) for x, y in marked]


def marker(s: Series, x: float, y: float) -> str:
    """Return the marker of a line at a place: the same as on the screens."""
    sign = colours.marker(s.slot)
    kind = f"o s{s.colour}" if sign in _HOLLOW else f"m c{s.colour}"
    return f'<path class="{kind}" d="M{x:.1f} {y:.1f}{_FILLED[_HOLLOW.get(sign, sign)]}"/>'


def rings(s: Series, happened: Iterable[Tick], room: Room) -> Iterator[str]:
    """Yield what happened on a line: a ring around the point nearest to it, with the words for who points at it."""
    for tick in happened:
        if clean_text(tick.line, 80) != s.label or s.faint:
            continue
        near = [(abs(x - tick.x), point) for x, y in zip(s.line.x, s.line.y, strict=False) if (point := room.at(x, y))]
        if near:
            x, y = min(near)[1]
            words = xml_text(tick.label + (f" ({tick.count})" if tick.count > 1 else ""), 80)
            yield f'<circle class="l s{s.colour}" cx="{x:.1f}" cy="{y:.1f}" r="6"><title>{words}</title></circle>'
