"""Weight reuse (Belkin et al. 2019): a chain over widths, each network begun from the smaller one trained before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from genlab_tui.training import seeds
from genlab_tui.training.members import Member
from genlab_tui.training.state import State

SPREAD = 0.1
"""Standard deviation of new weights: their variance is 0.01 in the paper."""


def grow(trained: Sequence[Tensor], width: int, seed: int) -> list[Tensor]:
    """Return a network of `width` hidden units that begins with those of a trained one; the new weights are drawn.

    `trained` are the tensors of one hidden layer, as `State.trained` gives them: weights [h, d] and [K, h], biases [h]
    and [K]. Everything that a new unit brings, its bias too, is drawn from N(0, 0.01). Raises ValueError where the
    network would not grow.
    """
    first, second, bias, last = trained
    more = width - len(first)
    if more < 1:
        raise ValueError(f"a network of {len(first)} units does not grow to {width}")
    source = seeds.generator(seed, "reuse", width)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=source).to(first) * SPREAD

    incoming, outgoing = drawn(more, first.shape[1]), drawn(len(second), more)
    return [torch.cat((first, incoming)), torch.cat((second, outgoing), 1), torch.cat((bias, drawn(more))), last]


def start_of(kept: Mapping[str, Any], chain: str, seed: int, width: int) -> list[Tensor]:
    """Return initial numbers of a width from what `weights_of` gave of the one before, of the same chain and seed."""
    return grow([kept[f"{chain}.{seed}.{at}"] for at in range(4)], width, seed)


def weights_of(state: State, members: Sequence[Member], chains: Sequence[str]) -> dict[str, Tensor]:
    """Return the final weights of all members by chain and seed, to be kept; `chains` has one name a member."""
    found = {}
    for i, (member, chain) in enumerate(zip(members, chains, strict=True)):
        for at, tensor in enumerate(state.trained(i).parameters.tensors_of(0)):
            found[f"{chain}.{member.seed}.{at}"] = tensor.cpu().clone()
    return found
