"""Speed by batch norm: fields, arms, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.models import networks
from genlab_tui.models.mlp import parameter_count
from genlab_tui.phenomenon import (
    Arm,
    Estimate,
    param,
)
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
FASTER = 0.67  # steps to the target with batch norm over those without, each at its best learning rate
WIDER = 0.5  # decades of usable learning rates with batch norm minus those without, mean over seeds
AHEAD = 0.30  # small start: the worst accuracy with batch norm minus the best without
RATES_OF_START = (0.01, 1.0)  # learning rates that the worst accuracy is the worst of

MLP = "mlp"
NETWORKS = ("small-inception", "vgg-11")
PARAMETERS = {"small-inception": 1.65e6, "vgg-11": 9.2e6}

FIT = "fit"
ACCURACY = "recomputed_accuracy"
NORM = "weight_norm"

PLAIN, BN, AFTER, SCALE, AGAIN = "plain", "bn", "bn-after", "scale", "again"
SMALL, DECAY = "-small", "-wd"

SLOWER = 1.7
"""How many times the arithmetic of wider networks these take, looks at steps to the target included: measured."""

PASS = 10_000
"""Training samples of a pass that sets batch norm's statistics, at most: `training.full_pass.SAMPLES`."""
GUESSING = 1.5
"""Times guessing: a target or a usable accuracy below is met by chance."""

DECAY_NOTE = "weight decay: decoupled (each step times 1 - lr * coefficient), on weight matrices, not on batch norm"


@dataclass(frozen=True)
class Family:
    """The arms of one kind of network, a learning rate each.

    `norm` is the place of batch norm (`Recipe.norm`; empty: none), `gain` the variance of a weight times its inputs,
    `decay` the weight decay; with `again`, initial weights and order of samples are of another seed. `within` are the
    learning rates that it trains at: those alone that its criterion reads.
    """

    name: str
    label: str
    norm: str = ""
    gain: float = 2.0
    decay: float = 0.0
    again: bool = False
    control: bool = False
    within: tuple[float, float] = (0.0, math.inf)

    def arm(self, lr: float) -> str:
        return f"{self.name}@{lr:g}"

    def rates(self, config: Config) -> tuple[float, ...]:
        """Return its learning rates, ascending."""
        return tuple(lr for lr in sorted(set(config.lrs)) if self.within[0] <= lr <= self.within[1])


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    network: str = param(
        MLP,
        help="perceptron, or a network by name: that one has its own start and its own place for batch norm",
        choices=(MLP, *NETWORKS),
    )
    depth: int = param(10, help="hidden layers", low=1, high=100, only={"network": (MLP,)})
    width: int = param(64, help="units of a hidden layer", low=2, high=4096, only={"network": (MLP,)})
    n: int = param(1200, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    epochs: int = param(15, help="epochs of training", low=1, high=100_000)
    batch: int = param(50, help="batch size", low=2, high=100_000)
    lrs: tuple[float, ...] = param(
        (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
        help="learning rates: every kind of network trains at each",
        low=1e-7,
        high=1000.0,
        distinct=True,
    )
    momentum: float = param(0.0, help="momentum of gradient descent", low=0.0, high=0.999)
    target: float = param(0.9, help="training accuracy that steps are counted to", low=0.01, high=1.0)
    usable: float = param(
        0.9, help="test accuracy at the end that makes a learning rate a usable one", low=0.01, high=1.0
    )
    gain: float = param(
        2.0,
        help="good start: variance of a weight times its inputs (2: He)",
        low=0.01,
        high=20,
        only={"network": (MLP,)},
    )
    small_gain: float = param(0.5, help="small start: the same", low=1e-4, high=20.0, only={"network": (MLP,)})
    after: bool = param(True, help="also batch norm after the activation", only={"network": (MLP,)})
    weight_decay: float = param(
        0.01,
        help="coefficient of the arms with weight decay (0: without them)",
        low=0.0,
        high=10.0,
        only={"network": (MLP,)},
    )
    running: float = param(
        0.1, help="momentum of batch norm's running statistics (criteria do not read them)", low=0.001, high=1.0
    )
    precision: str = param(
        "float32", help="products of networks by name", choices=("float32", "bf16"), only={"network": NETWORKS}
    )


def families(config: Config) -> tuple[Family, ...]:
    """Return the kinds of networks of a config, in the order of their arms."""
    if config.network != MLP:
        return (
            Family(PLAIN, "plain"),
            Family(BN, "batch norm", "before"),
            Family(AGAIN, "plain, another seed's start and order", again=True, control=True),
        )
    good, small, decay = config.gain, config.small_gain, config.weight_decay
    found = [
        Family(PLAIN, "plain", "", good),
        Family(BN, "batch norm", "before", good),
        Family(SCALE, "scale and shift alone", "scale", good, control=True),
        Family(PLAIN + SMALL, "plain, small start", "", small),
        Family(BN + SMALL, "batch norm, small start", "before", small, within=RATES_OF_START),
        Family(
            SCALE + SMALL, "scale and shift alone, small start", "scale", small, control=True, within=RATES_OF_START
        ),
    ]
    if config.after:
        found += [
            Family(AFTER, "batch norm after the activation", "after", good),
            Family(AFTER + SMALL, "batch norm after, small start", "after", small, within=RATES_OF_START),
        ]
    if decay:
        found += [
            Family(PLAIN + DECAY, f"plain, weight decay {decay:g}", "", good, decay),
            Family(BN + DECAY, f"batch norm, weight decay {decay:g}", "before", good, decay),
        ]
    return tuple(found)


def control_of(config: Config) -> str:
    """Return the family that the negative controls read."""
    return SCALE if config.network == MLP else AGAIN


def arms_of(config: Config, *names: str) -> tuple[str, ...]:
    """Return the arms of some families."""
    chosen = [family for family in families(config) if family.name in names]
    return tuple(family.arm(lr) for family in chosen for lr in family.rates(config))


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm per kind of network and learning rate. Raises BadValue."""
    lrs = sorted(set(config.lrs))
    if len(lrs) < 3:
        raise BadValue(f"lrs has {len(lrs)} learning rates: a range needs at least 3", "for example 0.01 0.1 1")
    if len({f"{lr:g}" for lr in lrs}) < len(lrs):
        raise BadValue("lrs has values that agree in six digits", "leave one of them out")
    if config.network != MLP:
        networks.check(config.network, data_of(spec).shape)
    else:
        low, high = RATES_OF_START
        if not any(low <= lr <= high for lr in lrs):
            raise BadValue(f"lrs has none from {low:g} to {high:g}: the small start is judged there", "add 0.1")
        if config.small_gain >= config.gain:
            raise BadValue(
                f"small_gain = {config.small_gain:g} is not below gain = {config.gain:g}",
                f"nearest valid value: {config.gain / 4:g}",
            )
    n, lowest = sizes(config, spec)[0], GUESSING / data_of(spec).classes
    if n < 2:
        raise BadValue(f"n = {n}: batch norm needs at least 2 training samples", "nearest valid value: 2")
    if config.batch > n:
        raise BadValue(f"batch = {config.batch} is more than the {n} training samples", f"nearest valid value: {n}")
    for name, value in (("target", config.target), ("usable", config.usable)):
        if value < lowest:
            raise BadValue(
                f"{name} = {value:g} is not from {lowest:g} to 1: guessing gets nearly there",
                f"nearest valid value: {lowest:g}",
            )
    return tuple(
        Arm(
            family.arm(lr),
            f"{family.label}, lr {lr:g}",
            {"lr": lr, "norm": family.norm or "none", "gain": family.gain, "decay": family.decay},
            control=family.control,
        )
        for family in families(config)
        for lr in family.rates(config)
    )


def statistics_note(config: Config, spec: RunSpec, *, looks: bool = False) -> str:
    """Return which statistics batch norm was scored with: at the end, or at the `looks` that steps are read off."""
    if looks and config.network != MLP:
        return "looks at networks by name use running statistics"
    n = sizes(config, spec)[0]
    over = "the training set" if n <= PASS else f"the first {PASS:,} training samples"
    batches = "" if config.network == MLP else ", the mean over its batches"
    return f"batch norm is scored with statistics of one full pass over {over}{batches}"


def data_of(spec: RunSpec) -> data.DataSet:
    return data.known(spec.data)


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return data_of(spec).at_most(config.n, config.test)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    (n, _), known = sizes(config, spec), data_of(spec)
    count = len([arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms])
    epochs = [float(config.epochs)] * count * spec.seeds
    if config.network == MLP:
        names = {*spec.regularisers, "batch-norm"}
        size = parameter_count(known.features, (config.width,) * config.depth, known.classes)
        # Narrow layers: a step is as much moving of activations as it is products.
        seconds = cost.START + SLOWER * (cost.seconds(size, n, config.batch, epochs, spec.device, names) - cost.START)
    else:
        work = networks.multiplications(config.network, known.shape)
        seconds = cost.network_seconds(work, n, epochs, spec.device, config.precision)
    each = seed_bytes(config, spec, count)
    return Estimate(len(epochs), seconds, each * min(spec.seeds, cost.at_once(each, spec.device)))


def seed_bytes(config: Config, spec: RunSpec, arms: int) -> float:
    """Return the memory of one seed: its inputs; weights, velocities, final weights and activations of its arms."""
    (n, test), known = sizes(config, spec), data_of(spec)
    inputs = 4.0 * (n + test) * known.features
    if config.network != MLP:
        return inputs + 4.0 * arms * PARAMETERS[config.network]
    size = parameter_count(known.features, (config.width,) * config.depth, known.classes)
    units = config.width * config.depth
    # The arms of a kind of network from the good start are looked at together, those with weight decay beside the rest.
    rows = len(set(config.lrs)) * (2 if config.weight_decay else 1)
    return inputs + 4.0 * arms * (3 * size + 5 * config.batch * units) + 4.0 * rows * 3 * min(n, PASS) * units
