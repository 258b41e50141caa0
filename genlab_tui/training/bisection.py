"""A boundary of each member between two values of a setting, all members halved side by side. numpy, float64."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Bisection:
    """Brackets [members] of the value at which something first holds; halved by the logarithm.

    It must not hold at `low` and hold at `high`: where that is not so, or where it does not go from one to the other
    once, the boundary found is not one. Members whose ends are not as they must be end at NaN.
    """

    def __init__(self, members: int, low: float, high: float) -> None:
        self.low, self.high = np.full(members, low), np.full(members, high)
        self.sound = np.ones(members, dtype=bool)
        self.rounds = 0

    def check(self, holds: Callable[[Array], Flags]) -> None:
        """Look at both ends, once, before the first round."""
        if self.rounds == 0:
            self.sound = holds(self.high) & ~holds(self.low)
            self.rounds = 1

    def halve(self, holds: Callable[[Array], Flags]) -> None:
        """Take a round: look in the middle of every bracket and keep the half with the boundary."""
        middle = np.sqrt(self.low * self.high)
        above = holds(middle)
        self.high = np.where(above, middle, self.high)
        self.low = np.where(above, self.low, middle)
        self.rounds += 1

    @property
    def found(self) -> Array:
        """The boundaries: the middles of the brackets."""
        return np.where(self.sound, np.sqrt(self.low * self.high), math.nan)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what a checkpoint keeps."""
        return {"low": self.low, "high": self.high, "sound": self.sound}

    def restore(self, arrays: dict[str, NDArray[np.generic]], rounds: int) -> None:
        """Go on from a checkpoint."""
        self.low, self.high = (np.array(arrays[name], dtype=np.float64) for name in ("low", "high"))
        self.sound, self.rounds = np.array(arrays["sound"], dtype=bool), rounds
