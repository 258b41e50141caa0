"""Speed by batch norm: what is judged, and from which thresholds."""

from __future__ import annotations

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


def _steps_ratio(run_data: RunData, config: Config, family: str) -> PerSeed:
    both = numbers.pairs(numbers.fewest(run_data, config, family), numbers.fewest(run_data, config, PLAIN))
    return {seed: mine / plain for seed, (mine, plain) in both.items()}


def _advantage(run_data: RunData, config: Config, family: str, base: str) -> PerSeed:
    both = numbers.pairs(numbers.usable_range(run_data, config, family), numbers.usable_range(run_data, config, base))
    return {seed: mine - plain for seed, (mine, plain) in both.items()}


def _lead(run_data: RunData, config: Config, family: str) -> PerSeed:
    both = numbers.pairs(
        numbers.worst(run_data, config, family + SMALL, RATES_OF_START), numbers.best(run_data, config, PLAIN + SMALL)
    )
    return {seed: mine - plain for seed, (mine, plain) in both.items()}


# --- tests ------------------------------------------------------------------------------------------------------------


def _speed(config: Config, family: str, name: str, statement: str = "") -> Test:
    return Test(
        name,
        partial(_steps_ratio, config=config, family=family),
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


def _both_get_there(config: Config, family: str) -> Test:
    def reached(run_data: RunData) -> PerSeed:
        both = numbers.pairs(numbers.fewest(run_data, config, family), numbers.fewest(run_data, config, PLAIN))
        return {seed: float(mine == mine and plain == plain) for seed, (mine, plain) in both.items()}

    return Test(
        f"both kinds of network reach {100 * config.target:g} % training accuracy at some learning rate",
        reached,
        Rule(low=1.0, every=True),
        arms_of(config, family, PLAIN),
    )


def _plain_is_usable(config: Config, base: str = PLAIN) -> Test:
    return Test(
        "test accuracy without batch norm at its best learning rate",
        lambda d: numbers.best(d, config, base),
        Rule(low=config.usable, every=True),
        arms_of(config, base),
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
                _speed(config, family, "steps with batch norm / without, each at its best learning rate"),
                _both_get_there(config, family),
                _speed(
                    config,
                    control,
                    _OF_CONTROL[control],
                    "The same parameters without the normalising (or the same network from another seed) must not do.",
                ),
                published="0.43 alone; 0.07 at 5 times the rate, with other changes too",
                published_source=SOURCE,
            ),
        ),
        paper="Ioffe & Szegedy 2015",
    )


def _wider(config: Config, family: str, base: str, *, control: str) -> Claim:
    usable = _plain_is_usable(config, base)
    words = _OF_CONTROL[control]
    return Claim(
        "more learning rates work with batch norm",
        f"The learning rates that end at {100 * config.usable:g} % test accuracy or more span at least half a decade "
        "more with batch norm, and more in every seed.",
        (
            Criterion(
                _decades(config, family, base, "decades of usable rates, with minus without", every=False),
                usable,
                _decades(config, control, base, words, every=False),
                published="30 times the rate still trains, and best (BN-x30)",
                published_source=SOURCE,
                unit="decades",
            ),
            Criterion(
                _decades(config, family, base, "the same, more than 0 in every seed", every=True),
                usable,
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
                _speed(config, AFTER, "steps with batch norm after / without, each at its best learning rate"),
                _both_get_there(config, AFTER),
            ),
            Criterion(
                _decades(config, AFTER, PLAIN, "decades of usable rates, after minus without", every=False),
                _plain_is_usable(config),
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
                _plain_is_usable(config, PLAIN + DECAY),
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
                Test(
                    "steps with batch norm / without, at the best learning rate without",
                    lambda d: numbers.at_the_others_best(d, config, BN, PLAIN),
                    Rule(high=FASTER),
                    arms_of(config, BN, PLAIN),
                ),
                _both_get_there(config, BN),
                published=ALONE,
                published_source=SOURCE,
            ),
        ),
        main=False,
        paper="Ioffe & Szegedy 2015",
    )
