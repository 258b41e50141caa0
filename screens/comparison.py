"""What the Compare screen shows, worked out in a thread: runs read to their end, tables, figures. No widgets here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlab_tui.compare import (
    Setting,
    VerdictRow,
    metric_names,
    overlay_figures,
    pairing_note,
    settings_table,
    verdict_rows,
)
from genlab_tui.errors import GenlabError
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord
from genlab_tui.summary import LoadedRun, SummaryRow, summary_rows
from genlab_tui.text import clean_text

if TYPE_CHECKING:
    from jobs.tail import RunReader

NAME = 18
"""Cells that a run's name takes in a legend at most."""


@dataclass(frozen=True)
class Comparison:
    """Some runs side by side. `titles` are short and differ; `problems` say what could not be read or drawn."""

    runs: tuple[LoadedRun, ...] = ()
    baseline: str = ""
    titles: Mapping[str, str] | None = None
    settings: tuple[Setting, ...] = ()
    summary: tuple[SummaryRow, ...] = ()
    figures: tuple[Figure | HeatMap, ...] = ()
    verdicts: tuple[VerdictRow, ...] = ()
    metrics: tuple[str, ...] = ()
    note: str = ""
    problems: tuple[str, ...] = ()

    @property
    def arms(self) -> tuple[tuple[str, str], ...]:
        """Return name and title of every arm that some run has, in the order of the plans."""
        return tuple({arm.name: arm.title for run in self.runs for arm in run.data.arms}.items())

    def title(self, run_id: str) -> str:
        """Return what a run is called here."""
        return (self.titles or {}).get(run_id, run_id)


def short_titles(records: Sequence[RunRecord]) -> dict[str, str]:
    """Return a short title per run: its name, else the start of its id; both where names repeat."""
    names = [clean_text(r.name, NAME) for r in records]
    titles = {}
    for record, name in zip(records, names, strict=True):
        others = [r.id for r in records if r is not record]
        digits = next((n for n in (4, 6) if not any(o[:n] == record.id[:n] for o in others)), 8)
        short = record.id[:digits]
        titles[record.id] = short if not name else name if names.count(name) == 1 else f"{name} {short}"
    return titles


def compare(lab: Lab, records: Sequence[RunRecord], baseline: str | None, readers: dict[str, RunReader]) -> Comparison:
    """Read runs and work out everything that is shown of them; what fails is a problem, never an exception.

    `readers` are kept between calls, so that only what is new is read; those of other runs are dropped.
    """
    from jobs.loaded import load
    from jobs.tail import RunReader

    problems: list[str] = []
    runs: list[LoadedRun] = []
    for gone in readers.keys() - {r.id for r in records}:
        del readers[gone]
    for record in records:
        try:
            if record.id not in readers:
                readers[record.id] = RunReader(lab.run(record.id))
            runs.append(load(lab, record, readers[record.id]))
        except (GenlabError, OSError) as error:
            problems.append(f"{record.title}: {error}")
        except Exception as error:  # noqa: BLE001 - a phenomenon's own code on unfinished data; shown, not hidden
            problems.append(f"{record.title} cannot be judged: {type(error).__name__}: {error}")
    if not runs:
        return Comparison(problems=tuple(problems))
    base = baseline if baseline in {run.id for run in runs} else runs[0].id
    titles = short_titles([run.record for run in runs])
    return Comparison(
        runs=tuple(runs),
        baseline=base or "",
        titles=titles,
        settings=settings_table(runs, all_of_them=True),
        summary=summary_rows(runs, base),
        figures=_figures(runs, titles, problems),
        verdicts=verdict_rows(runs),
        metrics=metric_names(runs),
        note=pairing_note(runs, base),
        problems=tuple(problems),
    )


def _figures(runs: Sequence[LoadedRun], titles: Mapping[str, str], problems: list[str]) -> tuple[Figure | HeatMap, ...]:
    try:
        return overlay_figures(runs, titles)
    except GenlabError as error:
        problems.append(str(error))
        return ()


def versions(readers: Mapping[str, RunReader], records: Sequence[RunRecord]) -> tuple[object, ...]:
    """Return what tells one state of these runs from the next; polls their readers."""
    states = []
    for record in records:
        reader = readers.get(record.id)
        while reader is not None and reader.poll():
            pass
        states.append((record, reader.builder.version if reader else None))
    return tuple(states)
