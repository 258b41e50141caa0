"""Ensembles over the width (Geiger et al. 2020): how much of the peak is chance of the initial weights."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, Reference
from genlab_tui.measures import at_least_seeds, mean, over_factor
from genlab_tui.peaks import Profile, first_below, in_standard_errors, largest_rise, profile
from genlab_tui.phenomena._double_descent import networks
from genlab_tui.phenomena._double_descent.config import BASE, PERCEPTRON, Config, check_fits, chosen, known, of_kind
from genlab_tui.phenomena._double_descent.epochs import LEG, SEEDS
from genlab_tui.phenomena._double_descent.network_claims import NEAR, RISE, RISE_NEAR, spans
from genlab_tui.phenomenon import Arm, Claim, Context, Criterion, Estimate, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

if TYPE_CHECKING:
    from genlab_tui.training.members import Member

SINGLE, AVERAGE, COPIES = "single", "average", "copies"
KINDS = {SINGLE: "single networks", AVERAGE: "outputs averaged", COPIES: "copies of one averaged"}
TWO = 2  # copies that are trained: all copies of a network are the same, and so is their average


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return, per width, single networks, their average and the control: the average of copies. Raises BadValue."""
    check_fits(spec, "n", config.n)
    if config.network != PERCEPTRON:
        raise BadValue(f"the ensembles are of perceptrons, not of {config.network}", "set network = perceptron")
    if not config.noise:
        raise BadValue("ensembles need the peak that noisy labels make", "nearest valid value: noise = 0.2")
    widths = sorted(set(config.hidden))
    arms = tuple(
        Arm(
            f"{kind}-{h}",
            f"H {h} {KINDS[kind]}",
            {"noise": config.noise, "width": h, "fit": KINDS[kind]},
            control=kind == COPIES,
        )
        for kind in KINDS
        for h in widths
    )
    asked = set(spec.arms)
    for h in widths:
        if f"{AVERAGE}-{h}" in asked and f"{SINGLE}-{h}" not in asked:
            raise BadValue(f"{AVERAGE}-{h} is made of the networks of {SINGLE}-{h}", f"launch {SINGLE}-{h} as well")
    return arms


def _trained(config: Config, arms: Sequence[Arm]) -> list[tuple[Arm, int]]:
    """Return the arms that train networks, and how many each."""
    counts = {SINGLE: config.average, COPIES: TWO}
    return [(arm, counts[kind]) for kind in counts for arm in of_kind(arms, kind)]


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return the networks trained, seconds and memory."""
    trained = _trained(config, chosen(plan(config, spec), spec))
    size = _parameters(config, spec, [arm for arm, _ in trained])
    seconds = cost.seconds(
        int(size) * spec.seeds, config.n, config.batch, [config.epochs], spec.device, spec.regularisers
    )
    each = networks.seed_bytes(config, spec, config.n, size)
    held = BASE + each * min(spec.seeds, cost.at_once(each, spec.device))
    return Estimate(sum(count for _, count in trained) * spec.seeds, seconds, held)


def _parameters(config: Config, spec: RunSpec, arms: Sequence[Arm]) -> float:
    """Return the weights of one seed's networks together."""
    return sum(count * networks.parameters_of(config, spec, [arm]) for arm, count in _trained(config, arms))


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train the networks of all widths and seeds, then average their outputs."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    each = networks.seed_bytes(config, spec, config.n, _parameters(config, spec, context.arms))
    groups = networks.seed_groups(context, each)
    for at, (name, seeds) in enumerate(groups):
        yield from context.stage(name, partial(_train, config, context, arrays, seeds, name, at, len(groups)))


def _train(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, networks.Ends]:
    """Train the members of all ensembles as one population; measure them singly and averaged.

    The curves of an arm are those of its last network: its measures are of all of them.
    """
    from genlab_tui.training.ensemble import averaged, several
    from genlab_tui.training.train import Share, train

    recipe = networks.recipe_of(config, context.spec)
    trained = _trained(config, context.arms)
    firsts, samples = networks.draw(config, context, arrays, [arm for arm, _ in trained], seeds, recipe, config.n)
    counts = {arm.name: count for arm, count in trained}
    members: list[Member] = []
    groups_of: dict[tuple[str, int], range] = {}
    for first in firsts:
        kind = first.arm.split("-")[0]
        begin = len(members)
        members += several(first, counts[first.arm], copies=kind == COPIES)
        groups_of[first.arm, first.seed] = range(begin, len(members))
    state = yield from train(members, samples, recipe, context, cohort=name, share=Share(at / groups, 1 / groups))

    fits: dict[tuple[str, int], float | None] = {}
    errors: dict[tuple[str, int], float] = {}
    launched = {arm.name for arm in context.arms}
    for (arm, seed), which in groups_of.items():
        own = averaged(state, which)
        kind, _, width = arm.partition("-")
        errors[arm, seed] = own.single if kind == SINGLE else own.together
        fits[arm, seed] = fmean(state.outcomes[i].values["train_accuracy"] for i in which)
        if kind == SINGLE and f"{AVERAGE}-{width}" in launched:
            errors[f"{AVERAGE}-{width}", seed] = own.together
            fits[f"{AVERAGE}-{width}", seed] = None
    cohort = f"{name}, averaged"
    yield ev.Cohort(id=cohort, members=tuple(errors))
    yield ev.Measure(cohort=cohort, name="test_error", values=ev.to_values(errors.values()))
    yield ev.Measure(cohort=cohort, name="train_accuracy", values=ev.to_values(fits.values()))
    return state.ends


# --- figures ----------------------------------------------------------------------------------------------------------


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return the test error of single networks, of their average and of the control over the width."""
    single = of_kind(run_data.arms, SINGLE)
    words = f"training error ≤ {networks.FITS:.0%} from H = {{:g}} on"
    marks = networks.threshold_mark(run_data, single, "width", words)
    guessing = Reference(1 - 1 / known(run_data.spec).classes, "guessing")
    note = f"{config.average} networks of one split that differ in initial weights; mean over seeds, 1 sd"
    error, fit = partial(run_data.measure, "test_error"), partial(networks.train_error, run_data)
    lines = [over_factor(label, of_kind(run_data.arms, kind), "width", error) for kind, label in KINDS.items()]
    return (
        Figure("error", "Test error over the width", "hidden units H", "test error",
               tuple(line for found in lines for line in found), (*marks, guessing), log_x=True, note=note),
        Figure("fit", "Training error over the width", "hidden units H", "training error",
               over_factor(KINDS[SINGLE], single, "width", fit), marks, log_x=True, note=note),
    )  # fmt: skip


# --- claims -----------------------------------------------------------------------------------------------------------


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims that averaging shrinks the peak, and that it makes networks just beyond it the best."""
    arms = plan(config, spec)
    of = {kind: of_kind(arms, kind) for kind in KINDS}
    names = {kind: tuple(arm.name for arm in own) for kind, own in of.items()}

    def errors(run_data: RunData, kind: str) -> Profile:
        return profile(run_data, "test_error", of[kind], "width")

    def rises(run_data: RunData, kind: str) -> dict[int, float]:
        """How far the error rises from the first minimum to the peak of the single networks' mean."""
        _, low, peak = largest_rise(errors(run_data, SINGLE).mean)
        return {seed: row[peak] - row[low] for seed, row in errors(run_data, kind).per_seed.items()}

    def shrinks(run_data: RunData, kind: str = AVERAGE) -> dict[int, float]:
        """How much lower the peak stands over the first minimum than that of single networks."""
        single = rises(run_data, SINGLE)
        return {seed: single[seed] - own for seed, own in rises(run_data, kind).items() if seed in single}

    def peaks(run_data: RunData) -> float:
        return largest_rise(errors(run_data, SINGLE).mean)[0]

    def threshold(run_data: RunData) -> int | None:
        """The place of the first width that fits on the mean."""
        fit = profile(run_data, "train_accuracy", of[SINGLE], "width")
        return first_below([1 - value for value in fit.mean], networks.FITS)

    def offset(run_data: RunData) -> float:
        found, place = errors(run_data, SINGLE), threshold(run_data)
        if place is None or not found.mean:
            return math.nan
        ratio = found.x[largest_rise(found.mean)[2]] / found.x[place]
        return max(ratio, 1 / ratio)

    def beats(run_data: RunData) -> dict[int, float]:
        """How far the average of the first width that fits lies below the widest single network."""
        place, single = threshold(run_data), errors(run_data, SINGLE).per_seed
        if place is None:
            return {}
        average = errors(run_data, AVERAGE).per_seed
        return {seed: single[seed][-1] - row[place] for seed, row in average.items() if seed in single}

    def in_se(run_data: RunData) -> PerSeed:
        return in_standard_errors(shrinks(run_data))

    span = spans(of[SINGLE], "width")
    peaked = Test(
        "rise of the single networks' mean test error to its peak",
        partial(rises, kind=SINGLE),
        Rule(low=RISE),
        names[SINGLE],
        peaks,
    )
    both = (*names[SINGLE], *names[AVERAGE])
    shrunk = Test(
        "how much lower the peak is with outputs averaged",
        shrinks,
        Rule(low=RISE_NEAR),
        both,
        statement="Its height over the first minimum, both where the single networks have them on the mean.",
    )
    control = Test(
        "how much lower the peak is with copies averaged",
        partial(shrinks, kind=COPIES),
        Rule(low=RISE_NEAR),
        (*names[SINGLE], *names[COPIES]),
    )
    sure = Test("the same, in standard errors", in_se, Rule(low=LEG, strict=True), both, lambda d: mean(in_se(d)))
    place = Test(
        "place of the single networks' peak: factor from the first width that fits",
        partial(rises, kind=SINGLE),
        Rule(high=NEAR),
        names[SINGLE],
        offset,
    )
    better = Test(
        "test error of the widest single network minus that of the average of the first that fits",
        beats,
        Rule(low=0.0, strict=True),
        both,
    )
    return (
        Claim(
            "averaging shrinks the peak",
            "The peak is largely chance of the initial weights: where networks just fit, averaging the outputs of "
            "several takes much of it away.",
            (
                Criterion(shrunk, peaked, control),
                Criterion(sure, at_least_seeds(SEEDS, "test_error", names[SINGLE][0]), unit="standard errors"),
                Criterion(place, span, unit="times"),
            ),
            paper="Geiger et al. 2020",
        ),
        Claim(
            "averages just beyond the threshold beat the widest network",
            "Several networks that just fit, averaged, generalise better than one of the largest.",
            (Criterion(better, span),),
            main=False,
            paper="Geiger et al. 2020",
        ),
    )
