"""Network size as capacity (Neyshabur, Tomioka, Srebro 2015): wider networks that all fit do not generalise worse.

Networks of one hidden layer of H units, all widths, levels of label noise and seeds as one population; every width is
an arm. What grows and what shrinks with H follows Neyshabur et al. (2017, 2019), degrees of freedom Gao & Jojic (2016).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.measures import at_least_seeds
from genlab_tui.papers import GAO_DEGREES, NEYSHABUR_EXPLORING, NEYSHABUR_OVER, NEYSHABUR_SEARCH
from genlab_tui.phenomena._width_sweep import drawn
from genlab_tui.phenomena._width_sweep.config import (
    CLEAN,
    Config,
    at_level,
    data_of,
    estimate,
    expected_epochs,
    kind_of,
    label,
    levels,
    parameters,
    plan,
    seed_bytes,
)
from genlab_tui.phenomena._width_sweep.ranges import drops, fitting, ranks, slopes, spans
from genlab_tui.phenomenon import Arm, Claim, Context, Criterion, Metric, PerSeed, Phenomenon, Preset, Rule, Test
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
DROP = 0.2  # fall of the test error from the first width that fits to the widest, as a share, in every seed
CONTROL_DROP = 0.1  # with random labels, in any seed: above this, the fall is not about what is learnt
SPAN = 4.0  # the widest network over the first one that fits: with less there is no range to speak of
UNIT_SLOPE = (-0.75, -0.25)  # of a unit's distance from its start over H, log-log: about -1/2
WIDTHS_OF_SLOPE = 3  # that fit, at least
NEAR_CHANCE = 0.025  # how far from guessing the test error after random labels may be
SEEDS_ON_DIGITS = 5  # the digits' test set is small and its classes uneven: fewer seeds cannot tell chance


# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train all widths, levels of noise and seeds: one stage a population that fits the memory."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    seeds = spec.seed_list
    size = cost.at_once(seed_bytes(config, spec, context.arms), context.device)
    groups = [seeds[i : i + size] for i in range(0, len(seeds), size)]
    for at, group in enumerate(groups):
        name = f"seeds {group[0]} to {group[-1]}" if len(group) > 1 else f"seed {group[0]}"
        yield from context.stage(name, partial(_train, config, context, arrays, group, name, at, len(groups)))


def _train(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all arms of some seeds and measure what they have become; return how many networks ended how."""
    from genlab_tui.training import capacity
    from genlab_tui.training.members import Recipe
    from genlab_tui.training.train import Share, train
    from genlab_tui.training.width_sweep import widths

    recipe = Recipe(
        optimiser=config.optimiser,
        lr=config.lr,
        momentum=config.momentum,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0 if config.stop_loss else 1.0,
        loss_target=config.stop_loss or -math.inf,
        init=config.init,
        regularisers=context.spec.regularisers,
    )
    members, samples = widths(
        arrays,
        context.arms,
        seeds,
        recipe,
        n=config.n or len(arrays.y_train),
        n_test=config.test,
        device=context.device,
    )
    expected = {arm.name: expected_epochs(config, context.spec, arm) for arm in context.arms}
    members = [replace(member, expected_epochs=expected[member.arm]) for member in members]
    share = Share(at / groups, 1 / groups)
    state = yield from train(members, samples, recipe, context, cohort=name, share=share)
    low = min((p for p in levels(config) if 0.0 < p < 1.0), default=0.0)
    place = {(member.arm, member.seed): i for i, member in enumerate(members)}
    perturbed = {
        i: place[twin, seed]
        for (arm, seed), i in place.items()
        if config.dof
        and low
        and (twin := arm.replace(f"{CLEAN}-", f"{kind_of(low)}-")) != arm
        and (twin, seed) in place
    }
    yield from capacity.report(state, f"size, {name}", perturbed, context.poll)
    ends = [outcome.end for outcome in state.outcomes.values()]
    return {end: ends.count(end) for end in dict.fromkeys(ends)}


# --- figures ----------------------------------------------------------------------------------------------------------


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return errors, norms, capacities, margin, degrees of freedom and epochs over H, also of data still coming."""
    return drawn.figures(run_data, PHENOMENON.config_of(run_data.spec))


# --- claims -----------------------------------------------------------------------------------------------------------

SOURCE = "Neyshabur, Tomioka & Srebro 2015 (MNIST, CIFAR-10; curves without numbers)"
QUOTED = {0.0: "keeps falling", 0.05: "keeps falling"}


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return, per level of noise, that wider is better (main), and what grows and what shrinks (side)."""
    arms = plan(config, spec)
    clean, control = at_level(arms, 0.0), at_level(arms, 1.0)
    own = {p: at_level(arms, p) for p in levels(config) if p < 1.0}
    return (
        *(_wider_is_better(p, which, control) for p, which in own.items()),
        _interpolating_range(spec, {**own, 1.0: control}),
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


def _interpolating_range(spec: RunSpec, own: dict[float, tuple[Arm, ...]]) -> Claim:
    n = spec.config.get("n") or data_of(spec).train
    assert isinstance(n, int)

    def weights(arms: tuple[Arm, ...], run_data: RunData) -> dict[int, float]:
        return {
            seed: parameters(run_data.spec, fit[0]) / n if fit else math.nan
            for seed, fit in fitting(run_data, arms).items()
        }

    criteria = []
    for p, arms in own.items():
        widest = parameters(spec, arms[-1]) / n
        first = Test(
            f"parameters per sample at the first width that fits, {label(p)}",
            partial(weights, arms),
            Rule(low=0.0, strict=True),
            _names(arms),
            statement=f"The range goes on to {widest:.3g} parameters per sample.",
        )
        rank = Test(
            f"rank correlation of H and test error in that range, {label(p)}",
            partial(_ranks_of, arms),
            Rule(low=-1.0, high=1.0),
            _names(arms),
            statement="Reported, not judged: neighbouring widths differ by less than seeds do.",
        )
        criteria += [Criterion(first), Criterion(rank)]
    return Claim(
        "where networks fit",
        "The widths that are compared, counted in parameters, and how steadily test error falls there; nothing is "
        "asked of these numbers.",
        tuple(criteria),
        main=False,
    )


def _ranks_of(arms: tuple[Arm, ...], run_data: RunData) -> dict[int, float]:
    return ranks(run_data, arms)


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
    low, high = UNIT_SLOPE
    unit = _slope("a unit's distance from its start", "unit_distance", clean, Rule(low=low, high=high))
    layer = _slope("the hidden layer's distance from its start", "distance", clean, Rule(low=0.0, strict=True))
    return (
        Claim(
            "each unit moves less",
            "The more units there are, the closer each stays to where it began: about as 1 / sqrt(H).",
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


# --- declaration ------------------------------------------------------------------------------------------------------

POWERS = tuple(2**k for k in range(2, 14))  # 4 to 8192

PHENOMENON = Phenomenon(
    name="width-sweep",
    title="Network size is not capacity",
    group="Size",
    question="Does a network that already fits its data get worse when it is made wider?",
    explanation=(
        "Make a network of one hidden layer wider and wider. At some width it fits every training label, and from "
        "there on, the textbook says, each further unit only adds room to overfit. The surprise of Neyshabur, Tomioka "
        "and Srebro: test error goes on falling, with ten times as many parameters as samples, even when part of the "
        "labels is wrong and the network has learnt those by heart. So the number of parameters is not what limits "
        "it. Read the first figure from the vertical lines on: right of its line, every network of that noise fits "
        "its training data. With 20 % noise the curve first climbs towards that line and then falls: double descent "
        "over the width. What may limit a network instead is in the figures of norms: the more units there are, the "
        "less each one moves from where it began, and a capacity counted unit by unit can shrink while the count of "
        "parameters grows. The control: after purely random labels there is nothing to get better at, and test error "
        "must stay at guessing at every width. Degrees of freedom ask how much of a wrong label a network takes up; "
        "they cannot exceed what the data offer, however many parameters there are. Biases are left out of norms."
    ),
    papers=(NEYSHABUR_SEARCH, NEYSHABUR_OVER, NEYSHABUR_EXPLORING, GAO_DEGREES),
    config=Config,
    presets={
        "quick": Preset(seeds=5, data="digits", note="nine widths, four kinds of labels, 1,000 samples, all at once"),
        "standard": Preset(
            {"n": 4000, "widths": POWERS[:11]},
            seeds=5,
            data="fashion-mnist",
            note="4,000 images, out to 4,096 units: 800 times as many parameters as samples",
        ),
        "hard-data": Preset(
            seeds=5,
            data="mnist1d",
            note="the counter-example: on this harder set, networks with label noise do not get better with width",
        ),
        "paper": Preset(
            {
                "n": 0,
                "widths": POWERS[:11],
                "noise": (0.05,),
                "optimiser": "sgd",
                "lr": 0.01,
                "batch": 100,
            },
            seeds=3,
            data="mnist",
            note=(
                "Neyshabur, Tomioka & Srebro 2015: one hidden layer, all of MNIST, clean labels and 5 % noise. "
                "Unverified: widths 4 to 4,096, SGD with momentum 0.9 and batches of 100, training to near-zero error, "
                "all of MNIST also with noise (the paper may have used less); the paper tunes the step size on a "
                "grid, here it is 0.01 for all. It prints curves, no numbers"
            ),
            gpu="about 10 minutes and 2 GB",
        ),
        "neyshabur-2018": Preset(
            {
                "n": 0,
                "widths": POWERS[1:],
                "noise": (0.0,),
                "optimiser": "sgd",
                "lr": 1e-3,
                "momentum": 0.9,
                "batch": 64,
                "epochs": 1000,
                "stop_loss": 0.01,
                "init": "torch",
                "dof": False,
            },
            seeds=3,
            data="cifar10",
            note=(
                "Neyshabur et al. 2019 as in their released code: SGD 0.001 with momentum 0.9, batches of 64, until "
                "the training loss is 0.01, 1,000 epochs at most, torch's initial weights. Unverified: the widths. "
                "Not done here: the code's random crops and flips, and its scaling of images to 32x32"
            ),
            gpu="about 2 hours and 8 GB",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn"),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("train_loss", "training loss", log=True, higher_is_better=False, unit="nats"),
        Metric("train_accuracy", "training accuracy"),
        Metric("test_loss", "test loss", log=True, higher_is_better=False, unit="nats"),
        Metric("test_accuracy", "test accuracy"),
    ),
    # Behind batch norm the scale of a hidden layer has no effect: norms would say nothing.
    regularisers=tuple(r.name for r in REGULARISERS if r.name != "batch-norm"),
    headline=tuple(f"fall of test error with width, {label(p)}" for p in (0.0, 0.05, 0.2)),
)
