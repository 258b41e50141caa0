"""What the Compare screen is about: which runs, how they are looked at, both remembered; reading them as they grow."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any

from textual import work
from textual.timer import Timer

from genlab_tui.run import RunRecord
from genlab_tui.selection import Selection
from screens.base import ModeScreen
from screens.comparison import Comparison, Kept, compare, versions
from screens.messages import RunsChanged
from screens.overlay import Overlay
from screens.panels.chart import warm_up

EVERY = 1.0
"""Seconds between two looks while a compared run is still at work."""
SOON = 0.4
"""Seconds after the last change until the view is remembered: keys come in rows."""


class Comparing(ModeScreen):
    """Runs side by side. `show` may be called before the screen is mounted."""

    def __init__(self) -> None:
        super().__init__()
        self.run_ids: list[str] = []
        self.wanted_baseline: str | None = None
        self.found = Comparison()
        self.overlay = Overlay()
        self._kept: dict[str, Kept] = {}
        self._seen: tuple[object, ...] = ()
        self._busy = self._again = False
        self._looked = 0.0
        self._soon: Timer | None = None

    def draw(self) -> None:
        """Show what was found as it is wanted."""
        raise NotImplementedError

    @property
    def watched(self) -> Collection[str]:
        return self.run_ids

    def show(self, run_ids: Sequence[str], baseline: str | None = None) -> None:
        """Compare these runs. A single one is added to those there."""
        if len(run_ids) == 1 and self.run_ids:
            self.run_ids = list(dict.fromkeys((*self.run_ids, *run_ids)))
        elif run_ids:
            self.run_ids = list(dict.fromkeys(run_ids))
            self.overlay.start_anew()
        self.wanted_baseline = baseline or self.wanted_baseline
        if self.is_mounted:
            self.load()

    # --- remembered ---------------------------------------------------------------------------------------------------

    def recall(self) -> None:
        """Take up the view that this lab had last; the runs too, unless others were asked for meanwhile."""
        known: Any = self.genlab.recall("compare")
        if not isinstance(known, dict):
            return
        self.overlay = Overlay.read(known.get("view"))
        ids, baseline = known.get("runs"), known.get("baseline")
        if self.run_ids:
            self.overlay.start_anew()
        elif isinstance(ids, list):
            self.run_ids = [run_id for run_id in ids if isinstance(run_id, str)]
            self.wanted_baseline = baseline if isinstance(baseline, str) else None

    def remember(self) -> None:
        """Keep the view, once the keys rest."""
        if self._soon is not None:
            self._soon.stop()
        self._soon = self.set_timer(SOON, self._keep)

    def on_screen_suspend(self) -> None:
        self._keep()

    def on_unmount(self) -> None:
        self._keep()

    def _keep(self) -> None:
        view = {"runs": self.run_ids, "baseline": self.wanted_baseline, "view": self.overlay.document()}
        known = self.genlab.recall("compare")
        if (self.run_ids or known) and view != known:
            self.genlab.remember(compare=view | {"runs": list(self.run_ids)})

    # --- reading ------------------------------------------------------------------------------------------------------

    @property
    def records(self) -> list[RunRecord]:
        """The compared runs as the index knows them now."""
        known = {run.id: run for run in self.genlab.runs}
        return [known[run_id] for run_id in self.run_ids if run_id in known]

    @property
    def wanted(self) -> Selection:
        """What is asked for that needs another look at the runs."""
        return Selection(self.wanted_baseline, group_by=self.overlay.group_by, at=self.overlay.at)

    def on_runs_changed(self, event: RunsChanged) -> None:
        super().on_runs_changed(event)
        self.load()

    def follow(self) -> None:
        """Look again where a compared run may have gone on; on a slow link less often."""
        due = time.monotonic() - self._looked >= self.genlab.pace()
        if due and self.is_current and any(not run.state.ended for run in self.records):
            self.load()

    def load(self) -> None:
        """Read what is new in a thread; one look at a time, and once more where something was asked meanwhile."""
        if self._busy:
            self._again = True
            return
        self._busy, self._again = True, False
        self._looked = time.monotonic()
        self._read(self.records, self.wanted)

    @work(thread=True, group="compare")
    def _read(self, records: list[RunRecord], wanted: Selection) -> None:
        found = None
        if self._seen != (wanted, versions(self._kept, records)):
            if records:
                warm_up()
            found = compare(self.genlab.lab, records, wanted, self._kept)
            self._seen = (wanted, versions(self._kept, records))
        self.app.call_from_thread(self._loaded, found)

    def _loaded(self, found: Comparison | None) -> None:
        self._busy = False
        if found is not None:
            new = [problem for problem in found.problems if problem not in self.found.problems]
            self.found = found
            for problem in new:
                self.genlab.say(problem, title="not compared", severity="error")
            self.overlay.settle(found)
            self.draw()
        if self._again:
            self.load()
