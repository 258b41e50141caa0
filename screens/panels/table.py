"""A table of any number of rows that draws only those on the screen: ten thousand runs cost what fifty cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from screens.panels.layout import GAP, Column, fitted, head_text, layout, row_text

R = TypeVar("R")


class Table(ScrollView, Generic[R], can_focus=True, inherit_bindings=False):
    """Rows with a cursor and marks. The cursor and the marks stay on their rows when the rows change."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--head", "table--sorted", "table--cursor", "table--row"}
    DEFAULT_CSS = """
    Table { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; background: $background; }
    Table > .table--row { color: $foreground; background: $background; }
    Table > .table--head { color: $foreground-muted; background: $background; text-style: bold; }
    Table > .table--sorted { color: $text-primary; background: $background; text-style: bold; }
    Table > .table--cursor {
        color: $block-cursor-blurred-foreground; background: $block-cursor-blurred-background;
    }
    Table:focus > .table--cursor { color: $block-cursor-foreground; background: $block-cursor-background; }
    """
    BINDING_GROUP_TITLE = "A table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "open", tooltip="Open the row under the cursor"),
        Binding("space", "mark", "select", tooltip="Select the row, or take it out of the selection"),
        Binding("down,j", "cursor(1)", "next row", show=False, tooltip="The next row"),
        Binding("up,k", "cursor(-1)", "row before", show=False, tooltip="The row before"),
        Binding("pagedown,ctrl+f", "page(1)", "page down", show=False, tooltip="A page down"),
        Binding("pageup,ctrl+b", "page(-1)", "page up", show=False, tooltip="A page up"),
        Binding("home,g", "edge(-1)", "first row", show=False, tooltip="The first row"),
        Binding("end,G", "edge(1)", "last row", show=False, tooltip="The last row"),
    ]

    class Moved(Message):
        """The cursor is on another row (key None: there is none)."""

        def __init__(self, table: Table[R], key: str | None) -> None:
            super().__init__()
            self.table = table
            self.key = key

    class Entered(Message):
        """A row was opened: enter, or a click on the row that has the cursor."""

        def __init__(self, table: Table[R], key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

    class Marked(Message):
        """The marks changed."""

        def __init__(self, table: Table[R]) -> None:
            super().__init__()
            self.table = table

    class HeadClicked(Message):
        """The heading of a column was clicked."""

        def __init__(self, table: Table[R], column: str) -> None:
            super().__init__()
            self.table = table
            self.column = column

    def __init__(
        self,
        columns: Sequence[Column[R]],
        key: Callable[[R], str],
        *,
        head: bool = True,
        marks: bool = True,
        empty: str = "nothing here",
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.key_of = key
        self.head = head
        self.marks = marks
        self.empty = empty
        self.rows: Sequence[R] = ()
        self.marked: dict[str, None] = {}
        """The keys of the marked rows, in the order of marking; they may be filtered out at the moment."""
        self.sorted_by: tuple[str, bool] = ("", False)
        self.cursor = 0
        self.lines_rendered = 0
        """How many lines were composed since the start: what a test looks at instead of the clock."""
        self._cache: dict[tuple[str, bool, bool], tuple[R, Strip]] = {}
        self._columns: list[tuple[Column[R], int]] = []
        self._laid_out_for = -1

    # --- what is shown ------------------------------------------------------------------------------------------------

    def show_rows(self, rows: Sequence[R], *, keep: bool = True) -> None:
        """Show other rows. With `keep` the cursor stays on its row where that is still there, else on its place.

        Only what looks different is drawn again.
        """
        before, chosen = self._window(), self.chosen
        self.rows = rows
        self.virtual_size = Size(self.size.width, len(rows) + self.head)
        at = self.cursor
        if keep and chosen is not None and self._row_key(at) != chosen:
            at = next((i for i, row in enumerate(rows) if self.key_of(row) == chosen), at)
        self.cursor = min(max(at, 0), max(len(rows) - 1, 0))
        self._into_view()
        after = self._window()
        if len(before) != len(after) or not rows:
            self.refresh()
        else:
            for line, (old, new) in enumerate(zip(before, after, strict=True)):
                if old != new:
                    self._refresh_window_line(line)
        if self.chosen != chosen:
            self.post_message(self.Moved(self, self.chosen))

    def redraw(self) -> None:
        """Compose every line on the screen again: what the cells read has changed."""
        self._cache.clear()
        self.refresh()

    @property
    def chosen(self) -> str | None:
        """The key of the row under the cursor."""
        return self._row_key(self.cursor)

    def row_of(self, key: str) -> R | None:
        """Return the row with a key."""
        return next((row for row in self.rows if self.key_of(row) == key), None)

    def choose(self, key: str) -> None:
        """Put the cursor on a row, where it is there."""
        at = next((i for i, row in enumerate(self.rows) if self.key_of(row) == key), None)
        if at is not None:
            self._move(at)

    # Not `_key_at`: Textual would call that for the key `@`, whose name is `at`.
    def _row_key(self, index: int) -> str | None:
        return self.key_of(self.rows[index]) if 0 <= index < len(self.rows) else None

    def _window(self) -> list[tuple[R, bool, bool]]:
        first = round(self.scroll_y)
        rows = self.rows[first : first + max(self.size.height - self.head, 0)]
        return [self._look(row, first + i) for i, row in enumerate(rows)]

    def _look(self, row: R, index: int) -> tuple[R, bool, bool]:
        return row, index == self.cursor, self.key_of(row) in self.marked

    # --- drawing ------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(self.size.width, len(self.rows) + self.head)
        self._into_view()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._cache.clear()

    def _lay_out(self, width: int) -> None:
        self._cache.clear()
        self._laid_out_for = width
        self._columns = layout(self.columns, max(width - 2 * self.marks, 1))

    @property
    def layout_now(self) -> list[tuple[Column[R], int]]:
        """The columns on the screen with their widths."""
        return self._columns

    def set_columns(self, columns: Sequence[Column[R]]) -> None:
        """Show other columns."""
        if [(c.key, c.least, c.most, c.cell, c.dull, c.whole) for c in columns] == [
            (c.key, c.least, c.most, c.cell, c.dull, c.whole) for c in self.columns
        ]:
            return
        self.columns = tuple(columns)
        self._laid_out_for = -1
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if width != self._laid_out_for:  # also when the scrollbar comes and goes
            self._lay_out(width)
        if self.head and y == 0:
            return self._head(width)
        index = round(self.scroll_y) + y - self.head
        if not 0 <= index < len(self.rows):
            style = self.get_visual_style("table--row")
            if not self.rows and y == self.head + (self.size.height > 4):
                return self._strip(Content.styled(f"  {self.empty}", "$foreground-muted"), width, "table--row")
            return Strip.blank(width, style.rich_style)
        row, under_cursor, marked = self._look(self.rows[index], index)
        key = (self.key_of(row), under_cursor, marked)
        known = self._cache.get(key)
        if known is None or known[0] != row:
            if len(self._cache) > 2000:
                self._cache.clear()
            known = self._cache[key] = (row, self._line(row, under_cursor, marked, width))
        return known[1]

    def _line(self, row: R, under_cursor: bool, marked: bool, width: int) -> Strip:
        self.lines_rendered += 1
        mark = Content.styled("▌ " if marked else "  ", "$text-accent") if self.marks else Content("")
        style = "table--cursor" if under_cursor else "table--row"
        return self._strip(mark + row_text(self._columns, row), width, style)

    def _head(self, width: int) -> Strip:
        blank = Content("  " if self.marks else "")
        return self._strip(blank + head_text(self._columns, *self.sorted_by), width, "table--head")

    def _strip(self, content: Content, width: int, style: str) -> Strip:
        visual = self.get_visual_style(style)
        line = fitted(content, width)
        strips = Visual.to_strips(self, line, width, 1, visual)
        return strips[0].adjust_cell_length(width, visual.rich_style) if strips else Strip.blank(width)

    def _refresh_window_line(self, line: int) -> None:
        self.refresh(Region(0, line + self.head, self.size.width, 1))

    # --- moving and marking -------------------------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        # The wheel scrolls; the cursor comes along, so that keys act on a row that can be seen.
        first, height = round(new_value), max(self.size.height - self.head, 1)
        if self.rows and not first <= self.cursor < first + height:
            self._move(min(max(self.cursor, first), first + height - 1))

    def _into_view(self) -> None:
        height = max(self.size.height - self.head, 1)
        first = round(self.scroll_y)
        if self.cursor < first:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= first + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def _move(self, index: int) -> None:
        index = min(max(index, 0), max(len(self.rows) - 1, 0))
        if index == self.cursor:
            return
        old, self.cursor = self.cursor, index
        first = round(self.scroll_y)
        self._into_view()
        if round(self.scroll_y) == first:
            for each in (old, index):
                self._refresh_window_line(each - first)
        else:
            self.refresh()
        self.post_message(self.Moved(self, self.chosen))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.marks or action != "mark"

    def action_cursor(self, by: int) -> None:
        self._move(self.cursor + by)

    def action_page(self, by: int) -> None:
        self._move(self.cursor + by * max(self.size.height - self.head - 1, 1))

    def action_edge(self, way: int) -> None:
        self._move(0 if way < 0 else len(self.rows) - 1)

    def action_enter(self) -> None:
        if self.chosen is not None:
            self.post_message(self.Entered(self, self.chosen))

    def action_mark(self) -> None:
        if self.marks and self.chosen is not None:
            self.toggle_mark(self.chosen)
            self._move(self.cursor + 1)

    def toggle_mark(self, key: str) -> None:
        """Mark a row, or take its mark away."""
        if key in self.marked:
            del self.marked[key]
        else:
            self.marked[key] = None
        self.refresh()
        self.post_message(self.Marked(self))

    def set_marks(self, keys: Sequence[str]) -> None:
        """Mark exactly these rows."""
        self.marked = dict.fromkeys(keys)
        self.refresh()
        self.post_message(self.Marked(self))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if self.head and event.y == 0:
            left = 2 * self.marks
            for column, size in self._columns:
                if left <= event.x < left + size + GAP:
                    self.post_message(self.HeadClicked(self, column.key))
                left += size + GAP
            return
        index = round(self.scroll_y) + event.y - self.head
        if not 0 <= index < len(self.rows):
            return
        if event.chain > 1:
            self.action_enter()
        else:
            self._move(index)
            if self.marks and event.x < 2:
                self.toggle_mark(self.key_of(self.rows[index]))
