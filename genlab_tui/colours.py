"""Colours and markers of lines: one of each per line, so that a line is known without its colour.

The colours were searched for: any two of the first six are at least 14 apart (CIEDE2000) to an eye that lacks one
kind of cone as to one that has all (Machado 2009), any two of all at least 9, and they stay different when a terminal
rounds them to its 16.
"""

from __future__ import annotations

DARK = ("#40b8f4", "#e69f00", "#0cffac", "#c068a7", "#fff33d", "#e34c44", "#8f7bff", "#e0e0e0")
LIGHT = ("#746fff", "#bd640e", "#004900", "#9d08a3", "#9e004c", "#0c8180", "#000095", "#43403e")
MARKERS = "●■▲◆○□△◇✚★▼▽✦"  # 13 against 8 colours: no common factor, so the pair repeats only after 104 lines

COLOURS = len(DARK)


def colour(index: int, *, dark: bool) -> str:
    """Return the colour of the line at an index, for a dark or a light background."""
    return (DARK if dark else LIGHT)[index % COLOURS]


def marker(index: int) -> str:
    """Return the marker of the line at an index."""
    return MARKERS[index % len(MARKERS)]
