"""A population of perceptrons computed as one batched program, with gradients written out by hand.

The first layer of all members that read the same samples is one wide matrix product; every other product of equal
widths is one batched product; the gradient is accumulated where the optimiser wants it. The tests hold it against
autograd. See `layout` for where the numbers lie.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from genlab_tui.training import seeds
from genlab_tui.training.layout import Block, Bucket, Layout, Stack

BN_EPSILON = 1e-5

PASSES = 6
"""Batch sizes of evaluation whose buffers are kept. Those of training stay for good: a recorded step works in them."""

Loss = Callable[[Tensor], Tensor]
"""Takes the outputs [rows, classes, batch] and overwrites them with the loss's derivative; returns the loss [rows]."""


class Population:
    """Parameters and batch-norm statistics of all members, with the passes through them.

    `momentum` is that of the running statistics: one number, or one a row.
    """

    def __init__(
        self, layout: Layout, parameters: Stack, statistics: Stack, momentum: float | Tensor | None = None
    ) -> None:
        self.layout, self.parameters, self.statistics = layout, parameters, statistics
        self.momentum = 0.1 if momentum is None else momentum
        self._passes: dict[int, _Pass] = {}

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

    def _pass(self, count: int) -> _Pass:
        if count not in self._passes:
            idle = [size for size, made in self._passes.items() if not made.trains]
            for size in idle[: max(len(idle) - PASSES + 1, 0)]:
                del self._passes[size]
            self._passes[count] = _Pass(self, count)
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

    `he-normal`: N(0, 2 / before) (He et al. 2015); `glorot-uniform`: U(+-sqrt(6 / (before + after))) (Glorot & Bengio
    2010); `torch`: U(+-1 / sqrt(before)) for matrices and biases, torch's own for linear layers.
    """
    source = seeds.generator(seed, seeds.INIT)
    matrices, vectors = [], []
    for layer, (before, after) in enumerate(pairwise(sizes)):
        if scheme == "he-normal":
            # Drawn [before, after]: a seed keeps its weights of old.
            matrices.append(torch.randn(before, after, generator=source).t() * math.sqrt(2 / before))
            continue
        bound = math.sqrt(6 / (before + after)) if scheme == "glorot-uniform" else 1 / math.sqrt(before)
        matrices.append((2 * torch.rand(after, before, generator=source) - 1) * bound)
        if scheme == "torch" and (biases or layer == len(sizes) - 2):
            vectors.append((2 * torch.rand(after, generator=source) - 1) * bound)
    return [*matrices, *vectors]


class _Pass:
    """Forward and backward through a population for one batch size: buffers, and views made once."""

    def __init__(self, population: Population, count: int) -> None:
        self.population, self.count, self.trains = population, count, False
        layout, like = population.layout, population.parameters.flat
        self.z = like.new_empty(len(layout), layout.classes, count)
        self.blocks = [_BlockPass(population, at, count, self.z) for at in range(len(layout.blocks))]

    def outputs(self, inputs: Sequence[Tensor]) -> Tensor:
        for block, x in zip(self.blocks, inputs, strict=True):
            block.forward(x, (), training=False)
        return self.z

    def gradient(
        self, inputs: Sequence[Tensor], loss: Loss, masks: Sequence[Sequence[Tensor]], out: Stack, keep: float
    ) -> Tensor:
        self.trains = True
        for at, (block, x) in enumerate(zip(self.blocks, inputs, strict=True)):
            block.forward(x, masks[at] if masks else (), training=True)
        losses = loss(self.z)
        for at, (block, x) in enumerate(zip(self.blocks, inputs, strict=True)):
            block.backward(x, masks[at] if masks else (), out, keep)
        return losses


class _BlockPass:
    """One block's part of a pass."""

    def __init__(self, population: Population, at: int, count: int, z: Tensor) -> None:
        layout, parameters = population.layout, population.parameters
        self.block: Block = layout.blocks[at]
        self.at, self.count, self.population = at, count, population
        self.batch_norm, self.layers = layout.batch_norm, layout.depth - 1
        block = self.block
        self.wide = parameters.wide[at]
        self.vectors = parameters.vectors[at]
        self.statistics = population.statistics.vectors[at]
        before = sum(len(vectors) for vectors in population.statistics.vectors[:at])
        self.momentum = population.spread_momentum()[before : before + len(self.statistics)]
        like = parameters.flat
        self.h = [like.new_empty(block.groups, count, width) for width in block.widths]
        self.d: list[Tensor] = []  # made at the first backward pass: evaluation needs none
        self.normal: list[tuple[Tensor, Tensor]] = []
        self._out: Stack | None = None
        self._products: dict[int, list[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]] = {}
        z = z[block.rows].view(block.groups, block.size, layout.classes, count)
        self.z = z
        if self.layers == 0:
            weights = parameters.deep[at][0][0]
            self.linear = weights.view(block.groups, -1, layout.inputs)
            self.linear_z = z.view(block.groups, -1, count)
            return
        self.deep = parameters.deep[at]
        self.forwards = [self._forward_products(layer) for layer in range(1, self.layers + 1)]

    # --- views --------------------------------------------------------------------------------------------------------

    def _pieces(self, bucket: Bucket) -> list[tuple[slice | int, slice | int]]:
        """Return which of [groups, count] make up one batched product: along the longer of the two."""
        if bucket.count <= self.block.groups:
            return [(slice(None), k) for k in range(bucket.count)]
        return [(group, slice(None)) for group in range(self.block.groups)]

    def _units(self, tensor: Tensor, bucket: Bucket, layer: int) -> Tensor:
        """Return a bucket's part of a layer [groups, batch, units] as [groups, count, batch, width]."""
        width, start = bucket.hidden[layer], bucket.units[layer]
        part = tensor[:, :, start : start + bucket.count * width]
        return part.view(*part.shape[:2], bucket.count, width).transpose(1, 2)

    def _outs(self, tensor: Tensor, bucket: Bucket) -> Tensor:
        return tensor[:, bucket.first : bucket.first + bucket.count]

    def _forward_products(self, layer: int) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Return (left, right, result) of the products that lead into a layer (the last: the outputs)."""
        products = []
        last = layer == self.layers
        for number, bucket in enumerate(self.block.buckets):
            weight, source = self.deep[number][layer - 1], self._units(self.h[layer - 1], bucket, layer - 1)
            if last:
                operands = (weight, source.transpose(2, 3), self._outs(self.z, bucket))
            else:
                operands = (source, weight.transpose(2, 3), self._units(self.h[layer], bucket, layer))
            products += [tuple(tensor[g, k] for tensor in operands) for g, k in self._pieces(bucket)]
        return products  # type: ignore[return-value]  # three of each

    def _backward_products(self, layer: int, out: Stack) -> list[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
        """Return (gradient, upstream^T, activation, weight, downstream) of the products out of a layer."""
        products = []
        last = layer == self.layers
        for number, bucket in enumerate(self.block.buckets):
            up = self._outs(self.z, bucket) if last else self._units(self.d[layer], bucket, layer).transpose(2, 3)
            operands = (
                out.deep[self.at][number][layer - 1],
                up,
                self._units(self.h[layer - 1], bucket, layer - 1),
                self.deep[number][layer - 1],
                self._units(self.d[layer - 1], bucket, layer - 1),
            )
            products += [tuple(tensor[g, k] for tensor in operands) for g, k in self._pieces(bucket)]
        return products  # type: ignore[return-value]  # five of each

    # --- passes -------------------------------------------------------------------------------------------------------

    def forward(self, x: Tensor, masks: Sequence[Tensor], *, training: bool) -> None:
        """Fill the activations and the outputs."""
        if self.wide is None:
            torch.bmm(self.linear, x.transpose(1, 2), out=self.linear_z)
            self.z.add_(self.vectors[-1][:, :, :, None])
            return
        self.normal = []
        torch.bmm(x, self.wide.transpose(1, 2), out=self.h[0])
        self._activate(0, masks, training=training)
        for layer, products in enumerate(self.forwards, start=1):
            for left, right, result in products:
                torch.bmm(left, right, out=result)
            if layer < self.layers:
                self._activate(layer, masks, training=training)
        self.z.add_(self.vectors[-1][:, :, :, None])

    def _activate(self, layer: int, masks: Sequence[Tensor], *, training: bool) -> None:
        h = self.h[layer]
        if self.batch_norm:
            scale, shift = self.vectors[2 * layer][:, None], self.vectors[2 * layer + 1][:, None]
            mean, variance = self.statistics[2 * layer], self.statistics[2 * layer + 1]
            if training:
                unit, inverse = self._normalise(h, mean, variance, layer)
                self.normal.append((unit, inverse))
                torch.addcmul(shift, unit, scale, out=h)
            else:
                factor = scale * (variance[:, None] + BN_EPSILON).rsqrt()
                h.mul_(factor).add_(shift - mean[:, None] * factor)
        else:
            h.add_(self.vectors[layer][:, None])
        h.relu_()
        if masks:
            h.mul_(masks[layer])

    def _normalise(self, z: Tensor, mean: Tensor, variance: Tensor, layer: int) -> tuple[Tensor, Tensor]:
        """Normalise over the batch; return the unit-variance values and the inverse deviation."""
        # In two passes: var_mean over a middle dimension takes ten times as long on the CPU.
        average = z.mean(1, keepdim=True)
        centred = z - average
        spread = centred.square().mean(1, keepdim=True)
        # As everywhere: the batch is normalised by its biased variance, the running one is unbiased.
        mean.lerp_(average[:, 0], self.momentum[2 * layer])
        unbiased = spread[:, 0] * (self.count / max(self.count - 1, 1))
        variance.lerp_(unbiased, self.momentum[2 * layer + 1])
        inverse = (spread + BN_EPSILON).rsqrt()
        return centred.mul_(inverse), inverse

    def backward(self, x: Tensor, masks: Sequence[Tensor], out: Stack, keep: float) -> None:
        """Accumulate the gradient, from the derivative that the loss left in the outputs' place."""
        vectors = out.vectors[self.at]
        _accumulate(vectors[-1], self.z.sum(3), keep)
        if self.wide is None:
            _product(out.deep[self.at][0][0].view_as(self.linear), self.linear_z, x, keep)
            return
        if not self.d:
            self.d = [torch.empty_like(h) for h in self.h]
        for layer in range(self.layers, 0, -1):
            for gradient, up, activation, weight, down in self._backward(layer, out):
                _product(gradient, up, activation, keep)
                torch.bmm(up.transpose(1, 2), weight, out=down)
            self._deactivate(layer - 1, masks, vectors, keep)
        wide = out.wide[self.at]
        assert wide is not None
        _product(wide, self.d[0].transpose(1, 2), x, keep)

    def _backward(self, layer: int, out: Stack) -> list[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
        """Return the products of `_backward_products`, made once for the stack that the optimiser keeps."""
        if self._out is not out:
            self._out, self._products = out, {}
        if layer not in self._products:
            self._products[layer] = self._backward_products(layer, out)
        return self._products[layer]

    def _deactivate(self, layer: int, masks: Sequence[Tensor], vectors: Sequence[Tensor], keep: float) -> None:
        d, h = self.d[layer], self.h[layer]
        if masks:
            d.mul_(masks[layer])
        # A dropped unit has activation 0 too, and its derivative is 0 already.
        torch.ops.aten.threshold_backward.grad_input(d, h, 0, grad_input=d)
        if not self.batch_norm:
            _accumulate(vectors[layer], d.sum(1), keep)
            return
        unit, inverse = self.normal[layer]
        along, total = (d * unit).sum(1, keepdim=True), d.sum(1, keepdim=True)
        _accumulate(vectors[2 * layer], along[:, 0], keep)
        _accumulate(vectors[2 * layer + 1], total[:, 0], keep)
        d.sub_((unit * along).add_(total).div_(self.count))
        d.mul_(self.vectors[2 * layer][:, None] * inverse)


def _product(out: Tensor, left: Tensor, right: Tensor, keep: float) -> None:
    if keep:
        out.baddbmm_(left, right, beta=keep)
    else:
        torch.bmm(left, right, out=out)


def _accumulate(out: Tensor, gradient: Tensor, keep: float) -> None:
    if keep:
        out.mul_(keep).add_(gradient)
    else:
        out.copy_(gradient)
