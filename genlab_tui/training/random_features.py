"""Linear models on random features of a data set: one seed's problem, drawn once, solved for any number of features.

All in float64 with numpy: the threads are those of its linear algebra (OMP_NUM_THREADS). No torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from genlab_tui.data import Arrays
from genlab_tui.data.arrays import flatten, one_hot, split, standardise
from genlab_tui.data.corrupt import corrupt_labels
from genlab_tui.data.seeding import generator
from genlab_tui.training.least_squares import Decomposition, Matrix, mse

BLOCK = 4096  # rows of test features in memory at once


@dataclass(frozen=True)
class RandomFeatures:
    """A nested family of random features: the first N of them are the model with N features.

    `relu`: max(0, w.x) with w ~ N(0, 2/d). `fourier`: sqrt(2) cos(v.x + b) with v ~ N(0, sigma^-2 I) and b uniform
    (Rahimi & Recht 2007), which approaches the Gaussian kernel of width sigma.
    """

    kind: str
    directions: Matrix
    phases: Matrix

    @classmethod
    def draw(cls, kind: str, inputs: int, largest: int, sigma: float, seed: int) -> RandomFeatures:
        """Draw `largest` features of `inputs` values from the seed."""
        spread = float(np.sqrt(2.0 / inputs)) if kind == "relu" else 1.0 / sigma
        directions = spread * generator(seed, "features").standard_normal((largest, inputs))
        return cls(kind, directions, generator(seed, "phases").uniform(0.0, 2.0 * np.pi, largest))

    def __call__(self, x: Matrix, width: int) -> Matrix:
        """Return the first `width` features of the rows of x, [n, width]."""
        projected: Matrix = x @ self.directions[:width].T
        if self.kind == "relu":
            return np.maximum(projected, 0.0, out=projected)
        projected += self.phases[:width]
        np.cos(projected, out=projected)
        projected *= np.sqrt(2.0)
        return projected

    def predict(self, x: Matrix, coefficients: Matrix) -> Matrix:
        """Return features(x) @ coefficients for coefficients [N, K], in blocks of rows so that memory stays bounded."""
        width = len(coefficients)
        blocks = [self(x[i : i + BLOCK], width) @ coefficients for i in range(0, len(x), BLOCK)]
        return np.concatenate(blocks)


@dataclass(frozen=True)
class Fit:
    """What is measured of one fit. Errors are means over samples; MSE sums over the outputs (one-hot targets).

    `train_mse` is against the labels that were fitted, noise included; the test labels are always the true ones.
    `penalty` is that of the ridge as a share of the largest squared singular value, 0 without one.
    """

    test_mse: float
    test_error: float
    train_mse: float
    norm: float
    penalty: float


@dataclass(frozen=True)
class Problem:
    """One seed's inputs (train, validation, test), labels and features.

    `targets` are one-hot train and validation labels, per kind of labels: `clean`, and `noise` with part of them
    redrawn. Validation labels are as noisy as the training labels: who holds samples out has no cleaner ones.
    """

    x_train: Matrix
    x_val: Matrix
    x_test: Matrix
    y_test: NDArray[np.int64]
    wanted: Matrix
    targets: Mapping[str, tuple[Matrix, Matrix]]
    features: RandomFeatures

    def first(self, n: int) -> Problem:
        """Return the same problem with the first `n` of its training samples."""
        fewer = {kind: (train[:n], held) for kind, (train, held) in self.targets.items()}
        return replace(self, x_train=self.x_train[:n], targets=fewer)

    def solve(
        self, width: int, labels: tuple[str, ...], chosen: tuple[str, ...], penalty: float
    ) -> dict[tuple[str, str], Fit]:
        """Fit `width` features: with the given penalty for `labels`, with one chosen on validation for `chosen`.

        Returns fits by (kind of labels, `plain` or `ridge`); all share one decomposition.
        """
        phi = self.features(self.x_train, width)
        parts = Decomposition.of(phi)
        scale = float(parts.s[0]) ** 2
        asked = [(kind, "plain", penalty) for kind in labels]
        if chosen:
            phi_val = self.features(self.x_val, width)
            for kind in chosen:
                train, val = self.targets[kind]
                asked.append((kind, "ridge", parts.best_penalty(train, phi_val, val)))
        solutions = [parts.solve(self.targets[kind][0], value) for kind, _, value in asked]
        together = np.concatenate(solutions, axis=1)
        fitted, predicted = phi @ together, self.features.predict(self.x_test, together)
        fits, k = {}, self.wanted.shape[1]
        for i, (kind, how, value) in enumerate(asked):
            own = slice(i * k, (i + 1) * k)
            fits[kind, how] = Fit(
                test_mse=mse(predicted[:, own], self.wanted),
                test_error=float(np.mean(predicted[:, own].argmax(axis=1) != self.y_test)),
                train_mse=mse(fitted[:, own], self.targets[kind][0]),
                norm=float(np.linalg.norm(solutions[i])),
                penalty=value / scale,
            )
        return fits


def draw_problem(
    arrays: Arrays,
    *,
    seed: int,
    n: int,
    validation: int,
    test: int,
    noise: float,
    kind: str,
    sigma: float,
    largest: int,
) -> Problem:
    """Draw split, labels and features of a seed, each once and from a generator of its own."""
    part = split(arrays, n, seed, n_val=validation, n_test=test)
    if kind == "relu":
        part = standardise(part)  # Fourier features take the raw inputs: sigma is in their units
    x_train, x_val, x_test = (flatten(x).astype(np.float64) for x in (part.x_train, part.x_val, part.x_test))
    k = part.classes
    noisy = corrupt_labels(part.y_train, noise, k, seed)
    noisy_val = corrupt_labels(part.y_val, noise, k, seed, "validation labels")
    return Problem(
        x_train,
        x_val,
        x_test,
        part.y_test,
        one_hot(part.y_test, k),
        {
            "clean": (one_hot(part.y_train, k), one_hot(part.y_val, k)),
            "noise": (one_hot(noisy, k), one_hot(noisy_val, k)),
        },
        RandomFeatures.draw(kind, x_train.shape[1], largest, sigma, seed),
    )


def landmarks(
    threshold: int, places: Sequence[int], fits: Sequence[Fit], over_samples: bool = False
) -> dict[str, float]:
    """Return what double descent is judged by, from the fits of one member over ascending places.

    Places are numbers of features, or of samples; where the two are equal, at the `threshold`, they just fit (it is one
    of the places). Offsets are shares of it. `first_minimum` is the smallest test MSE below it; `peak_ratio`,
    `threshold_ratio` and `second_descent` are the largest test MSE, that at the threshold and that at the last place
    over it; `fall` is the last over the largest; `error_gain` is how far test error at the last place lies below its
    smallest below the threshold. `train_mse_above` is the largest training MSE where everything can be fitted: from the
    threshold on; over samples, up to it, as `train_mse_below`.
    """
    by_place = dict(zip(places, fits, strict=True))
    below, last = [place for place in places if place < threshold], by_place[places[-1]]
    peak = max(places, key=lambda place: by_place[place].test_mse)
    norm_peak = max(places, key=lambda place: by_place[place].norm)
    height, first = by_place[peak].test_mse, min(by_place[place].test_mse for place in below)
    fitted = (*below, threshold) if over_samples else [place for place in places if place >= threshold]
    return {
        "peak_mse": height,
        "peak_width": float(peak),
        "peak_offset": abs(peak - threshold) / threshold,
        "first_minimum": first,
        "peak_ratio": height / first,
        "threshold_ratio": by_place[threshold].test_mse / first,
        "final_mse": last.test_mse,
        "fall": last.test_mse / height,
        "second_descent": last.test_mse / first,
        "norm_offset": abs(norm_peak - peak) / threshold,
        "train_mse_below" if over_samples else "train_mse_above": max(by_place[place].train_mse for place in fitted),
        "error_gain": min(by_place[place].test_error for place in below) - last.test_error,
        "span": min(places[-1] / threshold, threshold / places[0]),
    }
