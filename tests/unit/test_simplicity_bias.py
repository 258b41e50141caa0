"""The declaration of simplicity bias: arms, refusals, estimates, figures, verdicts on numbers made to order."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from typing import Any

import pytest

from genlab_tui.errors import BadValue
from genlab_tui.phenomena._simplicity_bias.config import BOTH, COMPLEX, FOURIER, LINE, SINE_ARMS, SLAB_ARMS, part
from genlab_tui.phenomena.simplicity_bias import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.verdict import ClaimResult, Status, Verdict, judge

SLABS = "the simple feature alone decides"
SINES = "low frequencies first"
WAVES = (2, 5, 10, 15, 20)

NUMBERS: dict[str, dict[str, float]] = {
    BOTH: {"test_accuracy": 1.0, "auc": 1.0, "auc_simple_permuted": 0.5, "auc_complex_permuted": 1.0},
    COMPLEX: {"test_accuracy": 0.99, "auc": 1.0, "auc_simple_permuted": 1.0, "auc_complex_permuted": 0.5},
    LINE: {"kink_cover": 1.0, "error": 0.01},
    FOURIER: {"error": 0.01},
}
LATE = [20.0, 140.0, 460.0, 940.0, 3000.0]
AT_ONCE = [6.0, 5.0, 6.0, 5.0, 8.0]


def _spec(seeds: int = 3, arms: tuple[str, ...] = (), preset: str = "quick", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", PHENOMENON.name, config, preset=preset, data="", seeds=seeds, arms=arms)


def _measured(spec: RunSpec, line: list[float], features: list[float], changes: dict[str, dict[str, float]]) -> RunData:
    """Return run data where every arm has the numbers that the papers lead to expect, but for the changes."""
    arms = PHENOMENON.arms_of(spec)
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for arm in arms:
        for name, value in {**NUMBERS[arm.name], **changes.get(arm.name, {})}.items():
            measures.setdefault(name, {}).update({(arm.name, seed): value for seed in spec.seed_list})
    for arm_name, steps in ((LINE, line), (FOURIER, features)):
        for k, at in zip(WAVES, steps, strict=True):
            own = {(part(arm_name, k), seed): at for seed in spec.seed_list}
            measures.setdefault("steps_to_learn", {}).update(own)
    return RunData(spec, arms, spec.seed_list, measures=measures)


def _judge(
    spec: RunSpec | None = None,
    line: list[float] = LATE,
    features: list[float] = AT_ONCE,
    **changes: dict[str, float],
) -> Verdict:
    spec = spec or _spec()
    named = {name.replace("_", "-"): numbers for name, numbers in changes.items()}
    return judge(PHENOMENON, spec, _measured(spec, line, features, named))


def _claims(verdict: Verdict) -> dict[str, ClaimResult]:
    return {claim.name: claim for claim in verdict.claims}


def test_arms_are_two_of_slabs_and_two_of_sines() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == [*SLAB_ARMS, *SINE_ARMS]
    assert [arm.name for arm in arms if arm.control] == [COMPLEX, FOURIER]
    assert PHENOMENON.data == ()


@pytest.mark.parametrize(
    ("values", "said", "hint"),
    [
        ({"frequencies": (2, 20)}, "the order of 2 says little", "at least 3"),
        ({"frequencies": (2, 5, 128)}, "cannot tell 128 periods", "at most 127"),
        ({"points": 40}, "cannot tell 20 periods", "points = 41"),
    ],
)
def test_frequencies_that_cannot_be_judged_are_refused(values: dict[str, Any], said: str, hint: str) -> None:
    with pytest.raises(BadValue, match=said) as caught:
        PHENOMENON.arms_of(_spec(**values))
    assert hint in caught.value.hint


def test_a_frequency_given_twice_and_slabs_without_width_are_refused() -> None:
    with pytest.raises(BadValue, match="twice"):
        PHENOMENON.make_config("quick", {"frequencies": (2, 5, 5)})
    with pytest.raises(BadValue, match="margin"):
        PHENOMENON.make_config("quick", {"margin": 1 / 6})


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_can_be_planned_and_has_an_estimate(preset: str) -> None:
    chosen = PHENOMENON.preset(preset)
    config = PHENOMENON.make_config(preset)
    spec = dataclasses.replace(_spec(chosen.seeds, chosen.arms), config=config_values(config), preset=preset)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == len(PHENOMENON.arms_of(spec)) * chosen.seeds
    assert chosen.seeds >= 3
    assert chosen.data == ""
    if preset in ("quick", "standard"):
        assert config.frequencies == WAVES
        assert (config.points, config.width, config.layers, config.sine_lr) == (256, 256, 3, 1e-3)
    if preset == "quick":
        assert estimate.seconds < 40
    if preset == "paper":
        assert "unverified" in chosen.note
        assert estimate.seconds > 300


def test_a_textbook_run_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert {claim.name: (claim.status, claim.main) for claim in verdict.claims} == {
        SLABS: (Status.SHOWN, True),
        SINES: (Status.SHOWN, True),
    }
    for claim in verdict.claims:
        assert all(c.control is not None and not c.control.fired and not c.control.missing for c in claim.criteria)


def test_texts_hold_for_every_number_of_coordinates_and_say_what_the_controls_of_slabs_are_worth() -> None:
    assert not {"Twenty", "19"} & set(PHENOMENON.explanation.replace(",", " ").split())
    assert "both controls check the computation" in _claims(_judge())[SLABS].statement


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        (SLABS, {"simple_and_slabs": {"auc_simple_permuted": 0.55}}),
        (SLABS, {"simple_and_slabs": {"auc_complex_permuted": 0.98}}),
        (SINES, {"line": [20.0, 140.0, 460.0, 3000.0, 940.0]}),
        (SINES, {"line": [20.0, 140.0, 940.0, 940.0, 3000.0]}),
        (SINES, {"line": [20.0, 140.0, 250.0, 300.0, 399.0]}),
    ],
)
def test_each_criterion_can_fail_alone(claim: str, change: dict[str, Any]) -> None:
    claims = _claims(_judge(**change))
    assert claims[claim].status is Status.NOT_SHOWN
    assert {name for name, found in claims.items() if found.status is not Status.SHOWN} == {claim}


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        (SLABS, {"slabs_only": {"auc_simple_permuted": 0.5}}),
        (SLABS, {"slabs_only": {"auc_complex_permuted": 0.99}}),
        (SINES, {"features": [5.0, 6.0, 7.0, 8.0, 9.0]}),
        (SINES, {"features": [5.0, 4.0, 7.0, 8.0, 100.0]}),
    ],
)
def test_each_control_can_fire(claim: str, change: dict[str, Any]) -> None:
    found = _claims(_judge(**change))[claim]
    assert found.status is Status.INCONCLUSIVE
    assert "fired" in found.reason


@pytest.mark.parametrize(
    ("claim", "change", "reason"),
    [
        (SLABS, {"slabs_only": {"test_accuracy": 0.94}}, "the network with slabs only"),
        (SLABS, {"simple_and_slabs": {"test_accuracy": 0.5, "auc": 0.5, "auc_complex_permuted": 0.5}}, "in place"),
        (SINES, {"line": [20.0, 140.0, 460.0, 940.0, math.nan]}, "no finite number"),
        (SINES, {"features": [6.0, 5.0, 6.0, 5.0, math.nan]}, "has no numbers"),
    ],
)
def test_what_was_not_learnt_leaves_a_claim_open(claim: str, change: dict[str, Any], reason: str) -> None:
    found = _claims(_judge(**change))[claim]
    assert found.status is Status.INCONCLUSIVE
    assert reason in found.reason


def test_an_order_that_comes_of_kinks_at_0_is_not_judged() -> None:
    """Zero biases: textbook numbers, and yet no verdict."""
    spec = _spec(arms=SINE_ARMS, kinks="zero")
    verdict = judge(PHENOMENON, spec, _measured(spec, LATE, AT_ONCE, {LINE: {"kink_cover": 0.0}}))
    (found,) = verdict.claims
    assert found.status is Status.INCONCLUSIVE
    assert "with kinks before training" in found.reason


def test_coefficients_of_outputs_that_blew_up_are_not_judged() -> None:
    spec = _spec(arms=SINE_ARMS)
    (found,) = judge(PHENOMENON, spec, _measured(spec, LATE, AT_ONCE, {LINE: {"error": 0.3}})).claims
    assert found.status is Status.INCONCLUSIVE
    assert "squared error at the end" in found.reason


def test_sines_that_come_at_one_step_have_no_order() -> None:
    control = _claims(_judge(features=[7.0] * 5))[SINES].criteria[0].control
    assert control is not None
    assert control.value == 0.0
    assert not control.missing


def test_half_of_the_arms_are_judged_alone() -> None:
    for arms, name in ((SLAB_ARMS, SLABS), (SINE_ARMS, SINES)):
        verdict = _judge(_spec(arms=arms))
        assert [claim.name for claim in verdict.claims] == [name]
        assert verdict.status is Status.SHOWN
        assert "not judged" in verdict.scope


def test_figures_are_those_of_the_arms_and_take_data_still_coming() -> None:
    spec = _spec()
    everything = ["permuted", "auc-table", "spectrum-line", "spectrum-fourier", "arrivals"]
    empty = PHENOMENON.figures(RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list))
    assert [figure.name for figure in empty] == everything
    assert set(PHENOMENON.panels) < set(everything)
    full = PHENOMENON.figures(_measured(spec, LATE, [6.0, 5.0, 6.0, 5.0, math.nan], {}))
    table, arrivals = full[1], full[-1]
    assert table.values[0] == pytest.approx((1.0, 0.5, 1.0))  # type: ignore[union-attr]
    assert table.values[1] == pytest.approx((1.0, 1.0, 0.5))  # type: ignore[union-attr]
    line, features = arrivals.lines  # type: ignore[union-attr]
    assert line.y == tuple(LATE)
    assert features.x == (2.0, 5.0, 10.0, 15.0)
    only = _spec(arms=SINE_ARMS)
    names = [figure.name for figure in PHENOMENON.figures(_measured(only, LATE, AT_ONCE, {}))]
    assert names == everything[2:]


def test_the_declaration_loads_no_torch() -> None:
    code = "import sys; import genlab_tui.phenomena.simplicity_bias; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
