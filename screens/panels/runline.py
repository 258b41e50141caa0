"""What a run is, how far it has come, and why it ended where it did not end well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from genlab_tui import phenomena
from genlab_tui.events import Progress
from genlab_tui.phenomenon import USUAL
from genlab_tui.regularisers import summary
from genlab_tui.run import RunRecord, RunSpec, RunState
from genlab_tui.rundata import RunData
from genlab_tui.text import clean_text, human_seconds
from screens.panels.cells import shorten
from screens.panels.happened import changes_text
from screens.panels.marks import FLAG, bar, remaining, state_mark, verdict_text

if TYPE_CHECKING:
    from jobs.launcher import Device, QueueEntry


ROOMY = 110
"""Cells of a line from which what was changed in flight is said in full."""


def queue_words(
    queue: Sequence[QueueEntry], progress: Mapping[str, Progress], devices: Sequence[Device], *, short: bool = False
) -> str:
    """Return how many runs wait and when the last of them will have ended; empty where none waits."""
    from jobs.forecast import forecast

    waiting = [entry.record.id for entry in queue if entry.position and not entry.record.held]
    if not waiting:
        return ""
    ends = forecast(queue, {run_id: p.eta for run_id, p in progress.items() if p.eta >= 0}, devices)
    many = str(len(waiting)) if short else f"{len(waiting)} run{'s' * (len(waiting) != 1)}"
    known = all(run_id in ends for run_id in waiting)
    return f"queue {many}" + (f", {remaining(max(ends[run_id] for run_id in waiting))}" if known else "")


def run_line(
    record: RunRecord | None,
    spec: RunSpec,
    data: RunData | None,
    more: int,
    width: int,
    pending: str = "",
    queue: str = "",
    precision: str = USUAL,
) -> Content:
    """Return title, data and regularisers at the left; state, progress, time left, queue and seeds at the right.

    `pending` is what was asked of the run and has not happened yet; it stands in the place of the state.
    """
    named = record.name if record and record.name else ""
    title = f"{clean_text(named, 40)} · {spec.phenomenon} {spec.id[:4]}" if named else f"{spec.phenomenon} {spec.id}"
    right = _right(record, spec, data, width, pending, queue)
    room = min(width - right.cell_length - 8, max(width // 2, 24))
    left = Content.assemble(" ", (shorten(clean_text(title, 80), max(room, 8)), "bold $text-primary"))
    if more:
        left += Content.styled(f" +{more}", "$text-accent")
    facts = [fact for fact in (spec.data, spec.preset) if fact]
    if precision != USUAL:
        facts.append(precision)
    if spec.regularisers:
        facts.append(summary(spec.regularisers))
    if record and record.device and width >= 100:
        facts.append(record.device)
    if (data and data.changes) or (record and record.changed):
        changes = changes_text(data) if data else ""
        words = f"changed in flight: {changes}" if width >= ROOMY else changes
        facts.insert(0, f"{FLAG} {words}" if changes else f"{FLAG} changed in flight")
    for fact in facts:
        room = width - left.cell_length - right.cell_length - 2
        if room < 8:
            break
        left += Content.styled(shorten(f" · {clean_text(fact, 80)}", room), "$foreground-muted")
    gap = max(width - left.cell_length - right.cell_length - 1, 1)
    return Content.assemble(left, " " * gap, right, " ")


def _right(
    record: RunRecord | None, spec: RunSpec, data: RunData | None, width: int, pending: str, queue: str
) -> Content:
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
    if queue:
        parts.append(Content.styled(queue, "$text-accent"))
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
        self._queue = ""

    def tell(self, record: RunRecord | None, spec: RunSpec, data: RunData | None, more: int, pending: str) -> None:
        """Show a run; `more` is how many others are shown with it, `pending` what was asked of it."""
        self._content = (record, spec, data, more, pending)
        self.refresh()

    def tell_queue(
        self, queue: Sequence[QueueEntry], progress: Mapping[str, Progress], devices: Sequence[Device]
    ) -> None:
        """Show how long the queue will take."""
        words = queue_words(queue, progress, devices, short=self.app.size.width < 100)
        if words != self._queue:
            self._queue = words
            self.refresh()

    def render(self) -> RenderResult:
        if self._content is None:
            return Content("")
        record, spec, data, more, pending = self._content
        known = phenomena.catalogue().get(spec.phenomenon)
        precision = known.precision if known else USUAL
        return run_line(record, spec, data, more, self.size.width, pending, self._queue, precision)


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
