"""Intrinsic dimension: what is shown beside the main claims, never counted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from genlab_tui.measures import mean
from genlab_tui.papers import LI_INTRINSIC
from genlab_tui.phenomena._intrinsic_dimension.config import (
    LENET,
    RANDOM_PIXELS,
    SHUFFLED,
    SMALL_NETS,
    TRUE,
    UNCHANGED,
    Config,
    data_of,
    sizes,
)
from genlab_tui.phenomena._intrinsic_dimension.numbers import TEST, TRAIN, Sweep, crossing, overall, small_networks
from genlab_tui.phenomena._intrinsic_dimension.sweeps import (
    Sweeps,
    by_test,
    by_training,
    largest_share,
    ratio,
    ready,
    shares,
    within,
)
from genlab_tui.phenomenon import Arm, Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

PUBLISHED = {199_210: 750, 44_426: 290, 286_334: 600, 3_640_574: 2000, 193_370: 425}
"""d_int90 by the global baseline on MNIST, by D: FC, LeNet, untied LeNet, FC-LeNet, FC-tied LeNet."""

SOURCE = f"{LI_INTRINSIC.key}, MNIST"
GLOBALLY = "by the global baseline"
PAPERS = {"200-200": 199_210, LENET: 44_426}
"""The paper's own networks that can be written here, and their D on MNIST."""
NEAR = 2.0  # factor within which a number of the paper's own protocol counts as reproduced


def side_claims(config: Config, spec: RunSpec, nets: Sequence[Arm]) -> tuple[Claim, ...]:
    """Return the side claims; those about networks where some were launched, the smallest first."""
    own = (
        (_by_global(config, nets), _small_networks(config, spec, nets), *_published(config, spec, nets)) if nets else ()
    )
    return (_random_pixels(config), _shuffled(config), *own)


def _random_pixels(config: Config) -> Claim:
    effect = ratio(
        "d_int90 of random pixels / of true inputs",
        by_training(config, RANDOM_PIXELS),
        by_training(config, TRUE),
        Rule(low=UNCHANGED, strict=True),
        (RANDOM_PIXELS, TRUE),
    )
    precondition = within("d_int90 of true inputs inside the d's (1: yes)", [by_training(config, TRUE)], TRAIN, (TRUE,))
    return Claim(
        "random pixels have a larger one",
        "With a permutation of its own for every image, fitting the training set takes more dimensions.",
        (Criterion(effect, precondition),),
        main=False,
    )


def _shuffled(config: Config) -> Claim:
    lenet = config.control_net == LENET
    effect = ratio(
        "d_int90 of shuffled pixels / of true ones, by test accuracy",
        by_test(config, SHUFFLED),
        by_test(config, TRUE),
        Rule(low=UNCHANGED) if lenet else Rule(low=1 / UNCHANGED, high=UNCHANGED),
        (SHUFFLED, TRUE),
    )
    published = round(1400 / 290, 2) if lenet else 1.0
    both = [by_test(config, arm) for arm in (SHUFFLED, TRUE)]
    precondition = within("share of both whose d_int90 lies inside the d's", both, TEST, (SHUFFLED, TRUE))
    criterion = Criterion(
        effect,
        precondition,
        published=published,
        published_source=f"{SOURCE}, {'LeNet' if lenet else 'FC'}, {GLOBALLY}",
    )
    if lenet:
        return Claim(
            "shuffled pixels cost a convolutional network its advantage",
            "One permutation of all pixels takes away what makes the task easy for a network that knows neighbours.",
            (criterion,),
            main=False,
            paper=LI_INTRINSIC.key,
        )
    return Claim(
        "shuffled pixels change nothing for a perceptron",
        "A perceptron knows no neighbours: with one permutation of all pixels its intrinsic dimension stays.",
        (criterion,),
        main=False,
        paper=LI_INTRINSIC.key,
    )


def _by_global(config: Config, nets: Sequence[Arm]) -> Claim:
    larger = nets[1:] or nets
    names = [arm.name for arm in nets]

    def best(arm: str) -> Sweeps:
        return lambda data: overall(data, config, arm, names)

    def condition(data: RunData) -> float:
        return sum(best(arm.name)(data).reached for arm in larger) / len(larger)

    needs = tuple(names)
    effect = shares(
        largest_share(nets, f" {GLOBALLY}"),
        [(best(arm.name), float(arm.factors["D"])) for arm in larger],
        needs,
    )
    precondition = ready("share of networks that reach 90 % of the best one at one of the d's", condition, TEST, needs)
    return Claim(
        "small by the global baseline too",
        "Also where 90 % of the best network of all has to be reached.",
        (
            Criterion(
                effect,
                precondition,
                published=round(750 / 199_210, 4),
                published_source=f"{SOURCE}, 784-200-200-10, {GLOBALLY}",
            ),
        ),
        main=False,
        paper=LI_INTRINSIC.key,
    )


def _small_networks(config: Config, spec: RunSpec, nets: Sequence[Arm]) -> Claim:
    known, names = data_of(spec), [arm.name for arm in nets]

    def best(data: RunData) -> Sweep:
        return overall(data, config, names[-1], names)

    def needed(data: RunData, seeds: Sequence[int]) -> float:
        """Return the parameters of the small network that reaches what the subspaces have to; infinite: none does."""
        target = mean({s: best(data).targets.get(s, math.nan) for s in seeds})
        rows = small_networks(data, config, known.features, known.classes)
        values = [mean({s: row[s] for s in seeds if s in row}) for _, row in rows]
        return crossing([count for count, _ in rows], values, target)

    def bounded(data: RunData, seeds: Sequence[int]) -> float:
        """Return the same, or the parameters of the largest small network where none reaches it: a lower bound."""
        largest = small_networks(data, config, known.features, known.classes)[-1][0]
        return min(needed(data, seeds), float(largest))

    def per_seed(data: RunData) -> PerSeed:
        return {s: bounded(data, [s]) / d for s, d in best(data).per_seed().items()}

    def pooled(data: RunData) -> float:
        return bounded(data, data.seeds) / best(data).bounded()

    effect = Test(
        f"parameters that a small network needs / d_int90 of {names[-1]}",
        per_seed,
        Rule(low=1.0),
        (SMALL_NETS, *names),
        pooled,
        "Both to 90 % of the best network; a small network has one hidden layer of a few units, all of them trained.",
    )
    # A lower bound on what small networks need is enough to say that they need more; one on d_int90 is not.
    precondition = within("d_int90 of the large network inside the d's (1: yes)", [best], TEST, (names[-1],))
    return Claim(
        "a subspace of a large network matches a small network of as many parameters",
        "To reach the same accuracy, a small network trained directly takes at least as many parameters as a large one "
        "takes random dimensions.",
        (Criterion(effect, precondition),),
        main=False,
    )


def _published(config: Config, spec: RunSpec, nets: Sequence[Arm]) -> Iterator[Claim]:
    """Yield that the paper's own networks on its own data, all of them, need about what it reports."""
    names = [arm.name for arm in nets]
    if spec.data != "mnist" or sizes(config, spec)[0] < data_of(spec).train:
        return
    for arm in nets:
        if PAPERS.get(arm.name) != int(float(arm.factors["D"])):  # with batch norm, D is another
            continue
        reported = PUBLISHED[PAPERS[arm.name]]

        def own(data: RunData, name: str = arm.name) -> Sweep:
            return overall(data, config, name, names)

        effect = Test(
            f"d_int90 of {arm.name}",
            lambda data, own=own: own(data).per_seed(),  # type: ignore[misc]
            Rule(low=reported / NEAR, high=reported * NEAR),
            tuple(names),
            lambda data, own=own: own(data).bounded(),  # type: ignore[misc]
        )
        yield Claim(
            f"{arm.name} needs about as many dimensions as reported",
            f"Within a factor of {NEAR:g} of the paper.",
            (Criterion(effect, published=reported, published_source=f"{SOURCE}, {GLOBALLY}"),),
            main=False,
            paper=LI_INTRINSIC.key,
        )
