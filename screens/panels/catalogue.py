"""The catalogue: every phenomenon by group with its last verdict or progress, and the question it asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from genlab_tui.events import Progress
from genlab_tui.phenomenon import Phenomenon
from genlab_tui.run import RunRecord, RunState
from genlab_tui.text import clean_text
from screens.panels.marks import STATE_MARKS, fit, verdict_text

STATUS = 5
BROKEN = "broken:"


class Catalogue(OptionList):
    """A list of phenomena under group headings; files that do not load are named at the end."""

    DEFAULT_CSS = """
    Catalogue, Catalogue:focus { border: none; padding: 0; background: transparent; height: 1fr; }
    Catalogue { scrollbar-size-vertical: 1; scrollbar-gutter: stable; text-wrap: nowrap; text-overflow: ellipsis; }
    Catalogue > .option-list--option { padding: 0; }
    """
    BINDING_GROUP_TITLE = "Phenomena"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "form", tooltip="Go to the form of the phenomenon; say why one does not load"),
        Binding("down,j", "cursor_down", "next phenomenon", show=False, tooltip="The next phenomenon"),
        Binding("up,k", "cursor_up", "phenomenon before", show=False, tooltip="The phenomenon before"),
        Binding("home,g", "first", "first phenomenon", show=False, tooltip="The first phenomenon"),
        Binding("end,G", "last", "last phenomenon", show=False, tooltip="The last phenomenon"),
        Binding("pagedown", "page_down", "page down", show=False, tooltip="A page down"),
        Binding("pageup", "page_up", "page up", show=False, tooltip="A page up"),
    ]

    def __init__(self, phenomena: Iterable[Phenomenon], broken: Mapping[str, str]) -> None:
        super().__init__(markup=False)
        self.phenomena = {p.name: p for p in phenomena}
        self.broken = broken
        self.filter = ""
        self.before = ""
        """What is highlighted when the list gives nothing away: before it is filled, where a filter fits nothing."""
        self._status: dict[str, Content] = {}

    def on_resize(self, event: events.Resize) -> None:
        self.fill()

    def fill(self) -> None:
        """Build the list anew in the width there is; the highlighted phenomenon stays highlighted."""
        self._fill(self.chosen or self.before)

    def _fill(self, chosen: str) -> None:
        self.clear_options()
        group = ""
        for phenomenon in self.matching():
            if phenomenon.group != group:
                group = phenomenon.group
                heading = Content.styled(clean_text(group, 40).upper(), "$text-secondary")
                self.add_option(Option(heading, disabled=True))
            self.add_option(Option(self._line(phenomenon), id=phenomenon.name))
        if self.broken and not self.filter:
            self.add_option(Option(Content.styled("DO NOT LOAD", "$text-secondary"), disabled=True))
        for name in self.broken if not self.filter else ():
            line = Content.styled(f" ✗ {clean_text(name, 60)}", "$text-error")
            self.add_option(Option(line, id=BROKEN + name))
        if not self.option_count:
            self.add_option(Option(Content.styled("nothing matches", "$foreground-muted"), disabled=True))
        self.choose(chosen)

    def matching(self) -> list[Phenomenon]:
        """Return the phenomena that the filter leaves, in the order of the catalogue."""
        words = self.filter.lower().split()
        texts = {p.name: f"{p.name} {p.title} {p.group} {p.question}".lower() for p in self.phenomena.values()}
        return [p for p in self.phenomena.values() if all(word in texts[p.name] for word in words)]

    @property
    def chosen(self) -> str:
        """The name of the highlighted phenomenon, or empty."""
        option = self.highlighted_option
        return (option.id or "") if option is not None else ""

    def choose(self, name: str) -> None:
        """Highlight a phenomenon, or the first one where it is not in the list; works before there is a list too."""
        if not self.option_count:
            self.before = name
        ids = [option.id for option in self.options]
        enabled = [i for i, option in enumerate(self.options) if not option.disabled]
        at = ids.index(name) if name and name in ids else enabled[0] if enabled else None
        self.highlighted = at

    def search(self, text: str) -> None:
        """Leave only the phenomena with all the words of a text."""
        if not self.filter:
            self.before = self.chosen or self.before
        self.filter = text
        back = text.strip() and self.before in {p.name for p in self.matching()}
        self._fill(self.before if back else self.chosen or self.before)

    def tell(self, runs: Sequence[RunRecord], progress: Mapping[str, Progress]) -> None:
        """Show the progress or the last verdict of every phenomenon; redraws only the lines that changed."""
        latest: dict[str, Content] = {}
        for run in runs:
            if run.phenomenon not in latest or run.state.active:
                status = _status(run, progress.get(run.id))
                if status is not None and (run.phenomenon not in latest or run.state is RunState.RUNNING):
                    latest[run.phenomenon] = status
        changed = [name for name in self.phenomena if latest.get(name) != self._status.get(name)]
        self._status = latest
        shown = {option.id for option in self.options}
        for name in changed:
            if name in shown:
                self.replace_option_prompt(name, self._line(self.phenomena[name]))

    def _line(self, phenomenon: Phenomenon) -> Content:
        width = max(self.scrollable_content_region.width, 12)
        title = fit(clean_text(phenomenon.title, 60), width - STATUS - 2)
        status = self._status.get(phenomenon.name, Content.styled("–", "$foreground-disabled"))
        line = Content.assemble(" ", title, " " * (1 + STATUS - status.cell_length), status)
        if width >= 34:
            line += Content.styled("\n   " + fit(clean_text(phenomenon.question, 200), width - 4), "$foreground-muted")
        return line


def _status(run: RunRecord, progress: Progress | None) -> Content | None:
    """Return the few characters that say how a run stands; None for one that says nothing (stopped, queued)."""
    if run.state.active:
        percent = f"{progress.done:4.0%}" if progress else "  ··"
        return Content.styled(f"{STATE_MARKS[run.state][0]}{percent}", STATE_MARKS[run.state][1])
    if run.state is RunState.DONE:
        return verdict_text(run.verdict, short=True)
    if run.state in (RunState.FAILED, RunState.KILLED, RunState.LOST):
        return Content.styled(f"✗{run.state.value[:4]}", "$text-error")
    return None
