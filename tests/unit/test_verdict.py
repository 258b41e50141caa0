"""The algebra of verdicts: a test for each branch."""

from __future__ import annotations

import math
from typing import Any

import pytest

from genlab_tui import events as ev
from genlab_tui.phenomenon import Arm, Claim, Criterion, Phenomenon, Preset, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.verdict import (
    Grade,
    Status,
    decode,
    encode,
    interval,
    judge,
    judge_claim,
    judge_criterion,
    overall,
    run_test,
)


def make_data(measures: dict[str, dict[tuple[str, int], float]], seeds: int = 3, **extra: object) -> RunData:
    arms = tuple(Arm(name) for name in sorted({arm for named in measures.values() for arm, _ in named}))
    spec = RunSpec(id="00000000", phenomenon="p", config={}, seeds=seeds)
    return RunData(spec=spec, arms=arms, seeds=spec.seed_list, measures=measures, **extra)  # type: ignore[arg-type]


def number(name: str, arm: str, rule: Rule) -> Test:
    return Test(name, lambda data: data.measure(name, arm), rule, needs=(arm,))


def spread(arm: str, *values: float) -> dict[tuple[str, int], float]:
    return {(arm, seed): v for seed, v in enumerate(values)}


HIGH = Criterion(number("acc", "random", Rule(low=0.9)))


def test_claim_is_shown_when_every_criterion_passes() -> None:
    result = judge_claim(Claim("c", "", (HIGH,)), make_data({"acc": spread("random", 0.95, 0.99, 0.97)}))
    assert result.status is Status.SHOWN
    assert result.criteria[0].status is Grade.PASS
    assert result.criteria[0].seeds == {"0": 0.95, "1": 0.99, "2": 0.97}


def test_claim_is_not_shown_when_a_criterion_fails() -> None:
    result = judge_claim(Claim("c", "", (HIGH,)), make_data({"acc": spread("random", 0.5, 0.6, 0.5)}))
    assert result.status is Status.NOT_SHOWN
    assert "acc" in result.reason


def test_mean_passes_but_the_sign_agrees_in_too_few_seeds() -> None:
    result = judge_criterion(HIGH, make_data({"acc": spread("random", 5.0, 0.1, 0.1)}))
    assert (result.status, result.agree) == (Grade.FAIL, 1)


def test_rounding_of_the_mean_never_decides() -> None:
    assert math.fsum([0.995] * 5) / 5 < 0.995
    criterion = Criterion(number("acc", "random", Rule(low=0.995, every=True)))
    data = make_data({"acc": spread("random", *[0.995] * 5)}, seeds=5)
    assert judge_criterion(criterion, data).status is Grade.PASS
    below = make_data({"acc": spread("random", *[0.994] * 5)}, seeds=5)
    assert judge_criterion(criterion, below).status is Grade.FAIL


def test_two_thirds_of_the_seeds_are_enough() -> None:
    assert judge_criterion(HIGH, make_data({"acc": spread("random", 0.95, 0.99, 0.89)})).status is Grade.PASS


def test_every_rule_asks_each_seed() -> None:
    strict = Criterion(number("acc", "random", Rule(low=0.9, every=True)))
    assert judge_criterion(strict, make_data({"acc": spread("random", 0.95, 0.99, 0.89)})).status is Grade.FAIL


@pytest.mark.parametrize("grade", ["passing", "failing"])
def test_unmet_precondition_is_inconclusive_whatever_the_effect(grade: str) -> None:
    value = 0.95 if grade == "passing" else 0.1
    criterion = Criterion(HIGH.effect, precondition=number("fit", "random", Rule(low=0.99)))
    data = make_data({"acc": spread("random", value, value, value), "fit": spread("random", 0.5, 0.5, 0.5)})
    result = judge_claim(Claim("c", "", (criterion,)), data)
    assert result.status is Status.INCONCLUSIVE
    assert result.criteria[0].status is Grade.UNMET
    assert "fit" in result.reason


def test_met_precondition_changes_nothing() -> None:
    criterion = Criterion(HIGH.effect, precondition=number("fit", "random", Rule(low=0.99)))
    data = make_data({"acc": spread("random", 0.95, 0.95, 0.95), "fit": spread("random", 1.0, 1.0, 1.0)})
    assert judge_claim(Claim("c", "", (criterion,)), data).status is Status.SHOWN


@pytest.mark.parametrize(("control", "status"), [(0.95, Status.INCONCLUSIVE), (0.2, Status.SHOWN)])
def test_control_that_fires_is_inconclusive(control: float, status: Status) -> None:
    criterion = Criterion(HIGH.effect, control=number("acc", "fresh", Rule(low=0.9)))
    data = make_data({"acc": spread("random", 0.95, 0.95, 0.95) | spread("fresh", control, control, control)})
    result = judge_claim(Claim("c", "", (criterion,)), data)
    assert result.status is status
    found = result.criteria[0].control
    assert found is not None
    assert found.fired is (status is Status.INCONCLUSIVE)


def test_control_fires_even_where_the_effect_fails() -> None:
    criterion = Criterion(HIGH.effect, control=number("acc", "fresh", Rule(low=0.9)))
    data = make_data({"acc": spread("random", 0.1, 0.1, 0.1) | spread("fresh", 0.95, 0.95, 0.95)})
    assert judge_claim(Claim("c", "", (criterion,)), data).status is Status.INCONCLUSIVE


def test_control_without_numbers_is_inconclusive() -> None:
    criterion = Criterion(HIGH.effect, control=number("missing", "random", Rule(low=0.9)))
    data = make_data({"acc": spread("random", 0.95, 0.95, 0.95)})
    assert judge_claim(Claim("c", "", (criterion,)), data).status is Status.INCONCLUSIVE


def test_fewer_than_three_seeds_is_inconclusive() -> None:
    data = make_data({"acc": spread("random", 0.95, 0.95)}, seeds=2)
    result = judge_claim(Claim("c", "", (HIGH,)), data)
    assert result.status is Status.INCONCLUSIVE
    assert "seeds" in result.reason


def test_three_seeds_asked_but_only_two_measured_is_inconclusive() -> None:
    data = make_data({"acc": spread("random", 0.95, 0.95)}, seeds=3)
    assert judge_claim(Claim("c", "", (HIGH,)), data).status is Status.INCONCLUSIVE


def test_seeds_that_diverged_do_not_count_for_a_pooled_number() -> None:
    test = Test("peak", lambda d: d.measure("acc", "random"), Rule(low=0.5), ("random",), pooled=lambda _: 0.7)
    data = make_data({"acc": spread("random", 0.7, math.nan, math.nan)})
    assert judge_claim(Claim("c", "", (Criterion(test),)), data).status is Status.INCONCLUSIVE


def test_regulariser_changed_in_flight_is_inconclusive() -> None:
    change = ev.Change(regulariser="dropout", strength=0.5, step=70)
    data = make_data({"acc": spread("random", 0.95, 0.95, 0.95)}, changes=(change,))
    result = judge_claim(Claim("c", "", (HIGH,)), data)
    assert result.status is Status.INCONCLUSIVE
    assert "step 70" in result.reason


def test_no_number_is_unmet() -> None:
    data = make_data({"acc": spread("other", 0.95, 0.95, 0.95)})
    assert judge_criterion(HIGH, data).status is Grade.UNMET


def test_diverged_seed_makes_the_number_unmet() -> None:
    data = make_data({"acc": spread("random", 0.95, math.nan, 0.95)})
    result = judge_criterion(HIGH, data)
    assert result.status is Grade.UNMET
    assert result.seeds["1"] == "nan"


def test_the_seeds_that_pass_at_chance_are_those_within_its_distance() -> None:
    test = number("acc", "random", Rule(chance=0.1, high=0.025))
    *_, agree = run_test(test, make_data({"acc": spread("random", 0.126, 0.118, 0.07)}))
    assert agree == 1


def test_a_mean_that_rounding_leaves_is_nought() -> None:
    values = (0.1 + 0.2, -0.3, 0.0)
    value, *_ = run_test(number("acc", "random", Rule(low=1.0)), make_data({"acc": spread("random", *values)}))
    assert value == 0.0
    value, *_ = run_test(number("acc", "random", Rule(low=1.0)), make_data({"acc": spread("random", math.inf, 0.5)}))
    assert value == math.inf


def test_the_interval_of_a_mean_is_student_t_and_of_pooled_numbers_there_is_none() -> None:
    seeds: dict[str, Any] = {"0": 1.0, "1": 2.0, "2": 3.0}
    low, high = interval(seeds, 2.0) or (0.0, 0.0)
    assert low == pytest.approx(2 - 4.30265 / math.sqrt(3), rel=1e-4)
    assert high == pytest.approx(4 - low)
    assert interval(seeds, 1.6) is None
    assert interval({"0": 1.0}, 1.0) is None


@pytest.mark.parametrize(
    ("values", "passes"),
    [
        ((0.09, 0.10, 0.115), True),
        ((0.13, 0.131, 0.132), False),  # chance lies outside the t interval
        ((0.02, 0.15, 0.25), False),  # inside the interval, but the mean is 4 points away
        ((0.15, 0.05, 0.1), True),
    ],
)
def test_at_chance_asks_interval_and_distance(values: tuple[float, ...], passes: bool) -> None:
    test = number("acc", "random", Rule(chance=0.1, high=0.025))
    assert run_test(test, make_data({"acc": spread("random", *values)}))[2] is passes


def test_pooled_number_is_judged_in_place_of_the_mean() -> None:
    test = Test("peak", lambda d: d.measure("acc", "random"), Rule(low=0.5), ("random",), pooled=lambda _: 0.7)
    value, per_seed, passed, agree = run_test(test, make_data({"acc": spread("random", 0.1, 0.1, 0.1)}))
    assert (value, passed, agree, len(per_seed)) == (0.7, True, 0, 3)


def test_pooled_with_every_asks_the_seeds_too() -> None:
    rule = Rule(low=0.5, every=True)
    test = Test("peak", lambda d: d.measure("acc", "random"), rule, ("random",), pooled=lambda _: 0.7)
    assert run_test(test, make_data({"acc": spread("random", 0.6, 0.4, 0.6)}))[2] is False


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([(Status.SHOWN, True), (Status.SHOWN, True)], Status.SHOWN),
        ([(Status.SHOWN, True), (Status.NOT_SHOWN, True)], Status.NOT_SHOWN),
        ([(Status.INCONCLUSIVE, True), (Status.NOT_SHOWN, True)], Status.INCONCLUSIVE),
        ([(Status.SHOWN, True), (Status.NOT_SHOWN, False)], Status.SHOWN),
        ([(Status.SHOWN, False)], Status.INCONCLUSIVE),
        ([], Status.INCONCLUSIVE),
    ],
)
def test_status_of_the_run_is_the_worst_of_its_main_claims(
    statuses: list[tuple[Status, bool]], expected: Status
) -> None:
    from genlab_tui.verdict import ClaimResult

    assert overall([ClaimResult("c", main, status, ()) for status, main in statuses]) is expected


def make_phenomenon(*claims: Claim) -> Phenomenon:
    from dataclasses import make_dataclass

    return Phenomenon(
        name="p",
        title="P",
        group="Data",
        question="?",
        explanation="",
        papers=(),
        config=make_dataclass("Config", []),
        presets={"quick": Preset()},
        data=("digits",),
        plan=lambda c, s: (),
        estimate=lambda c, s: None,  # type: ignore[arg-type,return-value]
        figures=lambda d: (),
        claims=lambda c, s: claims,
        run=lambda c, x: iter(()),
    )


def test_claims_whose_arms_were_not_launched_are_left_out_and_named() -> None:
    other = Claim("needs gaussian", "", (Criterion(number("acc", "gaussian", Rule(low=0.9))),))
    data = make_data({"acc": spread("random", 0.95, 0.95, 0.95)})
    verdict = judge(make_phenomenon(Claim("fits", "", (HIGH,)), other), data.spec, data)
    assert [c.name for c in verdict.claims] == ["fits"]
    assert verdict.status is Status.SHOWN
    assert "needs gaussian" in verdict.scope


def test_claim_whose_control_was_not_launched_is_left_out() -> None:
    criterion = Criterion(HIGH.effect, control=number("acc", "fresh", Rule(low=0.9)))
    data = make_data({"acc": spread("random", 0.95, 0.95, 0.95)})
    verdict = judge(make_phenomenon(Claim("fits", "", (criterion,))), data.spec, data)
    assert verdict.claims == ()
    assert verdict.status is Status.INCONCLUSIVE


def test_verdict_survives_its_json() -> None:
    import msgspec

    data = make_data({"acc": spread("random", 0.95, math.inf, 0.95)})
    verdict = judge(make_phenomenon(Claim("fits", "", (HIGH,))), data.spec, data)
    assert decode(msgspec.json.decode(msgspec.json.encode(encode(verdict)))) == verdict


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule(low=0.9), "≥ 0.9"),
        (Rule(high=2), "≤ 2"),
        (Rule(low=1, high=8, strict=True), "in (1, 8]"),
        (Rule(low=1.9, high=2.2), "in [1.9, 2.2]"),
        (Rule(chance=0.1, high=0.025), "within 0.025 of 0.1 (t interval)"),
    ],
)
def test_rules_say_their_threshold(rule: Rule, text: str) -> None:
    assert rule.text == text


def test_a_strict_bound_excludes_itself_and_nan_never_passes() -> None:
    strict = Rule(low=1, high=8, strict=True)
    assert [strict.passes(v) for v in (1, 1.01, 8, 8.1, math.nan)] == [False, True, True, False, False]
    assert [Rule(high=2, strict=True).passes(v) for v in (1.9, 2)] == [True, False]
    assert Rule(low=1).passes(math.nan) is False


def test_a_control_fires_on_its_mean_in_however_few_seeds() -> None:
    control = number("acc", "fresh", Rule(low=0.125, strict=True))
    few = {"acc": {**spread("random", 0.95, 0.95, 0.95), **spread("fresh", 0.1, 0.1, 0.6)}}
    result = judge_criterion(Criterion(HIGH.effect, control=control), make_data(few))
    assert result.control is not None
    assert result.control.fired


@pytest.mark.parametrize("fresh", [(math.nan, 0.1, 0.1), (math.nan,) * 3])
def test_a_control_with_a_seed_that_diverged_has_no_numbers(fresh: tuple[float, ...]) -> None:
    """Neither fired nor silent: nothing is concluded, whoever else was quiet."""
    control = number("acc", "fresh", Rule(low=0.125, strict=True))
    data = make_data({"acc": {**spread("random", 0.95, 0.95, 0.95), **spread("fresh", *fresh)}})
    claim = judge_claim(Claim("c", "", (Criterion(HIGH.effect, control=control),)), data)
    assert claim.status is Status.INCONCLUSIVE
    assert "has no numbers" in claim.reason


def test_a_claim_that_asks_nothing_is_inconclusive() -> None:
    claim = judge_claim(Claim("c", "", ()), make_data({"acc": spread("random", 0.95, 0.99, 0.97)}))
    assert (claim.status, claim.reason) == (Status.INCONCLUSIVE, "nothing is asked")
