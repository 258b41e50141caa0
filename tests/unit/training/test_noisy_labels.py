"""Partly wrong labels: what is drawn, what is scored on what, which epochs are measured, what one epoch gets right."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genlab_tui.data import Arrays
from genlab_tui.phenomenon import Arm
from genlab_tui.training.evaluate import Cadence
from genlab_tui.training.first_epoch import shares_right, spread
from genlab_tui.training.members import Recipe
from genlab_tui.training.noisy_labels import Noisy, noisy_labels
from genlab_tui.training.train import Share

RECIPE = Recipe((12,), "adam", 0.02, batch=10, epochs=2, target=2)
N, CLASSES = 400, 10


def _arm(name: str, noise: float, *, labels: str = "wrong", inputs: str = "true", dropout: float = 0.0) -> Arm:
    return Arm(name, factors={"noise": noise, "labels": labels, "inputs": inputs, "dropout": dropout})


ARMS = (
    _arm("clean", 0.0),
    _arm("some", 0.2),
    _arm("many", 0.4),
    _arm("dropout", 0.4, dropout=0.5),
    _arm("gaussian", 0.0, inputs="gaussian"),
    _arm("random", 1.0, labels="random"),
)
NAMES = [arm.name for arm in ARMS]


def _arrays() -> Arrays:
    """Return classes of inputs around points of their own: half of the samples close to them, half of them not."""
    random = np.random.default_rng(5)
    centres = 3 * random.standard_normal((CLASSES, 8))
    y, y_test = random.integers(0, CLASSES, 600), random.integers(0, CLASSES, 200)
    far = random.choice([0.3, 4.0], (600, 1))
    x = (centres[y] + far * random.standard_normal((600, 8))).astype(np.float32)
    x_test = (centres[y_test] + random.standard_normal((200, 8))).astype(np.float32)
    return Arrays(x, y, x_test, y_test, CLASSES, (8,))


def _drawn(seeds: tuple[int, ...] = (1, 2), share: float = 0.4, recipe: Recipe = RECIPE) -> Noisy:
    return noisy_labels(_arrays(), ARMS, seeds, recipe, n=N, n_test=100, share=share)


def test_a_wrong_label_is_never_the_true_one() -> None:
    """So the share that is wrong is the noise itself, not nine tenths of it, and what is marked is what differs."""
    drawn = _drawn()
    labels = drawn.samples.labels
    for i, member in enumerate(drawn.members):
        assert member.labels == i
        wrong = labels[i] != drawn.true[i]
        if member.arm != "random":
            assert torch.equal(wrong, drawn.noisy[i])
            share = {"clean": 0.0, "gaussian": 0.0, "some": 0.2}.get(member.arm, 0.4)
            assert float(wrong.double().mean()) == pytest.approx(share, abs=0.06 if share else 0)
    offsets = ((labels - drawn.true) % CLASSES)[drawn.noisy & (labels != drawn.true)]
    assert set(offsets.tolist()) == set(range(1, CLASSES)), "any other class"


def test_labels_are_drawn_once_a_seed() -> None:
    """The same in every call and in every arm; more noise is the same noise and more."""
    first, second = _drawn(), _drawn()
    assert torch.equal(first.samples.labels, second.samples.labels)
    labels = dict(zip(NAMES, first.samples.labels, strict=False))
    assert torch.equal(labels["many"], labels["dropout"])
    some = first.noisy[NAMES.index("some")]
    assert torch.equal(labels["some"][some], labels["many"][some])
    other = first.samples.labels[len(ARMS) :]
    assert not torch.equal(other[2], labels["many"])
    alone = _drawn(seeds=(2,))
    assert torch.equal(alone.samples.labels, other), "whoever else is drawn"
    assert torch.equal(alone.samples.inputs, first.samples.inputs[2:])


def test_random_labels_say_nothing_and_are_split_by_chance() -> None:
    """A tenth of them is true by chance; the part that is marked is that of the noisy arm, whatever its labels."""
    drawn = _drawn()
    at = NAMES.index("random")
    right = drawn.samples.labels[at] == drawn.true[at]
    assert 0.05 < float(right.double().mean()) < 0.16
    marked = drawn.noisy[at]
    assert torch.equal(marked, drawn.noisy[NAMES.index("many")])
    for part in (marked, ~marked):
        assert 0.03 < float(right[part].double().mean()) < 0.2
    assert float(_drawn(share=0.1).noisy[at].double().mean()) == pytest.approx(0.1, abs=0.05)


def test_test_labels_are_never_corrupted_and_inputs_are_paired() -> None:
    drawn = _drawn()
    arrays = _arrays()
    real = [m for m in drawn.members if m.arm != "gaussian"]
    assert {m.seed: m.inputs for m in real} == {1: 0, 2: 2}
    spread = float(arrays.x_train.std())
    for seed_set in (0, 2):
        inputs = drawn.samples.test_inputs[seed_set].numpy() * spread + float(arrays.x_train.mean())
        for x, label in zip(inputs, drawn.samples.test_labels[seed_set], strict=True):
            (place,) = np.flatnonzero(np.abs(arrays.x_test - x).max(1) < 1e-4)
            assert arrays.y_test[place] == label
    assert float(drawn.samples.inputs[0].std()) == pytest.approx(1.0, abs=0.05)
    assert float(drawn.samples.inputs[1].std()) == pytest.approx(1.0, abs=0.05), "Gaussian inputs are as wide"


def test_dropout_is_added_to_what_the_run_has() -> None:
    recipe = dataclasses.replace(RECIPE, regularisers={"weight-decay": 0.1})
    recipes = {m.arm: m.recipe or recipe for m in _drawn(recipe=recipe).members}
    assert recipes["dropout"].regularisers == {"weight-decay": 0.1, "dropout": 0.5}
    assert recipes["many"].regularisers == {"weight-decay": 0.1}


@pytest.mark.parametrize("regularisers", [{}, {"early-stopping": 50.0}])
def test_the_curves_are_accuracies_on_their_parts(kit: SimpleNamespace, regularisers: dict[str, float]) -> None:
    """Against plain modules, sample by sample, in evaluation mode; of what is held out, nothing is scored."""
    recipe = dataclasses.replace(RECIPE, regularisers=regularisers)
    drawn = _drawn(recipe=recipe)
    result = kit.run(drawn.members, drawn.samples, recipe, probes=drawn.probes())
    n = N - recipe.validation(N)
    for i, member in enumerate(drawn.members):
        module = kit.module_of(result.state.trained(i), 0).eval()
        with torch.no_grad():
            given = module(drawn.samples.inputs[member.inputs][:n]).argmax(1)
        noisy, labels, true = drawn.noisy[i][:n], drawn.samples.labels[i][:n], drawn.true[i][:n]
        values = result.state.outcomes[i].values
        expected = {
            "clean_fit": (given == labels)[~noisy],
            "noisy_fit": (given == labels)[noisy],
            "recovery": (given == true)[noisy],
        }
        for name, right in expected.items():
            if len(right):
                assert values[name] == pytest.approx(float(right.double().mean()), abs=1e-12), (member.arm, name)
            else:
                assert math.isnan(values[name])
        whole = float((given == labels).double().mean())
        assert values["train_accuracy"] == pytest.approx(whole, abs=1e-12)


def test_the_first_epochs_are_all_measured_where_that_is_asked_for(kit: SimpleNamespace) -> None:
    """The usual ends of epochs besides; nothing within an epoch that was not due before."""
    sizes = (1200, 600, 19, 60.0)
    usual, dense = Cadence(*sizes), Cadence(*sizes, dense=30)
    steps = range(60 * 19 + 1)
    before, after = ({step for step in steps if cadence.due(step)} for cadence in (usual, dense))
    ends = {19 * epoch for epoch in range(1, 31)}
    assert after == before | ends
    assert len(before & ends) < 20
    recipe = dataclasses.replace(RECIPE, epochs=12, dense=12)
    result = kit.run(_drawn().members[:1], _drawn().samples, recipe)
    epochs = {curve.epoch for curve in result.curves("train_loss")}
    assert epochs >= set(range(1, 13))


def test_easy_samples_are_told_from_chance() -> None:
    """Independent answers have a spread of 1; samples that are always or never right have one of the inits' number."""
    source = torch.Generator().manual_seed(1)
    chance = (torch.rand(10, 20_000, generator=source) < 0.3).double().mean(0)
    assert spread(chance, 10) == pytest.approx(1.0, abs=0.05)
    assert spread(torch.tensor([0.0, 1.0, 1.0, 0.0]), 10) == pytest.approx(10.0)
    assert math.isnan(spread(torch.ones(5), 10))


def test_one_epoch_gets_the_same_real_samples_right(kit: SimpleNamespace) -> None:
    """Networks of several initialisations and orders, no members of the run: nothing but progress is said."""
    desk = kit.Desk()
    recipe = dataclasses.replace(RECIPE, epochs=50, dense=50, batch=40)
    work = shares_right(_arrays(), (1, 2), recipe, desk, n=N, inits=6, cohort="first", share=Share())
    said = []
    try:
        while True:
            said.append(type(next(work)).__name__)
    except StopIteration as stop:
        found = stop.value
    assert set(said) == {"Progress"}
    for seed in (1, 2):
        real, noise = found[seed]["true"], found[seed]["gaussian"]
        assert real.shape == noise.shape == (N,)
        assert {round(6 * v, 3) for v in real.tolist()} <= {float(k) for k in range(7)}
        assert float(real.mean()) > float(noise.mean()) + 0.1
        assert 0 < float(noise.mean()) < 0.4
        assert spread(real, 6) > spread(noise, 6)
