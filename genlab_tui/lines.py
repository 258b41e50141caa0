"""Curves over seeds as lines to draw: mean and band per arm, members on demand, thinned without losing peaks."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from genlab_tui.figure import MEMBER, Line
from genlab_tui.rundata import Curve, RunData
from genlab_tui.stats import SETTING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Axis = Literal["step", "epoch", "seconds"]
AXES: tuple[Axis, ...] = ("step", "epoch", "seconds")


def curve_lines(
    data: RunData,
    metric: str,
    *,
    x: Axis = "step",
    arms: Sequence[str] | None = None,
    members: bool = False,
    prefix: str = "",
    points: int = 400,
) -> tuple[Line, ...]:
    """Return one line per arm: the mean over its seeds with a band of ±1 standard deviation (n - 1).

    Seeds meet on the union of their x values, each interpolated linearly inside its own range and nowhere else: a
    member that stopped early or diverged carries no value beyond its last finite one, so the mean is over the seeds
    that have one there and `n` says how many. Where n = 1 the band is a gap; a line whose n never exceeds 1 has none.
    With `members`, each arm's members follow its mean. At most about `points` points a line (`thin`).
    """
    by_arm: dict[str, list[tuple[int, Curve]]] = {}
    for (arm, seed), curve in sorted(data.curves.get(metric, {}).items()):
        by_arm.setdefault(arm, []).append((seed, curve))
    declared = [a.name for a in data.arms]
    order = [*declared, *(a for a in by_arm if a not in declared)]
    titles = {a.name: a.title for a in data.arms}
    lines: list[Line] = []
    for arm in order:
        if arm not in by_arm or (arms is not None and arm not in arms):
            continue
        curves = {seed: finite for seed, c in by_arm[arm] if (finite := finite_points(c, x)) is not None}
        if not curves:
            continue
        label = prefix + titles.get(arm, arm)
        lines.append(_mean_line(label, curves, points))
        if members:
            lines += [make_line(f"{label}{MEMBER}{seed}", *curve, points=points) for seed, curve in curves.items()]
    return tuple(lines)


MEDIAN = "line: median over seeds, band: smallest to largest"
"""What `median_lines` draws, as the note of a figure."""


def median_lines(data: RunData, metric: str, arms: Sequence[str], prefix: str = "") -> tuple[Line, ...]:
    """Return the median over seeds of each arm at every step that any seed has a number at, with the range over seeds.

    For numbers with heavy tails, where a mean says little. Arms in the order given; those without numbers are left out.
    """
    titles = {arm.name: arm.title for arm in data.arms}
    points: dict[str, dict[float, list[float]]] = {name: {} for name in arms if name in titles}
    for (name, _), curve in sorted(data.curves.get(metric, {}).items()):
        if name in points:
            for place, value in zip(curve.step.tolist(), curve.value.tolist(), strict=True):
                if value == value:
                    points[name].setdefault(place, []).append(value)
    lines = []
    for name, own in points.items():
        if own:
            x = tuple(sorted(own))
            rows = [own[place] for place in x]
            middle, low, high = tuple(map(statistics.median, rows)), tuple(map(min, rows)), tuple(map(max, rows))
            lines.append(Line(prefix + titles[name], x, middle, low, high, n=tuple(map(len, rows))))
    return tuple(lines)


def thin(y: Floats, points: int) -> NDArray[np.intp]:
    """Return the indices of at most about `points` samples that keep the ends and each stretch's extremes.

    NaN is ignored unless a stretch holds nothing else, so a gap stays a gap.
    """
    import numpy as np

    n = len(y)
    if n <= max(points, 4):
        return np.arange(n)
    buckets = max(points // 2 - 1, 1)
    width = -(-n // buckets)
    whole = n // width * width
    gaps = np.isnan(y)
    some = bool(gaps.any())
    low, high = (np.where(gaps, np.inf, y), np.where(gaps, -np.inf, y)) if some else (y, y)
    start = np.arange(0, whole, width)
    lowest = start + low[:whole].reshape(-1, width).argmin(1)
    highest = start + high[:whole].reshape(-1, width).argmax(1)
    last = [whole + low[whole:].argmin(), whole + high[whole:].argmax()] if whole < n else []
    return np.unique(np.concatenate(([0], lowest, highest, last, [n - 1])).astype(np.intp))


def finite_points(curve: Curve, x: Axis) -> tuple[Floats, Floats] | None:
    """Return the finite points of a member's curve with ascending x, or None where there are none."""
    import numpy as np

    where: Floats = getattr(curve, x)
    value = curve.value
    keep = np.isfinite(value) & np.isfinite(where)
    if not keep.all():
        where, value = where[keep], value[keep]
    if not len(value):
        return None
    # A resumed attempt may restart its clock a little early: x never runs back.
    return where if (where[1:] >= where[:-1]).all() else np.maximum.accumulate(where), value


def together(curves: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """Return the union of the x values of some curves, and their values there as rows.

    Each is interpolated linearly inside its own range; outside of it stands NaN.
    """
    import numpy as np

    grids = [xs for xs, _ in curves]
    if all(g is grids[0] or (len(g) == len(grids[0]) and np.array_equal(g, grids[0])) for g in grids[1:]):
        return grids[0], np.array([ys for _, ys in curves])
    grid = np.unique(np.concatenate(grids))
    return grid, np.array([np.interp(grid, xs, ys, left=math.nan, right=math.nan) for xs, ys in curves])


def seed_rows(numbers: Sequence[int], stack: Floats) -> Floats:
    """Return one row per seed: the mean over the settings that a pooled group has a seed under (`stats.over_seeds`)."""
    import numpy as np

    seeds = np.array(numbers) % SETTING
    if len(set(seeds.tolist())) == len(seeds):
        return stack
    rows = []
    for seed in dict.fromkeys(seeds.tolist()):
        own = stack[seeds == seed]
        present = np.isfinite(own)
        with np.errstate(invalid="ignore", divide="ignore"):
            rows.append(np.where(present, own, 0.0).sum(0) / present.sum(0))
    return np.array(rows)


def _mean_line(label: str, curves: Mapping[int, tuple[Floats, Floats]], points: int) -> Line:
    import numpy as np

    grid, stack = together(list(curves.values()))
    stack = seed_rows(tuple(curves), stack)
    if len(stack) == 1:
        return make_line(label, grid, stack[0], n=np.ones(len(grid), dtype=np.intp), points=points)
    present = np.isfinite(stack)
    n = present.sum(0)
    filled = np.where(present, stack, 0.0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean = filled.sum(0) / n
        spread = np.where(present, stack - mean, 0.0)
        sd = np.sqrt((spread**2).sum(0) / (n - 1))
        sd[n < 2] = math.nan
        low, high = mean - sd, mean + sd
    return make_line(label, grid, mean, low, high, n, points=points)


def make_line(
    label: str,
    x: Floats,
    y: Floats,
    low: Floats | None = None,
    high: Floats | None = None,
    n: NDArray[np.intp] | None = None,
    *,
    points: int,
) -> Line:
    """Return a line of at most about `points` points; it has a band where somewhere `n` is more than 1."""
    keep = thin(y, points)
    banded = low is not None and high is not None and n is not None and n.max() > 1
    return Line(
        label=label,
        x=tuple(x[keep].tolist()),
        y=tuple(y[keep].tolist()),
        low=tuple(low[keep].tolist()) if banded and low is not None else None,
        high=tuple(high[keep].tolist()) if banded and high is not None else None,
        n=tuple(n[keep].tolist()) if n is not None else None,
    )
