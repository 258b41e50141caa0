"""What a run of the regularisers is made of: its config, and what it takes from data set and config together."""

from __future__ import annotations

from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.models.networks import NETWORKS
from genlab_tui.phenomenon import param
from genlab_tui.run import RunSpec

EACH, TABLE_1 = "each regulariser", "table 1"
CHANCE = 0.1  # every data set here has ten classes
CROP = 28  # the side that the paper's images are cropped to

USUAL_LR = {"cnn-1d": 1e-2, "lenet": 1e-3, "cnn-5": 3e-3}
"""Adam's learning rate of a better architecture where the config names none: chosen on seeds from 100000 on."""


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set and seeds."""

    protocol: str = param(
        EACH, help="each regulariser on one perceptron, or the models of the paper's table 1", choices=(EACH, TABLE_1)
    )
    n: int = param(3600, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(1000, help="test samples at most (0: all)", low=0, high=1_000_000)
    hidden: tuple[int, ...] = param((256, 256), help="hidden widths of the perceptron", low=1, high=100_000)
    architecture: str = param(
        "auto",
        help="the better architecture without regularisers; auto: cnn-1d for sequences, lenet for images, cnn-5:8 "
        "(with its own batch norm) for images below 16x16",
    )
    architecture_lr: float = param(0.0, help="its learning rate (0: the usual one)", low=0.0, high=100.0)
    optimiser: str = param("adam", help="sgd has momentum 0.9", choices=("adam", "sgd"))
    lr: float = param(1e-3, help="learning rate at the start", low=1e-7, high=100.0)
    decay: float = param(1.0, help="factor on the learning rate after every epoch", low=0.1, high=1.0)
    batch: int = param(64, help="batch size", low=2, high=100_000)
    epochs: int = param(60, help="epochs: every arm takes the same number of steps", low=1, high=100_000)
    fit_epochs: int = param(
        120, help="epochs at most on random labels, where training ends once they are fitted", low=1, high=100_000
    )
    noise: float = param(
        0.2, help="chance that a label is redrawn, in the arms with noisy labels (0: none)", low=0, high=1
    )
    loss_target: float = param(
        0.5, help="clean training loss at which arms are compared at equal loss", low=1e-6, high=10.0, unit="nats"
    )
    weight_decay: tuple[float, ...] = param(
        (0.01, 0.1, 0.3), help="coefficients of decoupled weight decay (0: none)", low=0.0, high=10.0
    )
    dropout: tuple[float, ...] = param((0.2, 0.5), help="probabilities of dropout (0: none)", low=0.0, high=0.95)
    shift: float = param(
        0.08, help="random shift of the inputs, as a share of their length (0: none)", low=0.0, high=0.25
    )
    smoothing: float = param(0.1, help="epsilon of label smoothing (0: none)", low=0.0, high=0.9)
    mixup: float = param(0.2, help="alpha of mixup (0: none)", low=0.0, high=8.0)
    patience: float = param(10.0, help="patience of early stopping (0: none)", low=0.0, high=1000.0, unit="epochs")
    batch_norm: bool = param(True, help="an arm with batch norm")
    together: bool = param(True, help="an arm with everything but early stopping together, each at its least strength")
    batches: tuple[int, ...] = param(
        (16, 128, 1024),
        help="other batch sizes, each at the same learning rate and at one in proportion (0: none)",
        low=0,
        high=100_000,
    )
    decay_conv: float = param(
        5e-4,
        help="table 1: weight decay of the convolutional networks, in the loss (the paper names no number)",
        low=0.0,
        high=1.0,
        unverified=True,
        only={"protocol": (TABLE_1,)},
    )
    decay_mlp: float = param(
        1e-4,
        help="table 1: weight decay of the perceptrons, in the loss (the paper names no number)",
        low=0.0,
        high=1.0,
        unverified=True,
        only={"protocol": (TABLE_1,)},
    )


def dataset(spec: RunSpec) -> data.DataSet:
    """Return the data set of a run."""
    return data.known(spec.data, "mnist1d")


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return dataset(spec).at_most(config.n, config.test)


def shape(config: Config, spec: RunSpec) -> tuple[int, ...]:
    """Return the shape of one input."""
    known = dataset(spec).shape
    return (known[0], CROP, CROP) if config.protocol == TABLE_1 and len(known) == 3 else known


def reach(config: Config, spec: RunSpec) -> int:
    """Return by how many values or pixels inputs are shifted at most: at least one where they are shifted."""
    return max(round(config.shift * shape(config, spec)[-1]), 1) if config.shift else 0


def architecture(config: Config, spec: RunSpec) -> str:
    """Return the name of the better architecture."""
    if config.architecture != "auto":
        return config.architecture
    size = dataset(spec).shape
    if len(size) == 1:
        return "cnn-1d"
    return "lenet" if min(size[1:]) >= NETWORKS["lenet"].smallest else "cnn-5:8"


def architecture_lr(config: Config, spec: RunSpec) -> float:
    """Return the learning rate of the better architecture."""
    usual = USUAL_LR.get(architecture(config, spec).partition(":")[0], config.lr)
    return config.architecture_lr or (usual if config.optimiser == "adam" else config.lr)
