"""Training batch norm alone: what is judged, and from which thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from genlab_tui.measures import difference, together
from genlab_tui.papers import FRANKLE_BATCH_NORM
from genlab_tui.phenomena._batch_norm_only.config import (
    ABOVE_CHANCE,
    BELOW_PUBLISHED,
    DEPTH,
    FULL,
    GROWS,
    LABELS,
    LEARNT,
    NEAR_ZERO,
    NOTHING,
    PUBLISHED,
    RANDOM,
    RESNET,
    SCALES,
    SECOND,
    SWITCHED_OFF,
    WIDTH,
    Config,
    arm_of,
    axis_of,
    data_of,
    largest,
    of_kind,
    others,
    rates,
    samples_of,
    share_name,
    sizes,
)
from genlab_tui.phenomenon import Arm, Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import spearman

SOURCE = f"{FRANKLE_BATCH_NORM.key}, CIFAR-10"
ACCURACY, LOSS = "test_accuracy", "train_loss"
CHOICE = "with the lowest training loss at the end"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: scales and shifts learn, more with size, more than other numbers (main); the rest is side."""
    whole = arm_of(config, FULL, largest(config))
    learnt = Test(
        f"training accuracy where everything trains, {100 * LEARNT:g} % at least",
        lambda d: d.measure("train_accuracy", whole),
        Rule(low=LEARNT, every=True),
        (whole,),
    )
    found = [
        _learns(config, spec, learnt),
        _grows(config, learnt),
        _better(config, spec, learnt),
        _switched_off(config, learnt),
        _less(config, learnt),
    ]
    if len(others(config)) > 1:
        found.append(_other_size(config, learnt))
    if config.network == RESNET and spec.data == "cifar10" and any(depth in PUBLISHED for depth, _ in sizes(config)):
        found.append(_as_published(config))
    return tuple(found)


def _learns(config: Config, spec: RunSpec, learnt: Test) -> Claim:
    own, none = (arm_of(config, kind, largest(config)) for kind in (SCALES, NOTHING))
    rule = Rule(low=round(1 / data_of(spec).classes + ABOVE_CHANCE, 4))
    effect = Test(
        "test accuracy, scales and shifts alone",
        lambda d: d.measure(ACCURACY, own),
        rule,
        (own,),
        statement="The largest network, its random weights left as they were drawn, is thirty points above guessing.",
    )
    control = Test(
        "test accuracy, nothing trained",
        lambda d: d.measure(ACCURACY, none),
        rule,
        (none,),
        statement="The same network, its running statistics settled but no number trained, must not get there.",
    )
    return Claim(
        "scale and shift alone learn",
        "A network of random weights that are never changed learns the task by its scales and shifts.",
        (
            Criterion(
                effect,
                learnt,
                control,
                published="0.48 (ResNet-14), 0.695 (ResNet-110)" if config.network == RESNET else None,
                published_source=SOURCE if config.network == RESNET else "",
            ),
        ),
        paper=FRANKLE_BATCH_NORM.key,
    )


def _grows(config: Config, learnt: Test) -> Claim:
    axis = axis_of(config)
    own, control = (of_kind(config, kind, sizes(config)) for kind in (SCALES, LABELS))
    return Claim(
        f"more with {axis}",
        f"The {'deeper' if axis == DEPTH else 'wider'} the random network, the better what scales and shifts find.",
        (
            Criterion(
                _rank(f"rank correlation of test accuracy and {axis}", own, axis),
                learnt,
                _rank("the same after random labels", control, axis),
            ),
        ),
        paper=FRANKLE_BATCH_NORM.key,
    )


def _rank(name: str, arms: Sequence[Arm], factor: str) -> Test:
    names = tuple(arm.name for arm in arms)
    x = [float(arm.factors[factor]) for arm in arms]
    return Test(
        name, lambda d: {s: spearman(x, row) for s, row in together(d, ACCURACY, names).items()}, Rule(low=GROWS), names
    )


def chosen(run_data: RunData, arms: Sequence[str]) -> dict[int, float]:
    """Return every seed's test accuracy in that one of some arms that ends with the lowest training loss.

    Of equal ones the first; NaN where one of them diverged. The test set has no say in the choice.
    """
    losses, rows = together(run_data, LOSS, arms), together(run_data, ACCURACY, arms)
    return {
        seed: math.nan
        if any(map(math.isnan, (*losses[seed], *row)))
        else row[min(range(len(row)), key=losses[seed].__getitem__)]
        for seed, row in rows.items()
        if seed in losses
    }


def tried(config: Config, kind: str) -> tuple[str, ...]:
    """Return the arms of a kind in the largest network, one a learning rate."""
    return tuple(arm_of(config, kind, largest(config), lr) for lr in rates(config))


def lead(run_data: RunData, mine: Sequence[str], base: Sequence[str], n_test: int) -> dict[int, float]:
    """Return how far some arms' test accuracy is ahead of others', less two standard errors of the test set."""
    ahead, behind = chosen(run_data, mine), chosen(run_data, base)
    found = {}
    for seed in sorted(ahead.keys() & behind.keys()):
        p = (ahead[seed] + behind[seed]) / 2
        found[seed] = ahead[seed] - behind[seed] - 2 * math.sqrt(max(p * (1 - p), 0.0) / n_test)
    return found


def _better(config: Config, spec: RunSpec, learnt: Test) -> Claim:
    own, first, second = (tried(config, kind) for kind in (SCALES, RANDOM, SECOND))
    where = "the one learning rate tried" if len(own) == 1 else f"the learning rate of each {CHOICE}"
    n_test = samples_of(config, spec)[1]
    rule = Rule(low=0.0, strict=True)
    effect = Test(
        "test accuracy, scales and shifts minus as many random weights, less 2 standard errors of the test set",
        lambda d: lead(d, own, first, n_test),
        rule,
        (*own, *first),
        statement=f"In the largest network, at {where}, ahead by more than the test set blurs.",
    )
    control = Test(
        "the same for another choice of random weights",
        lambda d: lead(d, second, first, n_test),
        rule,
        (*first, *second),
        statement="As many random weights, chosen anew, must not be ahead of the first choice.",
    )
    return Claim(
        "more than as many other numbers",
        "As many weights, chosen at random from the whole network, train to less than scales and shifts do.",
        (Criterion(effect, learnt, control),),
        paper=FRANKLE_BATCH_NORM.key,
    )


# --- side claims ------------------------------------------------------------------------------------------------------


def _switched_off(config: Config, learnt: Test) -> Claim:
    own, whole = (arm_of(config, kind, largest(config)) for kind in (SCALES, FULL))
    measure = share_name(NEAR_ZERO)
    share = Test(
        f"share of scales below {NEAR_ZERO:g}, scales and shifts alone",
        lambda d: d.measure(measure, own),
        Rule(low=SWITCHED_OFF),
        (own,),
    )
    more = Test(
        "the same minus that where everything trains",
        lambda d: difference(d, measure, own, whole),
        Rule(low=0.0, strict=True),
        (own, whole),
    )
    return Claim(
        "random features are switched off",
        "Where weights cannot change, training drives the scales of many features to zero.",
        (
            Criterion(share, learnt, published="about 1/4 to 1/3", published_source=SOURCE),
            Criterion(more, learnt),
        ),
        main=False,
        paper=FRANKLE_BATCH_NORM.key,
    )


def _less(config: Config, learnt: Test) -> Claim:
    own, whole = (arm_of(config, kind, largest(config)) for kind in (SCALES, FULL))
    effect = Test(
        "test accuracy, everything minus scales and shifts",
        lambda d: difference(d, ACCURACY, whole, own),
        Rule(low=0.0, strict=True),
        (own, whole),
    )
    published = "0.43 (ResNet-14), 0.24 (ResNet-110)" if config.network == RESNET else None
    return Claim(
        "less than everything",
        "Training all numbers of the network is better still.",
        (Criterion(effect, learnt, published=published, published_source=SOURCE if published else ""),),
        main=False,
        paper=FRANKLE_BATCH_NORM.key,
    )


def _other_size(config: Config, learnt: Test) -> Claim:
    axis = WIDTH if axis_of(config) == DEPTH else DEPTH
    arms = of_kind(config, SCALES, others(config))
    return Claim(
        f"more with {axis}",
        f"Scales and shifts do better in {'wider' if axis == WIDTH else 'deeper'} networks too.",
        (Criterion(_rank(f"rank correlation of test accuracy and {axis}", arms, axis), learnt),),
        main=False,
        paper=FRANKLE_BATCH_NORM.key,
    )


def _as_published(config: Config) -> Claim:
    def gap(run_data: RunData, depth: int) -> PerSeed:
        own = run_data.measure(ACCURACY, arm_of(config, SCALES, (depth, 16)))
        return {seed: value - PUBLISHED[depth] for seed, value in own.items()}

    criteria = tuple(
        Criterion(
            Test(
                f"test accuracy minus the published one, ResNet-{depth}",
                partial(gap, depth=depth),
                Rule(low=-BELOW_PUBLISHED),
                (arm_of(config, SCALES, (depth, 16)),),
            ),
            published=0.0,
            published_source=SOURCE,
        )
        for depth, _ in sizes(config)
        if depth in PUBLISHED
    )
    return Claim(
        "as high as published",
        "At most five points below the publication: an independent run of its protocol was one to five below.",
        criteria,
        main=False,
        paper=FRANKLE_BATCH_NORM.key,
    )
