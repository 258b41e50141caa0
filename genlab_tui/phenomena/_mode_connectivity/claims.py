"""Mode connectivity: what is judged, and from which thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from genlab_tui.measures import difference, least, measure_test, together
from genlab_tui.peaks import Profile, profile
from genlab_tui.phenomena._mode_connectivity.config import (
    AGAIN,
    APART,
    CHANGED,
    DISTANCE,
    DISTINCT,
    FIRST,
    MATCHED,
    OTHER,
    PERCEPTRON,
    REMOVED,
    SAME,
    SHUFFLED,
    STABLE,
    TEST,
    TRAIN,
    TRAINED,
    UNSTABLE,
    Config,
    copy_of,
    forks_of,
    sizes,
    steps_of,
)
from genlab_tui.phenomenon import Claim, Criterion, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

SOURCE = "Frankle et al. 2020, networks that are not pruned"
MATCHING_SOURCE = "README of a public re-implementation of weight matching (MLP of width 512, MNIST)"
START = copy_of(0)
ENDS = (FIRST, START, AGAIN, OTHER)


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: one basin for copies alone (main); training samples, permuted units, late copies (side)."""
    found = [
        Claim(
            "copies from one start end in one basin, independent networks do not",
            "On the straight line between two trainings of one start the test error does not rise; between independent "
            "networks it does.",
            _basins(TEST, "test"),
            paper="Frankle et al. 2020",
        ),
        Claim(
            "so it is on the training samples",
            "The same barriers in training error: it is the loss that has basins, whatever generalises.",
            _basins(TRAIN, "training"),
            main=False,
            paper="Frankle et al. 2020",
        ),
    ]
    if config.network == PERCEPTRON:
        found.append(_names_of_units())
    if len(config.forks) > 1:
        found.append(_later(config, steps_of(config, sizes(config, spec)[0])))
    return tuple(found)


def _of(measure: str, arm: str, words: str, rule: Rule, statement: str = "") -> Test:
    """Make the test of a number of the line from the network to an arm's."""
    return replace(measure_test(measure, arm, words, rule, statement), needs=(FIRST, arm))


def _gap(measure: str, arm: str, words: str, statement: str) -> Test:
    """Make the test of how much higher the barrier of an arm is than that of copies from one start."""
    return Test(
        words,
        lambda d: difference(d, measure, arm, START),
        Rule(low=APART),
        (FIRST, START, arm),
        statement=statement,
    )


def _basins(measure: str, part: str) -> tuple[Criterion, ...]:
    trained = Test(
        "least training accuracy of the networks",
        lambda d: {seed: least(row) for seed, row in together(d, "train_accuracy", ENDS).items()},
        Rule(low=TRAINED, every=True),
        ENDS,
    )
    distinct = _of(DISTANCE, START, "distance of the copies, of their norm", Rule(low=DISTINCT, every=True))
    one = _of(
        measure,
        START,
        f"{part} barrier of copies from one start",
        Rule(high=STABLE),
        "Nowhere between the copies is the error more than two points above the mean of the ends.",
    )
    other = _of(
        measure,
        OTHER,
        f"{part} barrier of independent networks",
        Rule(high=STABLE),
        "Networks that share nothing must not count as connected.",
    )
    gap = _gap(
        measure,
        OTHER,
        f"{part} barrier of independent starts minus that of copies from one start",
        "Between independent networks the error rises at least four points higher.",
    )
    again = _gap(
        measure,
        AGAIN,
        f"{part} barrier of another pair of copies minus that of the first",
        "With a third copy in place of the independent network there must be no such gap.",
    )
    return (
        Criterion(one, trained, other, "under 2 from k = 0 on (LeNet, MNIST)", SOURCE, unit="points"),
        Criterion(gap, distinct, again, unit="points"),
    )


def _removed(arm: str, words: str, statement: str) -> Test:
    """Make the test of the share of the independent networks' barrier that is gone; NaN where there was none."""

    def share(data: RunData) -> dict[int, float]:
        left = data.measure(TEST, arm)
        return {
            seed: 1 - left[seed] / value if value > 0 else math.nan
            for seed, value in data.measure(TEST, OTHER).items()
            if seed in left
        }

    return Test(words, share, Rule(low=REMOVED), (FIRST, OTHER), statement=statement)


def _names_of_units() -> Claim:
    same = Test(
        "change of the test error by permuting hidden units (points)",
        lambda d: {
            seed: max(row) if not any(map(math.isnan, row)) else math.nan
            for seed, row in together(d, CHANGED, (MATCHED, SHUFFLED)).items()
        },
        Rule(high=SAME, every=True),
        (FIRST, OTHER),
    )
    effect = _removed(
        MATCHED,
        "share of the test barrier that matching hidden units takes away",
        "With the units of one network in the order of the other's, half the barrier or more is gone.",
    )
    control = _removed(
        SHUFFLED, "the same with units in a random order", "A reordering as such must not take the barrier away."
    )
    return Claim(
        "much of the barrier is permutation symmetry",
        "Independent networks lie far apart partly because their hidden units come in another order.",
        # Words and no number: what is judged here is a barrier in error, theirs is one in loss.
        (Criterion(effect, same, control, "0.97 of the loss barrier", MATCHING_SOURCE),),
        main=False,
        paper="Ainsworth et al. 2023",
    )


def stable_from(x: Sequence[float], barriers: Sequence[float]) -> float:
    """Return the smallest of some common steps from which on no barrier is above two points; infinite without one."""
    found = math.inf
    for step, value in sorted(zip(x, barriers, strict=True), reverse=True):
        if not value <= STABLE:
            break
        found = step
    return found


def over_forks(data: RunData, measure: str = TEST) -> Profile:
    """Return the barrier over the common steps of the copies that were launched."""
    return profile(data, measure, [arm for arm in data.arms if "fork" in arm.factors], "fork")


def _later(config: Config, steps: int) -> Claim:
    arms = tuple(copy_of(k) for k in forks_of(config))
    last = forks_of(config)[-1]

    # Where none of the steps tried was enough: copies that share all steps are one network.
    def each(data: RunData) -> dict[int, float]:
        found = over_forks(data)
        return {seed: min(stable_from(found.x, row), steps) for seed, row in found.per_seed.items()}

    def mean(data: RunData) -> float:
        found = over_forks(data)
        return min(stable_from(found.x, found.mean), steps) if found.per_seed else math.nan

    unstable = _of(TEST, START, "test barrier of copies from one start", Rule(low=UNSTABLE, strict=True))
    end = _of(
        TEST,
        arms[-1],
        f"test barrier of copies after {last:,} common steps",
        Rule(high=STABLE),
        "Copies that part late enough end in one basin.",
    )
    # Copies from one start could not fire: the precondition asks that their barrier is high.
    apart = _of(TEST, OTHER, "the same of independent networks", Rule(high=STABLE))
    place = Test(
        "common steps from which on copies are stable",
        each,
        Rule(low=0.0, high=float(last), strict=True),
        (FIRST, *arms),
        mean,
        "Read off the mean barrier: the first of the steps tried, with none above two points after it.",
    )
    return Claim(
        "unstable at the start, stable once enough steps are shared",
        "A network whose copies part at the start end in different basins; after k steps they no longer do.",
        (
            Criterion(end, unstable, apart, unit="points"),
            Criterion(place, unstable, None, "0 (LeNet, MNIST), 2,000 (ResNet-20, CIFAR-10)", SOURCE, unit="steps"),
        ),
        main=False,
        paper="Frankle et al. 2020",
    )
