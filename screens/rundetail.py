"""The panel about the run under the cursor; its files are read once the cursor rests."""

from __future__ import annotations

from functools import partial
from typing import cast

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from genlab_tui.run import RunRecord
from screens.base import GenlabApi
from screens.detail import Files, detail, read_files
from screens.lineage import family

LOOK_AFTER = 0.12
"""Seconds that the cursor rests before the files of its run are read."""


class RunDetail(VerticalScroll):
    """Everything about one run."""

    def __init__(self) -> None:
        super().__init__(id="runs-detail", classes="panel", can_focus=False)
        self.run: RunRecord | None = None
        self._looked: tuple[RunRecord, Files] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="runs-about")

    def show(self, run: RunRecord | None) -> None:
        """Show a run as far as it is known, and look into its files soon; None: nothing."""
        self.run = run
        if run is None:
            self._looked = None
            self.query_one("#runs-about", Static).update("")
            return
        seen = self._looked if self._looked and self._looked[0].id == run.id else None
        if seen and seen[0] == run:
            return
        self._show_files(run, seen[1] if seen else Files())
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(LOOK_AFTER, partial(self._look, run))

    def text_of(self, run: RunRecord) -> Content:
        """Return the lines about a run, with its files where they were read."""
        files = self._looked[1] if self._looked and self._looked[0].id == run.id else Files()
        return detail(run, files, family(run, self._genlab.runs))

    @property
    def _genlab(self) -> GenlabApi:
        return cast(GenlabApi, self.app)

    @work(thread=True, exclusive=True, group="detail")
    def _look(self, run: RunRecord) -> None:
        files = read_files(self._genlab.lab, run)
        self.app.call_from_thread(self._show_files, run, files)

    def _show_files(self, run: RunRecord, files: Files) -> None:
        if self.run is not None and self.run.id == run.id:
            self._looked = (run, files)
            self.query_one("#runs-about", Static).update(self.text_of(run))
