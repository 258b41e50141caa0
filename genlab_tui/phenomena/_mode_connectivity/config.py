"""Mode connectivity: fields, arms, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.models import networks
from genlab_tui.models.mlp import parameter_count
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost
from genlab_tui.training.members import INITS

# Thresholds, fixed before any run that is judged by them. Barriers in points of error.
STABLE = 2.0  # a barrier up to which two networks are connected
APART = 4.0  # how much higher the barrier of independent networks is
UNSTABLE = 5.0  # a barrier from which copies count as not connected
TRAINED = 0.9  # training accuracy without which there is no mode to connect
DISTINCT = 0.05  # distance of two copies, of their norm, below which they were hardly two
REMOVED = 0.5  # share of the barrier that matching takes away: "much of it"
SAME = 0.2  # change of a network's error by a permutation of its units, in points: rounding

FIRST, AGAIN, OTHER = "first", "again", "independent"
MATCHED, SHUFFLED = "matched", "shuffled"
"""Derived arms: the independent network with its hidden units in another order."""

TEST, TRAIN, LOSS = "test_barrier", "train_barrier", "train_loss_barrier"
DISTANCE, CHANGED = "distance", "changed_by_permuting"
PATHS = ("test_error", "train_error", "test_loss", "train_loss")
"""Along a path: metrics of the name with `path_` before it."""

PERCEPTRON = "perceptron"
PARAMETERS = {"lenet": 4.5e4, "vgg-11": 9.2e6, "resnet-20": 2.7e5}


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    network: str = param(
        PERCEPTRON,
        help="perceptron, or a network by name (images); weight matching is for perceptrons",
        choices=(PERCEPTRON, *PARAMETERS),
    )
    hidden: tuple[int, ...] = param(
        (300, 100), help="hidden widths, first layer first", low=1, high=8192, only={"network": (PERCEPTRON,)}
    )
    forks: tuple[int, ...] = param(
        (0, 1, 10, 100),
        help="steps k that two copies have in common; 0, only the start, must be among them",
        low=0,
        high=100_000_000,
        unit="steps",
        distinct=True,
    )
    places: int = param(30, help="places on the line between two networks, ends included", low=3, high=1001)
    n: int = param(1200, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    epochs: int = param(40, help="epochs of training, common steps included", low=1, high=100_000)
    optimiser: str = param("adam", help="sgd has momentum 0.9", choices=("sgd", "adam"))
    lr: float = param(1.2e-3, help="learning rate at the start", low=1e-7, high=100.0)
    decay: float = param(1.0, help="factor on the learning rate after every epoch", low=0.1, high=1.0)
    drops: tuple[int, ...] = param(
        (0,), help="epochs after which the learning rate falls to a tenth (0: none)", low=0, high=100_000, distinct=True
    )
    batch: int = param(60, help="batch size", low=2, high=100_000)
    init: str = param("he-normal", help="initialiser of a perceptron", choices=INITS, only={"network": (PERCEPTRON,)})


def copy_of(fork: int) -> str:
    """Return the arm of the copy that parts from the first after so many steps."""
    return f"k-{fork}"


def forks_of(config: Config) -> list[int]:
    """Return the common steps, ascending."""
    return sorted(config.forks)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: a network, copies that part from it later and later, and the controls. Raises BadValue."""
    known = data.known(spec.data)
    if config.network != PERCEPTRON:
        networks.check(config.network, known.shape)
    if 0 not in config.forks:
        rest = " ".join(map(str, forks_of(config)))
        raise BadValue("forks lacks 0: the claim is about copies of one start", f"nearest valid value: 0 {rest}")
    n, _ = sizes(config, spec)
    last, steps = forks_of(config)[-1], steps_of(config, n)
    if last >= steps:
        raise BadValue(
            f"forks = {last}: training has {steps} steps, nothing would be left for the copies",
            f"nearest valid value: {steps - 1}",
        )
    copies = [
        Arm(copy_of(k), "parted at the start" if k == 0 else f"parted at step {k:,}", {"fork": float(k)})
        for k in forks_of(config)
    ]
    return (
        Arm(FIRST, "the network"),
        *copies,
        Arm(AGAIN, "a third copy", control=True),
        Arm(OTHER, "independent starts", control=True),
    )


def steps_of(config: Config, n: int) -> int:
    """Return the steps of a training."""
    whole, rest = divmod(n, config.batch)
    return config.epochs * (whole + (rest > 1 or not whole))


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return data.known(spec.data).at_most(config.n, config.test)


def _weights(config: Config, spec: RunSpec) -> float:
    if config.network != PERCEPTRON:
        return PARAMETERS[config.network]
    known = data.known(spec.data)
    return parameter_count(known.features, config.hidden, known.classes)


def seed_bytes(config: Config, spec: RunSpec, arms: int) -> float:
    """Return the memory of one seed: its inputs; weights, gradient, two moments and final weights of its arms."""
    features = data.known(spec.data).features
    return 4.0 * sum(sizes(config, spec)) * features + 20.0 * (arms + 2) * _weights(config, spec)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    n, test = sizes(config, spec)
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    epochs = [float(config.epochs)] * (len(arms) * spec.seeds)
    paths = len(arms) + 1  # beside the copies: the independent pair in three orders
    # What scoring costs, in epochs of training of one network: a forward pass is a third of a step.
    passes = spec.seeds * paths * config.places * (n + test) / (3 * n)
    if config.network == PERCEPTRON:
        size = _weights(config, spec)
        seconds = cost.seconds(size, n, config.batch, epochs, spec.device, spec.regularisers)
        seconds += passes * n * 6 * size / cost.FLOPS_PER_SECOND[cost.kind_of(spec.device)]
        seconds += spec.seeds * 1e-9 * sum(width**3 for width in config.hidden)
    else:
        work = networks.multiplications(config.network, data.known(spec.data).shape)
        seconds = cost.network_seconds(work, n, [*epochs, 1.5 * passes], spec.device)
    each = seed_bytes(config, spec, len(arms))
    return Estimate(len(epochs), math.ceil(seconds), each * min(spec.seeds, cost.at_once(each, spec.device)))
