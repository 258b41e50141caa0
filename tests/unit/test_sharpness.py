"""Sharp and flat minima: arms, refusals, verdicts on data made to pass, fail and be unclear; figures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.phenomena import catalogue
from genlab_tui.phenomena._sharpness.config import (
    ADAPTIVE,
    DIFFERENCE,
    DISTANCE,
    EIGENVALUE,
    MATCHED,
    MEASURES,
    RESCALED,
    RISE,
    check_of,
    eigenvalue_name,
    level_arm,
    levels,
)
from genlab_tui.phenomena._sharpness.numbers import extent, spread, times
from genlab_tui.phenomena.sharpness import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, Verdict, judge

MAIN = "large batches find sharper minima that generalise worse"
FLAT = "flat minima generalise, sharp ones do not"
CLOSES = "the learning rate, scaled with the batch, closes the gap"
AS_FLAT = "the scaled learning rate finds minima as flat"
DINH = "rescaling changes sharpness and not the function"
SAME = "measures in units of the weights' own sizes do not change by rescaling"
BOX = "Keskar's measure is larger after large batches"
OPPOSITE = "the filter-normalised rise ranks the other way round"
DEPENDS = "sharpness depends on the loss at which it is measured"

SMALL, LARGE, SCALED, ORDER = "batch-16", "batch-200", "batch-200-scaled", "batch-16-order"
BOOK = {SMALL: (1.0, 0.60), LARGE: (5.0, 0.50), SCALED: (1.2, 0.598), ORDER: (1.05, 0.599)}
"""How sharp the textbook's networks are, beside the small batch's, and their test accuracy."""

Change = Callable[[str, str, int, float], float]


def _spec(data_set: str = "mnist1d", seeds: int = 3, preset: str = "quick", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", "sharpness", config, preset=preset, data=data_set, seeds=seeds)


def _data(spec: RunSpec, change: Change | None = None) -> RunData:
    """Return a run as the textbook has it; `change(measure, arm, seed, value)` gives what it has instead."""
    measures: dict[str, dict[tuple[str, int], float]] = {}
    config = PHENOMENON.config_of(spec)

    def put(name: str, arm: str, seed: int, value: float) -> None:
        measures.setdefault(name, {})[arm, seed] = change(name, arm, seed, value) if change else value

    for seed in spec.seed_list:
        wobble = 0.001 * (seed % 3)
        for arm, (sharp, accuracy) in BOOK.items():
            put("train_loss", arm, seed, 0.1)
            put("test_accuracy", arm, seed, accuracy + wobble)
            put("test_error", arm, seed, 1 - measures["test_accuracy"][arm, seed])
            for name in MEASURES:
                put(name, arm, seed, (1 / sharp if name == RISE else sharp) * (1 + wobble))
            put(eigenvalue_name(1), arm, seed, sharp)
            put(DISTANCE, arm, seed, 10 / sharp)
            for level in levels(config):
                put("train_loss", level_arm(arm, level), seed, level)
                put(EIGENVALUE, level_arm(arm, level), seed, sharp * 3 * level)
        for name in MEASURES:
            factor = 1.0 if name in (ADAPTIVE, RISE) else 50.0
            put(name, RESCALED, seed, factor * measures[name][SMALL, seed])
        put(DIFFERENCE, RESCALED, seed, 1e-14)
    return RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=measures)


def _judge(change: Change | None = None, spec: RunSpec | None = None) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _data(spec, change))


def _status(verdict: Verdict, name: str) -> Status:
    return next(claim.status for claim in verdict.claims if claim.name == name)


def _reason(verdict: Verdict, name: str = MAIN) -> str:
    return next(claim.reason for claim in verdict.claims if claim.name == name)


def _set(measure: str, arm: str, factor: float) -> Change:
    return lambda name, who, _, value: value * factor if (name, who) == (measure, arm) else value


# --- arms, refusals, cost ---------------------------------------------------------------------------------------------


def test_arms_are_batch_sizes_the_scaled_one_and_another_order() -> None:
    arms = {arm.name: arm for arm in PHENOMENON.arms_of(_spec(batches="200 16 50"))}
    assert list(arms) == [SMALL, "batch-50", LARGE, SCALED, ORDER]
    assert arms[SCALED].factors["lr"] == pytest.approx(0.02 * 12.5)
    assert arms[LARGE].factors["lr"] == arms[SMALL].factors["lr"] == arms[ORDER].factors["lr"] == 0.02
    assert [name for name, arm in arms.items() if arm.control] == [ORDER]


@pytest.mark.parametrize(
    ("values", "regularisers", "words"),
    [
        ({"batches": "16"}, {}, "batches = 16"),
        ({"batches": "16 1200"}, {}, "nearest valid value: 1000"),
        ({"batches": "1 200"}, {"batch-norm": 0.1}, "nearest valid value: 2"),
        ({"levels": "0.5 0.50000001"}, {}, "read the same"),
    ],
)
def test_what_makes_no_sense_is_said_before_launch(
    values: dict[str, Any], regularisers: dict[str, float], words: str
) -> None:
    config = config_values(PHENOMENON.make_config("quick", values))
    spec = RunSpec("00000001", "sharpness", config, data="mnist1d", seeds=3, regularisers=regularisers)
    with pytest.raises(BadValue) as caught:
        PHENOMENON.arms_of(spec)
    assert words in str(caught.value) or words in str(vars(caught.value))


def test_batch_sizes_come_once_and_every_data_set_is_there_or_refused() -> None:
    with pytest.raises(BadValue, match="twice"):
        PHENOMENON.make_config("quick", {"batches": "16 200 16"})
    assert set(PHENOMENON.refused) | set(PHENOMENON.data) == set(data.DATASETS)
    assert catalogue()["sharpness"] is PHENOMENON
    assert "early-stopping" not in PHENOMENON.regularisers


def test_losses_above_the_last_one_alone_are_looked_at_on_the_way() -> None:
    config = PHENOMENON.make_config("quick", {"levels": "0.05 0.1 0.7 1.2", "loss": 0.1})
    assert levels(config) == [1.2, 0.7]


def test_a_box_in_which_nothing_would_climb_is_refused() -> None:
    with pytest.raises(BadValue) as caught:
        PHENOMENON.make_config("quick", {"box": 1e-5})
    assert "box" in str(caught.value)
    assert PHENOMENON.make_config("quick", {"box": 1e-4}).box == 1e-4


def test_only_arms_of_few_epochs_are_looked_at_inside_them() -> None:
    spec = _spec()
    config = PHENOMENON.config_of(spec)
    arms = {arm.name: arm for arm in PHENOMENON.arms_of(spec)}
    assert check_of(config, spec, arms[SMALL]) == 15
    assert check_of(config, spec, arms[SCALED]) == 1
    assert check_of(config, spec, arms[LARGE]) == 0


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(data_set: str = "mnist1d", seeds: int = 3, **values: Any) -> float:
        spec = _spec(data_set, seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert 5 < plain < 60
    for more in (
        seconds(seeds=30),
        seconds(n=4000, batches="16 800"),
        seconds(lr=0.005),
        seconds(hidden="400 400"),
        seconds(subset=1000, eigenvalues=10, products=800),
    ):
        assert more > 1.15 * plain
    paper = PHENOMENON.make_config("paper")
    spec = RunSpec("00000001", "sharpness", config_values(paper), data="mnist", seeds=5, device="cuda:0")
    assert PHENOMENON.estimate(paper, spec).seconds < 7200
    assert PHENOMENON.preset("paper").gpu


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_the_textbook_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    for name in (MAIN, FLAT, CLOSES, AS_FLAT, DINH, SAME, BOX, OPPOSITE, DEPENDS):
        assert _status(verdict, name) is Status.SHOWN, name
    assert [claim.name for claim in verdict.claims if claim.main] == [MAIN]


def test_minima_less_than_twice_as_sharp_are_not() -> None:
    verdict = _judge(_set(EIGENVALUE, LARGE, 1.9 / 5))
    assert verdict.status is Status.NOT_SHOWN
    assert "1.9" in _reason(verdict)


def test_an_accuracy_lost_within_two_standard_errors_is_not_lost() -> None:
    near = _judge(lambda name, arm, seed, value: 0.575 if (name, arm) == ("test_accuracy", LARGE) else value)
    assert near.status is Status.NOT_SHOWN
    assert "2 standard errors" in _reason(near)
    assert _status(near, CLOSES) is Status.INCONCLUSIVE  # there is no gap to close


def test_an_accuracy_lost_in_some_seeds_alone_is_no_sure_loss() -> None:
    def change(name: str, arm: str, seed: int, value: float) -> float:
        return (0.3, 0.55, 0.62)[seed] if (name, arm) == ("test_accuracy", LARGE) else value

    verdict = _judge(change)
    assert verdict.status is Status.NOT_SHOWN
    assert "interval" in _reason(verdict)


@pytest.mark.parametrize("arm", [SMALL, LARGE, ORDER])
def test_networks_at_other_losses_are_not_compared(arm: str) -> None:
    assert _judge(_set("train_loss", arm, 1.09)).status is Status.SHOWN
    verdict = _judge(_set("train_loss", arm, MATCHED + 0.02))
    assert verdict.status is Status.INCONCLUSIVE
    assert "largest training loss over smallest" in _reason(verdict)
    for name in (FLAT, BOX):
        assert _status(verdict, name) is Status.INCONCLUSIVE


def test_one_seed_at_another_loss_is_enough_to_compare_none() -> None:
    """Its mean over seeds, and two thirds of them, are within bounds."""
    verdict = _judge(lambda name, arm, seed, v: v * 1.2 if (name, arm, seed) == ("train_loss", LARGE, 1) else v)
    assert verdict.status is Status.INCONCLUSIVE
    assert "in every seed" in _reason(verdict)
    for name in (FLAT, CLOSES, AS_FLAT, BOX):
        assert _status(verdict, name) is Status.INCONCLUSIVE


def _diverged(run_data: RunData, who: str, seed: int) -> RunData:
    """Return a run with a network that diverged: its numbers from training are NaN, its sharpness is not measured."""
    trained = ("train_loss", "test_accuracy", "test_error")
    measures = {
        name: {
            member: math.nan if member == (who, seed) else value
            for member, value in table.items()
            if name in trained or member != (who, seed)
        }
        for name, table in run_data.measures.items()
    }
    return dataclasses.replace(run_data, measures=measures)


def test_numbers_are_missing_wherever_one_of_theirs_is() -> None:
    for values in ([math.nan, 1.0, 2.0], [1.0, math.nan, 2.0], [1.0, 2.0, math.nan], [0.0, 1.0]):
        assert math.isnan(extent(values))
    assert extent([1.0, 4.0, 2.0]) == 4.0
    run_data = _diverged(_data(_spec()), ORDER, 1)
    loss, ratio = spread(run_data, (SMALL, LARGE, ORDER)), times(run_data, EIGENVALUE, ORDER, SMALL)
    assert list(loss) == list(ratio) == [0, 1, 2]
    assert [math.isnan(found[seed]) for found in (loss, ratio) for seed in (0, 1, 2)] == [False, True, False] * 2
    rescaled = times(_diverged(_data(_spec()), SMALL, 2), EIGENVALUE, RESCALED, SMALL)
    assert list(rescaled) == [0, 1, 2]
    assert math.isnan(rescaled[2])


def test_a_control_that_diverged_in_one_of_many_seeds_is_missing() -> None:
    spec = _spec(seeds=6)
    verdict = judge(PHENOMENON, spec, _diverged(_data(spec), ORDER, 4))
    assert verdict.status is Status.INCONCLUSIVE
    controls = [c.control for c in verdict.claims[0].criteria if c.control]
    assert [control.missing for control in controls] == [True, True]
    assert len(controls[0].seeds) == 6


def test_a_network_on_the_way_that_was_not_measured_leaves_its_claim_open() -> None:
    spec = _spec(seeds=6)
    verdict = judge(PHENOMENON, spec, _diverged(_data(spec), level_arm(SMALL, 0.5), 4))
    assert _status(verdict, DEPENDS) is Status.INCONCLUSIVE
    assert verdict.status is Status.SHOWN  # no other claim reads it


def test_a_control_as_sharp_as_the_effect_fires() -> None:
    verdict = _judge(_set(EIGENVALUE, ORDER, 2.1))
    assert verdict.status is Status.INCONCLUSIVE
    assert "fired" in _reason(verdict)
    worse = _judge(lambda name, arm, _, value: 0.5 if (name, arm) == ("test_accuracy", ORDER) else value)
    assert worse.status is Status.INCONCLUSIVE
    assert "another order" in _reason(worse)


def test_a_network_without_numbers_leaves_the_claim_open() -> None:
    verdict = _judge(lambda name, arm, _, value: math.nan if arm == LARGE else value)
    assert verdict.status is Status.INCONCLUSIVE
    assert _judge(spec=_spec(seeds=2)).status is Status.INCONCLUSIVE


def test_what_predicts_says_how_little_that_is() -> None:
    spec = _spec()
    found = [c for c in PHENOMENON.claims(PHENOMENON.config_of(spec), spec) if c.name.endswith("predicts test error")]
    assert len(found) == len(MEASURES)
    assert all("by chance" in claim.statement and "not independent" in claim.statement for claim in found)


def test_a_measure_that_ranks_nothing_predicts_nothing() -> None:
    verdict = _judge(_set(EIGENVALUE, LARGE, 0.1))
    assert _status(verdict, FLAT) is Status.NOT_SHOWN
    assert _status(verdict, "largest Hessian eigenvalue predicts test error") is Status.NOT_SHOWN
    assert _status(verdict, "Keskar's sharpness predicts test error") is Status.SHOWN
    assert _status(verdict, "filter-normalised rise predicts test error") is Status.NOT_SHOWN


def test_the_scaled_arm_can_fail_to_close_the_gap() -> None:
    verdict = _judge(lambda name, arm, _, value: 0.5 if (name, arm) == ("test_accuracy", SCALED) else value)
    assert _status(verdict, CLOSES) is Status.NOT_SHOWN
    assert _status(_judge(_set(EIGENVALUE, SCALED, 3.0)), AS_FLAT) is Status.NOT_SHOWN


def test_a_gap_that_is_hardly_smaller_was_not_closed() -> None:
    """2.6 standard errors that become 1.7 of them in the mean: but the third seed gained nothing."""

    def change(name: str, arm: str, seed: int, value: float) -> float:
        if name == "test_accuracy" and arm in (LARGE, SCALED):
            return 0.56 if arm == LARGE or seed == 2 else 0.60
        return value

    verdict = _judge(change)
    assert _status(verdict, CLOSES) is Status.NOT_SHOWN
    assert "interval of what the scaled learning rate gains" in _reason(verdict, CLOSES)


def test_the_gap_is_judged_at_one_loss_of_all_three_arms() -> None:
    for arm in (SMALL, LARGE, SCALED):
        assert _status(_judge(_set("train_loss", arm, MATCHED + 0.02)), CLOSES) is Status.INCONCLUSIVE


def test_another_function_is_no_rescaled_one() -> None:
    assert _status(_judge(_set(DIFFERENCE, RESCALED, 1e5)), DINH) is Status.NOT_SHOWN
    assert _status(_judge(_set(EIGENVALUE, RESCALED, 0.1)), DINH) is Status.NOT_SHOWN
    assert _status(_judge(_set(RISE, RESCALED, 1.01)), SAME) is Status.NOT_SHOWN


def test_arms_left_out_leave_their_claims_out() -> None:
    config = config_values(PHENOMENON.make_config("quick"))
    spec = RunSpec("00000001", "sharpness", config, data="mnist1d", seeds=3, arms=(SMALL, LARGE))
    verdict = judge(PHENOMENON, spec, _data(spec))
    assert {claim.name for claim in verdict.claims} >= {FLAT, DINH, SAME}
    assert MAIN in verdict.scope
    assert verdict.status is Status.INCONCLUSIVE


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_show_every_network_and_every_measure() -> None:
    spec = _spec()
    found = {figure.name: figure for figure in PHENOMENON.figures(_data(spec))}
    scatter, path, heat = found["curvature-error"], found["path"], found["measures"]
    assert isinstance(scatter, Figure)
    assert [len(line.x) for line in scatter.lines] == [3, 3, 3, 3]
    assert all(line.points for line in scatter.lines)
    assert "rank correlation" in scatter.note
    assert isinstance(path, Figure)
    assert path.lines[0].x == pytest.approx((1.5, 0.5, 0.1))
    assert isinstance(heat, HeatMap)
    assert heat.y_ticks[-1].startswith("rescaled by")
    assert heat.values[0][0] == pytest.approx(math.log2(5))
    assert heat.values[-1][0] == pytest.approx(math.log2(50))
    assert heat.values[-1][-1] == pytest.approx(0.0)
    assert set(PHENOMENON.panels) <= set(found) | {metric.name for metric in PHENOMENON.metrics}


def test_figures_can_be_drawn_before_there_is_anything() -> None:
    spec = _spec()
    empty = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)
    for figure in PHENOMENON.figures(empty):
        assert isinstance(figure, HeatMap) or not figure.lines


def test_published_numbers_stand_beside_ours_where_the_data_are_theirs() -> None:
    spec = _spec("mnist")
    found = {figure.name: figure for figure in PHENOMENON.figures(_data(spec))}
    labels = [line.label for line in found["box-error"].lines]  # type: ignore[union-attr]
    assert sum(label.startswith("published") for label in labels) == 2
    assert "not stopped at any loss" in found["box-error"].note
    assert "not stopped at any loss" not in found["curvature-error"].note
    claim = next(c for c in PHENOMENON.claims(PHENOMENON.config_of(spec), spec) if c.name == BOX)
    assert claim.criteria[0].published == 167
