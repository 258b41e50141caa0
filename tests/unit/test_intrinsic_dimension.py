"""The intrinsic dimension: arms, refusals, where a curve crosses, verdicts on data made to order, figures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import pytest

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomena._intrinsic_dimension.config import (
    CONTROLS,
    HARD,
    RANDOM,
    RANDOM_PIXELS,
    SHUFFLED,
    SMALL_NETS,
    TRUE,
    columns_of,
    dims_of,
    hidden_of,
    size,
)
from genlab_tui.phenomena._intrinsic_dimension.costs import looks, seed_bytes
from genlab_tui.phenomena._intrinsic_dimension.numbers import (
    crossing,
    direct,
    fitted,
    local,
    name_of,
    overall,
    small_name,
)
from genlab_tui.phenomena.intrinsic_dimension import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import cost
from genlab_tui.verdict import Status, Verdict, judge

SMALL, INVARIANT, HARDER = (
    "the intrinsic dimension is small",
    "it hardly depends on the size of the network",
    "random labels have a large one",
)
SHUFFLED_SAME = "shuffled pixels change nothing for a perceptron"
FAR = 1e9  # a d_int90 that no d reaches


def _spec(data_set: str = "digits", seeds: int = 3, preset: str = "quick", **fields: Any) -> RunSpec:
    own = {name: fields.pop(name) for name in ("arms", "regularisers") if name in fields}
    config = config_values(PHENOMENON.make_config(preset, fields))
    return RunSpec("00000001", "intrinsic-dimension", config, preset=preset, data=data_set, seeds=seeds, **own)


def _data(
    spec: RunSpec,
    needs: Mapping[str, float] | None = None,
    baselines: Mapping[str, float] | None = None,
    only: int | None = None,
) -> RunData:
    """Return a run in which the accuracy over d crosses at `needs` of each arm; with `only`, in that seed alone."""
    config = PHENOMENON.config_of(spec)
    textbook = {TRUE: 110.0, SHUFFLED: 115.0, RANDOM_PIXELS: 1000.0, RANDOM: FAR}
    measures: dict[str, dict[tuple[str, int], float]] = {"train_accuracy": {}, "test_accuracy": {}}
    arms = PHENOMENON.arms_of(spec)
    for seed in spec.seed_list:
        for arm in arms:
            if arm.name == SMALL_NETS:
                for k, hidden in enumerate(sorted(config.small)):
                    measures["test_accuracy"][small_name(hidden), seed] = 0.5 + 0.1 * min(k, 4)
                continue
            need = textbook.get(arm.name, 150.0 + seed % 3)
            base = 0.97
            if only is None or only == seed:
                need = (needs or {}).get(arm.name, need)
                base = (baselines or {}).get(arm.name, base)
            for d in dims_of(config, arm.name):
                value = min(max(0.9 + 0.3 * math.log10(d / need), 0.1), 1.0)
                measures["test_accuracy"][name_of(arm.name, d), seed] = base * value
                measures["train_accuracy"][name_of(arm.name, d), seed] = value
            measures["test_accuracy"][direct(arm.name), seed] = base
            measures["train_accuracy"][direct(arm.name), seed] = (baselines or {}).get(f"{arm.name} train", 1.0)
    return RunData(spec, arms, spec.seed_list, measures=measures)


def _judge(spec: RunSpec | None = None, **changes: Any) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _data(spec, **changes))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


# --- arms, sizes, refusals --------------------------------------------------------------------------------------------


def test_arms_are_networks_controls_and_small_networks() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == ["32", "64-64", "256", *CONTROLS, SMALL_NETS]
    assert [arm.name for arm in arms if arm.control] == list(HARD)
    assert [arm.factors["D"] for arm in arms][:4] == [2410, 8970, 19_210, 4810]


@pytest.mark.parametrize(
    ("net", "data_set", "count"),
    [
        ("200-200", "mnist", 199_210),
        ("lenet", "mnist", 44_426),
        ("lenet", "cifar10", 62_006),
        ("64", "digits", 4810),
        ("64-64", "mnist", 55_050),
    ],
)
def test_the_papers_parameter_counts(net: str, data_set: str, count: int) -> None:
    assert size(net, _spec(data_set)) == count


def test_biases_and_batch_norm_count() -> None:
    assert size("64-32", _spec()) == 65 * 64 + 65 * 32 + 33 * 10
    normal = _spec(regularisers={"batch-norm": 0.1})
    assert size("64-32", normal) == 64 * 64 + 64 * 32 + 33 * 10 + 2 * (64 + 32)


@pytest.mark.parametrize(
    ("fields", "data_set", "words"),
    [
        ({"nets": "32 32"}, "digits", ["nets", "twice"]),
        ({"nets": "32x32"}, "digits", ["nets = '32x32'", "64-64"]),
        ({"nets": "lenet"}, "digits", ["lenet", "8x8"]),
        ({"control_net": "0"}, "digits", ["control_net"]),
        ({"d": "10 3000"}, "digits", ["d = 3000", "2,410", "nearest valid value: 2410"]),
        ({"control_d": "5000"}, "digits", ["control_d = 5000", "nearest valid value: 4810"]),
        (
            {"projection": "dense", "nets": "1000-1000", "d": "2000", "control_net": "1000"},
            "mnist",
            ["projection = dense", "GB", "nearest valid value: fastfood"],
        ),
    ],
)
def test_what_does_not_fit_is_refused(fields: dict[str, Any], data_set: str, words: list[str]) -> None:
    with pytest.raises(BadValue) as caught:
        PHENOMENON.arms_of(_spec(data_set, **fields))
    for word in words:
        assert word in str(caught.value)


def test_fastfood_takes_what_dense_does_not() -> None:
    fields = {"nets": "1000-1000", "d": "2000 10000", "control_net": "1000"}
    assert PHENOMENON.arms_of(_spec("mnist", **fields))
    with pytest.raises(BadValue, match="independent"):
        PHENOMENON.make_config("quick", {"basis": "indep"})


def test_lenet_has_no_batch_norm() -> None:
    with pytest.raises(BadValue, match="batch-norm"):
        PHENOMENON.arms_of(_spec("fashion-mnist", nets="lenet", regularisers={"batch-norm": 0.1}))


def test_widths_are_read() -> None:
    assert hidden_of("64-32") == (64, 32)
    assert hidden_of("lenet") == ()


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    spec = RunSpec(
        "00000001",
        "intrinsic-dimension",
        config_values(config),
        preset=preset,
        data=chosen.data,
        seeds=chosen.seeds,
        arms=chosen.arms,
        regularisers=dict(chosen.regularisers),
    )
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert min(estimate.members, estimate.seconds, estimate.bytes) > 0
    verdict = judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list))
    assert verdict.status is Status.INCONCLUSIVE
    assert any(claim.main for claim in verdict.claims)
    assert PHENOMENON.figures(RunData(spec, arms, spec.seed_list))
    assert preset != "quick" or estimate.seconds < 60
    for control in (TRUE, SHUFFLED, RANDOM):
        assert control not in {arm.name for arm in arms} or max(config.control_d) > 0.1 * size(config.control_net, spec)
    assert bool(chosen.gpu) == preset.startswith("paper")


@pytest.mark.parametrize(("preset", "minutes"), [("paper", 30), ("paper-lenet", 240)])
def test_what_a_gpu_preset_says_is_what_is_estimated(preset: str, minutes: float) -> None:
    chosen = PHENOMENON.preset(preset)
    spec = dataclasses.replace(
        _spec(chosen.data, chosen.seeds, preset, arms=chosen.arms, regularisers=dict(chosen.regularisers)),
        device="cuda:0",
    )
    found = PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds / 60
    assert minutes / 4 < found < minutes * 4
    assert chosen.gpu.startswith(f"about {minutes} minutes" if minutes < 60 else f"about {minutes // 60} hours")


def test_estimates_count_looks_and_the_steps_of_a_lenet() -> None:
    """Against work counted by hand, in core-seconds: 60 us a sample trained, 30 us a sample looked at."""

    def seconds(**fields: Any) -> float:
        spec = _spec("fashion-mnist", 1, "lenet", arms=("lenet",), **fields)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds - cost.START

    looked = 6 * (4000 + 10_000)  # before, after 1, 2, 4, 8 epochs, and at the end
    counted = 7 * (60e-6 * 15 * 4000 + 30e-6 * looked) / 2
    assert counted < seconds() < 2 * counted
    assert seconds() - seconds(test=500) == pytest.approx(7 * 30e-6 * 6 * 9500 / 2)
    assert seconds(batch=10) > 1.3 * seconds(), "ten times the steps"


@pytest.mark.parametrize("epochs", [1, 2, 3, 15, 16, 17, 100])
def test_looks_are_counted_as_they_are_due(epochs: int) -> None:
    due = [epoch for epoch in range(1, epochs) if epoch & (epoch - 1) == 0]
    assert looks(epochs) == 2 + len(due)


def test_sparse_projections_are_counted_with_what_their_products_take() -> None:
    def taken(**fields: Any) -> float:
        spec = _spec(projection="sparse", **fields)
        plain = dataclasses.replace(spec, config=spec.config | {"projection": "fastfood"})
        return seed_bytes(PHENOMENON.config_of(spec), spec) - seed_bytes(PHENOMENON.config_of(plain), plain)

    one = {"arms": ("256",), "nets": "256", "d": "100 200 300"}
    entries = round(math.sqrt(19_210))  # of a column
    nested, independent = taken(**one), taken(**one, basis="independent")
    assert nested == pytest.approx(entries * (12 * 300 + 16 * 3 * 300), rel=0.01)
    assert independent == pytest.approx(entries * (12 * 600 + 16 * 300), rel=0.01), "every dimension keeps its own"


def test_an_arms_projection_does_not_depend_on_the_arms_beside_it() -> None:
    config = PHENOMENON.make_config("quick")
    assert [columns_of(config, arm) for arm in ("256", TRUE, RANDOM)] == [300, 1600, 1600]


def test_the_paper_preset_is_the_released_codes() -> None:
    config, chosen = PHENOMENON.make_config("paper"), PHENOMENON.preset("paper")
    assert (config.nets, config.lr, config.epochs, config.batch) == (("200-200",), 1e-3, 100, 128)
    assert (chosen.data, config.n, config.projection) == ("mnist", 0, "fastfood")
    assert chosen.regularisers == {"weight-decay": 2e-5}
    assert "unverified" in chosen.note


def test_declared_data_sets_exist() -> None:
    assert set(PHENOMENON.data) <= set(data.DATASETS)
    assert not set(PHENOMENON.refused) & set(PHENOMENON.data)


# --- where a curve crosses --------------------------------------------------------------------------------------------


def test_the_crossing_is_interpolated_in_log_d() -> None:
    assert crossing((10, 1000), (0.0, 1.0), 0.5) == pytest.approx(100.0)
    assert crossing((10, 100, 200), (0.2, 0.8, 1.0), 0.9) == pytest.approx(100 * math.sqrt(2))
    assert crossing((10, 100), (0.95, 1.0), 0.9) == 10.0
    assert crossing((10, 100, 1000), (0.1, 0.9, 0.95), 0.9) == 100.0
    assert crossing((10, 20, 40, 80), (0.1, 0.95, 0.7, 0.96), 0.9) < 20, "the smallest d, not the last crossing"
    assert math.isinf(crossing((10, 100), (0.1, 0.2), 0.9))
    assert math.isnan(crossing((10, 100), (0.1, math.nan), 0.9))


def test_it_is_read_off_the_mean_over_draws() -> None:
    """Not the mean of the draws' crossings; and relative to each baseline: a better one asks for more."""
    spec = _spec()
    run_data = _data(spec, needs={"256": 250.0}, only=1)
    config = PHENOMENON.config_of(spec)
    found = local(run_data, config, "256")
    assert found.dimension() == pytest.approx(crossing(found.dims, found.mean, 0.9 * 0.97))
    assert found.dimension() != pytest.approx(sum(found.per_seed().values()) / 3, rel=1e-3)
    better = _data(spec, baselines={"64-64": 0.99})
    arms = ["32", "64-64", "256"]
    assert overall(better, config, "256", arms).dimension() > local(better, config, "256").dimension()
    assert overall(better, config, "64-64", arms).dimension() == local(better, config, "64-64").dimension()


def test_controls_count_training_accuracy_and_a_bound_where_it_is_not_reached() -> None:
    spec = _spec()
    config, run_data = PHENOMENON.config_of(spec), _data(spec)
    random = fitted(run_data, config, RANDOM)
    assert not random.reached
    assert random.bounded() == 1600.0
    assert set(random.per_seed().values()) == {1600.0}


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_the_textbook_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert [claim.name for claim in verdict.claims if claim.main] == [SMALL, INVARIANT, HARDER]
    assert _statuses(verdict)[SHUFFLED_SAME] is Status.SHOWN
    ratio = next(claim for claim in verdict.claims if claim.name == HARDER).criteria[0].value
    assert isinstance(ratio, float)
    assert ratio == pytest.approx(1600 / 110, rel=0.02)


@pytest.mark.parametrize(
    ("claim", "fields", "needs"),
    [
        (SMALL, {"nets": "32 64", "d": "20 60 250 1000"}, {"64": 700.0}),
        (INVARIANT, {}, {"32": 70.0, "256": 200.0}),
        (HARDER, {}, {RANDOM: 450.0}),
    ],
)
def test_each_claim_can_fail(claim: str, fields: dict[str, Any], needs: dict[str, float]) -> None:
    assert _statuses(_judge(_spec(**fields), needs=needs))[claim] is Status.NOT_SHOWN


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        (SMALL, {"needs": {"256": FAR}}),
        (SMALL, {"baselines": {"256": 0.25}}),
        (INVARIANT, {"needs": {"32": FAR}}),
        (INVARIANT, {"needs": {"32": 15.0}}),
        (HARDER, {"needs": {TRUE: FAR}}),
        (HARDER, {"baselines": {f"{RANDOM} train": 0.6}}),
        (HARDER, {"needs": {RANDOM: 390.0, TRUE: 30.0}}),
    ],
    ids=[
        "not reached",
        "learns nothing",
        "one not reached",
        "one below all d",
        "true not reached",
        "random unfit",
        "random at once",
    ],
)
def test_a_precondition_that_is_not_met_is_inconclusive(claim: str, changes: dict[str, Any]) -> None:
    found = next(c for c in _judge(**changes).claims if c.name == claim)
    assert found.status is Status.INCONCLUSIVE
    assert "precondition" in found.reason


def test_networks_of_nearly_one_size_say_nothing_about_size() -> None:
    assert _statuses(_judge(_spec(nets="32 64")))[INVARIANT] is Status.INCONCLUSIVE
    assert INVARIANT not in _statuses(_judge(_spec(nets="64")))


@pytest.mark.parametrize(
    ("claim", "needs"),
    [(SMALL, {RANDOM: 450.0}), (INVARIANT, {RANDOM: 150.0}), (HARDER, {SHUFFLED: FAR, TRUE: 40.0})],
)
def test_each_control_can_fire(claim: str, needs: dict[str, float]) -> None:
    """Noise that is as easy as data, or a harmless change that is as hard as noise: nothing is measured."""
    found = next(c for c in _judge(_spec(control_d="100 200 400 800"), needs=needs).claims if c.name == claim)
    assert found.status is Status.INCONCLUSIVE
    assert "fired" in found.reason


@pytest.mark.parametrize("grid", ["1600", "1600 3200"])
def test_a_grid_of_large_dimensions_alone_shows_nothing(grid: str) -> None:
    """Random labels as easy as true ones: that they are reached at d = 1600 is only an upper bound."""
    verdict = _judge(_spec(control_d=grid), needs={RANDOM: 110.0, TRUE: 110.0})
    for claim in verdict.claims:
        assert not claim.main or claim.status is Status.INCONCLUSIVE, claim.name
    reasons = {claim.name: claim.reason for claim in verdict.claims}
    assert "too many to tell" in reasons[SMALL]
    assert "has no numbers" in reasons[SMALL]
    assert "at the first of their d's" in reasons[INVARIANT]
    assert "not at the first of their d's already" in reasons[HARDER]


def test_a_lower_bound_makes_no_control_fire() -> None:
    """A tenth of the control's parameters is more than its dimensions: where they do not do, nothing is known."""
    claims = {c.name: c for c in _judge(_spec(control_net="512", control_d="800 1600")).claims}
    control = claims[SMALL].criteria[0].control
    assert control is not None
    assert (control.fired, control.missing) == (False, True)
    assert claims[SMALL].status is Status.INCONCLUSIVE
    assert "too few" in claims[SMALL].reason
    reached = {c.name: c for c in _judge(_spec(control_net="512", control_d="800 1600"), needs={RANDOM: 1000.0}).claims}
    fired = reached[SMALL].criteria[0].control
    assert fired is not None
    assert fired.fired, "reached, it is a number"


def test_shuffled_pixels_that_are_reached_nowhere_leave_their_control_open() -> None:
    claim = next(c for c in _judge(needs={SHUFFLED: FAR}).claims if c.name == HARDER)
    assert claim.status is Status.INCONCLUSIVE
    assert "has no numbers" in claim.reason


def test_without_its_controls_a_claim_is_left_out() -> None:
    verdict = _judge(_spec(arms=("32", "64-64", "256")))
    assert SMALL in verdict.scope
    assert not any(claim.main for claim in verdict.claims)


def test_two_draws_are_too_few() -> None:
    assert _judge(_spec(seeds=2)).status is Status.INCONCLUSIVE


def test_a_draw_that_diverged_is_no_draw() -> None:
    run_data = _data(_spec())
    run_data.measures["test_accuracy"][name_of("256", 100), 1] = math.nan  # type: ignore[index]
    assert _statuses(judge(PHENOMENON, run_data.spec, run_data))[SMALL] is Status.INCONCLUSIVE


def test_replicas_are_judged_by_their_own_draws() -> None:
    spec = _spec(seeds=6)
    run_data = _data(spec, needs={"32": 60.0, "256": 200.0}, only=5)
    blocks = [run_data.of_seeds(block) for block in ((0, 1, 2), (3, 4, 5))]
    ratios = []
    for block in blocks:
        claim = next(c for c in judge(PHENOMENON, block.spec, block).claims if c.name == INVARIANT)
        ratios.append(claim.criteria[0].value)
    assert ratios[0] == pytest.approx(1.0, abs=0.02)
    assert ratios[1] > 1.1  # type: ignore[operator]


def test_the_small_networks_are_reported() -> None:
    name = "a subspace of a large network matches a small network of as many parameters"
    claim = next(c for c in _judge().claims if c.name == name)
    assert claim.status is Status.SHOWN
    assert claim.criteria[0].value > 1  # type: ignore[operator]


def test_lower_bounds_alone_show_nothing() -> None:
    """Where no d reaches 90 %, all are the largest d, and ratios of 1 mean nothing."""
    arms = ("32", "64-64", "256", TRUE, SHUFFLED)
    statuses = _statuses(_judge(needs=dict.fromkeys(arms, FAR)))
    held = {name for name, status in statuses.items() if status is not Status.INCONCLUSIVE}
    assert not held


def test_published_numbers_name_their_baseline_and_stand_at_it() -> None:
    claims = {c.name: c for c in _judge().claims}
    assert claims[SMALL].criteria[0].published is None, "the local one is not verified"
    overall_one = claims["small by the global baseline too"].criteria[0]
    assert overall_one.published == pytest.approx(0.0038)
    for claim in claims.values():
        for criterion in claim.criteria:
            assert criterion.published is None or "global baseline" in criterion.published_source


@pytest.mark.parametrize(
    "fields", [{"n": 30_000}, {"nets": "200-201"}, {"regularisers": {"batch-norm": 0.1}}], ids=["n", "net", "norm"]
)
def test_only_the_papers_network_on_all_of_its_data_is_compared(fields: dict[str, Any]) -> None:
    name = "needs about as many dimensions as reported"
    assert any(name in c.name for c in _judge(_spec("mnist", preset="paper")).claims)
    assert not any(name in c.name for c in _judge(_spec("mnist", preset="paper", **fields)).claims)


def test_one_network_alone_is_not_called_all_but_the_smallest() -> None:
    names = [c.name for claim in _judge(_spec(nets="64")).claims for c in claim.criteria]
    assert "d_int90 / D of network 64" in names
    assert not any("all networks" in name for name in names)
    several = [c.name for claim in _judge().claims for c in claim.criteria]
    assert PHENOMENON.headline[0] in several


def test_published_numbers_stand_beside_ours() -> None:
    spec = _spec("mnist", preset="paper")
    claims = {c.name: c for c in _judge(spec, needs={"200-200": 700.0}).claims}
    reported = claims["200-200 needs about as many dimensions as reported"]
    assert reported.criteria[0].published == 750
    assert reported.status is Status.SHOWN
    far = _judge(spec, needs={"200-200": 100.0})
    assert _statuses(far)["200-200 needs about as many dimensions as reported"] is Status.NOT_SHOWN


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_have_their_reference_lines() -> None:
    accuracy, dimension, controls, small, learning = PHENOMENON.figures(_data(_spec()))
    assert [line.label for line in accuracy.lines] == [  # type: ignore[union-attr]
        "32 (D = 2,410)",
        "64-64 (D = 8,970)",
        "256 (D = 19,210)",
    ]
    assert (accuracy.log_x, accuracy.references[0].value, len(accuracy.ticks)) == (True, 0.9, 3)  # type: ignore[union-attr]
    assert (dimension.log_x, dimension.log_y) == (True, True)  # type: ignore[union-attr]
    lines = {line.label: line for line in dimension.lines}  # type: ignore[union-attr]
    assert lines["D itself"].x == lines["D itself"].y
    assert 750.0 in lines["Li et al. 2018 (intrinsic dimension), MNIST"].y
    assert "random labels, by training accuracy, at least" in lines
    assert len(controls.lines) == 4  # type: ignore[union-attr]
    assert [line.label for line in small.lines] == [  # type: ignore[union-attr]
        "subspaces of 256",
        "small networks, trained directly",
    ]
    assert learning.name == "learning"


def test_figures_of_nothing_and_of_a_part() -> None:
    spec = _spec()
    empty = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)
    assert len(PHENOMENON.figures(empty)) == 5
    whole = _data(spec)
    part = {m: v for m, v in whole.measures["test_accuracy"].items() if "256" not in m[0]}
    assert PHENOMENON.figures(dataclasses.replace(whole, measures={"test_accuracy": part}))
