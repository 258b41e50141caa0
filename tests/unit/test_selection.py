"""Groups of runs, values at a step, paired difference curves: what a comparison shows, and that it is what it says."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from genlab_tui import events as ev
from genlab_tui.compare import compare_document
from genlab_tui.difference import difference_figure, difference_lines
from genlab_tui.errors import BadValue, NotFound
from genlab_tui.export import KINDS, export_csv
from genlab_tui.export_rows import CRITERIA, CURVES, FIGURE, MEANS, SETTINGS, SUMMARY, ExportRun
from genlab_tui.grouping import Group, fields_that_differ, group_runs
from genlab_tui.phenomenon import Arm
from genlab_tui.run import RunRecord, RunSpec, RunState
from genlab_tui.rundata import Curve, RunData
from genlab_tui.selection import Selection, field_figure, numeric, select, steps_note
from genlab_tui.stats import t_quantile
from genlab_tui.summary import is_of

ARMS = (Arm("true", "true labels"), Arm("random", "random labels"))


def curve(values: Sequence[float], steps: Sequence[float] | None = None) -> Curve:
    step = np.array(steps if steps is not None else range(len(values)), dtype=float)
    return Curve(step, step / 10, step / 100, np.array(values, dtype=float))


def make(
    run_id: str,
    errors: Mapping[int, float] | None = None,
    curves: Mapping[int, Curve] | None = None,
    changed: bool = False,
    state: RunState = RunState.DONE,
    **spec: object,
) -> ExportRun:
    given = dict(errors or {})
    full = dataclasses.replace(
        RunSpec(run_id, "gone", {"width": 64}, seeds=max(len(given), len(curves or {}), 1)),
        **spec,  # type: ignore[arg-type]
    )
    if given and "first_seed" not in spec:
        full = dataclasses.replace(full, first_seed=min(given))
    data = RunData(
        full,
        ARMS,
        full.seed_list,
        {"loss": {("true", seed): c for seed, c in (curves or {}).items()}} if curves else {},
        {"error": {("true", seed): value for seed, value in given.items()}} if given else {},
        changes=(ev.Change(regulariser="dropout", strength=0.5, step=3),) if changed else (),
    )
    return ExportRun(RunRecord(run_id, "gone", state, name=f"run {run_id[:2]}"), data)


def seeds(*values: float, first: int = 0) -> dict[int, float]:
    return dict(enumerate(values, start=first))


# --- groups -----------------------------------------------------------------------------------------------------------


def test_runs_of_one_value_are_pooled_over_all_their_seeds() -> None:
    runs = [
        make("a" * 8, seeds(0.1, 0.2)),
        make("b" * 8, seeds(0.3, first=2)),
        make("c" * 8, seeds(0.05, 0.1, 0.2), config={"width": 128}),
    ]
    selected = select(runs, Selection(group_by="width"))
    small, large = selected.grouping.groups
    assert (small.value, small.number, [run.id[0] for run in small.members]) == ("64", 64.0, ["a", "b"])
    rows = {row.run: row for row in selected.rows}
    assert rows["64"].value.n == 3
    assert rows["64"].value.mean == pytest.approx(0.2)
    delta = rows["128"].delta
    assert delta is not None
    assert (delta.n, rows["128"].baseline) == (3, "64")
    assert delta.mean == pytest.approx((-0.05 - 0.1 - 0.1) / 3)
    assert large.flags == ()


def test_a_network_that_two_runs_of_a_group_trained_counts_once_and_the_finished_one_counts() -> None:
    runs = [make("a" * 8, seeds(0.9, 0.9), state=RunState.RUNNING), make("b" * 8, seeds(0.1, 0.2, 0.3))]
    (group,) = group_runs(runs, "width").groups
    assert group.data.measure("error", "true") == {0: 0.1, 1: 0.2, 2: 0.3}
    assert group.flags == ("running",)


def test_equal_seeds_under_other_settings_are_other_networks_and_pair_with_their_like() -> None:
    runs = [
        make("a" * 8, seeds(0.1, 0.2), regularisers={"dropout": 0.5}),
        make("b" * 8, seeds(0.5, 0.6)),
        make("c" * 8, seeds(0.2, 0.3), config={"width": 128}, regularisers={"dropout": 0.5}),
        make("d" * 8, seeds(0.6, 0.7), config={"width": 128}),
    ]
    selected = select(runs, Selection(group_by="width"))
    first, second = selected.rows
    first_group = selected.grouping.groups[0]
    assert len(first_group.data.measure("error", "true")) == 4
    assert first.value.n == 2, "seeds are what is repeated, not settings"
    assert first.value.mean == pytest.approx(0.35)
    assert second.delta is not None
    assert second.delta.n == 2
    assert second.delta.mean == pytest.approx(0.1)
    assert second.delta.sd == pytest.approx(0.0, abs=1e-12), "the effect of dropout cancels in every pair"
    assert selected.note.startswith("n counts seeds")
    lonely = select([*runs[:3]], Selection(group_by="width"))
    delta = lonely.rows[1].delta
    assert delta is not None
    assert delta.n == 2, "without its like there is no pair"
    assert "otherwise the same settings" in lonely.note


def test_no_two_networks_of_a_group_share_a_number() -> None:
    """A first seed may be large: seed 1,000,000 must not be taken for seed 0 under another setting."""
    runs = [make("a" * 8, {1_000_000: 0.1, 2**31 - 2001: 0.2}), make("b" * 8, {0: 0.3}, regularisers={"dropout": 0.5})]
    (group,) = group_runs(runs, "width").groups
    assert sorted(group.data.measure("error", "true").values()) == [0.1, 0.2, 0.3]


def test_changed_runs_are_left_out_of_groups_and_named() -> None:
    runs = [
        make("a" * 8, seeds(0.1)),
        make("b" * 8, seeds(0.9), changed=True),
        make("c" * 8, seeds(0.3), data="mnist1d"),
    ]
    selected = select(runs, Selection("b" * 8, group_by="data"))
    assert [run.id for run in selected.grouping.left_out] == ["b" * 8]
    assert "run bb" in selected.note
    assert "left out" in selected.note
    assert {row.run: row.value.mean for row in selected.rows} == {"digits": 0.1, "mnist1d": 0.3}
    assert selected.baseline == "digits", "the baseline asked for is left out, so the first group is it"
    nothing = select(runs[1:2], Selection(group_by="data"))
    assert (nothing.units, nothing.rows) == ((), ())


def test_a_baseline_that_is_in_no_group_is_said_to_be_replaced() -> None:
    runs = [make("a" * 8, seeds(0.1)), make("b" * 8, seeds(0.9), changed=True)]
    found = select(runs, Selection(baseline="b" * 8, group_by="width"))
    assert found.baseline == "64"
    assert "the baseline is in no group: width 64 takes its place" in found.note
    assert "no group" not in select(runs, Selection(baseline="a" * 8, group_by="width")).note


def test_a_regulariser_that_is_off_is_a_group_of_strength_nought() -> None:
    runs = [make("a" * 8, seeds(0.1), regularisers={"weight-decay": 0.01}), make("b" * 8, seeds(0.2))]
    grouping = group_runs(runs, "weight-decay")
    assert [(group.value, group.number) for group in grouping.groups] == [("0", 0.0), ("0.01", 0.01)]
    assert numeric(grouping)
    unit = grouping.unit_of("a" * 8)
    assert isinstance(unit, Group)
    assert unit.value == "0.01"


def test_fields_are_those_that_differ_and_unknown_ones_are_refused() -> None:
    runs = [make("a" * 8, seeds(0.1), changed=True), make("b" * 8, seeds(0.2, 0.3), config={"width": 128})]
    assert fields_that_differ(runs) == {"width": 2, "seeds": 2}
    with pytest.raises(BadValue, match="depth"):
        select(runs, Selection(group_by="depth"))
    with pytest.raises(NotFound, match="zzz"):
        select(runs, Selection("zzz"))
    with pytest.raises(NotFound, match="wrong"):
        select(runs, Selection(arm="wrong"))
    with pytest.raises(BadValue, match="need a step"):
        select(runs, Selection(values="at"))
    with pytest.raises(BadValue, match="no step"):
        select(runs, Selection(at=math.nan))


def test_the_figure_against_a_field_has_a_log_axis_where_it_spans_decades() -> None:
    strengths = (0.0, 1e-4, 1e-3, 1e-2)
    runs = [
        make(f"{i}" * 8, seeds(0.1 * i, 0.1 * i + 0.02), regularisers={"weight-decay": s} if s else {})
        for i, s in enumerate(strengths, start=1)
    ]
    selected = select(runs, Selection(group_by="weight decay"))
    figure = field_figure(selected.rows, selected.grouping, "error")
    (line,) = figure.lines
    assert figure.log_x
    assert line.x == strengths[1:]
    assert line.y == pytest.approx((0.21, 0.31, 0.41))
    assert line.low is not None
    assert line.low[0] == pytest.approx(0.21 - 0.02 / math.sqrt(2))
    assert [(r.label, r.value) for r in figure.references] == [("off", pytest.approx(0.11))]
    linear = field_figure(selected.rows, selected.grouping, "error", log_x=False)
    assert (linear.log_x, linear.lines[0].x, linear.references) == (False, strengths, ())
    widths = [make("a" * 8, seeds(0.1)), make("b" * 8, seeds(0.2), config={"width": 128})]
    near = select(widths, Selection(group_by="width"))
    assert not field_figure(near.rows, near.grouping, "error").log_x


# --- values -----------------------------------------------------------------------------------------------------------


def test_values_at_a_step_are_the_nearest_measured_and_it_is_said_which() -> None:
    curves = {0: curve([9, 8, 7], [0, 100, 200]), 1: curve([5, 4, math.nan], [0, 90, 110])}
    selected = select([make("a" * 8, curves=curves)], Selection(at=105, values="at"))
    (row,) = selected.rows
    assert row.measure == "loss (at 105)"
    assert row.value.mean == pytest.approx((8 + 4) / 2), "what was not finite is no value"
    assert row.steps == (90.0, 100.0)
    assert steps_note(selected.rows, 105) == "at step 105: measured at 90 to 100"
    exact = select([make("a" * 8, curves={0: curves[0]})], Selection(at=100, values="at"))
    assert steps_note(exact.rows, 100) == "at step 100"
    large = select([make("a" * 8, curves={0: curve([1, 2], [0, 1234567])})], Selection(at=1234567, values="at"))
    assert large.rows[0].measure == "loss (at 1234567)"
    assert large.rows[0].value.mean == 2.0


def test_kinds_of_values() -> None:
    names = ("error", "loss (final)", "loss (best)", "loss (at 5)", "error (top 1)")
    kinds = {kind: [name for name in names if is_of(name, kind)] for kind in ("measured", "final", "best", "at")}
    assert kinds == {
        "measured": ["error", "error (top 1)"],
        "final": ["loss (final)"],
        "best": ["loss (best)"],
        "at": ["loss (at 5)"],
    }
    assert all(is_of(name, "all") for name in names)


# --- differences over steps -------------------------------------------------------------------------------------------


def test_the_difference_curve_is_the_mean_over_pairs_with_its_interval() -> None:
    base = make("a" * 8, curves={0: curve([1, 1, 1]), 1: curve([2, 2, 2]), 2: curve([3, 3, 3])})
    other = make("b" * 8, curves={0: curve([2, 3]), 1: curve([5, 4]), 7: curve([99, 99])})
    (line,) = difference_lines(other.data, base.data, "loss")
    assert line.x == (0.0, 1.0), "as far as both have values"
    assert line.y == (2.0, 2.0)
    assert line.n == (2, 2)
    half = t_quantile(2) * math.sqrt(2) / math.sqrt(2)
    assert line.low is not None
    assert line.low[0] == pytest.approx(2.0 - half)
    assert line.low[1] == pytest.approx(2.0)


def test_differences_of_different_cadence_meet_inside_the_range_of_both() -> None:
    base = make("a" * 8, curves={0: curve([0, 10], [0, 10])})
    other = make("b" * 8, curves={0: curve([6, 9, 1], [4, 8, 12])})
    (line,) = difference_lines(other.data, base.data, "loss")
    assert line.x == (4.0, 8.0, 10.0)
    assert line.y == pytest.approx((2.0, 1.0, 5 - 10))
    assert difference_lines(make("c" * 8, curves={5: curve([1])}).data, base.data, "loss") == ()


def test_the_difference_figure_has_a_line_at_zero_and_none_for_the_baseline() -> None:
    runs = [make(letter * 8, curves={0: curve([i, i])}) for i, letter in enumerate("abc")]
    figure = difference_figure(runs, "b" * 8, "loss", titles={"a" * 8: "first"})
    assert [(line.label, line.y) for line in figure.lines] == [
        ("first · true labels", (-1.0, -1.0)),
        (f"{runs[2].title} · true labels", (1.0, 1.0)),
    ]
    assert figure.references[0].value == 0.0


# --- the document and the files ---------------------------------------------------------------------------------------


def test_the_document_says_how_runs_were_grouped() -> None:
    runs = [make("a" * 8, seeds(0.1, 0.2)), make("b" * 8, seeds(0.3), config={"width": 128}, expected="SHOWN")]
    document = compare_document(runs, Selection(group_by="width"))
    assert (document["group_by"], document["baseline"]) == ("width", "64")
    assert document["groups"][1] == {"value": "128", "runs": ["b" * 8], "networks": 1}
    assert [row["run"] for row in document["summary"]] == ["64", "128"]
    assert document["runs"][1]["expected"] == "SHOWN"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_summary_by_groups_names_its_runs_and_what_they_share(tmp_path: Path) -> None:
    runs = [
        make("a" * 8, seeds(0.1, 0.2), data="mnist1d"),
        make("b" * 8, seeds(0.3, first=2)),
        make("c" * 8, seeds(0.2), config={"width": 128}),
        make("d" * 8, seeds(0.2), changed=True),
    ]
    summary, curves, *_, settings = export_csv(runs, "all", tmp_path / "s.csv", Selection(group_by="width"))
    small, large = read(summary)
    assert (small["run"], small["group_by"], small["group"]) == (f"{'a' * 8} {'b' * 8}", "width", "64")
    assert (small["data"], small["config_width"], large["data"]) == ("", "64", "digits")
    assert float(small["mean"]) == pytest.approx(0.2)
    assert large["baseline"] == "64"
    assert read(curves) == []
    rows = read(settings)
    assert {row["group"] for row in rows if row["run"] == "c" * 8} == {"128"}
    changed = [row for row in rows if row["run"] == "d" * 8]
    assert {(row["group"], row["flags"]) for row in changed} == {("", "changed in flight")}
    assert [row["value"] for row in changed if row["setting"] == "width"] == ["64"]


def test_values_at_a_step_and_one_arm_are_what_is_written(tmp_path: Path) -> None:
    run = make("a" * 8, seeds(0.1), {0: curve([3, 2, 1], [0, 10, 20])})
    (path,) = export_csv([run], "summary", tmp_path / "s.csv", Selection(arm="true", at=12, values="at"))
    (row,) = read(path)
    assert [row[k] for k in ("measure", "at_step", "measured_from", "measured_to", "mean")] == [
        "loss (at 12)",
        *("12", "10.0", "10.0", "2.0"),
    ]
    (path,) = export_csv([run], "means", tmp_path / "m.csv", Selection(x="epoch"))
    assert [(r["x_axis"], r["x"], r["mean"], r["n"]) for r in read(path)] == [
        ("epoch", "0.0", "3.0", "1"),
        ("epoch", "1.0", "2.0", "1"),
        ("epoch", "2.0", "1.0", "1"),
    ]
    (path,) = export_csv([run], "summary", tmp_path / "r.csv", Selection(arm="random"))
    assert read(path) == []


def test_every_column_is_documented() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "EXPORT.md").read_text()
    for columns in (SUMMARY, CURVES, MEANS, FIGURE, CRITERIA, SETTINGS):
        assert [column for column in columns if f"`{column}`" not in page] == []
    assert [kind for kind in KINDS[1:] if f"out-{kind}.csv" not in page] == []


def test_a_curve_that_ended_before_a_step_has_no_value_there() -> None:
    """What a network had long before is no value at this step: it would be subtracted from those that went on."""
    steps = np.arange(0.0, 100.0, 10.0)
    long = Curve(np.arange(0.0, 200.0, 10.0), np.zeros(20), np.zeros(20), np.full(20, 0.5))
    short = Curve(steps, np.zeros(10), np.zeros(10), np.full(10, 0.9))
    runs = [make("a" * 8, curves={0: long, 1: short})]
    at = {s: select(runs, Selection(at=s, values="at")).rows[0].seeds for s in (95.0, 100.0, 101.0, 150.0)}
    assert at == {95.0: (0, 1), 100.0: (0, 1), 101.0: (0,), 150.0: (0,)}
