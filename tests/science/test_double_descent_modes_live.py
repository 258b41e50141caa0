"""The other modes of double descent, really solved and trained: in small, stopped and resumed; quick presets whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from genlab_tui import data
from genlab_tui.phenomena.double_descent import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.training import reuse
from genlab_tui.verdict import Status, Verdict, judge

SAMPLES = {"values": {"samples": "30 100 200 600 900"}, "seeds": 3, "first_seed": 7000}
EPOCHS = {"values": {"n": 200, "size": 40, "epochs": 12}, "seeds": 2, "first_seed": 7000}
NETWORKS = {
    "values": {"n": 200, "size": 8, "samples": "40 80 200", "epochs": 10},
    "seeds": 2,
    "first_seed": 7000,
}
ENSEMBLE = {"values": {"n": 200, "hidden": "4 8 20", "epochs": 15, "average": 3}, "seeds": 2, "first_seed": 7000}
CHAIN = {
    "values": {"n": 200, "hidden": "4 6 9", "epochs": 30, "lr": 0.003, "batch": 50, "test": 200},
    "data": "digits",
    "seeds": 2,
    "first_seed": 7000,
}
SMALL = {
    "sample-wise": SAMPLES,
    "epoch-wise": EPOCHS,
    "sample-wise-network": NETWORKS,
    "ensemble": ENSEMBLE,
    "lillog-reuse": CHAIN,
}


def _judged(run_data: RunData) -> Verdict:
    return judge(PHENOMENON, run_data.spec, run_data)


def _same(one: RunData, other: RunData) -> None:
    assert one.measures == other.measures
    for metric, by_member in other.curves.items():
        for member, curve in by_member.items():
            assert one.curves[metric][member].step.tolist() == curve.step.tolist(), (metric, member)
            assert one.curves[metric][member].value.tolist() == curve.value.tolist(), (metric, member)


@pytest.mark.parametrize("preset", list(SMALL))
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    preset: str, make_context: Callable[..., Any]
) -> None:
    whole = make_context(PHENOMENON, preset=preset, **SMALL[preset])
    expected = whole.run(PHENOMENON)
    assert expected.measures
    stopped = make_context(PHENOMENON, preset=preset, stop_after=whole.polls // 2, **SMALL[preset])
    stopped.run(PHENOMENON)
    assert stopped.saved, "it was stopped inside a stage"
    before, stopped.stop_after = stopped.polls, -1
    _same(stopped.run(PHENOMENON), expected)
    assert stopped.polls - before < whole.polls, "what was finished is not done again"


@pytest.mark.parametrize("name", ["digits", "mnist1d", "fashion-mnist"])
def test_more_data_hurts_random_features_and_not_tuned_ridge(name: str, run_phenomenon: Callable[..., RunData]) -> None:
    if not data.locate(name, Path("/nowhere")).present:
        pytest.skip(f"{name} is not on this machine")
    run_data = run_phenomenon(PHENOMENON, preset="sample-wise", data=name, **SAMPLES)
    verdict = _judged(run_data)
    assert [claim.status for claim in verdict.claims] == [Status.SHOWN, Status.SHOWN]
    assert not any(c.control.fired for claim in verdict.claims for c in claim.criteria if c.control)
    assert set(run_data.measure("peak_width", "clean").values()) == {300.0}


def test_samples_are_nested_and_fewer_of_them_are_what_they_would_be_alone(
    run_phenomenon: Callable[..., RunData],
) -> None:
    fields: dict[str, Any] = {"preset": "sample-wise", "seeds": 1, "first_seed": 5}
    values = {"size": 50, "validation": 40}
    many = run_phenomenon(PHENOMENON, values={**values, "samples": "20 30 120"}, **fields)
    few = run_phenomenon(PHENOMENON, values={**values, "samples": "20 120"}, **fields)
    curves = [dict(zip(c.step.tolist(), c.value.tolist(), strict=True)) for c in
              (d.curves["test_mse"]["noise", 5] for d in (many, few))]  # fmt: skip
    assert all(curves[0][place] == value for place, value in curves[1].items())


def test_an_ensemble_is_measured_singly_and_averaged(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, preset="ensemble", **ENSEMBLE)
    for h in (4, 8, 20):
        for seed in (7000, 7001):
            single, average, copies = (
                run_data.measure("test_error", f"{kind}-{h}")[seed] for kind in ("single", "average", "copies")
            )
            last = run_data.curves["test_accuracy"][f"copies-{h}", seed].value[-1]
            assert copies == pytest.approx(1 - last, abs=1e-9), "the average of copies is the copy"
            assert average != single
    assert set(run_data.measures["test_error"]) == {(a.name, s) for a in run_data.arms for s in (7000, 7001)}
    assert not any("average" in arm for arm, _ in run_data.measures["train_accuracy"])


def test_the_single_network_of_an_ensemble_is_one_of_the_sweep_of_widths(
    run_phenomenon: Callable[..., RunData],
) -> None:
    values = {"n": 200, "hidden": "8", "epochs": 5}
    fields: dict[str, Any] = {"seeds": 1, "first_seed": 3}
    alone = run_phenomenon(PHENOMENON, preset="network", values=values, arms=("noise-8",), **fields)
    copies = run_phenomenon(PHENOMENON, preset="ensemble", values=values, arms=("copies-8",), **fields)
    assert copies.measure("test_error", "copies-8")[3] == pytest.approx(alone.measure("test_error", "noise-8")[3])


def test_a_chain_hands_its_weights_on(make_context: Callable[..., Any]) -> None:
    context = make_context(PHENOMENON, preset="lillog-reuse", **CHAIN)
    run_data = context.run(PHENOMENON)
    assert list(context.stages) == ["H 4", "H 6", "H 9"]
    first, second = (context.arrays[f"reuse-0-{h}"] for h in (4, 6))
    assert first["clean.7000.0"].shape == (4, 64)
    assert second["clean.7000.0"].shape == (6, 64)
    grown = reuse.start_of(first, "clean", 7000, 6)
    assert torch.equal(grown[0][:4], first["clean.7000.0"])
    # What was learnt is there before the first step; a network drawn anew knows nothing then.
    begin = run_data.curves["test_accuracy"]["clean-9", 7000].value[0]
    assert begin > 0.3 > run_data.curves["test_accuracy"]["clean-4", 7000].value[0]
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)


def test_a_chain_depends_on_its_own_seed_alone(run_phenomenon: Callable[..., RunData]) -> None:
    both = run_phenomenon(PHENOMENON, preset="lillog-reuse", **CHAIN)
    alone = run_phenomenon(PHENOMENON, preset="lillog-reuse", **{**CHAIN, "seeds": 1, "first_seed": 7001})
    errors = [d.measure("test_error", "clean-9")[7001] for d in (both, alone)]
    assert errors[0] == pytest.approx(errors[1], abs=0.02)


def test_named_networks_of_many_widths(run_phenomenon: Callable[..., RunData]) -> None:
    values = {"hidden": "1 2", "n": 60, "test": 40, "epochs": 1, "batch": 30, "network": "cnn-5"}
    run_data = run_phenomenon(PHENOMENON, preset="network", values=values, seeds=1)
    assert {arm for arm, _ in run_data.measures["test_error"]} == {"noise-1", "noise-2", "clean-1", "clean-2"}
    assert PHENOMENON.figures(run_data)[0].x_label == "width k of cnn-5"  # type: ignore[union-attr]


def test_samples_share_their_steps(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, preset="sample-wise-network", **NETWORKS)
    assert set(run_data.measures["steps"].values()) == {10 * 200 / 50}
    assert {arm.name for arm in run_data.arms} == {arm for arm, _ in run_data.measures["test_error"]}


# --- the quick presets whole ------------------------------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize("preset", ["sample-wise", "ensemble"])
def test_what_holds_on_digits(preset: str, run_phenomenon: Callable[..., RunData]) -> None:
    verdict = _judged(run_phenomenon(PHENOMENON, preset=preset, first_seed=7000))
    assert verdict.status is Status.SHOWN


@pytest.mark.full
@pytest.mark.parametrize("preset", ["epoch-wise", "sample-wise-network"])
def test_what_does_not_come_on_digits_is_said_and_its_control_is_quiet(
    preset: str, run_phenomenon: Callable[..., RunData]
) -> None:
    """Built-in counter-examples: test error rises (or stays) with the noise and does not fall again."""
    claim = _judged(run_phenomenon(PHENOMENON, preset=preset, first_seed=7000)).claims[0]
    assert claim.status is Status.NOT_SHOWN
    assert not any(c.control.fired for c in claim.criteria if c.control)
