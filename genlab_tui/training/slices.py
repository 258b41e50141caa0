"""Slices through a loss: its value at many points of a line or a plane, evaluated as one population.

Random directions are normalised filter by filter (Li et al. 2018, section 4): the weights into a unit, one row of a
matrix, are scaled to the length that the network has there, and what has no scale of its own (biases) does not move.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from genlab_tui.training import seeds
from genlab_tui.training.nets import Loss, Net
from genlab_tui.training.program import Crew

BYTES = {"cpu": 1 << 22, "cuda": 1 << 31}
"""Bytes of the numbers that are evaluated at once by a thread, at most (one network is always taken)."""


def direction(net: Net, flat: Tensor, seed: int, number: int) -> Tensor:
    """Return a filter-normalised Gaussian direction [M, P] at networks `flat` [M, P]: number `number` of a seed's."""
    drawn = torch.randn(net.size, generator=seeds.generator(seed, "direction", number), dtype=torch.float64)
    found = drawn.to(flat.dtype).to(flat.device).expand_as(flat).clone()
    matrices, biases = net.split(found)
    for ours, theirs in zip(matrices, net.split(flat)[0], strict=True):
        ours.mul_(theirs.norm(dim=2, keepdim=True) / ours.norm(dim=2, keepdim=True))
    for bias in biases:
        bias.zero_()
    return found


def evaluate_at(
    loss: Loss,
    centre: Tensor,
    directions: Tensor,
    steps: Tensor,
    *,
    at_once: int = 0,
    threads: int | None = None,
    poll: Callable[[], None] | None = None,
) -> Tensor:
    """Return the losses [N] at centre [P] + steps [N, D] @ directions [D, P].

    `loss` takes any number of rows. Points are made only as they are needed: `at_once` on each of `threads` cores
    (default: what suits the memory of this machine and all of torch's cores); `poll` is called between them.
    """
    kind = "cuda" if centre.device.type == "cuda" else "cpu"
    size = at_once or max(BYTES[kind] // (centre.numel() * centre.element_size()), 1)
    crew = Crew(threads or torch.get_num_threads())
    together = crew.threads if kind == "cpu" else 1

    def score(rows: Tensor) -> Tensor:
        with torch.no_grad():
            return loss(torch.addmm(centre, rows, directions))

    found: list[Tensor] = []
    try:
        for start in range(0, len(steps), size * together):
            if together > 1:
                torch.set_num_threads(1)
            found += crew.each(score, list(steps[start : start + size * together].chunk(together)))
            if poll:
                poll()
    finally:
        crew.close()
    return torch.cat(found) if found else steps.new_zeros(0)


def plane(
    loss: Loss,
    centre: Tensor,
    first: Tensor,
    second: Tensor,
    alphas: Sequence[float],
    betas: Sequence[float],
    *,
    poll: Callable[[], None] | None = None,
) -> Tensor:
    """Return the losses [len(betas), len(alphas)] at centre + alpha first + beta second (all [P])."""
    a, b = (torch.tensor(list(values), dtype=centre.dtype, device=centre.device) for values in (alphas, betas))
    steps = torch.cartesian_prod(b, a).flip(1)
    return evaluate_at(loss, centre, torch.stack([first, second]), steps, poll=poll).view(len(b), len(a))
