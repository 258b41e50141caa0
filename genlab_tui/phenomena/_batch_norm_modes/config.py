"""Batch norm's modes: thresholds, fields, arms, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.models.mlp import parameter_count
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
LEARNT = 0.5  # test accuracy without which a network of the reference batch size says nothing
BROKEN = 0.30  # how far the smallest batch stays below the reference
SHIFTED = 1.5  # ratio of real to running variance, worst channel, with dropout before batch norm
UNSHIFTED = 1.1  # the same without
RESCUED = 0.5  # share of the smallest batch's loss that other statistics must undo
TOO_FEW = 0.10  # accuracy lost to too few steps alone
COSTS = 0.02  # accuracy lost to dropout before batch norm

TINY, REFERENCE = 2, 64
FALLING = (4, 8, 16, 64)
"""Batch sizes over which the gap between modes must fall; at 2 the network is too broken for both modes."""

BN, PLAIN = "bn", "plain"
AT_PLAIN_LR = "bn-plain-lr"
"""The kind of network with batch norm at the learning rate of those without: what they are fairly compared at."""

CLEAN, DROPPED, LAST = "clean", "dropout", "dropout-last"
SHIFT_ARMS = (CLEAN, DROPPED, LAST)
BATCH_MODE, RECOMPUTED, RATIO, WORST = "batch_mode_accuracy", "recomputed_accuracy", "variance_ratio", "worst_ratio"

STATISTICS_NOTE = "batches are normalised by their biased variance, running variances are unbiased, as in PyTorch"


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    batches: tuple[int, ...] = param(
        (2, 4, 8, 16, 64, 256),
        help="batch sizes; the claims read 2, 4, 8, 16 and 64",
        low=2,
        high=100_000,
        distinct=True,
    )
    steps: int = param(1500, help="steps of training, the same for every batch size", low=10, high=10_000_000)
    epochs: int = param(
        15,
        help="epochs of the arms that are trained equally long in epochs instead, where that is fewer steps (0: none)",
        low=0,
        high=100_000,
        unit="epochs",
    )
    depth: int = param(
        5,
        help="hidden layers; with more than five, networks of batch 4 and such with dropout everywhere hardly learn",
        low=2,
        high=100,
    )
    width: int = param(64, help="units of every hidden layer", low=1, high=8192)
    lr: float = param(0.1, help="learning rate with batch norm, common to all batch sizes", low=1e-7, high=100.0)
    plain_lr: float = param(
        0.01, help="learning rate without batch norm: one at which so deep a network trains", low=1e-7, high=100.0
    )
    sgd_momentum: float = param(0.0, help="momentum of SGD", low=0.0, high=0.999)
    momentum: float = param(0.1, help="momentum of the running statistics: a new batch's weight", low=1e-4, high=1.0)
    shift_momentum: float = param(
        0.01,
        help="the same where running variances are compared with real ones: at 0.1 the noise of some twenty batches "
        "alone makes a ratio of 1.2 in the worst of hundreds of channels",
        low=1e-4,
        high=1.0,
    )
    shift_decay: float = param(
        1.0,
        help="factor on the learning rate after every epoch, where running variances are compared with real ones",
        low=0.1,
        high=1.0,
    )
    dropout: float = param(0.5, help="probability of dropping a unit, where dropout is on", low=0.01, high=0.95)
    partitions: int = param(10, help="random partitions of the test set into mini-batches", low=1, high=10_000)
    n: int = param(1200, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)


def data_of(spec: RunSpec) -> data.DataSet:
    return data.known(spec.data)


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return data_of(spec).at_most(config.n, config.test)


def batches_of(config: Config) -> list[int]:
    """Return the batch sizes, ascending."""
    return sorted(set(config.batches))


def epoch_steps(n: int, batch: int) -> int:
    """Return the steps of an epoch: a last batch of one joins the one before (batch norm needs two)."""
    whole, rest = divmod(n, batch)
    return max(whole + (rest > 1), 1)


def arm_of(kind: str, batch: int) -> str:
    """Return the name of an arm: `bn-4`, `plain-64`."""
    return f"{kind}-{batch}"


def short_arm(batch: int) -> str:
    """Return the arm of a batch size that trains equally long in epochs."""
    return f"{BN}-{batch}-epochs"


def fair_kind(config: Config) -> str:
    """Return the kind of networks with batch norm that train at the learning rate of those without."""
    return BN if config.lr == config.plain_lr else AT_PLAIN_LR


def layer_arm(arm: str, layer: int) -> str:
    """Return the arm that a batch-norm layer's ratio belongs to, from 1: `dropout@3`."""
    return f"{arm}@{layer}"


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: batch sizes with and without batch norm, equal epochs, and dropout. Raises BadValue.

    The smallest and the reference size also train with batch norm at the learning rate of the networks without.
    """
    n, test = sizes(config, spec)
    for batch in (*config.batches, REFERENCE):
        if batch > n:
            raise BadValue(f"batches = {batch} is more than the {n} training samples", f"nearest valid value: {n}")
    if test < max(FALLING):
        raise BadValue(
            f"test = {test} is less than a mini-batch of {max(FALLING)} test samples",
            f"bounds: {max(FALLING)} to {data_of(spec).test} (0: all); nearest valid value: {max(FALLING)}",
        )
    arms = [_arm(BN, arm_of(BN, b), f"batch norm, batch {b}", b, config.steps) for b in batches_of(config)]
    if config.lr != config.plain_lr:
        arms += [
            _arm(AT_PLAIN_LR, arm_of(AT_PLAIN_LR, b), f"batch norm, batch {b}, lr {config.plain_lr:g}", b, config.steps)
            for b in batches_of(config)
            if b in (TINY, REFERENCE)
        ]
    for b in batches_of(config):
        few = config.epochs * epoch_steps(n, b)
        if 0 < few < config.steps:
            arms.append(_arm("epochs", short_arm(b), f"batch {b}, {config.epochs} epochs ({few} steps)", b, few))
    arms += [
        _arm(PLAIN, arm_of(PLAIN, b), f"no batch norm, batch {b}", b, config.steps, control=True)
        for b in batches_of(config)
        if b in (TINY, *FALLING)
    ]
    titles = {
        CLEAN: "no dropout",
        DROPPED: f"dropout {config.dropout:g} before batch norm",
        LAST: f"dropout {config.dropout:g} after the last batch norm",
    }
    arms += [_arm(name, name, title, REFERENCE, config.steps, control=name == CLEAN) for name, title in titles.items()]
    return tuple(arms)


def _arm(kind: str, name: str, label: str, batch: int, steps: int, *, control: bool = False) -> Arm:
    return Arm(name, label, {"kind": kind, "batch": float(batch), "steps": float(steps)}, control=control)


@dataclass(frozen=True)
class Part:
    """Arms that train in one stage: of one batch size, with dropout or without."""

    name: str
    batch: int
    arms: tuple[Arm, ...]


def parts(arms: Iterable[Arm]) -> list[Part]:
    """Return the stages that arms are trained in, in the order of their first arms.

    Dropout has a stage of its own: its masks would be drawn for everybody who trains beside it.
    """
    found: dict[tuple[int, bool], list[Arm]] = {}
    for arm in arms:
        found.setdefault((int(arm.factors["batch"]), arm.name in (DROPPED, LAST)), []).append(arm)
    return [
        Part(f"batch {batch}{', dropout' if dropout else ''}", batch, tuple(own))
        for (batch, dropout), own in found.items()
    ]


# --- cost -------------------------------------------------------------------------------------------------------------

LAYER_SECONDS = {True: 9e-5, False: 3.2e-5}
"""What a step of a hidden layer costs beside its arithmetic, with batch norm and without: measured on one core."""

UNIT_SECONDS = {True: 4.5e-9, False: 2.3e-9}
"""What a unit costs more a sample than its products: measured on one core."""

DROPOUT_SECONDS = 1.2e-8
"""What dropout adds for a unit and a sample."""

ALONE = 2000
"""Samples a step of a whole stage, up to which one thread is faster than several that meet after every step."""


def seconds(config: Config, spec: RunSpec, part: Part, seeds: int) -> float:
    """Guess the seconds of a stage for so many seeds, without the start."""
    kind, found = cost.kind_of(spec.device), 0.0
    for norm in (True, False):
        own = [arm for arm in part.arms if (arm.factors["kind"] != PLAIN) == norm]
        if not own:
            continue
        steps = [float(arm.factors["steps"]) for arm in own]
        samples = sum(steps) * part.batch * seeds
        found += max(steps) * config.depth * LAYER_SECONDS[norm]
        if kind == "cpu":
            dropped = DROPOUT_SECONDS if any(arm.name in (DROPPED, LAST) for arm in own) else 0.0
            units = samples * config.depth * config.width * (UNIT_SECONDS[norm] + dropped)
            found += units / (2.0 if seeds * len(own) * part.batch > ALONE else 1.0)
        found += 6.6 * samples * _weights(config, spec) / cost.FLOPS_PER_SECOND[kind]
    return found


def _weights(config: Config, spec: RunSpec) -> float:
    known = data_of(spec)
    return parameter_count(known.features, (config.width,) * config.depth, known.classes)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    total = cost.START + sum(seconds(config, spec, part, spec.seeds) for part in parts(arms))
    each = seed_bytes(config, spec, arms)
    return Estimate(len(arms) * spec.seeds, total, each * min(spec.seeds, cost.at_once(each, spec.device)))


def seed_bytes(config: Config, spec: RunSpec, arms: Sequence[Arm]) -> float:
    """Return the memory of one seed: its samples, and of its largest stage weights, gradients and activations."""
    values = sum(sizes(config, spec)) * data_of(spec).features
    units = config.depth * config.width
    stages = [len(part.arms) * (4 * _weights(config, spec) + 6.0 * part.batch * units) for part in parts(arms)]
    return 4.0 * (values + max(stages, default=0.0))
