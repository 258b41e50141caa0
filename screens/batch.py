"""Verbs on several runs at once, and their export: plain functions for `genlab.act`, called in a thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord

if TYPE_CHECKING:
    from genlab_tui.selection import Selection
    from jobs.edits import Outcome

_TAG = re.compile(r'(-?)#?(?:"([^"]+)"|([^\s,]+))')


def tags_text(tags: Sequence[str]) -> str:
    """Return tags as they are typed: those with blanks in quotes."""
    return " ".join(f'"{tag}"' if re.search(r"[\s,]", tag) else tag for tag in tags)


def each(verb: Callable[[Lab, str], Any], lab: Lab, run_ids: Sequence[str]) -> Outcome:
    """Apply a verb of `jobs.runs` to every run.

    One that refuses does not keep the others from it. Raises GenlabError where all of them refuse.
    """
    from jobs.edits import outcome

    done: list[str] = []
    refusals: list[GenlabError] = []
    for run_id in run_ids:
        try:
            verb(lab, run_id)
        except GenlabError as error:
            refusals.append(error)
        else:
            done.append(run_id)
    return outcome(done, refusals)


def retagged(records: Sequence[RunRecord], text: str) -> dict[str, dict[str, Sequence[str]]]:
    """Return the tags that a text gives runs: one run exactly these; several get them, and lose those with a minus."""
    words = [sign + (quoted or word.strip('"#')) for sign, quoted, word in _TAG.findall(text)]
    words = [word for word in words if word.strip("-")]
    if len(records) == 1:
        return {records[0].id: {"tags": words}}
    away = {word[1:] for word in words if word.startswith("-")}
    more = [word for word in words if not word.startswith("-")]
    return {
        record.id: {"tags": tuple(dict.fromkeys((*(tag for tag in record.tags if tag not in away), *more)))}
        for record in records
    }


def export(lab: Lab, records: Sequence[RunRecord], selection: Selection | None = None) -> list[Path]:
    """Write what a selection shows of runs as CSV (all kinds) into the lab's exports folder under a free name.

    Raises GenlabError.
    """
    from genlab_tui.export import default_path, export_csv
    from genlab_tui.safe_io import make_private_dir
    from jobs.loaded import load

    make_private_dir(lab.exports)
    runs = [load(lab, record) for record in records]
    return export_csv(runs, "all", default_path(lab.exports, runs), selection)


def written(files: Sequence[Path]) -> str:
    """Return what was written and where, whole: it is there to be copied."""
    home = str(Path.home())
    path = str(files[0])
    shown = "~" + path.removeprefix(home) if home != "/" and path.startswith(home + "/") else path
    return f"{shown} and {len(files) - 1} beside it" if len(files) > 1 else shown
