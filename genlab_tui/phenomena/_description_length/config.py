"""Description length: thresholds, fields, arms, sizes, and what a run will cost."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.models import networks
from genlab_tui.models.mlp import parameter_count
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost
from genlab_tui.training.prequential import splits

# Thresholds, fixed before any run that is judged by them.
COMPRESSES = 0.5  # code length over that of the uniform code n log2 K, true labels: at most
NOISE = 1.0  # the same of random labels: at least
NO_LONGER = 1.1  # code length of the largest network over that of the one before it: at most
RANKS = 0.8  # rank correlation of code length and test error, on means over seeds
ABOVE_CHANCE = 0.3  # how far above guessing a test accuracy is that nobody calls luck
DROP = 0.005  # test accuracy that pruning and quantising may cost

TRUE, RANDOM = "true", "random"
LOGISTIC = "logistic"
TEMPERATURE, MIXTURE = "temperature", "mixture"


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    n: int = param(0, help="labels to send (0: the whole training set)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    models: tuple[str, ...] = param(
        (LOGISTIC, "1x32", "1x128", "2x256"),
        help="smallest first: logistic, a perceptron LAYERSxWIDTH, or a network by name; the last one is what the main "
        "claim is about",
        distinct=True,
    )
    first: int = param(8, help="labels of the first block, sent with the uniform code; blocks double", low=4, high=4096)
    optimiser: str = param("adam", help="sgd has a momentum of 0.9", choices=("adam", "sgd"))
    lr: float = param(1e-3, help="learning rate", low=1e-7, high=100.0)
    batch: int = param(64, help="batch size", low=2, high=100_000)
    epochs: int = param(60, help="epochs of each training; the weights of the best one count", low=1, high=100_000)
    calibration: str = param(
        TEMPERATURE,
        help="temperature fitted on the held-out tenth of the labels sent so far, or nothing but a ten-thousandth of "
        "the uniform code mixed in (which both have)",
        choices=(TEMPERATURE, MIXTURE),
    )
    quantised: tuple[int, ...] = param(
        (3, 4, 5, 6, 8),
        help="bits of a weight that are tried in the pruned and quantised two-part code",
        low=1,
        high=12,
        distinct=True,
    )


# --- models and arms --------------------------------------------------------------------------------------------------


def hidden_of(model: str) -> tuple[int, ...] | None:
    """Return the hidden widths of a perceptron, () of logistic regression; None for a network by name."""
    if model == LOGISTIC:
        return ()
    found = re.fullmatch(r"([1-9]\d?)x([1-9]\d{0,4})", model)
    return (int(found[2]),) * int(found[1]) if found else None


def parameters(model: str, spec: RunSpec) -> int | None:
    """Return the weights and biases of a perceptron; None for a network by name."""
    hidden, known = hidden_of(model), data_of(spec)
    return None if hidden is None else parameter_count(known.features, hidden, known.classes)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm per model with true labels, and one with random labels as control. Raises BadValue."""
    known = data_of(spec)
    for model in config.models:
        if hidden_of(model) is not None:
            continue
        networks.check(model, known.shape)
        network, _ = networks.resolve(model)
        if "batch-norm" in spec.regularisers and network.has_batch_norm == "never":
            raise BadValue(f"{model} has no batch norm", "switch it off, or leave the model out")
    if len(config.models) < 2:
        raise BadValue(f"models = {config.models[0]}: with one model there is nothing to compare", "give two or more")
    sizes = [(parameters(model, spec), model) for model in config.models]
    counted = [(size, model) for size, model in sizes if size is not None]
    if counted != sorted(counted):
        order = " ".join(model for _, model in sorted(counted))
        raise BadValue("models go from the smallest to the largest", f"nearest valid value: {order}")
    n = samples_of(config, spec)[0]
    if n < 2 * config.first:
        raise BadValue(f"n = {n} leaves no second block of labels", f"nearest valid value: {2 * config.first}")
    return tuple(
        Arm(
            arm_of(kind, model),
            f"{model}, {kind} labels",
            {"labels": kind, "model": model, "parameters": float(parameters(model, spec) or 0)},
            control=kind == RANDOM,
        )
        for kind in (TRUE, RANDOM)
        for model in config.models
    )


def arm_of(kind: str, model: str) -> str:
    """Return the name of an arm: `true-2x256`."""
    return f"{kind}-{model}"


def data_of(spec: RunSpec) -> data.DataSet:
    """Return the declaration of a run's data set."""
    return data.known(spec.data)


def samples_of(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return data_of(spec).at_most(config.n, config.test)


def uniform_bits(config: Config, spec: RunSpec) -> float:
    """Return the length of the uniform code: n log2 K."""
    return samples_of(config, spec)[0] * math.log2(data_of(spec).classes)


# --- cost -------------------------------------------------------------------------------------------------------------

STEP_SECONDS = 6e-4  # of one step of a small population on the CPU beside its arithmetic: measured
LOOKS = 8.0  # epochs of the test set that finding a pruned and quantised network is worth
UNKNOWN = 1e6  # parameters of a network by name, for the memory alone


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    n, test = samples_of(config, spec)
    sizes = [*splits(config.first, n), n]
    steps = config.epochs * sum(math.ceil(size / config.batch) for size in sizes)
    seconds, depths = 0.0, set()
    for arm in arms:
        model = str(arm.factors["model"])
        hidden = hidden_of(model)
        if hidden is None:
            work = networks.multiplications(model, data_of(spec).shape)
            every = [float(config.epochs)] * spec.seeds
            seconds += sum(cost.network_seconds(work, size, every, spec.device) - cost.START for size in sizes)
            seconds += cost.network_seconds(work, test, [LOOKS] * spec.seeds, spec.device) - cost.START
            continue
        depths.add(len(hidden))
        count = parameters(model, spec) or 0
        work = 6.6 * count * sum(sizes) * config.epochs + 60.0 * steps * count
        seconds += spec.seeds * work / cost.FLOPS_PER_SECOND[cost.kind_of(spec.device)]
    seconds += len(depths) * steps * STEP_SECONDS
    each = seed_bytes(config, spec)
    together = min(spec.seeds, cost.at_once(each, spec.device))
    return Estimate(len(arms) * spec.seeds * len(sizes), cost.START + seconds, each * together)


def seed_bytes(config: Config, spec: RunSpec) -> float:
    """Return the memory of one seed: its inputs; weights, gradient, moments and best weights of its networks."""
    n, test = samples_of(config, spec)
    stored = sum(2 * 5 * (parameters(model, spec) or UNKNOWN) for model in config.models)
    return 4.0 * (2 * (n + test) * data_of(spec).features + stored)
