"""Why batch norm helps: what else the paper says, judged but not counted; comparisons at matched loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlab_tui.measures import ratio
from genlab_tui.phenomena._batch_norm_why.config import (
    BATCH,
    L1,
    LEVELS,
    NOISY,
    PLAIN,
    PLAIN_NOISE,
    SHIFTED,
    SMOOTHER,
    STOPPED,
    TRAINED,
    Config,
    name_of,
    rates,
)
from genlab_tui.phenomena._batch_norm_why.numbers import (
    Place,
    at_matched_loss,
    best_plain,
    comparable,
    gap,
    of,
    of_next,
    trained,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.rundata import RunData

SOURCE = "Santurkar et al. 2018"
VGG = f"{SOURCE}: VGG on CIFAR-10, 83 against 80 %"
EARLY = f"{SOURCE}: VGG on CIFAR-10, early in training"


def compare(
    config: Config,
    words: str,
    metric: str,
    top: Place,
    bottom: Place,
    rule: Rule,
    needs: Sequence[str],
    *,
    ratio: bool = True,
    statement: str = "",
) -> tuple[Test, Test]:
    """Return a comparison at matched loss, and its precondition."""
    measure = at_matched_loss(metric, top, bottom, ratio=ratio)
    effect = Test(words, measure, rule, tuple(needs), statement=statement)
    least = Rule(low=float(LEVELS), every=True)
    met = Test(
        "levels of loss at which both, having trained, were looked into",
        comparable(config, metric, top, bottom),
        least,
        tuple(needs),
    )
    return effect, met


def predictiveness(config: Config) -> Claim:
    """Return the claim that a step changes the gradient less with batch norm."""
    effect, met = compare(
        config,
        f"change of the gradient along a step, plain over batch norm, both at lr {config.lr:g}, at matched loss",
        "gradient_change",
        of(PLAIN),
        of(BATCH),
        Rule(low=SMOOTHER),
        (PLAIN, BATCH),
    )
    two = Test(
        "two seeds of batch norm differ as much",
        at_matched_loss("gradient_change", of_next(BATCH), of(BATCH)),
        Rule(low=SMOOTHER),
        (BATCH,),
    )
    return Claim(
        "batch norm makes gradients more predictive",
        "The gradient is a better guide over the length of a step.",
        (
            Criterion(
                effect,
                met,
                two,
                published="about two orders of magnitude",
                published_source=EARLY,
                unit="times",
            ),
        ),
        main=False,
        paper=SOURCE,
    )


def shift(config: Config) -> Claim:
    """Return the claim that batch norm does not lessen internal covariate shift, seen in gradients."""
    both, at = (PLAIN, BATCH), f"both at lr {config.lr:g}, at matched loss"
    more = Rule(low=1.0)
    change, met = compare(
        config, f"change of gradients, batch norm over plain, {at}", "ics", of(BATCH), of(PLAIN), more, both
    )
    cosine, _ = compare(
        config,
        f"cosine of gradients before and after, batch norm minus plain, {at}",
        "ics_cosine",
        of(BATCH),
        of(PLAIN),
        Rule(high=0.0),
        both,
        ratio=False,
    )
    said, where = "similar or larger with batch norm", f"{SOURCE}, section 2.2 (figure)"
    return Claim(
        "batch norm does not lessen internal covariate shift",
        "A layer's gradient changes no less, when the layers before it take their step, with batch norm than without.",
        (
            Criterion(change, met, published=said, published_source=where, unit="times"),
            Criterion(cosine, met),
        ),
        main=False,
        paper=SOURCE,
    )


def noise_shift(config: Config) -> Claim:
    """Return the claim that noise behind batch norm makes gradients shift more, too."""
    large = Rule(low=SHIFTED)
    more, met = compare(
        config,
        "change of gradients by the layers before, noisy over batch norm, at matched loss",
        "ics",
        of(NOISY),
        of(BATCH),
        large,
        (NOISY, BATCH),
    )
    other_seed = Test(
        "another seed's batch norm shifts as much more",
        at_matched_loss("ics", of_next(BATCH), of(BATCH)),
        large,
        (BATCH,),
    )
    return Claim(
        "noise shifts the gradients too",
        "Behind noise, a layer's gradient changes more when the layers before it take their step.",
        (Criterion(more, met, other_seed, unit="times"),),
        main=False,
    )


def stops(config: Config) -> Claim:
    """Return the claim that the same noise stops a network without batch norm."""
    slow = [lr for lr in rates(config) if lr <= config.lr]
    arms = tuple(name_of(PLAIN_NOISE, lr, config) for lr in slow)

    def best(run_data: RunData) -> PerSeed:
        found = [run_data.measure("train_accuracy", arm) for arm in arms]
        seeds = set.union(*(set(one) for one in found))
        values = {seed: [one[seed] for one in found if math.isfinite(one.get(seed, math.nan))] for seed in seeds}
        return {seed: max(own, default=0.0) for seed, own in sorted(values.items())}  # a diverged one is stopped too

    rule = Rule(high=STOPPED)
    return Claim(
        "the same noise stops the plain network",
        "Without batch norm, the same noise keeps a network from training at all.",
        (
            Criterion(
                Test("training accuracy of the plain network with noise, best learning rate", best, rule, arms),
                Test(
                    f"it trains without noise (accuracy {TRAINED:g})",
                    trained(config, best_plain(config)),
                    Rule(low=1.0, every=True),
                    tuple(name_of(PLAIN, lr, config) for lr in rates(config)),
                ),
                Test(
                    "noise stops batch norm too",
                    lambda run_data: run_data.measure("train_accuracy", NOISY),
                    rule,
                    (NOISY,),
                ),
                published="stops training",
                published_source=f"{SOURCE}, section 2.1 (VGG on CIFAR-10)",
            ),
        ),
        main=False,
        paper=SOURCE,
    )


def accuracy(config: Config) -> Claim:
    """Return the claim that batch norm is right on more test samples."""
    everyone = tuple(name_of(PLAIN, lr, config) for lr in rates(config))
    better = Test(
        "best test accuracy: batch norm minus plain at its best learning rate",
        gap("best_test_accuracy", of(BATCH), best_plain(config)),
        Rule(low=0.0, strict=True),
        (*everyone, BATCH),
    )
    return Claim(
        "batch norm ends more accurate",
        "It is right on more test samples than the plain network at its best learning rate.",
        (Criterion(better, published=0.03, published_source=VGG, unit="share"),),
        main=False,
        paper=SOURCE,
    )


def faster(config: Config) -> Claim:
    """Return the claim that batch norm lowers the loss of a linear network faster."""
    effect = Test(
        f"loss after {config.epochs:,} steps, batch norm over plain",
        lambda run_data: ratio(run_data, "train_loss", BATCH, PLAIN),
        Rule(high=1.0, strict=True),
        (BATCH, PLAIN),
    )
    return Claim(
        "batch norm helps a linear network too",
        "After as many steps at the same learning rate, its loss is lower.",
        (Criterion(effect, unit="times"),),
        main=False,
        paper=SOURCE,
    )


def l1_too(config: Config) -> Claim:
    """Return the claim that normalising by the mean absolute value smooths as well."""
    effect, met = compare(
        config,
        "effective beta, plain over l1 normalisation, at matched loss",
        "effective_beta",
        of(PLAIN),
        of(L1),
        Rule(low=SMOOTHER),
        (PLAIN, L1),
    )
    two = Test(
        "two seeds of l1 normalisation differ as much",
        at_matched_loss("effective_beta", of_next(L1), of(L1)),
        Rule(low=SMOOTHER),
        (L1,),
    )
    return Claim(
        "l1 normalisation smooths the landscape too",
        "It is not the variance that matters: dividing by a mean absolute value does the same.",
        (Criterion(effect, met, two, unit="times"),),
        main=False,
        paper=SOURCE,
    )
