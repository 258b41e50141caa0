"""Runs as CSV for a colleague: tidy, exact, private, safe to open in a spreadsheet, loads in pandas as it is.

Every row says which run it is from and how that run was configured. Numbers are written so that `float()` gives back
the very same value (`inf`, `-inf` and `nan` by name, an empty cell for no value); text that a spreadsheet would take
for a formula gets a leading apostrophe, numbers never do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from genlab_tui.csv_file import Row, check_targets, whole_file, write_rows
from genlab_tui.errors import BadValue, GenlabError, nearest
from genlab_tui.export_rows import (
    CRITERIA,
    CURVES,
    FIGURE,
    MEANS,
    SETTINGS,
    SUMMARY,
    ExportRun,
    about_cells,
    criteria_rows,
    curves_rows,
    figure_rows,
    means_rows,
    settings_rows,
    summary_rows,
)
from genlab_tui.selection import Selection, select
from genlab_tui.summary import LoadedRun
from genlab_tui.text import clean_text, slug

__all__ = ["KINDS", "ExportRun", "Kind", "default_path", "export_csv"]

Kind = Literal["summary", "curves", "figure", "criteria", "means", "settings"]
KINDS: tuple[Kind, ...] = ("summary", "curves", "figure", "criteria", "means", "settings")


def export_csv(
    runs: Sequence[ExportRun],
    kind: str,
    path: str | os.PathLike[str],
    selection: Selection | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write what a selection shows of runs as CSV and return the files written.

    `kind` is one of `KINDS`, or `all`: then `path` gets the summary and `PATH-curves.csv`, `PATH-figure.csv` and so on
    lie beside it. Files are private (0600) and appear whole or not at all.
    Raises BadValue for an unknown kind or field or a file that is there already (unless `overwrite`), GenlabError where
    the folder cannot be written, NotFound for a baseline or arm that is not among the runs.
    """
    if not runs:
        raise BadValue("there is no run to export")
    if kind != "all" and kind not in KINDS:
        raise BadValue(f"there is no export kind {kind!r}", nearest(kind, (*KINDS, "all")))
    selected = select(runs, selection or Selection())
    target = Path(path).expanduser()
    if not target.suffix:
        target = target.with_name(target.name + ".csv")
    files: dict[Kind, Path] = {}
    for one in KINDS:
        if kind == "all":
            files[one] = target if one == "summary" else target.with_name(f"{target.stem}-{one}{target.suffix}")
        elif kind == one:
            files[one] = target
    check_targets(files.values(), overwrite)
    about, cells = about_cells(runs, selected)
    makers: dict[Kind, Callable[[], tuple[list[str], Iterator[Row]]]] = {
        "summary": lambda: (SUMMARY, summary_rows(selected, cells)),
        "curves": lambda: (CURVES, curves_rows(runs, selected.selection.arm, cells)),
        "figure": lambda: (FIGURE, figure_rows(runs, cells)),
        "criteria": lambda: (CRITERIA, criteria_rows(runs, cells)),
        "means": lambda: (MEANS, means_rows(selected, cells)),
        "settings": lambda: (SETTINGS, settings_rows(runs, cells)),
    }
    for one, file in files.items():
        columns, rows = makers[one]()
        with whole_file(file, overwrite) as out:
            write_rows(out, about, columns, rows)
    return list(files.values())


def default_path(folder: Path, runs: Sequence[LoadedRun], kind: str = "all") -> Path:
    """Return a free file name in a folder, made of what the runs are; hostile names lose whatever is not a letter."""
    stem = file_stem(runs) + (f"-{slug(kind)}" if kind != "all" else "")
    for number in range(1, 10_000):
        path = folder / (f"{stem}.csv" if number == 1 else f"{stem}-{number}.csv")
        if not any(path.with_name(f"{path.stem}{end}.csv").exists() for end in ("", *(f"-{k}" for k in KINDS))):
            return path
    raise GenlabError(f"{folder} is full of exports of these runs", "remove some")


def file_stem(runs: Sequence[LoadedRun]) -> str:
    """Return a safe file name without its ending, made of what the runs are."""
    names = dict.fromkeys(run.spec.phenomenon for run in runs)
    parts = [slug("-".join(names).replace(".", "-"), 40)]
    if runs[0].record.name:
        parts.append(slug(clean_text(runs[0].record.name).replace(".", "-"), 30))
    parts.append(slug(runs[0].id))
    if len(runs) > 1:
        parts.append(f"and-{len(runs) - 1}-more")
    return "-".join(parts)
