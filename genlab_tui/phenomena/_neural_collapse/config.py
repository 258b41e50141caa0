"""Neural collapse: fields, arms, and what they cost."""

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
COLLAPSES = 0.75  # NC1 at the end over NC1 at the first epoch without a training error
HARDLY = 0.85  # the same without weight decay, at least: below it the control has fired
HALVES = 0.5  # the same, as asked first: half
CLOSER = 0.7  # NC2 at the end over NC2 at the first epoch without an error: angles, and as strictly lengths
DUAL = 0.5  # NC3, likewise
NEAREST = 0.005  # share of training samples that the nearest class mean classes otherwise than the network, at the end
IN_TIME = 2 / 3  # of training, by which every network must have had its first epoch without an error

NC1, NORMS, ANGLES, NC3, NC4 = "nc1", "nc2_norms", "nc2_angles", "nc3", "nc4"
METRICS = (NC1, NORMS, ANGLES, NC3, NC4)
COSINES = "cosines"
MLP = "mlp"
EXPONENTIAL, STEPS = "exponential", "steps"
CONVOLVED = ("resnet-18", "cnn-5")
PARAMETERS = {"resnet-18": 11.2e6, "cnn-5": 1.6e6}
"""Roughly, at 64 channels."""
WIDEST = {"resnet-18": 512, "cnn-5": 512}
"""Features of their output layers, at 64 channels."""
FIT_EPOCHS = 30.0
"""A guess of the epochs to the first one without a training error, for estimates and the progress bar."""
CONVOLVED_STEP = 5e-3
"""Seconds that a step of a convolutional network takes beside its arithmetic, two side by side: measured, rough."""
DECAY_NOTE = "weight decay: L2 in the loss, on weight matrices and kernels alone"


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    network: str = param(
        MLP, help="mlp: a perceptron; resnet-18 and cnn-5: images, with batch norm", choices=(MLP, *CONVOLVED)
    )
    layers: int = param(3, help="hidden layers of the perceptron", low=1, high=64, only={"network": (MLP,)})
    width: int = param(256, help="units of each of them", low=2, high=16_384, only={"network": (MLP,)})
    channels: int = param(
        64, help="of the first stage; the others have 2, 4 and 8 times as many", low=1, high=256,
        only={"network": CONVOLVED},
    )  # fmt: skip
    n: int = param(
        870,
        help="training samples at most (0: all), equally many of each class: what is left over is dropped",
        low=0,
        high=1_000_000,
    )
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    weight_decays: tuple[float, ...] = param(
        (5e-3, 5e-4, 0.0),
        help="an arm each: the claims are about the first one, 0 is the control; L2 in the loss",
        low=0.0,
        high=1.0,
        unverified=True,
        distinct=True,
    )
    lr: float = param(0.05, help="learning rate of SGD at the start", low=1e-7, high=100.0, unverified=True)
    momentum: float = param(0.9, help="momentum of SGD", low=0.0, high=0.999)
    schedule: str = param(
        EXPONENTIAL,
        help="of the learning rate; steps: a tenth of it after one and after two thirds of the epochs",
        choices=(EXPONENTIAL, STEPS),
    )
    decay: float = param(
        0.99,
        help="factor on the learning rate after every epoch",
        low=0.1,
        high=1.0,
        unverified=True,
        only={"schedule": (EXPONENTIAL,)},
    )
    batch: int = param(128, help="batch size", low=2, high=100_000)
    epochs: int = param(350, help="epochs of training", low=3, high=3_900)


def arm_of(weight_decay: float) -> str:
    """Return the arm of a weight decay: `wd-0.005`."""
    return f"wd-{weight_decay:g}"


def fit_of(arm: str) -> str:
    """Return what the network of an arm is called that stops at its first epoch without a training error."""
    return f"{arm}@fit"


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms, one a weight decay. Raises BadValue."""
    known = data_of(spec)
    if config.network != MLP:
        networks.check(name_of(config), known.shape)
    elif config.width < known.classes - 1:
        raise BadValue(
            f"width = {config.width}: {known.classes} class means at equal angles need {known.classes - 1} dimensions",
            f"nearest valid value: {known.classes - 1}",
        )
    if 0 < config.n < 2 * known.classes:
        raise BadValue(
            f"n = {config.n}: each of {known.classes} classes needs two samples to spread",
            f"nearest valid value: {2 * known.classes}",
        )
    if not config.weight_decays[0]:
        raise BadValue("weight_decays begins with 0: the first is what the claims are about", "for example 0.005 0")
    if 0.0 not in config.weight_decays:
        raise BadValue(
            "weight_decays lacks 0: the control",
            f"nearest valid value: {' '.join(f'{value:g}' for value in (*config.weight_decays, 0.0))}",
        )
    return tuple(
        Arm(arm_of(value), f"weight decay {value:g}", {"weight_decay": value}, control=not value)
        for value in config.weight_decays
    )


def name_of(config: Config) -> str:
    """Return the name of the network to build; empty for perceptrons."""
    return "" if config.network == MLP else f"{config.network}:{config.channels}"


def drops_of(config: Config) -> tuple[int, ...]:
    """Return the epochs from which on the learning rate is a tenth of what it was."""
    return (config.epochs // 3, config.epochs * 2 // 3) if config.schedule == STEPS else ()


def data_of(spec: RunSpec) -> data.DataSet:
    return data.known(spec.data)


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training samples (before any are dropped) and test samples of a run."""
    return data_of(spec).at_most(config.n, config.test)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes. Every arm has a second network a seed, which stops once it fits."""
    (n, _), known = sizes(config, spec), data_of(spec)
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    epochs = [float(config.epochs), min(FIT_EPOCHS, float(config.epochs))] * len(arms) * spec.seeds
    if config.network == MLP:
        size = weights_of(config, spec)
        seconds = cost.seconds(size, n, config.batch, epochs, spec.device, spec.regularisers)
    else:
        seconds = cost.network_seconds(networks.multiplications(name_of(config), known.shape), n, epochs, spec.device)
        seconds += sum(epochs) * math.ceil(n / config.batch) * CONVOLVED_STEP
    each = seed_bytes(config, spec, len(arms))
    return Estimate(len(epochs), seconds, each * min(spec.seeds, cost.at_once(each, spec.device)))


def weights_of(config: Config, spec: RunSpec) -> float:
    """Return the numbers of a network, roughly where it is convolutional."""
    if config.network != MLP:
        return PARAMETERS[config.network] * (config.channels / 64) ** 2
    known = data_of(spec)
    return parameter_count(known.features, (config.width,) * config.layers, known.classes)


def seed_bytes(config: Config, spec: RunSpec, arms: int) -> float:
    """Return the memory of one seed: its inputs, weights, gradients and final weights of its networks, features."""
    n, test = sizes(config, spec)
    width = config.width if config.network == MLP else WIDEST[config.network] * config.channels / 64
    looked_at = 2 * arms if config.network == MLP else 1  # networks whose features are there at one time
    numbers = (n + test) * data_of(spec).features + 2 * arms * 3 * weights_of(config, spec)
    return 4.0 * (numbers + looked_at * n * width)
