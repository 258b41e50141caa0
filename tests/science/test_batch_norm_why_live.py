"""Why batch norm helps, in the lab's own way: the arms as launched, probed and judged by the declared claims."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._batch_norm_why.claims import NOISE_CLAIM, SMOOTH_CLAIM
from genlab_tui.phenomena.batch_norm_why import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 1000, "depth": 4, "width": 32, "epochs": 8, "grid": "0.03", "probes": 8, "looks": 3},
    "seeds": 3,
    "first_seed": 7000,  # seeds that no pilot used
}
TINY: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 120, "test": 60, "depth": 2, "width": 8, "epochs": 10, "batch": 20, "probes": 6, "looks": 4},
    "seeds": 2,
    "first_seed": 7000,
}


def test_noise_after_batch_norm_moves_inputs_and_costs_little(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **SMALL)
    best = {arm: run_data.measure("best_test_accuracy", arm) for arm in ("bn", "noisy", "plain")}
    moved = {arm: run_data.measure("median input_shift", arm) for arm in ("bn", "noisy", "plain")}
    for seed in run_data.seeds:
        assert best["bn"][seed] > 0.9
        assert best["noisy"][seed] > 0.88
        assert moved["noisy"][seed] > 5 * moved["bn"][seed]
        assert run_data.measure("first_test_accuracy", "bn")[seed] < 0.5
        assert -1 <= run_data.measure("median ics_cosine", "noisy")[seed] < 1
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    assert {name for name, claim in claims.items() if claim.main} == {NOISE_CLAIM, SMOOTH_CLAIM}
    assert not claims["smoother at the best learning rate of each"].main
    for name in (NOISE_CLAIM, SMOOTH_CLAIM):
        controls = [criterion.control for criterion in claims[name].criteria if criterion.control]
        assert controls
        assert not any(control.fired for control in controls), name
    assert claims["the same noise stops the plain network"].status is Status.NOT_SHOWN
    probed = {arm for arm, _ in run_data.curves["effective_beta"]}
    assert probed >= {"plain", "plain-0.03", "noisy", "bn"}
    assert all(math.isfinite(v) for v in run_data.curves["ics"]["bn", 7000].value)
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    assert run_data.progress.eta == pytest.approx(0.0)
    assert all(figure.lines for figure in PHENOMENON.figures(run_data))  # type: ignore[union-attr]


@pytest.mark.parametrize("polls", [2, 9])
@pytest.mark.parametrize("model", ["perceptron", "deep-linear"])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], polls: int, model: str
) -> None:
    linear = {"model": model, "epochs": 40, "lr": 1e-4, "grid": "3e-5", "gain": 1.0} if model != "perceptron" else {}
    small = TINY | {"values": TINY["values"] | linear}
    expected = make_context(PHENOMENON, **small).run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=polls, **small)
    assert not stopped.run(PHENOMENON).stages
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.begin is not None
    assert resumed.begin.resume_step > 0
    assert resumed.stages == expected.stages
    assert repr(resumed.measures) == repr(expected.measures)  # there may be NaN among them
    for metric, by_member in expected.curves.items():
        for member, curve in by_member.items():
            again = resumed.curves[metric][member]
            assert again.step.tolist() == curve.step.tolist()
            assert again.value.tobytes() == curve.value.tobytes(), (metric, member)


def test_a_seed_is_the_same_in_other_company(
    run_phenomenon: Callable[..., RunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block of `verify` is judged by its own seeds: company must not change them (but for rounding)."""
    together = run_phenomenon(PHENOMENON, **TINY | {"seeds": 3})
    monkeypatch.setattr("genlab_tui.phenomena.batch_norm_why.cost.at_once", lambda each, device: 2)
    apart = run_phenomenon(PHENOMENON, **TINY | {"seeds": 3})
    assert list(apart.stages) == ["seeds 7000 to 7001", "seed 7002"]
    for name in ("train_loss", "median ics", "median effective_beta"):
        for member, value in together.measures[name].items():
            assert apart.measures[name][member] == pytest.approx(value, rel=0.02), (name, member)


def test_a_network_that_diverges_is_named_and_is_no_evidence(run_phenomenon: Callable[..., RunData]) -> None:
    wild = TINY["values"] | {"lr": 10.0, "grid": "0.1", "gain": 10.0, "depth": 6, "width": 32}
    run_data = run_phenomenon(PHENOMENON, **TINY | {"values": wild, "seeds": 3})
    gone = [mark for mark in run_data.marks if mark.text == "diverged"]
    assert "plain" in {mark.arm for mark in gone}
    assert any(log.text.startswith("diverged: ") for log in run_data.logs)
    assert judge(PHENOMENON, run_data.spec, run_data).status is Status.INCONCLUSIVE


@pytest.mark.full
@pytest.mark.parametrize("data_set", ["digits", "mnist1d"])
def test_the_quick_preset(run_phenomenon: Callable[..., RunData], data_set: str) -> None:
    run_data = run_phenomenon(PHENOMENON, data=data_set, first_seed=7100)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    controls = [c.control for claim in verdict.claims if claim.main for c in claim.criteria if c.control]
    assert controls
    assert not any(control.fired for control in controls)
