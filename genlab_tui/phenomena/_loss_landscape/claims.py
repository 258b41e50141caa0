"""The loss landscape: what is judged, at which thresholds, against which controls."""

from __future__ import annotations

import math
from collections.abc import Callable

from genlab_tui.measures import measure_test, together
from genlab_tui.phenomena._loss_landscape.config import (
    ALIKE,
    BASINS,
    LOW_DIMENSIONAL,
    MATCHED,
    MINIMA,
    NON_CONVEX,
    PERCEPTRON,
    PLAIN,
    RANDOM,
    SAME,
    SKIP,
    SLICES,
    WIDER,
    Config,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

SOURCE = "Li et al. 2018 (landscape)"
BASIN = "shortcuts widen the basin"
AREA = "the basin is larger in two-dimensional slices"
CHAOS = "without shortcuts the landscape is chaotic: several minima"
CURVED = "without shortcuts the landscape is chaotic: not convex"
CHAOS_NEAR = "close up, several minima without shortcuts"
CURVED_NEAR = "close up, not convex without shortcuts"
SQUARE_SLICES, NEAR_SLICES = "square", "near"
ON_SQUARE = "On the square from -1 to 1, where the narrow basin has only a few points."
CLOSE_UP = "On slices up to 2 median radii of the network's own basin, which both networks fill alike."
PROOF = "Where a slice is not convex the loss is not; a smooth slice proves nothing."
WAY = "training stays near a plane"
WALK = "its trajectory is flatter than a random walk's"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return what is judged: the width of the basin (main), its area, chaos, and the trajectory."""
    found = [
        _basin(),
        _area(),
        _minima(CHAOS, SQUARE_SLICES, ON_SQUARE),
        _curved(CURVED, SQUARE_SLICES, f"{ON_SQUARE} {PROOF}"),
        _minima(CHAOS_NEAR, NEAR_SLICES, CLOSE_UP),
        _curved(CURVED_NEAR, NEAR_SLICES, f"{CLOSE_UP} {PROOF}"),
    ]
    if config.model == PERCEPTRON:
        found += [_way(), _walk()]
    return tuple(found)


def matched(run_data: RunData) -> PerSeed:
    """Return 1 for a seed whose networks have both reached the training loss, and about the same one, else 0."""
    losses = [run_data.measure("train_loss", arm) for arm in (SKIP, PLAIN)]
    found = {}
    for seed in sorted(set(losses[0]) | set(losses[1])):
        a, b = (own.get(seed, math.nan) for own in losses)
        found[seed] = float(a <= MATCHED and b <= MATCHED and a <= SAME * b and b <= SAME * a)
    return found


MET = Test(
    f"both at a training loss of {MATCHED:g} or less, neither more than {SAME:g} times the other",
    matched,
    Rule(low=1.0, every=True),
    (SKIP, PLAIN),
)


def over(measure: str) -> Callable[[RunData], PerSeed]:
    """Return a number with shortcuts over that without; NaN where one of them is 0 (a basin without a point)."""

    def ratios(run_data: RunData) -> PerSeed:
        both = together(run_data, measure, (SKIP, PLAIN))
        return {seed: a / b if a > 0 and b > 0 else math.nan for seed, (a, b) in both.items()}

    return ratios


def apart(measure: str, arm: str) -> Callable[[RunData], PerSeed]:
    """Return how many times a number of one seed is that of the next one (after the last comes the first).

    Or the other way round: else the ratios of all seeds would cancel.
    """

    def ratios(run_data: RunData) -> PerSeed:
        own = run_data.measure(measure, arm)
        seeds = sorted(own)
        if len(seeds) < 2:
            return {}
        found = {}
        for seed, other in zip(seeds, [*seeds[1:], seeds[0]], strict=True):
            a, b = own[seed], own[other]
            found[seed] = max(a / b, b / a) if a > 0 and b > 0 else math.nan
        return found

    return ratios


def _basin() -> Claim:
    effect = Test(
        "median radius of the basin, with shortcuts over without",
        over("radius"),
        Rule(low=WIDER),
        (SKIP, PLAIN),
        statement="The step along a random filter-normalised direction at which the loss reaches ln K, that of "
        "guessing; the median over all directions and both sides.",
        geometric=True,
    )
    control = Test(
        "two seeds without shortcuts differ as much",
        apart("radius", PLAIN),
        Rule(low=ALIKE, strict=True),
        (PLAIN,),
        geometric=True,
    )
    return Claim(
        BASIN,
        "Around a deep network with shortcuts the loss stays low several times as far as around one without, in random "
        "directions measured in the lengths of the filters, at the same training loss.",
        (Criterion(effect, MET, control, unit="times"),),
        paper=SOURCE,
    )


def _area() -> Claim:
    effect = Test(
        "share of the square with a loss below ln K, with shortcuts over without",
        over("square_basin"),
        Rule(low=BASINS),
        (SKIP, PLAIN),
        statement="Counted in points of the grid on the square from -1 to 1; the narrow basin has only a few.",
        geometric=True,
    )
    control = Test(
        "two seeds without shortcuts differ as much",
        apart("square_basin", PLAIN),
        Rule(low=BASINS),
        (PLAIN,),
        geometric=True,
    )
    return Claim(
        AREA,
        "The basin covers a larger part of two-dimensional slices with shortcuts than without.",
        (Criterion(effect, MET, control, unit="times"),),
        main=False,
        paper=SOURCE,
    )


def _minima(name: str, slices: str, statement: str) -> Claim:
    """Return the claim that slices (`square` or `near` ones) have several minima."""
    rule = Rule(low=SLICES)
    few = f"{MINIMA:g} or more strict minima inside the basin"
    measure, close = f"{slices}_chaotic", ", close up" if slices == NEAR_SLICES else ""
    effect = measure_test(measure, PLAIN, f"share of slices without shortcuts that have {few}{close}", rule, statement)
    control = measure_test(measure, SKIP, f"slices with shortcuts have {few} too{close}", rule)
    return Claim(
        name,
        "The basin of a deep network without shortcuts breaks up into several minima.",
        (Criterion(effect, MET, control, published="chaotic (pictures)", published_source=SOURCE),),
        main=False,
        paper=SOURCE,
    )


def _curved(name: str, slices: str, statement: str) -> Claim:
    """Return the claim that the basin in slices (`square` or `near` ones) is not convex."""
    rule = Rule(low=NON_CONVEX)
    measure, close = f"{slices}_non_convex", ", close up" if slices == NEAR_SLICES else ""
    words = f"share of the basin without shortcuts that is not convex{close}"
    effect = measure_test(measure, PLAIN, words, rule, statement)
    control = measure_test(measure, SKIP, f"the basin with shortcuts is not convex either{close}", rule)
    return Claim(
        name,
        "A good part of the basin of a deep network without shortcuts has negative curvature.",
        (Criterion(effect, MET, control, unit="share"),),
        main=False,
        paper=SOURCE,
    )


def _way() -> Claim:
    criteria = []
    for arm, words in ((SKIP, "with shortcuts"), (PLAIN, "without shortcuts")):
        low = Rule(low=LOW_DIMENSIONAL)
        criteria.append(
            Criterion(
                measure_test(
                    "principal_share", arm, f"variance of the trajectory in its two principal directions, {words}", low
                ),
                control=measure_test("random_share", arm, f"two random directions hold as much, {words}", low),
                published="0.4 to 0.9",
                published_source=SOURCE,
                unit="share",
            )
        )
        random = measure_test(
            "random_share",
            arm,
            f"variance of the trajectory in two random directions, {words}",
            Rule(high=RANDOM, strict=True),
        )
        criteria.append(Criterion(random, published="almost none", published_source=SOURCE, unit="share"))
    return Claim(
        WAY,
        "Two directions hold a large part of all that the weights did in training, two random ones next to nothing.",
        tuple(criteria),
        main=False,
        paper=SOURCE,
    )


def _walk() -> Claim:
    criteria = tuple(
        Criterion(
            Test(
                f"variance in two principal directions minus that of a random walk, {words}",
                _beyond(arm),
                Rule(low=0.0, strict=True),
                (arm,),
                statement="A walk with steps as long, each at right angles to all before, as those of a random walk in "
                "many dimensions nearly are.",
            ),
            unit="share",
        )
        for arm, words in ((SKIP, "with shortcuts"), (PLAIN, "without shortcuts"))
    )
    return Claim(
        WALK,
        "The two principal directions hold more of the trajectory than they would of a random walk with steps as long.",
        criteria,
        main=False,
    )


def _beyond(arm: str) -> Callable[[RunData], PerSeed]:
    def share(run_data: RunData) -> PerSeed:
        found, walk = run_data.measure("principal_share", arm), run_data.measure("walk_share", arm)
        return {seed: found[seed] - walk[seed] for seed in found if seed in walk}

    return share
