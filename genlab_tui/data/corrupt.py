"""Corrupted labels and inputs (Zhang et al. 2017, section 2.1): pure functions of the arrays, a seed and a purpose.

Test labels are never corrupted: nothing here touches them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlab_tui.data.seeding import generator
from genlab_tui.errors import BadValue

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


def corrupt_labels(y: Labels, probability: float, classes: int, seed: int, purpose: str = "labels") -> Labels:
    """Replace each label with this probability by a uniform random class, which may be the true one.

    So a share of probability * (1 - 1 / classes) really changes. The draw is shared over probabilities: at one seed,
    what is corrupted at 0.2 is corrupted in the same way at 0.4.
    """
    random = generator(seed, purpose)
    chosen = random.random(len(y)) < _probability(probability)
    drawn = random.integers(0, classes, len(y))
    return np.where(chosen, drawn, y).astype(np.int64)


def wrong_labels(y: Labels, probability: float, classes: int, seed: int, purpose: str = "wrong labels") -> Labels:
    """Replace each label with this probability by a uniform random class among the wrong ones."""
    if classes < 2:
        raise BadValue("with one class no label can be wrong")
    random = generator(seed, purpose)
    chosen = random.random(len(y)) < _probability(probability)
    moved = (y + random.integers(1, classes, len(y))) % classes
    return np.where(chosen, moved, y).astype(np.int64)


def pixel_permutation(shape: tuple[int, ...], seed: int, purpose: str = "pixels") -> NDArray[np.int64]:
    """Draw one permutation of the pixels of an input of this shape; the channels of a pixel stay together."""
    return generator(seed, purpose).permutation(_pixels(shape))


def shuffle_pixels(x: Floats, permutation: NDArray[np.int64]) -> Floats:
    """Apply one pixel permutation to every input: pass the same one for training and test inputs."""
    flat = _by_pixel(x)
    return flat[:, :, permutation].reshape(x.shape)


def random_pixels(x: Floats, seed: int, purpose: str) -> Floats:
    """Apply a permutation of its own to every input. `purpose` tells parts apart (`train pixels`, `test pixels`)."""
    flat = _by_pixel(x)
    order = generator(seed, purpose).random((len(x), 1, flat.shape[2])).argsort(axis=2)
    moved: Floats = np.take_along_axis(flat, np.broadcast_to(order, flat.shape), axis=2).reshape(x.shape)
    return moved


def gaussian_inputs(x: Floats, reference: Floats, seed: int, purpose: str) -> Floats:
    """Return Gaussian noise of the shape of `x`, with mean and variance of `reference` (the training inputs).

    Matched per channel, over all samples and pixels.
    """
    flat = _by_pixel(reference)
    mean = flat.mean(axis=(0, 2), dtype=np.float64)[:, None]
    sd = flat.std(axis=(0, 2), dtype=np.float64)[:, None]
    noise = generator(seed, purpose).standard_normal(_by_pixel(x).shape, dtype=np.float32)
    matched: Floats = (noise * sd + mean).astype(np.float32).reshape(x.shape)
    return matched


def _by_pixel(x: Floats) -> Floats:
    """Return inputs as [n, channels, pixels]."""
    return x.reshape(len(x), x.shape[1] if x.ndim == 4 else 1, -1)


def _pixels(shape: tuple[int, ...]) -> int:
    return shape[-1] * shape[-2] if len(shape) == 3 else shape[0]


def _probability(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise BadValue(f"{value:g} is no probability", "nearest valid value: " + ("0" if value < 0 else "1"))
    return value
