"""Mode connectivity: arms, refusals, verdicts on data made to pass, fail and be unclear; figures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.figure import Figure
from genlab_tui.phenomena._mode_connectivity.claims import stable_from
from genlab_tui.phenomena._mode_connectivity.config import (
    AGAIN,
    CHANGED,
    DISTANCE,
    FIRST,
    LOSS,
    MATCHED,
    OTHER,
    PARAMETERS,
    PERCEPTRON,
    SHUFFLED,
    TEST,
    TRAIN,
    steps_of,
)
from genlab_tui.phenomena.mode_connectivity import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.verdict import Status, Verdict, judge

BASINS = "copies from one start end in one basin, independent networks do not"
TRAINING = "so it is on the training samples"
NAMES = "much of the barrier is permutation symmetry"
LATER = "unstable at the start, stable once enough steps are shared"

TEXTBOOK: Mapping[str, float] = {
    "k-0": 0.4,
    "k-1": 0.3,
    "k-10": 0.2,
    "k-100": 0.0,
    AGAIN: 0.5,
    OTHER: 12.0,
    MATCHED: 2.0,
    SHUFFLED: 11.5,
}
"""Barriers in points."""

UNSTABLE: Mapping[str, float] = {"k-0": 14.0, "k-1": 12.0, "k-10": 1.5, "k-100": 0.5, AGAIN: 13.0, OTHER: 40.0}


def _spec(data_set: str = "digits", seeds: int = 5, preset: str = "quick", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", "mode-connectivity", config, preset=preset, data=data_set, seeds=seeds)


def _data(
    spec: RunSpec,
    *,
    train: float = 1.0,
    distance: float = 0.3,
    changed: float = 0.0,
    only: int | None = None,
    training: Mapping[str, float] | None = None,
    **barriers: float,
) -> RunData:
    """Return a run with the textbook's barriers, changed as given (`k_0`, ...); in one seed alone if asked."""
    measures: dict[str, dict[tuple[str, int], float]] = {}
    curves: dict[str, dict[tuple[str, int], Curve]] = {}
    arms = PHENOMENON.arms_of(spec)
    launched = {arm.name for arm in arms} | {MATCHED, SHUFFLED}
    places = np.linspace(0, 1, 5)

    def put(name: str, arm: str, seed: int, value: float) -> None:
        measures.setdefault(name, {})[arm, seed] = value

    given = {name.replace("_", "-"): value for name, value in barriers.items()}
    for seed in spec.seed_list:
        own = only is None or seed == only
        wobble = (-0.1, 0.05, 0.0, 0.1, -0.05)[seed % 5]
        for arm in arms:
            put("train_accuracy", arm.name, seed, train if own else 1.0)
        for arm, value in {**TEXTBOOK, **(given if own else {})}.items():
            if arm not in launched:
                continue
            barrier = value + (wobble if value else 0.0)
            put(TEST, arm, seed, barrier)
            put(TRAIN, arm, seed, ((training or {}).get(arm, value)) + (wobble if value else 0.0))
            put(LOSS, arm, seed, barrier / 10)
            put(DISTANCE, arm, seed, distance if own else 0.3)
            if arm in (MATCHED, SHUFFLED):
                put(CHANGED, arm, seed, changed if own else 0.0)
            errors = 0.05 + barrier / 100 * 4 * places * (1 - places)
            for metric in ("path_test_error", "path_train_error"):
                curve = Curve(np.arange(5.0), places, np.zeros(5), errors)
                curves.setdefault(metric, {})[arm, seed] = curve
    return RunData(spec, arms, spec.seed_list, curves, measures)


def _judge(spec: RunSpec | None = None, **changes: Any) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _data(spec, **changes))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


def _named(barriers: Mapping[str, float]) -> dict[str, float]:
    return {name.replace("-", "_"): value for name, value in barriers.items()}


# --- arms and cost ----------------------------------------------------------------------------------------------------


def test_arms_are_a_network_its_copies_and_the_controls() -> None:
    arms = PHENOMENON.arms_of(_spec(forks="100 0 10"))
    assert [arm.name for arm in arms] == [FIRST, "k-0", "k-10", "k-100", AGAIN, OTHER]
    assert [arm.factors["fork"] for arm in arms if arm.factors] == [0, 10, 100]
    assert [arm.name for arm in arms if arm.control] == [AGAIN, OTHER]


@pytest.mark.parametrize(
    ("data_set", "values", "words"),
    [
        ("digits", {"forks": "1 10"}, "nearest valid value: 0 1 10"),
        ("digits", {"forks": "0 800"}, "nearest valid value: 799"),
        ("digits", {"forks": "0 10 10"}, "forks has 10 twice"),
        ("mnist1d", {"network": "resnet-20"}, "resnet-20 needs images"),
        ("digits", {"network": "lenet"}, "lenet needs images of at least 16x16"),
        ("digits", {"places": 2}, "places = 2 is outside its bounds"),
    ],
)
def test_what_makes_no_sense_is_said_before_launch(data_set: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(GenlabError, match=r"(?s).*") as caught:
        PHENOMENON.arms_of(_spec(data_set, **values))
    assert isinstance(caught.value, BadValue)
    assert words in str(caught.value) or words in str(vars(caught.value))


@pytest.mark.parametrize("n", [1, 2, 59, 60, 61, 62, 121, 1200])
def test_steps_are_those_of_the_engine(n: int) -> None:
    from genlab_tui.training.batches import bounds

    config = PHENOMENON.make_config("quick", {"epochs": 3})
    assert steps_of(config, n) == 3 * len(bounds(n, config.batch))


def test_every_data_set_is_taken_or_refused() -> None:
    assert set(PHENOMENON.data) | set(PHENOMENON.refused) == set(data.DATASETS)


def test_what_would_couple_or_part_copies_is_no_regulariser_here() -> None:
    assert not {"dropout", "early-stopping", "batch-norm"} & set(PHENOMENON.regularisers)


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid_and_fits_its_data(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    assert chosen.data in PHENOMENON.data
    assert chosen.seeds >= 3
    assert set(chosen.regularisers) <= set(PHENOMENON.regularisers)
    spec = _spec(chosen.data, chosen.seeds, preset)
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == len(arms) * chosen.seeds
    assert estimate.bytes > 0
    assert judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list)).status is Status.INCONCLUSIVE
    if preset == "quick":
        assert estimate.seconds < 30
    if config.network in PARAMETERS or chosen.data == "mnist":
        assert chosen.gpu
        assert "nverified" in chosen.note, "what no readable source states is labelled"


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(data_set: str = "fashion-mnist", seeds: int = 5, **values: Any) -> float:
        spec = _spec(data_set, seeds, **{"n": 5000, **values})
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert seconds(n=10_000) > plain
    assert seconds(epochs=80) > plain
    assert seconds(seeds=10) > plain
    assert seconds(places=200) > plain
    assert seconds(forks="0 1 2 3 4 5 6") > plain > seconds(forks="0")
    assert seconds(network="resnet-20") > plain
    spec = _spec()
    counted = PHENOMENON.estimate(PHENOMENON.config_of(spec), dataclasses.replace(spec, arms=(FIRST, "k-0")))
    assert counted.members == 10


@pytest.mark.parametrize("network", list(PARAMETERS))
def test_what_the_estimate_knows_of_networks(network: str) -> None:
    from genlab_tui.models.networks import build

    module = build(network, (1, 28, 28) if network == "lenet" else (3, 32, 32), 10)
    assert sum(p.numel() for p in module.parameters()) == pytest.approx(PARAMETERS[network], rel=0.02)


def test_policies_are_stated() -> None:
    text = PHENOMENON.explanation
    assert "nothing is restarted" in text
    assert "Networks with batch norm get their statistics anew" in text
    assert "statistics" in PHENOMENON.presets["resnet-20"].note


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_the_textbook_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert [claim.name for claim in verdict.claims if claim.main] == [BASINS]
    assert _statuses(verdict) == {
        BASINS: Status.SHOWN,
        TRAINING: Status.SHOWN,
        NAMES: Status.SHOWN,
        LATER: Status.INCONCLUSIVE,
    }
    numbers = {c.name: float(c.value or 0) for claim in verdict.claims for c in claim.criteria}
    assert numbers["test barrier of copies from one start"] == pytest.approx(0.4)
    assert numbers["test barrier of independent starts minus that of copies from one start"] == pytest.approx(11.6)
    assert numbers["share of the test barrier that matching hidden units takes away"] == pytest.approx(5 / 6, abs=0.01)
    controls = [c.control for claim in verdict.claims if claim.main for c in claim.criteria]
    assert len(controls) == 2
    assert all(control and not control.fired and not control.missing for control in controls)


def test_the_thresholds_are_where_they_are_said_to_be() -> None:
    assert _statuses(_judge(k_0=1.95, independent=20.0))[BASINS] is Status.SHOWN
    assert _statuses(_judge(k_0=2.05, independent=20.0))[BASINS] is Status.NOT_SHOWN
    assert _statuses(_judge(k_0=0.0, independent=4.2))[BASINS] is Status.SHOWN
    assert _statuses(_judge(k_0=0.0, independent=3.8))[BASINS] is Status.NOT_SHOWN
    assert _statuses(_judge(matched=5.9))[NAMES] is Status.SHOWN
    assert _statuses(_judge(matched=6.2))[NAMES] is Status.NOT_SHOWN


def test_no_barrier_at_all_is_no_division_by_zero() -> None:
    found = _statuses(_judge(**_named(dict.fromkeys(TEXTBOOK, 0.0))))
    assert found[BASINS] is Status.INCONCLUSIVE, "independent networks count as connected: the control fires"
    assert found[NAMES] is Status.INCONCLUSIVE, "there is nothing to take away"


def test_a_control_that_fires_makes_the_claim_unclear() -> None:
    connected = _judge(independent=1.0)
    assert connected.status is Status.INCONCLUSIVE
    assert "independent networks" in connected.claims[0].reason
    other_pair = _judge(again=9.0)
    assert other_pair.status is Status.INCONCLUSIVE
    assert "another pair of copies" in other_pair.claims[0].reason
    assert _statuses(_judge(shuffled=2.0))[NAMES] is Status.INCONCLUSIVE


@pytest.mark.parametrize("seed", [None, 3])
def test_networks_that_did_not_train_have_no_basin(seed: int | None) -> None:
    verdict = _judge(train=0.85, only=seed)
    assert verdict.status is Status.INCONCLUSIVE
    assert "training accuracy" in verdict.claims[0].reason


@pytest.mark.parametrize("seed", [None, 3])
def test_copies_that_do_not_differ_show_nothing(seed: int | None) -> None:
    """The same order twice: no barrier, and no evidence."""
    verdict = _judge(distance=0.0, only=seed)
    assert verdict.status is Status.INCONCLUSIVE
    assert "distance of the copies" in verdict.claims[0].reason


def test_a_permutation_that_changes_the_function_makes_matching_unclear() -> None:
    found = _statuses(_judge(changed=0.5, only=2))
    assert (found[NAMES], found[BASINS]) == (Status.INCONCLUSIVE, Status.SHOWN)


def test_a_diverged_network_is_no_evidence() -> None:
    assert _judge(k_0=math.nan).status is Status.INCONCLUSIVE
    assert _judge(independent=math.nan, only=1).status is Status.INCONCLUSIVE, "one seed's control has no number"


def test_training_error_is_judged_beside_test_error() -> None:
    found = _statuses(_judge(training={"k-0": 6.0}))
    assert (found[BASINS], found[TRAINING]) == (Status.SHOWN, Status.NOT_SHOWN)


def test_too_few_seeds_make_it_unclear() -> None:
    assert _judge(_spec(seeds=2)).status is Status.INCONCLUSIVE


def test_an_unstable_network_is_not_shown_and_k_is_found() -> None:
    verdict = _judge(**_named(UNSTABLE), matched=10.0, shuffled=39.0)
    assert verdict.status is Status.NOT_SHOWN
    assert _statuses(verdict)[LATER] is Status.SHOWN
    (later,) = [claim for claim in verdict.claims if claim.name == LATER]
    assert [float(c.value or 0) for c in later.criteria] == pytest.approx([0.5, 10.0])
    never = _judge(**_named({**UNSTABLE, "k-100": 3.0}), matched=10.0, shuffled=39.0)
    assert _statuses(never)[LATER] is Status.NOT_SHOWN
    (later,) = [claim for claim in never.claims if claim.name == LATER]
    assert later.criteria[1].value == 800, "all steps: copies that never part are one network"


def test_copies_that_come_together_say_nothing_where_independent_networks_do_too() -> None:
    """The control of the late copies is a pair that its precondition does not speak of: so it can fire."""
    verdict = _judge(**_named({**UNSTABLE, OTHER: 1.5}), matched=1.0, shuffled=1.4)
    (later,) = [claim for claim in verdict.claims if claim.name == LATER]
    assert later.status is Status.INCONCLUSIVE
    assert "the control 'the same of independent networks' fired" in later.reason


def test_what_is_published_of_matching_is_said_as_what_it_is() -> None:
    (names,) = [claim for claim in _judge().claims if claim.name == NAMES]
    (criterion,) = names.criteria
    assert criterion.published == "0.97 of the loss barrier", "a number would stand beside a share of an error barrier"
    assert "test" not in criterion.published_source


def test_stable_from_is_the_first_with_none_above_after_it() -> None:
    assert stable_from((0, 1, 10, 100), (14, 1, 8, 2)) == 100
    assert stable_from((0, 1, 10, 100), (14, 1, 2, 2)) == 1
    assert stable_from((0, 1, 10, 100), (1, 1, 2, 2)) == 0
    assert stable_from((0, 1), (1, 3)) == math.inf
    assert stable_from((0, 1), (1, math.nan)) == math.inf


def test_networks_by_name_have_no_matching_and_one_fork_no_later() -> None:
    spec = _spec("fashion-mnist", network="lenet", forks="0")
    assert set(_statuses(_judge(spec))) == {BASINS, TRAINING}
    assert PHENOMENON.make_config("quick").network == PERCEPTRON


def test_a_replica_is_judged_by_its_own_seeds() -> None:
    spec = _spec(seeds=10)
    run_data = _data(spec, only=7, train=0.5)
    good, bad = run_data.of_seeds(range(5)), run_data.of_seeds(range(5, 10))
    assert judge(PHENOMENON, good.spec, good).status is Status.SHOWN
    assert judge(PHENOMENON, bad.spec, bad).status is Status.INCONCLUSIVE


def test_claims_without_their_arms_are_left_out() -> None:
    spec = dataclasses.replace(_spec(), arms=(FIRST, OTHER))
    assert set(_statuses(_judge(spec))) == {NAMES}


# --- figures ----------------------------------------------------------------------------------------------------------


def _figures(run_data: RunData) -> dict[str, Figure]:
    found = PHENOMENON.figures(run_data)
    assert all(isinstance(figure, Figure) for figure in found)
    return {figure.name: figure for figure in found if isinstance(figure, Figure)}


def test_figures_have_the_lines_the_levels_and_the_place_of_k_0() -> None:
    spec = _spec()
    figures = _figures(_data(spec, **_named(UNSTABLE)))
    assert set(PHENOMENON.panels) <= set(figures)
    path = figures["path"]
    assert [line.label for line in path.lines] == [
        "parted at the start",
        "parted at step 100",
        "independent starts",
        "independent, units matched",
    ]
    assert path.lines[2].x == (0, 0.25, 0.5, 0.75, 1)
    assert path.lines[2].y[2] == pytest.approx(5 + 40)
    assert "independent, units shuffled" in [line.label for line in figures["path-train"].lines]
    barrier = figures["barrier"]
    assert barrier.log_x
    assert barrier.lines[0].x == (0.5, 1, 10, 100), "k = 0 has a place of its own on a logarithmic axis"
    assert {"stable", "independent", "independent, matched", "k = 0", "stable from 10 on"} <= {
        reference.label for reference in barrier.references
    }
    assert figures["distance"].lines[0].y == pytest.approx((0.3,) * 4)


def test_figures_of_a_run_that_has_not_begun_are_empty() -> None:
    spec = _spec()
    for figure in _figures(RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)).values():
        assert figure.lines == ()


def test_few_forks_are_on_a_linear_axis() -> None:
    barrier = _figures(_data(_spec(forks="0 100")))["barrier"]
    assert not barrier.log_x
    assert barrier.lines[0].x == (0, 100)


def test_the_papers_network_has_the_papers_step() -> None:
    spec = _spec("cifar10", preset="resnet-20")
    labels = [reference.label for reference in _figures(_data(spec))["barrier"].references]
    assert "Frankle et al.: 2,000" in labels
