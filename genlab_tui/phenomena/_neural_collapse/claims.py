"""Neural collapse: what is judged, and from which thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from genlab_tui.measures import difference, ratio
from genlab_tui.papers import PAPYAN
from genlab_tui.phenomena._neural_collapse.config import (
    ANGLES,
    CLOSER,
    COLLAPSES,
    DUAL,
    HALVES,
    HARDLY,
    IN_TIME,
    NC1,
    NC3,
    NC4,
    NEAREST,
    NORMS,
    Config,
    arm_of,
    fit_of,
    sizes,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

NAMES = {
    NC1: "NC1: spread within classes over that between",
    NORMS: "NC2: spread of the lengths of class means",
    ANGLES: "NC2: distance of the cosines from equal angles",
    NC3: "NC3: distance of output weights and class means",
    NC4: "NC4: share where the nearest class mean disagrees",
}
ACCURACY = "test_accuracy"
GAIN = "test accuracy, last epoch minus first without an error"
SINCE = "last epoch over first without an error"


def since_fit(run_data: RunData, measure: str, arm: str) -> dict[int, float]:
    """Return a measure at the last epoch over that at the first one without a training error."""
    return ratio(run_data, measure, arm, fit_of(arm))


def share_to_fit(run_data: RunData, arms: tuple[str, ...]) -> dict[int, float]:
    """Return the share of training at which the last of some arms was right on its training set; inf: one never was."""
    found: dict[int, float] = {}
    for arm in arms:
        whole = run_data.measure("epochs", arm)
        for seed, epochs in run_data.measure("epochs_to_fit", fit_of(arm)).items():
            share = epochs / whole[seed] if whole.get(seed, 0.0) > 0 else math.inf
            found[seed] = max(found.get(seed, 0.0), math.inf if math.isnan(share) else share)
    return found


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: variability collapses (main); the lights NC1 to NC4 and what else was measured (side)."""
    own, none = arm_of(config.weight_decays[0]), arm_of(0.0)
    return (
        _variability(own, none),
        _light(
            "NC1: spread within classes halves",
            NC1,
            HALVES,
            own,
            "The spread within classes falls to half: asked first, before small networks were seen to fall short.",
        ),
        _light(
            "NC2: class means become equally long",
            NORMS,
            CLOSER,
            own,
            "Held to the threshold of the angles; lengths have none of their own.",
        ),
        _light(
            "NC2: class means spread to equal angles",
            ANGLES,
            CLOSER,
            own,
            "All pairs of class means go towards one angle, the widest that as many directions can have.",
        ),
        _light(
            "NC3: output weights become the class means",
            NC3,
            DUAL,
            own,
            "Up to one factor, the output layer's weights become the centred class means.",
        ),
        _nearest("NC4: the nearest class mean decides", own),
        _nearest("NC4 without weight decay too", none),
        _hardly(none),
        *_ordered(config),
        _gain(config, spec, own),
    )


def _fitted(*arms: str) -> Test:
    return Test(
        "share of training until no training error is left",
        lambda d: share_to_fit(d, arms),
        Rule(high=IN_TIME, every=True),
        arms,
    )


def _since(measure: str, arm: str, name: str, rule: Rule, statement: str = "") -> Test:
    return Test(name, lambda d: since_fit(d, measure, arm), rule, (arm,), statement=statement, geometric=True)


def _variability(own: str, none: str) -> Claim:
    statement = "After the last error, classes go on contracting by a quarter."
    effect = _since(NC1, own, f"NC1, {SINCE}", Rule(high=COLLAPSES), statement)
    control = _since(NC1, none, "the same without weight decay", Rule(high=HARDLY, strict=True))
    return Claim(
        "features collapse to their class means",
        "Long after the last training error, the features of a class go on gathering around their mean. Without "
        f"weight decay they must hardly do so: a control that collapses by more than {100 * (1 - HARDLY):.0f} % counts "
        "as fired.",
        (Criterion(effect, _fitted(own, none), control),),
        paper=PAPYAN.key,
    )


def _light(title: str, measure: str, threshold: float, arm: str, statement: str = "") -> Claim:
    effect = _since(measure, arm, f"{NAMES[measure]}, {SINCE}", Rule(high=threshold), statement)
    return Claim(title, statement, (Criterion(effect, _fitted(arm)),), main=False, paper=PAPYAN.key)


def _nearest(title: str, arm: str) -> Claim:
    effect = Test(
        f"{NAMES[NC4]}, last epoch, {arm}",
        lambda d: d.measure(NC4, arm),
        Rule(high=NEAREST),
        (arm,),
        statement="Of the training samples.",
    )
    return Claim(
        title,
        "The network answers with the class whose mean is nearest to the features.",
        (Criterion(effect, _fitted(arm)),),
        main=False,
        paper=PAPYAN.key,
    )


def _hardly(none: str) -> Claim:
    effect = _since(NC1, none, f"NC1 without weight decay, {SINCE}", Rule(low=HARDLY))
    return Claim(
        "without weight decay hardly any collapse",
        "Without weight decay, the spread within classes stays nearly what it was at the last error.",
        (Criterion(effect, _fitted(none)),),
        main=False,
    )


def _ordered(config: Config) -> tuple[Claim, ...]:
    """Return the claim that more weight decay collapses more, where there are two positive ones to compare."""
    arms = tuple(arm_of(value) for value in sorted(config.weight_decays))
    if len(arms) < 3:
        return ()

    def worst(run_data: RunData) -> PerSeed:
        found = [since_fit(run_data, NC1, arm) for arm in arms]
        seeds = set.intersection(*(set(one) for one in found))
        return {seed: _largest([more[seed] / less[seed] for less, more in pairwise(found)]) for seed in sorted(seeds)}

    effect = Test(
        "NC1 (last over first) over that of the next smaller weight decay, largest",
        worst,
        Rule(high=1.0, strict=True),
        arms,
        geometric=True,
    )
    return (
        Claim(
            "the more weight decay, the more collapse",
            "Every larger weight decay leaves less of the spread within classes.",
            (Criterion(effect, _fitted(*arms)),),
            main=False,
        ),
    )


def _largest(values: Sequence[float]) -> float:
    """Return the largest value; NaN if any is: max would pass over those behind the first."""
    return math.nan if any(map(math.isnan, values)) else max(values)


def _gain(config: Config, spec: RunSpec, own: str) -> Claim:
    n_test = sizes(config, spec)[1]

    def gain(run_data: RunData) -> PerSeed:
        return difference(run_data, ACCURACY, own, fit_of(own))

    def beyond(run_data: RunData) -> PerSeed:
        mean = run_data.measure(ACCURACY, own)
        return {seed: value - 2 * math.sqrt(mean[seed] * (1 - mean[seed]) / n_test)
                for seed, value in gain(run_data).items()}  # fmt: skip

    return Claim(
        "training on after the last error helps on new data",
        "Test accuracy rises from the first epoch without a training error to the last.",
        (
            Criterion(Test(GAIN, gain, Rule(low=0.0, strict=True), (own,)), _fitted(own)),
            Criterion(
                Test("the same, less 2 standard errors of the test set", beyond, Rule(low=0.0, strict=True), (own,)),
                _fitted(own),
            ),
        ),
        main=False,
        paper=PAPYAN.key,
    )
