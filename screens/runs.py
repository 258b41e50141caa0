"""Runs: every run of the lab in one list, sorted, filtered, selected, named, compared, exported, thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from genlab_tui.errors import GenlabError
from genlab_tui.filters import Filter
from genlab_tui.run import RunRecord
from genlab_tui.text import clean_text
from screens import ordering
from screens.bulk import BULK_KEYS, BulkActions
from screens.columns import COLUMNS, columns_for, in_order
from screens.filterline import FilterBar
from screens.messages import RunsChanged
from screens.panels.table import Table
from screens.rundetail import RunDetail
from screens.runstatus import status, why_empty
from screens.sheet import Sheet


class RunsScreen(BulkActions):
    """Every run: a list, and everything about the one under the cursor."""

    CSS_PATH = "runs.tcss"
    AUTO_FOCUS = "#runs-table"
    HELP_TITLE = "Runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", key_display="/", tooltip="Filter: words, field:text, wd>0, a or b, -not"),
        *BULK_KEYS,
        Binding("s", "sort", "sort", tooltip="Sort by the next column"),
        Binding("S", "reverse", "reverse", show=False, tooltip="Turn the order around"),
        Binding("o", "then_by", "then by", show=False, tooltip="Among equals, sort by the next column (then none)"),
        Binding("i", "about", "about", show=False, tooltip="Everything about the run, to read and scroll"),
        Binding("T", "trash_view", "trash", show=False, tooltip="Show the trash instead of the runs, and back"),
        Binding("A", "all", "all", show=False, tooltip="Select everything that is shown, or nothing"),
        Binding(
            "escape", "back", "back", show=False, tooltip="Forget the selection; leave the filter; leave the trash"
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.orders = ordering.USUAL
        self.trash: tuple[RunRecord, ...] | None = None
        """What lies in the trash, as last looked at; None before."""
        self.filter = Filter()
        self._sorted: tuple[Sequence[RunRecord], ordering.Orders, Sequence[RunRecord]] | None = None
        self._shown: Sequence[RunRecord] | None = None
        """The runs that the list was made of last."""
        self._at = ""
        """The run under the cursor."""
        self._return_to = ""
        """The run that had the cursor when the screen was left, until it is there again."""

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="runs-body"):
            with Vertical(id="runs-left"):
                yield Static(id="runs-status")
                yield FilterBar(line_id="runs-filter", id="runs-filter-bar")
                yield Table[RunRecord](COLUMNS, lambda run: run.id, id="runs-table")
            yield RunDetail()

    @property
    def table(self) -> Table[RunRecord]:
        return self.query_one("#runs-table", Table)

    @property
    def bar(self) -> FilterBar:
        return self.query_one(FilterBar)

    def on_mount(self) -> None:
        self._recall()
        self.app.theme_changed_signal.subscribe(self, lambda theme: self._columns())
        self._renew()
        self.set_interval(30, self.table.redraw)

    def on_runs_changed(self, event: RunsChanged) -> None:
        super().on_runs_changed(event)
        if not self.in_trash:
            self._renew()
        if self.in_trash or not event.runs:
            self._look_into_trash()

    def _renew(self) -> None:
        """Show the runs as they are now; where nothing changed, nothing is done."""
        if self.listed is self._shown:
            return
        known = {run.id for run in self.listed}
        for gone in [key for key in self.table.marked if key not in known]:
            del self.table.marked[gone]
        self._shown = self.listed
        self._columns()
        self._fill()
        self.query_one(RunDetail).show(self.chosen)

    # --- the view over the end of the app -----------------------------------------------------------------------------

    def _recall(self) -> None:
        kept = self.genlab.recall("runs")
        kept = kept if isinstance(kept, dict) else {}
        self.orders = ordering.recalled(kept.get("sort"))
        text, cursor = kept.get("filter"), kept.get("cursor")
        self._return_to = cursor if isinstance(cursor, str) else ""
        if isinstance(text, str) and text:
            self.bar.start(text[:500])
            self.add_class("-filtering")

    def _remember(self) -> None:
        sort = [list(order) for order in self.orders]
        self.genlab.remember(runs={"sort": sort, "filter": self.filter.text, "cursor": self._return_to or self._at})

    def on_screen_suspend(self) -> None:
        if not self.in_trash:
            self._remember()

    def on_unmount(self) -> None:
        if not self.in_trash:
            self._remember()

    # --- what is listed -----------------------------------------------------------------------------------------------

    @property
    def listed(self) -> Sequence[RunRecord]:
        return (self.trash or ()) if self.in_trash else self.genlab.runs

    def _columns(self) -> None:
        self.table.set_columns(columns_for(self.listed, dark=self.app.current_theme.dark))

    def _fill(self) -> None:
        runs, table = self.listed, self.table
        self.bar.knows(runs)
        self.filter = self.bar.found
        table.sorted_by = self.orders[0]
        table.empty = why_empty(runs, self.trash, in_trash=self.in_trash)
        table.show_rows(self.filter.of(self._in_order(runs)))
        if self._return_to and table.rows and not self.in_trash:
            table.choose(self._return_to)
            self._return_to = ""
        self._at = table.chosen or ""
        self._status()

    def _in_order(self, runs: Sequence[RunRecord]) -> Sequence[RunRecord]:
        """Return all runs sorted; done once for the same runs and order, so that a key in the filter only filters."""
        if self._sorted is None or self._sorted[0] is not runs or self._sorted[1] != self.orders:
            self._sorted = (runs, self.orders, in_order(runs, *self.orders))
        return self._sorted[2]

    def _status(self) -> None:
        understood = not self.filter.problems
        line = status(self.table, len(self.listed), self.orders, in_trash=self.in_trash, understood=understood)
        self.query_one("#runs-status", Static).update(line)

    @on(Table.Marked)
    def _marked(self) -> None:
        self._status()

    @on(Table.Entered)
    def _entered(self, event: Table.Entered) -> None:
        if self.in_trash:
            self.genlab.say("it is in the trash: u brings it back", severity="warning")
        else:
            self.genlab.open_live(event.key)

    # --- the order ----------------------------------------------------------------------------------------------------

    @on(Table.HeadClicked)
    def _head_clicked(self, event: Table.HeadClicked) -> None:
        self._sort(ordering.by_column(self.orders, event.column))

    def action_sort(self) -> None:
        self._sort(ordering.by_next(self.orders, self._shown_columns()))

    def action_reverse(self) -> None:
        self._sort(ordering.turned(self.orders))

    def action_then_by(self) -> None:
        self._sort(ordering.then_by_next(self.orders, self._shown_columns()))

    def _sort(self, orders: ordering.Orders) -> None:
        self.orders = orders
        self._fill()

    def _shown_columns(self) -> list[str]:
        return [column.key for column, _ in self.table.layout_now]

    # --- the filter ---------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.bar.start()

    @on(FilterBar.Changed)
    def _filter_typed(self, event: FilterBar.Changed) -> None:
        event.stop()
        self._fill()

    @on(FilterBar.Done)
    def _filter_done(self, event: FilterBar.Done) -> None:
        event.stop()
        self.set_class(bool(self.filter.text) and not event.everything, "-filtering")
        self.table.focus()

    def action_back(self) -> None:
        if self.table.marked:
            self.table.set_marks(())
        elif self.filter.text:
            self.bar.start("")
            self.remove_class("-filtering")
        elif self.in_trash:
            self.action_trash_view()

    def action_all(self) -> None:
        keys = [run.id for run in self.table.rows]
        self.table.set_marks(() if set(keys) <= self.table.marked.keys() else keys)

    # --- the trash ----------------------------------------------------------------------------------------------------

    def action_trash_view(self) -> None:
        if not self.in_trash:
            self._remember()
        self.in_trash = not self.in_trash
        self.table.set_marks(())
        self._shown = None
        self.refresh_bindings()
        if self.in_trash:
            self._look_into_trash()
        else:
            self._return_to = (self.genlab.recall("runs") or {}).get("cursor", "")
        self._renew()

    @work(thread=True, exclusive=True, group="trash")
    def _look_into_trash(self) -> None:
        from jobs import runs

        try:
            found = tuple(runs.list_runs(self.genlab.lab, trashed=True))
        except (GenlabError, OSError) as error:
            self.app.call_from_thread(self.genlab.say, error, title="cannot look into the trash", severity="error")
        else:
            self.app.call_from_thread(self._found_trash, found)

    def _found_trash(self, found: tuple[RunRecord, ...]) -> None:
        self.trash = found
        if self.in_trash:
            self._renew()
        else:
            self._fill()

    def changed(self) -> None:
        if self.in_trash:
            self._look_into_trash()

    # --- the run under the cursor -------------------------------------------------------------------------------------

    @on(Table.Moved)
    def _moved(self, event: Table.Moved) -> None:
        self._at = event.key or ""
        self.query_one(RunDetail).show(self.chosen)

    def action_about(self) -> None:
        run = self.chosen
        if run is not None:
            title = f"{run.phenomenon} {clean_text(run.title, 40)}"
            self.app.push_screen(Sheet(clean_text(title, 60), self.query_one(RunDetail).text_of(run)))

    @property
    def filtered(self) -> Sequence[RunRecord]:
        return self.table.rows

    @property
    def chosen(self) -> RunRecord | None:
        rows = self.table.rows
        return rows[self.table.cursor] if self.table.cursor < len(rows) else None

    @property
    def selected(self) -> bool:
        return bool(self.table.marked)

    @property
    def targets(self) -> list[RunRecord]:
        known = {run.id: run for run in self.listed}
        marked = [known[key] for key in self.table.marked if key in known]
        return marked or ([self.chosen] if self.chosen else [])
