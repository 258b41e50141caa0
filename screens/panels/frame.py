"""A figure made ready to draw at any size: arrays, limits, cleaned labels, what could not be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from genlab_tui.axes import LARGEST, STOPS, Axis, make_axis, stops
from genlab_tui.figure import MEMBER, Figure, Line
from genlab_tui.text import clean_text
from screens.panels import series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Area = tuple[int, int, int, int]
"""A part of the cells: left, top, columns, rows."""


@dataclass
class Series:
    """A line of the figure as arrays. `slot` numbers its colour and marker; `faint` ones are not in the legend."""

    line: Line
    label: str
    slot: int
    faint: bool
    x: Floats
    y: Floats
    keep: NDArray[np.bool_]
    low: Floats | None
    high: Floats | None
    whole: tuple[Floats, Floats] | None = None
    """The points that could be drawn before the line was cut to a window."""

    @property
    def measured(self) -> tuple[Floats, Floats]:
        """The points that can be drawn, also those outside of the window."""
        return self.kept if self.whole is None else self.whole

    def value_at(self, x: float) -> float | None:
        """Return the height of the line at a place that it passes; None where it does not."""
        import numpy as np

        xs, ys = self.measured
        if not len(xs) or not self.ascending or not xs[0] <= x <= xs[-1]:
            return None
        return float(np.interp(x, xs, ys))

    @cached_property
    def kept(self) -> tuple[Floats, Floats]:
        """The points that can be drawn."""
        return (self.x, self.y) if self.keep.all() else (self.x[self.keep], self.y[self.keep])

    @cached_property
    def ascending(self) -> bool:
        """Whether x never runs back among them."""
        x = self.measured[0]
        return bool((x[1:] >= x[:-1]).all())


class Frame:
    """A figure made ready to draw at any size: arrays, limits, cleaned labels, what could not be drawn.

    `slots` fixes the colour and marker of labels that are explained elsewhere: they are left out of the legend.
    `window` is the part of the x axis to show, in values: the y axis then holds what is seen.
    """

    def __init__(
        self,
        figure: Figure | None,
        smooth: float = 0.0,
        slots: Mapping[str, int] | None = None,
        window: tuple[float, float] | None = None,
    ) -> None:
        self.title = clean_text(figure.title, 120) if figure else ""
        self.x_label = clean_text(figure.x_label, 60) if figure else ""
        self.y_label = clean_text(figure.y_label, 60) if figure else ""
        self.note = clean_text(figure.note, 500) if figure else ""
        self.log_x, self.log_y = (figure.log_x, figure.log_y) if figure else (False, False)
        self.series: list[Series] = []
        self.unsmoothed: list[Series] = []
        self.not_finite = self.not_positive = 0
        self.known = dict(slots or {})
        taken = dict(self.known)
        for line in figure.lines if figure else ():
            self._add(line, taken)
        if smooth > 0:
            self._smooth(smooth)
        self.references = (
            [(r.value, clean_text(r.label, 40), r.axis == "x") for r in figure.references] if figure else []
        )
        self.ticks = (
            [(t.x, clean_text(t.label, 40), clean_text(t.line, 60), t.count) for t in figure.ticks] if figure else []
        )
        self.window = self._usable(window)
        if self.window:
            for s in (*self.series, *self.unsmoothed):
                self._cut(s, *self.window)
        self.x_axis, self.y_axis = self._axes()
        self.area: Area = (0, 0, 0, 0)
        """Where the lines are, once painted."""
        self.title_end = 0
        """The column after the title, once painted."""

    def _usable(self, window: tuple[float, float] | None) -> tuple[float, float] | None:
        """Return a window that this figure's x axis can show; a log axis begins at its first positive value."""
        if window is None or not window[0] < window[1]:
            return None
        low, high = window
        if self.log_x and low <= 0:
            firsts = [float(x[0]) for s in self.series if len(x := s.kept[0])]
            low = min(firsts, default=0.0)
        return (low, high) if low < high and (low > 0 or not self.log_x) else None

    def _cut(self, s: Series, low: float, high: float) -> None:
        """Cut a line to a window. Where it leaves the window, it ends at the edge, half-way to its next point."""
        s.whole = s.kept
        if s.line.points or not (s.x[1:] >= s.x[:-1]).all():
            inside = s.keep & (s.x >= low) & (s.x <= high)
            s.x, s.y, s.keep = s.x[inside], s.y[inside], s.keep[inside]
            s.low, s.high = (edge[inside] if edge is not None else None for edge in (s.low, s.high))
        else:
            log = self.log_x, self.log_y
            s.x, s.y, s.keep, s.low, s.high = series.cut(s.x, s.y, s.keep, s.low, s.high, low, high, log)
        s.__dict__.pop("kept", None)

    def _add(self, line: Line, slots: dict[str, int]) -> None:
        import numpy as np

        n = min(len(line.x), len(line.y))
        x, y = series.to_array(line.x)[:n], series.to_array(line.y)[:n]
        keep = series.drawable(x, y, log_x=self.log_x, log_y=self.log_y)
        lost = n - int(np.count_nonzero(keep))
        if lost:
            finite = int(np.count_nonzero(series.drawable(x, y)))
            self.not_finite += n - finite
            self.not_positive += finite - (n - lost)
        label = clean_text(line.label, 60)
        base, _, seed = label.rpartition(MEMBER)
        faint = base in slots and seed.isdigit()
        free = max(slots.values(), default=-1) + 1 if line.slot is None else line.slot
        slot = slots[base] if faint else slots.setdefault(label, free)
        banded = line.low is not None and line.high is not None and len(line.low) >= n <= len(line.high)
        low = series.to_array(line.low)[:n] if banded and line.low is not None else None
        high = series.to_array(line.high)[:n] if banded and line.high is not None else None
        self.series.append(Series(line, label, slot, faint, x, y, keep, low, high))

    def _smooth(self, weight: float) -> None:
        """Put smoothed lines in the place of long ones; what they were stays visible, faint."""
        for i, s in enumerate(self.series):
            if s.faint or s.line.points or len(s.x) < 8:
                continue
            x, y = series.smooth(s.x, s.y, weight)
            low = series.smooth(s.x, s.low, weight)[1] if s.low is not None else None
            high = series.smooth(s.x, s.high, weight)[1] if s.high is not None else None
            keep = series.drawable(x, y, log_x=self.log_x, log_y=self.log_y)
            self.unsmoothed.append(Series(s.line, "", s.slot, True, s.x, s.y, s.keep, None, None))
            self.series[i] = Series(s.line, s.label, s.slot, False, x, y, keep, low, high)

    def _axes(self) -> tuple[Axis, Axis]:
        low, high = self.window or (-LARGEST, LARGEST)
        xs: list[float] = [value for value, _, vertical in self.references if vertical and low <= value <= high]
        # In a window, the lines alone say how high the chart is: a threshold far off would flatten them.
        ys: list[float] = [value for value, _, vertical in self.references if not (vertical or self.window)]
        few = False
        for s in (*self.series, *self.unsmoothed):
            if not s.keep.any():
                continue
            whole = bool(s.keep.all())
            for values, known in ((s.x, xs), (s.y, ys), (s.low, ys), (s.high, ys)):
                if values is None:
                    continue
                kept = values if whole else values[s.keep]
                kept = kept[(abs(kept) < LARGEST)] if values is s.low or values is s.high else kept
                if self.log_y and values is s.low and len(kept):
                    # A band that nearly reaches 0 would stretch a log axis by decades in which no line is.
                    kept = kept[kept >= float(s.y[s.keep].min()) / 10]
                if len(kept):
                    known += [float(kept.min()), float(kept.max())]
            few = few or len(s.x) <= 12
        y_axis = make_axis(ys, log=self.log_y, pad=0.05)
        if self.window:
            return make_axis(self.window, log=self.log_x), y_axis
        return make_axis(xs, log=self.log_x, pad=0.03 if few else 0.0), y_axis

    @property
    def stops(self) -> tuple[float, ...]:
        """The values on the x axis that all lines were measured at, where they are few."""
        lines = [s.measured[0] for s in self.series if not s.line.points]
        # Long lines are the usual ones, drawn many times a second: their values are not even listed.
        return () if any(len(x) > STOPS for x in lines) else stops([x.tolist() for x in lines], log=self.log_x)

    @property
    def empty(self) -> bool:
        return not any(s.keep.any() for s in self.series)

    @property
    def scale_note(self) -> str:
        """What the header says at its right: the y axis where the title does not say it, the scale, what is missing."""
        parts = [self.y_label] if self.y_label and self.y_label.lower() not in self.title.lower() else []
        if self.log_y:
            parts.append("log y")
        if self.not_positive:
            parts.append(f"{self.not_positive} ≤ 0 left out")
        if self.not_finite:
            parts.append(f"{self.not_finite} not finite")
        return " · ".join(parts)
