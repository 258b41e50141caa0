"""Metrics that a phenomenon adds to the usual four: measured with them, drawn and judged like them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab_tui.training.evaluate import Networks, evaluate
from genlab_tui.training.members import Member, Samples
from genlab_tui.training.population import Population


@dataclass(frozen=True)
class Look:
    """What a probe sees: networks and their members, row by row.

    `sets` [rows] are their input sets and `labels` [rows, n] what they learn, at `step`.
    """

    networks: Networks
    members: Sequence[Member]
    samples: Samples
    sets: Tensor
    labels: Tensor
    step: int


@dataclass(frozen=True)
class Probe:
    """A metric by name; `measure` returns one number a row.

    `also` says after which steps it is measured besides, alone, where all metrics are not.
    """

    metric: str
    measure: Callable[[Look], Sequence[float]]
    also: Callable[[int], bool] | None = None


def accuracy_on(metric: str, labels: Tensor, chosen: Tensor | None = None) -> Probe:
    """Return a probe of the accuracy against other labels, on some of the training samples.

    `labels` [label sets, n] are looked up by each member's label set: the clean ones, say, of corrupted samples;
    `chosen` [label sets, n] marks the samples that count (default: all). Without any, a member has NaN.
    """

    def measure(look: Look) -> list[float]:
        which = torch.tensor([member.labels for member in look.members], device=look.labels.device)
        n = look.labels.shape[1]
        wanted = labels.to(look.labels.device)[which][:, :n]
        if chosen is None:
            return evaluate(look.networks, look.samples.inputs, look.sets, wanted)[1]
        counted = chosen.to(look.labels.device)[which][:, :n]
        # A class that does not exist is never right: samples that do not count are wrong, then left out.
        none = torch.full_like(wanted, -1)
        right = _right(look, torch.where(counted, wanted, none))
        return (right / counted.sum(1)).tolist()

    return Probe(metric, measure)


def _right(look: Look, labels: Tensor) -> Tensor:
    """Return how many samples each row gives the label asked for; -1 is never given."""
    layout, samples = look.networks.layout, look.samples
    of_group = [look.sets[block.first : block.rows.stop : block.size] for block in layout.blocks]
    right = torch.zeros(len(layout), dtype=torch.float64, device=labels.device)
    for start in range(0, labels.shape[1], 256):
        stop = min(start + 256, labels.shape[1])
        outputs = look.networks.logits([samples.inputs[:, start:stop].index_select(0, own) for own in of_group])
        right += (outputs.max(1).indices == labels[:, start:stop]).sum(1)
    return right


def weight_norm(metric: str = "weight_norm") -> Probe:
    """Return a probe of the norm of all weight matrices together (no biases, no batch norm)."""

    def measure(look: Look) -> list[float]:
        networks = look.networks
        assert isinstance(networks, Population)
        rows = range(len(look.members))
        squares = [sum(w.square().sum() for w in networks.parameters.weights_of(row)) for row in rows]
        return [float(square) ** 0.5 for square in squares]

    return Probe(metric, measure)
