"""The bench: what a row says, and that every training row can be measured, on sizes that say nothing about speed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from genlab_tui.commands import bench
from genlab_tui.commands.bench_rows import COLUMNS, Row, ratios, row


def test_a_row_has_median_spread_and_what_it_must_be() -> None:
    better = row("x", [3.0, 1.0, 2.0], 2.5, "x", reach=4, more=True)
    assert (better.value, better.spread, better.met) == (2.0, (1.0, 3.0), False)
    assert row("x", [3.0, 1.0, 2.0], 2.5, "x").met
    assert Row("rate", 5.0, None, "GB/s", (5.0, 5.0)).met, "what only describes the machine cannot fail"
    assert better.cells() == ("x", "2 x", "≥ 2.5", "≥ 4", "NO", "1 to 3")
    assert len(COLUMNS) == 6
    assert ratios([4.0, 9.0], [2.0, 3.0]) == [2.0, 3.0]


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    from genlab_tui.commands import bench_training

    monkeypatch.setattr(bench_training, "WIDTHS", (3, 5))
    monkeypatch.setattr(bench_training, "N", 256)
    monkeypatch.setattr(bench_training.samples, "__defaults__", (256, 20, 1))
    monkeypatch.setattr(bench_training, "peak", lambda size=64: 1e9)


@pytest.mark.usefixtures("_small")
def test_every_training_row_is_measured_and_printed_as_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlab_tui.commands.bench_rivals.jax_at_hand", lambda: False)
    assert bench.run_bench({"training": True}, 1, True) == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert printed["schema"] == 1
    names = [r["name"] for r in printed["rows"]]
    assert len(names) == len(set(names)) >= 13
    for one in printed["rows"]:
        assert {"name", "value", "target", "met", "unit", "spread"} <= one.keys()
        assert math.isfinite(one["value"])
        assert one["spread"][0] <= one["value"] <= one["spread"][1]
        assert isinstance(one["met"], bool)


def test_every_row_of_curvature_is_measured(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    from genlab_tui.commands import bench_curvature
    from genlab_tui.training.nets import Net

    for name, value in (("NET", Net((64, 12, 10))), ("SAMPLES", 60), ("POINTS", 7)):
        monkeypatch.setattr(bench_curvature, name, value)
    assert bench.run_bench({"curvature": True}, 1, True) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert len(rows) == 5
    assert rows["its error"]["met"]
    assert rows["Hessian products to 1 % of the top eigenvalue"]["met"]


def test_without_a_gpu_its_rows_are_left_out(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert bench.run_bench({"gpu": True}, 1, True) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["rows"] == []
    assert "no GPU" in err


def test_store_rows(capsys: pytest.CaptureFixture[str], monkeypatch: Any, tmp_path: Path) -> None:
    from genlab_tui.commands import bench_around

    filled = bench_around.filled_lab
    monkeypatch.setattr(bench_around, "filled_lab", lambda root, runs: filled(root, 20))
    assert bench.run_bench({"store": True}, 3, False) == 0
    assert "index update" in capsys.readouterr().out
