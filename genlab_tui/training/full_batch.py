"""Full-batch descent of perceptrons with the sharpness on the way and the loss of every single step.

A member is one network, a rule of descent and the samples of its seed. It is worked on by itself, on one core: what a
step touches then stays in that core's cache, and its numbers depend on nobody else's. Numbers lie as in `nets.Net`,
samples and activations as [feature, sample]. Losses and the sharpness are float64 whatever the steps are taken in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from genlab_tui.training import seeds as streams
from genlab_tui.training.curvature import Product, top
from genlab_tui.training.edge_columns import ACCURACY, LOSS
from genlab_tui.training.full_batch_curvature import full_batch_product
from genlab_tui.training.nets import Net, losses

PLAIN, POLYAK, NESTEROV = "plain", "polyak", "nesterov"

TOLERANCE = 0.003
"""Share of the sharpness at which Lanczos stops. Where the largest eigenvalues lie near each other, as they do at the
edge, it can stop at the second of them: at 0.01 some looks were 2 % off, at this one in none of fifty."""
LIMIT = 80
"""Products with the Hessian at a look, at most."""
FRESH = 1.0
"""Length of the random vector added to the eigenvector of the look before: what lies at right angles to a start is
never found from it, and the largest eigenvalue may have become another one's."""
GONE = 1e4
"""Times its first loss: a network with more has diverged."""
ROUNDING = {torch.float32: 1e-7, torch.float64: 1e-12}
"""Share by which a step must make the loss larger to have raised it: less is what numbers of its precision round to."""
aten = torch.ops.aten
FORWARD: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh_, "relu": torch.relu_}
BACKWARD: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "tanh": lambda delta, h: aten.tanh_backward.grad_input(delta, h, grad_input=delta),
    "relu": lambda delta, h: aten.threshold_backward.grad_input(delta, h, 0, grad_input=delta),
}
"""In place: the derivative of the loss by what goes into an activation, from that by its output `h`."""


@dataclass(frozen=True)
class Descent:
    """How a member descends: `steps` steps at the rate `lr`, with momentum `beta` of a kind or without (`plain`)."""

    arm: str
    seed: int
    lr: float
    steps: int
    kind: str = PLAIN
    beta: float = 0.0


class Problem:
    """Samples of one seed, x [n, d] and labels [n], for networks of one shape and a loss of `nets.KINDS`.

    Steps are taken in `dtype`. `target` are the one-hot labels [K, n].
    """

    def __init__(self, net: Net, x: Tensor, labels: Tensor, loss: str, dtype: torch.dtype = torch.float64) -> None:
        self.net, self.labels, self.kind, self.dtype = net, labels, loss, dtype
        self.rows = x.double()
        self.x = self.rows.t().to(dtype).contiguous()
        self.target = functional.one_hot(labels, net.sizes[-1]).t().to(dtype).contiguous()

    def loss(self, flat: Tensor) -> Tensor:
        """Return the losses [M] at numbers [M, P], for autograd."""
        return losses(self.net, flat, self.rows, self.labels, self.kind)

    def product(self, flat: Tensor) -> Product:
        """Return v [1, P] -> H v, float64, at the numbers of one network."""
        return full_batch_product(self.net, flat.double(), self.rows.t(), self.labels, self.kind)


class Workspace:
    """The buffers of one thread: a step makes none of the size of the samples."""

    def __init__(self, problem: Problem) -> None:
        net, (_, n) = problem.net, problem.x.shape

        def make(rows: int, columns: int) -> Tensor:
            return torch.empty(rows, columns, dtype=problem.dtype, device=problem.x.device)

        self.hidden, self.deltas = ([make(width, n) for width in net.sizes[1:]] for _ in range(2))
        self.slope = make(1, net.size)


def gradient(problem: Problem, flat: Tensor, space: Workspace, loss: Tensor) -> Tensor:
    """Return the gradient [1, P] at `flat` [1, P], which lies in the workspace.

    The loss is written into `loss` ([], float64).
    """
    net = problem.net
    matrices, biases = ([part[0] for part in parts] for parts in net.split(flat))
    slopes, bias_slopes = ([part[0] for part in parts] for parts in net.split(space.slope))
    n, last = problem.x.shape[1], len(matrices) - 1
    below = [problem.x, *space.hidden[:-1]]
    for layer, matrix in enumerate(matrices):
        torch.addmm(biases[layer][:, None], matrix, below[layer], out=space.hidden[layer])
        if layer < last:
            FORWARD[net.activation](space.hidden[layer])
    _output_slope(problem, space.hidden[last], space.deltas[last], loss, n)
    for layer in range(last, -1, -1):
        delta = space.deltas[layer]
        torch.mm(delta, below[layer].t(), out=slopes[layer])
        torch.sum(delta, 1, out=bias_slopes[layer])
        if layer:
            torch.mm(matrices[layer].t(), delta, out=space.deltas[layer - 1])
            BACKWARD[net.activation](space.deltas[layer - 1], below[layer])
    return space.slope


def _output_slope(problem: Problem, z: Tensor, delta: Tensor, loss: Tensor, n: int) -> None:
    """Write the derivative of the mean loss by the outputs z [K, n] into `delta`, and the loss into `loss`."""
    if problem.kind == "half-squared":
        torch.sub(z, problem.target, out=delta)
        loss.copy_(delta.double().square().sum()).div_(2 * n)
    else:
        torch.log_softmax(z, 0, out=delta)
        loss.copy_((delta * problem.target).double().sum()).div_(-n)
        delta.exp_().sub_(problem.target)
    delta.div_(n)


class Walk:
    """A member on its way: where it stands after `step` steps, and what the looks noted."""

    def __init__(self, descent: Descent, problem: Problem, flat: Tensor) -> None:
        self.descent, self.problem = descent, problem
        self.flat = flat.to(problem.dtype, copy=True)
        self.velocity = torch.zeros_like(self.flat)
        self.vector = torch.zeros_like(self.flat, dtype=torch.float64)
        self.step, self.rises, self.diverged = 0, 0, False
        self.looks: list[int] = []
        self.noted: list[list[float]] = []

    def walk_to(self, step: int, space: Workspace) -> list[float]:
        """Take the steps up to `step` and look; return the losses from where it stood to there, both included."""
        found = torch.empty(step - self.step + 1, dtype=torch.float64, device=self.flat.device)
        for k in range(step - self.step):
            self._descend(gradient(self.problem, self.flat, space, found[k]))
        gradient(self.problem, self.flat, space, found[-1])
        passed: list[float] = found.tolist()
        least = 1 + ROUNDING[self.problem.dtype]
        self.rises += sum(after > before * least for before, after in pairwise(passed))
        self.step = step
        accuracy = (space.hidden[-1].argmax(0) == self.problem.labels).double().mean().item()
        first = self.noted[0][LOSS] if self.noted else passed[0]
        self.diverged = not all(loss <= GONE * first for loss in passed)  # also where one is NaN
        sharpness, error = (math.nan, math.nan) if self.diverged else self._sharpness()
        self.looks.append(step)
        self.noted.append([sharpness, error, passed[-1], accuracy, float(self.rises)])
        return passed

    def _descend(self, slope: Tensor) -> None:
        """Take a step. With Nesterov's momentum the numbers are those that the gradient is taken at."""
        how = self.descent
        if how.kind == PLAIN:
            self.flat.add_(slope, alpha=-how.lr)
            return
        self.velocity.mul_(how.beta).add_(slope)
        if how.kind == POLYAK:
            self.flat.add_(self.velocity, alpha=-how.lr)
        else:
            self.flat.add_(slope, alpha=-how.lr).add_(self.velocity, alpha=-how.lr * how.beta)

    def _sharpness(self) -> tuple[float, float]:
        """Return the largest eigenvalue of the Hessian where it stands, and the bound on its error."""
        random = streams.generator(self.descent.seed, "sharpness", self.step)
        noise = torch.randn(self.vector.shape, generator=random, dtype=torch.float64).to(self.vector.device)
        warm = bool(self.vector.any())
        start = self.vector + noise * (FRESH / noise.norm()) if warm else noise
        found = top(self.problem.product(self.flat), start, tolerance=TOLERANCE, limit=LIMIT)
        self.vector = found.vectors[:, 0]
        return found.values.item(), found.errors.item()

    def ended(self, until: float) -> bool:
        """Whether it takes no more steps: the last one is taken, it diverged, or `until` (if any) is reached."""
        if self.diverged or self.step >= self.descent.steps:
            return True
        return bool(self.noted) and 0 < until <= self.noted[-1][ACCURACY]
