"""What the Compare screen shows, worked out in a thread: runs read to their end, tables, figures. No widgets here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from genlab_tui.compare import VerdictRow, metric_names, overlay_figures, verdict_rows
from genlab_tui.errors import GenlabError
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.grouping import Grouping, fields_that_differ
from genlab_tui.paths import Lab
from genlab_tui.regularisers import SHORT
from genlab_tui.run import RunRecord
from genlab_tui.selection import Selection, numeric, select
from genlab_tui.settings import Setting, settings_table
from genlab_tui.summary import LoadedRun, SummaryRow
from genlab_tui.text import clean_text

if TYPE_CHECKING:
    from jobs.tail import RunReader

NAME = 18
"""Cells that a run's name takes in a legend at most."""


@dataclass(frozen=True)
class Comparison:
    """Some runs side by side, or groups of them.

    `titles` are short and differ, of runs and of groups; `baseline` is a run id, or the value of a group; `problems`
    say what could not be read or drawn, `refused` is a field by which the runs could not be grouped.
    """

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
    grouping: Grouping = field(default_factory=lambda: Grouping(()))
    fields: Mapping[str, int] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)
    refused: str = ""

    @property
    def units(self) -> tuple[LoadedRun, ...]:
        """What is compared: the groups, or every run."""
        return self.grouping.units if self.grouping.field else self.runs

    @property
    def numeric(self) -> bool:
        """Whether the groups lie along an axis."""
        return numeric(self.grouping)

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


def group_title(field: str, value: str) -> str:
    """Return what a group is called in few cells: `wd 0.001`, `width 64`."""
    return clean_text(f"{SHORT.get(field.replace(' ', '-'), field.replace('_', ' '))} {value}", 40)


@dataclass
class Kept:
    """A compared run between two looks: its reader, and what was made of it as long as nothing is new."""

    reader: RunReader
    run: LoadedRun | None = None

    @property
    def settled(self) -> bool:
        """Whether it was read after its end: nothing more comes."""
        return self.run is not None and self.run.record.state.ended

    def load(self, lab: Lab, record: RunRecord) -> LoadedRun:
        """Return the run as it is now; the same object where nothing is new, with all that was worked out of it."""
        from jobs.loaded import load

        new = load(lab, record, self.reader)
        old = self.run
        if old is None or old.record != new.record or old.data is not new.data or old.verdict is not new.verdict:
            self.run = new
        return self.run or new


def compare(lab: Lab, records: Sequence[RunRecord], selection: Selection, kept: dict[str, Kept]) -> Comparison:
    """Read runs and work out everything that is shown of them; what fails is a problem, never an exception.

    `kept` is held between calls, so that only what is new is read; the readers of other runs are dropped.
    """
    from jobs.tail import RunReader

    problems: list[str] = []
    runs: list[LoadedRun] = []
    for gone in kept.keys() - {r.id for r in records}:
        del kept[gone]
    for record in records:
        try:
            if record.id not in kept:
                kept[record.id] = Kept(RunReader(lab.run(record.id)))
            runs.append(kept[record.id].load(lab, record))
        except (GenlabError, OSError) as error:
            problems.append(f"{record.title}: {error}")
        except Exception as error:  # noqa: BLE001 - a phenomenon's own code on unfinished data; shown, not hidden
            problems.append(f"{record.title} cannot be judged: {type(error).__name__}: {error}")
    if not runs:
        return Comparison(problems=tuple(problems))
    if selection.baseline not in {run.id for run in runs}:
        selection = replace(selection, baseline=None)
    refused = ""
    try:
        selected = select(runs, selection)
    except GenlabError as error:
        problems.append(str(error))
        refused, selection = selection.group_by, replace(selection, group_by="")
        selected = select(runs, selection)
    titles = short_titles([run.record for run in runs])
    titles |= {group.id: group_title(selected.grouping.field, group.id) for group in selected.grouping.groups}
    return Comparison(
        runs=tuple(runs),
        baseline=selected.baseline,
        titles=titles,
        settings=settings_table(runs, all_of_them=True),
        summary=selected.rows,
        figures=_figures(runs, titles, problems),
        verdicts=verdict_rows(runs),
        metrics=metric_names(runs),
        note=selected.note,
        problems=tuple(problems),
        grouping=selected.grouping,
        fields=fields_that_differ(runs),
        selection=selection,
        refused=refused,
    )


def _figures(runs: Sequence[LoadedRun], titles: Mapping[str, str], problems: list[str]) -> tuple[Figure | HeatMap, ...]:
    try:
        return overlay_figures(runs, titles)
    except GenlabError as error:
        problems.append(str(error))
        return ()


def versions(kept: Mapping[str, Kept], records: Sequence[RunRecord]) -> tuple[object, ...]:
    """Return what tells one state of these runs from the next; polls the readers of those that may have news."""
    states = []
    for record in records:
        known = kept.get(record.id)
        while known is not None and not known.settled and known.reader.poll():
            pass
        states.append((record, known.reader.builder.version if known else None))
    return tuple(states)
