"""Closed-form least squares and random features, against numpy's own pseudo-inverse."""

from __future__ import annotations

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui.training.least_squares import PENALTIES, Decomposition, mse
from genlab_tui.training.random_features import BLOCK, Fit, Problem, RandomFeatures, draw_problem, landmarks


def _matrix(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns))


@pytest.mark.parametrize(("n", "width"), [(40, 10), (40, 40), (40, 200)])
def test_the_solution_is_that_of_the_pseudo_inverse(n: int, width: int) -> None:
    phi, targets = _matrix(n, width), _matrix(n, 3, 1)
    solved = Decomposition.of(phi).solve(targets)
    assert np.allclose(solved, np.linalg.pinv(phi) @ targets, rtol=1e-8, atol=1e-10)
    if width >= n:
        assert mse(phi @ solved, targets) < 1e-20


def test_it_is_the_smallest_of_all_solutions() -> None:
    phi, targets = _matrix(20, 60), _matrix(20, 2, 1)
    solved = Decomposition.of(phi).solve(targets)
    null = np.linalg.svd(phi)[2][20:]
    for i in range(5):
        other = solved + null.T @ _matrix(40, 2, i + 2)
        assert np.allclose(phi @ other, targets)
        assert np.linalg.norm(other) > np.linalg.norm(solved)


def test_directions_that_the_features_lack_get_no_weight() -> None:
    phi = np.repeat(_matrix(30, 5), 2, axis=1)  # every feature twice: rank 5
    parts = Decomposition.of(phi)
    assert len(parts.s) == 5
    targets = _matrix(30, 2, 1)
    assert np.allclose(parts.solve(targets), np.linalg.lstsq(phi, targets, rcond=1e-12)[0])


@pytest.mark.parametrize(("n", "width"), [(40, 10), (40, 200)])
def test_ridge_solves_its_normal_equations(n: int, width: int) -> None:
    phi, targets = _matrix(n, width), _matrix(n, 3, 1)
    solved = Decomposition.of(phi).solve(targets, 2.5)
    assert np.allclose(phi.T @ (phi @ solved - targets) + 2.5 * solved, 0.0, atol=1e-10)


def test_the_penalty_is_the_best_of_the_list_on_validation() -> None:
    truth, phi, val = _matrix(60, 2, 9), _matrix(50, 60), _matrix(200, 60, 1)
    targets, wanted = phi @ truth + 3.0 * _matrix(50, 2, 2), val @ truth
    parts = Decomposition.of(phi)
    chosen = parts.best_penalty(targets, val, wanted)
    errors = {p: mse(val @ parts.solve(targets, p), wanted) for p in PENALTIES * parts.s[0] ** 2}
    assert chosen == min(errors, key=errors.__getitem__)
    assert errors[chosen] < mse(val @ parts.solve(targets), wanted)


def test_everything_is_float64() -> None:
    parts = Decomposition.of(_matrix(20, 30).astype(np.float32))
    assert {parts.u.dtype, parts.s.dtype, parts.vt.dtype} == {np.dtype(np.float64)}
    problem = _problem(n=100)
    assert {problem.x_train.dtype, problem.x_val.dtype, problem.x_test.dtype} == {np.dtype(np.float64)}
    fit = problem.solve(100, ("clean",), (), 0.0)["clean", "plain"]
    assert fit.train_mse < 1e-20, "float32 ends near 1e-11 here"


def test_random_features_are_nested_and_what_they_are_called() -> None:
    x = _matrix(200, 16)
    relu = RandomFeatures.draw("relu", 16, 5000, 5.0, seed=1)
    assert np.array_equal(relu(x, 5000)[:, :7], relu(x, 7))
    assert np.allclose(relu(x, 9), np.maximum(x @ relu.directions[:9].T, 0))
    assert relu.directions.var() == pytest.approx(2 / 16, rel=0.02)
    fourier = RandomFeatures.draw("fourier", 16, 20_000, 5.0, seed=1)
    assert fourier.directions.std() == pytest.approx(1 / 5.0, rel=0.02)
    phi = fourier(x, 20_000)
    kernel = np.exp(-np.square(x[:20, None] - x[None, :20]).sum(2) / (2 * 5.0**2))
    assert np.allclose(phi[:20] @ phi[:20].T / 20_000, kernel, atol=0.05)
    assert np.array_equal(RandomFeatures.draw("relu", 16, 50, 5.0, seed=1).directions, relu.directions[:50])
    assert not np.array_equal(RandomFeatures.draw("relu", 16, 50, 5.0, seed=2).directions, relu.directions[:50])


def test_predictions_in_blocks_are_those_in_one_piece() -> None:
    features = RandomFeatures.draw("relu", 4, 10, 5.0, seed=1)
    x, coefficients = _matrix(BLOCK + 17, 4), _matrix(8, 3)
    assert np.allclose(features.predict(x, coefficients), features(x, 8) @ coefficients, rtol=1e-12)


def _arrays() -> data.Arrays:
    random = np.random.default_rng(0)
    y = (np.arange(900) % 4).astype(np.int64)
    x = (random.standard_normal((900, 12)) + 2 * np.eye(12)[y]).astype(np.float32)
    return data.Arrays(x[:600], y[:600], x[600:], y[600:], 4, (12,))


def _problem(seed: int = 3, noise: float = 0.2, n: int = 100) -> Problem:
    return draw_problem(
        _arrays(), seed=seed, n=n, validation=150, test=0, noise=noise, kind="relu", sigma=5.0, largest=400
    )


def test_labels_are_drawn_once_and_test_labels_stay_clean() -> None:
    problem, again = _problem(), _problem()
    clean, noisy = problem.targets["clean"][0], problem.targets["noise"][0]
    assert np.array_equal(noisy, again.targets["noise"][0])
    changed = np.mean((clean != noisy).any(axis=1))
    assert 0.05 < changed < 0.25, "0.2 * 3/4 on average"
    assert np.array_equal(problem.wanted.argmax(1), problem.y_test)
    assert np.array_equal(_problem(noise=0.8).wanted, problem.wanted), "label noise never reaches the test labels"
    assert np.array_equal(_problem(noise=0.8).x_train, problem.x_train), "nor the split"
    assert np.array_equal(_problem(noise=0.8).features.directions, problem.features.directions)
    assert not np.array_equal(problem.targets["noise"][1], problem.targets["clean"][1]), "validation is noisy too"


def test_a_fit_is_measured_against_the_labels_it_was_given() -> None:
    problem = _problem()
    fits = problem.solve(300, ("clean", "noise"), ("clean", "noise"), 0.0)
    assert set(fits) == {("clean", "plain"), ("noise", "plain"), ("clean", "ridge"), ("noise", "ridge")}
    phi, phi_test = (problem.features(x, 300) for x in (problem.x_train, problem.x_test))
    for kind in ("clean", "noise"):
        coefficients = np.linalg.pinv(phi) @ problem.targets[kind][0]
        fit = fits[kind, "plain"]
        assert fit.norm == pytest.approx(np.linalg.norm(coefficients), rel=1e-8)
        assert fit.test_mse == pytest.approx(mse(phi_test @ coefficients, problem.wanted), rel=1e-8)
        assert fit.test_error == np.mean((phi_test @ coefficients).argmax(1) != problem.y_test)
        assert fit.train_mse < 1e-20
        assert fit.penalty == 0.0
        assert fits[kind, "ridge"].penalty > 0.0
        assert fits[kind, "ridge"].norm < fit.norm
        assert fits[kind, "ridge"].train_mse > 1e-8


def test_weight_decay_is_the_penalty_of_the_plain_fits() -> None:
    problem = _problem()
    bare, decayed = (problem.solve(100, ("noise",), (), penalty)["noise", "plain"] for penalty in (0.0, 50.0))
    assert decayed.norm < bare.norm
    assert decayed.test_mse < bare.test_mse
    assert decayed.train_mse > 1e-4


def test_landmarks_of_a_curve_with_a_peak() -> None:
    widths = (10, 50, 93, 100, 107, 1000)
    mse_over = (0.8, 0.4, 3.0, 50.0, 4.0, 0.2)
    error = (0.5, 0.1, 0.3, 0.8, 0.4, 0.04)
    norm = (1.0, 2.0, 5.0, 9.0, 20.0, 0.5)
    train = (0.5, 0.2, 1e-2, 1e-20, 1e-25, 1e-24)
    rows = zip(mse_over, error, train, norm, (0.0,) * 6, strict=True)
    assert landmarks(100, widths, [Fit(*row) for row in rows]) == pytest.approx(
        {
            "peak_mse": 50.0,
            "peak_width": 100.0,
            "peak_offset": 0.0,
            "first_minimum": 0.4,
            "peak_ratio": 125.0,
            "threshold_ratio": 125.0,
            "final_mse": 0.2,
            "fall": 0.004,
            "second_descent": 0.5,
            "norm_offset": 0.07,
            "train_mse_above": 1e-20,
            "error_gain": 0.06,
            "span": 10.0,
        }
    )
