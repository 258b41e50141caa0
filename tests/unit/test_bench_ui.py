"""The bench of the screens: its terminal, its made labs and writer, and one small run of all of it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from genlab_tui import events as ev
from genlab_tui.commands import bench, bench_lab, bench_ui
from genlab_tui.commands.bench_pty import Driven, Screen, environment
from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab, lab_home
from genlab_tui.run import RunState
from genlab_tui.rundata import MAX_ROWS
from genlab_tui.safe_io import try_flock
from jobs.tail import load_run

# --- the terminal -----------------------------------------------------------------------------------------------------


def test_the_screen_shows_moves_lines_and_styles() -> None:
    screen = Screen(4, 10)
    screen.feed(b"\x1b[2;3H\x1b[1;38;2;1;2;3mab\x1b[0m c\r\nnext")
    assert screen.lines == [" " * 10, "  ab c    ", "next      ", " " * 10]
    assert screen.cells[1][2] == ("a", "1;38;2;1;2;3")
    assert screen.cells[1][5] == ("c", "")
    screen.feed(b"\x1b[2J")
    assert not screen.text.strip()


def test_the_screen_waits_for_the_end_of_what_is_cut_off() -> None:
    screen = Screen(2, 10)
    for byte in "\x1b[2;1H⠉\x1b]52;c;aGk=\x07x\x1b[?2026$p\x1bP>q\x1b\\y".encode():
        screen.feed(bytes([byte]))
    assert screen.lines[1].rstrip() == "⠉xy"


def test_the_screen_survives_what_lies_outside_of_it() -> None:
    screen = Screen(2, 4)
    screen.feed("\x1b[99;99Hzz\n\n\nqq\x1b[Hab漢字cd".encode())
    assert screen.lines[0][:3] == "ab漢"
    assert len(screen.cells) == 2
    assert all(len(row) == 4 for row in screen.cells)


def test_a_program_that_ends_early_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('this is all')"]
    with Driven(command, environment(tmp_path)) as app, pytest.raises(GenlabError, match="this is all"):
        app.until(lambda screen: "more" in screen.text, "more")


def test_a_driven_program_answers_keys_and_is_measured(tmp_path: Path) -> None:
    code = "import sys\nsum(range(10**7))\nprint('ready')\nfor line in sys.stdin: print('got', line)"
    with Driven([sys.executable, "-u", "-c", code], environment(tmp_path)) as app:
        app.until(lambda screen: "ready" in screen.text, "its start")
        pressed = app.type("hello\n")
        assert app.until(lambda screen: "got hello" in screen.text, "an answer") > pressed
        assert app.sent >= len("ready") + len("got hello")
        assert app.cpu > 0
        assert app.memory > 1_000_000


# --- labs and the writer ----------------------------------------------------------------------------------------------


def test_a_made_run_is_read_as_any_other() -> None:
    from jobs.runs import find_run

    lab = lab_home()
    run = bench_lab.add_run(lab, rows=20)
    data = load_run(run)
    members = len(bench_lab.ARMS) * bench_lab.SEEDS
    assert set(data.curves) == set(bench_lab.METRICS)
    assert {len(curve.step) for curve in data.curves["test_loss"].values()} == {20}
    assert len(data.curves["test_loss"]) == members == 18
    lock = try_flock(run.keeper_lock)
    assert lock is not None
    try:
        assert find_run(lab, run.id).state is RunState.RUNNING
    finally:
        os.close(lock)
    ended = bench_lab.add_run(lab, rows=5, ended=True)
    assert find_run(lab, ended.id).state is RunState.DONE


def test_a_million_points_are_a_million_in_memory_too() -> None:
    members = len(bench_lab.ARMS) * bench_ui.MILLION_SEEDS
    assert MAX_ROWS * members > bench_ui.MILLION, "the reader would halve them"


def test_the_writer_writes_at_its_rate_until_it_is_ended() -> None:
    run = bench_lab.add_run(lab_home(), rows=3)
    with bench_ui.streaming(run, 3, 18, 100.0):
        time.sleep(1.2)
    events = [ev.decode(line) for line in run.events.read_bytes().splitlines()]
    assert None not in events
    steps = [event.step for event in events if isinstance(event, ev.Curve) and event.metric == "train_loss"]
    assert steps == list(range(len(steps))), "no step is missing or told twice"
    assert 20 <= len(steps) <= 150


def test_percentile_is_a_value_that_was_measured() -> None:
    assert bench_ui.percentile([5.0, 1.0, 3.0, 2.0, 4.0], 0.95) == 5.0
    assert bench_ui.percentile([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert bench_ui.percentile([7.0], 0.95) == 7.0


# --- the whole --------------------------------------------------------------------------------------------------------


def test_every_row_of_the_screens_is_measured_in_the_form_of_the_bench(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small: dict[str, Any] = {"MANY": 40, "HISTORY": 60, "MILLION": 12_000, "SETTLE": 0.5, "WINDOW": 2.0, "PRESSES": 5}
    for name, value in small.items():
        monkeypatch.setattr(bench_ui, name, value)
    monkeypatch.setitem(bench.GROUPS, "ui", bench_ui.rows)  # type: ignore[arg-type]
    assert bench.run_bench({"ui": True}, 1, True) == 0
    out, err = capsys.readouterr()
    printed: dict[str, Any] = json.loads(out)
    rows = {row["name"]: row for row in printed["rows"]}
    assert len(rows) == 10
    assert {row["unit"] for row in rows.values()} == {"ms", "%", "KiB/s", "MB"}
    for row in rows.values():
        assert row["spread"][0] <= row["value"] <= row["spread"][1]
        assert row["target"] > 0
        assert isinstance(row["met"], bool)
    assert rows["to the terminal, 4 panels stream"]["value"] > 0
    assert rows["memory (RSS), 4 panels stream"]["value"] > 20
    assert "keys while it streams" in err
    assert not list(Lab(lab_home().root).runs.glob("*")), "the user's own lab is left alone"
