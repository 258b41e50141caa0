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
from genlab_tui.training.batches import Batches, bounds
from genlab_tui.training.evaluate import Cadence, evaluate
from genlab_tui.training.members import FINALS, Member, Recipe
from genlab_tui.training.population import Architecture, Population

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
    population = Population.initial(Architecture(25, (8,), 4), [1, 2], dtype=torch.float64)
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
    monkeypatch.setattr("genlab_tui.training.train.SCREEN", 1000)
    monkeypatch.setattr("genlab_tui.training.train.SCREEN_SLACK", 1.0)
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
    batches = Batches(MEMBERS, samples, Recipe((4,)), torch.float64)
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
    batches = Batches(MEMBERS, samples, Recipe((4,), batch=7), torch.float64)
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
    together = Batches(MEMBERS, samples, recipe, torch.float64)
    for row, member in enumerate(MEMBERS):
        for company in ([member], [Member("other", 99), member], [*reversed(MEMBERS)]):
            batches, at = Batches(company, samples, recipe, torch.float64), company.index(member)
            for epoch in (0, 5):
                batches.begin(epoch)
                together.begin(epoch)
                for position in range(len(batches.bounds)):
                    for mine, theirs in zip(batches.batch(position), together.batch(position), strict=True):
                        assert torch.equal(mine[at], theirs[row])
                    step = epoch * len(batches.bounds) + position
                    masks = zip(
                        batches.masks(step, position, (9, 7)), together.masks(step, position, (9, 7)), strict=True
                    )
                    assert all(torch.equal(mine[at], theirs[row]) for mine, theirs in masks)


def test_initial_weights_are_those_of_the_seed() -> None:
    """He-normal matrices, zero biases; alike for a seed in any company and precision, other for another seed."""
    architecture = Architecture(300, (200,), 10)
    three = Population.initial(architecture, [5, 6, 5])
    alone = Population.initial(architecture, [5], dtype=torch.float64)
    assert torch.equal(three.parameters.parts[0][0], three.parameters.parts[0][2])
    assert not torch.equal(three.parameters.parts[0][0], three.parameters.parts[0][1])
    assert torch.equal(alone.parameters.parts[0][0], three.parameters.parts[0][0].double())
    assert float(three.parameters.parts[0][0].std()) == pytest.approx(math.sqrt(2 / 300), rel=0.02)
    assert not three.parameters.parts[2].any()
    assert not three.parameters.parts[3].any()


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
def test_gradient_equals_finite_differences(batch_norm: bool) -> None:
    """In float64, central differences of the loss along every parameter agree to 1e-6."""
    architecture = Architecture(4, (5, 3), 3, batch_norm)
    population = Population.initial(architecture, [8], dtype=torch.float64)
    source = torch.Generator().manual_seed(5)
    population.parameters.flat.add_(0.2 * torch.randn(population.parameters.flat.shape, generator=source).double())
    x = torch.randn(1, 9, 4, generator=source, dtype=torch.float64)
    target = torch.rand(1, 9, 3, generator=source, dtype=torch.float64)
    target /= target.sum(2, keepdim=True)
    masks = [(torch.rand(1, 9, h, generator=source) > 0.2).double() / 0.8 for h in (5, 3)]
    out, scrap = population.parameters.like(), population.parameters.like()
    population.gradient(x, target, masks, out)
    flat, h = population.parameters.flat, 1e-6
    for k in range(len(flat)):
        centre = float(flat[k])
        around = []
        for side in (centre + h, centre - h):
            flat[k] = side
            around.append(float(population.gradient(x, target, masks, scrap)))
        flat[k] = centre
        assert float(out.flat[k]) == pytest.approx((around[0] - around[1]) / (2 * h), rel=1e-5, abs=1e-8)
