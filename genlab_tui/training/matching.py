"""Hidden units of one perceptron brought into the order of another's (Ainsworth, Hayase & Srinivasa 2023).

Weight matching, their algorithm 1 (arXiv 2209.04836): the permutations that make the inner product of all numbers of
both networks as large as it gets, layer by layer, each by a linear assignment, until no layer changes any more. A
permuted network is the same function. All in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from genlab_tui.training import seeds
from genlab_tui.training.nets import Net

Floats = NDArray[np.float64]
Order = NDArray[np.intp]

PASSES = 100
"""Passes over the hidden layers at most; a few are enough."""

GAIN = 1e-12
"""A layer's new order must be better by this share: equal ones would alternate for ever."""


@dataclass(frozen=True)
class Matching:
    """The order of the units of each hidden layer; `passes` over the layers were needed, the last changed nothing."""

    orders: tuple[Order, ...]
    passes: int


def match(net: Net, first: Tensor, second: Tensor, seed: int) -> Matching:
    """Return the orders of the second network's hidden units, numbers [P], that bring it nearest to the first.

    A local optimum: which one depends on the order in which layers take turns, drawn from the seed anew in each pass.
    """
    mine, theirs = (_arrays(net, flat) for flat in (first, second))
    hidden = len(net.sizes) - 2
    orders: list[Order] = [np.arange(width) for width in net.sizes[1:-1]]
    source = torch.Generator().manual_seed(seeds.stream(seed, "weight matching"))
    for number in range(1, PASSES + 1):
        changed = False
        for layer in torch.randperm(hidden, generator=source).tolist():
            gain = _products(mine, theirs, orders, layer)
            found = linear_sum_assignment(gain, maximize=True)[1]
            rows = np.arange(len(found))
            before, after = float(gain[rows, orders[layer]].sum()), float(gain[rows, found].sum())
            if after > before + GAIN * float(np.abs(gain).max()):
                orders[layer], changed = found, True
        if not changed:
            return Matching(tuple(orders), number)
    return Matching(tuple(orders), PASSES)


def _products(
    mine: tuple[list[Floats], list[Floats]], theirs: tuple[list[Floats], list[Floats]], orders: list[Order], layer: int
) -> Floats:
    """Return the inner product of all numbers of unit i of the first and unit j of the second: [width, width]."""
    (w, b), (v, c) = mine, theirs
    into = v[layer] if layer == 0 else v[layer][:, orders[layer - 1]]
    out = v[layer + 1] if layer + 1 == len(orders) else v[layer + 1][orders[layer + 1]]
    found: Floats = w[layer] @ into.T + np.outer(b[layer], c[layer]) + w[layer + 1].T @ out
    return found


def _arrays(net: Net, flat: Tensor) -> tuple[list[Floats], list[Floats]]:
    matrices, biases = net.split(flat.detach().cpu().double()[None])
    return [matrix[0].numpy() for matrix in matrices], [bias[0].numpy() for bias in biases]


def permuted(net: Net, flat: Tensor, orders: Sequence[Order]) -> Tensor:
    """Return the numbers [P] of the same function with the units of each hidden layer in another order."""
    matrices, biases = net.split(flat[None])
    weights, vectors = [m[0] for m in matrices], [b[0] for b in biases]
    for layer, order in enumerate(orders):
        index = torch.from_numpy(np.asarray(order, dtype=np.int64)).to(flat.device)
        weights[layer], vectors[layer] = weights[layer][index], vectors[layer][index]
        weights[layer + 1] = weights[layer + 1][:, index]
    return torch.cat([tensor.reshape(-1) for tensor in (*weights, *vectors)])


def shuffle(net: Net, seed: int) -> tuple[Order, ...]:
    """Return a random order of the units of every hidden layer."""
    source = seeds.generator(seed, "shuffled units")
    return tuple(torch.randperm(width, generator=source).numpy() for width in net.sizes[1:-1])
