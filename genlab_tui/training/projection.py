"""Random projections of d numbers to D: dense, sparse or Fastfood (Li et al. 2018, section 2 and supplement).

A projection is drawn once and never changes. Several dimensions are trained side by side: of a nested basis, dimension
d takes the first d columns of one P, so that all of them are few products; of an independent one each has its own P.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from genlab_tui.training import seeds
from genlab_tui.training.fastfood import Fastfood

KINDS = ("dense", "sparse", "fastfood")


class Projection(Protocol):
    """P [size, columns]. Row k of a batch uses its first `dims[k]` columns, `dims` ascending."""

    size: int
    columns: int

    def add(self, z: Tensor, dims: Sequence[int], out: Tensor) -> None:
        """Add P z to `out` [rows, size]; `z` [rows, columns] is zero beyond `dims`."""
        ...

    def adjoint(self, g: Tensor, dims: Sequence[int]) -> Tensor:
        """Return P^T g [rows, columns] of `g` [rows, size], row k zero from `dims[k]` on."""
        ...


class Dense:
    """Gaussian numbers, every column divided by its norm; without `unit`, N(0, 1) as drawn."""

    def __init__(
        self,
        size: int,
        columns: int,
        source: torch.Generator,
        *,
        unit: bool = True,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        self.size, self.columns = size, columns
        basis = torch.randn(columns, size, generator=source).to(dtype)
        if unit:
            basis.div_(basis.norm(dim=1, keepdim=True))
        self.basis = basis.to(device)  # transposed: columns of P lie side by side, products over them are fastest

    def add(self, z: Tensor, dims: Sequence[int], out: Tensor) -> None:
        # Only rows that reach so far take part in a stretch of columns: a trapezoid, not a rectangle.
        for row, (start, stop) in enumerate(pairwise((0, *dims))):
            if stop > start:
                out[row:].addmm_(z[row:, start:stop], self.basis[start:stop])

    def adjoint(self, g: Tensor, dims: Sequence[int]) -> Tensor:
        found = g.new_zeros(len(g), self.columns)
        for row, (start, stop) in enumerate(pairwise((0, *dims))):
            if stop > start:
                found[row:, start:stop] = g[row:] @ self.basis[start:stop].T
        return found


class Sparse:
    """Very sparse signs (Li, Hastie & Church 2006): about sqrt(D) numbers a column that are not 0, of one size.

    They are drawn one in each of sqrt(D) strips of about sqrt(D) rows, so that every column has unit norm exactly.
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
        self.count = max(round(math.sqrt(size)), 1)
        edges = torch.arange(self.count + 1) * size // self.count
        widths = edges.diff()
        place = (torch.rand(columns, self.count, generator=source, dtype=torch.float64) * widths).long()
        signs = torch.randint(2, (columns, self.count), generator=source).to(dtype) * 2 - 1
        self.rows = (edges[:-1] + place).view(-1).to(device)
        self.values = (signs * (norm / math.sqrt(self.count))).to(device)

    def add(self, z: Tensor, dims: Sequence[int], out: Tensor) -> None:
        out.index_add_(1, self.rows, (z[:, :, None] * self.values).view(len(z), -1))

    def adjoint(self, g: Tensor, dims: Sequence[int]) -> Tensor:
        found = (g.index_select(1, self.rows).view(len(g), *self.values.shape) * self.values).sum(2)
        for row, d in enumerate(dims):
            found[row, d:] = 0.0
        return found


def draw(
    kind: str,
    size: int,
    columns: int,
    source: torch.Generator,
    *,
    unit: bool = True,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Projection:
    """Draw a projection on the CPU, so that a seed has the same on every device; `unit` as of `Dense`."""
    if kind == "dense":
        return Dense(size, columns, source, unit=unit, dtype=dtype, device=device)
    norm = 1.0 if unit else math.sqrt(size)
    if kind == "sparse":
        return Sparse(size, columns, source, norm=norm, dtype=dtype, device=device)
    return Fastfood(size, columns, source, norm=norm, dtype=dtype, device=device)


class Basis:
    """The subspaces of some dimensions, ascending; row k of what goes in and out belongs to `dims[k]`."""

    def __init__(self, dims: Sequence[int], projections: Sequence[Projection]) -> None:
        """Take one projection of at least as many columns for all dimensions, or one each."""
        self.dims, self.projections = tuple(dims), tuple(projections)
        self.columns = projections[0].columns if len(projections) == 1 else max(dims)

    def add(self, z: Tensor, out: Tensor) -> None:
        """Add P z to `out` [rows, D] for `z` [rows, columns]."""
        if len(self.projections) == 1:
            self.projections[0].add(z, self.dims, out)
            return
        for row, (d, projection) in enumerate(zip(self.dims, self.projections, strict=True)):
            projection.add(z[row : row + 1, :d], (d,), out[row : row + 1])

    def adjoint(self, g: Tensor) -> Tensor:
        """Return P^T g [rows, columns] for `g` [rows, D]."""
        if len(self.projections) == 1:
            return self.projections[0].adjoint(g, self.dims)
        found = g.new_zeros(len(g), self.columns)
        for row, (d, projection) in enumerate(zip(self.dims, self.projections, strict=True)):
            found[row : row + 1, :d] = projection.adjoint(g[row : row + 1], (d,))
        return found


class Draws:
    """The projections of a run: every one is drawn once, from a seed, a purpose and its number of columns."""

    def __init__(
        self,
        kind: str,
        *,
        nested: bool = True,
        unit: bool = True,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        self.kind, self.nested, self.unit, self.dtype, self.device = kind, nested, unit, dtype, device
        self._kept: dict[tuple[int, str, int, int], Projection] = {}

    def basis(self, seed: int, purpose: str, size: int, dims: Sequence[int], widest: int = 0) -> Basis:
        """Return the subspaces of some dimensions of a network with `size` numbers.

        A nested basis has one P with `widest` columns (default: the largest dimension), others one for each dimension.
        """
        wanted = [max(widest, *dims)] if self.nested else dims
        return Basis(dims, [self._projection(seed, purpose, size, columns) for columns in wanted])

    def _projection(self, seed: int, purpose: str, size: int, columns: int) -> Projection:
        key = (seed, purpose, size, columns)
        if key not in self._kept:
            source = seeds.generator(seed, f"projection {purpose}", 0 if self.nested else columns)
            self._kept[key] = draw(
                self.kind, size, columns, source, unit=self.unit, dtype=self.dtype, device=self.device
            )
        return self._kept[key]
