"""The declared set of regularisers: what each is, its key, its strength and its bounds (no torch: the form needs it).

The training code applies them; a phenomenon says which of them apply to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from genlab_tui.errors import BadValue, NotFound, nearest


@dataclass(frozen=True)
class Regulariser:
    """One regulariser: a single-key toggle with a strength.

    `ladder` are the strengths that left and right step through; `dynamic` ones may change while a run trains.
    """

    name: str
    key: str
    label: str
    strength_name: str
    default: float
    low: float
    high: float
    ladder: tuple[float, ...]
    help: str
    dynamic: bool
    source: str

    def check(self, strength: float) -> float:
        """Return the strength if it is inside the bounds; raises BadValue with the nearest valid value."""
        if self.low <= strength <= self.high:
            return strength
        closest = min(max(strength, self.low), self.high) if strength == strength else self.default
        raise BadValue(
            f"{self.name} = {strength:g} is outside {self.low:g} to {self.high:g} ({self.strength_name})",
            f"nearest valid value: {closest:g}",
        )


REGULARISERS: tuple[Regulariser, ...] = (
    Regulariser(
        "weight-decay",
        "w",
        "weight decay",
        "coefficient",
        1e-3,
        1e-8,
        10.0,
        (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3),
        "Decoupled: every step multiplies each weight matrix (not biases, not batch norm) by 1 - lr * coefficient.",
        True,
        "Loshchilov & Hutter 2019, arXiv 1711.05101",
    ),
    Regulariser(
        "l1",
        "l",
        "L1",
        "coefficient",
        1e-5,
        1e-8,
        1.0,
        (1e-6, 1e-5, 1e-4, 1e-3),
        "Adds coefficient * sum |w| over the weight matrices to the loss.",
        True,
        "Tibshirani 1996",
    ),
    Regulariser(
        "dropout",
        "d",
        "dropout",
        "probability",
        0.5,
        0.01,
        0.95,
        (0.1, 0.2, 0.3, 0.5, 0.7),
        "Each hidden unit is dropped with this probability while training, and the rest scaled up.",
        True,
        "Srivastava et al. 2014",
    ),
    Regulariser(
        "augmentation",
        "a",
        "augmentation",
        "shift in pixels",
        1.0,
        1.0,
        8.0,
        (1.0, 2.0, 3.0, 4.0),
        "Each training input is shifted at random by up to this many pixels in every direction.",
        True,
        "Zhang et al. 2017, section 3 (random cropping)",
    ),
    Regulariser(
        "label-smoothing",
        "s",
        "label smoothing",
        "epsilon",
        0.1,
        0.001,
        0.9,
        (0.05, 0.1, 0.2),
        "Targets are 1 - epsilon on the label plus epsilon spread evenly over all classes.",
        True,
        "Szegedy et al. 2016, arXiv 1512.00567",
    ),
    Regulariser(
        "mixup",
        "m",
        "mixup",
        "alpha",
        0.2,
        0.01,
        8.0,
        (0.1, 0.2, 0.4, 1.0),
        "Trains on convex combinations of pairs of samples, weights drawn from Beta(alpha, alpha).",
        True,
        "Zhang et al. 2018, arXiv 1710.09412",
    ),
    Regulariser(
        "batch-norm",
        "b",
        "batch norm",
        "momentum",
        0.1,
        0.001,
        1.0,
        (0.05, 0.1, 0.3),
        "Batch normalisation before every hidden activation; the strength is the running statistics' momentum.",
        False,
        "Ioffe & Szegedy 2015, arXiv 1502.03167",
    ),
    Regulariser(
        "early-stopping",
        "e",
        "early stopping",
        "patience in epochs",
        10.0,
        1.0,
        1000.0,
        (5.0, 10.0, 20.0, 50.0),
        "A tenth of the training set is held out; training ends when its loss has not improved for this long, "
        "and the best weights are kept.",
        False,
        "Prechelt 1998",
    ),
)

BY_NAME: Mapping[str, Regulariser] = {r.name: r for r in REGULARISERS}
SHORT: Mapping[str, str] = {
    "weight-decay": "wd",
    "l1": "l1",
    "dropout": "drop",
    "augmentation": "aug",
    "label-smoothing": "smooth",
    "mixup": "mixup",
    "batch-norm": "bn",
    "early-stopping": "early",
}
"""What a table calls each."""

_ALIASES = {short: name for name, short in SHORT.items()} | {"smoothing": "label-smoothing"}


def get(name: str) -> Regulariser:
    """Return a regulariser by its name or short name; raises NotFound with the nearest."""
    canonical = _ALIASES.get(name, name).replace("_", "-")
    if canonical not in BY_NAME:
        raise NotFound(f"there is no regulariser {name!r}", nearest(name, tuple(BY_NAME)))
    return BY_NAME[canonical]


def parse(text: str) -> tuple[str, float]:
    """Parse `dropout=0.3` or `dropout` (default strength) into name and strength. Raises NotFound or BadValue."""
    name, given, strength = text.partition("=")
    regulariser = get(name.strip())
    if not given:
        return regulariser.name, regulariser.default
    try:
        value = float(strength)
    except ValueError:
        raise BadValue(
            f"{regulariser.name} = {strength!r} is not a number",
            f"for example --on {regulariser.name}={regulariser.default:g}",
        ) from None
    return regulariser.name, regulariser.check(value)


def strength_text(strength: float | None) -> str:
    """Return a strength as it is written everywhere; None is off."""
    return "off" if strength is None else f"{strength:g}"


def summary(active: Mapping[str, float]) -> str:
    """Return the active regularisers in one line, in declared order: `weight-decay 0.001, dropout 0.5`, or `none`."""
    return ", ".join(f"{r.name} {active[r.name]:g}" for r in REGULARISERS if r.name in active) or "none"


def applicable(names: Iterable[str]) -> tuple[Regulariser, ...]:
    """Return the regularisers named, in declared order."""
    wanted = set(names)
    return tuple(r for r in REGULARISERS if r.name in wanted)
