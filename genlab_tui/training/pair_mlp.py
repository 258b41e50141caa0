"""Perceptrons on pairs of symbols, many at once: embeddings side by side or added, one ReLU layer, a linear read-out.

Side by side, the first layer is one product per symbol, W_a e(a) + W_b e(b): made once per symbol, added once per pair,
so a step costs no more than the read-out. Numbers lie flat, member by member [m, P]: embedding [p, d], first layer
[h, 2d] ([h, d] where embeddings are added), read-out [p, h], then the two biases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab_tui.training.pair_table import Places, Workspace
from genlab_tui.training.seeds import INIT, generator


@dataclass(frozen=True)
class PairMlp:
    """The shape: p symbols, embeddings of d numbers, h hidden units. `summed`: e(a) + e(b) goes in."""

    p: int
    embed: int
    hidden: int
    summed: bool = False

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        width = self.embed if self.summed else 2 * self.embed
        return (self.p, self.embed), (self.hidden, width), (self.p, self.hidden), (self.hidden,), (self.p,)

    @property
    def size(self) -> int:
        return sum(math.prod(shape) for shape in self.shapes)

    @property
    def work(self) -> float:
        """Numbers that a sample makes on its way through: what a block's memory is counted in."""
        return 2.0 * self.hidden + self.p

    def initial(self, seeds: Sequence[int], dtype: torch.dtype) -> Tensor:
        """Return the numbers of some seeds [m, P]: embeddings of variance 1, He-normal matrices, biases 0."""
        rows = []
        embedding, first, out, *biases = self.shapes
        for seed in seeds:
            random = generator(seed, INIT)
            parts = [
                torch.randn(shape, generator=random, dtype=torch.float64) * spread
                for shape, spread in ((embedding, 1.0), (first, math.sqrt(2 / first[1])), (out, math.sqrt(2 / out[1])))
            ]
            parts += [torch.zeros(shape, dtype=torch.float64) for shape in biases]
            rows.append(torch.cat([part.reshape(-1) for part in parts]))
        return torch.stack(rows).to(dtype)

    def split(self, flat: Tensor) -> list[Tensor]:
        """Return views of the parts [m, ...] of some members' numbers."""
        parts = torch.split(flat, [math.prod(shape) for shape in self.shapes], dim=1)
        return [part.view(len(flat), *shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def halves(self, first: Tensor) -> tuple[Tensor, Tensor]:
        """Return what of the first layer [m, h, .] meets the first symbol, and what meets the second."""
        return (first, first) if self.summed else (first[:, :, : self.embed], first[:, :, self.embed :])

    def outputs(self, flat: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """Return the outputs [m, n, p] for pairs a, b [m, n] or [n] (all members' then)."""
        embedding, first, out, bias, last = self.split(flat)
        left, right = (embedding @ half.mT for half in self.halves(first))
        right = right + bias[:, None]
        if a.dim() == 1:
            hidden = left.index_select(1, a) + right.index_select(1, b)
        else:
            members = torch.arange(len(flat), device=flat.device)[:, None]
            hidden = left[members, a] + right[members, b]
        return torch.baddbmm(last[:, None], hidden.relu_(), out.mT)


class MlpPass:
    """Gradients on all training pairs of some members, by hand, in buffers that blocks take turns with.

    `train` [m, n]: each member's places in the table, as many of each.
    """

    def __init__(self, net: PairMlp, places: Places, train: Tensor) -> None:
        self.net = net
        self.n = train.shape[1]
        rows = torch.arange(len(train), device=train.device)[:, None]
        a, b = places.a[train], places.b[train]
        self.of_a, self.of_b = (rows * net.p + a).view(-1), (rows * net.p + b).view(-1)
        self.cell = ((rows * net.p + a) * net.p + b).view(-1)
        self.labels = places.answer[train][..., None]

    def begin(self, flat: Tensor, space: Workspace) -> None:
        """Take the buffers for a stretch of steps."""
        m, n, p, h = len(flat), self.n, self.net.p, self.net.hidden
        self.hidden, self.back = (space.get(name, (m, n, h), flat) for name in ("hidden", "back"))
        self.logits = space.get("logits", (m, n, p), flat)
        self.symbols = [space.get(name, (m, p, h), flat) for name in ("left", "right", "by a", "by b")]
        self.minus = space.get("minus", (m, n, 1), flat).fill_(-1.0)
        self.grid = space.get("grid", (m, p, p, h), flat).zero_()  # the pairs held out stay 0

    def gradient(self, flat: Tensor, out: Tensor, step: int) -> None:
        """Write the gradient [m, P] of the mean cross-entropy over each member's training pairs."""
        net, h = self.net, self.net.hidden
        embedding, first, read, bias, last = net.split(flat)
        to_embedding, to_first, to_read, to_bias, to_last = net.split(out)
        left, right, by_a, by_b = self.symbols
        halves, into = net.halves(first), net.halves(to_first)
        hidden, back, logits = self.hidden, self.back, self.logits

        torch.bmm(embedding, halves[0].mT, out=left)
        torch.baddbmm(bias[:, None], embedding, halves[1].mT, out=right)
        torch.index_select(left.view(-1, h), 0, self.of_a, out=hidden.view(-1, h))
        torch.index_select(right.view(-1, h), 0, self.of_b, out=back.view(-1, h))
        hidden.add_(back).relu_()
        torch.baddbmm(last[:, None], hidden, read.mT, out=logits)
        torch.softmax(logits, 2, out=logits)

        logits.scatter_add_(2, self.labels, self.minus).mul_(1 / self.n)
        torch.bmm(logits.mT, hidden, out=to_read)
        torch.sum(logits, 1, out=to_last)
        torch.bmm(logits, read, out=back)
        # The derivative of relu in one pass: a mask of its own costs more than all products.
        torch.ops.aten.threshold_backward.grad_input(back, hidden, 0, grad_input=back)
        # Summed over pairs with one symbol in common: as a sum over rows and columns, which needs no atomic additions.
        self.grid.view(-1, h).index_copy_(0, self.cell, back.view(-1, h))
        torch.sum(self.grid, 2, out=by_a)
        torch.sum(self.grid, 1, out=by_b)
        torch.sum(by_b, 1, out=to_bias)
        if net.summed:
            by_a.add_(by_b)
            torch.bmm(by_a.mT, embedding, out=to_first)
            torch.bmm(by_a, first, out=to_embedding)
        else:
            torch.bmm(by_a.mT, embedding, out=into[0])
            torch.bmm(by_b.mT, embedding, out=into[1])
            torch.bmm(by_a, halves[0], out=to_embedding)
            to_embedding.baddbmm_(by_b, halves[1])
