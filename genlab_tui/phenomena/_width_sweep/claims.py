"""Width sweep: what is judged, and from which thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from genlab_tui.measures import at_least_seeds, together
from genlab_tui.papers import NEYSHABUR_EXPLORING, NEYSHABUR_OVER, NEYSHABUR_SEARCH
from genlab_tui.phenomena._width_sweep.config import (
    Config,
    at_level,
    data_of,
    label,
    levels,
    parameters,
    plan,
)
from genlab_tui.phenomena._width_sweep.ranges import drops, fitting, slopes, spans
from genlab_tui.phenomenon import Arm, Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

# Thresholds, fixed before any run that is judged by them.
DROP = 0.2  # fall of the test error from the first width that fits to the widest, as a share, in every seed
CONTROL_DROP = 0.1  # with random labels, in any seed: above this, the fall is not about what is learnt
SPAN = 4.0  # the widest network over the first one that fits: with less there is no range to speak of
WIDTHS_OF_SLOPE = 3  # that fit, at least
NEAR_CHANCE = 0.025  # how far from guessing the test error after random labels may be
SEEDS_ON_DIGITS = 5  # the digits' test set is small and its classes uneven: fewer seeds cannot tell chance

SOURCE = "Neyshabur, Tomioka & Srebro 2015 (MNIST, CIFAR-10; curves without numbers)"
QUOTED = {0.0: "keeps falling", 0.05: "keeps falling"}


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return, per level of noise, that wider is better (main), and what grows and what shrinks (side)."""
    arms = plan(config, spec)
    clean, control = at_level(arms, 0.0), at_level(arms, 1.0)
    own = {p: at_level(arms, p) for p in levels(config) if p < 1.0}
    return (
        *(_wider_is_better(p, which, control) for p, which in own.items()),
        _more_weights_than_samples(config.n or data_of(spec).train, own),
        *_units_move_less(clean),
        _capacity_by_units(clean),
        _noise_is_chance(spec, control),
        _norms_tell_noise(clean, control),
    )


def _names(arms: Sequence[Arm]) -> tuple[str, ...]:
    return tuple(arm.name for arm in arms)


def _wider_is_better(noise: float, arms: tuple[Arm, ...], control: tuple[Arm, ...]) -> Claim:
    def both(run_data: RunData) -> dict[int, float]:
        own, other = spans(run_data, arms), spans(run_data, control)
        return {seed: min(own[seed], other[seed]) for seed in own if seed in other}

    effect = Test(
        f"fall of test error with width, {label(noise)}",
        lambda d: drops(d, arms),
        Rule(low=DROP, every=True),
        _names(arms),
        statement="From the first width that fits its training labels to the widest, as a share.",
    )
    precondition = Test(
        "widest H over the first that fits, here and with random labels",
        both,
        Rule(low=SPAN, every=True),
        _names((*arms, *control)),
    )
    fires = Test(
        "largest such fall with random labels, in any seed",
        lambda d: drops(d, control),
        Rule(low=CONTROL_DROP),
        _names(control),
        lambda d: max((v for v in drops(d, control).values() if math.isfinite(v)), default=math.nan),
        statement="Where there is nothing to learn, width must change nothing.",
    )
    published = QUOTED.get(noise)
    return Claim(
        f"wider is better, {label(noise)}",
        "Among networks that all fit their training data, test error falls on as they grow wider.",
        (Criterion(effect, precondition, fires, published, SOURCE if published else ""),),
        paper=NEYSHABUR_SEARCH.key,
    )


def _more_weights_than_samples(n: int, own: dict[float, tuple[Arm, ...]]) -> Claim:
    def at_best(arms: tuple[Arm, ...], run_data: RunData) -> dict[int, float]:
        found = {}
        for seed, errors in together(run_data, "test_error", [arm.name for arm in arms]).items():
            finite = [(error, arm) for error, arm in zip(errors, arms, strict=True) if math.isfinite(error)]
            best = min(finite, key=lambda pair: pair[0], default=None)
            found[seed] = parameters(run_data.spec, best[1]) / n if best else math.nan
        return found

    return Claim(
        "the best network has more weights than samples",
        "Of all widths, those that fit and those that do not, the one with the least test error has more parameters "
        "than there are training samples.",
        tuple(
            Criterion(
                Test(
                    f"parameters per sample at the least test error, {label(p)}",
                    partial(at_best, arms),
                    Rule(low=1.0, strict=True),
                    _names(arms),
                )
            )
            for p, arms in own.items()
        ),
        main=False,
    )


def _slope(words: str, measure: str, arms: tuple[Arm, ...], rule: Rule) -> Criterion:
    """Return the criterion of a slope over the widths that fit, of which there must be enough."""
    enough = Test(
        "widths that fit",
        lambda d: {seed: float(len(fit)) for seed, fit in fitting(d, arms).items()},
        Rule(low=WIDTHS_OF_SLOPE, every=True),
        _names(arms),
    )
    effect = Test(f"slope of {words} over H, log-log", lambda d: slopes(d, measure, arms), rule, _names(arms))
    return Criterion(effect, enough)


def _units_move_less(clean: tuple[Arm, ...]) -> tuple[Claim, Claim]:
    unit = _slope("a unit's distance from its start", "unit_distance", clean, Rule(high=0.0, strict=True))
    layer = _slope("the hidden layer's distance from its start", "distance", clean, Rule(low=0.0, strict=True))
    return (
        Claim(
            "each unit moves less",
            "The more units there are, the closer each stays to where it began.",
            (unit,),
            main=False,
            paper=NEYSHABUR_OVER.key,
        ),
        Claim(
            "the layer as a whole moves further",
            "The distance of all hidden units together from their start grows with their number.",
            (layer,),
            main=False,
            paper=NEYSHABUR_OVER.key,
        ),
    )


def _capacity_by_units(clean: tuple[Arm, ...]) -> Claim:
    return Claim(
        "capacity by units falls, spectral capacity rises",
        "Counted unit by unit, distance from the start times outgoing weights over the margin, a network has less "
        "capacity the wider it is; counted by spectral norms, as by parameters, it has more.",
        (
            _slope("the capacity by units", "unit_capacity", clean, Rule(high=0.0, strict=True)),
            _slope("the spectral capacity", "spectral_capacity", clean, Rule(low=0.0, strict=True)),
        ),
        main=False,
        paper=NEYSHABUR_OVER.key,
    )


def _noise_is_chance(spec: RunSpec, control: tuple[Arm, ...]) -> Claim:
    def average(run_data: RunData) -> dict[int, float]:
        found = [run_data.measure("test_error", arm.name) for arm in control]
        seeds = set.intersection(*(set(one) for one in found))
        return {seed: math.fsum(one[seed] for one in found) / len(found) for seed in sorted(seeds)}

    effect = Test(
        "test error after random labels, mean over the widths",
        average,
        Rule(chance=1 - 1 / data_of(spec).classes, high=NEAR_CHANCE),
        _names(control),
    )
    enough = at_least_seeds(SEEDS_ON_DIGITS, "test_error", control[-1].name) if spec.data == "digits" else None
    return Claim(
        "random labels teach nothing at any width",
        "After random labels, networks of every width guess on clean test labels.",
        (Criterion(effect, enough),),
        main=False,
    )


def _norms_tell_noise(clean: tuple[Arm, ...], control: tuple[Arm, ...]) -> Claim:
    names = _names((*clean, *control))

    def excess(run_data: RunData) -> PerSeed:
        found = run_data.measure("frobenius_capacity", control[-1].name)
        base = run_data.measure("frobenius_capacity", clean[-1].name)
        return {seed: found[seed] / base[seed] for seed in found if seed in base}

    def both_fit(run_data: RunData) -> PerSeed:
        right, wrong = fitting(run_data, clean), fitting(run_data, control)
        return {s: float(clean[-1] in right[s] and control[-1] in wrong[s]) for s in right if s in wrong}

    both = Test("the widest fits clean and random labels", both_fit, Rule(low=1.0, every=True), names)
    effect = Test(
        "Frobenius capacity of the widest network, random labels / clean ones",
        excess,
        Rule(low=1.0, strict=True),
        names,
    )
    return Claim(
        "norms tell noise from data",
        "With as many parameters, a network that fits random labels has larger norms for its margin than one that "
        "fits true ones.",
        (Criterion(effect, both),),
        main=False,
        paper=NEYSHABUR_EXPLORING.key,
    )
