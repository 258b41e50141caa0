"""Networks really trained in random subspaces, through the phenomenon: numbers, resume, the declared claims."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._intrinsic_dimension.config import RANDOM, SHUFFLED, SMALL_NETS, TRUE
from genlab_tui.phenomena._intrinsic_dimension.numbers import direct, name_of, small_name
from genlab_tui.phenomena.intrinsic_dimension import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.training import cost
from genlab_tui.verdict import Status, judge

SMALL: dict[str, Any] = {
    "data": "digits",
    "seeds": 3,
    "first_seed": 7000,  # seeds that no pilot used
    "values": {
        "nets": "16 96",
        "n": 600,
        "d": "20 80 200",
        "epochs": 20,
        "control_net": "32",
        "control_n": 200,
        "control_d": "200 800",
        "control_epochs": 40,
        "small": "1 3",
    },
    "arms": ("16", "96", TRUE, SHUFFLED, RANDOM, SMALL_NETS),
}


def _mean(run_data: RunData, metric: str, arm: str) -> float:
    found = run_data.measure(metric, arm)
    assert len(found) == len(run_data.seeds)
    return sum(found.values()) / len(found)


@pytest.mark.parametrize(("projection", "basis"), [("fastfood", "nested"), ("dense", "independent")])
def test_digits_take_few_dimensions_and_noise_takes_many(
    run_phenomenon: Callable[..., RunData], projection: str, basis: str
) -> None:
    values = SMALL["values"] | {"projection": projection, "basis": basis}
    run_data = run_phenomenon(PHENOMENON, **SMALL | {"values": values})
    for net in ("16", "96"):
        rising = [_mean(run_data, "test_accuracy", name_of(net, d)) for d in (20, 80, 200)]
        assert rising == sorted(rising)
        assert rising[0] < 0.7 < rising[-1] < _mean(run_data, "test_accuracy", direct(net))
    assert _mean(run_data, "train_accuracy", name_of(TRUE, 200)) > 0.9
    assert _mean(run_data, "train_accuracy", name_of(RANDOM, 200)) < 0.7
    assert _mean(run_data, "test_accuracy", name_of(RANDOM, 800)) < 0.2
    assert _mean(run_data, "test_accuracy", small_name(3)) > _mean(run_data, "test_accuracy", small_name(1))
    assert len(run_data.measure("d_int90", "96")) == 3
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    for metric in PHENOMENON.metrics:
        assert len(run_data.curves[metric.name]) == 3 * (2 * 4 + 2 * 4 + 3 + 2)
    assert all(figure.lines for figure in PHENOMENON.figures(run_data))  # type: ignore[union-attr]
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert [claim.main for claim in verdict.claims].count(True) == 3


@pytest.mark.parametrize(("stop", "stage"), [(20, "direct"), (45, "networks"), (62, "controls")])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], stop: int, stage: str
) -> None:
    values = SMALL["values"] | {"n": 200, "epochs": 16, "control_n": 100, "control_epochs": 20, "control_d": "50 200"}
    small = SMALL | {"values": values, "seeds": 2}
    whole = make_context(PHENOMENON, **small)
    expected = whole.run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=stop, **small)
    part = stopped.run(PHENOMENON)
    assert len(part.stages) < len(expected.stages)
    assert [key.split(",")[0] for key in stopped.saved] == [stage]
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.stages == expected.stages
    assert repr(resumed.measures) == repr(expected.measures)
    for metric, by_member in expected.curves.items():
        for member, curve in by_member.items():
            again = resumed.curves[metric][member]
            assert again.step.tolist() == curve.step.tolist()
            assert again.value.tobytes() == curve.value.tobytes(), (metric, member)


def test_lenet_trains_in_subspaces_of_real_images(run_phenomenon: Callable[..., RunData]) -> None:
    values = {
        "nets": "lenet 16",
        "n": 400,
        "test": 200,
        "d": "20 200",
        "epochs": 6,
        "batch": 50,
        "control_net": "lenet",
    }
    values |= {"control_n": 100, "control_d": "50 400", "control_epochs": 4, "small": "1", "direct_lr": 2e-3}
    run_data = run_phenomenon(PHENOMENON, data="fashion-mnist", seeds=2, first_seed=7000, values=values)
    few, many = (_mean(run_data, "test_accuracy", name_of("lenet", d)) for d in (20, 200))
    assert 0.1 < few < many
    assert _mean(run_data, "train_loss", name_of(RANDOM, 400)) < _mean(run_data, "train_loss", name_of(RANDOM, 50))


def test_an_estimate_is_what_a_lenet_takes(make_context: Callable[..., Any]) -> None:
    """In core-seconds, which other work beside it changes least; starting up is another matter."""
    values = {"nets": "lenet", "n": 1000, "test": 1000, "d": "50 300", "epochs": 5}
    context = make_context(
        PHENOMENON, preset="lenet", seeds=2, first_seed=7000, values=values, arms=("lenet",), data="fashion-mnist"
    )
    config = PHENOMENON.config_of(context.spec)
    warm = make_context(
        PHENOMENON,
        preset="lenet",
        seeds=1,
        values=values | {"n": 100, "test": 100, "epochs": 1},
        arms=("lenet",),
        data="fashion-mnist",
    )
    warm.run(PHENOMENON)
    begun = time.process_time()
    context.run(PHENOMENON)
    taken = time.process_time() - begun
    guess = 2.0 * (PHENOMENON.estimate(config, context.spec).seconds - cost.START)
    assert guess / 4 < taken < guess * 4, (guess, taken)


def test_an_arm_has_the_same_numbers_alone_and_beside_others(make_context: Callable[..., Any]) -> None:
    """Random labels need more dimensions: true labels must not learn in another P because of them."""
    values = SMALL["values"] | {"n": 200, "control_n": 100, "control_epochs": 4, "control_d": "200 400"}
    found = []
    for arms in ((TRUE,), (TRUE, RANDOM)):
        run_data = make_context(PHENOMENON, **SMALL | {"values": values, "arms": arms}).run(PHENOMENON)
        found.append([run_data.measure("train_loss", name_of(TRUE, d)) for d in (20, 80, 200)])
    assert repr(found[0]) == repr(found[1])


@pytest.mark.full
def test_the_quick_preset_meets_its_criteria(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, first_seed=7000)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is Status.SHOWN
    assert not [c.control for claim in verdict.claims for c in claim.criteria if c.control and c.control.fired]
