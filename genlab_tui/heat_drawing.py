"""A heat map as parts of an SVG: cells with their numbers where they fit, ticks, the scale of colours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from genlab_tui.axes import LARGEST
from genlab_tui.figure import HeatMap
from genlab_tui.shades import contour, ends_of, fold, is_light, placed, shade
from genlab_tui.svg import CHARACTER, EDGE, WIDTH, note_lines, xml_text
from genlab_tui.text import clean_text, human_number

CELLS = 64
"""Rows and columns at most; larger matrices are folded into means of neighbours."""


def heat_map(heat: HeatMap, titled: bool) -> tuple[list[str], float]:
    """Return the parts of a heat map, and how high it is."""
    values = fold(placed(heat.values, heat.log), CELLS, CELLS)
    rows, columns = len(values), max((len(line) for line in values), default=0)
    finite = [v for line in values for v in line if abs(v) < LARGEST]
    parts = [f'<text class="t" x="{EDGE}" y="18">{xml_text(heat.title, 90)}</text>'] if titled else []
    if not finite or not columns:
        words = "nothing that can be drawn" if rows else "no data yet"
        return [*parts, f'<text class="n" x="{WIDTH / 2}" y="60" text-anchor="middle">{words}</text>'], 90
    low, high = ends_of(heat, finite)
    names = [clean_text(name, 28) for name in heat.y_ticks]
    left = EDGE + 8 + CHARACTER * max((len(name) for name in names), default=0)
    top = 30.0
    wide = min((WIDTH - EDGE - left) / columns, 90.0)
    tall = min(max((480.0 if heat.smooth else 320.0) / rows, 5.0), 30.0)
    for i, line in enumerate(values):
        for j, value in enumerate(line):
            parts.append(_cell(value, (low, high), (left + j * wide, top + i * tall), (wide, tall), heat))
    parts += _lines(heat, values, (left, top), (wide, tall))
    bottom = top + rows * tall
    for i, name in _spread(names, tall * rows, 12):
        parts.append(
            f'<text x="{left - 6:.1f}" y="{top + (i + 0.5) * tall * rows / len(names) + 3.8:.1f}" '
            f'text-anchor="end">{xml_text(name, 28)}</text>'
        )
    labels = [clean_text(name, 14) for name in heat.x_ticks]
    room = wide * columns
    for i, name in _spread(labels, room, CHARACTER * max((len(n) for n in labels), default=0) + 8):
        x = left + (i + 0.5) * room / len(labels)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14:.1f}" text-anchor="middle">{xml_text(name, 14)}</text>')
    parts += _scale(heat, (low, high), left, bottom + 34)
    notes, end = note_lines(heat.note, bottom + 52)
    return parts + notes, end - 4


def _lines(
    heat: HeatMap, values: Sequence[Sequence[float]], at: tuple[float, float], size: tuple[float, float]
) -> Iterator[str]:
    """Yield the contours and the path of a field, white on a dark edge: seen on every colour."""
    if not heat.smooth:
        return
    rows, columns = len(heat.values), max(len(line) for line in heat.values)

    def place(x: float, y: float) -> str:
        return f"{at[0] + (x + 0.5) * size[0]:.1f} {at[1] + (y + 0.5) * size[1]:.1f}"

    drawn = []
    for number, level in enumerate(heat.levels):
        if level > 0 or not heat.log:
            found = contour(values, math.log10(level) if heat.log else level)
            dashes = "stroke-dasharray:2 4" if number else ""
            drawn.append((" ".join(f"M{place(*start)}L{place(*end)}" for start, end in found), dashes))
    given = [(x, y) for x, y in heat.path if -0.5 <= x <= columns - 0.5 and -0.5 <= y <= rows - 0.5]
    inside = [(_folded(x, columns), _folded(y, rows)) for x, y in given]
    if inside:
        drawn.append(("M" + "L".join(place(*step) for step in inside), ""))
    for data, dashes in drawn:
        if data:
            yield f'<path d="{data}" style="fill:none;stroke:#000;stroke-width:2.4;stroke-opacity:0.6;{dashes}"/>'
            yield f'<path d="{data}" style="fill:none;stroke:#fff;stroke-width:1;{dashes}"/>'
    for step in inside:
        x, y = place(*step).split()
        yield f'<circle cx="{x}" cy="{y}" r="2.2" style="fill:#fff;stroke:#000;stroke-width:0.6"/>'


def _folded(place: float, count: int) -> float:
    """Return a place among `count` rows or columns in units of the cells drawn, the last of which may hold fewer."""
    each = -(-count // CELLS)
    cell = min(int((place + 0.5) / each), (count - 1) // each)
    return cell + (place + 0.5 - cell * each) / min(each, count - cell * each) - 0.5


def _cell(
    value: float, limits: tuple[float, float], at: tuple[float, float], size: tuple[float, float], heat: HeatMap
) -> str:
    low, high = limits
    (x, y), (wide, tall) = at, size
    if not abs(value) < LARGEST:
        return f'<text x="{x + wide / 2:.1f}" y="{y + tall / 2 + 4:.1f}" text-anchor="middle">×</text>'
    colour = shade(value / (high - low) - low / (high - low)) if high > low else shade(0.5)
    box = f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide + 0.3:.1f}" height="{tall + 0.3:.1f}" style="fill:{colour}"/>'
    text = _number(value, limits, heat)
    if heat.smooth or tall < 13 or CHARACTER * len(text) > wide - 4:
        return box
    ink = "#000" if is_light(colour) else "#fff"
    return (
        f'{box}<text x="{x + wide / 2:.1f}" y="{y + tall / 2 + 3.8:.1f}" text-anchor="middle" '
        f'style="fill:{ink}">{xml_text(text, 12)}</text>'
    )


def _number(place: float, limits: tuple[float, float], heat: HeatMap) -> str:
    """Return the value at a place of the scale as text; what rounding left of 0 reads so."""
    if heat.log:
        return human_number(10**place, 3) if place < 300 else f"1e{place:.0f}"
    return human_number(0.0 if abs(place) < 1e-9 * (limits[1] - limits[0]) else place, 3)


def _spread(names: Sequence[str], room: float, need: float) -> Iterator[tuple[int, str]]:
    """Yield as many names as have room, evenly."""
    stride = max(math.ceil(len(names) * need / max(room, 1.0)), 1)
    for i in range(0, len(names), stride):
        yield i, names[i]


def _scale(heat: HeatMap, limits: tuple[float, float], left: float, y: float) -> list[str]:
    """Return the axis names and the scale of colours below a heat map."""
    axes = " × ".join(label for label in (heat.y_label, heat.x_label) if label)
    axes = " · ".join(part for part in (heat.contours, axes) if part)
    low, high = (_number(value, limits, heat) for value in limits)
    end = WIDTH - EDGE - CHARACTER * len(high)
    start = end - 128
    parts = [f'<text x="{left:.1f}" y="{y:.1f}">{xml_text(axes, 70)}</text>']
    parts.append(f'<text x="{start - 6:.1f}" y="{y:.1f}" text-anchor="end">{xml_text(low, 12)}</text>')
    for i in range(32):
        colour = shade(i / 31)
        parts.append(f'<rect x="{start + 4 * i:.1f}" y="{y - 9:.1f}" width="4.3" height="11" style="fill:{colour}"/>')
    parts.append(f'<text x="{end + 6:.1f}" y="{y:.1f}">{xml_text(high, 12)}</text>')
    return parts
