"""Bench rows of what surrounds training: start, index and charts."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from genlab_tui.commands.bench_lab import filled_lab
from genlab_tui.commands.bench_pty import APP, Driven, environment
from genlab_tui.commands.bench_rows import Row, row

if TYPE_CHECKING:
    from genlab_tui.rundata import RunData

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
    ratio, spent = [], []
    for repeat in range(repeats + 1):
        empty = _seconds([sys.executable, "-c", EMPTY_CLICK, "--help"])
        ours = _seconds([sys.executable, "-c", OUR_HELP, "--help"])
        if repeat:  # the first round warms the caches
            ratio.append(ours / empty)
            spent.append(ours * 1000)
    yield row("genlab-tui --help / empty click program", ratio, 2.5, "x")
    yield row("genlab-tui --help", spent, 150, "ms")
    yield from first_paint(repeats)


@lru_cache(maxsize=1)
def first_paint(repeats: int) -> tuple[Row, ...]:
    """Return first paint against a minimal Textual app, measured once a command."""
    ratio, spent = [], []
    with tempfile.TemporaryDirectory(prefix="genlab-bench-") as folder:
        env = environment(filled_lab(Path(folder) / "lab", 1000).root)
        for repeat in range(repeats + 1):
            minimal = _painted([sys.executable, "-c", MINIMAL_APP], "minimal", env)
            app = _painted(APP, "genlab", env)
            if repeat:
                ratio.append(app / minimal)
                spent.append(app * 1000)
    return (
        row("first paint / minimal Textual app, 1,000 runs", ratio, 1.7, "x"),
        row("first paint, 1,000 runs", spent, 1000, "ms"),
    )


def _painted(command: Sequence[str], marker: str, env: Mapping[str, str]) -> float:
    """Return the seconds from start until `marker` is drawn in a pseudo-terminal of 80x24."""
    with Driven(command, env) as app:
        return app.until(lambda screen: marker in screen.text, f"{marker!r}") - app.began


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


# --- store ------------------------------------------------------------------------------------------------------------


def store(repeats: int) -> Iterator[Row]:
    """Yield the time of one acknowledged update and of a full read with 10,000 runs in the index."""
    from dataclasses import replace

    from genlab_tui.store import RunStore

    with tempfile.TemporaryDirectory(prefix="genlab-bench-") as folder:
        lab = filled_lab(Path(folder) / "lab", 10_000)
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


# --- charts -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def chart(repeats: int) -> tuple[Row, ...]:
    """Return the time of one redraw of a panel with 1,000,000 points: from the curves in memory to the cells."""
    return (
        row("redraw of a panel with 1,000,000 points, 80x24", _redraws(_long_curves(), repeats), 25, "ms", reach=10),
        row("redraw of means of 252 members, 1,000,000 points", _redraws(_members(), repeats), 25, "ms", reach=10),
    )


def _redraws(data: RunData, repeats: int) -> list[float]:
    """Return the milliseconds of redraws of the loss."""
    from genlab_tui.figure import Figure
    from genlab_tui.lines import curve_lines
    from screens.panels.chart import render_chart

    spent = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        render_chart(Figure("loss", "loss", "step", "loss", curve_lines(data, "loss")), 80, 24)
        spent.append((time.perf_counter() - start) * 1000)
    return spent[1:]  # the first one imports


def _long_curves() -> RunData:
    """Return four curves of 250,000 points."""
    import numpy as np

    from genlab_tui.phenomenon import Arm
    from genlab_tui.run import RunSpec
    from genlab_tui.rundata import Curve, RunData

    step = np.arange(250_000, dtype=float)
    noise = np.random.default_rng(0)
    arms = tuple(Arm(f"arm {k}") for k in range(4))
    curves = {
        (arm.name, 0): Curve(step, step, step, np.exp(-step / (4e4 * (k + 1))) + noise.normal(0, 0.01, step.size))
        for k, arm in enumerate(arms)
    }
    return RunData(RunSpec(id="a0000000", phenomenon="", config={}), arms, (0,), curves={"loss": curves})


def _members() -> RunData:
    """Return six arms of 42 seeds with as many rows as the reader of a run keeps."""
    import numpy as np

    from genlab_tui.phenomenon import Arm
    from genlab_tui.run import RunSpec
    from genlab_tui.rundata import Curve, RunData

    step = np.arange(3969, dtype=float)
    noise = np.random.default_rng(0)
    arms = tuple(Arm(f"arm {k}") for k in range(6))
    curves = {
        (arm.name, seed): Curve(step, step, step, np.exp(-step / (600 * (k + 1))) + noise.normal(0, 0.01, step.size))
        for k, arm in enumerate(arms)
        for seed in range(42)
    }
    spec = RunSpec(id="a0000000", phenomenon="", config={}, seeds=42)
    return RunData(spec, arms, spec.seed_list, curves={"loss": curves})
