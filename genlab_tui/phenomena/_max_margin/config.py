"""The drift to the largest margin: fields, arms, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.models import networks
from genlab_tui.models.mlp import parameter_count
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

GD, MIXED, NORMALISED, ADAM, SIGN = "gd", "not-separable", "normalised", "adam", "sign"
USUAL_ADAM = "adam-epsilon"
FIT, LONG, DECAYED = "network-fit", "network", "network-decay"
SETS = "toy sets"
"""The arm-like name under which what is known of the sets themselves is measured, and their stage."""

KINDS = {
    GD: "gradient",
    MIXED: "gradient",
    NORMALISED: "normalised",
    ADAM: "adam",
    SIGN: "sign",
    USUAL_ADAM: "adam with epsilon",
}
"""How each arm on the toy sets goes down."""
NETWORK_ARMS = (FIT, LONG, DECAYED)

NONE = "none"
HIDDEN = {"mlp-1x128": (128,), "mlp-2x256": (256, 256)}
CONVOLUTIONAL = {"conv-4": 2.43e6}

EARLY = 10_000  # steps at which normalised and plain gradient descent are compared, where as many are taken

START = 2.0  # seconds to draw and solve the sets of a few seeds, libraries included
DRAW = 0.1  # seconds to draw and solve the set of a seed
STEP, EACH = 7e-6, 1.3e-7  # seconds of a step of gradient descent, and of every problem in it: measured
HEAVIER = {
    NORMALISED: 3.5,
    ADAM: 2.2,
    SIGN: 1.3,
    USUAL_ADAM: 2.2,
}  # what a step of the others takes, in such steps: measured
LOOKS = 10  # points a decade of steps at which a network is evaluated
NETWORK_STEP = {"cpu": 0.0, "cuda": 2e-3}  # seconds of a step of a convolutional one beside its work; cuda: derived


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set and seeds."""

    points: int = param(20, help="points of a toy set", low=10, high=40)
    bias: bool = param(False, help="a constant feature, penalised like the others, in descent and SVM alike")
    contradictions: int = param(
        0, help="points that are there a second time with the other label: nothing separates them", low=0, high=10
    )
    steps: int = param(
        1_000_000, help="steps of gradient descent, of a fixed size 1 / L", low=1000, high=100_000_000, unit="steps"
    )
    contrast_steps: int = param(
        100_000, help="steps of its rivals (normalised, Adam, signs)", low=1000, high=10_000_000, unit="steps"
    )
    contrast_lr: float = param(
        0.1, help="learning rate of Adam and sign descent, divided by the square root of t", low=1e-5, high=10.0
    )
    network: str = param(
        "mlp-1x128",
        help="trained on the data set long after it fits it: layers x width, a convolutional one, or none",
        choices=(*HIDDEN, *CONVOLUTIONAL, NONE),
    )
    n: int = param(1200, help="training samples of the network at most (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples of the network at most (0: all)", low=0, high=1_000_000)
    epochs: int = param(400, help="epochs of the network", low=2, high=100_000)
    lr: float = param(0.1, help="learning rate of the network (SGD, momentum 0.9)", low=1e-6, high=10.0)
    batch: int = param(100, help="batch size of the network", low=2, high=100_000)
    decay: float = param(0.01, help="weight decay of the network's control, which bounds its norm", low=1e-6, high=1.0)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: six descents on toy sets, and three networks on the data set. Raises BadValue."""
    if config.contrast_steps > config.steps:
        raise BadValue(
            f"contrast_steps = {config.contrast_steps} is more than the {config.steps} steps of gradient descent",
            f"nearest valid value: {config.steps}",
        )
    if config.contradictions > config.points // 2:
        raise BadValue(
            f"contradictions = {config.contradictions} is more than half of the points",
            f"nearest valid value: {config.points // 2}",
        )
    arms = [
        Arm(GD, "gradient descent", {"on": "toy set", "descent": "gradient"}),
        Arm(MIXED, "the same, labels flipped: not separable", {"on": "toy set", "descent": "gradient"}, control=True),
        Arm(NORMALISED, "normalised gradient descent", {"on": "toy set", "descent": "normalised"}),
        Arm(ADAM, "Adam (epsilon 0)", {"on": "toy set", "descent": "Adam"}),
        Arm(SIGN, "sign descent", {"on": "toy set", "descent": "sign"}),
        Arm(USUAL_ADAM, "Adam (epsilon 1e-8)", {"on": "toy set", "descent": "Adam, epsilon 1e-8"}),
    ]
    if config.network != NONE:
        if config.network in CONVOLUTIONAL:
            networks.check(config.network, data.known(spec.data).shape)
        arms += [
            Arm(FIT, "network, when its training error reaches 0", {"on": "data set", "decay": 0.0}),
            Arm(LONG, "network", {"on": "data set", "decay": 0.0}),
            Arm(DECAYED, "network with weight decay", {"on": "data set", "decay": config.decay}, control=True),
        ]
    return tuple(arms)


def early(config: Config) -> int:
    """Return the steps after which normalised and plain gradient descent are compared."""
    return min(EARLY, config.contrast_steps)


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of the network."""
    return data.known(spec.data).at_most(config.n, config.test)


def toy_seconds(config: Config, arm: str, problems: int) -> float:
    """Guess the seconds of one descent on that many problems."""
    steps = config.steps if KINDS[arm] == "gradient" else config.contrast_steps
    size = (config.points + config.contradictions) * (3 if config.bias else 2) / 40
    return steps * (STEP + EACH * problems * size) * HEAVIER.get(arm, 1.0)


def network_seconds(config: Config, spec: RunSpec, arms: Sequence[str]) -> float:
    """Guess the seconds of all networks."""
    n, test = sizes(config, spec)
    guess = {FIT: min(30.0, config.epochs)}
    epochs = [guess.get(arm, float(config.epochs)) for arm in arms] * spec.seeds
    if not epochs:
        return 0.0
    known = data.known(spec.data)
    if config.network in CONVOLUTIONAL:
        one = networks.multiplications(config.network, known.shape)
        steps = [math.ceil(n / config.batch) * count for count in epochs]
        looked = sum(LOOKS * math.log10(count) for count in steps) * (n + test) / 3  # a forward pass is a third
        seconds = cost.network_seconds(one, n, epochs, spec.device)
        seconds += cost.network_seconds(one, 1, [looked], spec.device) - cost.START
        return seconds + sum(steps) * NETWORK_STEP[cost.kind_of(spec.device)]
    size = parameter_count(known.features, HIDDEN[config.network], known.classes)
    return cost.seconds(size, n, config.batch, epochs, spec.device)


def seed_bytes(config: Config, spec: RunSpec) -> float:
    """Return the memory of the networks of one seed: inputs, weights, gradients, velocities."""
    if config.network == NONE:
        return 1e5
    known = data.known(spec.data)
    weights = (
        CONVOLUTIONAL[config.network]
        if config.network in CONVOLUTIONAL
        else parameter_count(known.features, HIDDEN[config.network], known.classes)
    )
    return 4.0 * sum(sizes(config, spec)) * known.features + 16.0 * len(NETWORK_ARMS) * weights


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = [arm.name for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    toys = [arm for arm in arms if arm in KINDS]
    seconds = START + DRAW * spec.seeds
    if together := [arm for arm in toys if KINDS[arm] == "gradient"]:
        seconds += toy_seconds(config, GD, len(together) * spec.seeds)
    seconds += sum(toy_seconds(config, arm, spec.seeds) for arm in toys if arm not in together)
    seconds += network_seconds(config, spec, [arm for arm in arms if arm in NETWORK_ARMS])
    each = seed_bytes(config, spec)
    return Estimate(len(arms) * spec.seeds, seconds, 1e7 + each * min(spec.seeds, cost.at_once(each, spec.device)))
