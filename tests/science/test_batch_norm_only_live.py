"""Scales and shifts really trained alone, in the lab's own way: measured and judged by the declared claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._batch_norm_only.config import (
    ABOVE_CHANCE,
    BOUNDS,
    LEARNT,
    NEAR_ZERO,
    share_name,
)
from genlab_tui.phenomena.batch_norm_only import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 800, "depths": "1 4", "widths": "16 64", "lrs": "0.03", "epochs": 14},
    "first_seed": 7000,  # seeds that no pilot used
}
TINY: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 100, "test": 50, "epochs": 3, "depths": "1 2", "width": 8, "widths": "4 8", "gamma": "uniform"},
    "seeds": 2,
    "first_seed": 7000,
}


def test_digits_are_learnt_by_scales_and_shifts(run_phenomenon: Callable[..., RunData]) -> None:
    """Above guessing by far, more with depth; with nothing trained or random labels, guessing remains."""
    run_data = run_phenomenon(PHENOMENON, seeds=3, **SMALL)
    assert min(run_data.measure("train_accuracy", "full-4x64").values()) >= LEARNT
    for seed, reached in run_data.measure("test_accuracy", "scales-4x64").items():
        assert reached > 0.1 + ABOVE_CHANCE + 0.2
        assert reached > run_data.measure("test_accuracy", "scales-1x64")[seed]
        for guessing in ("nothing-4x64", "labels-4x64", "labels-1x64"):
            assert run_data.measure("test_accuracy", guessing)[seed] < 0.25
        shares = [run_data.measure(share_name(bound), "scales-4x64")[seed] for bound in BOUNDS]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert shares[BOUNDS.index(NEAR_ZERO)] < 0.2
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    assert claims["scale and shift alone learn"].status is Status.SHOWN
    assert claims["more with width"].status is Status.SHOWN
    for claim in verdict.claims[:3]:
        control = claim.criteria[0].control
        assert control is not None
        assert not control.missing
        assert len(control.seeds) == 3
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    assert [len(figure.lines) for figure in PHENOMENON.figures(run_data)] == [6, 3, 3, 5]  # type: ignore[union-attr]


def _measured(run_data: RunData) -> dict[str, list[str]]:
    """Return the measures to the last bit (there are NaN among them), in an order that does not tell who came first."""
    return {name: sorted(map(repr, named.items())) for name, named in run_data.measures.items()}


@pytest.mark.parametrize("polls", [1, 5, "last"])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], polls: int | str
) -> None:
    whole = make_context(PHENOMENON, **TINY)
    expected = whole.run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=whole.polls - 1 if polls == "last" else polls, **TINY)
    assert not stopped.run(PHENOMENON).stages
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.stages == expected.stages
    assert _measured(resumed) == _measured(expected)
    assert PHENOMENON.figures(resumed)[0] == PHENOMENON.figures(expected)[0]


def test_more_seeds_are_trained_in_groups_and_a_seed_is_the_same_in_each(
    run_phenomenon: Callable[..., RunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block of `verify` is judged by its own seeds: company must not change them (but for rounding)."""
    together = run_phenomenon(PHENOMENON, **TINY | {"seeds": 3})
    monkeypatch.setattr("genlab_tui.phenomena.batch_norm_only.cost.at_once", lambda each, device: 2)
    apart = run_phenomenon(PHENOMENON, **TINY | {"seeds": 3})
    assert list(apart.stages) == ["seeds 7000 to 7001", "seed 7002"]
    for member, value in together.measures["test_accuracy"].items():
        assert apart.measures["test_accuracy"][member] == pytest.approx(value, abs=0.021), member  # one of 50 images


def test_a_residual_network(run_phenomenon: Callable[..., RunData]) -> None:
    """Everything is measured, and a network that trains nothing guesses."""
    values = {"network": "resnet", "layers": "8 14", "lrs": "0.01", "n": 64, "test": 50, "epochs": 1, "batch": 32}
    run_data = run_phenomenon(PHENOMENON, seeds=1, data="digits", first_seed=7000, values=values)
    names = {arm.name for arm in run_data.arms}
    assert {name for name, _ in run_data.measures["test_accuracy"]} == names
    assert names >= {"scales-8", "random-14", "full-14", "labels-8", "second-14", "nothing-14"}
    assert {name for name, _ in run_data.measures[share_name(NEAR_ZERO)]} == {
        f"{kind}-{depth}" for kind in ("scales", "full", "labels") for depth in (8, 14)
    }
    assert run_data.measure("test_accuracy", "nothing-14")[7000] < 0.4


@pytest.mark.full
@pytest.mark.parametrize(("preset", "at_least"), [("quick", Status.SHOWN), ("shallow", None)])
def test_a_whole_preset(run_phenomenon: Callable[..., RunData], preset: str, at_least: Status | None) -> None:
    """Learning and growth in any case; the lead over as many random weights only in deep networks, and there thin."""
    run_data = run_phenomenon(PHENOMENON, preset=preset, first_seed=7100)
    claims = {claim.name: claim for claim in judge(PHENOMENON, run_data.spec, run_data).claims}
    first, grows, lead = (claim for claim in claims.values() if claim.main)
    assert first.status is Status.SHOWN
    assert grows.status is Status.SHOWN
    assert lead.status is not Status.INCONCLUSIVE
    if at_least is None:
        assert lead.status is Status.NOT_SHOWN
