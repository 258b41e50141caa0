"""Gradient descent on a linear system with more unknowns than equations, beside its solution of least norm.

Float64 throughout, with numpy. Gradients are combinations of the rows, so from zero the weights stay in their span, and
the only solution there is that of the pseudo-inverse.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlab_tui import events as ev
from genlab_tui.data.seeding import generator
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training.kernel_machine import Problem
from genlab_tui.training.least_squares import Decomposition, Matrix

LOOK = 500  # passes between two looks at whether the run shall stop
PER_DECADE = 20  # passes that are measured and reported, of every decade


@dataclass(frozen=True)
class System:
    """x w = y with x [rows, columns]; `solution` is the one of least norm, `basis` spans the rows (orthonormal).

    `x_test`, `y_test`: samples that accuracy is measured on, signs of the outputs; empty without.
    """

    x: Matrix
    y: Matrix
    parts: Decomposition
    solution: Matrix
    x_test: Matrix
    y_test: Matrix

    @classmethod
    def of(cls, x: Matrix, y: Matrix, x_test: Matrix | None = None, y_test: Matrix | None = None) -> System:
        """Decompose a system."""
        parts, empty = Decomposition.of(x), np.zeros((0, x.shape[1]))
        solution = parts.solve(y[:, None])[:, 0]
        return cls(
            x, y, parts, solution, empty if x_test is None else x_test, empty[:, 0] if y_test is None else y_test
        )

    @property
    def condition(self) -> float:
        """Largest over smallest singular value; infinite where rows depend on each other."""
        s = self.parts.s
        return float(s[0] / s[-1]) if len(s) == len(self.x) else math.inf

    def distance(self, w: Matrix) -> float:
        """Return |w - solution| / |solution|."""
        return float(np.linalg.norm(w - self.solution) / np.linalg.norm(self.solution))

    def off_span(self, w: Matrix) -> float:
        """Return the length of the part of w that no combination of the rows makes, over |solution|."""
        basis = self.parts.vt
        return float(np.linalg.norm(w - basis.T @ (basis @ w)) / np.linalg.norm(self.solution))

    def residual(self, w: Matrix) -> float:
        """Return |x w - y| / |y|."""
        return float(np.linalg.norm(self.x @ w - self.y) / np.linalg.norm(self.y))

    def accuracy(self, w: Matrix) -> float:
        """Return the share of test samples whose sign is right; NaN without any."""
        return float(np.mean(np.sign(self.x_test @ w) == self.y_test)) if len(self.y_test) else math.nan


def gaussian_system(seed: int, rows: int, columns: int) -> System:
    """Draw a well-conditioned system: inputs and targets of standard normal numbers."""
    random = generator(seed, "gaussian system")
    return System.of(random.standard_normal((rows, columns)), random.standard_normal(rows))


def fourier_system(problem: Problem, seed: int, rows: int, columns: int, sigma: float, tests: int) -> System:
    """Make a system of the first samples: random Fourier features of width sigma, sign for half of the classes."""
    from genlab_tui.training.random_features import RandomFeatures

    features = RandomFeatures.draw("fourier", problem.x.shape[1], columns, sigma, seed)

    def inputs(x: Matrix) -> Matrix:
        return features(x, columns) / math.sqrt(columns)

    def signs(y: NDArray[np.int64]) -> Matrix:
        return np.where(y < problem.classes / 2, 1.0, -1.0)

    y = signs(problem.labels["true"][:rows])
    return System.of(inputs(problem.x[:rows]), y, inputs(problem.x_test[:tests]), signs(problem.y_test[:tests]))


@dataclass(frozen=True)
class Descent:
    """How one member goes down: from zero or from a random start, with all equations a step or one.

    `early`: the pass after which accuracy is kept, to be compared with that at the end. `settled`: the relative
    distance at which rounding takes over; passes that do not come closer are counted before.
    """

    arm: str
    passes: int
    spread: float = 0.0
    stochastic: bool = False
    early: int = 0
    settled: float = 1e-12


def measured_passes(passes: int) -> tuple[int, ...]:
    """Return the passes that are reported: log-spaced, with the first and the last."""
    count = int(PER_DECADE * math.log10(passes)) + 2 if passes > 1 else 1
    return tuple(sorted({*np.unique(np.geomspace(1, passes, count).round().astype(int)).tolist(), 1, passes}))


def descend(
    system: System, descent: Descent, context: Context, seed: int, progress: Callable[[float], ev.Progress]
) -> Generator[ev.Event, None, dict[str, float]]:
    """Run one descent, or the rest of it after a checkpoint; return what is measured of it.

    `progress(share)` makes the line that says that this share of the descent is done.
    """
    cohort, passes = f"{descent.arm} seed {seed}", descent.passes
    w: Matrix = np.asarray(descent.spread * generator(seed, "random start").standard_normal(system.x.shape[1]))
    last, rises, off_most, early_accuracy, settled = system.distance(w), 0, 0.0, math.nan, False
    done, before = 0, 0.0
    saved = context.resume()
    if saved is not None:
        w = np.array(saved.arrays["w"], dtype=np.float64)
        last, off_most, early_accuracy = np.array(saved.arrays["tally"], dtype=np.float64).tolist()
        rises, settled, before = int(saved.meta["rises"]), bool(saved.meta["settled"]), float(saved.meta["seconds"])
        done = saved.step
    began, wanted = time.monotonic(), {*measured_passes(passes), descent.early}

    def save() -> Checkpoint:
        meta = {"seconds": before + time.monotonic() - began, "rises": rises, "settled": settled}
        return Checkpoint(done, {"w": w, "tally": np.array([last, off_most, early_accuracy])}, meta)

    yield ev.Cohort(id=cohort, members=((descent.arm, seed),))
    context.poll(save)
    for number in range(done + 1, passes + 1):
        w = _one_by_one(system, w, seed, number) if descent.stochastic else _all_at_once(system, w)
        distance = system.distance(w)
        rises += not settled and distance > last
        settled = settled or distance <= descent.settled
        last, done = distance, number
        if number in wanted:
            off_span, accuracy = system.off_span(w), system.accuracy(w)
            off_most = max(off_most, off_span)
            early_accuracy = accuracy if number == descent.early else early_accuracy
            shown = {"distance": distance, "system_residual": system.residual(w), "off_span": off_span}
            seconds = before + time.monotonic() - began
            for metric, value in (shown | ({"accuracy": accuracy} if len(system.y_test) else {})).items():
                values = ev.to_values([value])
                yield ev.Curve(cohort=cohort, metric=metric, step=number, epoch=number, seconds=seconds, values=values)
            yield progress(number / passes)
        if number % LOOK == 0 or number in wanted:
            context.poll(save)
    found = {
        "relative_distance": last,
        "solved": system.residual(w),
        "off_span_most": off_most,
        "rises": float(rises),
        "system_condition": system.condition,
        "pseudo_inverse_residual": system.residual(system.solution),
    }
    if len(system.y_test):
        found |= {"early_accuracy": early_accuracy, "late_accuracy": system.accuracy(w)}
    for name, value in found.items():
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values([value]))
    return found


def _all_at_once(system: System, w: Matrix) -> Matrix:
    """Take a step of gradient descent, of length one over the largest squared singular value."""
    stepped: Matrix = w - system.x.T @ (system.x @ w - system.y) / system.parts.s[0] ** 2
    return stepped


def _one_by_one(system: System, w: Matrix, seed: int, number: int) -> Matrix:
    """Go through the equations once in an order of their own, a step of half of what would solve each."""
    w = w.copy()
    lengths = np.einsum("ij,ij->i", system.x, system.x)
    for row in generator(seed, f"order {number}").permutation(len(system.x)).tolist():
        x = system.x[row]
        w -= (0.5 * (x @ w - system.y[row]) / lengths[row]) * x
    return w
