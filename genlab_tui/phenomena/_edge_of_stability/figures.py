"""The edge of stability: sharpness and loss against steps, with the edge of every arm."""

from __future__ import annotations

from collections.abc import Sequence

from genlab_tui.figure import Figure, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.phenomena._edge_of_stability.config import EDGE, STABLE, Config, arm_of, threshold
from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData

BAND = "line: mean over seeds, band: 1 standard deviation"
STEP = "step of gradient descent"


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return the pictures of a run, also of data still coming."""
    plain = [arm for arm in run_data.arms if not arm.factors["beta"]]
    momentum = [arm for arm in run_data.arms if arm.factors["beta"]]
    names = [arm.name for arm in plain]
    found = [
        Figure(
            "sharpness",
            "Sharpness: largest eigenvalue of the Hessian on the training set",
            STEP,
            "sharpness lambda",
            curve_lines(run_data, "sharpness", arms=names),
            _edges(plain),
            log_y=True,
            note=BAND,
        ),
        Figure(
            "edge",
            "Sharpness times step size",
            STEP,
            "eta * lambda",
            curve_lines(run_data, "eta_sharpness", arms=names),
            (
                Reference(EDGE, "2: a parabola diverges"),
                Reference(STABLE, f"{STABLE:g}: limit of the control's late mean"),
            ),
            note=f"{_control(config, run_data)}; {BAND}",
        ),
        Figure(
            "loss",
            "Training loss",
            STEP,
            "half the squared error" if config.loss == "squared" else "cross-entropy (nats)",
            curve_lines(run_data, "train_loss", arms=names),
            _crossings(run_data, plain, arm_of(config.small)),
            log_y=True,
            note=f"every few steps, an odd number; {BAND}",
        ),
        Figure(
            "rising",
            "How often a step raises the loss",
            STEP,
            "share of steps",
            curve_lines(run_data, "rising_steps", arms=names),
            note=f"of the steps between two looks; {BAND}",
        ),
    ]
    if momentum:
        own = [arm.name for arm in momentum]
        found += [
            Figure(
                "momentum",
                "Sharpness with momentum, whose edge is elsewhere",
                "step with momentum",
                "sharpness lambda",
                curve_lines(run_data, "sharpness", arms=own),
                (*_edges(momentum), *_plain_edges(momentum)),
                log_y=True,
                note=BAND,
            ),
            Figure(
                "momentum-loss",
                "Training loss with momentum",
                "step with momentum",
                "half the squared error" if config.loss == "squared" else "cross-entropy (nats)",
                curve_lines(run_data, "train_loss", arms=own),
                log_y=True,
                note=f"every few steps; {BAND}",
            ),
        ]
    return tuple(found)


def _control(config: Config, run_data: RunData) -> str:
    """Return what the control is judged on, and where it ends: sharpness may still be rising then."""
    words = "the control is judged on its mean over the second half"
    ends = run_data.measure("end_sharpness", arm_of(config.small)).values()
    levels = [config.small * value for value in ends if value == value]
    if not levels:
        return words
    return f"{words}; at its end it has {sum(levels) / len(levels):.3g} (largest of the seeds {max(levels):.3g})"


def _edges(arms: Sequence[Arm]) -> tuple[Reference, ...]:
    return tuple(Reference(threshold(arm), f"edge, {arm.title}") for arm in arms)


def _plain_edges(arms: Sequence[Arm]) -> tuple[Reference, ...]:
    etas = sorted({float(arm.factors["eta"]) for arm in arms})
    return tuple(Reference(EDGE / eta, f"2 / eta, eta {eta:g}") for eta in etas)


def _crossings(run_data: RunData, arms: Sequence[Arm], small: str) -> tuple[Reference, ...]:
    """Return where the arms cross their edge, mean over the seeds."""
    found = []
    for arm in arms:
        steps = [step for step in run_data.measure("crossing", arm.name).values() if step == step]
        if steps and arm.name != small:
            found.append(Reference(sum(steps) / len(steps), f"{arm.title} crosses", "x"))
    return tuple(found)
