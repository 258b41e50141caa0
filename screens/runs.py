"""Runs: every run of the lab in one list, sorted, filtered, selected, named, compared, exported, thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from genlab_tui.errors import GenlabError
from genlab_tui.filters import Filter
from genlab_tui.run import RunRecord
from genlab_tui.text import clean_text
from screens.bulk import BULK_KEYS, BulkActions
from screens.columns import COLUMNS, MUTED, SORTS, columns_for, in_order
from screens.detail import Files, detail, read_files
from screens.filterline import FilterBar
from screens.lineage import family
from screens.messages import RunsChanged
from screens.panels.table import Table
from screens.sheet import Sheet

LOOK_AFTER = 0.12
"""Seconds that the cursor rests before the files of its run are read."""

Order = tuple[str, bool]
"""A column, and whether it is sorted the other way round."""
USUAL: tuple[Order, ...] = (("age", False),)


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
        self.orders = USUAL
        self.trash: tuple[RunRecord, ...] | None = None
        """What lies in the trash, as last looked at; None before."""
        self._looked: tuple[RunRecord, Files] | None = None
        self._timer: Timer | None = None
        self.filter = Filter()
        self._sorted: tuple[Sequence[RunRecord], tuple[Order, ...], Sequence[RunRecord]] | None = None
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
            with VerticalScroll(id="runs-detail", classes="panel", can_focus=False):
                yield Static(id="runs-about")

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
        self._look_soon()

    # --- the view over the end of the app -----------------------------------------------------------------------------

    def _recall(self) -> None:
        kept = self.genlab.recall("runs")
        kept = kept if isinstance(kept, dict) else {}
        found = [each for each in kept.get("sort") or () if isinstance(each, list) and len(each) == 2]
        orders = tuple((by, bool(reverse)) for by, reverse in found if isinstance(by, str) and by in SORTS)
        self.orders = orders[:2] or USUAL
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
        table.empty = self._why_empty(runs)
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

    def _why_empty(self, runs: Sequence[RunRecord]) -> str:
        if runs:
            return "nothing matches: esc leaves the filter"
        if self.in_trash:
            return "the trash is empty: esc goes back to the runs"
        if self.trash:
            many = "the only run is" if len(self.trash) == 1 else f"all {len(self.trash):,} runs are"
            return f"{many} in the trash: T shows it"
        return "no run yet: 1 goes to the lab, r launches there"

    def _status(self) -> None:
        total, shown, marked = len(self.listed), len(self.table.rows), len(self.table.marked)
        count = f"{shown:,} of {total:,} runs" if shown != total else f"{total:,} run{'' if total == 1 else 's'}"
        parts = [Content.styled(count, "bold")]
        if self.in_trash:
            parts = [Content.styled("trash", "bold $text-warning"), *parts, Content("u brings back, D deletes")]
        if marked:
            here = {run.id for run in self.table.rows}
            hidden = sum(key not in here for key in self.table.marked)
            parts.append(
                Content.styled(f"{marked:,} selected" + (f" ({hidden:,} hidden)" if hidden else ""), "$text-accent")
            )
        words = (f"{by}{', reversed' if reverse else ''}" for by, reverse in self.orders)
        parts.append(Content.styled(f"by {', then '.join(words)}", MUTED))
        self.query_one("#runs-status", Static).update(Content(" ") + Content(" · ").join(parts))

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
        by, reverse = self.orders[0]
        self._sort_by((event.column, not reverse if event.column == by else False), *self.orders[1:])

    def action_sort(self) -> None:
        self._sort_by((self._next_column(self.orders[0][0]) or self._shown_columns()[0], False), *self.orders[1:])

    def action_reverse(self) -> None:
        by, reverse = self.orders[0]
        self._sort_by((by, not reverse), *self.orders[1:])

    def action_then_by(self) -> None:
        first, second = self.orders[0], self.orders[1][0] if len(self.orders) > 1 else ""
        column = self._next_column(second) if second else self._shown_columns()[0]
        if column == first[0]:
            column = self._next_column(column)
        self._sort_by(first, *([(column, False)] if column else []))

    def _sort_by(self, first: Order, *rest: Order) -> None:
        self.orders = (first, *(order for order in rest if order[0] != first[0]))
        self._fill()

    def _shown_columns(self) -> list[str]:
        return [column.key for column, _ in self.table.layout_now]

    def _next_column(self, column: str) -> str:
        """Return the column after another on the screen; empty after the last."""
        shown = self._shown_columns()
        at = shown.index(column) + 1 if column in shown else 0
        return shown[at] if at < len(shown) else ""

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
        self._show_detail(run, seen[1] if seen else Files())
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(LOOK_AFTER, partial(self._look, run))

    @work(thread=True, exclusive=True, group="detail")
    def _look(self, run: RunRecord) -> None:
        files = read_files(self.genlab.lab, run)
        self.app.call_from_thread(self._show_detail, run, files)

    def _show_detail(self, run: RunRecord, files: Files) -> None:
        if self.chosen is not None and self.chosen.id == run.id:
            self._looked = (run, files)
            self.query_one("#runs-about", Static).update(detail(run, files, family(run, self.genlab.runs)))

    def action_about(self) -> None:
        run = self.chosen
        if run is not None:
            files = self._looked[1] if self._looked and self._looked[0].id == run.id else Files()
            title = f"{run.phenomenon} {clean_text(run.title, 40)}"
            self.app.push_screen(Sheet(clean_text(title, 60), detail(run, files, family(run, self.genlab.runs))))

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
