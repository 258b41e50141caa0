"""What is drawn: accuracy and speed over the weights left, and what the variants show."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import over_factor
from genlab_tui.phenomena._lottery_ticket.claims import LATER
from genlab_tui.phenomena._lottery_ticket.rounds import (
    ACCURACY,
    KINDS,
    START,
    STEP,
    Config,
    budget,
    hidden_widths,
    judged_arms,
    levels,
    percent,
)
from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData
from genlab_tui.training.tickets import DENSE, RANDOM, REINIT, TICKET, TUNED

BAND = "line: mean over seeds, band: 1 standard deviation"
LEFT = "share of weights left"
NOTES = {
    "lenet-300-100": "LeNet on MNIST: 38 % earlier than dense at 21 % of the weights; as accurate down to 3.6 %",
    "conv-2": "Conv-2 on CIFAR-10: 3.5x earlier than dense at 8.8 %, 3.4 points more accurate at 4.6 %",
    "conv-4": "Conv-4 on CIFAR-10: 3.5x earlier than dense at 9.2 %, 3.5 points more accurate at 11.1 %",
    "conv-6": "Conv-6 on CIFAR-10: 2.5x earlier than dense at 15.1 %, 3.3 points more accurate at 26.4 %",
}


def _of_kind(arms: Iterable[Arm], *kinds: str, size: float = 1.0) -> list[Arm]:
    return [arm for arm in arms if arm.factors.get("kind") in kinds and arm.factors.get("size") == size]


def _by_kind(run_data: RunData, measure: str) -> tuple[Line, ...]:
    """Return a line per kind over the share of weights left; tickets begin at the dense network."""
    of = partial(run_data.measure, measure)
    lines: tuple[Line, ...] = ()
    for kind, label in KINDS.items():
        own = _of_kind(run_data.arms, *((DENSE, TICKET) if kind == TICKET else (kind,)))
        lines += over_factor(label, own, "remaining", of, points=kind in (REINIT, RANDOM) and len(own) < 3)
    return lines


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return accuracy and step at the early stop over the weights left, and what the variants show."""
    spec = run_data.spec
    _, shares, judged = levels(config, spec)
    at = Reference(shares[judged], f"judged here, {percent(shares[judged])} %", "x")
    of_dense = [*run_data.measure(ACCURACY, DENSE).values()]
    dense = (Reference(sum(of_dense) / len(of_dense), "dense network"),) if of_dense else ()
    steps = [*run_data.measure(STEP, DENSE).values()]
    later = (Reference(LATER * sum(steps) / len(steps), f"{LATER:g} x dense network"),) if steps else ()
    found = [
        Figure(
            "accuracy",
            "Test accuracy at the early stop",
            LEFT,
            "test accuracy",
            _by_kind(run_data, ACCURACY),
            (at, *dense),
            log_x=True,
            note=f"{BAND}; the paper, {NOTES.get(config.network, '')}",
        ),
        Figure(
            "step",
            "Steps to the smallest validation loss",
            LEFT,
            "early-stop step",
            _by_kind(run_data, STEP),
            (at, *later),
            log_x=True,
            note=f"{BAND}; every training runs to step {budget(config, spec):,}",
        ),
        Figure(
            "validation",
            f"Validation loss with {percent(shares[judged])} % of the weights",
            "step",
            "validation loss (nats)",
            curve_lines(run_data, "validation_loss", arms=[DENSE, *(judged_arms(config, spec).values())]),
            log_y=True,
            note=BAND,
        ),
    ]
    if config.magnitude:
        found.append(_pruned_figure(run_data))
    if {*config.sizes} != {1.0}:
        found.append(_sizes_figure(run_data, config))
    return tuple(found)


def _pruned_figure(run_data: RunData) -> Figure:
    """Accuracy of trained weights after pruning, before and after more training."""
    arms = _of_kind(run_data.arms, TUNED)
    pruned = [Arm(arm.name, arm.label, {"pruned": 1.0 - float(arm.factors["remaining"])}) for arm in arms]
    whole = [Arm(DENSE, "", {"pruned": 0.0})]
    raw = over_factor("dense", whole, "pruned", partial(run_data.measure, "test_accuracy"))
    lines = over_factor("pruned, raw", pruned, "pruned", partial(run_data.measure, START))
    lines += over_factor("pruned, then fine-tuned", pruned, "pruned", partial(run_data.measure, ACCURACY))
    return Figure(
        "magnitude",
        "Magnitude pruning of a trained network",
        "share of weights pruned",
        "test accuracy",
        lines,
        tuple(Reference(line.y[0], "trained network, nothing pruned") for line in raw),
        note=f"pruned at one blow, never reset; {BAND}",
    )


def _sizes_figure(run_data: RunData, config: Config) -> Figure:
    """Accuracy of tickets over the weights they have, a line per initial size."""
    of = partial(run_data.measure, ACCURACY)
    lines: tuple[Line, ...] = ()
    for size in sorted({*config.sizes, 1.0}):
        widths = "-".join(str(width) for width in hidden_widths(config, size))
        lines += over_factor(widths, _of_kind(run_data.arms, DENSE, TICKET, size=size), "weights", of)
    counts, _, judged = levels(config, run_data.spec)
    equal = Reference(float(sum(counts[judged])), f"{sum(counts[judged]):,} weights", "x")
    title = "Tickets of networks of several initial sizes"
    return Figure("sizes", title, "weights left", "test accuracy", lines, (equal,), log_x=True, note=BAND)
