"""A report of one run or several: everything that was asked, run, found and published, as one file of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from genlab_tui import __version__, report_pictures, report_run, report_runs
from genlab_tui.blocks import Block, Heading, Report, Text, Verdicts
from genlab_tui.csv_file import check_targets, whole_file
from genlab_tui.errors import BadValue, GenlabError, nearest
from genlab_tui.export import file_stem
from genlab_tui.markdown import to_markdown
from genlab_tui.summary import LoadedRun, find_baseline
from genlab_tui.webpage import to_html

Format = Literal["md", "html"]
FORMATS: dict[str, Callable[[Report], str]] = {"md": to_markdown, "html": to_html}
SUFFIXES = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html"}


def make_report(runs: Sequence[LoadedRun], baseline: str | None = None, *, now: float | None = None) -> Report:
    """Return the report of runs, ready to be written.

    Raises BadValue without a run, NotFound for a baseline that is not among them.
    """
    if not runs:
        raise BadValue("there is no run to report on")
    base = find_baseline(runs, baseline).id
    title, blocks = _of_one(runs[0]) if len(runs) == 1 else _of_several(runs, base)
    written = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now if now is not None else time.time()))
    return Report(title, tuple(blocks), f"Written by genlab-tui {__version__} on {written}.")


def _of_one(run: LoadedRun) -> tuple[str, Iterator[Block]]:
    name = run.phenomenon.title if run.phenomenon else run.spec.phenomenon

    def blocks() -> Iterator[Block]:
        yield Verdicts(((_status(run), report_run.summary_line(run)),))
        yield from report_run.flags(run)
        yield from report_run.question(run)
        yield from report_run.prediction(run)
        yield from report_run.verdict_blocks(run)
        yield from report_pictures.figures(run)
        yield from report_run.numbers(run)
        yield from report_pictures.curves(run)
        yield from report_run.what_was_run(run)
        yield from report_run.lineage(run)
        yield from report_run.papers([run])
        yield from report_run.reproduce([run])

    return f"{name}: run {run.title}", blocks()


def _of_several(runs: Sequence[LoadedRun], baseline: str) -> tuple[str, Iterator[Block]]:
    names = dict.fromkeys(run.phenomenon.title if run.phenomenon else run.spec.phenomenon for run in runs)

    def blocks() -> Iterator[Block]:
        yield Verdicts(tuple((_status(run), f"{run.title}: {report_run.summary_line(run)}") for run in runs))
        yield from report_runs.overview(runs, baseline)
        asked: set[str] = set()
        for run in runs:
            if run.spec.phenomenon not in asked:
                asked.add(run.spec.phenomenon)
                yield from report_run.question(run)
        yield from report_runs.differing(runs)
        yield from report_runs.differences(runs, baseline)
        yield from report_runs.together(runs)
        yield from report_runs.verdicts(runs)
        for run in runs:
            yield Heading(f"Run {run.title}")
            yield Text(report_run.summary_line(run))
            yield from report_run.flags(run)
            yield from report_run.prediction(run, 3)
            yield from report_run.verdict_blocks(run, 3)
            yield from report_run.what_was_run(run, 3)
            yield from report_run.lineage(run, 3)
        yield from report_run.papers(runs)
        yield from report_run.reproduce(runs)

    return f"{' and '.join(names)}: {len(runs)} runs", blocks()


def _status(run: LoadedRun) -> str:
    """Return the verdict of a run that ended, else its state."""
    return str(run.verdict.status) if run.verdict and run.record.state == "done" else str(run.record.state)


def write_report(
    runs: Sequence[LoadedRun],
    formats: Sequence[str],
    out: str | os.PathLike[str],
    baseline: str | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write the report of runs and return the files written, one per format (`md`, `html`).

    `out` is a folder, where a free name is taken, or a file: its ending is that of the format. Files are private
    (0600) and appear whole or not at all. Raises BadValue for an unknown format or a file that is there already (unless
    `overwrite`), GenlabError where the folder cannot be written.
    """
    for one in formats:
        if one not in FORMATS:
            raise BadValue(f"there is no report format {one!r}", nearest(one, tuple(FORMATS)))
    report = make_report(runs, baseline)
    target = Path(out).expanduser()
    if target.is_dir():
        target = free_path(target, runs, formats)
    elif target.suffix.lower() in SUFFIXES:
        if len(formats) == 1 and SUFFIXES[target.suffix.lower()] != formats[0]:
            raise BadValue(f"{target} is no name for a report as {formats[0]}", f"name it {target.stem}.{formats[0]}")
        target = target if len(formats) == 1 else target.with_suffix("")
    files = {one: target if target.suffix.lower() in SUFFIXES else Path(f"{target}.{one}") for one in formats}
    check_targets(files.values(), overwrite)
    for one, file in files.items():
        with whole_file(file, overwrite) as stream:
            stream.write(FORMATS[one](report))
    return list(files.values())


def free_path(folder: Path, runs: Sequence[LoadedRun], formats: Sequence[str]) -> Path:
    """Return a path in a folder, without its ending, that no report of these formats has yet. Raises GenlabError."""
    stem = f"{file_stem(runs)}-report"
    for number in range(1, 10_000):
        path = folder / (stem if number == 1 else f"{stem}-{number}")
        if not any(Path(f"{path}.{one}").exists() for one in formats):
            return path
    raise GenlabError(f"{folder} is full of reports of these runs", "remove some")
