"""Training batch norm alone: fields, arms, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.models import networks
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
ABOVE_CHANCE = 0.30  # test accuracy of scales and shifts alone, beyond guessing
GROWS = 0.8  # rank correlation of accuracy and size
NEAR_ZERO = 0.01  # a scale of at most that size is switched off
SWITCHED_OFF = 0.25  # share of such scales: "about a quarter to a third" in the publication
BELOW_PUBLISHED = 0.05  # points below the published accuracy that a re-run may be (an independent one was 1 to 5)
LEARNT = 0.90  # training accuracy of full training, without which a network says nothing about its parts

MLP, RESNET = "mlp", "resnet"
DEPTH, WIDTH = "depth", "width"
SCALES, RANDOM, SECOND, FULL, LABELS, NOTHING = "scales", "random", "second", "full", "labels", "nothing"
TITLES = {
    SCALES: "scales and shifts alone",
    RANDOM: "as many random weights",
    SECOND: "another choice of random weights",
    FULL: "everything",
    LABELS: "scales and shifts, random labels",
    NOTHING: "nothing",
}
CONTROLS = (SECOND, LABELS, NOTHING)
STATISTICS_STEPS = 100  # steps in which the running statistics of a network that trains nothing settle

LAYER_SECONDS = 5e-4
"""What a step through one layer of a ResNet costs beside its arithmetic, on a CPU of two cores: measured, rough."""

BOUNDS = (1e-4, 1e-3, 3e-3, NEAR_ZERO, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Sizes of a scale at which the share of smaller ones is measured."""

PUBLISHED = {14: 0.48, 110: 0.695, 866: 0.82}
"""Test accuracy of ResNets with only scales and shifts trained, by depth: CIFAR-10, Frankle, Schwab & Morcos 2021."""
PUBLISHED_FULL = {14: 0.91, 110: 0.933, 866: 0.93}


def share_name(bound: float) -> str:
    """Return the measure of the share of scales below a size."""
    return f"scales_below_{bound:g}"


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    network: str = param(
        MLP,
        help="mlp: perceptrons, batch norm before every ReLU; resnet: ResNets of 16, 32 and 64 channels, for images",
        choices=(MLP, RESNET),
    )
    n: int = param(1200, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    axis: str = param(
        DEPTH,
        help="of perceptrons: the size that the main claims are about; the other one is a side claim's",
        choices=(DEPTH, WIDTH),
        only={"network": (MLP,)},
    )
    depths: tuple[int, ...] = param(
        (1, 2, 4, 8),
        help="hidden layers, of networks of one width",
        low=1,
        high=64,
        only={"network": (MLP,)},
        distinct=True,
    )
    width: int = param(64, help="that width", low=2, high=16_384, only={"network": (MLP,)})
    widths: tuple[int, ...] = param(
        (16, 32, 64, 128),
        help="units of a hidden layer, at one depth",
        low=2,
        high=16_384,
        only={"network": (MLP,)},
        distinct=True,
    )
    depth: int = param(2, help="that depth: hidden layers", low=1, high=64, only={"network": (MLP,)})
    layers: tuple[int, ...] = param(
        (8, 14, 20, 26),
        help="layers 6n + 2 of the ResNets",
        low=8,
        high=1202,
        only={"network": (RESNET,)},
        distinct=True,
    )
    optimiser: str = param("adam", help="sgd has a momentum of 0.9", choices=("adam", "sgd"))
    lr: float = param(0.01, help="learning rate", low=1e-7, high=100.0)
    lrs: tuple[float, ...] = param(
        (0.01, 0.03, 0.1),
        help="more learning rates for the largest network: scales and random weights are compared, each at the one "
        "with the lowest training loss",
        low=1e-7,
        high=100.0,
        distinct=True,
    )
    decay: float = param(1.0, help="of the learning rate, every epoch", low=0.5, high=1.0)
    batch: int = param(50, help="batch size", low=2, high=100_000)
    epochs: int = param(40, help="epochs of training", low=1, high=100_000)
    gamma: str = param("one", help="initial scales: all 1, or uniform from 0 to 1", choices=("one", "uniform"))
    momentum: float = param(0.1, help="of the running mean and variance", low=1e-4, high=1.0)


# --- sizes and arms ---------------------------------------------------------------------------------------------------


def axis_of(config: Config) -> str:
    """Return which size the main claims are about."""
    return DEPTH if config.network == RESNET else config.axis


def sizes(config: Config) -> list[tuple[int, int]]:
    """Return (depth, width) of the networks that the main claims are about, smallest first (of ResNets: width 16)."""
    if config.network == RESNET:
        return [(layers, 16) for layers in sorted(set(config.layers))]
    return _sweep(config, config.axis)


def others(config: Config) -> list[tuple[int, int]]:
    """Return those of the side claim: perceptrons that differ in the other size; none for ResNets."""
    return [] if config.network == RESNET else _sweep(config, WIDTH if config.axis == DEPTH else DEPTH)


def _sweep(config: Config, axis: str) -> list[tuple[int, int]]:
    if axis == DEPTH:
        return [(depth, config.width) for depth in sorted(set(config.depths))]
    return [(config.depth, width) for width in sorted(set(config.widths))]


def largest(config: Config) -> tuple[int, int]:
    return sizes(config)[-1]


def size_name(config: Config, size: tuple[int, int]) -> str:
    """Return a size as arms have it: `2x256` (layers x width), or the depth of a ResNet."""
    return str(size[0]) if config.network == RESNET else f"{size[0]}x{size[1]}"


def arm_of(config: Config, kind: str, size: tuple[int, int], lr: float | None = None) -> str:
    """Return the name of an arm: `scales-2x256`, `random-2x256-lr0.03`."""
    own = f"{kind}-{size_name(config, size)}"
    return own if lr is None or lr == config.lr else f"{own}-lr{lr:g}"


def rates(config: Config) -> list[float]:
    """Return the learning rates that are tried in the largest network."""
    return sorted({config.lr, *config.lrs})


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: what trains, by size; of the largest network also the controls. Raises BadValue."""
    known, main = data_of(spec), sizes(config)
    if config.network == RESNET:
        for depth, _ in main:
            networks.check(f"cifar-resnet:{depth}", known.shape)
    if len(main) < 2:
        what = "layers" if config.network == RESNET else f"{config.axis}s"
        raise BadValue(f"{what} = {main[0][what == 'widths']}: with one size nothing can grow", "give two or more")
    n = samples_of(config, spec)[0]
    if n < 2:
        raise BadValue(f"n = {n}: batch norm needs at least 2 training samples", "nearest valid value: 2")
    if config.batch > n:
        raise BadValue(f"batch = {config.batch} is more than the {n} training samples", f"nearest valid value: {n}")
    if len({f"{lr:g}" for lr in rates(config)}) < len(rates(config)):
        raise BadValue("two learning rates of lrs read the same", "leave one of them out")
    found = [_arm(config, kind, size) for size in main for kind in (SCALES, RANDOM, FULL, LABELS)]
    found += [_arm(config, kind, size) for size in others(config) for kind in (SCALES, RANDOM, FULL)]
    found += [_arm(config, kind, main[-1], lr) for kind in (SCALES, RANDOM, SECOND) for lr in rates(config)]
    found.append(_arm(config, NOTHING, main[-1]))
    return tuple({arm.name: arm for arm in found}.values())


def _arm(config: Config, kind: str, size: tuple[int, int], lr: float | None = None) -> Arm:
    depth, width = size
    lr = config.lr if lr is None else lr
    where = f"ResNet-{depth}" if config.network == RESNET else f"{depth}x{width}"
    label = f"{TITLES[kind]}, {where}" + ("" if lr == config.lr else f", learning rate {lr:g}")
    factors: dict[str, float | str] = {"trains": kind, "depth": depth, "width": width, "lr": lr}
    return Arm(arm_of(config, kind, size, lr), label, factors, control=kind in CONTROLS)


def of_kind(config: Config, kind: str, group: Sequence[tuple[int, int]]) -> tuple[Arm, ...]:
    """Return the arms of a kind at some sizes, at the common learning rate."""
    return tuple(_arm(config, kind, size) for size in group)


def data_of(spec: RunSpec) -> data.DataSet:
    return data.known(spec.data)


# --- cost -------------------------------------------------------------------------------------------------------------


def samples_of(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return data_of(spec).at_most(config.n, config.test)


def epochs_of(config: Config, spec: RunSpec, arm: Arm) -> float:
    """Return how many epochs an arm takes."""
    steps = math.ceil(samples_of(config, spec)[0] / config.batch)
    return min(float(config.epochs), STATISTICS_STEPS / steps) if arm.factors["trains"] == NOTHING else config.epochs


def _weights(config: Config, spec: RunSpec, size: tuple[int, int]) -> float:
    """Return the weights of a network's matrices and kernels."""
    depth, width = size
    known = data_of(spec)
    if config.network == RESNET:
        return 97_000.0 * (depth - 2) / 6  # a stage's blocks: 2 * 9 * (16^2 + 32^2 + 64^2)
    return float(sum(a * b for a, b in pairwise((known.features, *(width,) * depth, known.classes))))


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    n = samples_of(config, spec)[0]
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    seconds, steps = 0.0, math.ceil(n / config.batch)
    for arm in arms:
        epochs = epochs_of(config, spec, arm)
        if config.network == RESNET:
            work = networks.multiplications(f"cifar-resnet:{int(arm.factors['depth'])}", data_of(spec).shape)
            seconds += cost.network_seconds(work, n, [epochs] * spec.seeds, spec.device) - cost.START
            if cost.kind_of(spec.device) == "cpu":
                seconds += spec.seeds * epochs * steps * float(arm.factors["depth"]) * LAYER_SECONDS
        else:
            size = _weights(config, spec, _size(arm))
            each = cost.seconds(size, n, config.batch, [epochs] * spec.seeds, spec.device, ("batch-norm",))
            seconds += each - cost.START - epochs * steps * cost.STEP_SECONDS[cost.kind_of(spec.device)]
    if config.network == MLP:
        programs = len({_size(arm)[0] for arm in arms})
        seconds += programs * config.epochs * steps * cost.STEP_SECONDS[cost.kind_of(spec.device)]
    each_seed = seed_bytes(config, spec, arms)
    at_once = min(spec.seeds, cost.at_once(each_seed, spec.device))
    return Estimate(len(arms) * spec.seeds, cost.START + seconds, each_seed * at_once)


def _size(arm: Arm) -> tuple[int, int]:
    return int(arm.factors["depth"]), int(arm.factors["width"])


def seed_bytes(config: Config, spec: RunSpec, arms: Sequence[Arm]) -> float:
    """Return the memory of one seed: its inputs; weights, gradient, moments and what trains of its networks."""
    known = data_of(spec)
    stored = 5.0 * sum(_weights(config, spec, _size(arm)) for arm in arms)
    return 4.0 * (sum(samples_of(config, spec)) * known.features + stored)
