"""Grokking really trained: a small table, the leak, resumed runs, the whole quick preset by its criteria."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._grokking.config import CONTROL, LEAK, MAIN, decay_arm
from genlab_tui.phenomena.grokking import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

FIRST = 300_000  # nothing was chosen on these
SMALL: dict[str, Any] = {
    "values": {"p": 23, "embed": 32, "hidden": 64, "steps": 250, "fractions": (0.8,), "fraction": 0.6},
    "first_seed": FIRST,
    "seeds": 2,
}


def test_a_leak_is_known_at_once_and_an_honest_split_is_not(run_phenomenon: Callable[..., RunData]) -> None:
    values = {"p": 31, "hidden": 64, "steps": 120}
    run_data = run_phenomenon(PHENOMENON, values=values, arms=(MAIN, CONTROL, LEAK), first_seed=FIRST, seeds=3)
    for seed in run_data.seeds:
        assert run_data.measure("test_at_fit", LEAK)[seed] > 0.3
        assert run_data.measure("test_at_fit", MAIN)[seed] <= 0.1
        assert run_data.measure("leakage", LEAK)[seed] == pytest.approx(0.5, abs=0.08)
        assert run_data.measure("leakage", MAIN)[seed] == 0.0
        assert run_data.measure("end_step", CONTROL)[seed] == 120, "nobody generalised: the control has the budget"
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.NOT_SHOWN, "too few steps to generalise"
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    assert PHENOMENON.figures(run_data)


@pytest.mark.parametrize("operation", ["subtraction", "multiplication", "division"])
def test_every_operation_is_judged(run_phenomenon: Callable[..., RunData], operation: str) -> None:
    """All arms of it: a leak that cannot fit its table would leave its control, and so the verdict, without numbers."""
    values = {"p": 23, "hidden": 64, "steps": 100, "operation": operation}
    run_data = run_phenomenon(PHENOMENON, values=values, first_seed=FIRST, seeds=3)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.NOT_SHOWN, "too few steps to generalise"
    controls = [criterion.control for criterion in verdict.claims[0].criteria if criterion.control]
    assert len(controls) == (3 if operation == "multiplication" else 2)
    assert not any(control.missing for control in controls)


@pytest.mark.parametrize("stop_after", [20, 100])
@pytest.mark.parametrize("model", ["mlp", "transformer"])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], model: str, stop_after: int
) -> None:
    asked = dict(SMALL)
    if model == "transformer":
        small = {"p": 11, "embed": 16, "hidden": 32, "steps": 250, "model": model, "batch": 16, "fractions": (0.8,)}
        asked["values"] = small
        asked["arms"] = (MAIN, CONTROL)
    expected = make_context(PHENOMENON, **asked).run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=stop_after, **asked)
    part = stopped.run(PHENOMENON)
    assert not part.stages
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.stages == expected.stages
    assert repr(resumed.measures) == repr(expected.measures)
    for metric, by_member in expected.curves.items():
        for member, curve in by_member.items():
            again = resumed.curves[metric][member]
            assert again.step.tolist() == curve.step.tolist(), (metric, member)
            assert again.value.tobytes() == curve.value.tobytes(), (metric, member)


@pytest.mark.slow
@pytest.mark.full
def test_the_quick_preset_by_its_criteria(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, first_seed=FIRST)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.SHOWN
    for seed in run_data.seeds:
        general = run_data.measure("general_step", MAIN)[seed]
        # Its steps are the control's budget, to the distance of two looks.
        assert 2.0 * general <= run_data.measure("end_step", CONTROL)[seed] <= 2.1 * general
        assert run_data.measure("delay", decay_arm(3.0))[seed] > 1.0
    for claim in verdict.claims:
        for criterion in claim.criteria:
            assert criterion.control is None or not criterion.control.fired, criterion.control


@pytest.mark.slow
@pytest.mark.full
def test_the_counter_example_is_not_shown(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, preset="leak", first_seed=FIRST)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.NOT_SHOWN
    assert min(run_data.measure("leakage", MAIN).values()) > 0.4
