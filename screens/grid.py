"""The grid of panels that Live shows: how many, which has the keys, what each shows, one of them large."""

from __future__ import annotations

import dataclasses
from functools import partial

from textual import on

from genlab_tui.text import clean_text
from screens.gallery import Gallery
from screens.liveview import COUNTS, LiveView
from screens.panels.legend import Legend
from screens.panels.slot import Slot
from screens.pick import Pick
from screens.runactions import RunActions


class SlotGrid(RunActions):
    """A mode that shows curves and figures in slots."""

    def __init__(self) -> None:
        super().__init__()
        self.view = LiveView()
        self._gallery = Gallery()

    @property
    def visible_slots(self) -> list[Slot]:
        """The panels that are seen."""
        return [slot for slot in self.query(Slot) if slot.display]

    @property
    def slot(self) -> Slot:
        """The panel that keys act on: the focused one, else the first that is seen."""
        seen = self.visible_slots
        return self.focused if isinstance(self.focused, Slot) else seen[0] if seen else self.query(Slot).first()

    def make_room(self) -> None:
        """Make room for as many panels as are wanted."""
        grid = self.query_one("#live-grid")
        for count in COUNTS:
            grid.set_class(count == self.view.panels, f"-n{count}")

    def take_view(self, view: LiveView) -> None:
        """Take over, remember and show other settings."""
        before, self.view = self.view, view
        self.genlab.remember(live=self.view.document())
        if before.panels == view.panels:
            self.redraw()
        else:  # the sizes of the charts are known after the layout
            self.make_room()
            self.call_after_refresh(self.redraw)

    @on(Slot.Asked)
    def _asked(self, event: Slot.Asked) -> None:
        event.stop()
        number, known = event.slot.number, self._gallery.choices
        if event.what == "zoom":
            self.zoom(event.slot)
        elif not known:
            return
        elif event.what == "pick":
            items = [(choice.key, clean_text(choice.title, 80)) for choice in known]
            chosen = self._gallery.keys(self.view)[number]
            self.app.push_screen(Pick("show in this panel", items, chosen), partial(self._set_choice, number))
        else:
            order = [choice.key for choice in known]
            at = order.index(self._gallery.keys(self.view)[number])
            self._set_choice(number, order[(at + (1 if event.what == "next" else -1)) % len(order)])

    def _set_choice(self, number: int, key: str | None) -> None:
        if key and self._gallery.phenomenon:
            choices = self.view.with_choice(self._gallery.phenomenon, number, key)
            self.take_view(dataclasses.replace(self.view, choices=choices))

    def zoom(self, slot: Slot | None) -> None:
        """Show one panel alone, or all of them again."""
        grid = self.query_one("#live-grid")
        zoomed = slot is not None and not grid.has_class("-zoomed")
        grid.set_class(zoomed, "-zoomed")
        for each in self.query(Slot):
            each.set_class(zoomed and each is slot, "-zoomed")
        self.query_one(Legend).take_room(roomy=zoomed)
        self.call_after_refresh(self.redraw)

    def action_panels(self, by: int) -> None:
        at = min(max(COUNTS.index(self.view.panels) + by, 0), len(COUNTS) - 1)
        self.zoom(None)
        self.take_view(dataclasses.replace(self.view, panels=COUNTS[at]))
        focused = self.focused
        if isinstance(focused, Slot) and focused.number >= COUNTS[at]:
            self.query(Slot).first().focus()
