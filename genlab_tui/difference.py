"""How a curve differs from the baseline's, seed by seed: the mean difference over the steps with its interval."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from genlab_tui.figure import MEMBER, Figure, Line, Reference
from genlab_tui.lines import Axis, finite_points, make_line, seed_rows, together
from genlab_tui.rundata import RunData
from genlab_tui.stats import t_quantile
from genlab_tui.summary import LoadedRun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def difference_lines(
    data: RunData,
    base: RunData,
    metric: str,
    *,
    x: Axis = "step",
    arms: Sequence[str] | None = None,
    members: bool = False,
    prefix: str = "",
    points: int = 400,
) -> tuple[Line, ...]:
    """Return one line per arm that both have: the mean of `data - base` over the seeds that both have.

    The band is the Student-t 95 % interval of that mean (none below 2 pairs). A seed has a difference where both of
    its curves have one: inside the range of both, between measured points by linear interpolation.
    """
    import numpy as np

    mine, theirs = data.curves.get(metric, {}), base.curves.get(metric, {})
    titles = {a.name: a.title for a in data.arms}
    lines: list[Line] = []
    for arm in dict.fromkeys((*titles, *(name for name, _ in mine))):
        if arms is not None and arm not in arms:
            continue
        pairs: dict[int, tuple[Floats, Floats]] = {}
        for seed in sorted(s for name, s in mine if name == arm and (arm, s) in theirs):
            curves = finite_points(mine[arm, seed], x), finite_points(theirs[arm, seed], x)
            if curves[0] is None or curves[1] is None:
                continue
            grid, (own, other) = together([curves[0], curves[1]])
            both = np.isfinite(own) & np.isfinite(other)
            if both.any():
                pairs[seed] = grid[both], (own - other)[both]
        if not pairs:
            continue
        label = prefix + titles.get(arm, arm)
        grid, stack = together(list(pairs.values()))
        lines.append(make_line(label, grid, *_mean(seed_rows(tuple(pairs), stack)), points=points))
        if members:
            lines += [make_line(f"{label}{MEMBER}{seed}", *pair, points=points) for seed, pair in pairs.items()]
    return tuple(lines)


def _mean(stack: Floats) -> tuple[Floats, Floats, Floats, NDArray[np.intp]]:
    """Return mean, low and high end of its interval, and how many seeds there are, for every column."""
    import numpy as np

    present = np.isfinite(stack)
    n = present.sum(0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean = np.where(present, stack, 0.0).sum(0) / n
        sd = np.sqrt((np.where(present, stack - mean, 0.0) ** 2).sum(0) / (n - 1))
        factor = np.array([t_quantile(k) if k > 1 else math.nan for k in range(int(n.max()) + 1)])
        half = factor[n] * sd / np.sqrt(n)
    return mean, mean - half, mean + half, n


def difference_figure(
    units: Sequence[LoadedRun],
    baseline: str,
    metric: str,
    *,
    x: Axis = "step",
    arms: Sequence[str] | None = None,
    members: bool = False,
    log_x: bool | None = None,
    titles: Mapping[str, str] | None = None,
    points: int = 400,
) -> Figure:
    """Return the difference of every other run (or group) to the baseline, with a line at zero."""
    base = next(unit for unit in units if unit.id == baseline)
    named = titles or {}
    lines: list[Line] = []
    label, x_label, log = metric.replace("_", " "), str(x), False
    for unit in units:
        if unit is not base:
            prefix = f"{named.get(unit.id, unit.title)} · "
            lines += difference_lines(
                unit.data, base.data, metric, x=x, arms=arms, members=members, prefix=prefix, points=points
            )
        declared = next((m for m in unit.phenomenon.metrics if m.name == metric), None) if unit.phenomenon else None
        if declared:
            label = declared.label
            if x == "step":
                x_label, log = declared.step_label, log or declared.log_step
    return Figure(
        name=f"{metric} difference",
        title=f"{label}: difference to {named.get(base.id, base.title)}",
        x_label=x_label,
        y_label="difference",
        lines=tuple(lines),
        references=(Reference(0.0, "no difference"),),
        log_x=log if log_x is None else log_x,
    )


def without_band(figure: Figure) -> Figure:
    """Return a figure with the bands left out."""
    return dataclasses.replace(figure, lines=tuple(dataclasses.replace(x, low=None, high=None) for x in figure.lines))
