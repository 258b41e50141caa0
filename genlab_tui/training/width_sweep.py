"""Networks of many widths on the same data, one program: trained double descent, width as capacity."""

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
    """Return one member per arm and seed: one hidden layer of the arm's `width`, labels redrawn with its `noise`.

    All widths of a seed share its split, its order of samples and its labels. Inputs are standardised by the mean and
    the spread of the training pool.
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
            own = replace(recipe, hidden=(int(arm.factors["width"]),))
            which = first + levels.index(float(arm.factors["noise"]))
            members.append(Member(arm.name, seed, inputs=place, labels=which, recipe=own))

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
