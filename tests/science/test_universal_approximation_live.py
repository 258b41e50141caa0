"""Universal approximation really run: rates, the jump, the gap of training, depth, a stop in the middle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genlab_tui.figure import Figure
from genlab_tui.phenomena.universal_approximation import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.training import line_sweep
from genlab_tui.training.line_networks import LineNetwork
from genlab_tui.verdict import Status, Verdict, judge

FEW: dict[str, Any] = {
    "values": {"widths": "2 4 8 16 32 64 128", "samples": 128, "steps": 600, "draws": 8},
    "seeds": 3,
    "first_seed": 8200,
    "data": "",
}


def _judged(run_data: RunData) -> Verdict:
    return judge(PHENOMENON, run_data.spec, run_data)


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


def test_rates_jump_and_depth_are_shown_and_no_control_fires(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **FEW)
    verdict = _judged(run_data)
    statuses = _statuses(verdict)
    for name in (
        "wide enough networks come as close as asked",
        "a jump is met in the mean, never everywhere",
        "depth saves units",
    ):
        assert statuses[name] is Status.SHOWN
    controls = [c.control for claim in verdict.claims for c in claim.criteria if c.control]
    assert len(controls) == 6
    assert not any(control.fired for control in controls)
    for seed in (8200, 8201, 8202):
        assert run_data.measures["units"]["depth-1", seed] == 64
        assert run_data.measures["units"]["shallow", seed] == run_data.measures["units"]["depth-3", seed] == 12
        assert run_data.curves["sup"]["sine", seed].step.tolist() == [2, 4, 8, 16, 32, 64, 128]
        assert run_data.curves["train_loss"]["trained-sine", seed].step.tolist() == list(range(0, 600, 50))
    slopes = run_data.measure("l2_slope", "step").values()
    assert len(set(slopes)) == 3, "the seed draws real differences"
    lines = {f.name: len(f.lines) for f in PHENOMENON.figures(run_data) if isinstance(f, Figure)}
    assert lines == {"sup": 6, "trained": 5, "l2": 8, "depth": 4, "depth-error": 5, "trained-depth": 1, "loss": 7}
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)


@pytest.mark.parametrize("stop", [1, 10, 17, 25])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], stop: int
) -> None:
    fields = FEW | {"values": {"widths": "2 4 8 16 32 64", "samples": 64, "steps": 220, "draws": 3}, "seeds": 2}
    whole = make_context(PHENOMENON, **fields)
    expected = whole.run(PHENOMENON)
    assert whole.polls == 2 * 4 + 2 * 5 + 2 * 5
    stopped = make_context(PHENOMENON, stop_after=stop, **fields)
    stopped.run(PHENOMENON)
    stopped.stop_after = -1
    before = stopped.polls
    resumed = stopped.run(PHENOMENON)
    assert stopped.polls - before == (whole.polls if stop == 1 else whole.polls - stop), "training is not repeated"
    assert resumed.measures == expected.measures
    for metric, members in expected.curves.items():
        for member, curve in members.items():
            assert resumed.curves[metric][member].step.tolist() == curve.step.tolist()
            assert np.array_equal(resumed.curves[metric][member].value, curve.value), (metric, member)


def test_a_member_depends_on_its_own_seed_alone(run_phenomenon: Callable[..., RunData]) -> None:
    fields = FEW | {"values": {"widths": "2 4 8 16 32 64", "samples": 64, "steps": 100, "draws": 3}}
    both = run_phenomenon(PHENOMENON, **(fields | {"seeds": 2}))
    arms = ("trained-kink", "depth-2", "step", "trained-depth-3")
    alone = run_phenomenon(PHENOMENON, **(fields | {"seeds": 1, "first_seed": 8201}), arms=arms)
    for arm in arms:
        for name, values in alone.measures.items():
            if (arm, 8201) in values:
                assert np.array_equal(both.measures[name][arm, 8201], values[arm, 8201], equal_nan=True)


def test_a_network_that_diverged_is_named_and_is_no_evidence(
    run_phenomenon: Callable[..., RunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = line_sweep.draw_network

    def broken(width: int, seed: int) -> LineNetwork:
        network = draw(width, seed)
        return replace(network, offset=math.nan) if (width, seed) == (128, 8201) else network

    monkeypatch.setattr(line_sweep, "draw_network", broken)
    run_data = run_phenomenon(PHENOMENON, **(FEW | {"values": FEW["values"] | {"steps": 20}}))
    assert any("diverged (seed 8201)" in log.text and log.level == "warning" for log in run_data.logs)
    claims = {claim.name: claim for claim in _judged(run_data).claims}
    assert claims["training stops short of what the width allows"].status is Status.INCONCLUSIVE


@pytest.mark.full
def test_the_quick_preset_is_shown(run_phenomenon: Callable[..., RunData]) -> None:
    verdict = _judged(run_phenomenon(PHENOMENON, first_seed=8200, data=""))
    assert verdict.status is Status.SHOWN
