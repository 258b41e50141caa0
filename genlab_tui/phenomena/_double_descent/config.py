"""The config of double descent and what its modes share: kinds of labels, sizes, and the words of the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, param
from genlab_tui.run import RunSpec

FEATURES, NETWORK = "random features", "network"
WIDTH, SAMPLES, EPOCHS, ENSEMBLE = "width", "samples", "epochs", "ensemble"
PERCEPTRON = "perceptron"
INDEPENDENT, REUSE = "independent", "reuse"
LABELS = {"noise": "noisy labels", "clean": "clean labels", "decay": "weight decay"}
_FEATURES, _NETWORK = {"model": (FEATURES,)}, {"model": (NETWORK,)}
BASE = 2e8  # bytes of the process itself


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    model: str = param(
        FEATURES, help="random features solved in closed form, or networks trained", choices=(FEATURES, NETWORK)
    )
    sweep: str = param(
        WIDTH,
        help="what the test error is drawn over; ensemble: over the width, with outputs of several networks averaged",
        choices=(WIDTH, SAMPLES, EPOCHS, ENSEMBLE),
    )
    n: int = param(300, help="training samples: random features interpolate from N = n on", low=20, high=60_000)
    widths: tuple[int, ...] = param(
        (10, 20, 40, 60, 80, 100, 150, 200, 250, 350, 400, 600, 1000, 2000, 3000, 5000),
        help="numbers of random features N; n and n ± 7 % are always added",
        low=1,
        high=200_000,
        only={"model": (FEATURES,), "sweep": (WIDTH,)},
    )
    noise: float = param(
        0.2, help="chance that a training label is redrawn, in the noise arms (0: no such arms)", low=0.0, high=1.0
    )
    features: str = param(
        "relu", help="relu: max(0, w.x); fourier: cos(v.x + b)", choices=("relu", "fourier"), only=_FEATURES
    )
    sigma: float = param(
        5.0,
        help="width of the Gaussian kernel behind Fourier features",
        low=1e-3,
        high=1e3,
        only={"features": ("fourier",)},
    )
    validation: int = param(
        300, help="held-out samples that choose the ridge penalty", low=20, high=20_000, only=_FEATURES
    )
    test: int = param(2000, help="test samples at most (0: all)", low=0, high=100_000)
    size: int = param(
        300,
        help="sweeps of samples and epochs: the one N, or H, that they keep",
        low=1,
        high=100_000,
        only={"sweep": (SAMPLES, EPOCHS)},
    )
    samples: tuple[int, ...] = param(
        (30, 60, 100, 150, 200, 240, 360, 420, 500, 600, 750, 900),
        help="sweep of samples: numbers of training samples n; with random features N and N ± 7 % are always added",
        low=10,
        high=60_000,
        only={"sweep": (SAMPLES,)},
    )
    hidden: tuple[int, ...] = param(
        (3, 5, 8, 11, 14, 18, 22, 28, 36, 50, 80, 160, 400, 1000),
        help="network: numbers of hidden units H, or widths k of a network by name",
        low=1,
        high=100_000,
        only={"model": (NETWORK,), "sweep": (WIDTH, ENSEMBLE)},
    )
    network: str = param(
        PERCEPTRON,
        help="network: one hidden layer, or what is trained at every width k",
        choices=(PERCEPTRON, "resnet-18", "cnn-5"),
        only=_NETWORK,
    )
    start: str = param(
        INDEPENDENT,
        help="network: reuse starts every width from the trained one before it, new weights drawn from N(0, 0.01)",
        choices=(INDEPENDENT, REUSE),
        only=_NETWORK,
    )
    average: int = param(
        5, help="ensemble: networks whose outputs are averaged", low=2, high=1000, only={"sweep": (ENSEMBLE,)}
    )
    loss: str = param(
        "cross-entropy",
        help="network: squared is summed over the outputs; then n * classes equations stand against the parameters",
        choices=("cross-entropy", "squared"),
        only=_NETWORK,
    )
    init: str = param(
        "he-normal",
        help="network: initial weights",
        choices=("he-normal", "glorot-uniform", "torch"),
        only=_NETWORK,
    )
    optimiser: str = param("adam", help="network: sgd has momentum 0.95", choices=("adam", "sgd"), only=_NETWORK)
    lr: float = param(3e-3, help="network: learning rate", low=1e-7, high=100.0, only=_NETWORK)
    batch: int = param(50, help="network: batch size", low=2, high=100_000, only=_NETWORK)
    epochs: int = param(
        250,
        help="network: epochs (sweep of samples: of the most samples; all take as many steps)",
        low=1,
        high=100_000,
        only=_NETWORK,
    )
    decay: float = param(
        0.01,
        help="network without noisy labels: weight decay of the control arms",
        low=1e-8,
        high=10.0,
        unverified=True,
        only={"model": (NETWORK,), "noise": (0.0,)},
    )


def known(spec: RunSpec) -> data.DataSet:
    """Return the data set of a run; digits where it is one of somebody's own."""
    return data.known(spec.data)


def chosen(arms: Sequence[Arm], spec: RunSpec) -> list[Arm]:
    """Return the arms of a plan that a run launches."""
    return [arm for arm in arms if not spec.arms or arm.name in spec.arms]


def of_kind(arms: Sequence[Arm], kind: str) -> tuple[Arm, ...]:
    """Return the arms of one kind of labels (`noise`, `clean`) or of fit, as their names begin with it."""
    return tuple(arm for arm in arms if arm.name.split("-")[0] == kind)


def check_fits(spec: RunSpec, field: str, n: int, held: int = 0) -> None:
    """Raise BadValue where so many training and validation samples are more than the data set has."""
    found = data.DATASETS.get(spec.data)
    if found and n + held > found.train:
        also = f" and validation = {held}" if held else ""
        raise BadValue(
            f"{field} = {n}{also} do not fit the {found.train} training samples of {spec.data}",
            f"{field} at most {found.train - held}",
        )
