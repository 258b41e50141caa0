"""Layers really put back, in the lab's own way: trained, replaced, scored, judged by the declared claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genlab_tui.phenomena._layer_robustness.config import (
    CRITICAL,
    DESTROYED,
    DROP,
    FINAL,
    HARMLESS,
    LARGEST,
    MOVED,
    OTHER,
    RAND,
    START,
    TRAINED,
    arm_of,
)
from genlab_tui.phenomena._layer_robustness.numbers import drops, layer_names
from genlab_tui.phenomena.layer_robustness import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, judge

MAIN = ("any layer drawn anew destroys the network", "a layer put back to its start is nearly harmless")
SEEDS = 3
SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 1000, "epochs": 30, "batch": 32, "checkpoints": "1 8"},
    "first_seed": 7000,  # seeds that no pilot used
}
TINY: dict[str, Any] = {
    "data": "digits",
    "values": {"network": "mlp-4x128", "n": 100, "test": 50, "epochs": 5, "checkpoints": "1 3"},
    "seeds": 2,
    "first_seed": 7000,
}


def test_digits_survive_old_layers_and_no_new_ones(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, seeds=SEEDS, **SMALL)

    assert layer_names(run_data) == ["fc1", "fc2", "fc3", "fc4"]
    assert min(run_data.measure("train_accuracy", FINAL).values()) >= TRAINED
    whole = run_data.measure("test_accuracy", FINAL)
    assert set(whole) == set(run_data.seeds)
    for seed in run_data.seeds:
        assert min(drops(run_data, RAND)[seed]) >= 0.8 * (whole[seed] - 0.1)
        assert max(drops(run_data, START)[seed]) < CRITICAL
        assert max(map(abs, drops(run_data, "8")[seed])) < 0.03
        for layer in layer_names(run_data):
            lost = run_data.measure(DROP, arm_of(layer, START))[seed]
            left = run_data.measure("test_accuracy", arm_of(layer, START))[seed]
            assert lost + left == pytest.approx(whole[seed])
            assert 0 < run_data.measure(MOVED, layer)[seed] < 2
            assert run_data.measure(LARGEST, layer)[seed] > 0

    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    assert [claims[name].status for name in MAIN] == [Status.SHOWN] * 2
    for name, threshold in zip(MAIN, (DESTROYED, HARMLESS), strict=True):
        (control,) = [c.control for c in claims[name].criteria]
        assert control is not None
        assert not control.missing
        assert len(control.seeds) == SEEDS
        far = threshold - float(control.value or 0)
        assert far > 0.5 if name == MAIN[0] else far < -0.5, "a control is nowhere near to firing"

    assert {mark.text for mark in run_data.marks} == {"reached the last epoch"}
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    heat, by_layer, movement, learning = PHENOMENON.figures(run_data)
    assert [len(row) for row in heat.values] == [4] * 4  # type: ignore[union-attr]
    assert [len(figure.lines) for figure in (by_layer, movement, learning)] == [3, 2, 2]  # type: ignore[union-attr]


def _measured(run_data: RunData) -> dict[str, list[str]]:
    """Return the measures to the last bit (there are NaN among them), in an order that does not tell who came first."""
    return {name: sorted(map(repr, named.items())) for name, named in run_data.measures.items()}


@pytest.mark.parametrize("polls", [3, "scoring"], ids=["while training", "while scoring"])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], polls: int | str
) -> None:
    whole = make_context(PHENOMENON, **TINY)
    expected = whole.run(PHENOMENON)
    assert len(expected.measures[DROP]) == 2 * 5 * 5
    stopped = make_context(PHENOMENON, stop_after=whole.polls - 1 if polls == "scoring" else polls, **TINY)
    part = stopped.run(PHENOMENON)
    assert not part.stages
    assert DROP not in part.measures
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
    monkeypatch.setattr("genlab_tui.phenomena.layer_robustness.cost.at_once", lambda each, device: 2)
    apart = run_phenomenon(PHENOMENON, **TINY | {"seeds": 3})
    assert list(apart.stages) == ["seeds 7000 to 7001", "seed 7002"]
    for name in (MOVED, LARGEST, "test_accuracy", DROP):
        for member, value in together.measures[name].items():
            slack = 1e-4 if name in (MOVED, LARGEST) else 0.021  # one of 50 test images
            assert apart.measures[name][member] == pytest.approx(value, abs=slack), (name, member)


@pytest.mark.parametrize("arm", [FINAL, "epoch-1"])
def test_an_arm_launched_alone(run_phenomenon: Callable[..., RunData], arm: str) -> None:
    """The final network alone is put back to its start; a checkpoint alone has nothing to replace."""
    run_data = run_phenomenon(PHENOMENON, arms=(arm,), **TINY)
    assert (DROP in run_data.measures) == (arm == FINAL)
    if arm == FINAL:
        assert {name.split("@")[1] for name, _ in run_data.measures[DROP]} == {RAND, OTHER, START}


def test_a_residual_network(run_phenomenon: Callable[..., RunData]) -> None:
    """Its kernels one by one, with the batch norm behind them; nothing is missing."""
    values = {"network": "resnet-20", "n": 64, "test": 50, "epochs": 2, "checkpoints": "1", "batch": 32}
    run_data = run_phenomenon(PHENOMENON, seeds=1, data="digits", first_seed=7000, values=values)
    names = layer_names(run_data)
    assert len(names) == 20
    assert (names[0], names[-1]) == ("conv1", "fc1")
    assert {name for name, _ in run_data.measures[DROP]} == {
        arm_of(layer, source) for layer in names for source in (RAND, OTHER, START, "1")
    }


@pytest.mark.full
@pytest.mark.parametrize(
    ("preset", "status"), [("quick", Status.SHOWN), ("deep", Status.SHOWN), ("hard-data", Status.NOT_SHOWN)]
)
def test_a_whole_preset(run_phenomenon: Callable[..., RunData], preset: str, status: Status) -> None:
    run_data = run_phenomenon(PHENOMENON, preset=preset, first_seed=7100)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    assert verdict.status is status
    assert {claim.name: claim.status for claim in verdict.claims}[MAIN[0]] is Status.SHOWN
