"""Optimisers on the one buffer that holds all members: a handful of passes whatever the number of tensors.

Written out because `torch.optim` costs a second to import and one kernel per tensor to run.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

from genlab_tui.errors import BadValue
from genlab_tui.training.population import Stack

CPU_CHUNK = 1 << 17
"""Elements updated at a time on the CPU: the four arrays of a chunk stay in the cache between passes."""


class Optimiser(Protocol):
    """Turns gradients into updates. `Population.gradient` writes into `gradient`, keeping `keep` of what is there."""

    gradient: Stack
    keep: float

    def update(self, parameters: Stack, lr: float, step: int) -> None:
        """Apply the accumulated gradient; `step` counts from 1."""
        ...

    @property
    def state(self) -> dict[str, Stack]:
        """What has to be saved, and to be taken along when members leave."""
        ...

    def load(self, state: dict[str, Stack]) -> None:
        """Continue from a state."""
        ...


class SGD:
    """Gradient descent with momentum: v = momentum * v + g, w -= lr * v. `gradient` is the velocity itself."""

    def __init__(self, like: Stack, momentum: float) -> None:
        self.gradient, self.keep = like.like(), momentum

    def update(self, parameters: Stack, lr: float, step: int) -> None:
        parameters.flat.add_(self.gradient.flat, alpha=-lr)

    @property
    def state(self) -> dict[str, Stack]:
        return {"velocity": self.gradient}

    def load(self, state: dict[str, Stack]) -> None:
        self.gradient = state["velocity"]


class Adam:
    """Adam (Kingma & Ba 2015, arXiv 1412.6980) with bias correction."""

    def __init__(self, like: Stack, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.gradient, self.keep = like.like(), 0.0
        self.first, self.second = like.like(), like.like()
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def update(self, parameters: Stack, lr: float, step: int) -> None:
        size = lr / (1 - self.beta1**step)
        spread = math.sqrt(1 - self.beta2**step)
        for w, g, m, v in zip(
            *(_chunks(stack.flat) for stack in (parameters, self.gradient, self.first, self.second)), strict=True
        ):
            m.lerp_(g, 1 - self.beta1)
            v.mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)
            w.addcdiv_(m, v.sqrt().div_(spread).add_(self.epsilon), value=-size)

    @property
    def state(self) -> dict[str, Stack]:
        return {"first": self.first, "second": self.second}

    def load(self, state: dict[str, Stack]) -> None:
        self.first, self.second = state["first"], state["second"]
        self.gradient = self.first.like()


def make(name: str, like: Stack, momentum: float) -> Optimiser:
    """Return an optimiser by its name, `sgd` or `adam`; raises BadValue."""
    if name == "sgd":
        return SGD(like, momentum)
    if name == "adam":
        return Adam(like)
    raise BadValue(f"there is no optimiser {name!r}", "known: adam, sgd")


def decay_weights(parameters: Stack, weights: int, factor: float) -> None:
    """Multiply the weight matrices (the first `weights` entries a member) by a factor: decoupled weight decay."""
    parameters.flat[: weights * parameters.members].mul_(factor)


def add_l1(gradient: Stack, parameters: Stack, weights: int, coefficient: float) -> None:
    """Add the gradient of coefficient * sum |w| over the weight matrices."""
    count = weights * parameters.members
    gradient.flat[:count].add_(parameters.flat[:count].sign(), alpha=coefficient)


def _chunks(flat: Tensor) -> tuple[Tensor, ...]:
    return torch.split(flat, CPU_CHUNK) if flat.device.type == "cpu" else (flat,)
