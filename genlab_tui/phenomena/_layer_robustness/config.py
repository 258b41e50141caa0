"""Layer robustness: fields, arms, and what they cost."""

from __future__ import annotations

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
from genlab_tui.training.members import INITS

# Thresholds, fixed before any run that is judged by them.
TRAINED = 0.99  # training accuracy without which a network's layers say nothing
DESTROYED = 0.9  # of the gap between test accuracy and chance, that a layer drawn anew costs
HARMLESS = 0.25  # the drop with a layer's own initial values over that with fresh ones
CRITICAL = 0.10  # drop of accuracy that makes a layer critical
ROBUST = 0.01  # drop of accuracy below which it is robust, or twice the standard error over seeds
CONTRAST = 0.50  # mean drop with fresh values minus that with initial ones
PREDICTS = 0.8  # rank correlation of movement and drop from which one would predict the other

FINAL = "final"
RAND, OTHER, START = "rand", "other", "0"
DROP = "accuracy_drop"
MOVED, LARGEST = "relative_movement", "largest_change"

HIDDEN = {"mlp-3x256": (256,) * 3, "mlp-4x128": (128,) * 4}
PARAMETERS = {"vgg-11": 9.2e6, "resnet-18": 11.2e6, "resnet-20": 2.7e5}
LAYERS = {"mlp-3x256": 4, "mlp-4x128": 5, "vgg-11": 9, "resnet-18": 21, "resnet-20": 20}

BATCH_NORM_NOTE = "with batch norm, running statistics stay those of the trained network"


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    network: str = param(
        "mlp-3x256",
        help="perceptron: layers x width; VGG-11 and ResNets: images, batch norm of VGG-11 by its toggle",
        choices=(*HIDDEN, *PARAMETERS),
    )
    n: int = param(1200, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    epochs: int = param(100, help="epochs of training", low=2, high=100_000)
    checkpoints: tuple[int, ...] = param(
        (1, 2, 3, 8, 40),
        help="epochs that a layer is put back to (0, its initial values, is always there)",
        low=0,
        high=100_000,
        unit="epochs",
    )
    draws: int = param(5, help="fresh draws that re-randomisation is the mean of", low=5, high=1000)
    optimiser: str = param("sgd", help="sgd has momentum 0.9", choices=("sgd", "adam"))
    lr: float = param(
        0.01, help="learning rate at the start: with a small one every layer is robust", low=1e-7, high=100.0
    )
    decay: float = param(1.0, help="factor on the learning rate after every epoch", low=0.1, high=1.0)
    batch: int = param(64, help="batch size", low=2, high=100_000)
    init: str = param(
        "he-normal",
        help="initialiser of a perceptron, of training and of fresh draws",
        choices=INITS,
        only={"network": tuple(HIDDEN)},
    )


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: the network trained to the end, and to every checkpoint. Raises BadValue."""
    known = data_of(spec)
    if config.network not in HIDDEN:
        networks.check(config.network, known.shape)
        if config.init != "he-normal":
            raise BadValue(
                f"init = {config.init}: {config.network} has an initialiser of its own",
                "nearest valid value: he-normal",
            )
    late = [epoch for epoch in config.checkpoints if epoch >= config.epochs]
    if late:
        raise BadValue(
            f"checkpoints = {max(late)} is not before the end at {config.epochs} epochs",
            f"nearest valid value: {config.epochs - 1}",
        )
    if not checkpoints_of(config):
        raise BadValue("checkpoints has none after epoch 0: the control needs one", "for example 1 2 3 8")
    ends = [
        Arm(f"epoch-{t}", f"after {t} epoch{'s' if t > 1 else ''}", {"epochs": float(t)})
        for t in checkpoints_of(config)
    ]
    return (Arm(FINAL, "trained to the end", {"epochs": float(config.epochs)}), *ends)


def checkpoints_of(config: Config) -> list[int]:
    """Return the epochs after 0, ascending."""
    return sorted(set(config.checkpoints) - {0})


def data_of(spec: RunSpec) -> data.DataSet:
    return data.known(spec.data)


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return data_of(spec).at_most(config.n, config.test)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    (n, test), known = sizes(config, spec), data_of(spec)
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    epochs = [float(arm.factors["epochs"]) for arm in arms] * spec.seeds
    swaps = LAYERS[config.network] * (config.draws + len(arms) + 1)
    passes = swaps * test / (3 * n) * spec.seeds  # what scoring costs, in epochs of training
    if config.network in HIDDEN:
        size = _weights(config, spec)
        seconds = cost.seconds(size, n, config.batch, epochs, spec.device, spec.regularisers)
        seconds += passes * n * 6 * size / cost.FLOPS_PER_SECOND[cost.kind_of(spec.device)]
    else:
        work = networks.multiplications(config.network, known.shape)
        seconds = cost.network_seconds(work, n, [*epochs, passes], spec.device)
    each = seed_bytes(config, spec, len(arms))
    return Estimate(len(epochs), seconds, each * min(spec.seeds, cost.at_once(each, spec.device)))


def _weights(config: Config, spec: RunSpec) -> float:
    if config.network in PARAMETERS:
        return PARAMETERS[config.network]
    known = data_of(spec)
    return parameter_count(known.features, HIDDEN[config.network], known.classes)


def seed_bytes(config: Config, spec: RunSpec, arms: int) -> float:
    """Return the memory of one seed: its inputs; weights, gradient, final weights of its arms; fresh draws."""
    features = data_of(spec).features
    return 4.0 * sum(sizes(config, spec)) * features + 4.0 * (3 * arms + config.draws + 2) * _weights(config, spec)


def arm_of(layer: str, source: str) -> str:
    """Return the arm of a network with one layer replaced: `fc2@rand`, `fc2@other`, `fc2@0`, `fc2@8`."""
    return f"{layer}@{source}"
