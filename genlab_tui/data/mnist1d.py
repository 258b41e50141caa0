"""MNIST-1D: a generator after the construction of Greydanus 2020 (arXiv 2011.14439), with its published constants.

Ten templates of 12 values, padded, scaled, shifted, sheared and buried in noise, sampled at 40 points. It draws its
own random numbers, so the samples differ from the published file while their distribution is the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The height of a pen that draws each digit from one end to the other (Greydanus 2020, figure 2).
TEMPLATES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)
SAMPLES = 5000
TRAIN = 4000
LENGTH = 40
PADDING = (36, 60)
SCALE = 0.4
MAX_SHIFT = 48
CORRELATED_NOISE = 0.25
CORRELATION_WIDTH = 2.0
WHITE_NOISE = 0.02
SHEAR = 0.75
SEED = 42


def templates() -> NDArray[np.float64]:
    """Return the templates [10, 12]: unit variance, starting and ending at 0, divided by 6."""
    raw = np.asarray(TEMPLATES, dtype=np.float64)
    unit = (raw - raw.mean(axis=1, keepdims=True)) / raw.std(axis=1, keepdims=True)
    anchored: NDArray[np.float64] = (unit - unit[:, :1]) / 6.0
    return anchored


def generate(samples: int = SAMPLES, seed: int = SEED) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return inputs [samples, 40] with mean 0 and variance 1 over the whole set, and labels, classes in equal parts."""
    from scipy.ndimage import gaussian_filter1d

    random = np.random.default_rng(seed)
    y = random.permutation(np.arange(samples) % len(TEMPLATES))
    points = len(TEMPLATES[0]) + PADDING[1]
    signal, inside = _stretched(templates()[y], random.integers(PADDING[0], PADDING[1] + 1, samples), points)
    signal *= 1.0 + SCALE * (random.random((samples, 1)) - 0.5)

    # The signal moves to the right in a circle.
    source = (np.arange(points) - random.integers(0, MAX_SHIFT, (samples, 1))) % points
    signal, inside = np.take_along_axis(signal, source, 1), np.take_along_axis(inside, source, 1)

    smooth = gaussian_filter1d(CORRELATED_NOISE * random.standard_normal(signal.shape), CORRELATION_WIDTH, axis=1)
    signal = np.where(inside, signal, smooth) + WHITE_NOISE * random.standard_normal(signal.shape)
    signal -= SHEAR * (random.random((samples, 1)) - 0.5) * np.linspace(-0.5, 0.5, points)
    x = _sampled(signal, np.broadcast_to(np.linspace(0, points - 1, LENGTH), (samples, LENGTH)))
    return ((x - x.mean()) / x.std()).astype(np.float32), y.astype(np.int64)


def _stretched(
    rows: NDArray[np.float64], padding: NDArray[np.int64], points: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Pad each row with its number of zeros and stretch it to `points`; also say where the template itself lies."""
    width = rows.shape[1]
    padded = np.concatenate((rows, np.zeros((len(rows), PADDING[1]))), axis=1)
    position = np.linspace(0.0, 1.0, points) * (width + padding[:, None] - 1)
    return _sampled(padded, position), position < width


def _sampled(rows: NDArray[np.float64], position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate each row linearly at its positions (0 is the first value)."""
    left = np.minimum(position.astype(np.int64), rows.shape[1] - 2)
    share = position - left
    low, high = np.take_along_axis(rows, left, 1), np.take_along_axis(rows, left + 1, 1)
    values: NDArray[np.float64] = low * (1.0 - share) + high * share
    return values
