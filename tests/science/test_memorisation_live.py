"""Wrong labels really learnt by heart, and what was learnt before them: the arms as launched, judged as declared."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from genlab_tui.phenomena._memorisation.config import APART, LEARNT, MEMORISED, RADII, critical_at
from genlab_tui.phenomena.memorisation import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 600, "hidden": "256 256", "lr": 1e-3, "batch": 32, "epochs": 40, "inits": 4},
    "seeds": 3,
    "first_seed": 7000,  # seeds that no pilot used
}
MAIN, DROPPED, RANDOM = "noise-0.4", "noise-0.4-dropout", "random"


@pytest.fixture(scope="module")
def small() -> dict[str, RunData]:
    """Where the tests below find the one run that they share."""
    return {}


@pytest.fixture
def run_data(small: dict[str, RunData], run_phenomenon: Callable[..., RunData]) -> RunData:
    if "run" not in small:
        small["run"] = run_phenomenon(PHENOMENON, **SMALL)
    return small["run"]


def test_true_labels_come_first_and_the_wrong_ones_are_learnt_in_the_end(run_data: RunData) -> None:
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    assert claims["simple patterns first"].status is Status.SHOWN
    assert claims["memorisation hurts"].status is Status.SHOWN
    controls = [c.control for claim in verdict.claims if claim.main for c in claim.criteria if c.control]
    assert len(controls) == 4
    for control in controls:
        assert not control.fired
        assert not control.missing
        assert len(control.seeds) == 3
    for arm in (MAIN, "noise-0.2", RANDOM):
        assert min(run_data.measure("noisy_fit", arm).values()) >= MEMORISED, arm
        assert min(run_data.measure("clean_fit", arm).values()) >= LEARNT, arm
    gap = next(control for control in controls if "gap" in control.name)
    assert all(0 < float(value or 0) <= APART for value in gap.seeds.values())


def test_every_curve_and_measure_is_there(run_data: RunData) -> None:
    members = 5 * 3
    for metric in ("clean_fit", "noisy_fit", "recovery", "test_accuracy", "sensitivity_gini"):
        assert len(run_data.curves[metric]) == members
        assert len(run_data.measures[metric]) == members
    epochs = run_data.curves["clean_fit"][MAIN, 7000].epoch.tolist()
    assert set(range(1, 31)) <= set(epochs), "the first epochs are all there"
    for radius in RADII:
        assert all(0 <= value <= 1 for value in run_data.measures[critical_at(radius)].values())
        assert len(run_data.measures[critical_at(radius)]) == members
    for small, large in pairwise(RADII):
        few, many = (run_data.measures[critical_at(radius)] for radius in (small, large))
        assert all(few[member] <= many[member] for member in few)
    assert all(0 < value < 1 for value in run_data.measures["sensitivity_gini"].values())
    assert set(run_data.curves["first_epoch_real"]) == {("clean", seed) for seed in run_data.seeds}
    assert {arm for arm, _ in run_data.curves["clean_fit"]} == {arm.name for arm in run_data.arms}
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    lines = {figure.name: len(figure.lines) for figure in PHENOMENON.figures(run_data)}  # type: ignore[union-attr]
    assert lines == {
        "curves": 4,
        "control": 3,
        "noise": 4,
        "dropout": 4,
        "sensitivity": 3,
        "critical": 3,
        "first-epoch": 4,
    }


@pytest.mark.parametrize("stop_after", [3, 9, 26])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], stop_after: int
) -> None:
    """Stopped while it trains, between looks, and in the second stage."""
    values = {"n": 100, "hidden": "32", "epochs": 20, "dense": 5, "inits": 2}
    tiny = SMALL | {"values": values, "seeds": 2}
    whole = make_context(PHENOMENON, **tiny)
    expected = whole.run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=stop_after, **tiny)
    part = stopped.run(PHENOMENON)
    assert len(part.stages) < 2
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.stages == expected.stages
    assert repr(resumed.measures) == repr(expected.measures)  # there are NaN among them
    for metric, by_member in expected.curves.items():
        for member, curve in by_member.items():
            again = resumed.curves[metric][member]
            assert again.step.tolist() == curve.step.tolist()
            assert again.value.tobytes() == curve.value.tobytes(), (metric, member)


def test_regularisers_apply(run_phenomenon: Callable[..., RunData]) -> None:
    """Batch norm, mixup, early stopping: every measurement copes, none is lost."""
    values = {"n": 120, "hidden": "32 32", "epochs": 6, "inits": 2, "gaussian": True}
    on = {"batch-norm": 0.1, "mixup": 0.2, "early-stopping": 1.0, "weight-decay": 1e-3}
    run_data = run_phenomenon(PHENOMENON, **(SMALL | {"values": values, "regularisers": on}))
    members = 6 * 3
    for metric in ("clean_fit", "noisy_fit", "recovery", "sensitivity_gini", critical_at(0.3)):
        assert len(run_data.measures[metric]) == members
    assert {end.text.split(",")[0] for end in run_data.marks} <= {"stopped early", "reached the last epoch"}
    assert all(0 < value < 1 for value in run_data.measures["sensitivity_gini"].values())


@pytest.mark.full
def test_the_quick_preset(run_phenomenon: Callable[..., RunData]) -> None:
    """The preset as shipped, on seeds of its own: every claim but the one about the radius that reaches everyone."""
    run_data = run_phenomenon(PHENOMENON, preset="quick", first_seed=7000)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.SHOWN
    statuses = {claim.name: claim.status for claim in verdict.claims}
    assert statuses["dropout hinders memorisation"] is Status.SHOWN
    assert statuses["wrong labels bring classes closer, radius 0.3"] is Status.SHOWN


@pytest.mark.full
def test_hard_data_is_a_counter_example(run_phenomenon: Callable[..., RunData]) -> None:
    """Where true labels are learnt by heart as well, the order is lost, and the verdict says so."""
    run_data = run_phenomenon(PHENOMENON, preset="hard-data", first_seed=7000)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert {c.name: c.status for c in verdict.claims}["simple patterns first"] is Status.NOT_SHOWN
