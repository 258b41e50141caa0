"""Write a report of runs from a screen: Markdown and HTML into the lab's exports folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.binding import Binding

from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord
from screens import batch

if TYPE_CHECKING:
    from screens.base import GenlabApi

REPORT = Binding(
    "ctrl+r", "report", "report", show=False, tooltip="Write a report (Markdown and HTML) into the lab's exports folder"
)


def report(genlab: GenlabApi, records: Sequence[RunRecord], baseline: str | None = None) -> None:
    """Write the report of runs and say where it is."""
    if not records:
        genlab.say("there is no run to report on yet", severity="warning")
        return
    what = records[0].title if len(records) == 1 else f"{len(records)} runs"

    def told(files: list[Path]) -> None:
        genlab.say(batch.written(files), title="report written")

    genlab.act(f"report on {what}", _write, genlab.lab, tuple(records), baseline, then=told)


def _write(lab: Lab, records: Sequence[RunRecord], baseline: str | None) -> list[Path]:
    from genlab_tui.report import write_report
    from genlab_tui.safe_io import make_private_dir
    from jobs.loaded import load

    make_private_dir(lab.exports)
    return write_report([load(lab, record) for record in records], ("html", "md"), lab.exports, baseline)
