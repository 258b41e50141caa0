"""Simplicity bias: what is judged, and from which thresholds."""

from __future__ import annotations

import math

from genlab_tui.measures import measure_test, together
from genlab_tui.phenomena._simplicity_bias.config import BOTH, COMPLEX, FOURIER, LINE, Config, ordered, part
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import spearman

# Thresholds, fixed before any run.
LEARNT = 0.95  # test accuracy from which a net has learnt its samples: also what slabs alone must allow
GUESSING = 0.55  # test AUC with the simple coordinate permuted stays below
UNMOVED = 0.02  # test AUC lost with all complex coordinates permuted stays below
ENOUGH = 0.8  # Fourier coefficient from which a sine is learnt
APART = 20.0  # steps to the highest frequency over steps to the lowest
FITTED = 0.25  # squared error at the end over the target's variance: coefficients of outputs that blow up say nothing
COVERED = 0.9  # share of [0, 1], in tenths, that has a kink of the first layer before training

SIMPLE_PERMUTED = "test AUC, simple coordinate permuted"
COMPLEX_PERMUTED = "test AUC lost, all complex coordinates permuted"
ORDER = "rank correlation of frequency and steps to learn"
RATIO = "steps to the highest frequency over the lowest"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims, both main: of slabs, of sines."""
    return (_slabs(), _sines(config))


def _slabs() -> Claim:
    could = measure_test(
        "test_accuracy", COMPLEX, "test accuracy of the network with slabs only", Rule(low=LEARNT, every=True)
    )
    learnt = measure_test("test_accuracy", BOTH, "test accuracy with everything in place", Rule(low=LEARNT, every=True))
    guessing, unmoved = Rule(high=GUESSING, strict=True), Rule(high=UNMOVED, strict=True)
    statement = "The same test samples, the simple coordinate taken from others: what it says of the class is gone."
    return Claim(
        "the simple feature alone decides",
        "One coordinate tells the class by its sign, each of the others by slabs: with all of them the network uses "
        "the first and nothing else, although the others alone would do. A network that has learnt slabs alone, as is "
        "asked for before anything is judged, can hardly pass as a control: both controls check the computation.",
        (
            Criterion(
                measure_test("auc_simple_permuted", BOTH, SIMPLE_PERMUTED, guessing, statement),
                could,
                measure_test("auc_simple_permuted", COMPLEX, "the same of the network with slabs only", guessing),
            ),
            Criterion(
                _lost(BOTH, COMPLEX_PERMUTED, unmoved),
                learnt,
                _lost(COMPLEX, "the same of the network with slabs only", unmoved),
            ),
        ),
        paper="Shah et al. 2020",
    )


def _lost(arm: str, name: str, rule: Rule) -> Test:
    def measure(data: RunData) -> PerSeed:
        whole, broken = data.measure("auc", arm), data.measure("auc_complex_permuted", arm)
        return {seed: whole[seed] - broken[seed] for seed in whole if seed in broken}

    return Test(name, measure, rule, (arm,))


def _sines(config: Config) -> Claim:
    waves = ordered(config)
    order, apart = Rule(low=1.0, every=True), Rule(low=APART)
    cover = measure_test(
        "kink_cover", LINE, "share of [0, 1] with kinks before training", Rule(low=COVERED, every=True)
    )
    fitted = measure_test("error", LINE, "squared error at the end over the variance", Rule(high=FITTED, every=True))
    statement = "1: every higher frequency comes strictly later."
    return Claim(
        "low frequencies first",
        "A network that reads the point learns the sines of a sum one after another, in the order of their frequency, "
        "the highest many times later than the lowest. The control reads random Fourier features of the point.",
        (
            Criterion(
                _order(LINE, ORDER, order, waves, statement),
                cover,
                _order(FOURIER, "the same from Fourier features", order, waves),
            ),
            Criterion(
                _ratio(LINE, RATIO, apart, waves),
                fitted,
                _ratio(FOURIER, "the same from Fourier features", apart, waves),
                unit="times",
            ),
        ),
        paper="Rahaman et al. 2019",
    )


def arrivals(data: RunData, arm: str, waves: tuple[int, ...]) -> dict[int, list[float]]:
    """Return the steps to learn of an arm's frequencies, in their order, for every seed that has them; NaN: never."""
    return together(data, "steps_to_learn", [part(arm, k) for k in waves])


def _order(arm: str, name: str, rule: Rule, waves: tuple[int, ...], statement: str = "") -> Test:
    def measure(data: RunData) -> PerSeed:
        return {seed: _rank(waves, row) for seed, row in arrivals(data, arm, waves).items()}

    return Test(name, measure, rule, (arm,), statement=statement)


def _rank(waves: tuple[int, ...], row: list[float]) -> float:
    """Return Spearman's correlation; 0 where all came at the same step, NaN where one never came."""
    if any(math.isnan(at) for at in row):
        return math.nan
    return spearman([float(k) for k in waves], row) if len(set(row)) > 1 else 0.0


def _ratio(arm: str, name: str, rule: Rule, waves: tuple[int, ...]) -> Test:
    def measure(data: RunData) -> PerSeed:
        return {seed: row[-1] / row[0] for seed, row in arrivals(data, arm, waves).items()}

    return Test(name, measure, rule, (arm,), geometric=True)
