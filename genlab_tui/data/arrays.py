"""Splits and preprocessing: pure functions on arrays, every draw seeded by its purpose and made once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from genlab_tui.data.seeding import generator
from genlab_tui.data.sets import Arrays
from genlab_tui.errors import BadValue

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Arrays of one seed: train, validation (from the training pool, never from the test set) and test."""

    x_train: Floats
    y_train: Labels
    x_val: Floats
    y_val: Labels
    x_test: Floats
    y_test: Labels
    classes: int
    shape: tuple[int, ...]


def split(arrays: Arrays, n_train: int, seed: int, *, n_val: int = 0, n_test: int = 0) -> Split:
    """Draw a split: `n_train` and `n_val` samples without overlap, and `n_test` test samples (0: all there are).

    With an official test set, train and validation come from the official training set and test from the official
    test set. A pooled data set (digits, mnist5k) is shuffled whole by the seed first; its test part keeps its size,
    so no sample is ever on both sides. `n_train = 0` takes all that validation leaves. Raises BadValue.
    """
    x_pool, y_pool, x_test, y_test = arrays.x_train, arrays.y_train, arrays.x_test, arrays.y_test
    if arrays.pooled:
        x_all, y_all = np.concatenate((x_pool, x_test)), np.concatenate((y_pool, y_test))
        order = generator(seed, "pool").permutation(len(y_all))
        train_part, test_part = order[: len(y_pool)], order[len(y_pool) :]
        x_pool, y_pool, x_test, y_test = x_all[train_part], y_all[train_part], x_all[test_part], y_all[test_part]
    n_train = n_train or len(y_pool) - n_val
    if n_train < 1 or n_val < 0 or n_train + n_val > len(y_pool):
        raise BadValue(
            f"{n_train} training and {n_val} validation samples are asked for, the data set has {len(y_pool)}",
            f"at most {max(len(y_pool) - n_val, 0)} training samples fit",
        )
    drawn = generator(seed, "split").permutation(len(y_pool))
    train, val = drawn[:n_train], drawn[n_train : n_train + n_val]
    if 0 < n_test < len(y_test):
        kept = np.sort(generator(seed, "test").permutation(len(y_test))[:n_test])
        x_test, y_test = x_test[kept], y_test[kept]
    return Split(x_pool[train], y_pool[train], x_pool[val], y_pool[val], x_test, y_test, arrays.classes, arrays.shape)


def standardise(part: Split) -> Split:
    """Centre every input value by its mean over the training samples and divide all by one number, their spread.

    Statistics come from the training part alone; one common divisor keeps constant pixels constant.
    """
    mean = part.x_train.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = float(np.sqrt(np.mean(np.square(part.x_train - mean), dtype=np.float64))) or 1.0
    scale = np.float32(1.0 / spread)
    return replace(
        part,
        x_train=(part.x_train - mean) * scale,
        x_val=(part.x_val - mean) * scale,
        x_test=(part.x_test - mean) * scale,
    )


def whiten_images(x: Floats) -> Floats:
    """Whiten each input by itself: (x - mean) / max(sd, 1 / sqrt(size)), as Zhang et al. 2017 preprocess CIFAR-10."""
    flat = x.reshape(len(x), -1)
    mean = flat.mean(axis=1, keepdims=True)
    sd = np.maximum(flat.std(axis=1, keepdims=True), np.float32(1.0 / np.sqrt(flat.shape[1])))
    whitened: Floats = ((flat - mean) / sd).astype(np.float32).reshape(x.shape)
    return whitened


def centre_crop(x: Floats, side: int) -> Floats:
    """Return the middle `side` x `side` pixels of images [n, C, H, W]; raises BadValue where they are smaller."""
    height, width = x.shape[-2:]
    if x.ndim != 4 or not 0 < side <= min(height, width):
        raise BadValue(f"a crop of {side} pixels does not fit inputs of shape {x.shape[1:]}", f"at most {width}")
    top, left = (height - side) // 2, (width - side) // 2
    return x[:, :, top : top + side, left : left + side]


def flatten(x: Floats) -> Floats:
    """Return inputs as rows, [n, d]."""
    return x.reshape(len(x), -1)


def one_hot(y: Labels, classes: int) -> NDArray[np.float64]:
    """Return labels as rows with a single one, [n, classes], float64."""
    rows = np.zeros((len(y), classes))
    rows[np.arange(len(y)), y] = 1.0
    return rows
