"""A population of perceptrons computed as one batched program, with gradients written out by hand.

The first layer of all members that read the same samples is one wide matrix product; every other product of equal
widths is one batched product; the gradient is accumulated where the optimiser wants it. The tests hold it against
autograd. See `layout` for where the numbers lie.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from genlab_tui.training import seeds
from genlab_tui.training.layout import Layout, Stack
from genlab_tui.training.passes import Loss, Pass

PASSES = 6
"""Batch sizes of evaluation whose buffers are kept. Those of training stay for good: a recorded step works in them."""


class Population:
    """Parameters and batch-norm statistics of all members, with the passes through them.

    `momentum` is that of the running statistics: one number, or one a row.
    """

    def __init__(
        self, layout: Layout, parameters: Stack, statistics: Stack, momentum: float | Tensor | None = None
    ) -> None:
        self.layout, self.parameters, self.statistics = layout, parameters, statistics
        self.momentum = 0.1 if momentum is None else momentum
        self._passes: dict[int, Pass] = {}

    @classmethod
    def initial(
        cls,
        layout: Layout,
        init_seeds: Sequence[int],
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        momentum: float | Tensor | None = None,
        schemes: Sequence[str] | None = None,
    ) -> Population:
        """Draw every member's weights from its own seed (one per member, not per row); unit scales, zero shifts.

        Drawn in float32 on the CPU, so that a seed starts alike in every precision and on every device.
        """
        device = torch.device(device)
        parameters = Stack.zeros(layout, dtype, device)
        statistics = Stack.zeros(layout, dtype, device, "statistics")
        if layout.batch_norm:
            for vectors in parameters.vectors:
                for scale in vectors[:-1:2]:
                    scale.fill_(1.0)
            for vectors in statistics.vectors:
                for variance in vectors[1::2]:
                    variance.fill_(1.0)
        drawn: dict[tuple[int, tuple[int, ...], str], list[Tensor]] = {}
        for row, member in enumerate(layout.members):
            scheme = schemes[member] if schemes else "he-normal"
            key = (init_seeds[member], layout.hidden[member], scheme)
            if key not in drawn:
                sizes = (layout.inputs, *layout.hidden[member], layout.classes)
                drawn[key] = draw(sizes, init_seeds[member], scheme, biases=not layout.batch_norm)
            for view, number in zip(parameters.weights_of(row), drawn[key], strict=False):
                view.copy_(number)
            if scheme == "torch":
                biases = drawn[key][layout.depth :]
                own = parameters.vectors_of(row)
                for view, number in zip(own[-len(biases) :], biases, strict=True):
                    view.copy_(number)
        return cls(layout, parameters, statistics, momentum)

    def take(self, rows: Sequence[int]) -> Population:
        """Return a population of copies of some rows; its layout says where they are now."""
        parameters = self.parameters.take(rows)
        statistics = Stack(parameters.layout, self.statistics.take(rows).flat, "statistics")
        momentum = self.momentum
        if isinstance(momentum, Tensor):
            momentum = momentum[torch.tensor(rows)][torch.tensor(parameters.layout.members)]
        return Population(parameters.layout, parameters, statistics, momentum)

    def put(self, row: int, other: Population, from_row: int) -> None:
        """Overwrite a row by one of another population."""
        self.parameters.put(row, other.parameters, from_row)
        self.statistics.put(row, other.statistics, from_row)

    def logits(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return outputs [rows, classes, batch] in evaluation mode for inputs [groups, batch, d], one a block.

        They stand in a buffer that the next pass with as many samples overwrites.
        """
        return self._pass(inputs[0].shape[1]).outputs(inputs)

    def features(self, inputs: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return outputs as `logits` does, and of every row what its output layer sees [batch, width].

        Both stand in buffers that the next pass with as many samples overwrites.
        """
        made = self._pass(inputs[0].shape[1])
        return made.outputs(inputs), made.last_hidden()

    def _pass(self, count: int) -> Pass:
        if count not in self._passes:
            idle = [size for size, made in self._passes.items() if not made.trains]
            for size in idle[: max(len(idle) - PASSES + 1, 0)]:
                del self._passes[size]
            self._passes[count] = Pass(self, count)
        return self._passes[count]

    def gradient(
        self, inputs: Sequence[Tensor], loss: Loss, masks: Sequence[Sequence[Tensor]], out: Stack, keep: float = 0.0
    ) -> Tensor:
        """Compute every row's loss in training mode and accumulate its gradient.

        `inputs` [groups, batch, d] and `masks` (dropout's multipliers [groups, batch, width] of each hidden layer, or
        nothing) have one entry a block. `out` becomes `keep * out + gradient`: an optimiser's momentum costs no pass
        of its own. Moves the running statistics of batch normalisation. Returns the loss [rows].
        """
        return self._pass(inputs[0].shape[1]).gradient(inputs, loss, masks, out, keep)

    def spread_momentum(self) -> list[float | Tensor]:
        """Return the running statistics' momentum for every stored statistic."""
        if isinstance(self.momentum, Tensor):
            return list(self.statistics.spread(self.momentum))
        return [self.momentum] * sum(len(vectors) for vectors in self.statistics.vectors)


def draw(sizes: Sequence[int], seed: int, scheme: str, *, biases: bool) -> list[Tensor]:
    """Return initial matrices [after, before], then, for the scheme `torch`, biases: of the hidden layers if asked.

    `he-normal`: N(0, 2 / before) (He et al. 2015); `glorot-normal`: N(0, 2 / (before + after)) and `glorot-uniform`:
    U(+-sqrt(6 / (before + after))) (Glorot & Bengio 2010); `torch`: U(+-1 / sqrt(before)) for matrices and biases,
    torch's own for linear layers.
    """
    source = seeds.generator(seed, seeds.INIT)
    matrices, vectors = [], []
    for layer, (before, after) in enumerate(pairwise(sizes)):
        if scheme == "he-normal":
            # Drawn [before, after]: a seed keeps its weights of old.
            matrices.append(torch.randn(before, after, generator=source).t() * math.sqrt(2 / before))
            continue
        if scheme == "glorot-normal":
            matrices.append(torch.randn(after, before, generator=source) * math.sqrt(2 / (before + after)))
            continue
        bound = math.sqrt(6 / (before + after)) if scheme == "glorot-uniform" else 1 / math.sqrt(before)
        matrices.append((2 * torch.rand(after, before, generator=source) - 1) * bound)
        if scheme == "torch" and (biases or layer == len(sizes) - 2):
            vectors.append((2 * torch.rand(after, generator=source) - 1) * bound)
    return [*matrices, *vectors]
