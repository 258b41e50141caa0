"""Loss sensitivity, its Gini coefficient and critical samples, against autograd and what can be seen at once."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab_tui.training.members import Member, Recipe
from genlab_tui.training.sensitivity import (
    Layers,
    Looks,
    average,
    critical_sample_ratio,
    gini,
    loss_sensitivity,
    spaced,
)

BASE = Recipe((12, 9), "adam", 0.02, batch=10, epochs=3, target=2)
MEMBERS = [Member("true", 1), Member("other", 2, inputs=1, labels=2), Member("random", 1, labels=1)]


@pytest.mark.parametrize("hidden", [(12,), (12, 9)])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_sensitivity_is_the_gradient_by_the_input(
    kit: SimpleNamespace, hidden: tuple[int, ...], batch_norm: bool
) -> None:
    """In evaluation mode, against autograd through the plain module; several rows of one population."""
    recipe = dataclasses.replace(BASE, hidden=hidden, regularisers={"batch-norm": 0.1} if batch_norm else {})
    samples = kit.make_samples()
    result = kit.run(MEMBERS, samples, recipe)
    for i, member in enumerate(MEMBERS):
        module = kit.module_of(result.state.trained(i), 0).eval()
        layers = Layers.of(result.state.trained(i))
        x, labels = samples.inputs[member.inputs], samples.labels[member.labels]
        own = x.clone().requires_grad_(True)
        loss = nn.functional.cross_entropy(module(own), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, own)
        torch.testing.assert_close(loss_sensitivity(layers, x, labels), gradient.abs().sum(1), rtol=1e-9, atol=1e-12)
        assert torch.equal(layers.predictions(x), module(x).argmax(1))


def test_a_sample_that_is_fitted_to_the_last_digit_still_has_a_sensitivity() -> None:
    """In float32 a probability of 1 - 1e-9 is 1; the loss's derivative is not 0 for all that."""
    layers = Layers((torch.tensor([[20.0], [0.0]]),), (torch.zeros(2),))
    found = loss_sensitivity(layers, torch.ones(1, 1), torch.tensor([0]))
    assert float(found) == pytest.approx(20 * math.exp(-20), rel=1e-4)


def test_gini() -> None:
    assert gini(torch.full((50,), 3.0)) == pytest.approx(0)
    assert gini(torch.tensor([0.0, 0.0, 0.0, 5.0])) == pytest.approx(0.75)
    assert gini(torch.tensor([3.0, 1.0])) == pytest.approx(0.25)
    values = torch.rand(40, generator=torch.Generator().manual_seed(3)).double()
    pairs = (values[:, None] - values[None]).abs().mean() / (2 * values.mean())
    assert gini(values) == pytest.approx(float(pairs))
    assert gini(7 * values) == pytest.approx(float(pairs)), "it has no unit"
    assert math.isnan(gini(torch.zeros(3)))
    assert math.isnan(gini(torch.tensor([1.0, math.nan])))


def test_an_average_over_time_weighs_looks_by_the_time_around_them() -> None:
    """A straight line's is its middle, wherever it was looked at."""
    steps = [10, 20, 40, 80, 110]
    assert float(average(steps, [torch.tensor([2.0 * s]) for s in steps])) == pytest.approx(2 * 60)
    assert float(average([30], [torch.tensor([4.0])])) == 4.0


def test_looks_are_spaced_by_doubling() -> None:
    assert spaced(60) == (1, 2, 4, 8, 16, 32, 60)
    assert spaced(64) == (1, 2, 4, 8, 16, 32, 64)
    assert spaced(2) == (1, 2)
    assert spaced(1) == (1,)


def test_critical_samples_are_those_near_the_boundary() -> None:
    """Of a linear classifier, a sample is critical exactly when its margin is below the radius times |w|_1."""
    weight = torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]])
    layers = Layers((weight,), (torch.zeros(2),))
    x = torch.randn(300, 3, generator=torch.Generator().manual_seed(1))
    margin = (x @ weight[0]).abs()
    radii = (0.5, 0.1, 0.3)
    expected = [float((margin < radius * 3.5).double().mean()) for radius in radii]
    assert critical_sample_ratio(layers, x, radii) == pytest.approx(expected, abs=1e-9)
    assert 0.05 < expected[1] < expected[2] < expected[0] < 0.95
    assert critical_sample_ratio(layers, x, (0.0,)) == [0.0]


def test_the_search_has_a_direction_where_the_loss_is_flat() -> None:
    """Outputs of thousands: every probability is 0 or 1, and the boundary is as near as before."""
    weight = torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]])
    x = torch.randn(300, 3, generator=torch.Generator().manual_seed(1))
    radii = (0.1, 0.3)
    plain = critical_sample_ratio(Layers((weight,), (torch.zeros(2),)), x, radii)
    assert critical_sample_ratio(Layers((1e4 * weight,), (torch.zeros(2),)), x, radii) == plain


def test_a_critical_sample_is_one_of_another_class_within_the_radius(kit: SimpleNamespace) -> None:
    """A larger radius never has fewer; a network that gives one class to all has none; it is polled."""
    result = kit.run(MEMBERS[:1], kit.make_samples(n=200), BASE)
    layers = Layers.of(result.state.trained(0))
    x = torch.randn(100, layers.weights[0].shape[1], generator=torch.Generator().manual_seed(2)).double()
    polls: list[int] = []
    few, more, most = critical_sample_ratio(layers, x, (0.05, 0.2, 2.0), lambda: polls.append(1))
    assert 0 < few < more <= most
    assert len(polls) == 3
    last = layers.biases[-1] + 1e4 * torch.eye(4, dtype=torch.float64)[3]
    assert critical_sample_ratio(Layers(layers.weights, (*layers.biases[:-1], last)), x, (0.05, 2.0)) == [0.0, 0.0]


def _ginis(kit: SimpleNamespace, desk: object, **options: object) -> list[tuple[int, tuple[object, ...]]]:
    looks = Looks(desk, "looks", [6, 12, 18])  # type: ignore[arg-type]
    result = kit.run(MEMBERS, kit.make_samples(), BASE, desk, probes=[looks.probe()], **options)
    return [(curve.step, curve.values) for curve in result.curves("sensitivity_gini")]


def test_looks_are_averaged_over_training(kit: SimpleNamespace) -> None:
    """Against networks that end where the looks are; nothing before the first."""
    desk = kit.Desk()
    curves = _ginis(kit, desk)
    assert all(value == "nan" for step, values in curves if step < 6 for value in values)
    samples = kit.make_samples()
    seen: list[list[torch.Tensor]] = []
    for epochs in (1, 2, 3):
        state = kit.run(MEMBERS, samples, dataclasses.replace(BASE, epochs=epochs)).state
        seen.append(
            [
                loss_sensitivity(
                    Layers.of(state.trained(i)), samples.inputs[member.inputs], samples.labels[member.labels]
                )
                for i, member in enumerate(MEMBERS)
            ]
        )
    last = [value for step, values in curves if step == 18 for value in values]
    expected = [gini(average([6, 12, 18], [at[i] for at in seen])) for i in range(len(MEMBERS))]
    assert last == pytest.approx(expected, abs=1e-9)
    assert set(desk.arrays) == {"looks-6", "looks-12", "looks-18"}


def test_a_resumed_run_has_the_looks_of_the_earlier_attempt(kit: SimpleNamespace) -> None:
    """Also where the earlier attempt went on past its checkpoint: what it kept from there is taken again."""
    whole = _ginis(kit, kit.Desk())
    first = kit.Desk(stop_at=2)
    result_looks = Looks(first, "looks", [6, 12, 18])
    stopped = kit.run(MEMBERS, kit.make_samples(), BASE, first, probes=[result_looks.probe()])
    assert stopped.saved is not None
    assert 0 < stopped.saved.step < 18
    second = kit.Desk(stopped.saved)
    second.arrays = {name: dict(arrays) for name, arrays in first.arrays.items()}
    stale = {
        key: torch.tensor(18) if key.endswith(" at") else 1e6 - value for key, value in first.arrays["looks-6"].items()
    }
    second.arrays["looks-18"] = stale
    resumed = _ginis(kit, second)
    assert resumed == [(step, values) for step, values in whole if step > stopped.saved.step]


def test_a_look_between_measurements_is_taken_with_the_next(kit: SimpleNamespace) -> None:
    looks = Looks(kit.Desk(), "looks", [7])
    result = kit.run(MEMBERS, kit.make_samples(), BASE, probes=[looks.probe()])
    by_step = {curve.step: curve.values for curve in result.curves("sensitivity_gini")}
    assert by_step[6][0] == "nan"
    assert isinstance(by_step[12][0], float)
    assert by_step[18] == by_step[12], "one look, and no other"
