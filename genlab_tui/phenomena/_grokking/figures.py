"""Grokking: accuracies over a logarithmic step axis, by weight decay, by data, with a leak; losses and norms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import mean, over_factor
from genlab_tui.phenomena._grokking.claims import waited
from genlab_tui.phenomena._grokking.config import (
    CONTROL,
    FIT,
    GENERAL,
    LEAK,
    MAIN,
    Config,
    decay_arm,
    fraction_arm,
)
from genlab_tui.rundata import Curve, RunData
from genlab_tui.stats import summarise

BAND = "line: mean over seeds, band: 1 standard deviation; a network that has ended keeps its last value"


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return the figures, also of data still coming."""
    held = _held(run_data)
    decay = f"weight decay decoupled (AdamW), on all numbers of the network; {_table(config)}"
    decays = [decay_arm(d) for d in config.decays]
    fractions = [fraction_arm(f) for f in config.fractions]
    chance = Reference(1 / config.p, "chance")
    marks = (Reference(FIT, f"fits: {FIT:.0%}"), Reference(GENERAL, f"generalises: {GENERAL:.0%}"), chance)
    fit, general = (_typical(run_data, name) for name in ("fit_step", "general_step"))
    places = (
        *((Reference(fit, f"train {FIT:.0%}", "x"),) if fit else ()),
        *((Reference(general, f"test {GENERAL:.0%}", "x"),) if general else ()),
    )
    main = Figure(
        "grokking",
        "Fit at once, understood long after",
        "step",
        "accuracy",
        (
            *curve_lines(held, "train_accuracy", arms=(MAIN,), prefix="train: "),
            *curve_lines(held, "test_accuracy", arms=(MAIN, CONTROL), prefix="test: "),
        ),
        (*marks, *places),
        log_x=True,
        note=f"marks: geometric means of the seeds; {decay}; {BAND}",
    )
    by_decay = _test("decays", "Test accuracy by weight decay", held, (MAIN, *decays, CONTROL), marks[1:], decay)
    by_data = _test("fractions", "Test accuracy by share of the table", held, (MAIN, *fractions), marks[1:], decay)
    found = [main, by_decay, by_data]
    if run_data.arm(LEAK):
        found.append(_leak(held, marks))
    norm = Figure(
        "norm",
        "Norm of the network's numbers",
        "step",
        "norm",
        curve_lines(held, "weight_norm", arms=(MAIN, *decays, CONTROL)),
        places,
        log_x=True,
        log_y=True,
        note=f"embeddings, matrices and biases; {BAND}",
    )
    losses = Figure(
        "loss",
        "Cross-entropy on the pairs trained on and on those held out",
        "step",
        "nats",
        (
            *curve_lines(held, "train_loss", arms=(MAIN, CONTROL), prefix="train: "),
            *curve_lines(held, "test_loss", arms=(MAIN, CONTROL), prefix="test: "),
        ),
        (Reference(math.log(config.p), "guessing"), *places),
        log_x=True,
        log_y=True,
        note=BAND,
    )
    return (*found, norm, losses, *_steps(config, run_data))


def _table(config: Config) -> str:
    return f"{config.operation} modulo {config.p}, held out by {config.split}"


def _typical(run_data: RunData, name: str) -> float | None:
    """Return the geometric mean over the seeds of a step of the main arm; None where no seed has one."""
    found = summarise(math.log(v) for v in run_data.measure(name, MAIN).values() if 0 < v < math.inf)
    return math.exp(found.mean) if found.n else None


def _held(run_data: RunData) -> RunData:
    """Return the data with every curve drawn on, at its last finite value, to the end of the longest of its arm."""
    import numpy as np

    longer: dict[str, dict[tuple[str, int], Curve]] = {}
    for metric, curves in run_data.curves.items():
        ends: dict[str, float] = {}
        kept: dict[tuple[str, int], Curve] = {}
        for member, curve in curves.items():
            fine = np.isfinite(curve.value)
            if fine.any():
                kept[member] = Curve(curve.step[fine], curve.epoch[fine], curve.seconds[fine], curve.value[fine])
                ends[member[0]] = max(ends.get(member[0], 0.0), float(kept[member].step[-1]))
        for member, curve in kept.items():
            if curve.step[-1] < ends[member[0]]:
                end = ends[member[0]]
                kept[member] = Curve(
                    np.append(curve.step, end),
                    np.append(curve.epoch, end),
                    np.append(curve.seconds, curve.seconds[-1]),
                    np.append(curve.value, curve.value[-1]),
                )
        longer[metric] = kept
    return replace(run_data, curves=longer)


def _test(name: str, title: str, held: RunData, arms: Sequence[str], marks: tuple[Reference, ...], note: str) -> Figure:
    lines = curve_lines(held, "test_accuracy", arms=arms)
    return Figure(name, title, "step", "test accuracy", lines, marks, log_x=True, note=f"{note}; {BAND}")


def _leak(held: RunData, marks: tuple[Reference, ...]) -> Figure:
    known = mean(held.measure("leakage", LEAK))
    share = () if math.isnan(known) else (Reference(known, "mirror image is trained on"),)
    own = mean(held.measure("leakage", MAIN))
    told = "" if math.isnan(own) else f"; leakage of the main arm's split: {own:.3g}"
    return Figure(
        "leak",
        "What a split by ordered pairs gives away where a + b and b + a look alike",
        "step",
        "accuracy",
        (
            *curve_lines(held, "train_accuracy", arms=(LEAK,), prefix="train: "),
            *curve_lines(held, "test_accuracy", arms=(LEAK, MAIN), prefix="test: "),
        ),
        (*marks, *share),
        log_x=True,
        note=f"the test accuracy of the leak jumps as it fits{told}; {BAND}",
    )


def _steps(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return steps to fit and to generalise over the share of the table."""
    names = {MAIN, *(fraction_arm(f) for f in config.fractions)}
    arms = [arm for arm in run_data.arms if arm.name in names]
    if len(arms) < 2:
        return ()
    arms.sort(key=lambda arm: float(arm.factors["training fraction"]))
    lines: list[Line] = []
    lines += over_factor("fits", arms, "training fraction", lambda arm: run_data.measure("fit_step", arm), points=True)
    lines += over_factor(
        "generalises, or ended before it did",
        arms,
        "training fraction",
        lambda arm: waited(run_data, arm),
        points=True,
    )
    return (
        Figure(
            "steps",
            "Steps needed, by share of the table",
            "share of the table trained on",
            "steps",
            tuple(lines),
            log_y=True,
            note=f"an arm with less data than the main one ends at {config.cap:g} times its steps; mean over seeds, "
            "band: 1 standard deviation",
        ),
    )
