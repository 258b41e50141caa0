"""The declaration of the randomisation tests: arms, estimate, presets, figures, and verdicts on data made to order."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue, NotFound
from genlab_tui.figure import Figure
from genlab_tui.models.mlp import HIDDEN, build, parameter_count
from genlab_tui.phenomena._random_labels.claims import TABLE_1
from genlab_tui.phenomena._random_labels.config import FITTED, FRESH, Config
from genlab_tui.phenomena.random_labels import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData, RunDataBuilder
from genlab_tui.verdict import ClaimResult, Status, Verdict, judge

FITS, SLOWDOWN, GRADED = "fits noise", "small constant slowdown", "graded"
BEYOND, GAUSSIAN, PIXELS = (
    "slower beyond doubt",
    "Gaussian inputs are easier than random labels",
    "shuffled pixels change nothing for a perceptron",
)
RADEMACHER = "Rademacher complexity says nothing"
UNCHANGED_TIME, FOUR = "random labels change nothing about training time", "at most about four times slower"


def _spec(data_set: str = "mnist1d", seeds: int = 5, arms: tuple[str, ...] = (), **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config("quick", values))
    return RunSpec("00000001", "random-labels", config, data=data_set, seeds=seeds, arms=arms)


def _numbers(arm: str, corruption: float, seed: int) -> dict[str, float]:
    """Return what a textbook member measures: slower with corruption, test error growing to guessing."""
    wobble = (-0.004, 0.003, -0.001, 0.004, -0.002)[seed % 5]
    test = 0.5 + wobble - (0.4 + wobble) * corruption + (wobble if arm == "random" else 0.0)
    steps = 200.0 * (1 + corruption)
    train = 0.1 + wobble if arm == FRESH else 0.999
    if arm == "gaussian":
        test, steps = 0.1 + wobble, 60.0
    if arm == FRESH:
        test, steps = 0.1, math.nan
    return {
        "train_accuracy": train,
        "test_accuracy": test,
        "test_error": 1 - test,
        "steps_to_fit": steps + 2 * seed,
    }


def _measured(spec: RunSpec, **changes: dict[str, float]) -> RunData:
    """Return run data where every arm has textbook numbers, changed per arm (`_` for `-`) as given."""
    arms = PHENOMENON.arms_of(spec)
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for arm in arms:
        for seed in spec.seed_list:
            numbers = _numbers(arm.name, float(arm.factors["corruption"]), seed)
            numbers |= changes.get(arm.name.replace("-", "_").replace(".", "_"), {})
            for name, value in numbers.items():
                measures.setdefault(name, {})[arm.name, seed] = value
    return RunData(spec, arms, spec.seed_list, measures=measures)


def _judge(spec: RunSpec, **changes: dict[str, float]) -> Verdict:
    return judge(PHENOMENON, spec, _measured(spec, **changes))


def _claims(verdict: Verdict) -> dict[str, ClaimResult]:
    return {claim.name: claim for claim in verdict.claims}


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


# --- arms and cost ----------------------------------------------------------------------------------------------------


def test_arms_go_from_true_to_random_labels_and_inputs_with_one_control() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == [
        *("true", "corrupt-0.2", "corrupt-0.4", "corrupt-0.6", "corrupt-0.8", "random"),
        *("shuffled-pixels", "random-pixels", "gaussian", FRESH),
    ]
    assert [arm.factors["corruption"] for arm in arms] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 0.0, 0.0, 0.0, 1.0]
    assert [arm.name for arm in arms if arm.control] == [FRESH]
    few = PHENOMENON.arms_of(_spec(corruption=(0.5, 0.25, 0.5)))
    assert [arm.name for arm in few][:4] == ["true", "corrupt-0.25", "corrupt-0.5", "random"]
    assert len({arm.name for arm in few}) == len(few)


def test_an_arm_that_is_not_there_is_said() -> None:
    with pytest.raises(NotFound, match=r"corrupt-0\.3"):
        PHENOMENON.arms_of(_spec(arms=("corrupt-0.3",)))


@pytest.mark.parametrize(("data_set", "crop"), [("mnist1d", 4), ("digits", 9), ("mnist", 29), ("cifar10", 33)])
def test_a_crop_that_does_not_fit_is_said_before_launch(data_set: str, crop: int) -> None:
    with pytest.raises(BadValue, match=f"crop = {crop} does not fit inputs of {data_set}"):
        PHENOMENON.arms_of(_spec(data_set, crop=crop))


@pytest.mark.parametrize(("data_set", "crop"), [("mnist1d", 0), ("digits", 8), ("cifar10", 28)])
def test_a_crop_that_fits_is_taken(data_set: str, crop: int) -> None:
    assert PHENOMENON.arms_of(_spec(data_set, crop=crop))


def _seconds(data_set: str = "cifar10", seeds: int = 3, regularisers: tuple[str, ...] = (), **values: Any) -> float:
    spec = _spec(data_set, seeds, **values)
    on = {r.name: r.default for r in REGULARISERS if r.name in regularisers}
    return PHENOMENON.estimate(PHENOMENON.config_of(spec), dataclasses.replace(spec, regularisers=on)).seconds


def test_the_estimate_grows_with_what_costs() -> None:
    plain = _seconds()
    assert _seconds(n=2000) > plain
    assert _seconds(seeds=6) > plain
    assert _seconds(network="mlp-3x512") > plain > _seconds(network="mlp-1x512")
    assert _seconds(corruption=(0.2, 0.4, 0.5, 0.6, 0.8)) > plain
    assert _seconds(crop=16) < plain
    assert _seconds("digits") < plain
    for regulariser in ("weight-decay", "l1", "dropout", "augmentation", "label-smoothing", "mixup", "batch-norm"):
        assert _seconds(regularisers=(regulariser,)) > plain, regulariser
    assert _seconds(regularisers=("dropout", "batch-norm")) > _seconds(regularisers=("dropout",))


def test_the_estimate_counts_what_is_launched() -> None:
    spec = _spec(seeds=4, arms=("true", "random"))
    config = PHENOMENON.config_of(spec)
    few = PHENOMENON.estimate(config, spec)
    all_arms = PHENOMENON.estimate(config, dataclasses.replace(spec, arms=()))
    assert (few.members, all_arms.members) == (8, 40)
    assert few.seconds < all_arms.seconds
    assert few.bytes < all_arms.bytes
    more = dataclasses.replace(spec, seeds=8)
    assert PHENOMENON.estimate(config, more).bytes > few.bytes


# --- presets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid_and_fits_its_data(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    assert chosen.data in PHENOMENON.data
    assert chosen.seeds >= 3
    spec = RunSpec(
        "00000001",
        "random-labels",
        config_values(config),
        preset=preset,
        data=chosen.data,
        seeds=chosen.seeds,
        arms=chosen.arms,
    )
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == len(arms) * chosen.seeds
    assert estimate.seconds > 0
    assert estimate.bytes > 0
    verdict = judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list))
    assert verdict.status is Status.INCONCLUSIVE, "of nothing, nothing is shown"
    if preset in ("quick", "demo"):
        assert estimate.seconds < 120
    if not chosen.arms:
        assert len(verdict.claims) == 9


def test_the_paper_preset_is_its_protocol() -> None:
    config, chosen = PHENOMENON.make_config("paper"), PHENOMENON.preset("paper")
    assert chosen.data == "cifar10"
    assert (config.optimiser, config.lr, config.decay, config.crop, config.whiten) == ("sgd", 0.01, 0.95, 28, True)
    assert (config.n, config.test, config.network, config.target) == (0, 0, "mlp-3x512", 1.0)
    assert chosen.regularisers == {}
    assert "not stated" in chosen.note
    unverified = {p.name for p in PHENOMENON.params() if p.unverified}
    assert unverified == {"batch", "epochs"}


def test_declared_data_sets_exist_and_have_ten_classes() -> None:
    assert set(PHENOMENON.data) <= set(data.DATASETS)
    assert {data.DATASETS[name].classes for name in PHENOMENON.data} == {10}, "chance is 0.1 throughout"


@pytest.mark.parametrize(("network", "count"), [("mlp-1x512", 1_209_866), ("mlp-3x512", 1_735_178)])
def test_the_papers_parameter_counts(network: str, count: int) -> None:
    """Of 28x28x3 inputs and ten classes, by formula and in the module that torch makes."""
    assert parameter_count(2352, HIDDEN[network], 10) == count
    module = build(2352, HIDDEN[network], 10)
    assert sum(p.numel() for p in module.parameters()) == count
    assert network in TABLE_1


# --- verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data_set", ["mnist1d", "digits"])
def test_a_textbook_run_is_shown(data_set: str) -> None:
    verdict = _judge(_spec(data_set))
    assert verdict.status is Status.SHOWN
    shown = (FITS, SLOWDOWN, GRADED, RADEMACHER, BEYOND, FOUR, GAUSSIAN, PIXELS)
    assert _statuses(verdict) == {**dict.fromkeys(shown, Status.SHOWN), UNCHANGED_TIME: Status.NOT_SHOWN}
    assert [claim.name for claim in verdict.claims if claim.main] == [FITS, SLOWDOWN, GRADED]


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        (FITS, {"random_pixels": {"train_accuracy": 0.994}}),
        (FITS, {"random": {"test_accuracy": 0.13}}),
        (SLOWDOWN, {"random": {"steps_to_fit": 2000.0}}),
        (SLOWDOWN, {"random": {"steps_to_fit": 190.0}}),
        (GRADED, {"corrupt_0_2": {"test_error": 0.95}}),
        (GRADED, {"random": {"test_error": 0.94}}),
        (BEYOND, {"random": {"steps_to_fit": 207.0}}),
        (GAUSSIAN, {"gaussian": {"steps_to_fit": 900.0}}),
        (PIXELS, {"shuffled_pixels": {"test_accuracy": 0.47}}),
    ],
)
def test_each_claim_can_fail(claim: str, changes: dict[str, dict[str, float]]) -> None:
    verdict = _judge(_spec(), **changes)
    assert _statuses(verdict)[claim] is Status.NOT_SHOWN
    main = {c.name: c.main for c in verdict.claims}[claim]
    assert verdict.status is (Status.NOT_SHOWN if main else Status.SHOWN), "side claims are shown, never counted"


def test_the_slowdown_lies_in_its_half_open_interval() -> None:
    """Exactly as fast is not slower; eight times is still a small factor."""
    for factor, status in ((1.0, Status.NOT_SHOWN), (1.01, Status.SHOWN), (8.0, Status.SHOWN), (8.1, Status.NOT_SHOWN)):
        run_data = _measured(_spec(), true={"steps_to_fit": 100.0}, random={"steps_to_fit": 100.0 * factor})
        assert _statuses(judge(PHENOMENON, run_data.spec, run_data))[SLOWDOWN] is status, factor


def test_one_unfitted_seed_is_enough() -> None:
    run_data = _measured(_spec())
    run_data.measures["train_accuracy"]["random", 3] = 0.9  # type: ignore[index]
    claim = _claims(judge(PHENOMENON, run_data.spec, run_data))[FITS]
    assert claim.status is Status.NOT_SHOWN
    assert claim.criteria[0].agree == 4


def test_a_control_that_fires_makes_it_inconclusive() -> None:
    """Labels that nobody can know, predicted above chance: a leak, and nothing is concluded."""
    verdict = _judge(_spec(), fresh_labels={"train_accuracy": 0.19})
    claim = _claims(verdict)[FITS]
    assert claim.status is verdict.status is Status.INCONCLUSIVE
    assert "drawn anew" in claim.reason
    assert "fired" in claim.reason
    assert _statuses(verdict)[SLOWDOWN] is Status.SHOWN, "the other claims stand by themselves"
    quiet = _judge(_spec(), fresh_labels={"train_accuracy": 0.125})
    assert _statuses(quiet)[FITS] is Status.SHOWN


def test_a_control_without_numbers_is_inconclusive() -> None:
    run_data = _measured(_spec())
    accuracy = {m: v for m, v in run_data.measures["train_accuracy"].items() if m[0] != FRESH}
    cut = dataclasses.replace(run_data, measures={**run_data.measures, "train_accuracy": accuracy})
    claim = _claims(judge(PHENOMENON, cut.spec, cut))[FITS]
    assert claim.status is Status.INCONCLUSIVE
    assert "no numbers" in claim.reason


def test_claims_whose_arms_were_not_launched_are_left_out_and_named() -> None:
    verdict = _judge(_spec(arms=("true", "random", FRESH)))
    assert set(_statuses(verdict)) == {FITS, SLOWDOWN, RADEMACHER, BEYOND, UNCHANGED_TIME, FOUR}
    assert verdict.status is Status.SHOWN
    for name in (GRADED, GAUSSIAN, PIXELS):
        assert name in verdict.scope
    assert "arms true, random, fresh-labels" in verdict.scope


def test_without_its_control_the_claim_is_left_out() -> None:
    verdict = _judge(_spec(arms=("true", "random")))
    assert set(_statuses(verdict)) == {SLOWDOWN, RADEMACHER, BEYOND, UNCHANGED_TIME, FOUR}
    assert FITS in verdict.scope


def test_graded_takes_the_levels_that_were_launched() -> None:
    """Two of the levels are enough, one is not."""
    two = ("true", "corrupt-0.4", "corrupt-0.8", "random")
    assert _statuses(_judge(_spec(arms=two)))[GRADED] is Status.SHOWN
    assert GRADED not in _statuses(_judge(_spec(arms=("true", "corrupt-0.4", "random"))))


@pytest.mark.parametrize("data_set", ["mnist1d", "digits"])
def test_two_seeds_are_inconclusive(data_set: str) -> None:
    verdict = _judge(_spec(data_set, seeds=2))
    assert verdict.status is Status.INCONCLUSIVE
    assert set(_statuses(verdict).values()) == {Status.INCONCLUSIVE}
    assert "fewer than 3 seeds" in _claims(verdict)[SLOWDOWN].reason


def test_on_digits_chance_needs_five_seeds() -> None:
    """The digits' test set is small: with four seeds the claim about chance is open, on mnist1d it is judged."""
    few = _claims(_judge(_spec("digits", seeds=4)))[FITS]
    assert few.status is Status.INCONCLUSIVE
    assert "at least 5" in few.reason
    assert _statuses(_judge(_spec("mnist1d", seeds=4)))[FITS] is Status.SHOWN


def test_an_arm_that_never_fitted_has_no_slowdown() -> None:
    """Steps to fit are nan then: the slowdown is not small or large but unknown, and fitting noise is not shown."""
    verdict = _judge(_spec(), random={"steps_to_fit": math.nan, "train_accuracy": 0.8})
    statuses = _statuses(verdict)
    assert statuses[FITS] is Status.NOT_SHOWN
    for name in (SLOWDOWN, BEYOND, GAUSSIAN):
        assert statuses[name] is Status.INCONCLUSIVE
        assert "precondition share fitted of" in _claims(verdict)[name].reason
    assert verdict.status is Status.INCONCLUSIVE
    run_data = _measured(_spec())
    run_data.measures["steps_to_fit"]["true", 1] = math.nan  # type: ignore[index]
    assert _statuses(judge(PHENOMENON, run_data.spec, run_data))[SLOWDOWN] is Status.INCONCLUSIVE, "one seed is enough"


@pytest.mark.parametrize(
    ("arm", "touched"),
    [
        ("random", {FITS, SLOWDOWN, GRADED, RADEMACHER, BEYOND, UNCHANGED_TIME, FOUR, GAUSSIAN}),
        ("corrupt-0.4", {FITS, GRADED}),
        ("gaussian", {FITS, GAUSSIAN}),
    ],
)
def test_a_member_that_diverged_shows_nothing(arm: str, touched: set[str]) -> None:
    """One seed without numbers is enough: no rank, no ratio and no worst accuracy is made of the rest."""
    run_data = _measured(_spec())
    for name in ("train_accuracy", "test_accuracy", "test_error", "steps_to_fit"):
        run_data.measures[name][arm, 2] = math.nan  # type: ignore[index]
    statuses = _statuses(judge(PHENOMENON, run_data.spec, run_data))
    assert {name for name, status in statuses.items() if status is Status.INCONCLUSIVE} == touched
    assert {statuses[name] for name in statuses.keys() - touched - {UNCHANGED_TIME}} <= {Status.SHOWN}


@pytest.mark.parametrize(("arm", "claim"), [("shuffled-pixels", PIXELS), ("random", FITS)])
def test_a_seed_that_diverged_does_not_count_as_one(arm: str, claim: str) -> None:
    """Where five seeds are needed and one of five has no test accuracy, four are there."""
    run_data = _measured(_spec("digits"))
    run_data.measures["test_accuracy"][arm, 4] = math.nan  # type: ignore[index]
    result = _claims(judge(PHENOMENON, run_data.spec, run_data))[claim]
    assert result.status is Status.INCONCLUSIVE
    assert "at least 5" in result.reason


def test_a_regulariser_is_said_in_the_scope_and_one_changed_in_flight_spoils_it() -> None:
    spec = dataclasses.replace(_spec(), regularisers={"dropout": 0.5})
    verdict = _judge(spec)
    assert "with dropout 0.5" in verdict.scope
    run_data = dataclasses.replace(_measured(spec), changes=(ev.Change(regulariser="dropout", strength=None, step=7),))
    assert judge(PHENOMENON, spec, run_data).status is Status.INCONCLUSIVE


def test_published_numbers_are_those_of_the_network() -> None:
    for network in HIDDEN:
        claims = {c.name: c for c in PHENOMENON.claims(Config(network=network), _spec())}
        published = tuple(criterion.published for criterion in claims[FITS].criteria)
        assert published == TABLE_1.get(network, (None, None))


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_of_nothing_have_no_lines() -> None:
    spec = _spec()
    drawn = PHENOMENON.figures(RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list))
    assert [figure.name for figure in drawn] == ["learning", "slowdown", "error"]
    for figure in drawn:
        assert isinstance(figure, Figure)
        assert figure.lines == ()


def test_figures_of_a_whole_run_are_figure_one() -> None:
    _, slowdown, error = PHENOMENON.figures(_measured(_spec()))
    assert isinstance(slowdown, Figure)
    assert isinstance(error, Figure)
    line, *points = slowdown.lines
    assert line.x == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert line.y[0] == 1.0
    assert line.y == tuple(sorted(line.y))
    assert line.n == (5,) * 6
    assert [p.label for p in points] == ["shuffled pixels", "random pixels", "Gaussian inputs"]
    assert all(p.points and p.x == (0.0,) for p in points)
    assert error.lines[0].y[-1] == pytest.approx(0.9, abs=0.01)
    assert all(FRESH not in item.label for figure in (slowdown, error) for item in figure.lines)
    assert f"{100 * FITTED:g} %" in slowdown.note


def test_figures_grow_while_members_end() -> None:
    """Some arms have fitted, some are still training, one diverged: what is there is drawn, at its own seeds."""
    spec = _spec(seeds=3)
    arms = PHENOMENON.arms_of(spec)
    builder = RunDataBuilder(spec, arms)
    members = tuple((arm.name, seed) for seed in spec.seed_list for arm in arms)
    builder.feed(ev.Cohort(id="all", members=members))

    def values(of: dict[tuple[str, int], float]) -> tuple[ev.Value, ...]:
        return ev.to_values(of.get(member) for member in members)

    for step, loss in ((0, 2.3), (10, 1.1)):
        there = dict.fromkeys(members, loss) | {("gaussian", 1): math.nan}
        builder.feed(ev.Curve(cohort="all", metric="train_loss", step=step, values=values(there)))
    steps = {("true", 0): 100.0, ("true", 1): 110.0, ("random", 0): 150.0, ("random", 2): 90.0}
    steps |= {("gaussian", 1): math.nan}
    builder.feed(ev.Measure(cohort="all", name="steps_to_fit", values=values(steps)))
    learning, slowdown, error = PHENOMENON.figures(builder.snapshot())
    assert isinstance(learning, Figure)
    assert isinstance(slowdown, Figure)
    assert isinstance(error, Figure)
    assert len(learning.lines) == len(arms)
    assert next(line for line in learning.lines if line.label == "Gaussian inputs").n == (2, 2)
    (line,) = slowdown.lines
    assert line.x == (0.0, 1.0)
    assert line.y == (1.0, 1.5), "random labels of seed 2 have no true labels to be compared with yet"
    assert line.n == (2, 1)
    assert error.lines == ()


# --- convolutional networks -------------------------------------------------------------------------------------------


def test_convolutional_networks_need_images_and_what_they_have() -> None:
    with pytest.raises(BadValue, match="images"):
        PHENOMENON.arms_of(_spec("mnist1d", network="small-alexnet"))
    normed = dataclasses.replace(_spec("fashion-mnist", network="small-alexnet"), regularisers={"batch-norm": 0.1})
    with pytest.raises(BadValue, match="batch-norm: the small AlexNet has none"):
        PHENOMENON.arms_of(normed)
    with pytest.raises(BadValue, match="precision = bf16: perceptrons train in float32"):
        PHENOMENON.arms_of(_spec(precision="bf16"))
    assert PHENOMENON.arms_of(_spec("fashion-mnist", network="small-inception", precision="bf16"))


@pytest.mark.parametrize(
    ("network", "norm", "row"),
    [
        ("small-alexnet", False, "small-alexnet"),
        ("small-inception", True, "small-inception"),
        ("small-inception", False, "small-inception without batch norm"),
    ],
)
def test_the_published_row_is_that_of_the_network(network: str, norm: bool, row: str) -> None:
    spec = _spec("fashion-mnist", network=network)
    spec = dataclasses.replace(spec, regularisers={"batch-norm": 0.1} if norm else {})
    claims = {c.name: c for c in PHENOMENON.claims(PHENOMENON.config_of(spec), spec)}
    assert tuple(c.published for c in claims[FITS].criteria) == TABLE_1[row]
    assert "shuffled pixels hurt a convolutional network" in claims
    assert PIXELS not in claims


def test_shuffled_pixels_must_hurt_a_convolutional_network_in_every_seed() -> None:
    spec = _spec("fashion-mnist", network="small-alexnet")
    hurts = "shuffled pixels hurt a convolutional network"
    assert _statuses(_judge(spec))[hurts] is Status.NOT_SHOWN
    assert _statuses(_judge(spec, shuffled_pixels={"test_accuracy": 0.4}))[hurts] is Status.SHOWN


def test_two_statements_about_slowdown_that_cannot_both_hold() -> None:
    slower = _statuses(_judge(_spec()))
    assert (slower[UNCHANGED_TIME], slower[FOUR], slower[BEYOND]) == (Status.NOT_SHOWN, Status.SHOWN, Status.SHOWN)
    much = _statuses(_judge(_spec(), random={"steps_to_fit": 1200.0}))
    assert (much[UNCHANGED_TIME], much[FOUR]) == (Status.NOT_SHOWN, Status.NOT_SHOWN)
    wide = _measured(_spec())
    for seed in wide.spec.seed_list:
        wide.measures["steps_to_fit"]["random", seed] = 200.0 * (0.95, 1.08, 0.96, 1.06, 1.0)[seed]  # type: ignore[index]
    assert {c.name: c.status for c in judge(PHENOMENON, wide.spec, wide).claims}[UNCHANGED_TIME] is Status.SHOWN
    for seed in wide.spec.seed_list:  # seeds that say nothing are no proof of nothing
        wide.measures["steps_to_fit"]["random", seed] = 200.0 * (0.2, 3.0, 0.5, 2.0, 1.0)[seed]  # type: ignore[index]
    assert {c.name: c.status for c in judge(PHENOMENON, wide.spec, wide).claims}[UNCHANGED_TIME] is Status.NOT_SHOWN


def test_the_rademacher_reading_counts_beyond_guessing() -> None:
    assert _statuses(_judge(_spec()))[RADEMACHER] is Status.SHOWN
    half = _judge(_spec(), random={"train_accuracy": 0.55})
    (criterion,) = _claims(half)[RADEMACHER].criteria
    assert (criterion.status.value, criterion.value) == ("FAIL", pytest.approx(0.5))


def test_paper_presets_are_for_a_gpu() -> None:
    papers = {name: preset for name, preset in PHENOMENON.presets.items() if name.startswith("paper")}
    assert len(papers) == 4
    assert all(preset.gpu for preset in papers.values())
    assert not PHENOMENON.presets["quick"].gpu
