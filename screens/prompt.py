"""One line to type, over the screen: a name, tags, a note."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from genlab_tui.text import clean_text
from screens.sheet import BOX, WIDTH


class Prompt(ModalScreen[str | None]):
    """Asks for one line; enter gives it, esc gives None."""

    DEFAULT_CSS = BOX.format(name="Prompt", width=WIDTH)
    BINDING_GROUP_TITLE = "A line to type"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "leave as it is")]

    def __init__(self, title: str, value: str = "", hint: str = "") -> None:
        super().__init__()
        self.heading = title
        self.value = value
        self.hint = hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(clean_text(self.heading, 60))
            box.border_subtitle = "enter keeps it · esc leaves it as it was"
            yield Input(clean_text(self.value, 2000), compact=True)
            if self.hint:
                yield Static(Content.styled(self.hint, "$foreground-muted"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value)
