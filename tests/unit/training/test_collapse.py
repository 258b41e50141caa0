"""The numbers of neural collapse against definitions written out, and samples of equal classes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genlab_tui.data import Arrays
from genlab_tui.training import collapse
from genlab_tui.training.balanced import balanced, per_class
from genlab_tui.training.collapse import METRICS, features_of, geometry, output_weight
from genlab_tui.training.layout import Layout
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.training.plan import programs
from genlab_tui.training.population import Population

CLASSES = 10


def _simplex(classes: int, width: int) -> torch.Tensor:
    """Return directions at equal angles, as far apart as they can be [classes, width]."""
    corners = torch.eye(classes, width, dtype=torch.float64)
    return corners - corners.mean(0)


def _random(n: int = 200, width: int = 24, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, ...]:
    source = torch.Generator().manual_seed(3)
    labels = torch.arange(n) % CLASSES
    means = torch.randn(CLASSES, width, generator=source, dtype=torch.float64)
    features = means[labels] + 0.3 * torch.randn(n, width, generator=source, dtype=torch.float64)
    weight = torch.randn(CLASSES, width, generator=source, dtype=torch.float64)
    predicted = torch.randint(CLASSES, (n,), generator=source)
    return features.to(dtype), labels, predicted, weight.to(dtype)


def _by_definition(h: np.ndarray, labels: np.ndarray, predicted: np.ndarray, w: np.ndarray) -> tuple[float, ...]:
    """Return the five numbers as the authors write them down, with whole covariances in float64."""
    means = np.stack([h[labels == c].mean(0) for c in range(CLASSES)])
    centred = means - means.mean(0)
    within = sum(np.outer(x - means[c], x - means[c]) for x, c in zip(h, labels, strict=True)) / len(h)
    values, vectors = np.linalg.eigh(centred.T @ centred / CLASSES)
    values, vectors = values[-(CLASSES - 1) :], vectors[:, -(CLASSES - 1) :]
    nc1 = np.trace(within @ (vectors / values) @ vectors.T) / CLASSES
    norms = np.linalg.norm(centred, axis=1)
    unit = centred / norms[:, None]
    apart = [abs(unit[i] @ unit[j] + 1 / (CLASSES - 1)) for i in range(CLASSES) for j in range(CLASSES) if i != j]
    nc3 = np.linalg.norm(w / np.linalg.norm(w) - centred / np.linalg.norm(centred)) ** 2
    nearest = np.array([np.linalg.norm(means - x, axis=1).argmin() for x in h])
    return nc1, norms.std(ddof=1) / norms.mean(), float(np.mean(apart)), nc3, float(np.mean(nearest != predicted))


def test_the_five_numbers_are_those_of_the_definitions() -> None:
    features, labels, predicted, weight = _random()
    found = geometry(features, labels, predicted, weight).numbers
    expected = _by_definition(features.numpy(), labels.numpy(), predicted.numpy(), weight.numpy())
    assert found == pytest.approx(expected, rel=1e-10)


def test_a_complete_collapse_is_zero_in_all_five() -> None:
    means = _simplex(CLASSES, 32)
    labels = torch.arange(60) % CLASSES
    source = torch.Generator().manual_seed(0)
    noise = 1e-6 * torch.randn(60, 32, generator=source, dtype=torch.float64)
    found = geometry(5 + 3 * means[labels] + noise, labels, labels, 0.2 * means)
    assert found.numbers == pytest.approx((0.0,) * 5, abs=1e-5)
    cosines = torch.tensor(found.cosines)
    assert torch.allclose(cosines, torch.where(torch.eye(CLASSES, dtype=torch.bool), 1.0, -1 / 9), atol=1e-4)


def test_float32_features_give_the_number_that_a_float32_pseudo_inverse_loses() -> None:
    """Class means span C - 1 of many dimensions: what float32 leaves of the others is noise to be divided by."""
    features, labels, predicted, weight = _random(width=256, dtype=torch.float32)
    exact = geometry(features.double(), labels, predicted, weight).numbers[0]
    assert geometry(features, labels, predicted, weight).numbers[0] == pytest.approx(exact, rel=1e-6)
    means = torch.stack([features[labels == c].mean(0) for c in range(CLASSES)])
    centred = means - means.mean(0)
    residual = features - means[labels]
    naive = torch.linalg.pinv(centred.t() @ centred / CLASSES, rtol=1e-9)
    lost = float(torch.trace(residual.t() @ residual / len(features) @ naive)) / CLASSES
    assert abs(lost) > 10 * exact, "the trap is there"


def test_degenerate_features_have_no_number_instead_of_a_wrong_one() -> None:
    features, labels, predicted, weight = _random(dtype=torch.float32)
    flat = features.clone()
    flat[:, 4:] = 0.0  # ten means in four dimensions
    found = geometry(flat, labels, predicted, weight).numbers
    assert math.isnan(found[0])
    assert all(map(math.isfinite, found[1:]))
    for broken in (features * math.inf, torch.zeros_like(features)):
        assert math.isnan(geometry(broken, labels, predicted, weight).numbers[0])
    none_of_one = labels.clamp(max=CLASSES - 2)
    assert all(map(math.isnan, geometry(features, none_of_one, predicted, weight).numbers))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_features_are_what_the_output_layer_sees(batch_norm: bool) -> None:
    """Of several members in groups and buckets: its weights times them, plus its bias, are the outputs."""
    hidden = [(6, 5), (4, 7), (6, 5), (4, 7)]
    layout = Layout(3, CLASSES, hidden, [0, 0, 1, 1], batch_norm=batch_norm)
    population = Population.initial(layout, [1, 2, 3, 4], dtype=torch.float64)
    for vectors in population.parameters.vectors:
        for vector in vectors:
            vector.normal_(generator=torch.Generator().manual_seed(len(vector)))
    inputs = torch.randn(2, collapse.CHUNK + 9, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    sets = torch.tensor([0 if layout.members[row] < 2 else 1 for row in range(4)])
    n = inputs.shape[1] - 1
    features, given = features_of(population, inputs, sets, n)
    assert [own.shape for own in features] == [(n, layout.hidden[i][-1]) for i in layout.members]
    for row, own in enumerate(features):
        alone = population.take([row])
        outputs = alone.logits([inputs[sets[row]][None, :n]])[0].t()
        bias = alone.parameters.vectors_of(0)[-1]
        assert torch.allclose(own @ output_weight(population, row).t() + bias, outputs, atol=1e-12)
        assert torch.equal(given[row], outputs.argmax(1))
        assert bool((own >= 0).all())


# --- samples ----------------------------------------------------------------------------------------------------------


def _arrays(counts: tuple[int, ...], *, pooled: bool, test: int = 30) -> Arrays:
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = np.arange(len(labels), dtype=np.float32)[:, None]
    order = np.random.default_rng(0).permutation(len(labels))
    x, y = rows[order], labels[order]
    return Arrays(x[test:], y[test:], x[:test], y[:test], len(counts), (1,), pooled)


@pytest.mark.parametrize("pooled", [False, True])
def test_every_class_has_as_many_samples_and_none_is_on_both_sides(pooled: bool) -> None:
    arrays = _arrays((40, 60, 100), pooled=pooled)
    each = per_class(arrays, 0)
    assert 20 < each <= 40
    samples = balanced(arrays, (0, 1, 7), each=each, n_test=0, device="cpu")
    assert samples.inputs.shape == (3, 3 * each, 1)
    assert samples.test_inputs.shape == (3, 30, 1)
    for labels in samples.labels:
        assert torch.bincount(labels).tolist() == [each] * 3
        assert labels[:each].unique().numel() > 1, "in a drawn order, not class by class"
    for train, test in zip(samples.inputs, samples.test_inputs, strict=True):
        assert not set(train.flatten().tolist()) & set(test.flatten().tolist())
    assert not torch.equal(samples.inputs[0], samples.inputs[1])


def test_a_seed_has_its_samples_in_any_company() -> None:
    arrays = _arrays((40, 60, 100), pooled=True)
    together = balanced(arrays, (3, 4), each=10, n_test=20, device="cpu")
    alone = balanced(arrays, (4,), each=10, n_test=20, device="cpu")
    assert torch.equal(together.inputs[1], alone.inputs[0])
    assert torch.equal(together.test_labels[1], alone.test_labels[0])


def test_fewer_samples_than_asked_for_where_a_class_is_scarce() -> None:
    arrays = _arrays((40, 60, 100), pooled=False)
    scarce = int(np.bincount(arrays.y_train).min())
    assert per_class(arrays, 1000) == scarce
    assert per_class(arrays, 31) == 10


# --- the learning rate in steps ---------------------------------------------------------------------------------------


def test_a_learning_rate_that_drops_is_a_schedule_of_its_own() -> None:
    recipe = Recipe(hidden=(4,), drops=(3, 5), decay=0.5)
    assert [recipe.factor(epoch) for epoch in range(6)] == pytest.approx([1, 0.5, 0.25, 0.0125, 0.00625, 0.0003125])
    assert Recipe().factor(7) == 1.0
    from dataclasses import replace

    from genlab_tui.training.members import Member

    samples = Samples(torch.zeros(1, 8, 2), torch.zeros(1, 8, dtype=torch.long), torch.zeros(1, 2, 2),
                      torch.zeros(1, 2, dtype=torch.long), 2, (2,))  # fmt: skip
    members = [Member("a", 0, recipe=recipe), Member("b", 0, recipe=replace(recipe, drops=()))]
    assert programs(members, samples, recipe) == [[0], [1]]


def test_the_names_of_the_phenomenon_are_those_measured() -> None:
    from genlab_tui.phenomena._neural_collapse import config

    assert config.METRICS == METRICS
