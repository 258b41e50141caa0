"""Bench rows of what surrounds training: start, index and charts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from genlab_tui.commands.bench_rows import Row, row
from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab

EMPTY_CLICK = "import click\n@click.command()\ndef main():\n    'Nothing.'\nmain()"
OUR_HELP = "from genlab_tui.__main__ import main; main()"
MINIMAL_APP = """
from textual.app import App
from textual.widgets import Footer, Header, Label
class Minimal(App):
    def compose(self):
        yield Header()
        yield Label("minimal")
        yield Footer()
Minimal().run()
"""


# --- start ------------------------------------------------------------------------------------------------------------


def start(repeats: int) -> Iterator[Row]:
    """Yield help against an empty click program, first paint against a minimal Textual app."""
    with tempfile.TemporaryDirectory(prefix="genlab-bench-") as folder:
        lab = _filled_lab(Path(folder) / "lab", 1000)
        env = os.environ | {"GENLAB_HOME": str(lab.root), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        help_ratio, help_ms, paint_ratio, paint_ms = [], [], [], []
        for repeat in range(repeats + 1):
            empty = _seconds([sys.executable, "-c", EMPTY_CLICK, "--help"], env)
            ours = _seconds([sys.executable, "-c", OUR_HELP, "--help"], env)
            minimal = _first_paint([sys.executable, "-c", MINIMAL_APP], b"minimal", env)
            app = _first_paint([sys.executable, "-P", "-m", "genlab_tui", "tui"], b"genlab", env)
            if repeat:  # the first round warms the caches
                help_ratio.append(ours / empty)
                help_ms.append(ours * 1000)
                paint_ratio.append(app / minimal)
                paint_ms.append(app * 1000)
    yield row("genlab-tui --help / empty click program", help_ratio, 2.5, "x")
    yield row("genlab-tui --help", help_ms, 150, "ms")
    yield row("first paint / minimal Textual app, 1,000 runs", paint_ratio, 1.7, "x")
    yield row("first paint, 1,000 runs", paint_ms, 1000, "ms")


def _seconds(command: list[str], env: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def _first_paint(command: list[str], marker: bytes, env: dict[str, str]) -> float:
    """Return the seconds from start until `marker` is drawn in a pseudo-terminal of 80x24."""
    import pty
    import select
    import signal
    import struct
    from fcntl import ioctl
    from termios import TIOCSWINSZ

    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, close_fds=True
    )
    os.close(theirs)
    seen = b""
    try:
        while marker not in seen:
            ready, _, _ = select.select([ours], [], [], 20)
            if not ready:
                raise GenlabError("an app drew nothing for 20 s", "is this machine overloaded?")
            seen += os.read(ours, 65536)
        return time.perf_counter() - start
    except OSError as error:
        raise GenlabError(f"an app ended before it drew: {seen[-300:].decode(errors='replace')}") from error
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(ours)


# --- store ------------------------------------------------------------------------------------------------------------


def store(repeats: int) -> Iterator[Row]:
    """Yield the time of one acknowledged update and of a full read with 10,000 runs in the index."""
    from dataclasses import replace

    from genlab_tui.store import RunStore

    with tempfile.TemporaryDirectory(prefix="genlab-bench-") as folder:
        lab = _filled_lab(Path(folder) / "lab", 10_000)
        store = RunStore(lab)
        record = next(iter(store.records().values()))
        update, read = [], []
        for repeat in range(repeats):
            start = time.perf_counter()
            store.put(replace(record, note=str(repeat)))
            update.append((time.perf_counter() - start) * 1000)
            start = time.perf_counter()
            RunStore(lab).records()
            read.append((time.perf_counter() - start) * 1000)
    yield row("index update, 10,000 runs", update, 50, "ms")
    yield row("index read, 10,000 runs", read, 200, "ms")


def _filled_lab(root: Path, runs: int) -> Lab:
    """Make a lab with `runs` ended runs in its index."""
    from genlab_tui.run import RunRecord, RunState
    from genlab_tui.safe_io import make_private_dir
    from genlab_tui.store import RunStore

    lab = Lab(root)
    make_private_dir(lab.runs)
    records = [
        RunRecord(
            id=f"{index:08x}",
            phenomenon=("random-labels", "double-descent")[index % 2],
            state=RunState.DONE,
            preset="quick",
            data="digits",
            device="cpu",
            seeds=5,
            created=1.7e9 + index,
            started=1.7e9 + index,
            ended=1.7e9 + index + 60,
            attempt=1,
            verdict="SHOWN",
            headline={"ratio": 1.5},
        )
        for index in range(runs)
    ]
    for record in records:
        (lab.runs / record.id).mkdir(mode=0o700)
    RunStore(lab).put(*records)
    return lab


# --- charts -----------------------------------------------------------------------------------------------------------


def chart(repeats: int) -> Iterator[Row]:
    """Yield the time of one redraw of a panel with 1,000,000 points: from the curves in memory to the cells."""
    import numpy as np

    from genlab_tui.figure import Figure
    from genlab_tui.lines import curve_lines
    from genlab_tui.phenomenon import Arm
    from genlab_tui.run import RunSpec
    from genlab_tui.rundata import Curve, RunData
    from screens.panels.chart import render_chart

    step = np.arange(250_000, dtype=float)
    noise = np.random.default_rng(0)
    arms = tuple(Arm(f"arm {k}") for k in range(4))
    curves = {
        (arm.name, 0): Curve(step, step, step, np.exp(-step / (4e4 * (k + 1))) + noise.normal(0, 0.01, step.size))
        for k, arm in enumerate(arms)
    }
    data = RunData(RunSpec(id="a0000000", phenomenon="", config={}), arms, (0,), curves={"loss": curves})

    def redraw() -> float:
        start = time.perf_counter()
        render_chart(Figure("loss", "loss", "step", "loss", curve_lines(data, "loss")), 80, 24)
        return (time.perf_counter() - start) * 1000

    redraw()
    yield row("redraw of a panel with 1,000,000 points, 80x24", [redraw() for _ in range(repeats)], 25, "ms")
