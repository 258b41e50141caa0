"""Trained networks with one layer replaced: by an earlier state, by another start, by fresh draws; scored untrained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genlab_tui.data import Arrays
from genlab_tui.data import arrays as prepare
from genlab_tui.training import seeds as streams
from genlab_tui.training.assess import Point, assess
from genlab_tui.training.layers import Layer, initial, layers, movement, swaps
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.training.state import State

RAND, OTHER = "rand", "other"
"""Sources of a layer beside epochs: the mean over fresh draws, and the start of one other network."""

FRESH_DRAW = "layer drawn anew"
OTHER_START = "start of another network"


def per_seed(arrays: Arrays, seeds: Sequence[int], *, n: int, n_test: int, device: str) -> Samples:
    """Return one input set and one label set a seed, in their order: its own split, standardised alike."""
    mean, spread = float(arrays.x_train.mean()), float(arrays.x_train.std())
    parts = [prepare.split(arrays, n, seed, n_test=n_test) for seed in seeds]

    def inputs(rows: Sequence[np.ndarray]) -> Tensor:
        flat = [prepare.flatten(((x - mean) / spread).astype(np.float32)) for x in rows]
        return torch.from_numpy(np.stack(flat)).to(device)

    def labels(rows: Sequence[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(rows)).to(device)

    return Samples(
        inputs([part.x_train for part in parts]),
        labels([part.y_train for part in parts]),
        inputs([part.x_test for part in parts]),
        labels([part.y_test for part in parts]),
        arrays.classes,
        arrays.shape,
        -mean / spread,
    )


def anew(recipe: Recipe, seed: int, samples: Samples, draw: int) -> Tensor:
    """Return the numbers of a network drawn by the initialiser of training, one of a seed's fresh draws."""
    return initial(recipe, streams.stream(seed, FRESH_DRAW, draw), samples).parameters.flat


def sources(
    recipe: Recipe, seed: int, samples: Samples, draws: int, epochs: Mapping[int, Tensor]
) -> dict[str, list[Tensor]]:
    """Return what a layer is replaced by: `rand`, `other`, `0` (its own start) and the epochs, as flat numbers."""
    other = initial(recipe, streams.stream(seed, OTHER_START), samples)
    return {
        RAND: [anew(recipe, seed, samples, draw) for draw in range(draws)],
        OTHER: [other.parameters.flat],
        "0": [initial(recipe, seed, samples).parameters.flat],
        **{str(epoch): [flat] for epoch, flat in sorted(epochs.items())},
    }


@dataclass(frozen=True)
class Swapped:
    """What the layers of one seed's network measured, in their order.

    `accuracy[layer, source]` is test accuracy with that layer replaced (of several draws the mean), `whole` that of
    the network as it is; `moved[layer]` how far a layer moved: relative 2-norm, largest change of a number.
    """

    names: tuple[str, ...]
    whole: float
    accuracy: Mapping[tuple[str, str], float]
    moved: Mapping[str, tuple[float, float]]


def swapped(
    state: State,
    finals: Mapping[int, int],
    epochs: Mapping[int, Mapping[int, int]],
    draws: int,
    poll: Callable[[], None],
) -> dict[int, Swapped]:
    """Return what replacing layers does, by seed.

    `finals[seed]` is the position of a seed's trained member, `epochs[seed][epoch]` that of the member which ended
    there. A member that diverged has NaN everywhere.
    """
    recipe, samples = state.recipe, state.samples
    places: tuple[Layer, ...] = ()
    keys: list[tuple[int, str, str]] = []
    moved: dict[int, dict[str, tuple[float, float]]] = {}

    def points() -> Iterator[Point]:
        nonlocal places
        for seed, i in finals.items():
            member = state.members[i]
            flat, statistics = (tensor.to(samples.inputs.device) for tensor in state.weights[i])
            whole = Point(flat, statistics, member.inputs, member.labels)
            places = places or layers(initial(recipe, seed, samples))
            replacements = sources(
                recipe, seed, samples, draws, {epoch: state.weights[k][0] for epoch, k in epochs[seed].items()}
            )
            (start,) = replacements["0"]
            moved[seed] = {layer.name: movement(layer, start, flat) for layer in places}
            keys.append((seed, "", ""))
            yield whole
            for (layer, source), point in swaps(whole, places, replacements):
                keys.append((seed, layer, source))
                yield point

    scores = [found["test_accuracy"] for found in assess(points(), recipe, samples, on=("test",), poll=poll)]
    collected: dict[int, dict[tuple[str, str], list[float]]] = {seed: {} for seed in finals}
    for (seed, layer, source), accuracy in zip(keys, scores, strict=True):
        alive = state.outcomes[finals[seed]].end != "diverged"
        collected[seed].setdefault((layer, source), []).append(accuracy if alive else math.nan)
    found = {}
    for seed, values in collected.items():
        means = {key: math.fsum(each) / len(each) for key, each in values.items()}
        whole_accuracy = means.pop(("", ""))
        found[seed] = Swapped(tuple(moved[seed]), whole_accuracy, means, moved[seed])
    return found
