"""Saddle points: fields, arms, samples, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec

if TYPE_CHECKING:
    from genlab_tui.data import Arrays
    from genlab_tui.training.critical_points import Problem

NETWORK, CONVEX = "network", "convex"
START = 3.0  # seconds to start
RANK = 1e-9  # singular value over the largest one, below which samples do not vary along a component
LARGEST = 600  # numbers of a network: all its second derivatives are computed


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside the seeds."""

    n: int = param(200, help="training samples", low=20, high=100_000)
    classes: int = param(4, help="the first so many classes", low=2, high=10)
    inputs: int = param(3, help="principal components of the inputs that a network sees", low=1, high=100)
    hidden: int = param(5, help="tanh units of the only hidden layer", low=1, high=50)
    starts: int = param(48, help="searches a seed, each from its own initial weights", low=10, high=5000)
    train_steps: int = param(400, help="steps of Adam before the last search begins", low=1, high=100_000)
    lr: float = param(0.02, help="learning rate of Adam", low=1e-6, high=1.0)
    l2: float = param(2e-2, help="weight of half the squared length of all numbers in the loss", low=0.0, high=10.0)
    longest: float = param(0.5, help="longest step of Newton's method", low=1e-3, high=100.0)
    newton_steps: int = param(120, help="steps of Newton's method at most", low=1, high=100_000)
    tolerance: float = param(
        1e-9, help="length of the gradient at a point that counts as critical", low=1e-13, high=1e-3
    )


def sizes(config: Config, arm: str) -> tuple[int, ...]:
    """Return inputs, hidden units and outputs of an arm's network; the convex one has no hidden layer."""
    return (config.inputs, *((config.hidden,) if arm == NETWORK else ()), config.classes)


def numbers(config: Config) -> int:
    """Return how many numbers the network has."""
    return (config.inputs + 1) * config.hidden + (config.hidden + 1) * config.classes


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the network and the convex control. Raises BadValue where the network or the data do not fit."""
    if numbers(config) > LARGEST:
        fit = (LARGEST - config.classes) // (config.inputs + 1 + config.classes)
        raise BadValue(
            f"hidden = {config.hidden} makes {numbers(config)} numbers, more than {LARGEST}: all second derivatives "
            "are computed",
            f"nearest valid value: {fit}" if fit >= 1 else "fewer inputs",
        )
    known = data.known(spec.data)
    if config.classes > known.classes:
        raise BadValue(
            f"classes = {config.classes}, but {known.name} has {known.classes}", f"nearest valid value: {known.classes}"
        )
    if config.n > known.train:
        raise BadValue(
            f"n = {config.n}, but {known.name} has {known.train} training samples",
            f"nearest valid value: {known.train}",
        )
    if config.inputs > min(known.features, config.n - 1):
        most = min(known.features, config.n - 1)
        raise BadValue(
            f"inputs = {config.inputs} principal components, there are {most}", f"nearest valid value: {most}"
        )
    return (
        Arm(NETWORK, f"{config.hidden} tanh units", {"hidden": config.hidden}),
        Arm(CONVEX, "no hidden layer", {"hidden": 0}, control=True),
    )


def seconds_of(config: Config) -> float:
    """Return about how long one seed takes: the Hessians of all searches, step by step."""
    size = numbers(config)
    newton = config.newton_steps * size * (4e-4 + config.starts * config.n * size * 4e-10)
    return newton * 0.7 + config.train_steps * 2e-3


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return searches, seconds and bytes."""
    arms = [arm for arm in (NETWORK, CONVEX) if not spec.arms or arm in spec.arms]
    size = numbers(config)
    memory = config.starts * (4.0 * size * size + 6.0 * config.n * (config.hidden + config.classes)) * 8
    return Estimate(config.starts * len(arms) * spec.seeds, START + spec.seeds * seconds_of(config), 2.5e8 + memory)


def problem(config: Config, arm: str, arrays: Arrays, seed: int) -> Problem:
    """Draw a seed's samples and return the problem of an arm: principal components of unit spread, one-hot targets.

    Raises BadValue where the chosen classes have fewer samples than `n`, or the samples fewer directions than `inputs`.
    """
    import numpy as np
    import torch

    from genlab_tui.data.arrays import one_hot, split
    from genlab_tui.training.critical_points import Problem
    from genlab_tui.training.nets import Net

    part = split(arrays, 0, seed)
    kept = np.flatnonzero(part.y_train < config.classes)[: config.n]
    if len(kept) < config.n:
        raise BadValue(
            f"n = {config.n}, but the first {config.classes} classes have {len(kept)} training samples",
            f"nearest valid value: {len(kept)}",
        )
    x = part.x_train[kept].reshape(config.n, -1).astype(np.float64)
    x -= x.mean(axis=0)
    _, spreads, axes = np.linalg.svd(x, full_matrices=False)
    rank = int((spreads >= RANK * spreads[0]).sum())
    if config.inputs > rank:  # dividing by what rounding left would make an input of noise
        raise BadValue(
            f"inputs = {config.inputs} principal components, but the {config.n} samples of seed {seed} vary in {rank}",
            f"nearest valid value: {rank}",
        )
    seen = x @ axes[: config.inputs].T
    seen /= seen.std(axis=0)
    targets = one_hot(part.y_train[kept], config.classes)
    return Problem(Net(sizes(config, arm), "tanh"), torch.from_numpy(seen), torch.from_numpy(targets), config.l2)
