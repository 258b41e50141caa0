"""Measures of sharpness against what can be worked out by hand, and trainings that stop inside an epoch."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from genlab_tui.training import sharpness
from genlab_tui.training.evaluate import evaluate
from genlab_tui.training.members import Member, Recipe
from genlab_tui.training.nets import Net

SCALES = sharpness.Scales(rho=0.05, adaptive_rho=0.5, box=1e-3, ascent=10, radius=0.3, directions=4)
BASE = Recipe((16,), "adam", 5e-3, batch=10, epochs=12, target=2)


def _quadratic(diagonal: Tensor, slope: Tensor) -> sharpness.Loss:
    return lambda flat: 3.0 + flat @ slope + (flat.square() @ diagonal) / 2


def test_an_eigenvalue_is_the_largest_not_the_one_of_largest_magnitude() -> None:
    """Where power iteration would return -5, the largest eigenvalue is 1."""
    diagonal = torch.tensor([-5.0, 1.0, 0.5, 0.1, 0.0, -1.0], dtype=torch.float64)
    loss = _quadratic(diagonal, torch.ones(6, dtype=torch.float64))
    found = sharpness.spectrum(loss, torch.zeros(2, 6, dtype=torch.float64), 7, 3, 1e-6, 50)
    assert found.values[0].tolist() == pytest.approx([1.0, 0.5, 0.1], abs=1e-6)
    assert torch.equal(found.values[0], found.values[1])  # networks of a seed begin with the same vector


def test_an_eigenvalue_that_the_limit_leaves_rough_is_none() -> None:
    diagonal = torch.linspace(0.0, 1.0, 200, dtype=torch.float64).square()
    loss, at = _quadratic(diagonal, torch.ones(200, dtype=torch.float64)), torch.zeros(1, 200, dtype=torch.float64)
    assert bool(sharpness.spectrum(loss, at, 7, 2, 1e-6, 5).values.isnan().all())
    some = sharpness.spectrum(loss, at, 7, 2, 1e-6, 200)
    assert some.values[0].tolist() == pytest.approx(diagonal.flip(0)[:2].tolist(), rel=1e-5)


def test_keskars_box_is_climbed_to_its_corner() -> None:
    slope = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    at = torch.tensor([0.5, -3.0, 0.0], dtype=torch.float64)
    loss = _quadratic(torch.zeros(3, dtype=torch.float64), slope)
    here = float(loss(at[None])[0])
    rise = float((slope.abs() * 1e-3 * (at.abs() + 1)).sum())
    assert sharpness.keskar_sharpness(loss, at, 1e-3, 10) == pytest.approx(100 * rise / (1 + here))
    assert sharpness.keskar_sharpness(loss, at, 1e-4, 10) == pytest.approx(10 * rise / (1 + here))
    curved = _quadratic(torch.tensor([4.0, 9.0], dtype=torch.float64), torch.zeros(2, dtype=torch.float64))
    assert sharpness.keskar_sharpness(curved, torch.zeros(2, dtype=torch.float64), 1e-3, 10) == 0.0
    broken = _quadratic(torch.full((3,), torch.nan, dtype=torch.float64), slope)
    assert sharpness.keskar_sharpness(broken, at, 1e-3, 10) != sharpness.keskar_sharpness(broken, at, 1e-3, 10)


def test_steps_uphill_have_the_length_asked_for() -> None:
    net = Net((2, 2, 2))
    flat = torch.linspace(0.1, 1.2, net.size, dtype=torch.float64)[None]
    slope = torch.linspace(-1.0, 1.0, net.size, dtype=torch.float64)
    found = sharpness.measure(net, _quadratic(torch.zeros_like(slope), slope), flat, 3, SCALES, lambda: None)
    assert float(found.sam[0]) == pytest.approx(0.05 * float(slope.norm()))
    assert float(found.adaptive[0]) == pytest.approx(0.5 * float((flat[0] * slope).norm()))
    flatland = sharpness.measure(
        net, _quadratic(torch.zeros_like(slope), torch.zeros_like(slope)), flat, 3, SCALES, lambda: None
    )
    assert [float(each[0]) for each in (flatland.sam, flatland.adaptive, flatland.keskar, flatland.rise)] == [0.0] * 4


@pytest.mark.parametrize("regularisers", [{}, {"batch-norm": 0.1}])
def test_what_is_measured_is_the_network_that_was_trained(kit: SimpleNamespace, regularisers: dict[str, float]) -> None:
    """With batch norm folded into the weights: the very loss that the engine has at the end."""
    samples = kit.make_samples()
    members = [Member("a", 1, recipe=dataclasses.replace(BASE, hidden=(16, 8), regularisers=regularisers))]
    state = kit.run(members, samples, BASE).state
    net = sharpness.net_of(state, 0)
    loss, x = sharpness.subset_loss(net, state, 0, samples.n)
    flat = sharpness.together(state, [0])
    assert float(loss(flat)[0]) == pytest.approx(state.outcomes[0].values["train_loss"], rel=1e-9)
    assert sharpness.moved(state, 0) > 0.1
    network, zero = state.trained(0), torch.zeros(1, dtype=torch.int64)
    part, _ = evaluate(network, samples.inputs, zero, samples.labels[:1], (0, 20))
    loss, x = sharpness.subset_loss(net, state, 0, 20)
    assert x.shape[0] == 20
    assert float(loss(flat)[0]) == pytest.approx(part[0], rel=1e-9)


def test_rescaling_layers_changes_curvature_and_nothing_else(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    state = kit.run([Member("a", 1, recipe=dataclasses.replace(BASE, hidden=(16, 8)))], samples, BASE).state
    net, flat = sharpness.net_of(state, 0), sharpness.together(state, [0])
    again = sharpness.rescaled(net, flat, 10.0)
    loss, x = sharpness.subset_loss(net, state, 0, 60)
    assert float(sharpness.output_difference(net, flat, again, x)[0]) < 1e-12
    assert float(sharpness.output_difference(net, flat, 1.01 * flat, x)[0]) > 1e-3
    both = torch.cat([flat, again])
    values = sharpness.spectrum(loss, both, 1, 1, 0.01, 80).values[:, 0]
    assert float(values[1] / values[0]) > 10
    found = sharpness.measure(net, loss, both, 1, SCALES, lambda: None)
    assert float(found.sam[1] / found.sam[0]) > 2
    for invariant in (found.adaptive, found.rise):
        assert float(invariant[1]) == pytest.approx(float(invariant[0]), rel=1e-9)


def test_a_loss_looked_at_inside_an_epoch_ends_there(kit: SimpleNamespace) -> None:
    """The same training with and without looks: it ends at the first look at the target, or at its epoch's end."""
    samples = kit.make_samples()
    members = [
        Member("looked at", 1, recipe=dataclasses.replace(BASE, loss_target=0.7, check_every=2)),
        Member("not", 1, recipe=dataclasses.replace(BASE, loss_target=0.7)),
        *(Member(f"{k}", 1, recipe=dataclasses.replace(BASE, steps=k)) for k in range(2, 72, 2)),
    ]
    state = kit.run(members, samples, BASE).state
    looked, whole = state.outcomes[0], state.outcomes[1]
    assert looked.end == whole.end == "loss"
    losses = {o.step: o.values["train_loss"] for i, o in state.outcomes.items() if i > 1}
    assert looked.step == min(step for step, loss in losses.items() if loss <= 0.7)
    assert looked.step % 6, "a step inside an epoch, or the test says nothing"
    assert whole.step == min(step for step, loss in losses.items() if loss <= 0.7 and step % 6 == 0)
    assert looked.values["train_loss"] == pytest.approx(losses[looked.step], rel=1e-9)


def test_looks_inside_an_epoch_survive_a_stop(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    members = [Member("a", s, recipe=dataclasses.replace(BASE, loss_target=0.4, check_every=4)) for s in (1, 2)]
    expected = kit.run(members, samples, BASE)
    stopped = kit.run(members, samples, BASE, kit.Desk(stop_at=3))
    again = kit.run(members, samples, BASE, kit.Desk(stopped.saved))
    for i in (0, 1):
        assert again.state.outcomes[i] == expected.state.outcomes[i]
        assert torch.equal(again.state.weights[i][0], expected.state.weights[i][0])
