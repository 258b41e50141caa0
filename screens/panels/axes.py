"""The axes of charts, as the screens reach them: the report draws with the same ones."""

from __future__ import annotations

from genlab_tui.axes import LARGEST, Axis, make_axis, number_labels, ticks

__all__ = ["LARGEST", "Axis", "make_axis", "number_labels", "ticks"]
