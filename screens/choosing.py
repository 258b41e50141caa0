"""The keys of the Compare screen that choose what is compared with what, and take it along."""

from __future__ import annotations

import dataclasses
import math
import shlex
from functools import partial
from pathlib import Path

from genlab_tui.grouping import Group
from genlab_tui.selection import Selection
from genlab_tui.summary import step_text
from genlab_tui.text import clean_text
from screens import batch
from screens.comparing import Comparing
from screens.pick import Pick
from screens.picker import RunPicker
from screens.prompt import Prompt
from screens.reporting import report
from screens.summarytable import summary_text

NO_FIELD = "none"
FIELD = "by "
"""Before the name of a field among the answers of the list of fields."""


class Choosing(Comparing):
    """A comparison whose runs, baseline, groups and step are chosen by keys."""

    @property
    def under_cursor(self) -> list[str]:
        """The ids of the runs under the cursor: one, or those of a group."""
        raise NotImplementedError

    @property
    def listing(self) -> bool:
        """Whether the list of runs has the focus, and not a table."""
        raise NotImplementedError

    def show_view(self) -> None:
        """Show the view that was chosen."""
        raise NotImplementedError

    # --- what is compared, and with what ------------------------------------------------------------------------------

    def action_baseline(self) -> None:
        """Measure against the run under the cursor; where a table has the focus, against the next one."""
        units = self.found.units
        if self.under_cursor and (self.listing or not units):
            self.wanted_baseline = self.under_cursor[0]
        elif units:
            at = next((i for i, unit in enumerate(units) if unit.id == self.found.baseline), -1)
            unit = units[(at + 1) % len(units)]
            self.wanted_baseline = unit.members[0].id if isinstance(unit, Group) else unit.id
        self.load()

    def action_remove(self) -> None:
        gone = self.under_cursor
        if gone:
            self.run_ids = [run_id for run_id in self.run_ids if run_id not in gone]
            self.load()

    def action_add(self) -> None:
        self.app.push_screen(RunPicker(self.genlab.runs, self.run_ids), self._picked)

    def _picked(self, run_ids: list[str] | None) -> None:
        if run_ids is not None:
            self.run_ids = run_ids
            self.load()

    def action_group(self) -> None:
        fields = self.found.fields
        if not fields and not self.overlay.group_by:
            self.genlab.say("nothing differs between these runs: there is nothing to group by", severity="warning")
            return
        items = [(NO_FIELD, "none: every run for itself")]
        for name, count in fields.items():
            items.append((FIELD + name, f"{clean_text(name, 40).replace('_', ' ')} · {count} values"))
        chosen = FIELD + self.overlay.group_by if self.overlay.group_by else NO_FIELD
        self.app.push_screen(Pick("pool the runs by", items, chosen), self._grouped)

    def _grouped(self, answer: str | None) -> None:
        if answer:
            self.overlay.group_by = answer.removeprefix(FIELD) if answer != NO_FIELD else ""
            self.load()

    def action_at_step(self) -> None:
        known = "" if self.overlay.at is None else step_text(self.overlay.at)
        hint = "of every curve the value measured nearest to it; nothing typed: no such values"
        self.app.push_screen(Prompt("the values at which step?", known, hint), self._at)

    def _at(self, answer: str | None) -> None:
        if answer is None:
            return
        try:
            at = float(answer.replace("_", "")) if answer.strip() else None
        except ValueError:
            at = math.nan
        if at is not None and not (math.isfinite(at) and at >= 0):
            self.genlab.say(f"{answer} is no step", severity="error")
            return
        self.overlay.at = at
        self.overlay.values = "at" if at is not None else "all"
        if at is not None and self.overlay.view != "summary":
            self.overlay.view = "summary"
            self.show_view()
        self.load()

    # --- taking it along ----------------------------------------------------------------------------------------------

    @property
    def selection(self) -> Selection:
        """What is shown, as an export and the command line would have to be asked for it."""
        return self.overlay.selection(self.found)

    def action_export(self) -> None:
        records = self.records
        if not records:
            self.genlab.say("there is nothing to export yet", severity="warning")
            return
        export = partial(batch.export, selection=self.selection)
        self.genlab.act("export the comparison", export, self.genlab.lab, records, then=self._exported)

    def _exported(self, files: list[Path]) -> None:
        self.genlab.say(batch.written(files), title="exported")

    def action_report(self) -> None:
        report(self.genlab, self.records, self.selection.baseline)

    def action_copy_command(self) -> None:
        if self.found.runs:
            self.genlab.copy(self.command, "the command")

    @property
    def command(self) -> str:
        """The command line that prints this comparison."""
        chosen = self.selection
        if len(self.found.runs) == 1:
            chosen = dataclasses.replace(chosen, arm=None)
        ids = [run.id for run in self.found.runs]
        return shlex.join(["genlab-tui", "compare", *ids, *chosen.options()])

    def action_copy_summary(self) -> None:
        if self.found.runs:
            self.genlab.copy(summary_text(self.found, 1000, self.overlay).plain, "the summary")
