"""Samples with equally many of every class, for statistics of class means: what is left over is dropped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from genlab_tui.data import Arrays
from genlab_tui.data import arrays as prepare
from genlab_tui.data.seeding import generator
from genlab_tui.training.members import Samples


def per_class(arrays: Arrays, n: int) -> int:
    """Return how many samples of each class `n` samples at most have (0: all): the scarcest class bounds them all.

    The same for every seed: where training and test set are a seed's own draw, each class has the share of the
    training set in it.
    """
    counts = np.bincount(arrays.y_train, minlength=arrays.classes)
    if arrays.pooled:
        counts = counts + np.bincount(arrays.y_test, minlength=arrays.classes)
        counts = counts * len(arrays.y_train) // (len(arrays.y_train) + len(arrays.y_test))
    most = int(counts.min())
    return min(n // arrays.classes, most) if n else most


def balanced(
    arrays: Arrays, seeds: Sequence[int], *, each: int, n_test: int, device: str, centred: bool = True
) -> Samples:
    """Return one input set and one label set a seed: `each` training samples of every class, in a drawn order.

    The test set is the official one, or, where there is none, drawn from what training leaves (`n_test` at most; 0:
    all that an official one would have). Inputs are divided by one spread, and lose one mean or, `centred`, each value
    its own: those of the whole training set, the same for every seed.
    """
    mean = arrays.x_train.mean(axis=0 if centred else None, dtype=np.float64)
    spread = float(np.sqrt(np.square(arrays.x_train - mean).mean()))
    x, y, fixed = arrays.x_train, arrays.y_train, len(arrays.y_test)
    if arrays.pooled:
        x, y = np.concatenate((x, arrays.x_test)), np.concatenate((y, arrays.y_test))
    rows: list[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]] = []
    for seed in seeds:
        order = generator(seed, "balanced").permutation(len(y))
        place = np.zeros(len(y), dtype=np.int64)  # how many of its class come before a sample in this order
        for label in range(arrays.classes):
            own = y[order] == label
            place[own] = np.arange(int(own.sum()))
        train, rest = order[place < each], order[place >= each]
        if arrays.pooled:
            test = rest[: min(n_test or fixed, fixed)]
            rows.append((x[train], y[train], x[test], y[test]))
        else:
            test = np.sort(generator(seed, "test").permutation(fixed)[: min(n_test or fixed, fixed)])
            rows.append((x[train], y[train], arrays.x_test[test], arrays.y_test[test]))

    def inputs(parts: Sequence[NDArray[np.float32]]) -> torch.Tensor:
        flat = [prepare.flatten(((part - mean) / spread).astype(np.float32)) for part in parts]
        return torch.from_numpy(np.stack(flat)).to(device)

    def labels(parts: Sequence[NDArray[np.int64]]) -> torch.Tensor:
        return torch.from_numpy(np.stack(parts)).to(device)

    return Samples(
        inputs([row[0] for row in rows]),
        labels([row[1] for row in rows]),
        inputs([row[2] for row in rows]),
        labels([row[3] for row in rows]),
        arrays.classes,
        arrays.shape,
    )
