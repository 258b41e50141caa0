"""Many perceptrons of one shape as one differentiable function of their numbers.

The engine trains; what looks at a network from the outside (curvature, slices, critical points) needs its loss as a
function of all its numbers, which autograd can follow twice. All members share batched products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from genlab_tui.errors import BadValue
from genlab_tui.training.population import draw

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu, "tanh": torch.tanh, "linear": lambda z: z}

KINDS = ("cross-entropy", "half-squared")

Loss = Callable[[Tensor], Tensor]
"""A loss [M] as a function of the numbers [M, P] of M networks; that of one depends on its own row alone."""


@dataclass(frozen=True)
class Net:
    """A shape: `sizes` are the inputs, the hidden widths and the outputs.

    Numbers are flat, [M, P]: the matrices [after, before], first layer first, then the bias vectors: as `State.weights`
    keeps those of a plain perceptron. With `residual`, every hidden layer after the first gives h + act(W h + b), and
    all hidden layers must be equally wide (BadValue).
    """

    sizes: tuple[int, ...]
    activation: str = "relu"
    residual: bool = False
    biases: bool = True

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise BadValue(f"sizes {self.sizes} make no network", "at least inputs and outputs, each 1 or more")
        if self.activation not in ACTIVATIONS:
            raise BadValue(f"there is no activation {self.activation!r}", "one of " + ", ".join(ACTIVATIONS))
        if self.residual and len(set(self.sizes[1:-1])) > 1:
            raise BadValue(f"hidden layers of {self.sizes[1:-1]} units cannot be skipped", "make them equally wide")

    @property
    def size(self) -> int:
        """P: how many numbers a network has."""
        return sum(self._lengths())

    def _lengths(self) -> list[int]:
        matrices = [before * after for before, after in pairwise(self.sizes)]
        return matrices + (list(self.sizes[1:]) if self.biases else [])

    def split(self, flat: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return views of numbers [M, P]: a matrix [M, after, before] and a bias [M, after] for every layer.

        Without biases the second list is empty.
        """
        parts = torch.split(flat, self._lengths(), dim=1)
        shapes = list(pairwise(self.sizes))
        matrices = [part.view(-1, after, before) for part, (before, after) in zip(parts, shapes, strict=False)]
        return matrices, list(parts[len(shapes) :])

    def initial(
        self,
        init_seeds: Sequence[int],
        scheme: str = "he-normal",
        gain: float = 1.0,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Draw numbers [M, P], each member's from its own seed, the matrices times `gain`; the biases are 0.

        Drawn in float32, so that a seed starts alike in every precision. Schemes: see `population.draw`.
        """
        rows = []
        for seed in init_seeds:
            matrices = draw(self.sizes, seed, scheme, biases=False)[: len(self.sizes) - 1]
            row = torch.cat([matrix.reshape(-1) for matrix in matrices]).to(dtype) * gain
            rows.append(functional.pad(row, (0, self.size - len(row))))
        return torch.stack(rows)

    def outputs(self, flat: Tensor, x: Tensor) -> Tensor:
        """Return outputs [M, B, K] for inputs x: [B, d], the same for all, or [M, B, d]."""
        matrices, biases = self.split(flat)
        act = ACTIVATIONS[self.activation]
        last = len(matrices) - 1
        if x.dim() == 2 and last:  # one product for all members that read the same samples
            wide = matrices[0].flatten(0, 1) @ x.t()
            h = wide.view(len(flat), self.sizes[1], wide.shape[1])
        else:
            h = matrices[0] @ x.transpose(-1, -2)
        for layer, matrix in enumerate(matrices):
            z = h if layer == 0 else torch.bmm(matrix, h)
            if biases:
                z = z + biases[layer][:, :, None]
            if layer < last:
                z = h + act(z) if self.residual and layer else act(z)
            h = z
        return h.transpose(1, 2)


def losses(net: Net, flat: Tensor, x: Tensor, y: Tensor, kind: str = "cross-entropy") -> Tensor:
    """Return the mean loss [M] of networks `flat` [M, P] on samples x [B, d] or [M, B, d].

    y: class labels [B] or [M, B]; for `half-squared`, half the squared error summed over the outputs and averaged over
    the samples, also targets [B, K] or [M, B, K] (labels become one-hot targets). Raises BadValue for another kind.
    """
    if kind not in KINDS:
        raise BadValue(f"there is no loss {kind!r}", "one of " + ", ".join(KINDS))
    z = net.outputs(flat, x)
    if kind == "half-squared":
        if not y.is_floating_point():
            y = functional.one_hot(y, net.sizes[-1]).to(z.dtype)
        return (z - y).square().sum(dim=2).mean(dim=1) / 2
    index = y.expand(len(flat), -1)[:, None]
    log_p = torch.log_softmax(z.transpose(1, 2), dim=1)  # classes before the batch: many times faster
    return -log_p.gather(1, index).mean(dim=(1, 2))


def accuracies(net: Net, flat: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the share of right answers [M], float64, for labels y [B] or [M, B]."""
    with torch.no_grad():
        answers = net.outputs(flat, x).transpose(1, 2).max(1).indices
    return (answers == y).double().mean(dim=1)


def gradients(loss: Loss, flat: Tensor) -> tuple[Tensor, Tensor]:
    """Return the losses [M] at `flat` [M, P] and their gradients [M, P], both without a graph."""
    point = flat.detach().requires_grad_()
    with torch.enable_grad():
        value = loss(point)
        (slope,) = torch.autograd.grad(value.sum(), point)
    return value.detach(), slope
