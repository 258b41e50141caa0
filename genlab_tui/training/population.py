"""A population of multilayer perceptrons as stacked tensors, `[members, ...]`, computed as one batched program.

Forward and backward passes are written by hand: every product of all members is one batched matrix product, and the
gradient is accumulated where the optimiser wants it. The tests hold it against autograd.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from genlab_tui.training import seeds

BN_EPSILON = 1e-5


@dataclass(frozen=True)
class Architecture:
    """A ReLU perceptron, with batch normalisation before every activation or without (a bias then takes its place)."""

    inputs: int
    hidden: tuple[int, ...]
    classes: int
    batch_norm: bool = False

    @property
    def depth(self) -> int:
        """The number of weight matrices."""
        return len(self.hidden) + 1

    @property
    def weight_shapes(self) -> list[tuple[int, ...]]:
        sizes = (self.inputs, *self.hidden, self.classes)
        return list(pairwise(sizes))

    @property
    def parameter_shapes(self) -> list[tuple[int, ...]]:
        """Weight matrices first, then per hidden layer its bias (or scale and shift), then the output bias."""
        repeats = 2 if self.batch_norm else 1
        vectors: list[tuple[int, ...]] = [(1, width) for width in self.hidden for _ in range(repeats)]
        return [*self.weight_shapes, *vectors, (1, self.classes)]

    @property
    def statistic_shapes(self) -> list[tuple[int, ...]]:
        """Running mean and variance of every hidden layer; none without batch normalisation."""
        return [(1, width) for width in self.hidden for _ in range(2)] if self.batch_norm else []

    @property
    def weights(self) -> int:
        """The number of entries of the weight matrices of one member."""
        return sum(math.prod(shape) for shape in self.weight_shapes)


class Stack:
    """Tensors of all members in one buffer: `parts[k]` is a view `[members, *shapes[k]]` of `flat`."""

    def __init__(self, shapes: Sequence[tuple[int, ...]], members: int, flat: Tensor) -> None:
        self.shapes, self.members, self.flat = list(shapes), members, flat
        sizes = [members * math.prod(shape) for shape in self.shapes]
        self.parts = [
            part.view(members, *shape) for part, shape in zip(torch.split(flat, sizes), self.shapes, strict=True)
        ]

    @classmethod
    def zeros(cls, shapes: Sequence[tuple[int, ...]], members: int, dtype: torch.dtype, device: torch.device) -> Stack:
        size = members * sum(math.prod(shape) for shape in shapes)
        return cls(shapes, members, torch.zeros(size, dtype=dtype, device=device))

    def like(self) -> Stack:
        """Return zeros of the same form."""
        return Stack(self.shapes, self.members, torch.zeros_like(self.flat))

    def take(self, rows: Sequence[int]) -> Stack:
        """Return a copy of some members, in the order given."""
        if not self.parts:
            return Stack(self.shapes, len(rows), self.flat.clone())
        index = torch.tensor(rows, dtype=torch.long, device=self.flat.device)
        flat = torch.cat([part.index_select(0, index).flatten() for part in self.parts])
        return Stack(self.shapes, len(rows), flat)

    def put(self, rows: Sequence[int], other: Stack) -> None:
        """Overwrite some members by those of another stack."""
        index = torch.tensor(rows, dtype=torch.long, device=self.flat.device)
        for mine, theirs in zip(self.parts, other.parts, strict=True):
            mine.index_copy_(0, index, theirs)


class Population:
    """Parameters and batch-norm statistics of all members, with the passes through them."""

    def __init__(self, architecture: Architecture, parameters: Stack, statistics: Stack, momentum: float = 0.1) -> None:
        self.architecture, self.parameters, self.statistics = architecture, parameters, statistics
        self.momentum = momentum

    @classmethod
    def initial(
        cls,
        architecture: Architecture,
        member_seeds: Sequence[int],
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        momentum: float = 0.1,
    ) -> Population:
        """Draw every member's weights from its own seed: He-normal matrices, zero biases, unit scales.

        Drawn in float32 on the CPU, so that a seed starts alike in every precision and on every device.
        """
        device = torch.device(device)
        parameters = Stack.zeros(architecture.parameter_shapes, len(member_seeds), dtype, device)
        drawn: dict[int, list[Tensor]] = {}
        for row, seed in enumerate(member_seeds):
            if seed not in drawn:
                source = seeds.generator(seed, seeds.INIT)
                drawn[seed] = [
                    torch.randn(shape, generator=source) * math.sqrt(2 / shape[0])
                    for shape in architecture.weight_shapes
                ]
            for part, weight in zip(parameters.parts, drawn[seed], strict=False):
                part[row] = weight.to(device, dtype)
        statistics = Stack.zeros(architecture.statistic_shapes, len(member_seeds), dtype, device)
        if architecture.batch_norm:
            for scale in parameters.parts[architecture.depth : -1 : 2]:
                scale.fill_(1.0)
            for variance in statistics.parts[1::2]:
                variance.fill_(1.0)
        return cls(architecture, parameters, statistics, momentum)

    def take(self, rows: Sequence[int]) -> Population:
        """Return a population of copies of some members."""
        return Population(self.architecture, self.parameters.take(rows), self.statistics.take(rows), self.momentum)

    def put(self, rows: Sequence[int], other: Population) -> None:
        """Overwrite some members by those of another population."""
        self.parameters.put(rows, other.parameters)
        self.statistics.put(rows, other.statistics)

    def logits(self, x: Tensor) -> Tensor:
        """Return outputs [members, batch, classes] for inputs [members, batch, d], in evaluation mode."""
        parts, depth = self.parameters.parts, self.architecture.depth
        for layer in range(depth - 1):
            if self.architecture.batch_norm:
                scale, shift = parts[depth + 2 * layer], parts[depth + 2 * layer + 1]
                mean, variance = self.statistics.parts[2 * layer], self.statistics.parts[2 * layer + 1]
                factor = scale * (variance + BN_EPSILON).rsqrt()
                x = torch.bmm(x, parts[layer]).mul_(factor).add_(shift - mean * factor).relu_()
            else:
                x = torch.baddbmm(parts[depth + layer], x, parts[layer]).relu_()
        return torch.baddbmm(parts[-1], x, parts[depth - 1])

    def gradient(self, x: Tensor, target: Tensor, masks: Sequence[Tensor], out: Stack, keep: float = 0.0) -> Tensor:
        """Compute every member's mean cross-entropy in training mode and accumulate its gradient.

        `x` [members, batch, d], `target` [members, batch, classes] are probabilities; `masks` has one multiplier per
        hidden layer for dropout, or is empty. `out` becomes `keep * out + gradient`: an optimiser's momentum costs no
        pass of its own. Moves the running statistics of batch normalisation. Returns the loss [members].
        """
        parts, depth, batch_norm = self.parameters.parts, self.architecture.depth, self.architecture.batch_norm
        count = x.shape[1]
        activations, normalised, inverse = [x], [], []
        for layer in range(depth - 1):
            if batch_norm:
                z, unit, scale = self._normalise(torch.bmm(x, parts[layer]), layer)
                normalised.append(unit)
                inverse.append(scale)
            else:
                z = torch.baddbmm(parts[depth + layer], x, parts[layer])
            x = z.relu_()
            if masks:
                x = x * masks[layer]
            activations.append(x)
        log_p = torch.log_softmax(torch.baddbmm(parts[-1], x, parts[depth - 1]), dim=2)
        loss = -(target * log_p).sum(dim=(1, 2)) / count

        upstream = (log_p.exp_() - target).div_(count)
        _accumulate(out.parts[-1], upstream.sum(1, keepdim=True), keep)
        for layer in reversed(range(depth)):
            out.parts[layer].baddbmm_(activations[layer].transpose(1, 2), upstream, beta=keep)
            if layer == 0:
                break
            upstream = torch.bmm(upstream, parts[layer].transpose(1, 2))
            if masks:
                upstream *= masks[layer - 1]
            # A dropped unit has activation 0 too, and its upstream gradient is 0 already.
            upstream *= activations[layer] > 0
            hidden = layer - 1
            if batch_norm:
                at = depth + 2 * hidden
                unit = normalised[hidden]
                along, total = (upstream * unit).sum(1, keepdim=True), upstream.sum(1, keepdim=True)
                _accumulate(out.parts[at], along, keep)
                _accumulate(out.parts[at + 1], total, keep)
                centred = upstream - (total + unit * along) / count
                upstream = centred * (parts[at] * inverse[hidden])
            else:
                _accumulate(out.parts[depth + hidden], upstream.sum(1, keepdim=True), keep)
        return loss

    def _normalise(self, z: Tensor, layer: int) -> tuple[Tensor, Tensor, Tensor]:
        """Normalise over the batch; return the output, the unit-variance values and the inverse deviation."""
        count, depth = z.shape[1], self.architecture.depth
        # In two passes: var_mean over a middle dimension takes ten times as long on the CPU.
        mean = z.mean(1, keepdim=True)
        centred = z - mean
        variance = centred.square().mean(1, keepdim=True)
        # As everywhere: the batch is normalised by its biased variance, the running one is unbiased.
        self.statistics.parts[2 * layer].lerp_(mean, self.momentum)
        self.statistics.parts[2 * layer + 1].lerp_(variance * (count / max(count - 1, 1)), self.momentum)
        inverse = (variance + BN_EPSILON).rsqrt()
        unit = centred * inverse
        scale, shift = self.parameters.parts[depth + 2 * layer], self.parameters.parts[depth + 2 * layer + 1]
        return torch.addcmul(shift, unit, scale), unit, inverse


def _accumulate(out: Tensor, gradient: Tensor, keep: float) -> None:
    if keep:
        out.mul_(keep).add_(gradient)
    else:
        out.copy_(gradient)
