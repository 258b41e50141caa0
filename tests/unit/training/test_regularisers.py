"""What each regulariser declares, measured on its own; that they train rightly together is in `test_exactness`."""

from __future__ import annotations

import copy
import dataclasses
import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from genlab_tui.errors import BadValue
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.training import optimise
from genlab_tui.training.batches import shift_table
from genlab_tui.training.losses import Targets, objective
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.passes import BN_EPSILON
from genlab_tui.training.population import Population
from genlab_tui.training.strengths import Strengths

ONE = [Member("true", 1)]


def _batches(
    kit: SimpleNamespace, samples: Samples, batch: int = 60, hidden: tuple[int, ...] = (8,), **regularisers: float
) -> Any:
    named = {name.replace("_", "-"): strength for name, strength in regularisers.items()}
    batches = kit.Draws(ONE, samples, Recipe(hidden, batch=batch, regularisers=named))
    batches.begin(0)
    return batches


# --- on the weights ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("factors", [(1.0, 1.0, 1.0), (1.0, 0.0, 3.0)])
def test_l1_and_weight_decay_touch_the_matrices_alone(
    kit: SimpleNamespace, batch_norm: bool, factors: tuple[float, ...]
) -> None:
    """All act on every weight matrix of every member as strongly as it asks; not on biases, nor scales and shifts."""
    population = kit.population([(4, 3), (5, 2), (4, 3)], [1, 2, 3], inputs=5, classes=2, batch_norm=batch_norm)
    parameters = population.parameters
    parameters.flat.copy_(torch.randn(parameters.flat.shape, dtype=torch.float64))
    before = [[part.clone() for part in parameters.tensors_of(row)] for row in range(3)]
    gradient = parameters.like()
    recipes = [Recipe(lr=0.5, regularisers={"l1": 0.3 * f, "weight-decay": 0.4 * f}) for f in factors]
    coupled = [dataclasses.replace(r, coupled=True) for r in recipes]
    optimise.Penalties(parameters, Strengths(coupled), folded=False).add(gradient, parameters)
    optimise.Penalties(parameters, Strengths(recipes), folded=False).decay(parameters, 0.5)
    for row, f in enumerate(factors):
        for k, part in enumerate(parameters.tensors_of(row)):
            is_matrix = k < 3
            old = before[row][k]
            torch.testing.assert_close(part, old * (1 - 0.5 * 0.5 * 0.4 * f if is_matrix else 1.0))
            expected = (0.3 * f * old.sign() + 0.4 * f * old) * is_matrix
            torch.testing.assert_close(gradient.tensors_of(row)[k], expected)


def test_decay_is_decoupled_and_follows_the_learning_rate(kit: SimpleNamespace) -> None:
    """Where the gradient is zero, steps multiply matrices by 1 - lr(epoch) * coefficient each, under Adam too."""
    samples = kit.make_samples(classes=1)  # one class: the loss is 0 whatever the weights
    recipe = Recipe((6,), "adam", 0.1, decay=0.5, batch=20, epochs=3, target=2, regularisers={"weight-decay": 2.0})
    trained = kit.run(ONE, samples, recipe).state.trained(0)
    start = kit.population((6,), [1], classes=1)
    factor = math.prod((1 - 0.1 * 0.5**epoch * 2.0) ** 3 for epoch in range(3))
    for part, first in zip(trained.parameters.weights_of(0), start.parameters.weights_of(0), strict=True):
        torch.testing.assert_close(part, factor * first)


# --- on units ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drop", [0.1, 0.5, 0.8])
def test_dropout_drops_its_share_and_scales_the_rest(kit: SimpleNamespace, drop: float) -> None:
    """Multipliers are 0 with the probability and 1 / (1 - p) else, drawn anew per step, layer and unit."""
    batches = _batches(kit, kit.make_samples(), hidden=(200, 300), dropout=drop)
    (first,), (second,) = batches.masks(0, 0)
    assert (first.shape, second.shape) == ((60, 200), (60, 300))
    for mask in (first, second):
        kept = mask[mask > 0]
        torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - drop)))
        share = 1 - len(kept) / mask.numel()
        assert abs(share - drop) < 5 * math.sqrt(drop * (1 - drop) / mask.numel())
    assert not torch.equal(first, second[:, :200])
    assert not torch.equal(first, batches.masks(1, 0)[0][0])
    assert torch.equal(first, batches.masks(0, 0)[0][0]), "a step has one draw, however often it is asked for"


@pytest.mark.parametrize("layers", [0, 1])
def test_a_step_of_dropout_builds_no_constants(kit: SimpleNamespace, monkeypatch: Any, layers: int) -> None:
    """Strengths and layers left alone are tensors already; where none is, nothing is chosen from."""
    recipe = Recipe((8, 6), batch=60, regularisers={"dropout": 0.5}, dropout_layers=layers)
    batches = kit.Draws([Member("true", 1, recipe=recipe)], kit.make_samples(), recipe).batches
    batches.begin(0)
    (first,) = batches.masks(0, 0)

    def refuse(*given: Any, **named: Any) -> None:
        raise AssertionError("built anew in every step")

    monkeypatch.setattr(torch, "tensor", refuse)
    if not layers:
        monkeypatch.setattr(torch, "where", refuse)
    (again,) = batches.masks(0, 0)
    for mine, theirs in zip(first, again, strict=True):
        assert torch.equal(mine, theirs)
    assert bool((first[0] == 1).all()) == bool(layers)


def test_without_dropout_there_are_no_masks(kit: SimpleNamespace) -> None:
    assert _batches(kit, kit.make_samples()).masks(0, 0) == []


def test_batch_norm_in_training_and_in_evaluation(kit: SimpleNamespace) -> None:
    """Against torch.nn.functional.batch_norm: batch statistics to train with, running ones to evaluate with."""
    momentum, steps = 0.3, 4
    samples = kit.make_samples(n=50)
    recipe = Recipe((7,), "sgd", 1e-300, batch=13, epochs=1, target=2, regularisers={"batch-norm": momentum})
    trained = kit.run(ONE, samples, recipe).state.trained(0)  # weights do not move, statistics do
    weight, out, scale, shift, bias = trained.parameters.tensors_of(0)
    assert torch.equal(scale, torch.ones(7, dtype=torch.float64))
    mean, variance = torch.zeros(7, dtype=torch.float64), torch.ones(7, dtype=torch.float64)
    batches = kit.Draws(ONE, samples, recipe)
    batches.begin(0)
    assert len(batches.bounds) == steps
    for position in range(steps):
        x, target = batches.batch(position)
        normed = nn.functional.batch_norm(x[0] @ weight.T, mean, variance, scale, shift, True, momentum, BN_EPSILON)
        expected = nn.functional.cross_entropy(normed.relu() @ out.T + bias, target[0])
        loss = objective("cross-entropy", Targets(target.argmax(2)))
        found = trained.gradient([x], loss, [], trained.parameters.like())
        torch.testing.assert_close(found[0], expected)
    fresh = kit.run(ONE, samples, recipe).state.trained(0)
    torch.testing.assert_close(fresh.statistics.vectors_of(0)[0], mean)
    torch.testing.assert_close(fresh.statistics.vectors_of(0)[1], variance)
    x = samples.test_inputs[0]
    normed = nn.functional.batch_norm(x @ weight.T, mean, variance, scale, shift, False, momentum, BN_EPSILON)
    torch.testing.assert_close(fresh.logits([x[None]])[0].t(), normed.relu() @ out.T + bias)


def test_batch_norm_refuses_batches_of_one(kit: SimpleNamespace) -> None:
    recipe = Recipe((7,), batch=1, regularisers={"batch-norm": 0.1})
    with pytest.raises(BadValue, match="at least 2"):
        kit.run(ONE, kit.make_samples(), recipe)


# --- on inputs and targets --------------------------------------------------------------------------------------------


def test_images_shift_both_ways_and_fill_with_black() -> None:
    """Every shift up to the reach, in both directions and together; what comes in from outside is the fill."""
    image = torch.arange(2 * 3 * 4, dtype=torch.float64).view(2, 3, 4) + 1
    filled = torch.cat((image.flatten(), torch.tensor([-7.0], dtype=torch.float64)))
    table = shift_table((2, 3, 4), 2)
    assert table.shape == (25, 24)
    found = {tuple(filled[row].tolist()) for row in table}
    expected = set()
    for down in range(-2, 3):
        for right in range(-2, 3):
            moved = torch.full_like(image, -7.0)
            for r in range(3):
                for c in range(4):
                    if 0 <= r - down < 3 and 0 <= c - right < 4:
                        moved[:, r, c] = image[:, r - down, c - right]
            expected.add(tuple(moved.flatten().tolist()))
    assert len(expected) == 25
    assert found == expected


def test_one_dimensional_inputs_are_rolled() -> None:
    x = torch.arange(6)
    table = shift_table((6,), 2)
    assert [x[row].tolist() for row in table] == [x.roll(by).tolist() for by in (-2, -1, 0, 1, 2)]


@pytest.mark.parametrize("shape", [(1, 5, 5), (25,)])
def test_augmentation_shifts_each_sample_by_itself_and_in_training_alone(
    kit: SimpleNamespace, shape: tuple[int, ...]
) -> None:
    """A batch holds the samples of its order, each under one of the shifts; all shifts come up; labels stay."""
    samples = kit.make_samples(shape=shape)
    plain, moved = _batches(kit, samples), _batches(kit, samples, augmentation=1.0)
    (x, target), (shifted, same_target) = plain.batch(0), moved.batch(0)
    assert torch.equal(target, same_target)
    table = shift_table(shape, 1)
    used = set()
    for sample, result in zip(x[0], shifted[0], strict=True):
        padded = torch.cat((sample, sample.new_tensor([samples.fill])))
        matches = [k for k, row in enumerate(table) if torch.equal(padded[row], result)]
        assert len(matches) == 1
        used.add(matches[0])
    assert used == set(range(len(table)))
    first = moved.batches.shifts[1]
    moved.begin(1)
    assert not torch.equal(moved.batches.shifts[1], first), "drawn anew in every epoch"


@pytest.mark.parametrize("epsilon", [0.1, 0.9])
def test_label_smoothing_targets(kit: SimpleNamespace, epsilon: float) -> None:
    """As torch's own cross_entropy has it: 1 - epsilon on the label plus epsilon spread over all classes."""
    samples = kit.make_samples()
    _, hard = _batches(kit, samples).batch(0)
    x, soft = _batches(kit, samples, label_smoothing=epsilon).batch(0)
    assert set(hard.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(soft, (1 - epsilon) * hard + epsilon / 4)
    torch.testing.assert_close(soft.sum(2), torch.ones(1, 60, dtype=torch.float64))
    logits = x[0, :, :4]
    torch.testing.assert_close(
        nn.functional.cross_entropy(logits, soft[0]),
        nn.functional.cross_entropy(logits, hard[0].argmax(1), label_smoothing=epsilon),
    )


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_is_a_convex_combination_of_pairs(kit: SimpleNamespace, alpha: float) -> None:
    """Inputs and targets of a sample and of its neighbour in the random order, by one weight a batch."""
    samples = kit.make_samples()
    plain, mixed = _batches(kit, samples, batch=15), _batches(kit, samples, batch=15, mixup=alpha)
    shares = []
    for position in range(4):
        (x, target), (blend, soft) = plain.batch(position), mixed.batch(position)
        partner, other = x.roll(1, 1), target.roll(1, 1)
        share = float(((blend - partner) * (x - partner)).sum() / ((x - partner) ** 2).sum())
        assert 0 <= share <= 1
        torch.testing.assert_close(blend, share * x + (1 - share) * partner)
        torch.testing.assert_close(soft, share * target + (1 - share) * other)
        shares.append(share)
    assert len(set(shares)) == 4


def test_mixup_weights_are_beta_distributed(kit: SimpleNamespace) -> None:
    """Over many batches: mean 1/2 and variance 1 / (4 (2 alpha + 1))."""
    alpha = 0.2
    batches = _batches(kit, kit.make_samples(), batch=2, mixup=alpha)
    drawn = []
    for epoch in range(100):
        batches.begin(epoch)
        drawn.append(batches.mixing[0])
    weights = torch.cat(drawn)
    assert len(weights) == 3000
    assert float(weights.mean()) == pytest.approx(0.5, abs=0.04)
    assert float(weights.var()) == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.08)


# --- on the length of training ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_norm", [False, True])
def test_early_stopping_keeps_the_best_weights(kit: SimpleNamespace, batch_norm: bool) -> None:
    """A plain loop over the same batches, scored on the last tenth, stops at the same epoch with the same best."""
    samples = kit.make_samples(noise=2.0)
    regularisers = {"early-stopping": 4.0} | ({"batch-norm": 0.1} if batch_norm else {})
    recipe = Recipe((16,), "sgd", 0.05, batch=9, epochs=100, target=2, regularisers=regularisers)
    state = kit.run(ONE, samples, recipe).state
    outcome = state.outcomes[0]
    assert outcome.end == "early stopping"

    module = kit.module_of(kit.population((16,), [1], batch_norm=batch_norm), 0)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
    batches = kit.Draws(ONE, samples, recipe)
    held_out = slice(54, 60)
    best, best_epoch, best_module, epoch = math.inf, 0, module, 0
    while epoch - best_epoch < 4:
        module.train()
        batches.begin(epoch)
        assert sorted(batches.order[0].tolist()) == list(range(54)), "the last tenth is never trained on"
        for position in range(len(batches.bounds)):
            x, target = batches.batch(position)
            optimiser.zero_grad()
            nn.functional.cross_entropy(module(x[0]), target[0]).backward()
            optimiser.step()
        epoch += 1
        module.eval()
        with torch.no_grad():
            loss = float(nn.functional.cross_entropy(module(samples.inputs[0, held_out]), samples.labels[0, held_out]))
        if loss < best:
            best, best_epoch, best_module = loss, epoch, copy.deepcopy(module)
    assert (outcome.epoch, state.best_epoch[0]) == (epoch, best_epoch)
    assert 1 < best_epoch < epoch
    kept = kit.flat_of(kit.module_of(state.trained(0), 0))
    torch.testing.assert_close(kept, kit.flat_of(best_module), rtol=1e-9, atol=1e-11)
    assert not torch.allclose(kept, kit.flat_of(module)), "the last weights are others"
    with torch.no_grad():
        accuracy = (best_module(samples.test_inputs[0]).argmax(1) == samples.test_labels[0]).double().mean()
        trained = nn.functional.cross_entropy(best_module(samples.inputs[0, :54]), samples.labels[0, :54])
    assert outcome.values["test_accuracy"] == pytest.approx(float(accuracy))
    assert outcome.values["train_loss"] == pytest.approx(float(trained)), "of what it was trained on"


def test_early_stopping_is_of_each_member_alone(kit: SimpleNamespace) -> None:
    """Members end at epochs of their own, and at the last epoch the best weights count too."""
    members = [Member("true", 1), Member("random", 1, labels=1), Member("true", 2)]
    recipe = Recipe((16,), "sgd", 0.02, batch=9, epochs=12, target=2, regularisers={"early-stopping": 3.0})
    state = kit.run(members, kit.make_samples(noise=1.5), recipe).state
    outcomes = [state.outcomes[i] for i in range(3)]
    assert len({o.epoch for o in outcomes}) > 1
    for i, outcome in enumerate(outcomes):
        waited = outcome.epoch - state.best_epoch[i]
        assert waited == 3 if outcome.end == "early stopping" else waited < 3


def test_early_stopping_needs_something_to_hold_out(kit: SimpleNamespace) -> None:
    with pytest.raises(BadValue, match="at least 2"):
        kit.run(ONE, kit.make_samples(n=1), Recipe((4,), regularisers={"early-stopping": 1.0}))


def test_every_declared_regulariser_changes_training(kit: SimpleNamespace) -> None:
    """None is a switch without a wire: each at its declared default moves the weights away from plain training."""
    samples = kit.make_samples(noise=2.0)

    def end(regularisers: dict[str, float]) -> torch.Tensor:
        recipe = Recipe((9,), "adam", 0.05, batch=10, epochs=25, target=2, regularisers=regularisers)
        trained: Population = kit.run(ONE, samples, recipe).state.trained(0)
        return trained.parameters.weights_of(0)[0]

    plain = end({})
    for regulariser in REGULARISERS:
        assert not torch.allclose(end({regulariser.name: regulariser.default}), plain), regulariser.name
