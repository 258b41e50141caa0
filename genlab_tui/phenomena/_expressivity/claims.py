"""Expressivity: what is judged, and from which thresholds."""

from __future__ import annotations

from genlab_tui.measures import at_least_seeds, difference, measure_test, ratio
from genlab_tui.phenomena._expressivity.config import DEEP, JUDGED, Config, plan
from genlab_tui.phenomenon import Claim, Criterion, Rule, Test
from genlab_tui.run import RunSpec

# Thresholds, fixed before any run that is judged by them.
EXACT = 1e-6  # largest |c(x) - y| over the largest |y|, up to n = 2,000
FITTED = 1.0  # share of random labels that the construction gives back
CHANCE = 0.1  # every data set here has ten classes
NEAR_CHANCE = 0.025  # how far from chance the mean test accuracy may be
SEEDS_AT_CHANCE = 5
NEIGHBOUR_GAIN = 0.2  # test accuracy of the nearest neighbour above that of the construction
FASTER_THAN_N = 1.0  # exponent of the largest slope over n: the typical slope grows like n
WORSE_BETWEEN = 10.0  # condition and error with thresholds between the points over those with thresholds at them
LAYER_UNITS = 3  # units a layer of the deep variant may have beyond its share of the points

ERROR = f"largest error over the largest target, n up to {JUDGED:,}"
SOURCE = "Zhang et al. 2017, theorem 1 and appendix C"


def _exact(arm: str, words: str = ERROR, statement: str = "", name: str = "error") -> Test:
    return measure_test(name, arm, words, Rule(high=EXACT, every=True), statement)


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: the theorem (main), then what its networks cost and what they are not good for."""
    arms = plan(config, spec)
    deep = [arm.name for arm in arms if arm.factors["network"] == DEEP]
    depths = {arm.name: int(arm.factors["layers"]) for arm in arms}
    beyond = (_beyond(),) if max(config.sizes) > JUDGED else ()
    layers = (_deep(name, depths[name]) for name in deep)
    return (_fits(), *beyond, *layers, _at_chance(), _neighbour(), _slopes(), _thresholds())


def _no_conflicts(arm: str) -> Test:
    rule = Rule(high=0.0, every=True)
    return measure_test("conflicts", arm, "inputs that come with more than one label", rule)


def _fits() -> Claim:
    count = measure_test(
        "extra_weights",
        "gaussian",
        "weights counted, beyond 2n + d",
        Rule(low=0.0, high=0.0, every=True),
        "Direction, thresholds and output weights, counted as they are stored.",
    )
    check = _exact(
        "gaussian",
        "largest distance from a sorted search on new inputs",
        "Two neighbours on the line are found and interpolated between: it must be the same function.",
        "disagreement",
    )
    fitted = Rule(low=FITTED, every=True)
    accuracy = measure_test("train_accuracy", "real-random", "training accuracy on random labels", fitted)
    guess = measure_test(
        "train_accuracy", "real-half", "training accuracy on random labels with half the weights", fitted
    )
    return Claim(
        "2n + d weights fit any n points",
        "A ReLU network of one hidden layer with 2n + d weights takes any targets on any n distinct inputs.",
        (
            Criterion(
                _exact("gaussian"),
                control=_exact("float32", "the same network evaluated in float32"),
                published="0",
                published_source=SOURCE,
            ),
            Criterion(
                _exact("real-random", "the same on real inputs with random labels"),
                control=_exact("real-half", "the same with half the weights, least squares"),
                published="0",
                published_source=SOURCE,
            ),
            Criterion(accuracy, control=guess, published=1.0, published_source=SOURCE),
            Criterion(count, published=0.0, published_source=SOURCE),
            Criterion(check),
        ),
        paper="Zhang et al. 2017",
    )


def _deep(arm: str, layers: int) -> Claim:
    rule = Rule(high=float(LAYER_UNITS), every=True)
    width = measure_test("extra_units", arm, "units of the widest layer beyond n / depth", rule)
    return Claim(
        f"{layers} hidden layers of about n / {layers} units suffice",
        "Cut into pieces along the line, one a layer, the same function takes layers of about n / depth units.",
        (
            Criterion(
                _exact(arm, f"largest error with {layers} hidden layers"),
                control=_exact("half", "one hidden layer with half the units, least squares"),
                published="0",
                published_source="Zhang et al. 2017, corollary 1",
            ),
            Criterion(width, published="O(n / depth)", published_source="Zhang et al. 2017, corollary 1"),
        ),
        main=False,
        paper="Zhang et al. 2017",
    )


def _at_chance() -> Claim:
    def chance(arm: str, words: str) -> Test:
        return measure_test("test_accuracy", arm, words, Rule(chance=CHANCE, high=NEAR_CHANCE))

    def enough(arm: str) -> Test:
        return at_least_seeds(SEEDS_AT_CHANCE, "test_accuracy", arm)

    return Claim(
        "what it represents does not generalise",
        "The same construction on true labels is no better than guessing on new inputs.",
        (
            Criterion(chance("real-true", "test accuracy of the construction, true labels"), enough("real-true")),
            Criterion(chance("real-random", "test accuracy of the construction, random labels"), enough("real-random")),
        ),
        main=False,
    )


def _neighbour() -> Claim:
    gain = Test(
        "test accuracy of the nearest neighbour above that of the construction",
        lambda d: difference(d, "test_accuracy", "neighbour", "real-true"),
        Rule(low=NEIGHBOUR_GAIN, every=True),
        ("neighbour", "real-true"),
        statement="Same points, same labels, both fit them all.",
    )
    return Claim(
        "the points themselves know more",
        "The nearest neighbour, which stores the same points, is right far more often on new inputs.",
        (Criterion(gain, _no_conflicts("real-true")),),
        main=False,
    )


def _slopes() -> Claim:
    growth = measure_test(
        "lipschitz_growth",
        "gaussian",
        "exponent of the largest slope over n",
        Rule(low=FASTER_THAN_N, strict=True),
        "The smallest gap between neighbours on the line shrinks like 1/n², the median one like 1/n.",
    )
    return Claim(
        "the Lipschitz constant explodes",
        "The steepest slope of the function grows faster than the number of points.",
        (Criterion(growth),),
        main=False,
    )


def _thresholds() -> Claim:
    def worse(name: str, words: str) -> Criterion:
        rule = Rule(low=WORSE_BETWEEN, every=True)
        arms = ("between", "gaussian")
        return Criterion(Test(words, lambda d: ratio(d, name, *arms), rule, arms), unit="times")

    return Claim(
        "thresholds at the points are the better conditioned choice",
        "The proof's own system, thresholds between the points and a triangular solve, loses more digits.",
        (
            worse("condition", "condition number between the points over that at the points"),
            worse("error", "largest error between the points over that at the points"),
        ),
        main=False,
    )


def _beyond() -> Claim:
    words = f"largest error over the largest target, n above {JUDGED:,}"
    return Claim(
        f"it stays exact beyond n = {JUDGED:,}",
        "The same bound on the error at all larger sizes, in float64.",
        (Criterion(_exact("gaussian", words, name="error_beyond")),),
        main=False,
    )
