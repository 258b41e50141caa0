"""Simplicity bias really trained, in the lab's own way: small networks, the declared claims, a run stopped midway."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._simplicity_bias.claims import COMPLEX_PERMUTED, ORDER, SIMPLE_PERMUTED
from genlab_tui.phenomena._simplicity_bias.config import BOTH, COMPLEX, FOURIER, LINE, SINE_ARMS, SLAB_ARMS, part
from genlab_tui.phenomena.simplicity_bias import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

FIRST = 7100  # seeds that no pilot used
SLABS = {"n": 2000, "test": 1000, "features": 6, "slabs": (5,), "epochs": 60}
SINES = {"frequencies": (1, 3, 6), "points": 64, "width": 128, "layers": 3, "steps": 3000}


def test_slabs_are_ignored_although_they_could_be_learnt(run_phenomenon: Callable[..., RunData]) -> None:
    data = run_phenomenon(PHENOMENON, data="", seeds=3, first_seed=FIRST, values=SLABS, arms=SLAB_ARMS)
    (claim,) = judge(PHENOMENON, data.spec, data).claims
    found = {criterion.name: criterion for criterion in claim.criteria}
    assert claim.status is Status.SHOWN, claim.reason
    for name in (SIMPLE_PERMUTED, COMPLEX_PERMUTED):
        control = found[name].control
        assert control is not None
        assert not control.fired
        assert not control.missing
    for arm, metric, low, high in (
        (BOTH, "auc_simple_permuted", 0.4, 0.55),
        (BOTH, "auc_complex_permuted", 0.98, 1.0),
        (COMPLEX, "auc_simple_permuted", 0.95, 1.0),
        (COMPLEX, "auc_complex_permuted", 0.4, 0.6),
    ):
        values = data.measure(metric, arm)
        assert len(values) == 3
        assert all(low <= value <= high for value in values.values()), (arm, metric, values)
        assert len(data.curves[metric]) == 6
    names = [figure.name for figure in PHENOMENON.figures(data)]
    assert names == ["permuted", "auc-table"]


def test_sines_come_in_order_from_the_point_and_at_once_from_features(run_phenomenon: Callable[..., RunData]) -> None:
    data = run_phenomenon(PHENOMENON, data="", seeds=3, first_seed=FIRST, values=SINES, arms=SINE_ARMS)
    (claim,) = judge(PHENOMENON, data.spec, data).claims
    order = next(criterion for criterion in claim.criteria if criterion.name == ORDER)
    assert order.value == 1.0
    assert order.control is not None
    assert not order.control.fired
    assert not order.control.missing
    for seed in data.seeds:
        line, features = (
            [data.measure("steps_to_learn", part(arm, k))[seed] for k in (1, 3, 6)] for arm in (LINE, FOURIER)
        )
        assert line[2] / line[0] > 2 * max(features) / min(features)
        assert data.measure("kink_cover", LINE)[seed] == 1.0
        assert data.measure("error", LINE)[seed] <= 0.25
        # A curve ends once its network has all sines; before, it follows every frequency.
        for k, at in zip((1, 3, 6), line, strict=True):
            curve = data.curves["coefficient"][part(LINE, k), seed]
            finite = [(s, v) for s, v in zip(curve.step.tolist(), curve.value.tolist(), strict=True) if v == v]
            assert all(value < 0.8 for step, value in finite if step < at)
            assert finite[-1][0] <= max(line) + 200
    assert data.progress is not None
    assert data.progress.done == pytest.approx(1.0, abs=0.01)
    assert [figure.name for figure in PHENOMENON.figures(data)][-1] == "arrivals"


def test_steps_that_do_not_suffice_leave_the_claim_open(run_phenomenon: Callable[..., RunData]) -> None:
    values = SINES | {"steps": 60}
    data = run_phenomenon(PHENOMENON, data="", seeds=3, first_seed=FIRST, values=values, arms=SINE_ARMS)
    (claim,) = judge(PHENOMENON, data.spec, data).claims
    assert claim.status is Status.INCONCLUSIVE
    assert all(math.isnan(v) for v in data.measure("steps_to_learn", part(LINE, 6)).values())
    assert any("lack a sine" in log.text for log in data.logs)


def test_zero_biases_are_not_judged(run_phenomenon: Callable[..., RunData]) -> None:
    values = SINES | {"steps": 60, "kinks": "zero"}
    data = run_phenomenon(PHENOMENON, data="", seeds=3, first_seed=FIRST, values=values, arms=SINE_ARMS)
    (claim,) = judge(PHENOMENON, data.spec, data).claims
    assert claim.status is Status.INCONCLUSIVE
    assert "with kinks before training" in claim.reason


def test_networks_that_blow_up_are_named_and_not_judged(run_phenomenon: Callable[..., RunData]) -> None:
    values = SINES | {"sine_lr": 1.0, "width": 16, "steps": 40}
    data = run_phenomenon(PHENOMENON, data="", seeds=3, first_seed=FIRST, values=values, arms=SINE_ARMS)
    assert judge(PHENOMENON, data.spec, data).status is Status.INCONCLUSIVE
    assert max(data.measure("error", LINE).values()) > 0.25
    assert data.logs


@pytest.mark.parametrize(("stops", "stage"), [((4,), "slabs"), ((9, 3), "sines")])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], stops: tuple[int, ...], stage: str
) -> None:
    values = SLABS | SINES | {"n": 400, "epochs": 6, "steps": 300}
    fields = {"data": "", "seeds": 2, "first_seed": FIRST, "values": values}
    whole = make_context(PHENOMENON, **fields)
    expected = whole.run(PHENOMENON)
    broken = make_context(PHENOMENON, **fields)
    for stop in stops:
        broken.stop_after, broken.polls = stop, 0
        broken.run(PHENOMENON)
        assert [name.split(",")[0] for name in broken.saved] == [stage]
    broken.stop_after = -1
    found = broken.run(PHENOMENON)
    assert found.measures.keys() == expected.measures.keys()
    for name, values_ in expected.measures.items():
        assert found.measures[name] == pytest.approx(values_, nan_ok=True, abs=0.0, rel=0.0), name
    curves = expected.curves["coefficient"]
    for member, curve in curves.items():
        assert found.curves["coefficient"][member].step.tolist() == curve.step.tolist()
        assert found.curves["coefficient"][member].value.tolist() == pytest.approx(curve.value.tolist(), nan_ok=True)


@pytest.mark.full
@pytest.mark.slow
def test_the_quick_preset_as_it_is_launched(run_phenomenon: Callable[..., RunData]) -> None:
    data = run_phenomenon(PHENOMENON, data="", first_seed=7110)
    verdict = judge(PHENOMENON, data.spec, data)
    assert verdict.status is Status.SHOWN, [(claim.name, claim.reason) for claim in verdict.claims]
    for claim in verdict.claims:
        assert all(c.control is not None and not c.control.fired for c in claim.criteria)


@pytest.mark.full
@pytest.mark.slow
def test_slabs_of_equal_odds_are_used_in_part(run_phenomenon: Callable[..., RunData]) -> None:
    """The counter-example: simple enough slabs are not ignored, and the claim says so."""
    data = run_phenomenon(PHENOMENON, preset="equal-odds", data="", first_seed=7120)
    (claim,) = judge(PHENOMENON, data.spec, data).claims
    assert claim.status is Status.NOT_SHOWN
    assert min(data.measure("auc_simple_permuted", BOTH).values()) > 0.55
