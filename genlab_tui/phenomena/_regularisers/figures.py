"""The figures of the regularisers: the table beside the paper's, gains with intervals, accuracy over loss, batches."""

from __future__ import annotations

import math
from collections.abc import Mapping

from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import mean
from genlab_tui.phenomena._regularisers import gains
from genlab_tui.phenomena._regularisers.config import TABLE_1, Config
from genlab_tui.phenomena._regularisers.rows import (
    NOISY,
    PAPER_ACCURACY,
    RANDOM,
    TRUE,
    Row,
    arm_name,
    better,
    plain,
    rows,
)
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

POINTS = 100.0


def figures(config: Config, run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return the table, the gains, test accuracy over training loss and the batch sizes; also of data still coming."""
    found: tuple[Figure | HeatMap, ...] = (
        _table(config, run_data),
        _gains(config, run_data),
        _over_loss(config, run_data),
    )
    return (*found, _batches(config, run_data)) if any(row.batch for row in rows(config, run_data.spec)) else found


def flavour(config: Config) -> str:
    """Return what weight decay means in this run."""
    kind = "L2 in the loss (coupled)" if config.protocol == TABLE_1 else "decoupled"
    return f"weight decay is {kind}, not on biases or batch norm"


def _shown(config: Config, run_data: RunData) -> list[tuple[int, Row]]:
    """Return the rows of regularisers that were launched, numbered as the table numbers them."""
    return list(enumerate((row for row in gains.launched(run_data, config, TRUE) if not row.batch), 1))


def _points(values: Mapping[int, float]) -> float:
    return POINTS * mean(values)


def _numbers(config: Config, run_data: RunData, row: Row) -> tuple[float, float, float, float]:
    """Return gains with true labels, with noisy ones and at equal loss, and the share of random labels fitted."""
    return (
        _points(gains.gain(run_data, row)),
        _points(gains.gain(run_data, row, NOISY)) if NOISY in row.regimes else math.nan,
        _points(gains.equal_loss_gain(run_data, row, config.loss_target)),
        mean(gains.fitted(run_data, row.name, RANDOM)),
    )


def _note(config: Config) -> str:
    return (
        "points of test accuracy over the same network without the regulariser, paired by seed, mean; true and noisy: "
        f"equal steps; =loss: where both first reach a clean training loss of {config.loss_target:g}; fits: training "
        "accuracy on random labels; × not measured or not reached; "
    )


def _table(config: Config, run_data: RunData) -> HeatMap:
    names, table = [], []
    for number, row in _shown(config, run_data):
        true, noisy, equal, fit = _numbers(config, run_data, row)
        names.append(f"{number} {row.label}")
        table.append((true, row.published, noisy, equal, fit, row.published_fit))
    there = any(math.isfinite(value) for line in table for value in (line[0], *line[2:5]))
    architecture = _points(gains.architecture_gain(run_data, config))
    if math.isfinite(architecture):
        label = next(row.label for row in rows(config, run_data.spec) if row.name == better(config))
        names.append(f"= {label.split(',')[0]}")
        paper = PAPER_ACCURACY["inception"] - PAPER_ACCURACY["mlp-3x512"]
        table.append((architecture, round(paper, 2), math.nan, math.nan, math.nan, math.nan))
    return HeatMap(
        "table",
        "Gains in points, ours beside the paper's; share of random labels fitted",
        "",
        "",
        ("true", "paper", "noisy", "=loss", "fits", "paper"),
        tuple(names) if there else (),
        tuple(table) if there else (),
        note=_note(config) + "early stopping: by the loss on a held-out tenth, over the same nine tenths trained to "
        "the end; paper: Zhang et al. 2017, tables 1 and 4 (CIFAR-10: MLP 3x512 for weight decay, Inception for the "
        "rest); last row: the better architecture without regularisers; " + flavour(config),
    )


def _batches(config: Config, run_data: RunData) -> HeatMap:
    found = [row for row in gains.launched(run_data, config, TRUE) if row.batch]
    table = [_numbers(config, run_data, row) for row in found]
    there = any(math.isfinite(value) for line in table for value in line)
    return HeatMap(
        "batches",
        f"Other batch sizes than {config.batch}: gains in points, share of random labels fitted",
        "",
        "",
        ("true", "noisy", "=loss", "fits"),
        tuple(row.label for row in found) if there else (),
        tuple(table) if there else (),
        note=_note(config) + "every size takes at least as many steps and at least as many epochs as the others; the "
        "proportion of learning rate and batch size is a rule for SGD; " + flavour(config),
    )


def _gains(config: Config, run_data: RunData) -> Figure:
    shown = _shown(config, run_data)
    lines = []
    for regime, label, beside in ((TRUE, "true labels", 0.0), (NOISY, f"{100 * config.noise:g} % noise", 0.2)):
        of = [(at + beside, gains.gain(run_data, row, regime)) for at, row in shown if regime in row.regimes]
        found = [(x, summarise(values.values())) for x, values in of]
        there = [(x, summary) for x, summary in found if summary.n]
        if there:
            lines.append(
                Line(
                    label,
                    tuple(x for x, _ in there),
                    tuple(POINTS * summary.mean for _, summary in there),
                    tuple(POINTS * summary.low for _, summary in there),
                    tuple(POINTS * summary.high for _, summary in there),
                    points=True,
                    n=tuple(summary.n for _, summary in there),
                )
            )
    published = [(at - 0.2, row.published) for at, row in shown if math.isfinite(row.published)]
    if lines and published:
        lines.append(
            Line("the paper's, CIFAR-10", tuple(x for x, _ in published), tuple(y for _, y in published), points=True)
        )
    references = [Reference(0.0, "no gain")]
    architecture = _points(gains.architecture_gain(run_data, config))
    if math.isfinite(architecture):
        references.append(Reference(architecture, "the better architecture"))
    return Figure(
        "gains",
        "What each regulariser gains",
        "regulariser, by its number in the table",
        "gain in points of test accuracy",
        tuple(lines),
        tuple(references),
        note="; ".join(f"{number} {row.label}" for number, row in shown)
        + "; equal steps, mean over seeds, paired; bar: Student-t 95 % interval; the paper's: Zhang et al. 2017, table "
        "1: Inception crop +3.56, weight decay +0.28, both +3.30, batch norm +3.75; Alexnet crop +3.59, weight decay "
        "+1.29; MLP 3x512 weight decay +0.96, 1x512 -0.12; " + flavour(config),
    )


def _over_loss(config: Config, run_data: RunData) -> Figure:
    """Test accuracy over the clean training loss: where a line lies higher at one loss, it generalises better."""
    shown = [arm_name(TRUE, row.name) for _, row in _shown(config, run_data)]
    wanted = [arm_name(TRUE, plain(config)), *shown, arm_name(TRUE, better(config))]
    losses = {line.label: line for line in curve_lines(run_data, "train_loss", arms=wanted, points=10_000)}
    lines = []
    for line in curve_lines(run_data, "test_accuracy", arms=wanted, points=10_000):
        loss = losses.get(line.label)
        if loss is None:
            continue
        at = dict(zip(loss.x, loss.y, strict=True))
        kept = [k for k, x in enumerate(line.x) if at.get(x, math.nan) > 0]
        lines.append(
            Line(
                line.label,
                tuple(at[line.x[k]] for k in kept),
                tuple(line.y[k] for k in kept),
                tuple(line.low[k] for k in kept) if line.low else None,
                tuple(line.high[k] for k in kept) if line.high else None,
                n=tuple(line.n[k] for k in kept) if line.n else None,
            )
        )
    return Figure(
        "loss",
        "Test accuracy at equal training loss",
        "training loss (nats)",
        "test accuracy",
        tuple(lines),
        (Reference(config.loss_target, "compared here", "x"),),
        log_x=True,
        note="true labels; training runs from right to left; loss in evaluation mode, plain cross-entropy, whatever "
        "was minimised; mean over seeds, band: 1 standard deviation; " + flavour(config),
    )
