"""Layer-wise pruning: which weights survive how many rounds, masks by magnitude and at random. Imports no torch.

Only weight matrices and kernels are pruned and counted; biases never are, as in Frankle & Carbin 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Counts = tuple[int, ...]
"""How many weights of each layer are left, first layer first."""


@dataclass(frozen=True)
class Layer:
    """One weight matrix or kernel: how many weights it has and what share of its survivors a round prunes."""

    weights: int
    share: float


def perceptron(inputs: int, hidden: Sequence[int], classes: int, share: float, output: float) -> tuple[Layer, ...]:
    """Return the layers of a perceptron; the last one loses the share `output` a round."""
    sizes = [a * b for a, b in pairwise((inputs, *hidden, classes))]
    return (*(Layer(size, share) for size in sizes[:-1]), Layer(sizes[-1], output))


def convolutional(
    depth: int, shape: tuple[int, ...], classes: int, share: float, output: float, kernels: float
) -> tuple[Layer, ...]:
    """Return the layers of Conv-2, -4 or -6 on images of a shape (C, H, W); kernels lose their own share a round."""
    channels, height, width = shape
    layers = []
    for stage in range(depth // 2):
        filters = 64 << stage
        layers += [Layer(9 * channels * filters, kernels), Layer(9 * filters * filters, kernels)]
        channels, height, width = filters, -(-height // 2), -(-width // 2)
    return (*layers, *perceptron(channels * height * width, (256, 256), classes, share, output))


def survivors(layers: Sequence[Layer], rounds: int) -> list[Counts]:
    """Return how many weights of each layer are left after 0, 1, ... rounds; a layer keeps at least one."""
    counts = [tuple(layer.weights for layer in layers)]
    for _ in range(rounds):
        left = (n - round(layer.share * n) for n, layer in zip(counts[-1], layers, strict=True))
        counts.append(tuple(max(n, 1) for n in left))
    return counts


def remaining(layers: Sequence[Layer], counts: Counts) -> float:
    """Return the share of all weights that is left: P_m of the paper, which counts no biases."""
    return sum(counts) / sum(layer.weights for layer in layers)


def reaching(layers: Sequence[Layer], total: int, share: float) -> list[Counts]:
    """Return the survivors of as many rounds as take networks of any size to about `total` weights in the end.

    Rounds prune `share` or close to it: the shares of all layers are scaled by one factor, found by bisection.
    """
    rounds = 0
    while rounds < 200 and sum(survivors(layers, rounds)[-1]) > total / (1 - share) ** 0.5:
        rounds += 1
    low, high = 0.0, min(2.0, 0.99 / max(layer.share for layer in layers))
    for _ in range(60):
        factor = (low + high) / 2
        scaled = [replace(layer, share=factor * layer.share) for layer in layers]
        if sum(survivors(scaled, rounds)[-1]) > total:
            low = factor
        else:
            high = factor
    return survivors([replace(layer, share=high * layer.share) for layer in layers], rounds)


def by_magnitude(weights: Sequence[Tensor], masks: Sequence[Tensor] | None, counts: Counts) -> list[Tensor]:
    """Return masks (bool, of the shapes of `weights`) that keep each layer's largest magnitudes among its survivors.

    What an earlier mask has pruned stays pruned and is not ranked, so its zeros move no threshold. Equal magnitudes:
    the first ones in memory order stay. Raises ValueError for counts above the number of survivors.
    """
    import torch

    found = []
    for at, (weight, count) in enumerate(zip(weights, counts, strict=True)):
        sizes = weight.detach().abs().reshape(-1)
        alive = torch.ones_like(sizes, dtype=torch.bool) if masks is None else masks[at].reshape(-1).to(sizes.device)
        places = alive.bool().nonzero()[:, 0]
        if count > len(places):
            raise ValueError(f"layer {at} has {len(places)} weights left, not {count}")
        order = torch.argsort(sizes[places], descending=True, stable=True)
        found.append(_mask(places[order[:count]], weight))
    return found


def at_random(shapes: Sequence[torch.Size], counts: Counts, source: torch.Generator) -> list[Tensor]:
    """Return masks (bool) with the same number of survivors in every layer, at places drawn from a generator."""
    import torch

    empty = (torch.empty(shape, dtype=torch.bool) for shape in shapes)
    return [
        _mask(torch.randperm(like.numel(), generator=source)[:count], like)
        for like, count in zip(empty, counts, strict=True)
    ]


def _mask(places: Tensor, like: Tensor) -> Tensor:
    import torch

    mask = torch.zeros(like.numel(), dtype=torch.bool, device=places.device)
    mask[places] = True
    return mask.view(like.shape)
