"""Clean measurements: evaluation mode, plain cross-entropy, all members in one pass, and when to take them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genlab_tui.training.population import Population

SHARE = 0.12
"""Evaluation may cost about this much of training once the early, dense part of the curves is over."""

MAX_LINES = 3900
"""Lines of one metric at most."""

SCREEN = 128
"""Samples of the cheap look that decides whether a member is worth a full pass over its training set."""

SCREEN_SLACK = 0.03
"""How far below its target that look may fall: about five standard errors at a target of 99.5 %."""

_ELEMENTS = {"cpu": 1 << 24, "cuda": 1 << 28}


def evaluate(
    population: Population, inputs: Tensor, sets: Tensor, labels: Tensor, span: tuple[int, int] | None = None
) -> tuple[list[float], list[float]]:
    """Return loss and accuracy of every member on the samples of a span (default: all).

    `inputs` [sets, n, d], `sets` [members] says which of them is whose, `labels` [members, n]. Loss in nats a sample.
    """
    members = len(labels)
    first, last = span or (0, labels.shape[1])
    widest = max((inputs.shape[2], *population.architecture.hidden))
    chunk = max(_ELEMENTS.get(inputs.device.type, 1 << 24) // (members * widest), 16)
    flat, start_of = inputs.flatten(0, 1), sets[:, None] * inputs.shape[1]
    loss = torch.zeros(members, dtype=torch.float64, device=inputs.device)
    right = torch.zeros(members, dtype=torch.float64, device=inputs.device)
    for start in range(first, last, chunk):
        stop = min(start + chunk, last)
        place = start_of + torch.arange(start, stop, device=inputs.device)
        x = flat.index_select(0, place.flatten()).view(members, stop - start, -1)
        logits, wanted = population.logits(x), labels[:, start:stop]
        log_p = torch.log_softmax(logits, dim=2).gather(2, wanted[:, :, None])
        loss -= log_p.sum(dim=(1, 2), dtype=torch.float64)
        right += (logits.argmax(2) == wanted).sum(1)
    return (loss / (last - first)).tolist(), (right / (last - first)).tolist()


class Cadence:
    """When to evaluate: at steps 0, 1, 4, 16, ... of the first epoch, then at ends of epochs, ever less often.

    The gap grows to a quarter of the epochs gone, until evaluation costs `SHARE` of training. It depends on sizes
    alone, so that a resumed run evaluates at the same steps.
    """

    def __init__(self, n_train: int, n_test: int, steps_per_epoch: int, epochs: int) -> None:
        self.steps_per_epoch = steps_per_epoch
        # A forward pass is about a third of a training pass.
        affordable = math.ceil((n_train + n_test) / (3 * SHARE * n_train))
        self.gap = max(affordable, math.ceil(epochs / MAX_LINES))
        self._epochs, self._last = {1}, 1

    def due(self, step: int) -> bool:
        """Whether all members are evaluated after this step."""
        if step < self.steps_per_epoch:
            return step == 0 or (step.bit_count() == 1 and step.bit_length() % 2 == 1)
        epoch, rest = divmod(step, self.steps_per_epoch)
        if rest:
            return False
        while self._last < epoch:
            self._last += min(max(round(self._last / 4), 1), self.gap)
            self._epochs.add(self._last)
        return epoch in self._epochs
