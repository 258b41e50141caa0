"""Two lines about a run: what it is and how far it has come; which colour and marker each arm has."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from genlab_tui.regularisers import summary
from genlab_tui.run import RunRecord, RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.text import clean_text, human_seconds
from screens.panels.cells import columns_of, shorten
from screens.panels.colours import colour, marker
from screens.panels.marks import bar, state_mark, verdict_text


def run_line(record: RunRecord | None, spec: RunSpec, data: RunData | None, more: int, width: int) -> Content:
    """Return title, data and regularisers at the left; state, progress, time left and seeds at the right."""
    named = record.name if record and record.name else ""
    title = f"{clean_text(named, 40)} · {spec.phenomenon} {spec.id[:4]}" if named else f"{spec.phenomenon} {spec.id}"
    left = Content.assemble(" ", (shorten(clean_text(title, 80), max(width // 2, 12)), "bold $text-primary"))
    if more:
        left += Content.styled(f" +{more}", "$text-accent")
    right = _right(record, spec, data, width)
    facts = [spec.data, spec.preset]
    if spec.regularisers:
        facts.append(summary(spec.regularisers))
    if record and record.device and width >= 100:
        facts.append(record.device)
    if data and data.changes:
        facts.append("changed in flight")
    for fact in facts:
        room = width - left.cell_length - right.cell_length - 2
        if room < 8:
            break
        left += Content.styled(shorten(f" · {clean_text(fact, 80)}", room), "$foreground-muted")
    gap = max(width - left.cell_length - right.cell_length - 1, 1)
    return Content.assemble(left, " " * gap, right, " ")


def _right(record: RunRecord | None, spec: RunSpec, data: RunData | None, width: int) -> Content:
    progress = data.progress if data else None
    parts: list[Content] = []
    ended = record is not None and record.state.ended
    if record is not None:
        mark = state_mark(record)
        state = "held" if record.held and record.state.value == "queued" else str(record.state)
        parts.append(mark if record.state.value == "running" else Content.assemble(mark, f" {state}"))
    if ended and record is not None:
        if record.verdict:
            parts.append(verdict_text(record.verdict))
        if record.started and record.ended:
            parts.append(Content.styled(human_seconds(record.ended - record.started), "$foreground-muted"))
    elif progress is not None:
        done = min(max(progress.done, 0.0), 1.0) if progress.done == progress.done else 0.0
        if width >= 100:
            parts.append(bar(done, 12))
            parts.append(Content.styled(shorten(clean_text(progress.label, 60), 30), "$foreground-muted"))
        parts.append(Content.styled(f"{100 * done:.0f} %", "bold"))
        if progress.eta >= 0:
            parts.append(Content(f"ETA {human_seconds(progress.eta)}"))
    parts.append(Content.styled(f"{spec.seeds} seed{'s' * (spec.seeds != 1)}", "$foreground-muted"))
    return Content("  ").join([part for part in parts if part.plain.strip()])


class RunLine(Widget):
    """The run that is shown."""

    DEFAULT_CSS = """
    RunLine { height: 1; width: 100%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._content: tuple[RunRecord | None, RunSpec, RunData | None, int] | None = None

    def tell(self, record: RunRecord | None, spec: RunSpec, data: RunData | None, more: int) -> None:
        """Show a run; `more` is how many others are shown with it."""
        self._content = (record, spec, data, more)
        self.refresh()

    def render(self) -> RenderResult:
        return run_line(*self._content, self.size.width) if self._content else Content("")


class Legend(Widget):
    """The colour and the marker of every arm: one legend for all panels."""

    DEFAULT_CSS = """
    Legend { height: 1; width: 100%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.slots: Mapping[str, int] = {}
        self.note = ""

    def tell(self, slots: Mapping[str, int], note: str) -> None:
        """Show the arms; `note` says at the right how the curves are drawn."""
        if (slots, note) != (self.slots, self.note):
            self.slots, self.note = dict(slots), note
            self.refresh()

    def render(self) -> RenderResult:
        width, dark = self.size.width, self.app.current_theme.dark
        note = Content.styled(self.note, "$foreground-muted")
        line = Content(" ")
        entries = list(self.slots.items())
        for done, (label, slot) in enumerate(entries):
            left_over = f"+{len(entries) - done}"
            room = (
                width - line.cell_length - note.cell_length - 2 - (len(left_over) + 1 if done < len(entries) - 1 else 0)
            )
            if room < min(columns_of(label) + 4, 12):
                line += Content.styled(left_over, "$foreground-muted")
                break
            line += Content.assemble((marker(slot), colour(slot, dark=dark)), f" {shorten(label, room - 4)}  ")
        return line + Content(" " * max(width - line.cell_length - note.cell_length - 1, 1)) + note
