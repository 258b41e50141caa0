"""Kernels really solved and descents really run, in the lab's own way, judged by the declared claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._minimum_norm.config import FAR_START, FOURIER, GD, SGD, arm_of
from genlab_tui.phenomena.minimum_norm import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

EXACT, NORM, LIMIT = (
    "interpolation predicts",
    "random labels cost more norm",
    "gradient descent from zero finds the minimum norm",
)
SMALL: dict[str, Any] = {
    "values": {"test": 300, "bandwidths": "1 2 5", "penalties": "0.01 0.3", "long_passes": 2000},
    "seeds": 3,
    "first_seed": 7000,  # seeds that no pilot used
}
TINY: dict[str, Any] = {
    "values": {"n": 150, "test": 100, "bandwidths": "2 4", "penalties": "0.1", "long_passes": 1200},
    "seeds": 2,
    "first_seed": 7000,
}


def _statuses(run_data: RunData) -> dict[str, Status]:
    return {claim.name: claim.status for claim in judge(PHENOMENON, run_data.spec, run_data).claims}


def test_digits_are_interpolated_and_descent_finds_the_smallest(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **SMALL)

    found = _statuses(run_data)
    assert [found[name] for name in (EXACT, NORM, LIMIT)] == [Status.SHOWN] * 3
    assert all(value < 1e-13 for value in run_data.measure("relative_distance", GD).values())
    assert all(3.0 < value < 5.0 for value in run_data.measure("relative_distance", FAR_START).values())
    assert all(value < 1e-5 for value in run_data.measure("relative_distance", SGD).values())
    assert all(value > 0.3 for value in run_data.measure("relative_distance", FOURIER).values())
    for name in ("norm", "residual", "condition", "test_error"):
        assert len(run_data.measures[name]) == 3 * (2 + 3 + 3 + 2 * 3), name
    narrow = run_data.measure("norm", arm_of("random", 1.0)), run_data.measure("norm", arm_of("true", 1.0))
    assert all(narrow[0][seed] / narrow[1][seed] < 1.1 for seed in run_data.seeds), "too narrow to tell labels apart"

    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    figures = {figure.name: figure for figure in PHENOMENON.figures(run_data)}
    assert {name: len(figure.lines) for name, figure in figures.items()} == {
        "norm": 2,
        "error": 2,
        "distance": 4,
        "ridge": 2,
        "condition": 1,
    }
    assert figures["norm"].lines[0].x == (1.0, 2.0, 5.0)
    assert figures["distance"].lines[0].x[0] == 1.0


def _measured(run_data: RunData) -> dict[str, list[str]]:
    return {name: sorted(map(repr, named.items())) for name, named in run_data.measures.items()}


@pytest.mark.parametrize("place", [2, 9, 30, -3], ids=["between kernels", "at a descent", "in it", "near the end"])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], place: int
) -> None:
    whole = make_context(PHENOMENON, **TINY)
    expected = whole.run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=place if place > 0 else whole.polls + place, **TINY)
    part = stopped.run(PHENOMENON)
    assert 0 < len(part.stages) < len(expected.stages)
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.stages == expected.stages
    assert _measured(resumed) == _measured(expected)
    for metric, curves in expected.curves.items():
        for member, curve in curves.items():
            assert resumed.curves[metric][member].value.tolist() == curve.value.tolist()


def test_a_seed_is_the_same_in_any_company(run_phenomenon: Callable[..., RunData]) -> None:
    """A block of `verify` is judged by its own seeds."""
    together = run_phenomenon(PHENOMENON, **TINY)
    alone = run_phenomenon(PHENOMENON, **TINY | {"seeds": 1, "first_seed": 7001})
    assert _measured(alone) == _measured(together.of_seeds([7001]))


def test_arms_launched_alone(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, arms=(GD, "true-2", "noisy-0.1"), **TINY)
    assert set(run_data.measure("norm", "true-2")) == {7000, 7001}
    assert {arm for arm, _ in run_data.measures["norm"]} == {"true-2", "noisy-0.1"}
    assert {arm for arm, _ in run_data.measures["relative_distance"]} == {GD}


def test_contradictions_are_named_and_nothing_is_measured_of_them(run_phenomenon: Callable[..., RunData]) -> None:
    values = TINY["values"] | {"contradictions": 3}
    run_data = run_phenomenon(PHENOMENON, **TINY | {"values": values, "seeds": 3})
    found = _statuses(run_data)
    assert (found[EXACT], found[NORM]) == (Status.INCONCLUSIVE,) * 2
    assert any("identical inputs carry different labels" in log.text for log in run_data.logs)
    assert all(value != value for value in run_data.measure("norm", "true-2").values())
    ridge = run_data.measure("test_error", "ridge-0.1")
    assert all(0 < value < 1 for value in ridge.values()), "a ridge takes the mean of what contradicts itself"


@pytest.mark.parametrize("sigma", [1000.0, 1e4])
def test_a_kernel_too_wide_is_named_never_mended(run_phenomenon: Callable[..., RunData], sigma: float) -> None:
    values = TINY["values"] | {"bandwidths": f"2 {sigma:g}"}
    run_data = run_phenomenon(PHENOMENON, **TINY | {"values": values, "seeds": 3})
    assert _statuses(run_data)[NORM] is Status.INCONCLUSIVE
    warnings = [log.text for log in run_data.logs if log.level == "warning" and f"sigma {sigma:g}:" in log.text]
    assert warnings
    assert all("no jitter is added" in text for text in warnings)
    residual = run_data.measure("residual", arm_of("random", sigma))
    assert all(not value < 1e-6 for value in residual.values())


def test_a_kernel_that_does_not_fit_memory_is_refused(
    run_phenomenon: Callable[..., RunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    from genlab_tui.errors import BadValue

    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 1e6})())
    with pytest.raises(BadValue, match="n = 1,200: the kernel matrix and its factor take") as caught:
        run_phenomenon(PHENOMENON, **TINY | {"values": TINY["values"] | {"n": 1200}})
    assert "nearest valid value" in str(vars(caught.value))


def test_nothing_is_solved_or_decomposed_twice(
    run_phenomenon: Callable[..., RunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    from genlab_tui.training import descent, kernel_machine
    from genlab_tui.training.least_squares import Decomposition

    solved: list[tuple[float, float]] = []
    solve, of, decomposed = kernel_machine.solve, Decomposition.of, []

    def count_solve(problem: Any, sigma: float, kinds: Any, penalty: float, **rest: Any) -> Any:
        solved.append((sigma, penalty))
        return solve(problem, sigma, kinds, penalty, **rest)

    def count_parts(x: Any) -> Decomposition:
        decomposed.append(x.shape)
        return of(x)

    monkeypatch.setattr(kernel_machine, "solve", count_solve)
    monkeypatch.setattr(descent.Decomposition, "of", count_parts)
    values = TINY["values"] | {"bandwidths": "2 3", "long_passes": 20}
    run_data = run_phenomenon(PHENOMENON, **TINY | {"values": values, "seeds": 1})
    assert solved == [(2.0, 0.0), (3.0, 0.0), (3.0, 0.1)]
    assert len(decomposed) == 2, "one Gaussian system, one of features"
    for name in ("norm", "residual", "test_accuracy", "condition"):
        assert run_data.measure(name, "ridge-0") == run_data.measure(name, "true-3") != {}
    assert run_data.measure("test_error", "noisy-0") != run_data.measure("test_error", "ridge-0")


def test_a_descent_beside_a_gpu_says_that_it_stays_on_the_cpu(make_context: Callable[..., Any]) -> None:
    for device, said in (("cuda:0", True), ("cpu", False)):
        context = make_context(PHENOMENON, arms=(GD,), **TINY)
        context.device = device
        run_data = context.run(PHENOMENON)
        assert run_data.measure("relative_distance", GD)
        assert any("descents stay on the CPU" in log.text for log in run_data.logs) is said


def test_seeds_that_share_their_samples_are_told_so(run_phenomenon: Callable[..., RunData]) -> None:
    def told(**fields: Any) -> bool:
        run_data = run_phenomenon(PHENOMENON, arms=("true-2",), **TINY | {"seeds": 1, **fields})
        return any("seeds only permute them" in log.text and log.level == "warning" for log in run_data.logs)

    assert told(data="mnist1d", values={"n": 0, "test": 100})
    assert not told(data="mnist1d")
    assert not told(values={"n": 0, "test": 100})


@pytest.mark.full
@pytest.mark.parametrize(
    ("preset", "statuses"),
    [
        ("quick", (Status.SHOWN, Status.SHOWN, Status.SHOWN)),
        ("hard-data", (Status.NOT_SHOWN, Status.NOT_SHOWN, Status.SHOWN)),
        ("ill-conditioned", (Status.SHOWN, Status.SHOWN, Status.NOT_SHOWN)),
        ("too-wide", (Status.INCONCLUSIVE, Status.INCONCLUSIVE, Status.SHOWN)),
        ("contradictions", (Status.INCONCLUSIVE, Status.INCONCLUSIVE, Status.SHOWN)),
    ],
)
def test_a_whole_preset(run_phenomenon: Callable[..., RunData], preset: str, statuses: tuple[Status, ...]) -> None:
    found = _statuses(run_phenomenon(PHENOMENON, preset=preset, first_seed=7100))
    assert tuple(found[name] for name in (EXACT, NORM, LIMIT)) == statuses
