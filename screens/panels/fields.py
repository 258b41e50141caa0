"""The fields that a form is made of: one that is cycled through with left and right, one that is typed into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Label

from genlab_tui.text import clean_text


class Chooser(Widget, can_focus=True):
    """One of a few values: left and right step through them, keys for elsewhere pass through."""

    DEFAULT_CSS = """
    Chooser { height: 1; width: 1fr; color: $foreground; text-wrap: nowrap; text-overflow: ellipsis; }
    Chooser:focus { background: $block-cursor-background; color: $block-cursor-foreground; }
    """
    BINDING_GROUP_TITLE = "A field with choices"
    STEP = Binding.Group("choose", compact=True)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "previous choice", key_display="←", group=STEP, tooltip="The choice before"),
        Binding("right,space", "step(1)", "next choice", key_display="→", group=STEP, tooltip="The next choice"),
    ]
    value: reactive[str] = reactive("")
    note: reactive[str] = reactive("")
    """A few quiet words behind the value."""
    options: reactive[tuple[str, ...]] = reactive(())

    class Changed(Message):
        """The user chose another value."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    def __init__(self, options: Sequence[str], value: str) -> None:
        super().__init__()
        self.set_reactive(Chooser.options, tuple(options))
        self.set_reactive(Chooser.value, value)

    def render(self) -> Content:
        dim = "bold" if self.has_focus else "$foreground-disabled"
        several = len(self.options) > 1
        left, right = ("‹", "›") if several else (" ", " ")
        note = (f" {self.note}", "" if self.has_focus else "$foreground-muted")
        return Content.assemble((left, dim), clean_text(self.value, 40) or "–", (right, dim), note)

    def action_step(self, by: int) -> None:
        if len(self.options) < 2:
            return
        at = self.options.index(self.value) if self.value in self.options else 0
        self.value = self.options[(at + by) % len(self.options)]
        self.post_message(self.Changed(self.value))

    def on_click(self, event: events.Click) -> None:
        self.action_step(-1 if event.x == 0 else 1)


class Entry(Input):
    """A one-row text field."""

    DEFAULT_CSS = """
    Entry, Entry:focus { height: 1; width: 1fr; border: none; padding: 0 0 0 1; background: transparent; }
    Entry:focus { background: $block-cursor-background; color: $block-cursor-foreground; }
    Entry.-bad { color: $text-error; text-style: underline; }
    Entry.-bad:focus { color: $block-cursor-foreground; }
    """
    BINDING_GROUP_TITLE = "A field to type into"
    MOVE = Binding.Group("field", compact=True)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "leave(-1)", "field above", group=MOVE, tooltip="The field before"),
        Binding("down", "leave(1)", "next field", group=MOVE, tooltip="The next field"),
        Binding("enter", "leave(1)", "next field", group=MOVE, tooltip="The next field"),
        Binding("escape", "screen.back", "done", tooltip="Leave the field, in a dialog all of it"),
    ]

    class Leave(Message):
        """The user goes on to the next field (1) or back to the one before (-1)."""

        def __init__(self, way: int) -> None:
            super().__init__()
            self.way = way

    def __init__(self, value: str) -> None:
        super().__init__(value, compact=True, select_on_focus=True)

    def action_leave(self, way: int) -> None:
        self.post_message(self.Leave(way))


class Field(Horizontal):
    """A labelled field of the form: a Chooser where there are `options`, else an Entry."""

    DEFAULT_CSS = """
    Field { height: 1; }
    Field Label { width: 12; height: 1; color: $text-muted; padding-right: 1; }
    Field Label { text-wrap: nowrap; text-overflow: ellipsis; }
    Field:focus-within Label { color: $text-primary; }
    Field.-wide { column-span: 2; }
    """

    class Changed(Message):
        """The value of a field changed."""

        def __init__(self, field: Field, name: str, value: str) -> None:
            super().__init__()
            self.field = field
            self.name = name
            self.value = value

    def __init__(
        self,
        name: str,
        label: str,
        value: str,
        options: Sequence[str] = (),
        *,
        wide: bool = False,
        doubt: bool = False,
    ) -> None:
        super().__init__(name=name, classes="-wide" if wide else None)
        self.wide = wide
        """Whether it needs a row to itself."""
        self.label = clean_text(label, 40)
        self.doubt = doubt
        """Whether no source confirms its default: the label has a mark then."""
        self.editor: Chooser | Entry = Chooser(options, value) if options else Entry(value)

    def compose(self) -> ComposeResult:
        yield Label(Content.assemble(self.label, (" ?", "$text-warning") if self.doubt else ""))
        yield self.editor

    @property
    def value(self) -> str:
        return self.editor.value

    def take(self, value: str) -> None:
        """Show a value that did not come from the user."""
        if self.editor.value != value:
            with self.prevent(Input.Changed):
                self.editor.value = value

    def offer(self, options: Sequence[str]) -> None:
        """Replace the choices."""
        if isinstance(self.editor, Chooser):
            self.editor.options = tuple(options)

    def remark(self, note: str) -> None:
        """Put a few words behind the choice."""
        if isinstance(self.editor, Chooser):
            self.editor.note = clean_text(note, 60)

    def mark(self, bad: bool) -> None:
        """Show whether the value is wrong."""
        self.editor.set_class(bad, "-bad")

    @on(Input.Changed)
    @on(Chooser.Changed)
    def _changed(self, event: Input.Changed | Chooser.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, self.name or "", event.value))
