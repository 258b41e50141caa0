"""The drift really walked: reduced runs judged by the declared claims, resumed runs, the whole quick preset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.figure import Figure
from genlab_tui.phenomena._max_margin.config import ADAM, DECAYED, FIT, GD, LONG, MIXED, SETS
from genlab_tui.phenomena.max_margin import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

FIRST = 300_000  # the number of steps of the rivals was looked at on these; nothing else was
TOY: dict[str, Any] = {
    "values": {"network": "none", "steps": 100_000, "contrast_steps": 100_000},
    "first_seed": FIRST,
    "seeds": 5,
}
SMALL: dict[str, Any] = {
    "values": {"n": 100, "test": 100, "epochs": 20, "steps": 20_000, "contrast_steps": 2_000},
    "first_seed": FIRST,
    "seeds": 2,
}


def test_the_norm_grows_like_log_t_and_the_control_stays(run_phenomenon: Callable[..., RunData]) -> None:
    """A tenth of the steps: numbers of one decade earlier, so theirs are asked for, not the thresholds of the end."""
    run_data = run_phenomenon(PHENOMENON, **TOY)
    for seed in run_data.seeds:
        assert 0.8 <= run_data.measure("slope", GD)[seed] <= 1.2
        assert abs(run_data.measure("slope", MIXED)[seed]) < 0.02, "nothing separates it: its norm has converged"
        assert run_data.measure("margin", GD)[seed] > 0.9
        assert run_data.measure("turn", SETS)[seed] >= 0.2
        assert run_data.measure("nearer_inf", GD)[seed] < run_data.measure("nearer_inf", ADAM)[seed]
    claims = {claim.name: claim for claim in judge(PHENOMENON, run_data.spec, run_data).claims}
    assert claims["the optimiser decides which margin"].status is Status.SHOWN
    figures = PHENOMENON.figures(run_data)
    names = [figure.name for figure in figures]
    assert names == ["norm", "angle", "margin", "loss", "set"]
    assert all(isinstance(figure, Figure) and figure.lines for figure in figures)
    assert all(figure.log_x for figure in figures[:4] if isinstance(figure, Figure))
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)


def test_points_under_both_labels_are_said_and_judged_unclear(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, preset="not-separable", first_seed=FIRST)
    assert any("nothing separates" in log.text and log.level == "warning" for log in run_data.logs)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.INCONCLUSIVE
    assert "separable" in verdict.claims[0].reason
    curve = run_data.curves["norm"][GD, FIRST]
    assert curve.value[-1] == pytest.approx(curve.value[curve.step.tolist().index(10_000)], rel=1e-2)
    assert PHENOMENON.figures(run_data)


@pytest.mark.parametrize("stop_after", [25, 90, 150])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], stop_after: int
) -> None:
    """In the middle of gradient descent, of a rival, of the network."""
    expected = make_context(PHENOMENON, **SMALL).run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=stop_after, **SMALL)
    part = stopped.run(PHENOMENON)
    assert len(part.stages) < len(expected.stages)
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.stages == expected.stages
    assert repr(resumed.measures) == repr(expected.measures)
    for metric, by_member in expected.curves.items():
        for member, curve in by_member.items():
            again = resumed.curves[metric][member]
            assert again.step.tolist() == curve.step.tolist(), (metric, member)
            assert again.value.tobytes() == curve.value.tobytes(), (metric, member)


def test_the_network_that_just_fits_is_where_the_long_one_passed(run_phenomenon: Callable[..., RunData]) -> None:
    values = {"n": 200, "test": 200, "epochs": 60, "lr": 0.1}
    run_data = run_phenomenon(
        PHENOMENON, values=values, arms=(FIT, LONG, DECAYED), seeds=3, first_seed=FIRST, data="digits"
    )
    for seed in run_data.seeds:
        assert run_data.measure("train_accuracy", FIT)[seed] == 1.0
        assert run_data.measure("steps", FIT)[seed] < run_data.measure("steps", LONG)[seed]
        assert run_data.measure("weight_norm", LONG)[seed] > run_data.measure("weight_norm", FIT)[seed]
        assert run_data.measure("train_loss", LONG)[seed] < run_data.measure("train_loss", FIT)[seed]
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert [claim.name for claim in verdict.claims] == ["in a network test loss rises while test error falls"]


@pytest.mark.slow
@pytest.mark.full
@pytest.mark.parametrize("data_set", ["digits", "mnist1d"])
def test_the_quick_preset_by_its_criteria(run_phenomenon: Callable[..., RunData], data_set: str) -> None:
    run_data = run_phenomenon(PHENOMENON, data=data_set, first_seed=FIRST)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert {claim.name: claim.status for claim in verdict.claims if claim.main} == {
        "gradient descent drifts to the largest margin": Status.SHOWN,
        "the optimiser decides which margin": Status.SHOWN,
    }
    for claim in verdict.claims:
        for criterion in claim.criteria:
            assert criterion.control is None or not criterion.control.fired, criterion.control
