"""Measure this machine: ratios to plain programs, interleaved in one run; medians with their spread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import click

from genlab_tui.commands.bench_rows import COLUMNS, Row, machine
from genlab_tui.commands.output import print_json, print_table

Group = Callable[[int], Iterator[Row]]


def _start(repeats: int) -> Iterator[Row]:
    from genlab_tui.commands import bench_around

    return bench_around.start(repeats)


def _store(repeats: int) -> Iterator[Row]:
    from genlab_tui.commands import bench_around

    return bench_around.store(repeats)


def _chart(repeats: int) -> Iterator[Row]:
    from genlab_tui.commands import bench_around

    return iter(bench_around.chart(repeats))


def _ui(repeats: int) -> Iterator[Row]:
    from genlab_tui.commands import bench_around, bench_ui

    yield from bench_around.first_paint(repeats)
    yield from bench_around.chart(repeats)
    yield from bench_ui.rows(repeats)


def _training(repeats: int) -> Iterator[Row]:
    from genlab_tui.commands import bench_training

    return bench_training.rows(repeats)


def _curvature(repeats: int) -> Iterator[Row]:
    from genlab_tui.commands import bench_curvature

    return bench_curvature.rows(repeats)


def _gpu(repeats: int) -> Iterator[Row]:
    from genlab_tui.commands import bench_gpu

    return bench_gpu.rows(repeats)


GROUPS: Mapping[str, Group] = {
    "training": _training,
    "curvature": _curvature,
    "gpu": _gpu,
    "start": _start,
    "store": _store,
    "chart": _chart,
    "ui": _ui,
}


def run_bench(chosen: Mapping[str, bool], repeats: int, as_json: bool) -> int:
    """Run the chosen groups (none chosen: all) and print their rows."""
    names = [name for name in GROUPS if chosen.get(name)] or list(GROUPS)
    found_rows: dict[str, Row] = {}  # some rows belong to two groups
    for name in names:
        click.echo(f"measuring {name} ...", err=True)
        found_rows |= {row.name: row for row in GROUPS[name](repeats)}
    rows = list(found_rows.values())
    found = machine(("torch", "textual", "plotext", "jax"))
    if as_json:
        print_json({"schema": 1, "rows": [r.as_json() for r in rows], "machine": found, "repeats": repeats})
        return 0
    print_table(COLUMNS, [r.cells() for r in rows], right=(1, 2, 3))
    click.echo(", ".join(f"{k} {v}" for k, v in found.items()) + f"; {repeats} interleaved repeats", err=True)
    return 0
