"""The edge of stability really walked to: reduced runs judged by the declared claims, resumed runs, quick presets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from genlab_tui import data
from genlab_tui.phenomena._edge_of_stability.claims import FOLLOWS, HOVERS, RISES
from genlab_tui.phenomena.edge_of_stability import PHENOMENON, _problems
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

FIRST = 300_000  # seeds that no pilot used
SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 200, "hidden": "24 24", "etas": "0.4 0.65", "small": 0.1, "steps": 1200, "every": 50,
               "polyak": 0.6, "nesterov": 0.28, "momentum_steps": 200},
    "seeds": 2,
    "first_seed": FIRST,
}  # fmt: skip
TINY: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 60, "hidden": "8", "steps": 100, "every": 10, "momentum_steps": 50, "precision": "float64"},
    "seeds": 2,
    "first_seed": FIRST,
}


def test_sharpness_rises_to_the_edge_of_each_step_size_and_stays(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **SMALL)
    for seed in run_data.seeds:
        for arm in ("eta-0.4", "eta-0.65"):
            assert run_data.measure("first", arm)[seed] < 1
            assert 1.9 <= run_data.measure("late", arm)[seed] <= 2.2
            assert run_data.measure("rises_before", arm)[seed] == 0
            assert run_data.measure("rises_after", arm)[seed] > 0
        assert run_data.measure("late", "eta-0.1")[seed] < 1.5
        assert run_data.measure("rising_share", "eta-0.1")[seed] == 0
        assert run_data.measure("crossing", "eta-0.65")[seed] < run_data.measure("crossing", "eta-0.4")[seed]
    for by_member in run_data.measures["unsure"].values():
        assert by_member == 0, "every sharpness is known to 1 %"
    figures = PHENOMENON.figures(run_data)
    assert all(figure.lines for figure in figures)
    steps = run_data.curves["train_loss"]["eta-0.4", FIRST].step
    assert len(set((steps % 2).tolist())) == 2, "losses at odd and at even steps, or what alternates looks smooth"
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)


@pytest.mark.parametrize("stop_after", [4, 13])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], stop_after: int
) -> None:
    """In the middle of plain descent, and of that with momentum."""
    expected = make_context(PHENOMENON, **TINY).run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=stop_after, **TINY)
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


def test_the_clock_of_a_resumed_run_goes_on(make_context: Callable[..., Any]) -> None:
    stopped = make_context(PHENOMENON, stop_after=4, **TINY)
    stopped.run(PHENOMENON)
    ((name, saved),) = stopped.saved.items()
    assert saved.meta["seconds"] > 0
    stopped.saved[name] = replace(saved, meta={"seconds": 1000.0})
    stopped.stop_after = -1
    curve = stopped.run(PHENOMENON).curves["sharpness"]["eta-0.2", FIRST]
    assert curve.seconds[4] < 1000 <= curve.seconds[5]


def test_a_seed_is_the_same_in_any_company(run_phenomenon: Callable[..., RunData]) -> None:
    both = run_phenomenon(PHENOMENON, **TINY)
    alone = run_phenomenon(PHENOMENON, **{**TINY, "seeds": 1, "first_seed": FIRST + 1, "arms": ("eta-0.4",)})
    assert alone.measure("late", "eta-0.4")[FIRST + 1] == both.measure("late", "eta-0.4")[FIRST + 1]
    assert both.measure("end_loss", "eta-0.2").keys() == {FIRST, FIRST + 1}


def test_a_step_size_that_is_too_large_is_said_and_judged_unclear(run_phenomenon: Callable[..., RunData]) -> None:
    values = {**TINY["values"], "activation": "relu", "gain": 1.0, "etas": "0.2 40", "momentum": "no"}
    run_data = run_phenomenon(PHENOMENON, **{**TINY, "values": values, "seeds": 3})
    assert any("diverged" in log.text and log.level == "warning" for log in run_data.logs)
    assert all(math.isnan(value) for value in run_data.measure("late", "eta-40").values())
    assert judge(PHENOMENON, run_data.spec, run_data).status is Status.INCONCLUSIVE


def test_the_first_samples_are_the_same_for_every_seed(
    run_phenomenon: Callable[..., RunData], make_context: Callable[..., Any]
) -> None:
    values = {**TINY["values"], "first": "yes", "momentum": "no", "until": 0.6}
    run_data = run_phenomenon(PHENOMENON, **{**TINY, "values": values})
    context = make_context(PHENOMENON, **{**TINY, "values": values})
    config, arrays = PHENOMENON.config_of(context.spec), data.load("digits", context.data_dir)
    one, other = _problems(config, context, arrays, run_data.seeds).values()
    assert torch.equal(one.rows, other.rows)
    assert torch.equal(one.labels, other.labels)
    drawn, again = _problems(replace(config, first=False), context, arrays, run_data.seeds).values()
    assert drawn.rows.shape == again.rows.shape == one.rows.shape
    assert not torch.equal(drawn.rows, again.rows)
    ends = run_data.measure("steps", "eta-0.4")
    reached = run_data.measure("end_accuracy", "eta-0.4")
    assert all((ends[seed] < 100 and reached[seed] >= 0.6) or ends[seed] == 100 for seed in run_data.seeds)


@pytest.mark.slow
@pytest.mark.full
@pytest.mark.parametrize("preset", ["quick", "hard-data", "fashion"])
def test_presets_by_their_criteria(run_phenomenon: Callable[..., RunData], preset: str) -> None:
    run_data = run_phenomenon(PHENOMENON, preset=preset, first_seed=FIRST)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    found = {claim.name: claim.status for claim in verdict.claims if claim.main}
    assert found == dict.fromkeys((HOVERS, RISES, FOLLOWS), Status.SHOWN)


@pytest.mark.slow
@pytest.mark.full
def test_with_cross_entropy_sharpness_leaves_the_edge(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, preset="cross-entropy", first_seed=FIRST)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.NOT_SHOWN
    assert verdict.claims[-1].status is Status.SHOWN
