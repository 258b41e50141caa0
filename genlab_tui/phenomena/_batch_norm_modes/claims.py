"""Batch norm's modes: what is judged, and from which thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from genlab_tui.measures import least
from genlab_tui.phenomena._batch_norm_modes.config import (
    BATCH_MODE,
    BN,
    BROKEN,
    CLEAN,
    COSTS,
    DROPPED,
    FALLING,
    LAST,
    LEARNT,
    PLAIN,
    RECOMPUTED,
    REFERENCE,
    RESCUED,
    SHIFTED,
    TINY,
    TOO_FEW,
    UNSHIFTED,
    WORST,
    Config,
    arm_of,
    data_of,
    fair_kind,
    short_arm,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

LI = "Li et al. 2019"
FAIR = f"test accuracy at batch {REFERENCE} minus that at batch {TINY}, both at the plain network's learning rate"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: tiny batches, the gap between modes, variance shift (main); remedies and confounds (side)."""
    return (_tiny(config), _gap(), _shift(config), _gap_at_two(), _rescue(), _too_few(), _remedy(config), _cost(config))


# --- numbers ----------------------------------------------------------------------------------------------------------


def scored(data: RunData, name: str, arm: str) -> PerSeed:
    """Return an accuracy of an arm, per seed; that of a network that diverged is that of guessing."""
    chance = 1 / data_of(data.spec).classes
    return {seed: value if isfinite(value) else chance for seed, value in data.measure(name, arm).items()}


def _difference(data: RunData, arm: str, base: str) -> PerSeed:
    """Return test accuracy in evaluation mode of one arm minus that of another, per seed."""
    first, second = scored(data, "test_accuracy", arm), scored(data, "test_accuracy", base)
    return {seed: first[seed] - second[seed] for seed in first if seed in second}


def gaps(data: RunData, arm: str) -> PerSeed:
    """Return test accuracy in evaluation mode minus that in training mode, per seed."""
    evaluated, in_batches = scored(data, "test_accuracy", arm), scored(data, BATCH_MODE, arm)
    return {seed: evaluated[seed] - in_batches[seed] for seed in evaluated if seed in in_batches}


def least_fall(data: RunData, kind: str, batches: Sequence[int] = FALLING) -> PerSeed:
    """Return the smallest fall of the gap from one batch size to the next, per seed."""
    found = [gaps(data, arm_of(kind, batch)) for batch in batches]
    seeds = set.intersection(*(set(one) for one in found))
    return {seed: least(a[seed] - b[seed] for a, b in pairwise(found)) for seed in sorted(seeds)}


def rescued(data: RunData) -> PerSeed:
    """Return the share of what the smallest batch loses in evaluation mode that other statistics give back."""
    tiny, reference = arm_of(BN, TINY), arm_of(BN, REFERENCE)
    lost = _difference(data, reference, tiny)
    fresh, running = scored(data, RECOMPUTED, tiny), scored(data, "test_accuracy", tiny)
    return {
        seed: (fresh[seed] - running[seed]) / lost[seed] if lost[seed] > 0 else float("nan")
        for seed in lost
        if seed in fresh and seed in running
    }


# --- preconditions ----------------------------------------------------------------------------------------------------


def _learnt(*arms: str) -> Test:
    def lowest(data: RunData) -> PerSeed:
        found = [scored(data, "test_accuracy", arm) for arm in arms]
        return {seed: min(one[seed] for one in found) for seed in set.intersection(*map(set, found))}

    return Test(
        f"test accuracy at batch {REFERENCE}, {100 * LEARNT:g} % at least", lowest, Rule(low=LEARNT, every=True), arms
    )


def _learnt_with_dropout() -> Test:
    """Make the precondition that both networks learnt; the one with dropout is scored by real statistics."""

    def lowest(data: RunData) -> PerSeed:
        clean, dropped = scored(data, "test_accuracy", CLEAN), scored(data, RECOMPUTED, DROPPED)
        return {seed: min(clean[seed], dropped[seed]) for seed in clean if seed in dropped}

    return Test(
        f"test accuracy without dropout, and with it by real statistics, {100 * LEARNT:g} % at least",
        lowest,
        Rule(low=LEARNT, every=True),
        (CLEAN, DROPPED),
    )


# --- main claims ------------------------------------------------------------------------------------------------------


def _tiny(config: Config) -> Claim:
    def test(name: str, kind: str, statement: str) -> Test:
        reference, tiny = arm_of(kind, REFERENCE), arm_of(kind, TINY)
        rule = Rule(low=BROKEN)
        return Test(name, lambda data: _difference(data, reference, tiny), rule, (reference, tiny), statement=statement)

    kind = fair_kind(config)
    fair = test(
        FAIR,
        kind,
        f"Both at learning rate {config.plain_lr:g}, at which networks without batch norm train: after equally many "
        "steps, a network normalised by pairs of samples stays far below.",
    )
    control = test(
        "the same without batch norm", PLAIN, "As few samples were seen: without batch norm they must not cost as much."
    )
    found = [Criterion(fair, _learnt(arm_of(kind, REFERENCE), arm_of(PLAIN, REFERENCE)), control)]
    if kind != BN:
        own = test(
            f"test accuracy at batch {REFERENCE} minus that at batch {TINY}, evaluation mode, at lr {config.lr:g}",
            BN,
            "Without a control: at this rate two samples are too few for a network without batch norm as well.",
        )
        found.append(Criterion(own, _learnt(arm_of(BN, REFERENCE))))
    return Claim(
        "batch norm fails with tiny batches",
        "Statistics of two samples make a network that is far worse in evaluation mode, not because it saw less.",
        tuple(found),
    )


def _gap() -> Claim:
    def test(name: str, kind: str, statement: str) -> Test:
        arms = tuple(arm_of(kind, batch) for batch in FALLING)
        return Test(name, lambda data: least_fall(data, kind), Rule(low=0.0, strict=True), arms, statement=statement)

    effect = test(
        f"smallest fall of the gap over batch {', '.join(map(str, FALLING))}",
        BN,
        "The gap is test accuracy in evaluation mode minus that with statistics of mini-batches of test samples. The "
        "control is an identity, as without batch norm both modes compute the same: it checks the plumbing only.",
    )
    control = test("the same without batch norm", PLAIN, "Without batch norm both modes compute the same.")
    learnt = _learnt(arm_of(BN, REFERENCE), arm_of(PLAIN, REFERENCE))
    return Claim(
        "the gap between training and evaluation mode shrinks with the batch",
        "What a network answers depends on which samples it is normalised with, the more so the fewer they are.",
        (Criterion(effect, learnt, control),),
    )


def _worst(name: str, arm: str, rule: Rule, statement: str = "") -> Test:
    return Test(name, lambda data: data.measure(WORST, arm), rule, (arm,), statement=statement)


def _shift(config: Config) -> Claim:
    name = "real over running variance or the reverse, worst channel of all layers"
    shifted, unshifted = Rule(low=SHIFTED), Rule(high=UNSHIFTED)
    return Claim(
        "dropout before batch norm shifts the variance",
        "Running variances are those of activations with units dropped; in evaluation mode the real ones are others.",
        (
            Criterion(
                _worst(f"{name}, dropout {config.dropout:g} before batch norm", DROPPED, shifted),
                _learnt_with_dropout(),
                _worst(
                    "the same without dropout", CLEAN, shifted, "Without dropout, variances must not be as far off."
                ),
            ),
            Criterion(
                _worst(
                    f"{name}, without dropout",
                    CLEAN,
                    unshifted,
                    f"Asked at momentum {config.shift_momentum:g} of the running variances; at the usual 0.1 they are "
                    "means of so few batches that the worst channel is farther off without any dropout.",
                ),
                _learnt_with_dropout(),
                _worst("the same with dropout before batch norm", DROPPED, unshifted),
            ),
        ),
        paper=LI,
    )


# --- side claims ------------------------------------------------------------------------------------------------------


def _gap_at_two() -> Claim:
    arms = tuple(arm_of(BN, batch) for batch in (TINY, FALLING[0]))
    effect = Test(
        f"gap at batch {TINY} minus that at batch {FALLING[0]}",
        lambda data: least_fall(data, BN, (TINY, FALLING[0])),
        Rule(low=0.0, strict=True),
        arms,
    )
    return Claim(
        f"the gap is largest at batch {TINY}",
        "The fewer samples, the larger the gap, down to pairs; but a network trained by pairs is poor in both modes.",
        (Criterion(effect, _learnt(arm_of(BN, REFERENCE))),),
        main=False,
    )


def _rescue() -> Claim:
    effect = Test(
        f"share of the loss at batch {TINY} that recomputed statistics give back",
        rescued,
        Rule(low=RESCUED),
        (arm_of(BN, TINY), arm_of(BN, REFERENCE)),
    )
    return Claim(
        "recomputed statistics repair tiny batches",
        f"With statistics of the whole training set, most of what batch {TINY} loses in evaluation mode comes back.",
        (Criterion(effect, _learnt(arm_of(BN, REFERENCE))),),
        main=False,
    )


def _too_few() -> Claim:
    full, few = arm_of(BN, 256), short_arm(256)
    effect = Test(
        "test accuracy at batch 256 after equal steps minus that after equal epochs",
        lambda data: _difference(data, full, few),
        Rule(low=TOO_FEW),
        (full, few),
    )
    return Claim(
        "at equal epochs large batches look bad",
        "What a large batch loses at equal epochs is too few steps, not the size of the batch.",
        (Criterion(effect, _learnt(arm_of(BN, REFERENCE))),),
        main=False,
    )


def _remedy(config: Config) -> Claim:
    return Claim(
        "dropout after the last batch norm shifts no variance",
        "Where no batch norm follows, dropout leaves all running variances right.",
        (
            Criterion(
                _worst("real over running variance or the reverse, dropout last", LAST, Rule(high=UNSHIFTED)),
                _learnt_with_dropout(),
                _worst(f"the same with dropout {config.dropout:g} before batch norm", DROPPED, Rule(high=UNSHIFTED)),
            ),
        ),
        main=False,
        paper=LI,
    )


def _cost(config: Config) -> Claim:
    effect = Test(
        f"test accuracy without dropout minus that with dropout {config.dropout:g} before batch norm",
        lambda data: _difference(data, CLEAN, DROPPED),
        Rule(low=COSTS),
        (CLEAN, DROPPED),
    )
    published = 0.0887
    return Claim(
        "dropout before batch norm costs accuracy",
        "With dropout before batch norm a network is worse in evaluation mode than without any dropout.",
        (
            Criterion(
                effect,
                _learnt_with_dropout(),
                published=published,
                published_source=f"{LI}: DenseNet on CIFAR-100, 77.42 to 68.55 % with dropout 0.5 in every bottleneck",
            ),
        ),
        main=False,
        paper=LI,
    )
