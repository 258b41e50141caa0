"""A figure as SVG: lines, bands, points, references, heat maps; log axes, a legend, light and dark. Pure.

The same description as on the screens, with the same axes, colours and order of lines, and a marker a line as the
second cue. Nothing in it runs or loads anything, and every text from outside is cleaned and escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from genlab_tui.axes import LARGEST, Axis, make_axis, ticks
from genlab_tui.colours import COLOURS
from genlab_tui.figure import Figure, HeatMap, Line, Reference, Tick
from genlab_tui.heat_drawing import heat_map
from genlab_tui.svg import CHARACTER, EDGE, HEIGHT, ROW, WIDTH, note_lines, style, xml_text
from genlab_tui.text import clean_text

LEGEND = 24
"""So many lines are named at most; the rest is counted."""
MEMBER = " · seed "
"""Between an arm's label and the seed in the label of one member: drawn faint, not in the legend."""
_MARKERS = 7  # against 8 colours: no common factor, so the pair repeats only after 56 lines


def draw(figure: Figure | HeatMap, *, standalone: bool = True, titled: bool = True) -> str:
    """Return a figure as one SVG element. Whatever cannot be drawn (NaN, infinity, 0 on a log axis) is left out.

    `standalone` gives it its style sheet; `titled` writes the title into it.
    """
    parts, height = heat_map(figure, titled) if isinstance(figure, HeatMap) else _chart(figure, titled)
    sheet = f"<style>{style()}</style>" if standalone else ""
    name = xml_text(figure.title or figure.name, 120)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="{name}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}">'
        f'<title>{name}</title>{sheet}<rect class="g" width="{WIDTH}" height="{height:.0f}"/>{"".join(parts)}</svg>'
    )


# --- charts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Room:
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
class _Series:
    """A line with its colour and marker; a faint one is a single member."""

    line: Line
    label: str
    slot: int
    faint: bool

    @property
    def colour(self) -> int:
        return self.slot % COLOURS


def _chart(figure: Figure, titled: bool) -> tuple[list[str], float]:
    series = list(_series(figure.lines))
    x_axis, y_axis = _axes(figure)
    y_ticks = ticks(y_axis, 7)
    left = EDGE + 8 + CHARACTER * max((len(label) for _, label in y_ticks), default=0)
    top = 30.0 if titled or figure.y_label else 12.0
    room = _Room(left, top, WIDTH - EDGE - 6, HEIGHT - 40.0, x_axis, y_axis)
    parts = _header(figure, titled, room) + _frame(figure, room, y_ticks)
    drawable = any(room.at(x, y) for s in series for x, y in zip(s.line.x, s.line.y, strict=False))
    if not drawable:
        words = "nothing that can be drawn" if any(len(s.line.x) for s in series) else "no data yet"
        middle = (room.left + room.right) / 2, (room.top + room.bottom) / 2
        parts.append(f'<text class="n" x="{middle[0]:.1f}" y="{middle[1]:.1f}" text-anchor="middle">{words}</text>')
    parts += [band for s in series for band in _bands(s, room)]
    marks, labels = _references(figure.references, room)
    parts += marks
    for number, s in enumerate(series):
        parts += _stroke(s, room, number)
    parts += [mark for s in series for mark in _ticks(s, figure.ticks, room)] + labels
    named = [s for s in series if not s.faint and s.label]
    rows, height = _legend(named, HEIGHT - 4.0) if len(named) > 1 else ([], HEIGHT - 4.0)
    notes, height = note_lines(figure.note, height + 12)
    return parts + rows + notes, height - 4


def _series(lines: Iterable[Line]) -> Iterator[_Series]:
    slots: dict[str, int] = {}
    for line in lines:
        label = clean_text(line.label, 80)
        base, _, seed = label.rpartition(MEMBER)
        faint = base in slots and seed.isdigit()
        yield _Series(line, label, slots[base] if faint else slots.setdefault(label, len(slots)), faint)


def _axes(figure: Figure) -> tuple[Axis, Axis]:
    xs = [r.value for r in figure.references if r.axis == "x"]
    ys = [r.value for r in figure.references if r.axis != "x"]
    few = False
    for line in figure.lines:
        few = few or line.points or len(line.x) <= 12
        for x, y, low, high in zip(line.x, line.y, *_edges(line), strict=False):
            if _good(x, figure.log_x) and _good(y, figure.log_y):
                xs.append(x)
                # A band that reaches below 0 on a log axis ends at the axis, instead of stretching it for ever.
                ys += [y, *(v for v in (low, high) if _good(v, figure.log_y))]
    return make_axis(xs, log=figure.log_x, pad=0.03 if few else 0.0), make_axis(ys, log=figure.log_y, pad=0.06)


def _good(value: float, log: bool) -> bool:
    return abs(value) < LARGEST and (value > 0 or not log)


def _edges(line: Line) -> tuple[Sequence[float], Sequence[float]]:
    n = len(line.y)
    if line.low is None or line.high is None or not len(line.low) >= n <= len(line.high):
        return (math.nan,) * n, (math.nan,) * n
    return line.low, line.high


def _header(figure: Figure, titled: bool, room: _Room) -> list[str]:
    parts = []
    title = xml_text(figure.title, 90) if titled else ""
    if title:
        parts.append(f'<text class="t" x="{EDGE}" y="18">{title}</text>')
    label = figure.y_label if not titled or figure.y_label.lower() not in figure.title.lower() else ""
    label = (f"{label} (log)" if label else "log scale") if figure.log_y else label
    if label:
        anchor = ("end", room.right) if titled else ("start", EDGE)
        parts.append(f'<text x="{anchor[1]:.1f}" y="18" text-anchor="{anchor[0]}">{xml_text(label, 50)}</text>')
    return parts


def _frame(figure: Figure, room: _Room, y_ticks: Sequence[tuple[float, str]]) -> list[str]:
    parts = []
    for place, label in y_ticks:
        y = room.bottom - place * (room.bottom - room.top)
        parts.append(f'<path class="a" d="M{room.left:.1f} {y:.1f}H{room.right:.1f}"/>')
        parts.append(f'<text x="{room.left - 6:.1f}" y="{y + 3.8:.1f}" text-anchor="end">{xml_text(label, 20)}</text>')
    for place, label in ticks(room.x, 9):
        x = room.left + place * (room.right - room.left)
        parts.append(f'<path class="a" d="M{x:.1f} {room.bottom:.1f}v4"/>')
        anchor, y = _anchor(place, label), room.bottom + 16
        parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{xml_text(label, 20)}</text>')
    parts.append(f'<path class="a" d="M{room.left:.1f} {room.bottom:.1f}H{room.right:.1f}"/>')
    label = xml_text(figure.x_label + (" (log)" if figure.log_x else ""), 80).strip()
    middle = (room.left + room.right) / 2
    parts.append(f'<text x="{middle:.1f}" y="{room.bottom + 32:.1f}" text-anchor="middle">{label}</text>')
    return parts


def _anchor(place: float, label: str) -> str:
    """Return how a tick's label lies: one that would stick out of the drawing ends at its tick."""
    return "middle" if place < 0.97 or CHARACTER * len(label) < 2 * EDGE else "end"


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


def _bands(s: _Series, room: _Room) -> Iterator[str]:
    """Yield the bands between `low` and `high`, stretch by stretch; points have error bars instead."""
    if s.line.low is None or s.faint:
        return
    edges = list(zip(s.line.x, s.line.y, *_edges(s.line), strict=False))
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


def _ends(room: _Room, x: float, y: float, low: float, high: float) -> Ends | None:
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


def _stroke(s: _Series, room: _Room, number: int) -> list[str]:
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
    return parts + [_marker(s, x, y) for x, y in marked]


def _marker(s: _Series, x: float, y: float) -> str:
    shape = s.slot % _MARKERS
    at = f"M{x:.1f} {y:.1f}"
    paths = (
        f"{at}m-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0Z",
        f"{at}m-3 -3h6v6h-6Z",
        f"{at}m0-4l4 7h-8Z",
        f"{at}m0-4.4l4.4 4.4l-4.4 4.4l-4.4-4.4Z",
        f"{at}m0 4l4-7h-8Z",
        f"{at}m-1.4-4.2h2.8v2.8h2.8v2.8h-2.8v2.8h-2.8v-2.8h-2.8v-2.8h2.8Z",
        f"{at}m-4-4l4 2l4-2l-2 4l2 4l-4-2l-4 2l2-4Z",
    )
    return f'<path class="m c{s.colour}" d="{paths[shape]}"/>'


def _ticks(s: _Series, happened: Iterable[Tick], room: _Room) -> Iterator[str]:
    """Yield what happened on a line: a ring around the point nearest to it, with the words for who points at it."""
    for tick in happened:
        if clean_text(tick.line, 80) != s.label or s.faint:
            continue
        near = [(abs(x - tick.x), point) for x, y in zip(s.line.x, s.line.y, strict=False) if (point := room.at(x, y))]
        if near:
            x, y = min(near)[1]
            words = xml_text(tick.label + (f" ({tick.count})" if tick.count > 1 else ""), 80)
            yield f'<circle class="l s{s.colour}" cx="{x:.1f}" cy="{y:.1f}" r="6"><title>{words}</title></circle>'


def _references(references: Iterable[Reference], room: _Room) -> tuple[list[str], list[str]]:
    """Return reference lines (to lie below the data) and their labels (above it), apart from each other."""
    lines: list[str] = []
    labels: list[str] = []
    taken: list[tuple[str, float]] = []
    for reference in references:
        axis = room.x if reference.axis == "x" else room.y
        place = axis.place(reference.value)
        if place is None or not -1e-6 <= place <= 1 + 1e-6:
            continue
        if reference.axis == "x":
            x = room.left + place * (room.right - room.left)
            lines.append(f'<path class="r" d="M{x:.1f} {room.top:.1f}V{room.bottom:.1f}"/>')
            anchor, at = ("start", x + 4) if place < 0.7 else ("end", x - 4)
            spots = [("x", room.top + 11 + 13 * i) for i in range(8)]
        else:
            y = room.bottom - place * (room.bottom - room.top)
            lines.append(f'<path class="r" d="M{room.left:.1f} {y:.1f}H{room.right:.1f}"/>')
            heights = [y - 4, y + 12] if y - 4 > room.top + 8 else [y + 12]
            spots = [(side, height) for side in ("end", "start") for height in heights]
            anchor, at = "", 0.0
        spot = next((s for s in spots if all(s[0] != k or abs(s[1] - t) >= 12 for k, t in taken)), spots[0])
        taken.append(spot)
        if not anchor:
            anchor, at = spot[0], (room.right - 3 if spot[0] == "end" else room.left + 5)
        text = xml_text(reference.label, 44)
        labels.append(f'<text class="h" x="{at:.1f}" y="{spot[1]:.1f}" text-anchor="{anchor}">{text}</text>')
    return lines, labels


def _legend(series: Sequence[_Series], top: float) -> tuple[list[str], float]:
    """Return the legend below a chart and where it ends."""
    parts: list[str] = []
    x, y = float(EDGE), top + 14
    shown = series if len(series) <= LEGEND else series[: LEGEND - 1]
    for s in shown:
        label = clean_text(s.label, 60)
        need = 20 + CHARACTER * len(label) + 12
        if x + need > WIDTH - EDGE and x > EDGE:
            x, y = float(EDGE), y + ROW
        mark = _marker(s, x + 8, y - 4)
        line = "" if s.line.points else f'<path class="l s{s.colour}" d="M{x:.1f} {y - 4:.1f}h16"/>'
        parts.append(f'{line}{mark}<text class="k" x="{x + 21:.1f}" y="{y:.1f}">{xml_text(label, 60)}</text>')
        x += need
    if len(shown) < len(series):
        if x + 60 > WIDTH - EDGE:
            x, y = float(EDGE), y + ROW
        parts.append(f'<text x="{x:.1f}" y="{y:.1f}">and {len(series) - len(shown)} more</text>')
    return parts, y + 6
