"""Kernel machines and descents against other ways to the same numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.data import Arrays
from genlab_tui.training import kernel_machine
from genlab_tui.training.descent import (
    Descent,
    System,
    descend,
    fourier_system,
    gaussian_system,
    measured_passes,
)
from genlab_tui.training.kernel_machine import NOTHING, Problem, draw_problem, kernel, solve


def _arrays(n: int = 60, d: int = 6, repeated: Sequence[tuple[int, int, bool]] = ()) -> Arrays:
    """Return random inputs of three classes; `repeated` makes one row a copy of another, with its label or not."""
    random = np.random.default_rng(3)
    x, y = random.standard_normal((n, d)).astype(np.float32), random.integers(0, 3, n)
    for to, source, same in repeated:
        x[to], y[to] = x[source], y[source] if same else (y[source] + 1) % 3
    return Arrays(x, y, x[:20] + 0.1, y[:20], 3, (d,))


def _problem(**options: Any) -> Problem:
    arrays = _arrays(**options)
    return draw_problem(arrays, 5, n=len(arrays.x_train), test=0, noise=0.2)


# --- kernels ----------------------------------------------------------------------------------------------------------


def test_the_kernel_is_gaussian() -> None:
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert kernel(x, x, 2.0) == pytest.approx(np.array([[1.0, math.exp(-25 / 8)], [math.exp(-25 / 8), 1.0]]))


@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_a_solution_is_that_of_the_normal_equations(penalty: float) -> None:
    problem = _problem()
    gram = kernel(problem.x, problem.x, 2.0)
    found = solve(problem, 2.0, ("true", "random"), penalty)
    for kind, machine in found.items():
        targets = np.eye(3)[problem.labels[kind]]
        alpha = np.linalg.solve(gram + penalty * np.eye(len(gram)), targets)
        outputs = kernel(problem.x_test, problem.x, 2.0) @ alpha
        assert machine.norm == pytest.approx(math.sqrt(np.trace(alpha.T @ gram @ alpha)), rel=1e-9)
        assert machine.test_accuracy == pytest.approx(np.mean(outputs.argmax(1) == problem.y_test))
        off = np.linalg.norm(gram @ alpha - targets) / np.linalg.norm(targets)
        assert machine.residual == pytest.approx(off, rel=1e-6, abs=1e-12)
    eigenvalues = np.linalg.eigvalsh(gram + penalty * np.eye(len(gram)))
    condition = eigenvalues[-1] / eigenvalues[0]
    assert 0.5 * condition < found["true"].condition < 1.000001 * condition
    assert (found["true"].residual < 1e-12) == (penalty == 0.0)


def test_solving_with_a_factor_copies_nothing_of_its_size() -> None:
    """`cholesky_solve` copies the factor at every call: a third matrix where two just fit."""
    matrix = torch.from_numpy(kernel(inputs := np.random.default_rng(0).standard_normal((300, 5)), inputs, 0.5))
    factor, _ = torch.linalg.cholesky_ex(matrix)
    targets = torch.ones((300, 2), dtype=torch.float64)

    def allocated(apply: Callable[[], torch.Tensor]) -> int:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as seen:
            apply()
        return sum(max(row.self_cpu_memory_usage, 0) for row in seen.events())

    size = 8 * 300 * 300
    assert allocated(lambda: kernel_machine._solved(factor, targets)) < 0.2 * size
    assert allocated(lambda: torch.cholesky_solve(targets, factor)) >= size, "else this test measures nothing"
    assert torch.allclose(matrix @ kernel_machine._solved(factor, targets), targets)


def test_test_samples_are_scored_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = _problem()
    whole = solve(problem, 2.0, ("true", "again"))
    monkeypatch.setattr(kernel_machine, "BLOCK", 7)
    assert solve(problem, 2.0, ("true", "again")) == whole


def test_inputs_have_the_distances_of_64_standardised_pixels() -> None:
    for d in (6, 40):
        problem = _problem(d=d)
        assert float(np.square(problem.x).sum(1).mean()) == pytest.approx(64.0)
        assert float(problem.x.mean()) == pytest.approx(0.0, abs=1e-9)


def test_labels_are_drawn_once_each_and_test_labels_never() -> None:
    arrays = _arrays(n=400)
    problem = draw_problem(arrays, 5, n=300, test=0, noise=0.2)
    true, random, again, noisy = (problem.labels[kind] for kind in ("true", "random", "again", "noisy"))
    assert 0.2 < np.mean(random == true) < 0.47
    assert 0.2 < np.mean(random == again) < 0.47
    assert 0.8 < np.mean(noisy == true) < 0.93
    assert problem.y_test.tolist() == arrays.y_test.tolist()
    repeated = draw_problem(arrays, 5, n=300, test=0, noise=0.2)
    assert repeated.labels["random"].tolist() == random.tolist()


def test_identical_inputs_with_one_label_count_once() -> None:
    problem = _problem(repeated=[(10, 3, True), (11, 3, True)])
    assert (problem.dropped, len(problem.x)) == (2, 58)
    assert not problem.contradicted
    assert solve(problem, 2.0, ("true",))["true"].residual < 1e-12


def test_identical_inputs_with_other_labels_have_no_exact_fit() -> None:
    problem = _problem(repeated=[(10, 3, False)])
    assert problem.dropped == 0
    assert "true" in problem.contradicted
    assert solve(problem, 2.0, ("true",))["true"] is NOTHING
    assert solve(problem, 2.0, ("true",), 0.1)["true"].residual > 0.05, "with a ridge there is one, and it is not exact"


def test_asked_contradictions_are_there() -> None:
    problem = draw_problem(_arrays(), 5, n=60, test=0, noise=0.2, contradictions=4)
    assert problem.x[-4:].tolist() == problem.x[:4].tolist()
    assert (problem.labels["true"][-4:] != problem.labels["true"][:4]).all()
    assert {"true"} <= problem.contradicted


def test_no_jitter_is_added_where_float64_ends() -> None:
    problem = _problem(n=60, d=2)
    machine = solve(problem, 1e4, ("true",))["true"]
    assert machine is NOTHING or not machine.residual < 1e-6
    assert math.isinf(NOTHING.condition)


# --- descents ---------------------------------------------------------------------------------------------------------


class _Context:
    """As much of a context as a descent asks for."""

    def poll(self, save: Any = None) -> None:
        if save is not None:
            save()

    def resume(self) -> None:
        return None


def _down(system: System, descent: Descent, seed: int = 1) -> tuple[dict[str, float], list[ev.Event]]:
    def collect() -> Iterator[ev.Event]:
        found.update((yield from descend(system, descent, _Context(), seed, lambda share: ev.Progress(done=share))))  # type: ignore[arg-type]

    found: dict[str, float] = {}
    events = list(collect())
    return found, events


def test_the_solution_of_least_norm_is_that_of_the_pseudo_inverse() -> None:
    system = gaussian_system(4, 20, 90)
    assert system.solution == pytest.approx(np.linalg.pinv(system.x) @ system.y)
    assert system.condition == pytest.approx(np.linalg.cond(system.x))
    assert system.residual(system.solution) < 1e-14
    other = system.solution + (np.eye(90) - np.linalg.pinv(system.x) @ system.x)[0]
    assert system.residual(other) < 1e-13, "another solution"
    assert np.linalg.norm(other) > np.linalg.norm(system.solution)
    assert system.off_span(other) > 0.1
    assert system.distance(other) == pytest.approx(system.off_span(other))


def test_gradient_descent_from_zero_ends_there_and_from_elsewhere_it_does_not() -> None:
    system = gaussian_system(4, 20, 90)
    near, events = _down(system, Descent("gd", 300))
    far, _ = _down(system, Descent("random-start", 300, spread=0.1))
    assert near["relative_distance"] < 1e-13
    assert near["off_span_most"] < 1e-13
    assert near["rises"] == 0
    assert far["solved"] < 1e-13
    # Its limit is known too: the least solution plus what the start had off the span.
    assert far["relative_distance"] == pytest.approx(far["off_span_most"], rel=1e-6)
    distances = [e.values[0] for e in events if isinstance(e, ev.Curve) and e.metric == "distance"]
    assert len(distances) == len(measured_passes(300))


def test_a_rise_is_seen() -> None:
    """Steps too long must not pass for a monotone descent."""
    system = gaussian_system(4, 20, 90)
    parts = system.parts
    small = type(parts)(parts.u, parts.s / np.array([1.6, *np.ones(19)]), parts.vt)
    wild = System(system.x, system.y, small, system.solution, system.x_test, system.y_test)
    found, _ = _down(wild, Descent("gd", 60))
    assert found["rises"] > 0


def test_one_equation_a_step_stays_in_the_span_and_ends_there_too() -> None:
    found, _ = _down(gaussian_system(4, 20, 90), Descent("sgd", 80, stochastic=True))
    assert found["relative_distance"] < 1e-6
    assert found["off_span_most"] < 1e-13


def test_rows_that_depend_on_each_other_are_seen() -> None:
    x = np.random.default_rng(0).standard_normal((5, 30))
    x[4] = x[3]
    system = System.of(x, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert math.isinf(system.condition)
    assert system.residual(system.solution) > 0.01, "nothing solves it: the precondition of the claims"


def test_fourier_features_of_the_data_are_ill_conditioned() -> None:
    problem = _problem()
    wide, narrow = (fourier_system(problem, 1, 40, 200, sigma, 10) for sigma in (20.0, 3.0))
    assert wide.condition > 10 * narrow.condition
    assert set(np.unique(wide.y)) <= {-1.0, 1.0}
    assert len(wide.y_test) == 10
    found, _ = _down(wide, Descent("gd", 100, early=5))
    assert found["relative_distance"] > 0.1
    assert 0.0 <= found["early_accuracy"] <= 1.0


@pytest.mark.parametrize("passes", [1, 2, 200, 20_000])
def test_measured_passes_are_log_spaced(passes: int) -> None:
    found = measured_passes(passes)
    assert (found[0], found[-1]) == (1, passes)
    assert list(found) == sorted(set(found))
    assert len(found) <= 100
