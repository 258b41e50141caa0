"""Random projections: Fastfood against the matrix it stands for, adjoints, norms, what is drawn when."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genlab_tui.training.fastfood import Fastfood, hadamard, transformed
from genlab_tui.training.projection import KINDS, Basis, Draws, Projection, draw

DOUBLE = torch.float64


def _source(seed: int = 7) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _drawn(kind: str, size: int, columns: int, *, unit: bool = True, seed: int = 7) -> Projection:
    return draw(kind, size, columns, _source(seed), unit=unit, dtype=DOUBLE)


def _matrix(projection: Projection) -> Tensor:
    """Return P [size, columns] by applying it to the identity, one column a row of the batch."""
    found = torch.zeros(projection.columns, projection.size, dtype=DOUBLE)
    projection.add(torch.eye(projection.columns, dtype=DOUBLE), [projection.columns] * projection.columns, found)
    return found.T


@pytest.mark.parametrize("exponent", [1, 2, 5, 6, 7, 11, 12])
def test_the_fast_transform_is_the_product_with_the_hadamard_matrix(exponent: int) -> None:
    x = torch.randn(3, 1 << exponent, dtype=DOUBLE, generator=_source())
    torch.testing.assert_close(transformed(x), x @ hadamard(exponent, DOUBLE, torch.device("cpu")).T)
    torch.testing.assert_close(transformed(transformed(x)), x * (1 << exponent))


def test_the_hadamard_matrix_is_sylvesters() -> None:
    matrix = hadamard(3, DOUBLE, torch.device("cpu"))
    signs = [[(-1.0) ** (i & j).bit_count() for j in range(8)] for i in range(8)]
    assert matrix.tolist() == signs
    with pytest.raises(ValueError, match="12 is no power of two"):
        transformed(torch.zeros(12))


@pytest.mark.parametrize(("size", "columns"), [(50, 7), (96, 16), (100, 33), (9, 9), (5, 1)])
def test_fastfood_is_the_dense_product_of_its_factors(size: int, columns: int) -> None:
    """H G Pi H B, written out with matrices, block on block, cut off at D rows."""
    fast = Fastfood(size, columns, _source(), dtype=DOUBLE)
    h = hadamard(fast.width.bit_length() - 1, DOUBLE, torch.device("cpu"))
    blocks = []
    for b in range(fast.blocks):
        order = fast.order[b * fast.width : (b + 1) * fast.width] - b * fast.width
        permutation = torch.eye(fast.width, dtype=DOUBLE)[order]
        blocks.append(h @ fast.scales[b].diag() @ permutation @ h @ fast.signs[b].diag())
    wanted = torch.cat(blocks)[:size, :columns]
    torch.testing.assert_close(_matrix(fast), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "columns"), [(1000, 40), (333, 64), (70, 70)])
def test_the_adjoint_is_the_adjoint(kind: str, size: int, columns: int) -> None:
    projection = _drawn(kind, size, columns)
    dims = sorted({1, columns // 3, columns})
    z = torch.randn(len(dims), columns, dtype=DOUBLE, generator=_source(1))
    for row, d in enumerate(dims):
        z[row, d:] = 0.0
    g = torch.randn(len(dims), size, dtype=DOUBLE, generator=_source(2))
    out = torch.zeros(len(dims), size, dtype=DOUBLE)
    projection.add(z, dims, out)
    back = projection.adjoint(g, dims)
    torch.testing.assert_close((out * g).sum(1), (z * back).sum(1), rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(back[-1], g[-1] @ _matrix(projection))
    for row, d in enumerate(dims):
        assert not back[row, d:].any(), "a dimension beyond d has no gradient"


@pytest.mark.parametrize("kind", KINDS)
def test_adding_adds(kind: str) -> None:
    projection = _drawn(kind, 60, 8)
    z = torch.randn(1, 8, dtype=DOUBLE, generator=_source(3))
    out = torch.ones(1, 60, dtype=DOUBLE)
    projection.add(z, (8,), out)
    torch.testing.assert_close(out[0], 1 + _matrix(projection) @ z[0])


@pytest.mark.parametrize(("kind", "off"), [("dense", 1e-12), ("sparse", 1e-12), ("fastfood", 0.05)])
def test_columns_have_unit_norm_and_are_nearly_orthogonal(kind: str, off: float) -> None:
    """Forgotten, the learning rate would scale with sqrt(D)."""
    gram = _matrix(_drawn(kind, 4810, 100)).T @ _matrix(_drawn(kind, 4810, 100))
    assert float((gram.diagonal() - 1).abs().max()) < 2 * off
    assert float((gram - gram.diagonal().diag()).abs().max()) < 6 / math.sqrt(4810)
    loud = _matrix(_drawn(kind, 4810, 100, unit=False))
    assert (loud.norm(dim=0) / math.sqrt(4810)).tolist() == pytest.approx([1.0] * 100, abs=0.06)


def test_whole_blocks_of_fastfood_have_columns_of_one_norm() -> None:
    norms = _matrix(Fastfood(256, 60, _source(), dtype=DOUBLE)).norm(dim=0)
    assert norms.tolist() == pytest.approx([1.0] * 60, rel=1e-12)


def test_sparse_columns_have_sqrt_d_entries_of_one_size() -> None:
    matrix = _matrix(_drawn("sparse", 1000, 50))
    assert (matrix != 0).sum(0).tolist() == [round(math.sqrt(1000))] * 50
    assert len(matrix.abs().unique()) == 2


def test_fastfood_of_a_million_by_ten_thousand_fits() -> None:
    """Dense, it would take 40 GB."""
    fast = Fastfood(1_000_000, 10_000, _source())
    assert fast.bytes < 40e6
    z, g = torch.randn(1, 10_000, generator=_source(1)), torch.randn(1, 1_000_000, generator=_source(2))
    out = torch.zeros(1, 1_000_000)
    fast.add(z, (10_000,), out)
    assert float(out.norm() / z.norm()) == pytest.approx(1.0, abs=0.02)
    left, right = float((out.double() * g).sum()), float((z.double() * fast.adjoint(g, (10_000,))).sum())
    assert left == pytest.approx(right, rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_nested_basis_is_the_first_columns_and_an_independent_one_is_not(kind: str) -> None:
    dims = (3, 9)
    nested = Draws(kind, dtype=DOUBLE).basis(5, "x", 200, dims)
    own = Draws(kind, nested=False, dtype=DOUBLE).basis(5, "x", 200, dims)
    assert [len(b.projections) for b in (nested, own)] == [1, 2]
    columns = {}
    for name, basis in (("nested", nested), ("own", own)):
        z = torch.zeros(2, 9, dtype=DOUBLE)
        z[:, 2] = 1.0
        out = torch.zeros(2, 200, dtype=DOUBLE)
        basis.add(z, out)
        columns[name] = out
        g = torch.randn(2, 200, dtype=DOUBLE, generator=_source(4))
        back = basis.adjoint(g)
        torch.testing.assert_close(back[:, 2], (out * g).sum(1))
        assert not back[0, 3:].any()
    torch.testing.assert_close(columns["nested"][0], columns["nested"][1])
    assert not torch.allclose(columns["own"][0], columns["own"][1])


def test_a_projection_is_drawn_once_and_follows_from_its_seed() -> None:
    draws = Draws("dense", dtype=DOUBLE)
    first = draws.basis(5, "x", 40, (2, 4))
    assert draws.basis(5, "x", 40, (4,)).projections[0] is first.projections[0]
    again = Draws("dense", dtype=DOUBLE).basis(5, "x", 40, (2, 4))
    same, other = _of(again), _of(Draws("dense", dtype=DOUBLE).basis(6, "x", 40, (2, 4)))
    assert torch.equal(_of(first), same)
    assert not torch.allclose(same, other)
    assert not torch.allclose(same, _of(Draws("dense", dtype=DOUBLE).basis(5, "y", 40, (2, 4))))


def _of(basis: Basis) -> Tensor:
    return _matrix(basis.projections[0])
