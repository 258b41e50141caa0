"""The inputs of the randomisation tests (Zhang et al. 2017, section 2): labels and images from true to pure noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from genlab_tui.data import Arrays, corrupt
from genlab_tui.data import arrays as prepare
from genlab_tui.phenomenon import Arm
from genlab_tui.training.members import Member, Samples


def randomised(
    arrays: Arrays,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    *,
    n: int,
    n_test: int,
    crop: int = 0,
    whiten: bool = False,
    fresh: str = "",
    expected: Mapping[str, float] | None = None,
    device: str = "cpu",
) -> tuple[list[Member], Samples]:
    """Draw splits, labels and inputs of some seeds; a seed has one split, whatever the arm.

    An arm's factor `corruption` is the chance that a label is redrawn; the arms `shuffled-pixels`, `random-pixels` and
    `gaussian` get inputs of that kind. `n` training and `n_test` test samples; images are cropped to `crop` pixels and
    whitened one by one, else standardised by one mean and spread. `fresh` names the arm whose labels are drawn anew in
    every epoch; it ends with the arm `random` of its seed. `expected` are guesses of epochs, for the progress bar.
    """
    expected = expected or {}
    mean, spread = float(arrays.x_train.mean()), float(arrays.x_train.std())
    inputs: list[np.ndarray] = []
    tests: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    test_labels: list[np.ndarray] = []
    members: list[Member] = []
    for seed in seeds:
        part = prepare.split(arrays, n, seed, n_test=n_test)
        x, x_test = part.x_train, part.x_test
        if crop:
            x, x_test = prepare.centre_crop(x, crop), prepare.centre_crop(x_test, crop)
        shape = x.shape[1:]
        if whiten:
            x, x_test = prepare.whiten_images(x), prepare.whiten_images(x_test)
        else:
            x, x_test = (x - mean) / spread, (x_test - mean) / spread
        versions = {"true": (x, x_test)}
        names = [arm.name for arm in arms]
        if "shuffled-pixels" in names:
            order = corrupt.pixel_permutation(shape, seed)
            versions["shuffled-pixels"] = (corrupt.shuffle_pixels(x, order), corrupt.shuffle_pixels(x_test, order))
        if "random-pixels" in names:
            versions["random-pixels"] = (
                corrupt.random_pixels(x, seed, "train pixels"),
                corrupt.random_pixels(x_test, seed, "test pixels"),
            )
        if "gaussian" in names:
            versions["gaussian"] = (
                corrupt.gaussian_inputs(x, x, seed, "train noise"),
                corrupt.gaussian_inputs(x_test, x, seed, "test noise"),
            )
        first = {version: len(inputs) + k for k, version in enumerate(versions)}
        for train_inputs, test_inputs in versions.values():
            inputs.append(prepare.flatten(train_inputs))
            tests.append(prepare.flatten(test_inputs))
            test_labels.append(part.y_test)
        partner = len(members) + names.index("random") if "random" in names else None
        for arm in arms:
            members.append(
                Member(
                    arm.name,
                    seed,
                    inputs=first.get(arm.name, first["true"]),
                    labels=len(labels),
                    fresh=arm.name == fresh,
                    follows=partner if arm.name == fresh else None,
                    expected_epochs=expected.get(arm.name, 0.0),
                )
            )
            probability = float(arm.factors["corruption"])
            labels.append(corrupt.corrupt_labels(part.y_train, probability, part.classes, seed))

    def tensor(rows: list[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(np.stack(rows))).to(device)

    fill = 0.0 if whiten else -mean / spread
    return members, Samples(
        tensor(inputs), tensor(labels), tensor(tests), tensor(test_labels), arrays.classes, shape, fill
    )
