"""The catalogue: every phenomenon by group with its last verdict or progress, and the question it asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input
from textual.widgets.option_list import Option

from genlab_tui.events import Progress
from genlab_tui.phenomenon import Phenomenon
from genlab_tui.run import RunRecord, RunState
from genlab_tui.text import clean_text
from screens.panels.cells import shorten
from screens.panels.marks import STATE_MARKS, VERDICT_MARKS, VERDICT_ROOM, VERDICT_STYLES, ago, fit, verdict_text
from screens.panels.readable import ReadableList

BROKEN = "broken:"
AGE = 5
"""Cells for how long ago a verdict was reached, where there is room."""
AGE_FROM = 38
QUESTION_FROM = 40
"""Cells from which a line has its question below."""
NEVER = Content.styled("–", "$foreground-disabled")


class Status(NamedTuple):
    """How the newest run of a phenomenon that says anything stands: a mark, a word, and when it ended."""

    mark: Content
    word: Content
    ended: float = 0.0


def searched(phenomenon: Phenomenon) -> tuple[str, str]:
    """Return what a filter looks into, in lower case: names, question and authors first, then all other words."""
    papers = " ".join(paper.key for paper in phenomenon.papers)
    near = (phenomenon.name, phenomenon.title, phenomenon.group, phenomenon.question, papers)
    titles = (paper.title for paper in phenomenon.papers)
    far = (*near, phenomenon.explanation, *titles, *(param.name for param in phenomenon.params()))
    return " ".join(near).lower(), " ".join(far).lower()


class CatalogueFilter(Input):
    """Where the filter of the phenomena is typed."""

    BINDING_GROUP_TITLE = "The filter of the phenomena"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "keep", tooltip="Go to the list; the filter stays"),
        Binding("down", "list", "list", tooltip="Go to the list; the filter stays"),
        Binding("escape", "screen.back", "all", tooltip="Show all phenomena again"),
    ]

    async def action_list(self) -> None:
        await self.action_submit()


class Catalogue(ReadableList):
    """A list of phenomena under group headings; files that do not load are named at the end.

    A mark in front says how the last run of each came out, its word stands at the right.
    """

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
        Binding("right_square_bracket", "group(1)", "next group", show=False, tooltip="The next group of phenomena"),
        Binding("left_square_bracket", "group(-1)", "group before", show=False, tooltip="The group before"),
        Binding("pagedown", "page_down", "page down", show=False, tooltip="A page down"),
        Binding("pageup", "page_up", "page up", show=False, tooltip="A page up"),
    ]

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.phenomena: dict[str, Phenomenon] = {}
        self.broken: Mapping[str, str] = {}
        self.filter = ""
        self.before = ""
        """What is highlighted when the list gives nothing away: before it is filled, where a filter fits nothing."""
        self._status: dict[str, Status] = {}
        self._drawn: dict[str, Content] = {}
        self._questions = False
        """Whether each line has its question below: where there is room for all of them."""

    def take(self, phenomena: Iterable[Phenomenon], broken: Mapping[str, str]) -> None:
        """Show these phenomena, and the files that do not load with the reasons."""
        self.phenomena = {p.name: p for p in phenomena}
        self.broken = broken
        self.fill()

    def on_resize(self, event: events.Resize) -> None:
        if self.phenomena or self.broken:
            self.fill()

    def fill(self) -> None:
        """Build the list anew in the width there is; the highlighted phenomenon stays highlighted."""
        self._fill(self.chosen or self.before)

    def _fill(self, chosen: str) -> None:
        shown = self.matching()
        rows = 2 * len(shown) + len({p.group for p in shown})
        self._questions = self.scrollable_content_region.width >= QUESTION_FROM and rows <= self.size.height
        self.clear_options()
        group = ""
        for phenomenon in self.matching():
            if phenomenon.group != group:
                group = phenomenon.group
                heading = Content.styled(clean_text(group, 40).upper(), "$text-secondary")
                self.add_option(Option(heading, disabled=True))
            self._drawn[phenomenon.name] = self._line(phenomenon)
            self.add_option(Option(self._drawn[phenomenon.name], id=phenomenon.name))
        if self.broken and not self.filter:
            self.add_option(Option(Content.styled("DO NOT LOAD", "$text-secondary"), disabled=True))
        for name in self.broken if not self.filter else ():
            line = Content.styled(f" ✗ {clean_text(name, 60)}", "$text-error")
            self.add_option(Option(line, id=BROKEN + name))
        if not self.option_count:
            self.add_option(Option(Content.styled("nothing matches", "$foreground-muted"), disabled=True))
        self.choose(chosen)

    def matching(self) -> list[Phenomenon]:
        """Return the phenomena that the filter leaves, in the order of the catalogue.

        Explanations, papers and fields count where no name and no question fits: they mention other phenomena.
        """
        words = self.filter.lower().split()
        texts = [(p, *searched(p)) for p in self.phenomena.values()]
        near = [p for p, names, _ in texts if all(word in names for word in words)]
        return near or [p for p, _, everything in texts if all(word in everything for word in words)]

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

    def action_group(self, by: int) -> None:
        """Go to the first phenomenon of the next group, or of the one before."""
        firsts = [i + 1 for i, option in enumerate(self.options[:-1]) if option.disabled]
        at = self.highlighted or 0
        ahead = [i for i in firsts if (i > at if by > 0 else i < at)]
        if ahead:
            self.highlighted = ahead[0] if by > 0 else ahead[-1]

    def search(self, text: str) -> None:
        """Leave only the phenomena with all the words of a text."""
        if not self.filter:
            self.before = self.chosen or self.before
        self.filter = text
        back = text.strip() and self.before in {p.name for p in self.matching()}
        self._fill(self.before if back else self.chosen or self.before)

    def tell(self, runs: Sequence[RunRecord], progress: Mapping[str, Progress]) -> None:
        """Show the progress or the last verdict of every phenomenon; redraws only the lines that changed."""
        latest: dict[str, Status] = {}
        for run in runs:
            if run.phenomenon not in latest or run.state.active:
                status = _status(run, progress.get(run.id))
                if status is not None and (run.phenomenon not in latest or run.state is RunState.RUNNING):
                    latest[run.phenomenon] = status
        self._status = latest
        shown = {option.id for option in self.options}
        for name, phenomenon in self.phenomena.items():
            if name in shown and (line := self._line(phenomenon)) != self._drawn.get(name):
                self._drawn[name] = line
                self.replace_option_prompt(name, line)

    def _line(self, phenomenon: Phenomenon) -> Content:
        width = max(self.scrollable_content_region.width, 12)
        status = self._status.get(phenomenon.name, Status(Content(" "), NEVER))
        word = status.word
        if width >= AGE_FROM:
            age = ago(status.ended) if status.ended else ""
            word = Content.assemble(word, (age.rjust(AGE), "$foreground-muted"))
        title = fit(
            shorten(clean_text(phenomenon.title, 60), width - word.cell_length - 3), width - word.cell_length - 3
        )
        line = Content.assemble(status.mark, " ", title, " ", word)
        if self._questions:
            question = fit(clean_text(phenomenon.question, 200), width - 4)
            line += Content.styled("\n  " + question, "$foreground-muted")
        return line


def _status(run: RunRecord, progress: Progress | None) -> Status | None:
    """Return how a run stands; None for one that says nothing (stopped, queued)."""
    if run.state.active:
        sign, style = STATE_MARKS[run.state]
        percent = f"{min(max(progress.done, 0.0), 1.0):.0%}" if progress and progress.done == progress.done else "··"
        return Status(Content.styled(sign, style), Content.styled(percent, style))
    if run.state is RunState.DONE and run.verdict in VERDICT_MARKS:
        mark = Content.styled(VERDICT_MARKS[run.verdict], VERDICT_STYLES[run.verdict])
        return Status(mark, verdict_text(run.verdict, room=VERDICT_ROOM), run.ended)
    if run.state in (RunState.FAILED, RunState.KILLED, RunState.LOST):
        return Status(Content.styled("!", "$text-error"), Content.styled(run.state.value, "$text-error"), run.ended)
    return None
