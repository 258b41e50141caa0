"""Perceptrons with and without normalisation layers, many of them as one batch of matrices; gradients by autograd.

Members lie in the order of `KINDS`, so that what only some of them do (normalise, add noise) is a slice. Every hidden
layer is weights, normalisation (or a bias), noise, ReLU: batch norm stands before the non-linearity (Ioffe & Szegedy
2015), the noise after batch norm (Santurkar et al. 2018, section 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from genlab_tui.training import seeds as streams

KINDS = ("plain", "plain-noise", "batch-noise", "batch", "l1")
"""The order of members: none, none with noise, batch norm with noise, batch norm, l1 (centred, then divided by the mean
absolute value that there was before centring)."""

EPSILON = 1e-5
"""Added to a variance (torch's BatchNorm1d) or to a mean absolute value."""

NOISE = "normalisation noise"
SHIFT, SPREAD = 0.5, (1.0, 1.25)
"""Of each layer and step: mu ~ U(-SHIFT, SHIFT), sigma ~ U(SPREAD) (Santurkar et al. 2018)."""
ELEMENT = 0.1
"""Of each number: m ~ U(mu - ELEMENT, mu + ELEMENT), s ~ N(sigma, ELEMENT)."""

Layer = tuple[Tensor, Tensor]
"""The noise of a layer: multipliers and addends, [members, 1, samples, units] or one number for all."""


@dataclass(frozen=True)
class Make:
    """How many members of each kind there are, in the order of `KINDS`; `linear` ones have no ReLU and no biases."""

    counts: tuple[int, ...]
    linear: bool = False

    def times(self, factor: int) -> Make:
        """Return the make of `factor` copies of every member, beside each other."""
        return replace(self, counts=tuple(factor * count for count in self.counts))

    def only(self, members: Sequence[int]) -> Make:
        """Return the make of some members; they keep their order."""
        ends = [sum(self.counts[: k + 1]) for k in range(len(KINDS))]
        kinds = [sum(i >= end for end in ends) for i in members]
        return replace(self, counts=tuple(kinds.count(k) for k in range(len(KINDS))))

    @property
    def noisy(self) -> slice:
        """The members with noise."""
        return slice(self.counts[0], sum(self.counts[:3]))

    @property
    def parts(self) -> tuple[int, int, int]:
        """How many members have no normalisation, batch norm, l1 normalisation."""
        return sum(self.counts[:2]), sum(self.counts[2:4]), self.counts[4]


@dataclass(frozen=True)
class Weights:
    """The numbers of M members: matrices [M, in, out]; biases or shifts [M, out]; scales [M, units], hidden layers'.

    A member without normalisation has its biases as shifts and scales that nothing reads.
    """

    matrices: tuple[Tensor, ...]
    shifts: tuple[Tensor, ...]
    scales: tuple[Tensor, ...]

    @property
    def all(self) -> tuple[Tensor, ...]:
        return (*self.matrices, *self.shifts, *self.scales)

    @staticmethod
    def of(tensors: Sequence[Tensor]) -> Weights:
        """Return the weights whose `all` is this."""
        layers = (len(tensors) + 1) // 3
        return Weights(tuple(tensors[:layers]), tuple(tensors[layers : 2 * layers]), tuple(tensors[2 * layers :]))

    def to(self, dtype: torch.dtype) -> Weights:
        return Weights.of([tensor.to(dtype) for tensor in self.all])

    def only(self, members: Sequence[int]) -> Weights:
        return Weights.of([tensor[list(members)] for tensor in self.all])


def draw(seeds: Sequence[int], widths: Sequence[int], gain: float, dtype: torch.dtype, device: str) -> Weights:
    """Draw the initial weights of some seeds: normal of variance `gain` / inputs, biases 0, scales 1."""
    matrices = []
    generators = [streams.generator(seed, streams.INIT) for seed in seeds]
    for before, after in pairwise(widths):
        drawn = [torch.randn(before, after, generator=g, dtype=torch.float64) for g in generators]
        matrices.append(((gain / before) ** 0.5 * torch.stack(drawn)).to(device, dtype))
    ones = [torch.ones(len(seeds), width, dtype=dtype, device=device) for width in widths[1:]]
    return Weights(tuple(matrices), tuple(torch.zeros_like(one) for one in ones), tuple(ones[:-1]))


def noise_at(seeds: Sequence[int], step: int, layers: int, samples: int, width: int, like: Tensor) -> list[Layer]:
    """Draw the noise of a step for some seeds: of each hidden layer [seeds, samples, units] factors and addends."""
    drawn = []
    for seed in seeds:
        generator = streams.generator(seed, NOISE, step)
        centres = torch.rand(2, layers, 1, 1, generator=generator, dtype=torch.float32)
        uniform = torch.rand(layers, samples, width, generator=generator, dtype=torch.float32)
        normal = torch.randn(layers, samples, width, generator=generator, dtype=torch.float32)
        sigma = SPREAD[0] + (SPREAD[1] - SPREAD[0]) * centres[1]
        drawn.append((sigma + ELEMENT * normal, SHIFT * (2 * centres[0] - 1) + ELEMENT * (2 * uniform - 1)))
    factors, addends = (torch.stack([one[k] for one in drawn], 1).to(like) for k in (0, 1))
    return list(zip(factors, addends, strict=True))


def mean_noise(layers: int, like: Tensor) -> list[Layer]:
    """Return the noise at its mean, with which noisy members are evaluated (as dropout is)."""
    return [(like.new_tensor(sum(SPREAD) / 2), like.new_tensor(0.0))] * layers


def layer_out(z: Tensor, layer: int, weights: Weights, make: Make, noise: Layer | None, own: int | None) -> Tensor:
    """Return a hidden layer's outputs of its products z [M, variants, samples, units].

    Statistics are those of the first `own` samples (None: of all).
    """
    none, batch, l1 = make.parts
    parts = []
    shift = weights.shifts[layer][:, None, None]
    if none:
        parts.append(z[:none] if make.linear else z[:none] + shift[:none])
    if batch or l1:
        rest = z[none:]
        centred = rest - rest[..., :own, :].mean(-2, keepdim=True)
        seen = centred[..., :own, :]
        inverse = []
        if batch:
            inverse.append(torch.rsqrt(seen[:batch].square().mean(-2, keepdim=True) + EPSILON))
        if l1:
            inverse.append(1.0 / (rest[batch:, ..., :own, :].abs().mean(-2, keepdim=True) + EPSILON))
        scale = weights.scales[layer][none:, None, None]
        parts.append(centred * (torch.cat(inverse) * scale) + shift[none:])
    out = torch.cat(parts) if len(parts) > 1 else parts[0]
    noisy = make.noisy
    if noise is not None and noisy.stop > noisy.start:
        out = torch.cat((out[: noisy.start], out[noisy] * noise[0] + noise[1], out[noisy.stop :]))
    return out if make.linear else torch.relu(out)


def product(h: Tensor, matrix: Tensor) -> Tensor:
    """Return h [M, variants, samples, in] times matrix [M, in, out], for every variant."""
    return torch.bmm(h.flatten(1, 2), matrix).view(*h.shape[:3], -1)


def forward(
    weights: Weights,
    inputs: Tensor,
    make: Make,
    noise: Sequence[Layer] | None = None,
    own: int | None = None,
    keep: list[Tensor] | None = None,
) -> Tensor:
    """Return the outputs [M, variants, samples, classes] of inputs [M, variants, samples, features].

    The inputs of every layer are appended to `keep`.
    """
    h, last = inputs, len(weights.matrices) - 1
    for layer, matrix in enumerate(weights.matrices):
        if keep is not None:
            keep.append(h)
        h = product(h, matrix)
        if layer < last:
            h = layer_out(h, layer, weights, make, noise[layer] if noise else None, own)
    return h if make.linear else h + weights.shifts[last][:, None, None]


def losses(outputs: Tensor, targets: Tensor, make: Make) -> Tensor:
    """Return the loss [M, variants]: mean cross-entropy of labels [M, samples], or the sum of squared distances.

    `targets` are [M, samples, outputs] where the networks are linear.
    """
    if make.linear:
        return (outputs - targets[:, None]).square().sum((-2, -1))
    labels = targets[:, None, :, None].expand(*outputs.shape[:3], 1)
    return (outputs.logsumexp(-1) - outputs.gather(-1, labels).squeeze(-1)).mean(-1)


def gradients(
    weights: Weights, inputs: Tensor, targets: Tensor, make: Make, noise: Sequence[Layer] | None
) -> tuple[Tensor, Weights]:
    """Return loss [M] and gradient of every member on samples [M, samples, features] of its own."""
    leaves = [tensor.detach().requires_grad_() for tensor in weights.all]
    with torch.enable_grad():
        loss = losses(forward(Weights.of(leaves), inputs[:, None], make, noise), targets, make)
        found = torch.autograd.grad(loss.sum(), leaves, allow_unused=True)
    filled = [torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found, strict=True)]
    return loss.detach()[:, 0], Weights.of(filled)


def stepped(weights: Weights, gradient: Weights, lr: Tensor) -> Weights:
    """Return the weights after one step of gradient descent with the members' learning rates [M]."""
    pairs = zip(weights.all, gradient.all, strict=True)
    return Weights.of([w - lr.view(-1, *(1,) * (w.dim() - 1)) * g for w, g in pairs])
