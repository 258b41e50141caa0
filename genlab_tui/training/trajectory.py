"""The way that training took, in the plane of its two principal directions (Li et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LEAST = 4
"""Snapshots that a way needs: three of them always lie in a plane."""


@dataclass(frozen=True)
class Trajectory:
    """`directions` [2, P] are orthonormal, `path` [T, 2] the snapshots in them, from the final network (at 0) on.

    Shares of the variance over snapshots: in these two directions, in two `random` ones, and what the two principal
    directions of a random `walk` would hold whose steps are as long as these and all at right angles.
    """

    directions: Tensor
    path: Tensor
    share: float
    random: float
    walk: float


def principal(snapshots: Tensor, others: Tensor) -> Trajectory | None:
    """Return the plane of snapshots [T, P], the last of which is the final network; None of fewer than four.

    `others` [2, P] span the random plane. Computed in float64 from the products of snapshots: P is large, T is not.
    """
    away = (snapshots - snapshots[-1]).double()
    if len(away) < LEAST or not torch.isfinite(away).all():
        return None
    centred = away - away.mean(0)
    total = float(centred.square().sum())
    if not total > 0.0:
        return None
    values, vectors = torch.linalg.eigh(centred @ centred.t())
    directions = torch.linalg.qr((vectors[:, -2:].flip(1).t() @ centred).t()).Q.t()
    orthogonal = torch.linalg.qr(others.double().t()).Q
    random = float((centred @ orthogonal).square().sum()) / total
    return Trajectory(
        directions.to(snapshots.dtype),
        away @ directions.t(),
        float(values[-2:].sum()) / total,
        random,
        walk_share(away.diff(dim=0).square().sum(1)),
    )


def walk_share(squares: Tensor) -> float:
    """Return the share in two principal directions of a walk whose steps [T - 1] have these squared lengths.

    In many dimensions the steps of a random walk are nearly at right angles: then two places are as far apart as the
    squared lengths between them add up to, and the products of the places follow without any draw.
    """
    gone = torch.cat([squares.new_zeros(1), squares.cumsum(0)])
    products = torch.minimum(gone[:, None], gone[None, :])  # from the start on, which the mean takes away again
    centred = products - products.mean(0) - products.mean(1, keepdim=True) + products.mean()
    values = torch.linalg.eigvalsh(centred)
    return float(values[-2:].sum() / values.sum())
