"""The inputs of the randomisation tests: what a seed shares over arms, what an arm destroys, what stays clean."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from genlab_tui.data import Arrays, corrupt
from genlab_tui.data import arrays as prepare
from genlab_tui.phenomenon import Arm
from genlab_tui.training.conditions import randomised
from genlab_tui.training.members import Member, Samples

N, TEST, SHAPE = 1500, 300, (2, 5, 5)
SEEDS = (3, 8)


def _arm(name: str, corruption: float = 0.0) -> Arm:
    return Arm(name, factors={"corruption": corruption})


ARMS = (
    _arm("true"),
    _arm("corrupt-0.2", 0.2),
    _arm("corrupt-0.6", 0.6),
    _arm("random", 1.0),
    _arm("shuffled-pixels"),
    _arm("random-pixels"),
    _arm("gaussian"),
    _arm("fresh-labels", 1.0),
)


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Images whose pixels all differ (so that a sample is known by any of its pixels), three classes, one pool."""
    source = np.random.default_rng(0)
    count = 2000 + TEST
    x = source.permutation(count * 50).reshape(count, *SHAPE).astype(np.float32) / (count * 50)
    x[:, 1] **= 3  # the channels have means and spreads of their own
    y = source.integers(0, 10, count)
    return Arrays(x[:2000], y[:2000], x[2000:], y[2000:], 10, SHAPE, pooled=True)


def _draw(arrays: Arrays, arms: Sequence[Arm] = ARMS, **fields: Any) -> tuple[dict[tuple[str, int], Member], Samples]:
    fields = {"n": N, "n_test": TEST, "fresh": "fresh-labels", **fields}
    members, samples = randomised(arrays, arms, fields.pop("seeds", SEEDS), **fields)
    return {(m.arm, m.seed): m for m in members}, samples


def _standard(arrays: Arrays, x: np.ndarray) -> torch.Tensor:
    """Return inputs as rows, preprocessed as the default does."""
    return torch.from_numpy(prepare.flatten((x - arrays.x_train.mean()) / arrays.x_train.std()))


def test_every_arm_and_seed_is_a_member(arrays: Arrays) -> None:
    members, samples = _draw(arrays)
    assert list(members) == [(arm.name, seed) for seed in SEEDS for arm in ARMS]
    assert samples.inputs.shape == (8, N, 50)
    assert samples.test_inputs.shape == (8, TEST, 50)
    assert samples.labels.shape == (16, N)
    assert samples.inputs.dtype is torch.float32
    assert samples.labels.dtype is torch.int64
    assert (samples.classes, samples.shape) == (10, SHAPE)
    assert len({m.labels for m in members.values()}) == 16


def test_one_split_per_seed_whatever_the_arm(arrays: Arrays) -> None:
    """Each seed's data are its split; its arms with true inputs share one set; seeds differ."""
    members, samples = _draw(arrays)
    for seed in SEEDS:
        part = prepare.split(arrays, N, seed, n_test=TEST)
        for arm in ("true", "corrupt-0.2", "corrupt-0.6", "random", "fresh-labels"):
            at = members[arm, seed].inputs
            assert at == members["true", seed].inputs
            torch.testing.assert_close(samples.inputs[at], _standard(arrays, part.x_train))
            torch.testing.assert_close(samples.test_inputs[at], _standard(arrays, part.x_test))
        for arm in ("true", "shuffled-pixels", "random-pixels", "gaussian"):
            assert samples.labels[members[arm, seed].labels].tolist() == part.y_train.tolist()
    first, second = (samples.inputs[members["true", seed].inputs] for seed in SEEDS)
    assert not torch.equal(first, second)


def test_no_sample_is_on_both_sides(arrays: Arrays) -> None:
    members, samples = _draw(arrays)
    for seed in SEEDS:
        at = members["true", seed].inputs
        trained = {round(float(v), 6) for v in samples.inputs[at, :, 0]}
        assert not trained & {round(float(v), 6) for v in samples.test_inputs[at, :, 0]}


def test_test_labels_are_clean_for_every_arm(arrays: Arrays) -> None:
    members, samples = _draw(arrays)
    for (_, seed), member in members.items():
        part = prepare.split(arrays, N, seed, n_test=TEST)
        assert samples.test_labels[member.inputs].tolist() == part.y_test.tolist()


def test_an_arm_is_the_same_whoever_else_is_launched(arrays: Arrays) -> None:
    """Leaving arms or seeds out changes neither inputs nor labels of the rest."""
    members, samples = _draw(arrays)
    for name in ("corrupt-0.6", "random", "shuffled-pixels", "random-pixels", "gaussian"):
        arm = next(a for a in ARMS if a.name == name)
        alone, few = _draw(arrays, [arm], seeds=(8,))
        mine, theirs = alone[name, 8], members[name, 8]
        assert torch.equal(few.inputs[mine.inputs], samples.inputs[theirs.inputs])
        assert torch.equal(few.test_inputs[mine.inputs], samples.test_inputs[theirs.inputs])
        assert torch.equal(few.labels[mine.labels], samples.labels[theirs.labels])


def test_one_pixel_permutation_for_train_and_test_and_another_per_seed(arrays: Arrays) -> None:
    """Pixels move together in all images of both parts; the channels of a pixel stay together."""
    members, samples = _draw(arrays)
    orders = []
    for seed in SEEDS:
        true, moved = members["true", seed].inputs, members["shuffled-pixels", seed].inputs
        order = [int((samples.inputs[true, 0] == value).nonzero()[0]) for value in samples.inputs[moved, 0]]
        assert sorted(order) == list(range(50))
        assert order != list(range(50))
        assert torch.equal(samples.inputs[moved], samples.inputs[true][:, order])
        assert torch.equal(samples.test_inputs[moved], samples.test_inputs[true][:, order])
        assert [k + 25 for k in order[:25]] == order[25:]
        orders.append(order)
    assert orders[0] != orders[1]


def test_random_pixels_are_another_permutation_for_every_image(arrays: Arrays) -> None:
    """Each image keeps its pixels; no two images of train or test move alike."""
    members, samples = _draw(arrays)
    true, moved = members["true", 3].inputs, members["random-pixels", 3].inputs
    seen = set()
    for before, after in ((samples.inputs, samples.inputs), (samples.test_inputs, samples.test_inputs)):
        assert torch.equal(before[true].sort(1).values, after[moved].sort(1).values)
        ranks = before[true][:, :25].argsort(1), after[moved][:, :25].argsort(1)
        for was, now in zip(*ranks, strict=True):
            order = torch.empty(25, dtype=torch.long)
            order[now] = was
            seen.add(tuple(order.tolist()))
    assert len(seen) == N + TEST


def test_gaussian_inputs_match_mean_and_variance(arrays: Arrays) -> None:
    """Per channel those of the training images, also for the test inputs; nothing else of them is left."""
    members, samples = _draw(arrays)
    true, noise = members["true", 3].inputs, members["gaussian", 3].inputs
    for channel in (slice(0, 25), slice(25, 50)):
        real = samples.inputs[true][:, channel]
        for made in (samples.inputs[noise][:, channel], samples.test_inputs[noise][:, channel]):
            error = float(real.std()) / made.numel() ** 0.5
            assert abs(float(made.mean() - real.mean())) < 5 * error
            assert float(made.std()) == pytest.approx(float(real.std()), rel=0.03)
            centred = (made - made.mean()) / made.std()
            assert float((centred**4).mean()) == pytest.approx(3.0, abs=0.3), "Gaussian tails"
    joint = torch.stack((samples.inputs[true].flatten(), samples.inputs[noise].flatten()))
    within = [torch.corrcoef(joint.view(2, N, 2, 25)[:, :, c].reshape(2, -1))[0, 1] for c in (0, 1)]
    assert all(abs(float(r)) < 0.03 for r in within)
    assert not torch.equal(samples.inputs[noise, :TEST], samples.test_inputs[noise])


def test_corruption_keeps_the_right_share_of_labels(arrays: Arrays) -> None:
    """A label is redrawn with probability p and may come out as it was: 1 - 0.9 p stay. What stays at p stays below."""
    members, samples = _draw(arrays)
    for seed in SEEDS:
        true = samples.labels[members["true", seed].labels]
        kept = {}
        for arm, p in (("corrupt-0.2", 0.2), ("corrupt-0.6", 0.6), ("random", 1.0)):
            labels = samples.labels[members[arm, seed].labels]
            kept[p] = labels == true
            share = 1 - 0.9 * p
            error = (share * (1 - share) / N) ** 0.5
            assert abs(float(kept[p].double().mean()) - share) < 5 * error
            assert set(labels.tolist()) == set(range(10))
        assert bool((kept[0.6] <= kept[0.2]).all())
        wrong = ~kept[0.2]
        low, high = (samples.labels[members[arm, seed].labels] for arm in ("corrupt-0.2", "corrupt-0.6"))
        assert torch.equal(low[wrong], high[wrong]), "what is wrong at 0.2 is wrong in the same way at 0.6"
    first, second = (samples.labels[members["random", seed].labels] for seed in SEEDS)
    assert abs(float((first == second).double().mean()) - 0.1) < 0.05


def test_the_control_draws_anew_and_ends_with_the_random_arm(arrays: Arrays) -> None:
    members, _ = _draw(arrays)
    ordered = list(members.values())
    for member in ordered:
        assert member.fresh == (member.arm == "fresh-labels")
        if member.fresh:
            assert member.follows is not None
            partner = ordered[member.follows]
            assert (partner.arm, partner.seed) == ("random", member.seed)
        else:
            assert member.follows is None
    alone, _ = _draw(arrays, [ARMS[-1]])
    assert {m.follows for m in alone.values()} == {None}


def test_two_draws_are_the_same(arrays: Arrays) -> None:
    (first, one), (second, two) = _draw(arrays), _draw(arrays)
    assert first == second
    for field in ("inputs", "labels", "test_inputs", "test_labels"):
        assert torch.equal(getattr(one, field), getattr(two, field))


def test_cropped_and_whitened_as_in_the_paper(arrays: Arrays) -> None:
    """Crop first, then (x - mean) / max(sd, 1 / sqrt(size)) image by image; destroyed inputs are made of the result."""
    members, samples = _draw(arrays, crop=3, whiten=True)
    assert samples.shape == (2, 3, 3)
    assert samples.fill == 0.0
    part = prepare.split(arrays, N, 3, n_test=TEST)
    rows = part.x_train[:, :, 1:4, 1:4].reshape(N, -1)
    expected = (rows - rows.mean(1, keepdims=True)) / np.maximum(rows.std(1, keepdims=True), 1 / 18**0.5)
    at = members["true", 3].inputs
    torch.testing.assert_close(samples.inputs[at], torch.from_numpy(expected), rtol=1e-4, atol=1e-5)
    shuffled = samples.inputs[members["shuffled-pixels", 3].inputs]
    torch.testing.assert_close(shuffled.sort(1).values, samples.inputs[at].sort(1).values)


def test_what_a_shift_moves_in_is_black(arrays: Arrays) -> None:
    """The fill is what a pixel of 0 becomes by the preprocessing."""
    _, samples = _draw(arrays)
    black = _standard(arrays, np.zeros((1, *SHAPE), np.float32))
    assert float(black[0, 0]) == pytest.approx(samples.fill, rel=1e-5)


def test_one_dimensional_inputs_can_be_destroyed_too() -> None:
    source = np.random.default_rng(1)
    x, y = source.random((120, 12)).astype(np.float32), source.integers(0, 10, 120)
    arrays = Arrays(x[:100], y[:100], x[100:], y[100:], 10, (12,))
    members, samples = _draw(arrays, n=80, n_test=0)
    assert samples.test_inputs.shape == (8, 20, 12)
    true, moved = members["true", 3].inputs, members["shuffled-pixels", 3].inputs
    order = [int((samples.inputs[true, 0] == value).nonzero()[0]) for value in samples.inputs[moved, 0]]
    assert torch.equal(samples.test_inputs[moved], samples.test_inputs[true][:, order])


def test_permuted_columns_undo_permuted_pixels_exactly(kit: SimpleNamespace, arrays: Arrays) -> None:
    """Shuffled pixels with the columns of the first matrix moved alike give the same float64 logits to 1e-9.

    With the images of the arm itself, train and test: were the permutation of either another one, this would fail.
    """
    members, samples = _draw(arrays)
    order = corrupt.pixel_permutation(SHAPE, 3)
    rows = torch.from_numpy(np.concatenate((order, order + 25)))
    true, moved = members["true", 3].inputs, members["shuffled-pixels", 3].inputs
    network = kit.population((64, 64), [3], inputs=50, classes=10)
    permuted = network.take([0])
    permuted.parameters.weights_of(0)[0].copy_(network.parameters.weights_of(0)[0][:, rows])
    for part in (samples.inputs, samples.test_inputs):
        expected = network.logits([part[true][None].double()]).clone()
        torch.testing.assert_close(permuted.logits([part[moved][None].double()]), expected, rtol=0, atol=1e-9)
        assert not torch.allclose(network.logits([part[moved][None].double()]), expected, atol=0.1)
