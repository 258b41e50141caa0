"""Training in subspaces: gradients against autograd and differences, what may move, Adam against torch's own."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from genlab_tui.training.members import Recipe, Samples
from genlab_tui.training.population import draw
from genlab_tui.training.projection import KINDS, Draws
from genlab_tui.training.subspace import Task, Unit

DIMS = (2, 5, 11)


def _samples(shape: tuple[int, ...] = (6,), dtype: torch.dtype = torch.float64) -> Samples:
    source = torch.Generator().manual_seed(3)
    features = 1
    for side in shape:
        features *= side
    inputs = torch.randn(2, 40, features, generator=source).to(dtype)
    labels = torch.randint(3, (2, 40), generator=source)
    return Samples(inputs, labels, inputs[:, :15].clone(), labels[:, :15].clone(), 3, shape)


def _unit(kind: str = "dense", *, nested: bool = True, n: int = 40, seed: int = 9, **recipe: Any) -> Unit:
    own = Recipe(**{"hidden": (7, 4), "batch": 20, "lr": 0.1, "epochs": 3, "coupled": True, **recipe})
    samples = _samples((1, 16, 16)) if own.network else _samples()
    names = tuple(f"d {d}" for d in DIMS)
    task = Task(names, seed, own, DIMS, 1, 1, n, "test")
    return Unit(task, samples, Draws(kind, nested=nested, dtype=torch.float64))


@pytest.mark.parametrize("norm", ["before", "after", "scale"])
def test_batch_norm_stands_where_the_recipe_has_it(norm: str) -> None:
    unit = _unit(regularisers={"batch-norm": 0.1}, norm=norm)
    assert unit.populations[0].layout.norm == norm


def _logits(theta: Tensor, x: Tensor, hidden: tuple[int, ...] = (7, 4)) -> Tensor:
    """Return outputs of a perceptron from its flat numbers: matrices, then biases."""
    sizes = (x.shape[1], *hidden, 3)
    shapes = [(b, a) for a, b in pairwise(sizes)]
    parts = torch.split(theta, [a * b for a, b in shapes] + list(sizes[1:]))
    count = len(shapes)
    h = x
    for layer, (part, shape) in enumerate(zip(parts[:count], shapes, strict=True)):
        h = h @ part.view(shape).T + parts[count + layer]
        h = h.relu() if layer < count - 1 else h
    return h


def _losses(unit: Unit, z: Tensor) -> Tensor:
    """Return the loss of every row on the first batch as a function of z, by P as a matrix."""
    theta = unit.start.expand(len(DIMS), -1).clone()
    moved = torch.stack([_column(unit, row, z[row]) for row in range(len(DIMS))])
    x, labels = unit.batches.inputs(0)[0][0], unit.batches.targets(0).labels
    found = [nn.functional.cross_entropy(_logits(t, x), labels[0]) for t in theta + moved]
    return torch.stack(found)


def _column(unit: Unit, row: int, z: Tensor) -> Tensor:
    """Return P z of one row through the columns of P, so that autograd sees z."""
    columns = torch.zeros(unit.basis.columns, len(unit.start), dtype=torch.float64)
    for column in range(DIMS[row]):
        one = torch.zeros(len(DIMS), unit.basis.columns, dtype=torch.float64)
        one[row, column] = 1.0
        out = torch.zeros(len(DIMS), len(unit.start), dtype=torch.float64)
        unit.basis.add(one, out)
        columns[column] = out[row]
    return z @ columns


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nested", [True, False])
def test_the_gradient_is_autograds(kind: str, nested: bool) -> None:
    unit = _unit(kind, nested=nested)
    unit.train(0, 3)
    unit.batches.begin(5)
    z = unit.z.clone().requires_grad_()
    _losses(unit, z).sum().backward()
    wanted = z.grad
    assert wanted is not None
    torch.testing.assert_close(unit.gradient(0, 99), wanted, rtol=1e-9, atol=1e-12)
    assert float(wanted[0, : DIMS[0]].abs().min()) > 0


def test_the_gradient_is_that_of_finite_differences_with_weight_decay() -> None:
    """Coupled: half the coefficient times the squares of the weight matrices of theta, not of theta_d."""
    unit = _unit(regularisers={"weight-decay": 0.3})
    unit.train(0, 3)
    unit.batches.begin(5)
    found = unit.gradient(0, 99)
    count = 6 * 7 + 7 * 4 + 4 * 3

    def loss(z: Tensor) -> Tensor:
        moved = torch.stack([unit.start + _column(unit, row, z[row]) for row in range(len(DIMS))])
        return _losses(unit, z) + 0.15 * moved[:, :count].square().sum(1)

    for row, column in ((0, 1), (1, 4), (2, 10)):
        step = torch.zeros_like(unit.z)
        step[row, column] = 1e-6
        slope = (loss(unit.z + step) - loss(unit.z - step))[row] / 2e-6
        assert float(found[row, column]) == pytest.approx(float(slope), rel=1e-5, abs=1e-8)


def test_biases_and_batch_norm_are_inside_d() -> None:
    assert len(_unit().start) == 6 * 7 + 7 + 7 * 4 + 4 + 4 * 3 + 3
    normal = _unit(regularisers={"batch-norm": 0.1})
    assert len(normal.start) == 6 * 7 + 7 * 4 + 4 * 3 + 2 * (7 + 4) + 3
    normal.train(0, 4)
    moved = (normal.theta[-1] - normal.start).abs()
    assert float(moved.min()) > 0, "every number moves: scales and shifts too"


@pytest.mark.parametrize("kind", KINDS)
def test_theta_stays_in_the_subspace_of_the_first_draw(kind: str) -> None:
    """A P drawn anew in every step would leave it."""
    unit = _unit(kind)
    unit.train(0, 6)
    unit.place()
    fresh = Draws(kind, dtype=torch.float64).basis(9, "test", len(unit.start), DIMS)
    for row, d in enumerate(DIMS):
        columns = torch.zeros(d, len(unit.start), dtype=torch.float64)
        fresh.projections[0].add(torch.eye(d, fresh.columns, dtype=torch.float64), [d] * d, columns)
        moved = unit.theta[row] - unit.start
        left = moved - torch.linalg.lstsq(columns.T, moved[:, None]).solution[:, 0] @ columns
        assert float(moved.norm()) > 0.1
        assert float(left.norm()) < 1e-9 * float(moved.norm())
        assert not unit.z[row, d:].any()


def test_a_network_starts_where_direct_training_starts() -> None:
    unit = _unit()
    matrices = draw((6, 7, 4, 3), 9, "he-normal", biases=True)[:3]
    wanted = torch.cat([m.double().flatten() for m in matrices])
    torch.testing.assert_close(unit.start[: len(wanted)], wanted)
    assert not unit.start[len(wanted) :].any()
    assert not unit.z.any()


def test_steps_are_those_of_torchs_adam() -> None:
    unit, other = _unit(decay=0.5), _unit()
    z = torch.zeros_like(other.z, requires_grad=True)
    adam = torch.optim.Adam([z], lr=0.1)
    for step in range(4):
        epoch, position = divmod(step, 2)
        if position == 0:
            other.batches.begin(epoch)
        other.z.copy_(z.detach())
        z.grad = other.gradient(position, step)
        adam.param_groups[0]["lr"] = 0.1 * 0.5**epoch
        adam.step()
    unit.train(0, 4)
    torch.testing.assert_close(unit.z, z.detach(), rtol=1e-10, atol=1e-12)


def test_dimensions_train_as_they_would_alone() -> None:
    together = _unit()
    together.train(0, 6)
    for row, d in enumerate(DIMS):
        task = Task((f"d {d}",), 9, together.task.recipe, (d,), 1, 1, 40, "test", max(DIMS))
        alone = Unit(task, together.samples, Draws("dense", dtype=torch.float64))
        alone.train(0, 6)
        torch.testing.assert_close(alone.z[0, :d], together.z[row, :d], rtol=1e-9, atol=1e-11)


def test_lenet_trains_in_a_subspace() -> None:
    unit = _unit("fastfood", network="lenet", hidden=())
    before = unit.finals()
    unit.train(0, 6)
    after = unit.finals()
    assert len(unit.populations) == len(DIMS)
    assert after[-1]["train_loss"] < before[-1]["train_loss"]
    step = torch.zeros_like(unit.z)
    step[2, 7] = 1e-5
    unit.batches.begin(9)
    slope = unit.gradient(0, 0)[2, 7]
    losses = []
    for sign in (1, -1):
        unit.z.add_(step, alpha=sign)
        unit.place()
        z = unit.populations[2].logits(unit.batches.inputs(0))[0].T
        losses.append(nn.functional.cross_entropy(z, unit.batches.targets(0).labels[0]))
        unit.z.sub_(step, alpha=sign)
    assert float(slope) == pytest.approx(float(losses[0] - losses[1]) / 2e-5, rel=1e-4, abs=1e-8)


def test_a_unit_that_diverged_has_no_numbers() -> None:
    unit = _unit()
    unit.z[1, 0] = float("nan")
    finals = unit.finals()
    assert [row["test_accuracy"] == row["test_accuracy"] for row in finals] == [True, False, True]


@pytest.mark.parametrize(
    ("regulariser", "strength"),
    [
        ("dropout", 0.5),
        ("mixup", 0.2),
        ("label-smoothing", 0.1),
        ("batch-norm", 0.1),
        ("l1", 0.01),
        ("weight-decay", 1),
    ],
)
def test_regularisers_change_what_a_subspace_learns(regulariser: str, strength: float) -> None:
    plain, regular = _unit(), _unit(regularisers={regulariser: strength})
    for unit in (plain, regular):
        unit.train(0, 4)
        assert torch.isfinite(unit.z).all()
    assert not torch.allclose(plain.z, regular.z)
