"""Runs: every run of the lab in one list, sorted, filtered, selected, named, compared, exported, thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from genlab_tui.errors import GenlabError
from genlab_tui.run import RunRecord, RunSpec
from genlab_tui.text import clean_text
from screens import batch, verbs
from screens.base import ModeScreen
from screens.columns import COLUMNS, MUTED, columns_for, in_order
from screens.detail import detail
from screens.filter import Filter, parse
from screens.messages import RunsChanged
from screens.panels.table import Table
from screens.prompt import Prompt

LOOK_AFTER = 0.12
"""Seconds that the cursor rests before the files of its run are read."""


class FilterLine(Input):
    """The line that narrows the list while it is typed."""

    BINDING_GROUP_TITLE = "The filter line"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "submit", "to the list", tooltip="Go to the list; the filter stays"),
        Binding("escape", "screen.back", "everything", tooltip="Show everything again"),
    ]


class RunsScreen(ModeScreen):
    """Every run: a list, and everything about the one under the cursor."""

    CSS_PATH = "runs.tcss"
    HELP_TITLE = "Runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", key_display="/", tooltip="Filter: words, field:text, wd>0, age<2d, -not"),
        Binding(
            "c", "compare", "compare", tooltip="Compare the selected runs; without a selection, add to those there"
        ),
        Binding("e", "export", "export", tooltip="Write the selected runs (or this one) as CSV into the lab's exports"),
        Binding("s", "sort", "sort", tooltip="Sort by the next column"),
        Binding("S", "reverse", "reverse", show=False, tooltip="Turn the order around"),
        Binding("n", "rename", "name", tooltip="Give the run a name"),
        Binding("t", "tags", "tags", tooltip="Change the tags of the selected runs (or this one)"),
        Binding("N", "note", "note", tooltip="Write a note to the run"),
        Binding("d", "trash", "trash", tooltip="Move the selected runs (or this one) to the trash"),
        Binding("u", "undo", "undo", tooltip="Take the runs thrown away last out of the trash"),
        Binding("R", "retry", "retry", tooltip="Start another attempt of a run that ended before it was done"),
        Binding("x", "stop", "stop", tooltip="Stop the selected runs (or this one); cancel them while queued"),
        Binding("p", "pause", "pause", show=False, tooltip="Pause the run, or let it go on"),
        Binding("A", "all", "all", show=False, tooltip="Select everything that is shown, or nothing"),
        Binding("escape", "back", "back", show=False, tooltip="Leave the filter; then forget the selection"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.filter = Filter()
        self.sort = ("age", False)
        self.thrown: list[list[str]] = []
        self._looked: tuple[RunRecord, RunSpec | None, Mapping[str, Any] | None] | None = None
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="runs-body"):
            with Vertical(id="runs-left"):
                yield Static(id="runs-status")
                with Horizontal(id="runs-filter-row"):
                    yield FilterLine(placeholder="words  state:failed  #tag  wd>0  age<2d  -not", id="runs-filter")
                    yield Static(id="runs-problem")
                empty = "no run yet: 1 goes to the lab, r launches there"
                yield Table[RunRecord](COLUMNS, lambda run: run.id, empty=empty, id="runs-table")
            with VerticalScroll(id="runs-detail", classes="panel", can_focus=False):
                yield Static(id="runs-about")

    @property
    def table(self) -> Table[RunRecord]:
        return self.query_one("#runs-table", Table)

    def on_mount(self) -> None:
        self.table.focus()
        self._fill()
        self.set_interval(30, self._redraw_ages)

    def on_runs_changed(self, event: RunsChanged) -> None:
        super().on_runs_changed(event)
        known = {run.id for run in event.runs}
        for gone in [key for key in self.table.marked if key not in known]:
            del self.table.marked[gone]
        self.table.set_columns(columns_for(event.runs))
        self._fill()
        self._look_soon()

    def _redraw_ages(self) -> None:
        self.table.redraw()

    # --- what is listed -----------------------------------------------------------------------------------------------

    def _fill(self, *, keep: bool = True) -> None:
        runs = self.genlab.runs
        self.filter = parse(self.query_one("#runs-filter", Input).value, {m for run in runs for m in run.headline})
        shown = [run for run in runs if self.filter.matches(run)] if self.filter.tests else list(runs)
        self.table.sorted_by = self.sort
        self.table.empty = "nothing matches: esc leaves the filter" if runs else "no run yet: 1 goes to the lab"
        self.table.show_rows(in_order(shown, *self.sort), keep=keep)
        self._status()

    def _status(self) -> None:
        total, shown, marked = len(self.genlab.runs), len(self.table.rows), len(self.table.marked)
        count = f"{shown:,} of {total:,} runs" if shown != total else f"{total:,} run{'' if total == 1 else 's'}"
        parts = [Content.styled(count, "bold")]
        if marked:
            here = {run.id for run in self.table.rows}
            hidden = sum(key not in here for key in self.table.marked)
            parts.append(
                Content.styled(f"{marked} selected" + (f" ({hidden} hidden)" if hidden else ""), "$text-accent")
            )
        by, reverse = self.sort
        parts.append(Content.styled(f"by {by}{', reversed' if reverse else ''}", MUTED))
        problem = Content.styled(clean_text(self.filter.problem, 200), "$text-warning")
        self.query_one("#runs-problem", Static).update(problem)
        self.query_one("#runs-status", Static).update(Content(" ") + Content(" · ").join(parts))

    @on(Table.Marked)
    def _marked(self) -> None:
        self._status()

    @on(Table.Entered)
    def _entered(self, event: Table.Entered) -> None:
        self.genlab.open_live(event.key)

    @on(Table.HeadClicked)
    def _head_clicked(self, event: Table.HeadClicked) -> None:
        by, reverse = self.sort
        self.sort = (event.column, not reverse if event.column == by else False)
        self._fill()

    def action_sort(self) -> None:
        shown = [column.key for column, _ in self.table.layout_now]
        at = shown.index(self.sort[0]) if self.sort[0] in shown else -1
        self.sort = (shown[(at + 1) % len(shown)], False)
        self._fill()

    def action_reverse(self) -> None:
        self.sort = (self.sort[0], not self.sort[1])
        self._fill()

    # --- the filter ---------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#runs-filter", Input).focus()

    @on(Input.Changed, "#runs-filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()

    @on(Input.Submitted, "#runs-filter")
    def _filter_entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_class(bool(event.value), "-filtering")
        self.table.focus()

    def action_back(self) -> None:
        entry = self.query_one("#runs-filter", Input)
        if entry.has_focus or (entry.value and not self.table.marked):
            entry.value = ""
            self.remove_class("-filtering")
            self.table.focus()
        elif self.table.marked:
            self.table.set_marks(())

    # --- the run under the cursor -------------------------------------------------------------------------------------

    @on(Table.Moved)
    def _moved(self) -> None:
        self._look_soon()

    def _look_soon(self) -> None:
        run = self.chosen
        if run is None:
            self._looked = None
            self.query_one("#runs-about", Static).update("")
            return
        seen = self._looked if self._looked and self._looked[0].id == run.id else None
        if seen and seen[0] == run:
            return
        self._show_detail(run, *(seen[1:] if seen else (None, None)))
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(LOOK_AFTER, partial(self._look, run))

    @work(thread=True, exclusive=True, group="detail")
    def _look(self, run: RunRecord) -> None:
        from jobs import runs

        lab = self.genlab.lab
        try:
            spec, result = runs.read_spec(lab, run.id), runs.read_result(lab, run.id)
        except GenlabError:
            spec, result = None, None  # thrown away meanwhile, or cut off: the list's own numbers stay
        self.app.call_from_thread(self._show_detail, run, spec, result)

    def _show_detail(self, run: RunRecord, spec: RunSpec | None, result: Mapping[str, Any] | None) -> None:
        if self.chosen is not None and self.chosen.id == run.id:
            self._looked = (run, spec, result)
            self.query_one("#runs-about", Static).update(detail(run, spec, result))

    @property
    def chosen(self) -> RunRecord | None:
        """The run under the cursor."""
        rows = self.table.rows
        return rows[self.table.cursor] if self.table.cursor < len(rows) else None

    @property
    def targets(self) -> list[RunRecord]:
        """The selected runs in the order of their selection; without a selection, the one under the cursor."""
        known = {run.id: run for run in self.genlab.runs}
        marked = [known[key] for key in self.table.marked if key in known]
        return marked or ([self.chosen] if self.chosen else [])

    def action_all(self) -> None:
        keys = [run.id for run in self.table.rows]
        self.table.set_marks(() if set(keys) <= self.table.marked.keys() else keys)

    # --- what is done with runs ---------------------------------------------------------------------------------------

    def action_compare(self) -> None:
        targets = self.targets
        if targets:
            self.genlab.open_compare(*(run.id for run in targets))

    def action_export(self) -> None:
        targets = self.targets
        if targets:
            lab = self.genlab.lab
            self.genlab.act(f"export {_count(targets)}", batch.export, lab, targets, then=self._exported)

    def _exported(self, files: list[Path]) -> None:
        self.genlab.say(batch.written(files), title="exported")

    def action_rename(self) -> None:
        run = self.chosen
        if run is not None:
            prompt = Prompt(f"a name for {run.id}", run.name, "Found by it everywhere, exported with the run.")
            self.app.push_screen(prompt, partial(self._edit, run, "name"))

    def action_note(self) -> None:
        run = self.chosen
        if run is not None:
            self.app.push_screen(Prompt(f"a note to {run.title}", run.note), partial(self._edit, run, "note"))

    def _edit(self, run: RunRecord, field: str, text: str | None) -> None:
        from jobs import runs

        if text is not None:
            changes: dict[str, Any] = {field: text.strip()}
            edit = partial(runs.edit, **changes)
            self.genlab.act(f"change the {field} of {run.title}", edit, self.genlab.lab, run.id)

    def action_tags(self) -> None:
        targets = self.targets
        if not targets:
            return
        single = len(targets) == 1
        hint = "Words; the run has exactly these." if single else "Words are added to all of them, -word is taken away."
        tags = " ".join(targets[0].tags) if single else ""
        self.app.push_screen(Prompt(f"tags of {_count(targets)}", tags, hint), partial(self._retag, targets))

    def _retag(self, targets: list[RunRecord], text: str | None) -> None:
        if text is not None:
            self.genlab.act(f"tag {_count(targets)}", batch.retag, self.genlab.lab, targets, text)

    def action_trash(self) -> None:
        self._each("trash", self._thrown_away)

    def _thrown_away(self, done: list[str]) -> None:
        self.thrown.append(done)
        what = f"{done[0]} is" if len(done) == 1 else f"{len(done)} runs are"
        self.genlab.say(f"{what} in the trash; u brings back", title="thrown away")

    def action_undo(self) -> None:
        if not self.thrown:
            self.genlab.say("nothing was thrown away since the app started", severity="warning")
            return
        from jobs import runs

        back = self.thrown.pop()
        self.genlab.act("bring back", batch.each, runs.restore, self.genlab.lab, back)

    def action_retry(self) -> None:
        self._each("retry")

    def action_stop(self) -> None:
        self._each("stop")

    def action_pause(self) -> None:
        if self.chosen is not None:
            verbs.ask(self.genlab, "pause", self.chosen)

    def _each(self, verb: str, then: Any = None) -> None:
        from jobs import runs

        targets = self.targets
        if targets:
            ids = [run.id for run in targets]
            self.genlab.act(
                f"{verb} {_count(targets)}", batch.each, getattr(runs, verb), self.genlab.lab, ids, then=then
            )


def _count(runs: list[RunRecord]) -> str:
    return runs[0].title if len(runs) == 1 else f"{len(runs)} runs"
