"""A list of all runs over the screen: mark those to compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from genlab_tui.run import RunRecord
from screens.columns import COLUMNS, columns_for
from screens.filterline import FilterBar
from screens.panels.table import Table

SHOWN = ("colour", "state", "id", "name", "phenomenon", "data", "regularisers", "verdict", "age")


class RunPicker(ModalScreen[list[str] | None]):
    """Marks runs; enter gives their ids in the order of marking (at least the one under the cursor), esc gives None."""

    DEFAULT_CSS = """
    RunPicker { align: center middle; background: $background 60%; }
    RunPicker > Vertical {
        width: 110; max-width: 96%; height: 70%; padding: 0 1; background: $surface;
        border: round $primary; border-title-color: $text-primary; border-title-style: bold;
        border-subtitle-color: $text-muted;
    }
    RunPicker FilterInput.-textual-compact { background: $panel; }
    """
    BINDING_GROUP_TITLE = "A list of runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "close", tooltip="Leave the list with nothing changed"),
        Binding("slash", "filter", "filter", key_display="/", tooltip="Filter the list"),
    ]

    def __init__(self, runs: Sequence[RunRecord], chosen: Sequence[str]) -> None:
        super().__init__()
        self.runs = tuple(runs)
        self.chosen = tuple(chosen)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "runs to compare"
            box.border_subtitle = Content("space marks · enter takes them · / filters · esc leaves")
            yield FilterBar(line_id="picker-filter")
            columns = columns_for(self.runs, dark=self.app.current_theme.dark)
            columns = tuple(column for column in columns if column.key in SHOWN)
            yield Table[RunRecord](columns or COLUMNS, lambda run: run.id, empty="nothing matches", id="picker-table")

    def on_mount(self) -> None:
        table = self.query_one(Table)
        self.query_one(FilterBar).knows(self.runs)
        table.marked = dict.fromkeys(self.chosen)
        table.show_rows(self.runs)
        table.focus()

    @on(FilterBar.Changed)
    def _typed(self, event: FilterBar.Changed) -> None:
        event.stop()
        self.query_one(Table).show_rows(event.filter.of(self.runs))

    @on(FilterBar.Done)
    def _entered(self, event: FilterBar.Done) -> None:
        event.stop()
        self.query_one(Table).focus()

    @on(Table.Entered)
    def _taken(self, event: Table.Entered) -> None:
        event.stop()
        marked = list(event.table.marked)
        self.dismiss(marked or [event.key])

    def action_filter(self) -> None:
        self.query_one(FilterBar).start()

    def action_leave(self) -> None:
        self.dismiss(None)
