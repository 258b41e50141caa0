"""Deep narrow perceptrons with and without shortcuts, trained by Adam to one training loss: to be sliced.

What the engine does not have are the shortcuts. Networks of one kind are a stack: batched products, autograd, each
member from its own seed; whoever has reached the loss leaves its stack.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genlab_tui.training import seeds as streams
from genlab_tui.training.batches import bounds
from genlab_tui.training.flat_adam import BETA_1, BETA_2, EPSILON
from genlab_tui.training.members import Samples
from genlab_tui.training.nets import Net, accuracies, gradients, losses

PART = 1024
"""Samples that a look takes at a time."""


@dataclass(frozen=True)
class Plan:
    """How every network is trained: to a training loss of `target` at the end of an epoch, or for all `epochs`."""

    lr: float
    batch: int
    epochs: int
    target: float
    snapshots: int


@dataclass(frozen=True)
class Trained:
    """A network that has ended (`loss`, `epochs` or `diverged`): its numbers [P] and snapshots [T, P], itself last."""

    end: str
    epoch: int
    numbers: Tensor
    snapshots: Tensor
    values: Mapping[str, float]


def network(sizes: tuple[int, ...], shortcuts: bool) -> Net:
    """Return the shape of a network."""
    return Net(sizes, residual=shortcuts)


def start(net: Net, seeds: Sequence[int]) -> Tensor:
    """Draw numbers [M, P]: He's, the same with and without shortcuts; over a shortcut times 1 / sqrt(depth).

    So the variance of what a network with shortcuts carries grows by a factor that depth does not change.
    """
    flat = net.initial(seeds)
    if net.residual:
        for matrix in net.split(flat)[0][1:-1]:
            matrix.mul_(1 / math.sqrt(len(net.sizes) - 2))
    return flat


class Stack:
    """Networks of one arm on one core: `places[i]` is where seed i stands among the samples."""

    def __init__(self, arm: str, net: Net, seeds: Sequence[int], places: Sequence[int], data: Samples, plan: Plan):
        self.arm, self.net, self.seeds, self.data, self.plan = arm, net, tuple(seeds), data, plan
        self.places = tuple(places)
        self.flat = start(net, seeds).to(data.inputs.device)
        self.first, self.second = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        self.alive = list(range(len(seeds)))
        self.epoch, self.steps, self.gap = 0, 0, 1
        self.snapshots = [self.flat.clone()]
        self.losses = [math.nan] * len(seeds)
        self.ended: dict[int, Trained] = {}

    def run(self) -> None:
        """Train an epoch and look; those that have ended leave."""
        if not self.alive:
            return
        self.train()
        self.look()

    def train(self) -> None:
        """Take the steps of an epoch."""
        inputs, labels = self.data.inputs, self.data.labels
        n, device = self.data.n, inputs.device
        rows = [streams.generator(self.seeds[i], streams.ORDER, self.epoch) for i in self.alive]
        order = torch.stack([torch.randperm(n, generator=row) for row in rows]).to(device)
        place = torch.tensor([self.places[i] for i in self.alive], device=device)[:, None]
        for first, last in bounds(n, self.plan.batch):
            chosen = order[:, first:last]
            x, y = inputs[place, chosen], labels[place, chosen]
            self.step(gradients(lambda flat: losses(self.net, flat, x, y), self.flat)[1])  # noqa: B023
        self.epoch += 1
        if self.epoch % self.gap == 0:
            self.snapshots.append(self.flat.clone())
            if len(self.snapshots) > self.plan.snapshots:
                self.snapshots, self.gap = self.snapshots[::2], 2 * self.gap

    def step(self, slope: Tensor) -> None:
        """Take one step of Adam, in place."""
        self.steps += 1
        self.first.lerp_(slope, 1 - BETA_1)
        self.second.mul_(BETA_2).addcmul_(slope, slope, value=1 - BETA_2)
        below = self.second.sqrt().div_(math.sqrt(1 - BETA_2**self.steps)).add_(EPSILON)
        self.flat.addcdiv_(self.first, below, value=-self.plan.lr / (1 - BETA_1**self.steps))

    def score(self, flat: Tensor, places: Sequence[int], part: str = "train") -> tuple[list[float], list[float]]:
        """Return loss and accuracy of networks [M, P] on all training or test samples."""
        inputs, labels = self.data.inputs, self.data.labels
        if part == "test":
            inputs, labels = self.data.test_inputs, self.data.test_labels
        at = torch.tensor(list(places), device=inputs.device)
        n = inputs.shape[1]
        loss = torch.zeros(len(flat), dtype=torch.float64, device=inputs.device)
        right = torch.zeros_like(loss)
        with torch.no_grad():
            for first in range(0, n, PART):
                last = min(first + PART, n)
                x, y = inputs[at, first:last], labels[at, first:last]
                loss += (last - first) * losses(self.net, flat, x, y).double()
                right += (last - first) * accuracies(self.net, flat, x, y)
        return (loss / n).tolist(), (right / n).tolist()

    def look(self) -> None:
        """Measure the training loss; let go of those that have reached it, diverged, or had all epochs."""
        found, right = self.score(self.flat, [self.places[i] for i in self.alive])
        staying = []
        for row, (i, loss, accuracy) in enumerate(zip(self.alive, found, right, strict=True)):
            self.losses[i] = loss
            end = "" if math.isfinite(loss) else "diverged"
            end = end or ("loss" if loss <= self.plan.target else "")
            end = end or ("epochs" if self.epoch >= self.plan.epochs else "")
            if end:
                self.ended[i] = self.leave(row, i, end, loss, accuracy)
            else:
                staying.append(row)
        if len(staying) < len(self.alive):
            self.alive = [self.alive[row] for row in staying]
            self.flat, self.first, self.second = (t[staying] for t in (self.flat, self.first, self.second))
            self.snapshots = [snapshot[staying] for snapshot in self.snapshots]

    def leave(self, row: int, i: int, end: str, loss: float, accuracy: float) -> Trained:
        """Return a network as it leaves."""
        numbers = self.flat[row].clone()
        way = [snapshot[row] for snapshot in self.snapshots]
        if self.epoch % self.gap:
            way.append(numbers)
        values = {"train_loss": math.nan, "train_accuracy": math.nan, "test_loss": math.nan, "test_accuracy": math.nan}
        if end != "diverged":
            (test,), (right,) = self.score(numbers[None], [self.places[i]], "test")
            values = {"train_loss": loss, "train_accuracy": accuracy, "test_loss": test, "test_accuracy": right}
        values |= {"epochs": float(self.epoch), "steps": float(self.steps)}
        return Trained(end, self.epoch, numbers, torch.stack(way), values)

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return what a checkpoint needs: arrays and the rest."""
        arrays = {"flat": self.flat, "first": self.first, "second": self.second}
        if self.alive:
            arrays["snapshots"] = torch.stack(self.snapshots)
        for i, one in self.ended.items():
            arrays |= {f"numbers {i}": one.numbers, f"snapshots {i}": one.snapshots}
        meta = {
            "alive": self.alive,
            "gap": self.gap,
            "epoch": self.epoch,
            "steps": self.steps,
            "losses": [str(loss) for loss in self.losses],
            "ended": [[i, o.end, o.epoch, {k: str(v) for k, v in o.values.items()}] for i, o in self.ended.items()],
        }
        return {name: tensor.clone() for name, tensor in arrays.items() if tensor.numel()}, meta

    def restore(self, arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        device, none = self.data.inputs.device, self.flat[:0]

        def given(name: str) -> Tensor:
            return torch.as_tensor(arrays[name]).clone().to(device) if name in arrays else none

        self.flat, self.first, self.second = given("flat"), given("first"), given("second")
        self.snapshots = list(given("snapshots"))
        self.alive = [int(i) for i in meta["alive"]]
        self.gap, self.epoch, self.steps = int(meta["gap"]), int(meta["epoch"]), int(meta["steps"])
        self.losses = [float(loss) for loss in meta["losses"]]
        self.ended = {
            int(i): Trained(
                end,
                int(epoch),
                given(f"numbers {i}"),
                given(f"snapshots {i}"),
                {name: float(value) for name, value in values.items()},
            )
            for i, end, epoch, values in meta["ended"]
        }
