"""Why batch norm helps: fields, arms, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
TRAINED = 0.9  # training accuracy that a network must have reached, or its landscape says nothing
FELL = 0.5  # of a deep linear network's first loss, that it has to get below
LEVELS = 2  # levels of loss that both of two networks must have been looked into at
AS_GOOD = 0.02  # best test accuracy that noise after batch norm may cost
SHIFTED = 2.0  # change of gradients by preceding layers, noisy batch norm over batch norm
UNSTABLE = 1.0  # shift of layers' inputs over that of the plain network
SMOOTHER = 2.0  # effective beta of the plain network over that with batch norm
ERRORS = 2.0  # standard errors of the test set that a difference of test accuracies must exceed
STOPPED = 0.5  # training accuracy of a network that noise has stopped

PERCEPTRON, LINEAR = "perceptron", "deep-linear"
PLAIN, PLAIN_NOISE, NOISY, BATCH, L1 = "plain", "plain-noise", "noisy", "bn", "l1"
PERCEPTRONS = {"model": (PERCEPTRON,)}

LINEAR_FACTORS = (0.01, 0.1, 1.0, 30.0)
FACTORS = (0.5, 1.0, 2.0, 4.0)
"""Steps along the gradient as multiples of the learning rate: the ends are the paper's ranges."""

SPEED = 4e10
"""Operations a second in float32, float64 taking twice as long: measured, two cores."""
CALL = 2e-3
"""Seconds of a step beside its arithmetic, ten hidden layers: measured."""


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set and seeds."""

    model: str = param(
        PERCEPTRON,
        help="ReLU perceptron on the data set; deep-linear: Gaussian inputs of its own, squared loss, full batch",
        choices=(PERCEPTRON, LINEAR),
    )
    n: int = param(1200, help="training samples at most (0: all); deep-linear: that many are drawn", low=0, high=20_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=20_000, only=PERCEPTRONS)
    depth: int = param(10, help="hidden layers", low=1, high=100)
    width: int = param(64, help="units of a hidden layer; deep-linear: also inputs and outputs", low=2, high=1024)
    gain: float = param(
        2.0, help="variance of initial weights times inputs of their layer: 2 is He, 1 Glorot", low=0.01, high=10.0
    )
    lr: float = param(0.1, help="learning rate that all kinds of network are trained at", low=1e-9, high=10.0)
    grid: tuple[float, ...] = param(
        (0.03, 0.3),
        help="further learning rates of the plain network, for its best one",
        low=1e-9,
        high=10.0,
        distinct=True,
    )
    batch: int = param(50, help="batch size", low=2, high=10_000, only=PERCEPTRONS)
    epochs: int = param(20, help="epochs of training; deep-linear: steps of full-batch descent", low=1, high=100_000)
    looks: int = param(10, help="evaluations on all samples", low=2, high=1000)
    probes: int = param(30, help="times that a step's effect is looked into, more of them early", low=4, high=4000)
    l1: bool = param(False, help="also normalise by the mean absolute value")


def rates(config: Config) -> tuple[float, ...]:
    """Return the learning rates of the plain network, ascending."""
    return tuple(sorted({*config.grid, config.lr}))


def name_of(kind: str, lr: float, config: Config) -> str:
    """Return the arm of a kind at a learning rate: the common one has no number."""
    return kind if lr == config.lr else f"{kind}-{lr:g}"


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: the plain network at every rate, the others at the common one. Raises BadValue."""
    n = sizes(config, spec)[0]
    if config.model == LINEAR and not config.n:
        raise BadValue("n = 0: inputs of deep-linear are drawn, so their number is needed", "for example 1000")
    if config.model == PERCEPTRON and config.batch > n:
        raise BadValue(f"batch = {config.batch} is more than the {n} training samples", f"nearest valid value: {n}")
    if len({f"{lr:g}" for lr in rates(config)}) < len(rates(config)):
        raise BadValue("grid has values that agree in six digits, with each other or with lr", "leave one of them out")
    noises = (False,) if config.model == LINEAR else (False, True)
    arms = []
    for noise in noises:
        for lr in rates(config):
            if noise and lr > config.lr:
                continue
            name = name_of(PLAIN_NOISE if noise else PLAIN, lr, config)
            label = f"plain{' with noise' if noise else ''}, lr {lr:g}"
            arms.append(Arm(name, label, {"norm": "none", "noise": float(noise), "lr": lr}))
    at: dict[str, float | str] = {"lr": config.lr}
    if True in noises:
        arms.append(Arm(NOISY, "batch norm, then noise", at | {"norm": "batch", "noise": 1.0}))
    arms.append(Arm(BATCH, "batch norm", at | {"norm": "batch", "noise": 0.0}))
    if config.l1:
        arms.append(Arm(L1, "l1 normalisation", at | {"norm": "l1", "noise": 0.0}))
    return tuple(arms)


def kind_of(arm: Arm) -> str:
    """Return what the training loop calls an arm's kind of network."""
    return str(arm.factors["norm"]).replace("none", "plain") + ("-noise" if arm.factors["noise"] else "")


def looked_into(arm: Arm) -> bool:
    """Whether an arm's steps are probed: all but those that only say whether noise stops a network."""
    return not (arm.factors["noise"] and arm.factors["norm"] == "none")


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return (config.n, 0) if config.model == LINEAR else data.known(spec.data).at_most(config.n, config.test)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    n, test = sizes(config, spec)
    batch = n if config.model == LINEAR else config.batch
    steps = config.epochs * (n // batch)
    numbers = _numbers(config, spec)
    slow = 2.0 if config.model == LINEAR else 1.0
    step = 6.0 * slow * batch * numbers / SPEED
    moved = 30.0 * slow * batch * config.depth * config.width * 1.2e-10  # what is not a product
    probed = sum(looked_into(arm) for arm in arms) / len(arms)
    passes = config.probes * probed * (2 / slow) * (1 + len(FACTORS) + 0.35 * config.depth)
    looks = 0.4 * config.looks * (n + test) / batch
    seconds = len(arms) * spec.seeds * (step + moved) * (steps + passes + looks)
    groups = math.ceil(spec.seeds / cost.at_once(seed_bytes(config, spec, len(arms)), spec.device))
    seconds += groups * (steps + passes) * CALL * config.depth / 10
    each = seed_bytes(config, spec, len(arms))
    at_once = min(spec.seeds, cost.at_once(each, spec.device))
    return Estimate(len(arms) * spec.seeds, cost.START + seconds, each * at_once)


def _numbers(config: Config, spec: RunSpec) -> float:
    known = data.known(spec.data)
    ends = 2 * config.width if config.model == LINEAR else known.features + known.classes
    return float(config.width * (ends + (config.depth - 1) * config.width))


def seed_bytes(config: Config, spec: RunSpec, arms: int) -> float:
    """Return the memory of one seed: its samples, the weights of its arms, and what a probe holds of them."""
    n, test = sizes(config, spec)
    features = config.width if config.model == LINEAR else data.known(spec.data).features
    batch = n if config.model == LINEAR else config.batch
    held = 8.0 * 8 * batch * config.width * config.depth * (len(FACTORS) + config.depth / 2)
    weights = 8.0 * (4 + 3 * len(FACTORS)) * _numbers(config, spec)
    return 4.0 * (n + test) * features + arms * (held + weights)
