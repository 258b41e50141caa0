"""The declaration of memorisation: arms, estimate, presets, figures, and verdicts on curves made to order."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue, NotFound
from genlab_tui.figure import Figure
from genlab_tui.phenomena.memorisation import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.verdict import ClaimResult, Status, Verdict, judge

FIRST, HURTS, LESS = "simple patterns first", "memorisation hurts", "simple patterns first, 20 % wrong labels"
DROPOUT, EQUAL = "dropout hinders memorisation", "dropout, at equal fit of the true labels"
UNEVEN, EASY = "real data depend on fewer samples than random labels", "some samples are easy"
CLOSER = tuple(f"wrong labels bring classes closer, radius {radius}" for radius in ("0.1", "0.3", "0.5"))
MAIN, DROPPED, RANDOM = "noise-0.4", "noise-0.4-dropout", "random"

EPOCHS = (1, 2, 4, 10, 60)
Curves = dict[str, tuple[float, ...]]
TEXTBOOK: dict[str, Curves] = {
    "clean": {"clean_fit": (0.95, 0.98, 1.0, 1.0, 1.0), "test_accuracy": (0.9, 0.94, 0.96, 0.97, 0.97)},
    "noisy": {
        "clean_fit": (0.7, 0.92, 0.96, 1.0, 1.0),
        "noisy_fit": (0.02, 0.05, 0.2, 0.7, 1.0),
        "recovery": (0.65, 0.85, 0.7, 0.2, 0.0),
        "test_accuracy": (0.8, 0.9, 0.88, 0.8, 0.76),
    },
    "dropout": {
        "clean_fit": (0.6, 0.85, 0.93, 0.985, 0.995),
        "noisy_fit": (0.02, 0.03, 0.04, 0.1, 0.25),
        "recovery": (0.6, 0.8, 0.88, 0.85, 0.7),
        "test_accuracy": (0.75, 0.86, 0.91, 0.94, 0.93),
    },
    "random": {
        "clean_fit": (0.14, 0.2, 0.4, 0.93, 1.0),
        "noisy_fit": (0.12, 0.22, 0.37, 0.9, 1.0),
        "recovery": (0.1, 0.11, 0.1, 0.1, 0.1),
        "test_accuracy": (0.1, 0.11, 0.09, 0.1, 0.1),
    },
}


def _spec(data_set: str = "digits", seeds: int = 3, arms: tuple[str, ...] = (), **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config("quick", values))
    return RunSpec("00000001", "memorisation", config, data=data_set, seeds=seeds, arms=arms)


def _kind(arm: str) -> str:
    if "dropout" in arm:
        return "dropout"
    return "clean" if arm == "gaussian" else "noisy" if arm.startswith("noise") else arm


def _curve(values: tuple[float, ...], seed: int) -> Curve:
    """Return values at `EPOCHS`, after a start that must not count, wobbling a little from seed to seed."""
    epochs = np.array([0.0, 0.5, *EPOCHS])
    wobble = (0.0, 0.004, -0.004)[seed % 3]
    inner = [v + wobble * (0.1 < v < 0.9) for v in values]
    return Curve(20 * epochs, epochs, epochs, np.array([0.0, 0.0, *inner]))


def _measured(spec: RunSpec, **changes: Curves | dict[str, float]) -> RunData:
    """Return textbook curves and measures; changed per arm (`_` for `-` and `.`): a tuple is a curve."""
    arms = PHENOMENON.arms_of(spec)
    curves: dict[str, dict[tuple[str, int], Curve]] = {}
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for arm in arms:
        mine = changes.get(arm.name.replace("-", "_").replace(".", "_"), {})
        shown = {**TEXTBOOK[_kind(arm.name)], **{k: v for k, v in mine.items() if isinstance(v, tuple)}}
        noise = float(arm.factors["noise"])
        numbers = {
            "sensitivity_gini": 0.9 - 0.5 * noise,
            "critical_samples_0.1": 0.1 + 0.5 * noise,
            "critical_samples_0.3": 0.4 + 0.5 * noise,
            "critical_samples_0.5": 0.6 + 0.4 * noise,
        }
        if arm.name == "clean":
            numbers |= {"first_epoch_real_spread": 5.0, "first_epoch_noise_spread": 1.1}
            numbers |= {"first_epoch_real_mean": 0.9, "first_epoch_noise_mean": 0.2}
        numbers |= {k: float(v) for k, v in mine.items() if not isinstance(v, tuple)}
        for seed in spec.seed_list:
            for metric, values in shown.items():
                curve = _curve(values, seed)
                curves.setdefault(metric, {})[arm.name, seed] = curve
                measures.setdefault(metric, {})[arm.name, seed] = float(curve.value[-1])
            for name, value in numbers.items():
                measures.setdefault(name, {})[arm.name, seed] = value
    return RunData(spec, arms, spec.seed_list, curves=curves, measures=measures)


def _judge(spec: RunSpec, **changes: Any) -> Verdict:
    return judge(PHENOMENON, spec, _measured(spec, **changes))


def _claims(verdict: Verdict) -> dict[str, ClaimResult]:
    return {claim.name: claim for claim in verdict.claims}


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


# --- arms, cost, presets ----------------------------------------------------------------------------------------------


def test_arms_are_shares_of_wrong_labels_dropout_and_one_control() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == ["clean", "noise-0.2", MAIN, DROPPED, RANDOM]
    assert [arm.factors["noise"] for arm in arms] == [0.0, 0.2, 0.4, 0.4, 1.0]
    assert [arm.name for arm in arms if arm.control] == [RANDOM]
    more = PHENOMENON.arms_of(_spec(levels=(0.6, 0.4, 0.6), gaussian=True))
    assert [arm.name for arm in more] == ["clean", MAIN, "noise-0.6", DROPPED, "gaussian", RANDOM]


def test_two_shares_that_read_the_same_are_refused() -> None:
    with pytest.raises(BadValue, match="read the same"):
        PHENOMENON.arms_of(_spec(levels=(0.2, 0.2000000001)))


def test_an_arm_that_is_not_there_is_said() -> None:
    with pytest.raises(NotFound, match=r"noise-0\.3"):
        PHENOMENON.arms_of(_spec(arms=("noise-0.3",)))


def test_where_all_have_dropout_there_is_no_arm_to_compare() -> None:
    spec = dataclasses.replace(_spec(), regularisers={"dropout": 0.5})
    assert DROPPED not in [arm.name for arm in PHENOMENON.arms_of(spec)]
    verdict = _judge(spec)
    assert DROPOUT in verdict.scope
    assert DROPOUT not in _statuses(verdict)
    assert "with dropout 0.5" in verdict.scope


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(data_set: str = "digits", seeds: int = 3, **values: Any) -> float:
        spec = _spec(data_set, seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert seconds(seeds=6) > plain
    assert seconds(levels=(0.2, 0.6)) > plain
    assert seconds(gaussian=True) > plain
    assert seconds(inits=100) > plain > seconds(inits=0)
    assert plain > seconds(dense=5)
    assert seconds("fashion-mnist") > plain > seconds(n=500)
    spec = _spec(arms=("clean", RANDOM))
    assert PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).members == 6


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid_and_fits_its_data(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    assert chosen.data in PHENOMENON.data
    assert chosen.seeds >= (5 if preset == "standard" else 3)
    spec = RunSpec("00000001", "memorisation", config_values(config), preset=preset, data=chosen.data)
    spec = dataclasses.replace(spec, seeds=chosen.seeds)
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == len(arms) * chosen.seeds
    assert estimate.bytes > 0
    verdict = judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list))
    assert verdict.status is Status.INCONCLUSIVE, "of nothing, nothing is shown"
    if preset == "quick":
        assert estimate.seconds < 120
    assert bool(chosen.gpu) is (preset == "paper")
    assert (preset != "paper") or "Unverified" in chosen.note


def test_declared_data_sets_have_ten_classes_and_the_rest_is_refused_with_a_reason() -> None:
    assert {data.DATASETS[name].classes for name in PHENOMENON.data} == {10}, "chance is 0.1 throughout"
    assert set(data.DATASETS) == set(PHENOMENON.data) | set(PHENOMENON.refused)


def test_every_main_claim_has_a_control() -> None:
    spec = _spec()
    for claim in PHENOMENON.claims(PHENOMENON.config_of(spec), spec):
        if claim.main:
            controls = [c for c in claim.criteria if c.control]
            assert controls
            for criterion in controls:
                assert criterion.control is not None
                assert criterion.control.rule == criterion.effect.rule, "the same question of other labels"
                assert criterion.control.needs == (RANDOM,)


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_textbook_run_is_shown() -> None:
    verdict = _judge(_spec())
    assert verdict.status is Status.SHOWN
    names = (FIRST, HURTS, LESS, DROPOUT, EQUAL, UNEVEN, *CLOSER, EASY)
    assert _statuses(verdict) == dict.fromkeys(names, Status.SHOWN)
    assert [claim.name for claim in verdict.claims if claim.main] == [FIRST, HURTS]
    criteria = {c.name: c for claim in verdict.claims for c in claim.criteria}
    assert criteria["wrong labels fitted once the true ones are learnt"].value == pytest.approx(0.05, abs=0.01)
    assert criteria["true class of the wrongly labelled by then"].value == pytest.approx(0.85, abs=0.01)
    assert criteria["test accuracy lost after the true labels were learnt"].value == pytest.approx(0.14, abs=0.01)


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        (FIRST, {"noise_0_4": {"noisy_fit": (0.02, 0.31, 0.5, 0.9, 1.0)}}),
        (FIRST, {"noise_0_4": {"recovery": (0.9, 0.55, 0.9, 0.2, 0.0)}}),
        (LESS, {"noise_0_2": {"noisy_fit": (0.02, 0.4, 0.5, 0.9, 1.0)}}),
        (HURTS, {"noise_0_4": {"noisy_fit": (0.02, 0.05, 0.2, 0.7, 0.94)}}),
        (HURTS, {"noise_0_4": {"test_accuracy": (0.99, 0.8, 0.99, 0.8, 0.76)}}),
        (DROPOUT, {"noise_0_4_dropout": {"noisy_fit": (0.02, 0.03, 0.04, 0.3, 0.51)}}),
        (DROPOUT, {"noise_0_4_dropout": {"clean_fit": (0.6, 0.85, 0.93, 0.95, 0.97)}}),
        (DROPOUT, {"noise_0_4_dropout": {"test_accuracy": (0.8, 0.8, 0.8, 0.83, 0.83)}}),
        (EQUAL, {"noise_0_4_dropout": {"noisy_fit": (0.3, 0.5, 0.6, 0.7, 0.75)}}),
        (UNEVEN, {"random": {"sensitivity_gini": 0.9}}),
        (CLOSER[1], {"clean": {"critical_samples_0.3": 0.61}}),
        (EASY, {"clean": {"first_epoch_real_spread": 1.1}}),
    ],
)
def test_each_claim_can_fail(claim: str, changes: dict[str, Any]) -> None:
    verdict = _judge(_spec(), **changes)
    statuses = _statuses(verdict)
    assert statuses[claim] is Status.NOT_SHOWN
    main = {c.name: c.main for c in verdict.claims}[claim]
    assert verdict.status is (Status.NOT_SHOWN if main else Status.SHOWN), "side claims are shown, never counted"


def test_a_critical_sample_more_is_asked_of_every_seed() -> None:
    run_data = _measured(_spec(seeds=6))
    run_data.measures["critical_samples_0.1"][MAIN, 4] = 0.1  # type: ignore[index]
    statuses = _statuses(judge(PHENOMENON, run_data.spec, run_data))
    assert statuses[CLOSER[0]] is Status.NOT_SHOWN
    assert statuses[CLOSER[1]] is Status.SHOWN


@pytest.mark.parametrize(
    ("claim", "words", "random"),
    [
        (
            FIRST,
            "wrong labels fitted",
            {"clean_fit": (0.1, 0.92, 1.0, 1.0, 1.0), "noisy_fit": (0.1, 0.2, 0.9, 1.0, 1.0)},
        ),
        (FIRST, "true class", {"recovery": (0.1, 0.2, 0.3, 0.7, 0.8)}),
        (FIRST, "largest gap", {"noisy_fit": (0.12, 0.22, 0.52, 0.9, 1.0)}),
        (HURTS, "test accuracy lost", {"test_accuracy": (0.1, 0.1, 0.1, 0.16, 0.1)}),
    ],
)
def test_a_control_that_fires_makes_it_inconclusive(claim: str, words: str, random: Curves) -> None:
    """What random labels show as well is no order and no harm: a leak, or a split that is not by chance."""
    verdict = _judge(_spec(), random=random)
    result = _claims(verdict)[claim]
    assert result.status is verdict.status is Status.INCONCLUSIVE
    assert "fired" in result.reason
    fired = {c.control.name for c in result.criteria if c.control and c.control.fired}
    assert any(words in name for name in fired)
    other = HURTS if claim == FIRST else FIRST
    assert _statuses(verdict)[other] is Status.SHOWN, "the other claims stand by themselves"


def test_a_gap_between_the_halves_up_to_the_threshold_is_quiet() -> None:
    quiet = {"noisy_fit": (0.12, 0.22, 0.49, 0.9, 1.0)}
    assert _statuses(_judge(_spec(), random=quiet))[FIRST] is Status.SHOWN


@pytest.mark.parametrize("arm", [MAIN, RANDOM])
def test_labels_that_are_never_learnt_leave_the_order_open(arm: str) -> None:
    """One seed is enough: without the epoch there is nothing to compare. It is not NOT SHOWN."""
    run_data = _measured(_spec())
    run_data.curves["clean_fit"][arm, 1] = _curve((0.1, 0.2, 0.3, 0.4, 0.89), 0)  # type: ignore[index]
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claim = _claims(verdict)[FIRST]
    assert claim.status is verdict.status is Status.INCONCLUSIVE
    assert "precondition" in claim.reason
    assert "90%" in claim.reason


def test_the_epoch_is_the_first_whole_one() -> None:
    """A high value inside the first epoch is no epoch; and the test accuracy is that of the same epoch."""
    run_data = _measured(_spec())
    for seed in run_data.seeds:
        run_data.curves["clean_fit"][MAIN, seed].value[1] = 0.99
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    loss = _claims(verdict)[HURTS].criteria[1]
    assert loss.value == pytest.approx(0.14, abs=0.01)


def test_a_member_that_diverged_shows_nothing() -> None:
    run_data = _measured(_spec())
    for metric in ("noisy_fit", "test_accuracy", "clean_fit", "recovery"):
        run_data.measures[metric][MAIN, 2] = math.nan  # type: ignore[index]
        run_data.curves[metric][MAIN, 2] = _curve((math.nan,) * 5, 0)  # type: ignore[index]
    statuses = _statuses(judge(PHENOMENON, run_data.spec, run_data))
    assert {statuses[name] for name in (FIRST, HURTS, DROPOUT, EQUAL)} == {Status.INCONCLUSIVE}
    assert {statuses[name] for name in (LESS, UNEVEN, EASY)} == {Status.SHOWN}


def test_two_seeds_are_inconclusive() -> None:
    verdict = _judge(_spec(seeds=2))
    assert set(_statuses(verdict).values()) == {Status.INCONCLUSIVE}
    assert "fewer than 3 seeds" in _claims(verdict)[HURTS].reason


def test_claims_whose_arms_were_not_launched_are_left_out_and_named() -> None:
    verdict = _judge(_spec(arms=(MAIN, RANDOM)))
    assert set(_statuses(verdict)) == {FIRST, HURTS}
    assert verdict.status is Status.SHOWN
    assert UNEVEN in verdict.scope
    assert set(_statuses(_judge(_spec(arms=(MAIN, "clean"))))) == set(CLOSER) | {EASY}


def test_a_regulariser_changed_in_flight_spoils_it() -> None:
    run_data = _measured(_spec())
    changed = dataclasses.replace(run_data, changes=(ev.Change(regulariser="l1", strength=None, step=7),))
    assert judge(PHENOMENON, run_data.spec, changed).status is Status.INCONCLUSIVE


def test_replicas_are_judged_by_their_own_seeds() -> None:
    """Blocks of seeds of one run: what one of them does is nothing to the others."""
    run_data = _measured(_spec(seeds=6))
    for seed in (3, 4, 5):
        run_data.curves["noisy_fit"][MAIN, seed] = _curve((0.5, 0.6, 0.7, 0.9, 1.0), 0)  # type: ignore[index]
    good, bad = (run_data.of_seeds(block) for block in ((0, 1, 2), (3, 4, 5)))
    assert _statuses(judge(PHENOMENON, good.spec, good))[FIRST] is Status.SHOWN
    assert _statuses(judge(PHENOMENON, bad.spec, bad))[FIRST] is Status.NOT_SHOWN


# --- figures ----------------------------------------------------------------------------------------------------------


def _figures(run_data: RunData) -> dict[str, Figure]:
    found = PHENOMENON.figures(run_data)
    assert all(isinstance(figure, Figure) for figure in found)
    return {figure.name: figure for figure in found if isinstance(figure, Figure)}


def test_figures_of_nothing_have_no_lines() -> None:
    spec = _spec()
    drawn = _figures(RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list))
    assert list(drawn) == ["curves", "control", "noise", "dropout", "sensitivity", "critical", "first-epoch"]
    assert all(figure.lines == () for figure in drawn.values())


def test_figures_of_a_whole_run() -> None:
    drawn = _figures(_measured(_spec(gaussian=True)))
    four = drawn["curves"]
    assert len(four.lines) == 4
    assert four.log_x
    assert all(line.x[0] > 0 and line.low is not None for line in four.lines), "no epoch 0 on a log axis"
    assert {r.value for r in four.references} == {0.9, 0.1}
    assert [line.label for line in drawn["control"].lines][:2] == ["one part", "the other part"]
    top, end, dropped, recovered = drawn["noise"].lines
    assert top.x == end.x == (0.0, 0.2, 0.4)
    assert recovered.x == (0.2, 0.4)
    assert all(high >= low for high, low in zip(top.y, end.y, strict=True))
    assert dropped.points
    assert dropped.x == (0.4,)
    assert len(drawn["dropout"].lines) == 4
    assert [line.label for line in drawn["sensitivity"].lines][1:] == [
        "40 % wrong labels, dropout 0.5",
        "Gaussian inputs",
        "random labels",
    ]
    assert [line.x for line in drawn["critical"].lines] == [(0.0, 0.2, 0.4, 1.0)] * 3


def test_what_chance_would_get_right_after_one_epoch() -> None:
    """Of ten initialisations that are right with chance 0.2 each, half of the samples are right in 2 or fewer."""
    lines = {line.label: line for line in _figures(_measured(_spec()))["first-epoch"].lines}
    alike = lines["Gaussian inputs, if all samples were alike"]
    assert len(alike.x) == 101
    assert alike.y == tuple(sorted(alike.y))
    assert alike.y[50] == pytest.approx(0.2)
    assert alike.y[0] == 0.0
    assert sum(alike.y) / 101 == pytest.approx(0.2, abs=0.01)
