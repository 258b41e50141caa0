"""The part of an x axis that the curves are seen through: zoom, pan, and the end that keeps growing. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

DEEPEST = 4096
"""The whole axis is at most so many times as wide as a window on it."""
TOUCHES = 1e-9


@dataclass(frozen=True)
class Window:
    """The values from `low` to `high`. One that `follows` touches the end of the data, and moves with it."""

    low: float
    high: float
    follows: bool = False

    @property
    def span(self) -> tuple[float, float]:
        return self.low, self.high


Span = tuple[float, float]
"""The least and the greatest x of the data."""


def zoom(whole: Span, window: Window | None, by: float, around: float | None, *, log: bool = False) -> Window | None:
    """Return the window `by` times as wide around a value that keeps its place (None: the right end of the window).

    None is the whole axis.
    """
    low, high = drawn(window.span if window else whole, log)
    first, last = drawn(whole, log)
    if last <= first:
        return None
    width = max((high - low) * by, (last - first) / DEEPEST)
    if width >= (last - first) * (1 - TOUCHES):
        return None
    at = high if around is None else min(max(_one(around, log), low), high)
    share = (at - low) / (high - low)
    return _placed(at - share * width, width, whole, log)


def pan(whole: Span, window: Window | None, by: float, *, log: bool = False) -> Window | None:
    """Return the window moved by a share of its width, no further than the data go."""
    if window is None:
        return None
    low, high = drawn(window.span, log)
    return _placed(low + by * (high - low), high - low, whole, log)


def follow(whole: Span, window: Window | None, *, log: bool = False) -> Window | None:
    """Return the window after new data: one that touched the end still does, any other stays where it is.

    None where nothing of the data lies in it any more.
    """
    if window is None or window.low >= whole[1] or window.high <= whole[0]:
        return None
    if not window.follows or whole[1] == window.high:
        return window
    low, high = drawn(window.span, log)
    return _placed(_one(whole[1], log) - (high - low), high - low, whole, log)


def _placed(low: float, width: float, whole: Span, log: bool) -> Window:
    first, last = drawn(whole, log)
    low = min(max(low, first), last - width)
    high = low + width
    follows = high >= last - TOUCHES * (last - first)
    ends = (10.0**low, 10.0**high) if log else (low, high)
    # The very end, not what rounding left of it: the last point must lie in the window.
    return Window(ends[0], whole[1] if follows else ends[1], follows)


def drawn(span: Span, log: bool) -> Span:
    """Return a span as it is drawn: decades of a logarithmic axis."""
    return _one(span[0], log), _one(span[1], log)


def _one(value: float, log: bool) -> float:
    return math.log10(value) if log and value > 0 else -300.0 if log else value
