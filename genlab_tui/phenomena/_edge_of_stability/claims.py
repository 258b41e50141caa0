"""The edge of stability: what is judged, at which thresholds, against which controls."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from genlab_tui.measures import measure_test, ratio
from genlab_tui.phenomena._edge_of_stability.config import (
    APART,
    AT_EDGE,
    CROSS_ENTROPY,
    DROPS,
    EDGE,
    FALLS,
    HALVES,
    MOMENTUM_EDGE,
    NESTEROV,
    POLYAK,
    STABLE,
    STARTS_BELOW,
    STEADY,
    UPS,
    Config,
    arm_of,
    edge,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

SOURCE = "Cohen et al. 2021"
HOVERS = "the sharpness rises to 2 / eta and stays there"
RISES = "the loss rises again and again, and yet falls"
FOLLOWS = "the step size decides how sharp the solution is"
MOMENTUM = "{} momentum has an edge of its own"
LATE_DROP = "with cross-entropy the sharpness falls again late"
SECOND_HALF = "Mean over the looks of the second half of training."
SO_IS_THE_CONTROL = (
    f"{SECOND_HALF} The control is judged on the same mean, not on eta * lambda at its end, which the figure gives."
)


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return what is judged: sharpness at the edge, loss there, one step size against another; then side claims."""
    etas = sorted(config.etas)
    small = arm_of(config.small)
    found = [_hovers(etas, small), _rises(etas, small)]
    if len(etas) > 1:
        found.append(_follows(etas, config.small))
    if config.momentum:
        found += [_momentum(kind, config) for kind in (POLYAK, NESTEROV)]
    if config.loss == CROSS_ENTROPY:
        found.append(_late_drop(etas))
    return tuple(found)


def crosses(arm: str, title: str) -> Test:
    """Return the precondition that an arm starts well below its edge and meets it in the first half of its steps."""

    def measure(data: RunData) -> PerSeed:
        first, early = data.measure("first", arm), data.measure("crossed_early", arm)
        return {seed: float(early[seed] == 1.0 and first.get(seed, EDGE) < STARTS_BELOW) for seed in early}

    words = f"{title}: starts below half of its edge, crosses it before half of the steps"
    return Test(words, measure, Rule(low=1.0, every=True), (arm,))


def _of(eta: float) -> str:
    return f"eta {eta:g}"


def _hovers(etas: list[float], small: str) -> Claim:
    """Return the claim that eta * lambda settles at 2."""
    criteria = []
    for eta in etas:
        arm = arm_of(eta)
        met = crosses(arm, _of(eta))
        late = measure_test(
            "late", arm, f"eta * lambda, {_of(eta)}", Rule(low=AT_EDGE[0], high=AT_EDGE[1]), SO_IS_THE_CONTROL
        )
        stays = measure_test("late", small, "eta * lambda of the small eta", Rule(low=STABLE, strict=True))
        steady = measure_test(
            "late_sd",
            arm,
            f"standard deviation of eta * lambda, {_of(eta)}",
            Rule(high=STEADY),
            "Over the looks of the second half of training.",
        )
        criteria += [Criterion(late, met, stays), Criterion(steady, met)]
    return Claim(
        HOVERS,
        "Full-batch gradient descent makes the largest eigenvalue lambda of the Hessian rise until eta * lambda is 2, "
        "where descent on a parabola would start to diverge, and then keeps it there. A network that does not reach it "
        "in the first half of its steps leaves the claim open: there may have been too few.",
        tuple(criteria),
        paper=SOURCE,
    )


def _rises(etas: list[float], small: str) -> Claim:
    """Return the claim that the loss is not monotone at the edge, but falls in the long run."""
    never = measure_test(
        "rising_share", small, "steps of the small eta that raise the loss", Rule(low=0.0, strict=True)
    )
    criteria = []
    for eta in etas:
        arm = arm_of(eta)
        met = crosses(arm, _of(eta))
        share = measure_test(
            "rises_after",
            arm,
            f"share of steps after the crossing that raise the loss, {_of(eta)}",
            Rule(low=UPS[0], high=UPS[1]),
        )
        before = measure_test(
            "rises_before", arm, f"steps before the crossing that raise the loss, {_of(eta)}", Rule(high=0.0)
        )
        falls = measure_test(
            "loss_ratio", arm, f"loss at the end over loss at the crossing, {_of(eta)}", Rule(high=FALLS)
        )
        criteria += [Criterion(share, met, never), Criterion(before, met, unit="steps"), Criterion(falls, met)]
    return Claim(
        RISES,
        "Once the sharpness is at 2 / eta, many steps make the loss larger, none did before; in the long run it falls.",
        tuple(criteria),
        paper=SOURCE,
    )


def _follows(etas: list[float], small: float) -> Claim:
    """Return the claim that sharpness goes like 1 / eta, neighbour by neighbour."""
    criteria = []
    for low, high in pairwise(etas):
        met = both(crosses(arm_of(low), _of(low)), crosses(arm_of(high), _of(high)))
        effect = sharpness_ratio(low, high, f"sharpness at {_of(high)} over that at {_of(low)}")
        control = sharpness_ratio(small, low, f"the same of {_of(low)} over the small eta, which is not at its edge")
        criteria.append(Criterion(effect, met, control))
    return Claim(
        FOLLOWS,
        "The sharpness that training ends at is 2 / eta: twice the step size, half the sharpness.",
        tuple(criteria),
        paper=SOURCE,
    )


def sharpness_ratio(low: float, high: float, words: str) -> Test:
    """Return the test that sharpness at two step sizes has the inverse of their ratio, within a fifth."""
    inverse = low / high
    return Test(
        words,
        lambda data: ratio(data, "late_sharpness", arm_of(high), arm_of(low)),
        Rule(low=(1 - HALVES) * inverse, high=(1 + HALVES) * inverse),
        (arm_of(low), arm_of(high)),
        statement=SECOND_HALF,
        geometric=True,
    )


def both(first: Test, second: Test) -> Test:
    """Return the precondition that two are met in every seed."""

    def measure(data: RunData) -> PerSeed:
        one, other = first.measure(data), second.measure(data)
        return {seed: min(one.get(seed, 0.0), other.get(seed, 0.0)) for seed in {*one, *other}}

    return Test(f"{first.name}; {second.name}", measure, Rule(low=1.0, every=True), (*first.needs, *second.needs))


def apart(kind: str, config: Config) -> Test:
    """Return the precondition that the edge of a kind of momentum is not where 2 / eta is, also for this beta."""
    eta = config.polyak if kind == POLYAK else config.nesterov
    share = abs(edge(kind, eta, config.beta) * eta / EDGE - 1)

    def measure(data: RunData) -> PerSeed:
        return dict.fromkeys(data.seeds, float(share > APART))

    return Test(f"the edge differs from 2 / eta by more than {APART:.0%}", measure, Rule(low=1.0, every=True), (kind,))


def _momentum(kind: str, config: Config) -> Claim:
    """Return the claim that a kind of momentum has its own threshold; 2 / eta is none."""
    name = kind.capitalize()
    formula = "(2 + 2 beta) / eta" if kind == POLYAK else "(2 + 2 beta) / (eta (1 + 2 beta))"
    rule = Rule(low=MOMENTUM_EDGE[0], high=MOMENTUM_EDGE[1])
    effect = measure_test("late_of_edge", kind, f"sharpness over {formula}, {name}", rule, SECOND_HALF)
    return Claim(
        MOMENTUM.format(name),
        f"With {name}'s momentum the sharpness settles near {formula} instead of 2 / eta.",
        (Criterion(effect, both(crosses(kind, name), apart(kind, config))),),
        main=False,
        paper=SOURCE,
    )


def _late_drop(etas: list[float]) -> Claim:
    """Return the claim that the sharpness of networks trained with cross-entropy does not stay at the edge."""

    def dropped(arm: str) -> Callable[[RunData], PerSeed]:
        def measure(data: RunData) -> PerSeed:
            end, largest = data.measure("end_sharpness", arm), data.measure("largest_sharpness", arm)
            return {seed: end[seed] / largest[seed] for seed in end if seed in largest}

        return measure

    criteria = [
        Criterion(
            Test(
                f"sharpness at the end over its largest, {_of(eta)}",
                dropped(arm_of(eta)),
                Rule(high=DROPS),
                (arm_of(eta),),
                geometric=True,
            ),
            crosses(arm_of(eta), _of(eta)),
        )
        for eta in etas
    ]
    return Claim(
        LATE_DROP,
        "Cross-entropy loses its curvature once samples are right with certainty, so that sharpness leaves the edge.",
        tuple(criteria),
        main=False,
        paper=SOURCE,
    )
