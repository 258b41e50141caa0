"""A run with all that a comparison or an export needs, read from its directory."""

from __future__ import annotations

from functools import partial

from genlab_tui import phenomena
from genlab_tui.export import ExportRun
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord
from jobs.tail import RunReader, iter_events


def load(lab: Lab, record: RunRecord, reader: RunReader | None = None) -> ExportRun:
    """Read a run to its present end; with a `reader` at hand only what is new. Raises GenlabError for a broken spec."""
    folder = lab.run(record.id)
    reader = reader or RunReader(folder)
    reader.read_all()
    return ExportRun(
        record=record,
        data=reader.data(),
        verdict=reader.verdict(),
        phenomenon=phenomena.catalogue().get(record.phenomenon),
        events=partial(iter_events, folder.events),
    )
