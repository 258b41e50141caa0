"""The declaration of expressivity: arms, sizes, estimate, figures, and verdicts on numbers made to order."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.phenomena._expressivity.config import DENSE, JUDGED, Config
from genlab_tui.phenomena.expressivity import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.verdict import ClaimResult, Status, Verdict, judge

MAIN = "2n + d weights fit any n points"
CHANCE = "what it represents does not generalise"
KNOWS = "the points themselves know more"
SLOPES = "the Lipschitz constant explodes"
THRESHOLDS = "thresholds at the points are the better conditioned choice"
DEEP = "4 hidden layers of about n / 4 units suffice"

GOOD = {"error": 2e-9, "extra_weights": 0.0, "disagreement": 1e-9, "condition": 4e9, "lipschitz_growth": 2.1}
NUMBERS: dict[str, dict[str, float]] = {
    "gaussian": GOOD,
    "float32": {"error": 0.8},
    "half": {"error": 0.9},
    "between": {"error": 4e-7, "condition": 1e13},
    "one-direction": {"error": 1e-8},
    "deep-4": {"error": 3e-10, "extra_units": 3.0},
    "real-random": GOOD | {"train_accuracy": 1.0, "test_accuracy": 0.1, "conflicts": 0.0},
    "real-true": GOOD | {"train_accuracy": 1.0, "test_accuracy": 0.1, "conflicts": 0.0},
    "real-half": {"error": 0.7, "train_accuracy": 0.2},
    "neighbour": {"train_accuracy": 1.0, "test_accuracy": 0.9},
}


def _spec(data_set: str = "digits", seeds: int = 5, arms: tuple[str, ...] = (), **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config("quick", values))
    return RunSpec("00000001", "expressivity", config, data=data_set, seeds=seeds, arms=arms)


def _measured(spec: RunSpec, **changes: dict[str, float]) -> RunData:
    """Return run data where every arm has textbook numbers, changed per arm (`_` for `-`) as given."""
    arms = PHENOMENON.arms_of(spec)
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for arm in arms:
        for name, value in {**NUMBERS[arm.name], **changes.get(arm.name.replace("-", "_"), {})}.items():
            for seed in spec.seed_list:
                shift = 0.004 * (seed % 3 - 1) if name == "test_accuracy" else 0.0
                measures.setdefault(name, {})[arm.name, seed] = value + shift
    return RunData(spec, arms, spec.seed_list, measures=measures)


def _judge(spec: RunSpec, **changes: dict[str, float]) -> Verdict:
    return judge(PHENOMENON, spec, _measured(spec, **changes))


def _claims(verdict: Verdict) -> dict[str, ClaimResult]:
    return {claim.name: claim for claim in verdict.claims}


def test_arms_are_constructions_variants_and_controls() -> None:
    arms = PHENOMENON.arms_of(_spec(depths=(4, 2)))
    assert [arm.name for arm in arms] == [
        *("gaussian", "float32", "half", "between", "one-direction", "deep-2", "deep-4"),
        *("real-random", "real-true", "real-half", "neighbour"),
    ]
    assert [arm.name for arm in arms if arm.control] == ["float32", "half", "real-half"]


def test_sizes_and_depths_that_cannot_be_are_refused() -> None:
    with pytest.raises(BadValue, match="judged up to n = 2000") as caught:
        PHENOMENON.arms_of(_spec(sizes=(4000,)))
    assert caught.value.hint == "nearest valid value: 2000"
    with pytest.raises(BadValue, match="10 points are too few for 8 layers"):
        PHENOMENON.arms_of(_spec(sizes=(10, 100), depths=(8,)))
    with pytest.raises(BadValue, match="sizes = 5 is outside its bounds"):
        PHENOMENON.make_config("quick", {"sizes": "5"})


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_has_an_estimate(preset: str) -> None:
    chosen = PHENOMENON.preset(preset)
    config = PHENOMENON.make_config(preset)
    spec = dataclasses.replace(_spec(chosen.data, chosen.seeds), config=config_values(config), preset=preset)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == len(PHENOMENON.arms_of(spec)) * chosen.seeds
    assert chosen.seeds >= 3
    if preset == "quick":
        assert chosen.seeds >= 5, "what is at chance is asked of five seeds"
        assert max(config.sizes) == JUDGED
        assert estimate.seconds < 30
    if preset == "standard":
        assert max(config.sizes) > DENSE
    if preset == "paper":
        assert chosen.data == "cifar10"
        assert 60 < estimate.seconds < 7200
        assert "reports no run" in chosen.note


def test_what_takes_longer_costs_more() -> None:
    few, many = _spec(sizes=(100,)), _spec(sizes=(100, 2000))
    assert (
        PHENOMENON.estimate(PHENOMENON.config_of(few), few).seconds
        < PHENOMENON.estimate(PHENOMENON.config_of(many), many).seconds
    )


def test_memory_is_that_of_the_inputs_while_they_are_drawn() -> None:
    def size(n: int, arms: tuple[str, ...]) -> float:
        spec = _spec("cifar10", arms=arms, sizes=(50, n))
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).bytes

    assert size(40_000, ("real-true",)) - size(20_000, ("real-true",)) == 12.0 * 20_000 * 3072
    assert size(4000, ("between",)) - size(100, ("between",)) > 16.0 * 4000**2


def test_what_is_said_is_what_is_shown() -> None:
    assert "cannot be fitted" not in PHENOMENON.explanation
    assert not any("need" in name for name in _claims(_judge(_spec()))), "that a width suffices does not make it needed"


def test_the_data_sets_have_ten_classes() -> None:
    assert all(data.DATASETS[name].classes == 10 for name in PHENOMENON.data)
    assert {"digits", "mnist1d", "fashion-mnist"} <= set(PHENOMENON.data)
    assert PHENOMENON.refused.keys() == {"cifar100"}
    assert PHENOMENON.precision.startswith("float64")


def test_a_textbook_run_is_shown() -> None:
    verdict = _judge(_spec())
    assert verdict.status is Status.SHOWN
    assert {claim.status for claim in verdict.claims} == {Status.SHOWN}
    assert [claim.name for claim in verdict.claims if claim.main] == [MAIN]


@pytest.mark.parametrize(
    ("arm", "number", "value"),
    [
        ("gaussian", "error", 2e-6),
        ("gaussian", "extra_weights", 1.0),
        ("gaussian", "disagreement", 1e-4),
        ("real_random", "error", 2e-6),
        ("real_random", "train_accuracy", 0.999),
    ],
)
def test_each_criterion_of_the_theorem_can_fail_alone(arm: str, number: str, value: float) -> None:
    assert _judge(_spec(), **{arm: {number: value}}).status is Status.NOT_SHOWN


@pytest.mark.parametrize(
    ("arm", "number", "value"),
    [("float32", "error", 1e-9), ("real_half", "error", 1e-9), ("real_half", "train_accuracy", 1.0)],
)
def test_a_control_that_fits_makes_it_inconclusive(arm: str, number: str, value: float) -> None:
    verdict = _judge(_spec(), **{arm: {number: value}})
    assert verdict.status is Status.INCONCLUSIVE
    assert "control" in _claims(verdict)[MAIN].reason


def test_inputs_that_meet_on_every_line_are_no_evidence() -> None:
    verdict = _judge(_spec(), gaussian={"error": math.nan})
    assert verdict.status is Status.INCONCLUSIVE
    assert "no finite number" in _claims(verdict)[MAIN].reason


def test_contradicting_labels_are_named() -> None:
    numbers = {"conflicts": 2.0, "test_accuracy": math.nan, "error": math.nan}
    claims = _claims(_judge(_spec(), real_true=numbers))
    assert claims[KNOWS].status is Status.INCONCLUSIVE
    assert "more than one label" in claims[KNOWS].reason
    assert claims[MAIN].status is Status.SHOWN, "random labels are drawn once per input"


def test_better_than_guessing_is_said() -> None:
    claims = _claims(_judge(_spec(), real_true={"test_accuracy": 0.131}))
    assert claims[CHANCE].status is Status.NOT_SHOWN
    assert claims[KNOWS].status is Status.SHOWN
    few = _claims(_judge(_spec(seeds=3)))
    assert few[CHANCE].status is Status.INCONCLUSIVE
    assert "at least 5" in few[CHANCE].reason


@pytest.mark.parametrize(
    ("claim", "arm", "number", "value"),
    [
        (KNOWS, "neighbour", "test_accuracy", 0.2),
        (SLOPES, "gaussian", "lipschitz_growth", 0.9),
        (THRESHOLDS, "between", "condition", 8e9),
        (THRESHOLDS, "between", "error", 4e-9),
        (DEEP, "deep_4", "error", 1e-5),
        (DEEP, "deep_4", "extra_units", 200.0),
    ],
)
def test_side_claims_can_fail(claim: str, arm: str, number: str, value: float) -> None:
    verdict = _judge(_spec(), **{arm: {number: value}})
    assert _claims(verdict)[claim].status is Status.NOT_SHOWN
    assert verdict.status is Status.SHOWN


def test_larger_sizes_are_a_claim_of_their_own() -> None:
    assert not any("beyond" in name for name in _claims(_judge(_spec())))
    claims = _claims(_judge(_spec(sizes=(100, 4000)), gaussian={"error_beyond": 3e-6}))
    assert claims["it stays exact beyond n = 2,000"].status is Status.NOT_SHOWN
    assert claims[MAIN].status is Status.SHOWN


def test_arms_not_launched_leave_their_claims_out() -> None:
    verdict = _judge(_spec(arms=("gaussian",)))
    assert set(_claims(verdict)) == {SLOPES}
    assert MAIN in verdict.scope


def test_figures_of_a_run_without_data_are_empty_but_there() -> None:
    spec = _spec()
    found = PHENOMENON.figures(RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list))
    assert [figure.name for figure in found] == ["error", "test", "weights", "condition", "count"]
    for figure in found:
        assert isinstance(figure, Figure)
        assert figure.lines == ()
        assert figure.log_x


def test_config_defaults_are_those_of_quick() -> None:
    assert PHENOMENON.make_config("quick") == Config()
