"""A chart, or the whole screen, as a picture in the lab's exports folder: SVG, drawn from what the terminal shows."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.console import Console
from rich.segment import Segment, Segments
from rich.terminal_theme import TerminalTheme
from textual.binding import Binding
from textual.strip import Strip

from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab
from genlab_tui.safe_io import make_private_dir
from genlab_tui.text import clean_text, slug
from screens.batch import written
from screens.panels.chart import Chart
from screens.panels.heatmap import HeatMapPanel

if TYPE_CHECKING:
    from textual.app import App

    from screens.base import GenlabApi

PICTURE = Binding(
    "P", "picture", "picture", show=False, tooltip="Write the chart as a picture (SVG) into the lab's exports folder"
)
FONTS = "DejaVu Sans Mono, Menlo, Consolas, monospace"
ADVANCE = 0.602
"""The width of a character of these fonts, for viewers that do not stretch text to its place."""
_FROM_ELSEWHERE = re.compile(r"\s*(@font-face\s*\{[^}]*\}|<!--.*?-->)", re.DOTALL)

_BLANKS = re.compile("(^ +| {2,})")


def take(genlab: GenlabApi, widget: Chart | HeatMapPanel, about: str) -> None:
    """Write what a chart or heat map shows; `about` begins the file's name."""
    width, height = widget.size
    shown = widget.heat_map if isinstance(widget, HeatMapPanel) else widget.figure
    empty = widget.empty if isinstance(widget, Chart) else ""
    if not width or not height or shown is None or empty:
        genlab.say(f"there is no chart here{f': {empty}' if empty else ' yet'}", severity="warning")
        return
    title = clean_text(shown.title, 80)
    strips = widget.as_picture() if isinstance(widget, Chart) else [widget.render_line(row) for row in range(height)]
    dark = widget.app.current_theme.dark
    stem = f"{slug(clean_text(about).replace('.', '-'), 60)}-{slug(title.replace('.', '-'), 40)}"

    def write(lab: Lab) -> Path:
        return save(lab, svg(strips, strips[0].cell_length, title, dark=dark), stem)

    genlab.act("write the picture", write, genlab.lab, then=lambda path: genlab.say(written([path]), title="picture"))


def take_screen(app: App[object]) -> None:
    """Write what the whole screen shows."""
    genlab = cast("GenlabApi", app)
    drawn = without_web_fonts(app.export_screenshot())
    genlab.act(
        "write the picture",
        lambda lab: save(lab, drawn, f"screen-{slug(str(app.current_mode), 20)}"),
        genlab.lab,
        then=lambda path: genlab.say(written([path]), title="picture of the screen"),
    )


def svg(strips: Sequence[Strip], width: int, title: str, *, dark: bool) -> str:
    """Return rows of cells as an SVG document that needs nothing from elsewhere."""
    console = Console(
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        highlight=False,
    )
    segments: list[Segment] = []
    for strip in strips:
        # Blanks apart: some viewers drop those that a text begins with, and put the rest in the wrong place.
        segments += [Segment(t, s.style) for s in strip if not s.control for t in _BLANKS.split(s.text) if t]
        segments.append(Segment.line())
    console.print(Segments(segments), end="")
    back: tuple[int, int, int]
    back, front = ((18, 18, 18), (224, 224, 224)) if dark else ((250, 250, 250), (32, 32, 32))
    first = next((s.style.bgcolor for s in segments if s.style and s.style.bgcolor), None)
    if first is not None and not first.is_default:
        back = first.get_truecolor()
    theme = TerminalTheme(back, front, [(0, 0, 0)] * 8)
    document = console.export_svg(
        title=title, theme=theme, unique_id=f"genlab-{slug(title, 30)}", font_aspect_ratio=ADVANCE
    )
    return without_web_fonts(document)


def without_web_fonts(document: str) -> str:
    """Take the web fonts out of a picture: it shows the same without a network."""
    return _FROM_ELSEWHERE.sub("", document).replace("Fira Code, monospace", FONTS).replace("Fira Code", FONTS)


def save(lab: Lab, document: str, stem: str) -> Path:
    """Write a picture under a free name into the exports folder and return its path. Raises GenlabError, OSError."""
    make_private_dir(lab.exports)
    for number in range(1, 10_000):
        path = lab.exports / (f"{stem}.svg" if number == 1 else f"{stem}-{number}.svg")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(document)
        except FileExistsError:
            continue
        path.chmod(0o600)
        return path
    raise GenlabError(f"{lab.exports} is full of pictures of this name", "remove some")
