"""What a terminal shows that is too small for the lab; it goes away when the terminal grows."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

LEAST = Size(60, 20)


def fits(size: Size) -> bool:
    """Whether the lab can be shown in a terminal of this size."""
    return size.width >= LEAST.width and size.height >= LEAST.height


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
