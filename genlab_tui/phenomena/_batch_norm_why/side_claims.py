"""Why batch norm helps: what else the paper says, judged but not counted; comparisons at matched loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlab_tui.measures import ratio
from genlab_tui.phenomena._batch_norm_why.config import (
    BATCH,
    ERRORS,
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
    apart,
    at_matched_loss,
    best_plain,
    comparable,
    gap,
    of,
    standard_errors,
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
    effect = Test(words, measure, rule, tuple(needs), statement=statement, geometric=ratio)
    least = Rule(low=float(LEVELS), every=True)
    met = Test(
        "levels of loss at which both, having trained, were looked into",
        comparable(config, metric, top, bottom),
        least,
        tuple(needs),
    )
    return effect, met


def two_seeds(metric: str, arm: str, words: str, rule: Rule) -> Test:
    """Return the control that compares two seeds of one kind of network at matched loss, in either direction."""
    return Test(words, apart(metric, arm), rule, (arm,), geometric=True)


def own_steps(config: Config) -> Claim:
    """Return the claim about effective beta where each network is probed over steps of its own learning rate.

    The control is the plain network at two learning rates: where they alone decide, it passes as well.
    """
    everyone, rule = tuple(name_of(PLAIN, lr, config) for lr in rates(config)), Rule(low=SMOOTHER)
    effect, met = compare(
        config,
        "effective beta, plain at its best learning rate over batch norm, at matched loss",
        "effective_beta",
        best_plain(config),
        of(BATCH),
        rule,
        (*everyone, BATCH),
        statement="Each over steps of its own learning rate. Where a gradient turns altogether within a step, "
        "effective beta is about one over the step: at a smaller learning rate it is larger for that reason alone.",
    )
    plain = Test(
        f"the plain network at its best learning rate over itself at lr {config.lr:g}",
        at_matched_loss("effective_beta", best_plain(config), of(PLAIN)),
        rule,
        everyone,
        geometric=True,
    )
    return Claim(
        "smoother at the best learning rate of each",
        "Along the step that each of them is to take, effective beta is smaller with batch norm, at the same loss.",
        (Criterion(effect, met, plain, unit="times"),),
        main=False,
        paper=SOURCE,
    )


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
    two = two_seeds("gradient_change", BATCH, "two seeds of batch norm differ as much", Rule(low=SMOOTHER))
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
    """Return the claim that batch norm does not lessen internal covariate shift, seen in gradients.

    It has no control: one that must not pass needs a network whose shift is surely smaller, and none is known.
    """
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
        "change of gradients, noise drawn anew and the layers before stepped, noisy over batch norm, at matched loss",
        "ics",
        of(NOISY),
        of(BATCH),
        large,
        (NOISY, BATCH),
        statement="The noise is drawn anew between the two gradients. That alone changes them: also at a learning rate "
        "of 0, where no layer takes a step.",
    )
    other_seed = two_seeds("ics", BATCH, "two seeds of batch norm differ as much", large)
    return Claim(
        "noise shifts the gradients too",
        "Behind noise, a layer's gradient changes more when the noise is drawn anew and the layers before it take "
        "their step.",
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
                Test(
                    f"training accuracy of the plain network with noise, best learning rate up to {config.lr:g}",
                    best,
                    rule,
                    arms,
                ),
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
    """Return the claim that batch norm is right on more test samples than the test set's size explains."""
    needs, both = (*(name_of(PLAIN, lr, config) for lr in rates(config)), BATCH), (of(BATCH), best_plain(config))
    words = "final test accuracy: batch norm minus plain at its best learning rate"
    better = Test(words, gap("test_accuracy", *both), Rule(low=0.0, strict=True), needs)
    errors = standard_errors(config, *both)
    surely = Test("the same in standard errors of the test set", errors, Rule(low=ERRORS, strict=True), needs)
    learnt = f"both learnt their training data (accuracy {TRAINED:g})"
    met = Test(learnt, trained(config, *both), Rule(low=1.0, every=True), needs)
    return Claim(
        "batch norm ends more accurate",
        "It is right on more test samples than the plain network at its best learning rate.",
        (Criterion(better, met, published=0.03, published_source=VGG, unit="share"), Criterion(surely, met)),
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
        geometric=True,
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
    two = two_seeds("effective_beta", L1, "two seeds of l1 normalisation differ as much", Rule(low=SMOOTHER))
    return Claim(
        "l1 normalisation smooths the landscape too",
        "It is not the variance that matters: dividing by a mean absolute value does the same.",
        (Criterion(effect, met, two, unit="times"),),
        main=False,
        paper=SOURCE,
    )
