"""The drift to the largest margin: what is judged, and from which thresholds."""

from __future__ import annotations

import math

from genlab_tui.measures import all_finite, ratio, together
from genlab_tui.phenomena._max_margin.config import (
    ADAM,
    DECAYED,
    FIT,
    GD,
    LONG,
    MIXED,
    NETWORK_ARMS,
    NONE,
    NORMALISED,
    SETS,
    SIGN,
    USUAL_ADAM,
    Config,
    early,
    sizes,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

# Thresholds, fixed before any run that is judged by them.
SLOPE = 0.15  # how far from 1 / gamma the slope of the norm over log t may be, as a share of it
MARGIN = 0.95  # of the largest margin, at the end
GAP = 1.2  # (gamma - margin) log t over what it was a decade before
LOSS = 0.10  # largest over smallest loss * t of the last decade, minus 1
LEAST_MARGIN = 0.5  # gamma of the sets that are drawn, at least
TURN = 0.2  # radians between the two solutions, without which optimisers cannot be told apart
NEARER = 0.1  # radians by which a rival must lie nearer to the other solution: half of that
FAST = 0.995  # of the largest margin, that normalised gradient descent reaches within the same early steps
RISE = 1.05  # test loss at the end over that when the training error reached 0
RESOLVED = 1.0  # by how much of what a test set resolves its error must fall: 2 sqrt(p (1 - p) / samples)


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: the drift and where rivals go (main); the usual Adam, the faster way and a network (side)."""
    separable = Test(
        "the toy sets are separable",
        lambda d: d.measure("separable", SETS),
        Rule(low=1.0, every=True),
        (),
    )
    turned = Test(
        "angle between the two margins' solutions (radians)",
        lambda d: d.measure("turn", SETS),
        Rule(low=TURN, every=True),
        (),
    )
    found = (_drift(separable), _rivals(turned), _usual_adam(turned), _faster(separable, early(config)))
    return found if config.network == NONE else (*found, _network(sizes(config, spec)[1]))


def _of(measure: str, arm: str, words: str, rule: Rule, statement: str = "") -> Test:
    return Test(words, lambda d: d.measure(measure, arm), rule, (arm,), statement=statement)


def _drift(separable: Test) -> Claim:
    def both(measure: str, words: str, rule: Rule, statement: str) -> tuple[Test, Test]:
        effect = _of(measure, GD, words, rule, statement)
        return effect, _of(measure, MIXED, f"the same, not separable: {words}", rule)

    slope, no_slope = both(
        "slope",
        "slope of the norm over log t, times gamma",
        Rule(low=1 - SLOPE, high=1 + SLOPE),
        "Over the last decade the norm grows like log t / gamma. Without separability it must converge.",
    )
    margin, no_margin = both(
        "margin", "margin over the largest", Rule(low=MARGIN), "The direction is nearly that of the hard-margin SVM."
    )
    rise = _of(
        "margin_rise",
        GD,
        "smallest change of the margin in the last decade",
        Rule(low=0.0),
        "From look to look the margin does not fall.",
    )
    gap = _of(
        "gap_ratio",
        GD,
        "(gamma - margin) log t over a decade before",
        Rule(high=GAP),
        "What the margin lacks shrinks like 1 / log t or faster.",
    )
    loss, no_loss = both(
        "loss_variation",
        "variation of loss times t",
        Rule(high=LOSS, strict=True),
        "Over the last decade the loss falls like 1 / t.",
    )
    return Claim(
        "gradient descent drifts to the largest margin",
        "On separable data the norm of w grows like log t for ever, while its direction turns to that of the "
        "hard-margin SVM, slowly.",
        (
            Criterion(slope, separable, no_slope),
            Criterion(margin, separable, no_margin),
            Criterion(rise, separable),
            Criterion(gap, separable),
            Criterion(loss, separable, no_loss),
        ),
        paper="Soudry et al. 2018",
    )


def _rivals(turned: Test) -> Claim:
    return Claim(
        "the optimiser decides which margin",
        "Adam (with epsilon = 0 and a learning rate that falls like 1 / sqrt(t)) and sign descent separate the same "
        "points, but end nearer to the largest L-infinity margin than to the L2 one. Judged on sets drawn until gamma "
        f"is {LEAST_MARGIN:g} or more and the two directions lie {TURN:g} rad apart or more.",
        (*_nearer(ADAM, "Adam (epsilon 0)", turned), *_nearer(SIGN, "sign descent", turned)),
        paper="Gunasekar et al. 2018; Zhang, Zou & Cao 2024",
    )


def _nearer(arm: str, name: str, turned: Test) -> tuple[Criterion, Criterion]:
    """Return that a rival separates the points, and nearer to the largest L-infinity margin than to the L2 one."""
    rule = Rule(low=NEARER)
    separates = _of(
        "margin",
        arm,
        f"{name}: margin over the largest",
        Rule(low=0.0, strict=True, every=True),
        "All points are right.",
    )
    nearer = _of(
        "nearer_inf",
        arm,
        f"{name}: angle to the SVM minus angle to the largest L-infinity margin",
        rule,
        "It ends nearer to the largest L-infinity margin than to the L2 one.",
    )
    control = _of("nearer_inf", GD, "the same of gradient descent", rule)
    return Criterion(separates, turned), Criterion(nearer, turned, control, unit="rad")


def _usual_adam(turned: Test) -> Claim:
    return Claim(
        "Adam with its usual epsilon ends nearer to the largest L-infinity margin too",
        "Once gradients are smaller than its epsilon of 1e-8, Adam is gradient descent with momentum, of a falling "
        "rate: where it stands after these steps, as far as it got.",
        _nearer(USUAL_ADAM, "Adam (epsilon 1e-8)", turned),
        main=False,
        paper="Zhang, Zou & Cao 2024",
    )


def _faster(separable: Test, steps: int) -> Claim:
    rule = Rule(low=FAST)
    words = f"margin over the largest after {steps:,} normalised steps"
    effect = _of("early_margin", NORMALISED, words, rule)
    control = _of("early_margin", GD, "the same of as many plain steps", rule)
    return Claim(
        "normalised gradient descent gets there far sooner",
        "With steps divided by the loss, the margin is all but reached where plain gradient descent still drifts.",
        (Criterion(effect, separable, control),),
        main=False,
        paper="Nacson et al. 2019",
    )


def resolved(data: RunData, tests: int) -> PerSeed:
    """Return by how much the test error fell after training error 0, in units of what that many samples resolve."""
    found = {}
    for seed, (end, fit) in together(data, "test_error", (LONG, FIT)).items():
        p = max(end, fit)
        unit = 2.0 * math.sqrt(max(p * (1.0 - p), 0.0) / tests)
        found[seed] = (fit - end) / unit if unit else 0.0 * p  # NaN stays NaN
    return found


def _network(tests: int) -> Claim:
    fitted = all_finite("training error reached 0", "steps_to_fit", FIT)
    loss = Test(
        "test loss at the end over that at training error 0",
        lambda d: ratio(d, "test_loss", LONG, FIT),
        Rule(low=RISE),
        (LONG, FIT),
        statement="Predictions that are wrong grow as sure as those that are right.",
    )
    control = Test(
        "the same with weight decay, which bounds the norm",
        lambda d: ratio(d, "test_loss", DECAYED, FIT),
        Rule(low=RISE),
        (DECAYED, FIT),
    )
    error = Test(
        "fall of the test error after training error 0",
        lambda d: resolved(d, tests),
        Rule(low=RESOLVED, strict=True),
        NETWORK_ARMS,
        statement="Fewer test samples are wrong, by more than 2 sqrt(p (1 - p) / samples), although the loss on them "
        "is larger.",
    )
    return Claim(
        "in a network test loss rises while test error falls",
        "Trained on after its training error is 0, a network gets surer of everything and righter at the same time.",
        (Criterion(loss, fitted, control), Criterion(error, fitted, unit="of what the test set resolves")),
        main=False,
        paper="Soudry et al. 2018",
    )
