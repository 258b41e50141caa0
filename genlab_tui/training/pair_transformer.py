"""Decoder-only transformers on equations `a o b =`, many at once: the answer is read at the last token.

Blocks of causal attention and a ReLU perceptron around a residual stream, learned token and position embeddings, an
unembedding of its own. With layer norm it stands before attention, before the perceptron and before the unembedding.
Numbers lie flat, member by member [m, P], in the order of `shapes`; gradients are autograd's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab_tui.training.pair_table import Places, Workspace
from genlab_tui.training.seeds import INIT, ORDER, generator

LN_EPSILON = 1e-5


@dataclass(frozen=True)
class PairTransformer:
    """The shape: p symbols, residual stream of `width`, `layers` blocks of `heads` heads and `hidden` ReLU units.

    `norm`: with layer norm (scale and shift). `sign`: the operation is a token of its own: `a o b =`, not `a b =`.
    """

    p: int
    width: int
    layers: int
    heads: int
    hidden: int
    norm: bool = False
    sign: bool = False

    @property
    def tokens(self) -> int:
        """The tokens of an equation."""
        return 4 if self.sign else 3

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The parts by name, in the order in which their numbers lie. Matrices are [after, before]."""
        w, h = self.width, self.hidden
        found: dict[str, tuple[int, ...]] = {"symbols": (self.p + self.tokens - 2, w), "positions": (self.tokens, w)}
        for k in range(self.layers):
            found |= {f"{k}.qkv": (3 * w, w), f"{k}.out": (w, w), f"{k}.up": (h, w), f"{k}.down": (w, h)}
            found |= {f"{k}.up.bias": (h,), f"{k}.down.bias": (w,)}
        found["answer"] = (self.p, w)
        if self.norm:
            norms = [f"{k}.{part}" for k in range(self.layers) for part in ("attention", "perceptron")]
            for name in (*norms, "final"):
                found |= {f"{name}.scale": (w,), f"{name}.shift": (w,)}
        return found

    @property
    def size(self) -> int:
        return sum(math.prod(shape) for shape in self.shapes.values())

    @property
    def work(self) -> float:
        """Numbers that a sample makes on its way through and back: what a block's memory is counted in."""
        block = 12 * self.width + 3 * self.hidden + 2 * self.heads * self.tokens
        return 1.5 * self.tokens * self.layers * block + 2 * self.p

    def initial(self, seeds: Sequence[int], dtype: torch.dtype) -> Tensor:
        """Return the numbers of some seeds [m, P]: matrices of variance 1 / inputs, scales 1, biases 0."""
        rows = []
        for seed in seeds:
            random = generator(seed, INIT)
            parts = []
            for name, shape in self.shapes.items():
                if len(shape) == 2:
                    part = torch.randn(shape, generator=random, dtype=torch.float64) / math.sqrt(shape[1])
                else:
                    part = torch.full(shape, float(name.endswith("scale")), dtype=torch.float64)
                parts.append(part.reshape(-1))
            rows.append(torch.cat(parts))
        return torch.stack(rows).to(dtype)

    def split(self, flat: Tensor) -> dict[str, Tensor]:
        """Return views of the parts [m, ...] of some members' numbers."""
        parts = torch.split(flat, [math.prod(shape) for shape in self.shapes.values()], dim=1)
        return {
            name: part.view(len(flat), *shape) for part, (name, shape) in zip(parts, self.shapes.items(), strict=True)
        }

    def written(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the tokens [..., t] of equations; the sign and `=` are the symbols after the p numbers."""
        equals = torch.full_like(a, self.p)
        middle = [torch.full_like(a, self.p + 1)] if self.sign else []
        return torch.stack([a, *middle, b, equals], -1)

    def stream(self, flat: Tensor, tokens: Tensor) -> Tensor:
        """Return the residual stream after the last block [m, n, t, width] for tokens [m, n, t]."""
        parts = self.split(flat)
        m, n, t = tokens.shape
        members = torch.arange(m, device=flat.device)[:, None, None]
        x = parts["symbols"][members, tokens] + parts["positions"][:, None, :t]
        ahead = torch.ones(t, t, dtype=torch.bool, device=flat.device).triu(1)
        for k in range(self.layers):
            x = x + self._attention(parts, k, self._normed(parts, f"{k}.attention", x), ahead)
            seen = self._normed(parts, f"{k}.perceptron", x).reshape(m, n * t, -1)
            hidden = torch.relu(torch.baddbmm(parts[f"{k}.up.bias"][:, None], seen, parts[f"{k}.up"].mT))
            down = torch.baddbmm(parts[f"{k}.down.bias"][:, None], hidden, parts[f"{k}.down"].mT)
            x = x + down.view(m, n, t, -1)
        return x

    def _attention(self, parts: dict[str, Tensor], k: int, x: Tensor, ahead: Tensor) -> Tensor:
        m, n, t, w = x.shape
        qkv = torch.bmm(x.reshape(m, n * t, w), parts[f"{k}.qkv"].mT)
        q, key, value = qkv.view(m, n, t, 3, self.heads, w // self.heads).permute(3, 0, 1, 4, 2, 5)
        scores = (q @ key.mT) / math.sqrt(w // self.heads)
        mixed = torch.softmax(scores.masked_fill(ahead, -math.inf), -1) @ value
        together = mixed.transpose(2, 3).reshape(m, n * t, w)
        return torch.bmm(together, parts[f"{k}.out"].mT).view(m, n, t, w)

    def _normed(self, parts: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
        if not self.norm:
            return x
        unit = torch.nn.functional.layer_norm(x, (self.width,), eps=LN_EPSILON)
        return unit * parts[f"{name}.scale"][:, None, None] + parts[f"{name}.shift"][:, None, None]

    def outputs(self, flat: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """Return the outputs [m, n, p] for pairs a, b [m, n] or [n] (all members' then)."""
        m = len(flat)
        last = self.stream(flat, self.written(a.expand(m, -1), b.expand(m, -1)))[:, :, -1:]
        seen = self._normed(self.split(flat), "final", last)[:, :, 0]
        return torch.bmm(seen, self.split(flat)["answer"].mT)


class TransformerPass:
    """Gradients of some members by autograd, on all their training pairs or on a batch of them a step.

    `train` [m, n]: each member's places in the table. A batch is half of them at most, an epoch's order the
    seed's own, and its last, smaller batch is left out.
    """

    def __init__(
        self, net: PairTransformer, places: Places, train: Tensor, seeds: Sequence[int], batch: int = 0
    ) -> None:
        self.net, self.places, self.train, self.seeds = net, places, train, seeds
        n = train.shape[1]
        self.batch = min(batch, max(n // 2, 1)) or n
        self.epoch, self.ordered = -1, train

    def begin(self, flat: Tensor, space: Workspace) -> None:
        """Autograd makes its own buffers."""

    def _batch(self, step: int) -> Tensor:
        n = self.train.shape[1]
        if self.batch == n:
            return self.train
        epoch, place = divmod(step, n // self.batch)
        if epoch != self.epoch:
            orders = [torch.randperm(n, generator=generator(seed, ORDER, epoch)) for seed in self.seeds]
            self.ordered = self.train.gather(1, torch.stack(orders).to(self.train.device))
            self.epoch = epoch
        return self.ordered[:, place * self.batch : (place + 1) * self.batch]

    def gradient(self, flat: Tensor, out: Tensor, step: int) -> None:
        """Write the gradient [m, P] of the mean cross-entropy over each member's batch of that step (from 0)."""
        chosen, places = self._batch(step), self.places
        with torch.enable_grad():
            numbers = flat.detach().requires_grad_()
            outputs = self.net.outputs(numbers, places.a[chosen], places.b[chosen])
            labels = places.answer[chosen].reshape(-1)
            loss = torch.nn.functional.cross_entropy(outputs.flatten(0, 1), labels, reduction="sum") / self.batch
            (slope,) = torch.autograd.grad(loss, numbers)
        out.copy_(slope)
