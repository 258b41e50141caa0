"""Critical points of the loss of small networks, found by Newton's method on the gradient, many searches at once.

Newton's steps go to critical points of every kind, saddles as well as minima. A step that lowers the gradient's length
at any price (Levenberg's) ends in regions that are merely flat (Frye et al. 2021); here a step is cut to a length and
taken, whatever it does to the gradient, and only what reaches a gradient of next to nothing counts as found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genlab_tui.training import curvature, nets
from genlab_tui.training.nets import Loss, Net

FLOOR = 1e-6
"""Eigenvalues of less than this share of the largest magnitude have no sign that rounding left them."""


@dataclass(frozen=True)
class Problem:
    """Samples x [n, d] with targets t [n, K], float64, and the loss: half the squared error plus l2 / 2 |numbers|²."""

    net: Net
    x: Tensor
    targets: Tensor
    l2: float

    def loss(self, flat: Tensor) -> Tensor:
        """Return the loss [M] of networks `flat` [M, P]."""
        return nets.losses(self.net, flat, self.x, self.targets, "half-squared") + self.l2 / 2 * flat.square().sum(1)


def begin_at(
    problem: Problem, init_seeds: Sequence[int], last: int, lr: float, poll: Callable[[], None] | None = None
) -> Tensor:
    """Return where searches begin, [M, P]: each at its own place of its own training.

    Adam (beta .9 and .999) from its own initial weights: the first stops after one step, the last after `last`, the
    others in between, evenly in the logarithm: from a high loss to a low one. `poll` is called before every step.
    """
    count = len(init_seeds)
    stops = [round(last ** (k / max(count - 1, 1))) for k in range(count)]
    flat = problem.net.initial(init_seeds, "glorot-normal", dtype=torch.float64)
    first, second = torch.zeros_like(flat), torch.zeros_like(flat)
    for step in range(1, last + 1):
        if poll:
            poll()
        running = [k for k, stop in enumerate(stops) if stop >= step]
        slope = nets.gradients(problem.loss, flat[running])[1]
        first[running] = 0.9 * first[running] + 0.1 * slope
        second[running] = 0.999 * second[running] + 0.001 * slope.square()
        mean, spread = first[running] / (1 - 0.9**step), (second[running] / (1 - 0.999**step)).sqrt()
        flat[running] = flat[running] - lr * mean / (spread + 1e-8)
    return flat


class Search:
    """Newton's searches of M networks at numbers [M, P]; those that have found a critical point rest."""

    def __init__(self, loss: Loss, flat: Tensor, longest: float, tolerance: float) -> None:
        self.loss, self.flat, self.longest, self.tolerance = loss, flat.clone(), longest, tolerance
        self.steps = 0
        _, self.slope = nets.gradients(loss, self.flat)

    @property
    def found(self) -> Tensor:
        """Which of them stand at a critical point, [M]."""
        lengths: Tensor = torch.linalg.vector_norm(self.slope, dim=1)
        return lengths <= self.tolerance

    @property
    def searching(self) -> int:
        """How many are on their way: one whose numbers are not finite is not."""
        return int((~self.found & self.slope.isfinite().all(dim=1)).sum())

    def step(self) -> None:
        """Take one step with all that have not arrived: -H⁻¹ g, at most `longest` long."""
        active = (~self.found & self.slope.isfinite().all(dim=1)).nonzero()[:, 0]
        self.steps += 1
        if not len(active):
            return
        values, vectors = torch.linalg.eigh(curvature.hessian(self.loss, self.flat[active]))
        along = (vectors.transpose(1, 2) @ self.slope[active][:, :, None])[:, :, 0]
        least = FLOOR * values.abs().max(dim=1, keepdim=True).values
        signs = torch.where(values < 0, -1.0, 1.0).to(values.dtype)
        move = -along / (signs * torch.maximum(values.abs(), least))
        move = move * (self.longest / move.norm(dim=1, keepdim=True)).clamp(max=1.0)
        self.flat[active] += (vectors @ move[:, :, None])[:, :, 0]
        self.slope[active] = nets.gradients(self.loss, self.flat[active])[1]

    def arrays(self) -> dict[str, Any]:
        """Return what a checkpoint needs, beside the number of steps."""
        return {"flat": self.flat.clone(), "slope": self.slope.clone()}

    def restore(self, arrays: Any, steps: int) -> None:
        """Go on from a checkpoint."""
        self.flat, self.slope, self.steps = arrays["flat"].clone(), arrays["slope"].clone(), steps


@dataclass(frozen=True)
class CriticalPoint:
    """A critical point: its loss, the share of its eigenvalues that are negative, and all of them, ascending."""

    loss: float
    index: float
    eigenvalues: tuple[float, ...]


def characterise(loss: Loss, flat: Tensor) -> list[CriticalPoint]:
    """Return the critical points at numbers [M, P], ascending in the loss, each once.

    Two with the same loss (to 1e-6 of the largest) and the same index count as one: units in another order, or of
    another sign.
    """
    if not len(flat):
        return []
    values = torch.linalg.eigvalsh(curvature.hessian(loss, flat))
    with torch.no_grad():
        losses = loss(flat)
    least = FLOOR * values.abs().max(dim=1, keepdim=True).values
    negative = (values < -least).double().mean(dim=1)
    near = 1e-6 * losses.abs().max().item()
    found: list[CriticalPoint] = []
    for k in losses.argsort().tolist():
        point = CriticalPoint(losses[k].item(), negative[k].item(), tuple(values[k].tolist()))
        same = (p for p in found if abs(p.loss - point.loss) <= near and p.index == point.index)
        if next(same, None) is None:
            found.append(point)
    return found
