"""What goes into training and what comes out: members, samples, recipe, outcomes. Importing this imports no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from genlab_tui.errors import BadValue

if TYPE_CHECKING:
    import torch

OPTIMISERS = ("sgd", "adam", "adamw")
LOSSES = ("cross-entropy", "squared")
INITS = ("he-normal", "glorot-normal", "glorot-uniform", "torch")
PRECISIONS = ("float32", "tf32", "bf16")
NORMS = ("before", "after", "scale")


@dataclass(frozen=True)
class Recipe:
    """How a member is trained.

    `hidden` are the widths of a perceptron; `network` names one of `models.NETWORKS` instead. The learning rate is
    `lr * decay ** epoch`, and a tenth of it from every epoch in `drops` on (counted from 0). `coupled` adds the weight
    decay to the gradient (L2 in the loss) instead of shrinking the weights. Training ends after `epochs`, or after
    `steps` where they are given; or at the end of the first epoch with a training accuracy of `target` (above 1: never)
    or a training loss of `loss_target` or less; with `check_every`, also after every so many steps inside an epoch.
    `loss` is `cross-entropy` (mean over samples, nats) or `squared` (squared error against one-hot labels, summed over
    the outputs, mean over samples). `regularisers` maps names to strengths; of a perceptron, dropout acts on the last
    `dropout_layers` hidden layers alone (0: on all of them). With `log_points`, curves have that many lines
    a decade of steps instead of the usual ones at ends of epochs, which are at first the ends of every epoch up to
    number `dense`; with `every`, all but the training set is measured after every so many steps besides (for an early
    stop). `precision` is that of products: `tf32` (on a GPU) or `bf16` (of networks by name) only where no criterion
    needs more. Where batch norm is on, `norm` says where it stands in a perceptron: `before` or `after` the hidden
    activations; `scale` is its learnt scale and shift alone, before them, with nothing normalised.
    """

    hidden: tuple[int, ...] = ()
    optimiser: str = "adam"
    lr: float = 1e-3
    momentum: float = 0.9
    decay: float = 1.0
    batch: int = 100
    epochs: int = 100
    target: float = 1.0
    regularisers: Mapping[str, float] = field(default_factory=dict)
    network: str = ""
    nesterov: bool = False
    coupled: bool = False
    loss: str = "cross-entropy"
    loss_target: float = -math.inf
    steps: int = 0
    init: str = "he-normal"
    log_points: int = 0
    dense: int = 0
    every: int = 0
    precision: str = "float32"
    dropout_layers: int = 0
    norm: str = "before"
    drops: tuple[int, ...] = ()
    check_every: int = 0

    def factor(self, epoch: int) -> float:
        """Return what the learning rate is multiplied by in an epoch, counted from 0."""
        return float(self.decay**epoch * 0.1 ** sum(drop <= epoch for drop in self.drops))

    def strength(self, name: str) -> float:
        """Return the strength of a regulariser, 0 where it is off."""
        return self.regularisers.get(name, 0.0)

    @property
    def holds_out(self) -> bool:
        """Whether early stopping holds out a part of the training set."""
        return "early-stopping" in self.regularisers

    def validation(self, n: int) -> int:
        """Return how many of `n` training samples early stopping holds out: a tenth, at least one; 0 without it."""
        if not self.holds_out:
            return 0
        if n < 2:
            raise BadValue("early stopping needs at least 2 training samples")
        return max(n // 10, 1)

    def check(self) -> None:
        """Raise BadValue for what cannot be trained."""
        if self.batch < 1 or self.epochs < 1:
            raise BadValue("batch and epochs start at 1")
        for what, given, known in (
            ("optimiser", self.optimiser, OPTIMISERS),
            ("loss", self.loss, LOSSES),
            ("initialisation", self.init, INITS),
            ("precision", self.precision, PRECISIONS),
            ("place for batch norm", self.norm, NORMS),
        ):
            if given not in known:
                raise BadValue(f"there is no {what} {given!r}", f"known: {', '.join(known)}")
        if self.optimiser == "adamw" and self.coupled:
            raise BadValue("adamw is Adam with decoupled weight decay", "take adam, or leave the decay decoupled")
        if self.precision == "bf16" and not self.network:
            raise BadValue("perceptrons are not trained in bf16", "nearest valid value: tf32")
        if self.nesterov and self.optimiser != "sgd":
            raise BadValue("Nesterov's momentum belongs to sgd")
        if self.norm != "before" and self.network:
            raise BadValue(f"{self.network} has its own place for batch norm", "nearest valid value: norm = before")
        if self.dropout_layers and self.network:
            raise BadValue(f"{self.network} has its own places for dropout", "nearest valid value: dropout_layers = 0")
        if not self.network and not 0 <= self.dropout_layers <= len(self.hidden):
            raise BadValue(
                f"dropout_layers = {self.dropout_layers} of {len(self.hidden)} hidden layers",
                f"nearest valid value: {min(max(self.dropout_layers, 0), len(self.hidden))}",
            )


@dataclass(frozen=True)
class Member:
    """One network to train: an arm at a seed, and which of the samples' input and label sets it learns.

    `recipe` replaces the population's for this member. `n` is how many of the samples it learns (the first ones; 0:
    all). `fresh` redraws its labels uniformly at the start of every epoch; it is then scored on the next draw, which it
    has not seen. `follows` is the position of a member whose end ends this one too. `expected_epochs` is a guess for
    the progress bar (0: the recipe's limit). `init` and `order` replace the seed for the initial weights and for the
    order of the samples (with shifts and mixing weights), `order` from step `order_from` on: until there, also in the
    middle of an epoch, members of one seed see the same batches. `start` are initial numbers instead of drawn ones and
    `masks` 0/1 multipliers of the weight matrices, both as `State.trained` gives them: matrices [after, before], first
    layer first, then vectors. `trains` are 0/1 multipliers of all these numbers (of any type): where they are 0,
    nothing ever changes the number.
    """

    arm: str
    seed: int
    inputs: int = 0
    labels: int = 0
    fresh: bool = False
    follows: int | None = None
    expected_epochs: float = 0.0
    recipe: Recipe | None = None
    n: int = 0
    init: int | None = None
    order: int | None = None
    order_from: int = 0
    start: Sequence[torch.Tensor] | None = field(default=None, compare=False)
    masks: Sequence[torch.Tensor] | None = field(default=None, compare=False)
    trains: Sequence[torch.Tensor] | None = field(default=None, compare=False)

    @property
    def init_seed(self) -> int:
        return self.seed if self.init is None else self.init

    @property
    def order_seed(self) -> int:
        return self.seed if self.order is None else self.order

    @property
    def orders(self) -> tuple[int, int, int]:
        """The seed of the orders of the samples, the step at which another one takes over, and that one."""
        after = self.order_seed
        return (self.seed, self.order_from, after) if self.order_from > 0 and after != self.seed else (after, 0, after)


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

    @property
    def n(self) -> int:
        return int(self.inputs.shape[1])

    def to(self, device: str) -> Samples:
        """Return the samples on a device; themselves where they are there already."""
        names = ("inputs", "labels", "test_inputs", "test_labels")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})

    @property
    def features(self) -> int:
        return int(self.inputs.shape[2])


FINALS = ("train_accuracy", "train_loss", "test_accuracy", "test_loss")
"""The four metrics, as curves and as final numbers."""

MEASURES = ("steps_to_fit", "epochs_to_fit", *FINALS, "test_error", "steps", "epochs")


@dataclass(frozen=True)
class Outcome:
    """How a member ended: `fitted`, `loss`, `epochs`, `steps`, `early stopping`, `partner` (followed) or `diverged`.

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
        values |= {name: value for name, value in finals.items() if name not in values}
        values["test_error"] = 1.0 - values["test_accuracy"]
        values["steps"], values["epochs"] = float(step), epoch
        values["steps_to_fit"] = float(step) if fitted else math.nan
        values["epochs_to_fit"] = epoch if fitted else math.nan
        return cls(end, step, epoch, values)
