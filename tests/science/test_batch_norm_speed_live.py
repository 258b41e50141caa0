"""Grids of learning rates really trained, in the lab's own way, and judged by the declared claims."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._batch_norm_speed import numbers
from genlab_tui.phenomena._batch_norm_speed.config import (
    ACCURACY,
    AFTER,
    AGAIN,
    BN,
    FIT,
    NORM,
    PLAIN,
    RATES_OF_START,
    SCALE,
    SMALL,
)
from genlab_tui.phenomena.batch_norm_speed import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

SMALLER: dict[str, Any] = {
    "data": "digits",
    "values": {"width": 32, "epochs": 10, "lrs": "0.03 0.1 0.3 1", "usable": 0.8, "target": 0.8},
    "first_seed": 7000,  # seeds that no pilot used
}
TINY: dict[str, Any] = {
    "data": "digits",
    "values": {"width": 8, "depth": 3, "n": 100, "test": 50, "epochs": 4, "batch": 20, "lrs": "0.1 1 3"},
    "seeds": 2,
    "first_seed": 7000,
    "preset": "placement",
}


def test_a_small_start_is_undone_and_the_controls_are_quiet(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, seeds=3, **SMALLER)
    config = PHENOMENON.config_of(run_data.spec)
    assert set(numbers.best(run_data, config, PLAIN)) == set(run_data.seeds)
    assert max(numbers.best(run_data, config, PLAIN + SMALL).values()) < 0.5
    assert min(numbers.worst(run_data, config, BN + SMALL, RATES_OF_START).values()) > 0.7
    assert max(numbers.best(run_data, config, SCALE + SMALL).values()) < 0.5
    for seed in run_data.seeds:
        row = numbers.steps(run_data, config, BN)[seed]
        assert any(value % 24 for value in row if math.isfinite(value)), "finer than epochs"
        for lr in (0.03, 0.1):
            plain = run_data.measure(ACCURACY, f"plain@{lr:g}")[seed]
            assert plain == run_data.measure("test_accuracy", f"plain@{lr:g}")[seed]
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    start = claims["batch norm trains from a start that is too small"]
    assert start.status is Status.SHOWN
    fast = claims["fewer steps with batch norm"]
    assert fast.status is Status.SHOWN
    for claim in (start, fast):
        (control,) = [c.control for c in claim.criteria if c.control]
        assert not control.missing
        assert not control.fired
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    found = {figure.name: figure for figure in PHENOMENON.figures(run_data)}
    assert len(found["accuracy"].lines) == 3  # type: ignore[union-attr]
    assert len(found["learning"].lines) == 3  # type: ignore[union-attr]


def _measured(run_data: RunData) -> dict[str, list[str]]:
    return {name: sorted(map(repr, named.items())) for name, named in run_data.measures.items()}


@pytest.mark.parametrize("polls", [3, 11, "scoring"], ids=["first program", "a later program", "while scoring"])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], polls: int | str
) -> None:
    whole = make_context(PHENOMENON, **TINY)
    expected = whole.run(PHENOMENON)
    assert {arm.rpartition("@")[0] for arm, _ in expected.measures[ACCURACY]} >= {PLAIN, BN, AFTER, SCALE}
    assert len(expected.measures[NORM]) == 2 * len(whole.arms)
    stopped = make_context(PHENOMENON, stop_after=whole.polls - 1 if polls == "scoring" else polls, **TINY)
    part = stopped.run(PHENOMENON)
    assert not part.stages
    assert ACCURACY not in part.measures
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.stages == expected.stages
    assert _measured(resumed) == _measured(expected)
    config = PHENOMENON.config_of(resumed.spec)
    for family in (PLAIN, BN, SCALE):
        assert repr(numbers.steps(resumed, config, family)) == repr(numbers.steps(expected, config, family))
    for member, curve in expected.curves[FIT].items():
        assert resumed.curves[FIT][member].step.tolist() == curve.step.tolist()


def test_more_seeds_are_trained_in_groups_and_a_seed_is_the_same_in_each(
    run_phenomenon: Callable[..., RunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block of `verify` is judged by its own seeds: company must not change them (but for rounding)."""
    calm = TINY | {"seeds": 3, "values": TINY["values"] | {"lrs": "0.03 0.1 0.2"}}
    together = run_phenomenon(PHENOMENON, **calm)
    monkeypatch.setattr("genlab_tui.phenomena.batch_norm_speed.cost.at_once", lambda each, device: 2)
    apart = run_phenomenon(PHENOMENON, **calm)
    assert list(apart.stages) == ["seeds 7000 to 7001", "seed 7002"]
    for member, value in together.measures[NORM].items():
        assert apart.measures[NORM][member] == pytest.approx(value, rel=1e-3), member


def test_an_arm_launched_alone(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, arms=("bn@1",), **TINY)
    assert {name for name, _ in run_data.measures[ACCURACY]} == {"bn@1"}
    assert PHENOMENON.figures(run_data)


@pytest.mark.slow
def test_a_network_by_name(run_phenomenon: Callable[..., RunData]) -> None:
    """Its control is the same network from another seed's start, in another order, on the same split."""
    values = {"network": "vgg-11", "n": 40, "test": 20, "epochs": 1, "batch": 20, "lrs": "0.01 0.03 0.1", "running": 1}
    run_data = run_phenomenon(PHENOMENON, preset="paper", data="digits", seeds=1, first_seed=7000, values=values)
    assert {name.rpartition("@")[0] for name, _ in run_data.measures[ACCURACY]} == {PLAIN, BN, AGAIN}
    plain, again = (run_data.measure(NORM, f"{name}@0.01")[7000] for name in (PLAIN, AGAIN))
    assert plain != again


@pytest.mark.full
def test_the_quick_preset(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, first_seed=7100)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    for name in ("fewer steps with batch norm", "batch norm trains from a start that is too small"):
        assert claims[name].status is Status.SHOWN
    wider = claims["more learning rates work with batch norm"]
    assert float(wider.criteria[0].value or 0) > 0
    controls = [c.control for claim in verdict.claims if claim.main for c in claim.criteria if c.control]
    assert len(controls) == 3
    assert not any(control.fired or control.missing for control in controls)
