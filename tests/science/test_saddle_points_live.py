"""Critical points really searched: a reduced run, stopped and resumed, and the whole quick preset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._saddle_points.config import CONVEX, NETWORK
from genlab_tui.phenomena.saddle_points import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.training import critical_points
from genlab_tui.verdict import Status, judge

FIRST = 300_000
SMALL: dict[str, Any] = {
    "values": {"n": 60, "inputs": 2, "hidden": 3, "starts": 16, "newton_steps": 40, "train_steps": 60},
    "first_seed": FIRST,
    "seeds": 2,
}


@pytest.mark.parametrize("polls", [15, 75])  # in Adam's steps, in Newton's
def test_a_stopped_run_ends_with_the_very_points_of_an_unbroken_one(
    make_context: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, polls: int
) -> None:
    trained = []
    begin_at = critical_points.begin_at
    monkeypatch.setattr(critical_points, "begin_at", lambda *args: trained.append(1) or begin_at(*args))
    expected = make_context(PHENOMENON, **SMALL).run(PHENOMENON)
    assert len(trained) == len(expected.stages)
    trained.clear()
    stopped = make_context(PHENOMENON, stop_after=polls, **SMALL)
    part = stopped.run(PHENOMENON)
    assert len(part.stages) < len(expected.stages)
    in_newton = polls > SMALL["values"]["train_steps"]
    assert bool(stopped.saved) is in_newton
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert len(trained) == len(expected.stages) + (not in_newton), "with a checkpoint not trained again"
    assert resumed.measures == expected.measures
    for name, heats in expected.heats.items():
        assert {member: heat.values for member, heat in resumed.heats[name].items()} == {
            member: heat.values for member, heat in heats.items()
        }
    for seed in expected.seeds:
        assert expected.measure("points", NETWORK)[seed] >= 2
        assert expected.measure("points", CONVEX)[seed] == 1
        assert expected.measure("saddles", CONVEX)[seed] == 0
    assert expected.progress is not None
    assert expected.progress.done == pytest.approx(1.0)


@pytest.mark.full
def test_the_whole_quick_preset(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, first_seed=FIRST)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.SHOWN
    assert not any(c.control.fired for claim in verdict.claims for c in claim.criteria if c.control)
