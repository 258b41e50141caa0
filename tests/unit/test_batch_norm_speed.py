"""Speed by batch norm: arms, refusals, verdicts on data made to pass, fail and be unclear; figures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.phenomena._batch_norm_speed import numbers
from genlab_tui.phenomena._batch_norm_speed.config import (
    ACCURACY,
    AFTER,
    AGAIN,
    BN,
    DECAY,
    FIT,
    NORM,
    PASS,
    PLAIN,
    SCALE,
    SMALL,
    Config,
    families,
    seed_bytes,
)
from genlab_tui.phenomena.batch_norm_speed import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.training import full_pass
from genlab_tui.verdict import Status, Verdict, judge

FASTER = "fewer steps with batch norm"
WIDER = "more learning rates work with batch norm"
STARTS = "batch norm trains from a start that is too small"
AFTERWARDS = "after the activation it works too"
DECAYED = "the wider range survives weight decay"
ONE_RATE = "faster at the plain network's own learning rate"

NONE = math.nan
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
UP, DOWN = math.log10(0.03 / 0.01), math.log10(0.1 / 0.03)
TEXTBOOK: Mapping[str, Sequence[float]] = {
    PLAIN: (0.66, 0.91, 0.94, 0.96, NONE, NONE, NONE),
    BN: (0.54, 0.87, 0.95, 0.96, 0.955, 0.978, 0.893),
    SCALE: (0.66, 0.91, 0.94, 0.96, NONE, NONE, NONE),
    AFTER: (0.54, 0.87, 0.95, 0.96, 0.955, 0.97, 0.91),
    PLAIN + SMALL: (0.08, 0.08, 0.08, 0.08, 0.21, 0.08, 0.08),
    BN + SMALL: (0.94, 0.97, 0.98, 0.96, 0.98),
    SCALE + SMALL: (0.08, 0.08, 0.08, 0.21, 0.08),
    AFTER + SMALL: (0.94, 0.97, 0.98, 0.96, 0.98),
    PLAIN + DECAY: (0.66, 0.91, 0.94, 0.93, NONE, NONE, NONE),
    BN + DECAY: (0.54, 0.91, 0.95, 0.96, 0.955, 0.92, 0.18),
    AGAIN: (0.66, 0.91, 0.94, 0.96, NONE, NONE, NONE),
}
STEPS: Mapping[str, Sequence[float]] = {
    PLAIN: (NONE, 200, 100, 90, NONE, NONE, NONE),
    BN: (NONE, 280, 100, 42, 30, 36, 120),
    SCALE: (NONE, 200, 100, 85, NONE, NONE, NONE),
    AFTER: (NONE, 280, 80, 35, 28, 32, 120),
    PLAIN + DECAY: (NONE, 200, 100, 90, NONE, NONE, NONE),
    BN + DECAY: (NONE, 280, 100, 42, 30, 36, NONE),
    AGAIN: (NONE, 200, 100, 95, NONE, NONE, NONE),
}


def _spec(data_set: str = "digits", seeds: int = 3, preset: str = "placement", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", "batch-norm-speed", config, preset=preset, data=data_set, seeds=seeds)


def _curve(steps: float) -> Curve:
    """Return looks that reach 90 % half-way between two of them, after so many steps; never if NaN."""
    at = [12.0, 400.0] if math.isnan(steps) else [12.0, steps - 4, steps + 4, 400.0]
    value = [0.2, 0.6] if math.isnan(steps) else [0.2, 0.88, 0.92, 0.99]
    x = np.array(at)
    return Curve(x, x / 24, x, np.array(value))


def _data(
    spec: RunSpec,
    *,
    only: int | None = None,
    steps: Mapping[str, Sequence[float]] | None = None,
    **changed: Sequence[float],
) -> RunData:
    """Return a run with the textbook's numbers, changed as given (`bn_small=...`); in one seed alone if asked."""
    accuracy: dict[tuple[str, int], float] = {}
    curves: dict[tuple[str, int], Curve] = {}
    config = PHENOMENON.config_of(spec)
    given = {name.replace("_", "-"): row for name, row in changed.items()}
    for seed in spec.seed_list:
        own = only is None or seed == only
        for family in families(config):
            row = {**TEXTBOOK, **(given if own else {})}[family.name]
            for lr, value in zip(family.rates(config), row, strict=True):
                accuracy[family.arm(lr), seed] = value
            needed = {**STEPS, **((steps or {}) if own else {})}.get(family.name, (NONE,) * 7)
            for lr, value in zip(family.rates(config), needed, strict=False):
                curves[family.arm(lr), seed] = _curve(value + 2 * (seed % 3))
    measures = {ACCURACY: accuracy, NORM: dict.fromkeys(accuracy, 20.0)}
    return RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, {FIT: curves}, measures)


def _judge(spec: RunSpec | None = None, **changes: Any) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _data(spec, **changes))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


# --- arms and cost ----------------------------------------------------------------------------------------------------


def test_arms_are_kinds_of_networks_at_all_learning_rates() -> None:
    quick = PHENOMENON.arms_of(_spec(preset="quick"))
    assert len(quick) == 7 + 7 + 7 + 7 + 5 + 5
    assert [arm.name for arm in quick[:3]] == ["plain@0.003", "plain@0.01", "plain@0.03"]
    assert {arm.name.rpartition("@")[0] for arm in quick if arm.control} == {SCALE, SCALE + SMALL}
    assert len(PHENOMENON.arms_of(_spec())) == len(quick) + 7 + 5 + 14
    small = [arm for arm in quick if arm.name.startswith(BN + SMALL)]
    assert [arm.factors["lr"] for arm in small] == [0.01, 0.03, 0.1, 0.3, 1.0]
    assert {arm.factors["gain"] for arm in small} == {0.5}
    paper = PHENOMENON.arms_of(_spec("cifar10", preset="paper"))
    assert {arm.name.rpartition("@")[0] for arm in paper} == {PLAIN, BN, AGAIN}


@pytest.mark.parametrize(
    ("data_set", "values", "words"),
    [
        ("digits", {"lrs": "0.1 0.3"}, "a range needs at least 3"),
        ("digits", {"lrs": "0.1 0.10000001 0.3"}, "agree in six digits"),
        ("digits", {"lrs": "2 3 4"}, "none from 0.01 to 1"),
        ("digits", {"small_gain": 2.0}, "small_gain = 2 is not below gain = 2"),
        ("digits", {"batch": 5000}, "batch = 5000 is more than the 1200 training samples"),
        ("digits", {"batch": 1}, "batch = 1 is outside its bounds"),
        ("digits", {"n": 1, "batch": 2}, "nearest valid value: 2"),
        ("digits", {"target": 0.1}, "nearest valid value: 0.15"),
        ("digits", {"usable": 0.1}, "usable = 0.1 is not from 0.15 to 1"),
        ("mnist1d", {"network": "small-inception"}, "needs images"),
        ("digits", {"network": "small-alexnet"}, "network"),
    ],
)
def test_what_makes_no_sense_is_said_before_launch(data_set: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(GenlabError) as caught:
        PHENOMENON.arms_of(_spec(data_set, **values))
    assert isinstance(caught.value, BadValue)
    assert words in str(caught.value) or words in str(vars(caught.value))


def test_data_sets_have_ten_classes_and_the_other_one_is_refused_with_a_reason() -> None:
    assert {data.DATASETS[name].classes for name in PHENOMENON.data} == {10}
    assert set(PHENOMENON.refused) == set(data.DATASETS) - set(PHENOMENON.data)


def test_regularisers_leave_the_arms_alone() -> None:
    """Batch norm and weight decay are what the arms differ in: a toggle for all of them would undo the comparison."""
    assert not {"batch-norm", "weight-decay", "early-stopping"} & set(PHENOMENON.regularisers)


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    assert chosen.data in PHENOMENON.data
    assert chosen.seeds >= 3
    spec = _spec(chosen.data, chosen.seeds, preset)
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == len(arms) * chosen.seeds
    assert estimate.bytes > 0
    assert judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list)).status is Status.INCONCLUSIVE
    if preset == "quick":
        assert estimate.seconds < 60
    if preset == "paper":
        assert chosen.gpu
        assert "nverified" in chosen.note


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(seeds: int = 3, data_set: str = "digits", **values: Any) -> float:
        spec = _spec(data_set, seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert seconds(6) > plain > seconds(preset="quick")
    assert seconds(epochs=30) > plain
    assert seconds(depth=20) > plain > seconds(width=16)
    assert seconds(lrs="0.01 0.1 1") < plain


def test_memory_counts_the_rows_of_the_full_pass() -> None:
    """Those with weight decay too, and no more samples than the pass takes."""

    def size(**values: Any) -> float:
        spec = _spec("fashion-mnist", 3, **values)
        return seed_bytes(PHENOMENON.config_of(spec), spec, 40)

    row = 4.0 * 3 * 1200 * 10 * 64
    assert size(preset="placement", n=1200) - size(preset="quick", n=1200) == pytest.approx(7 * row)
    inputs = 4.0 * 784
    assert size(n=50_000) - size(n=20_000) == pytest.approx(30_000 * inputs)
    assert PASS == full_pass.SAMPLES


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "values", "expected"),
    [
        ((10, 20, 30), (0.5, 0.8, 1.0), 25.0),
        ((10, 20), (0.95, 1.0), 10.0),
        ((10, 20), (0.5, 0.89), NONE),
        ((10, 20, 30), (0.5, NONE, 0.9), 30.0),
        ((10, 20, 30, 40), (0.8, 1.0, 0.5, 1.0), 15.0),
        ((0, 10), (0.95, 0.1), 1.0),
        ((0, 10), (0.89, 0.99), 1.0),
        ((), (), NONE),
    ],
)
def test_steps_are_counted_between_looks(at: Sequence[float], values: Sequence[float], expected: float) -> None:
    """And so finer than epochs, of which there are 24 steps each; from 1, so that a ratio of them is a number."""
    assert numbers.crossing(at, values, 0.9) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((0.1, 0.9, 0.94, 0.9, 0.1, 0.1, 0.1), 1.0),
        ((0.1, 0.85, 0.95, 0.95, 0.95, 0.85, 0.1), 1 + (UP + DOWN) / 2),
        ((0.6, 0.1, 0.9, 0.96, 0.95, 0.97, 0.93), 2.0),
        ((0.95, 0.95, 0.1, 0.9, 0.95, 0.95, 0.95), math.log10(30)),
        ((0.1, 0.1, 1.0, 0.1, 0.1, 0.1, 0.1), (UP + DOWN) / 9),
        ((0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1), 0.0),
        ((0.95,) * 7, 3.0),
        ((0.1,) * 7, 0.0),
    ],
)
def test_a_range_is_the_longest_unbroken_stretch_between_crossings(row: Sequence[float], expected: float) -> None:
    """In the logarithm of the rate; one usable rate is more than none, and the grid's end is an end."""
    assert numbers.decades(RATES, row, 0.9) == pytest.approx(expected)


def test_a_range_does_not_jump_where_an_accuracy_passes_the_line() -> None:
    """Grid spacings of 0.48 and 0.52 decades must not decide against a threshold of 0.5."""
    just = [numbers.decades(RATES, (0.5, 0.8, 0.95, 0.95, at, 0.1, 0.1), 0.9) for at in (0.8999, 0.9, 0.9001)]
    assert max(just) - min(just) < 2e-3
    wide = [numbers.decades(RATES, (0.5, 0.8, 0.95, 0.95, at, 0.1, 0.1), 0.9) for at in (0.3, 0.6, 0.85, 0.95, 0.99)]
    assert wide == sorted(wide)
    assert len(set(wide)) == 5


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_the_textbook_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert [claim.name for claim in verdict.claims if claim.main] == [FASTER, WIDER, STARTS]
    assert set(_statuses(verdict).values()) == {Status.SHOWN}
    found = {c.name: float(c.value or 0) for claim in verdict.claims for c in claim.criteria}
    assert found["steps with batch norm / without, each at its best learning rate"] == pytest.approx(32 / 92, rel=0.01)
    assert found["steps with batch norm / without, at the best learning rate without"] == pytest.approx(
        44 / 92, rel=0.01
    )
    assert found["decades of usable rates, with minus without"] == pytest.approx(
        numbers.decades(RATES, TEXTBOOK[BN], 0.9)
        - numbers.decades(RATES, [0.1 if math.isnan(v) else v for v in TEXTBOOK[PLAIN]], 0.9)
    )
    assert found["small start: worst accuracy with batch norm minus best without"] == pytest.approx(0.94 - 0.21)
    controls = [c.control for claim in verdict.claims if claim.main for c in claim.criteria]
    assert sum(control is not None for control in controls) == 3
    assert not any(control.fired or control.missing for control in controls if control)


def test_each_network_is_judged_at_its_own_best_rate_not_at_a_common_one() -> None:
    """The pitfall: at 0.03 both need as many steps; batch norm's best rate is ten times that."""
    assert STEPS[BN][2] == STEPS[PLAIN][2]
    slow = {BN: (NONE, 280, 100, 95, 30, 95, NONE)}
    verdict = _statuses(_judge(steps=slow))
    assert verdict[FASTER] is Status.SHOWN
    assert verdict[ONE_RATE] is Status.NOT_SHOWN


def test_the_thresholds_are_where_they_are_said_to_be() -> None:
    plain = dict.fromkeys((PLAIN, SCALE), (NONE, 400, 400, 400, NONE, NONE, NONE))
    for steps, status in ((262, Status.SHOWN), (274, Status.NOT_SHOWN)):
        row = {**plain, BN: (NONE, NONE, NONE, steps, NONE, NONE, NONE)}
        assert _statuses(_judge(steps=row))[FASTER] is status, steps
    for worst, status in ((0.52, Status.SHOWN), (0.50, Status.NOT_SHOWN)):
        assert _statuses(_judge(bn_small=(0.94, worst, 0.98, 0.96, 0.98)))[STARTS] is status, worst
    as_wide = (0.5, 0.87, 0.95, 0.95, 0.95, 0.1, 0.1)  # 0.02 to 0.33, without: 0.009 to 0.11
    assert _statuses(_judge(bn=as_wide))[WIDER] is Status.NOT_SHOWN
    plain = numbers.decades(RATES, [0.1 if math.isnan(v) else v for v in TEXTBOOK[PLAIN]], 0.9)
    for more, status in ((0.49, Status.NOT_SHOWN), (0.51, Status.SHOWN)):  # crosses so far beyond 1
        beyond = (plain + more - math.log10(1 / 0.03)) / math.log10(3)
        row = (0.1, 0.1, 0.9, 0.95, 1.0, 0.91, 0.91 - 0.01 / beyond)
        assert numbers.decades(RATES, row, 0.9) - plain == pytest.approx(more)
        assert _statuses(_judge(bn=row))[WIDER] is status, more


def test_wider_on_the_mean_but_not_in_every_seed_is_not_shown() -> None:
    wide = _judge(bn=(0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95))
    assert _statuses(wide)[WIDER] is Status.SHOWN
    spec = _spec()
    mixed = _data(spec, bn=(0.95,) * 7)
    for lr in RATES:
        mixed.measures[ACCURACY][f"bn@{lr:g}", 0] = TEXTBOOK[PLAIN][RATES.index(lr)]  # type: ignore[index]
    claim = next(c for c in judge(PHENOMENON, spec, mixed).claims if c.name == WIDER)
    assert [c.status for c in claim.criteria] == ["PASS", "FAIL"]
    assert claim.status is Status.NOT_SHOWN


def test_a_network_that_diverged_counts_as_guessing_not_as_missing() -> None:
    """One diverged network with batch norm must not vanish from the worst accuracy."""
    verdict = _judge(bn_small=(0.94, 0.97, NONE, 0.96, 0.98))
    assert _statuses(verdict)[STARTS] is Status.NOT_SHOWN
    all_gone = _judge(plain_small=(NONE,) * 7)
    assert _statuses(all_gone)[STARTS] is Status.SHOWN


def test_without_a_plain_network_that_gets_there_speed_is_unclear() -> None:
    verdict = _judge(steps={PLAIN: (NONE,) * 7})
    assert _statuses(verdict)[FASTER] is Status.INCONCLUSIVE
    assert "leads to 90 % training accuracy" in next(c.reason for c in verdict.claims if c.name == FASTER)
    assert _statuses(_judge(steps={PLAIN: (NONE,) * 7}, only=2))[FASTER] is Status.INCONCLUSIVE


def test_batch_norm_that_never_gets_there_is_not_faster() -> None:
    """A failure of the effect, not a missing number; in one seed of three too, where the mean would still do."""
    for only in (None, 2):
        verdict = _statuses(_judge(steps={BN: (NONE,) * 7, AFTER: (NONE,) * 7}, only=only))
        assert (verdict[FASTER], verdict[AFTERWARDS], verdict[ONE_RATE]) == (Status.NOT_SHOWN,) * 3, only
    at_that_rate = {BN: (NONE, 280, 100, NONE, 30, 36, 120)}
    for only in (None, 2):
        verdict = _statuses(_judge(steps=at_that_rate, only=only))
        assert (verdict[FASTER], verdict[ONE_RATE]) == (Status.SHOWN, Status.NOT_SHOWN)
    whole = 15 * 1200 / 50
    found = next(c for c in _judge(steps={BN: (NONE,) * 7}).claims if c.name == FASTER).criteria[0]
    assert float(found.seeds["0"]) == pytest.approx(whole / 90), "a lower bound: all steps of its training"


def test_a_control_that_never_gets_there_is_quiet() -> None:
    verdict = _judge(steps={SCALE: (NONE,) * 7})
    assert _statuses(verdict)[FASTER] is Status.SHOWN
    control = next(c for c in verdict.claims if c.name == FASTER).criteria[0].control
    assert control is not None
    assert not control.missing
    assert not control.fired


def test_without_a_usable_rate_for_the_plain_network_ranges_say_nothing() -> None:
    low = _judge(plain=(0.6, 0.7, 0.85, 0.89, NONE, NONE, NONE))
    assert (_statuses(low)[WIDER], _statuses(low)[STARTS]) == (Status.INCONCLUSIVE,) * 2
    assert "some learning rates are usable" in next(c.reason for c in low.claims if c.name == WIDER)


@pytest.mark.parametrize("at", [0, 6], ids=["smallest", "largest"])
def test_a_plain_range_that_the_grid_cuts_off_is_no_measure_of_a_gain(at: int) -> None:
    """Its width is a lower bound, and so the gain an upper one; with batch norm it is a lower bound, and fine."""
    cut = list(TEXTBOOK[PLAIN])
    cut[at] = 0.91
    verdict = _judge(plain=cut)
    assert _statuses(verdict)[WIDER] is Status.INCONCLUSIVE
    assert "the smallest and the largest of the grid are not" in next(
        c.reason for c in verdict.claims if c.name == WIDER
    )
    own = list(TEXTBOOK[BN])
    own[at] = 0.95
    assert _statuses(_judge(bn=own))[WIDER] is Status.SHOWN


def test_a_control_that_fires_makes_its_claim_unclear() -> None:
    """Were the scale and shift enough, batch norm's normalising would not be what does it."""
    fast = _statuses(_judge(steps={SCALE: STEPS[BN]}))
    assert (fast[FASTER], fast[WIDER], fast[STARTS]) == (Status.INCONCLUSIVE, Status.SHOWN, Status.SHOWN)
    wide = _statuses(_judge(scale=(0.95,) * 7))
    assert (wide[FASTER], wide[WIDER]) == (Status.SHOWN, Status.INCONCLUSIVE)
    started = _judge(scale_small=(0.9,) * 5)
    assert _statuses(started)[STARTS] is Status.INCONCLUSIVE
    assert started.status is Status.INCONCLUSIVE


def test_side_claims_do_not_decide() -> None:
    verdict = _judge(bn_wd=TEXTBOOK[PLAIN + DECAY], bn_after_small=(0.1,) * 5)
    assert (_statuses(verdict)[DECAYED], _statuses(verdict)[AFTERWARDS]) == (Status.NOT_SHOWN,) * 2
    assert verdict.status is Status.SHOWN
    quick = _judge(_spec(preset="quick"))
    assert set(_statuses(quick)) == {FASTER, WIDER, STARTS, ONE_RATE}


def test_networks_by_name_are_held_against_another_seeds() -> None:
    spec = _spec("cifar10", preset="paper", lrs="0.003 0.01 0.03 0.1 0.3 1 3")
    verdict = judge(PHENOMENON, spec, _data(spec))
    assert set(_statuses(verdict)) == {FASTER, WIDER, ONE_RATE}
    assert verdict.status is Status.SHOWN
    again = judge(PHENOMENON, spec, _data(spec, steps={AGAIN: STEPS[BN]}))
    assert _statuses(again)[FASTER] is Status.INCONCLUSIVE


def test_claims_without_their_arms_are_left_out() -> None:
    spec = _spec()
    kept = tuple(arm.name for arm in PHENOMENON.arms_of(spec) if SMALL not in arm.name)
    spec = dataclasses.replace(spec, arms=kept)
    assert STARTS not in _statuses(judge(PHENOMENON, spec, _data(spec)))


def test_a_replica_is_judged_by_its_own_seeds() -> None:
    spec = _spec(seeds=6)
    run_data = _data(spec, only=4, bn_small=(0.1,) * 5)
    good, bad = run_data.of_seeds(range(3)), run_data.of_seeds(range(3, 6))
    assert judge(PHENOMENON, good.spec, good).status is Status.SHOWN
    # One seed of three fails: two thirds pass, and the mean does too.
    assert judge(PHENOMENON, bad.spec, bad).status is Status.SHOWN
    worse = _data(spec, bn_small=(0.1,) * 5).of_seeds(range(3, 6))
    assert judge(PHENOMENON, worse.spec, worse).status is Status.NOT_SHOWN


# --- figures and words ------------------------------------------------------------------------------------------------


def test_figures_show_the_whole_curve_over_the_rates() -> None:
    found = {figure.name: figure for figure in PHENOMENON.figures(_data(_spec()))}
    assert list(found) == [
        *("accuracy", "steps", "small-start", "starts", "weight-decay", "weight-norm", "grid", "learning"),
    ]
    accuracy, steps, starts = found["accuracy"], found["steps"], found["starts"]
    assert isinstance(accuracy, Figure)
    assert accuracy.log_x
    assert accuracy.lines[0].x == RATES
    assert accuracy.lines[0].y[-1] == pytest.approx(0.1), "diverged: guessing, not a gap among survivors"
    assert isinstance(steps, Figure)
    assert steps.lines[0].x == (0.01, 0.03, 0.1)
    assert [round(r.value) for r in steps.references] == [92, 62]
    assert isinstance(starts, Figure)
    assert [line.x for line in starts.lines] == [(0.5, 2.0)] * 4
    grid = found["grid"]
    assert isinstance(grid, HeatMap)
    assert len(grid.values) == len(families(Config()))
    assert math.isnan(grid.values[grid.y_ticks.index("batch norm, small start")][0])
    learning = found["learning"]
    assert isinstance(learning, Figure)
    assert [line.label for line in learning.lines][:2] == ["plain, lr 0.1", "batch norm, lr 0.3"]


def test_the_flavour_of_weight_decay_and_the_policy_of_statistics_are_printed() -> None:
    found = {figure.name: figure.note for figure in PHENOMENON.figures(_data(_spec()))}
    for name in ("weight-decay", "weight-norm", "grid"):
        assert "decoupled" in found[name]
        assert "not on batch norm" in found[name]
    for name in ("accuracy", "steps", "small-start", "grid", "learning"):
        assert "full pass over the training set" in found[name]
    assert "the output layer too, whose scale is not free" in found["weight-norm"]
    large = {figure.name: figure.note for figure in PHENOMENON.figures(_data(_spec("fashion-mnist", n=50_000)))}
    assert "full pass over the first 10,000 training samples" in large["accuracy"]


def test_of_networks_by_name_the_looks_are_said_to_use_running_statistics() -> None:
    spec = _spec("cifar10", preset="paper", lrs="0.003 0.01 0.03 0.1 0.3 1 3")
    found = {figure.name: figure.note for figure in PHENOMENON.figures(_data(spec))}
    for name in ("steps", "learning"):
        assert "running statistics" in found[name]
        assert "full pass" not in found[name]
    assert "full pass over the first 10,000 training samples" in found["accuracy"]
    fit = next(metric for metric in PHENOMENON.metrics if metric.name == "fit")
    assert "running" in fit.label


def test_half_of_the_data_does_not_break_the_figures() -> None:
    spec = _spec()
    empty = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)
    for figure in PHENOMENON.figures(empty):
        assert isinstance(figure, HeatMap) or not figure.lines
    alone = dataclasses.replace(spec, arms=("bn@0.1",))
    assert PHENOMENON.figures(RunData(alone, PHENOMENON.arms_of(alone), alone.seed_list))


def test_what_is_not_batch_norms_alone_is_said() -> None:
    assert "not batch norm's alone" in PHENOMENON.explanation
    criterion = next(c for c in PHENOMENON.claims(Config(), _spec()) if c.name == ONE_RATE).criteria[0]
    assert criterion.published == pytest.approx(13.3 / 31.0, abs=0.002)
