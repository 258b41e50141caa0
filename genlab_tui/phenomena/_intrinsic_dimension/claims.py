"""Intrinsic dimension: what is judged, and from which thresholds. Numbers are those of the mean over draws of P."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from genlab_tui.measures import mean
from genlab_tui.papers import LI_INTRINSIC
from genlab_tui.phenomena._intrinsic_dimension.config import (
    HARDER,
    INVARIANT,
    RANDOM,
    REACH,
    SHUFFLED,
    SMALL,
    SPAN,
    TRUE,
    Config,
    data_of,
    launched,
)
from genlab_tui.phenomena._intrinsic_dimension.numbers import (
    TEST,
    TRAIN,
    direct,
    fitted,
    local,
)
from genlab_tui.phenomena._intrinsic_dimension.side import side_claims
from genlab_tui.phenomena._intrinsic_dimension.sweeps import (
    by_test,
    by_training,
    largest_share,
    learns,
    ratio,
    ready,
    shares,
    spread,
    where,
)
from genlab_tui.phenomenon import Arm, Claim, Criterion, Rule
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return what is claimed of the networks that were launched."""
    nets = [arm for arm in launched(config, spec) if arm.factors["kind"] == "network"]
    nets.sort(key=lambda arm: float(arm.factors["D"]))
    found: list[Claim] = []
    if nets:
        found.append(_small(config, spec, nets))
    if len(nets) > 1:
        found.append(_invariant(config, spec, nets))
    return (*found, _harder(config), *side_claims(config, spec, nets))


def _small(config: Config, spec: RunSpec, nets: Sequence[Arm]) -> Claim:
    larger = tuple(nets[1:] or nets)
    names = tuple(arm.name for arm in larger)
    chance = 1 / data_of(spec).classes

    def condition(data: RunData) -> float:
        return sum(learns(data, chance, arm) and local(data, config, arm).reached for arm in names) / len(names)

    effect = shares(
        largest_share(nets),
        [(by_test(config, arm.name), float(arm.factors["D"])) for arm in larger],
        names,
        f"The least d of which the mean over draws reaches {100 * REACH:g} % of direct training's test accuracy.",
    )
    reference = next(float(arm.factors["D"]) for arm in launched(config, replace(spec, arms=())) if arm.name == RANDOM)
    control = shares(
        "d_int90 / D of random labels, by training accuracy",
        [(by_training(config, RANDOM), reference)],
        (RANDOM,),
        "Labels without a pattern must not be learnt in so few dimensions.",
    )
    control = where(
        lambda data: by_training(config, RANDOM)(data).known(SMALL * reference),
        control,
        "where the control's dimensions are too few or too many to tell",
    )
    precondition = ready("share of networks that learn, and reach 90 % at one of the d's", condition, TEST, names)
    return Claim(
        "the intrinsic dimension is small",
        "A random subspace of a few per cent of a network's dimensions is enough to train it to 90 % of its accuracy.",
        (Criterion(effect, precondition, control),),
        paper=LI_INTRINSIC.key,
    )


def _invariant(config: Config, spec: RunSpec, nets: Sequence[Arm]) -> Claim:
    names = tuple(arm.name for arm in nets)
    chance = 1 / data_of(spec).classes
    span = float(nets[-1].factors["D"]) / float(nets[0].factors["D"])

    def condition(data: RunData) -> float:
        inside = all(learns(data, chance, arm) and local(data, config, arm).inside for arm in names)
        return span / SPAN if inside else 0.0

    effect = spread(
        "largest d_int90 / smallest, over the networks",
        [by_test(config, arm) for arm in names],
        Rule(high=INVARIANT),
        names,
        f"Over networks whose numbers of parameters differ {span:.3g} times.",
    )
    control = spread(
        "the same over true and random labels, one network",
        [by_training(config, TRUE), by_training(config, RANDOM)],
        Rule(high=INVARIANT),
        (TRUE, RANDOM),
        "Where the task differs, the intrinsic dimension must differ: it is not blind.",
    )
    control = where(
        lambda data: fitted(data, config, TRUE).reached and not fitted(data, config, RANDOM).at_first,
        control,
        "where random labels reach 90 % at the first of their d's, or true ones at none",
    )
    precondition = ready(
        f"D range over {SPAN:g}, where every d_int90 lies inside the d's (0: one does not)", condition, TEST, names
    )
    return Claim(
        "it hardly depends on the size of the network",
        "Networks of very different size need subspaces of about one dimension for one task.",
        (Criterion(effect, precondition, control),),
        paper=LI_INTRINSIC.key,
    )


def _harder(config: Config) -> Claim:
    def condition(data: RunData) -> float:
        fits = mean(data.measure(TRAIN, direct(RANDOM))) >= REACH
        return (fits + fitted(data, config, TRUE).inside + (not fitted(data, config, RANDOM).at_first)) / 3

    effect = ratio(
        "d_int90 of random labels / of true ones",
        by_training(config, RANDOM),
        by_training(config, TRUE),
        Rule(low=HARDER),
        (RANDOM, TRUE),
        "By 90 % training accuracy; where random labels never reach it, the largest d counts: a lower bound.",
    )
    control = ratio(
        "the same of shuffled pixels",
        by_training(config, SHUFFLED),
        by_training(config, TRUE),
        Rule(low=HARDER),
        (SHUFFLED, TRUE),
        "One permutation of all pixels leaves as much to learn as there was.",
    )
    control = where(
        lambda data: fitted(data, config, SHUFFLED).known(HARDER * fitted(data, config, TRUE).bounded()),
        control,
        "where shuffled pixels reach 90 % at none of the d's, too few to tell",
    )
    precondition = ready(
        "share of: random labels fitted by direct training, not at the first of their d's already; d_int90 of true "
        "ones inside the d's",
        condition,
        TRAIN,
        (RANDOM, TRUE),
    )
    return Claim(
        "random labels have a large one",
        "The same network on the same images needs many times more dimensions to learn labels without a pattern.",
        (Criterion(effect, precondition, control),),
        paper=LI_INTRINSIC.key,
    )
