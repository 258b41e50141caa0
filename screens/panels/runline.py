"""What a run is, how far it has come, and why it ended where it did not end well."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from genlab_tui.regularisers import summary
from genlab_tui.run import RunRecord, RunSpec, RunState
from genlab_tui.rundata import RunData
from genlab_tui.text import clean_text, human_seconds
from screens.panels.cells import shorten
from screens.panels.marks import bar, state_mark, verdict_text


def run_line(
    record: RunRecord | None, spec: RunSpec, data: RunData | None, more: int, width: int, pending: str = ""
) -> Content:
    """Return title, data and regularisers at the left; state, progress, time left and seeds at the right.

    `pending` is what was asked of the run and has not happened yet; it stands in the place of the state.
    """
    named = record.name if record and record.name else ""
    title = f"{clean_text(named, 40)} · {spec.phenomenon} {spec.id[:4]}" if named else f"{spec.phenomenon} {spec.id}"
    right = _right(record, spec, data, width, pending)
    room = min(width - right.cell_length - 8, max(width // 2, 24))
    left = Content.assemble(" ", (shorten(clean_text(title, 80), max(room, 8)), "bold $text-primary"))
    if more:
        left += Content.styled(f" +{more}", "$text-accent")
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


def _right(record: RunRecord | None, spec: RunSpec, data: RunData | None, width: int, pending: str) -> Content:
    progress = data.progress if data else None
    parts: list[Content] = []
    ended = record is not None and record.state.ended
    if record is not None:
        mark = state_mark(record)
        state = "held" if record.held and record.state.value == "queued" else str(record.state)
        if pending:
            parts.append(Content.assemble(mark, " ", (pending, "$text-warning")))
        else:
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
        self._content: tuple[RunRecord | None, RunSpec, RunData | None, int, str] | None = None

    def tell(self, record: RunRecord | None, spec: RunSpec, data: RunData | None, more: int, pending: str) -> None:
        """Show a run; `more` is how many others are shown with it, `pending` what was asked of it."""
        self._content = (record, spec, data, more, pending)
        self.refresh()

    def render(self) -> RenderResult:
        return self._line(*self._content) if self._content else Content("")

    def _line(self, record: RunRecord | None, spec: RunSpec, data: RunData | None, more: int, pending: str) -> Content:
        return run_line(record, spec, data, more, self.size.width, pending)


class Outcome(Static):
    """Why a run ended early, with the last lines of its log; whatever else is wrong. Hidden when all is well."""

    DEFAULT_CSS = """
    Outcome { height: auto; max-height: 6; display: none; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    LINES = 4

    def __init__(self) -> None:
        super().__init__()
        self._told: Content | None = None

    def tell(self, record: RunRecord | None, log: Sequence[str], problems: Sequence[str]) -> None:
        """Show the end of a run that is not `done`, and the problems that are not empty."""
        lines: list[Content] = []
        if record and record.state.ended and record.state is not RunState.DONE:
            stopped = record.state is RunState.STOPPED
            reason = f": {clean_text(record.reason, 200)}" if record.reason else ""
            again = Content.styled("R", "bold $text-accent") + Content.styled(" starts it again", "$foreground-muted")
            style = "bold" if stopped else "bold $text-error"
            lines.append(Content.styled(f"{record.state}{reason}", style) + Content("   ") + again)
            if not stopped:
                last = [line for line in log if line.strip()][-self.LINES :]
                lines += [Content.styled(clean_text(line, 300), "$foreground-muted") for line in last]
        lines += [Content.styled(clean_text(text, 300), "$text-error") for text in problems if text]
        content = Content("\n").join(lines)
        if content != self._told:
            self._told = content
            self.display = bool(lines)
            self.update(content)
