"""Batch norm's modes: accuracy and gap over batch size, variance ratios over layers, learning curves."""

from __future__ import annotations

from collections.abc import Sequence

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import over_factor
from genlab_tui.phenomena._batch_norm_modes.claims import gaps, scored
from genlab_tui.phenomena._batch_norm_modes.config import (
    AT_PLAIN_LR,
    BATCH_MODE,
    BN,
    LEARNT,
    PLAIN,
    RATIO,
    RECOMPUTED,
    REFERENCE,
    SHIFT_ARMS,
    SHIFTED,
    STATISTICS_NOTE,
    UNSHIFTED,
    Config,
    data_of,
    layer_arm,
)
from genlab_tui.phenomenon import Arm, PerSeed
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

DIVERGED = "a network that diverged counts as guessing"


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return accuracy and gap over batch size, the variance ratio by layer, and learning curves."""
    chance = Reference(1 / data_of(run_data.spec).classes, "chance")
    return (
        Figure(
            "accuracy",
            "Test accuracy by batch size, equal steps",
            "batch size",
            "test accuracy",
            (
                *_over_batch(run_data, BN, "evaluation mode", "test_accuracy"),
                *_over_batch(run_data, BN, "training mode, same batch size", BATCH_MODE),
                *_over_batch(run_data, BN, "recomputed statistics", RECOMPUTED),
                *_over_batch(run_data, AT_PLAIN_LR, f"evaluation mode, lr {config.plain_lr:g}", "test_accuracy"),
                *_over_batch(run_data, PLAIN, f"no batch norm, lr {config.plain_lr:g}", "test_accuracy"),
                *_over_batch(run_data, "epochs", f"evaluation mode, {config.epochs} epochs", "test_accuracy"),
            ),
            (chance, Reference(LEARNT, "learnt")),
            log_x=True,
            note=f"{config.steps} steps, learning rate {config.lr:g} where no other is said; {DIVERGED}; "
            f"{STATISTICS_NOTE}; band: 1 standard deviation over seeds",
        ),
        Figure(
            "gap",
            "Evaluation mode minus training mode",
            "batch size",
            "gap in test accuracy (points)",
            (*_gap_lines(run_data, BN, "batch norm"), *_gap_lines(run_data, PLAIN, "no batch norm")),
            (Reference(0.0, "no gap"),),
            log_x=True,
            note=f"training mode: mean over {config.partitions} partitions of the test set into mini-batches (a larger "
            f"batch: the whole test set); {DIVERGED}",
        ),
        Figure(
            "ratio",
            f"How far running variances are off, batch {REFERENCE}",
            "batch-norm layer, from the inputs on",
            "real / running variance or the reverse, worst channel",
            tuple(line for name in SHIFT_ARMS for line in _ratio_lines(config, run_data, name)),
            (Reference(SHIFTED, "shifted"), Reference(UNSHIFTED, "not shifted")),
            log_y=True,
            note="real: over the training set in evaluation mode, dropout off; before the first layer there is no "
            f"dropout; momentum of the running variance {config.shift_momentum:g}",
        ),
        Figure(
            "learning",
            "Learning with batch norm, evaluation mode",
            "step",
            "test accuracy",
            curve_lines(run_data, "test_accuracy", arms=[arm.name for arm in _arms(run_data, BN)]),
            (chance,),
            note="line: mean over seeds, band: 1 standard deviation",
        ),
    )


def _arms(run_data: RunData, kind: str) -> Sequence[Arm]:
    return [arm for arm in run_data.arms if arm.factors.get("kind") == kind]


def _over_batch(run_data: RunData, kind: str, label: str, measure: str) -> tuple[Line, ...]:
    def of(arm: str) -> PerSeed:
        return scored(run_data, measure, arm)

    return over_factor(label, _arms(run_data, kind), "batch", of)


def _gap_lines(run_data: RunData, kind: str, label: str) -> tuple[Line, ...]:
    def of(arm: str) -> PerSeed:
        return {seed: 100 * gap for seed, gap in gaps(run_data, arm).items()}

    return over_factor(label, _arms(run_data, kind), "batch", of)


def _ratio_lines(config: Config, run_data: RunData, name: str) -> tuple[Line, ...]:
    arm = run_data.arm(name)
    found = [(k, summarise(run_data.measure(RATIO, layer_arm(name, k)).values())) for k in range(1, config.depth + 1)]
    found = [(k, s) for k, s in found if s.n]
    if arm is None or not found:
        return ()
    return (
        Line(
            arm.title,
            tuple(float(k) for k, _ in found),
            tuple(s.mean for _, s in found),
            tuple(s.mean - s.sd for _, s in found),
            tuple(s.mean + s.sd for _, s in found),
            n=tuple(s.n for _, s in found),
        ),
    )
