"""Colours and markers of lines: one of each per line, so that a line is known without its colour.

The colours are far apart for the common kinds of colour blindness (blue, orange, green, pink, ... of unequal
lightness) and stay different when a terminal rounds them to its 16.
"""

from __future__ import annotations

DARK = ("#56b4e9", "#e69f00", "#3ddc84", "#ff7ad9", "#f0e442", "#ff6b57", "#8f7bff", "#e0e0e0")
LIGHT = ("#005fd7", "#b35900", "#007a1f", "#a000a0", "#b00020", "#008080", "#0000a0", "#404040")
MARKERS = "●■▲◆○□△◇✚★▼▽✦"  # 13 against 8 colours: no common factor, so the pair repeats only after 104 lines

COLOURS = len(DARK)


def colour(index: int, *, dark: bool) -> str:
    """Return the colour of the line at an index, for a dark or a light background."""
    return (DARK if dark else LIGHT)[index % COLOURS]


def marker(index: int) -> str:
    """Return the marker of the line at an index."""
    return MARKERS[index % len(MARKERS)]
