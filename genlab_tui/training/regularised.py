"""Networks under regularisers: one draw of the data per seed, learnt with true, partly noisy or random labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from genlab_tui.data import Arrays, corrupt
from genlab_tui.data import arrays as prepare
from genlab_tui.phenomenon import Arm
from genlab_tui.training.members import Member, Recipe, Samples


def regularised(
    arrays: Arrays,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    recipes: Mapping[str, Recipe],
    *,
    n: int,
    n_test: int,
    crop: int = 0,
    whiten: bool = False,
    expected: Mapping[str, float] | None = None,
    device: str = "cpu",
) -> tuple[list[Member], Samples]:
    """Return one member per arm and seed, each with the recipe of its arm.

    All arms of a seed share its split, initial weights and order of samples. An arm's factor `corruption` is the chance
    that a label is redrawn, the draw being one for all chances; `share` is the part of the `n` samples that it learns.
    Where its factor `labels` is `fresh`, labels are drawn anew in every epoch, and it ends with the arm of random
    labels of its `row`; where it is `shuffled`, one permutation moves the pixels of all training and test inputs.
    Images are cropped to `crop` pixels and whitened one by one, else standardised by one mean and spread.
    """
    expected = expected or {}
    mean, spread = float(arrays.x_train.mean()), float(arrays.x_train.std())
    levels = sorted({float(arm.factors["corruption"]) for arm in arms})
    shuffles = any(arm.factors["labels"] == "shuffled" for arm in arms)
    inputs: list[np.ndarray] = []
    tests: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    test_labels: list[np.ndarray] = []
    members: list[Member] = []
    shape: tuple[int, ...] = arrays.shape
    for seed in seeds:
        part = prepare.split(arrays, n, seed, n_test=n_test)
        pair = [part.x_train, part.x_test]
        if crop:
            pair = [prepare.centre_crop(x, crop) for x in pair]
        shape = pair[0].shape[1:]
        pair = [prepare.whiten_images(x) if whiten else ((x - mean) / spread).astype(np.float32) for x in pair]
        versions = [pair]
        if shuffles:
            order = corrupt.pixel_permutation(shape, seed)
            versions.append([corrupt.shuffle_pixels(x, order) for x in pair])
        first_input, first_label, first_member = len(inputs), len(labels), len(members)
        for x, x_test in versions:
            inputs.append(prepare.flatten(x))
            tests.append(prepare.flatten(x_test))
            test_labels.append(part.y_test)
        labels += [corrupt.corrupt_labels(part.y_train, p, part.classes, seed) for p in levels]
        for arm in arms:
            kind, share = arm.factors["labels"], float(arm.factors["share"])
            members.append(
                Member(
                    arm.name,
                    seed,
                    inputs=first_input + (kind == "shuffled"),
                    labels=first_label + levels.index(float(arm.factors["corruption"])),
                    fresh=kind == "fresh",
                    follows=_partner(arm, arms, first_member),
                    expected_epochs=expected.get(arm.name, 0.0),
                    recipe=recipes[arm.name],
                    n=n - max(n // 10, 1) if share < 1 else 0,
                )
            )

    def tensor(rows: list[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(np.stack(rows))).to(device)

    fill = 0.0 if whiten else -mean / spread
    return members, Samples(
        tensor(inputs), tensor(labels), tensor(tests), tensor(test_labels), arrays.classes, shape, fill
    )


def _partner(arm: Arm, arms: Sequence[Arm], first: int) -> int | None:
    """Return the position of the member whose end ends one with fresh labels: that of its row with random labels."""
    if arm.factors["labels"] != "fresh":
        return None
    return next(
        (
            first + k
            for k, other in enumerate(arms)
            if other.factors["labels"] == "random" and other.factors["row"] == arm.factors["row"]
        ),
        None,
    )
