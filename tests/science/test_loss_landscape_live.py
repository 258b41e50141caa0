"""The loss landscape, in the lab's own way: networks trained to one loss, surveyed, judged by the declared claims."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._loss_landscape.claims import BASIN
from genlab_tui.phenomena.loss_landscape import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 600, "depth": 16, "lr": 1e-3, "grid": 11, "samples": 200, "directions": 10, "pairs": 2},
    "seeds": 3,
    "first_seed": 7000,  # seeds that no pilot used
}
TINY: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 120, "test": 40, "depth": 3, "width": 8, "epochs": 40, "lr": 0.01, "batch": 30, "grid": 5,
               "samples": 50, "directions": 3, "pairs": 1},
    "seeds": 2,
    "first_seed": 7000,
}  # fmt: skip


def test_shortcuts_widen_the_basin_at_matched_loss(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **SMALL)
    for seed in run_data.seeds:
        for arm in ("skip", "plain"):
            assert run_data.measure("train_loss", arm)[seed] <= 0.05
            assert run_data.measure("slice_loss", arm)[seed] < 0.5
            assert run_data.measure("random_share", arm)[seed] < 0.01
            assert 0 < run_data.measure("near_basin", arm)[seed] < 1
            assert run_data.measure("square_minima", arm)[seed] >= 1
        assert run_data.measure("radius", "skip")[seed] > 1.5 * run_data.measure("radius", "plain")[seed]
    claim = next(one for one in judge(PHENOMENON, run_data.spec, run_data).claims if one.name == BASIN)
    control = claim.criteria[0].control
    assert control is not None
    assert not control.fired
    assert not control.missing
    stored = {member for heats in run_data.heats.values() for member in heats}
    assert stored == {("skip", 7000), ("plain", 7000)}, "slices of one seed alone"
    assert set(run_data.heats) == {"square", "near", "way", "path"}
    middle = run_data.heats["square"]["skip", 7000].values[5][5]
    assert middle == pytest.approx(run_data.measure("slice_loss", "skip")[7000], rel=1e-3)
    start, *_, end = run_data.heats["path"]["skip", 7000].values
    assert start != end
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0, abs=0.1)
    for figure in PHENOMENON.figures(run_data):
        assert getattr(figure, "lines", ()) or getattr(figure, "values", ())


@pytest.mark.parametrize("polls", [3, 20, 45, 69, 80, 93])  # 69 and 93 are in the plane of the way
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], polls: int
) -> None:
    expected = make_context(PHENOMENON, **TINY).run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=polls, **TINY)
    stopped.run(PHENOMENON)
    assert len(stopped.stages) < len(expected.stages)
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.stages == expected.stages
    assert repr(resumed.measures) == repr(expected.measures)  # there may be NaN among them
    heats = {name: {at: (one.x_ticks, one.values) for at, one in of.items()} for name, of in expected.heats.items()}
    assert heats == {name: {at: (one.x_ticks, one.values) for at, one in of.items()} for name, of in
                     resumed.heats.items()}  # fmt: skip
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
    monkeypatch.setattr("genlab_tui.training.cost.at_once", lambda each, device: 2)
    apart = run_phenomenon(PHENOMENON, **TINY | {"seeds": 3})
    assert "seeds 7000 to 7001" in apart.stages
    for name in ("train_loss", "radius", "principal_share"):
        for member, value in together.measures[name].items():
            assert apart.measures[name][member] == pytest.approx(value, rel=0.02, nan_ok=True), (name, member)


def test_a_network_that_does_not_get_there_or_diverges_is_no_evidence(run_phenomenon: Callable[..., RunData]) -> None:
    slow = run_phenomenon(PHENOMENON, **TINY | {"values": TINY["values"] | {"epochs": 2}, "seeds": 3})
    assert judge(PHENOMENON, slow.spec, slow).status is Status.INCONCLUSIVE
    assert any(log.text.startswith("did not reach the training loss") for log in slow.logs)
    wild = run_phenomenon(PHENOMENON, **TINY | {"values": TINY["values"] | {"lr": 10.0, "depth": 30}, "seeds": 3})
    assert judge(PHENOMENON, wild.spec, wild).status is Status.INCONCLUSIVE


def test_one_arm_alone_runs(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, arms=("plain",), **TINY)
    assert set(run_data.measure("train_loss", "plain")) == {7000, 7001}
    assert not run_data.measure("train_loss", "skip")


def test_resnets_go_the_same_way(run_phenomenon: Callable[..., RunData]) -> None:
    values = {"depth": 8, "n": 64, "test": 16, "epochs": 2, "batch": 32, "samples": 16, "grid": 5, "directions": 2}
    run_data = run_phenomenon(PHENOMENON, preset="paper", data="digits", seeds=1, values=values | {"pairs": 1})
    for arm in ("skip", "plain"):
        assert math.isfinite(run_data.measure("slice_loss", arm)[0])
        assert 0 <= run_data.measure("square_basin", arm)[0] <= 1
        assert (arm, 0) in run_data.heats["square"]
    assert "way" not in run_data.heats, "a module's way would be one training a snapshot"
    names = {figure.name for figure in PHENOMENON.figures(run_data)}
    assert not {"way-skip", "variance"} & names


@pytest.mark.full
@pytest.mark.parametrize("data_set", ["digits", "mnist1d", "fashion-mnist"])
def test_the_quick_preset(run_phenomenon: Callable[..., RunData], data_set: str) -> None:
    run_data = run_phenomenon(PHENOMENON, data=data_set, first_seed=7100)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.SHOWN
