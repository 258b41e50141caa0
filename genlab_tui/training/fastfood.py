"""Fastfood (Le, Sarlos & Smola 2013): a random matrix of a few vectors, applied by fast Walsh-Hadamard transforms.

Of n columns, a power of two, a block of n rows is H G Pi H B: random signs B, a transform, a permutation Pi, Gaussian
numbers G, a transform. Blocks are stacked until there are rows enough; what is too much is cut off. Nothing of the size
of the matrix is ever made: D rows take O(D) numbers and O(D log n) operations, whatever the number of columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import pad

LARGEST_FACTOR = 6
"""A transform is done in products with Hadamard matrices of at most this power of two: faster than butterflies."""


@cache
def hadamard(exponent: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return Sylvester's Hadamard matrix of 2 ** exponent rows."""
    matrix = torch.ones(1, 1, dtype=dtype, device=device)
    for _ in range(exponent):
        matrix = torch.cat((torch.cat((matrix, matrix), 1), torch.cat((matrix, -matrix), 1)))
    return matrix


def transformed(x: Tensor) -> Tensor:
    """Return the Walsh-Hadamard transform of the last dimension, in Sylvester's order and without a factor.

    Its size must be a power of two. It is a Kronecker product of small Hadamard matrices, applied one by one.
    """
    size = x.shape[-1]
    exponent = size.bit_length() - 1
    if 1 << exponent != size:
        raise ValueError(f"{size} is no power of two")
    pieces = max(math.ceil(exponent / LARGEST_FACTOR), 1)
    y, rest = x, size
    for piece in range(pieces):
        power = (exponent + piece) // pieces
        rest >>= power
        factor = hadamard(power, x.dtype, x.device)
        blocks = y.reshape(-1, 1 << power, rest)
        # Where the rest is 1, one product of matrices instead of many with vectors.
        y = blocks[..., 0] @ factor if rest == 1 else torch.matmul(factor, blocks)
    return y.reshape(x.shape)


class Fastfood:
    """A projection of `columns` numbers to `size`, its columns of about unit norm (times `norm`).

    Columns of whole blocks have exactly the same norm: those of H have, and G scales them alike. Cutting off the last
    block changes that by a little.
    """

    def __init__(
        self,
        size: int,
        columns: int,
        source: torch.Generator,
        *,
        norm: float = 1.0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        self.size, self.columns = size, columns
        self.width = 1 << max(columns - 1, 1).bit_length()
        self.blocks = math.ceil(size / self.width)
        shape = (self.blocks, self.width)
        signs = torch.randint(2, shape, generator=source).to(dtype) * 2 - 1
        first = torch.arange(self.blocks)[:, None] * self.width
        order = (torch.stack([torch.randperm(self.width, generator=source) for _ in range(self.blocks)]) + first).view(
            -1
        )
        scales = torch.randn(shape, generator=source)
        kept = size / (self.blocks * self.width)
        length = math.sqrt(self.width * kept * float(scales.double().square().sum()))
        self.signs, self.order = signs.to(device), order.to(device)
        self.inverse = torch.argsort(order).to(device)
        self.scales = (scales.to(dtype) * (norm / length)).to(device)

    def add(self, z: Tensor, dims: Sequence[int], out: Tensor) -> None:
        """Add P z to `out` [rows, size] for `z` [rows, columns]; it is zero beyond `dims` already."""
        y = transformed(pad(z, (0, self.width - self.columns))[:, None] * self.signs)
        y = y.view(len(z), -1).index_select(1, self.order).view(-1, *self.scales.shape).mul_(self.scales)
        out.add_(transformed(y).view(len(z), -1)[:, : self.size])

    def adjoint(self, g: Tensor, dims: Sequence[int]) -> Tensor:
        """Return P^T g [rows, columns] for `g` [rows, size], row k zero from `dims[k]` on."""
        y = pad(g, (0, self.blocks * self.width - self.size)).view(-1, *self.scales.shape)
        y = transformed(y).mul_(self.scales)
        y = y.view(len(g), -1).index_select(1, self.inverse).view(-1, *self.scales.shape)
        found = transformed(y).mul_(self.signs).sum(1)[:, : self.columns]
        for row, d in enumerate(dims):
            found[row, d:] = 0.0
        return found

    @property
    def bytes(self) -> int:
        """What is kept."""
        return sum(t.numel() * t.element_size() for t in (self.signs, self.order, self.inverse, self.scales))
