"""Neural collapse: arms, refusals, verdicts on data made to pass, fail and be unclear; figures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.phenomena._neural_collapse.config import (
    ANGLES,
    COSINES,
    METRICS,
    MLP,
    NC1,
    NC3,
    NC4,
    NORMS,
    drops_of,
    fit_of,
)
from genlab_tui.phenomena.neural_collapse import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.verdict import Status, Verdict, judge

MAIN = "features collapse to their class means"
HALF = "NC1: spread within classes halves"
LENGTHS = "NC2: class means become equally long"
EQUAL = "NC2: class means spread to equal angles"
DUALITY = "NC3: output weights become the class means"
NEAREST = "NC4: the nearest class mean decides"
NEAREST_CONTROL = "NC4 without weight decay too"
HARDLY = "without weight decay hardly any collapse"
MORE = "the more weight decay, the more collapse"
HELPS = "training on after the last error helps on new data"

OWN, LESS, NONE = "wd-0.005", "wd-0.0005", "wd-0"
EPOCHS = 350.0

TEXTBOOK: Mapping[str, Mapping[str, float]] = {
    OWN: {NC1: 0.6, NORMS: 0.65, ANGLES: 1.1, NC3: 0.3, NC4: 0.0},
    LESS: {NC1: 0.8, NORMS: 0.9, ANGLES: 1.0, NC3: 0.8, NC4: 0.0},
    NONE: {NC1: 0.9, NORMS: 1.0, ANGLES: 1.0, NC3: 1.0, NC4: 0.001},
}
"""The end over the first epoch without an error; of NC4 the end itself."""


def _spec(data_set: str = "digits", seeds: int = 3, preset: str = "quick", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", "neural-collapse", config, preset=preset, data=data_set, seeds=seeds)


def _data(
    spec: RunSpec,
    changed: Mapping[tuple[str, str], float] | None = None,
    *,
    fit: Mapping[str, float] | None = None,
    gain: float = 0.002,
    only: int | None = None,
) -> RunData:
    """Return a run with the textbook's ratios, changed as given; in one seed alone if asked."""
    measures: dict[str, dict[tuple[str, int], float]] = {}

    def put(name: str, arm: str, seed: int, value: float) -> None:
        measures.setdefault(name, {})[arm, seed] = value

    for seed in spec.seed_list:
        own = only is None or seed == only
        for arm, ratios in TEXTBOOK.items():
            for name, ratio in ratios.items():
                value = (changed or {}).get((arm, name), ratio) if own else ratio
                start = {NC1: 0.3, NORMS: 0.2, ANGLES: 0.25, NC3: 0.6}.get(name, 1.0) * (1 + 0.01 * seed)
                put(name, fit_of(arm), seed, 0.02 if name == NC4 else start)
                put(name, arm, seed, value if name == NC4 else value * start)
            put("epochs", arm, seed, EPOCHS)
            put("epochs_to_fit", fit_of(arm), seed, (fit or {}).get(arm, 20.0) if own else 20.0)
            put("test_accuracy", fit_of(arm), seed, 0.96)
            put("test_accuracy", arm, seed, 0.96 + gain)
    return RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=measures)


def _judge(changed: Mapping[tuple[str, str], float] | None = None, **options: Any) -> Verdict:
    spec = _spec()
    return judge(PHENOMENON, spec, _data(spec, changed, **options))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


# --- arms, refusals, cost ---------------------------------------------------------------------------------------------


def test_arms_are_weight_decays_and_0_is_the_control() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == [OWN, LESS, NONE]
    assert [arm.control for arm in arms] == [False, False, True]


@pytest.mark.parametrize(
    ("data_set", "values", "words", "hint"),
    [
        ("digits", {"weight_decays": "0.005"}, "weight_decays lacks 0", "0.005 0"),
        ("digits", {"weight_decays": "0 0.005"}, "weight_decays begins with 0", "0.005 0"),
        ("digits", {"weight_decays": "0.005 0.005 0"}, "weight_decays has 0.005 twice", "0.005 0"),
        ("digits", {"n": 19}, "n = 19", "20"),
        ("digits", {"width": 8}, "width = 8", "9"),
        ("mnist1d", {"network": "resnet-18"}, "needs images", "image data set"),
        ("digits", {"epochs": 2}, "epochs = 2", "3"),
    ],
)
def test_what_makes_no_sense_is_said_before_launch(
    data_set: str, values: dict[str, Any], words: str, hint: str
) -> None:
    with pytest.raises(BadValue, match=words) as caught:
        PHENOMENON.arms_of(_spec(data_set, **values))
    assert hint in caught.value.hint


def test_data_sets_have_ten_classes_and_the_other_one_is_refused_with_a_reason() -> None:
    assert {data.DATASETS[name].classes for name in PHENOMENON.data} == {10}
    assert set(PHENOMENON.refused) == set(data.DATASETS) - set(PHENOMENON.data)


def test_regularisers_that_end_or_hide_the_terminal_phase_are_not_offered() -> None:
    assert not {"weight-decay", "augmentation", "early-stopping"} & set(PHENOMENON.regularisers)
    assert "label-smoothing" in PHENOMENON.regularisers


def test_the_steps_of_the_learning_rate_are_those_of_the_notebook() -> None:
    assert drops_of(PHENOMENON.make_config("paper")) == (116, 233)
    assert drops_of(PHENOMENON.make_config("quick")) == ()


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(data_set: str = "fashion-mnist", seeds: int = 3, **values: Any) -> float:
        spec = _spec(data_set, seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert seconds(n=5000) > plain
    assert seconds(epochs=700) > plain
    assert seconds(seeds=6) > plain
    assert seconds(weight_decays="0.005 0") < plain
    assert seconds(network="resnet-18") > seconds(network="cnn-5", channels=8) > plain
    spec = _spec()
    assert PHENOMENON.estimate(PHENOMENON.config_of(spec), dataclasses.replace(spec, arms=(OWN,))).members == 6


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid_and_fits_its_data(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    assert chosen.data in PHENOMENON.data
    assert chosen.seeds >= 3
    spec = _spec(chosen.data, chosen.seeds, preset)
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == 2 * len(arms) * chosen.seeds
    assert estimate.bytes > 0
    assert judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list)).status is Status.INCONCLUSIVE
    assert bool(chosen.gpu) == (preset == "paper")
    if preset == "quick":
        assert (config.network, config.n, config.epochs, chosen.seeds) == (MLP, 870, 350, 3)
        assert estimate.seconds < 120


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_the_textbook_of_a_small_perceptron_is_shown_and_its_side_lights_are_told_apart() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert [claim.name for claim in verdict.claims if claim.main] == [MAIN]
    assert _statuses(verdict) == {
        MAIN: Status.SHOWN,
        HALF: Status.NOT_SHOWN,
        LENGTHS: Status.SHOWN,
        EQUAL: Status.NOT_SHOWN,
        DUALITY: Status.SHOWN,
        NEAREST: Status.SHOWN,
        NEAREST_CONTROL: Status.SHOWN,
        HARDLY: Status.SHOWN,
        MORE: Status.SHOWN,
        HELPS: Status.NOT_SHOWN,  # two tenths of a point of 597 test samples are noise
    }
    (criterion,) = verdict.claims[0].criteria
    assert float(criterion.value or 0) == pytest.approx(0.6)
    assert criterion.control is not None
    assert float(criterion.control.value or 0) == pytest.approx(0.9)


def test_the_thresholds_are_where_they_are_said_to_be() -> None:
    for name, measure, threshold in (
        (MAIN, NC1, 0.75),
        (HALF, NC1, 0.5),
        (LENGTHS, NORMS, 0.7),
        (EQUAL, ANGLES, 0.7),
        (DUALITY, NC3, 0.5),
        (NEAREST, NC4, 0.005),
    ):
        for factor, status in ((0.99, Status.SHOWN), (1.01, Status.NOT_SHOWN)):
            assert _statuses(_judge({(OWN, measure): factor * threshold}))[name] is status, (name, factor)
    for value, status in ((0.86, Status.SHOWN), (0.84, Status.NOT_SHOWN)):
        assert _statuses(_judge({(NONE, NC1): value}))[HARDLY] is status


def test_no_collapse_is_not_shown() -> None:
    assert _judge({(OWN, NC1): 0.95}).status is Status.NOT_SHOWN


def test_a_control_that_collapses_too_makes_it_unclear() -> None:
    verdict = _judge({(NONE, NC1): 0.7})
    assert verdict.status is Status.INCONCLUSIVE
    assert "without weight decay" in verdict.claims[0].reason
    for value, status in ((0.8, Status.INCONCLUSIVE), (0.84, Status.INCONCLUSIVE), (0.86, Status.SHOWN)):
        assert _judge({(NONE, NC1): value}).status is status, "asked of it are 0.85, not the 0.75 of the effect"
    assert "more than 15 % counts as fired" in verdict.claims[0].statement


def test_the_nearest_class_mean_gates_nothing() -> None:
    """It fires without weight decay too: it is reported, the main claim does not hear of it."""
    for value in (0.0, 0.2):
        assert _judge({(NONE, NC4): value}).status is Status.SHOWN
    assert _statuses(_judge({(NONE, NC4): 0.2}))[NEAREST] is Status.SHOWN
    assert _statuses(_judge({(NONE, NC4): 0.2}))[NEAREST_CONTROL] is Status.NOT_SHOWN


@pytest.mark.parametrize("arm", [OWN, NONE])
@pytest.mark.parametrize("epochs", [math.nan, 234.0])
def test_a_training_error_after_two_thirds_makes_it_unclear(arm: str, epochs: float) -> None:
    """Of the arm, of its control, in one seed of three, late or never."""
    verdict = _judge(fit={arm: epochs}, only=1)
    assert verdict.status is Status.INCONCLUSIVE
    assert "until no training error" in verdict.claims[0].reason
    assert _judge(fit={arm: 233.0}, only=1).status is Status.SHOWN


def test_a_network_that_diverged_is_no_evidence() -> None:
    assert _judge({(OWN, NC1): math.nan}, only=1).status is Status.INCONCLUSIVE
    assert _judge({(NONE, NC1): math.nan}, only=1).status is Status.INCONCLUSIVE


def test_too_few_seeds_make_it_unclear() -> None:
    spec = _spec(seeds=2)
    assert judge(PHENOMENON, spec, _data(spec)).status is Status.INCONCLUSIVE


def test_order_of_weight_decays_and_gain_of_test_accuracy() -> None:
    assert _statuses(_judge({(LESS, NC1): 0.95}))[MORE] is Status.NOT_SHOWN
    for diverged in (OWN, LESS, NONE):  # wherever among the ratios the missing number is
        assert _statuses(_judge({(diverged, NC1): math.nan}))[MORE] is Status.INCONCLUSIVE
        spec = _spec()
        made = _data(spec, {(diverged, NC1): math.nan}, only=1)
        claims = PHENOMENON.claims(PHENOMENON.config_of(spec), spec)
        (more,) = (claim.criteria[0].effect for claim in claims if claim.name == MORE)
        assert math.isnan(more.measure(made)[1]), diverged
    assert _statuses(_judge(gain=0.03))[HELPS] is Status.SHOWN
    assert _statuses(_judge(gain=-0.01))[HELPS] is Status.NOT_SHOWN
    spec = _spec(weight_decays="0.005 0")
    assert MORE not in _statuses(judge(PHENOMENON, spec, _data(spec)))


def test_claims_without_their_arms_are_left_out() -> None:
    spec = dataclasses.replace(_spec(), arms=(OWN,))
    verdict = judge(PHENOMENON, spec, _data(spec))
    assert set(_statuses(verdict)) == {HALF, LENGTHS, EQUAL, DUALITY, NEAREST, HELPS}
    assert verdict.status is Status.INCONCLUSIVE


def test_a_replica_is_judged_by_its_own_seeds() -> None:
    spec = _spec(seeds=6)
    run_data = _data(spec, fit={OWN: math.nan}, only=4)
    good, bad = run_data.of_seeds(range(3)), run_data.of_seeds(range(3, 6))
    assert judge(PHENOMENON, good.spec, good).status is Status.SHOWN
    assert judge(PHENOMENON, bad.spec, bad).status is Status.INCONCLUSIVE


# --- figures ----------------------------------------------------------------------------------------------------------


def _drawn() -> RunData:
    run_data = _data(_spec())
    step = np.array([0.0, 7.0, 140.0, 2450.0])
    curves: dict[str, dict[tuple[str, int], Curve]] = {}
    heats = {}
    for seed in run_data.seeds:
        for arm in (OWN, LESS, NONE):
            for place, metric in enumerate((*METRICS, "test_accuracy")):
                value = np.array([4.0, 2.0, 1.0, 0.0 if metric == NC4 else 0.5]) * (1 + 0.1 * seed + place)
                curves.setdefault(metric, {})[arm, seed] = Curve(step, step / 7, step, value)
                curves[metric][fit_of(arm), seed] = Curve(step[:3], step[:3] / 7, step[:3], value[:3])
            rows = tuple(tuple(1.0 if i == j else -0.1 * (seed + 1) for j in range(10)) for i in range(10))
            ticks = tuple(map(str, range(10)))
            heats[arm, seed] = ev.Heat(name=COSINES, arm=arm, seed=seed, x_ticks=ticks, y_ticks=ticks, values=rows)
    return dataclasses.replace(run_data, curves=curves, heats={COSINES: heats})


def test_numbers_over_epochs_with_the_first_epoch_without_an_error_marked() -> None:
    figures = {figure.name: figure for figure in PHENOMENON.figures(_drawn())}
    assert set(PHENOMENON.panels) <= set(figures)
    for name in ("nc1", "nc2-norms", "nc2-angles", "nc3"):
        figure = figures[name]
        assert isinstance(figure, Figure)
        assert figure.log_y
        assert [line.label for line in figure.lines] == [f"weight decay {v}" for v in ("0.005", "0.0005", "0")]
        assert all(line.low and min(line.low) > 0 for line in figure.lines)
        assert {line.x[0] for line in figure.lines} == {1.0}, "what comes before takes most of the axis"
        assert {(tick.x, tick.count) for tick in figure.ticks} == {(20.0, 3)}
        assert "weight decay: L2 in the loss" in figure.note
    nearest = figures["nc4"]
    assert isinstance(nearest, Figure)
    assert not nearest.log_y, "it is 0 where the collapse is complete"
    assert nearest.lines[0].y[-1] == 0.0


def test_the_heat_map_is_the_mean_over_seeds_beside_the_ideal() -> None:
    run_data = _drawn()
    for name in ("cosines", "cosines-control"):
        heat = next(figure for figure in PHENOMENON.figures(run_data) if figure.name == name)
        assert isinstance(heat, HeatMap)
        assert heat.x_ticks[-1] == "ideal"
        assert heat.values[2][3] == pytest.approx(-0.2)
        assert heat.values[2][-1] == pytest.approx(-1 / 9)
        assert math.isnan(heat.values[2][2]), "1 by definition: it would take all the colours"
        assert {len(row) for row in heat.values} == {len(heat.x_ticks)} == {12}
    block = run_data.of_seeds((1,))
    heat = next(figure for figure in PHENOMENON.figures(block) if figure.name == "cosines")
    assert isinstance(heat, HeatMap)
    assert heat.values[0][1] == pytest.approx(-0.2)


def test_half_of_the_data_does_not_break_the_figures() -> None:
    spec = _spec()
    for figure in PHENOMENON.figures(RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)):
        assert figure.values == () if isinstance(figure, HeatMap) else figure.lines == ()


def test_nothing_unverified_is_called_published() -> None:
    spec = _spec()
    for claim in PHENOMENON.claims(PHENOMENON.config_of(spec), spec):
        assert all(criterion.published is None for criterion in claim.criteria)
    unverified = {field.name for field in PHENOMENON.params() if field.unverified}
    assert unverified == {"weight_decays", "lr", "decay"}
