"""What a layer of a trained network is replaced by: its own start, its past, fresh draws of the real initialiser."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from genlab_tui.data import Arrays
from genlab_tui.phenomena._layer_robustness import config
from genlab_tui.training import layer_swaps
from genlab_tui.training.assess import Point, assess
from genlab_tui.training.layer_swaps import OTHER, RAND
from genlab_tui.training.layers import initial, layers
from genlab_tui.training.members import Member, Recipe

SMALL = Recipe((64, 32), "sgd", 0.05, batch=16, epochs=6, target=2.0)


def test_the_phenomenon_reads_what_is_written_here() -> None:
    assert (RAND, OTHER, "0") == (config.RAND, config.OTHER, config.START)


@pytest.mark.parametrize("init", ["he-normal", "glorot-uniform", "torch"])
def test_fresh_values_come_from_the_initialiser_of_training(kit: SimpleNamespace, init: str) -> None:
    """Not from U[0, 1), as a published replication drew them: mean 0, the initialiser's spread, its biases."""
    samples = kit.make_samples(shape=(1, 20, 20))
    recipe = dataclasses.replace(SMALL, init=init)
    own = initial(recipe, 1, samples)
    fresh = layer_swaps.anew(recipe, 1, samples, 0)
    assert fresh.min() < 0
    for k, layer in enumerate(layers(own)):
        drawn, start = layer.of(fresh), layer.of(own.parameters.flat)
        width = own.layout.vector_shapes[k][-1]
        matrix, bias = drawn[:-width], drawn[-width:]
        # Four standard errors of so many numbers.
        wide = 4 / math.sqrt(matrix.numel())
        assert abs(float(matrix.mean())) < wide * float(matrix.std())
        assert float(matrix.std()) == pytest.approx(float(start[:-width].std()), rel=wide)
        assert bool((bias == 0).all()) == (init != "torch")
        if init == "he-normal":
            before = (400, 64, 32)[k]
            assert float(matrix.std()) == pytest.approx(math.sqrt(2 / before), rel=wide)


def test_draws_are_new_for_every_seed_and_draw_and_the_same_again(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    found = [layer_swaps.anew(SMALL, seed, samples, draw) for seed in (1, 2) for draw in range(3)]
    found += [initial(SMALL, seed, samples).parameters.flat for seed in (1, 2)]
    for layer in layers(initial(SMALL, 0, samples)):
        assert len({round(float(layer.of(flat).sum()), 12) for flat in found}) == len(found)
    assert torch.equal(layer_swaps.anew(SMALL, 2, samples, 1), found[4])


def test_a_network_that_trains_shorter_ends_where_the_long_one_passed(kit: SimpleNamespace) -> None:
    """Of one seed: a checkpoint is on the trajectory of the final network, and epoch 0 is where that began."""
    samples = kit.make_samples()
    members = [Member(str(t), 4, recipe=dataclasses.replace(SMALL, epochs=t)) for t in (6, 1, 3)]
    state = kit.run(members, samples, SMALL).state
    through = [Member("whole", 4, recipe=dataclasses.replace(SMALL, epochs=t)) for t in (1, 3)]
    for i, member in enumerate(through, start=1):
        alone = kit.run([member], samples, SMALL).state
        torch.testing.assert_close(alone.weights[0][0], state.weights[i][0], rtol=1e-10, atol=1e-12)
    plain = kit.train_plainly(dataclasses.replace(members[0], recipe=None), samples, SMALL)
    torch.testing.assert_close(
        kit.flat_of(kit.module_of(state.trained(0), 0)), kit.flat_of(plain.module), rtol=1e-9, atol=1e-11
    )


def _trained(kit: SimpleNamespace, regularisers: Mapping[str, float], lr: float = 0.05) -> Any:
    samples = kit.make_samples(k=30)
    recipe = dataclasses.replace(SMALL, regularisers=regularisers, lr=lr)
    members = [
        Member(str(t), seed, inputs=k, labels=k, recipe=dataclasses.replace(recipe, epochs=t))
        for k, seed in enumerate((4, 9))
        for t in (6, 2)
    ]
    return kit.run(members, samples, recipe).state


@pytest.mark.parametrize("regularisers", [{}, {"batch-norm": 0.2}], ids=["plain", "batch norm"])
def test_what_is_measured_is_the_network_with_that_layer_replaced(
    kit: SimpleNamespace, regularisers: Mapping[str, float]
) -> None:
    state = _trained(kit, regularisers)
    found = layer_swaps.swapped(state, {4: 0, 9: 2}, {4: {2: 1}, 9: {2: 3}}, 5, lambda: None)
    assert list(found) == [4, 9]
    for k, (seed, one) in enumerate(found.items()):
        final, statistics = state.weights[2 * k]
        start = initial(state.recipe, seed, state.samples).parameters.flat
        assert one.names == ("fc1", "fc2", "fc3")
        assert one.whole == pytest.approx(state.outcomes[2 * k].values["test_accuracy"])

        def accuracy(flat: torch.Tensor, k: int = k, statistics: torch.Tensor = statistics) -> float:
            (scores,) = assess([Point(flat, statistics, k, k)], state.recipe, state.samples, on=("test",))
            return scores["test_accuracy"]

        for layer in layers(state.trained(0)):
            by = {source: one.accuracy[layer.name, source] for source in (RAND, OTHER, "0", "2")}
            assert by["0"] == pytest.approx(accuracy(layer.put(final, start)))
            assert by["2"] == pytest.approx(accuracy(layer.put(final, state.weights[2 * k + 1][0])))
            fresh = [layer_swaps.anew(state.recipe, seed, state.samples, draw) for draw in range(5)]
            each = [accuracy(layer.put(final, flat)) for flat in fresh]
            assert by[RAND] == pytest.approx(sum(each) / 5)
            change = (layer.of(final) - layer.of(start)).norm() / layer.of(start).norm()
            assert one.moved[layer.name][0] == pytest.approx(float(change))
        assert len(one.accuracy) == 3 * 4


def test_a_network_that_stood_still_loses_nothing_by_going_back(kit: SimpleNamespace) -> None:
    """Its own start is its final state; another network's is not."""
    state = _trained(kit, {}, lr=1e-300)
    found = layer_swaps.swapped(state, {4: 0, 9: 2}, {4: {}, 9: {}}, 5, lambda: None)
    for one in found.values():
        assert {one.accuracy[layer, "0"] for layer in one.names} == {one.whole}
        assert all(relative < 1e-200 for relative, _ in one.moved.values())


def test_a_network_that_diverged_has_no_numbers(kit: SimpleNamespace) -> None:
    state = _trained(kit, {}, lr=1e30)
    found = layer_swaps.swapped(state, {4: 0}, {4: {}}, 5, lambda: None)
    assert math.isnan(found[4].whole)
    assert all(math.isnan(value) for value in found[4].accuracy.values())


def test_every_seed_has_a_split_of_its_own() -> None:
    random = np.random.default_rng(0)
    x = random.normal(3, 2, (60, 1, 4, 4)).astype(np.float32)
    y = random.integers(0, 10, 60)
    arrays = Arrays(x[:40], y[:40], x[40:], y[40:], 10, (1, 4, 4), pooled=True)
    samples = layer_swaps.per_seed(arrays, (1, 2), n=30, n_test=0, device="cpu")
    assert samples.inputs.shape == (2, 30, 16)
    assert samples.test_inputs.shape == (2, 20, 16)
    assert not torch.equal(samples.labels[0], samples.labels[1])
    alone = layer_swaps.per_seed(arrays, (2,), n=30, n_test=0, device="cpu")
    assert torch.equal(alone.inputs[0], samples.inputs[1])
    assert torch.equal(alone.test_labels[0], samples.test_labels[1])
