"""The catapult really run: three phases, the linearised control, networks, a stop in the middle."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from genlab_tui.figure import Figure
from genlab_tui.phenomena import catapult
from genlab_tui.phenomena._catapult.claims import PHASES
from genlab_tui.phenomena.catapult import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

FIRST = 100_200
MODEL: dict[str, Any] = {
    "values": {"networks": "no", "widths": "100 1000", "draws": 5, "sweep": 18, "rounds": 9},
    "seeds": 3,
    "first_seed": FIRST,
}
SMALL: dict[str, Any] = {
    "values": {"width": 100, "steps": 60, "widths": "20 100", "draws": 2, "sweep": 6, "rounds": 4, "samples": 30,
               "hidden": 32, "network_steps": 30, "network_rounds": 4},
    "seeds": 2,
    "first_seed": FIRST,
}  # fmt: skip


def test_the_model_has_three_phases_and_the_linearised_has_two(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **MODEL)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.SHOWN
    controls = [c.control for claim in verdict.claims for c in claim.criteria if c.control]
    assert len(controls) == 4
    assert not any(control.fired for control in controls)
    for seed in run_data.seeds:
        assert run_data.measures["divergence"]["model", seed] == pytest.approx(4.0, rel=0.03)
        assert run_data.measures["divergence"]["linearised", seed] == pytest.approx(2.0, rel=0.05)
        assert run_data.measures["diverged"]["at-4.3", seed] == 1.0
        curve = run_data.curves["loss"]["at-3", seed]
        assert curve.step.tolist() == list(range(301))
        assert curve.value.max() == pytest.approx(run_data.measures["peak"]["at-3", seed])
        assert math.isnan(run_data.curves["loss"]["at-4.3", seed].value[-1])
    levels = run_data.curves["eta_lambda"]["at-4.3", FIRST].value
    assert np.nanmax(levels) <= 8
    assert math.isnan(levels[-1])
    figures = {figure.name: figure for figure in PHENOMENON.figures(run_data) if isinstance(figure, Figure)}
    swept = figures["curvature"].lines[0]
    assert max(swept.x) < 4.01, "what diverged is not drawn"
    assert len(swept.x) == 16
    assert len(figures["loss"].lines) == 7
    assert [line.label for line in figures["level"].lines] == ["1", "1.9", "2.5", "3", "3.5", "3.9", "4.3"]
    assert len(figures["widths"].lines) == 2


@pytest.mark.parametrize("stop", [2, 12, 27, 100, 200])  # the model; networks at one rate; bisections, in a descent
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], stop: int
) -> None:
    whole = make_context(PHENOMENON, **SMALL)
    expected = whole.run(PHENOMENON)
    assert whole.polls > stop
    stopped = make_context(PHENOMENON, stop_after=stop, **SMALL)
    stopped.run(PHENOMENON)
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert repr(resumed.measures) == repr(expected.measures)
    for metric, members in expected.curves.items():
        for member, curve in members.items():
            again = resumed.curves[metric][member]
            assert again.step.tolist() == curve.step.tolist(), (metric, member)
            assert np.array_equal(again.value, curve.value, equal_nan=True), (metric, member)


def test_a_seed_is_the_same_in_any_company(run_phenomenon: Callable[..., RunData]) -> None:
    both = run_phenomenon(PHENOMENON, **SMALL)
    alone = run_phenomenon(PHENOMENON, **{**SMALL, "seeds": 1, "first_seed": FIRST + 1})
    for name, measured in alone.measures.items():
        for member, value in measured.items():
            assert value == pytest.approx(both.measures[name][member], rel=1e-4, nan_ok=True), (name, member)


def test_a_search_without_a_boundary_is_said_and_judged_unclear(
    run_phenomenon: Callable[..., RunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catapult, "LOWEST", 5.0)  # it diverges already there
    values = {**SMALL["values"], "networks": "no"}
    run_data = run_phenomenon(PHENOMENON, **{**SMALL, "values": values, "seeds": 3})
    assert all(math.isnan(value) for value in run_data.measure("divergence", "model").values())
    assert any("no boundary" in log.text and log.level == "warning" for log in run_data.logs)
    assert judge(PHENOMENON, run_data.spec, run_data).status is Status.INCONCLUSIVE


def test_arms_may_be_launched_alone(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **SMALL, arms=("linear", "at-3"))
    assert set(run_data.measure("eta_max", "linear")) == {FIRST, FIRST + 1}
    assert set(run_data.measures["ratio"]) == {("at-3", FIRST), ("at-3", FIRST + 1)}
    assert judge(PHENOMENON, run_data.spec, run_data).status is Status.INCONCLUSIVE


@pytest.mark.slow
@pytest.mark.full
@pytest.mark.parametrize("data_set", ["digits", "mnist1d", "fashion-mnist"])
def test_the_quick_preset_by_its_criteria(run_phenomenon: Callable[..., RunData], data_set: str) -> None:
    run_data = run_phenomenon(PHENOMENON, data=data_set, first_seed=FIRST)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert {claim.name: claim.status for claim in verdict.claims if claim.main} == {PHASES: Status.SHOWN}
    centred, plain = (run_data.measure("eta_max", arm) for arm in ("relu-centred", "relu-linearised"))
    for seed in run_data.seeds:
        assert centred[seed] > 1.3 * plain[seed] == pytest.approx(2.6, rel=0.1)


@pytest.mark.slow
@pytest.mark.full
def test_ten_units_are_not_enough(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, preset="narrow", first_seed=FIRST)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.INCONCLUSIVE
    assert "fired" in verdict.claims[0].reason
