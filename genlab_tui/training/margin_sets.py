"""Small sets of two classes and what separates them best: the hard-margin SVM, and the largest margin in L-infinity.

Everything is about signed points z = y x (with a bias: a constant feature of x, penalised like the others), so that a
direction w separates the classes where every z . w is positive. All in float64.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlab_tui.data.seeding import generator
from genlab_tui.errors import BadValue

Floats = NDArray[np.float64]

DISTANCE = 2.0
"""From the origin to the middle of each class, in standard deviations of a class."""
LEAST_MARGIN = 0.5
"""Of the sets that are kept, in the same unit: gradient descent on a narrower one takes far longer."""
TURN = 0.2
"""Radians that must lie between the two directions, or a run could not tell which of them it went to."""
FLIPPED = 0.2
"""Share of the labels that are flipped in the control."""
MOST_DRAWS = 20_000
SOFTNESS = 1e10
"""C of the SVM: so hard that a violated margin would cost more than any weights."""
TOLERANCE = 1e-6
"""Of what the SVM's optimality conditions may be off by; margins below it are none."""


@dataclass(frozen=True)
class Toy:
    """The signed points [n, d] of a seed and their solutions: unit vectors, margins |.| of them, NaN if not separable.

    `l2` maximises the smallest z . w over |w|_2 = 1, which is `gamma`; `linf` over |w|_inf = 1 (returned
    scaled to |w|_2 = 1). `flipped` are the same points, some with the other label, which nothing separates.
    `draws` counts the sets that were drawn until one fitted.
    """

    z: Floats
    flipped: Floats
    l2: Floats
    gamma: float
    linf: Floats
    draws: int

    @property
    def separable(self) -> bool:
        return bool(np.isfinite(self.gamma))

    @property
    def turn(self) -> float:
        """The angle between the two solutions, in radians."""
        return angle(self.l2, self.linf)


def angle(first: Floats, second: Floats) -> float:
    """Return the angle between two vectors in radians, exact for small ones too; NaN without a direction."""
    a, b = (v / norm if (norm := float(np.linalg.norm(v))) else np.full(len(v), np.nan) for v in (first, second))
    return float(2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b)))


def linf_margin(z: Floats) -> tuple[Floats, float]:
    """Return the w with |w|_inf <= 1 of the largest margin, and that margin, 0 if not separable: a linear program."""
    from scipy.optimize import linprog

    n, d = z.shape
    found = linprog(
        np.append(np.zeros(d), -1.0),
        A_ub=np.column_stack((-z, np.ones(n))),
        b_ub=np.zeros(n),
        bounds=[(-1.0, 1.0)] * d + [(None, None)],
        method="highs",
    )
    return np.asarray(found.x[:d], dtype=np.float64), max(float(found.x[d]), 0.0)


def separable(z: Floats) -> bool:
    """Whether some direction has all signed points on its side."""
    return linf_margin(z)[1] > TOLERANCE


def hard_margin(z: Floats) -> Floats | None:
    """Return argmin |w| with every z . w >= 1, or None where it cannot be verified.

    Ask first whether the points are separable: where nothing separates them, a hard SVM would not come to an end.
    scikit-learn's SVM has a free intercept; on the points together with their mirror images it is 0, so that the
    solution is that of the problem without one. Its support vectors are then solved for exactly, and the result must
    satisfy the optimality conditions: all margins 1 or more, w a combination of support vectors with weights of 0 or
    more, and no gap between the primal and the dual problem.
    """
    from sklearn.svm import SVC

    n = len(z)
    fit = SVC(kernel="linear", C=SOFTNESS, tol=1e-10).fit(np.concatenate((z, -z)), np.repeat((1, -1), n))
    support = np.unique(fit.support_ % n)
    active = z[support]
    weights = np.linalg.lstsq(active @ active.T, np.ones(len(support)), rcond=None)[0]
    for w, alpha in ((active.T @ weights, weights), (fit.coef_[0], np.abs(fit.dual_coef_[0]))):
        if optimal(z, w, alpha):
            return np.asarray(w, dtype=np.float64)
    return None


def optimal(z: Floats, w: Floats, alpha: Floats) -> bool:
    """Whether w is the hard-margin solution: feasible, dual weights of 0 or more, and no duality gap."""
    square = float(w @ w)
    feasible = float((z @ w).min()) >= 1 - TOLERANCE
    return (
        feasible
        and float(alpha.min()) >= -TOLERANCE * square
        and abs(float(alpha.sum()) - square) <= (TOLERANCE * square)
    )


def draw(seed: int, *, points: int, bias: bool = False, contradictions: int = 0) -> Toy:
    """Draw the set of a seed: two round clouds opposite each other, drawn anew until the two solutions differ.

    A set is kept where its margin is `LEAST_MARGIN` or more and the two solutions are `TURN` radians apart or more.
    `contradictions` puts that many of its points in a second time, with the other label: then nothing separates it.
    Raises BadValue where no set is found.
    """
    stream = generator(seed, "max-margin points")
    for draws in range(1, MOST_DRAWS + 1):
        direction = stream.uniform(0.0, 2.0 * np.pi)
        y = np.where(np.arange(points) % 2 == 0, 1.0, -1.0)
        x = y[:, None] * DISTANCE * np.array([np.cos(direction), np.sin(direction)])
        x += stream.standard_normal((points, 2))
        z = y[:, None] * (np.column_stack((x, np.ones(points))) if bias else x)
        linf, gamma_inf = linf_margin(z)
        if gamma_inf < LEAST_MARGIN or (w := hard_margin(z)) is None:  # the other margin is no larger
            continue
        gamma = 1.0 / float(np.linalg.norm(w))
        if gamma < LEAST_MARGIN or angle(w, linf) < TURN:
            continue
        flipped = _flipped(z, stream)
        if contradictions:
            z, flipped = (np.concatenate((own, -own[:contradictions])) for own in (z, flipped))
            none = np.full(z.shape[1], np.nan)
            return Toy(z, flipped, none, float("nan"), none, draws)
        return Toy(z, flipped, w * gamma, gamma, linf / np.linalg.norm(linf), draws)
    raise BadValue(f"points = {points}: no separable set with such a margin was drawn", "nearest valid value: 20")


def _flipped(z: Floats, stream: np.random.Generator) -> Floats:
    """Return the points with some labels flipped, others (in the end, more) until nothing separates them."""
    count = max(round(FLIPPED * len(z)), 1)
    for tries in itertools.count():
        signs = np.ones(len(z))
        signs[stream.permutation(len(z))[: min(count + tries // 20, len(z) // 2)]] = -1.0
        if not separable(flipped := signs[:, None] * z):
            return flipped
    raise AssertionError("unreachable")
