"""Splits, standardising and corruption: drawn once, each from its own stream, and never on the test side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlab_tui import data
from genlab_tui.data.arrays import centre_crop, flatten, one_hot, split, standardise, whiten_images
from genlab_tui.data.corrupt import (
    corrupt_labels,
    gaussian_inputs,
    pixel_permutation,
    random_pixels,
    shuffle_pixels,
    wrong_labels,
)
from genlab_tui.data.seeding import derived_seed, generator
from genlab_tui.errors import BadValue

PURPOSES = ("split", "labels", "features", "pixels", "pool")


def _arrays(pooled: bool, train: int = 80, test: int = 40) -> data.Arrays:
    """Every input carries its own number, so that a sample can be followed."""
    x = np.arange(train + test, dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)
    y = (np.arange(train + test) % 10).astype(np.int64)
    return data.Arrays(x[:train], y[:train], x[train:], y[train:], 10, (3,), pooled)


@pytest.mark.parametrize("pooled", [True, False])
@given(seed=st.integers(0, 2**31 - 1), n=st.integers(1, 60), n_val=st.integers(0, 20), n_test=st.integers(0, 50))
def test_no_sample_is_on_two_sides(pooled: bool, seed: int, n: int, n_val: int, n_test: int) -> None:
    part = split(_arrays(pooled), n, seed, n_val=n_val, n_test=n_test)
    sides = [x[:, 0].astype(int) for x in (part.x_train, part.x_val, part.x_test)]
    everything = np.concatenate(sides)
    assert len(set(everything.tolist())) == len(everything)
    assert [len(side) for side in sides] == [n, n_val, n_test if 0 < n_test < 40 else 40]
    for ids, labels in zip(sides, (part.y_train, part.y_val, part.y_test), strict=True):
        assert (labels == ids % 10).all(), "labels follow their samples"
    if not pooled:
        assert sides[2].min() >= 80, "the official test set stays the test set"


def test_a_seed_always_gives_the_same_split_and_another_seed_another() -> None:
    arrays = _arrays(pooled=True)
    first, again, other = (split(arrays, 50, seed).x_train for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_larger_training_set_contains_the_smaller() -> None:
    arrays = _arrays(pooled=True)
    assert np.array_equal(split(arrays, 20, 5).x_train, split(arrays, 60, 5).x_train[:20])


def test_digits_are_drawn_anew_for_every_seed_with_the_same_sizes(tmp_path: Path) -> None:
    arrays = data.load("digits", tmp_path)
    parts = [split(arrays, 0, seed) for seed in (0, 1)]
    assert [len(p.y_train) for p in parts] == [1200, 1200]
    assert [len(p.y_test) for p in parts] == [597, 597]
    assert not np.array_equal(parts[0].x_test, parts[1].x_test)


@pytest.mark.parametrize(("n", "n_val"), [(81, 0), (70, 11), (10, -1)])
def test_more_samples_than_there_are_is_said(n: int, n_val: int) -> None:
    with pytest.raises(BadValue, match="the data set has 80"):
        split(_arrays(pooled=False), n, 0, n_val=n_val)


def test_standardising_uses_the_training_part_alone() -> None:
    part = split(_arrays(pooled=False), 40, 0, n_val=10)
    done = standardise(part)
    assert np.allclose(done.x_train.mean(axis=0), 0.0, atol=1e-5)
    assert float(np.sqrt(np.mean(done.x_train**2))) == pytest.approx(1.0, abs=1e-5)
    mean, spread = part.x_train.mean(axis=0), np.sqrt(np.mean((part.x_train - part.x_train.mean(axis=0)) ** 2))
    assert np.allclose(done.x_test, (part.x_test - mean) / spread, atol=1e-5)
    assert done.x_test.mean() > 0.5, "test inputs are moved by the training mean, not by their own"


def test_constant_inputs_do_not_become_nan() -> None:
    arrays = data.Arrays(
        np.ones((8, 3), np.float32), np.zeros(8, np.int64), np.ones((4, 3), np.float32), np.zeros(4, np.int64), 1, (3,)
    )
    assert np.isfinite(standardise(split(arrays, 8, 0)).x_test).all()


def test_whitening_crops_and_rows() -> None:
    x = np.random.default_rng(0).random((5, 3, 32, 32), dtype=np.float32)
    cropped = centre_crop(x, 28)
    assert np.array_equal(cropped, x[:, :, 2:30, 2:30])
    whitened = flatten(whiten_images(cropped))
    assert np.allclose(whitened.mean(axis=1), 0, atol=1e-5)
    assert np.allclose(whitened.std(axis=1), 1, atol=1e-4)
    assert np.isfinite(whiten_images(np.ones((2, 1, 4, 4), np.float32))).all()
    with pytest.raises(BadValue, match="33"):
        centre_crop(x, 33)
    assert one_hot(np.array([1, 0]), 3).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_purposes_have_streams_of_their_own() -> None:
    draws = {purpose: generator(7, purpose).random(4).tolist() for purpose in PURPOSES}
    assert len({tuple(draw) for draw in draws.values()}) == len(PURPOSES)
    assert draws["split"] == generator(7, "split").random(4).tolist()
    seeds = {derived_seed(seed, purpose) for seed in range(50) for purpose in PURPOSES}
    assert len(seeds) == 50 * len(PURPOSES)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_label_corruption_includes_the_true_class() -> None:
    y = np.arange(100_000) % 10
    noisy = corrupt_labels(y, 0.2, 10, 3)
    assert np.mean(noisy != y) == pytest.approx(0.2 * 0.9, abs=0.005)
    assert np.mean(corrupt_labels(y, 1.0, 10, 3) == y) == pytest.approx(0.1, abs=0.005)
    assert np.array_equal(corrupt_labels(y, 0.0, 10, 3), y)
    assert np.bincount(corrupt_labels(y, 1.0, 10, 3)).min() > 9500


def test_corruption_is_drawn_once_and_grows_with_its_probability() -> None:
    y = np.arange(2000) % 10
    assert np.array_equal(corrupt_labels(y, 0.4, 10, 3), corrupt_labels(y, 0.4, 10, 3))
    some, more = corrupt_labels(y, 0.2, 10, 3), corrupt_labels(y, 0.6, 10, 3)
    changed = some != y
    assert np.array_equal(some[changed], more[changed])
    assert not np.array_equal(some, corrupt_labels(y, 0.2, 10, 4))
    assert not np.array_equal(corrupt_labels(y, 1.0, 10, 3), corrupt_labels(y, 1.0, 10, 3, "the next draw"))


def test_wrong_labels_are_always_wrong() -> None:
    y = np.arange(20_000) % 10
    assert (wrong_labels(y, 1.0, 10, 0) != y).all()
    assert np.mean(wrong_labels(y, 0.2, 10, 0) != y) == pytest.approx(0.2, abs=0.01)
    assert set(wrong_labels(y, 1.0, 10, 0).tolist()) == set(range(10))
    with pytest.raises(BadValue):
        wrong_labels(y, 0.5, 1, 0)
    with pytest.raises(BadValue, match="nearest valid value: 1"):
        corrupt_labels(y, 1.5, 10, 0)


@pytest.mark.parametrize("shape", [(3, 6, 6), (40,)])
def test_one_permutation_serves_training_and_test_inputs(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    train = random.random((20, *shape), dtype=np.float32)
    order = pixel_permutation(shape, 5)
    moved = shuffle_pixels(train, order)
    assert moved.shape == train.shape
    assert np.array_equal(moved, shuffle_pixels(train, pixel_permutation(shape, 5)))
    assert not np.array_equal(moved, train)
    back = shuffle_pixels(moved, np.argsort(order))
    assert np.array_equal(back, train)
    if len(shape) == 3:
        colours = {tuple(p) for p in train[0].reshape(3, -1).T.tolist()}
        assert {tuple(p) for p in moved[0].reshape(3, -1).T.tolist()} == colours, "channels stay together"


def test_random_pixels_permute_every_image_by_itself() -> None:
    x = np.tile(np.arange(36, dtype=np.float32).reshape(1, 1, 6, 6), (10, 1, 1, 1))
    moved = random_pixels(x, 0, "train pixels")
    assert np.array_equal(np.sort(flatten(moved), axis=1), flatten(x))
    assert len(np.unique(flatten(moved), axis=0)) == 10
    assert not np.array_equal(moved, random_pixels(x, 0, "test pixels"))


def test_gaussian_inputs_match_mean_and_variance_per_channel() -> None:
    reference = np.random.default_rng(0).random((500, 3, 8, 8), dtype=np.float32) * np.array([1, 2, 3])[:, None, None]
    noise = gaussian_inputs(np.empty((2000, 3, 8, 8), np.float32), reference.astype(np.float32), 0, "train inputs")
    assert noise.dtype == np.float32
    assert np.allclose(noise.mean(axis=(0, 2, 3)), reference.mean(axis=(0, 2, 3)), rtol=0.02)
    assert np.allclose(noise.std(axis=(0, 2, 3)), reference.std(axis=(0, 2, 3)), rtol=0.02)
