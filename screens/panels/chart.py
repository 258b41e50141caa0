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
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from rich.style import Style
from textual.app import RenderResult
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from genlab_tui.colours import COLOURS, colour
from genlab_tui.figure import Figure
from screens.ascii import in_ascii, to_ascii
from screens.panels import plain
from screens.panels.cells import Cells
from screens.panels.crosshair import crosshair
from screens.panels.dots import lay
from screens.panels.frame import Frame
from screens.panels.paint import Plot, paint

if TYPE_CHECKING:
    from textual import events

EMPTY = "no data yet"
PICTURE_SIZE = (100, 28)
"""Cells of a picture of a chart, at least."""
_CODES = re.compile(r"\x1b\[([0-9;]*)m")
_FIRST = 32  # palette numbers below are plain ANSI colours
_KEYS = ("reference", *(f"line-{i}" for i in range(COLOURS)), *(f"faint-{i}" for i in range(COLOURS)))
_NUMBERS = {key: _FIRST + i for i, key in enumerate(_KEYS)}
_NAMES = {f"38;5;{number}": key for key, number in _NUMBERS.items()}
_KINDS: dict[type[Any], type[Any]] = {}


def warm_up() -> None:
    """Import plotext (0.2 s): call it in a thread before the first draw, so that no key waits for it."""
    import plotext  # noqa: F401


def _shared(mark: Any) -> Any:
    """Return a marker that is its own copy: plotext copies it for every point, a third of the time of a redraw."""
    kind = type(mark)
    if kind not in _KINDS:
        _KINDS[kind] = type(kind.__name__, (kind,), {"__copy__": lambda self: self})
    mark.__class__ = _KINDS[kind]
    return mark


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
    faint = [stroke for stroke in plot.strokes if stroke.key.startswith("faint")]
    for stroke in plot.strokes:
        if stroke.key.startswith("faint"):
            continue
        # A stroke's pieces are one signal: only the first point of a piece is not joined to the one before.
        joined = [point for piece in stroke.pieces for point in piece]
        mark = _shared(plotext.marker("braille", plotext.pixel(_NUMBERS[stroke.key])))
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
    lay(faint, cells, left, top, width, height)


def render_chart(
    figure: Figure, width: int, height: int, *, smooth: float = 0.0, ascii_only: bool = False
) -> list[str]:
    """Return a chart as lines of plain text, `width` x `height` cells. On the UI thread only."""
    cells = Cells(width, height)
    paint(Frame(figure, smooth), cells, plain.raster if ascii_only else raster, EMPTY, ())
    lines = ["".join(row) for row in cells.text]
    return [to_ascii(line) for line in lines] if ascii_only else lines


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
        self._window: tuple[float, float] | None = None
        self._cursor: float | None = None
        self._nothing = EMPTY
        self._painted: Cells | None = None
        self._shown: Cells | None = None
        self._looks: tuple[object, ...] = ()
        self._strips: list[Strip] | None = None

    @property
    def figure(self) -> Figure | None:
        """What is shown."""
        return self._figure

    def draw(
        self,
        figure: Figure | None,
        *,
        smooth: float = 0.0,
        slots: Mapping[str, int] | None = None,
        window: tuple[float, float] | None = None,
        cursor: float | None = None,
        nothing: str = EMPTY,
    ) -> None:
        """Show a figure (the same one again costs nothing). `smooth` is the weight of the past, 0 to below 1.

        `slots` gives labels the number of their colour and marker; they are then left out of the chart's own legend.
        `window` is the part of the x axis to show; at `cursor`, a value of x, the values of the lines are told.
        `nothing` stands where there is no line to show.
        """
        slots = slots or {}
        same = figure is self._figure and (smooth, slots, window) == (self._smooth, self._slots, self._window)
        same = same and nothing == self._nothing
        if same and cursor == self._cursor:
            return
        self._cursor, self._nothing = cursor, nothing
        if not same:
            self._figure, self._smooth, self._slots, self._window = figure, smooth, slots, window
            self._plan = self._painted = None
        old, before, self._strips = self._strips, self._shown, None
        if old is None or not self.is_mounted or not self.size or not self.visible_on_screen:
            self.refresh()
            return
        self._strips = self._build()
        if before is None or self._shown is None or (before.width, before.height) != tuple(self.size):
            self.refresh()
        elif spans := self._shown.changes(before):
            self.refresh(*(Region(column, row, size, 1) for row, column, size in spans))

    @property
    def empty(self) -> str:
        """Why there is no line to see, in a few words; empty where there is one."""
        plan = self._plan or Frame(self._figure, self._smooth, self._slots, self._window)
        return self._nothing if plan.empty else ""

    @property
    def visible_on_screen(self) -> bool:
        """Whether drawing now would be seen."""
        return self.screen.is_current and self.display

    @property
    def columns(self) -> int:
        """How many columns there are between the ends of the x axis; 0 before the first drawing."""
        return self._plan.area[2] if self._plan else 0

    def value_at(self, column: int) -> float | None:
        """Return the x value in the middle of a column of the widget; None where there are no lines."""
        plan = self._plan
        if plan is None or plan.empty or not 0 <= column - plan.area[0] < plan.area[2]:
            return None
        drawn = plan.x_axis.low + (column - plan.area[0] + 0.5) / plan.area[2] * plan.x_axis.span
        return float(10.0**drawn) if plan.log_x else drawn

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = None

    def on_resize(self, event: events.Resize) -> None:
        self._strips = self._painted = None

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
        dark = self.app.current_theme.dark
        ground = self._ground
        if self._plan is None:
            self._plan = Frame(self._figure, self._smooth, self._slots, self._window)
        ascii_only = in_ascii(self.app)
        tinted = self.app.console.color_system in ("256", "truecolor") and not ascii_only
        tints = _tints(ground, dark) if tinted else ()
        looks = (width, height, ascii_only, tints)
        if self._painted is None or self._looks != looks:  # a change of focus alone paints nothing anew
            self._painted, self._looks = Cells(width, height), looks
            if width and height:
                paint(self._plan, self._painted, plain.raster if ascii_only else raster, self._nothing, tints)
        cells = self._painted
        if self._cursor is not None and width and height:
            # The lines stay as they were painted: moving the cursor costs next to nothing.
            cells = cells.copy()
            crosshair(self._plan, cells, self._cursor, self._cursor_tint(ground))
        self._shown = cells
        return cells.strips(self._styles(ground, dark), self.rich_style)

    def as_picture(self) -> list[Strip]:
        """Return the chart so that it can stand alone: large enough, with a legend of its own, without a focus."""
        dark, ground = self.app.current_theme.dark, self._ground
        plan = Frame(self._figure, self._smooth, self._slots, self._window)
        plan.known = {}
        cells = Cells(max(self.size.width, PICTURE_SIZE[0]), max(self.size.height, PICTURE_SIZE[1]))
        paint(plan, cells, raster, self._nothing, _tints(ground, dark))
        if self._cursor is not None:
            crosshair(plan, cells, self._cursor, self._cursor_tint(ground))
        styles = self._styles(ground, dark)
        plain_title = {"title": styles["text"] + Style(bold=True), "rule": styles["tick"]}
        return cells.strips(styles | plain_title, self.rich_style)

    @property
    def _ground(self) -> Color:
        back = self.rich_style.bgcolor
        return Color.from_rich_color(back) if back else self.background_colors[1]

    def _cursor_tint(self, ground: Color) -> str:
        """The background of the cursor's column; empty where there are too few colours for one."""
        if self.app.console.color_system not in ("256", "truecolor") or in_ascii(self.app):
            return ""
        text = self.get_component_rich_style("chart--text", partial=True).color
        return ground.blend(Color.from_rich_color(text), 0.3).hex6

    def _styles(self, ground: Color, dark: bool) -> dict[str, Style]:
        names = ("title", "rule", "text")
        styles = {name: _front(self.get_component_rich_style(f"chart--{name}", partial=True)) for name in names}
        text = Color.from_rich_color(styles["text"].color)
        quiet = Style(color=ground.blend(text, 0.65).rich_color)
        styles |= {"tick": quiet, "reference": quiet, "note": quiet + Style(italic=True)}
        styles["ground"] = Style(color=ground.rich_color)
        return styles | _line_styles(ground, dark)


def _front(style: Style) -> Style:
    """A component's style without its background: that is the chart's."""
    return Style(color=style.color, bold=style.bold, italic=style.italic, reverse=style.reverse, dim=style.dim)


@lru_cache(maxsize=8)
def _line_styles(ground: Color, dark: bool) -> dict[str, Style]:
    """The styles of the lines of every colour, of what is faint beside them, and of the edges of their bands."""
    styles = {}
    for i in range(COLOURS):
        line = Color.parse(colour(i, dark=dark))
        styles[f"line-{i}"] = Style(color=line.rich_color)
        styles[f"faint-{i}"] = Style(color=ground.blend(line, 0.45).rich_color)
        styles[f"tint-{i}"] = Style(color=_tints(ground, dark)[i])
    return styles


@lru_cache(maxsize=8)
def _tints(ground: Color, dark: bool) -> Sequence[str]:
    """The background of the bands of every colour."""
    return tuple(ground.blend(Color.parse(colour(i, dark=dark)), 0.28 if dark else 0.2).hex6 for i in range(COLOURS))
