"""Networks written down: they pass through their points, cost what is said, and say what cannot be fitted."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from genlab_tui.data import Arrays
from genlab_tui.data.arrays import split, standardise
from genlab_tui.training import sample_sizes
from genlab_tui.training.finite_sample import (
    DeepNetwork,
    Network,
    condition,
    deepen,
    distinct,
    fit,
    fit_between,
    fit_half,
    nearest,
    project,
    slopes,
)
from genlab_tui.training.power_law import growth


def _points(n: int, d: int = 7, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.standard_normal((n, d)), random.standard_normal(n)


@pytest.mark.parametrize("n", [2, 3, 50, 400])
def test_it_passes_through_every_point_with_2n_plus_d_weights(n: int) -> None:
    x, y = _points(n)
    network = fit(project(x, 5, 8), y)
    assert network.weights == 2 * n + 7
    assert np.abs(network(x) - y).max() <= 1e-9 * np.abs(y).max()


def test_its_weights_are_the_changes_of_slope_and_a_dense_solve_finds_the_same() -> None:
    x, y = _points(40)
    line = project(x, 5, 8)
    network = fit(line, y)
    system = np.maximum(line.z[:, None] - network.b, 0.0)
    assert np.allclose(system, np.tril(system)), "triangular, as in the proof"
    assert np.allclose(network.w, np.linalg.solve(system, y[line.order]), rtol=1e-6)
    assert np.allclose(np.cumsum(network.w), slopes(line.z, y[line.order], line.first))
    assert condition(line) == pytest.approx(np.linalg.cond(system, 1), rel=1e-6)


def test_thresholds_between_solve_the_proofs_system() -> None:
    x, y = _points(60)
    line = project(x, 5, 8)
    network, estimated = fit_between(line, y)
    system = np.maximum(line.z[:, None] - network.b, 0.0)
    assert np.all((network.b[1:] > line.z[:-1]) & (network.b[1:] < line.z[1:]))
    assert np.abs(network(x) - y).max() < 1e-6
    exact = float(np.linalg.cond(system, 1))
    assert exact / 10 <= estimated <= 1.001 * exact


def test_half_the_weights_are_the_least_squares_fit_of_their_thresholds() -> None:
    x, y = _points(80)
    line = project(x, 5, 8)
    network = fit_half(line, y)
    assert network.weights == 80 + 7
    design = np.maximum((x @ line.a)[:, None] - network.b, 0.0)
    best, *_ = np.linalg.lstsq(design, y, rcond=None)
    residual = np.sum((network(x) - y) ** 2)
    assert residual == pytest.approx(np.sum((design @ best - y) ** 2), rel=1e-6)
    assert np.abs(network(x) - y).max() > 0.1


def test_float32_loses_what_float64_holds() -> None:
    x, y = _points(1000, 50)
    network = fit(project(x, 5, 32), y)
    assert np.abs(network(x) - y).max() < 1e-7
    single = network.cast(np.float32)(x)
    assert single.dtype == np.float32
    assert np.abs(single - y).max() > 1e-3


@pytest.mark.parametrize("depth", [2, 3, 7])
def test_a_deep_one_is_the_same_function_in_narrow_layers(depth: int) -> None:
    x, y = _points(100)
    network = fit(project(x, 5, 8), y)
    deep = deepen(network, depth)
    assert len(deep.layers) == depth + 1
    assert deep.width <= -(-100 // depth) + 3
    assert deep.weights <= 4 * 100 + 7 + 8 * depth
    assert np.abs(deep(x) - y).max() < 1e-9
    new = np.random.default_rng(8).standard_normal((50, 7))
    assert np.allclose(deep(new), network(new), atol=1e-8)


def test_the_first_direction_is_among_those_tried_and_more_never_are_worse() -> None:
    x, _ = _points(200)
    tried = [project(x, 5, count) for count in (1, 4, 32)]
    assert tried[0].evenness <= tried[1].evenness <= tried[2].evenness
    assert np.linalg.norm(tried[2].a) == pytest.approx(1.0)
    assert np.all(np.diff(tried[2].z) > 0)


def test_two_equal_inputs_meet_on_every_line() -> None:
    x, _ = _points(20)
    x[7] = x[3]
    assert project(x, 5, 8).evenness == 0.0


def test_copies_are_one_point_and_contradictions_are_counted() -> None:
    x = np.array([[1.0, 0.0], [2.0, 1.0], [1.0, -0.0], [2.0, 1.0], [3.0, 0.0]])
    kept, conflicts = distinct(x, np.array([4, 5, 4, 6, 4]))
    assert kept.tolist() == [0, 1, 4]
    assert conflicts == 1, "the copy of row 1 carries another label; that of row 0 does not"


@pytest.mark.parametrize("copies", [0, 700])
def test_drawing_keeps_inputs_once(copies: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows kept as bytes beside them, and a copy of what is left of them, made 3.55 times their memory of it."""
    monkeypatch.setattr(sample_sizes, "BLOCK", 90)
    random = np.random.default_rng(0)
    x, y = random.standard_normal((2000, 500)).astype(np.float32), random.integers(0, 10, 2000)
    x[2000 - copies :], y[2000 - copies :] = x[:copies], y[:copies]
    arrays = Arrays(x, y, x[:10] + 1, y[:10], 10, (500,))
    tracemalloc.start()
    problem = sample_sizes.draw_real(arrays, 5, 2000, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.7 * 8 * 2000 * 500
    assert len(problem.x) == 2000 - copies
    part = standardise(split(arrays, 2000, 5))
    kept, _ = distinct(part.x_train, part.y_train)
    assert np.array_equal(problem.x, part.x_train[kept].astype(np.float64))
    assert np.array_equal(problem.targets["true"], part.y_train[kept])


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = _points(50)
    network = fit(project(x, 5, 8), y)
    whole, at = network(x), nearest(x, y, x + 1e-3)
    monkeypatch.setattr("genlab_tui.training.finite_sample.ENTRIES", 120)
    assert np.allclose(network(x), whole, rtol=1e-9)
    assert np.array_equal(nearest(x, y, x + 1e-3), at)
    assert np.array_equal(at, y)


def test_weights_are_counted_as_stored_and_those_between_layers_where_they_are_not_0() -> None:
    assert Network(np.ones(3), np.ones(5), np.append(np.ones(4), 0.0)).weights == 13
    deep = DeepNetwork(np.ones(3), [(np.eye(2), np.zeros(2)), (np.ones((1, 2)), np.zeros(1))])
    assert deep.weights == 3 + 2 + 2


def test_the_exponent_of_a_power_law() -> None:
    assert growth([1, 10, 100], [3, 300, 30_000]) == pytest.approx(2.0)
    assert growth([2, 4, 8], [1, 1, 1]) == pytest.approx(0.0)
    for x, y in (([1.0], [1.0]), ([1, 2], [0, 1]), ([1, 2], [float("nan"), 1]), ([2, 2], [1, 3])):
        assert np.isnan(growth(x, y))
