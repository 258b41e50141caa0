"""`watch`: a frame for scripts, a view that redraws little, lines for logs; sizes, hostile names, the end of a run."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from genlab_tui.cli import run_cli
from genlab_tui.commands.watch import last_started, over
from genlab_tui.commands.watch_frame import LEAST, bar, compose, run_line
from genlab_tui.paths import Lab
from genlab_tui.store import rebuild
from jobs import runs as verbs
from jobs.loaded import load

TOYS = Path(__file__).resolve().parents[1] / "data" / "phenomena"
PROGRAM = [sys.executable, "-P", "-m", "genlab_tui"]
KeepRun = Callable[..., str]
HOSTILE = "[/x] \x1b[31mred\x07 | `x`"


@pytest.fixture
def kept(lab: Lab, keep_run: KeepRun) -> KeepRun:
    """Write a toy run into the lab and its index; returns its id."""

    def keep(*args: object, **options: object) -> str:
        run_id = keep_run(*args, **options)
        rebuild(lab)
        return run_id

    return keep


def frame(lab: Lab, *ids: str, width: int = 80, height: int = 24, panels: int = 2, plain: bool = False) -> list[str]:
    """Return the frame of runs in a lab."""
    runs = [load(lab, verbs.find_run(lab, run_id)) for run_id in ids]
    return compose(runs, width, height, panels=panels, plain=plain, colours=False)


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (60, 20), (40, 10), (20, 6), (100, 7)])
@pytest.mark.parametrize("panels", [0, 1, 2, 4, 6])
@pytest.mark.parametrize("plain", [True, False])
def test_a_frame_fits_and_says_how_it_stands(
    size: tuple[int, int], panels: int, plain: bool, lab: Lab, kept: KeepRun
) -> None:
    run_id = kept(HOSTILE)
    lines = frame(lab, run_id, width=size[0], height=size[1], panels=panels, plain=plain)
    assert 2 <= len(lines) <= size[1]
    assert all(cell_len(line) <= size[0] for line in lines)
    assert not {"\x1b", "\x07"} & set("".join(lines))
    assert "done" in lines[0]
    assert f" {run_id} " in lines[-1]
    if size[0] >= 40:
        verdict = verbs.find_run(lab, run_id).verdict
        assert f"{verdict}:" in lines[-1]
    assert "".join(lines).isascii() or not plain
    charts = "".join(lines).count("test accuracy")
    assert bool(charts) == bool(panels and size[1] - 3 >= LEAST)


def test_charts_lie_side_by_side_where_there_is_room(lab: Lab, kept: KeepRun) -> None:
    run_id = kept()
    titles = re.compile(r"(?:^|  )─ \w")
    wide = [line for line in frame(lab, run_id, width=120, height=30) if titles.search(line)]
    narrow = [line for line in frame(lab, run_id, width=60, height=30) if titles.search(line)]
    assert [len(titles.findall(line)) for line in wide] == [2]
    assert [len(titles.findall(line)) for line in narrow] == [1, 1]


def test_the_figures_of_the_phenomenon_are_shown(lab: Lab, kept: KeepRun) -> None:
    shown = "\n".join(frame(lab, kept(), width=160, height=60, panels=6))
    assert "Test accuracy against learning rate" in shown


def test_a_run_at_work_shows_its_progress_and_no_verdict_yet(lab: Lab, kept: KeepRun) -> None:
    run_id = kept("busy", "running", steps=7)
    lines = frame(lab, run_id)
    assert "running" in lines[0]
    assert "verdict forms" in lines[-1]
    assert not any(word in "".join(lines) for word in ("SHOWN", "INCONCLUSIVE"))


@pytest.mark.parametrize("state", ["stopped", "failed", "killed", "lost"])
def test_a_run_that_ended_early_has_no_verdict(state: str, lab: Lab, kept: KeepRun) -> None:
    run_id = kept(state=state)
    lines = frame(lab, run_id)
    assert state in lines[0]
    assert f"{state}, so far" in lines[-1]
    assert "SHOWN" not in "".join(lines)


def test_an_empty_run_and_one_step_are_no_error(lab: Lab, kept: KeepRun) -> None:
    for steps in (0, 1):
        assert frame(lab, kept(steps=steps, state="running"))


def test_many_runs_share_the_frame(lab: Lab, kept: KeepRun) -> None:
    ids = [kept(f"run {i}") for i in range(6)]
    lines = frame(lab, *ids, width=100, height=30)
    assert "and 2 more runs" in lines[4]
    assert len(lines) <= 30
    assert sum(run_id in "".join(lines[:4]) for run_id in ids) == 4


def test_the_line_of_a_run_keeps_its_state_in_any_width(lab: Lab, kept: KeepRun) -> None:
    run = load(lab, verbs.find_run(lab, kept("x" * 80)))
    for width in range(24, 120):
        line = run_line(run, width)
        assert cell_len(line) <= width
        assert "done" in line


@pytest.mark.parametrize(("done", "text"), [(0.0, "····"), (0.5, "██··"), (1.0, "████")])
def test_bar(done: float, text: str) -> None:
    assert bar(done, 4) == text


def test_only_lines_that_changed_are_sent() -> None:
    assert over([], ["a", "b"]) == "a\nb\n"
    assert over(["a", "b"], ["a", "c"]) == "\x1b[2A\n\r\x1b[2Kc\n"
    assert over(["a", "b"], ["a"]) == "\x1b[2A\n\x1b[J"
    assert over(["a"], ["a", "b"]) == "\x1b[1A\n\r\x1b[2Kb\n"


def test_without_a_name_it_takes_the_run_that_started_last(lab: Lab, kept: KeepRun) -> None:
    before, after = kept("before"), kept("after")
    assert last_started(lab).id == after
    assert after != before


def test_once_prints_a_frame_on_stdout_and_nothing_else(kept: KeepRun, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = kept(HOSTILE)
    assert run_cli(["watch", "--once", "--width", "90", "--height", "20"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert run_id in out
    assert "\x1b" not in out
    assert len(out.splitlines()) <= 20


# --- the program itself -----------------------------------------------------------------------------------------------


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a program on a lab with the toy phenomenon."""
    return os.environ | {"GENLAB_HOME": str(home), "GENLAB_PHENOMENA": str(TOYS)} | more


def launch(home: Path, seconds: float) -> str:
    """Queue a toy run and return its id."""
    words = ["run", "toy", "--set", "steps=40", "--set", f"seconds={seconds}", "--json"]
    done = subprocess.run(
        [*PROGRAM, *words], env=environment(home), capture_output=True, text=True, timeout=60, check=True
    )
    return str(json.loads(done.stdout)["id"])


def in_terminal(home: Path, *words: str, term: str) -> tuple[int, str]:
    """Run the program in a terminal of 24 lines and 80 columns; return its exit code and what it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, *words], env=environment(home, TERM=term), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not block:
            break
        written += block
    os.close(ours)
    return process.wait(60), written.decode(errors="replace")


def test_in_a_terminal_it_redraws_until_the_verdict(tmp_path: Path) -> None:
    run_id = launch(tmp_path / "lab", 3)
    code, out = in_terminal(tmp_path / "lab", "watch", run_id, term="xterm-256color")
    assert code == 0
    assert re.search(r"\x1b\[\d+A", out)
    assert re.search(rf"{run_id} \x1b\[\d+m\x1b\[1m(SHOWN|NOT SHOWN|INCONCLUSIVE)\x1b\[0m: \d of \d criteria", out)
    assert "\x1b[?1049h" not in out  # what was seen stays in the scroll-back


@pytest.mark.parametrize(("term", "words"), [("dumb", ()), ("xterm-256color", ("--plain",))])
def test_where_the_cursor_cannot_be_moved_it_appends_lines(tmp_path: Path, term: str, words: tuple[str, ...]) -> None:
    run_id = launch(tmp_path / "lab", 3)
    code, out = in_terminal(tmp_path / "lab", "watch", *words, term=term)
    assert code == 0
    assert "\x1b" not in out
    assert re.search(rf"\d\d:\d\d:\d\d  {run_id}  running", out)
    assert re.search(rf" {run_id} (SHOWN|NOT SHOWN|INCONCLUSIVE): \d of \d criteria", out)
    assert out.isascii() or not words


def test_into_a_pipe_of_another_encoding_it_writes_ascii(tmp_path: Path) -> None:
    launch(tmp_path / "lab", 0.5)
    done = subprocess.run(
        [*PROGRAM, "watch"], env=environment(tmp_path / "lab", PYTHONIOENCODING="latin-1"), capture_output=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.decode("ascii")
    assert done.stderr == b""


def test_a_fork_whose_change_has_no_effect_yet_is_flagged(lab: Lab, kept: KeepRun) -> None:
    run_id = kept(parent="b0000000", forked_at=90, forked_with={"dropout": 0.5})
    assert "changed in flight" not in frame(lab, run_id, width=160)[0]
    lab.run(run_id).changed.touch()
    rebuild(lab)
    assert "changed in flight" in frame(lab, run_id, width=160)[0]
