"""The width sweep really trained, in the lab's own way: arms as launched, sizes measured, judged by its claims."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._width_sweep.claims import CONTROL_DROP, DROP
from genlab_tui.phenomena._width_sweep.config import at_level
from genlab_tui.phenomena._width_sweep.ranges import drops, fitting, slopes
from genlab_tui.phenomena.width_sweep import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.training.capacity import DEGREES, SIZES
from genlab_tui.verdict import Status, judge

SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 300, "widths": (4, 16, 64, 256), "noise": (0.2,), "epochs": 120, "lr": 4e-3},
    "seeds": 3,
    "first_seed": 7000,  # seeds that no pilot used
}


def test_wider_networks_that_fit_are_better_but_not_at_random_labels(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **SMALL)
    clean, noisy, random = (at_level(run_data.arms, p) for p in (0.0, 0.2, 1.0))
    for arms in (clean, noisy, random):
        assert all(fit[-1] == arms[-1] for fit in fitting(run_data, arms).values()), "the widest fits"
    assert all(noisy[0] not in fit for fit in fitting(run_data, noisy).values()), "the narrowest does not"
    # With 300 samples the fall is smaller than the claim asks of 1,000; here it is its direction that counts.
    assert sum(drops(run_data, noisy).values()) > 0
    assert max(v for v in drops(run_data, random).values() if math.isfinite(v)) < CONTROL_DROP
    assert all(slope < 0 for slope in slopes(run_data, "unit_distance", clean).values())

    for name in SIZES:
        assert len(run_data.measures[name]) == 3 * 4 * 3, name
    for arm in run_data.arms:
        margin, right = run_data.measure("margin", arm.name), run_data.measure("train_accuracy", arm.name)
        # The 5th percentile of the margins is that of a sample classified right where more than 95 % are.
        clear = [seed for seed in run_data.seeds if abs(right[seed] - 0.95) > 0.005]
        assert all((margin[seed] > 0) == (right[seed] > 0.95) for seed in clear), arm.name
    assert {arm for arm, _ in run_data.measures[DEGREES]} == {arm.name for arm in clean}
    degrees = [run_data.measure(DEGREES, arm.name) for arm in (clean[0], clean[-1])]
    assert all(degrees[0][seed] < degrees[1][seed] <= 300 * 9 for seed in run_data.seeds)

    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert len(verdict.claims) == 8
    assert not any(c.control and (c.control.fired or c.control.missing) for r in verdict.claims for c in r.criteria)
    assert all(figure.lines for figure in PHENOMENON.figures(run_data))
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)


def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(make_context: Callable[..., Any]) -> None:
    """In the middle of training, and between training and the measurement of sizes."""
    values = {"n": 100, "widths": (4, 32), "noise": (0.2,), "epochs": 12}
    small = SMALL | {"values": values, "seeds": 2}
    whole = make_context(PHENOMENON, **small)
    expected = whole.run(PHENOMENON)
    for stop_after in (5, whole.polls - 1):
        stopped = make_context(PHENOMENON, stop_after=stop_after, **small)
        assert not stopped.run(PHENOMENON).stages
        stopped.stop_after = -1
        resumed = stopped.run(PHENOMENON)
        assert resumed.stages == expected.stages
        assert repr(resumed.measures) == repr(expected.measures)  # there are NaN among them


def test_seeds_that_do_not_fit_the_memory_go_one_after_another(
    run_phenomenon: Callable[..., RunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage a group of seeds, and the numbers of each seed are the same."""
    small = SMALL | {"values": {"n": 100, "widths": (4, 32), "noise": (0.0,), "epochs": 5}}
    together = run_phenomenon(PHENOMENON, **small)
    monkeypatch.setattr("genlab_tui.training.cost.at_once", lambda each, device: 2)
    apart = run_phenomenon(PHENOMENON, **small)
    assert list(together.stages) == ["seeds 7000 to 7002"]
    assert list(apart.stages) == ["seeds 7000 to 7001", "seed 7002"]
    for name, rows in together.measures.items():
        for member, value in rows.items():
            assert apart.measures[name][member] == pytest.approx(value, rel=1e-3, nan_ok=True), (name, member)


def test_training_to_a_loss_fits_by_that_loss(run_phenomenon: Callable[..., RunData]) -> None:
    """As the released code of 2018 does: the networks end at the loss, and their range is counted by it."""
    values = SMALL["values"] | {"stop_loss": 0.01, "init": "torch", "widths": (16, 64, 256), "noise": (0.0,)}
    run_data = run_phenomenon(PHENOMENON, **(SMALL | {"values": values}))
    clean = at_level(run_data.arms, 0.0)
    loss = [run_data.measure("train_loss", arm.name) for arm in clean]
    fit = fitting(run_data, clean)
    assert all(len(fit[seed]) >= 2 and loss[-1][seed] <= 0.01 for seed in run_data.seeds)


@pytest.mark.full
def test_the_quick_preset_as_it_ships(run_phenomenon: Callable[..., RunData]) -> None:
    """Random labels stay quiet, and test error falls with width; whether in every seed, the verdict says."""
    run_data = run_phenomenon(PHENOMENON, seeds=5, first_seed=7100, data="digits")
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    for claim in verdict.claims:
        assert claim.status is not Status.INCONCLUSIVE, (claim.name, claim.reason)
    assert verdict.status in (Status.SHOWN, Status.NOT_SHOWN)
    for noise in (0.0, 0.05, 0.2):
        found = drops(run_data, at_level(run_data.arms, noise))
        assert sum(found.values()) / len(found) >= DROP


@pytest.mark.full
def test_hard_data_is_the_counter_example(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, preset="hard-data", seeds=5, first_seed=7100)
    assert judge(PHENOMENON, run_data.spec, run_data).status is Status.NOT_SHOWN
