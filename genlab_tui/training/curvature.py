"""Curvature of the loss of many networks at once: exact Hessian-vector products and Lanczos on top of them.

A Hessian is that of one fixed set of samples: one that is drawn anew at every product has eigenvalues of its own. The
algebraically largest eigenvalue is looked for, not the one of largest magnitude, which is negative at some points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab_tui.training.nets import Loss

Product = Callable[[Tensor], Tensor]
"""H v for v [M, P], member by member."""

FEWEST = 4
"""Products before Lanczos may stop: the first values lie near each other also where nothing has converged."""


def hessian_product(loss: Loss, flat: Tensor) -> Product:
    """Return the product with the Hessians of a loss at `flat` [M, P].

    Exact, by differentiating the gradient's product with v; the gradient and its graph are made once.
    """
    point = flat.detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(loss(point).sum(), point, create_graph=True)

    def product(v: Tensor) -> Tensor:
        (found,) = torch.autograd.grad(slope, point, grad_outputs=v, retain_graph=True)
        return found

    return product


def hessian(loss: Loss, flat: Tensor) -> Tensor:
    """Return the Hessians [M, P, P] of a loss at `flat` [M, P], made symmetric: for some hundred numbers."""
    product = hessian_product(loss, flat)
    rows = []
    unit = torch.zeros_like(flat)
    for column in range(flat.shape[1]):
        unit[:, column] = 1
        rows.append(product(unit))
        unit[:, column] = 0
    matrix = torch.stack(rows, dim=1)
    return (matrix + matrix.transpose(1, 2)) / 2


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of M operators: `values` [M, k], the largest first, with `vectors` [M, k, P] of length 1.

    `errors` [M, k] bounds the distance of each value to an eigenvalue; `products` counts those with the operator. A
    value is NaN where the space that the start spans has fewer eigenvalues than were asked for.
    """

    values: Tensor
    vectors: Tensor
    errors: Tensor
    products: int


def top(product: Product, start: Tensor, count: int = 1, tolerance: float = 0.01, limit: int = 50) -> Spectrum:
    """Return the `count` algebraically largest eigenvalues by Lanczos with full reorthogonalisation.

    From `start` [M, P] (any vectors; those of a nearby point save products) until every value's error bound is at most
    `tolerance` of its magnitude, or until `limit` products. Values that did not converge have larger `errors`. A start
    that lies in a smaller invariant space finds only the eigenvalues of that space (a zero start raises ValueError).
    """
    length = start.norm(dim=1, keepdim=True)
    if not bool((length > 0).all()):
        raise ValueError("a start of length 0 leads nowhere")
    limit = min(limit, start.shape[1])
    basis = [start / length]
    alphas: list[Tensor] = []
    betas: list[Tensor] = []
    scale = start.new_zeros(len(start))
    while True:
        w = product(basis[-1])
        alphas.append((w * basis[-1]).sum(1))
        stacked = torch.stack(basis, dim=1)  # [M, k, P]
        for _ in range(2):  # twice is enough (Kahan, Parlett)
            w = w - (torch.bmm(stacked, w[:, :, None]).transpose(1, 2) @ stacked)[:, 0]
        beta = w.norm(dim=1)
        scale = torch.maximum(scale, torch.maximum(alphas[-1].abs(), beta))
        found = _ritz(alphas, betas, beta, count)
        done = len(alphas)
        if done >= limit or (done >= max(FEWEST, count) and _converged(found, tolerance)):
            values, inner, errors = found
            vectors = torch.bmm(inner.transpose(1, 2), stacked)
            return Spectrum(values, vectors / vectors.norm(dim=2, keepdim=True), errors, done)
        # A space that is exhausted goes on with zeros; the values that they add are taken out in `_ritz`.
        alive = beta > scale * 1e3 * torch.finfo(beta.dtype).eps
        betas.append(torch.where(alive, beta, torch.zeros_like(beta)))
        basis.append(torch.where(alive[:, None], w / beta.clamp(min=torch.finfo(beta.dtype).tiny)[:, None], 0 * w))


def _ritz(alphas: list[Tensor], betas: list[Tensor], beta: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the largest values [M, k] of the tridiagonal matrices, their vectors [M, steps, k] and error bounds."""
    steps = len(alphas)
    matrix = torch.diag_embed(torch.stack(alphas, dim=1))
    if betas:
        off = torch.stack(betas, dim=1)
        matrix = matrix + torch.diag_embed(off, offset=1) + torch.diag_embed(off, offset=-1)
        # Steps after a space was exhausted are no part of it: put them below everything.
        ended = torch.cat([torch.zeros_like(off[:, :1]), (off == 0).to(off.dtype).cumsum(1).clamp(max=1)], dim=1)
        low = -1 - 2 * matrix.abs().sum(dim=(1, 2))
        matrix = matrix + torch.diag_embed(ended * low[:, None])
        lowest = low[:, None] / 2
    else:
        lowest = matrix.new_full((len(matrix), 1), -torch.inf)
    values, inner = torch.linalg.eigh(matrix)
    k = min(count, steps)
    values, inner = values.flip(1)[:, :k], inner.flip(2)[:, :, :k]
    values = torch.where(values > lowest, values, torch.nan)
    return values, inner, beta[:, None] * inner[:, -1].abs()


def _converged(found: tuple[Tensor, Tensor, Tensor], tolerance: float) -> bool:
    values, _, errors = found
    return bool(((errors <= tolerance * values.abs()) | values.isnan()).all())
