"""Hessian-vector products against finite differences and torch's Hessian; Lanczos against whole spectra."""

from __future__ import annotations

import pytest
import torch

from genlab_tui.training import curvature, nets, seeds
from genlab_tui.training.nets import Net

NET = Net((6, 5, 4, 3), "tanh")


def _loss(flat: torch.Tensor) -> torch.Tensor:
    source = seeds.generator(1, "test")
    x = torch.randn(30, 6, generator=source, dtype=torch.float64)
    return nets.losses(NET, flat, x, torch.randint(3, (30,), generator=source))


def _vectors(like: torch.Tensor, number: int = 0) -> torch.Tensor:
    return torch.randn(like.shape, generator=seeds.generator(4, "vectors", number), dtype=like.dtype)


def test_products_are_exact_member_by_member() -> None:
    flat = NET.initial([1, 2], dtype=torch.float64)
    v = _vectors(flat)
    found = curvature.hessian_product(_loss, flat)(v)
    step = 1e-5
    ahead, behind = (nets.gradients(_loss, flat + sign * step * v)[1] for sign in (1, -1))
    torch.testing.assert_close(found, (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-8)
    alone = curvature.hessian_product(_loss, flat[1:])(v[1:])
    torch.testing.assert_close(found[1:], alone)


def test_whole_hessians_are_those_of_torch() -> None:
    flat = NET.initial([1, 2], dtype=torch.float64)
    found = curvature.hessian(_loss, flat)
    for row in range(2):
        theirs = torch.autograd.functional.hessian(lambda one: _loss(one[None])[0], flat[row])
        torch.testing.assert_close(found[row], theirs)


@pytest.mark.parametrize("gain", [0.3, 1.0, 3.0])
def test_lanczos_finds_the_largest_eigenvalues(gain: float) -> None:
    flat = NET.initial([1, 2, 3], gain=gain, dtype=torch.float64)
    whole = torch.linalg.eigvalsh(curvature.hessian(_loss, flat)).flip(1)
    product = curvature.hessian_product(_loss, flat)
    found = curvature.top(product, _vectors(flat), 3, tolerance=1e-6, limit=NET.size)
    torch.testing.assert_close(found.values, whole[:, :3], rtol=1e-6, atol=1e-9)
    v = found.vectors[:, 0]
    torch.testing.assert_close(product(v), found.values[:, :1] * v, rtol=1e-3, atol=1e-4)


def test_the_error_bound_holds_and_stops_early() -> None:
    flat = NET.initial([1, 2, 3], dtype=torch.float64)
    whole = torch.linalg.eigvalsh(curvature.hessian(_loss, flat)).flip(1)[:, 0]
    found = curvature.top(curvature.hessian_product(_loss, flat), _vectors(flat), tolerance=0.01)
    assert found.products < 40
    assert bool(((found.values[:, 0] - whole).abs() <= found.errors[:, 0] + 1e-12).all())
    assert bool((found.errors[:, 0] <= 0.01 * found.values[:, 0]).all())


def test_a_large_negative_eigenvalue_is_not_the_top_one() -> None:
    """Power iteration would answer -5."""
    spectrum = torch.tensor([[1.0, -5.0, 2.0, 0.5]], dtype=torch.float64)
    found = curvature.top(lambda v: spectrum * v, torch.ones(1, 4, dtype=torch.float64), tolerance=1e-9)
    assert found.values.item() == pytest.approx(2.0)


def test_members_whose_space_is_exhausted_do_not_disturb_the_others() -> None:
    spectra = torch.tensor([[3.0, 3.0, 3.0, 3.0, 3.0], [1.0, -5.0, 2.0, 0.5, 4.0]], dtype=torch.float64)
    found = curvature.top(lambda v: spectra * v, torch.ones(2, 5, dtype=torch.float64), 2, tolerance=1e-9)
    assert found.values[0, 0].item() == pytest.approx(3.0)
    assert bool(found.values[0, 1].isnan())  # there is one direction only
    assert found.values[1].tolist() == pytest.approx([4.0, 2.0])


def test_a_start_near_the_vector_saves_products() -> None:
    flat = NET.initial([1], dtype=torch.float64)
    product = curvature.hessian_product(_loss, flat)
    cold = curvature.top(product, _vectors(flat), tolerance=1e-3)
    warm = curvature.top(product, cold.vectors[:, 0] + 1e-4 * _vectors(flat, 1), tolerance=1e-3)
    assert warm.products < cold.products


def test_a_start_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="length 0"):
        curvature.top(lambda v: v, torch.zeros(1, 4))


def test_one_per_cent_within_fifty_products_on_a_perceptron_of_real_size() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = torch.tensor(digits.data[:500] / 16, dtype=torch.float64)
    y = torch.tensor(digits.target[:500])
    net = Net((64, 128, 128, 10))

    def loss(flat: torch.Tensor) -> torch.Tensor:
        return nets.losses(net, flat, x, y)

    flat = net.initial([1], dtype=torch.float64)
    for _ in range(30):
        flat = flat - 0.2 * nets.gradients(loss, flat)[1]
    product = curvature.hessian_product(loss, flat)
    rough = curvature.top(product, _vectors(flat), tolerance=0.01, limit=50)
    exact = curvature.top(product, _vectors(flat, 1), tolerance=1e-7, limit=150)
    assert rough.products <= 50
    assert rough.values.item() == pytest.approx(exact.values.item(), rel=0.01)
