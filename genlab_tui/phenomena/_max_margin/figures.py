"""The drift to the largest margin: norm, direction, margin and loss over log t, a toy set, and the network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.phenomena._max_margin.claims import LEAST_MARGIN, MARGIN, TURN
from genlab_tui.phenomena._max_margin.config import (
    ADAM,
    DECAYED,
    FIT,
    GD,
    LONG,
    MIXED,
    NONE,
    NORMALISED,
    SETS,
    SIGN,
    USUAL_ADAM,
    Config,
)
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

BAND = "line: mean over seeds, band: 1 standard deviation"
STEP = "step t"


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return the figures, also of data still coming; those of the network only where there is one."""
    found = (_norm(run_data), _angle(run_data), _margin(run_data), _loss(run_data), *_toy_set(run_data))
    return found if config.network == NONE else (*found, *_network(run_data))


def _norm(run_data: RunData) -> Figure:
    lines = curve_lines(run_data, "scaled_norm", arms=(GD, MIXED))
    gamma = summarise(run_data.measure("gamma", SETS).values())
    mean = f" ({gamma.mean:.2g} on average)" if gamma.n else ""
    return Figure(
        "norm",
        "The norm grows like log t / gamma, without end",
        STEP,
        "norm times gamma",
        (*lines, *_slope(lines, run_data)),
        log_x=True,
        note=f"gamma: the largest margin, of each seed its own{mean}; {BAND}",
    )


def _slope(lines: tuple[Line, ...], run_data: RunData) -> tuple[Line, ...]:
    """Return slope 1 (of the norm: 1 / gamma) through the end of gradient descent, over the last three decades."""
    arm = run_data.arm(GD)
    drawn = next((line for line in lines if arm and line.label == arm.title), None)
    if drawn is None:
        return ()
    last, height = drawn.x[-1], drawn.y[-1]
    x = [at for at in drawn.x if at >= last / 1000]
    return (
        Line("slope 1: the norm grows like log t / gamma", tuple(x), tuple(height + math.log(at / last) for at in x)),
    )


def _angle(run_data: RunData) -> Figure:
    lines = curve_lines(run_data, "angle", arms=(GD, NORMALISED, ADAM, SIGN, USUAL_ADAM), prefix="to the SVM: ")
    lines += curve_lines(run_data, "angle_inf", arms=(ADAM, SIGN, USUAL_ADAM), prefix="to the L-infinity margin: ")
    turn = summarise(run_data.measure("turn", SETS).values())
    draws = summarise(run_data.measure("draws", SETS).values())
    drawn = f", {draws.mean:.0f} draws a seed" if draws.n else ""
    apart = (Reference(turn.mean, "between the two, mean"),) if turn.n else ()
    return Figure(
        "angle",
        "Which direction each optimiser turns to",
        STEP,
        "angle (radians)",
        lines,
        apart,
        log_x=True,
        log_y=True,
        note=f"sets were drawn until gamma was {LEAST_MARGIN:g} and the two directions were {TURN:g} rad apart, or more"
        f"{drawn}; {BAND}",
    )


def _margin(run_data: RunData) -> Figure:
    return Figure(
        "margin",
        "Margin, as a share of the largest there is",
        STEP,
        "margin / gamma",
        curve_lines(run_data, "margin", arms=(GD, NORMALISED, ADAM, SIGN, USUAL_ADAM)),
        (Reference(1.0, "hard-margin SVM"), Reference(MARGIN, "asked at the end")),
        log_x=True,
        note=BAND,
    )


def _loss(run_data: RunData) -> Figure:
    return Figure(
        "loss",
        "The loss falls like 1 / t",
        STEP,
        "loss times t, in units of its limit",
        curve_lines(run_data, "scaled_loss", arms=(GD, MIXED)),
        (Reference(1.0, "L / gamma²: what the theorem says"),),
        log_x=True,
        log_y=True,
        note=f"loss * t * gamma² / L, with steps of 1 / L; {BAND}",
    )


def _toy_set(run_data: RunData) -> tuple[Figure, ...]:
    """Return a picture of the first seed's set, with directions: of the solutions, and where descents ended."""
    told = run_data.stages.get(SETS)
    if not isinstance(told, Mapping) or "points" not in told:
        return ()
    seed = int(told["seed"])
    lines = [_cloud(told["points"], label, name) for label, name in ((1, "one class"), (-1, "the other"))]
    for name, words in (("l2", "hard-margin SVM"), ("linf", "largest L-infinity margin")):
        if told[name] is not None:
            lines.append(_ray(words, float(told[name])))
    for arm in (GD, ADAM):
        declared, heading = run_data.arm(arm), run_data.measure("heading", arm).get(seed)
        if declared and heading is not None and math.isfinite(heading):
            lines.append(_ray(f"{declared.title}, at its end", heading))
    return (
        Figure(
            "set",
            f"The toy set of seed {seed}",
            "first feature",
            "second feature",
            tuple(lines),
            note="lines: directions of w from the origin; both classes are split at a right angle to them",
        ),
    )


def _cloud(points: Any, label: int, name: str) -> Line:
    own = [(float(x), float(y)) for x, y, of in points if of == label]
    return Line(name, tuple(x for x, _ in own), tuple(y for _, y in own), points=True)


def _ray(label: str, heading: float) -> Line:
    length = 3.0
    return Line(label, (0.0, length * math.cos(heading)), (0.0, length * math.sin(heading)))


def _network(run_data: RunData) -> tuple[Figure, ...]:
    arms = (LONG, DECAYED)
    fit = summarise(run_data.measure("epochs_to_fit", FIT).values())
    where = (Reference(fit.mean, "training error 0, mean", "x"),) if fit.n else ()
    shown = (
        ("network-loss", "Network: loss on the test set", "test_loss", "test loss (nats)", True),
        ("network-error", "Network: error on the test set", "test_error", "test error", False),
        ("network-norm", "Network: norm of its weights", "weight_norm", "norm of the weight matrices", False),
    )
    found = []
    for name, title, metric, axis, log in shown:
        if metric == "test_error":
            lines = tuple(
                Line(
                    line.label,
                    line.x,
                    tuple(1 - y for y in line.y),
                    tuple(1 - y for y in line.high) if line.high else None,
                    tuple(1 - y for y in line.low) if line.low else None,
                    n=line.n,
                )
                for line in curve_lines(run_data, "test_accuracy", x="epoch", arms=arms)
            )
        else:
            lines = curve_lines(run_data, metric, x="epoch", arms=arms)
        lines = tuple(_after_start(line) for line in lines)
        found.append(Figure(name, title, "epoch", axis, lines, where, log_x=True, log_y=log, note=BAND))
    return tuple(found)


def _after_start(line: Line) -> Line:
    """Return a line without its point at epoch 0, which a logarithmic axis has no place for."""
    kept = [k for k, x in enumerate(line.x) if x > 0]

    def part(values: Any) -> Any:
        return tuple(values[k] for k in kept) if values is not None else None

    return Line(line.label, part(line.x), part(line.y), part(line.low), part(line.high), n=part(line.n))
