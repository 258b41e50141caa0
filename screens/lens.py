"""What is seen of the curves: a window on each x axis, and a cursor at one value for all charts. No widgets here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain

from genlab_tui.axes import LARGEST
from genlab_tui.figure import Figure
from screens.gallery import POINTS
from screens.panels.crosshair import place_text
from screens.window import Span, Window, drawn, follow, pan, zoom

FINEST = 32
"""A line in a window has at most so many times the usual number of points."""


class Lens:
    """The windows and the cursor of a screen. Axes go by their label; `look` takes in the charts that are seen."""

    def __init__(self) -> None:
        self.windows: dict[str, Window] = {}
        self.wholes: dict[str, Span] = {}
        self.cursor: float | None = None
        self.axis = ""
        """The axis that the cursor is on; charts with another one have no cursor."""
        self._curves: dict[int, Figure] = {}
        self._axes: dict[int, str] = {}
        self._logs: dict[str, bool] = {}

    def look(self, curves: Mapping[int, Figure]) -> None:
        """Take in the charts of curves that are seen, by panel: how far their axes go now."""
        if curves.keys() == self._curves.keys() and all(self._curves[n] is figure for n, figure in curves.items()):
            return
        self._curves = dict(curves)
        self._axes = {number: figure.x_label for number, figure in curves.items()}
        self._logs = {axis: any(f.log_x for f in curves.values() if f.x_label == axis) for axis in self._axes.values()}
        for axis, log in self._logs.items():
            lines = chain.from_iterable(f.lines for f in curves.values() if f.x_label == axis)
            xs = [x for line in lines for x in ends(line.x, log=log)]
            self.wholes.pop(axis, None)
            if xs and min(xs) < max(xs):
                self.wholes[axis] = (min(xs), max(xs))
            whole, window = self.wholes.get(axis), self.windows.pop(axis, None)
            kept = follow(whole, window, log=log) if whole else window
            if kept is not None:
                self.windows[axis] = kept
        if self.cursor is not None and (span := self.seen(self.axis)):
            self.cursor = min(max(self.cursor, span[0]), span[1])

    def forget(self) -> None:
        """Show the whole of every axis, without a cursor."""
        self.windows.clear()
        self.leave()

    def points(self, number: int) -> int:
        """Return how many points a line of a panel needs to be as fine in its window as on the whole axis."""
        axis = self._axes.get(number, "")
        window, whole = self.windows.get(axis), self.wholes.get(axis)
        if window is None or whole is None:
            return POINTS
        share = max((whole[1] - whole[0]) / (window.high - window.low), 1.0)
        return POINTS * min(1 << math.ceil(math.log2(share)), FINEST)

    def window(self, figure: Figure) -> Span | None:
        """Return the part of a chart's x axis to show, None for the whole."""
        window = self.windows.get(figure.x_label)
        return window.span if window else None

    def seen(self, axis: str) -> Span | None:
        """Return the values of an axis that are seen; None while there are none."""
        window = self.windows.get(axis)
        return window.span if window else self.wholes.get(axis)

    def axis_of(self, number: int) -> str:
        """Return the axis of a panel, or of any other that is seen; empty where none has curves."""
        return self._axes.get(number) or next((axis for axis in self._axes.values() if axis in self.wholes), "")

    # --- the window ---------------------------------------------------------------------------------------------------

    def zoom(self, axis: str, by: float) -> None:
        """Show `by` times as much of an axis: around the cursor where it is there, else the right end stays."""
        around = self.cursor if axis == self.axis else None
        if whole := self.wholes.get(axis):
            self._set(axis, zoom(whole, self.windows.get(axis), by, around, log=self._logs.get(axis, False)))

    def pan(self, axis: str, by: float) -> None:
        """Move the window by a share of its width; the cursor stays in it."""
        if whole := self.wholes.get(axis):
            self._set(axis, pan(whole, self.windows.get(axis), by, log=self._logs.get(axis, False)))

    def unzoom(self, axis: str) -> None:
        """Show the whole of an axis."""
        self._set(axis, None)

    def _set(self, axis: str, window: Window | None) -> None:
        self.windows.pop(axis, None)
        if window is not None:
            self.windows[axis] = window
            if axis == self.axis and self.cursor is not None:
                self.cursor = min(max(self.cursor, window.low), window.high)

    # --- the cursor ---------------------------------------------------------------------------------------------------

    def place(self, axis: str, value: float | None = None) -> bool:
        """Put the cursor on an axis: at a value, or at the right end; return whether there is anything to read."""
        span = self.seen(axis)
        if span is None:
            return False
        self.axis, self.cursor = axis, min(max(span[1] if value is None else value, span[0]), span[1])
        return True

    def leave(self) -> None:
        """Take the cursor away."""
        self.cursor, self.axis = None, ""

    def move(self, by: int, columns: int) -> None:
        """Move the cursor by columns of a chart that has so many; at both ends it stands on the very end."""
        span = self.seen(self.axis)
        if span is None or self.cursor is None:
            return
        columns = max(columns, 2)
        column = min(max(self.column(self.cursor, columns) + by, 0), columns - 1)
        if column in (0, columns - 1):
            self.cursor = span[0] if column == 0 else span[1]
            return
        log = self._logs.get(self.axis, False)
        low, high = drawn(span, log)
        at = low + (column + 0.5) / columns * (high - low)
        self.cursor = 10.0**at if log else at

    def column(self, value: float, columns: int) -> int:
        """Return the column of a chart with so many that a value of the cursor's axis lies in."""
        span, log = self.seen(self.axis), self._logs.get(self.axis, False)
        if span is None or (log and value <= 0):
            return -1
        low, high = drawn(span, log)
        place = (drawn((value, value), log)[0] - low) / (high - low)
        return columns - 1 if 1 <= place <= 1 + 1e-9 else math.floor(place * columns)

    @property
    def note(self) -> str:
        """Which part of the axes is seen, in a few words."""
        return " · ".join(
            f"{axis if len(self.windows) > 1 else 'x'} {place_text(w.low)}..{place_text(w.high)}"
            for axis, w in self.windows.items()
            if axis in self._axes.values()
        )


def ends(values: Sequence[float], *, log: bool) -> tuple[float, ...]:
    """Return the least and the greatest of the values that can be drawn; nothing where there are none."""
    if values and math.isfinite(sum(values)):  # no NaN, no infinity among them
        low, high = min(values), max(values)
        if max(abs(low), abs(high)) < LARGEST and (low > 0 or not log):
            return low, high
    drawable = [value for value in values if abs(value) < LARGEST and (value > 0 or not log)]
    return (min(drawable), max(drawable)) if drawable else ()
