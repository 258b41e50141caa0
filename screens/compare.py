"""Compare: runs on top of each other, what differs between them, and differences paired by seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from genlab_tui.figure import Figure, HeatMap
from genlab_tui.run import RunRecord
from genlab_tui.text import clean_text
from screens import batch
from screens.base import ModeScreen
from screens.columns import FLAG, MUTED
from screens.compared import ComparedRuns
from screens.comparison import Comparison, compare, versions
from screens.messages import RunsChanged
from screens.overlay import VIEWS, Overlay, after
from screens.panels.chart import Chart, warm_up
from screens.panels.frame import MEMBER
from screens.panels.heatmap import HeatMapPanel
from screens.panels.table import Table
from screens.panels.textpanel import TextPanel
from screens.picker import RunPicker
from screens.tables import settings_text, summary_text, verdicts_text

if TYPE_CHECKING:
    from jobs.tail import RunReader

ARM = Binding.Group("arm", compact=True)
EVERY = 1.0
"""Seconds between two looks while a compared run is still at work."""


class CompareScreen(ModeScreen):
    """Runs side by side. `show` may be called before the screen is mounted."""

    CSS_PATH = "compare.tcss"
    HELP_TITLE = "Compare"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "add", "runs", tooltip="Choose the runs to compare from a list"),
        Binding("tab", "view(1)", "view", tooltip="Curves, figure, summary, settings, verdicts"),
        Binding("shift+tab", "view(-1)", "view before", show=False, tooltip="The view before"),
        Binding("m", "next(1)", "metric", tooltip="The next metric; in the view of figures, the next figure"),
        Binding("M", "next(-1)", "metric before", show=False, tooltip="The metric or figure before"),
        Binding(
            "asterisk", "baseline", "baseline", key_display="*", tooltip="Measure against the run under the cursor"
        ),
        Binding("e", "export", "export", tooltip="Write the compared runs as CSV into the lab's exports folder"),
        Binding("left", "arm(-1)", "arm", group=ARM, tooltip="The arm before; before the first, all of them"),
        Binding("right", "arm(1)", "arm", group=ARM, tooltip="The next arm; after the last, all of them"),
        Binding("a", "axis", "x axis", tooltip="Along the x axis: step, epoch, seconds"),
        Binding("l", "log_y", "log y", tooltip="y axis: as declared, logarithmic, linear"),
        Binding("L", "log_x", "log x", show=False, tooltip="x axis: as declared, logarithmic, linear"),
        Binding("o", "smooth", "smooth", tooltip="Smooth the curves; what was measured stays visible"),
        Binding("b", "band", "band", show=False, tooltip="The bands of one standard deviation over seeds: on, off"),
        Binding("i", "members", "each seed", tooltip="Show every seed beside mean and band"),
        Binding("v", "verdicts", "verdicts", show=False, tooltip="The verdicts side by side, and back"),
        Binding("D", "all_settings", "all settings", show=False, tooltip="The settings that differ, or all of them"),
        Binding("minus,delete", "remove", "take out", key_display="-", tooltip="Take the run out of the comparison"),
        Binding("y", "copy_command", "copy", show=False, tooltip="Copy the command line that prints this comparison"),
        Binding("Y", "copy_summary", "copy table", show=False, tooltip="Copy the summary as text"),
        Binding("pageup", "page(-1)", "page up", show=False, tooltip="A page up in the table"),
        Binding("pagedown", "page(1)", "page down", show=False, tooltip="A page down in the table"),
        Binding("escape", "back", "back", show=False, tooltip="Back to the curves; then to the runs"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.run_ids: list[str] = []
        self.wanted_baseline: str | None = None
        self.found = Comparison()
        self.overlay = Overlay()
        self.all_settings = False
        self._readers: dict[str, RunReader] = {}
        self._seen: tuple[object, ...] = ()
        self._busy = self._again = False
        self._drawn: tuple[tuple[Comparison, Overlay], Figure | HeatMap | None] | None = None

    def compose_body(self) -> ComposeResult:
        yield ComparedRuns(id="cmp-runs")
        yield Static(id="cmp-status", markup=False)
        with Vertical(id="cmp-body"):
            with Vertical(id="cmp-chart"):
                yield Chart(id="cmp-lines")
                yield HeatMapPanel(id="cmp-heat")
            with Horizontal(id="cmp-tables"):
                yield TextPanel("what differs", id="cmp-settings")
                yield TextPanel("paired by seed", id="cmp-summary")
                yield TextPanel("verdicts", id="cmp-verdicts")
        key = "$text-accent"
        yield Static(
            Content.assemble(
                *(("nothing to compare yet\n\n", "bold"), ("space", key), " chooses runs from a list\nor "),
                *(("3", key), " goes to the runs: ", ("space", key), " selects them, ", ("c", key), " compares"),
            ),
            id="cmp-empty",
        )

    def on_mount(self) -> None:
        self.runs.focus()
        self._show_view()
        self.set_interval(EVERY, self._follow)
        self._load()

    @property
    def runs(self) -> ComparedRuns:
        """The list of compared runs."""
        return self.query_one(ComparedRuns)

    @property
    def watched(self) -> Collection[str]:
        return self.run_ids

    def show(self, run_ids: Sequence[str], baseline: str | None = None) -> None:
        """Compare these runs. A single one is added to those there."""
        if len(run_ids) == 1 and self.run_ids:
            self.run_ids = list(dict.fromkeys((*self.run_ids, *run_ids)))
        else:
            self.run_ids = list(dict.fromkeys(run_ids))
            self.overlay.arm_chosen = False
        self.wanted_baseline = baseline or self.wanted_baseline
        if self.is_mounted:
            self._load()

    # --- reading ------------------------------------------------------------------------------------------------------

    @property
    def records(self) -> list[RunRecord]:
        """The compared runs as the index knows them now."""
        known = {run.id: run for run in self.genlab.runs}
        return [known[run_id] for run_id in self.run_ids if run_id in known]

    def on_runs_changed(self, event: RunsChanged) -> None:
        super().on_runs_changed(event)
        self._load()

    def _follow(self) -> None:
        if self.is_current and any(not run.state.ended for run in self.records):
            self._load()

    def _load(self) -> None:
        """Read what is new in a thread; one look at a time, and once more where something was asked meanwhile."""
        if self._busy:
            self._again = True
            return
        self._busy, self._again = True, False
        self._read(self.records, self.wanted_baseline)

    @work(thread=True, group="compare")
    def _read(self, records: list[RunRecord], baseline: str | None) -> None:
        found = None
        if self._seen != (baseline, versions(self._readers, records)):
            if records:
                warm_up()
            found = compare(self.genlab.lab, records, baseline, self._readers)
            self._seen = (baseline, versions(self._readers, records))
        self.app.call_from_thread(self._loaded, found)

    def _loaded(self, found: Comparison | None) -> None:
        self._busy = False
        if found is not None:
            new = [problem for problem in found.problems if problem not in self.found.problems]
            self.found = found
            for problem in new:
                self.genlab.say(problem, title="not compared", severity="error")
            self.overlay.settle(found)
            self._draw()
        if self._again:
            self._load()

    # --- drawing ------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._draw()

    def _draw(self) -> None:
        found, overlay = self.found, self.overlay
        self.set_class(not found.runs, "-nothing")
        picture = self._picture()
        chart, heat = self.query_one(Chart), self.query_one(HeatMapPanel)
        chart.display, heat.display = not isinstance(picture, HeatMap), isinstance(picture, HeatMap)
        if isinstance(picture, HeatMap):
            heat.draw(picture)
        else:
            slots = {found.title(run.id): slot for slot, run in enumerate(found.runs)}
            labels = {line.label.split(MEMBER)[0] for line in picture.lines} if picture else set()
            explained = len(slots) > 1 and labels <= slots.keys()
            smooth = overlay.smooth if overlay.view == "curves" else 0.0
            # Where each run has one line, the list of runs above is the legend.
            chart.draw(picture, smooth=smooth, slots=slots if explained else None)
        self.runs.styles.height = min(max(len(found.runs), 1), 8 if self.size.height >= 36 else 4)
        self.runs.tell(found, picture if isinstance(picture, Figure) else None)
        self._draw_tables()
        self.query_one("#cmp-status", Static).update(self._status())

    def _picture(self) -> Figure | HeatMap | None:
        """Return what the chart shows; made once for what was read and chosen."""
        if self.overlay.view not in ("curves", "figure"):
            return None
        key = (self.found, dataclasses.replace(self.overlay))
        if self._drawn is None or self._drawn[0][0] is not key[0] or self._drawn[0][1] != key[1]:
            self._drawn = (key, self.overlay.picture(self.found))
        return self._drawn[1]

    def _draw_tables(self) -> None:
        settings, summary = self.query_one("#cmp-settings", TextPanel), self.query_one("#cmp-summary", TextPanel)
        settings.border_title = "all settings" if self.all_settings else "what differs"
        settings.show(lambda width: settings_text(self.found, width, all_of_them=self.all_settings))
        summary.show(lambda width: summary_text(self.found, width, self.overlay.arms))
        summary.border_subtitle = "Student-t 95 % · bold: 0 is outside"
        self.query_one("#cmp-verdicts", TextPanel).show(lambda width: verdicts_text(self.found, width))

    def _status(self) -> Content:
        parts = [Content.styled(" · ".join(self.overlay.words(self.found)), MUTED)]
        if any(run.data.changes for run in self.found.runs):
            parts.insert(0, Content.styled(f"{FLAG} changed in flight: never pooled", "$text-warning"))
        without = [run.title for run in self.found.runs if self.overlay.lacks(run)]
        if without:
            said = f"no such curve in {', '.join(without)}: tab shows figures"
            parts.insert(0, Content.styled(clean_text(said, 300), "$text-warning"))
        if self.found.note:
            parts.append(Content.styled(clean_text(self.found.note, 300), "$text-warning"))
        return Content(" ") + Content("  ").join(parts)

    def _show_view(self) -> None:
        for view in VIEWS:
            self.set_class(view == self.overlay.view, f"-view-{view}")
        alone = self.overlay.view in ("summary", "settings", "verdicts")
        (self.query_one(f"#cmp-{self.overlay.view}", TextPanel) if alone else self.runs).focus()
        self._draw()

    # --- keys ---------------------------------------------------------------------------------------------------------

    def action_view(self, by: int) -> None:
        self.overlay.view = after(VIEWS, self.overlay.view, by)
        self._show_view()

    def action_page(self, by: int) -> None:
        panel = self.query_one("#cmp-summary", TextPanel)
        if by < 0:
            panel.scroll_page_up(animate=False)
        else:
            panel.scroll_page_down(animate=False)

    def action_verdicts(self) -> None:
        self.overlay.view = "curves" if self.overlay.view == "verdicts" else "verdicts"
        self._show_view()

    def action_next(self, by: int) -> None:
        self.overlay.next_picture(self.found, by)
        self._draw()

    def action_arm(self, by: int) -> None:
        self.overlay.next_arm(self.found, by)
        self._draw()

    def action_axis(self) -> None:
        self.overlay.next_axis()
        self._draw()

    def action_log_y(self) -> None:
        self.overlay.next_log_y()
        self._draw()

    def action_log_x(self) -> None:
        self.overlay.next_log_x()
        self._draw()

    def action_smooth(self) -> None:
        self.overlay.next_smooth()
        self._draw()

    def action_band(self) -> None:
        self.overlay.band = not self.overlay.band
        self._draw()

    def action_members(self) -> None:
        self.overlay.members = not self.overlay.members
        self._draw()

    def action_all_settings(self) -> None:
        self.all_settings = not self.all_settings
        self._draw()

    def action_baseline(self) -> None:
        if self.runs.chosen:
            self.wanted_baseline = self.runs.chosen
            self._load()

    def action_remove(self) -> None:
        if self.runs.chosen in self.run_ids:
            self.run_ids.remove(self.runs.chosen)
            self._load()

    def action_add(self) -> None:
        self.app.push_screen(RunPicker(self.genlab.runs, self.run_ids), self._picked)

    def _picked(self, run_ids: list[str] | None) -> None:
        if run_ids is not None:
            self.run_ids = run_ids
            self._load()

    @on(Table.Entered)
    def _entered(self, event: Table.Entered) -> None:
        self.genlab.open_live(event.key)

    def action_export(self) -> None:
        records = self.records
        if not records:
            self.genlab.say("there is nothing to export yet", severity="warning")
            return
        export = partial(batch.export, baseline=self.found.baseline or None)
        self.genlab.act("export the comparison", export, self.genlab.lab, records, then=self._exported)

    def _exported(self, files: list[Path]) -> None:
        self.genlab.say(batch.written(files), title="exported")

    def action_copy_command(self) -> None:
        if self.found.runs:
            ids = " ".join(run.id for run in self.found.runs)
            self.genlab.copy(f"genlab-tui compare {ids} --baseline {self.found.baseline}", "the command")

    def action_copy_summary(self) -> None:
        if self.found.runs:
            self.genlab.copy(summary_text(self.found, 1000, self.overlay.arms).plain, "the summary")

    def action_back(self) -> None:
        if self.overlay.view == "curves":
            self.genlab.show_mode("runs")
        else:
            self.overlay.view = "curves"
            self._show_view()
