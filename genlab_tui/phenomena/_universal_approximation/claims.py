"""Universal approximation: what is judged, and from which thresholds."""

from __future__ import annotations

from genlab_tui.measures import all_finite, measure_test, ratio
from genlab_tui.phenomena._universal_approximation.config import SHALLOW, Config
from genlab_tui.phenomenon import Claim, Criterion, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.stats import summarise

# Thresholds, fixed before any run that is judged by them.
SMOOTH = (-2.2, -1.8)  # log-log slope of the largest error over the width, twice differentiable target
LIPSCHITZ = (-1.2, -0.8)  # the same, target with kinks
JUMP_SQUARE = (-0.7, -0.3)  # log-log slope of the L2 error, target with a jump: theory says -1/2
JUMP = 0.5  # no continuous function comes closer to a jump of 1 than this
FALL = 0.2  # smallest error of trained networks over that of the narrowest
GAP = 10.0  # error of the widest trained network over that of the same width written down
SLOWER = -1.0  # log-log slope of the trained networks' error over the widest four: what is written down goes at -2
EQUAL = 1e-9  # largest error of a network that is meant to be equal to its target
CLOSER = 0.5  # L2 error of a trained network with three hidden layers over that with one, units being equal
SAVED = 4.0  # units with one hidden layer over units with three

SLOPE = "slope of the largest error over the width, sine"


def _between(bounds: tuple[float, float]) -> Rule:
    return Rule(low=bounds[0], high=bounds[1])


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: rates written down, the jump, the gap of training, depth (main); two side claims."""
    return (_rates(), _jump(), _training(), _depth(), _sawtooth(), _trained_depth())


def _rates() -> Claim:
    smooth, kinks = _between(SMOOTH), _between(LIPSCHITZ)
    return Claim(
        "wide enough networks come as close as asked",
        "With equispaced knots the largest error falls like 1/width² where the target is smooth, like 1/width where it "
        "has kinks: the classical error of interpolation by straight lines. That wide enough networks of ReLU units "
        "come close at all is the theorem (Leshno et al. 1993); it names no rate.",
        (
            Criterion(
                measure_test("sup_slope", "sine", SLOPE, smooth, "The error of a piece of length h is |f''| h² / 8."),
                control=measure_test("sup_slope", "step", "the same of the step", smooth),
            ),
            Criterion(
                measure_test("sup_slope", "kink", "slope of the largest error over the width, kink", kinks),
                control=measure_test("sup_slope", "sine", "the same of the sine", kinks),
            ),
        ),
    )


def _jump() -> Claim:
    least = Rule(low=JUMP, every=True)
    return Claim(
        "a jump is met in the mean, never everywhere",
        "No continuous function is closer than 1/2 to a jump of 1 everywhere, however wide; the mean square error does "
        "go to zero, like 1/width.",
        (
            Criterion(
                measure_test("sup_least", "step", "smallest of all largest errors, step", least),
                control=measure_test("sup_least", "sine", "the same of the sine", least),
            ),
            Criterion(
                measure_test("l2_slope", "step", "slope of the L2 error over the width, step", _between(JUMP_SQUARE))
            ),
        ),
        paper="Leshno et al. 1993",
    )


def _training() -> Claim:
    fall = Rule(high=FALL)
    gap = Test(
        "widest network: error trained over error written down",
        lambda d: ratio(d, "sup_wide", "trained-sine", "sine"),
        Rule(low=GAP),
        ("trained-sine", "sine"),
        statement="Same width, same target. Training minimises the mean square at the samples; what is compared is the "
        "largest error anywhere.",
    )
    finite = all_finite("the networks did not diverge", "sup_wide", "trained-sine")
    return Claim(
        "training stops short of what the width allows",
        "Trained on the sine, wider networks get better, but their largest error falls more slowly with the width than "
        f"that of networks written down, and the widest is at least {GAP:g} times worse than the same width written "
        "down.",
        # The first two criteria have no control: no arm lacks the effect and could yet pass for it. No continuous
        # function is closer than 1/2 to the step, so that its error can neither fall to a fifth nor be ten times
        # another one's; the narrowest networks written down are as far off as the target is high; kink and sawtooth
        # show the effect themselves.
        (
            Criterion(
                measure_test(
                    "fall", "trained-sine", "smallest error over that of the narrowest, trained on the sine", fall
                ),
                finite,
            ),
            Criterion(gap, finite, unit="times"),
            Criterion(
                _tail("trained-sine", "slope of the error over the widest four, trained"),
                finite,
                _tail("sine", "the same, written down"),
            ),
        ),
    )


def _tail(arm: str, words: str) -> Test:
    """Return the test of the slope over the widest networks, read off the mean curve: a seed alone is noise there."""
    return measure_test("tail_slope", arm, words, Rule(low=SLOWER), pooled=lambda slopes: summarise(slopes).mean)


def _depth() -> Claim:
    equal = Rule(high=EQUAL, every=True)
    saved = Test(
        "units with one hidden layer over units with three",
        lambda d: ratio(d, "units", "depth-1", "depth-3"),
        Rule(low=SAVED, every=True),
        ("depth-1", "depth-3"),
        statement="A layer of q units multiplies the number of linear pieces by q.",
    )
    return Claim(
        "depth saves units",
        "Tents applied one after another have twice as many pieces each time: one hidden layer needs a unit for every "
        "piece, several layers only for their own.",
        (
            Criterion(
                measure_test("depth_error", "depth-3", "largest error with three hidden layers", equal),
                control=measure_test("depth_error", SHALLOW, "the same with as many units in one layer", equal),
            ),
            Criterion(measure_test("depth_error", "depth-1", "largest error with one hidden layer", equal)),
            Criterion(saved, unit="times"),
        ),
        paper="Telgarsky 2016",
    )


def _sawtooth() -> Claim:
    rule = _between(LIPSCHITZ)
    return Claim(
        "many kinks, the same rate",
        "Once the pieces are shorter than the teeth, a sawtooth is met as fast as a single kink.",
        (
            Criterion(
                measure_test("sup_slope", "sawtooth", "slope of the largest error over the width, sawtooth", rule),
                control=measure_test("sup_slope", "step", "the same of the step", rule),
            ),
        ),
        main=False,
    )


def _trained_depth() -> Claim:
    arms = ("trained-depth-3", "trained-depth-1")
    closer = Test(
        "L2 error trained with three hidden layers over that with one",
        lambda d: ratio(d, "l2_wide", *arms),
        Rule(high=CLOSER),
        arms,
        statement="The same number of units, several times what either depth needs.",
    )
    return Claim(
        "training finds what depth saves",
        "Trained with equal units, three hidden layers come much closer to the tents than one does.",
        (Criterion(closer, unit="times"),),
        main=False,
    )
