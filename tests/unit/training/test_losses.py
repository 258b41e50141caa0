"""The losses with their derivatives: against autograd and finite differences."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab_tui.training.losses import Targets, measured, objective
from genlab_tui.training.members import LOSSES, Member, Recipe

ROWS, CLASSES, BATCH = 3, 4, 7


def _outputs(seed: int = 0) -> torch.Tensor:
    return torch.randn(ROWS, CLASSES, BATCH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _targets(kind: str) -> Targets:
    source = torch.Generator().manual_seed(3)
    labels, partners = (torch.randint(CLASSES, (ROWS, BATCH), generator=source) for _ in range(2))
    smoothing = torch.tensor([0.0, 0.1, 0.4], dtype=torch.float64) if "smooth" in kind else None
    if "mixed" in kind:
        return Targets(labels, smoothing, partners, torch.tensor([1.0, 0.3, 0.8], dtype=torch.float64))
    return Targets(labels, smoothing)


def _dense(targets: Targets) -> torch.Tensor:
    """Return target probabilities [rows, batch, classes] row by row, by torch's one_hot."""
    found = []
    for row in range(ROWS):
        target = nn.functional.one_hot(targets.labels[row], CLASSES).double()
        if targets.partners is not None and targets.share is not None:
            other = nn.functional.one_hot(targets.partners[row], CLASSES).double()
            target = targets.share[row] * target + (1 - targets.share[row]) * other
        if targets.smoothing is not None:
            target = (1 - targets.smoothing[row]) * target + targets.smoothing[row] / CLASSES
        found.append(target)
    return torch.stack(found)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["hard", "smooth", "mixed", "mixed and smooth"])
@pytest.mark.parametrize("scaled", [False, True])
def test_derivatives_equal_autograd(kit: SimpleNamespace, loss: str, kind: str, scaled: bool) -> None:
    """Row by row, for all kinds of targets; a scale multiplies a row's derivative and not its loss."""
    targets = _targets(kind)
    scale = torch.tensor([2.0, 0.0, 1e-3], dtype=torch.float64) if scaled else None
    z = _outputs()
    losses = objective(loss, targets, scale)(z)
    dense = _dense(targets)
    for row in range(ROWS):
        outputs = _outputs()[row].t().requires_grad_()
        expected = kit.loss_of(outputs, dense[row], loss)
        expected.backward()
        assert outputs.grad is not None
        torch.testing.assert_close(losses[row], expected.detach(), rtol=1e-12, atol=1e-14)
        factor = 1.0 if scale is None else scale[row]
        torch.testing.assert_close(z[row].t(), factor * outputs.grad, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_derivatives_equal_finite_differences(loss: str) -> None:
    targets, z, h = _targets("mixed and smooth"), _outputs(), 1e-6
    objective(loss, targets)(z)
    for row in range(ROWS):
        for c in range(CLASSES):
            for k in (0, 3):
                around = []
                for side in (h, -h):
                    moved = _outputs()
                    moved[row, c, k] += side
                    around.append(float(objective(loss, targets)(moved)[row]))
                assert float(z[row, c, k]) == pytest.approx((around[0] - around[1]) / (2 * h), rel=1e-5, abs=1e-9)


def test_the_squared_loss_is_summed_over_outputs() -> None:
    """Not averaged: outputs of zero against one-hot targets have a loss of 1, whatever the number of classes."""
    for classes in (2, 10):
        z = torch.zeros(1, classes, 5, dtype=torch.float64)
        labels = torch.tensor([[0, 1, 0, 1, 1]])
        assert float(objective("squared", Targets(labels))(z)) == 1.0
        z = torch.zeros(1, classes, 5, dtype=torch.float64)
        assert measured("squared", z, labels)[0].tolist() == [5.0]


@pytest.mark.parametrize("loss", LOSSES)
def test_measuring_is_the_plain_loss(kit: SimpleNamespace, loss: str) -> None:
    """Summed over samples, in float64, with the number of right answers."""
    labels = _targets("hard").labels
    total, right = measured(loss, _outputs(), labels)
    for row in range(ROWS):
        outputs = _outputs()[row].t()
        expected = kit.loss_of(outputs, nn.functional.one_hot(labels[row], CLASSES).double(), loss)
        assert float(total[row]) == pytest.approx(BATCH * float(expected), rel=1e-12)
        assert int(right[row]) == int((outputs.argmax(1) == labels[row]).sum())


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("hidden", [[(), ()], [(5, 3), (4, 6)]])
def test_gradient_of_the_squared_loss(kit: SimpleNamespace, hidden: list[tuple[int, ...]], batch_norm: bool) -> None:
    """Through whole networks: autograd's, to 1e-10, on smoothed targets."""
    population = kit.population(hidden, [3, 4], inputs=6, batch_norm=batch_norm, momentum=0.1)
    source = torch.Generator().manual_seed(1)
    x = torch.randn(2, 9, 6, generator=source, dtype=torch.float64)
    labels = torch.randint(4, (2, 9), generator=source)
    members = population.layout.members
    targets = Targets(labels[members], torch.tensor([0.2, 0.2], dtype=torch.float64))
    row_of = population.layout.row_of
    modules = [kit.module_of(population, row_of[i]).train() for i in range(2)]
    out = population.parameters.like()
    losses = kit.gradient(population, x, objective("squared", targets), [], out)
    for i, module in enumerate(modules):
        target = 0.8 * nn.functional.one_hot(labels[i], 4).double() + 0.05
        expected = ((module(x[i]) - target) ** 2).sum(1).mean()
        expected.backward()
        torch.testing.assert_close(losses[i], expected.detach(), rtol=1e-12, atol=1e-12)
        linears = [m for m in module if isinstance(m, nn.Linear)]
        for mine, linear in zip(out.weights_of(row_of[i]), linears, strict=True):
            torch.testing.assert_close(mine, linear.weight.grad, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(out.vectors_of(row_of[i])[-1], linears[-1].bias.grad, rtol=1e-10, atol=1e-12)


def test_the_squared_loss_is_what_the_curves_show(kit: SimpleNamespace) -> None:
    """Losses in curves, measures and early stopping's validation are squared errors where training's are."""
    samples = kit.make_samples()
    recipe = Recipe((6,), "sgd", 2e-3, batch=10, epochs=3, target=2, loss="squared")
    result = kit.run([Member("true", 1)], samples, recipe)
    module = kit.module_of(result.state.trained(0), 0).eval()
    labels = nn.functional.one_hot(samples.labels[0], 4).double()
    with torch.no_grad():
        expected = float(kit.loss_of(module(samples.inputs[0]), labels, "squared"))
    assert result.state.outcomes[0].values["train_loss"] == pytest.approx(expected, rel=1e-10)
    assert result.curves("train_loss")[-1].values[0] == pytest.approx(expected, rel=1e-10)
