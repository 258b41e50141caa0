"""Layer robustness: what is judged, and from which thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from genlab_tui.phenomena._layer_robustness.config import (
    CONTRAST,
    CRITICAL,
    DESTROYED,
    FINAL,
    HARMLESS,
    LARGEST,
    MOVED,
    OTHER,
    PREDICTS,
    RAND,
    ROBUST,
    START,
    TRAINED,
    Config,
    checkpoints_of,
    data_of,
)
from genlab_tui.phenomena._layer_robustness.numbers import drops, least_share, movements, over_seeds, worst_ratio
from genlab_tui.phenomenon import (
    Claim,
    Criterion,
    PerSeed,
    Rule,
    Test,
)
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import spearman

SOURCE = "Zhang, Bengio & Singer 2022, heat maps (MNIST, CIFAR-10)"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: fresh values destroy, initial ones do not (main), and what layers differ in (side)."""
    trained = Test(
        f"training accuracy at the end, {100 * TRAINED:g} % at least",
        lambda d: d.measure("train_accuracy", FINAL),
        Rule(low=TRAINED, every=True),
        (FINAL,),
    )
    last = checkpoints_of(config)[-1]
    return (
        _destroyed(trained, last, 1 / data_of(spec).classes),
        _harmless(trained),
        _heterogeneous(trained),
        _contrast(trained),
        _first_layer(trained),
        _movement(trained),
    )


def _destroyed(trained: Test, last: int, chance: float) -> Claim:
    effect = Test(
        "least drop with a layer drawn anew, of the gap to chance",
        lambda d: least_share(d, RAND, chance),
        Rule(low=DESTROYED),
        (FINAL,),
        statement="The layer whose fresh draws cost least still costs nearly all accuracy beyond guessing.",
    )
    control = Test(
        f"the same with layers as they were after epoch {last}",
        lambda d: least_share(d, str(last), chance),
        Rule(low=DESTROYED),
        (FINAL, f"epoch-{last}"),
        statement="A nearly finished layer of the same training must not destroy the network.",
    )
    return Claim(
        "any layer drawn anew destroys the network",
        "Fresh random values in any single layer take a trained network down to guessing.",
        (Criterion(effect, trained, control, published="to about chance", published_source=SOURCE),),
        paper="Zhang, Bengio & Singer 2022",
    )


def _harmless(trained: Test) -> Claim:
    effect = Test(
        "largest drop with a layer's initial values, of that with fresh ones",
        lambda d: worst_ratio(d, START),
        Rule(high=HARMLESS),
        (FINAL,),
        statement="In every layer, its own initial values cost a quarter at most of what a fresh draw costs.",
    )
    control = Test(
        "the same with another network's initial values",
        lambda d: worst_ratio(d, OTHER),
        Rule(high=HARMLESS),
        (FINAL,),
        statement="Drawn alike, but not what this network started from: such values must not be harmless.",
    )
    return Claim(
        "a layer put back to its start is nearly harmless",
        "Layers can be put back to the values they started from: the network has learnt around them.",
        (
            Criterion(
                effect, trained, control, published="about 0 for all but the first layers", published_source=SOURCE
            ),
        ),
        paper="Zhang, Bengio & Singer 2022",
    )


def _heterogeneous(trained: Test) -> Claim:
    def ends(run_data: RunData, pick: Callable[[Sequence[float]], float]) -> PerSeed:
        return {seed: pick(row) for seed, row in drops(run_data, START).items()}

    def largest(run_data: RunData) -> float:
        return max((s.mean for s in over_seeds(drops(run_data, START))), default=math.nan)

    def most_robust(run_data: RunData) -> float:
        found = over_seeds(drops(run_data, START))
        return min((s.mean / max(ROBUST, 2 * s.sd / math.sqrt(s.n)) for s in found if s.n > 1), default=math.nan)

    critical = Test(
        "largest mean drop with a layer's initial values",
        partial(ends, pick=max),
        Rule(low=CRITICAL),
        (FINAL,),
        largest,
    )
    robust = Test(
        "least mean drop over max(1 point, 2 standard errors)",
        lambda d: {seed: value / ROBUST for seed, value in ends(d, min).items()},
        Rule(high=1.0),
        (FINAL,),
        most_robust,
    )
    return Claim(
        "critical and robust layers side by side",
        "Put back to its start, at least one layer costs ten points or more, and at least one costs nothing.",
        (Criterion(critical, trained), Criterion(robust, trained)),
        main=False,
        paper="Zhang, Bengio & Singer 2022",
    )


def _contrast(trained: Test) -> Claim:
    def contrast(run_data: RunData) -> PerSeed:
        fresh = drops(run_data, RAND)
        return {
            seed: (math.fsum(fresh[seed]) - math.fsum(row)) / len(row)
            for seed, row in drops(run_data, START).items()
            if seed in fresh
        }

    effect = Test("mean drop, fresh values minus initial ones", contrast, Rule(low=CONTRAST), (FINAL,))
    return Claim(
        "fifty points between fresh and initial values",
        "On the mean over the layers, fresh values cost at least fifty points more than initial ones.",
        (Criterion(effect, trained),),
        main=False,
    )


def _first_layer(trained: Test) -> Claim:
    first = Test(
        "drop with the first layer's initial values",
        lambda d: {seed: row[0] for seed, row in drops(d, START).items()},
        Rule(low=CRITICAL),
        (FINAL,),
    )
    ahead = Test(
        "the same minus the largest drop of the other layers",
        lambda d: {seed: row[0] - max(row[1:]) for seed, row in drops(d, START).items() if len(row) > 1},
        Rule(low=0.0, strict=True),
        (FINAL,),
    )
    return Claim(
        "the first layer is the critical one",
        "What a network learns that it did not start with sits in its first layer above all.",
        (Criterion(first, trained), Criterion(ahead, trained)),
        main=False,
        paper="Zhang, Bengio & Singer 2022",
    )


def _movement(trained: Test) -> Claim:
    def rank(run_data: RunData, measure: str) -> PerSeed:
        moved = movements(run_data, measure)
        return {seed: spearman(moved[seed], row) for seed, row in drops(run_data, START).items() if seed in moved}

    tests = [
        Test(
            f"rank correlation of drop and {words}",
            partial(rank, measure=measure),
            Rule(high=PREDICTS, strict=True),
            (FINAL,),
        )
        for words, measure in (("relative movement", MOVED), ("largest change", LARGEST))
    ]
    return Claim(
        "movement does not predict what is critical",
        "How far a layer moved, in either norm, does not say how much putting it back costs.",
        tuple(Criterion(test, trained) for test in tests),
        main=False,
        paper="Zhang, Bengio & Singer 2022",
    )
