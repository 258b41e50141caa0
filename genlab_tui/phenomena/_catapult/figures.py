"""The catapult: losses step by step, where they end over eta * lambda_0, peaks, networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import MEDIAN, median_lines
from genlab_tui.measures import mean, over_factor
from genlab_tui.phenomena._catapult.config import (
    DIVERGENCE,
    LINEARISED,
    MODEL,
    ONSET,
    RELU_EDGE,
    SHOWN,
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
            "Loss of the model, by eta * lambda_0",
            STEP,
            "loss",
            tuple(replace(line, low=None, high=None) for line in median_lines(run_data, "loss", descents)),
            log_x=True,
            log_y=True,
            note="median over seeds; below 1e-20 of its first loss, a descent is at its end",
        ),
        Figure(
            "level",
            "Curvature times rate, by eta * lambda_0",
            STEP,
            "eta * lambda",
            _levels(run_data, descents),
            (Reference(ONSET, "2: descent is stable below"), Reference(DIVERGENCE, "4: the curvature grows above")),
            log_x=True,
            note=f"{MEDIAN}; a line ends where the first of its seeds exceeds {SHOWN:g}",
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
            "Largest loss against width, by eta * lambda_0",
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


def _levels(run_data: RunData, descents: list[str]) -> tuple[Line, ...]:
    """Return eta * lambda step by step; of what diverges its begin alone, or all others would be one flat line."""
    found = map(_begin, median_lines(run_data, "eta_lambda", descents))
    return tuple(line for line in found if line.x)


def _begin(line: Line) -> Line:
    """Return a line up to where the first of its seeds leaves what is shown."""
    n = line.n or ()
    inside = [high <= SHOWN and count == n[0] for high, count in zip(line.high or (), n, strict=True)]
    end = [*inside, False].index(False)
    low, high = line.low and line.low[:end], line.high and line.high[:end]
    return replace(line, x=line.x[:end], y=line.y[:end], low=low, high=high, n=n[:end])


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
    lines = _swept(config, run_data, "ratio", "model")
    if lines:
        x = tuple(value for value in lines[0].x if value >= ONSET)
        lines += (Line("stable below", x, tuple(ONSET / value for value in x)),) if x else ()
    constant = Line("linearised", (0.0, ONSET), (1.0, 1.0)) if run_data.arm(LINEARISED) else None
    return Figure(
        "curvature",
        "Curvature at the end of training",
        PRODUCT,
        "lambda / lambda_0",
        (*lines, constant) if constant and lines else lines,
        _edges(run_data),
        note=f"of descents that do not diverge; stable below: 2 / (eta lambda_0); {BAND}",
    )


def _by_width(config: Config, run_data: RunData) -> tuple[Line, ...]:
    lines: tuple[Line, ...] = ()
    for name in (WIDER, WIDER_CALM):
        if arm := run_data.arm(name):
            places = [Arm(f"{name}-{place.factors['width']}", factors=place.factors) for place in width_arms(config)]
            lines += over_factor(
                f"{arm.factors['product']:g}",
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
