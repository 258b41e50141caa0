"""Networks on the unit interval: cumulative sums against units one by one, targets, tents, training against torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genlab_tui.training.deep_training import Deep
from genlab_tui.training.line_networks import (
    KINDS,
    LineNetwork,
    compose,
    composed_error,
    draw_targets,
    draw_tents,
    errors,
    tents,
    through,
    with_units,
)
from genlab_tui.training.line_training import Lines, Start, draw_network


def _by_units(network: LineNetwork, x: np.ndarray) -> np.ndarray:
    return np.maximum(network.w * x[:, None] + network.b, 0.0) @ network.v + network.offset


def test_cumulative_sums_are_the_units_one_by_one() -> None:
    random = np.random.default_rng(1)
    w, b, v = random.uniform(-1, 1, (3, 40))
    w[:3], b[:3] = 0.0, (0.5, -0.5, 0.0)  # active everywhere, nowhere, and at the edge
    network = LineNetwork(w, b, v, 0.3)
    x = np.sort(random.random(300))
    assert np.allclose(network(x), _by_units(network, x), atol=1e-13)
    knots = np.sort(-b[3:] / w[3:])
    assert np.allclose(network(knots), _by_units(network, knots), atol=1e-13)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_network_through_knots_interpolates(kind: str) -> None:
    target = draw_targets(kind, 3, 1)[0]
    knots = np.linspace(0, 1, 33)
    network = through(knots, target.f(knots))
    assert len(network.w) == 32, "a unit a piece"
    x = np.sort(np.random.default_rng(0).random(500))
    assert np.allclose(network(x), np.interp(x, knots, target.f(knots)), atol=1e-12)


def test_targets_are_what_they_say_and_the_first_is_the_same_for_any_number() -> None:
    x = np.linspace(0, 1, 2001)
    for kind in KINDS:
        many, one = draw_targets(kind, 9, 16), draw_targets(kind, 9, 1)
        assert np.array_equal(many[0].f(x), one[0].f(x))
        assert len({target.f(x).tobytes() for target in many}) == 16, "the seed draws real differences"
        places, values = many[0].points(x)
        assert np.all(np.diff(places) >= 0)
        assert len(places) == len(values) == len(x) + 2 * len(many[0].breaks)
    step = draw_targets("step", 9, 1)[0]
    places, values = step.points(x)
    at = places == step.breaks[0]
    assert values[at].tolist() == [0.0, 1.0], "the value on either side of the jump"
    assert len(draw_targets("sawtooth", 9, 1)[0].breaks) == 8


def test_the_sup_error_is_that_of_theory() -> None:
    grid = np.linspace(0, 1, 32 * 64 + 1)
    knots = np.linspace(0, 1, 65)
    for target in draw_targets("sine", 2, 4):
        sup, _ = errors(through(knots, target.f(knots)), *target.points(grid))
        assert sup <= (2 * math.pi) ** 2 / (8 * 64**2)
        assert sup >= 0.9 * (2 * math.pi) ** 2 / (8 * 64**2)
    for target in draw_targets("kink", 2, 8):
        sup, _ = errors(through(knots, target.f(knots)), *target.points(grid))
        share = float(target.breaks[0] * 64 % 1)
        assert sup == pytest.approx(2 * share * (1 - share) / 64, rel=1e-6), "seen at the kink itself, off the grid"
    for target in draw_targets("step", 2, 8):
        sup, mean = errors(through(knots, target.f(knots)), *target.points(grid))
        assert sup >= 0.5
        share = float(target.breaks[0] * 64 % 1)
        assert mean**2 == pytest.approx((share**3 + (1 - share) ** 3) / 3 / 64, rel=0.05)


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_tents_are_written_out_exactly_at_every_depth(depth: int) -> None:
    tops = draw_tents(4, 6)
    network = compose(tops, depth)
    assert len(network.layers) == depth
    assert network.units == {1: 64, 2: 16, 3: 12, 6: 12}[depth]
    assert composed_error(network, tops) < 1e-12


def test_one_layer_with_the_units_of_three_misses_them() -> None:
    tops = draw_tents(4, 6)
    shallow = with_units(tops, compose(tops, 3).units)
    assert shallow.units == 12
    assert composed_error(shallow, tops) > 0.5
    x = np.linspace(0, 1, 50_001)
    turns = np.diff(np.sign(np.diff(tents(tops, x))))
    assert np.count_nonzero(turns) >= 2**6 - 1, "2^6 pieces"


def test_training_is_that_of_torch_and_a_member_depends_on_itself_alone() -> None:
    x = np.linspace(0, 1, 60)
    y = draw_targets("sine", 5, 1)[0].f(x)
    starts = [Start(draw_network(width, 5), y) for width in (3, 17, 40)]
    lines = Lines(starts, 1e-2)
    for _ in range(60):
        lines.step()
    alone = Lines(starts[1:2], 1e-2)
    for _ in range(60):
        alone.step()
    assert np.array_equal(alone.networks()[0].w, lines.networks()[1].w)
    for start, found in zip(starts, lines.networks(), strict=True):
        net = start.network
        numbers = [torch.tensor(part, requires_grad=True) for part in (net.w, net.b, net.v, np.array(net.offset))]
        w, b, v, offset = numbers
        optimiser = torch.optim.Adam(numbers, lr=1e-2)
        for _ in range(60):
            optimiser.zero_grad()
            out = torch.relu(w * torch.tensor(x)[:, None] + b) @ v + offset
            torch.mean((out - torch.tensor(y)) ** 2).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        for mine, theirs in zip((found.w, found.b, found.v, found.offset), numbers, strict=True):
            assert np.allclose(mine, theirs.detach().numpy(), rtol=1e-9, atol=1e-11)


def test_initial_weights_are_torchs() -> None:
    network = draw_network(400, 7)
    assert np.abs(network.w).max() <= 1
    assert np.abs(network.v).max() <= 1 / 20
    assert np.std(network.w) == pytest.approx(1 / math.sqrt(3), rel=0.1)
    assert not np.array_equal(network.w, draw_network(400, 8).w)


def test_a_checkpoint_continues_exactly() -> None:
    x = np.linspace(0, 1, 40)
    starts = [Start(draw_network(9, 5), np.cos(x))]
    whole, part = Lines(starts, 1e-2), Lines(starts, 1e-2)
    for _ in range(30):
        whole.step()
    for _ in range(11):
        part.step()
    saved = part.arrays()
    part.step()
    again = Lines(starts, 1e-2)
    again.restore(saved, 11)
    for _ in range(19):
        again.step()
    assert np.array_equal(again.numbers, whole.numbers)


def test_what_diverges_ends_at_nan_without_a_warning() -> None:
    x = np.linspace(0, 1, 40)
    lines = Lines([Start(draw_network(5, 5), np.full(40, 1e200))], 1e150)
    for _ in range(20):
        lines.step()
    assert not np.isfinite(lines.numbers).all()
    assert math.isnan(errors(lines.networks()[0], x, x)[0])


def test_deep_training_is_that_of_torch() -> None:
    x = np.linspace(0, 1, 50)
    y = tents(draw_tents(4, 3), x)
    deep = Deep((6, 5), 3, 1e-2)
    layers = [torch.tensor(part.copy(), requires_grad=True) for pair in deep.layers(deep.numbers) for part in pair]
    optimiser = torch.optim.Adam(layers, lr=1e-2)
    for _ in range(60):
        deep.step(x, y)
        optimiser.zero_grad()
        h = torch.tensor(x)[None, :]
        for at in range(0, len(layers), 2):
            h = layers[at] @ h + layers[at + 1]
            h = torch.relu(h) if at < 4 else h
        torch.mean((h[0] - torch.tensor(y)) ** 2).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    mine = [part for pair in deep.layers(deep.numbers) for part in pair]
    for own, theirs in zip(mine, layers, strict=True):
        assert np.allclose(own, theirs.detach().numpy(), rtol=1e-9, atol=1e-11)
