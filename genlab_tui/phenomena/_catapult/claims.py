"""The catapult: what is judged, at which thresholds, against which controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genlab_tui.measures import measure_test, together
from genlab_tui.phenomena._catapult.config import (
    AT_DIVERGENCE,
    AT_ONSET,
    BEARS,
    DIVERGENCE,
    EXPONENT,
    FELL,
    LINEAR,
    LINEARISED,
    MODEL,
    ONSET,
    RELU,
    RELU_EDGE,
    WIDER,
    WIDER_CALM,
    Config,
    arm_of,
    catapults,
    lazy,
    linearised_of,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

SOURCE = "Lewkowycz et al. 2020"
PHASES = "three phases"
PEAK = "the catapult is the higher the wider the model"
LIKE_MODEL = "a linear network on data diverges where the model does"
BEARS_MORE = "a ReLU network on data trains up to rates between 4 and 12"
DIVERGES = "eta lambda_0 at which the loss diverges"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return what is judged: the phases of the model, then on the side its width and the networks."""
    found = [_phases(config), _peak()]
    if config.networks:
        found += [_linear(), _relu()]
    return tuple(found)


def _over(name: str, arms: Sequence[str], words: str, rule: Rule, pick: Callable[[list[float]], float]) -> Test:
    def measure(data: RunData) -> PerSeed:
        return {seed: pick(values) for seed, values in together(data, name, arms).items()}

    return Test(words, measure, rule, tuple(arms))


def _phases(config: Config) -> Claim:
    """Return the claim on the model: its boundaries, and what happens between them."""
    between = [arm_of(p) for p in catapults(config)]
    calm = arm_of(lazy(config)[-1])
    rule = Rule(low=AT_DIVERGENCE[0], high=AT_DIVERGENCE[1])
    rises, falls, ends = Rule(low=1.0, strict=True), Rule(high=FELL, strict=True), Rule(high=ONSET, strict=True)
    onset = measure_test(
        "onset", MODEL, "eta lambda_0 at which the loss first rises", Rule(low=AT_ONSET[0], high=AT_ONSET[1])
    )
    divergence = measure_test("divergence", MODEL, DIVERGES, rule)
    constant = measure_test("divergence", LINEARISED, f"{DIVERGES}, linearised", rule)
    rise = _over("rise", between, "largest loss over the first, least of the catapults", rises, min)
    still = _over("rise", [calm], "the same below the onset", rises, min)
    fell = _over("ratio", between, "lambda at the end over lambda_0, largest of the catapults", falls, max)
    stays = _over("ratio", [calm], "the same below the onset", falls, max)
    flat = _over("eta_lambda_end", between, "eta lambda at the end, largest of the catapults", ends, max)
    return Claim(
        PHASES,
        "Gradient descent on the model has three phases: below eta lambda_0 = 2 the loss falls, the curvature stays; "
        "up to 4 the loss first rises, the curvature falls until eta lambda is below 2, then the loss falls; above it "
        "diverges. With a constant curvature, everything above 2 diverges.",
        (
            Criterion(onset, published=ONSET, published_source=SOURCE),
            Criterion(divergence, control=constant, published=DIVERGENCE, published_source=SOURCE),
            Criterion(rise, control=still),
            Criterion(fell, control=stays),
            Criterion(flat),
            Criterion(_falls_again(between)),
        ),
        paper=SOURCE,
    )


def _falls_again(between: Sequence[str]) -> Test:
    """Return the test that the loss of every catapult ends below where it began (`rise` is the peak over the first)."""

    def measure(data: RunData) -> PerSeed:
        ends, rises, tops = (together(data, name, between) for name in ("end_loss", "rise", "peak"))
        return {
            seed: max(end * rise / top for end, rise, top in zip(ends[seed], rises[seed], tops[seed], strict=True))
            for seed in ends
            if seed in rises and seed in tops
        }

    words = "loss at the end over the first, largest of the catapults"
    return Test(words, measure, Rule(high=1.0, strict=True), tuple(between))


def _peak() -> Claim:
    rule = Rule(low=EXPONENT[0], high=EXPONENT[1])
    exponent = "exponent of the largest loss in the width"
    return Claim(
        PEAK,
        "The loss grows until it is of the size of the width, whatever it began with, which takes a number of steps "
        "that goes like the logarithm of the width.",
        (
            Criterion(
                measure_test("peak_exponent", WIDER, exponent, rule),
                control=measure_test("peak_exponent", WIDER_CALM, f"{exponent}, below the onset", rule),
            ),
            Criterion(
                measure_test(
                    "steps_growth",
                    WIDER,
                    "steps to the largest loss per e-fold of the width, over 1 / (2 ln(eta lambda_0 - 1))",
                    rule,
                )
            ),
        ),
        main=False,
        paper=SOURCE,
    )


def _linear() -> Claim:
    rule = Rule(low=AT_DIVERGENCE[0], high=AT_DIVERGENCE[1])
    words = "largest eta lambda_0 that trains, {}"
    return Claim(
        LIKE_MODEL,
        "Without an activation, networks on two classes of the data set train up to about eta lambda_0 = 4.",
        (
            Criterion(
                measure_test("eta_max", LINEAR, words.format("linear network"), rule),
                control=measure_test("eta_max", linearised_of(LINEAR), words.format("linearised"), rule),
                published=f"{DIVERGENCE:g} (the one-sample model)",
                published_source=SOURCE,
            ),
        ),
        main=False,
        paper=SOURCE,
    )


def _relu() -> Claim:
    rule = Rule(low=BEARS[0], high=BEARS[1])
    words = "largest eta lambda_0 that trains, {}"
    return Claim(
        BEARS_MORE,
        "With ReLU units, networks on the same samples, as they are, train up to eta lambda_0 between 4 and 12, in the "
        "paper to about 12. How far depends on the inputs: see the arm with centred ones.",
        (
            Criterion(
                measure_test("eta_max", RELU, words.format("ReLU network"), rule),
                control=measure_test("eta_max", linearised_of(RELU), words.format("linearised"), rule),
                published=RELU_EDGE,
                published_source=SOURCE,
            ),
        ),
        main=False,
        paper=SOURCE,
    )
