"""Bench rows of the screens: the real app in a pseudo-terminal of 80x24, on labs whose runs are made up.

CPU is the processor time of the app over wall time, in per cent of one core; bytes are those that it sends to the
terminal; a key's answer is timed from its byte to the first output that shows what the key did.
"""

from __future__ import annotations

import math
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from genlab_tui.commands import bench_lab
from genlab_tui.commands.bench_pty import APP, Driven, Screen, environment
from genlab_tui.commands.bench_rows import Row, row
from genlab_tui.paths import Lab, RunDir

MANY = 10_000
PER_SECOND = 50.0
HISTORY = 1000
"""Rows of each metric that the streaming run has when the app opens it."""
MILLION = 1_000_000
MILLION_SEEDS = 42
"""Seeds of the run that has them: 252 members, each with as many rows as a reader keeps."""
SETTLE = 2.0
"""Seconds that an app gets to finish its start before anything is measured."""
WINDOW = 10.0
"""Seconds over which CPU and bytes are counted, once a repeat."""
PRESSES = 24
"""Keys pressed in a repeat; the 95th percentile is that of a repeat."""
APART = 0.23
"""Seconds between a key's answer and the next key, so that keys fall anywhere between two pictures."""
KEYS = ("o", "e", "\x1b[C", "\x1b[D", "\t")
"""Smooth a panel, show single seeds in it, another metric, the one before, and on to the next panel."""


def rows(repeats: int) -> Iterator[Row]:
    """Yield all rows of the app at work."""
    yield from runs_screen(repeats)
    with tempfile.TemporaryDirectory(prefix="genlab-bench-") as folder:
        yield from live(Path(folder), repeats)


def _say(what: str) -> None:
    click.echo(f"  {what} ...", err=True)


# --- Runs -------------------------------------------------------------------------------------------------------------


def runs_screen(repeats: int) -> Iterator[Row]:
    """Yield how long Runs takes from its key to a list that answered another key."""
    _say(f"Runs with {MANY:,} runs")
    usable = []
    with tempfile.TemporaryDirectory(prefix="genlab-bench-") as folder:
        lab = bench_lab.filled_lab(Path(folder) / "lab", MANY)
        for repeat in range(repeats + 1):
            with Driven(APP, environment(lab.root)) as app:
                app.until(lambda screen: "genlab" in screen.text, "its first screen")
                app.run(SETTLE)
                pressed = app.type("3")
                app.until(_listed, "the list of runs")
                before = _styles(app.screen)
                app.type("\x1b[B")
                answered = app.until(lambda screen, before=before: _styles(screen) != before, "the cursor move")  # type: ignore[misc]
                if repeat:  # the first round warms the caches
                    usable.append((answered - pressed) * 1000)
    yield row(f"Runs with {MANY:,} runs: key to a list that answers", usable, 500, "ms")


def _listed(screen: Screen) -> bool:
    return f"{MANY:,}" in screen.text and sum("SHOWN" in line for line in screen.lines) > 10


def _styles(screen: Screen) -> list[tuple[str, ...]]:
    """Return how the first columns of the list look, where the cursor is seen."""
    return [tuple(style for _, style in cells[:12]) for cells in screen.cells[3:-2]]


# --- Live -------------------------------------------------------------------------------------------------------------


def live(folder: Path, repeats: int) -> Iterator[Row]:
    """Yield the rows of Live: while a run streams into four panels, and while nothing happens."""
    members = len(bench_lab.ARMS) * bench_lab.SEEDS
    with ExitStack() as stack:
        lab = bench_lab.filled_lab(folder / "lab", 1000)
        streamed = bench_lab.add_run(lab, rows=HISTORY)
        quiet = bench_lab.filled_lab(folder / "quiet", 1000)
        ended = bench_lab.add_run(quiet, rows=HISTORY, ended=True)
        for each in (lab, quiet):
            four_panels(each)
        _say(f"4 panels with a stream ({members} members, {PER_SECOND:g} events/s each), an ended run, Lab")
        stack.enter_context(streaming(streamed, HISTORY, members))
        busy = stack.enter_context(Driven([*APP, streamed.id], environment(lab.root)))
        idle = stack.enter_context(Driven([*APP, ended.id], environment(quiet.root)))
        still = stack.enter_context(Driven(APP, environment(quiet.root)))
        apps = (busy, idle, still)
        for app in apps[:2]:
            app.until(drawn, "four charts")
        _together(apps, SETTLE)
        cpu: list[list[float]] = [[] for _ in apps]
        sent: list[list[float]] = [[] for _ in apps]
        for at in range(repeats):
            _say(f"CPU and bytes for {WINDOW:g} s, {at + 1} of {repeats}")
            before, began = [(app.cpu, app.sent) for app in apps], time.perf_counter()
            _together(apps, WINDOW)
            spent = time.perf_counter() - began
            for k, (app, (used, bytes_before)) in enumerate(zip(apps, before, strict=True)):
                cpu[k].append(100 * (app.cpu - used) / spent)
                sent[k].append((app.sent - bytes_before) / 1024 / spent)
        slowest = []
        for at in range(repeats):
            _say(f"{PRESSES} keys while it streams, {at + 1} of {repeats}")
            slowest.append(percentile([_answer(busy, key) for key in _keys(PRESSES)], 0.95))
        yield row("key answered while 4 panels stream (p95)", slowest, 50, "ms")
        yield row("CPU, 4 panels stream", cpu[0], 8, "%")
        yield row("CPU, ended run on Live", cpu[1], 1, "%")
        yield row("CPU, idle on Lab", cpu[2], 1, "%")
        yield row("to the terminal, 4 panels stream", sent[0], 15, "KiB/s", reach=5)
        yield row("to the terminal, ended run on Live", sent[1], 1, "KiB/s")
        yield row("to the terminal, idle on Lab", sent[2], 1, "KiB/s")
        yield row("memory (RSS), 4 panels stream", [busy.memory / 1e6], 200, "MB")
    yield from memory(folder)


def memory(folder: Path) -> Iterator[Row]:
    """Yield what the app holds while a panel shows a run with a million points, every seed drawn."""
    _say(f"a run with {MILLION:,} points in one panel")
    seeds = MILLION_SEEDS
    rows_needed = -(-MILLION // (len(bench_lab.ARMS) * seeds))
    lab = Lab(folder / "large")
    run = bench_lab.add_run(lab, rows=rows_needed, seeds=seeds, metrics=("train_loss",), ended=True)
    one_panel(lab)
    with Driven([*APP, run.id], environment(lab.root)) as app:
        app.until(drawn, "the chart")
        app.run(SETTLE)
        app.type("e")
        app.run(SETTLE)
        yield row(f"memory (RSS), panel with {MILLION:,} points", [app.memory / 1e6], 200, "MB")


@contextmanager
def streaming(run: RunDir, first: int, members: int, per_second: float = PER_SECOND) -> Iterator[None]:
    """Have a process write to a run, as its worker would, and hold the run's lock as its keeper would."""
    from genlab_tui.safe_io import try_flock

    lock = try_flock(run.keeper_lock)
    assert lock is not None
    process = subprocess.Popen(bench_lab.writer(run, first, members, per_second))
    try:
        yield
    finally:
        process.kill()
        process.wait()
        os.close(lock)


def four_panels(lab: Lab) -> None:
    """Have Live show the four metrics that stream."""
    _remember(lab, 4)


def one_panel(lab: Lab) -> None:
    """Have Live show the training loss alone."""
    _remember(lab, 1)


def _remember(lab: Lab, panels: int) -> None:
    from genlab_tui.safe_io import write_json

    chosen = {str(number): metric for number, metric in enumerate(bench_lab.METRICS)}
    write_json(lab.view, {"live": {"panels": panels, "choices": {"random-labels": chosen}}})


def drawn(screen: Screen) -> bool:
    """Tell whether charts are drawn."""
    return sum(any("\u2800" < character < "\u28ff" for character in line) for line in screen.lines) > 4


def _together(apps: tuple[Driven, ...], seconds: float) -> None:
    """Let several apps go on at once, each emptied as its output comes."""
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        for app in apps:
            app.run(min(left, 0.05))


def _keys(count: int) -> list[str]:
    return [KEYS[i % len(KEYS)] for i in range(count)]


def _answer(app: Driven, key: str) -> float:
    """Return the milliseconds from a key to the output that shows what it did."""
    app.run(APART)
    before = heads(app.screen)
    pressed = app.type(key)
    return (app.until(lambda screen: heads(screen) != before, f"what {key!r} does") - pressed) * 1000


def heads(screen: Screen) -> list[tuple[str, str]]:
    """Return the cells of the rows that keys change and streams do not: the legend and the heads of the panels."""
    return [
        cell
        for cells, line in zip(screen.cells[2:], screen.lines[2:], strict=True)
        if "──" in line or "●" in line[:3]
        for cell in cells
    ]


def percentile(values: list[float], share: float) -> float:
    """Return the smallest value that at least a share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
