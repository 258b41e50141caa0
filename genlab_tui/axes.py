"""Axes of a chart: limits, round ticks, short labels; linear and logarithmic. Pure, without numpy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

LARGEST = 1e300
"""Magnitudes from here on are not drawn: spans must stay finite, and plotext cannot take infinity."""

UNEVEN = 3.0
"""The largest of the gaps between ticks at values tried may be so many times the smallest on a linear axis."""
STOPS = 10
"""So many values tried, at most, have ticks of their own."""


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high` in drawn coordinates: log10 of the value where `log`, else the value itself."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float | None:
        """Return where a value lies, 0 to 1 (outside the axis: beyond); None for one that cannot be drawn."""
        if not math.isfinite(value) or abs(value) >= LARGEST or (self.log and value <= 0):
            return None
        drawn = math.log10(value) if self.log else value
        return drawn / self.span - self.low / self.span

    @property
    def span(self) -> float:
        return self.high - self.low


def make_axis(values: Iterable[float], *, log: bool = False, pad: float = 0.0) -> Axis:
    """Return the axis that holds all values that can be drawn; `pad` is the share of its span added at both ends."""
    drawable = [v for v in values if math.isfinite(v) and abs(v) < LARGEST and (v > 0 or not log)]
    drawn = [math.log10(v) for v in drawable] if log else drawable
    if not drawn:
        return Axis(0.0, 1.0, log)
    low, high = min(drawn), max(drawn)
    if high - low <= abs(high) * 1e-12 or high - low < 1e-290:
        if not log and not high:
            return Axis(0.0, 1.0)  # nothing is known of the scale yet, and shares and steps have no values below 0
        room = 0.5 if log else max(abs(high) * 0.1, 1e-290)
        return Axis(low - room, high + room, log)
    room = (high - low) * pad
    return Axis(low - room, high + room, log)


def stops(lines: Iterable[Sequence[float]], *, log: bool) -> tuple[float, ...]:
    """Return the values that all lines were measured at, where they are few: ticks belong there (batch sizes, layers).

    On a linear axis they must be whole numbers (others have no short labels) about equally far apart: the first few
    steps of a curve are none. Empty where ticks are better round.
    """
    found: set[float] = set()
    for line in lines:
        found.update(line if len(line) <= STOPS else range(STOPS + 1))
        if len(found) > STOPS:
            return ()
    values = sorted(v for v in found if math.isfinite(v) and abs(v) < LARGEST and (v > 0 or not log))
    gaps = [b - a for a, b in pairwise(values)]
    even = all(v == int(v) for v in values) and max(gaps, default=0.0) <= UNEVEN * min(gaps, default=0.0)
    return tuple(values) if len(values) > 1 and (log or even) else ()


def ticks(axis: Axis, most: int, at: Sequence[float] = ()) -> list[tuple[float, str]]:
    """Return at most `most` ticks as (place from 0 to 1, label), at round values, in ascending order.

    With `at`, all ticks are at those of these values that are on the axis, if two are: more of them than `most`.
    """
    if most < 1:
        return []
    inside = [v for v in at if (place := axis.place(v)) is not None and 0 <= place <= 1]
    if len(inside) > 1:
        values, labels = inside, [number_labels([v])[0] for v in inside]
    else:
        values = _log_values(axis, most) if axis.log else _round_values(axis.low, axis.high, most)
        labels = [number_labels([v])[0] for v in values] if axis.log else number_labels(values)
    found: list[tuple[float, str]] = []
    for value, label in zip(values, labels, strict=True):
        place = axis.place(value)
        if place is not None and -1e-9 <= place <= 1 + 1e-9 and label not in [known for _, known in found]:
            found.append((min(max(place, 0.0), 1.0), label))
    return found


def _round_values(low: float, high: float, most: int) -> list[float]:
    span = high - low
    if most == 1 or not span > 0:
        return [low]
    raw = span / most
    if raw < 1e-300:
        return [low, high][:most]
    base = 10.0 ** math.floor(math.log10(raw))
    for step in (base, 2 * base, 2.5 * base, 5 * base, 10 * base, 20 * base):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [k * step for k in range(first, last + 1)] if last >= first else [low]
    return [low]


def _log_values(axis: Axis, most: int) -> list[float]:
    first, last = math.ceil(axis.low - 1e-9), math.floor(axis.high + 1e-9)
    decades = last - first + 1
    fine = [m * 10.0**e for e in range(first - 1, last + 1) if -300 < e < 300 for m in (1, 2, 5)] if decades < 5 else []
    fine = [v for v in fine if axis.low - 1e-9 <= math.log10(v) <= axis.high + 1e-9]
    if 2 <= len(fine) <= most:
        return fine
    if decades >= 2:
        stride = max(math.ceil(decades / most), 1)
        # Multiples of the stride, so that 1 is among the ticks where it is on the axis.
        start = math.ceil(first / stride) * stride
        exponents = [e for e in range(start, last + 1, stride) if -300 < e < 300]
        if len(exponents) >= 2 or decades > 2:
            return [10.0**e for e in exponents]
    return _round_values(10.0**axis.low, 10.0**axis.high, most) if abs(axis.high) < 300 else []


def number_labels(values: list[float]) -> list[str]:
    """Return short labels of tick values, all in one manner: `0.25`, `1.5k`, `2M`, `1e-7`."""
    shown = [v for v in values if v]
    if not shown:
        return ["0"] * len(values)
    largest, smallest = max(abs(v) for v in shown), min(abs(v) for v in shown)
    if largest >= 1e9 or (smallest < 1e-4 and largest < 1e-2):
        return [_scientific(v) for v in values]
    scale, unit = (1e6, "M") if largest >= 1e6 else (1e3, "k") if largest >= 1e4 else (1.0, "")
    gaps = [abs(b - a) for a, b in pairwise(values) if b != a]
    # So many digits that neighbours differ and each value is told to a hundredth of a step.
    finest = min([*gaps, smallest]) / scale
    digits = min(max(-math.floor(math.log10(finest) + 1e-9), 0) + 1, 12) if finest < 1e12 else 0
    return [_trim(f"{v / scale:.{digits}f}", unit) for v in values]


def _trim(text: str, unit: str) -> str:
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "0", "") else text + unit


def _scientific(value: float) -> str:
    if not value:
        return "0"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{_trim(mantissa, '')}e{int(exponent)}"
