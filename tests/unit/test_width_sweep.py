"""The width sweep: arms, refusals, cost, figures, and verdicts on data made to pass, fail and be unclear."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomena._width_sweep.config import at_level
from genlab_tui.phenomena._width_sweep.ranges import drops, fitting, ranks, slopes, spans
from genlab_tui.phenomena.width_sweep import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.verdict import ClaimResult, Status, Verdict, judge

WIDTHS = (4, 8, 16, 32, 64, 256)
KINDS = {"clean": 0.0, "noise-0.05": 0.05, "noise-0.2": 0.2, "random": 1.0}
FIT = {
    "clean": (0.1, 0.0, 0.0, 0.0, 0.0, 0.0),
    "noise-0.05": (0.2, 0.1, 0.0, 0.0, 0.0, 0.0),
    "noise-0.2": (0.3, 0.2, 0.1, 0.0, 0.0, 0.0),
    "random": (0.8, 0.6, 0.4, 0.1, 0.0, 0.0),
}
ERROR = {
    "clean": (0.2, 0.10, 0.08, 0.07, 0.06, 0.05),
    "noise-0.05": (0.25, 0.12, 0.14, 0.11, 0.09, 0.08),
    "noise-0.2": (0.3, 0.15, 0.22, 0.2, 0.16, 0.1),
    "random": (0.9, 0.905, 0.9, 0.895, 0.9, 0.905),
}
MAIN = tuple(f"wider is better, {words}" for words in ("clean labels", "5 % label noise", "20 % label noise"))
UNITS, LAYER, CAPACITY = (
    "each unit moves less",
    "the layer as a whole moves further",
    "capacity by units falls, spectral capacity rises",
)
CHANCE, NORMS = "random labels teach nothing at any width", "norms tell noise from data"
BEST = "the best network has more weights than samples"


def _spec(data_set: str = "digits", seeds: int = 5, arms: tuple[str, ...] = (), **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config("quick", {"widths": WIDTHS, **values}))
    return RunSpec("00000001", "width-sweep", config, data=data_set, seeds=seeds, arms=arms)


def _data(spec: RunSpec, *, only: int | None = None, **changes: dict[str, tuple[float, ...]]) -> RunData:
    """Return a textbook run with other rows of a measure by kind; with `only`, that seed alone differs."""
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for seed in spec.seed_list:
        own = changes if only is None or seed == only else {}
        wobble = (-0.003, 0.002, 0.0, 0.003, -0.002)[seed % 5]
        for kind, noise in KINDS.items():
            fit, error = own.get("fit", {}).get(kind, FIT[kind]), own.get("error", {}).get(kind, ERROR[kind])
            for place, width in enumerate(WIDTHS):
                row = {
                    "train_accuracy": 1.0 - fit[place],
                    "train_loss": 0.5 * fit[place] + 0.05,
                    "test_error": error[place] + wobble,
                    "epochs": 200.0 if fit[place] else 20.0,
                    "unit_distance": 3.0 * width**-0.5,
                    "distance": width**0.1,
                    "margin": 1.0,
                    "norm_hidden": width**0.5,
                    "norm_output": 5.0,
                    "unit_capacity": 1e4 * width**-0.1,
                    "spectral_capacity": 1e4 * width**0.3,
                    "frobenius_capacity": 1e4 * (1.0 + noise),
                    "degrees_of_freedom": 1000.0,
                }
                row |= {name: rows[kind][place] for name, rows in own.items() if name in row and kind in rows}
                row["train_accuracy"], row["test_error"] = 1.0 - fit[place], error[place] + wobble
                for name, value in row.items():
                    if name != "degrees_of_freedom" or kind == "clean":
                        measures.setdefault(name, {})[f"{kind}-{width}", seed] = value
    return RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=measures)


def _judge(spec: RunSpec | None = None, **changes: Any) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _data(spec, **changes))


def _claims(verdict: Verdict) -> dict[str, ClaimResult]:
    return {claim.name: claim for claim in verdict.claims}


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


# --- arms and cost ----------------------------------------------------------------------------------------------------


def test_arms_are_widths_by_levels_of_noise_and_random_labels_are_the_control() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == [f"{kind}-{width}" for kind in KINDS for width in WIDTHS]
    assert [arm.name for arm in arms if arm.control] == [f"random-{width}" for width in WIDTHS]
    assert {arm.factors["noise"] for arm in arms} == set(KINDS.values())
    alone = PHENOMENON.arms_of(_spec(noise=(0.0,)))
    assert {arm.name.rpartition("-")[0] for arm in alone} == {"clean", "random"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"n": 1201}, "n = 1201 does not fit the 1200 training samples of digits"),
        ({"widths": (8, 8)}, "with one width there is nothing to compare"),
        ({"noise": (0.1, 0.1 + 1e-12)}, "read the same"),
    ],
)
def test_what_cannot_be_run_is_said_before_launch(values: dict[str, Any], said: str) -> None:
    with pytest.raises(BadValue, match=said):
        PHENOMENON.arms_of(_spec(**values))


@pytest.mark.parametrize(("field", "value"), [("noise", 0.95), ("widths", 0), ("epochs", 0), ("lr", 0.0)])
def test_values_out_of_bounds_are_refused(field: str, value: float) -> None:
    with pytest.raises(BadValue, match=field):
        PHENOMENON.make_config("quick", {field: (value,) if field in ("noise", "widths") else value})


def test_batch_norm_is_refused_as_norms_say_nothing_behind_it() -> None:
    assert "batch-norm" not in PHENOMENON.regularisers
    assert "weight-decay" in PHENOMENON.regularisers


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid_and_fits_its_data(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    assert chosen.data in PHENOMENON.data
    assert chosen.seeds >= (5 if not chosen.gpu else 3)
    spec = RunSpec(
        "00000001", "width-sweep", config_values(config), preset=preset, data=chosen.data, seeds=chosen.seeds
    )
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == len(arms) * chosen.seeds
    assert estimate.bytes > 0
    assert judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list)).status is Status.INCONCLUSIVE
    assert estimate.seconds < 60 or preset not in ("quick", "hard-data")
    assert bool(chosen.gpu) == (preset in ("paper", "neyshabur-2018"))


def test_the_preset_of_2018_is_the_released_code() -> None:
    config = PHENOMENON.make_config("neyshabur-2018")
    assert (config.optimiser, config.lr, config.momentum, config.batch) == ("sgd", 1e-3, 0.9, 64)
    assert (config.stop_loss, config.epochs, config.init) == (0.01, 1000, "torch")
    assert "Unverified" in PHENOMENON.preset("neyshabur-2018").note
    assert "Unverified" in PHENOMENON.preset("paper").note


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(data_set: str = "digits", seeds: int = 5, **values: Any) -> float:
        spec = _spec(data_set, seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert seconds(seeds=50) > plain
    assert seconds(widths=(*WIDTHS, 2048)) > plain
    assert seconds(noise=(0.05, 0.1, 0.2)) > plain
    assert seconds(n=500) < plain
    few = _spec(arms=("clean-4", "random-4"))
    assert PHENOMENON.estimate(PHENOMENON.config_of(few), few).members == 10


def test_declared_data_sets_exist() -> None:
    assert set(PHENOMENON.data) <= set(data.DATASETS)
    assert {"digits", "mnist1d", "fashion-mnist"} <= set(PHENOMENON.data)


# --- what is read off -------------------------------------------------------------------------------------------------


def test_the_range_begins_at_the_first_width_without_any_training_error() -> None:
    """A network that misses one sample of 1,000 has not fitted: its width is not in the range."""
    run_data = _data(_spec(), only=2, fit={"clean": (0.1, 0.001, 0.0, 0.0, 0.0, 0.0)})
    arms = at_level(run_data.arms, 0.0)
    first = {seed: fit[0].name for seed, fit in fitting(run_data, arms).items()}
    assert first == {0: "clean-8", 1: "clean-8", 2: "clean-16", 3: "clean-8", 4: "clean-8"}
    assert spans(run_data, arms) == {0: 32.0, 1: 32.0, 2: 16.0, 3: 32.0, 4: 32.0}
    found = drops(run_data, arms)
    assert found[2] == pytest.approx(1 - 0.05 / 0.08)
    assert found[0] == pytest.approx(1 - 0.047 / 0.097)


def test_with_a_loss_to_stop_at_that_loss_is_what_fits() -> None:
    spec = _spec(stop_loss=0.06)
    run_data = _data(spec, fit={"clean": (0.1, 0.01, 0.0, 0.0, 0.0, 0.0)})
    fit = fitting(run_data, at_level(run_data.arms, 0.0))
    assert [arm.name for arm in fit[0]] == [f"clean-{h}" for h in WIDTHS[1:]], "a loss of 0.055"
    assert fitting(_data(_spec()), at_level(run_data.arms, 0.0))[0][0].name == "clean-8"


def test_slope_and_rank_are_those_of_the_widths_that_fit() -> None:
    run_data = _data(_spec())
    clean = at_level(run_data.arms, 0.0)
    assert slopes(run_data, "unit_distance", clean)[1] == pytest.approx(-0.5)
    assert ranks(run_data, clean)[1] == pytest.approx(-1.0)
    bent = _data(_spec(), unit_distance={"clean": (999.0, *(3.0 * h**-0.5 for h in WIDTHS[1:]))})
    assert slopes(bent, "unit_distance", clean)[1] == pytest.approx(-0.5), "4 units do not fit"
    nothing = _data(_spec(), fit={"clean": (0.1,) * 6})
    assert math.isnan(slopes(nothing, "unit_distance", clean)[0])
    assert math.isnan(drops(nothing, clean)[0])
    assert spans(nothing, clean)[0] == 0.0


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_textbook_run_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert set(_statuses(verdict).values()) == {Status.SHOWN}
    assert tuple(claim.name for claim in verdict.claims if claim.main) == MAIN
    assert {claim.name for claim in verdict.claims if not claim.main} == {BEST, UNITS, LAYER, CAPACITY, CHANCE, NORMS}
    drop = _claims(verdict)[MAIN[0]].criteria[0]
    assert drop.published == "keeps falling"
    assert _claims(verdict)[MAIN[2]].criteria[0].published is None


@pytest.mark.parametrize(("kind", "claim"), list(zip(list(KINDS)[:3], MAIN, strict=True)))
def test_width_that_does_not_help_is_not_shown(kind: str, claim: str) -> None:
    flat = {kind: (0.3, *(0.2,) * 5)}
    verdict = _judge(error=flat)
    assert verdict.status is Status.NOT_SHOWN
    assert [n for n, status in _statuses(verdict).items() if status is Status.NOT_SHOWN and n != BEST] == [claim]
    assert _statuses(_judge(error=flat, only=3))[claim] is Status.NOT_SHOWN, "one seed is enough"


def test_the_fall_counts_from_where_networks_fit() -> None:
    """What is gained before every label is fitted is not the effect."""
    before = {"noise-0.2": (0.9, 0.8, 0.7, 0.12, 0.11, 0.11)}
    assert _statuses(_judge(error=before))[MAIN[2]] is Status.NOT_SHOWN


def test_random_labels_that_get_better_with_width_make_it_unclear() -> None:
    falls = {"random": (0.9, 0.9, 0.9, 0.9, 0.9, 0.75)}
    for only in (None, 4):
        verdict = _judge(error=falls, only=only)
        assert verdict.status is Status.INCONCLUSIVE
        assert {_statuses(verdict)[name] for name in MAIN} == {Status.INCONCLUSIVE}
        assert "fired" in _claims(verdict)[MAIN[0]].reason
    slightly = {"random": (0.9, 0.9, 0.9, 0.9, 0.9, 0.85)}
    assert _statuses(_judge(error=slightly))[MAIN[0]] is Status.SHOWN


@pytest.mark.parametrize("kind", ["noise-0.05", "random"])
def test_too_short_a_range_makes_it_unclear(kind: str) -> None:
    """Here or with random labels, in any seed: the widest must have four times the units of the first that fits."""
    late = {kind: (0.4, 0.3, 0.2, 0.1, 0.1, 0.0)}
    assert _statuses(_judge(fit=late))[MAIN[1]] is Status.INCONCLUSIVE
    claim = _claims(_judge(fit=late, only=1))[MAIN[1]]
    assert claim.status is Status.INCONCLUSIVE
    assert "precondition" in claim.reason


def test_a_widest_network_that_does_not_fit_makes_it_unclear() -> None:
    """It did not converge, say: the fall up to it would compare what was fitted with what was not."""
    gap = {"clean": (0.1, 0.0, 0.0, 0.0, 0.0, 0.02)}
    assert _statuses(_judge(fit=gap, only=0))[MAIN[0]] is Status.INCONCLUSIVE


def test_a_network_that_diverged_makes_it_unclear() -> None:
    run_data = _data(_spec())
    for name in run_data.measures:
        run_data.measures[name]["clean-256", 2] = math.nan  # type: ignore[index]
    statuses = _statuses(judge(PHENOMENON, run_data.spec, run_data))
    assert statuses[MAIN[0]] is Status.INCONCLUSIVE
    assert statuses[MAIN[1]] is Status.SHOWN


def test_two_seeds_are_inconclusive() -> None:
    assert _judge(_spec(seeds=2)).status is Status.INCONCLUSIVE


def test_the_best_network_may_be_a_small_one() -> None:
    """Rising test error fails it, with the main claim; the rank correlation is said in the figure and never judged."""
    rising = {"clean": (0.2, 0.05, 0.06, 0.07, 0.08, 0.09)}
    claim = _claims(_judge(error=rising))[BEST]
    assert claim.status is Status.NOT_SHOWN
    assert not claim.main
    first = claim.criteria[0]
    assert first.name == "parameters per sample at the least test error, clean labels"
    assert first.value == pytest.approx(0.61)
    assert "random" not in " ".join(c.name for c in claim.criteria)
    (figure,) = [f for f in PHENOMENON.figures(_data(_spec(), error=rising)) if f.name == "error"]
    assert "rank correlation 1.00" in figure.note


@pytest.mark.parametrize(
    ("claim", "measure", "row"),
    [
        (UNITS, "unit_distance", (1.0,) * 6),
        (UNITS, "unit_distance", tuple(h**0.1 for h in WIDTHS)),
        (LAYER, "distance", tuple(h**-0.1 for h in WIDTHS)),
        (CAPACITY, "unit_capacity", tuple(h**0.1 for h in WIDTHS)),
        (CAPACITY, "spectral_capacity", tuple(h**-0.1 for h in WIDTHS)),
        (NORMS, "frobenius_capacity", (1e9,) * 6),
    ],
)
def test_each_side_claim_can_fail_without_counting(claim: str, measure: str, row: tuple[float, ...]) -> None:
    verdict = _judge(**{measure: {"clean": row}})
    assert _statuses(verdict)[claim] is Status.NOT_SHOWN
    assert verdict.status is Status.SHOWN


def test_slopes_need_three_widths_that_fit() -> None:
    two = {"clean": (0.1, 0.1, 0.1, 0.1, 0.0, 0.0)}
    statuses = _statuses(_judge(fit=two))
    assert {statuses[name] for name in (UNITS, LAYER, CAPACITY)} == {Status.INCONCLUSIVE}
    assert statuses[MAIN[0]] is Status.NOT_SHOWN, "from 64 to 256 units: a range, but too small a fall"


def test_test_labels_that_are_guessed_above_chance_are_said() -> None:
    assert _statuses(_judge(error={"random": (0.86,) * 6}))[CHANCE] is Status.NOT_SHOWN
    assert _statuses(_judge(_spec(seeds=4)))[CHANCE] is Status.INCONCLUSIVE, "on digits five seeds are needed"
    assert _statuses(_judge(_spec("mnist1d", seeds=4)))[CHANCE] is Status.SHOWN


def test_norms_are_compared_where_both_fit() -> None:
    statuses = _statuses(_judge(fit={"random": (0.8, 0.7, 0.6, 0.5, 0.0, 0.001)}))
    assert statuses[NORMS] is Status.INCONCLUSIVE


def test_claims_whose_arms_were_not_launched_are_left_out() -> None:
    arms = tuple(f"{kind}-{h}" for kind in ("clean", "random") for h in WIDTHS)
    spec = _spec(arms=arms)
    full = _data(_spec())
    kept = {name: {m: v for m, v in rows.items() if m[0] in arms} for name, rows in full.measures.items()}
    verdict = judge(PHENOMENON, spec, RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=kept))
    assert set(_statuses(verdict)) == {MAIN[0], UNITS, LAYER, CAPACITY, CHANCE, NORMS}
    assert MAIN[1] in verdict.scope


def test_a_replica_is_judged_by_its_own_seeds() -> None:
    """A block of seeds of a larger run has the verdict of a run of those seeds."""
    spec = _spec(seeds=10)
    run_data = _data(spec, only=7, error={"clean": (0.2,) * 6})
    first, second = (run_data.of_seeds(range(start, start + 5)) for start in (0, 5))
    assert judge(PHENOMENON, first.spec, first).status is Status.SHOWN
    assert judge(PHENOMENON, second.spec, second).status is Status.NOT_SHOWN


# --- figures ----------------------------------------------------------------------------------------------------------

NAMES = ["error", "fit", "norms", "capacity", "margin", "degrees", "epochs"]


def test_figures_draw_every_level_and_say_where_networks_fit() -> None:
    drawn = {figure.name: figure for figure in PHENOMENON.figures(_data(_spec()))}
    assert list(drawn) == NAMES
    for name in ("error", "fit", "margin", "epochs"):
        assert [line.label for line in drawn[name].lines] == [
            *("clean labels", "5 % label noise", "20 % label noise", "random labels")
        ]
        marks = {r.value: r.label for r in drawn[name].references if r.axis == "x"}
        assert set(marks) == {8.0, 16.0, 32.0, 64.0}
        assert "random labels" in marks[64.0]
    assert any(r.label == "guessing" and r.value == 0.9 for r in drawn["error"].references)
    assert "610 to 19,210 parameters fit n = 1,000, rank correlation -1.00" in drawn["error"].note
    assert all(figure.log_x for figure in drawn.values())


def test_capacities_are_relative_to_the_first_width_that_fits() -> None:
    (figure,) = [f for f in PHENOMENON.figures(_data(_spec())) if f.name == "capacity"]
    assert [line.x[0] for line in figure.lines] == [8.0] * 4
    assert [line.y[0] for line in figure.lines] == pytest.approx([1.0] * 4)
    ends = {line.label.split(" ")[0]: line.y[-1] for line in figure.lines}
    assert ends["by"] < 1 < ends["spectral"]
    assert ends["parameters"] == pytest.approx(19_210 / 610)


def test_the_line_to_compare_goes_through_the_first_unit_that_fits() -> None:
    (figure,) = [f for f in PHENOMENON.figures(_data(_spec())) if f.name == "norms"]
    slope = figure.lines[-1]
    assert slope.label == "1 / sqrt(H), to compare"
    assert slope.y == pytest.approx(figure.lines[0].y[1:])


def test_figures_and_verdict_stand_without_data() -> None:
    spec = _spec()
    empty = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)
    assert [len(figure.lines) for figure in PHENOMENON.figures(empty)] == [0] * len(NAMES)
    assert judge(PHENOMENON, spec, empty).status is Status.INCONCLUSIVE
    nowhere = PHENOMENON.figures(_data(spec, fit=dict.fromkeys(KINDS, (0.1,) * 6)))
    assert all(r.axis != "x" for figure in nowhere for r in figure.references)
    half = _data(spec)
    for rows in half.measures.values():
        for member in [m for m in rows if m[0].endswith("-256")]:
            del rows[member]  # type: ignore[attr-defined]
    assert len(PHENOMENON.figures(half)) == len(NAMES)
    assert judge(PHENOMENON, spec, half).status is Status.INCONCLUSIVE


def test_degrees_of_freedom_can_be_switched_off() -> None:
    spec = _spec(dof=False)
    assert [f.name for f in PHENOMENON.figures(_data(spec))] == [name for name in NAMES if name != "degrees"]


def test_the_control_counts_as_such() -> None:
    """Another noise is a main claim of its own; without any, clean labels are judged alone."""
    spec = _spec(noise=(0.0,))
    names = [c.name for c in PHENOMENON.claims(PHENOMENON.config_of(spec), spec) if c.main]
    assert names == [MAIN[0]]
    spec = dataclasses.replace(_spec(noise=(0.1,)))
    names = [c.name for c in PHENOMENON.claims(PHENOMENON.config_of(spec), spec) if c.main]
    assert names == [MAIN[0], "wider is better, 10 % label noise"]
