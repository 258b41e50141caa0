"""The edge of stability: thresholds, fields, arms, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
EDGE = 2.0  # eta * lambda at which gradient descent on a parabola stops to converge
AT_EDGE = (1.9, 2.2)  # eta * lambda, mean over the second half of training
STEADY = 0.15  # standard deviation of eta * lambda over the looks of the second half
STARTS_BELOW = 1.0  # eta * lambda before the first step: or nothing is seen to rise
STABLE = 1.5  # eta * lambda of the small rate, at most: the mean over the second half of training
NEAR = 1.5  # eta * lambda at a look, at least, for a rise of the loss after it to mean that the edge was met in between
UPS = (0.2, 0.6)  # share of the steps after the crossing that make the loss larger
FALLS = 0.6  # loss at the end over that at the crossing
HALVES = 0.2  # how far sharpness times rate may differ between two rates: ratio 0.5 +- 0.1 for rates of ratio 2
MOMENTUM_EDGE = (0.9, 1.1)  # sharpness over the threshold of its kind of momentum
APART = 0.2  # share by which the edge with momentum must differ from 2 / eta, or the two cannot be told apart
DROPS = 0.5  # with cross-entropy: sharpness at the end over its largest

POLYAK, NESTEROV = "polyak", "nesterov"
SQUARED, CROSS_ENTROPY = "squared", "cross-entropy"

LARGEST_GROUP = 12
"""Seeds that are trained side by side at most: between two looks at all of them nothing can be stopped."""
SPEED = {"float32": 1.4e11, "float64": 7e10}
"""Multiplications a second, two cores: measured."""
ELEMENT = {"float32": 3e-10, "float64": 1.1e-9}
"""Seconds for what a step does to one activation beside the products, two cores: measured."""
CALLS = 4e-5
"""Seconds of a step of one network whatever its size, two cores: measured."""
LOOK = 16.0
"""What a look costs, in steps of float64: about ten products with the Hessian. Measured."""
GPU_SPEED = 1.2e13
"""Multiplications of float64 a second on a GPU: derived, not measured."""
GPU_CALLS = 3e-4
"""Seconds of a step of one network on a GPU whatever its size: derived, not measured."""


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set and seeds."""

    n: int = param(1000, help="training samples at most (0: all); each step sees all of them", low=0, high=60_000)
    first: bool = param(False, help="the first n samples of the training set instead of a draw of each seed")
    hidden: tuple[int, ...] = param((64, 64), help="widths of the hidden layers", low=1, high=4096)
    activation: str = param("tanh", help="of the hidden layers", choices=("tanh", "relu"))
    loss: str = param(
        SQUARED,
        help="squared: half the squared error against one-hot labels, summed over outputs, mean over samples",
        choices=(SQUARED, CROSS_ENTROPY),
    )
    gain: float = param(
        0.3, help="factor of the initial weights (tanh: Glorot's, ReLU: He's); biases start at 0", low=0.001, high=10.0
    )
    etas: tuple[float, ...] = param(
        (0.2, 0.4), help="step sizes that meet the edge; neighbours are compared", low=1e-6, high=100.0, distinct=True
    )
    small: float = param(0.1, help="step size of the control, too small to meet it", low=1e-6, high=100.0)
    steps: int = param(3000, help="steps of gradient descent", low=20, high=10_000_000)
    every: int = param(50, help="steps between two looks at the sharpness", low=1, high=1_000_000)
    momentum: bool = param(True, help="also descend with Polyak's and Nesterov's momentum, whose edges are elsewhere")
    beta: float = param(0.9, help="momentum", low=0.01, high=0.999, only={"momentum": (True,)})
    polyak: float = param(
        0.4, help="step size with Polyak's momentum", low=1e-6, high=100.0, only={"momentum": (True,)}
    )
    nesterov: float = param(
        0.14, help="step size with Nesterov's momentum", low=1e-6, high=100.0, only={"momentum": (True,)}
    )
    momentum_steps: int = param(
        1000,
        help="steps with momentum, about as many looks as without",
        low=20,
        high=10_000_000,
        only={"momentum": (True,)},
    )
    precision: str = param(
        "float32", help="of the steps; losses and sharpness are float64 in any case", choices=("float32", "float64")
    )
    until: float = param(
        0.0, help="a network whose training accuracy is this at a look ends there (0: never)", low=0.0, high=1.0
    )


def arm_of(eta: float) -> str:
    """Return the name of the arm of plain gradient descent at a step size."""
    return f"eta-{eta:g}"


def edge(kind: str, eta: float, beta: float) -> float:
    """Return the sharpness above which a descent diverges on a parabola (Cohen et al. 2021).

    2 / eta; with Polyak's momentum (2 + 2 beta) / eta, with Nesterov's that over 1 + 2 beta.
    """
    if kind == POLYAK:
        return (2.0 + 2.0 * beta) / eta
    if kind == NESTEROV:
        return (2.0 + 2.0 * beta) / (eta * (1.0 + 2.0 * beta))
    return EDGE / eta


def threshold(arm: Arm) -> float:
    """Return the edge of an arm."""
    return edge(str(arm.factors["descent"]), float(arm.factors["eta"]), float(arm.factors["beta"]))


def momentum_every(config: Config) -> int:
    """Return the steps between two looks with momentum."""
    return max(config.every * config.momentum_steps // config.steps, 1)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: the control, the step sizes, and with momentum its two kinds. Raises BadValue."""
    etas = sorted(config.etas)
    if config.small >= etas[0]:
        raise BadValue(
            f"small = {config.small:g} is not below the smallest of the etas, {etas[0]:g}",
            f"nearest valid value: {etas[0] / 2:g}",
        )
    if len({f"{eta:g}" for eta in (config.small, *etas)}) <= len(etas):
        raise BadValue("etas has values that agree in six digits, with each other or with small", "leave one out")
    if config.every > config.steps // 10:
        raise BadValue(
            f"every = {config.every}: {config.steps} steps would have fewer than 10 looks",
            f"nearest valid value: {config.steps // 10}",
        )
    factors: dict[str, float | str] = {"descent": "plain", "beta": 0.0}
    arms = [Arm(arm_of(config.small), f"eta {config.small:g}", factors | {"eta": config.small}, control=True)]
    arms += [Arm(arm_of(eta), f"eta {eta:g}", factors | {"eta": eta}) for eta in etas]
    if config.momentum:
        for kind, eta in ((POLYAK, config.polyak), (NESTEROV, config.nesterov)):
            label = f"{kind.capitalize()} {config.beta:g}, eta {eta:g}"
            arms.append(Arm(kind, label, {"descent": kind, "beta": config.beta, "eta": eta}))
    return tuple(arms)


def samples(config: Config, spec: RunSpec) -> int:
    """Return the number of training samples."""
    return data.known(spec.data).at_most(config.n, 0)[0]


def shape(config: Config, spec: RunSpec) -> tuple[int, ...]:
    """Return inputs, widths and outputs of the networks."""
    known = data.known(spec.data)
    return (known.features, *config.hidden, known.classes)


def step_seconds(config: Config, spec: RunSpec, precision: str) -> float:
    """Guess the seconds of a step of one network, shared out over two cores or on a GPU."""
    sizes, n = shape(config, spec), samples(config, spec)
    weights = [before * after for before, after in pairwise(sizes)]
    products = float(n * (3 * sum(weights) - weights[0]))  # inputs need no derivative
    if cost.kind_of(spec.device) == "cuda":
        return products / GPU_SPEED + GPU_CALLS
    return products / SPEED[precision] + ELEMENT[precision] * n * sum(sizes[1:]) + CALLS


def seed_bytes(config: Config, spec: RunSpec) -> float:
    """Return the memory of one seed: its samples twice, four vectors as long as each network."""
    sizes = shape(config, spec)
    weights = sum(before * after for before, after in pairwise(sizes))
    return 8.0 * (2 * samples(config, spec) * sizes[0] + 5 * weights * 4)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    looks = LOOK * math.ceil(config.steps / config.every) * step_seconds(config, spec, "float64")
    steps = [config.momentum_steps if arm.factors["beta"] else config.steps for arm in arms]
    one = step_seconds(config, spec, config.precision)
    seconds = cost.START + spec.seeds * sum(count * one + looks for count in steps)
    sizes, n = shape(config, spec), samples(config, spec)
    graphs = 2 * 8.0 * n * (sizes[0] + 12 * sum(sizes[1:])) + 2 * 8.0 * 30 * sum(sizes) * max(sizes[1:])
    at_once = min(spec.seeds, LARGEST_GROUP, cost.at_once(seed_bytes(config, spec), spec.device))
    return Estimate(len(arms) * spec.seeds, seconds, graphs + seed_bytes(config, spec) * at_once)
