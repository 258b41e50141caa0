"""The catapult: losses step by step, where they end over eta * lambda_0, peaks, networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import MEDIAN, curve_lines, median_lines
from genlab_tui.measures import mean, over_factor
from genlab_tui.phenomena._catapult.config import (
    DIVERGENCE,
    LINEARISED,
    MODEL,
    ONSET,
    RELU_EDGE,
    WIDER,
    WIDER_CALM,
    Config,
    sweep_arms,
    width_arms,
)
from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData

BAND = "line: mean over seeds, band: 1 standard deviation"
STEP = "step of gradient descent"
PRODUCT = "eta * lambda_0"


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return the pictures of a run, also of data still coming."""
    descents = [arm.name for arm in run_data.arms if arm.factors["kind"] == "descent"]
    found = [
        Figure(
            "loss",
            "Loss of the model, step by step",
            STEP,
            "loss",
            tuple(replace(line, low=None, high=None) for line in median_lines(run_data, "loss", descents)),
            log_x=True,
            log_y=True,
            note="median over seeds; below 1e-20 of its first loss, a descent is at its end",
        ),
        Figure(
            "level",
            "Curvature times rate, step by step",
            STEP,
            "eta * lambda",
            curve_lines(run_data, "eta_lambda", arms=descents),
            (Reference(ONSET, "2: descent is stable below"), Reference(DIVERGENCE, "4: the curvature grows above")),
            log_x=True,
            note=BAND,
        ),
        _curvature(config, run_data),
        Figure(
            "peak",
            "How high the loss is thrown",
            PRODUCT,
            "largest loss",
            _swept(config, run_data, "peak", "largest loss"),
            _edges(run_data),
            log_y=True,
            note=f"of descents that do not diverge; {BAND}",
        ),
        Figure(
            "widths",
            "Largest loss against the width of the model",
            "hidden units",
            "largest loss, geometric mean over draws",
            _by_width(config, run_data),
            log_x=True,
            log_y=True,
            note=BAND,
        ),
    ]
    if config.networks:
        found += _networks(config, run_data)
    return tuple(found)


def _edges(run_data: RunData) -> tuple[Reference, ...]:
    """Return the two boundaries of the theory; as found, where they are."""
    marks = []
    for name, value, words in (("onset", ONSET, "the loss rises from here"), ("divergence", DIVERGENCE, "it diverges")):
        seen = mean(run_data.measure(name, MODEL))
        label = f"{value:g}: {words}" + (f" (found: {seen:.3g})" if seen == seen else "")
        marks.append(Reference(value, label, "x"))
    return tuple(marks)


def _swept(config: Config, run_data: RunData, name: str, label: str) -> tuple[Line, ...]:
    def converged(arm: str) -> Mapping[int, float]:
        gone = run_data.measure("diverged", arm)
        return {seed: value for seed, value in run_data.measure(name, arm).items() if not gone.get(seed)}

    return over_factor(label, sweep_arms(config), "product", converged, points=True)


def _curvature(config: Config, run_data: RunData) -> Figure:
    lines = _swept(config, run_data, "ratio", "lambda at the end / lambda_0")
    if lines:
        x = tuple(value for value in lines[0].x if value >= ONSET)
        lines += (Line("2 / (eta lambda_0): stable below", x, tuple(ONSET / value for value in x)),) if x else ()
    constant = Line("linearised: constant", (0.0, ONSET), (1.0, 1.0)) if run_data.arm(LINEARISED) else None
    return Figure(
        "curvature",
        "Curvature at the end of training",
        PRODUCT,
        "lambda / lambda_0",
        (*lines, constant) if constant and lines else lines,
        _edges(run_data),
        note=f"of descents that do not diverge; {BAND}",
    )


def _by_width(config: Config, run_data: RunData) -> tuple[Line, ...]:
    lines: tuple[Line, ...] = ()
    for name in (WIDER, WIDER_CALM):
        if arm := run_data.arm(name):
            places = [Arm(f"{name}-{place.factors['width']}", factors=place.factors) for place in width_arms(config)]
            lines += over_factor(
                f"eta lambda_0 = {arm.factors['product']:g}",
                places,
                "width",
                lambda place: run_data.measure("peak_mean", place),
                points=True,
            )
    return lines


def _networks(config: Config, run_data: RunData) -> list[Figure]:
    own = [arm for arm in run_data.arms if arm.factors["kind"] == "network"]
    rates = []
    for arm in own:
        found = sorted(run_data.measure("eta_max", arm.name).items())
        if found:
            x, y = zip(*found, strict=True)
            rates.append(Line(arm.title, tuple(map(float, x)), y, points=True))
    return [
        Figure(
            "network-loss",
            f"Networks on two classes at eta lambda_0 = {config.network_product:g}",
            STEP,
            "loss",
            median_lines(run_data, "network_loss", [arm.name for arm in own]),
            log_x=True,
            log_y=True,
            note=MEDIAN,
        ),
        Figure(
            "rates",
            "Largest rate at which networks on two classes train",
            "seed",
            PRODUCT,
            tuple(rates),
            (
                Reference(ONSET, "2: constant curvature"),
                Reference(DIVERGENCE, "4: the model"),
                Reference(RELU_EDGE, "about 12: ReLU, Lewkowycz et al. 2020"),
            ),
            log_y=True,
            note="one point a seed; lambda_0: largest eigenvalue of the kernel of the samples over their number",
        ),
    ]
