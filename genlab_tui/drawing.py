"""A figure as SVG: lines, bands, points, references, heat maps; log axes, a legend, light and dark. Pure.

The same description as on the screens, with the same axes, colours and order of lines, and a marker a line as the
second cue. Nothing in it runs or loads anything, and every text from outside is cleaned and escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from genlab_tui.axes import LARGEST, Axis, make_axis, stops, ticks
from genlab_tui.figure import MEMBER, Figure, HeatMap, Line, Reference
from genlab_tui.heat_drawing import heat_map
from genlab_tui.strokes import Room, Series, bands, edges_of, marker, rings, stroke
from genlab_tui.svg import CHARACTER, EDGE, HEIGHT, ROW, WIDTH, note_lines, style, xml_text
from genlab_tui.text import clean_text

LEGEND = 24
"""So many lines are named at most; the rest is counted."""


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


def _chart(figure: Figure, titled: bool) -> tuple[list[str], float]:
    series = list(_series(figure.lines))
    x_axis, y_axis = _axes(figure)
    y_ticks = ticks(y_axis, 7)
    left = EDGE + 8 + CHARACTER * max((len(label) for _, label in y_ticks), default=0)
    top = 30.0 if titled or figure.y_label else 12.0
    room = Room(left, top, WIDTH - EDGE - 6, HEIGHT - 40.0, x_axis, y_axis)
    parts = _header(figure, titled, room) + _frame(figure, room, y_ticks)
    drawable = any(room.at(x, y) for s in series for x, y in zip(s.line.x, s.line.y, strict=False))
    if not drawable:
        words = "nothing that can be drawn" if any(len(s.line.x) for s in series) else "no data yet"
        middle = (room.left + room.right) / 2, (room.top + room.bottom) / 2
        parts.append(f'<text class="n" x="{middle[0]:.1f}" y="{middle[1]:.1f}" text-anchor="middle">{words}</text>')
    parts += [band for s in series for band in bands(s, room)]
    marks, labels = _references(figure.references, room)
    parts += marks
    for number, s in enumerate(series):
        parts += stroke(s, room, number)
    parts += [mark for s in series for mark in rings(s, figure.ticks, room)] + labels
    named = [s for s in series if not s.faint and s.label]
    rows, height = _legend(named, HEIGHT - 4.0) if len(named) > 1 else ([], HEIGHT - 4.0)
    notes, height = note_lines(figure.note, height + 12)
    return parts + rows + notes, height - 4


def _series(lines: Iterable[Line]) -> Iterator[Series]:
    slots: dict[str, int] = {}
    for line in lines:
        label = clean_text(line.label, 80)
        base, _, seed = label.rpartition(MEMBER)
        faint = base in slots and seed.isdigit()
        free = max(slots.values(), default=-1) + 1 if line.slot is None else line.slot
        yield Series(line, label, slots[base] if faint else slots.setdefault(label, free), faint)


def _axes(figure: Figure) -> tuple[Axis, Axis]:
    xs = [r.value for r in figure.references if r.axis == "x"]
    ys = [r.value for r in figure.references if r.axis != "x"]
    few = False
    for line in figure.lines:
        few = few or line.points or len(line.x) <= 12
        for x, y, low, high in zip(line.x, line.y, *edges_of(line), strict=False):
            if _good(x, figure.log_x) and _good(y, figure.log_y):
                xs.append(x)
                # A band that reaches below 0 on a log axis ends at the axis, instead of stretching it for ever.
                ys += [y, *(v for v in (low, high) if _good(v, figure.log_y))]
    return make_axis(xs, log=figure.log_x, pad=0.03 if few else 0.0), make_axis(ys, log=figure.log_y, pad=0.06)


def _good(value: float, log: bool) -> bool:
    return abs(value) < LARGEST and (value > 0 or not log)


def _header(figure: Figure, titled: bool, room: Room) -> list[str]:
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


def _frame(figure: Figure, room: Room, y_ticks: Sequence[tuple[float, str]]) -> list[str]:
    parts = []
    for place, label in y_ticks:
        y = room.bottom - place * (room.bottom - room.top)
        parts.append(f'<path class="a" d="M{room.left:.1f} {y:.1f}H{room.right:.1f}"/>')
        parts.append(f'<text x="{room.left - 6:.1f}" y="{y + 3.8:.1f}" text-anchor="end">{xml_text(label, 20)}</text>')
    last = -1.0
    for place, label in ticks(room.x, 9, stops((line.x for line in figure.lines if not line.points), log=figure.log_x)):
        x = room.left + place * (room.right - room.left)
        parts.append(f'<path class="a" d="M{x:.1f} {room.bottom:.1f}v4"/>')
        if x - CHARACTER * len(label) / 2 < last:
            continue
        last = x + CHARACTER * (len(label) / 2 + 0.5)
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


def _references(references: Iterable[Reference], room: Room) -> tuple[list[str], list[str]]:
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


def _legend(series: Sequence[Series], top: float) -> tuple[list[str], float]:
    """Return the legend below a chart and where it ends."""
    parts: list[str] = []
    x, y = float(EDGE), top + 14
    shown = series if len(series) <= LEGEND else series[: LEGEND - 1]
    for s in shown:
        label = clean_text(s.label, 60)
        need = 20 + CHARACTER * len(label) + 12
        if x + need > WIDTH - EDGE and x > EDGE:
            x, y = float(EDGE), y + ROW
        mark = marker(s, x + 8, y - 4)
        line = "" if s.line.points else f'<path class="l s{s.colour}" d="M{x:.1f} {y - 4:.1f}h16"/>'
        parts.append(f'{line}{mark}<text class="k" x="{x + 21:.1f}" y="{y:.1f}">{xml_text(label, 60)}</text>')
        x += need
    if len(shown) < len(series):
        if x + 60 > WIDTH - EDGE:
            x, y = float(EDGE), y + ROW
        parts.append(f'<text x="{x:.1f}" y="{y:.1f}">and {len(series) - len(shown)} more</text>')
    return parts, y + 6
