"""What gradient descent does to the losses of many members, step by step: the peak, a rise, an end, a divergence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SETTLED = 1e-20
"""Share of the first loss below which a member is at its end: further down rounding makes steps go up and down."""
RISE = 1e-9
"""A step raises the loss if it is larger by this share, not by rounding."""


class LossTrack:
    """The losses [members] so far. A member whose loss is above `limit` (or no number) has diverged, for good."""

    def __init__(self, first: Array, limit: float) -> None:
        self.limit, self.steps = limit, 0
        self.first, self.last, self.peak = first.copy(), first.copy(), first.copy()
        self.peak_step = np.zeros(len(first))
        self.rose = np.zeros(len(first), dtype=bool)
        self.diverged = ~(first <= limit)

    @property
    def going(self) -> Flags:
        """Who has neither diverged nor settled."""
        return ~self.diverged & (self.last > SETTLED * self.first)

    def see(self, loss: Array) -> None:
        """Take the losses after a step; those of members that no longer go are not looked at.

        The loss that a member diverged with is its last, the largest finite number where it is none.
        """
        self.steps += 1
        going = self.going
        loss = np.nan_to_num(loss, nan=np.finfo(np.float64).max)
        self.rose |= going & (loss > self.last * (1 + RISE))
        higher = going & (loss > self.peak)
        self.peak = np.where(higher, loss, self.peak)
        self.peak_step = np.where(higher, self.steps, self.peak_step)
        self.last = np.where(going, loss, self.last)
        self.diverged |= going & (loss > self.limit)
