"""The line that narrows a list of runs while it is typed, and what it says below itself."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from genlab_tui.filter_fields import warm_up
from genlab_tui.filter_help import LANGUAGE, Vocabulary, candidates, vocabulary, words
from genlab_tui.filters import Filter, measures_of, parse, tokens
from genlab_tui.run import RunRecord
from genlab_tui.text import clean_text
from screens.sheet import Sheet, room

MUTED = "$foreground-muted"


class _Understood(Highlighter):
    """Underlines what is not understood, and dims what joins the rest."""

    def __init__(self) -> None:
        self.filter = Filter()

    def highlight(self, text: Text) -> None:
        for token in tokens(text.plain):
            if token.kind != "term":
                text.stylize(Style(bold=True), token.start, token.end)
        if self.filter.text == text.plain:
            for problem in self.filter.problems:
                text.stylize(Style(underline=True, color="red"), problem.start, problem.end)


class FilterInput(Input):
    """Where the filter is typed."""

    BINDING_GROUP_TITLE = "The filter line"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "submit", "to the list", tooltip="Go to the list; the filter stays"),
        Binding("tab", "complete", "complete", tooltip="Take the first of the words below the line"),
        Binding("question_mark", "language", "help", key_display="?", priority=True, tooltip="What a filter can say"),
        Binding("escape", "leave", "everything", tooltip="Show everything again"),
    ]

    class Left(Message):
        """The filter was left for the whole list."""

    def validate_value(self, value: str) -> str:
        """Leave out what a paste may bring and a terminal must not get."""
        return "".join(character for character in value if character.isprintable())

    def action_complete(self) -> None:
        bar = self.query_ancestor(FilterBar)
        if bar.offered:
            kept, words = bar.offered
            if words:
                self.value = kept + words[0]
                self.cursor_position = len(self.value)

    def action_language(self) -> None:
        self.app.push_screen(Sheet("what a filter can say", language_sheet(room(self.app.size.width))))

    def action_leave(self) -> None:
        self.value = ""
        self.post_message(self.Left())


class FilterBar(Vertical):
    """The line and, while it is typed in, a line below it: what is not understood, else what could come next."""

    DEFAULT_CSS = """
    FilterBar { height: auto; width: 1fr; }
    FilterBar FilterInput.-textual-compact { width: 1fr; padding: 0 1; background: $surface; }
    FilterBar Static { height: 1; width: 1fr; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; display: none; }
    FilterBar.-said Static { display: block; }
    """

    class Changed(Message):
        """Another filter holds."""

        def __init__(self, found: Filter) -> None:
            super().__init__()
            self.filter = found

    class Done(Message):
        """The line was left; `everything` where its filter was given up."""

        def __init__(self, *, everything: bool) -> None:
            super().__init__()
            self.everything = everything

    def __init__(self, *, line_id: str, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.line_id = line_id
        self.found = Filter()
        self.offered: tuple[str, Sequence[str]] = ("", ())
        self._runs: Sequence[RunRecord] = ()
        self._measures: frozenset[str] = frozenset()
        self._words: Vocabulary | None = None
        self._understood = _Understood()

    def compose(self) -> ComposeResult:
        placeholder = "words  state:failed  #tag  wd>0  age<2d  a or b  -not"
        yield FilterInput(
            compact=True, placeholder=placeholder, highlighter=self._understood, select_on_focus=False, id=self.line_id
        )
        yield Static(markup=False)

    @property
    def line(self) -> FilterInput:
        return self.query_one(FilterInput)

    def knows(self, runs: Sequence[RunRecord]) -> None:
        """Take note of the runs that are filtered: their headline numbers are fields, what they have is offered."""
        if runs is not self._runs:
            self._runs, self._words = runs, None
            self._measures = measures_of(runs)
            self._parse()

    def start(self, text: str | None = None) -> None:
        """Have the line typed in, or holding a text."""
        if text is None:
            runs = self._runs
            # No partial: Textual would write out its arguments, ten thousand runs.
            self.run_worker(lambda: warm_up(runs), thread=True, exclusive=True, group="warm-up")
            self.line.focus()
        else:
            self.line.value = text

    def _parse(self) -> None:
        self.found = self._understood.filter = parse(self.line.value, self._measures)
        self._say()

    def _say(self) -> None:
        typing = self.line.has_focus
        self.set_class(typing or bool(self.found.problems), "-said")
        self.offered = ("", ())
        if typing:
            if self._words is None:
                self._words = vocabulary(self._runs)
            self.offered = candidates(self.line.value, self._words)
        self.query_one(Static).update(self._said(typing=typing))

    def _said(self, *, typing: bool) -> Content:
        if self.found.problems and not (typing and self.offered[1] and self.found.problems[0].what.endswith("what?")):
            return Content.styled(clean_text(self.found.problem, 300), "$text-warning")
        offered = self.offered[1]
        if not offered:
            return Content.styled("and  or  not  ( )    ? what a filter can say", MUTED)
        key = ("tab ", "$text-accent") if typing else ""
        return Content.assemble(key, (offered[0], "bold"), (f"  {'  '.join(offered[1:24])}", MUTED))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._parse()
        self.post_message(self.Changed(self.found))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.found.problems:
            # The list shows something else than what was meant: the line stays until that is put right.
            self.query_one(Static).update(self._said(typing=False))
        else:
            self.post_message(self.Done(everything=False))

    @on(FilterInput.Left)
    def _left(self, event: FilterInput.Left) -> None:
        event.stop()
        self.post_message(self.Done(everything=True))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._say()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self._say()


def language_sheet(width: int) -> Content:
    """Return the help of the filter in a width: examples, then the words there are."""
    lines = [*_rows(LANGUAGE, "$text-accent", width), Content(""), *_rows(words(), "bold", width)]
    return Content("\n").join(lines)


def _rows(rows: Sequence[tuple[str, str]], style: str, width: int) -> Iterator[Content]:
    indent = max(len(name) for name, _ in rows) + 2
    for name, text in rows:
        first, *rest = textwrap.wrap(text, max(width - indent, 20), break_on_hyphens=False)
        yield Content.assemble((f"{name:<{indent}}", style), first)
        yield from (Content(" " * indent + line) for line in rest)
