"""What the drawings share: their size, their style sheet for light, dark and paper, and safe text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape

from genlab_tui.colours import COLOURS, DARK, LIGHT
from genlab_tui.text import clean_text

WIDTH, HEIGHT = 720, 300
"""Size of a drawing without its legend, in pixels."""
EDGE, ROW, CHARACTER = 14, 16, 6.4
"""Pixels of the margin, of a row of text, and of a character, as wide as they usually are."""

_LIGHT = {"ground": "#ffffff", "text": "#1c2024", "quiet": "#5b6470", "rule": "#d5dae0"}
_DARK = {"ground": "#15181c", "text": "#e6e8eb", "quiet": "#9aa4b0", "rule": "#343b44"}


def style(scope: str = "svg.chart") -> str:
    """Return the style sheet of all drawings; a page that has it once leaves it out of each (`standalone=False`)."""
    lines = [
        f"{scope}{{font:11px system-ui,'DejaVu Sans',sans-serif;background:var(--ground);{_variables(_LIGHT, LIGHT)}}}",
        f"@media (prefers-color-scheme:dark){{{scope}{{{_variables(_DARK, DARK)}}}}}",
        f"@media print{{{scope}{{{_variables(_LIGHT, LIGHT)}}}}}",
        f"{scope} text{{fill:var(--quiet)}}{scope} .t{{fill:var(--text);font-weight:600;font-size:12.5px}}",
        f"{scope} .k{{fill:var(--text)}}{scope} .n{{font-style:italic}}{scope} .g{{fill:var(--ground)}}",
        f"{scope} rect{{shape-rendering:crispEdges}}",
        f"{scope} .a{{stroke:var(--rule);fill:none}}{scope} .r{{stroke:var(--quiet);fill:none;stroke-dasharray:5 4}}",
        f"{scope} .h{{stroke:var(--ground);stroke-width:3;paint-order:stroke;stroke-linejoin:round}}",
        f"{scope} .l{{fill:none;stroke-width:1.8;stroke-linejoin:round}}{scope} .f{{opacity:.3;stroke-width:1}}",
        f"{scope} .b{{stroke:none;fill-opacity:.16}}{scope} .m{{stroke:var(--ground);stroke-width:.8}}",
        f"{scope} .o{{fill:var(--ground);stroke-width:1.3}}",
    ]
    lines += [f"{scope} .s{i}{{stroke:var(--c{i})}}{scope} .c{i}{{fill:var(--c{i})}}" for i in range(COLOURS)]
    return "\n".join(lines)


def _variables(tones: dict[str, str], lines: Sequence[str]) -> str:
    named = {f"--{name}": colour for name, colour in tones.items()}
    named |= {f"--c{i}": colour for i, colour in enumerate(lines)}
    return ";".join(f"{name}:{colour}" for name, colour in named.items())


def note_lines(note: str, y: float) -> tuple[list[str], float]:
    """Return a note as lines of text from a height on, and the height below them."""
    lines = textwrap.wrap(clean_text(note, 600), 112, max_lines=4, placeholder="…")
    parts = [
        f'<text class="n" x="{EDGE}" y="{y + ROW * i:.1f}">{xml_text(line, 200)}</text>' for i, line in enumerate(lines)
    ]
    return parts, y + ROW * len(lines)


def xml_text(text: str, limit: int) -> str:
    """Return outside text for XML: cleaned of controls, escaped."""
    return escape(clean_text(text, limit), quote=True)
