"""Random labels: fields, arms, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.models import networks
from genlab_tui.models.mlp import HIDDEN, parameter_count
from genlab_tui.phenomenon import (
    Arm,
    Estimate,
    param,
)
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

FITTED = 0.995  # training accuracy that counts as having fitted
QUICK_EPOCHS = 100
CONVOLUTIONAL = ("small-alexnet", "small-inception")
PARAMETERS = {"small-alexnet": 1.39e6, "small-inception": 1.65e6}  # on 28x28x3 images
FRESH_EPOCHS = 20  # of a convolutional network on labels drawn anew: fixed ones are partly fitted by then

INPUTS = {
    "shuffled-pixels": "shuffled pixels",
    "random-pixels": "random pixels",
    "gaussian": "Gaussian inputs",
}
FRESH = "fresh-labels"
CHANCE = 0.1  # every data set here has ten classes


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    n: int = param(1000, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(1000, help="test samples at most (0: all)", low=0, high=1_000_000)
    network: str = param(
        "mlp-2x512",
        help="perceptron: layers x width; small AlexNet or Inception: images, batch norm by its toggle",
        choices=(*HIDDEN, *CONVOLUTIONAL),
    )
    corruption: tuple[float, ...] = param(
        (0.2, 0.4, 0.6, 0.8),
        help="chances that a label is replaced by a random class (0 and 1 are always there)",
        low=0.001,
        high=0.999,
    )
    optimiser: str = param("adam", help="sgd has momentum 0.9", choices=("adam", "sgd"))
    lr: float = param(1e-3, help="learning rate at the start", low=1e-7, high=100.0)
    decay: float = param(1.0, help="factor on the learning rate after every epoch", low=0.1, high=1.0)
    batch: int = param(100, help="batch size (the paper does not state it)", low=2, high=100_000, unverified=True)
    epochs: int = param(300, help="epochs at most (the paper does not state it)", low=1, high=100_000, unverified=True)
    target: float = param(FITTED, help="training accuracy at which a network is done", low=0.1, high=1.0)
    whiten: bool = param(False, help="whiten every image by itself, as the paper does, instead of all alike")
    crop: int = param(0, help="centre crop of images to this side (0: none)", low=0, high=1000, unit="pixels")
    precision: str = param(
        "float32",
        help="of a convolutional network's products; bf16 is faster",
        choices=("float32", "bf16"),
        only={"network": CONVOLUTIONAL},
    )


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: labels true to random, inputs destroyed, and the control. Raises BadValue."""
    shape = data_of(spec).shape
    if config.crop and (len(shape) != 3 or config.crop > shape[-1]):
        raise BadValue(f"crop = {config.crop} does not fit inputs of {spec.data}", "nearest valid value: 0")
    if config.network in CONVOLUTIONAL:
        networks.check(config.network, (shape[0], config.crop, config.crop) if config.crop else shape)
        if config.network == "small-alexnet" and "batch-norm" in spec.regularisers:
            raise BadValue("batch-norm: the small AlexNet has none", "switch it off, or set network = small-inception")
    elif config.precision != "float32":
        raise BadValue(f"precision = {config.precision}: perceptrons train in float32", "nearest valid value: float32")
    levels = sorted({0.0, *config.corruption, 1.0})
    if len({name_of(p) for p in levels}) < len(levels):
        raise BadValue("two levels of corruption read the same", "leave one of them out")
    labels = [Arm(name_of(p), _label(p), {"corruption": p, "inputs": "true"}) for p in levels]
    inputs = [Arm(name, label, {"corruption": 0.0, "inputs": label}) for name, label in INPUTS.items()]
    fresh = Arm(FRESH, "fresh labels every epoch", {"corruption": 1.0, "inputs": "true"}, control=True)
    return (*labels, *inputs, fresh)


def name_of(corruption: float) -> str:
    return {0.0: "true", 1.0: "random"}.get(corruption, f"corrupt-{corruption:g}")


def _label(corruption: float) -> str:
    return {0.0: "true labels", 1.0: "random labels"}.get(corruption, f"{100 * corruption:g} % corrupted")


def data_of(spec: RunSpec) -> data.DataSet:
    return data.known(spec.data)


def sizes(config: Config, spec: RunSpec) -> tuple[int, int, int]:
    """Return training samples, test samples and features of a run."""
    known = data_of(spec)
    features = known.features if not config.crop else known.shape[0] * config.crop**2
    return *known.at_most(config.n, config.test), features


def expected_epochs(config: Config, spec: RunSpec, arm: Arm) -> float:
    """Guess the epochs that an arm needs: for the estimate and the progress bar alone.

    With a regulariser that may keep noise from being fitted, noise is expected to take all there are.
    """
    noise = float(arm.factors["corruption"])
    if config.network in CONVOLUTIONAL and arm.name == FRESH:
        return min(FRESH_EPOCHS, config.epochs)
    guess = {"gaussian": 6.0, "random-pixels": 14.0}.get(arm.name, 20.0 * (1.0 + noise))
    if cost.SLOWING & spec.regularisers.keys():
        guess = config.epochs if noise else 2 * guess
    return min(guess if config.optimiser == "adam" else 3 * guess, config.epochs)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    n, _, features = sizes(config, spec)
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    epochs = [expected_epochs(config, spec, arm) for arm in arms] * spec.seeds
    if config.network in CONVOLUTIONAL:
        shape = (1, config.crop, config.crop) if config.crop else data_of(spec).shape
        work = networks.multiplications(config.network, shape)
        seconds = cost.network_seconds(work, n, epochs, spec.device, config.precision)
    else:
        size = _weights(config, spec, features)
        seconds = cost.seconds(size, n, config.batch, epochs, spec.device, spec.regularisers)
    each = seed_bytes(config, spec, len(arms))
    return Estimate(len(epochs), seconds, each * min(spec.seeds, cost.at_once(each, spec.device)))


def seed_bytes(config: Config, spec: RunSpec, arms: int) -> float:
    """Return the memory of one seed: its inputs, weights, gradient and two moments."""
    n, test, features = sizes(config, spec)
    return 4.0 * (len(INPUTS) + 1) * (n + test) * features + 16.0 * arms * _weights(config, spec, features)


def _weights(config: Config, spec: RunSpec, features: int) -> float:
    if config.network in CONVOLUTIONAL:
        return PARAMETERS[config.network]
    return parameter_count(features, HIDDEN[config.network], data_of(spec).classes)
