"""Which colour and marker each arm has: one legend for all panels of a screen."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from genlab_tui.colours import colour, marker
from screens.panels.cells import columns_of, squeeze, telling


class Legend(Widget):
    """The colour and the marker of every arm: one legend for all panels, in one row or two, in zoom three."""

    DEFAULT_CSS = """
    Legend { height: auto; width: 100%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.slots: Mapping[str, int] = {}
        self.note = ""
        self._roomy = False

    def take_room(self, *, roomy: bool) -> None:
        """Take a row more where one panel has the place of all."""
        if roomy != self._roomy:
            self._roomy = roomy
            self.refresh(layout=True)

    def tell(self, slots: Mapping[str, int], note: str) -> None:
        """Show the arms; `note` says at the right how the curves are drawn."""
        if (slots, note) != (self.slots, self.note):
            self.slots, self.note = dict(slots), note
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> RenderResult:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        most = (1 if self.screen.has_class("-short") else 2) + self._roomy
        for cap in (60, *range(24, 5, -1)):
            rows = self._rows(width, 1 if cap == 60 and not self._roomy else most, cap)
            if rows:
                return rows
        return self._rows(width, most, 6, drop=True) or [Content("")]

    def _rows(self, width: int, most: int, cap: int, *, drop: bool = False) -> list[Content] | None:
        """The entries, none longer than `cap`, on at most so many rows, the note after the first.

        None where they do not fit; with `drop`, the last ones are left out and counted instead.
        """
        rows = [Content(" ")]
        words = telling(list(self.slots)) if cap < 60 else {}
        for done, (label, slot) in enumerate(self.slots.items()):
            entry = self._entry(squeeze(words.get(label, label), cap), slot)
            # The two spaces that end an entry count where a note follows them.
            taken = columns_of(self.note) + 3 if len(rows) == 1 and self.note else 0
            taken += 5 if drop and len(rows) == most else 0
            if rows[-1].cell_length + entry.cell_length - 2 > width - taken:
                if len(rows) == most:
                    if not drop:
                        return None
                    rows[-1] += Content.styled(f"+{len(self.slots) - done}", "$foreground-muted")
                    break
                rows.append(Content(" "))
            rows[-1] += entry
        return [self._noted(rows[0], width), *rows[1:]]

    def _entry(self, label: str, slot: int) -> Content:
        return Content.assemble((marker(slot), colour(slot, dark=self.app.current_theme.dark)), f" {label}  ")

    def _noted(self, row: Content, width: int) -> Content:
        gap = max(width - row.cell_length - columns_of(self.note) - 1, 1)
        return Content.assemble(row, " " * gap, (self.note, "$foreground-muted")) if self.note else row
