"""A matrix as coloured cells: numbers in them where they fit, two rows in one where they do not, a scale below."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from rich.style import Style
from textual.app import RenderResult
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from genlab_tui.axes import LARGEST
from genlab_tui.figure import HeatMap
from genlab_tui.shades import ends_of, fold, placed, shade
from genlab_tui.text import clean_text, human_number
from screens.ascii import RAMP, in_ascii
from screens.panels.cells import Cells, columns_of, shorten
from screens.panels.field import Scale, half_cells, paint_field


class HeatMapPanel(Widget):
    """A heat map with its labels and its scale."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"heat-map--title", "heat-map--rule", "heat-map--text"}
    DEFAULT_CSS = """
    HeatMapPanel { height: 1fr; width: 1fr; background: $background; color: $foreground; }
    HeatMapPanel > .heat-map--title { color: $foreground; text-style: bold; }
    HeatMapPanel > .heat-map--rule { color: $border; }
    HeatMapPanel > .heat-map--text { color: $foreground; }
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._map: HeatMap | None = None
        self._strips: list[Strip] | None = None

    @property
    def heat_map(self) -> HeatMap | None:
        """What is shown."""
        return self._map

    def draw(self, heat_map: HeatMap | None) -> None:
        """Show a heat map (the same one again costs nothing)."""
        if heat_map is not self._map:
            self._map, self._strips = heat_map, None
            self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = None

    def render(self) -> RenderResult:
        return ""

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if self._strips is None or len(self._strips) != height or self._strips[0].cell_length != width:
            cells = Cells(width, height)
            colours = paint(self._map, cells, ascii_only=in_ascii(self.app)) if width and height else set()
            self._strips = cells.strips(self._styles(colours), self.rich_style)
        return self._strips[y] if y < len(self._strips) else Strip.blank(width, self.rich_style)

    def _styles(self, colours: set[str]) -> dict[str, Style]:
        styles = {}
        for name in ("title", "rule", "text"):
            full = self.get_component_rich_style(f"heat-map--{name}", partial=True)
            styles[name] = Style(color=full.color, bold=full.bold, reverse=full.reverse)
        text = Color.from_rich_color(styles["text"].color)
        styles["tick"] = Style(color=self.background_colors[1].blend(text, 0.65).rich_color)
        return styles | {colour: Style(color=colour) for colour in colours}


def paint(heat_map: HeatMap | None, cells: Cells, *, ascii_only: bool = False) -> set[str]:
    """Paint a heat map into cells; return the colours that are used as keys of styles.

    With `ascii_only`, characters of more and more ink stand where no number fits.
    """
    width, height = cells.width, cells.height
    top = 0
    if height >= 3:
        cells.put(0, 0, "─" * width, "rule")
        title = clean_text(heat_map.title, 120) if heat_map else ""
        cells.put(0, 1, shorten(f" {title} ", width - 2) if title else "", "title")
        top = 1
    given = placed(heat_map.values, heat_map.log) if heat_map else []
    finite = [v for row in given for v in row if abs(v) < LARGEST]
    if heat_map is None or not finite:
        text = shorten("no data yet" if heat_map is None or not heat_map.values else "nothing that can be drawn", width)
        cells.put(top + (height - top) // 2, max((width - columns_of(text)) // 2, 0), text, "tick")
        return set()
    ends = ends_of(heat_map, finite)
    low, high = (_rounded(v, ends[1] - ends[0]) for v in ends)
    scale = Scale(low, high, heat_map.log)
    labelled = height - top >= 4 and width >= 16
    names = [clean_text(name, 24) for name in heat_map.y_ticks]
    left = min(max((columns_of(n) for n in names), default=0) + 1, width // 3) if labelled else 0
    rows, columns = height - top - (2 if labelled else 0), width - left
    if heat_map.smooth:
        colours = paint_field(heat_map, given, cells, (top, left), (rows, columns), scale, ascii_only=ascii_only)
        tall, wide = rows, columns
    else:
        colours, tall, wide = _matrix(given, cells, (top, left), (rows, columns), scale, ascii_only=ascii_only)
    if labelled:
        named: set[int] = set()  # where several rows share one, the first is named
        for name, place in zip(names, _centres(len(names), tall), strict=True):
            if place not in named:
                named.add(place)
                cells.put(top + place, 0, shorten(name, left - 1), "tick")
        _bottom(heat_map, cells, top + tall, left, wide, scale, ascii_only=ascii_only)
    return colours


def _matrix(
    given: list[list[float]],
    cells: Cells,
    at: tuple[int, int],
    room: tuple[int, int],
    scale: Scale,
    *,
    ascii_only: bool,
) -> tuple[set[str], int, int]:
    """Paint a matrix cell by cell; return the keys of styles, and how many rows and columns it takes."""
    (top, left), (rows, columns) = at, room
    values = fold(given, rows if ascii_only else 2 * rows, columns)
    halves = len(values) > rows
    if halves and len(values) % 2:
        values.append([math.nan] * len(values[0]))
    cell = max(min(columns // max(len(values[0]), 1), 9), 1)
    tall = 1 if halves else max(min(rows // len(values), cell // 2, 4), 1)
    colours: set[str] = set()
    for i, line in enumerate(values[:: 2 if halves else 1]):
        for j, value in enumerate(line):
            place = (top + i * tall, left + j * cell)
            if halves:
                half_cells(cells, place, cell, scale.colour(value), scale.colour(values[2 * i + 1][j]), colours)
            else:
                _full_cell(cells, place, (cell, tall), value, scale, colours, ascii_only=ascii_only)
    return colours, len(values) // (2 if halves else 1) * tall, cell * len(values[0])


ROUNDING = 1e-9
"""Values below this share of the range are what rounding left of 0, and read so."""


def _rounded(value: float, span: float) -> float:
    return 0.0 if abs(value) < ROUNDING * span else value


def _full_cell(
    cells: Cells,
    at: tuple[int, int],
    size: tuple[int, int],
    value: float,
    scale: Scale,
    colours: set[str],
    *,
    ascii_only: bool,
) -> None:
    colour, share = scale.colour(value), scale.share(value)
    wide, tall = size
    for row in range(at[0], min(at[0] + tall, cells.height)):
        for column in range(at[1], min(at[1] + wide, cells.width)):
            if colour:
                cells.tints[row, column] = colour
    value = scale.value(_rounded(value, scale.high - scale.low))
    text = human_number(value, 3) if colour else "×"
    if columns_of(text) > wide - (wide > 3):
        text = human_number(value, 2) if colour else "×"
    if columns_of(text) <= wide - (wide > 3) and (wide >= 3 or not colour):
        key = "tick" if not colour else "#000000" if Color.parse(colour).brightness > 0.5 else "#ffffff"
        if colour:
            colours.add(key)
        cells.put(at[0] + (tall - 1) // 2, at[1] + (wide - columns_of(text)) // 2, text, key)
    elif ascii_only and colour:
        ink = RAMP[round(share * (len(RAMP) - 1))]
        key = "#000000" if Color.parse(colour).brightness > 0.5 else "#ffffff"
        colours.add(key)
        for row in range(at[0], min(at[0] + tall, cells.height)):
            cells.put(row, at[1], ink * wide, key)


def _centres(count: int, length: int) -> list[int]:
    return [min(int((i + 0.5) * length / count), length - 1) for i in range(count)] if length else [0] * count


def _bottom(
    heat_map: HeatMap, cells: Cells, row: int, left: int, length: int, scale: Scale, *, ascii_only: bool
) -> None:
    """Write the labels of the columns where they fit, then axis names and the scale of colours."""
    free = left
    for name, place in zip(heat_map.x_ticks, _centres(len(heat_map.x_ticks), length), strict=True):
        name = clean_text(name, 12)
        start = max(left + place - columns_of(name) // 2, left)
        if start >= free and start + columns_of(name) <= cells.width:
            free = cells.put(row, start, name, "tick") + 1
    last = min(row + 1, cells.height - 1)
    low, high = (human_number(scale.value(v), 3) for v in (scale.low, scale.high))
    steps = 12 if cells.width >= 40 else 6
    start = cells.width - steps - columns_of(low) - columns_of(high) - 2
    axes = " × ".join(clean_text(label, 30) for label in (heat_map.y_label, heat_map.x_label) if label)
    axes = " · ".join(part for part in (heat_map.contours, axes) if part)
    cells.put(last, 0, shorten(axes, max(start - 1, 0)), "tick")
    start = cells.put(last, max(start, 0), low + " ", "tick")
    for i in range(steps):
        if start + i < cells.width:
            cells.tints[last, start + i] = shade(i / (steps - 1))
            if ascii_only:
                cells.put(last, start + i, RAMP[i * len(RAMP) // steps], "text")
    cells.put(last, start + steps, " " + high, "tick")
