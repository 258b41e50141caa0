"""Labels really sent: true ones shrink, random ones do not, and a stopped run ends with the same code."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena.description_length import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 300, "models": ("logistic", "1x64"), "epochs": 40, "quantised": (4, 8)},
    "first_seed": 7000,
    "seeds": 3,
}


def test_true_labels_shrink_and_random_ones_do_not(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **SMALL)

    each = math.log2(10)
    for arm in run_data.arms:
        for seed in run_data.seeds:
            curve = run_data.curves["code_bits"][arm.name, seed]
            assert curve.step.tolist() == [8, 16, 32, 64, 128, 256, 300]
            assert curve.value[0] == pytest.approx(8 * each), "the first block is sent with the uniform code"
            assert (curve.value[1:] > curve.value[:-1]).all()
            length = run_data.measure("code_length", arm.name)[seed]
            assert length == pytest.approx(curve.value[-1])
            assert run_data.measure("ratio", arm.name)[seed] == pytest.approx(length / (300 * each))
    for seed in run_data.seeds:
        assert run_data.measure("ratio", "true-1x64")[seed] < 0.6
        assert run_data.measure("ratio", "random-1x64")[seed] > 0.98
        assert run_data.measure("two_part_ratio", "true-1x64")[seed] > 32 * 64 * 65 / (300 * each)
        assert run_data.measure("small_drop", "true-1x64")[seed] <= 0.005 + 1e-6
        for arm in ("random-logistic", "random-1x64"):
            assert run_data.measure("small_ratio", arm)[seed] >= 1.0, "no code shortens what has no rule"
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    assert {metric.name for metric in PHENOMENON.metrics} == set(run_data.curves)
    assert all(figure.lines for figure in PHENOMENON.figures(run_data))  # type: ignore[union-attr]
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.claims[0].status is Status.SHOWN, verdict.claims[0].reason


def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(make_context: Callable[..., Any]) -> None:
    small = SMALL | {"values": SMALL["values"] | {"n": 60, "epochs": 5}, "seeds": 2}
    whole = make_context(PHENOMENON, **small)
    expected = whole.run(PHENOMENON)
    for stop_after in (4, whole.polls // 2, whole.polls - 2):
        stopped = make_context(PHENOMENON, stop_after=stop_after, **small)
        part = stopped.run(PHENOMENON)
        assert len(part.stages) < len(expected.stages)
        assert part.progress is None or part.progress.done < 1, "what is still to be pruned is not done"
        stopped.stop_after = -1
        resumed = stopped.run(PHENOMENON)
        assert resumed.stages == expected.stages
        assert repr(sorted(resumed.measures.items())) == repr(sorted(expected.measures.items()))
        for metric, by_member in expected.curves.items():
            for member, curve in by_member.items():
                again = resumed.curves[metric][member]
                assert again.step.tolist() == curve.step.tolist(), (metric, member)
                assert again.value.tobytes() == curve.value.tobytes(), (metric, member)


def test_a_network_that_diverges_has_no_code_and_nothing_is_judged(run_phenomenon: Callable[..., RunData]) -> None:
    values = {"n": 40, "models": ("logistic", "8x64"), "epochs": 30, "lr": 100.0, "optimiser": "sgd", "quantised": (8,)}
    run_data = run_phenomenon(PHENOMENON, **SMALL | {"values": values})
    assert all(math.isnan(v) for v in run_data.measure("ratio", "true-8x64").values())
    assert all(math.isfinite(v) for v in run_data.measure("ratio", "true-logistic").values())
    assert any("true-8x64 diverged after" in log.text for log in run_data.logs)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.INCONCLUSIVE
    assert "no finite number" in verdict.claims[0].reason


@pytest.mark.full
def test_the_quick_preset_is_shown(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, first_seed=7000)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.SHOWN, [(claim.name, claim.reason) for claim in verdict.claims]
