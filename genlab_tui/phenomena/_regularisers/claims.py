"""What the regularisers are judged by: thresholds, main claims, one side claim a regulariser, and some more."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from genlab_tui.measures import least, mean, together
from genlab_tui.phenomena._regularisers import gains
from genlab_tui.phenomena._regularisers.config import CHANCE, TABLE_1, Config
from genlab_tui.phenomena._regularisers.rows import (
    FIT,
    FRESH,
    NOISY,
    PAPER_ACCURACY,
    RANDOM,
    SHUFFLED,
    TRUE,
    Row,
    arm_name,
    better,
    fresh_row,
    plain,
    regularised,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

# Thresholds, fixed before any run that is judged by them.
BEATS = 0.40  # how far above chance test accuracy without regularisers must lie
GAIN = 0.0  # a gain in test accuracy counts above this
LEAK = 0.025  # training accuracy above chance on labels not drawn yet: labels leak

SOURCE = "Zhang et al. 2017, table 1 (CIFAR-10)"
SOURCE_FIT = "Zhang et al. 2017, table 4 (CIFAR-10)"
PAPER = "Zhang et al. 2017"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims; those about every regulariser are about the ones that were launched."""
    every = [
        row
        for row in regularised(config, spec)
        if not spec.arms or {arm_name(TRUE, row.name), arm_name(RANDOM, row.name)} & set(spec.arms)
    ]
    found = [_neither(config, spec), _architecture(config)]
    found += [_one(config, row) for row in every if RANDOM in row.regimes]
    names = {row.name for row in every}
    if config.protocol != TABLE_1:
        if "shift" in names:
            found += [*_order(every), _equal_loss(config, every)]
        if config.noise:
            if decays := _decays(every):
                found.append(_noise_is_learnt(config, decays))
            found += [_stopping(row) for row in every if row.name == "early-stopping"]
        found += _batches(config, every)
    return tuple(found)


def _is_over(
    name: str,
    measure: Callable[[RunData], PerSeed],
    arms: tuple[str, ...],
    low: float = GAIN,
    statement: str = "",
) -> Test:
    return Test(name, measure, Rule(low=low, strict=True), arms, statement=statement)


def _neither(config: Config, spec: RunSpec) -> Claim:
    none, fresh = plain(config), fresh_row(config, spec)
    every = tuple(arm_name(RANDOM, row.name) for row in regularised(config, spec) if RANDOM in row.regimes)
    launched = tuple(name for name in every if not spec.arms or name in spec.arms)
    fits = Test(
        "training accuracy without regularisers",
        lambda d: gains.fitted(d, none, TRUE),
        Rule(low=FIT),
        (arm_name(TRUE, none),),
    )

    def over_chance(regime: str, run_data: RunData) -> PerSeed:
        found = run_data.measure("test_accuracy", arm_name(regime, none))
        return {seed: value - CHANCE for seed, value in found.items()}

    necessary = _is_over(
        "test accuracy without regularisers, above chance",
        partial(over_chance, TRUE),
        (arm_name(TRUE, none),),
        BEATS,
    )
    unlearnt = _is_over("the same after random labels", partial(over_chance, RANDOM), (arm_name(RANDOM, none),), BEATS)
    able = Test(
        "training accuracy on random labels without regularisers",
        lambda d: gains.fitted(d, none),
        Rule(low=FIT),
        (arm_name(RANDOM, none),),
    )
    sufficient = Test(
        "training accuracy on random labels, best fitting regulariser",
        lambda d: gains.best_fit(d, config),
        Rule(low=FIT),
        launched or every,
        statement="With at least one regulariser, pure noise is still learnt by heart.",
    )
    redrawn = Test(
        "training accuracy on labels drawn anew every epoch",
        lambda d: gains.fitted(d, fresh, FRESH),
        Rule(low=CHANCE + LEAK, strict=True),
        (arm_name(FRESH, fresh),),
        statement="Scored on the next draw, which nobody can know.",
    )
    published = 100 * CHANCE
    return Claim(
        "neither necessary nor sufficient",
        "Without any regulariser a network generalises well; with one it can still fit pure noise.",
        (
            Criterion(
                necessary,
                fits,
                unlearnt,
                published=round((PAPER_ACCURACY["mlp-3x512"] - published) / 100, 4),
                published_source=SOURCE + ", MLP 3x512",
            ),
            Criterion(sufficient, able, redrawn, published=1.0, published_source=SOURCE_FIT + ", weight decay"),
        ),
        paper=PAPER,
    )


def _architecture(config: Config) -> Claim:
    none, cnn = plain(config), better(config)
    fits = Test(
        "training accuracy without regularisers",
        lambda d: gains.fitted(d, none, TRUE),
        Rule(low=FIT),
        (arm_name(TRUE, none),),
    )
    effect = _is_over(
        "the architecture's gain minus the largest regulariser's",
        lambda d: gains.left_over(d, config),
        tuple(arm_name(TRUE, name) for name in (none, cnn)),
        statement="Less what a test set of this size cannot resolve, two standard errors.",
    )
    control = _is_over(
        "the same with the pixels shuffled for both architectures",
        lambda d: gains.left_over(d, config, SHUFFLED),
        tuple(arm_name(SHUFFLED, name) for name in (none, cnn)),
    )
    gap = PAPER_ACCURACY["inception-plain"] - PAPER_ACCURACY["mlp-3x512"]
    largest = PAPER_ACCURACY["alexnet-crop-wd"] - PAPER_ACCURACY["alexnet"]
    return Claim(
        "the architecture gives more",
        "The largest gain by a regulariser is smaller than the gain by a better architecture without any.",
        (Criterion(effect, fits, control, published=round((gap - largest) / 100, 4), published_source=SOURCE),),
        paper=PAPER,
    )


def _one(config: Config, row: Row) -> Claim:
    """The verdict of one regulariser: it helps, surely; noise is fitted all the same; the architecture gives more."""
    mine, base, noise = arm_name(TRUE, row.name), arm_name(TRUE, row.base), arm_name(RANDOM, row.name)
    published = row.published / 100 if math.isfinite(row.published) else None
    gained = _is_over("gain in test accuracy", lambda d: gains.gain(d, row), (mine, base))
    surely = Test(
        "lower end of the gain's 95 % interval",
        lambda d: gains.gain(d, row),
        Rule(low=GAIN, strict=True),
        (mine, base),
        lambda d: summarise(gains.gain(d, row).values()).low,
    )
    fit = Test("training accuracy on random labels", lambda d: gains.fitted(d, row.name), Rule(low=FIT), (noise,))

    def less(run_data: RunData) -> PerSeed:
        own, architecture = gains.gain(run_data, row), gains.architecture_gain(run_data, config)
        return {seed: architecture[seed] - own[seed] for seed in own if seed in architecture}

    smaller = _is_over("the architecture's gain minus its own", less, (mine, base, arm_name(TRUE, better(config))))
    own_fit: float | str | None = row.published_fit if math.isfinite(row.published_fit) else None
    if config.protocol == TABLE_1 and row.name == "alexnet-wd":
        own_fit = "fails to converge"
    return Claim(
        row.label,
        "It helps on true labels, still fits random ones, and gives less than the better architecture.",
        (
            Criterion(gained, published=published, published_source=SOURCE if published is not None else ""),
            Criterion(surely),
            Criterion(fit, published=own_fit, published_source=SOURCE_FIT if own_fit is not None else ""),
            Criterion(smaller),
        ),
        main=False,
        paper=PAPER,
    )


def _decays(every: list[Row]) -> list[Row]:
    return [row for row in every if row.name.startswith("weight-decay-")]


def _order(every: list[Row]) -> tuple[Claim, ...]:
    """Random shifts give more than weight decay, and weight decay more than early stopping; none without decay."""
    shift = next(row for row in every if row.name == "shift")
    decays = _decays(every)
    if not decays:
        return ()

    def best(run_data: RunData) -> PerSeed:
        found = [gains.gain(run_data, row) for row in decays]
        return max((f for f in found if f), key=mean, default={})

    def over_best(run_data: RunData) -> PerSeed:
        return _minus(gains.gain(run_data, shift), best(run_data))

    def best_over(row: Row, run_data: RunData) -> PerSeed:
        return _minus(best(run_data), gains.gain(run_data, row))

    needs = tuple(arm_name(TRUE, name) for row in (shift, *decays) for name in (row.name, row.base))
    first = _is_over("gain of random shifts minus weight decay's", over_best, needs)
    criteria = [Criterion(first, published=0.0328, published_source=SOURCE + ", Inception: 3.56 - 0.28")]
    for row in every:
        if row.name == "early-stopping":
            arms = (*needs, arm_name(TRUE, row.name), arm_name(TRUE, row.base))
            test = _is_over("gain of weight decay minus early stopping's", partial(best_over, row), arms)
            source = "Zhang et al. 2017, section 3 (CIFAR-10)"
            criteria.append(Criterion(test, published="above 0", published_source=source))
    claim = Claim(
        "shifts, then weight decay, then early stopping",
        "Regularisers are not alike: moving the inputs about gives more than weight decay, which gives more than "
        "stopping early.",
        tuple(criteria),
        main=False,
        paper=PAPER,
    )
    return (claim,)


def _minus(first: PerSeed, second: PerSeed) -> PerSeed:
    return {seed: first[seed] - second[seed] for seed in first if seed in second}


def _equal_loss(config: Config, every: list[Row]) -> Claim:
    shift = next(row for row in every if row.name == "shift")
    arms = arm_name(TRUE, shift.name), arm_name(TRUE, shift.base)

    def reached(run_data: RunData) -> PerSeed:
        both = [gains.at_loss(run_data, arm, config.loss_target) for arm in arms]
        return {seed: float(all(seed in one for one in both)) for seed in run_data.measure("test_accuracy", arms[0])}

    effect = _is_over(
        f"gain of random shifts at a training loss of {config.loss_target:g}",
        lambda d: gains.equal_loss_gain(d, shift, config.loss_target),
        arms,
    )
    precondition = Test("share of seeds that reach that loss", reached, Rule(low=1.0, every=True), arms)
    return Claim(
        "shifts help at equal loss too",
        "The gain is no matter of training less far: it is there when both have the same clean training loss.",
        (Criterion(effect, precondition),),
        main=False,
    )


def _noise_is_learnt(config: Config, decays: list[Row]) -> Claim:
    arms = tuple(arm_name(NOISY, row.name) for row in decays)
    effect = Test(
        "training accuracy on noisy labels, least of all weight decays",
        lambda d: {seed: least(values) for seed, values in together(d, "train_accuracy", arms).items()},
        Rule(low=FIT),
        arms,
    )
    return Claim(
        "weight decay does not stop noise from being learnt",
        f"With {100 * config.noise:g} % noisy labels, networks under weight decay still learn every label by heart.",
        (Criterion(effect),),
        main=False,
    )


def _stopping(row: Row) -> Claim:
    def lower(regime: str, run_data: RunData) -> float:
        return summarise(gains.gain(run_data, row, regime).values()).low

    def test(words: str, regime: str) -> Test:
        return Test(
            words,
            lambda d: gains.gain(d, row, regime),
            Rule(low=GAIN, strict=True),
            (arm_name(regime, row.name), arm_name(regime, row.base)),
            partial(lower, regime),
        )

    return Claim(
        "early stopping helps against noise alone",
        "Stopping early gains test accuracy with noisy labels, and not with clean ones: over the same network trained "
        "on the same nine tenths of the data to the end.",
        (
            Criterion(
                test("lower end of the gain's 95 % interval, noisy labels", NOISY),
                control=test("the same with clean labels", TRUE),
            ),
        ),
        main=False,
    )


def _batches(config: Config, every: list[Row]) -> list[Claim]:
    """Small batches against large ones at equal loss, at one learning rate and at one in proportion to the batch."""
    found = []
    for scaled, words in ((False, "at one learning rate"), (True, "at a learning rate in proportion")):
        sizes = sorted((row for row in every if row.batch and row.scaled == scaled), key=lambda row: row.batch)
        if len(sizes) < 2:
            continue
        small, large = sizes[0], sizes[-1]
        arms = arm_name(TRUE, small.name), arm_name(TRUE, large.name)

        def gap(run_data: RunData, arms: tuple[str, str] = arms) -> PerSeed:
            first, second = (gains.at_loss(run_data, arm, config.loss_target) for arm in arms)
            return {seed: first[seed] - second[seed] for seed in first if seed in second}

        name = f"test accuracy at a training loss of {config.loss_target:g}, batch {small.batch} minus {large.batch}"
        found.append(
            Claim(
                f"small batches generalise better, {words}",
                "The noise of small batches is a regulariser itself: compared where the training loss is the same.",
                (Criterion(_is_over(name, gap, arms)),),
                main=False,
                paper="Keskar et al. 2017; Smith & Le 2018",
            )
        )
    return found
