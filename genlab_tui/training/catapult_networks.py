"""Networks with one hidden layer on two classes, in the parametrisation of the neural tangent kernel, at large rates.

f = v.act(W x / sqrt(d)) / sqrt(m), all weights drawn standard normal, no biases; y = -1 or 1, loss half the mean
squared error, every step sees all samples. lambda is the largest eigenvalue of the kernel of the training samples
(products of the gradients of f) over their number n: what descent on the linearised network diverges by, at 2 / lambda.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlab_tui.training import seeds as streams
from genlab_tui.training.loss_track import LossTrack

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

LIMIT = 100.0
"""Loss over m above which a network has diverged, as in the model."""
TRAINED = 0.9
"""Share of the loss of a network that answers 0 everywhere: one that ends below has trained. A ReLU network that was
thrown to where no unit is active answers 0 for good, and its loss is finite."""

RELU, LINEAR = "relu", "linear"
Look = Callable[[int, Array], None]


@dataclass(frozen=True)
class Samples:
    """The samples of some members: x [M, n, r] in an orthonormal basis of their own span, over sqrt(d); y [M, n].

    `bases` [M, d, r]: full-batch descent never leaves the span, so r <= n numbers of each input are enough.
    """

    x: Tensor
    y: Tensor
    bases: Tensor


@dataclass(frozen=True)
class Weights:
    """W [M, m, r] in the basis of the samples, and v [M, m]."""

    inner: Tensor
    outer: Tensor


def prepare(x: Sequence[NDArray[np.float32]], y: Sequence[NDArray[np.float32]], device: str) -> Samples:
    """Return the samples of members from their inputs [n, d] and targets [n]."""
    inputs = torch.stack([torch.from_numpy(own) for own in x]).double()
    bases = torch.linalg.qr(inputs.transpose(1, 2)).Q
    rotated = (inputs @ bases) / math.sqrt(inputs.shape[2])
    return Samples(
        rotated.float().to(device), torch.stack([torch.from_numpy(own) for own in y]).to(device), bases.float()
    )


def draw(samples: Samples, seeds: Sequence[int], width: int) -> Weights:
    """Draw the weights of one network a seed, whatever the samples and the activation."""
    inner, outer = [], []
    for seed, basis in zip(seeds, samples.bases, strict=True):
        random = streams.generator(seed, "catapult network")
        outer.append(torch.randn(width, generator=random))
        inner.append(torch.randn(width, len(basis), generator=random) @ basis)
    device = samples.x.device
    return Weights(torch.stack(inner).to(device), torch.stack(outer).to(device))


def _hidden(activation: str, inner: Tensor, x: Tensor) -> Tensor:
    z = torch.bmm(inner, x.transpose(1, 2))
    return z.relu_() if activation == RELU else z


def kernels(activation: str, weights: Weights, samples: Samples) -> Tensor:
    """Return the tangent kernels [M, n, n], float64."""
    h = _hidden(activation, weights.inner, samples.x)
    slope = ((h > 0).to(h.dtype) if activation == RELU else torch.ones_like(h)) * weights.outer[:, :, None]
    x, width = samples.x, h.shape[1]
    both = torch.bmm(h.transpose(1, 2), h) + torch.bmm(slope.transpose(1, 2), slope) * torch.bmm(x, x.transpose(1, 2))
    return both.double() / width


def largest(kernel: Tensor) -> Array:
    """Return lambda [M]: the largest eigenvalue of each kernel over the number of samples; NaN where it is none."""
    finite = torch.isfinite(kernel).all(dim=(1, 2))
    values = torch.linalg.eigvalsh(torch.where(finite[:, None, None], kernel, torch.zeros_like(kernel)))[:, -1]
    found: Array = torch.where(finite, values, math.nan).cpu().numpy() / kernel.shape[1]
    return found


def outputs(activation: str, weights: Weights, samples: Samples) -> Tensor:
    """Return the outputs [M, n]."""
    h = _hidden(activation, weights.inner, samples.x)
    return torch.einsum("mk,mkn->mn", weights.outer, h) / math.sqrt(h.shape[1])


def _loss(residual: Tensor) -> Array:
    found: Array = residual.double().square().mean(dim=1).cpu().numpy() / 2
    return found


def descend(
    activation: str, start: Weights, samples: Samples, rates: Array, steps: int, look: Look | None = None
) -> tuple[LossTrack, Weights]:
    """Take `steps` steps at the rates [M]; return how the losses went and the weights at the end.

    Members that diverge stop there; the others go on without them.
    """
    inner, outer = start.inner.clone(), start.outer.clone()
    x, y = samples.x, samples.y
    n, width = x.shape[1], inner.shape[1]
    alive = torch.arange(len(x), device=x.device)
    end = Weights(inner.clone(), outer.clone())
    eta = torch.from_numpy(rates).to(x)
    track: LossTrack | None = None
    for step in range(steps + 1):
        h = _hidden(activation, inner, x)
        residual = torch.bmm(outer[:, None], h)[:, 0] / math.sqrt(width) - y
        loss = _loss(residual)
        if track is None:
            track = LossTrack(loss, LIMIT * width)
        else:
            whole = np.full(len(rates), math.nan)
            whole[alive.cpu().numpy()] = loss
            track.see(whole)
        if look:
            look(step, np.where(track.diverged, math.nan, track.last))
        if step == steps:
            break
        going = ~torch.from_numpy(track.diverged).to(alive.device)[alive]
        if not going.all():
            end.inner[alive], end.outer[alive] = inner, outer
            alive, inner, outer, x, y, eta = (part[going] for part in (alive, inner, outer, x, y, eta))
            h, residual = h[going], residual[going]
            if not len(alive):
                break
        pull = residual * (eta[:, None] / (n * math.sqrt(width)))
        back = outer[:, :, None] * pull[:, None]
        outer = outer - torch.bmm(h, pull[:, :, None])[:, :, 0]
        if activation == RELU:
            back.mul_(h > 0)
        inner.baddbmm_(back, x, alpha=-1)
    end.inner[alive], end.outer[alive] = inner, outer
    assert track is not None
    return track, end


def descend_linearised(
    kernel: Tensor, first: Tensor, y: Tensor, rates: Array, steps: int, width: int, look: Look | None = None
) -> LossTrack:
    """Descend on the first-order expansion at the start: residuals under a constant kernel [M, n, n], float64."""
    residual = (first - y).double()
    scaled = kernel * (torch.from_numpy(rates).to(kernel) / kernel.shape[1])[:, None, None]
    track = LossTrack(_loss(residual), LIMIT * width)
    for step in range(steps + 1):
        if step:
            residual = residual - torch.bmm(scaled, residual[:, :, None])[:, :, 0]
            track.see(_loss(residual))
        if look:
            look(step, np.where(track.diverged, math.nan, track.last))
    return track


def trained(track: LossTrack, y: Tensor) -> Flags:
    """Return who has trained: not diverged, and better at the end than a network that answers 0."""
    nothing = _loss(y)
    found: Flags = ~track.diverged & (track.last < TRAINED * nothing)
    return found
