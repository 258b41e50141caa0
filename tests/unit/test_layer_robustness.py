"""Layer robustness: arms, refusals, verdicts on data made to pass, fail and be unclear; figures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch

from genlab_tui import data
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.phenomena._layer_robustness.config import (
    DROP,
    FINAL,
    LARGEST,
    LAYERS,
    MOVED,
    OTHER,
    PARAMETERS,
    RAND,
    START,
    arm_of,
)
from genlab_tui.phenomena.layer_robustness import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, Verdict, judge

DESTROYED = "any layer drawn anew destroys the network"
HARMLESS = "a layer put back to its start is nearly harmless"
BOTH_KINDS = "critical and robust layers side by side"
CONTRAST = "fifty points between fresh and initial values"
FIRST = "the first layer is the critical one"
MOVEMENT = "movement does not predict what is critical"

WHOLE = 0.97
"""Test accuracy of the made-up network; chance is 0.1."""

TEXTBOOK: Mapping[str, Sequence[float]] = {
    RAND: (0.85, 0.86, 0.87, 0.86),
    OTHER: (0.84, 0.87, 0.86, 0.85),
    START: (0.010, 0.030, 0.012, 0.008),
    "1": (0.006, 0.012, 0.006, 0.004),
    "8": (0.001, 0.002, 0.0, -0.001),
    "40": (0.0, 0.001, 0.0, 0.0),
}
MOVES = (0.3, 0.1, 0.2, 0.4)


def _spec(data_set: str = "digits", seeds: int = 5, preset: str = "quick", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", "layer-robustness", config, preset=preset, data=data_set, seeds=seeds)


def _data(
    spec: RunSpec,
    *,
    train: float = 1.0,
    whole: float = WHOLE,
    moves: Sequence[float] = MOVES,
    only: int | None = None,
    **changed: Sequence[float],
) -> RunData:
    """Return a run with the textbook's drops, changed as given (`start`, `rand`, ...); in one seed alone if asked."""
    measures: dict[str, dict[tuple[str, int], float]] = {}

    def put(name: str, arm: str, seed: int, value: float) -> None:
        measures.setdefault(name, {})[arm, seed] = value

    names = {"start": START, "rand": RAND, "other": OTHER, "last": "40"}
    given = {names[key]: row for key, row in changed.items()}
    for seed in spec.seed_list:
        own = only is None or seed == only
        wobble = (-0.002, 0.001, 0.0, 0.002, -0.001)[seed % 5]
        put("train_accuracy", FINAL, seed, train if own else 1.0)
        put("test_accuracy", FINAL, seed, whole)
        for k, moved in enumerate(moves, start=1):
            put(MOVED, f"fc{k}", seed, moved)
            put(LARGEST, f"fc{k}", seed, moved / 2)
        for source, row in {**TEXTBOOK, **(given if own else {})}.items():
            for k, drop in enumerate(row, start=1):
                put(DROP, arm_of(f"fc{k}", source), seed, drop + (wobble if source == START else 0.0))
    return RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=measures)


def _judge(spec: RunSpec | None = None, **changes: Any) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _data(spec, **changes))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


# --- arms and cost ----------------------------------------------------------------------------------------------------


def test_arms_are_the_network_at_its_end_and_at_checkpoints() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == [FINAL, "epoch-1", "epoch-2", "epoch-3", "epoch-8", "epoch-40"]
    assert [arm.factors["epochs"] for arm in arms] == [100, 1, 2, 3, 8, 40]
    again = PHENOMENON.arms_of(_spec(checkpoints="8 0 1 8"))
    assert [arm.name for arm in again] == [FINAL, "epoch-1", "epoch-8"]


@pytest.mark.parametrize(
    ("data_set", "values", "words"),
    [
        ("digits", {"checkpoints": "1 100"}, "checkpoints = 100 is not before the end at 100 epochs"),
        ("digits", {"checkpoints": "0"}, "has none after epoch 0"),
        ("mnist1d", {"network": "resnet-20"}, "resnet-20 needs images"),
        ("mnist1d", {"network": "vgg-11"}, "vgg-11 needs images"),
        ("digits", {"network": "vgg-11", "init": "torch"}, "has an initialiser of its own"),
        ("digits", {"draws": 4}, "draws = 4 is outside its bounds"),
        ("digits", {"network": "mlp-3x255"}, "mlp-3x256"),
    ],
)
def test_what_makes_no_sense_is_said_before_launch(data_set: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(GenlabError, match=r"(?s).*") as caught:
        PHENOMENON.arms_of(_spec(data_set, **values))
    assert isinstance(caught.value, BadValue)
    assert words in str(caught.value) or words in str(vars(caught.value))


def test_data_sets_have_ten_classes_and_the_other_one_is_refused_with_a_reason() -> None:
    assert set(PHENOMENON.data) <= set(data.DATASETS)
    assert {data.DATASETS[name].classes for name in PHENOMENON.data} == {10}
    assert set(PHENOMENON.refused) == set(data.DATASETS) - set(PHENOMENON.data)


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(data_set: str = "fashion-mnist", seeds: int = 5, **values: Any) -> float:
        spec = _spec(data_set, seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert seconds(n=5000) > plain
    assert seconds(epochs=200) > plain
    assert seconds(seeds=10) > plain
    assert seconds(draws=50) > plain
    assert seconds(checkpoints="1 90") > plain > seconds(checkpoints="1")
    assert seconds(network="resnet-18") > seconds(network="resnet-20") > plain
    spec = _spec()
    counted = PHENOMENON.estimate(PHENOMENON.config_of(spec), dataclasses.replace(spec, arms=(FINAL, "epoch-8")))
    assert counted.members == 10
    assert counted.bytes < PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).bytes


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid_and_fits_its_data(preset: str) -> None:
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
    assert bool(chosen.gpu) == (config.network in PARAMETERS), "networks that need a GPU say so"
    if config.network in PARAMETERS or chosen.data == "mnist":
        assert "nverified" in chosen.note, "what no readable source states is labelled"


def test_the_batch_norm_policy_is_stated() -> None:
    assert "running statistics" in PHENOMENON.presets["resnet-18"].note
    assert "running statistics" in PHENOMENON.explanation
    assert any("running statistics" in figure.note for figure in PHENOMENON.figures(_data(_spec())))
    assert "early-stopping" not in PHENOMENON.regularisers, "its best weights are no checkpoint's future"


@pytest.mark.parametrize("network", ["vgg-11", "resnet-18", "resnet-20"])
def test_what_the_estimate_knows_of_networks(network: str) -> None:
    from genlab_tui.models.networks import build

    with torch.device("meta"):
        module = build(network, (3, 32, 32), 10)
    parameters = list(module.parameters())
    assert sum(p.dim() > 1 for p in parameters) == LAYERS[network]
    assert sum(p.numel() for p in parameters) == pytest.approx(PARAMETERS[network], rel=0.02)


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_the_textbook_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert [claim.name for claim in verdict.claims if claim.main] == [DESTROYED, HARMLESS]
    assert _statuses(verdict) == {
        DESTROYED: Status.SHOWN,
        HARMLESS: Status.SHOWN,
        BOTH_KINDS: Status.NOT_SHOWN,
        CONTRAST: Status.SHOWN,
        FIRST: Status.NOT_SHOWN,
        MOVEMENT: Status.SHOWN,
    }
    numbers = {c.name: float(c.value or 0) for claim in verdict.claims for c in claim.criteria}
    assert numbers["least drop with a layer drawn anew, of the gap to chance"] == pytest.approx(0.85 / 0.87)
    assert numbers["largest drop with a layer's initial values, of that with fresh ones"] == pytest.approx(0.03 / 0.86)
    controls = [c.control for claim in verdict.claims if claim.main for c in claim.criteria]
    assert all(control and not control.fired and not control.missing for control in controls)


def test_one_layer_decides_both_main_claims() -> None:
    spared = _statuses(_judge(rand=(0.85, 0.86, 0.70, 0.86)))
    assert (spared[DESTROYED], spared[HARMLESS]) == (Status.NOT_SHOWN, Status.SHOWN)
    hard = _judge(start=(0.05, 0.30, 0.10, 0.05))
    assert _statuses(hard)[HARMLESS] is Status.NOT_SHOWN
    assert _statuses(hard)[DESTROYED] is Status.SHOWN
    assert hard.status is Status.NOT_SHOWN


def test_the_thresholds_are_where_they_are_said_to_be() -> None:
    """0.9 of the gap of 0.87; a quarter of the drop with fresh values."""
    assert _statuses(_judge(rand=(0.784,) * 4))[DESTROYED] is Status.SHOWN
    assert _statuses(_judge(rand=(0.782,) * 4))[DESTROYED] is Status.NOT_SHOWN
    assert _statuses(_judge(start=(0.01, 0.210, 0.01, 0.01)))[HARMLESS] is Status.SHOWN
    assert _statuses(_judge(start=(0.01, 0.220, 0.01, 0.01)))[HARMLESS] is Status.NOT_SHOWN


@pytest.mark.parametrize("seed", [None, 3])
def test_a_network_that_did_not_train_makes_everything_unclear(seed: int | None) -> None:
    verdict = _judge(train=0.98, only=seed)
    assert set(_statuses(verdict).values()) == {Status.INCONCLUSIVE}
    assert "training accuracy" in verdict.claims[0].reason


def test_a_control_that_fires_makes_its_claim_unclear() -> None:
    """Replacing anything destroys: not the fresh draw does it. Any start is harmless: nothing was replaced."""
    last = _statuses(_judge(last=(0.85,) * 4))
    assert (last[DESTROYED], last[HARMLESS]) == (Status.INCONCLUSIVE, Status.SHOWN)
    other = _judge(other=(0.01, 0.02, 0.01, 0.01))
    assert _statuses(other)[HARMLESS] is Status.INCONCLUSIVE
    assert _statuses(other)[DESTROYED] is Status.SHOWN
    assert other.status is Status.INCONCLUSIVE


def test_too_few_seeds_make_it_unclear() -> None:
    assert _judge(_spec(seeds=2)).status is Status.INCONCLUSIVE


def test_fresh_values_that_cost_nothing_are_no_measure() -> None:
    assert _statuses(_judge(rand=(0.85, 0.0, 0.85, 0.85)))[HARMLESS] is Status.INCONCLUSIVE
    assert _statuses(_judge(whole=0.1))[DESTROYED] is Status.INCONCLUSIVE


def test_what_layers_differ_in() -> None:
    paper = _statuses(_judge(start=(0.30, 0.02, 0.003, 0.004), moves=(0.2, 0.4, 0.1, 0.3)))
    assert (paper[BOTH_KINDS], paper[FIRST], paper[MOVEMENT]) == (Status.SHOWN,) * 3
    middle = _statuses(_judge(start=(0.02, 0.30, 0.004, 0.003)))
    assert (middle[BOTH_KINDS], middle[FIRST]) == (Status.SHOWN, Status.NOT_SHOWN)
    second_too = _statuses(_judge(start=(0.20, 0.30, 0.004, 0.003)))
    assert second_too[FIRST] is Status.NOT_SHOWN
    none_robust = _statuses(_judge(start=(0.20, 0.30, 0.15, 0.2), rand=(0.85,) * 4))
    assert (none_robust[BOTH_KINDS], none_robust[CONTRAST]) == (Status.NOT_SHOWN, Status.SHOWN)
    predicted = _statuses(_judge(start=(0.1, 0.2, 0.3, 0.4), moves=(0.1, 0.2, 0.3, 0.4)))
    assert predicted[MOVEMENT] is Status.NOT_SHOWN
    assert _statuses(_judge(rand=(0.5,) * 4))[CONTRAST] is Status.NOT_SHOWN


def test_a_replica_is_judged_by_its_own_seeds() -> None:
    spec = _spec(seeds=10)
    run_data = _data(spec, only=7, train=0.5)
    good, bad = run_data.of_seeds(range(5)), run_data.of_seeds(range(5, 10))
    assert judge(PHENOMENON, good.spec, good).status is Status.SHOWN
    assert judge(PHENOMENON, bad.spec, bad).status is Status.INCONCLUSIVE


def test_claims_without_their_arms_are_left_out() -> None:
    spec = dataclasses.replace(_spec(), arms=(FINAL, "epoch-8"))
    verdict = judge(PHENOMENON, spec, _data(spec))
    assert DESTROYED not in _statuses(verdict)
    assert _statuses(verdict)[HARMLESS] is Status.SHOWN


# --- figures ----------------------------------------------------------------------------------------------------------


def test_the_heat_map_has_a_row_a_layer_and_a_column_a_source() -> None:
    heat, by_layer, movement, learning = PHENOMENON.figures(_data(_spec()))
    assert isinstance(heat, HeatMap)
    assert heat.y_ticks == ("fc1", "fc2", "fc3", "fc4")
    assert heat.x_ticks == ("rand", *(f"epoch {t}" for t in (0, 1, 2, 3, 8, 40)))
    assert heat.values[1][0] == pytest.approx(86)
    assert heat.values[1][1] == pytest.approx(3.0)
    assert heat.values[0][2] == pytest.approx(0.6)
    assert math.isnan(heat.values[0][3]), "epoch 2 was not measured"
    for figure in (by_layer, movement, learning):
        assert isinstance(figure, Figure)
    assert isinstance(by_layer, Figure)
    assert [line.label for line in by_layer.lines] == ["fresh draw", "another network's start", "its own start"]
    assert by_layer.lines[2].x == (1, 2, 3, 4)
    assert {round(r.value, 6) for r in by_layer.references} == {87.0, 10.0, 1.0}
    assert isinstance(movement, Figure)
    assert [line.y for line in movement.lines] == [MOVES, tuple(m / 2 for m in MOVES)]


def test_half_of_the_data_does_not_break_the_figures() -> None:
    spec = _spec()
    empty = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)
    heat, by_layer, movement, learning = PHENOMENON.figures(empty)
    assert isinstance(heat, HeatMap)
    assert (heat.values, heat.y_ticks) == ((), ())
    assert all(isinstance(f, Figure) and not f.lines for f in (by_layer, movement, learning))
