"""Speed by batch norm: what is judged, and from which thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from genlab_tui.measures import mean
from genlab_tui.phenomena._batch_norm_speed import numbers
from genlab_tui.phenomena._batch_norm_speed.config import (
    AFTER,
    AHEAD,
    BN,
    DECAY,
    FASTER,
    MLP,
    PLAIN,
    RATES_OF_START,
    SMALL,
    WIDER,
    Config,
    arms_of,
    control_of,
    families,
)
from genlab_tui.phenomenon import (
    Claim,
    Criterion,
    PerSeed,
    Rule,
    Test,
)
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

SOURCE = "Ioffe & Szegedy 2015, figure 3 (Inception, ImageNet, steps to 72.2 %)"
ALONE = 0.43
"""13.3 of 31.0 million steps: batch norm alone, at the learning rate of the network without."""


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: faster, wider, from a small start (main); placement, weight decay, one common rate (side)."""
    own = {family.name for family in families(config)}
    control = control_of(config)
    found = [
        _faster(config, BN, control=control),
        _wider(config, BN, PLAIN, control=control),
    ]
    if config.network == MLP:
        found.append(_from_small_start(config, BN, control=control))
    if AFTER in own:
        found.append(_after(config))
    if BN + DECAY in own:
        found.append(_with_decay(config))
    found.append(_at_one_rate(config))
    return tuple(found)


# --- numbers per seed -------------------------------------------------------------------------------------------------


def _advantage(run_data: RunData, config: Config, family: str, base: str) -> PerSeed:
    both = numbers.pairs(numbers.usable_range(run_data, config, family), numbers.usable_range(run_data, config, base))
    return {seed: mine - plain for seed, (mine, plain) in both.items()}


def _lead(run_data: RunData, config: Config, family: str) -> PerSeed:
    both = numbers.pairs(
        numbers.worst(run_data, config, family + SMALL, RATES_OF_START), numbers.best(run_data, config, PLAIN + SMALL)
    )
    return {seed: mine - plain for seed, (mine, plain) in both.items()}


# --- tests ------------------------------------------------------------------------------------------------------------


Steps = Callable[[RunData, Config, str, str], numbers.Pairs]


def _speed(config: Config, family: str, name: str, statement: str = "", of: Steps = numbers.at_their_best) -> Test:
    return Test(
        name,
        lambda d: numbers.ratios(d, config, of(d, config, family, PLAIN)),
        Rule(high=FASTER),
        arms_of(config, family, PLAIN),
        statement=statement,
    )


def _decades(config: Config, family: str, base: str, name: str, *, every: bool, statement: str = "") -> Test:
    """Return the test of the range: its mean over seeds is wide enough, or it is wider in every seed."""
    measure = partial(_advantage, config=config, family=family, base=base)
    needs = arms_of(config, family, base)
    if every:
        return Test(name, measure, Rule(low=0.0, strict=True, every=True), needs, statement=statement)
    return Test(name, measure, Rule(low=WIDER), needs, lambda d: mean(measure(d)), statement=statement)


def _start(config: Config, family: str, name: str, statement: str = "") -> Test:
    return Test(
        name,
        partial(_lead, config=config, family=family),
        Rule(low=AHEAD),
        arms_of(config, family + SMALL, PLAIN + SMALL),
        statement=statement,
    )


def _gets_there(config: Config, family: str, name: str, of: Steps = numbers.at_their_best) -> Test:
    """Return the test that a kind of network reaches the target in every seed, at some rate or at plain's best."""

    def reached(run_data: RunData) -> PerSeed:
        return {seed: float(math.isfinite(mine)) for seed, (mine, _) in of(run_data, config, family, PLAIN).items()}

    return Test(name, reached, Rule(low=1.0, every=True), arms_of(config, family, PLAIN))


def _plain_gets_there(config: Config) -> Test:
    words = f"without batch norm some learning rate leads to {100 * config.target:g} % training accuracy"
    return _gets_there(config, PLAIN, words)


def _plain_is_usable(config: Config) -> Test:
    return Test(
        "test accuracy without batch norm at its best learning rate",
        lambda d: numbers.best(d, config, PLAIN),
        Rule(low=config.usable, every=True),
        arms_of(config, PLAIN),
    )


def _range_is_known(config: Config, base: str) -> Test:
    """Return the precondition of a range: that of the network without batch norm is there, and not cut off."""

    def inside(run_data: RunData) -> PerSeed:
        rows = numbers.accuracies(run_data, config, base)
        return {seed: float(numbers.ends_inside(row, config.usable)) for seed, row in rows.items()}

    return Test(
        "without batch norm some learning rates are usable, the smallest and the largest of the grid are not",
        inside,
        Rule(low=1.0, every=True),
        arms_of(config, base),
    )


NEVER = "A network that never gets there counts with all steps of its training, a lower bound and no gain."
WIDTH = (
    "A range ends where the accuracy, drawn over the logarithm of the rate, crosses that line between two rates of the "
    "grid. One that reaches the end of the grid ends there, a lower bound; without batch norm none may."
)
_OF_CONTROL = {
    "scale": "the same with scale and shift alone, nothing normalised",
    "again": "the same with another seed's start instead of batch norm",
}


# --- claims -----------------------------------------------------------------------------------------------------------


def _faster(config: Config, family: str, *, control: str) -> Claim:
    return Claim(
        "fewer steps with batch norm",
        f"Each at its best learning rate, batch norm reaches {100 * config.target:g} % training accuracy in at most "
        "two thirds of the steps.",
        (
            Criterion(
                _speed(config, family, "steps with batch norm / without, each at its best learning rate", NEVER),
                _plain_gets_there(config),
                _speed(
                    config,
                    control,
                    _OF_CONTROL[control],
                    "The same parameters without the normalising (or the same network from another seed) must not do.",
                ),
                published="0.43 alone; 0.07 at 5 times the rate, with other changes too",
                published_source=SOURCE,
            ),
            Criterion(_gets_there(config, family, "the target is reached with batch norm"), _plain_gets_there(config)),
        ),
        paper="Ioffe & Szegedy 2015",
    )


def _wider(config: Config, family: str, base: str, *, control: str) -> Claim:
    known = _range_is_known(config, base)
    words = _OF_CONTROL[control]
    return Claim(
        "more learning rates work with batch norm",
        f"The learning rates that end at {100 * config.usable:g} % test accuracy or more span at least half a decade "
        "more with batch norm, and more in every seed.",
        (
            Criterion(
                _decades(
                    config, family, base, "decades of usable rates, with minus without", every=False, statement=WIDTH
                ),
                known,
                _decades(config, control, base, words, every=False),
                published="30 times the rate still trains, and best (BN-x30)",
                published_source=SOURCE,
                unit="decades",
            ),
            Criterion(
                _decades(config, family, base, "decades gained, more than 0 in every seed", every=True),
                known,
                unit="decades",
            ),
        ),
        paper="Ioffe & Szegedy 2015",
    )


def _from_small_start(config: Config, family: str, *, control: str) -> Claim:
    low, high = RATES_OF_START
    return Claim(
        "batch norm trains from a start that is too small",
        f"From weights of variance {config.small_gain:g} / inputs, the worst learning rate from {low:g} to {high:g} "
        "with batch norm is at least 30 points better than the best of all without.",
        (
            Criterion(
                _start(config, family, "small start: worst accuracy with batch norm minus best without"),
                _plain_is_usable(config),
                _start(config, control, _OF_CONTROL[control]),
            ),
        ),
        paper="Ioffe & Szegedy 2015",
    )


def _after(config: Config) -> Claim:
    return Claim(
        "after the activation it works too",
        "Batch norm behind the activation instead of before it, by the thresholds of the main claims; nothing "
        "published is compared with.",
        (
            Criterion(
                _speed(config, AFTER, "steps with batch norm after / without, each at its best learning rate", NEVER),
                _plain_gets_there(config),
            ),
            Criterion(
                _gets_there(config, AFTER, "the target is reached with batch norm after"), _plain_gets_there(config)
            ),
            Criterion(
                _decades(config, AFTER, PLAIN, "decades of usable rates, after minus without", every=False),
                _range_is_known(config, PLAIN),
                unit="decades",
            ),
            Criterion(
                _start(config, AFTER, "small start: worst accuracy with batch norm after minus best without"),
                _plain_is_usable(config),
            ),
        ),
        main=False,
    )


def _with_decay(config: Config) -> Claim:
    return Claim(
        "the wider range survives weight decay",
        f"The same range with weight decay {config.weight_decay:g} (decoupled, on weight matrices) in both networks.",
        (
            Criterion(
                _decades(config, BN + DECAY, PLAIN + DECAY, "decades of usable rates with weight decay", every=False),
                _range_is_known(config, PLAIN + DECAY),
                unit="decades",
            ),
        ),
        main=False,
    )


def _at_one_rate(config: Config) -> Claim:
    return Claim(
        "faster at the plain network's own learning rate",
        "The paper's first comparison: batch norm added, nothing else changed, at the rate that suits the network "
        "without.",
        (
            Criterion(
                _speed(
                    config,
                    BN,
                    "steps with batch norm / without, at the best learning rate without",
                    NEVER,
                    numbers.at_the_others_best,
                ),
                _plain_gets_there(config),
                published=ALONE,
                published_source=SOURCE,
            ),
            Criterion(
                _gets_there(config, BN, "the target is reached at that rate", numbers.at_the_others_best),
                _plain_gets_there(config),
            ),
        ),
        main=False,
        paper="Ioffe & Szegedy 2015",
    )
