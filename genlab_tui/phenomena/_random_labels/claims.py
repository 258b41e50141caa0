"""Random labels: what is judged, and from which thresholds."""

from __future__ import annotations

from collections.abc import Callable

from genlab_tui.measures import all_finite, at_least_seeds, difference, least, mean, ratio, together
from genlab_tui.phenomena._random_labels.config import (
    CHANCE,
    CONVOLUTIONAL,
    FITTED,
    FRESH,
    Config,
    name_of,
    plan,
)
from genlab_tui.phenomenon import (
    Claim,
    Criterion,
    PerSeed,
    Rule,
    Test,
)
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import spearman, summarise

# Thresholds, fixed before any run that is judged by them.
NEAR_CHANCE = 0.025  # how far from chance the mean test accuracy after random labels may be
SEEDS_ON_DIGITS = 5  # the digits' test set is small and its classes uneven: fewer seeds cannot tell chance
CONTROL_ABOVE = 0.025  # the control fires where labels not seen yet are predicted this much better than by chance
SLOWDOWN = (1.0, 8.0)  # steps to fit random labels over those to fit true ones, strictly between
GRADED = 0.95  # rank correlation of corruption and test error
NEAR_CHANCE_ERROR = 0.03  # how far from 1 - 1 / classes the test error at full corruption may be
UNCHANGED = 0.02  # mean paired difference in test accuracy that shuffled pixels may make
SEEDS_UNCHANGED = 5
RADEMACHER = 0.99  # how much of random labels is fitted beyond guessing, as a share of all there is to fit
AS_FAST = 1.1  # a mean slowdown within this factor of 1 is none
AT_MOST = 4.0  # the slowdown that the paper's figure 1b stays below


TABLE_1 = {
    "mlp-1x512": (0.9934, 0.1061),
    "mlp-3x512": (1.0, 0.1048),
    "small-alexnet": (0.9982, 0.0986),
    "small-inception": (1.0, 0.0978),
    "small-inception without batch norm": (1.0, 0.1012),
}
"""Training and test accuracy after random labels on CIFAR-10."""

TABLE_SOURCE = "Zhang et al. 2017, table 1 (CIFAR-10)"
FIGURE_SOURCE = "Zhang et al. 2017, figure 1b (CIFAR-10)"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims; criteria about every condition are about those that were launched."""
    arms = [a.name for a in plan(config, spec) if not a.control and (not spec.arms or a.name in spec.arms)]
    partly = tuple(name_of(p) for p in sorted(config.corruption))
    launched = tuple(name for name in partly if name in arms)
    return (
        _fits_noise(config, spec, tuple(arms)),
        _small_slowdown(),
        _graded(("true", *(launched if len(launched) > 1 else partly), "random")),
        _rademacher(),
        _really_slower(),
        _no_change(),
        _at_most_four(),
        _gaussian_is_easy(),
        _pixels_matter() if config.network in CONVOLUTIONAL else _pixels_do_not_matter(),
    )


def _fits_noise(config: Config, spec: RunSpec, arms: tuple[str, ...]) -> Claim:
    plain = config.network == "small-inception" and "batch-norm" not in spec.regularisers
    row = config.network + " without batch norm" * plain
    published = TABLE_1.get(row, (None, None))
    source = TABLE_SOURCE if row in TABLE_1 else ""

    fit = Test(
        "training accuracy, worst condition",
        lambda d: {seed: least(values) for seed, values in together(d, "train_accuracy", arms).items()},
        Rule(low=FITTED, every=True),
        arms,
        statement="Every condition is fitted, in every seed.",
    )
    chance = Test(
        "test accuracy after random labels",
        lambda d: d.measure("test_accuracy", "random"),
        Rule(chance=CHANCE, high=NEAR_CHANCE),
        ("random",),
        statement="What is learnt from random labels says nothing about clean test labels.",
    )
    control = Test(
        "accuracy on labels drawn anew every epoch",
        lambda d: d.measure("train_accuracy", FRESH),
        Rule(low=CHANCE + CONTROL_ABOVE, strict=True),
        (FRESH,),
        statement="Scored on the next draw, which nobody can know: above chance would mean that labels leak.",
    )
    enough = at_least_seeds(SEEDS_ON_DIGITS, "test_accuracy", "random") if spec.data == "digits" else None
    return Claim(
        "fits noise",
        "A network large enough to generalise also fits labels and inputs that have nothing to teach.",
        (
            Criterion(fit, published=published[0], published_source=source),
            Criterion(chance, enough, control, published=published[1], published_source=source),
        ),
        paper="Zhang et al. 2017",
    )


def _small_slowdown() -> Claim:
    low, high = SLOWDOWN
    effect = _slowdown("slowdown by random labels", Rule(low=low, high=high, strict=True))
    return Claim(
        "small constant slowdown",
        "Random labels take longer to fit than true ones, but only by a small factor.",
        (Criterion(effect, _both_fitted("true", "random"), published="below about 4", published_source=FIGURE_SOURCE),),
        paper="Zhang et al. 2017",
    )


def _really_slower() -> Claim:
    def lower_end(run_data: RunData) -> float:
        return summarise(ratio(run_data, "steps_to_fit", "random", "true").values()).low

    effect = _slowdown("lower end of the slowdown's 95 % interval", Rule(low=1.0, strict=True), lower_end)
    return Claim(
        "slower beyond doubt",
        "The Student-t interval of the slowdown over seeds excludes 1.",
        (Criterion(effect, _both_fitted("true", "random")),),
        main=False,
    )


def _no_change() -> Claim:
    def lower_end(run_data: RunData) -> float:
        return summarise(ratio(run_data, "steps_to_fit", "random", "true").values()).low

    def upper_end(run_data: RunData) -> float:
        return summarise(ratio(run_data, "steps_to_fit", "random", "true").values()).high

    below = _slowdown("lower end of the slowdown's 95 % interval", Rule(high=1.0), lower_end)
    above = _slowdown("upper end of the slowdown's 95 % interval", Rule(low=1.0), upper_end)
    near = _slowdown("slowdown by random labels", Rule(low=1 / AS_FAST, high=AS_FAST))
    fitted = _both_fitted("true", "random")
    return Claim(
        "random labels change nothing about training time",
        "What summaries of the paper say. It cannot hold together with a slowdown beyond doubt.",
        (Criterion(below, fitted), Criterion(above, fitted), Criterion(near, fitted)),
        main=False,
    )


def _at_most_four() -> Claim:
    effect = _slowdown("slowdown by random labels", Rule(high=AT_MOST))
    return Claim(
        "at most about four times slower",
        "What the paper's figure 1b shows of its three models on CIFAR-10.",
        (Criterion(effect, _both_fitted("true", "random"), published="below about 4", published_source=FIGURE_SOURCE),),
        main=False,
        paper="Zhang et al. 2017",
    )


def _rademacher() -> Claim:
    def fitted(run_data: RunData) -> PerSeed:
        return {s: (a - CHANCE) / (1 - CHANCE) for s, a in run_data.measure("train_accuracy", "random").items()}

    effect = Test(
        "share of random labels fitted beyond guessing",
        fitted,
        Rule(low=RADEMACHER),
        ("random",),
        statement="An estimate of the empirical Rademacher complexity of what training reaches, scaled to 0 to 1.",
    )
    return Claim(
        "Rademacher complexity says nothing",
        "Networks that fit random labels have the largest Rademacher complexity there is: bounds made of it are empty.",
        (Criterion(effect, published="about 1", published_source="Zhang et al. 2017, section 2.2"),),
        main=False,
        paper="Zhang et al. 2017",
    )


def _slowdown(name: str, rule: Rule, pooled: Callable[[RunData], float] | None = None) -> Test:
    def measure(run_data: RunData) -> PerSeed:
        return ratio(run_data, "steps_to_fit", "random", "true")

    return Test(name, measure, rule, ("true", "random"), pooled)


def _graded(arms: tuple[str, ...]) -> Claim:
    def rank(run_data: RunData) -> PerSeed:
        levels = [float(a.factors["corruption"]) for arm in arms if (a := run_data.arm(arm))]
        return {seed: spearman(levels, errors) for seed, errors in together(run_data, "test_error", arms).items()}

    at_one = Test(
        "test error at full corruption",
        lambda d: d.measure("test_error", "random"),
        Rule(low=1 - CHANCE - NEAR_CHANCE_ERROR, high=1 - CHANCE + NEAR_CHANCE_ERROR),
        ("random",),
        pooled=lambda d: mean(d.measure("test_error", "random")),
    )
    published = Criterion(at_one, published=0.9, published_source="Zhang et al. 2017, figure 1c (CIFAR-10)")
    return Claim(
        "graded",
        "The more labels are corrupted, the worse the test error, up to guessing.",
        (Criterion(Test("rank correlation of corruption and test error", rank, Rule(low=GRADED), arms)), published),
        paper="Zhang et al. 2017",
    )


def _gaussian_is_easy() -> Claim:
    effect = Test(
        "steps to fit Gaussian inputs / random labels",
        lambda d: ratio(d, "steps_to_fit", "gaussian", "random"),
        Rule(high=1.0, strict=True),
        ("gaussian", "random"),
    )
    return Claim(
        "Gaussian inputs are easier than random labels",
        "Noise images, far apart from each other, are fitted in fewer steps than real ones with random labels.",
        (Criterion(effect, _both_fitted("gaussian", "random")),),
        main=False,
        paper="Zhang et al. 2017",
    )


def _pixels_do_not_matter() -> Claim:
    def gain(run_data: RunData) -> PerSeed:
        return difference(run_data, "test_accuracy", "shuffled-pixels", "true")

    effect = Test(
        "test accuracy, shuffled pixels minus true",
        gain,
        Rule(low=-UNCHANGED, high=UNCHANGED),
        ("shuffled-pixels", "true"),
        pooled=lambda d: mean(gain(d)),
    )
    return Claim(
        "shuffled pixels change nothing for a perceptron",
        "Dense layers know no neighbours: one permutation of all pixels leaves test accuracy as it was.",
        (Criterion(effect, at_least_seeds(SEEDS_UNCHANGED, "test_accuracy", "shuffled-pixels")),),
        main=False,
    )


def _pixels_matter() -> Claim:
    effect = Test(
        "test accuracy, shuffled pixels minus true",
        lambda d: difference(d, "test_accuracy", "shuffled-pixels", "true"),
        Rule(high=-UNCHANGED, every=True),
        ("shuffled-pixels", "true"),
    )
    return Claim(
        "shuffled pixels hurt a convolutional network",
        "What such a network knows about images is that neighbours belong together; one permutation takes it away.",
        (Criterion(effect, _both_fitted("shuffled-pixels", "true")),),
        main=False,
    )


def _both_fitted(*arms: str) -> Test:
    return all_finite("share fitted of " + " and ".join(arms), "steps_to_fit", *arms)
