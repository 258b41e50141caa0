"""Forward and backward through a population, written out by hand: buffers and views made once for a batch size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab_tui.training.layout import Block, Bucket, Stack

if TYPE_CHECKING:
    from genlab_tui.training.population import Population

BN_EPSILON = 1e-5

Loss = Callable[[Tensor], Tensor]
"""Takes the outputs [rows, classes, batch] and overwrites them with the loss's derivative; returns the loss [rows]."""


class Pass:
    """Forward and backward through a population for one batch size: buffers, and views made once."""

    def __init__(self, population: Population, count: int) -> None:
        self.population, self.count, self.trains = population, count, False
        layout, like = population.layout, population.parameters.flat
        self.z = like.new_empty(len(layout), layout.classes, count)
        self.blocks = [BlockPass(population, at, count, self.z) for at in range(len(layout.blocks))]

    def outputs(self, inputs: Sequence[Tensor]) -> Tensor:
        for block, x in zip(self.blocks, inputs, strict=True):
            block.forward(x, (), training=False)
        return self.z

    def last_hidden(self) -> list[Tensor]:
        """Return the activations of the last hidden layer [batch, width] of every row, as the last pass left them."""
        return [row for block in self.blocks for row in block.last_hidden()]

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


class BlockPass:
    """One block's part of a pass."""

    def __init__(self, population: Population, at: int, count: int, z: Tensor) -> None:
        layout, parameters = population.layout, population.parameters
        self.block: Block = layout.blocks[at]
        self.at, self.count, self.population = at, count, population
        self.norm, self.layers = layout.norm if layout.batch_norm else "", layout.depth - 1
        block = self.block
        self.wide = parameters.wide[at]
        self.vectors = parameters.vectors[at]
        self.statistics = population.statistics.vectors[at]
        before = sum(len(vectors) for vectors in population.statistics.vectors[:at])
        self.momentum = population.spread_momentum()[before : before + len(self.statistics)]
        like = parameters.flat
        self.h = [like.new_empty(block.groups, count, width) for width in block.widths]
        self.d: list[Tensor] = []  # made at the first backward pass: evaluation needs none
        self.normal: list[tuple[Tensor, Tensor | None, Tensor]] = []
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

    def last_hidden(self) -> Iterator[Tensor]:
        """Yield the activations of the last hidden layer [batch, width] of the block's rows, in their order."""
        last = self.layers - 1
        parts = [self._units(self.h[last], bucket, last) for bucket in self.block.buckets]
        for group in range(self.block.groups):
            for part in parts:
                yield from part[group]

    def _activate(self, layer: int, masks: Sequence[Tensor], *, training: bool) -> None:
        h = self.h[layer]
        if not self.norm:
            h.add_(self.vectors[layer][:, None]).relu_()
        elif self.norm == "after":
            self._norm(h.relu_(), layer, training=training)
        else:
            self._norm(h, layer, training=training)
            h.relu_()
        if masks:
            h.mul_(masks[layer])

    def _norm(self, h: Tensor, layer: int, *, training: bool) -> None:
        """Normalise in place; in training, keep what the way back needs: (unit values, inverse deviation, source)."""
        scale, shift = self.vectors[2 * layer][:, None], self.vectors[2 * layer + 1][:, None]
        mean, variance = self.statistics[2 * layer], self.statistics[2 * layer + 1]
        if self.norm == "scale":
            unit = h.clone() if training else h
            if training:
                self.normal.append((unit, None, h))
            torch.addcmul(shift, unit, scale, out=h)
        elif training:
            unit, inverse = self._normalise(h, mean, variance, layer)
            # Which units were active is read off the outputs; where those are normalised, off what they were before.
            self.normal.append((unit, inverse, h.clone() if self.norm == "after" else h))
            torch.addcmul(shift, unit, scale, out=h)
        else:
            factor = scale * (variance[:, None] + BN_EPSILON).rsqrt()
            h.mul_(factor).add_(shift - mean[:, None] * factor)

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
        if self.norm != "after":
            # A dropped unit has activation 0 too, and its derivative is 0 already.
            torch.ops.aten.threshold_backward.grad_input(d, h, 0, grad_input=d)
        if not self.norm:
            _accumulate(vectors[layer], d.sum(1), keep)
            return
        unit, inverse, source = self.normal[layer]
        along, total = (d * unit).sum(1, keepdim=True), d.sum(1, keepdim=True)
        _accumulate(vectors[2 * layer], along[:, 0], keep)
        _accumulate(vectors[2 * layer + 1], total[:, 0], keep)
        if inverse is None:
            d.mul_(self.vectors[2 * layer][:, None])
            return
        d.sub_((unit * along).add_(total).div_(self.count))
        d.mul_(self.vectors[2 * layer][:, None] * inverse)
        if self.norm == "after":
            torch.ops.aten.threshold_backward.grad_input(d, source, 0, grad_input=d)


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
