"""What a terminal shows that is too small for the lab; it goes away when the terminal grows."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

LEAST = Size(60, 20)
ENOUGH = "80x24"
"""The size from which on every panel has room."""
CRAMPED = {
    "#right": "the form (tab leads there)",
    "#queue": "the queue (tab leads there)",
    "#runs-detail": "the details of the run (enter opens it)",
    "#cmp-tables": "the tables below the chart",
}
"""What a mode leaves out of a terminal between the two, and what it is called."""


def fits(size: Size) -> bool:
    """Whether the lab can be shown in a terminal of this size."""
    return size.width >= LEAST.width and size.height >= LEAST.height


def out_of_sight(screen: Screen[Any]) -> list[str]:
    """Return what a mode leaves out because the terminal is small."""
    if not (screen.has_class("-narrow") or screen.has_class("-short")):
        return []
    return [name for selector, name in CRAMPED.items() if any(not panel.display for panel in screen.query(selector))]


class TooSmall(ModalScreen[None]):
    """Covers the screen and takes its keys until there is room again; what is below keeps its place and focus."""

    DEFAULT_CSS = """
    TooSmall { background: $background; align: center middle; }
    TooSmall Static { width: 100%; height: auto; text-align: center; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "leave", tooltip="Leave; runs go on")]

    def compose(self) -> ComposeResult:
        yield Static(self._text(self.app.size), markup=False)

    def on_resize(self, event: events.Resize) -> None:
        if fits(event.size) and self.is_current:
            self.app.pop_screen()
        elif not fits(event.size):
            self.query_one(Static).update(self._text(event.size))

    def _text(self, size: Size) -> str:
        return (
            f"this terminal is {size.width}x{size.height}\n"
            f"genlab needs {LEAST.width}x{LEAST.height}\n\nmake it larger, or q to leave\nruns go on"
        )
