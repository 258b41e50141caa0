"""A list whose chosen line can be read in every theme: colours that would drown in the cursor give way to its own."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.strip import Strip
from textual.style import Style
from textual.widgets import OptionList
from textual.widgets.option_list import Option

LEAST_CONTRAST = 3.5
"""The ratio of luminances (WCAG) below which text is not read with ease."""


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours, 1 (the same) to 21 (black on white)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Color) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


class ReadableList(OptionList):
    """An OptionList that looks after the colours in the line under its cursor."""

    def _get_option_render(self, option: Option, style: Style) -> list[Strip]:
        strips = super()._get_option_render(option, style)
        return [_readable(strip, style.rich_style) for strip in strips] if option is self.highlighted_option else strips


def _readable(strip: Strip, own: RichStyle) -> Strip:
    """Return a line in which what can hardly be read has the colour that the cursor itself writes in."""
    segments = [
        Segment(text, style + RichStyle(color=own.color) if style and _drowns(style) else style, control)
        for text, style, control in strip
    ]
    return Strip(segments, strip.cell_length)


def _drowns(style: RichStyle) -> bool:
    if style.color is None or style.bgcolor is None:
        return False
    ink, paper = style.color, style.bgcolor
    if ink.triplet is None or paper.triplet is None:
        return False  # the terminal's own colours: nobody here knows what they are
    return contrast(Color(*ink.triplet), Color(*paper.triplet)) < LEAST_CONTRAST
