"""Networks of many widths, on all samples or on some: trained double descent, width as capacity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from genlab_tui.data import Arrays, corrupt
from genlab_tui.data import arrays as prepare
from genlab_tui.phenomenon import Arm
from genlab_tui.training.members import Member, Recipe, Samples


def widths(
    arrays: Arrays, arms: Sequence[Arm], seeds: Sequence[int], recipe: Recipe, *, n: int, n_test: int, device: str
) -> tuple[list[Member], Samples]:
    """Return one member per arm and seed: of the arm's factor `width`, its labels redrawn with its `noise`.

    The width is that of one hidden layer, or of the network that the recipe names. An arm's `n` says how many of the
    seed's samples it learns (the first ones; default: all), its `decay` is a weight decay of its own. All arms of a
    seed share its split, its order of samples and, at one level of noise, its labels. Inputs are standardised by the
    mean and the spread of the training pool.
    """
    mean, spread = float(arrays.x_train.mean()), float(arrays.x_train.std())
    parts = {seed: prepare.split(arrays, n, seed, n_test=n_test) for seed in seeds}
    levels = sorted({float(arm.factors["noise"]) for arm in arms})
    labels: list[np.ndarray] = []
    members: list[Member] = []
    for place, seed in enumerate(seeds):
        first = len(labels)
        labels += [corrupt.corrupt_labels(parts[seed].y_train, p, arrays.classes, seed) for p in levels]
        for arm in arms:
            which = first + levels.index(float(arm.factors["noise"]))
            size = int(arm.factors.get("n", 0))
            members.append(Member(arm.name, seed, inputs=place, labels=which, recipe=_recipe(recipe, arm), n=size))

    def inputs(rows: Sequence[np.ndarray]) -> torch.Tensor:
        flat = [prepare.flatten(((x - mean) / spread).astype(np.float32)) for x in rows]
        return torch.from_numpy(np.ascontiguousarray(np.stack(flat))).to(device)

    def tensor(rows: Sequence[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(np.stack(rows))).to(device)

    split = list(parts.values())
    samples = Samples(
        inputs([part.x_train for part in split]),
        tensor(labels),
        inputs([part.x_test for part in split]),
        tensor([part.y_test for part in split]),
        arrays.classes,
        arrays.shape,
        -mean / spread,
    )
    return members, samples


def _recipe(common: Recipe, arm: Arm) -> Recipe:
    width, decay = int(arm.factors["width"]), float(arm.factors.get("decay", 0.0))
    own = replace(common, network=f"{common.network}:{width}") if common.network else replace(common, hidden=(width,))
    return replace(own, regularisers={**common.regularisers, "weight-decay": decay}) if decay else own
