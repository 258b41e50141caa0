"""The panels of the lab: which has the focus, and how to get from one to the next."""

from __future__ import annotations

from textual import events, on
from textual.widget import Widget

from screens.base import ModeScreen
from screens.panels.catalogue import Catalogue
from screens.panels.form import Form
from screens.panels.queue import Queue
from screens.panels.regularisers import Regularisers

PANES: dict[str, type[Widget]] = {"left": Catalogue, "form": Form, "regularisers": Regularisers, "queue": Queue}


class Panes(ModeScreen):
    """A mode with the panels of the lab on it."""

    @property
    def pane(self) -> str:
        """The panel that has the focus."""
        for node in self.focused.ancestors_with_self if self.focused else ():
            for name, kind in PANES.items():
                if isinstance(node, kind):
                    return name
        return "left"

    def action_pane(self, by: int) -> None:
        names = list(PANES)
        self.focus_pane(names[(names.index(self.pane) + by) % len(names)])

    def focus_pane(self, name: str, field: str = "") -> None:
        """Go to a panel, of the form to a field."""
        self.show_pane(name)
        if name == "form":
            self.query_one(Form).take_focus(field)
        else:
            self.set_focus(self.query_one(PANES[name]))

    def show_pane(self, name: str) -> None:
        """Where there is room for one panel only, it is the one with the focus."""
        self.update_classes({f"-at-{each}": each == name for each in PANES})

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.show_pane(self.pane)

    @on(Form.Left)
    def _form_left(self, event: Form.Left) -> None:
        event.stop()
        if event.way > 0:
            self.focus_pane("regularisers")

    @on(Regularisers.Left)
    def _regularisers_left(self, event: Regularisers.Left) -> None:
        event.stop()
        self.focus_pane("form" if event.way < 0 else "queue")
