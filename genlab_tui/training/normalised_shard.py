"""Perceptrons with and without normalisation that take their steps as one batch: samples, noise, evaluation, probes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab_tui.training import normalised
from genlab_tui.training import seeds as streams
from genlab_tui.training.normalised import KINDS, Layer, Make, Weights
from genlab_tui.training.shift_probes import probe

ROWS = 4_000_000
"""Numbers of a layer that are evaluated at once, about."""
TARGETS = "linear map"
INPUTS = "gaussian inputs"


@dataclass(frozen=True)
class Net:
    """A member: its arm, its seed, its kind (one of KINDS), its learning rate; `probed` ones are looked into."""

    arm: str
    seed: int
    kind: str
    lr: float
    probed: bool = True


@dataclass(frozen=True)
class Task:
    """The samples of some seeds: inputs [seeds, n, d], targets [seeds, n] or [seeds, n, outputs]; those of test."""

    seeds: tuple[int, ...]
    inputs: Tensor
    targets: Tensor
    test_inputs: Tensor
    test_targets: Tensor
    outputs: int


@dataclass(frozen=True)
class Plan:
    """How all members are trained: hidden widths, initial gain, batch size, number of steps, looks and probes.

    `factors` are steps along the gradient as multiples of the learning rate; `linear` networks train on all samples.
    """

    hidden: tuple[int, ...]
    gain: float
    batch: int
    steps: int
    looks: int
    probes: int
    factors: tuple[float, ...]
    linear: bool = False
    dtype: torch.dtype = torch.float32


def gaussian_task(seeds: Sequence[int], n: int, width: int, device: str) -> Task:
    """Draw, for each seed, Gaussian inputs and their images under a Gaussian matrix of its own, float64."""
    xs, ys = [], []
    for seed in seeds:
        x = torch.randn(n, width, generator=streams.generator(seed, INPUTS), dtype=torch.float64)
        a = torch.randn(width, width, generator=streams.generator(seed, TARGETS), dtype=torch.float64)
        xs.append(x)
        ys.append(x @ a)
    x, y = torch.stack(xs).to(device), torch.stack(ys).to(device)
    return Task(tuple(seeds), x, y, x[:, :0], y[:, :0], width)


def spaced(total: int, count: int, power: float) -> list[int]:
    """Return the steps 0 to `total` at (k / count) ** power of it, each once."""
    return sorted({round(total * (k / count) ** power) for k in range(count + 1)})


class Trainer:
    """Members that take their steps as one batch of matrices: all of a group of seeds, or a part of them."""

    def __init__(self, nets: Sequence[Net], task: Task, plan: Plan) -> None:
        self.nets = sorted(nets, key=lambda net: KINDS.index(net.kind))
        self.plan, self.task = plan, task
        self.row = [task.seeds.index(net.seed) for net in self.nets]
        kinds = [net.kind for net in self.nets]
        self.make = Make(tuple(kinds.count(kind) for kind in KINDS), plan.linear)
        self.probed = [i for i, net in enumerate(self.nets) if net.probed]
        device = task.inputs.device
        self.lr = torch.tensor([net.lr for net in self.nets], dtype=plan.dtype, device=device)
        self.factors = torch.tensor(plan.factors, dtype=torch.float64, device=device)
        widths = (task.inputs.shape[2], *plan.hidden, task.outputs)
        # A seed's draw is made once: its arms begin with the same matrices.
        drawn = normalised.draw(self.task.seeds, widths, plan.gain, plan.dtype, str(device))
        self.weights = drawn.only(self.row)
        self.n = task.inputs.shape[1]
        self.batch = self.n if plan.linear else plan.batch
        self.per_epoch = max(self.n // self.batch, 1)
        self.step = 0
        self.probes: list[Tensor] = []  # [probes, probed] each
        self.evals: list[Tensor] = []  # [train loss, train accuracy, test accuracy; M] each
        self.order = (-1, torch.zeros(0))

    # --- samples and noise --------------------------------------------------------------------------------------------

    def samples(self, step: int, members: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the samples and targets of a step, for some members; incomplete batches are left out."""
        rows = [self.row[i] for i in members]
        if self.plan.linear:
            return self.task.inputs[rows], self.task.targets[rows]
        epoch, place = divmod(step, self.per_epoch)
        if self.order[0] != epoch:
            drawn = [
                torch.randperm(self.n, generator=streams.generator(s, streams.ORDER, epoch)) for s in self.task.seeds
            ]
            self.order = (epoch, torch.stack(drawn).to(self.task.inputs.device))
        at = self.order[1][:, place * self.batch : (place + 1) * self.batch]
        x = self.task.inputs.gather(1, at[:, :, None].expand(-1, -1, self.task.inputs.shape[2]))
        return x[rows], self.task.targets.gather(1, at)[rows]

    def noise(self, step: int, members: Sequence[int], dtype: torch.dtype) -> list[Layer] | None:
        """Return the noise of a step for the noisy ones among some members."""
        rows = [self.row[i] for i in members if "noise" in self.nets[i].kind]
        if not rows:
            return None
        like = torch.zeros(0, dtype=dtype, device=self.lr.device)
        layers, width = len(self.plan.hidden), self.plan.hidden[0]
        drawn = normalised.noise_at(self.task.seeds, step, layers, self.batch, width, like)
        return [(s[rows][:, None], m[rows][:, None]) for s, m in drawn]

    # --- one step, one look, one probe --------------------------------------------------------------------------------

    def advance(self) -> None:
        """Take one step of gradient descent."""
        everyone = range(len(self.nets))
        x, y = self.samples(self.step, everyone)
        noise = self.noise(self.step, everyone, self.plan.dtype)
        _, gradient = normalised.gradients(self.weights, x, y, self.make, noise)
        self.weights = normalised.stepped(self.weights, gradient, self.lr)
        self.step += 1

    @torch.no_grad()
    def look(self) -> None:
        """Note training loss, training accuracy and test accuracy [3, M]: statistics of all training samples.

        Noise stands at its mean.
        """
        rows = (self.n + self.task.test_inputs.shape[1]) * max(self.task.inputs.shape[2], *self.plan.hidden)
        size = max(ROWS // rows, 1)
        parts = []
        for start in range(0, len(self.nets), size):
            own = list(range(start, min(start + size, len(self.nets))))
            make, place = self.make.only(own), [self.row[i] for i in own]
            x = torch.cat((self.task.inputs[place], self.task.test_inputs[place]), 1)
            noise = normalised.mean_noise(len(self.plan.hidden), x)
            out = normalised.forward(self.weights.only(own), x[:, None], make, noise, own=self.n)
            train, test = out[:, :, : self.n], out[:, 0, self.n :]
            loss = normalised.losses(train, self.task.targets[place], make)[:, 0]
            if self.plan.linear:
                accuracies = [torch.full_like(loss, math.nan)] * 2
            else:
                hits = (
                    train[:, 0].argmax(-1) == self.task.targets[place],
                    test.argmax(-1) == self.task.test_targets[place],
                )
                finite = torch.isfinite(loss)
                accuracies = [torch.where(finite, hit.to(loss.dtype).mean(1), math.nan) for hit in hits]
            parts.append(torch.stack((loss, *accuracies)))
        self.evals.append(torch.cat(parts, 1).cpu())

    def inspect(self) -> None:
        """Note what the step to come does to the probed members [probes, probed], in float64."""
        x, y = self.samples(self.step, self.probed)
        now, then = (self.noise(self.step + k, self.probed, torch.float64) for k in (0, 1))
        found = probe(
            self.weights.only(self.probed).to(torch.float64),
            self.lr[self.probed].to(torch.float64),
            self.factors,
            x.to(torch.float64),
            y.to(torch.float64) if self.plan.linear else y,
            self.make.only(self.probed),
            now,
            then,
        )
        self.probes.append(found.cpu())

    # --- between two looks --------------------------------------------------------------------------------------------

    def run_to(self, step: int, *, look: bool, inspect: bool) -> None:
        """Take the steps up to one; evaluate and probe there where asked."""
        while self.step < step:
            self.advance()
        if look:
            self.look()
        if inspect and self.probed:
            self.inspect()

    def save(self) -> dict[str, Tensor]:
        """Return the state after the last whole step."""
        arrays = {f"weights {k}": tensor for k, tensor in enumerate(self.weights.all)}
        arrays["evals"] = torch.stack(self.evals)
        if self.probes:
            arrays["probes"] = torch.stack(self.probes)
        return arrays

    def restore(self, arrays: Mapping[str, Tensor], step: int) -> None:
        """Go on from a saved state."""
        tensors = [arrays[f"weights {k}"] for k in range(len(self.weights.all))]
        self.weights = Weights.of([tensor.to(self.lr.device) for tensor in tensors])
        self.evals = list(arrays["evals"])
        self.probes = list(arrays["probes"]) if "probes" in arrays else []
        self.step = step
