"""The loss landscape: fields, arms, and what they cost."""

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

# Thresholds, fixed before any run that is judged by them.
MATCHED = 0.05  # training loss that both networks must have reached, or their slices are not comparable
# Larger over smaller training loss of a seed's two networks, at most: the same loss but for an epoch, as networks are
# looked at once an epoch. Fixed after a review, when the worst of the stored runs was 1.30.
SAME = 1.5
WIDER = 2.0  # median radius with shortcuts over without
ALIKE = 1.8  # that ratio of two seeds of one network, above which seeds alone would explain it
BASINS = 3.0  # area of the basin with shortcuts over without
MINIMA = 3.0  # strict minima inside the basin that make a slice look chaotic
SLICES = 0.5  # of the slices that must look so
NON_CONVEX = 0.1  # of the cells inside the basin, with a negative curvature
LOW_DIMENSIONAL = 0.4  # of the trajectory's variance in its two principal directions
RANDOM = 0.1  # of it in two random directions, at most

SKIP, PLAIN = "skip", "plain"
PERCEPTRON, RESNET = "perceptron", "resnet"
OF_PERCEPTRONS = {"model": (PERCEPTRON,)}
OF_RESNETS = {"model": (RESNET,)}

NEAR = 2.0
"""How far the near slices reach, in median radii of their own network."""
SNAPSHOTS = 64
"""Snapshots of a trajectory at most: with more, every second one is dropped."""
GROUP = 16
"""Seeds that train together at most: their snapshots are part of a checkpoint."""
POINTS = 640
"""Evaluations that the radii of 20 directions take, about."""
TYPICAL_EPOCHS = 60
"""Epochs that a perceptron takes to the loss, about: for the estimate."""
STEP_SPEED, POINT_SPEED = 2e10, 5e10
"""Operations a second of two cores in training and in slices: measured, rough."""


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set and seeds."""

    model: str = param(
        PERCEPTRON,
        help="perceptron: a deep narrow one; resnet: the paper's networks, images, made for a GPU",
        choices=(PERCEPTRON, RESNET),
    )
    depth: int = param(20, help="hidden layers of a perceptron; layers of a ResNet (6n + 2)", low=2, high=1202)
    width: int = param(32, help="units of a hidden layer", low=2, high=1024, only=OF_PERCEPTRONS)
    n: int = param(1200, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    lr: float = param(5e-4, help="learning rate: Adam's of a perceptron, SGD's of a ResNet", low=1e-7, high=10.0)
    lr_plain: float = param(0.01, help="learning rate without shortcuts", low=1e-7, high=10.0, only=OF_RESNETS)
    decay: float = param(1.0, help="factor on the learning rate an epoch", low=0.1, high=1.0, only=OF_RESNETS)
    weight_decay: float = param(5e-4, help="L2 in the loss, on weight matrices", low=0.0, high=10.0, only=OF_RESNETS)
    batch: int = param(100, help="batch size", low=2, high=100_000)
    epochs: int = param(600, help="epochs at most", low=1, high=100_000)
    stop: bool = param(True, help=f"stop at a training loss of {MATCHED:g}: slices compare at matched loss alone")
    samples: int = param(500, help="training samples that slices are taken on (0: all)", low=0, high=1_000_000)
    directions: int = param(20, help="random directions whose radius is measured, each to both sides", low=2, high=1000)
    pairs: int = param(3, help="pairs of random directions that span the slices", low=1, high=100)
    grid: int = param(21, help="points of a slice on a side: odd, the network is in the middle", low=5, high=501)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: with and without shortcuts. Raises BadValue."""
    known = data.known(spec.data)
    if config.grid % 2 == 0:
        raise BadValue(
            f"grid = {config.grid} is even, so that no point of a slice is the network itself",
            f"nearest valid value: {config.grid + 1}",
        )
    n = sizes(config, spec)[0]
    if config.batch > n:
        raise BadValue(f"batch = {config.batch} is more than the {n} training samples", f"nearest valid value: {n}")
    if config.model == RESNET:
        for arm in (SKIP, PLAIN):
            networks.check(network_of(config, arm), known.shape)
    depth = float(config.depth)
    return (
        Arm(SKIP, "with shortcuts", {"shortcuts": 1.0, "depth": depth}),
        Arm(PLAIN, "without shortcuts", {"shortcuts": 0.0, "depth": depth}),
    )


def network_of(config: Config, arm: str) -> str:
    """Return the name of an arm's ResNet."""
    return f"cifar-resnet{'-plain' if arm == PLAIN else ''}:{config.depth}"


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return data.known(spec.data).at_most(config.n, config.test)


def sliced(config: Config, spec: RunSpec) -> int:
    """Return how many training samples slices are taken on."""
    n = sizes(config, spec)[0]
    return min(config.samples or n, n)


def points(config: Config) -> float:
    """Return how many networks are evaluated for one that was trained, about."""
    planes = 2 * config.pairs + (config.model == PERCEPTRON)
    return planes * config.grid**2 + POINTS * config.directions / 20


def perceptron(config: Config, spec: RunSpec) -> tuple[int, ...]:
    """Return inputs, hidden widths and outputs of a perceptron."""
    known = data.known(spec.data)
    return (known.features, *[config.width] * config.depth, known.classes)


def shares(config: Config, spec: RunSpec) -> tuple[float, float]:
    """Return seconds to train one network and to slice it, about."""
    n = sizes(config, spec)[0]
    if config.model == RESNET:
        work = networks.multiplications(network_of(config, SKIP), data.known(spec.data).shape)
        speed = cost.CONVOLVED[cost.kind_of(spec.device)]
        return 6 * work * n * config.epochs / speed, 2 * work * sliced(config, spec) * points(config) / speed
    work = _parameters(config, spec)
    epochs = min(config.epochs, TYPICAL_EPOCHS) if config.stop else config.epochs
    train = 8.0 * work * n * epochs / STEP_SPEED
    return train, 2.0 * work * sliced(config, spec) * points(config) / POINT_SPEED


def groups(config: Config, spec: RunSpec, arms: int) -> list[tuple[str, tuple[int, ...]]]:
    """Return the seeds that are trained in one stage, under its name; ResNets one by one."""
    if config.model == RESNET:
        return [(f"seed {seed}", (seed,)) for seed in spec.seed_list]
    each = max(seed_bytes(config, spec, arms), cost.BUDGET[cost.kind_of(spec.device)] / GROUP)
    return cost.groups(spec.seed_list, each, spec.device)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    members = len(arms) * spec.seeds
    each = seed_bytes(config, spec, len(arms))
    if config.model == PERCEPTRON:
        at_once = min(spec.seeds, GROUP, cost.at_once(each, spec.device))
        calls = 1.2e-4 * config.depth * math.ceil(sizes(config, spec)[0] / config.batch) * TYPICAL_EPOCHS
        calls *= len(arms) * math.ceil(spec.seeds / 8) / 2
    else:
        at_once, calls = 1, 0.0
    return Estimate(members, cost.START + members * sum(shares(config, spec)) + calls, each * at_once)


def _parameters(config: Config, spec: RunSpec) -> float:
    if config.model == RESNET:
        return 1.6e4 * config.depth
    known = data.known(spec.data)
    return float(parameter_count(known.features, (config.width,) * config.depth, known.classes))


def seed_bytes(config: Config, spec: RunSpec, arms: int) -> float:
    """Return the memory of one seed: its samples; weights, Adam's state and snapshots of its arms."""
    samples = 4.0 * sum(sizes(config, spec)) * data.known(spec.data).features
    held = SNAPSHOTS + 8 if config.model == PERCEPTRON else 8
    # Activations of a step and of a look at all training samples.
    active = 8.0 * config.width * config.depth * (config.batch + sizes(config, spec)[0] / 4)
    return samples + arms * (4.0 * held * _parameters(config, spec) + active)
