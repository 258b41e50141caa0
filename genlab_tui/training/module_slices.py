"""Slices through the loss of networks that are modules: directions filter by filter, points scored one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from genlab_tui.training import seeds
from genlab_tui.training.assess import Point, assess
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.training.modules import ModulePopulation


def direction(network: ModulePopulation, seed: int, number: int) -> Tensor:
    """Return a Gaussian direction [P], each filter scaled to the network's own: number `number` of a seed's.

    A filter is what makes one output: a channel's kernels, a row of the linear layer. Biases and the scales and shifts
    of batch norm do not move (Li et al. 2018).
    """
    flat = network.parameters.flat
    drawn = torch.randn(flat.numel(), generator=seeds.generator(seed, "direction", number), dtype=torch.float64)
    found = network.parameters.like()
    found.flat.copy_(drawn)
    for k, (ours, theirs) in enumerate(zip(found.tensors_of(0), network.parameters.tensors_of(0), strict=True)):
        if k < len(network.layout.weight_shapes):
            rest = tuple(range(1, ours.dim()))
            length = torch.linalg.vector_norm(ours, dim=rest, keepdim=True)
            ours.mul_(torch.linalg.vector_norm(theirs, dim=rest, keepdim=True) / length)
        else:
            ours.zero_()
    return found.flat


def losses_around(
    network: ModulePopulation, recipe: Recipe, samples: Samples, place: int, n: int
) -> Callable[[Tensor, Tensor], Tensor]:
    """Return losses [N] at a network + steps [N, D] @ directions [D, P], on `n` samples of input set `place`.

    In evaluation mode: the running statistics of batch norm stay those of the trained network, as in the paper.
    """
    centre, statistics = network.parameters.flat.clone(), network.statistics.flat.clone()

    def evaluate(directions: Tensor, steps: Tensor) -> Tensor:
        def points() -> Iterator[Point]:
            for row in steps:
                yield Point(centre + row @ directions, statistics, inputs=place, labels=place)

        found = [one["train_loss"] for one in assess(points(), recipe, samples, on=("train",), n=n)]
        return torch.tensor(found)

    return evaluate
