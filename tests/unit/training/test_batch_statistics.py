"""Trained networks with other statistics: against PyTorch's own batch norm, and without moving what is measured."""

from __future__ import annotations

import copy
import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from genlab_tui.errors import BadValue
from genlab_tui.training import full_pass, seeds
from genlab_tui.training.batch_statistics import (
    PARTITION,
    Perceptron,
    accuracy,
    batch_mode_accuracy,
    modes,
    outputs,
    variance_ratios,
    worst,
)
from genlab_tui.training.batches import Batches, bounds
from genlab_tui.training.layout import Layout
from genlab_tui.training.members import Member, Recipe
from genlab_tui.training.strengths import Strengths

RECIPE = Recipe((10, 8, 9), "sgd", 0.05, batch=7, epochs=4, target=2, regularisers={"batch-norm": 0.1})


def _trained(kit: SimpleNamespace, recipe: Recipe = RECIPE) -> tuple[SimpleNamespace, Tensor, Tensor]:
    """Return the result of training one member in float64, and its test samples."""
    samples = kit.make_samples()
    result = kit.run([Member("one", 5)], samples, recipe)
    return result, samples.test_inputs[0], samples.test_labels[0]


# --- modes ------------------------------------------------------------------------------------------------------------


def test_both_modes_are_pytorchs(kit: SimpleNamespace) -> None:
    result, x, y = _trained(kit)
    network = Perceptron.of(result.state.trained(0))
    module = kit.module_of(result.state.trained(0), 0)
    with torch.no_grad():
        torch.testing.assert_close(outputs(network, x, batch=False), module.eval()(x), rtol=1e-10, atol=1e-10)
        for size in (2, 5, len(x)):
            expected = copy.deepcopy(module).train()(x[:size])
            torch.testing.assert_close(outputs(network, x[:size], batch=True), expected, rtol=1e-10, atol=1e-10)
    assert accuracy(network, x, y) == result.state.outcomes[0].values["test_accuracy"]


def test_a_batch_is_normalised_by_its_biased_variance_and_leaves_an_unbiased_one(kit: SimpleNamespace) -> None:
    """PyTorch's two variances: with the unbiased one in a batch of two, outputs would be off by far."""
    result, x, _ = _trained(kit)
    network = Perceptron.of(result.state.trained(0))
    module = kit.module_of(result.state.trained(0), 0)
    norms = [m for m in module if isinstance(m, nn.BatchNorm1d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        module.train()(x[:4])
    first = x[:4] @ network.matrices[0].t()
    torch.testing.assert_close(norms[0].running_var, first.var(0, correction=1))
    population = result.state.trained(0).take([0])
    full_pass.passed(population, x[:4])
    again = Perceptron.of(population)
    torch.testing.assert_close(again.variances[0], norms[0].running_var)
    torch.testing.assert_close(again.means[0], norms[0].running_mean)


def test_every_batch_of_a_stack_is_normalised_by_itself(kit: SimpleNamespace) -> None:
    result, x, _ = _trained(kit)
    network = Perceptron.of(result.state.trained(0))
    stacked = outputs(network, x[:12].view(3, 4, -1), batch=True)
    for k in range(3):
        torch.testing.assert_close(stacked[k], outputs(network, x[4 * k : 4 * k + 4], batch=True))


def test_accuracy_in_training_mode_is_that_of_full_batches(kit: SimpleNamespace) -> None:
    """Batch by batch through PyTorch, without the samples that are left over: one alone has no variance."""
    result, x, y = _trained(kit)
    x, y = x[:9], y[:9]
    network, module = Perceptron.of(result.state.trained(0)), kit.module_of(result.state.trained(0), 0)
    hits = []
    for number in range(3):
        order = torch.randperm(9, generator=seeds.generator(5, PARTITION, number))
        for start in range(0, 8, 4):
            own = order[start : start + 4]
            with torch.no_grad():
                hits += (copy.deepcopy(module).train()(x[own]).argmax(1) == y[own]).tolist()
    found = batch_mode_accuracy(network, x, y, batch=4, partitions=3, seed=5)
    assert found == pytest.approx(sum(hits) / len(hits))
    one = batch_mode_accuracy(network, x, y, batch=50, partitions=2, seed=5)
    assert one == pytest.approx(float((outputs(network, x, batch=True).argmax(1) == y).double().mean()))


def test_without_batch_norm_both_modes_are_one(kit: SimpleNamespace) -> None:
    result, x, _ = _trained(kit, Recipe((10, 8), "sgd", 0.05, batch=7, epochs=4, target=2))
    network = Perceptron.of(result.state.trained(0))
    assert torch.equal(outputs(network, x, batch=True), outputs(network, x, batch=False))
    found = modes(result.state, 0, batch=len(x), partitions=2)
    expected = result.state.outcomes[0].values["test_accuracy"]
    assert (found.batch_mode, found.recomputed) == pytest.approx((expected, expected))
    assert found.ratios == ()
    assert math.isnan(worst(found.ratios))


# --- recomputed statistics and variance ratios ------------------------------------------------------------------------


def test_recomputed_statistics_are_those_of_a_full_pass(kit: SimpleNamespace) -> None:
    """The same that other phenomena score with: each layer is normalised by its own batch on the way."""
    result, x, y = _trained(kit)
    state = result.state
    network, train = Perceptron.of(state.trained(0)), state.samples.inputs[0]
    found = modes(state, 0, batch=2, partitions=2).recomputed
    population = state.trained(0).take([0])
    passed = full_pass.passed(population, train)[0].t()
    torch.testing.assert_close(passed, outputs(network, train, batch=True), rtol=1e-9, atol=1e-9)
    again = Perceptron.of(population)
    assert found == accuracy(again, x, y)
    torch.testing.assert_close(again.means[0], (train @ network.matrices[0].t()).mean(0))
    assert not torch.allclose(again.variances[1], network.variances[1])
    assert found == full_pass.accuracy(state, 0)


def test_right_variances_have_ratio_one_and_wrong_ones_theirs() -> None:
    """One layer, one channel off by a known factor, in either direction; the input is what is normalised."""
    x = torch.randn(400, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    eye, zero, one = torch.eye(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64), torch.ones(3).double()
    real = x.var(0, correction=1)

    def ratio(factors: tuple[float, float, float]) -> float:
        running = real * torch.tensor(factors, dtype=torch.float64)
        network = Perceptron((eye, eye), (zero, zero), (one,), (x.mean(0),), (running,))
        (found,) = variance_ratios(network, x)
        return found

    assert ratio((1.0, 1.0, 1.0)) == pytest.approx(1.0)
    assert ratio((1.0, 2.0, 1.0)) == pytest.approx(2.0, rel=1e-4)
    assert ratio((1.0, 1.0, 0.25)) == pytest.approx(4.0, rel=1e-4)
    assert ratio((2.0, 1.0, 0.25)) == pytest.approx(4.0, rel=1e-4), "the worst channel counts"


def test_a_channel_that_never_varies_has_a_ratio() -> None:
    x = torch.ones(10, 1, dtype=torch.float64)
    one, zero = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    network = Perceptron((one[:, None],) * 2, (zero, zero), (one,), (one,), (zero,))
    assert variance_ratios(network, x) == [1.0]


def test_the_second_layer_is_measured_in_evaluation_mode(kit: SimpleNamespace) -> None:
    """Its real variance is that of what evaluation mode hands on, not what training mode would."""
    result, x, _ = _trained(kit)
    network = Perceptron.of(result.state.trained(0))
    module = kit.module_of(result.state.trained(0), 0).eval()
    seen: list[Tensor] = []
    norms = [m for m in module if isinstance(m, nn.BatchNorm1d)]
    for norm in norms:
        norm.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach()))
    module(x)
    expected = []
    for norm, z in zip(norms, seen, strict=True):
        assert norm.running_var is not None
        real, running = z.var(0) + 1e-5, norm.running_var + 1e-5
        expected.append(float(torch.maximum(real / running, running / real).max()))
    assert variance_ratios(network, x) == pytest.approx(expected)


def test_measuring_moves_nothing(kit: SimpleNamespace) -> None:
    result, _, _ = _trained(kit)
    state = result.state
    before = [tensor.clone() for tensor in state.weights[0]]
    assert len(before) == 2
    first = modes(state, 0, batch=2, partitions=4)
    assert all(torch.equal(a, b) for a, b in zip(before, state.weights[0], strict=True))
    assert modes(state, 0, batch=2, partitions=4) == first
    assert len(first.ratios) == 3
    assert worst(first.ratios) == max(first.ratios)


def test_a_diverged_network_has_no_numbers(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    recipe = Recipe((6,), "sgd", 1e30, batch=7, epochs=4, target=2)
    state = kit.run([Member("one", 5)], samples, recipe).state
    assert state.outcomes[0].end == "diverged"
    found = modes(state, 0, batch=2, partitions=2)
    assert math.isnan(found.batch_mode)
    assert math.isnan(found.recomputed)
    assert math.isnan(worst((1.0, math.nan)))


# --- the engine's part ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [9, 10, 11])
def test_no_batch_has_one_sample_alone(kit: SimpleNamespace, n: int) -> None:
    """Batch norm with a last batch of one would answer with its shift alone; it joins the batch before."""
    counts = [stop - start for start, stop in bounds(n, 2)]
    assert min(counts) >= 2
    assert sum(counts) == n
    recipe = Recipe((6, 5), "sgd", 0.05, batch=2, epochs=3, target=2, regularisers={"batch-norm": 0.2})
    samples = kit.make_samples()
    members = [Member("one", 5, n=n)]
    result = kit.run(members, samples, recipe)
    kit.assert_equal_to_plain(result, members, samples, recipe)
    assert result.state.step == 3 * (n // 2)


def test_batches_of_one_are_refused(kit: SimpleNamespace) -> None:
    recipe = Recipe((6,), batch=1, regularisers={"batch-norm": 0.1})
    with pytest.raises(BadValue, match="batches of at least 2"):
        kit.run([Member("one", 5)], kit.make_samples(), recipe)


def _masks(kit: SimpleNamespace, layers: tuple[int, ...]) -> list[Tensor]:
    """Return the masks [members, batch, width] of the hidden layers, of members with so many layers dropped."""
    samples = kit.make_samples()
    recipes = [Recipe((7, 5, 6), batch=20, regularisers={"dropout": 0.5}, dropout_layers=k) for k in layers]
    members = [Member(str(k), 5, recipe=recipe) for k, recipe in zip(layers, recipes, strict=True)]
    layout = Layout(samples.features, samples.classes, [r.hidden for r in recipes], [0] * len(layers))
    batches = Batches(members, layout, samples, recipes[0], Strengths(recipes), torch.float64)
    (block,) = batches.masks(3, 0)
    return [mask[0].view(20, len(layers), -1).transpose(0, 1) for mask in block]


def test_dropout_acts_on_the_last_layers_alone_where_asked(kit: SimpleNamespace) -> None:
    """Beside members with dropout everywhere, and where it acts with the very masks of those."""
    masks = _masks(kit, (0, 1, 2, 3))
    for layer, mask in enumerate(masks):
        everywhere, last, two, three = mask
        assert set(everywhere.unique().tolist()) == {0.0, 2.0}
        assert torch.equal(three, everywhere), "of three layers, three are all"
        assert torch.equal(two, everywhere if layer >= 1 else torch.ones_like(two))
        assert torch.equal(last, everywhere if layer >= 2 else torch.ones_like(last))


def test_dropout_layers_that_are_not_there_are_refused() -> None:
    for layers, nearest in ((-1, 0), (4, 3)):
        with pytest.raises(BadValue, match="dropout_layers") as caught:
            Recipe((4, 4, 4), dropout_layers=layers).check()
        assert f"nearest valid value: {nearest}" in str(caught.value.hint)
    with pytest.raises(BadValue, match="places for dropout"):
        Recipe(network="lenet", dropout_layers=1).check()
