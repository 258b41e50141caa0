"""What goes into training and what comes out: members, samples, recipe, outcomes. Importing this imports no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from genlab_tui.errors import BadValue

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Member:
    """One network to train: an arm at a seed, and which of the samples' input and label sets it learns.

    `fresh` redraws its labels uniformly at the start of every epoch; it is then scored on the next draw, which it has
    not seen. `follows` is the position of a member whose end ends this one too. `expected_epochs` is a guess for the
    progress bar (0: the recipe's limit).
    """

    arm: str
    seed: int
    inputs: int = 0
    labels: int = 0
    fresh: bool = False
    follows: int | None = None
    expected_epochs: float = 0.0


@dataclass(frozen=True)
class Samples:
    """The data of a population, as tensors on one device.

    `inputs` [sets, n, d] and `labels` [label sets, n] are to be learnt (any of one with any of the other);
    `test_inputs` [sets, k, d] and `test_labels` [sets, k] go with the input sets and are never corrupted. `shape` is
    that of one input, `fill` what a shift moves in at the border of an image (its black, after preprocessing).
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    test_inputs: torch.Tensor
    test_labels: torch.Tensor
    classes: int
    shape: tuple[int, ...]
    fill: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """How every member of a population is trained.

    The learning rate is `lr * decay ** epoch`. Training of a member ends at `epochs`, or at the end of the first epoch
    with a training accuracy of `target` (above 1: never). `regularisers` maps names to strengths.
    """

    hidden: tuple[int, ...]
    optimiser: str = "adam"
    lr: float = 1e-3
    momentum: float = 0.9
    decay: float = 1.0
    batch: int = 100
    epochs: int = 100
    target: float = 1.0
    regularisers: Mapping[str, float] = field(default_factory=dict)

    def strength(self, name: str) -> float:
        """Return the strength of a regulariser, 0 where it is off."""
        return self.regularisers.get(name, 0.0)

    def validation(self, n: int) -> int:
        """Return how many of `n` training samples early stopping holds out: a tenth, at least one; 0 without it."""
        if "early-stopping" not in self.regularisers:
            return 0
        if n < 2:
            raise BadValue("early stopping needs at least 2 training samples")
        return max(n // 10, 1)


FINALS = ("train_accuracy", "train_loss", "test_accuracy", "test_loss")
"""The four metrics, as curves and as final numbers."""

MEASURES = ("steps_to_fit", "epochs_to_fit", *FINALS, "test_error", "steps", "epochs")


@dataclass(frozen=True)
class Outcome:
    """How a member ended: `fitted`, `epochs`, `early stopping`, `partner` (which it follows) or `diverged`.

    `values` has the final numbers, NaN for those of a diverged member; `steps_to_fit` is NaN where it never fitted.
    """

    end: str
    step: int
    epoch: float
    values: Mapping[str, float]

    @classmethod
    def of(cls, end: str, step: int, epoch: float, finals: Mapping[str, float], *, fitted: bool) -> Outcome:
        """Build an outcome from its final metrics (empty for a diverged member)."""
        values = {name: finals.get(name, math.nan) for name in FINALS}
        values["test_error"] = 1.0 - values["test_accuracy"]
        values["steps"], values["epochs"] = float(step), epoch
        values["steps_to_fit"] = float(step) if fitted else math.nan
        values["epochs_to_fit"] = epoch if fitted else math.nan
        return cls(end, step, epoch, values)
