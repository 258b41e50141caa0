"""A sheet of text over the screen, to read and close; and a question with a few answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

WIDTH = 76
BOX = """
    {name} {{ align: center middle; background: $background 60%; }}
    {name} > .sheet {{
        width: {width}; max-width: 96%; height: auto; max-height: 94%; padding: 0 2;
        border: round $primary; background: $surface; scrollbar-size-vertical: 1;
        border-title-color: $text-primary; border-title-style: bold; border-subtitle-color: $text-muted;
    }}
    {name} Static {{ height: auto; }}
"""


def room(width: int) -> int:
    """Return how many cells of text a sheet has in a terminal of a width."""
    return min(WIDTH, int(width * 0.96)) - 7


class Sheet(ModalScreen[None]):
    """Text to scroll through; esc, q or enter closes it."""

    DEFAULT_CSS = BOX.format(name="Sheet", width=WIDTH)
    BINDING_GROUP_TITLE = "A sheet of text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark,i", "dismiss", "close", tooltip="Close the sheet"),
        Binding("j", "scroll(1)", "down", show=False, tooltip="A line down"),
        Binding("k", "scroll(-1)", "up", show=False, tooltip="A line up"),
    ]

    def __init__(self, title: str, text: Content) -> None:
        super().__init__()
        self.heading = title
        self.text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="sheet") as box:
            box.border_title = Content(self.heading)
            box.border_subtitle = "esc closes · ↑ ↓ scroll"
            yield Static(self.text)

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


class Answer(NamedTuple):
    """An answer to a question: the key that gives it, what it says, what the asker gets."""

    key: str
    label: str
    value: str


class Ask(ModalScreen[str]):
    """A question with a key for every answer; esc gives the empty answer."""

    DEFAULT_CSS = BOX.format(name="Ask", width=WIDTH)

    def __init__(self, title: str, text: Content, answers: Sequence[Answer]) -> None:
        super().__init__()
        self.heading = title
        self.text = text
        self.answers = {answer.key: answer for answer in answers}

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(self.heading)
            keys = [
                Content.assemble((answer.key, "bold $text-accent"), f" {answer.label}")
                for answer in (*self.answers.values(), Answer("esc", "neither", ""))
            ]
            yield Static(self.text + Content("\n\n") + Content("   ").join(keys))

    def on_key(self, event: events.Key) -> None:
        if event.key in self.answers:
            event.stop()
            self.dismiss(self.answers[event.key].value)
        elif event.key == "escape":
            event.stop()
            self.dismiss("")
