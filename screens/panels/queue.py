"""The queue: what runs with its progress, what waits and for what, what ended last; keys to hold, reorder, stop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets.option_list import Option

from genlab_tui.events import Progress
from genlab_tui.regularisers import summary
from genlab_tui.run import RunRecord, RunState
from genlab_tui.text import clean_text
from screens.panels.marks import FLAG, ago, bar, fit, remaining, state_mark, verdict_text
from screens.panels.readable import ReadableList

if TYPE_CHECKING:
    from jobs.launcher import Device, QueueEntry

RECENT = 30
"""How many ended runs the panel shows."""
WIDEST = 140
MORE_SEEDS = "Add seeds to a run that is done: only the new ones are trained"
DETAILS_FROM = 90
"""Cells from which a row says preset, data and regularisers too."""


class Queue(ReadableList):
    """Active runs, then queued ones in their order, then the last that ended. Enter watches a run.

    At the right stands in how long each is expected to have ended; of those that ended, how long ago.
    """

    DEFAULT_CSS = """
    Queue, Queue:focus { border: none; padding: 0; background: transparent; height: 1fr; }
    Queue { scrollbar-size-vertical: 1; scrollbar-gutter: stable; text-wrap: nowrap; text-overflow: ellipsis; }
    Queue > .option-list--option { padding: 0; }
    Queue:blur > .option-list--option-highlighted { background: transparent; color: $foreground; }
    """
    BINDING_GROUP_TITLE = "Queue"
    ORDER = Binding.Group("order", compact=True)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "watch", tooltip="Watch the run in Live"),
        Binding("p", "ask('pause')", "pause", tooltip="Pause the run, or let it go on; start an ended one again"),
        Binding("x", "ask('stop')", "stop", tooltip="Stop the run (it can be resumed); cancel it while queued"),
        Binding("h", "ask('hold')", "hold", tooltip="Hold a queued run back, or release it"),
        Binding("u", "undo", "undo", tooltip="Take the last stop or cancellation back"),
        Binding(
            "R", "ask('retry')", "again", show=False, tooltip="Start a run that ended early again, from where it was"
        ),
        Binding("plus", "ask('seeds')", "more seeds", key_display="+", show=False, tooltip=MORE_SEEDS),
        Binding("K,shift+up", "ask('up')", "earlier", key_display="K", group=ORDER, tooltip="Let it start earlier"),
        Binding("J,shift+down", "ask('down')", "later", key_display="J", group=ORDER, tooltip="Let it start later"),
        Binding("down,j", "cursor_down", "next run", show=False, tooltip="The next run"),
        Binding("up,k", "cursor_up", "run before", show=False, tooltip="The run before"),
        Binding("home,g", "first", "first run", show=False, tooltip="The first run"),
        Binding("end,G", "last", "last run", show=False, tooltip="The last run"),
        Binding("pagedown", "page_down", "page down", show=False, tooltip="A page down"),
        Binding("pageup", "page_up", "page up", show=False, tooltip="A page up"),
    ]

    class Undo(Message):
        """The user wants the last stop or cancellation taken back."""

    class Asked(Message):
        """The user asks for something to be done with a run: pause, stop, hold, retry, seeds, up, down."""

        def __init__(self, verb: str, run_id: str) -> None:
            super().__init__()
            self.verb = verb
            self.run_id = run_id

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.runs: tuple[RunRecord, ...] = ()
        self.progress: Mapping[str, Progress] = {}
        self.waiting: Mapping[str, str] = {}
        self.ends: Mapping[str, float] = {}
        """In how many seconds each run is expected to have ended, by its id; those that nobody knows are not there."""
        self._drawn: dict[str, Content] = {}

    def on_resize(self, event: events.Resize) -> None:
        self._draw()

    def tell(
        self,
        runs: Sequence[RunRecord],
        progress: Mapping[str, Progress],
        queue: Sequence[QueueEntry],
        devices: Sequence[Device] = (),
    ) -> None:
        """Show the runs as they are now; redraws only what changed, and the chosen run stays chosen."""
        places = {entry.record.id: entry.position for entry in queue}
        self.waiting = {entry.record.id: entry.waiting_for for entry in queue}
        self.progress = progress
        self.ends = self._forecast(queue, devices)
        active = sorted((r for r in runs if r.state.active), key=lambda r: r.started)
        queued = [r for r in runs if r.state is RunState.QUEUED]
        queued.sort(key=lambda r: (places.get(r.id, len(places)), r.created))
        ended = sorted((r for r in runs if r.state.ended), key=lambda r: -r.ended)[:RECENT]
        self.runs = (*active, *queued, *ended)
        self._draw()

    def _forecast(self, queue: Sequence[QueueEntry], devices: Sequence[Device]) -> dict[str, float]:
        if not queue:
            return {}
        from jobs.forecast import forecast

        left = {run_id: each.eta for run_id, each in self.progress.items() if each.eta >= 0}
        return forecast(queue, left, devices)

    @property
    def heading(self) -> str:
        """What the panel is called: how many runs are to go, and when the last is expected to have ended."""
        going = [run for run in self.runs if run.state.active or (run.state is RunState.QUEUED and not run.held)]
        if not going:
            return "Queue"
        whole = max((self.ends.get(run.id, math.inf) for run in going), default=math.inf)
        left = f" · {remaining(whole)} left" if math.isfinite(whole) else ""
        return f"Queue · {len(going)} to go{left}"

    def action_undo(self) -> None:
        self.post_message(self.Undo())

    def _draw(self) -> None:
        lines = {run.id: self._line(run) for run in self.runs}
        if lines and list(lines) == [option.id for option in self.options]:
            for run_id, line in lines.items():
                if line != self._drawn.get(run_id):
                    self.replace_option_prompt(run_id, line)
        else:
            chosen, at = self.chosen, self.highlighted
            self.clear_options()
            if lines:
                self.add_options([Option(line, id=run_id) for run_id, line in lines.items()])
                ids = list(lines)
                stay = ids.index(chosen) if chosen in lines else min(at or 0, len(ids) - 1)
                self.highlighted = stay if self.has_focus else 0  # nobody sees it move then
            else:
                empty = Content.styled("nothing yet: r launches what the form says", "$foreground-muted")
                self.add_option(Option(empty, disabled=True))
        self._drawn = lines

    @property
    def chosen(self) -> str:
        """The id of the highlighted run, or empty."""
        option = self.highlighted_option
        return (option.id or "") if option is not None else ""

    def action_ask(self, verb: str) -> None:
        if self.chosen:
            self.post_message(self.Asked(verb, self.chosen))

    # --- drawing ------------------------------------------------------------------------------------------------------

    def _line(self, run: RunRecord) -> Content:
        width = min(max(self.scrollable_content_region.width, 30), WIDEST)
        name_width = min(max(width // 4, 14), 28)
        title, flag = clean_text(run.name or run.phenomenon, 80), f"{FLAG} " if run.changed else ""
        head = Content.assemble(
            *(state_mark(run), " ", (flag, "$text-warning"), fit(title, name_width - len(flag)), " "),
            *((run.id[:4], "$foreground-muted"), "  "),
        )
        if width >= DETAILS_FROM:
            parts = (run.preset, run.data, summary(run.regularisers) if run.regularisers else "")
            details = " · ".join(part for part in parts if part)
            head += Content.styled(fit(clean_text(details, 80), width // 3) + "  ", "$foreground-muted")
        return head + self._rest(run, width - head.cell_length)

    def _rest(self, run: RunRecord, room: int) -> Content:
        if run.state.active:
            return self._moving(run, room)
        if run.state is RunState.QUEUED:
            waiting = clean_text(self.waiting.get(run.id, ""), 80)
            left = f" {remaining(self.ends[run.id]):>5}" if run.id in self.ends else ""
            texts = ("held (h releases it)", "held") if run.held else (f"waits for {waiting}", f"for {waiting}")
            text = next((t for t in texts if len(t) <= room - len(left)), texts[-1]) if waiting else "queued"
            return Content.styled(fit(text, room - len(left)) + left, "$foreground-muted")
        if run.verdict:
            what = verdict_text(run.verdict)
        else:
            reason = f": {clean_text(run.reason, 80)}" if run.reason else ""
            what = Content.styled(f"{run.state.value}{reason}", self._end_style(run))
        when = ago(run.ended)
        what = what.truncate(room - 6, ellipsis=True)
        return what + Content.styled(when.rjust(room - what.cell_length), "$foreground-muted")

    @staticmethod
    def _end_style(run: RunRecord) -> str:
        bad = run.state in (RunState.FAILED, RunState.KILLED, RunState.LOST)
        return "$text-error" if bad else "$foreground-muted"

    def _moving(self, run: RunRecord, room: int) -> Content:
        progress = self.progress.get(run.id)
        if progress is None or run.state is RunState.STARTING:
            left = f" {remaining(self.ends[run.id]):>5}" if run.id in self.ends else ""
            return Content.styled(fit(run.state.value, room - len(left)) + left, "$foreground-muted")
        tail = f"{min(max(progress.done, 0.0), 1.0):4.0%} {remaining(progress.eta):>5}"
        free = max(room - len(tail) - 1, 0)
        bar_width = min(free - min(max(2 * free // 5, 10), free), 30)
        words = clean_text(progress.label, 80) if run.state is RunState.RUNNING else run.state.value
        label = fit(words, free - bar_width)
        return Content.assemble((label, "$foreground-muted"), " ", bar(progress.done, bar_width), tail)
