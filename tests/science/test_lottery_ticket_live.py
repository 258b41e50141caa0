"""Lottery tickets in the lab's own way: rounds of pruning, stopped and resumed, judged by the declared claims."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._lottery_ticket.rounds import ACCURACY, STEP
from genlab_tui.phenomena.lottery_ticket import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Grade, Status, judge

VARIANTS = {"one_shot": True, "magnitude": True, "rewind": 10, "sizes": (0.5, 1.0)}
VALUES = {"n": 600, "test": 300, "rounds": 3, "prune": 0.4, "prune_output": 0.2, "iterations": 120, "every": 10}
SMALL: dict[str, Any] = {"data": "mnist1d", "seeds": 3, "first_seed": 7000}  # seeds that no pilot used


def _assert_same(one: RunData, other: RunData) -> None:
    """Assert that two runs measured the same, to the last bit, and have the same curves."""
    assert one.measures.keys() == other.measures.keys()
    for name, values in one.measures.items():
        assert values.keys() == other.measures[name].keys(), name
        for member, value in values.items():
            again = other.measures[name][member]
            assert again == value or (math.isnan(value) and math.isnan(again)), (name, member)
    for name, curves in one.curves.items():
        assert curves.keys() == other.curves[name].keys()
        for member, curve in curves.items():
            again = other.curves[name][member]
            assert curve.step.tolist() == again.step.tolist(), (name, member)
            assert curve.value.tolist() == pytest.approx(again.value.tolist(), nan_ok=True, abs=0), (name, member)


def test_a_run_stopped_within_and_between_rounds_is_the_unbroken_one(make_context: Callable[..., Any]) -> None:
    """Also where the checkpoint is lost: the round begins anew, from the masks that the one before kept."""
    whole = make_context(PHENOMENON, values={**VALUES, **VARIANTS}, **SMALL)
    expected = whole.run(PHENOMENON)
    assert {arm for arm, _ in expected.measures[STEP]} == {arm.name for arm in whole.arms}
    assert all(len(expected.measure(ACCURACY, arm.name)) == 3 for arm in whole.arms)
    assert whole.stages.keys() == {f"round {k}" for k in range(4)}

    broken = make_context(PHENOMENON, values={**VALUES, **VARIANTS}, **SMALL)
    for stop in (3, 14, 22, 26):
        broken.stop_after = stop
        broken.run(PHENOMENON)
        assert broken.saved, "it was stopped"
        if stop == 22:
            broken.saved.clear()
    broken.stop_after = -1
    _assert_same(expected, broken.run(PHENOMENON))
    assert broken.attempt == 5
    assert set(broken.arrays) == {"masks-0-0", "masks-0-1", "trained-0", "rewind-0"}, "masks of two rounds at most"


def test_a_few_arms_measure_what_they_do_among_all(make_context: Callable[..., Any]) -> None:
    """The chain that they need is trained and stays unheard."""
    every = make_context(PHENOMENON, values=VALUES, **SMALL)
    judged = next(arm.name for arm in every.arms if arm.control)
    few = make_context(PHENOMENON, values=VALUES, **SMALL, arms=("dense", judged))
    whole, part = every.run(PHENOMENON), few.run(PHENOMENON)
    assert (
        {arm for arm, _ in part.measures[STEP]}
        == {arm for arm, _ in part.curves["test_accuracy"]}
        == {
            "dense",
            judged,
        }
    )
    for arm in ("dense", judged):
        assert part.measure(STEP, arm) == whole.measure(STEP, arm)
        assert part.measure(ACCURACY, arm) == pytest.approx(whole.measure(ACCURACY, arm), abs=1e-6)


def test_one_shot_tickets_alone_skip_the_rounds_between(make_context: Callable[..., Any]) -> None:
    values = {**VALUES, "iterations": 20, "one_shot": True}
    names = [arm.name for arm in make_context(PHENOMENON, values=values, **SMALL).arms]
    alone = next(name for name in names if name.startswith("one-shot"))
    context = make_context(PHENOMENON, values=values, **SMALL, arms=(alone,))
    run_data = context.run(PHENOMENON)
    assert list(context.stages) == ["round 0", "round 3"]
    assert {arm for arm, _ in run_data.measures[STEP]} == {alone}


def test_convolutions_are_pruned_on_small_images(run_phenomenon: Callable[..., RunData]) -> None:
    values = {"network": "conv-2", "n": 60, "test": 20, "rounds": 1, "prune": 0.8, "prune_output": 0.5}
    values |= {"prune_kernels": 0.5, "batch": 20, "iterations": 2, "every": 1}
    run_data = run_phenomenon(PHENOMENON, data="digits", values=values, seeds=1, first_seed=7000)
    arms = {arm.name: arm for arm in run_data.arms}
    assert len(arms) == 4
    for name in arms:
        assert all(math.isfinite(v) for v in run_data.measure(ACCURACY, name).values())
        assert run_data.measure(STEP, name)[7000] in (0, 1, 2)


@pytest.mark.full
def test_the_quick_preset_finds_winning_tickets(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, first_seed=7000)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    main = next(claim for claim in verdict.claims if claim.main)
    assert verdict.status is Status.SHOWN, main.reason
    assert all(criterion.status is Grade.PASS for criterion in main.criteria)
    control = next(criterion.control for criterion in main.criteria if criterion.control)
    assert not control.fired
