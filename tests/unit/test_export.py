"""The CSV export: exact numbers, harmless text, settled attempts, whole files, pandas without conversion."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import os
import stat
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlab_tui import events as ev
from genlab_tui.csv_file import cell, cell_text, write_rows
from genlab_tui.errors import BadValue, GenlabError, NotFound
from genlab_tui.exact import CurveValue, exact_curves
from genlab_tui.export import ExportRun, default_path, export_csv
from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.phenomenon import Arm, Estimate, Phenomenon, Preset, param
from genlab_tui.run import RunRecord, RunSpec, RunState, new_run_id
from genlab_tui.rundata import RunData, RunDataBuilder
from genlab_tui.selection import Selection
from genlab_tui.verdict import ClaimResult, ControlResult, CriterionResult, Grade, Status, Verdict

ARMS = (Arm("true"), Arm("random"))


@dataclasses.dataclass(frozen=True)
class Config:
    width: int = param(64, help="Hidden units.", low=1)


def figures(data: RunData) -> tuple[Figure | HeatMap, ...]:
    line = Line("test error", (1.0, 2.0), (0.5, math.nan), (0.4, math.nan), (0.6, math.nan), n=(3, 1))
    points = Line("members", (1.0,), (-math.inf,), points=True)
    heat = HeatMap("grid", "Grid", "width", "arm", ("8", "wide"), ("=a",), ((1.0, math.nan),))
    return Figure("error", "Error", "width", "error", (line, points), (Reference(0.9, "chance"),)), heat


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
)


def line(step: int, *values: float, attempt: int = 1, stage: str = "") -> ev.Curve:
    return ev.Curve(
        cohort="c", metric="loss", step=step, epoch=step / 3, values=ev.to_values(values), attempt=attempt, stage=stage
    )


EVENTS: tuple[ev.AnyEvent, ...] = (
    ev.Begin(time=0.0),
    ev.Cohort(id="c", members=(("true", 0), ("true", 1))),
    line(0, 0.1, -math.inf),
    ev.Curve(cohort="c", metric="loss", step=1, values=("nan", None)),
    ev.Measure(cohort="c", name="test_error", values=(0.25, 0.5)),
)


def make(
    run_id: str = "aaaaaaaa",
    events: Iterable[ev.AnyEvent] = EVENTS,
    name: str = "",
    verdict: Verdict | None = None,
    tags: tuple[str, ...] = (),
    **changes: object,
) -> ExportRun:
    spec = dataclasses.replace(RunSpec(run_id, "toy", {"width": 64}, seeds=2), **changes)  # type: ignore[arg-type]
    builder = RunDataBuilder(spec, ARMS)
    kept = tuple(events)
    builder.feed_all(kept)
    record = RunRecord(run_id, spec.phenomenon, RunState.DONE, name=name, tags=tags)
    return ExportRun(record, builder.snapshot(), verdict, TOY, events=lambda: kept)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_exactly(path: Path) -> pd.DataFrame:
    """Let pandas read every digit: from version 3 on it does by itself."""
    old = int(pd.__version__.split(".")[0]) < 3
    return pd.read_csv(path, **({"float_precision": "round_trip"} if old else {}))


# --- cells ------------------------------------------------------------------------------------------------------------


@given(st.floats(allow_nan=False))
def test_every_float_round_trips_to_the_last_bit(value: float) -> None:
    again = float(cell(value))
    assert again == value
    assert math.copysign(1, again) == math.copysign(1, value)


def test_floats_that_are_not_finite_have_names_that_float_and_pandas_read() -> None:
    assert [cell(v) for v in (math.inf, -math.inf, math.nan)] == ["inf", "-inf", "nan"]
    frame = pd.read_csv(io.StringIO("v\ninf\n-inf\nnan\n1e-05\n"))
    assert frame.v.dtype == "float64"
    assert frame.v.tolist()[:2] == [math.inf, -math.inf]


@given(st.text())
def test_no_text_starts_a_formula_and_none_drives_a_terminal(text: str) -> None:
    written = cell(text)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert not any(ord(c) < 32 or ord(c) == 127 for c in written)


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"])
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert cell(text).startswith("'")


@pytest.mark.parametrize("value", [-1, -0.5, -math.inf, 10**15])
def test_numbers_stay_numbers(value: float) -> None:
    assert float(cell(value)) == value


def test_numpy_numbers_are_written_as_numbers() -> None:
    import numpy as np

    assert cell(np.float64(-0.1)) == "-0.1"


def test_other_cells() -> None:
    assert (cell(None), cell(True), cell((0.1, 2)), cell(("=a", "b"))) == ("", "True", "0.1 2", "'=a b")
    assert cell_text('plain, with "quotes"') == 'plain, with "quotes"'


@given(st.lists(st.lists(st.floats() | st.text() | st.integers() | st.none(), min_size=2, max_size=2), max_size=20))
def test_a_file_has_as_many_cells_as_were_written(rows: list[list[object]]) -> None:
    out = io.StringIO()
    write_rows(out, ["run"], ["a", "b"], [(["r"], dict(zip("ab", row, strict=True))) for row in rows])
    found = list(csv.reader(io.StringIO(out.getvalue())))
    assert found[0] == ["run", "a", "b"]
    assert [len(row) for row in found[1:]] == [3] * len(rows)


def test_fresh_run_ids_are_never_numbers() -> None:
    for _ in range(200):
        with pytest.raises(ValueError, match="could not convert"):
            float(new_run_id())


# --- exact curves -----------------------------------------------------------------------------------------------------


def values(events: Iterable[ev.AnyEvent]) -> list[CurveValue]:
    kept = tuple(events)
    return list(exact_curves(lambda: kept))


def test_no_value_gives_no_row_and_nan_gives_one() -> None:
    found = values(EVENTS)
    assert [(v.seed, v.step, v.value) for v in found[:2]] == [(0, 0, 0.1), (1, 0, -math.inf)]
    assert len(found) == 3
    assert math.isnan(found[2].value)


def test_a_resumed_stage_is_cut_at_its_checkpoint_and_a_dropped_one_is_gone() -> None:
    def staged(cohort: str, step: int, value: float, attempt: int = 1) -> ev.Curve:
        return ev.Curve(cohort=cohort, metric="loss", step=step, values=(value,), attempt=attempt, stage=cohort)

    found = values(
        [
            ev.Begin(time=0.0),
            ev.Cohort(id="one", members=(("true", 0),), stage="one"),
            staged("one", 0, 1.0),
            ev.Cohort(id="two", members=(("true", 1),), stage="two"),
            *(staged("two", step, 2.0) for step in range(5)),
            ev.Cohort(id="three", members=(("random", 0),), stage="three"),
            staged("three", 0, 3.0),
            ev.Begin(time=1.0, attempt=2, kept=("one",), resume="two", resume_step=2),
            staged("two", 4, 9.0),
            *(staged("two", step, 4.0, attempt=2) for step in range(3, 5)),
        ]
    )
    assert [(v.arm, v.step, v.value) for v in found] == [
        ("true", 0, 1.0),
        *(("true", step, 2.0) for step in range(3)),
        ("true", 3, 4.0),
        ("true", 4, 4.0),
    ]


stages = st.sampled_from(["", "a", "b"])
cohorts = st.builds(
    lambda id, members, stage, attempt: ev.Cohort(id=id, members=members, stage=stage, attempt=attempt),  # noqa: A006
    st.sampled_from(["c", "d"]),
    st.sampled_from([(("true", 0),), (("true", 0), ("random", 1))]),
    stages,
    st.integers(1, 3),
)
curves = st.builds(
    lambda cohort, step, attempt: ev.Curve(
        cohort=cohort, metric="m", step=step, values=(float(step), 0.5), attempt=attempt
    ),
    st.sampled_from(["c", "d", "unknown"]),
    st.integers(0, 6),
    st.integers(1, 3),
)
begins = st.builds(
    lambda attempt, kept, resume, step: ev.Begin(
        time=0.0, attempt=attempt, kept=tuple(kept), resume=resume, resume_step=step
    ),
    st.integers(1, 3),
    st.sets(st.sampled_from(["a", "b"])),
    stages,
    st.integers(-1, 6),
)


@given(st.lists(cohorts | curves | begins, max_size=25))
def test_what_counts_is_what_the_screens_show(events: list[ev.AnyEvent]) -> None:
    builder = RunDataBuilder(RunSpec("aaaaaaaa", "toy", {}), ARMS)
    builder.feed_all(events)
    shown: list[tuple[str, int, float]] = []
    for cohort in ("c", "d"):
        block = builder._blocks.get((cohort, "m"))
        for row in block.rows[: block.n] if block else ():
            for (arm, seed), value in zip(builder._cohorts[cohort], row[3:], strict=True):
                shown.append((arm, seed, value))
    assert sorted((v.arm, v.seed, v.value) for v in values(events)) == sorted(shown)


# --- files ------------------------------------------------------------------------------------------------------------


def test_curves_are_tidy_and_exact(tmp_path: Path) -> None:
    (path,) = export_csv([make(), make("bbbbbbbb")], "curves", tmp_path / "c.csv")
    rows = read(path)
    assert len(rows) == 6
    assert list(rows[0])[-7:] == ["arm", "seed", "step", "metric", "epoch", "seconds", "value"]
    assert {
        k: rows[0][k] for k in ("run", "phenomenon", "data", "preset", "regularisers", "config_width", "value")
    } == {
        "run": "aaaaaaaa",
        "phenomenon": "toy",
        "data": "digits",
        "preset": "quick",
        "regularisers": "none",
        "config_width": "64",
        "value": "0.1",
    }
    frame = read_exactly(path)
    assert frame.value.dtype == "float64"
    assert frame.step.dtype == "int64"
    assert frame.value[0] == 0.1
    assert frame.value[1] == -math.inf


@given(st.lists(st.floats(), min_size=1, max_size=30))
def test_curve_values_survive_file_and_pandas(tmp_path_factory: pytest.TempPathFactory, numbers: list[float]) -> None:
    cohort = ev.Cohort(id="c", members=(("true", 0),))
    path = tmp_path_factory.mktemp("csv") / "c.csv"
    export_csv([make(events=[cohort, *(line(i, v) for i, v in enumerate(numbers))])], "curves", path)
    assert [row["value"] for row in read(path)] == [repr(v) for v in numbers]
    again = read_exactly(path).value.tolist()
    assert all(a == b or (a != a and b != b) for a, b in zip(again, numbers, strict=True))


def test_summary_has_a_row_per_run_arm_and_measure_with_paired_deltas(tmp_path: Path) -> None:
    other = [*EVENTS[:-1], ev.Measure(cohort="c", name="test_error", values=(0.5, 1.0))]
    (path,) = export_csv([make(), make("bbbbbbbb", other)], "summary", tmp_path / "s", Selection("aaaaaaaa"))
    assert path.name == "s.csv"
    frame = pd.read_csv(path)
    frame = frame[frame.measure == "test_error"].set_index("run")
    assert frame.loc["aaaaaaaa", "mean"] == 0.375
    assert frame.loc["bbbbbbbb", "baseline"] == "aaaaaaaa"
    assert frame.loc["bbbbbbbb", "delta"] == pytest.approx(0.375)
    assert frame.loc["bbbbbbbb", "delta_n"] == 2
    assert frame.loc["bbbbbbbb", "delta_low"] < 0.375 < frame.loc["bbbbbbbb", "delta_high"]
    assert math.isnan(frame.loc["aaaaaaaa", "delta"])


def test_figures_have_a_row_per_point_with_band_reference_and_heat_map(tmp_path: Path) -> None:
    (path,) = export_csv([make()], "figure", tmp_path / "f.csv")
    rows = [[row[k] for k in ("kind", "series", "x", "y", "low", "high", "n", "x_tick")] for row in read(path)]
    assert rows == [
        ["line", "test error", "1.0", "0.5", "0.4", "0.6", "3", ""],
        ["line", "test error", "2.0", "nan", "", "", "1", ""],
        ["point", "members", "1.0", "-inf", "", "", "", ""],
        ["reference", "chance", "", "0.9", "", "", "", ""],
        ["cell", "'=a", "8.0", "1.0", "", "", "", "8"],
        ["cell", "'=a", "1.0", "nan", "", "", "", "wide"],
    ]


def verdict() -> Verdict:
    control = ControlResult("true minus true", 0.0, "≥ 0.5", False, {"0": 0.0, "1": 0.0})
    criteria = (
        CriterionResult("gap", Grade.PASS, 0.9, "≥ 0.5", {"0": 0.9, "1": "nan"}, control, 0.88, "Table 1", 2),
        CriterionResult("=slow", Grade.UNMET, None, "> 1", {}, published="at most 4x", reason="no number"),
    )
    return Verdict(Status.INCONCLUSIVE, "quick preset", (ClaimResult("fits", True, Status.INCONCLUSIVE, criteria),))


def test_criteria_have_a_row_each_with_their_control(tmp_path: Path) -> None:
    (path,) = export_csv([make(verdict=verdict()), make("bbbbbbbb")], "criteria", tmp_path / "c.csv")
    first, second = read(path)
    assert {k: first[k] for k in ("claim", "main", "status", "value", "published", "control_fired", "seeds")} == {
        "claim": "fits",
        "main": "True",
        "status": "PASS",
        "value": "0.9",
        "published": "0.88",
        "control_fired": "False",
        "seeds": "2",
    }
    assert (second["criterion"], second["value"], second["control"]) == ("'=slow", "", "")
    assert pd.read_csv(path).main.dtype == "bool"


@pytest.mark.parametrize(
    ("state", "expected", "came"),
    [
        (RunState.DONE, "INCONCLUSIVE", "True"),
        (RunState.DONE, "SHOWN", "False"),
        (RunState.DONE, "", ""),
        (RunState.RUNNING, "SHOWN", ""),
        (RunState.STOPPED, "SHOWN", ""),
        (RunState.FAILED, "INCONCLUSIVE", ""),
    ],
)
def test_a_prediction_is_judged_on_a_run_that_is_done(
    tmp_path: Path, state: RunState, expected: str, came: str
) -> None:
    run = make(verdict=verdict(), expected=expected)
    run = dataclasses.replace(run, record=dataclasses.replace(run.record, state=state))
    (path,) = export_csv([run], "criteria", tmp_path / "c.csv")
    assert {row["as_expected"] for row in read(path)} == {came}


def test_figures_criteria_and_settings_are_of_every_run_whatever_is_chosen(tmp_path: Path) -> None:
    runs = [make(verdict=verdict()), make("bbbbbbbb", verdict=verdict(), config={"width": 128})]
    chosen = Selection(arm="true", group_by="width", values="measured")
    for kind in ("figure", "criteria", "settings"):
        export_csv(runs, kind, tmp_path / f"{kind}.csv")
        export_csv(runs, kind, tmp_path / f"{kind}-chosen.csv", chosen)
        whole, part = read(tmp_path / f"{kind}.csv"), read(tmp_path / f"{kind}-chosen.csv")
        assert {row["group"] for row in part} == {"64", "128"}
        assert [{**row, "group_by": "", "group": ""} for row in part] == whole


def test_all_kinds_lie_beside_each_other(tmp_path: Path) -> None:
    found = export_csv([make()], "all", tmp_path / "out.csv")
    beside = [f"out-{kind}.csv" for kind in ("curves", "figure", "criteria", "means", "settings")]
    assert [p.name for p in found] == ["out.csv", *beside]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in found)
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        pd.read_csv(path)


def test_columns_hold_for_runs_with_different_configs(tmp_path: Path) -> None:
    other = make("bbbbbbbb", config={"depth": 3, "=odd": "-1"}, phenomenon="other")
    (path,) = export_csv([make(), other], "summary", tmp_path / "s.csv")
    rows = read(path)
    assert [row["config_width"] for row in rows if row["measure"] == "test_error"] == ["64", ""]
    assert {row["config_=odd"] for row in rows} == {"", "'-1"}


def test_hostile_names_are_only_text(tmp_path: Path) -> None:
    run = make(name='=HYPERLINK("http://x","../../etc/passwd")\x1b[2J')
    path = default_path(tmp_path, [run])
    assert path.parent == tmp_path
    assert path.name == "toy-HYPERLINK-http-x-etc-passwd-aaaaaaaa.csv"
    (written,) = export_csv([run], "summary", path)
    assert read(written)[0]["name"] == '\'=HYPERLINK("http://x","../../etc/passwd")'
    hostile = make(phenomenon="../../../etc")
    assert default_path(tmp_path, [hostile, make("bbbbbbbb")], "curves").parent == tmp_path


def test_default_names_do_not_collide(tmp_path: Path) -> None:
    run = make()
    first = default_path(tmp_path, [run])
    export_csv([run], "all", first)
    second = default_path(tmp_path, [run])
    assert second != first
    export_csv([run], "all", second)


def test_flags_say_what_must_not_be_pooled(tmp_path: Path) -> None:
    run = make(events=[*EVENTS, ev.Change(regulariser="dropout", strength=0.5, step=1)])
    stopped = dataclasses.replace(run, record=dataclasses.replace(run.record, state=RunState.STOPPED))
    (path,) = export_csv([stopped], "summary", tmp_path / "s.csv")
    assert read(path)[0]["flags"] == "changed in flight; stopped"


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    blocker = tmp_path / "out-figure.csv"
    blocker.write_text("mine")
    with pytest.raises(BadValue, match="there already"):
        export_csv([make()], "all", tmp_path / "out.csv")
    assert blocker.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [blocker], "a refusal leaves no half of an export"
    export_csv([make()], "all", tmp_path / "out.csv", overwrite=True)
    assert "mine" not in blocker.read_text()


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "c.csv"

    def racing() -> Iterable[ev.AnyEvent]:
        target.write_text("theirs")
        return EVENTS

    with pytest.raises(BadValue, match="there already"):
        export_csv([dataclasses.replace(make(), events=racing)], "curves", target)
    assert target.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_in_the_middle_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "c.csv"
    target.write_text("before")

    def torn() -> Iterable[ev.AnyEvent]:
        yield from EVENTS
        raise GenlabError("the disk went away")

    with pytest.raises(GenlabError, match="went away"):
        export_csv([dataclasses.replace(make(), events=torn)], "curves", target, overwrite=True)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_missing_or_a_target_that_is_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(GenlabError, match="there is no folder"):
        export_csv([make()], "summary", tmp_path / "missing" / "s.csv")
    (tmp_path / "dir.csv").mkdir()
    with pytest.raises(BadValue, match="is a folder"):
        export_csv([make()], "summary", tmp_path / "dir.csv", overwrite=True)


def test_a_folder_without_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
        with pytest.raises(GenlabError, match="permission denied"):
            export_csv([make()], "summary", tmp_path / "s.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GenlabError, match="No space left on device"):
        export_csv([make()], "summary", tmp_path / "s.csv")
    assert list(tmp_path.iterdir()) == []


def test_unknown_kinds_runs_and_baselines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="summry"):
        export_csv([make()], "summry", tmp_path / "s.csv")
    with pytest.raises(BadValue, match="no run"):
        export_csv([], "summary", tmp_path / "s.csv")
    with pytest.raises(NotFound, match="zzzzzzzz"):
        export_csv([make()], "summary", tmp_path / "s.csv", Selection("zzzzzzzz"))
