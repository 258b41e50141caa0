"""Regularisers really trained, in the lab's own way: the arms as launched, judged by the declared claims."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui.data import Arrays
from genlab_tui.phenomena._regularisers.rows import FIT
from genlab_tui.phenomena.regularisers import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 500, "test": 300, "hidden": "128 128", "batch": 50, "epochs": 15, "fit_epochs": 45},
    "first_seed": 7000,  # seeds that no pilot used
}
NEITHER, ARCHITECTURE = "neither necessary nor sufficient", "the architecture gives more"


def _mean(run_data: RunData, name: str, arm: str) -> float:
    found = run_data.measure(name, arm)
    assert len(found) == len(run_data.seeds)
    return sum(found.values()) / len(found)


def test_digits_without_and_with_regularisers(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **SMALL)
    assert set(run_data.measures["test_accuracy"]) == {(a.name, s) for a in run_data.arms for s in run_data.seeds}

    assert _mean(run_data, "test_accuracy", "true-none") > 0.85
    assert abs(_mean(run_data, "test_accuracy", "random-none") - 0.1) < 0.06
    for arm in ("true-none", "random-none", "random-weight-decay-0.1"):
        assert min(run_data.measure("train_accuracy", arm).values()) >= FIT, arm
    assert _mean(run_data, "train_accuracy", "fresh-weight-decay-0.1") < 0.15
    assert _mean(run_data, "train_accuracy", "random-early-stopping") < 0.6, "nothing held out is ever predicted"
    assert _mean(run_data, "test_accuracy", "shuffled-cnn") < _mean(run_data, "test_accuracy", "true-cnn")
    gap = _mean(run_data, "test_accuracy", "shuffled-none") - _mean(run_data, "test_accuracy", "true-none")
    assert abs(gap) < 0.03, "a perceptron knows no neighbours"
    for arm in ("true-none", "true-weight-decay-0.1", "true-shift", "noisy-shift"):
        assert set(run_data.measure("epochs", arm).values()) == {15.0}, "equal steps"

    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    assert claims[NEITHER].status is Status.SHOWN
    assert claims[ARCHITECTURE].status is not Status.INCONCLUSIVE, claims[ARCHITECTURE].reason
    assert claims["weight decay 0.1"].criteria[2].status == "PASS"
    ends = {(mark.arm, mark.text) for mark in run_data.marks if not mark.arm.endswith("early-stopping")}
    assert ("random-none", "fitted its training set") in ends
    assert ("fresh-weight-decay-0.1", "ended with its partner") in ends
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    table, points, loss = PHENOMENON.figures(run_data)
    assert math.isfinite(table.values[0][3]), "equal loss was reached"  # type: ignore[union-attr]
    assert len(points.lines) == 3  # type: ignore[union-attr]
    assert len(loss.lines) == 5  # type: ignore[union-attr]


def test_the_trajectory_up_to_the_stop_is_that_of_the_row_it_is_compared_with(
    run_phenomenon: Callable[..., RunData],
) -> None:
    """Early stopping and nine tenths of the data differ in the stop alone: same start, order and samples."""
    small = SMALL | {"arms": ("noisy-none-90", "noisy-early-stopping"), "seeds": 1}
    run_data = run_phenomenon(PHENOMENON, **small)
    longer, stopped = (run_data.curves["train_loss"][arm, 7000] for arm in small["arms"])
    shared = sorted(set(longer.step.tolist()) & set(stopped.step.tolist()))
    assert len(shared) >= 5
    assert shared == stopped.step.tolist()[: len(shared)], "measured at the same steps"
    for step in shared:
        one, other = (c.value[c.step.tolist().index(step)] for c in (longer, stopped))
        assert one == pytest.approx(other, rel=1e-5)


def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(make_context: Callable[..., Any]) -> None:
    """Stopped in the first program and in a later one: what a resumed run measured is what it would have measured."""
    values = {"n": 60, "test": 50, "hidden": "16", "batch": 20, "epochs": 3, "fit_epochs": 4}
    small = SMALL | {"values": values, "seeds": 2}
    expected = make_context(PHENOMENON, **small).run(PHENOMENON)
    for polls in (1, 6, 14):
        stopped = make_context(PHENOMENON, stop_after=polls, **small)
        part = stopped.run(PHENOMENON)
        assert not part.stages
        stopped.stop_after = -1
        resumed = stopped.run(PHENOMENON)
        assert resumed.begin is not None
        assert resumed.begin.resume_step >= 0
        assert resumed.stages == expected.stages
        for name, measured in expected.measures.items():
            again = resumed.measures[name]
            assert repr(sorted(again.items())) == repr(sorted(measured.items())), name  # there are NaN among them
        for metric, by_member in expected.curves.items():
            for member, curve in by_member.items():
                assert resumed.curves[metric][member].value.tobytes() == curve.value.tobytes(), (metric, member)


def test_the_models_of_table_1_train(make_context: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutional networks and perceptrons on colour images, cropped and whitened, with weight decay in the loss."""
    random = np.random.default_rng(0)

    def images(count: int) -> np.ndarray:
        return random.random((count, 3, 32, 32), dtype=np.float32)

    labels = np.arange(40) % 10
    arrays = Arrays(images(40), labels, images(20), labels[:20], 10, (3, 32, 32))
    monkeypatch.setattr(data, "load", lambda *_: arrays)
    arms = ("true-mlp-3x512", "true-alexnet-crop-wd", "random-mlp-1x512-wd", "fresh-mlp-3x512-wd", "shuffled-mlp-3x512")
    values = {"n": 20, "epochs": 2, "fit_epochs": 3, "batch": 10}
    run_data = make_context(
        PHENOMENON, preset="paper", data="cifar10", values=values, seeds=1, first_seed=7000, arms=arms
    ).run(PHENOMENON)
    assert run_data.measure("epochs", "true-alexnet-crop-wd") == {7000: 2.0}
    for arm in arms:
        assert 0 <= run_data.measure("test_accuracy", arm)[7000] <= 1


@pytest.mark.full
def test_the_quick_preset(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, first_seed=7100)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    assert claims[NEITHER].status is Status.SHOWN, claims[NEITHER].reason
    assert claims[ARCHITECTURE].status is Status.SHOWN, claims[ARCHITECTURE].reason
    assert claims["weight decay does not stop noise from being learnt"].status is Status.SHOWN
