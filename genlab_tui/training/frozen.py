"""Networks of which a part trains: scales and shifts of batch norm, as many random weights, or nothing at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from genlab_tui.training import modules, seeds
from genlab_tui.training.layers import initial
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.training.population import Population
from genlab_tui.training.state import State

CHOICE = "weights that train"
SCALES = "initial scales"


@dataclass(frozen=True)
class Numbers:
    """What a network stores, as `Member.trains` counts it: `shapes`, matrices (or kernels) before vectors.

    `scales` and `shifts` are the places of those of batch norm.
    """

    shapes: tuple[tuple[int, ...], ...]
    scales: tuple[int, ...]
    shifts: tuple[int, ...]

    @property
    def matrices(self) -> tuple[int, ...]:
        return tuple(at for at, shape in enumerate(self.shapes) if len(shape) > 1)

    @property
    def normalised(self) -> int:
        """How many scales and shifts there are together."""
        return sum(math.prod(self.shapes[at]) for at in (*self.scales, *self.shifts))


def numbers_of(recipe: Recipe, samples: Samples) -> Numbers:
    """Return what a network with batch norm stores."""
    if recipe.network:
        return _of_module(recipe.network, samples.shape, samples.classes)
    sizes = (samples.features, *recipe.hidden, samples.classes)
    matrices = [(after, before) for before, after in pairwise(sizes)]
    vectors = [(width,) for width in recipe.hidden for _ in range(2)]
    first = len(matrices)
    places = range(first, first + len(vectors))
    return Numbers((*matrices, *vectors, (samples.classes,)), tuple(places[::2]), tuple(places[1::2]))


@lru_cache
def _of_module(name: str, shape: tuple[int, ...], classes: int) -> Numbers:
    like = torch.zeros(1, 1, math.prod(shape))
    label = torch.zeros(1, 1, dtype=torch.int64)
    drawn = modules.initial(Recipe(network=name), 0, Samples(like, label, like, label, classes, shape))
    norms = [m for m in drawn.module.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    scales, shifts = ({id(getattr(m, which)) for m in norms} for which in ("weight", "bias"))
    stored = (*drawn.weights, *drawn.vectors)
    return Numbers(
        tuple(tuple(p.shape) for p in stored),
        tuple(at for at, p in enumerate(stored) if id(p) in scales),
        tuple(at for at, p in enumerate(stored) if id(p) in shifts),
    )


def nothing(numbers: Numbers) -> list[Tensor]:
    """Return multipliers with which nothing trains: they take no memory."""
    return [torch.zeros((), dtype=torch.bool).expand(shape) for shape in numbers.shapes]


def scales_and_shifts(numbers: Numbers) -> list[Tensor]:
    """Return multipliers with which the scales and shifts of batch norm train, and nothing else."""
    own = {*numbers.scales, *numbers.shifts}
    return [torch.tensor(at in own).expand(shape) for at, shape in enumerate(numbers.shapes)]


def random_weights(numbers: Numbers, seed: int, draw: int) -> list[Tensor]:
    """Return multipliers with which as many weights train as there are scales and shifts, and nothing else.

    Drawn without repetition from all matrices together, the output layer's included; `draw` numbers a seed's choices.
    """
    sizes = [math.prod(numbers.shapes[at]) for at in numbers.matrices]
    chosen = torch.randperm(sum(sizes), generator=seeds.generator(seed, CHOICE, draw))[: numbers.normalised]
    flat = torch.zeros(sum(sizes), dtype=torch.bool)
    flat[chosen] = True
    multipliers = nothing(numbers)
    for at, piece in zip(numbers.matrices, torch.split(flat, sizes), strict=True):
        multipliers[at] = piece.view(numbers.shapes[at])
    return multipliers


def uniform_scales(recipe: Recipe, seed: int, samples: Samples) -> list[Tensor]:
    """Return the initial numbers of a seed with scales drawn uniformly from 0 to 1, for `Member.start`."""
    numbers = numbers_of(recipe, samples)
    start = [number.clone() for number in initial(recipe, seed, samples).parameters.tensors_of(0)]
    source = seeds.generator(seed, SCALES)
    for at in numbers.scales:
        start[at].copy_(torch.rand(numbers.shapes[at], generator=source))
    return start


def shares_below(state: State, members: Sequence[int], bounds: Sequence[float]) -> list[list[float]]:
    """Return, for each bound, every member's share of scales of at most that size; NaN for one that diverged."""
    rows = []
    for i in members:
        network: Population = state.trained(i)
        tensors = network.parameters.tensors_of(0)
        scales = torch.cat([tensors[at] for at in numbers_of(state.recipes[i], state.samples).scales]).abs()
        finite = bool(torch.isfinite(scales).all()) and state.outcomes[i].end != "diverged"
        rows.append([float((scales < bound).double().mean()) if finite else math.nan for bound in bounds])
    return [list(column) for column in zip(*rows, strict=True)]
