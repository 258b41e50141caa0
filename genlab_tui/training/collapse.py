"""Neural collapse (Papyan, Han & Donoho 2020): how the features of a training set lie around their class means.

Features are what the output layer sees, in evaluation mode, in the numbers of the training; every statistic of them is
taken in float64: a pseudo-inverse of the between-class covariance in float32 divides by rounding errors. Definitions as
in the authors' notebook; NC1 is divided by the number of classes, as in the paper.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from genlab_tui.training.modules import ModulePopulation
from genlab_tui.training.population import Population
from genlab_tui.training.probes import Look, Probe
from genlab_tui.training.state import State

NC1, NORMS, ANGLES, NC3, NC4 = "nc1", "nc2_norms", "nc2_angles", "nc3", "nc4"
METRICS = (NC1, NORMS, ANGLES, NC3, NC4)

CHUNK = 256
"""Samples of a forward pass."""

RANK = 1e-6
"""A singular value of the centred class means below this share of the largest is rounding of features in float32."""


@dataclass(frozen=True)
class Geometry:
    """The five numbers of neural collapse, in the order of `METRICS`, and the cosines of centred class means [C, C].

    NC1 is Tr(S_w S_b^+) / C; NC2 the spread of the lengths of centred class means over their mean, and the mean
    distance of their cosines from -1 / (C - 1); NC3 the squared distance of output weights and centred class means,
    both as matrices of norm 1; NC4 the share of samples that network and nearest class mean do not give one class.
    """

    numbers: tuple[float, ...]
    cosines: tuple[tuple[float, ...], ...]


def geometry(features: Tensor, labels: Tensor, predicted: Tensor, weight: Tensor) -> Geometry:
    """Return the geometry of features [n, d] with labels and predictions [n] under an output layer's weights [C, d].

    NaN everywhere where a class has no sample or a number is not finite; NC1 alone is NaN where the class means span
    fewer than C - 1 dimensions: its pseudo-inverse would divide by noise.
    """
    classes = len(weight)
    counts = torch.bincount(labels, minlength=classes)
    if not bool(counts.min()) or not bool(torch.isfinite(features).all()):
        return Geometry((math.nan,) * len(METRICS), ((math.nan,) * classes,) * classes)
    h, w = features.double(), weight.double()
    means = h.new_zeros(classes, h.shape[1]).index_add_(0, labels, h) / counts[:, None]
    centred = means - means.mean(0)
    norms = centred.norm(dim=1)
    cosines = (centred @ centred.t()) / (norms[:, None] * norms)
    apart = (cosines + 1 / (classes - 1)).abs()
    off = (float(apart.sum()) - float(apart.diagonal().sum())) / (classes * (classes - 1))
    nearest = (means.square().sum(1) - 2 * h @ means.t()).argmin(1)
    numbers = (
        _within_over_between(h, labels, means, centred),
        float(norms.std() / norms.mean()),
        off,
        float((w / w.norm() - centred / centred.norm()).square().sum()),
        1.0 - float((nearest == predicted).double().mean()),
    )
    return Geometry(numbers, tuple(map(tuple, cosines.tolist())))


def _within_over_between(h: Tensor, labels: Tensor, means: Tensor, centred: Tensor) -> float:
    """Return Tr(S_w S_b^+) / C, over the C - 1 directions that class means span; NaN where they span fewer."""
    classes = len(means)
    _, values, directions = torch.linalg.svd(centred, full_matrices=False)
    if len(values) < classes - 1 or not float(values[classes - 2]) > RANK * float(values[0]):
        return math.nan
    values, directions = values[: classes - 1], directions[: classes - 1]
    within = (h @ directions.t() - (means @ directions.t())[labels]).square().mean(0)
    return float((within * classes / values.square()).sum()) / classes


def features_of(population: Population, inputs: Tensor, sets: Tensor, n: int) -> tuple[list[Tensor], Tensor]:
    """Return of every row the features [n, d] and the classes given [rows, n] to the first `n` samples of its set.

    `inputs` [sets, n, d]; `sets` [rows] says which of them is whose (rows of one group: the same).
    """
    of_group = [sets[block.first : block.rows.stop : block.size] for block in population.layout.blocks]
    parts: list[list[Tensor]] = []
    given = []
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        outputs, seen = population.features([inputs[:, start:stop].index_select(0, own) for own in of_group])
        given.append(outputs.argmax(1))
        parts.append([part.clone() for part in seen])
    return [torch.cat(row) for row in zip(*parts, strict=True)], torch.cat(given, 1)


def output_weight(population: Population, row: int) -> Tensor:
    """Return the weights [C, d] of a row's output layer: of a module, those of its last linear layer."""
    if isinstance(population, ModulePopulation):
        linear = [m for m in population.module.modules() if isinstance(m, torch.nn.Linear)]
        return linear[-1].weight.detach()
    return population.parameters.weights_of(row)[-1]


def probes() -> list[Probe]:
    """Return the probes of the five numbers. One pass over the training set serves all five of a look."""
    kept = threading.local()  # shards are measured side by side, each on a thread

    def measured(look: Look, metric: str) -> list[float]:
        if getattr(kept, "look", None) is not look:
            kept.look, kept.rows = look, _rows(look)
        column = METRICS.index(metric)
        found = [numbers[column] for numbers in kept.rows]
        if metric == METRICS[-1]:
            del kept.look, kept.rows  # they hold the networks
        return found

    return [Probe(metric, partial(measured, metric=metric)) for metric in METRICS]


def _rows(look: Look) -> list[tuple[float, ...]]:
    networks = look.networks
    assert isinstance(networks, Population)
    features, given = features_of(networks, look.samples.inputs, look.sets, look.labels.shape[1])
    return [
        geometry(own, labels, predicted, output_weight(networks, row)).numbers
        for row, (own, labels, predicted) in enumerate(zip(features, look.labels, given, strict=True))
    ]


def at_the_end(state: State, members: Sequence[int]) -> dict[int, Geometry]:
    """Return the geometry of trained members with their final weights; those that diverged are left out."""
    samples, found = state.samples, {}
    for i in members:
        member = state.members[i]
        if state.outcomes[i].end != "diverged":
            network = state.trained(i)
            sets = torch.tensor([member.inputs], device=samples.inputs.device)
            (features,), given = features_of(network, samples.inputs, sets, member.n or samples.n)
            labels = samples.labels[member.labels][: len(features)]
            found[i] = geometry(features, labels, given[0], output_weight(network, 0))
    return found
