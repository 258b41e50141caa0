"""A letter on every pane of the screen below; the letter takes you there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from screens.panels.chrome import HeaderLine

if TYPE_CHECKING:
    from screens.base import GenlabApi

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""Those under the fingers first."""
MODES = {"1": "lab", "2": "live", "3": "runs", "4": "compare"}


class Pane(NamedTuple):
    """A part of a screen: where it is, and what takes the focus in it."""

    region: Region
    target: Widget


def panes(screen: Screen[Any]) -> list[Pane]:
    """Return what can be jumped to on a screen, in the order of reading: every panel once, and what is in none."""
    whole = screen.size.region
    found: dict[Widget, Widget] = {}
    for widget in screen.focus_chain:
        inside = [each for each in widget.ancestors_with_self if isinstance(each, Widget) and each.has_class("panel")]
        found.setdefault(inside[-1] if inside else widget, widget)
    seen = [Pane(outer.region.intersection(whole), target) for outer, target in found.items()]
    return sorted((p for p in seen if p.region.area), key=lambda p: (p.region.y, p.region.x))


class JumpScreen(ModalScreen[str]):
    """Letters over the panes, digits over the modes; any other key goes back to where one was."""

    DEFAULT_CSS = """
    JumpScreen { background: $background 40%; layout: vertical; }
    JumpScreen > Static {
        position: absolute; width: 3; height: 1; background: $warning; color: $background; text-style: bold;
    }
    """
    HELP_TITLE = "Jumping"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+o", "leave('')", "stay", tooltip="Stay where you are"),
    ]

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self.below = below
        self.seen = below.size
        self._left = False
        self.panes = dict(zip(LETTERS, panes(below), strict=False))

    def compose(self) -> ComposeResult:
        for letter, pane in self.panes.items():
            yield self._label(letter, pane.region.offset + Offset(1 if pane.region.width > 4 else 0, 0))
        for start, _, key in self.below.query_one(HeaderLine).spans:
            if key in MODES:
                yield self._label(key, Offset(start, 0))

    def _label(self, letter: str, place: Offset) -> Static:
        label = Static(f" {letter} ", markup=False)
        label.styles.offset = place
        return label

    def on_key(self, event: events.Key) -> None:
        if event.key in ("escape", "ctrl+o"):
            return
        event.stop()
        self.action_leave(event.key)

    def action_leave(self, key: str) -> None:
        if self.is_current and not self._left:
            self._left = True
            self.dismiss(key)

    def arrive(self, key: str | None) -> None:
        """Go where a key leads, once the letters are gone."""
        if key in self.panes:
            self.below.set_focus(self.panes[key].target)
        elif key in MODES:
            cast("GenlabApi", self.below.app).show_mode(MODES[key])

    def on_resize(self, event: events.Resize) -> None:
        if event.size != self.seen:
            self.action_leave("")

    def on_click(self, event: events.Click) -> None:
        self.action_leave("")
