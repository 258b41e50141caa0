"""What is measured and what is drawn: clean passes in evaluation mode, fixed labels, draws of a member's own."""

from __future__ import annotations

import math
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab_tui import events as ev
from genlab_tui.training import seeds
from genlab_tui.training.batches import bounds
from genlab_tui.training.evaluate import Cadence, evaluate
from genlab_tui.training.members import FINALS, Member, Recipe

EVERYTHING = {
    "dropout": 0.4,
    "augmentation": 1.0,
    "label-smoothing": 0.3,
    "mixup": 1.0,
    "batch-norm": 0.1,
    "l1": 1e-3,
}
MEMBERS = [
    Member("true", 3),
    Member("random", 3, labels=1),
    Member("fresh", 3, labels=1, fresh=True),
    Member("true", 4, inputs=1),
]


# --- measuring --------------------------------------------------------------------------------------------------------


def test_final_numbers_are_a_clean_pass(kit: SimpleNamespace) -> None:
    """With everything on that disturbs training, the numbers are plain cross-entropy and accuracy in eval mode."""
    samples = kit.make_samples()
    recipe = Recipe((9, 7), "adam", 0.01, batch=11, epochs=3, target=2, regularisers=EVERYTHING)
    result = kit.run(MEMBERS, samples, recipe)
    last = {curve.metric: curve for curve in result.events if isinstance(curve, ev.Curve)}
    for i, member in enumerate(MEMBERS):
        labels = samples.labels[member.labels]
        if member.fresh:
            source = seeds.generator(member.seed, seeds.FRESH_LABELS, 3)
            labels = torch.randint(4, (60,), generator=source)
        module = kit.module_of(result.state.trained(i), 0).eval()
        expected = {}
        for part, x, y in (
            ("train", samples.inputs[member.inputs], labels),
            ("test", samples.test_inputs[member.inputs], samples.test_labels[member.inputs]),
        ):
            with torch.no_grad():
                logits = module(x)
            expected[f"{part}_loss"] = float(nn.functional.cross_entropy(logits, y))
            expected[f"{part}_accuracy"] = float((logits.argmax(1) == y).double().mean())
        for name in FINALS:
            assert result.state.outcomes[i].values[name] == pytest.approx(expected[name], rel=1e-10), name
            assert last[name].values[i] == pytest.approx(expected[name], rel=1e-10)
        assert result.state.outcomes[i].values["test_error"] == pytest.approx(1 - expected["test_accuracy"])


def test_looking_changes_nothing(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluating at every step leaves weights and running statistics as they are."""
    samples = kit.make_samples()
    recipe = Recipe((9,), "adam", 0.01, batch=11, epochs=3, target=2, regularisers=EVERYTHING)
    seldom = kit.run(MEMBERS, samples, recipe)
    monkeypatch.setattr(Cadence, "due", lambda self, step: True)
    often = kit.run(MEMBERS, samples, recipe)
    assert len(often.curves("train_loss")) > len(seldom.curves("train_loss"))
    for i in range(len(MEMBERS)):
        for mine, theirs in zip(often.state.weights[i], seldom.state.weights[i], strict=True):
            assert torch.equal(mine, theirs)


def test_evaluation_in_pieces_is_evaluation(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and spans: sums over pieces are the whole, for members with different sets."""
    samples = kit.make_samples(n=61)
    population = kit.population((8,), [1, 2])
    sets, labels = torch.tensor([1, 0]), samples.labels[[0, 2]]
    whole = evaluate(population, samples.inputs, sets, labels)
    monkeypatch.setattr("genlab_tui.training.evaluate._ELEMENTS", {"cpu": 1})
    pieces = evaluate(population, samples.inputs, sets, labels)
    assert pieces[0] == pytest.approx(whole[0], rel=1e-12)
    assert pieces[1] == whole[1]
    halves = [evaluate(population, samples.inputs, sets, labels, span) for span in ((0, 20), (20, 61))]
    mixed = [(20 * a + 41 * b) / 61 for a, b in zip(halves[0][0], halves[1][0], strict=True)]
    assert mixed == pytest.approx(whole[0], rel=1e-12)


def test_a_model_without_hidden_layers_is_evaluated_too(kit: SimpleNamespace) -> None:
    recipe = Recipe((), "sgd", 0.1, batch=20, epochs=2, target=2)
    outcome = kit.run(MEMBERS[:1], kit.make_samples(), recipe).state.outcomes[0]
    assert math.isfinite(outcome.values["train_loss"])


def test_a_member_ends_at_the_first_epoch_with_the_target(
    kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cheap look at a part of the training set never changes who has fitted, nor when."""
    samples = kit.make_samples(n=200, noise=0.6)
    recipe = Recipe((32,), "adam", 0.01, batch=10, epochs=40, target=0.97)
    usual = kit.run(MEMBERS[:2], samples, recipe).state.outcomes
    monkeypatch.setattr("genlab_tui.training.measure.SCREEN", 1000)
    monkeypatch.setattr("genlab_tui.training.measure.SCREEN_SLACK", 1.0)
    looked = kit.run(MEMBERS[:2], samples, recipe).state.outcomes
    assert {i: (o.end, o.step) for i, o in usual.items()} == {i: (o.end, o.step) for i, o in looked.items()}
    for outcome in usual.values():
        assert outcome.end == "fitted"
        assert outcome.values["train_accuracy"] >= 0.97
        assert outcome.values["steps_to_fit"] == outcome.step == 20 * outcome.values["epochs_to_fit"]
    never = Recipe((32,), "adam", 0.01, batch=10, epochs=40, target=2)
    until = {i: o.step for i, o in usual.items()}
    monkeypatch.setattr(Cadence, "due", lambda self, step: step % 20 == 0)
    curves = kit.run(MEMBERS[:2], samples, never).curves("train_accuracy")
    for i, step in until.items():
        assert all(float(c.values[i]) < 0.97 for c in curves if c.step < step)


@pytest.mark.parametrize(
    ("n", "test", "batch", "epochs"), [(1000, 597, 100, 300), (50_000, 10_000, 128, 200), (60, 40, 10, 100_000)]
)
def test_curves_are_dense_at_first_and_bounded(n: int, test: int, batch: int, epochs: int) -> None:
    """Within the first epoch at powers of four; ends of epochs, gaps that never shrink; a few thousand at most."""
    steps = len(bounds(n, batch))
    cadence = Cadence(n, test, steps, epochs)
    due = [step for step in range(steps) if cadence.due(step)]
    assert due == [s for s in (0, 1, 4, 16, 64, 256) if s < steps]
    ends = [e for e in range(1, epochs + 1) if cadence.due(e * steps)]
    gaps = [b - a for a, b in pairwise(ends)]
    assert ends[0] == 1
    assert gaps == sorted(gaps)
    assert len(ends) + len(due) <= 4000
    later = Cadence(n, test, steps, epochs)
    assert later.due(ends[-1] * steps), "a resumed run asks late and gets the same answer"
    assert not any(cadence.due(e * steps) for e in range(ends[-2] + 1, ends[-1]))


# --- drawing ----------------------------------------------------------------------------------------------------------


def test_labels_are_drawn_once_but_for_the_control(kit: SimpleNamespace) -> None:
    """Labels of every epoch are those of the samples; the fresh ones are new in every epoch and uniform."""
    samples = kit.make_samples(n=400)
    batches = kit.Draws(MEMBERS, samples, Recipe((4,)))
    first = batches.labels_at(0)
    fresh = []
    for epoch in range(12):
        labels = batches.labels_at(epoch)
        for row in (0, 1, 3):
            assert torch.equal(labels[row], samples.labels[MEMBERS[row].labels])
        assert torch.equal(labels, batches.labels_at(epoch))
        assert epoch == 0 or not torch.equal(labels[2], first[2])
        agree = float((labels[2] == batches.labels_at(epoch + 1)[2]).double().mean())
        assert abs(agree - 0.25) < 0.1, "one draw says nothing about the next"
        fresh.append(labels[2])
    counts = torch.bincount(torch.cat(fresh), minlength=4) / 4800
    assert torch.allclose(counts, torch.full((4,), 0.25), atol=0.03)


def test_training_uses_the_labels_of_its_epoch(kit: SimpleNamespace) -> None:
    """The targets of all batches of an epoch, put back in order, are that epoch's labels: each sample once."""
    samples = kit.make_samples()
    batches = kit.Draws(MEMBERS, samples, Recipe((4,), batch=7))
    orders = []
    for epoch in range(3):
        batches.begin(epoch)
        orders.append(batches.order.clone())
        drawn = [batches.batch(position) for position in range(len(batches.bounds))]
        inputs, targets = (torch.cat(parts, 1) for parts in zip(*drawn, strict=True))
        for row, member in enumerate(MEMBERS):
            place = batches.order[row].argsort()
            assert torch.equal(inputs[row, place], samples.inputs[member.inputs])
            assert torch.equal(targets[row, place].argmax(1), batches.labels_at(epoch)[row])
    assert not torch.equal(orders[0], orders[1])
    assert all(torch.equal(order[0], order[1]) for order in orders), "one seed, one order: arms are paired"
    assert not torch.equal(orders[0][0], orders[0][3])


def test_draws_do_not_depend_on_the_company(kit: SimpleNamespace) -> None:
    """Batches, shifts, mixing, masks and fresh labels of a member are the same whoever trains beside it."""
    samples = kit.make_samples()
    recipe = Recipe((9, 7), batch=11, regularisers={**EVERYTHING, "early-stopping": 5.0})
    together = kit.Draws(MEMBERS, samples, recipe)
    for row, member in enumerate(MEMBERS):
        for company in ([member], [Member("other", 99), member], [*reversed(MEMBERS)]):
            batches, at = kit.Draws(company, samples, recipe), company.index(member)
            for epoch in (0, 5):
                batches.begin(epoch)
                together.begin(epoch)
                for position in range(len(batches.bounds)):
                    for mine, theirs in zip(batches.batch(position), together.batch(position), strict=True):
                        assert torch.equal(mine[at], theirs[row])
                    step = epoch * len(batches.bounds) + position
                    masks = list(zip(batches.masks(step, position), together.masks(step, position), strict=True))
                    assert len(masks) == 2
                    assert all(torch.equal(mine[at], theirs[row]) for mine, theirs in masks)


@pytest.mark.parametrize("streams", [None, [0, 0, 0]])
def test_initial_weights_are_those_of_the_seed(kit: SimpleNamespace, streams: list[int] | None) -> None:
    """He-normal matrices, zero biases; alike for a seed in any company and precision, other for another seed."""
    three = kit.population((200,), [5, 6, 5], inputs=300, classes=10, dtype=torch.float32, streams=streams)
    alone = kit.population((200,), [5], inputs=300, classes=10)
    first, second, third = (three.parameters.weights_of(row)[0] for row in range(3))
    assert torch.equal(first, third)
    assert not torch.equal(first, second)
    assert torch.equal(alone.parameters.weights_of(0)[0], first.double())
    assert float(first.std()) == pytest.approx(math.sqrt(2 / 300), rel=0.02)
    for row in range(3):
        assert not any(vector.any() for vector in three.parameters.vectors_of(row))


def test_initial_weights_are_the_same_numbers_in_every_version(kit: SimpleNamespace) -> None:
    """The first weight matrix of a seed is drawn [before, after] from its own generator, as it always was."""
    network = kit.population((7,), [5], dtype=torch.float32)
    source = seeds.generator(5, seeds.INIT)
    for weight, (before, after) in zip(network.parameters.weights_of(0), ((25, 7), (7, 4)), strict=True):
        assert torch.equal(weight, torch.randn(before, after, generator=source).t() * math.sqrt(2 / before))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_initialisation_schemes(kit: SimpleNamespace, batch_norm: bool) -> None:
    """Glorot's and torch's own have the bounds that they declare; torch's draws biases too, where there are any."""
    schemes = ["glorot-uniform", "torch", "he-normal"]
    three = kit.population(
        (150,), [5, 5, 5], inputs=300, classes=50, dtype=torch.float32, schemes=schemes, batch_norm=batch_norm
    )
    sizes = ((300, 150), (150, 50))
    for row, bounds_of in ((0, [(6 / (a + b)) ** 0.5 for a, b in sizes]), (1, [a**-0.5 for a, _ in sizes])):
        for weight, bound in zip(three.parameters.weights_of(row), bounds_of, strict=True):
            assert bound * 0.99 < float(weight.abs().max()) <= bound
            assert float(weight.std()) == pytest.approx(bound / 3**0.5, rel=0.03)
    *hidden, out = three.parameters.vectors_of(1)
    assert 150**-0.5 * 0.9 < float(out.abs().max()) <= 150**-0.5
    if batch_norm:
        assert torch.equal(hidden[0], torch.ones(150))
        assert not hidden[1].any()
    else:
        assert 300**-0.5 * 0.9 < float(hidden[0].abs().max()) <= 300**-0.5
    for row in (0, 2):
        assert not three.parameters.vectors_of(row)[-1].any()


def test_streams_are_apart() -> None:
    """No two purposes, seeds or places share a stream."""
    purposes = (seeds.INIT, seeds.ORDER, seeds.DROPOUT, seeds.MIXUP, seeds.AUGMENTATION, seeds.FRESH_LABELS)
    drawn = [seeds.stream(s, p, at) for s in (0, 1, 11) for p in purposes for at in (0, 1, 10, 110)]
    assert len(set(drawn)) == len(drawn)
    assert all(0 <= value < 2**63 for value in drawn)


@pytest.mark.parametrize(
    ("n", "batch", "sizes"),
    [
        (10, 5, [5, 5]),
        (11, 5, [5, 6]),
        (12, 5, [5, 5, 2]),
        (4, 9, [4]),
        (1, 9, [1]),
        (5, 2, [2, 3]),
    ],
)
def test_no_batch_of_one_is_left_over(n: int, batch: int, sizes: list[int]) -> None:
    assert [stop - start for start, stop in bounds(n, batch)] == sizes


# --- gradient ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_norm", [False, True])
def test_gradient_equals_finite_differences(kit: SimpleNamespace, batch_norm: bool) -> None:
    """In float64, central differences of the loss along every parameter agree to 1e-6."""
    population = kit.population((5, 3), [8], inputs=4, classes=3, batch_norm=batch_norm)
    source = torch.Generator().manual_seed(5)
    population.parameters.flat.add_(0.2 * torch.randn(population.parameters.flat.shape, generator=source).double())
    x = torch.randn(1, 9, 4, generator=source, dtype=torch.float64)
    target = torch.rand(1, 9, 3, generator=source, dtype=torch.float64)
    target /= target.sum(2, keepdim=True)
    masks = [[(torch.rand(9, h, generator=source) > 0.2).double() / 0.8] for h in (5, 3)]
    out, scrap = population.parameters.like(), population.parameters.like()
    kit.gradient(population, x, target, masks, out)
    flat, h = population.parameters.flat, 1e-6
    for k in range(len(flat)):
        centre = float(flat[k])
        around = []
        for side in (centre + h, centre - h):
            flat[k] = side
            around.append(float(kit.gradient(population, x, target, masks, scrap)))
        flat[k] = centre
        assert float(out.flat[k]) == pytest.approx((around[0] - around[1]) / (2 * h), rel=1e-5, abs=1e-8)
