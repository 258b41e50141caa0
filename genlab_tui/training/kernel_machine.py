"""Kernel machines in closed form, in float64: labels interpolated exactly, or with a ridge (Zhang et al. 2017, 5).

The kernel is scikit-learn's, the solution a Cholesky factor on the CPU or on a GPU. No jitter is ever added to the
diagonal: a kernel matrix that float64 cannot factorise has no numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from genlab_tui.data import Arrays
from genlab_tui.data.arrays import flatten, one_hot, split
from genlab_tui.data.corrupt import corrupt_labels
from genlab_tui.data.seeding import generator
from genlab_tui.training.least_squares import Matrix
from genlab_tui.training.one_thread import one_thread

Labels = NDArray[np.int64]

PIXELS = 64.0
"""Inputs of d values, standardised by one mean and one spread, are scaled by sqrt(64 / d).

Distances then are those of 64 standardised pixels on all data, so that a bandwidth means about the same.
"""
SMALL = 4000  # training samples up to which one thread is as good as several
BLOCK = 2048  # test samples in memory at once
ITERATIONS = 12  # of the power methods behind a condition number


@dataclass(frozen=True)
class Machine:
    """What is measured of one solution. NaN where there is none; `condition` is then infinite.

    `norm` is that of the function in the kernel's space, over all outputs: sqrt(trace(A' K A)). `residual` is
    |K A - Y| / |Y| on the labels that were fitted. `condition` is an estimate, of kernel plus penalty.
    """

    norm: float
    residual: float
    train_accuracy: float
    test_accuracy: float
    condition: float


NOTHING = Machine(math.nan, math.nan, math.nan, math.nan, math.inf)


@dataclass(frozen=True)
class Problem:
    """One seed's inputs as rows, its test labels and its training labels of every kind.

    `contradicted` are the kinds of labels with two identical inputs of different labels: nothing fits those.
    `dropped` counts inputs that were there before with the same label: they would make the kernel singular.
    """

    x: Matrix
    x_test: Matrix
    y_test: Labels
    labels: Mapping[str, Labels]
    classes: int
    contradicted: frozenset[str] = frozenset()
    dropped: int = 0


def draw_problem(arrays: Arrays, seed: int, *, n: int, test: int, noise: float, contradictions: int = 0) -> Problem:
    """Draw split and labels of a seed: `true`, two draws of `random` (and `again`), and `noisy`.

    The first `contradictions` inputs replace as many of the last, with another label.
    """
    part = split(arrays, n, seed, n_test=test)
    x, x_test = (flatten(inputs).astype(np.float64) for inputs in (part.x_train, part.x_test))
    mean, scale = x.mean(), math.sqrt(PIXELS / x.shape[1]) / (float(x.std()) or 1.0)
    x, x_test, y = (x - mean) * scale, (x_test - mean) * scale, part.y_train.copy()
    if contradictions:
        x[-contradictions:] = x[:contradictions]
        moved = generator(seed, "contradictions").integers(1, part.classes, contradictions)
        y[-contradictions:] = (y[:contradictions] + moved) % part.classes
    kept = _first_of_its_kind(x, y)
    x, y = x[kept], y[kept]
    labels = {
        "true": y,
        "random": corrupt_labels(y, 1.0, part.classes, seed),
        "again": corrupt_labels(y, 1.0, part.classes, seed, "labels again"),
        "noisy": corrupt_labels(y, noise, part.classes, seed, "noisy labels"),
    }
    groups = _groups(x)
    contradicted = frozenset(
        kind for kind, own in labels.items() if any(len(set(own[rows].tolist())) > 1 for rows in groups)
    )
    return Problem(x, x_test, part.y_test, labels, part.classes, contradicted, len(part.y_train) - len(kept))


def _first_of_its_kind(x: Matrix, y: Labels) -> list[int]:
    """Return the rows without those that an earlier one equals in input and label."""
    seen: set[tuple[bytes, int]] = set()
    kept = []
    for row, (inputs, label) in enumerate(zip(x, y.tolist(), strict=True)):
        key = (inputs.tobytes(), label)
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def _groups(x: Matrix) -> list[list[int]]:
    """Return the rows of every input that is there more than once."""
    found: dict[bytes, list[int]] = {}
    for row, inputs in enumerate(x):
        found.setdefault(inputs.tobytes(), []).append(row)
    return [rows for rows in found.values() if len(rows) > 1]


def kernel(x: Matrix, centres: Matrix, sigma: float) -> Matrix:
    """Return exp(-|x - c|^2 / (2 sigma^2)) of all pairs, [len(x), len(centres)]."""
    from sklearn.metrics.pairwise import rbf_kernel

    values: Matrix = rbf_kernel(x, centres, gamma=1.0 / (2.0 * sigma**2))
    return values


def solve(
    problem: Problem, sigma: float, kinds: Sequence[str], penalty: float = 0.0, *, device: str = "cpu"
) -> dict[str, Machine]:
    """Fit labels of some kinds on one kernel, with a ridge penalty on its diagonal; one factor serves them all.

    `NOTHING` for a kind that contradicts itself, where no penalty softens that, and for all of them where the matrix is
    not positive definite in float64.
    """
    with one_thread(len(problem.x) <= SMALL):
        return _solve(problem, sigma, kinds, penalty, device)


def _solve(problem: Problem, sigma: float, kinds: Sequence[str], penalty: float, device: str) -> dict[str, Machine]:
    gram = torch.from_numpy(kernel(problem.x, problem.x, sigma)).to(device)
    gram.diagonal().add_(penalty)  # in place: at 60,000 samples a copy would be 29 GB
    factor, failed = torch.linalg.cholesky_ex(gram)
    if failed.item():
        return dict.fromkeys(kinds, NOTHING)
    wanted = np.concatenate([one_hot(problem.labels[kind], problem.classes) for kind in kinds], axis=1)
    targets = torch.from_numpy(wanted).to(device)
    solution = _solved(factor, targets)
    condition = _condition(gram, factor)
    del factor
    fitted = gram @ solution - penalty * solution
    del gram
    right = _right(problem, sigma, solution)
    found = {}
    for i, kind in enumerate(kinds):
        own = slice(i * problem.classes, (i + 1) * problem.classes)
        square = torch.sum(solution[:, own] * fitted[:, own]).item()
        off = torch.linalg.norm(fitted[:, own] - targets[:, own]) / torch.linalg.norm(targets[:, own])
        machine = Machine(
            norm=math.sqrt(square) if square >= 0.0 else math.nan,
            residual=off.item(),
            train_accuracy=(fitted[:, own].argmax(1) == targets[:, own].argmax(1)).double().mean().item(),
            test_accuracy=right[i] / len(problem.x_test),
            condition=condition,
        )
        found[kind] = NOTHING if kind in problem.contradicted and not penalty else machine
    return found


def _solved(factor: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return what a Cholesky factor's matrix maps to the targets: cholesky_solve, which copies the factor, does not."""
    half = torch.linalg.solve_triangular(factor, targets, upper=False)
    whole: torch.Tensor = torch.linalg.solve_triangular(factor.mT, half, upper=True)
    return whole


def _right(problem: Problem, sigma: float, solution: torch.Tensor) -> list[int]:
    """Return how many test samples each kind of labels gets right, block by block so that memory stays bounded."""
    counts = [0] * (solution.shape[1] // problem.classes)
    for start in range(0, len(problem.x_test), BLOCK):
        rows = slice(start, start + BLOCK)
        values = torch.from_numpy(kernel(problem.x_test[rows], problem.x, sigma)).to(solution.device)
        outputs = (values @ solution).cpu().reshape(len(values), len(counts), problem.classes)
        hits = outputs.argmax(2) == torch.from_numpy(problem.y_test[rows])[:, None]
        counts = [count + int(more) for count, more in zip(counts, hits.sum(0), strict=True)]
    return counts


def _condition(matrix: torch.Tensor, factor: torch.Tensor) -> float:
    """Return largest over smallest eigenvalue, by the power method on the matrix and on its inverse.

    A lower bound, too small by some tens of per cent at most where eigenvalues crowd at the ends.
    """

    def largest(apply: Callable[[torch.Tensor], torch.Tensor]) -> float:
        vector = start
        size = 0.0
        for _ in range(ITERATIONS):
            vector = apply(vector)
            size = torch.linalg.norm(vector).item()
            vector = vector / size
        return size

    # The start must not be orthogonal to an eigenvector; the same on every device and for every seed.
    draw = np.random.default_rng(0).standard_normal((len(matrix), 1))
    start = torch.from_numpy(draw / np.linalg.norm(draw)).to(matrix.device)
    return largest(lambda v: matrix @ v) * largest(lambda v: _solved(factor, v))
