"""Adam on one row of numbers, in numpy: the state of a training that is small enough to be stepped by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # those of the paper on Adam, and torch's defaults


class FlatAdam:
    """Numbers [k] in float64 with both moments, and the steps taken; who inherits gives the gradients."""

    def __init__(self, numbers: NDArray[np.float64], lr: float) -> None:
        self.numbers = numbers
        self.first, self.second = np.zeros_like(numbers), np.zeros_like(numbers)
        self.lr, self.steps = lr, 0

    def descend(self, gradient: NDArray[np.float64]) -> None:
        """Take one step, in place."""
        self.steps += 1
        self.first += (1 - BETA_1) * (gradient - self.first)
        self.second += (1 - BETA_2) * (gradient * gradient - self.second)
        unbias = math.sqrt(1 - BETA_2**self.steps)
        denominator = np.sqrt(self.second)
        denominator += EPSILON * unbias
        self.numbers -= self.lr * unbias / (1 - BETA_1**self.steps) * self.first / denominator

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a checkpoint needs, beside the number of steps."""
        return {"numbers": self.numbers.copy(), "first": self.first.copy(), "second": self.second.copy()}

    def restore(self, arrays: Mapping[str, Any], steps: int) -> None:
        """Continue from a checkpoint."""
        self.steps = steps
        for name in ("numbers", "first", "second"):
            getattr(self, name)[:] = np.asarray(arrays[name], dtype=np.float64)
