"""Batch norm's modes really measured, in the lab's own way: reduced runs, stopped ones, and the whole quick preset."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._batch_norm_modes.config import (
    BATCH_MODE,
    CLEAN,
    DROPPED,
    LAST,
    RATIO,
    RECOMPUTED,
    SHIFTED,
    WORST,
    layer_arm,
)
from genlab_tui.phenomena.batch_norm_modes import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 601, "width": 32, "depth": 3, "steps": 200, "batches": (2, 8, 64), "epochs": 3, "partitions": 3},
    "seeds": 3,
    "first_seed": 7000,  # seeds that no pilot used
}


def _mean(run_data: RunData, name: str, arm: str) -> float:
    found = run_data.measure(name, arm)
    assert len(found) == len(run_data.seeds)
    assert all(map(math.isfinite, found.values()))
    return sum(found.values()) / len(found)


def _in_order(run_data: RunData) -> dict[str, str]:
    """Return all measures as text (there are NaN among them), whoever ended first."""
    return {name: repr(sorted(found.items())) for name, found in run_data.measures.items()}


def test_small_batches_break_batch_norm_and_nothing_else(run_phenomenon: Callable[..., RunData]) -> None:
    """601 samples: with batch 2 and 8 a last batch of one has to go somewhere."""
    run_data = run_phenomenon(PHENOMENON, **SMALL)
    assert _mean(run_data, "test_accuracy", "bn-64") > _mean(run_data, "test_accuracy", "bn-2") + 0.3
    assert _mean(run_data, "test_accuracy", "bn-plain-lr-2") != _mean(run_data, "test_accuracy", "bn-2")
    assert abs(_mean(run_data, "test_accuracy", "plain-64") - _mean(run_data, "test_accuracy", "plain-2")) < 0.3
    for batch in (2, 8, 64):
        plain = f"plain-{batch}"
        assert _mean(run_data, BATCH_MODE, plain) == pytest.approx(_mean(run_data, "test_accuracy", plain), abs=0.01)
        assert _mean(run_data, RECOMPUTED, plain) == pytest.approx(_mean(run_data, "test_accuracy", plain), abs=1e-9)
    gaps = {b: _mean(run_data, "test_accuracy", f"bn-{b}") - _mean(run_data, BATCH_MODE, f"bn-{b}") for b in (8, 64)}
    assert gaps[8] > gaps[64]
    assert _mean(run_data, WORST, DROPPED) > SHIFTED > _mean(run_data, WORST, CLEAN)
    layers = [_mean(run_data, RATIO, layer_arm(DROPPED, layer)) for layer in (1, 2, 3)]
    assert layers[0] < SHIFTED, "before the first batch norm nothing was dropped"
    assert max(layers[1:]) == pytest.approx(max(layers))
    assert _mean(run_data, "steps", "bn-2") == 200
    assert _mean(run_data, "steps", "bn-64-epochs") == 30
    assert set(run_data.stages) == {f"seeds 7000 to 7002, batch {part}" for part in ("2", "8", "64", "64, dropout")}
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0, abs=1e-3)


def test_the_three_arms_of_dropout_are_trained_with_different_masks(
    run_phenomenon: Callable[..., RunData],
) -> None:
    """Ten steps from one start in one order: different networks, whose first layer (nothing dropped) agrees roughly."""
    short = SMALL | {"values": SMALL["values"] | {"steps": 10, "epochs": 0, "batches": (8,)}, "seeds": 1}
    run_data = run_phenomenon(PHENOMENON, arms=(CLEAN, LAST, DROPPED), **short)
    first = {arm: run_data.measure(RATIO, layer_arm(arm, 1))[7000] for arm in (CLEAN, LAST, DROPPED)}
    assert len(set(first.values())) == 3
    assert max(first.values()) / min(first.values()) < 1.2


@pytest.mark.parametrize("stop_after", [4, 9, 14])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], stop_after: int
) -> None:
    small = SMALL | {"values": SMALL["values"] | {"steps": 60, "batches": (8, 64)}, "seeds": 2}
    expected = make_context(PHENOMENON, **small).run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=stop_after, **small)
    part = stopped.run(PHENOMENON)
    assert len(part.stages) < 3
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.stages == expected.stages
    assert _in_order(resumed) == _in_order(expected)


@pytest.mark.slow
@pytest.mark.full
def test_the_quick_preset_by_its_criteria(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, first_seed=7100)
    claims = {claim.name: claim for claim in judge(PHENOMENON, run_data.spec, run_data).claims}
    for name in (
        "batch norm fails with tiny batches",
        "the gap between training and evaluation mode shrinks with the batch",
    ):
        assert claims[name].status is Status.SHOWN, claims[name]
    shift = claims["dropout before batch norm shifts the variance"].criteria
    assert min(run_data.measure(WORST, DROPPED).values()) >= SHIFTED
    assert all(c.control is not None and not c.control.fired for c in shift)
