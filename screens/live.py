"""Live: watch runs while they train. Charts in a grid, progress, the verdict as it forms; pause, stop, start again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from genlab_tui import phenomena
from genlab_tui.errors import GenlabError
from genlab_tui.run import RunRecord, RunState
from genlab_tui.summary import LoadedRun
from screens.charting import Charting
from screens.chartkeys import CHART_KEYS, CURSOR_KEYS
from screens.follow import Follower, Seen
from screens.liveview import COUNTS, LiveView
from screens.messages import ProgressChanged, RunsChanged
from screens.panels import chart as charts
from screens.panels.choices import FIGURE
from screens.panels.legend import Legend
from screens.panels.log import LogPanel, reports
from screens.panels.runline import Outcome, RunLine
from screens.panels.slot import Slot
from screens.panels.verdict import VerdictLine, VerdictTable
from screens.reporting import REPORT, report
from screens.runactions import RUN_KEYS

EMPTY = "No runs yet.\n\nPress 1, choose a phenomenon and press r to launch it;\nits curves grow here while it trains."
BEFORE, AFTER = "The run before it: active runs come first", "The run after it: active runs come first"


class Fresh(Message):
    """The thread that follows the runs found something new."""

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen

    def can_replace(self, message: Message) -> bool:
        """Newer data of the same run replace what still waits."""
        return isinstance(message, Fresh) and message.seen.run_id == self.seen.run_id


class LiveScreen(Charting):
    """One run or several at once: metrics of all of them in one chart, figures and verdict of the first."""

    CSS_PATH = "live.tcss"
    HELP_TITLE = "Live"
    PANELS = Binding.Group("panels", compact=True)
    RUNS = Binding.Group("run", compact=True)
    BINDINGS: ClassVar[list[BindingType]] = [
        *CURSOR_KEYS,
        *RUN_KEYS,
        REPORT,
        Binding("left_square_bracket", "cycle(-1)", "run before", key_display="[", group=RUNS, tooltip=BEFORE),
        Binding("right_square_bracket", "cycle(1)", "next run", key_display="]", group=RUNS, tooltip=AFTER),
        Binding("up", "cycle(-1)", "run before", show=False, tooltip=BEFORE),
        Binding("down", "cycle(1)", "next run", show=False, tooltip=AFTER),
        Binding("plus,equals_sign", "panels(1)", "more panels", key_display="+", group=PANELS, tooltip="More panels"),
        Binding("minus", "panels(-1)", "fewer panels", key_display="-", group=PANELS, tooltip="Fewer panels"),
        *CHART_KEYS,
        Binding("escape", "back", "back", show=False, tooltip="The cursor away; all panels again"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.ids: tuple[str, ...] = ()
        self.seen: dict[str, Seen] = {}
        self._follower = Follower(lambda seen: self.post_message(Fresh(seen)), lambda: self.genlab.pace())

    def compose_body(self) -> ComposeResult:
        yield Static(EMPTY, id="live-empty")
        with Vertical(id="live-body"):
            yield RunLine()
            yield Legend()
            with Container(id="live-grid"):
                for number in range(max(COUNTS)):
                    yield Slot(number, classes=" ".join(f"-p{count}" for count in COUNTS if number < count))
            with Horizontal(id="live-lower"):
                with VerticalScroll(id="live-verdict", classes="panel", can_focus=False) as verdict:
                    verdict.border_title = "Verdict"
                    yield VerdictTable()
                with Container(id="live-log", classes="panel") as log:
                    log.border_title = "Log"
                    yield LogPanel()
            yield Outcome()
            yield VerdictLine()

    def on_mount(self) -> None:
        self.view = LiveView.read(self.genlab.recall("live"))
        self.query_one(LogPanel).can_focus = False
        self._follower.start()
        self.run_worker(charts.warm_up, thread=True, name="plotext")
        self.make_room()
        self.query(Slot).first().focus()
        self._choose()

    def on_unmount(self) -> None:
        self._follower.stop()

    def on_screen_resume(self) -> None:
        self._follower.set_active(True)
        self._draw()

    def on_screen_suspend(self) -> None:
        # Under a sheet or a dialog the run is still at hand: what it says is kept up to date.
        self._follower.set_active(isinstance(self.app.screen, ModalScreen))

    # --- which runs ---------------------------------------------------------------------------------------------------

    def show(self, run_ids: Sequence[str]) -> None:
        """Show these runs; works before the screen is mounted too."""
        before, self.ids = self.ids, tuple(dict.fromkeys(run_ids))
        if set(before) != set(self.ids):
            self.leave_cursor()
            self.lens.forget()
        if self.is_mounted:
            self._choose()

    @property
    def watched(self) -> Collection[str]:
        return self.ids

    @property
    def record(self) -> RunRecord | None:
        return self._record(self.ids[0]) if self.ids else None

    @property
    def shown(self) -> Seen | None:
        return self.seen.get(self.ids[0]) if self.ids else None

    def _record(self, run_id: str) -> RunRecord | None:
        return next((r for r in self.genlab.runs if r.id == run_id), None)

    def _order(self) -> list[str]:
        """Active runs in the order they started, then the others, newest first."""
        runs = self.genlab.runs
        active = sorted((r for r in runs if r.state.active), key=lambda r: r.started)
        return [r.id for r in (*active, *(r for r in runs if not r.state.active))]

    def on_runs_changed(self, event: RunsChanged) -> None:
        super().on_runs_changed(event)
        if not self.ids:
            self._choose()
        self.refresh_bindings()
        self._follower.wake()
        self._draw()

    def _choose(self) -> None:
        """Follow the runs to show: those asked for, else the one that started last or the newest."""
        if not self.ids:
            order = self._order()
            active = [run_id for run_id in order if (r := self._record(run_id)) and r.state.active]
            self.ids = tuple(active[-1:] or order[:1])
        readers = {}
        for run_id in self.ids:
            try:
                readers[run_id] = self.genlab.reader(run_id)
            except (GenlabError, ValueError) as error:
                self.genlab.say(error, title="the run cannot be shown", severity="error")
        self.ids = tuple(readers)
        self.seen = {run_id: seen for run_id, seen in self.seen.items() if run_id in readers}
        self.read_marks()
        self._follower.follow(readers)
        self._draw()

    def on_fresh(self, message: Fresh) -> None:
        if message.seen.run_id in self.ids:
            self.seen[message.seen.run_id] = message.seen
            self._draw()

    # --- what is shown ------------------------------------------------------------------------------------------------

    def _loaded(self) -> list[LoadedRun]:
        """The runs shown, as far as they were read."""
        loaded = []
        for run_id in self.ids:
            seen = self.seen.get(run_id)
            if seen is None:
                continue
            spec = seen.data.spec
            phenomenon = phenomena.catalogue().get(spec.phenomenon)
            record = self._record(run_id) or RunRecord(run_id, spec.phenomenon)
            loaded.append(LoadedRun(record, seen.data, seen.verdict, phenomenon))
        return loaded

    def _draw(self) -> None:
        """Bring what is on the screen up to date; panels that are not seen cost nothing."""
        if not self.is_mounted or not self.is_current:
            return
        self.query_one("#live-empty").display = not self.ids
        self.query_one("#live-body").display = bool(self.ids)
        gallery = self._gallery
        loaded = self._loaded()
        first_seen = self.seen.get(loaded[0].id) if loaded else None
        gallery.take(loaded, *((first_seen.figures, first_seen.problem) if first_seen else ()))
        if not gallery.runs or gallery.runs[0].id != self.ids[0]:
            return
        first, record = gallery.runs[0], self.record
        keys = gallery.keys(self.view)
        # Where many arms have no curve on the screen, each figure has a legend of its own: theirs would say nothing.
        curves = [n for slot in self.visible_slots if not keys[n := slot.number].startswith(FIGURE)] if keys else []
        seen, slots = self.seen[first.id], {}
        if curves or not gallery.many:
            slots = gallery.slots(curves or range(self.view.panels), self.view)
        self._tell_queue()
        self.query_one(RunLine).tell(record, first.spec, first.data, len(self.ids) - 1, self.awaited)
        self.draw_slots(slots)
        self.query_one(Legend).tell(slots, self.charts_note)
        ended = record is not None and record.state.ended
        done = record is not None and record.state is RunState.DONE
        self.query_one(VerdictLine).tell(seen.verdict, ended=ended, done=done, spec=first.spec)
        self.query_one(Outcome).tell(record, seen.log, (seen.error, gallery.problem))
        if self.query_one("#live-lower").display:
            self.query_one(VerdictTable).tell(seen.verdict, ended=ended, done=done, spec=first.spec)
            self.query_one(LogPanel).tell(reports(first.data, self.own_marks(first.id)), seen.log)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say at once how the panel is set that the keys now speak to."""
        if self._gallery.runs:
            legend = self.query_one(Legend)
            legend.tell(legend.slots, self.charts_note)

    def redraw(self) -> None:
        self._draw()

    def on_progress_changed(self, event: ProgressChanged) -> None:
        self._tell_queue()

    def _tell_queue(self) -> None:
        self.query_one(RunLine).tell_queue(self.genlab.queue, self.genlab.progress, self.genlab.devices)

    def look(self) -> None:
        self._follower.wake()

    def action_back(self) -> None:
        if not self.leave_cursor():
            self.zoom(None)

    # --- runs ---------------------------------------------------------------------------------------------------------

    def action_report(self) -> None:
        report(self.genlab, [run for run_id in self.ids if (run := self._record(run_id))])

    def action_cycle(self, by: int) -> None:
        """Another run; where several are shown, another of them first."""
        if len(self.ids) > 1:
            by %= len(self.ids)
            self.show((*self.ids[by:], *self.ids[:by]))
            return
        order = self._order()
        if not order:
            return
        at = order.index(self.ids[0]) if self.ids and self.ids[0] in order else -by
        self.show((order[(at + by) % len(order)],))
