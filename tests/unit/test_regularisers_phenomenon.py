"""The declaration of the regularisers: rows, arms, recipes, estimate, figures, and verdicts on data made to order."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.phenomena._regularisers import gains
from genlab_tui.phenomena._regularisers.rows import DONE, PAPER_ACCURACY, fresh_row, recipe, rows
from genlab_tui.phenomena.regularisers import PHENOMENON, Config
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.verdict import ClaimResult, Status, Verdict, judge

NEITHER, ARCHITECTURE = "neither necessary nor sufficient", "the architecture gives more"
ORDER = "shifts, then weight decay, then early stopping"
EQUAL, STOPPING = "shifts help at equal loss too", "early stopping helps against noise alone"
LEARNT = "weight decay does not stop noise from being learnt"
DECAY, SHIFT, EARLY = "weight decay 0.1", "random shift ±3", "early stopping"

TRUE_ACCURACY = {"none": 0.62, "none-90": 0.61, "weight-decay-0.1": 0.64, "shift": 0.76, "cnn": 0.90}
TRUE_ACCURACY["early-stopping"] = 0.609
NOISY_ACCURACY = {"none": 0.50, "none-90": 0.49, "weight-decay-0.1": 0.51, "shift": 0.65, "early-stopping": 0.53}


def _spec(preset: str = "quick", seeds: int = 3, data_set: str = "mnist1d", **values: Any) -> RunSpec:
    arms = values.pop("arms", ())
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", "regularisers", config, preset=preset, data=data_set, seeds=seeds, arms=arms)


def _config(spec: RunSpec) -> Config:
    config = PHENOMENON.config_of(spec)
    assert isinstance(config, Config)
    return config


def _numbers(arm: str, seed: int) -> dict[str, float]:
    """Return what a textbook member measures."""
    regime, _, row = arm.partition("-")
    wobble = (0.0, 0.004, -0.003)[seed % 3]
    own = (0.0, 0.001, -0.001)[(seed + len(row)) % 3]
    if regime == "true":
        train = {"shift": 0.86, "early-stopping": 0.93}.get(row, 1.0)
        return {"test_accuracy": TRUE_ACCURACY.get(row, 0.63) + wobble + own, "train_accuracy": train}
    if regime == "noisy":
        train = {"shift": 0.67, "early-stopping": 0.65}.get(row, 1.0)
        return {"test_accuracy": NOISY_ACCURACY.get(row, 0.5) + wobble + own, "train_accuracy": train}
    if regime == "shuffled":
        return {"test_accuracy": (0.56 if row == "cnn" else 0.62) + wobble, "train_accuracy": 0.99}
    train = {"shift": 0.24, "early-stopping": 0.2}.get(row, 0.996) if regime == "random" else 0.101
    return {"test_accuracy": 0.1 + own, "train_accuracy": train}


def _curves(arm: str, reached: float = 0.05) -> tuple[Curve, Curve]:
    """Return loss falling and accuracy rising with it, higher at one loss where inputs are shifted."""
    loss = np.geomspace(2.4, reached, 12)
    accuracy = 0.1 + (0.2 if arm == "true-shift" else 0.15) * np.log(2.4 / loss)
    step = np.arange(12.0)
    return Curve(step, step, step, loss), Curve(step, step, step, accuracy)


def _measured(spec: RunSpec, **changes: dict[str, float]) -> RunData:
    """Return run data where every arm has textbook numbers, changed per arm (`_` for `-` and `.`) as given."""
    arms = PHENOMENON.arms_of(spec)
    measures: dict[str, dict[tuple[str, int], float]] = {}
    curves: dict[str, dict[tuple[str, int], Curve]] = {"train_loss": {}, "test_accuracy": {}}
    for arm in arms:
        for seed in spec.seed_list:
            own = changes.get(arm.name.replace("-", "_").replace(".", "_"), {})
            for name, value in (_numbers(arm.name, seed) | own).items():
                measures.setdefault(name, {})[arm.name, seed] = value
            if arm.name.startswith("true"):
                pair = _curves(arm.name, own.get("reached", 0.05))
                curves["train_loss"][arm.name, seed], curves["test_accuracy"][arm.name, seed] = pair
    return RunData(spec, arms, spec.seed_list, measures=measures, curves=curves)


def _judge(spec: RunSpec | None = None, **changes: dict[str, float]) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _measured(spec, **changes))


def _claims(verdict: Verdict) -> dict[str, ClaimResult]:
    return {claim.name: claim for claim in verdict.claims}


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


# --- rows, arms, recipes ----------------------------------------------------------------------------------------------


def test_every_row_is_learnt_with_true_noisy_and_random_labels_and_there_are_controls() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == [
        *("true-none", "true-weight-decay-0.1", "true-shift", "true-none-90", "true-early-stopping", "true-cnn"),
        *("noisy-none", "noisy-weight-decay-0.1", "noisy-shift", "noisy-none-90", "noisy-early-stopping"),
        *("random-none", "random-weight-decay-0.1", "random-shift", "random-early-stopping"),
        *("fresh-weight-decay-0.1", "shuffled-none", "shuffled-cnn"),
    ]
    assert [arm.name for arm in arms if arm.control] == ["fresh-weight-decay-0.1", "shuffled-none", "shuffled-cnn"]
    assert all(arm.factors["corruption"] == 0.2 for arm in arms if arm.name.startswith("noisy"))


def test_the_standard_preset_has_every_regulariser_alone_and_all_together() -> None:
    spec = _spec("standard")
    found = {row.name: row for row in rows(_config(spec), spec)}
    assert list(found) == [
        *("none", "weight-decay-0.01", "weight-decay-0.1", "weight-decay-0.3", "dropout-0.2", "dropout-0.5", "shift"),
        *("smoothing", "mixup", "batch-norm", "together", "none-90", "early-stopping"),
        *("batch-16", "batch-16-lr", "batch-128", "batch-128-lr", "batch-1024", "batch-1024-lr", "cnn"),
    ]
    assert {name for name, row in found.items() if len(row.on) == 1} | {"together"} >= {"shift", "mixup", "batch-norm"}
    assert found["together"].on == {
        "weight-decay": 0.01,
        "dropout": 0.2,
        "augmentation": 3.0,
        "label-smoothing": 0.1,
        "mixup": 0.2,
        "batch-norm": 0.1,
    }


def test_switched_off_rows_are_gone() -> None:
    spec = _spec(shift=0.0, patience=0.0, noise=0.0)
    assert [arm.name for arm in PHENOMENON.arms_of(spec)] == [
        *("true-none", "true-weight-decay-0.1", "true-cnn", "random-none", "random-weight-decay-0.1"),
        *("fresh-weight-decay-0.1", "shuffled-none", "shuffled-cnn"),
    ]


def test_early_stopping_is_compared_with_the_same_data_trained_to_the_end() -> None:
    """Holding out a tenth costs accuracy by itself: the row it is compared with learns the same nine tenths."""
    spec = _spec()
    found = {row.name: row for row in rows(_config(spec), spec)}
    assert found["early-stopping"].base == "none-90"
    assert (found["none-90"].share, found["none-90"].on) == (0.9, {})
    assert all(row.base in ("", "none") for name, row in found.items() if name != "early-stopping")


def test_arms_of_one_regulariser_differ_in_labels_alone_and_noise_may_take_longer() -> None:
    spec = _spec()
    made = {arm.name: recipe(_config(spec), spec, arm) for arm in PHENOMENON.arms_of(spec)}
    true, noisy, random = (made[f"{regime}-shift"] for regime in ("true", "noisy", "random"))
    assert true == noisy
    assert dataclasses.replace(random, epochs=true.epochs, target=true.target) == true
    assert (true.epochs, random.epochs, random.target) == (30, 45, DONE)
    assert true.target > 1, "true labels are trained to the end: equal steps"
    assert not any(one.coupled for one in made.values()), "weight decay is decoupled"


def test_batch_sizes_take_as_many_steps_and_epochs_as_the_others_at_least() -> None:
    spec = _spec("standard")
    arms = {arm.name: arm for arm in PHENOMENON.arms_of(spec)}
    plain_ = recipe(_config(spec), spec, arms["true-none"])
    steps = plain_.epochs * math.ceil(3600 / plain_.batch)
    for size in (16, 128, 1024):
        one, scaled = (recipe(_config(spec), spec, arms[f"true-batch-{size}{end}"]) for end in ("", "-lr"))
        assert one.steps == max(steps, plain_.epochs * math.ceil(3600 / size))
        assert (one.batch, one.lr) == (size, plain_.lr)
        assert scaled.lr == pytest.approx(plain_.lr * size / plain_.batch)
        assert scaled.steps == one.steps


@pytest.mark.parametrize(
    ("data_set", "pixels", "network"),
    [("mnist1d", 3, "cnn-1d"), ("digits", 1, "cnn-5:8"), ("fashion-mnist", 2, "lenet"), ("cifar10", 3, "lenet")],
)
def test_shifts_and_the_better_architecture_fit_the_data(data_set: str, pixels: int, network: str) -> None:
    spec = _spec(data_set=data_set)
    found = {row.name: row for row in rows(_config(spec), spec)}
    assert found["shift"].on == {"augmentation": float(pixels)}
    assert found["cnn"].model["network"] == network
    assert not found["cnn"].on


def test_what_does_not_fit_the_data_is_said() -> None:
    with pytest.raises(BadValue, match="cnn-1d needs one-dimensional inputs"):
        PHENOMENON.arms_of(_spec(data_set="digits", architecture="cnn-1d"))
    with pytest.raises(BadValue, match="there is no network"):
        PHENOMENON.arms_of(_spec(architecture="cnn"))
    with pytest.raises(BadValue, match="table 1 need images of 28x28"):
        PHENOMENON.arms_of(_spec("paper", data_set="digits"))
    with pytest.raises(BadValue, match="nearest valid value: 20"):
        PHENOMENON.arms_of(_spec(n=5))
    assert "ten classes" in PHENOMENON.refused["cifar100"]


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid_and_shows_nothing_of_nothing(preset: str) -> None:
    chosen = PHENOMENON.preset(preset)
    spec = _spec(preset, chosen.seeds, chosen.data)
    arms = PHENOMENON.arms_of(spec)
    assert len({arm.name for arm in arms}) == len(arms)
    estimate = PHENOMENON.estimate(_config(spec), spec)
    assert estimate.members == len(arms) * chosen.seeds
    assert estimate.seconds > 0
    assert estimate.bytes > 0
    assert set(PHENOMENON.data) <= set(data.DATASETS)
    assert {data.DATASETS[name].classes for name in PHENOMENON.data} == {10}
    empty = RunData(spec, arms, spec.seed_list)
    assert judge(PHENOMENON, spec, empty).status is Status.INCONCLUSIVE
    for figure in PHENOMENON.figures(empty):
        assert isinstance(figure, HeatMap) or not figure.lines
    if preset == "quick":
        assert estimate.seconds < 120


def test_no_regulariser_is_on_in_all_arms() -> None:
    assert PHENOMENON.regularisers == ()


# --- the paper's table ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "gain"),
    [
        ("inception-crop", 3.56),
        ("inception-wd", 0.28),
        ("inception-crop-wd", 3.30),
        ("inception", 3.75),
        ("alexnet-crop", 3.59),
        ("alexnet-wd", 1.29),
        ("alexnet-crop-wd", 5.15),
        ("mlp-3x512-wd", 0.96),
        ("mlp-1x512-wd", -0.12),
    ],
)
def test_the_papers_gains_are_differences_of_its_table(row: str, gain: float) -> None:
    spec = _spec("paper", data_set="cifar10")
    found = {one.name: one for one in rows(_config(spec), spec)}
    assert found[row].published == pytest.approx(gain)
    assert found[row].base in PAPER_ACCURACY


def test_the_paper_preset_is_table_1_with_its_optimiser() -> None:
    spec = _spec("paper", data_set="cifar10")
    arms = {arm.name: arm for arm in PHENOMENON.arms_of(spec)}
    assert {name.removeprefix("true-") for name in arms if name.startswith("true-")} == set(PAPER_ACCURACY)
    made = {name: recipe(_config(spec), spec, arm) for name, arm in arms.items()}
    assert {(one.optimiser, one.momentum, one.decay) for name, one in made.items() if "crop" not in name} == {
        ("sgd", 0.9, 0.95)
    }
    assert made["random-inception-crop"].decay == 0.999
    assert all(one.lr == (0.1 if one.network == "small-inception" else 0.01) for one in made.values())
    assert all(one.coupled for one in made.values())
    assert "batch-norm" in made["true-inception"].regularisers
    assert "batch-norm" not in made["true-inception-plain"].regularisers
    assert made["true-inception-wd"].regularisers["weight-decay"] == 5e-4
    assert {p.name for p in PHENOMENON.params() if p.unverified} == {"decay_conv", "decay_mlp"}
    assert PHENOMENON.preset("paper").gpu
    assert "Unverified: the coefficients of weight decay" in PHENOMENON.preset("paper").note


def test_the_papers_numbers_stand_on_our_criteria() -> None:
    claims = {claim.name: claim for claim in PHENOMENON.claims(_config(_spec()), _spec())}
    gained, _, fits, _ = claims[DECAY].criteria
    assert (gained.published, fits.published) == (pytest.approx(0.0096), 1.0)
    assert claims[SHIFT].criteria[0].published == pytest.approx(0.0356)
    assert claims[SHIFT].criteria[2].published == pytest.approx(0.9993)
    assert claims[NEITHER].criteria[0].published == pytest.approx(0.4239)
    spec = _spec("paper", data_set="cifar10")
    paper = {claim.name: claim for claim in PHENOMENON.claims(_config(spec), spec)}
    assert paper["Alexnet, wd"].criteria[2].published == "fails to converge"
    assert paper["MLP 1x512, wd"].criteria[2].published == pytest.approx(0.9921)


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_textbook_run_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    statuses = _statuses(verdict)
    assert statuses == {
        NEITHER: Status.SHOWN,
        ARCHITECTURE: Status.SHOWN,
        DECAY: Status.SHOWN,
        SHIFT: Status.NOT_SHOWN,
        EARLY: Status.NOT_SHOWN,
        ORDER: Status.SHOWN,
        EQUAL: Status.SHOWN,
        LEARNT: Status.SHOWN,
        STOPPING: Status.SHOWN,
    }
    assert [claim.name for claim in verdict.claims if claim.main] == [NEITHER, ARCHITECTURE]
    assert "training accuracy on random labels" in _claims(verdict)[SHIFT].reason, "shifts keep noise from being fitted"


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        (NEITHER, {"true_none": {"test_accuracy": 0.5}}),
        (NEITHER, {"random_weight_decay_0_1": {"train_accuracy": 0.98}}),
        (ARCHITECTURE, {"true_cnn": {"test_accuracy": 0.75}}),
        (DECAY, {"true_weight_decay_0_1": {"test_accuracy": 0.61}}),
        (DECAY, {"random_weight_decay_0_1": {"train_accuracy": 0.98}}),
        (DECAY, {"true_cnn": {"test_accuracy": 0.63}}),
        (ORDER, {"true_shift": {"test_accuracy": 0.62}}),
        (ORDER, {"true_early_stopping": {"test_accuracy": 0.66}}),
        (LEARNT, {"noisy_weight_decay_0_1": {"train_accuracy": 0.98}}),
        (STOPPING, {"noisy_early_stopping": {"test_accuracy": 0.48}}),
    ],
)
def test_each_claim_can_fail(claim: str, changes: dict[str, dict[str, float]]) -> None:
    verdict = _judge(**changes)
    assert _statuses(verdict)[claim] is Status.NOT_SHOWN
    if _claims(verdict)[claim].main:
        assert verdict.status is Status.NOT_SHOWN


def test_exactly_forty_points_are_not_more_than_forty() -> None:
    assert _statuses(_judge(true_none={"test_accuracy": 0.5}))[NEITHER] is Status.NOT_SHOWN
    assert _statuses(_judge(true_none={"test_accuracy": 0.51}))[NEITHER] is Status.SHOWN


@pytest.mark.parametrize(
    ("claim", "words", "changes"),
    [
        (NEITHER, "after random labels", {"random_none": {"test_accuracy": 0.6}}),
        (NEITHER, "drawn anew", {"fresh_weight_decay_0_1": {"train_accuracy": 0.995}}),
        (ARCHITECTURE, "pixels shuffled", {"shuffled_cnn": {"test_accuracy": 0.9}}),
        (STOPPING, "clean labels", {"true_early_stopping": {"test_accuracy": 0.7}}),
    ],
)
def test_a_control_that_fires_makes_it_inconclusive(
    claim: str, words: str, changes: dict[str, dict[str, float]]
) -> None:
    result = _claims(_judge(**changes))[claim]
    assert result.status is Status.INCONCLUSIVE
    assert words in result.reason
    assert "fired" in result.reason


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        (NEITHER, {"true_none": {"train_accuracy": 0.9}}),
        (NEITHER, {"random_none": {"train_accuracy": 0.9}}),
        (ARCHITECTURE, {"true_none": {"train_accuracy": 0.9}}),
        (EQUAL, {"true_shift": {"reached": 0.7}}),
    ],
)
def test_an_unmet_precondition_makes_it_inconclusive(claim: str, changes: dict[str, dict[str, float]]) -> None:
    result = _claims(_judge(**changes))[claim]
    assert result.status is Status.INCONCLUSIVE
    assert "precondition" in result.reason


def test_all_together_count_among_the_regularisers_that_the_architecture_must_beat() -> None:
    spec = _spec(together=True)
    assert _statuses(_judge(spec))[ARCHITECTURE] is Status.SHOWN
    assert _statuses(_judge(spec, true_together={"test_accuracy": 0.93}))[ARCHITECTURE] is Status.NOT_SHOWN


def test_two_seeds_are_inconclusive_and_so_is_a_regulariser_changed_in_flight() -> None:
    assert set(_statuses(_judge(_spec(seeds=2))).values()) == {Status.INCONCLUSIVE}
    run_data = dataclasses.replace(_measured(_spec()), changes=(ev.Change(regulariser="l1", strength=None, step=7),))
    assert judge(PHENOMENON, run_data.spec, run_data).status is Status.INCONCLUSIVE


def test_a_member_that_diverged_shows_nothing() -> None:
    run_data = _measured(_spec())
    for name in ("train_accuracy", "test_accuracy"):
        run_data.measures[name]["true-cnn", 1] = math.nan  # type: ignore[index]
    assert _statuses(judge(PHENOMENON, run_data.spec, run_data))[ARCHITECTURE] is Status.INCONCLUSIVE


def test_claims_follow_the_arms_that_were_launched() -> None:
    arms = ("true-none", "true-shift", "random-none", "random-shift", "fresh-weight-decay-0.1", "true-cnn")
    verdict = _judge(_spec(arms=arms))
    assert ARCHITECTURE in verdict.scope, "its control was not launched"
    assert _statuses(verdict)[NEITHER] is Status.NOT_SHOWN, "shifts alone do not let noise be fitted"
    assert DECAY not in _statuses(verdict)


def test_replicas_are_judged_on_their_own_seeds() -> None:
    run_data = _measured(_spec(seeds=6))
    broken = dict(run_data.measures["test_accuracy"])
    for seed in (3, 4, 5):
        broken["true-none", seed] = 0.3
    whole = dataclasses.replace(run_data, measures={**run_data.measures, "test_accuracy": broken})
    found = [
        _statuses(judge(PHENOMENON, part.spec, part))[NEITHER]
        for part in (whole.of_seeds((0, 1, 2)), whole.of_seeds((3, 4, 5)))
    ]
    assert found == [Status.SHOWN, Status.NOT_SHOWN]


# --- equal loss -------------------------------------------------------------------------------------------------------


def test_accuracy_at_a_loss_lies_between_the_two_evaluations_around_it() -> None:
    run_data = _measured(_spec())
    found = gains.at_loss(run_data, "true-none", 0.5)
    assert set(found) == {0, 1, 2}
    assert found[0] == pytest.approx(0.1 + 0.15 * math.log(2.4 / 0.5)), "accuracy is linear in log loss here"
    assert gains.at_loss(run_data, "true-none", 0.01) == {}, "never reached"
    assert gains.at_loss(run_data, "true-none", 5.0)[0] == pytest.approx(0.1), "below it from the start"


def test_evaluations_of_other_members_in_between_change_nothing() -> None:
    """A member that ends has a line of its own, in which the others of its program have no value."""
    run_data = _measured(_spec())
    expected = gains.at_loss(run_data, "true-none", 0.5)[1]
    for metric in ("train_loss", "test_accuracy"):
        curve = run_data.curves[metric]["true-none", 1]
        step, value = (np.insert(a, range(1, len(a)), v) for a, v in ((curve.step, 0.5), (curve.value, np.nan)))
        run_data.curves[metric]["true-none", 1] = Curve(step, step, step, value)  # type: ignore[index]
    assert gains.at_loss(run_data, "true-none", 0.5)[1] == pytest.approx(expected, rel=1e-12)


def test_equal_loss_does_not_reward_training_less_far() -> None:
    """An arm that only learns more slowly ends elsewhere at equal steps, and at the same place at equal loss."""
    run_data = _measured(_spec(), true_weight_decay_0_1={"reached": 0.3})
    row = next(row for row in rows(_config(run_data.spec), run_data.spec) if row.name == "weight-decay-0.1")
    assert gains.equal_loss_gain(run_data, row, 0.5)[0] == pytest.approx(0.0, abs=1e-12)
    shift = next(row for row in rows(_config(run_data.spec), run_data.spec) if row.name == "shift")
    assert gains.equal_loss_gain(run_data, shift, 0.5)[0] == pytest.approx(0.05 * math.log(2.4 / 0.5))


# --- figures ----------------------------------------------------------------------------------------------------------


def test_the_table_has_the_papers_beside_ours() -> None:
    table, points, loss = PHENOMENON.figures(_measured(_spec()))
    assert isinstance(table, HeatMap)
    assert isinstance(points, Figure)
    assert isinstance(loss, Figure)
    assert table.y_ticks == ("1 weight decay 0.1", "2 random shift ±3", "3 early stopping", "= 1-D CNN")
    decay, shift, stopping, cnn = table.values
    assert decay[0] == pytest.approx(2.0, abs=0.2)
    assert (decay[1], decay[5]) == (pytest.approx(0.96), 1.0)
    assert (shift[0], shift[1]) == (pytest.approx(14.0, abs=0.2), pytest.approx(3.56))
    assert (shift[4], shift[5]) == (pytest.approx(0.24), pytest.approx(0.9993))
    assert stopping[0] == pytest.approx(-0.1, abs=0.2)
    assert cnn[:2] == (pytest.approx(28.0, abs=0.2), pytest.approx(33.36))
    true, noisy, paper = points.lines
    assert (true.label, noisy.label) == ("true labels", "20 % noise")
    assert true.x == (1.0, 2.0, 3.0)
    assert true.y[1] == pytest.approx(14.0, abs=0.2)
    assert true.low is not None
    assert true.high is not None
    assert true.low[1] < true.y[1] < true.high[1]
    assert paper.y == (pytest.approx(0.96), pytest.approx(3.56))
    assert [reference.label for reference in points.references] == ["no gain", "the better architecture"]
    assert "1 weight decay 0.1; 2 random shift ±3" in points.note
    assert loss.references[0].value == 0.5
    assert loss.log_x


def test_the_table_fits_a_small_screen_with_its_numbers_and_batch_sizes_have_their_own() -> None:
    """A heat map writes numbers where it has a line a row: 80x24 leaves a panel about 17 of them."""
    table, _, _, batches = PHENOMENON.figures(_measured(_spec("standard", 5)))
    assert isinstance(table, HeatMap)
    assert isinstance(batches, HeatMap)
    assert len(table.values) == len(table.y_ticks) == 12
    assert not any("batch 1" in name for name in table.y_ticks)
    assert batches.y_ticks[0] == "batch 16"
    assert len(batches.values) == 6
    assert max(map(len, (*table.y_ticks, *batches.y_ticks))) <= 24
    assert max(map(len, (*table.x_ticks, *batches.x_ticks))) <= 6


@pytest.mark.parametrize(("preset", "words"), [("quick", "decoupled"), ("standard", "decoupled"), ("paper", "coupled")])
def test_every_figure_says_which_weight_decay(preset: str, words: str) -> None:
    spec = _spec(preset, data_set="cifar10" if preset == "paper" else "mnist1d")
    for figure in PHENOMENON.figures(_measured(spec)):
        assert "not on biases or batch norm" in figure.note
        assert words in figure.note


def test_the_control_with_fresh_labels_is_a_regularised_row() -> None:
    assert fresh_row(_config(_spec()), _spec()) == "weight-decay-0.1"
    without = _spec(weight_decay="0")
    assert fresh_row(_config(without), without) == "shift"
