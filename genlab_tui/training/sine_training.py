"""Networks on the unit interval that learn a sum of sines by full-batch Adam: when does which frequency arrive?

Rahaman et al. 2019. A network reads the point itself (`line`) or random Fourier features of it (`features`), and its
output is decomposed before every step: the coefficient of a frequency is twice the modulus of the discrete Fourier
transform over the points, over the amplitude that the target has there, so that 1 is a sine learnt.

Forward and backward are written out as batched products of some members at a time: on the CPU few on each core, whose
arrays then stay in its cache; on a GPU all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab_tui.data.seeding import generator
from genlab_tui.training.nets import Net
from genlab_tui.training.population import draw

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # those of the paper on Adam, and torch's defaults
FLOOR = 0.5
"""The amplitude of the lowest frequency where amplitudes grow with it, up to 1.

Not less: what an untrained network has of a slow wave would pass for one that is learnt.
"""


@dataclass(frozen=True)
class Waves:
    """The targets: frequencies (ascending, below half of the points), equispaced points of [0, 1), amplitudes."""

    frequencies: tuple[int, ...]
    points: int
    growing: bool = False

    @property
    def grid(self) -> np.ndarray:
        """The points i / n: on them sines of different whole frequencies are orthogonal."""
        return np.arange(self.points) / self.points

    @property
    def amplitudes(self) -> np.ndarray:
        """One for all frequencies, or growing evenly with their rank."""
        count = len(self.frequencies)
        return np.linspace(FLOOR, 1.0, count) if self.growing else np.ones(count)

    def target(self, seed: int) -> np.ndarray:
        """Return the sum of the sines at the points, each with a phase that the seed draws."""
        phases = generator(seed, "sine phases").uniform(0.0, 1.0, len(self.frequencies))
        waves = np.sin(2 * np.pi * (np.outer(self.frequencies, self.grid) + phases[:, None]))
        return np.asarray(self.amplitudes @ waves)

    def basis(self) -> np.ndarray:
        """Return [points, 2 K]: products with it are the cosine and the sine parts of the coefficients."""
        angles = 2 * np.pi * np.outer(self.grid, self.frequencies)
        scale = 2.0 / self.points / self.amplitudes
        return np.concatenate((np.cos(angles) * scale, np.sin(angles) * scale), axis=1)


@dataclass(frozen=True)
class Shape:
    """What learns: hidden layers of one width, where the kinks of the first layer lie, how the point is presented.

    `kinks`: `spread` (one in every equal part of [0, 1]), `zero` (biases 0: all at 0) or `torch` (torch's own initial
    numbers, all layers). With `features` > 0 the network reads cosines and sines of that many frequencies, drawn from a
    Gaussian of standard deviation `scale`; biases are then 0 (or torch's).
    """

    width: int
    layers: int
    kinks: str = "spread"
    features: int = 0
    scale: float = 0.0

    @property
    def net(self) -> Net:
        return Net((2 * self.features or 1, *(self.width,) * self.layers, 1))

    def inputs(self, waves: Waves, seed: int) -> np.ndarray:
        """Return what a network of that seed reads, [inputs, points]."""
        if not self.features:
            return waves.grid[None]
        drawn = generator(seed, "Fourier features").normal(0.0, self.scale, self.features)
        angles = 2 * np.pi * np.outer(drawn, waves.grid)
        return np.concatenate((np.cos(angles), np.sin(angles)))

    def initial(self, seed: int) -> Tensor:
        """Return the numbers of a network before training, [P]."""
        net = self.net
        if self.kinks == "torch":
            return torch.cat([part.reshape(-1) for part in draw(net.sizes, seed, "torch", biases=True)])
        flat = net.initial([seed])
        if self.kinks == "spread" and not self.features:
            matrices, biases = net.split(flat)
            random = generator(seed, "kinks")
            kinks = (random.permutation(self.width) + random.uniform(0.0, 1.0, self.width)) / self.width
            biases[0][0] = -matrices[0][0, :, 0] * torch.from_numpy(kinks).float()
        return flat[0]


def covered(net: Net, flat: Tensor, parts: int) -> float:
    """Return the share of so many equal parts of [0, 1) with the kink of a first-layer unit, of one network [P]."""
    matrices, biases = net.split(flat[None])
    kinks = (-biases[0][0] / matrices[0][0, :, 0]).double()
    places = torch.floor(kinks[(kinks > 0) & (kinks < 1)] * parts)
    return len(set(places.tolist())) / parts


class Learners:
    """Members of one shape: numbers and both moments of Adam, [M, P], and the first steps at which sines were there.

    `reached` [M, K] is -1 before; `error` [M] is the newest squared error over the variance of the target. Members are
    stepped in chunks of `at_once`; a chunk is left alone once all of its members are done: all coefficients were
    `enough` and the error is down to `fit` (outputs that blow up have large coefficients too), or diverged.
    """

    def __init__(
        self,
        shape: Shape,
        waves: Waves,
        seeds: Sequence[int],
        lr: float,
        *,
        enough: float,
        fit: float,
        at_once: int,
        device: str,
    ) -> None:
        self.net, self.lr, self.enough, self.fit, self.step = shape.net, lr, enough, fit, 0
        rows = torch.stack([shape.initial(seed) for seed in seeds])
        self.numbers = rows.to(device)
        self.first, self.second = torch.zeros_like(self.numbers), torch.zeros_like(self.numbers)
        self.x = torch.from_numpy(np.stack([shape.inputs(waves, seed) for seed in seeds])).float().to(device)
        self.y = torch.from_numpy(np.stack([waves.target(seed) for seed in seeds])).float().to(device)
        self.basis = torch.from_numpy(waves.basis()).float().to(device)
        self.reached = np.full((len(seeds), len(waves.frequencies)), -1, dtype=np.int64)
        self.diverged = np.zeros(len(seeds), dtype=bool)
        self.error = np.full(len(seeds), math.nan)
        self.variance = float((waves.amplitudes**2).sum()) / 2
        self.chunks = [range(at, min(at + at_once, len(seeds))) for at in range(0, len(seeds), at_once)]
        self._passes: dict[int, _Pass] = {}

    @property
    def done(self) -> np.ndarray:
        """Which members have nothing left to wait for, [M]."""
        return np.asarray(((self.reached >= 0).all(1) & (self.error <= self.fit)) | self.diverged)

    @property
    def waiting(self) -> list[int]:
        """The chunks that still train."""
        return [at for at, rows in enumerate(self.chunks) if not self.done[rows.start : rows.stop].all()]

    def advance(self, at: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Take steps with a chunk; return coefficients [steps, members, K] and losses [steps, members] before each."""
        if at not in self._passes:
            self._passes[at] = _Pass(self, self.chunks[at])
        found, losses = self._passes[at].take(steps, self.step)
        return found.cpu().numpy(), losses.cpu().numpy()

    def note(self, at: int, coefficients: np.ndarray, losses: np.ndarray) -> None:
        """Note at which of the steps, the first of which is the one now, the members of a chunk came to have sines."""
        rows = self.chunks[at]
        for place, row in enumerate(rows):
            there = coefficients[:, place] >= self.enough
            new = there.any(0) & (self.reached[row] < 0)
            self.reached[row, new] = np.maximum(self.step + there.argmax(0)[new], 1)
            self.diverged[row] |= not np.isfinite(losses[:, place]).all()
            self.error[row] = losses[-1, place] / self.variance

    def arrays(self) -> dict[str, Any]:
        """Return what a checkpoint needs, beside the step."""
        found = {"numbers": self.numbers, "first": self.first, "second": self.second}
        own = {name: tensor.detach().cpu().clone() for name, tensor in found.items()}
        kept = {"reached": self.reached.copy(), "diverged": self.diverged.astype(np.int64), "error": self.error.copy()}
        return own | kept

    def restore(self, arrays: Mapping[str, Any], step: int) -> None:
        """Continue from a checkpoint."""
        self.step = step
        for name in ("numbers", "first", "second"):
            getattr(self, name).copy_(torch.as_tensor(arrays[name]))
        self.reached[:] = np.asarray(arrays["reached"])
        self.diverged[:] = np.asarray(arrays["diverged"]).astype(bool)
        self.error[:] = np.asarray(arrays["error"])


class _Pass:
    """Buffers of a chunk of members, made once; forward, backward and Adam go through them in place."""

    def __init__(self, learners: Learners, rows: range) -> None:
        net, own = learners.net, slice(rows.start, rows.stop)
        self.lr, self.x, self.basis = learners.lr, learners.x[own], learners.basis
        self.y = learners.y[own][:, None]
        self.numbers, self.first, self.second = (
            tensor[own] for tensor in (learners.numbers, learners.first, learners.second)
        )
        self.gradient, self.size = torch.empty_like(self.numbers), torch.empty_like(self.numbers)
        self.matrices, self.biases = net.split(self.numbers)
        self.slopes, self.bias_slopes = net.split(self.gradient)
        points = self.x.shape[2]
        self.outputs = [self.x.new_empty(len(rows), after, points) for after in net.sizes[1:]]
        self.errors = [torch.empty_like(output) for output in self.outputs]

    def take(self, steps: int, taken: int) -> tuple[Tensor, Tensor]:
        """Take steps, `taken` came before; return coefficients and losses as they were before each of them."""
        count = self.basis.shape[1] // 2
        found = self.x.new_empty(steps, len(self.x), count)
        losses = self.x.new_empty(steps, len(self.x))
        for place in range(steps):
            h = self.x
            for layer, output in enumerate(self.outputs):
                torch.baddbmm(self.biases[layer][:, :, None], self.matrices[layer], h, out=output)
                h = output if layer == len(self.outputs) - 1 else output.relu_()
            parts = h[:, 0] @ self.basis
            torch.hypot(parts[:, :count], parts[:, count:], out=found[place])
            away = torch.sub(h, self.y, out=self.errors[-1])
            torch.mean(away.square(), dim=(1, 2), out=losses[place])
            away *= 2.0 / away.shape[2]
            self._backward()
            self._adam(taken + place + 1)
        return found, losses

    def _backward(self) -> None:
        for layer in range(len(self.outputs) - 1, -1, -1):
            error = self.errors[layer]
            before = self.outputs[layer - 1] if layer else self.x
            torch.bmm(error, before.transpose(1, 2), out=self.slopes[layer])
            torch.sum(error, dim=2, out=self.bias_slopes[layer])
            if layer:
                below = torch.bmm(self.matrices[layer].transpose(1, 2), error, out=self.errors[layer - 1])
                torch.ops.aten.threshold_backward.grad_input(below, before, 0, grad_input=below)

    def _adam(self, step: int) -> None:
        unbias = math.sqrt(1 - BETA_2**step)
        self.first.lerp_(self.gradient, 1 - BETA_1)
        self.second.mul_(BETA_2).addcmul_(self.gradient, self.gradient, value=1 - BETA_2)
        torch.sqrt(self.second, out=self.size).add_(EPSILON * unbias)
        self.numbers.addcdiv_(self.first, self.size, value=-self.lr * unbias / (1 - BETA_1**step))
