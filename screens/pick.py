"""A list over the screen to pick one thing from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class Pick(ModalScreen[str]):
    """Choose one of (key, title) pairs; esc gives the empty key."""

    DEFAULT_CSS = """
    Pick { align: center middle; background: $background 60%; }
    Pick > Vertical {
        width: 60; max-width: 96%; height: auto; max-height: 80%; padding: 0 1;
        border: round $primary; background: $surface; border-title-color: $text-primary; border-title-style: bold;
    }
    Pick OptionList { border: none; padding: 0; background: transparent; height: auto; max-height: 100%; }
    Pick OptionList:focus { border: none; }
    """
    BINDING_GROUP_TITLE = "A list to pick from"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss('')", "close", tooltip="Pick nothing"),
        Binding("j", "app.simulate_key('down')", "down", show=False, tooltip="The next one"),
        Binding("k", "app.simulate_key('up')", "up", show=False, tooltip="The one before"),
    ]

    def __init__(self, title: str, items: Sequence[tuple[str, str]], chosen: str = "") -> None:
        super().__init__()
        self.heading = title
        self.items = tuple(items)
        self.chosen = chosen

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self.heading)
            yield OptionList(*(Option(Content(title)) for _, title in self.items), markup=False, compact=True)

    def on_mount(self) -> None:
        keys = [key for key, _ in self.items]
        self.query_one(OptionList).highlighted = keys.index(self.chosen) if self.chosen in keys else 0

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self.items[event.option_index][0])
