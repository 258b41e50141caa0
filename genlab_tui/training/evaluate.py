"""Clean measurements: evaluation mode, the plain loss, all members in one pass, and when to take them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from genlab_tui.training.layout import Layout
from genlab_tui.training.losses import measured

SHARE = 0.08
"""Evaluation may cost about this much of training."""

PASS = 0.6
"""The time of a forward pass's arithmetic over that of training's, which also moves parameters: measured."""

FEWEST = 9
"""A curve has about so many points at least, whatever they cost."""

MAX_LINES = 3900
"""Lines of one metric at most."""

SCREEN = 128
"""Samples of the cheap look that decides whether a member is worth a full pass over its training set."""

SCREEN_SLACK = 0.03
"""How far below its target that look may fall: about five standard errors at a target of 99.5 %."""

SCREEN_FACTOR = 10.0
"""How many times its target a loss may be in that look at most: losses near 0 are that of a few samples."""

_ELEMENTS = {"cpu": 1 << 21, "cuda": 1 << 27}


class Networks(Protocol):
    """What can be evaluated: a population of perceptrons or a module."""

    layout: Layout

    def logits(self, inputs: Sequence[Tensor]) -> Tensor: ...


def evaluate(
    networks: Networks,
    inputs: Tensor,
    sets: Tensor,
    labels: Tensor,
    span: tuple[int, int] | None = None,
    loss: str = "cross-entropy",
    weights: Tensor | None = None,
) -> tuple[list[float], list[float]]:
    """Return loss and accuracy of every row on the samples of a span (default: all).

    `inputs` [sets, n, d], `sets` [rows] says which of them is whose (rows of one group: the same), `labels` [rows, n].
    Loss in nats a sample, or summed squared error a sample.
    """
    layout = networks.layout
    first, last = span or (0, labels.shape[1])
    device = inputs.device
    wide = sum(block.groups * (layout.inputs + sum(block.widths)) for block in layout.blocks)
    wide += len(layout) * layout.classes
    chunk = min(max(_ELEMENTS.get(device.type, 1 << 21) // wide, 32), last - first)
    of_group = [sets[block.first : block.rows.stop : block.size] for block in layout.blocks]
    total = torch.zeros(2, len(layout), dtype=torch.float64, device=device)
    for start in range(first, last, chunk):
        stop = min(start + chunk, last)
        x = [inputs[:, start:stop].index_select(0, own) for own in of_group]
        total += torch.stack(measured(loss, networks.logits(x), labels[:, start:stop]))
    losses, right = (total / (last - first)).tolist()
    return losses, right


class Cadence:
    """When to evaluate: at steps 0, 1, 4, 16, ... of the first epoch, then at ends of epochs, ever less often.

    Gaps grow to a quarter of the epochs gone, until evaluation costs `SHARE` of training; where training is so short
    that this would cost more, they grow faster. With `log_points`, at that many steps a decade instead. It depends on
    sizes alone, so that a resumed run evaluates at the same steps. The ends of the first `dense` epochs are always due.
    With `every`, looks without the training set come after every so many steps besides.
    """

    def __init__(
        self,
        n_train: int,
        n_test: int,
        steps_per_epoch: int,
        epochs: float,
        *,
        pass_share: float = 1 / 3,
        log_points: int = 0,
        dense: int = 0,
        every: int = 0,
        expected: float = 0.0,
    ) -> None:
        """`pass_share` is a forward pass's part of the arithmetic of training; `expected` a guess of the epochs."""
        self.steps_per_epoch, self.log_points, self.dense = steps_per_epoch, log_points, dense
        self.every = every
        self._cost = PASS * pass_share * (n_train + n_test) / n_train
        # What is left of the share after the dense beginning.
        self.gap = max(math.ceil(self._cost / (0.75 * SHARE)), math.ceil(epochs / MAX_LINES))
        length = max(min(expected or epochs, epochs), 1.0)
        affordable = max(SHARE * length / self._cost, FEWEST)
        self._growth, self._base = next(
            (pair for pair in ((1 / 4, 4), (1 / 3, 4), (1 / 2, 16), (1.0, 16), (1.5, 64))
             if self._count(*pair, length) <= affordable), (2.0, 64)
        )  # fmt: skip
        self._epochs, self._last = {1}, 1

    def _count(self, growth: float, base: int, length: float) -> int:
        """Return how many evaluations a schedule has in that many epochs."""
        count, last = 1 + math.ceil(math.log(max(self.steps_per_epoch, 2), base)), 1
        while last <= length:
            count += 1
            last = self._after(last, growth)
        return count

    def _after(self, epoch: int, growth: float) -> int:
        return epoch + min(max(round(epoch * growth), 1), self.gap)

    def due(self, step: int) -> bool:
        """Whether all members are evaluated after this step."""
        if self.log_points:
            return step == 0 or self._log_due(step)
        if step < self.steps_per_epoch:
            return step == 0 or self._base ** round(math.log(step, self._base)) == step
        epoch, rest = divmod(step, self.steps_per_epoch)
        if rest:
            return False
        while self._last < epoch:
            self._last = self._after(self._last, self._growth)
            self._epochs.add(self._last)
        return epoch <= self.dense or epoch in self._epochs

    def looks(self, step: int) -> bool:
        """Whether all members are measured after this step, but for their training set."""
        return self.every > 0 and step % self.every == 0 and not self.due(step)

    def _log_due(self, step: int) -> bool:
        """Whether a point of the logarithmic grid rounds to this step."""
        near = round(self.log_points * math.log10(step))
        return any(round(10 ** (k / self.log_points)) == step for k in (near - 1, near, near + 1))
