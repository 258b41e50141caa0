"""The chart widget: a Figure drawn with plotext. The only module that imports it.

plotext draws the canvas (lines, points, reference lines in braille) and nothing else, because of what version 6.1 does:
- one NaN aborts the process and one infinity raises, so it gets whole numbers only: places on the canvas' grid of dots;
  log axes, gaps and thinning are done before (`series.py`), and no value, however odd, can reach it;
- labels pass escape codes through and automatic ticks fall on values like 0.333: frame, ticks and legend are ours;
- the figure is one per process: it is cleared, drawn and built here in one go, on the UI thread;
- colours are given as palette numbers that stand for our styles, so the output is read back with one regular
  expression (0.3 ms where `Text.from_ansi` takes 4 ms) and a change of theme is a change of styles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rich.style import Style
from textual.app import RenderResult
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from genlab_tui.figure import Figure
from screens.panels.cells import Cells
from screens.panels.colours import COLOURS, colour
from screens.panels.frame import Frame
from screens.panels.paint import Plot, paint

if TYPE_CHECKING:
    from textual import events

EMPTY = "no data yet"
_CODES = re.compile(r"\x1b\[([0-9;]*)m")
_FIRST = 32  # palette numbers below are plain ANSI colours
_KEYS = ("reference", *(f"line-{i}" for i in range(COLOURS)), *(f"faint-{i}" for i in range(COLOURS)))
_NUMBERS = {key: _FIRST + i for i, key in enumerate(_KEYS)}
_NAMES = {f"38;5;{number}": key for key, number in _NUMBERS.items()}


def warm_up() -> None:
    """Import plotext (0.2 s): call it in a thread before the first draw, so that no key waits for it."""
    import plotext  # noqa: F401


def raster(plot: Plot, cells: Cells, left: int, top: int, width: int, height: int) -> None:
    """Draw lines, points and reference lines of a plot into a rectangle of cells. On the UI thread only."""
    import plotext

    figure: Any = plotext.figure
    figure.clear()
    plotext.terminal.limit(False, False)
    figure.plot_size(width, height)
    figure.canvas("default")
    figure.axes(False)
    figure.legend(False)
    figure.ruler("both", "both").frequency(0)
    figure.ruler("x", 0).lim(0, 2 * width)
    figure.ruler("y", 0).lim(0, 4 * height)
    figure.ruler("both", 0).alignment(lim="edge")
    for place, vertical in plot.references:
        dots = int(place * (2 * width if vertical else 4 * height)) + 0.5
        figure.line(dots, int(vertical), pixel=plotext.pixel(_NUMBERS["reference"]), style="dotted")
    # `draw` reads the colour of every point back for plotext's own cycle of colours: half of the time of a redraw.
    draw = getattr(getattr(figure, "_signals", None), "_add", figure.draw)
    for stroke in plot.strokes:
        # A stroke's pieces are one signal: only the first point of a piece is not joined to the one before.
        joined = [point for piece in stroke.pieces for point in piece]
        mark = plotext.marker("braille", plotext.pixel(_NUMBERS[stroke.key]))
        signal = figure.signal([x + 0.5 for x, _ in joined], [y + 0.5 for _, y in joined], marker=mark)
        if stroke.joined:
            signal.lines()
            start = 0
            for piece in stroke.pieces:
                signal.line(start, False)
                start += len(piece)
        draw(signal)
    for row, line in enumerate(figure.build().string().split("\n")[:height]):
        column, key = left, ""
        for i, part in enumerate(_CODES.split(line)):
            if i % 2:
                key = _NAMES.get(part, "")
            elif part:
                column = cells.put(top + row, column, part, key)


def render_chart(figure: Figure, width: int, height: int, *, smooth: float = 0.0) -> list[str]:
    """Return a chart as lines of plain text, `width` x `height` cells. On the UI thread only."""
    cells = Cells(width, height)
    paint(Frame(figure, smooth), cells, raster, EMPTY, ())
    return ["".join(row) for row in cells.text]


class Chart(Widget):
    """A chart of a Figure. `draw` shows another one; only rows that look different are sent to the terminal."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--title",
        "chart--rule",
        "chart--text",
    }
    DEFAULT_CSS = """
    Chart { height: 1fr; width: 1fr; background: $background; color: $foreground; }
    Chart > .chart--title { color: $foreground; text-style: bold; }
    Chart > .chart--rule { color: $border; }
    Chart > .chart--text { color: $foreground; }
    Chart:focus > .chart--title { color: $text-primary; text-style: bold reverse; }
    Chart:focus > .chart--rule { color: $primary; }
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._figure: Figure | None = None
        self._plan: Frame | None = None
        self._smooth = 0.0
        self._slots: Mapping[str, int] = {}
        self._strips: list[Strip] | None = None

    @property
    def figure(self) -> Figure | None:
        """What is shown."""
        return self._figure

    def draw(self, figure: Figure | None, *, smooth: float = 0.0, slots: Mapping[str, int] | None = None) -> None:
        """Show a figure (the same one again costs nothing). `smooth` is the weight of the past, 0 to below 1.

        `slots` gives labels the number of their colour and marker; they are then left out of the chart's own legend.
        """
        slots = slots or {}
        if figure is self._figure and smooth == self._smooth and slots == self._slots:
            return
        self._figure, self._smooth, self._slots, self._plan = figure, smooth, slots, None
        old, self._strips = self._strips, None
        if old is None or not self.is_mounted or not self.size or not self.visible_on_screen:
            self.refresh()
            return
        self._strips = self._build()
        rows = [i for i, (a, b) in enumerate(zip(old, self._strips, strict=False)) if a != b]
        if len(old) != len(self._strips):
            self.refresh()
        elif rows:
            self.refresh(*(Region(0, row, self.size.width, 1) for row in rows))

    @property
    def visible_on_screen(self) -> bool:
        """Whether drawing now would be seen."""
        return self.screen.is_current and self.display

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = None

    def on_resize(self, event: events.Resize) -> None:
        self._strips = None

    def render(self) -> RenderResult:
        return ""

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if self._strips is None or len(self._strips) != height:
            self._strips = self._build()
        if y >= len(self._strips):
            return Strip.blank(width, self.rich_style)
        return self._strips[y].adjust_cell_length(width, self.rich_style)

    def _build(self) -> list[Strip]:
        width, height = self.size
        cells = Cells(width, height)
        dark = self.app.current_theme.dark
        ground = (
            Color.from_rich_color(self.rich_style.bgcolor) if self.rich_style.bgcolor else self.background_colors[1]
        )
        if width and height:
            if self._plan is None:
                self._plan = Frame(self._figure, self._smooth, self._slots)
            tints = self.app.console.color_system in ("256", "truecolor")
            paint(self._plan, cells, raster, EMPTY, _tints(ground, dark) if tints else ())
        return cells.strips(self._styles(ground, dark), self.rich_style)

    def _styles(self, ground: Color, dark: bool) -> dict[str, Style]:
        names = ("title", "rule", "text")
        styles = {name: _front(self.get_component_rich_style(f"chart--{name}", partial=True)) for name in names}
        text = Color.from_rich_color(styles["text"].color)
        quiet = Style(color=ground.blend(text, 0.65).rich_color)
        styles |= {"tick": quiet, "reference": quiet, "note": quiet + Style(italic=True)}
        styles["ground"] = Style(color=ground.rich_color)
        for i in range(COLOURS):
            line = Color.parse(colour(i, dark=dark))
            styles[f"line-{i}"] = Style(color=line.rich_color)
            styles[f"faint-{i}"] = Style(color=ground.blend(line, 0.45).rich_color)
            styles[f"tint-{i}"] = Style(color=_tints(ground, dark)[i])
        return styles


def _front(style: Style) -> Style:
    """A component's style without its background: that is the chart's."""
    return Style(color=style.color, bold=style.bold, italic=style.italic, reverse=style.reverse, dim=style.dim)


def _tints(ground: Color, dark: bool) -> Sequence[str]:
    """The background of the bands of every colour."""
    return tuple(ground.blend(Color.parse(colour(i, dark=dark)), 0.28 if dark else 0.2).hex6 for i in range(COLOURS))
