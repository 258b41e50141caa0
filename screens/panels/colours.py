"""The colours and markers of lines, as the screens reach them: the report draws with the same ones."""

from __future__ import annotations

from genlab_tui.colours import COLOURS, DARK, LIGHT, MARKERS, colour, marker

__all__ = ["COLOURS", "DARK", "LIGHT", "MARKERS", "colour", "marker"]
