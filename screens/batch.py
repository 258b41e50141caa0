"""Verbs on several runs at once, and their export: plain functions for `genlab.act`, called in a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord


def each(verb: Callable[..., Any], lab: Lab, run_ids: Sequence[str], **options: Any) -> list[str]:
    """Apply a verb of `jobs.runs` to every run and return the ids of those that took it.

    One that refuses does not keep the others from it. Raises GenlabError where all of them refuse.
    """
    done: list[str] = []
    refusals: list[GenlabError] = []
    for run_id in run_ids:
        try:
            verb(lab, run_id, **options)
        except GenlabError as error:
            refusals.append(error)
        else:
            done.append(run_id)
    if refusals and not done:
        more = f" ({len(refusals) - 1} more likewise)" if len(refusals) > 1 else ""
        raise GenlabError(refusals[0].message + more, refusals[0].hint) from refusals[0]
    return done


def retag(lab: Lab, records: Sequence[RunRecord], text: str) -> None:
    """Give one run exactly the tags of a text; of several runs, add them, and take away those with a minus."""
    from jobs import runs

    words = text.replace(",", " ").replace("#", " ").split()
    if len(records) == 1:
        runs.edit(lab, records[0].id, tags=words)
        return
    away = {word[1:] for word in words if word.startswith("-")}
    more = [word for word in words if not word.startswith("-")]
    for record in records:
        kept = [tag for tag in record.tags if tag not in away]
        runs.edit(lab, record.id, tags=tuple(dict.fromkeys((*kept, *more))))


def export(lab: Lab, records: Sequence[RunRecord], baseline: str | None = None) -> list[Path]:
    """Write runs as CSV (all kinds) into the lab's exports folder under a free name. Raises GenlabError."""
    from genlab_tui.export import default_path, export_csv
    from genlab_tui.safe_io import make_private_dir
    from jobs.loaded import load

    make_private_dir(lab.exports)
    runs = [load(lab, record) for record in records]
    return export_csv(runs, "all", default_path(lab.exports, runs), baseline)


def written(files: Sequence[Path]) -> str:
    """Return what was written and where, whole: it is there to be copied."""
    home = str(Path.home())
    path = str(files[0])
    shown = "~" + path.removeprefix(home) if home != "/" and path.startswith(home + "/") else path
    return f"{shown} and {len(files) - 1} beside it" if len(files) > 1 else shown
