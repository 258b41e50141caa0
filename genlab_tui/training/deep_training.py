"""Narrow ReLU networks of several hidden layers on the unit interval, trained by Adam on all samples at once.

numpy, float64, one network after another: they are a few hundred numbers each. Initial weights as torch draws them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from genlab_tui.data.seeding import generator
from genlab_tui.training.flat_adam import FlatAdam
from genlab_tui.training.line_networks import Array


class Deep(FlatAdam):
    """A network with hidden layers of the given widths, and the state of its training."""

    def __init__(self, hidden: Sequence[int], seed: int, lr: float) -> None:
        sizes = (1, *hidden, 1)
        self.shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
        random = generator(seed, f"deep network {' '.join(map(str, hidden))}")
        parts = [random.uniform(-1.0, 1.0, after * (before + 1)) / math.sqrt(before) for after, before in self.shapes]
        super().__init__(np.concatenate(parts), lr)
        self.loss = math.nan

    def layers(self, row: Array) -> list[tuple[Array, Array]]:
        """Return matrix [after, before] and bias [after, 1] of every layer, as views of a row of numbers."""
        found, at = [], 0
        for after, before in self.shapes:
            matrix = row[at : at + after * before].reshape(after, before)
            at += after * before
            found.append((matrix, row[at : at + after].reshape(after, 1)))
            at += after
        return found

    def __call__(self, x: Array) -> Array:
        """Return the outputs at inputs [n]."""
        outputs: Array = self._forward(x)[-1][0]
        return outputs

    def _forward(self, x: Array) -> list[Array]:
        """Return the inputs of every layer, [before, n], and the output of the last."""
        passed: list[Array] = [x[None, :]]
        layers = self.layers(self.numbers)
        for at, (matrix, bias) in enumerate(layers):
            out = matrix @ passed[-1] + bias
            passed.append(np.maximum(out, 0.0) if at < len(layers) - 1 else out)
        return passed

    def gradient(self, x: Array, y: Array) -> Array:
        """Return the gradient of the mean squared error, and keep that error in `loss`."""
        passed = self._forward(x)
        away = passed[-1] - y
        self.loss = float(np.mean(away**2))
        row = np.empty_like(self.numbers)
        delta = 2.0 / len(x) * away
        for at, (own, (matrix, _)) in reversed(
            list(enumerate(zip(self.layers(row), self.layers(self.numbers), strict=True)))
        ):
            own[0][:] = delta @ passed[at].T
            own[1][:] = delta.sum(axis=1, keepdims=True)
            if at:
                delta = (matrix.T @ delta) * (passed[at] > 0)
        return row

    def step(self, x: Array, y: Array) -> None:
        """Take one step of Adam."""
        self.descend(self.gradient(x, y))
