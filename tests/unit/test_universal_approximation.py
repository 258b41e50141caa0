"""The declaration of universal approximation: arms, refusals, estimate, figures, verdicts on numbers made to order."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from typing import Any

import pytest

from genlab_tui.errors import BadValue
from genlab_tui.phenomena.universal_approximation import PHENOMENON
from genlab_tui.phenomenon import Claim, config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.verdict import ClaimResult, Status, Verdict, judge

RATES = "wide enough networks come as close as asked"
JUMP = "a jump is met in the mean, never everywhere"
TRAINING = "training stops short of what the width allows"
DEPTH = "depth saves units"
SAWTOOTH = "many kinks, the same rate"
FOUND = "training finds what depth saves"

SINE = {"sup_slope": -2.0, "sup_least": 2e-5, "sup_narrow": 1.0, "sup_wide": 2e-5, "tail_slope": -2.0}
STEP = {"sup_slope": 0.0, "l2_slope": -0.5, "sup_least": 0.51}
LEARNT = {"fall": 0.04, "sup_narrow": 1.2, "sup_wide": 0.06, "tail_slope": -0.4}
NUMBERS: dict[str, dict[str, float]] = {
    "sine": SINE,
    "kink": {"sup_slope": -1.0},
    "sawtooth": {"sup_slope": -1.0},
    "step": STEP,
    "trained-sine": LEARNT,
    "trained-kink": LEARNT,
    "trained-sawtooth": LEARNT,
    "trained-step": {"fall": 0.9, "sup_narrow": 0.56, "sup_wide": 0.51, "tail_slope": 0.0},
    "depth-1": {"depth_error": 1e-13, "units": 64.0},
    "depth-2": {"depth_error": 1e-13, "units": 16.0},
    "depth-3": {"depth_error": 1e-13, "units": 12.0},
    "depth-6": {"depth_error": 1e-13, "units": 12.0},
    "shallow": {"depth_error": 0.9, "units": 12.0},
    "trained-depth-1": {"l2_wide": 0.25},
    "trained-depth-2": {"l2_wide": 0.15},
    "trained-depth-3": {"l2_wide": 0.05},
}


def _spec(seeds: int = 5, arms: tuple[str, ...] = (), **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config("quick", values))
    return RunSpec("00000001", "universal-approximation", config, data="", seeds=seeds, arms=arms)


def _measured(spec: RunSpec, **changes: dict[str, float]) -> RunData:
    """Return run data where every arm has textbook numbers, changed per arm (`_` for `-`) as given."""
    arms = PHENOMENON.arms_of(spec)
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for arm in arms:
        for name, value in {**NUMBERS[arm.name], **changes.get(arm.name.replace("-", "_"), {})}.items():
            measures.setdefault(name, {}).update({(arm.name, seed): value for seed in spec.seed_list})
    return RunData(spec, arms, spec.seed_list, measures=measures)


def _judge(spec: RunSpec, **changes: dict[str, float]) -> Verdict:
    return judge(PHENOMENON, spec, _measured(spec, **changes))


def _claims(verdict: Verdict) -> dict[str, ClaimResult]:
    return {claim.name: claim for claim in verdict.claims}


def test_arms_are_targets_written_down_and_trained_and_depths() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == list(NUMBERS)
    assert [arm.name for arm in arms if arm.control] == ["shallow"]
    assert "depth-8" in {arm.name for arm in PHENOMENON.arms_of(_spec(tents=8))}


@pytest.mark.parametrize("widths", [(2, 4, 8, 16, 32), (100, 110, 120, 130, 140, 150)])
def test_widths_that_show_no_law_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(BadValue, match="do not show a law") as caught:
        PHENOMENON.arms_of(_spec(widths=widths))
    assert "at least 6" in caught.value.hint


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_has_an_estimate(preset: str) -> None:
    chosen = PHENOMENON.preset(preset)
    config = PHENOMENON.make_config(preset)
    spec = dataclasses.replace(_spec(chosen.seeds), config=config_values(config), preset=preset)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == 16 * chosen.seeds
    assert chosen.data == ""
    assert chosen.seeds >= 5
    if preset == "quick":
        assert (config.steps, config.lr, max(config.widths), min(config.widths)) == (2000, 1e-2, 512, 2)
        assert estimate.seconds < 30
    if preset == "paper":
        assert "report no runs" in chosen.note
        assert estimate.seconds > 600


def test_it_makes_its_own_data_in_float64() -> None:
    assert PHENOMENON.data == ()
    assert PHENOMENON.precision == "float64"


def test_a_textbook_run_is_shown() -> None:
    verdict = _judge(_spec())
    assert verdict.status is Status.SHOWN
    assert {claim.status for claim in verdict.claims} == {Status.SHOWN}
    assert [claim.name for claim in verdict.claims if claim.main] == [RATES, JUMP, TRAINING, DEPTH]


@pytest.mark.parametrize(
    ("claim", "arm", "number", "value"),
    [
        (RATES, "sine", "sup_slope", -1.7),
        (RATES, "kink", "sup_slope", -1.3),
        (JUMP, "step", "sup_least", 0.49),
        (JUMP, "step", "l2_slope", -0.2),
        (TRAINING, "trained_sine", "fall", 0.3),
        (TRAINING, "trained_sine", "sup_wide", 1e-4),
        (TRAINING, "trained_sine", "tail_slope", -1.5),
        (DEPTH, "depth_3", "depth_error", 1e-3),
        (DEPTH, "depth_1", "depth_error", 1e-3),
        (DEPTH, "depth_1", "units", 40.0),
    ],
)
def test_each_criterion_can_fail_alone(claim: str, arm: str, number: str, value: float) -> None:
    verdict = _judge(_spec(), **{arm: {number: value}})
    claims = _claims(verdict)
    assert claims[claim].status is Status.NOT_SHOWN
    assert verdict.status is Status.NOT_SHOWN
    assert {c.name for c in verdict.claims if c.status is not Status.SHOWN} == {claim}


@pytest.mark.parametrize(
    ("claim", "arm", "number", "value"),
    [
        (RATES, "step", "sup_slope", -2.0),
        (JUMP, "sine", "sup_least", 0.6),
        (TRAINING, "sine", "tail_slope", -0.5),
        (DEPTH, "shallow", "depth_error", 1e-12),
    ],
)
def test_each_control_can_fire(claim: str, arm: str, number: str, value: float) -> None:
    found = _claims(_judge(_spec(), **{arm: {number: value}}))[claim]
    assert found.status is Status.INCONCLUSIVE
    assert "control" in found.reason


def test_a_jump_that_no_wide_network_meets_passes_for_no_law() -> None:
    """The slope of the step must not pass as that of a smooth target: else any number would."""
    claims = _claims(_judge(_spec()))
    control = claims[RATES].criteria[0].control
    assert control is not None
    assert not control.fired


def _declared() -> tuple[Claim, ...]:
    return PHENOMENON.claims(PHENOMENON.make_config("quick"), _spec())


def test_training_is_said_to_do_what_is_judged() -> None:
    claim = next(claim for claim in _declared() if claim.name == TRAINING)
    assert [criterion.control is not None for criterion in claim.criteria] == [False, False, True]
    figures = PHENOMENON.figures(_measured(_spec(samples=700)))
    note = next(figure.note for figure in figures if figure.name == "trained")
    assert "mean square at 700 samples" in note
    for words in (claim.statement, note, PHENOMENON.explanation, *(c.effect.statement for c in claim.criteria)):
        assert "floor" not in words
        assert "not expressivity" not in words


def test_rates_are_not_credited_to_the_theorems() -> None:
    claim = next(claim for claim in _declared() if claim.name == RATES)
    assert claim.paper == ""
    assert "Leshno et al. 1993" in {paper.key for paper in PHENOMENON.papers}


def test_networks_that_diverged_are_no_evidence() -> None:
    numbers = dict.fromkeys(("sup_wide", "fall", "tail_slope"), math.nan)
    claims = _claims(_judge(_spec(), trained_sine=numbers))
    assert claims[TRAINING].status is Status.INCONCLUSIVE
    assert "diverge" in claims[TRAINING].reason
    assert claims[RATES].status is Status.SHOWN


@pytest.mark.parametrize(
    ("claim", "arm", "number", "value"),
    [(SAWTOOTH, "sawtooth", "sup_slope", -0.5), (FOUND, "trained_depth_3", "l2_wide", 0.26)],
)
def test_side_claims_can_fail(claim: str, arm: str, number: str, value: float) -> None:
    verdict = _judge(_spec(), **{arm: {number: value}})
    assert _claims(verdict)[claim].status is Status.NOT_SHOWN
    assert verdict.status is Status.SHOWN


def test_arms_not_launched_leave_their_claims_out() -> None:
    verdict = _judge(_spec(arms=("sine", "kink", "step")))
    assert set(_claims(verdict)) == {RATES, JUMP}


def test_a_declaration_needs_neither_numpy_nor_torch() -> None:
    script = (
        "import sys; from genlab_tui.phenomena import get\n"
        "from genlab_tui.run import RunSpec\n"
        "from genlab_tui.rundata import RunData\n"
        "from genlab_tui.phenomenon import Claim, config_values\n"
        "for name in ('universal-approximation', 'expressivity'):\n"
        "    p = get(name); c = p.make_config('quick')\n"
        "    s = RunSpec('00000001', p.name, config_values(c), data=next(iter(p.data), '')); a = p.arms_of(s)\n"
        "    p.estimate(c, s); p.claims(c, s); f = p.figures(RunData(s, a, s.seed_list))\n"
        "    assert len(f) >= 5 and not any(x.lines for x in f)\n"
        "print([m for m in ('torch', 'numpy', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
