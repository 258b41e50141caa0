"""Optimisers on the one buffer that holds all members: a handful of passes whatever the number of tensors.

Written out because `torch.optim` costs a second to import and one kernel per tensor to run. Learning rate, momentum
and weight decay may differ from row to row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import torch
from torch import Tensor

from genlab_tui.training.layout import Stack
from genlab_tui.training.members import Recipe
from genlab_tui.training.strengths import Strengths, single

CPU_CHUNK = 1 << 17
"""Elements updated at a time on the CPU: the arrays of a chunk stay in the cache between passes."""

FUSED: Callable[..., Any] | None = getattr(torch, "_fused_adamw_", None)
"""The one-pass kernel behind torch's own AdamW, where this torch has it: a quarter of the time of separate passes."""


class Optimiser(Protocol):
    """Turns gradients into updates. `Population.gradient` writes into `gradient`, keeping `keep` of what is there.

    `scale` [rows] multiplies the derivative of each row's loss, or is None.
    """

    gradient: Stack
    keep: float
    scale: Tensor | None

    def prepare(self) -> None:
        """Come before the gradient of a step is accumulated."""
        ...

    def update(self, parameters: Stack, factor: float | Tensor, step: int | Tensor) -> None:
        """Apply the accumulated gradient at `factor` times each row's learning rate; `step` counts from 1."""
        ...

    @property
    def state(self) -> dict[str, Stack]:
        """What has to be saved, and to be taken along when members leave."""
        ...

    def load(self, state: dict[str, Stack]) -> None:
        """Continue from a state."""
        ...


class SGD:
    """Gradient descent with momentum: v = momentum * v + g, w -= lr * v; Nesterov's: w -= lr * (g + momentum * v).

    Where learning rates differ, a row's is multiplied into its derivative, at no extra cost: `folded`, also once all
    rows that are left have the same one, as the velocity holds it. `gradient` is the velocity itself, except with
    Nesterov's momentum.
    """

    def __init__(self, like: Stack, strengths: Strengths, *, nesterov: bool = False, folded: bool = False) -> None:
        self.strengths, self.nesterov = strengths, nesterov
        self.gradient = like.like()
        self.velocity = like.like() if nesterov else self.gradient
        lr = None if folded else single(strengths.lr)
        self._lr = 1.0 if lr is None else lr
        rates = torch.tensor(strengths.lr, dtype=like.flat.dtype, device=like.flat.device)
        self.scale: Tensor | None = rates if lr is None else None
        common = single(strengths.momentum)
        self._momentum = common if common is not None else _values(strengths.momentum)
        self._spread: list[Tensor] | None = None
        self.keep = 0.0 if nesterov else common if common is not None else 1.0

    def prepare(self) -> None:
        if not self.nesterov and isinstance(self._momentum, Tensor):
            self._shrink()

    def _shrink(self) -> None:
        if isinstance(self._momentum, Tensor):
            if self._spread is None:
                self._spread = self.velocity.spread(self._momentum)
            for (part, *_), momentum in zip(self.velocity.parts(), self._spread, strict=True):
                part.mul_(momentum)
        else:
            self.velocity.flat.mul_(self._momentum)

    def update(self, parameters: Stack, factor: float | Tensor, step: int | Tensor) -> None:
        if not self.nesterov:
            _descend(parameters.flat, self.gradient.flat, factor, self._lr)
            return
        self._shrink()
        self.velocity.flat.add_(self.gradient.flat)
        _descend(parameters.flat, self.gradient.flat, factor, self._lr)
        if isinstance(self._momentum, Tensor):
            assert self._spread is not None
            for (w, *_), (v, *_), momentum in zip(parameters.parts(), self.velocity.parts(), self._spread, strict=True):
                _descend(w, v * momentum, factor, self._lr)
        else:
            _descend(parameters.flat, self.velocity.flat, factor, self._lr * self._momentum)

    @property
    def state(self) -> dict[str, Stack]:
        return {"velocity": self.velocity}

    def load(self, state: dict[str, Stack]) -> None:
        self.velocity = state["velocity"]
        self.gradient = self.velocity.like() if self.nesterov else self.velocity
        self._spread = None


class Adam:
    """Adam (Kingma & Ba 2015, arXiv 1412.6980) with bias correction, beta = (0.9, 0.999)."""

    def __init__(
        self, like: Stack, strengths: Strengths, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        self.gradient, self.keep = like.like(), 0.0
        self.scale: Tensor | None = None
        self.first, self.second = like.like(), like.like()
        self.strengths, self.beta1, self.beta2, self.epsilon = strengths, beta1, beta2, epsilon
        self._views: list[tuple[float, list[list[Tensor]]]] | None = None
        self._of: Stack | None = None

    def prepare(self) -> None:
        pass

    def update(self, parameters: Stack, factor: float | Tensor, step: int | Tensor) -> None:
        if self._views is None or self._of is not parameters:
            self._views, self._of = self._groups(parameters), parameters
        for lr, tensors in self._views:
            self._step(tensors, lr * factor, step)

    def _groups(self, parameters: Stack) -> list[tuple[float, list[list[Tensor]]]]:
        """Return, per learning rate, lists of parameters, gradients and both moments."""
        stacks = (parameters, self.gradient, self.first, self.second)
        common = single(self.strengths.lr)
        if common is not None:
            return [(common, [[stack.flat] for stack in stacks])]
        rates: dict[float, list[int]] = {}
        for row, lr in enumerate(self.strengths.lr):
            rates.setdefault(lr, []).append(row)
        return [
            (lr, [[view for row in rows for view in stack.tensors_of(row)] for stack in stacks])
            for lr, rows in rates.items()
        ]

    def _step(self, tensors: list[list[Tensor]], lr: float | Tensor, step: int | Tensor) -> None:
        if FUSED is not None:
            count = step if isinstance(step, Tensor) else torch.tensor(float(step), device=tensors[0][0].device)
            steps = [count] * len(tensors[0])  # it only reads them
            FUSED(
                *tensors,
                [],
                steps,
                lr=lr,
                beta1=self.beta1,
                beta2=self.beta2,
                weight_decay=0.0,
                eps=self.epsilon,
                amsgrad=False,
                maximize=False,
            )
            return
        size = float(lr) / (1 - self.beta1 ** int(step))
        spread = math.sqrt(1 - self.beta2 ** int(step))
        for whole in zip(*tensors, strict=True):
            for w, g, m, v in zip(*(_chunks(tensor.view(-1)) for tensor in whole), strict=True):
                m.lerp_(g, 1 - self.beta1)
                v.mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)
                w.addcdiv_(m, v.sqrt().div_(spread).add_(self.epsilon), value=-size)

    @property
    def state(self) -> dict[str, Stack]:
        return {"first": self.first, "second": self.second}

    def load(self, state: dict[str, Stack]) -> None:
        self.first, self.second = state["first"], state["second"]
        self.gradient = self.first.like()
        self._views = None


def make(recipe: Recipe, like: Stack, strengths: Strengths, *, folded: bool = False) -> Optimiser:
    """Return the optimiser of a program; `folded` if it goes on from one that had learning rates in its velocity."""
    if recipe.optimiser == "sgd":
        return SGD(like, strengths, nesterov=recipe.nesterov, folded=folded)
    return Adam(like, strengths)


class Penalties:
    """Weight decay and L1 on the weight matrices (never on biases or batch norm), row by row.

    `folded` says that the optimiser wants gradients already multiplied by the learning rates; `trains` is 0 where
    nothing changes a number, 1 elsewhere.
    """

    def __init__(self, like: Stack, strengths: Strengths, *, folded: bool, trains: Stack | None = None) -> None:
        self.like, self.trains = like, trains
        lr, decay, coupled = strengths.lr, strengths.of("weight-decay"), strengths.coupled
        scale = lr if folded else [1.0] * len(lr)
        self.l1 = self._scale([s * value for s, value in zip(scale, strengths.of("l1"), strict=True)])
        self.pull = self._scale([s * d if c else 0.0 for s, d, c in zip(scale, decay, coupled, strict=True)])
        self.shrink = self._scale([0.0 if c else rate * d for rate, d, c in zip(lr, decay, coupled, strict=True)])

    def _scale(self, values: Sequence[float]) -> float | list[Tensor]:
        common = single(values)
        return self.like.spread(_values(values)) if common is None else float(common)

    def add(self, gradient: Stack, parameters: Stack) -> None:
        """Add the gradients of the penalties that are part of the loss."""
        for amount, signs in ((self.l1, True), (self.pull, False)):
            for w, g, a in _weights(amount, parameters, gradient):
                term = w.sign() if signs else w
                if isinstance(a, float):
                    g.add_(term, alpha=a)
                else:
                    g.addcmul_(term, a)

    def decay(self, parameters: Stack, factor: float | Tensor) -> None:
        """Shrink the weight matrices: decoupled weight decay at `factor` times each row's learning rate."""
        for w, trains, shrink in _weights(self.shrink, parameters, self.trains or parameters):
            w.mul_(1 - factor * shrink * (1.0 if self.trains is None else trains))


def _weights(
    amount: float | list[Tensor], parameters: Stack, gradient: Stack
) -> Iterator[tuple[Tensor, Tensor, float | Tensor]]:
    """Yield weight matrices and their gradients with a coefficient: in one piece where it is the same for all."""
    if isinstance(amount, float):
        count = parameters.layout.weights
        if amount:
            yield parameters.flat[:count], gradient.flat[:count], amount
        return
    weights = len(parameters.layout.weight_shapes)
    for (w, *_), (g, *_), a in islice(zip(parameters.parts(), gradient.parts(), amount, strict=True), weights):
        yield w, g, a


def _descend(w: Tensor, direction: Tensor, factor: float | Tensor, rate: float) -> None:
    """Take `factor` * `rate` times a direction off."""
    if isinstance(factor, Tensor):
        w.addcmul_(direction, factor, value=-rate)
    else:
        w.add_(direction, alpha=-factor * rate)


def _values(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _chunks(flat: Tensor) -> tuple[Tensor, ...]:
    return torch.split(flat, CPU_CHUNK) if flat.device.type == "cpu" else (flat,)
