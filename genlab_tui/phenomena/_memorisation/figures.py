"""What is learnt when, and what it costs: the figures of memorisation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.landmarks import highest
from genlab_tui.lines import curve_lines
from genlab_tui.measures import over_factor
from genlab_tui.phenomena._memorisation.config import (
    CHANCE,
    DROPOUT_FITS,
    EASY,
    FOUR,
    GAUSSIAN,
    LEARNT,
    RADII,
    RANDOM,
    Config,
    critical_at,
    dropped,
    label_of,
    name_of,
)
from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

BAND = "line: mean over seeds, band: 1 standard deviation"


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return the four curves, the control's, peak and end over noise, dropout, sensitivity; also of data to come."""
    main, chance = name_of(config.noise), Reference(CHANCE, "chance")
    learnt = Reference(LEARNT, "the pattern counts as learnt")
    four = Figure(
        "curves",
        f"{label_of(config.noise)}: what is learnt when",
        "epoch",
        "accuracy",
        _over_epochs(run_data, main, FOUR),
        (learnt, chance),
        log_x=True,
        note=BAND,
    )
    parts = {"clean_fit": "one part", "noisy_fit": "the other part", "test_accuracy": FOUR["test_accuracy"]}
    control = Figure(
        "control",
        "Random labels, split at random in two parts: no part is learnt first",
        "epoch",
        "accuracy",
        _over_epochs(run_data, RANDOM, parts),
        (learnt, chance),
        log_x=True,
        note=f"the same sizes as with {label_of(config.noise)}; {BAND}",
    )
    return (
        four,
        control,
        _over_noise(run_data),
        _with_dropout(run_data, config),
        *_sensitive(run_data),
        _first(run_data, config.inits),
    )


def _over_epochs(run_data: RunData, arm: str, metrics: dict[str, str], suffix: str = "") -> tuple[Line, ...]:
    lines = []
    for metric, label in metrics.items():
        for line in curve_lines(run_data, metric, x="epoch", arms=[arm]):
            keep = [k for k, x in enumerate(line.x) if x > 0]  # an epoch of 0 has no place on a log axis

            def kept(values: Sequence[float] | None, keep: list[int] = keep) -> tuple[float, ...] | None:
                return tuple(values[k] for k in keep) if values is not None else None

            cut = {"x": kept(line.x), "y": kept(line.y), "low": kept(line.low), "high": kept(line.high)}
            n = tuple(line.n[k] for k in keep) if line.n is not None else None
            lines.append(replace(line, label=label + suffix, n=n, **cut))  # type: ignore[arg-type]  # x, y are there
    return tuple(lines)


def _shares(run_data: RunData) -> list[Arm]:
    """Return the arms that differ in their share of wrong labels alone."""
    return [
        a for a in run_data.arms if a.factors["labels"] == "wrong" and not a.factors["dropout"] and a.name != GAUSSIAN
    ]


def _over_noise(run_data: RunData) -> Figure:
    shares = _shares(run_data)
    others = [arm for arm in run_data.arms if arm.factors["dropout"]]
    end = partial(run_data.measure, "test_accuracy")
    top = partial(highest, run_data, "test_accuracy")
    lines = (
        *over_factor("at its peak", shares, "noise", top),
        *over_factor("at the end", shares, "noise", end),
        *over_factor("at the end, with dropout", others, "noise", end, points=True),
        *over_factor(
            "true class of the wrongly labelled, at its peak", shares, "noise", partial(highest, run_data, "recovery")
        ),
    )
    return Figure(
        "noise",
        "Test accuracy at its peak and at the end",
        "share of wrong labels",
        "accuracy",
        lines,
        (Reference(CHANCE, "chance"),),
        note=BAND,
    )


def _with_dropout(run_data: RunData, config: Config) -> Figure:
    shown = {"noisy_fit": "wrong labels", "test_accuracy": "test samples"}
    lines = (
        *_over_epochs(run_data, name_of(config.noise), shown),
        *_over_epochs(run_data, dropped(config), shown, f", dropout {config.dropout:g}"),
    )
    return Figure(
        "dropout",
        f"{label_of(config.noise)}: dropout keeps them from being learnt",
        "epoch",
        "accuracy",
        lines,
        (Reference(DROPOUT_FITS, "wrong labels fitted with dropout: at most"), Reference(CHANCE, "chance")),
        log_x=True,
        note=BAND,
    )


def _sensitive(run_data: RunData) -> tuple[Figure, Figure]:
    """Return the Gini coefficient of the loss sensitivity and the share of critical samples over the noise."""
    shares = _shares(run_data)
    others = [arm for arm in run_data.arms if arm not in shares]
    gini = partial(run_data.measure, "sensitivity_gini")
    unevenness = Figure(
        "sensitivity",
        "How unevenly the loss depends on single samples",
        "share of wrong labels",
        "Gini coefficient",
        (
            *over_factor("wrong labels", shares, "noise", gini, points=True),
            *(line for arm in others for line in over_factor(arm.title, [arm], "noise", gini, points=True)),
        ),
        note="of sum |d loss / d input|, averaged over training; " + BAND.replace("line", "point"),
    )
    critical = Figure(
        "critical",
        "Test samples with one of another class close by, at the end",
        "share of wrong labels (1: random labels)",
        "critical sample ratio",
        tuple(
            line
            for radius in RADII
            for line in over_factor(
                f"radius {radius:g}",
                [arm for arm in run_data.arms if arm in shares or arm.name == RANDOM],
                "noise",
                partial(run_data.measure, critical_at(radius)),
                points=True,
            )
        ),
        note="radius in standard deviations of a feature, largest change of any feature; found by a search of 10 steps",
    )
    return unevenness, critical


def _first(run_data: RunData, inits: int) -> Figure:
    """Return the share of initialisations right after one epoch, samples sorted, and what chance would give."""
    lines: list[Line] = []
    for metric, label in zip(EASY.values(), ("real inputs", "Gaussian inputs"), strict=True):
        lines += [replace(line, label=label) for line in curve_lines(run_data, metric, arms=["clean"])]
        mean = summarise(run_data.measure(f"{metric}_mean", "clean").values()).mean
        if math.isfinite(mean):
            x = tuple(float(percent) for percent in range(101))
            lines.append(Line(f"{label}, if all samples were alike", x, _binomial(inits, mean)))
    return Figure(
        "first-epoch",
        "Easy samples: right after one epoch",
        "samples, from the hardest to the easiest (%)",
        "share of initialisations that are right",
        tuple(lines),
        note=f"{inits} initialisations and orders of one seed's samples; {BAND}",
    )


def _binomial(n: int, p: float) -> tuple[float, ...]:
    """Return the share right at 0, 1, ... 100 % of samples that are each right with chance `p` in each of n trials."""
    found, k, below = [], 0, (1 - p) ** n
    for percent in range(101):
        while below < percent / 100 and k < n:
            k += 1
            below += math.comb(n, k) * p**k * (1 - p) ** (n - k)
        found.append(k / n)
    return tuple(found)
