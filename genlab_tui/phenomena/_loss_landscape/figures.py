"""The loss landscape: maps with contours, the trajectory in its plane, profiles, radii, shares of variance."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.phenomena._loss_landscape.config import (
    LOW_DIMENSIONAL,
    MATCHED,
    PERCEPTRON,
    RANDOM,
    Config,
)
from genlab_tui.rundata import RunData

BAND = "line: mean over seeds, band: 1 standard deviation"
HONEST = "a slice that is not convex means a loss that is not; a smooth one proves nothing"
LEVELS = (1.0, 0.1, 10.0, 100.0)
"""Contours, in units of ln K: the first, of guessing, is drawn in full."""


def figures(config: Config, run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return maps of the first seed's networks, profiles, radii, shares of variance and learning."""
    level = math.log(data.known(run_data.spec.data).classes)
    guess = Reference(level, "guessing, ln K")
    first, second = "1st direction (across)", "2nd (up)"
    which = f"one slice, the first of {config.pairs}; " if config.pairs > 1 else ""
    close_up = f"{which}up to 2 median radii of the network's own basin"
    found: list[Figure | HeatMap] = [
        *_maps(run_data, "square", "Square", first, second, level, which + HONEST),
        *_maps(run_data, "near", "Close up", first, second, level, close_up),
    ]
    if config.model == PERCEPTRON:
        where = "distance in weights from the final network; full line: ln K"
        axes = ("1st component (across)", "2nd (up)")
        found += _maps(run_data, "way", "Trajectory", *axes, level, where)
    found += [
        Figure(
            "profile",
            "Loss along random directions",
            "step, in lengths of the filters",
            "loss (nats)",
            _profiles(run_data),
            (guess,),
            log_y=True,
            note="median over directions, then over seeds; band: smallest to largest seed",
        ),
        Figure(
            "radius",
            "How far the loss stays below ln K",
            "seed",
            "radius, in lengths of the filters",
            _by_seed(run_data, ("radius", "radius_low", "radius_high")),
            log_y=True,
            note="median over random directions; band: the middle half of them",
        ),
    ]
    if config.model == PERCEPTRON:
        found.append(
            Figure(
                "variance",
                "Variance of the trajectory in two directions",
                "seed",
                "share",
                tuple(
                    line
                    for name, words in (
                        ("principal_share", "principal"),
                        ("walk_share", "a random walk's"),
                        ("random_share", "random"),
                    )
                    for line in _by_seed(run_data, (name,), f"{words}: ")
                ),
                (
                    Reference(LOW_DIMENSIONAL, "paper: 0.4 to 0.9"),
                    Reference(0.9, ""),
                    Reference(RANDOM, "random below"),
                ),
                note="principal components also make a random walk look flat: compare with its share",
            )
        )
    found.append(
        Figure(
            "learning",
            "Learning",
            "epoch",
            "training loss (nats)",
            curve_lines(run_data, "train_loss", x="epoch"),
            (Reference(MATCHED, "compared at"), guess),
            log_y=True,
            note=BAND,
        )
    )
    return tuple(found)


def _heats(run_data: RunData, name: str, arm: str) -> ev.Heat | None:
    """Return the stored matrix of the first seed that has one."""
    own = {seed: heat for (other, seed), heat in run_data.heats.get(name, {}).items() if other == arm}
    return own[min(own)] if own else None


def _maps(
    run_data: RunData, name: str, title: str, x_label: str, y_label: str, level: float, note: str
) -> list[HeatMap]:
    """Return one map an arm, with contours, the second axis upwards, and one scale of colours for all of them."""
    heats = {arm.name: _heats(run_data, name, arm.name) for arm in run_data.arms}
    places = [ev.from_value(v) for heat in heats.values() if heat for row in heat.values for v in row]
    positive = [v for v in places if 0 < v < math.inf]
    found = []
    for arm in run_data.arms:
        heat, way = heats[arm.name], _heats(run_data, "path", arm.name)
        path = way.values if way and name == "way" else ()
        rows = [tuple(map(ev.from_value, row)) for row in heat.values] if heat else []
        window = f" to {heat.x_ticks[-1]}" if heat and name == "near" else ""
        found.append(
            HeatMap(
                f"{name}-{arm.name}",
                f"{title}{window}: {arm.title}" + (f", seed {heat.seed}" if heat else ""),
                x_label,
                y_label,
                heat.x_ticks if heat else (),
                heat.y_ticks[::-1] if heat else (),
                tuple(rows[::-1]),
                note=note,
                levels=tuple(level * factor for factor in LEVELS),
                path=tuple((ev.from_value(column), len(rows) - 1 - ev.from_value(row)) for column, row in path),
                log=True,
                limits=(min(positive), max(positive)) if positive else None,
            )
        )
    return found


def _profiles(run_data: RunData) -> tuple[Line, ...]:
    """Return the median over seeds of each arm's profile, with the range over seeds."""
    lines = []
    for arm in run_data.arms:
        own = [curve for (name, _), curve in run_data.curves.get("profile", {}).items() if name == arm.name]
        if own:
            x = tuple(own[0].epoch.tolist())
            rows = list(zip(*(curve.value.tolist() for curve in own if len(curve.value) == len(x)), strict=True))
            middle = tuple(map(statistics.median, rows))
            n = (len(rows[0]),) * len(x)
            lines.append(Line(arm.title, x, middle, tuple(map(min, rows)), tuple(map(max, rows)), n=n))
    return tuple(lines)


def _by_seed(run_data: RunData, names: Sequence[str], prefix: str = "") -> tuple[Line, ...]:
    """Return a measure of every seed as points; with its low and high ends where three names are given."""
    lines = []
    for arm in run_data.arms:
        columns = [run_data.measure(name, arm.name) for name in names]
        seeds = sorted(set.intersection(*map(set, columns)))
        if seeds:
            rows = [tuple(column[seed] for seed in seeds) for column in columns]
            low, high = rows[1:] if len(rows) == 3 else (None, None)
            x = tuple(map(float, seeds))
            lines.append(Line(prefix + arm.title, x, rows[0], low, high, points=True, n=(1,) * len(x)))
    return tuple(lines)
