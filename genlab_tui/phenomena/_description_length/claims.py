"""Description length: what is judged, and from which thresholds."""

from __future__ import annotations

import math

from genlab_tui.measures import least, measure_test, ratio, together
from genlab_tui.papers import BLIER, WENG
from genlab_tui.phenomena._description_length.config import (
    ABOVE_CHANCE,
    COMPRESSES,
    NO_LONGER,
    NOISE,
    RANDOM,
    RANKS,
    TRUE,
    Config,
    arm_of,
    data_of,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import spearman, summarise

PUBLISHED = "0.27 (CIFAR-10), 0.021 (MNIST)"
SOURCE = f"{BLIER.key}, prequential codes (CIFAR-10: VGG-like network)"
PICKED = "picked with the test set (as sparse as an accuracy at most half a point lower allows)"
PREQUENTIAL, FLOAT, SMALL = "ratio", "two_part_ratio", "small_ratio"
"""Measures of the three codes of labels, each over the length of the uniform code."""


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: networks compress (main), and what code length says about size and generalising (side)."""
    return (
        _compresses(config),
        _generalises(config, spec, PREQUENTIAL, "prequential code"),
        _generalises(config, spec, SMALL, "two-part code"),
        _ranks(config),
        _no_longer(config),
        _pruned(config),
    )


def _more_parameters(arm: str) -> Test:
    rule = Rule(low=1.0, strict=True, every=True)
    return measure_test("parameters_per_bit", arm, "parameters per bit of the labels", rule)


def _compresses(config: Config) -> Claim:
    largest = config.models[-1]
    own, noise = arm_of(TRUE, largest), arm_of(RANDOM, largest)
    more, half = _more_parameters(own), Rule(high=COMPRESSES)
    return Claim(
        "it compresses although it has more parameters than labels have bits",
        "Sent block by block, the labels take half of n log2 K bits or less with the largest network, which has more "
        "parameters than that; random labels are not compressed, and the network's own numbers would take longer.",
        (
            Criterion(
                measure_test(
                    PREQUENTIAL,
                    own,
                    "prequential code / uniform code, largest network",
                    half,
                    "With the network trained on the labels sent so far, all labels take half of the bits or less.",
                ),
                more,
                measure_test(PREQUENTIAL, noise, "the same, random labels, largest network", half),
                published=PUBLISHED,
                published_source=SOURCE,
            ),
            Criterion(
                measure_test(
                    PREQUENTIAL,
                    noise,
                    "prequential code / uniform code, random labels, largest network",
                    Rule(low=NOISE),
                    "Nothing is to be had from noise: a shorter code would mean that labels leak.",
                )
            ),
            Criterion(
                measure_test(
                    FLOAT,
                    own,
                    "two-part code in float32 / uniform code, largest network",
                    Rule(low=1.0, strict=True),
                    "Sending the trained network first, 32 bits a number, takes longer than the list of labels. That "
                    "is nearly arithmetic: only a network with less than one number to 32 bits of labels could fail.",
                ),
            ),
        ),
        paper=BLIER.key,
    )


def _generalises(config: Config, spec: RunSpec, code: str, words: str) -> Claim:
    """Return the claim that whatever a code compresses is well above guessing on the test set."""
    true = tuple(arm_of(TRUE, model) for model in config.models)
    random = tuple(arm_of(RANDOM, model) for model in config.models)
    rule = Rule(low=round(1 / data_of(spec).classes + ABOVE_CHANCE, 4))

    def compressed(run_data: RunData) -> PerSeed:
        lengths, scores = together(run_data, code, true), together(run_data, "test_accuracy", true)
        found = {}
        for seed in lengths.keys() & scores.keys():
            pairs = zip(lengths[seed], scores[seed], strict=True)
            short = [accuracy for length, accuracy in pairs if length < 1.0]
            found[seed] = min(short, default=math.nan)
        return found

    def best_of_noise(run_data: RunData) -> PerSeed:
        rows = together(run_data, "test_accuracy", random).items()
        return {seed: -least(-v for v in row) for seed, row in rows}

    def shortest(run_data: RunData) -> PerSeed:
        rows = together(run_data, code, true).items()
        return {seed: min((v for v in row if math.isfinite(v)), default=math.nan) for seed, row in rows}

    some = Test(
        f"shortest {words} / uniform code",
        shortest,
        Rule(high=1.0, strict=True, every=True),
        true,
    )
    effect = Test(
        f"least test accuracy of the models whose {words} is shorter than the uniform one",
        compressed,
        rule,
        true,
        statement="Each of them is thirty points above guessing.",
    )
    control = Test("best test accuracy after random labels", best_of_noise, rule, random)
    # The best accuracy above knows nothing of codes: this is where the code itself meets labels without a rule.
    noise = Test(
        f"shortest {words} of random labels / uniform code",
        lambda d: {seed: least(row) for seed, row in together(d, code, random).items()},
        Rule(low=NOISE),
        random,
        statement="No model compresses what it cannot generalise from.",
    )
    return Claim(
        f"a model that compresses its data generalises: {words}",
        "Whatever model makes a code of the labels that is shorter than their list predicts labels of new samples."
        + (
            ""
            if code == PREQUENTIAL
            else f" Sent: the pruned and quantised network, {PICKED}, and the labels given it."
        ),
        (Criterion(effect, some, control), Criterion(noise)),
        main=False,
        paper=WENG.key,
    )


def _ranks(config: Config) -> Claim:
    names = tuple(arm_of(TRUE, model) for model in config.models)

    def test(code: str, words: str) -> Test:
        def each(run_data: RunData) -> PerSeed:
            lengths, errors = together(run_data, code, names), together(run_data, "test_error", names)
            return {seed: spearman(lengths[seed], errors[seed]) for seed in lengths.keys() & errors.keys()}

        def of_means(run_data: RunData) -> float:
            rows = [[summarise(run_data.measure(m, arm).values()).mean for arm in names] for m in (code, "test_error")]
            return spearman(*rows)

        return Test(words, each, Rule(low=RANKS), names, of_means)

    return Claim(
        "the shorter the code, the smaller the test error",
        "Models ranked by their prequential code length are ranked by their test error; ranked by the length of their "
        "two-part code in float32, which is their size, they must not be.",
        (
            Criterion(
                test(PREQUENTIAL, "rank correlation of code length and test error, means over seeds"),
                control=test(FLOAT, "the same of the two-part code in float32"),
            ),
        ),
        main=False,
    )


def _no_longer(config: Config) -> Claim:
    small, large = config.models[-2:]
    arms = (arm_of(TRUE, large), arm_of(TRUE, small))

    def test(code: str, words: str) -> Test:
        return Test(words, lambda d: ratio(d, code, *arms), Rule(high=NO_LONGER), arms, geometric=True)

    return Claim(
        "bigger need not be longer",
        f"The prequential code with {large} is not much longer than that with {small}, a much smaller network.",
        (
            Criterion(
                test(PREQUENTIAL, f"code length with {large} / with {small}"),
                control=test(FLOAT, "the same of the two-part code in float32"),
            ),
        ),
        main=False,
    )


def _pruned(config: Config) -> Claim:
    largest = config.models[-1]
    return Claim(
        "pruned and quantised, the two-part code compresses too",
        f"The largest network with its smallest weights left out and the others rounded to a few values, {PICKED}, and "
        "the labels given it, take fewer bits than the uniform code.",
        (
            Criterion(
                measure_test(
                    SMALL,
                    arm_of(TRUE, largest),
                    "pruned and quantised two-part code / uniform code, largest network",
                    Rule(high=1.0, strict=True),
                )
            ),
        ),
        main=False,
    )
