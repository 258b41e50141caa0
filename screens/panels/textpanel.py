"""A panel of text that may be wider and longer than its room: made anew for every width, scrolled both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.widgets import Static


class TextPanel(ScrollableContainer, inherit_bindings=False):
    """Shows what a function makes of its width. Left and right stay free for the screen."""

    BINDING_GROUP_TITLE = "A panel of text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "up", show=False, tooltip="A line up"),
        Binding("down,j", "scroll_down", "down", show=False, tooltip="A line down"),
        Binding("pageup", "page_up", "page up", show=False, tooltip="A page up"),
        Binding("pagedown", "page_down", "page down", show=False, tooltip="A page down"),
        Binding("home", "scroll_home", "start", show=False, tooltip="To the start"),
        Binding("end", "scroll_end", "end", show=False, tooltip="To the end"),
        Binding("shift+left", "scroll_left", "left", show=False, tooltip="To the left"),
        Binding("shift+right", "scroll_right", "right", show=False, tooltip="To the right"),
    ]

    DEFAULT_CSS = """
    TextPanel { scrollbar-size: 1 1; overflow: auto; }
    TextPanel > Static { width: auto; height: auto; min-width: 100%; }
    """

    def __init__(self, title: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel")
        self.border_title = title
        self._make: Callable[[int], Content] | None = None
        self._made: tuple[Callable[[int], Content] | None, int] = (None, -1)

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def show(self, make: Callable[[int], Content]) -> None:
        """Show the text that `make` returns for the width there is; made when there is room for it."""
        self._make = make
        self._fill()

    def on_resize(self, event: events.Resize) -> None:
        self._fill()

    def _fill(self) -> None:
        # Without the scrollbar's cell, so that the text does not jump when it comes.
        width = self.content_region.width - 1
        if self._make is not None and width > 0 and self._made != (self._make, width):
            self._made = (self._make, width)
            self.query_one(Static).update(self._make(width))
