"""The model of Lewkowycz et al. 2020: f = v.u x / sqrt(n) on the one sample x = 1, y = 0, loss f^2 / 2.

Its neural tangent kernel is the number lambda = (|u|^2 + |v|^2) / n. Gradient descent on u and v is exactly
    f <- f (1 - eta lambda + eta^2 f^2 / n),    lambda <- lambda + (eta f^2 / n) (eta lambda - 4),
and its linearisation at the start keeps lambda. Members side by side in numpy, float64; here the numbers u and v
themselves descend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlab_tui.data.seeding import generator
from genlab_tui.training.loss_track import LossTrack

Array = NDArray[np.float64]

LIMIT = 100.0
"""Loss over n above which a member has diverged: a catapult peaks at less than n."""


@dataclass(frozen=True)
class Model:
    """Members as drawn: u and v [M, n]."""

    u: Array
    v: Array

    @property
    def width(self) -> int:
        """How many hidden units."""
        return int(self.u.shape[1])

    @property
    def output(self) -> Array:
        """The outputs f [M]."""
        found: Array = np.einsum("mn,mn->m", self.u, self.v) / np.sqrt(self.width)
        return found

    @property
    def curvature(self) -> Array:
        """The kernels lambda [M]."""
        squares = np.einsum("mn,mn->m", self.u, self.u) + np.einsum("mn,mn->m", self.v, self.v)
        found: Array = squares / self.width
        return found


@dataclass(frozen=True)
class Descent:
    """How members descended: their losses, and their curvature at both ends (of one that diverged, where it did)."""

    track: LossTrack
    first: Array
    last: Array


POLL = 100
"""Steps of the model between two polls."""
Poll = Callable[[], None]
Look = Callable[[int, Array, Array], None]
"""Takes the step, losses and curvatures."""


def draw(width: int, seed: int, number: int = 0) -> tuple[Array, Array]:
    """Draw u and v [n] of a seed, standard normal; `number` tells its draws apart."""
    u, v = generator(seed, f"catapult {width} {number}").standard_normal((2, width))
    return u, v


def stack(width: int, seeds: list[int], repeats: int = 1, draws: int = 1) -> Model:
    """Return members: of every seed its draws, each `repeats` times."""
    pairs = [draw(width, seed, number) for seed in seeds for number in range(draws)]
    u, v = (np.repeat(np.stack(part), repeats, axis=0) for part in zip(*pairs, strict=True))
    return Model(u, v)


def descend(model: Model, rates: Array, steps: int, look: Look | None = None, poll: Poll | None = None) -> Descent:
    """Take `steps` steps of gradient descent at the rates [M]; members stop where they settle or diverge."""
    u, v = model.u.copy(), model.v.copy()
    width, root = model.width, np.sqrt(model.width)
    first = last = model.curvature
    f = model.output
    track = LossTrack(f**2 / 2, LIMIT * width)
    if look:
        look(0, track.last, last)
    rest = np.empty_like(u)
    for step in range(1, steps + 1):
        going = track.going
        if not look and not going.any():
            break
        if poll and step % POLL == 0:
            poll()
        pull = np.where(going, rates * f / root, 0.0)[:, None]
        np.multiply(pull, v, out=rest)
        v -= pull * u
        u -= rest
        now = Model(u, v)
        f = now.output
        track.see(f**2 / 2)
        if look:
            last = now.curvature
            look(step, track.last, last)
    return Descent(track, first, Model(u, v).curvature)


def descend_linearised(model: Model, rates: Array, steps: int, poll: Poll | None = None) -> Descent:
    """Descend on the first-order Taylor expansion of f in u and v at the start: the kernel stays what it is."""
    first = model.curvature
    f = model.output
    track = LossTrack(f**2 / 2, LIMIT * model.width)
    for step in range(1, steps + 1):
        if poll and step % POLL == 0:
            poll()
        f = np.where(track.going, f * (1 - rates * first), f)
        track.see(f**2 / 2)
    return Descent(track, first, first)


def chunks(members: int, width: int, numbers: int = 400_000) -> Iterator[slice]:
    """Yield slices of members whose numbers fit a core's cache."""
    size = max(numbers // width, 1)
    for start in range(0, members, size):
        yield slice(start, min(start + size, members))
