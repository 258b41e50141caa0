"""Batch norm's modes: arms, refusals, stages, verdicts on data made to pass, fail and be unclear; figures."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.phenomena._batch_norm_modes.claims import FAIR, gaps, least_fall, rescued
from genlab_tui.phenomena._batch_norm_modes.config import (
    BATCH_MODE,
    CLEAN,
    DROPPED,
    LAST,
    RATIO,
    RECOMPUTED,
    WORST,
    epoch_steps,
    layer_arm,
    parts,
    seconds,
)
from genlab_tui.phenomena.batch_norm_modes import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, Verdict, judge

TINY = "batch norm fails with tiny batches"
GAP = "the gap between training and evaluation mode shrinks with the batch"
SHIFT = "dropout before batch norm shifts the variance"
AT_TWO = "the gap is largest at batch 2"
RESCUE = "recomputed statistics repair tiny batches"
TOO_FEW = "at equal epochs large batches look bad"
REMEDY = "dropout after the last batch norm shifts no variance"
COST = "dropout before batch norm costs accuracy"

# test accuracy in evaluation mode, in training mode, with recomputed statistics
OWN = "test accuracy at batch 64 minus that at batch 2, evaluation mode, at lr 0.1"
TEXTBOOK: dict[str, tuple[float, float, float]] = {
    "bn-2": (0.34, 0.20, 0.50),
    "bn-4": (0.93, 0.71, 0.94),
    "bn-8": (0.97, 0.87, 0.97),
    "bn-16": (0.98, 0.93, 0.98),
    "bn-64": (0.98, 0.97, 0.98),
    "bn-256": (0.97, 0.96, 0.97),
    "bn-plain-lr-2": (0.45, 0.30, 0.60),
    "bn-plain-lr-64": (0.97, 0.96, 0.97),
    "bn-16-epochs": (0.97, 0.92, 0.97),
    "bn-64-epochs": (0.95, 0.94, 0.95),
    "bn-256-epochs": (0.64, 0.63, 0.64),
    CLEAN: (0.98, 0.97, 0.98),
    DROPPED: (0.90, 0.93, 0.94),
    LAST: (0.98, 0.97, 0.98),
}
PLAIN = 0.95
RATIOS = {CLEAN: 1.05, DROPPED: 2.5, LAST: 1.06}


def _spec(data_set: str = "digits", seeds: int = 3, preset: str = "quick", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    arms = PHENOMENON.preset(preset).arms
    return RunSpec("00000001", "batch-norm-modes", config, preset=preset, data=data_set, seeds=seeds, arms=arms)


def _data(spec: RunSpec, ratios: dict[str, float] | None = None, **changed: tuple[float, float, float]) -> RunData:
    """Return a run with the textbook's accuracies and ratios, changed as given (`bn_2=...`, `plain_4=...`)."""
    measures: dict[str, dict[tuple[str, int], float]] = {}
    arms = PHENOMENON.arms_of(spec)
    given = {name.replace("_", "-"): row for name, row in changed.items()}
    for seed in spec.seed_list:
        wobble = (-0.002, 0.001, 0.003)[seed % 3]
        for arm in arms:
            row = given.get(arm.name, TEXTBOOK.get(arm.name, (PLAIN,) * 3))
            for name, value in zip(("test_accuracy", BATCH_MODE, RECOMPUTED), row, strict=True):
                measures.setdefault(name, {})[arm.name, seed] = value + wobble
            if arm.name in RATIOS:
                ratio = (RATIOS | (ratios or {}))[arm.name] + wobble
                measures.setdefault(WORST, {})[arm.name, seed] = ratio
                for layer in range(1, 6):
                    measures.setdefault(RATIO, {})[layer_arm(arm.name, layer), seed] = ratio
    return RunData(spec, arms, spec.seed_list, measures=measures)


def _judge(spec: RunSpec | None = None, **changed: Any) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _data(spec, **changed))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


def _reason(verdict: Verdict, name: str) -> str:
    return next(claim.reason for claim in verdict.claims if claim.name == name)


# --- arms, stages, cost -----------------------------------------------------------------------------------------------


def test_the_arms_take_equal_steps_but_for_those_of_equal_epochs() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == [
        *("bn-2", "bn-4", "bn-8", "bn-16", "bn-64", "bn-256"),
        *("bn-plain-lr-2", "bn-plain-lr-64"),
        *("bn-16-epochs", "bn-64-epochs", "bn-256-epochs"),
        *("plain-2", "plain-4", "plain-8", "plain-16", "plain-64"),
        *(CLEAN, DROPPED, LAST),
    ]
    steps = {arm.name: arm.factors["steps"] for arm in arms}
    assert (steps.pop("bn-16-epochs"), steps.pop("bn-64-epochs"), steps.pop("bn-256-epochs")) == (1125, 285, 75)
    assert set(steps.values()) == {1500.0}
    assert {arm.name for arm in arms if arm.control} == {*(a for a in steps if a.startswith("plain")), CLEAN}
    assert not [arm for arm in PHENOMENON.arms_of(_spec(epochs=0)) if "epochs" in arm.name]


@pytest.mark.parametrize(("n", "batch", "expected"), [(1200, 256, 5), (9, 2, 4), (10, 2, 5), (3, 2, 1), (65, 64, 1)])
def test_steps_of_an_epoch_are_those_of_the_engine(n: int, batch: int, expected: int) -> None:
    """A last batch of one joins the one before: equal epochs would otherwise be one step off."""
    from genlab_tui.training.batches import bounds

    assert epoch_steps(n, batch) == len(bounds(n, batch)) == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batches": (2, 64, 2000)}, "batches = 2000 is more than the 1200 training samples"),
        ({"n": 50, "batches": (2, 4)}, "batches = 64 is more than the 50 training samples"),
        ({"test": 63}, "test = 63 is less than a mini-batch of 64 test samples"),
    ],
)
def test_what_cannot_be_run_is_said_before_launch(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadValue, match=message) as caught:
        PHENOMENON.arms_of(_spec(**values))
    assert "nearest valid value" in str(caught.value)


def test_batches_of_one_are_no_choice() -> None:
    with pytest.raises(BadValue, match="batches = 1 is outside"):
        _spec(batches=(1, 4))


def test_stages_are_of_one_batch_size_and_dropout_stands_alone() -> None:
    spec = _spec()
    found = parts(PHENOMENON.arms_of(spec))
    assert [part.name for part in found] == [
        *("batch 2", "batch 4", "batch 8", "batch 16", "batch 64", "batch 256", "batch 64, dropout")
    ]
    names = {part.name: [arm.name for arm in part.arms] for part in found}
    assert names["batch 2"] == ["bn-2", "bn-plain-lr-2", "plain-2"]
    assert names["batch 64"] == ["bn-64", "bn-plain-lr-64", "bn-64-epochs", "plain-64", CLEAN]
    assert names["batch 64, dropout"] == [DROPPED, LAST]
    config = PHENOMENON.config_of(spec)
    costs = {part.name: seconds(config, spec, part, 3) for part in found}
    assert costs["batch 256"] > costs["batch 16"] > costs["batch 2"] > 0


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid_and_fits_its_data(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    assert chosen.data in PHENOMENON.data
    assert chosen.seeds >= 3
    spec = dataclasses.replace(_spec(chosen.data, chosen.seeds, preset), arms=chosen.arms)
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == len(arms) * chosen.seeds
    assert estimate.bytes > 0
    assert judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list)).status is Status.INCONCLUSIVE
    if preset == "quick":
        assert 4 < estimate.seconds < 40
        assert len(PHENOMENON.claims(config, spec)) == 8
    assert bool(chosen.gpu) == (preset == "paper")


def test_the_estimate_grows_with_what_costs() -> None:
    def of(seeds: int = 3, data_set: str = "digits", **values: Any) -> float:
        spec = _spec(data_set, seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    assert of(steps=3000) > of() > of(depth=3)
    assert of(seeds=60) > of()
    assert of(width=512) > of()
    assert of(batches=(2, 4, 8, 16, 64)) < of()


def test_declared_data_sets_exist() -> None:
    assert set(PHENOMENON.data) | set(PHENOMENON.refused) <= set(data.DATASETS)
    assert not set(PHENOMENON.data) & set(PHENOMENON.refused)


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_the_gap_is_evaluation_minus_training_mode() -> None:
    run_data = _data(_spec())
    assert gaps(run_data, "bn-4") == pytest.approx(dict.fromkeys(run_data.seeds, 0.22))
    # 0.22, 0.10, 0.05, 0.01: the smallest fall is the last
    assert least_fall(run_data, "bn") == pytest.approx(dict.fromkeys(run_data.seeds, 0.04))
    assert least_fall(run_data, "plain") == pytest.approx(dict.fromkeys(run_data.seeds, 0.0), abs=1e-12)


def test_the_share_that_statistics_give_back() -> None:
    run_data = _data(_spec())
    assert rescued(run_data) == pytest.approx(dict.fromkeys(run_data.seeds, 0.16 / 0.64))
    nothing = _data(_spec(), bn_2=(0.98, 0.9, 0.98))
    assert all(math.isnan(v) for v in rescued(nothing).values()), "of nothing lost there is no share"


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_textbook_run_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert [claim.name for claim in verdict.claims if claim.main] == [TINY, GAP, SHIFT]
    shown = dict.fromkeys((TINY, GAP, SHIFT, TOO_FEW, REMEDY, COST), Status.SHOWN)
    assert _statuses(verdict) == {**shown, AT_TWO: Status.NOT_SHOWN, RESCUE: Status.NOT_SHOWN}
    for claim in verdict.claims:
        if claim.main:
            uncontrolled = {c.name for c in claim.criteria if c.control is None}
            assert uncontrolled == ({OWN} if claim.name == TINY else set())
            assert not any(c.control.fired for c in claim.criteria if c.control)
    (cost,) = next(claim.criteria for claim in verdict.claims if claim.name == COST)
    assert cost.published == pytest.approx(0.7742 - 0.6855)


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        (TINY, {"bn_2": (0.75, 0.6, 0.8)}),
        (TINY, {"bn_plain_lr_2": (0.7, 0.6, 0.8)}),
        (GAP, {"bn_4": (0.93, 0.85, 0.93)}),
        (GAP, {"bn_64": (0.98, 0.92, 0.98)}),
        (SHIFT, {"ratios": {DROPPED: 1.4}}),
        (SHIFT, {"ratios": {CLEAN: 1.2}}),
        (TOO_FEW, {"bn_256_epochs": (0.9, 0.9, 0.9)}),
        (REMEDY, {"ratios": {LAST: 1.3}}),
        (COST, {"dropout": (0.97, 0.97, 0.97)}),
    ],
)
def test_each_claim_can_fail(claim: str, changes: dict[str, Any]) -> None:
    verdict = _judge(**changes)
    assert _statuses(verdict)[claim] is Status.NOT_SHOWN
    main = {c.name: c.main for c in verdict.claims}[claim]
    assert verdict.status is (Status.NOT_SHOWN if main else Status.SHOWN)


def test_the_side_claims_that_fail_in_the_textbook_can_hold() -> None:
    verdict = _judge(bn_2=(0.5, 0.2, 0.9))
    assert _statuses(verdict)[AT_TWO] is Status.SHOWN
    assert _statuses(verdict)[RESCUE] is Status.SHOWN


@pytest.mark.parametrize(
    ("claims", "changes"),
    [
        ((TINY, GAP, TOO_FEW), {"bn_64": (0.45, 0.44, 0.45)}),
        ((TINY, GAP), {"plain_64": (0.1, 0.1, 0.1)}),
        ((TINY,), {"bn_plain_lr_64": (0.45, 0.4, 0.45)}),
        ((SHIFT, REMEDY, COST), {"dropout": (0.1, 0.2, 0.2)}),
        ((SHIFT,), {"clean": (0.4, 0.4, 0.4)}),
    ],
)
def test_networks_that_did_not_learn_say_nothing(claims: tuple[str, ...], changes: dict[str, Any]) -> None:
    verdict = _judge(**changes)
    for name in claims:
        assert _statuses(verdict)[name] is Status.INCONCLUSIVE
        assert "precondition test accuracy" in _reason(verdict, name)
    assert verdict.status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        (TINY, {"plain_2": (0.6, 0.6, 0.6)}),
        (GAP, {"plain_4": (0.95, 0.7, 0.95), "plain_8": (0.95, 0.8, 0.95), "plain_16": (0.95, 0.9, 0.95)}),
        (SHIFT, {"ratios": {CLEAN: 1.6}}),
        (SHIFT, {"ratios": {DROPPED: 1.0}}),
    ],
)
def test_a_control_that_fires_makes_it_inconclusive(claim: str, changes: dict[str, Any]) -> None:
    verdict = _judge(**changes)
    assert _statuses(verdict)[claim] is verdict.status is Status.INCONCLUSIVE
    assert "fired" in _reason(verdict, claim)


def test_a_diverged_network_counts_as_guessing() -> None:
    """In all claims about accuracies: with batch norm it is one that tiny batches broke, without one that fires."""
    gone = (math.nan,) * 3
    verdict = _judge(bn_2=gone, bn_plain_lr_2=gone)
    assert _statuses(verdict)[TINY] is Status.SHOWN
    found = next(claim for claim in verdict.claims if claim.name == TINY).criteria[0]
    assert float(found.value or 0) == pytest.approx(0.97 - 0.1, abs=0.01)
    control = _judge(plain_2=gone)
    assert _statuses(control)[TINY] is Status.INCONCLUSIVE
    assert "fired" in _reason(control, TINY)
    assert _statuses(_judge(bn_64=gone))[GAP] is Status.INCONCLUSIVE
    assert gaps(_data(_spec(), bn_4=gone), "bn-4") == dict.fromkeys(range(3), 0.0)
    for figure in PHENOMENON.figures(_data(_spec(), bn_2=gone))[:2]:
        assert isinstance(figure, Figure)
        assert "a network that diverged counts as guessing" in figure.note
        assert figure.lines[0].x[0] == 2


def test_tiny_batches_are_compared_at_the_learning_rate_of_the_control() -> None:
    """At the rate of batch norm, two samples may be too few for the network without as well: no control there."""
    fair, own = next(
        claim for claim in PHENOMENON.claims(PHENOMENON.make_config(), _spec()) if claim.name == TINY
    ).criteria
    assert (fair.name, own.name) == (FAIR, OWN)
    assert FAIR in PHENOMENON.headline
    assert fair.control is not None
    assert own.control is None
    rates = {"bn-plain-lr-2": "lr 0.01", "bn-plain-lr-64": "lr 0.01"}
    labels = {arm.name: arm.label for arm in PHENOMENON.arms_of(_spec())}
    assert all(rate in labels[name] for name, rate in rates.items())
    assert set(fair.needs) == {*rates, "plain-2", "plain-64"}
    same = _spec(plain_lr=0.1)
    assert not [arm for arm in PHENOMENON.arms_of(same) if arm.name.startswith("bn-plain-lr")]
    (only,) = next(c for c in PHENOMENON.claims(PHENOMENON.config_of(same), same) if c.name == TINY).criteria
    assert set(only.needs) == {"bn-2", "bn-64", "plain-2", "plain-64"}
    assert only.control is not None
    assert _statuses(_judge(same, plain_2=(0.3, 0.3, 0.3)))[TINY] is Status.INCONCLUSIVE


def test_what_a_claim_holds_for_is_said() -> None:
    said = {
        c.name: c.effect.statement
        for claim in PHENOMENON.claims(PHENOMENON.make_config(), _spec())
        for c in claim.criteria
    }
    assert "too few for a network without batch norm as well" in said[OWN]
    assert "identity" in next(text for name, text in said.items() if name.startswith("smallest fall"))
    assert "momentum 0.01" in next(
        text for name, text in said.items() if name.endswith("worst channel of all layers, without dropout")
    )
    assert "ten" in PHENOMENON.preset("quick").note
    assert PHENOMENON.make_config("deep").depth == 10


def test_two_seeds_are_inconclusive() -> None:
    assert set(_statuses(_judge(_spec(seeds=2))).values()) == {Status.INCONCLUSIVE}


def test_claims_follow_the_batch_sizes_that_were_launched() -> None:
    """Without batch 8 the gap is not judged, without batch 2 nothing about tiny batches."""
    assert GAP not in _statuses(_judge(_spec(batches=(2, 4, 64))))
    assert set(_statuses(_judge(_spec(batches=(8, 64))))) == {SHIFT, REMEDY, COST}
    alone = _judge(_spec(preset="noisy-averages"), ratios={CLEAN: 1.2})
    assert set(_statuses(alone)) == {SHIFT, REMEDY, COST}
    assert alone.status is Status.NOT_SHOWN


def test_replicas_are_judged_by_their_own_seeds() -> None:
    run_data = _data(_spec(seeds=6))
    for block in ((0, 1, 2), (3, 4, 5)):
        own = run_data.of_seeds(block)
        assert judge(PHENOMENON, own.spec, own).status is Status.SHOWN


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_show_modes_gap_and_ratios() -> None:
    spec = _spec()
    found = {figure.name: figure for figure in PHENOMENON.figures(_data(spec)) if isinstance(figure, Figure)}
    accuracy, gap, ratio = found["accuracy"], found["gap"], found["ratio"]
    assert accuracy.log_x
    assert [line.label for line in accuracy.lines] == [
        *("evaluation mode", "training mode, same batch size", "recomputed statistics"),
        *("evaluation mode, lr 0.01", "no batch norm, lr 0.01"),
        "evaluation mode, 15 epochs",
    ]
    assert accuracy.lines[0].x == (2, 4, 8, 16, 64, 256)
    assert accuracy.lines[3].x == (2, 64)
    assert accuracy.lines[4].x == (2, 4, 8, 16, 64)
    assert gap.lines[0].y[1] == pytest.approx(22.0)
    assert gap.lines[1].y == pytest.approx((0.0,) * 5, abs=1e-9)
    assert {reference.value for reference in ratio.references} == {1.1, 1.5}
    assert [len(line.x) for line in ratio.lines] == [5, 5, 5]
    assert set(found) == set(PHENOMENON.panels)
    empty = PHENOMENON.figures(RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list))
    assert all(not figure.lines for figure in empty if isinstance(figure, Figure))
