"""Sharpness really measured, in the lab's own way: networks trained to one loss, judged by the declared claims."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._sharpness.config import (
    DIFFERENCE,
    DISTANCE,
    EIGENVALUE,
    MATCHED,
    MEASURES,
    RESCALED,
    eigenvalue_name,
    level_arm,
)
from genlab_tui.phenomena._sharpness.numbers import spread
from genlab_tui.phenomena.sharpness import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.training import sharpness, train
from genlab_tui.verdict import Status, judge

SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 600, "hidden": "40 40", "batches": "10 150", "levels": "1.0", "subset": 200, "directions": 4},
    "first_seed": 7000,  # seeds that no pilot used
}
TINY: dict[str, Any] = {
    "data": "digits",
    "values": {
        "n": 120,
        "test": 60,
        "hidden": "10 8",
        "batches": "10 40",
        "levels": "1.5",
        "loss": 0.8,
        "subset": 40,
        "eigenvalues": 2,
        "directions": 2,
        "ascent": 3,
    },
    "seeds": 2,
    "first_seed": 7000,
}
POLLS = 10
"""Of the measuring of a seed's networks in `TINY`: it begins, curvature, steps uphill, 2 directions, 5 boxes."""
ARMS = ("batch-10", "batch-150", "batch-150-scaled", "batch-10-order")


def test_networks_stop_at_one_loss_and_are_measured_there(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, seeds=3, **SMALL)
    assert max(spread(run_data, ARMS).values()) < MATCHED
    for arm in ARMS:
        for seed, loss in run_data.measure("train_loss", arm).items():
            assert 0.1 / MATCHED < loss <= 0.1
            assert run_data.measure("test_accuracy", arm)[seed] > 0.85
            assert run_data.measure("train_loss", level_arm(arm, 1.0))[seed] > 0.7
        for name in (*MEASURES, DISTANCE):
            assert min(run_data.measure(name, arm).values()) > 0, (name, arm)
        first, second = (run_data.measure(eigenvalue_name(k), arm) for k in (1, 2))
        assert first == run_data.measure(EIGENVALUE, arm)
        assert all(first[seed] > second[seed] > 0 for seed in run_data.seeds)
    assert max(run_data.measure(DIFFERENCE, RESCALED).values()) < 1e-12
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    for name in (
        "rescaling changes sharpness and not the function",
        "measures in units of the weights' own sizes do not change by rescaling",
    ):
        assert claims[name].status is Status.SHOWN
    main = next(claim for claim in verdict.claims if claim.main)
    assert main.status is not Status.INCONCLUSIVE, main.reason  # matched, and no control fired
    for criterion in main.criteria[:2]:
        assert criterion.control is not None
        assert not criterion.control.missing
        assert len(criterion.control.seeds) == 3
    assert not any("rough" in log.text for log in run_data.logs)
    assert run_data.progress is not None
    for figure in PHENOMENON.figures(run_data):
        assert getattr(figure, "lines", getattr(figure, "values", ()))


@pytest.mark.parametrize(("stop_at", "measured"), [(4, None), (-15, []), (-5, ["7000"])])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, stop_at: int, measured: list[str] | None
) -> None:
    """Stopped in training, and while networks are measured: those of the first seed, and of the second."""
    monkeypatch.setattr(train, "POLL_EVERY", 1e9)  # polls are counted here, and none may depend on the clock
    whole = make_context(PHENOMENON, **TINY)
    expected = whole.run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=stop_at if stop_at > 0 else whole.polls + stop_at, **TINY)
    assert not stopped.run(PHENOMENON).stages
    (saved,) = stopped.saved.values()
    if measured is None:
        assert sharpness.MEASURED not in saved.meta
    else:
        assert list(json.loads(json.dumps(saved.meta))[sharpness.MEASURED]) == measured
        before = stopped.polls
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    if measured is not None:  # what was measured is not measured again
        assert stopped.polls - before == POLLS * (TINY["seeds"] - len(measured))
    assert resumed.stages == expected.stages
    assert set(resumed.measures) == set(expected.measures)
    for name, by_network in expected.measures.items():
        assert repr(sorted(resumed.measures[name].items())) == repr(sorted(by_network.items())), name
    for metric, by_member in expected.curves.items():
        for member, curve in by_member.items():
            again = resumed.curves[metric][member]
            assert again.step.tolist() == curve.step.tolist()
            assert again.value.tobytes() == curve.value.tobytes(), (metric, member)


def test_a_network_that_never_gets_there_is_said_and_compared_with_none(
    run_phenomenon: Callable[..., RunData],
) -> None:
    values = TINY["values"] | {"epochs": 3, "loss": 0.3}
    run_data = run_phenomenon(PHENOMENON, **(TINY | {"values": values, "seeds": 3}))
    assert any("last epoch came before the training loss" in log.text for log in run_data.logs)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.INCONCLUSIVE
    assert "largest training loss over smallest" in verdict.claims[0].reason


def test_diverged_networks_leave_their_claims_open(run_phenomenon: Callable[..., RunData]) -> None:
    values = TINY["values"] | {"lr": 100.0, "epochs": 30}
    run_data = run_phenomenon(PHENOMENON, **(TINY | {"values": values, "seeds": 3}))
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.INCONCLUSIVE
    PHENOMENON.figures(run_data)


def test_rough_eigenvalues_are_missing_and_leave_claims_open(run_phenomenon: Callable[..., RunData]) -> None:
    values = TINY["values"] | {"products": 5, "tolerance": 1e-6}
    run_data = run_phenomenon(PHENOMENON, **(TINY | {"values": values, "seeds": 3}))
    assert sum("eigenvalues rough" in log.text for log in run_data.logs) == 3
    for arm in (*ARMS, level_arm("batch-10", 1.5)):
        assert all(math.isnan(value) for value in run_data.measure(EIGENVALUE, arm).values()), arm
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.INCONCLUSIVE
    PHENOMENON.figures(run_data)


def test_batch_norm_is_measured_too(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **TINY, regularisers={"batch-norm": 0.1})
    for name in MEASURES:
        assert len(run_data.measure(name, "batch-10")) == 2
    assert max(run_data.measure(DIFFERENCE, RESCALED).values()) < 1e-10


@pytest.mark.full
@pytest.mark.parametrize("preset", ["quick", "easy-data"])
def test_a_whole_preset(run_phenomenon: Callable[..., RunData], preset: str) -> None:
    """Small networks do not show what the paper does: the verdict says so, and is none of a broken comparison."""
    run_data = run_phenomenon(PHENOMENON, preset=preset, first_seed=7100)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.NOT_SHOWN
    claims = {claim.name: claim for claim in verdict.claims}
    assert claims["the scaled learning rate finds minima as flat"].status is Status.SHOWN
    assert claims["rescaling changes sharpness and not the function"].status is Status.SHOWN
