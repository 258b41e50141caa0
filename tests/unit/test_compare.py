"""Comparisons: means over seeds, thinning, paired deltas, what differs, figures on top of each other, the document."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlab_tui import compare, lines
from genlab_tui import events as ev
from genlab_tui.errors import GenlabError, NotFound
from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.phenomenon import Arm, Estimate, Metric, Phenomenon, Preset, param
from genlab_tui.run import RunRecord, RunSpec, RunState
from genlab_tui.rundata import Curve, RunData
from genlab_tui.selection import Selection
from genlab_tui.settings import settings_table
from genlab_tui.stats import summarise
from genlab_tui.summary import LoadedRun, baseline_arm, measure_names, pairing_note, summary_rows
from genlab_tui.verdict import ClaimResult, CriterionResult, Grade, Status, Verdict

ARMS = (Arm("true", "true labels"), Arm("random", "random labels"))


@dataclasses.dataclass(frozen=True)
class Config:
    width: int = param(64, help="Hidden units.", low=1)
    rates: tuple[float, ...] = param((0.1,), help="Learning rates.")


def figures(data: RunData) -> tuple[Figure | HeatMap, ...]:
    values = data.measure("test_error", "true")
    line = Line("test error", tuple(float(s) for s in values), tuple(values.values()))
    heat = HeatMap("grid", "Grid", "seed", "arm", ("0",), ("a",), ((1.0,),))
    return Figure("error", "Error", "seed", "error", (line,), (Reference(0.9, "chance"),)), heat


TOY = Phenomenon(
    name="toy",
    title="Toy",
    group="Data",
    question="?",
    explanation="",
    papers=(),
    config=Config,
    presets={"quick": Preset()},
    data=("digits",),
    plan=lambda config, spec: ARMS,
    estimate=lambda config, spec: Estimate(1, 1.0, 1.0),
    figures=figures,
    claims=lambda config, spec: (),
    run=lambda config, context: iter(()),
    metrics=(
        Metric("loss", "training loss", log=True, higher_is_better=False),
        Metric("accuracy", "accuracy", references=((0.1, "chance"),)),
    ),
    headline=("test_error",),
)


def curve(values: list[float], steps: list[float] | None = None) -> Curve:
    step = np.array(steps if steps is not None else range(len(values)), dtype=float)
    return Curve(step, step / 10, step / 100, np.array(values, dtype=float))


def make(
    run_id: str = "aaaaaaaa",
    measures: Mapping[str, Mapping[tuple[str, int], float]] | None = None,
    curves: Mapping[str, Mapping[tuple[str, int], Curve]] | None = None,
    verdict: Verdict | None = None,
    phenomenon: Phenomenon | None = TOY,
    name: str = "",
    **spec: object,
) -> LoadedRun:
    full = RunSpec(id=run_id, phenomenon="toy", config={"width": 64, "rates": (0.1,)})
    full = dataclasses.replace(full, **spec)  # type: ignore[arg-type]
    record = RunRecord(id=run_id, phenomenon=full.phenomenon, state=RunState.DONE, name=name)
    data = RunData(full, ARMS, full.seed_list, curves or {}, measures or {})
    return LoadedRun(record, data, verdict, phenomenon)


def errors(offset: float, seeds: range = range(3), arm: str = "true") -> dict[tuple[str, int], float]:
    return {(arm, s): offset + 0.1 * s for s in seeds}


# --- curves -----------------------------------------------------------------------------------------------------------


def test_curve_lines_are_the_mean_and_one_standard_deviation_per_arm() -> None:
    members = {("true", 0): curve([1, 2]), ("true", 1): curve([3, 6]), ("random", 0): curve([5, 5])}
    first, second = curve_lines(make(curves={"loss": members}).data, "loss")
    assert (first.label, second.label) == ("true labels", "random labels")
    assert first.x == (0.0, 1.0)
    assert first.y == (2.0, 4.0)
    assert first.low is not None
    assert first.high is not None
    assert first.high[1] - first.y[1] == pytest.approx(math.sqrt(8.0))
    assert first.n == (2, 2)
    assert second.low is None, "one seed has no spread"


def test_a_member_that_stopped_early_carries_no_value_beyond_its_end() -> None:
    members = {("true", 0): curve([1, 1, 1, 1]), ("true", 1): curve([3, 3, math.nan, math.nan])}
    (line,) = curve_lines(make(curves={"loss": members}).data, "loss")
    assert line.y == (2.0, 2.0, 1.0, 1.0)
    assert line.n == (2, 2, 1, 1)
    assert line.low is not None
    assert line.low[0] == pytest.approx(2 - math.sqrt(2))
    assert math.isnan(line.low[3])


def test_seeds_on_different_steps_meet_on_the_union_inside_their_own_range() -> None:
    members = {("true", 0): curve([0, 4], [0, 4]), ("true", 1): curve([10, 10, 10], [1, 2, 3])}
    (line,) = curve_lines(make(curves={"loss": members}).data, "loss")
    assert line.x == (0.0, 1.0, 2.0, 3.0, 4.0)
    assert line.y == (0.0, 5.5, 6.0, 6.5, 4.0)
    assert line.n == (1, 2, 2, 2, 1)


def test_infinite_values_never_enter_the_mean() -> None:
    members = {("true", 0): curve([1, math.inf]), ("true", 1): curve([1, 3]), ("random", 0): curve([math.nan])}
    (line,) = curve_lines(make(curves={"loss": members}).data, "loss")
    assert line.y == (1.0, 3.0)


@pytest.mark.parametrize(("axis", "last"), [("step", 3.0), ("epoch", 0.3), ("seconds", 0.03)])
def test_the_x_axis_can_be_step_epoch_or_seconds(axis: lines.Axis, last: float) -> None:
    (line,) = curve_lines(make(curves={"loss": {("true", 0): curve([4, 3, 2, 1])}}).data, "loss", x=axis)
    assert line.x[-1] == pytest.approx(last)


def test_members_arms_and_prefix() -> None:
    members = {("true", 0): curve([1]), ("true", 1): curve([3]), ("random", 0): curve([5])}
    data = make(curves={"loss": members}).data
    found = curve_lines(data, "loss", members=True, arms=["true"], prefix="A · ")
    assert [f.label for f in found] == ["A · true labels", "A · true labels · seed 0", "A · true labels · seed 1"]
    assert [f.y for f in found] == [(2.0,), (1.0,), (3.0,)]
    assert curve_lines(data, "unknown") == ()


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=3000),
    st.integers(min_value=1, max_value=500),
)
def test_thinning_keeps_ends_and_extremes_and_its_promise(values: list[float], points: int) -> None:
    y = np.array(values)
    keep = lines.thin(y, points)
    assert (np.diff(keep) > 0).all()
    assert keep[0] == 0
    assert keep[-1] == len(y) - 1
    assert len(keep) <= max(points, 4) + 4
    finite = y[np.isfinite(y)]
    if len(finite):
        assert np.nanmin(y[keep]) == finite.min()
        assert np.nanmax(y[keep]) == finite.max()


def test_a_peak_of_one_step_survives_in_a_long_curve() -> None:
    values = [0.0] * 100_000
    values[54_321] = 7.0
    (line,) = curve_lines(make(curves={"loss": {("true", 0): curve(values)}}).data, "loss", points=100)
    assert max(line.y) == 7.0
    assert len(line.x) <= 104


# --- summary ----------------------------------------------------------------------------------------------------------


def test_deltas_are_paired_over_shared_seeds_only() -> None:
    base = make(measures={"test_error": errors(0.5, range(4))})
    other = make("bbbbbbbb", {"test_error": errors(0.3, range(2, 6))}, first_seed=2)
    rows = {r.run: r for r in summary_rows([base, other])}
    delta = rows["bbbbbbbb"].delta
    assert delta is not None
    assert delta.n == 2
    assert delta.mean == pytest.approx(-0.2)
    assert delta.sd == pytest.approx(0.0, abs=1e-12), "what seeds have in common cancels"
    assert rows["bbbbbbbb"].value.n == 4
    assert rows["aaaaaaaa"].delta is None
    assert rows["aaaaaaaa"].baseline == ""


def test_runs_without_a_shared_seed_have_a_delta_over_no_pair() -> None:
    base = make(measures={"test_error": errors(0.5)})
    other = make("bbbbbbbb", {"test_error": errors(0.3, range(10, 13))}, first_seed=10)
    delta = summary_rows([base, other])[-1].delta
    assert delta is not None
    assert delta.n == 0
    assert math.isnan(delta.mean)


def test_arms_are_measured_against_the_first_arm_of_their_run() -> None:
    measures = {"test_error": errors(0.1) | errors(0.9, arm="random")}
    first, second = summary_rows([make(measures=measures)])
    assert (first.arm, first.arm_delta, first.arm_baseline) == ("true", None, "")
    assert second.arm_baseline == "true"
    assert second.arm_delta is not None
    assert second.arm_delta.mean == pytest.approx(0.8)
    assert second.arm_delta.low == pytest.approx(0.8)


def test_a_control_is_not_the_baseline_arm() -> None:
    run = make()
    data = dataclasses.replace(run.data, arms=(Arm("noise", control=True), *ARMS))
    assert baseline_arm(dataclasses.replace(run, data=data)) == "true"


def test_final_and_best_values_of_curves_are_measures() -> None:
    curves = {
        "loss": {("true", 0): curve([3, 1, 2, math.nan])},
        "accuracy": {("true", 0): curve([0.1, 0.9, 0.8])},
        "foreign": {("true", 0): curve([1, 2])},
    }
    rows = {r.measure: r for r in summary_rows([make(curves=curves)])}
    assert {name: row.value.mean for name, row in rows.items()} == {
        "loss (final)": 2.0,
        "loss (best)": 1.0,
        "accuracy (final)": 0.8,
        "accuracy (best)": 0.9,
        "foreign (final)": 2.0,
    }
    assert rows["loss (final)"].higher_is_better is False
    assert rows["foreign (final)"].higher_is_better is None


def test_headline_measures_come_first() -> None:
    run = make(measures={"norm": errors(1.0), "test_error": errors(0.1)})
    assert measure_names(run) == ("test_error", "norm")


def test_the_baseline_can_be_chosen_and_must_be_there() -> None:
    runs = [make(measures={"test_error": errors(0.5)}), make("bbbbbbbb", {"test_error": errors(0.3)})]
    rows = summary_rows(runs, "bbbbbbbb")
    assert [(r.run, r.baseline) for r in rows] == [("aaaaaaaa", "bbbbbbbb"), ("bbbbbbbb", "")]
    with pytest.raises(NotFound, match="cccccccc"):
        summary_rows(runs, "cccccccc")
    assert summary_rows([]) == ()


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8), st.floats(-1e3, 1e3))
def test_a_constant_shift_is_recovered_exactly_enough(values: list[float], shift: float) -> None:
    base = make(measures={"m": {("true", s): v for s, v in enumerate(values)}}, seeds=len(values))
    moved = {("true", s): v + shift for s, v in enumerate(values)}
    delta = summary_rows([base, make("bbbbbbbb", {"m": moved}, seeds=len(values))])[-1].delta
    assert delta is not None
    assert delta.mean == pytest.approx(shift, abs=1e-9)
    assert delta.low - 1e-9 <= delta.mean <= delta.high + 1e-9


def test_pairs_across_data_sets_carry_a_note() -> None:
    base, other = make(), make("bbbbbbbb", data="mnist1d")
    assert pairing_note([base, make("cccccccc")]) == ""
    assert "another data set" in pairing_note([base, other])
    assert "another phenomenon" in pairing_note([base, _of_other_phenomenon()])


def _of_other_phenomenon() -> LoadedRun:
    run = make("eeeeeeee", {"test_error": errors(0.3)})
    spec = dataclasses.replace(run.spec, phenomenon="other", config={"depth": 3})
    return LoadedRun(run.record, dataclasses.replace(run.data, spec=spec), None, None)


# --- settings, figures, verdicts --------------------------------------------------------------------------------------


def test_settings_show_only_what_differs() -> None:
    base = make(regularisers={"weight-decay": 1e-3})
    other = make("bbbbbbbb", regularisers={"dropout": 0.5}, config={"width": 64, "rates": (0.1, 0.2)}, seeds=5)
    rows = {row.name: row.values for row in settings_table([base, other])}
    assert rows == {
        "weight decay": ("0.001", "–"),
        "dropout": ("–", "0.5"),
        "rates": ("0.1", "0.1 0.2"),
        "seeds": ("0 to 2", "0 to 4"),
    }
    everything = {row.name for row in settings_table([base, other], all_of_them=True)}
    assert {"phenomenon", "data", "preset", "width", "arms", "device", "genlab version"} <= everything


def test_a_run_that_waits_differs_in_no_device_that_it_may_get() -> None:
    begun = make()
    begun = dataclasses.replace(begun, data=dataclasses.replace(begun.data, begin=ev.Begin(time=1.0, device="cpu")))
    assert not [row for row in settings_table([begun, make("bbbbbbbb")]) if row.name == "device"]
    asked = [row.values for row in settings_table([begun, make("bbbbbbbb", device="cuda:0")]) if row.name == "device"]
    assert asked == [("auto", "cuda:0")]


def test_settings_of_another_phenomenon_leave_cells_empty() -> None:
    rows = {row.name: row.values for row in settings_table([make(), _of_other_phenomenon()])}
    assert rows["phenomenon"] == ("toy", "other")
    assert rows["depth"] == ("–", "3")
    assert rows["width"] == ("64", "–")


def test_a_regulariser_changed_in_flight_differs() -> None:
    run = make("bbbbbbbb")
    data = dataclasses.replace(run.data, changes=(ev.Change(regulariser="dropout", strength=None, step=40),))
    changed = dataclasses.replace(run, data=data)
    (row,) = settings_table([make(), changed])
    assert (row.name, row.values) == ("changed in flight", ("–", "dropout – at 40"))
    assert changed.flags == ("changed in flight",)


def test_metric_figure_overlays_runs_with_the_phenomenons_axes_and_references() -> None:
    curves = {"accuracy": {("true", 0): curve([0.1, 0.9])}, "loss": {("true", 0): curve([2, 1])}}
    runs = [make(curves=curves, name="plain"), make("bbbbbbbb", curves=curves)]
    figure = compare.metric_figure(runs, "accuracy", x="epoch")
    assert [line.label for line in figure.lines] == ["plain aaaa · true labels", "bbbbbbbb · true labels"]
    assert figure.references == (Reference(0.1, "chance"),)
    assert (figure.x_label, figure.y_label, figure.log_y) == ("epoch", "accuracy", False)
    assert compare.metric_figure(runs, "loss").log_y is True
    assert compare.metric_figure(runs, "loss", log_y=False).log_y is False
    assert [line.label for line in compare.metric_figure(runs[:1], "loss").lines] == ["true labels"]
    assert compare.metric_names(runs) == ("loss", "accuracy")


def test_figures_of_one_name_lie_on_top_of_each_other_and_heat_maps_do_not() -> None:
    runs = [make(measures={"test_error": errors(0.5)}), make("bbbbbbbb", {"test_error": errors(0.3)})]
    error, first, second = compare.overlay_figures(runs)
    assert isinstance(error, Figure)
    assert [line.label for line in error.lines] == ["aaaaaaaa · test error", "bbbbbbbb · test error"]
    assert error.references == (Reference(0.9, "chance"),)
    assert (first.title, second.title) == ("aaaaaaaa · Grid", "bbbbbbbb · Grid")
    assert compare.overlay_figures([_of_other_phenomenon()]) == ()


def test_a_phenomenon_whose_drawing_fails_is_named() -> None:
    def fails(data: RunData) -> tuple[Figure | HeatMap, ...]:
        raise ZeroDivisionError("no seeds")

    broken = make(phenomenon=dataclasses.replace(TOY, figures=fails))
    with pytest.raises(GenlabError, match="toy failed on run aaaaaaaa: ZeroDivisionError: no seeds"):
        compare.overlay_figures([broken])


def judged(status: Status, value: float | str) -> Verdict:
    criterion = CriterionResult("gap", Grade.PASS, value, "≥ 0.5", {"0": value})
    return Verdict(status, "scope", (ClaimResult("fits noise", True, status, (criterion,)),))


def test_verdicts_stand_side_by_side() -> None:
    runs = [make(verdict=judged(Status.SHOWN, 0.9)), make("bbbbbbbb", verdict=judged(Status.NOT_SHOWN, 0.2)), make()]
    claim, criterion = compare.verdict_rows(runs)
    assert (claim.claim, claim.criterion, claim.statuses) == ("fits noise", "", ("SHOWN", "NOT SHOWN", ""))
    assert criterion.criterion == "gap"
    assert [c.value if c else None for c in criterion.cells] == [0.9, 0.2, None]


def test_the_document_is_json_with_missing_numbers_as_null() -> None:
    base = make(measures={"test_error": errors(0.5)}, verdict=judged(Status.SHOWN, "inf"))
    other = make("bbbbbbbb", {"test_error": {("true", 0): 0.25}}, regularisers={"dropout": 0.5}, seeds=1)
    document = json.loads(json.dumps(compare.compare_document([base, other], Selection("aaaaaaaa")), allow_nan=False))
    assert document["schema"] == 1
    assert document["baseline"] == "aaaaaaaa"
    assert "Student-t" in document["method"]
    assert [r["id"] for r in document["runs"]] == ["aaaaaaaa", "bbbbbbbb"]
    assert {"name": "dropout", "group": "regulariser", "values": {"aaaaaaaa": "–", "bbbbbbbb": "0.5"}} in document[
        "differs"
    ]
    row = document["summary"][-1]
    assert (row["mean"], row["sd"], row["n"]) == (0.25, None, 1)
    assert row["delta"] == {"n": 1, "mean": -0.25, "sd": None, "low": None, "high": None}
    assert document["verdicts"][1]["value"] == {"aaaaaaaa": "inf"}


def test_statistics_agree_with_the_shared_ones() -> None:
    values = errors(0.5)
    (row,) = summary_rows([make(measures={"test_error": values})])
    assert row.value == summarise(values.values())


def test_every_figure_says_which_weight_decay_it_was() -> None:
    """Decoupled or in the loss, on what: the same word means several things."""
    assert all("weight decay" not in figure.note for figure in make().figures())
    decayed = make(regularisers={"weight-decay": 0.01}).figures()
    assert [f.note for f in decayed] == ["weight decay 0.01: decoupled, on weight matrices alone"] * 2
    ridge = dataclasses.replace(TOY, weight_decay=lambda config: f"a penalty at width {config.width}")
    own = make(regularisers={"weight-decay": 0.01}, phenomenon=ridge).figures()
    assert own[0].note == "weight decay 0.01: a penalty at width 64"
    exact = dataclasses.replace(TOY, precision="float64")
    assert make(phenomenon=exact).figures()[0].note.endswith("computed in float64")


def test_a_config_of_another_shape_is_told_as_it_is() -> None:
    """A field that took one number in an earlier version and takes several now."""
    runs = [make(), make("bbbbbbbb", config={"width": [1, 2], "rates": 0.5})]
    rows = {row.name: row.values for row in settings_table(runs)}
    assert rows["rates"] == ("0.1", "0.5")
