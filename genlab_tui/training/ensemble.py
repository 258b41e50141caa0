"""Ensembles of trained networks: the error of averaged outputs against that of single networks (Geiger et al. 2020)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from genlab_tui.training import seeds
from genlab_tui.training.members import Member
from genlab_tui.training.state import State

_BLOCK = 1024  # test samples in memory at once


@dataclass(frozen=True)
class Averaged:
    """`single` is the mean test error of the networks one by one, `together` that of their averaged outputs."""

    single: float
    together: float


def init_seed(seed: int, place: int) -> int:
    """Return the seed of the initial weights of an ensemble's network; the first is drawn as it would be alone."""
    return seed if place == 0 else seeds.stream(seed, "ensemble", place)


def several(member: Member, count: int, *, copies: bool = False) -> list[Member]:
    """Return `count` members that differ in their initial weights and nothing else; `copies` do not differ at all."""
    return [replace(member, init=init_seed(member.seed, 0 if copies else place)) for place in range(count)]


def averaged(state: State, members: Sequence[int]) -> Averaged:
    """Return the test errors of some ended members, which share samples and labels, singly and averaged.

    What is averaged are outputs: those before the soft-max, where the loss has one. NaN where one of them diverged.
    """
    if any(state.outcomes[i].end == "diverged" for i in members):
        return Averaged(math.nan, math.nan)
    samples, which = state.samples, state.members[members[0]].inputs
    inputs, labels = samples.test_inputs[which], samples.test_labels[which]
    networks = [state.trained(i) for i in members]
    wrong = torch.zeros(len(networks) + 1, dtype=torch.float64)
    for start in range(0, len(labels), _BLOCK):
        x, wanted = inputs[None, start : start + _BLOCK], labels[start : start + _BLOCK]
        outputs = torch.stack([network.logits([x])[0].clone() for network in networks])
        each = [*outputs, outputs.double().mean(0)]
        wrong += torch.stack([_wrong(output, wanted) for output in each])
    errors = (wrong / len(labels)).tolist()
    return Averaged(sum(errors[:-1]) / len(networks), errors[-1])


def _wrong(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return how many samples are classified wrongly, of outputs [classes, samples]."""
    return (outputs.argmax(0) != labels).sum().double().cpu()
