"""Logistic regression without regularisation on small sets, many at once in float64: by gradient and by its rivals.

The loss is the mean of log(1 + exp(-z . w)) over the signed points z; every descent begins at w = 0 and sees all points
in every step. Arrays are [features, points, problems], so that a step of a hundred problems is a handful of operations.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context

Floats = NDArray[np.float64]
Step = Callable[[int], None]

PER_DECADE = 10
"""Looks a decade of steps."""
CHUNK = 5000
"""Steps between two polls of the context, below a second."""
SAY_EVERY = 0.3
"""Seconds between two events of progress."""
BETA_1, BETA_2 = 0.9, 0.999
"""Adam's own."""
EPSILONS = {"adam": 0.0, "adam with epsilon": 1e-8}
"""What Adam adds to the root of its second moment: more than 0 turns it into gradient descent with momentum, of a
falling rate, once gradients are smaller than that."""
OF_THE_THEOREM = ("slope", "margin_rise", "gap_ratio", "loss_variation")
METRICS = ("norm", "scaled_norm", "angle", "angle_inf", "margin", "loss", "scaled_loss")


@dataclass(frozen=True)
class Problems:
    """What is descended on: `members` are (arm, seed), `z` [d, n, k] their signed points.

    `l2`, `linf` [d, k] and `gamma` [k] are the solutions that they are measured against: NaN where there is none.
    """

    members: tuple[tuple[str, int], ...]
    z: Floats
    l2: Floats
    linf: Floats
    gamma: Floats

    @property
    def smoothness(self) -> Floats:
        """L of the mean loss, [k]: a quarter of the largest eigenvalue of the mean of z z^T."""
        points = self.z.transpose(2, 1, 0)
        largest = np.linalg.norm(points, 2, axis=(1, 2))
        return np.asarray(largest**2 / (4 * points.shape[1]), dtype=np.float64)


@dataclass
class Walk:
    """Where the problems stand after `step` steps: `w` [d, k], the moments of Adam, what was passed at each look."""

    w: Floats
    first: Floats
    second: Floats
    step: int = 0
    passed: list[Floats] = field(default_factory=list)

    @classmethod
    def begin(cls, problems: Problems) -> Walk:
        shape = (problems.z.shape[0], problems.z.shape[2])
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape))

    def save(self) -> Checkpoint:
        arrays = {"w": self.w.copy(), "first": self.first.copy(), "second": self.second.copy()}
        if self.passed:
            arrays["passed"] = np.array(self.passed)
        return Checkpoint(self.step, arrays)

    def restore(self, saved: Checkpoint) -> None:
        self.step = saved.step
        for name in ("w", "first", "second"):
            getattr(self, name)[:] = np.asarray(saved.arrays[name])
        self.passed = [np.array(row) for row in np.asarray(saved.arrays["passed"])] if "passed" in saved.arrays else []


def looks(steps: int, *more: int) -> list[int]:
    """Return the steps at which is measured: geometric, down from the last; it, its tenth and hundredth are there."""
    places = {round(steps * 10 ** (-k / PER_DECADE)) for k in range(math.ceil(math.log10(steps) * PER_DECADE) + 1)}
    return sorted({place for place in (*places, *more) if 1 <= place <= steps})


# --- one step ---------------------------------------------------------------------------------------------------------


def stepper(kind: str, problems: Problems, walk: Walk, lr: float) -> Step:
    """Return the function that takes one step (number t, from 1) of all problems, in place, through made buffers.

    `gradient`: w + v / L with v the mean of z / (1 + exp(z . w)), the fixed step of the theorem. `normalised`: that
    over the loss and over sqrt(t). `adam`, `adam with epsilon`, `sign`: their step, the learning rate lr / sqrt(t).
    """
    z, w = problems.z, walk.w
    n = z.shape[1]
    share = z * (1.0 / (n * problems.smoothness)) if kind in ("gradient", "normalised") else z * (1.0 / n)
    spread, outputs, v = np.empty_like(z), np.empty(z.shape[1:]), np.empty_like(w)
    across = w[:, None, :]
    multiply, add, divide, exp, total = np.multiply, np.add, np.divide, np.exp, np.add.reduce

    def outputs_of() -> None:
        multiply(z, across, spread)
        total(spread, axis=0, out=outputs)

    def gradient(t: int) -> None:
        # 1 / (1 + exp(z . w)) keeps all its digits in the tail; an overflow of exp is a weight of 0, as it should be.
        outputs_of()
        exp(outputs, outputs)
        add(outputs, 1.0, outputs)
        divide(1.0, outputs, outputs)
        multiply(share, outputs, spread)
        total(spread, axis=1, out=v)

    def descend(t: int) -> None:
        gradient(t)
        add(w, v, w)

    def normalised(t: int) -> None:
        outputs_of()
        # Gradient and loss both times exp(lowest output): their ratio is right where either would underflow.
        lowest = np.maximum(outputs.min(0), 0.0)
        tails = exp(-outputs)
        scaled = exp(lowest - outputs)
        losses = np.where(tails < 1e-16, scaled, np.log1p(tails) * exp(np.minimum(lowest, 700.0)))
        multiply(share, scaled / (1.0 + tails), spread)
        total(spread, axis=1, out=v)
        add(w, v / (losses.mean(0) * math.sqrt(t)), w)

    epsilon = EPSILONS.get(kind, 0.0)

    def adam(t: int) -> None:
        gradient(t)
        walk.first *= BETA_1
        walk.first += (1 - BETA_1) * v
        walk.second *= BETA_2
        walk.second += (1 - BETA_2) * v * v
        size = np.sqrt(walk.second / (1 - BETA_2**t)) + epsilon
        update = np.divide(walk.first / (1 - BETA_1**t), size, out=np.zeros_like(size), where=size > 0)
        add(w, lr / math.sqrt(t) * update, w)

    def sign(t: int) -> None:
        gradient(t)
        add(w, lr / math.sqrt(t) * np.sign(v), w)

    steps = {"gradient": descend, "normalised": normalised, "sign": sign} | dict.fromkeys(EPSILONS, adam)
    return steps[kind]


# --- what is measured -------------------------------------------------------------------------------------------------


def measured(problems: Problems, w: Floats, step: int) -> dict[str, Floats]:
    """Return the metrics of some weights [d, k], one number a problem.

    The scaled norm is |w| gamma, the margin that of w / |w| over gamma; the scaled loss is loss * t * gamma^2 / L,
    which tends to 1 where the theorem holds.
    """
    norm = np.linalg.norm(w, axis=0)
    outputs = np.einsum("dnk,dk->nk", problems.z, w)
    loss = np.logaddexp(0.0, -outputs).mean(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = w / norm
        return {
            "norm": norm,
            "scaled_norm": norm * problems.gamma,
            "angle": _angles(unit, problems.l2),
            "angle_inf": _angles(unit, problems.linf),
            "margin": outputs.min(0) / norm / problems.gamma,
            "loss": loss,
            "scaled_loss": loss * step * problems.gamma**2 / problems.smoothness,
        }


def _angles(first: Floats, second: Floats) -> Floats:
    """Return the angles between unit vectors [d, k], exact for small ones too."""
    apart, along = np.linalg.norm(first - second, axis=0), np.linalg.norm(first + second, axis=0)
    return np.asarray(2 * np.arctan2(apart, along), dtype=np.float64)


def landmarks(problems: Problems, steps: Sequence[int], passed: Sequence[Floats], early: int) -> dict[str, Floats]:
    """Return the numbers of the criteria, one a problem, from the weights passed at the looks.

    All but the ends are of the last decade: the slope of the scaled norm over the logarithm of t, the smallest rise of
    the margin from look to look, (gamma - margin) log t over what it was a decade before, largest over smallest
    loss * t, minus 1. `early_margin` is that at the look `early`.
    """
    found = [measured(problems, w, t) for t, w in zip(steps, passed, strict=True)]
    table = {name: np.array([row[name] for row in found]) for name in METRICS}
    last, before = len(steps) - 1, steps.index(round(steps[-1] / 10))
    decade = slice(before, None)
    ends = {name: table[name][last] for name in METRICS}
    rises = np.diff(table["margin"][decade], axis=0)
    rises[np.abs(rises) < 1e-12] = 0.0  # rounding of a margin that has arrived
    gap = (1.0 - table["margin"]) * np.log(np.array(steps, dtype=np.float64))[:, None]
    losses = table["scaled_loss"][decade]
    slope = (table["scaled_norm"][last] - table["scaled_norm"][before]) / math.log(steps[-1] / steps[before])
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            **ends,
            "slope": slope,
            "margin_rise": rises.min(0),
            "gap_ratio": gap[last] / gap[before],
            "loss_variation": losses.max(0) / losses.min(0) - 1.0,
            "nearer_inf": ends["angle"] - ends["angle_inf"],
            "early_margin": table["margin"][steps.index(early)],
            "heading": np.arctan2(passed[last][1], passed[last][0]),
        }


# --- the whole way ----------------------------------------------------------------------------------------------------


def walk_all(
    kind: str,
    problems: Problems,
    context: Context,
    *,
    cohort: str,
    steps: int,
    early: int,
    lr: float,
    label: str,
    share: tuple[float, float],
) -> Generator[ev.Event, None, int]:
    """Take all steps, or those after a checkpoint; yield curves, landmarks and progress; return the steps taken.

    `share` is where this stands in the whole run and how much of it it is.
    """
    places = looks(steps, early, round(steps / 10))
    walk = Walk.begin(problems)
    if (saved := context.resume()) is not None:
        walk.restore(saved)
    step = stepper(kind, problems, walk, lr)
    began, first = time.monotonic(), walk.step
    said = began
    yield ev.Cohort(id=cohort, members=problems.members)
    with np.errstate(over="ignore"):
        while walk.step < steps:
            ahead = places[len(walk.passed)]
            for t in range(walk.step + 1, min(walk.step + CHUNK, ahead) + 1):
                step(t)
                walk.step = t
            if walk.step == ahead:
                walk.passed.append(walk.w.copy())
                for name, values in measured(problems, walk.w, ahead).items():
                    yield ev.Curve(
                        cohort=cohort,
                        metric=name,
                        step=ahead,
                        epoch=float(ahead),
                        seconds=round(time.monotonic() - began, 3),
                        values=ev.to_values(values.tolist()),
                    )
            if walk.step == steps or time.monotonic() - said > SAY_EVERY:
                said = time.monotonic()
                gone = walk.step / steps
                speed = (walk.step - first) / max(time.monotonic() - began, 1e-9)
                yield ev.Progress(
                    done=round(share[0] + share[1] * gone, 4),
                    label=f"{label}, step {walk.step:,}",
                    eta=round((steps - walk.step) / speed + (1 - sum(share)) * steps / speed / share[1], 1),
                )
            context.poll(walk.save)
    found = landmarks(problems, places, walk.passed, early)
    # The loss of the others falls by hundreds of orders of magnitude: what is about 1 / t has no meaning there.
    for name, values in ((name, found[name]) for name in found if kind == "gradient" or name not in OF_THE_THEOREM):
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values(values.tolist()))
    return walk.step
