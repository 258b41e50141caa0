"""Live: watch runs while they train. Charts in a grid, progress, the verdict as it forms; pause, stop, start again."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.css.query import NoMatches
from textual.message import Message
from textual.widgets import Static

from genlab_tui import phenomena
from genlab_tui.compare import AXES, LoadedRun
from genlab_tui.errors import GenlabError
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.run import RunRecord, RunState
from genlab_tui.text import clean_text
from screens import verbs
from screens.base import ModeScreen
from screens.follow import Follower, Seen
from screens.liveview import COUNTS, SMOOTH, LiveView
from screens.messages import RunsChanged
from screens.panels import chart as charts
from screens.panels.choices import Choice, Options, chart, choices, defaults
from screens.panels.log import LogPanel
from screens.panels.runline import Legend, RunLine
from screens.panels.slot import Slot
from screens.panels.verdict import VerdictLine, verdict_table
from screens.pick import Pick
from screens.sheet import Answer, Ask, Sheet

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


class LiveScreen(ModeScreen):
    """One run or several at once: metrics of all of them in one chart, figures and verdict of the first."""

    CSS_PATH = "live.tcss"
    HELP_TITLE = "Live"
    PANELS = Binding.Group("panels", compact=True)
    RUNS = Binding.Group("run", compact=True)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "verb('pause')", "pause", tooltip="Pause the run, or let it go on; start an ended one again"),
        Binding("x", "stop", "stop", tooltip="Stop the run (it can be started again); cancel it while queued"),
        Binding("l", "log", "log", tooltip="What the run reported and printed"),
        Binding("v", "verdict", "verdict", tooltip="Every claim and criterion with its numbers"),
        Binding(
            "left_square_bracket", "cycle(-1)", "run before", key_display="[", group=RUNS, tooltip="The run before"
        ),
        Binding("right_square_bracket", "cycle(1)", "next run", key_display="]", group=RUNS, tooltip="The next run"),
        Binding("up", "cycle(-1)", "run before", show=False, tooltip=BEFORE),
        Binding("down", "cycle(1)", "next run", show=False, tooltip=AFTER),
        Binding("plus,equals_sign", "panels(1)", "more panels", key_display="+", group=PANELS, tooltip="More panels"),
        Binding("minus", "panels(-1)", "fewer panels", key_display="-", group=PANELS, tooltip="Fewer panels"),
        Binding("a", "axis", "x axis", tooltip="Along the x axis: step, epoch, seconds"),
        Binding("y", "log_y", "log y", tooltip="y axis: as declared, logarithmic, linear"),
        Binding("o", "smooth", "smooth", tooltip="Smooth the curves; what was measured stays visible"),
        Binding("e", "members", "each seed", tooltip="Show every seed beside mean and band"),
        Binding("R", "retry", "retry", tooltip="Start a run that ended early again, from where it was"),
        Binding("escape", "back", "back", show=False, tooltip="All panels again"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.ids: tuple[str, ...] = ()
        self.seen: dict[str, Seen] = {}
        self.view = LiveView()
        self._figures: dict[str, tuple[object, tuple[Figure | HeatMap, ...], str]] = {}
        self._drawn: dict[int, tuple[object, Figure | HeatMap | None]] = {}
        self._follower = Follower(lambda seen: self.post_message(Fresh(seen)))

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
                    yield Static(id="live-verdict-text")
                with Container(id="live-log", classes="panel") as log:
                    log.border_title = "Log"
                    yield LogPanel()
            yield Static(id="live-outcome")
            yield VerdictLine()

    def on_mount(self) -> None:
        self.view = LiveView.read(self.genlab.recall("live"))
        self.query_one(LogPanel).can_focus = False
        self._follower.start()
        self.run_worker(charts.warm_up, thread=True, name="plotext")
        self._arrange()
        self.query(Slot).first().focus()
        self._choose()

    def on_unmount(self) -> None:
        self._follower.stop()

    def on_screen_resume(self) -> None:
        self._follower.set_active(True)
        self._draw()

    def on_screen_suspend(self) -> None:
        self._follower.set_active(False)

    # --- which runs ---------------------------------------------------------------------------------------------------

    def show(self, run_ids: Sequence[str]) -> None:
        """Show these runs; works before the screen is mounted too."""
        self.ids = tuple(dict.fromkeys(run_ids))
        if self.is_mounted:
            self._choose()

    @property
    def watched(self) -> Collection[str]:
        return self.ids

    @property
    def record(self) -> RunRecord | None:
        """The index entry of the first run shown."""
        return self._record(self.ids[0]) if self.ids else None

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
        self._figures.clear()
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

    def _own_figures(self, run: LoadedRun) -> tuple[tuple[Figure | HeatMap, ...], str]:
        """The phenomenon's figures of a run, worked out once for the same data; with what went wrong."""
        known = self._figures.get(run.id)
        if known is None or known[0] is not run.data:
            try:
                figures, problem = run.figures(), ""
            except GenlabError as error:
                figures, problem = (), str(error)
            self._figures[run.id] = known = (run.data, figures, problem)
        return known[1], known[2]

    def _choices(self, runs: Sequence[LoadedRun]) -> tuple[Choice, ...]:
        return choices(runs[0].phenomenon, runs[0].data, self._own_figures(runs[0])[0]) if runs else ()

    def _keys(self, known: Sequence[Choice], phenomenon: str) -> list[str]:
        """What the panels show: what was chosen for this phenomenon, else the defaults."""
        keys = {choice.key for choice in known}
        chosen = self.view.choices.get(phenomenon, {})
        usual = defaults(known, max(COUNTS))
        return [key if (key := chosen.get(i, "")) in keys else usual[i] for i in range(len(usual))]

    def _slots(self, runs: Sequence[LoadedRun]) -> dict[str, int]:
        """The colour and marker of every arm, the same in every panel."""
        labels = [
            clean_text((f"{run.title} · " if len(runs) > 1 else "") + arm.title, 60)
            for run in runs
            for arm in run.data.arms
        ]
        return {label: i for i, label in enumerate(dict.fromkeys(labels))}

    @property
    def _visible(self) -> list[Slot]:
        return [slot for slot in self.query(Slot) if slot.display]

    def _draw(self) -> None:
        """Bring what is on the screen up to date; panels that are not seen cost nothing."""
        if not self.is_mounted or not self.is_current:
            return
        self.query_one("#live-empty").display = not self.ids
        self.query_one("#live-body").display = bool(self.ids)
        runs = self._loaded()
        if not runs or runs[0].id != self.ids[0]:
            return
        first, record = runs[0], self.record
        seen = self.seen[first.id]
        slots = self._slots(runs)
        self.query_one(RunLine).tell(record, first.spec, first.data, len(self.ids) - 1)
        self.query_one(Legend).tell(slots, self.view.note)
        known = self._choices(runs)
        keys = self._keys(known, first.spec.phenomenon)
        options = Options(self.view.x, self.view.log_y, self.view.members)
        versions = [id(run.data) for run in runs]
        for slot in self._visible:
            key = keys[slot.number] if slot.number < len(keys) else ""
            stamp = (key, versions, options)
            if self._drawn.get(slot.number, ((),))[0] != stamp:
                figure = chart(key, runs, self._own_figures(first)[0], options) if key else None
                self._drawn[slot.number] = (stamp, figure)
            slot.show(self._drawn[slot.number][1], self.view.smooth, slots)
        ended = record is not None and record.state.ended
        self.query_one(VerdictLine).tell(seen.verdict, ended=ended)
        self.query_one("#live-outcome", Static).update(self._outcome(record, seen, self._own_figures(first)[1]))
        if self.query_one("#live-lower").display:
            self.query_one("#live-verdict-text", Static).update(verdict_table(seen.verdict, ended=ended))
            self.query_one(LogPanel).tell(first.data.logs, seen.log)

    def _outcome(self, record: RunRecord | None, seen: Seen, problem: str) -> Content:
        """Why a run ended early, with the last lines of its log; what else is wrong."""
        lines: list[Content] = []
        if record and record.state.ended and record.state is not RunState.DONE:
            reason = f": {clean_text(record.reason, 200)}" if record.reason else ""
            style = "$text-muted" if record.state is RunState.STOPPED else "bold $text-error"
            again = "   R starts it again" if record.state.resumable else ""
            lines.append(Content.assemble((f"{record.state}{reason}", style), (again, "$foreground-muted")))
            if record.state is not RunState.STOPPED:
                last = [line for line in seen.log if line.strip()][-4:]
                lines += [Content.styled(clean_text(line, 300), "$foreground-muted") for line in last]
        lines += [Content.styled(clean_text(text, 300), "$text-error") for text in (seen.error, problem) if text]
        self.query_one("#live-outcome").set_class(bool(lines), "-shown")
        return Content("\n").join([line.truncate(max(self.size.width - 2, 1), ellipsis=True) for line in lines])

    # --- panels -------------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        grid = self.query_one("#live-grid")
        for count in COUNTS:
            grid.set_class(count == self.view.panels, f"-n{count}")

    def _changed(self, **changes: Any) -> None:
        """Take over and remember another setting, and show it."""
        self.view = dataclasses.replace(self.view, **changes)
        self.genlab.remember(live=self.view.document())
        self._arrange()
        self.call_after_refresh(self._draw)

    @on(Slot.Asked)
    def _asked(self, event: Slot.Asked) -> None:
        event.stop()
        runs = self._loaded()
        known = self._choices(runs)
        if event.what == "zoom":
            self._zoom(event.slot)
        elif not known:
            return
        elif event.what == "pick":
            keys = self._keys(known, runs[0].spec.phenomenon)
            items = [(choice.key, clean_text(choice.title, 80)) for choice in known]
            self.app.push_screen(
                Pick("show in this panel", items, keys[event.slot.number]), partial(self._set_choice, event.slot.number)
            )
        else:
            order = [choice.key for choice in known]
            at = order.index(self._keys(known, runs[0].spec.phenomenon)[event.slot.number])
            self._set_choice(event.slot.number, order[(at + (1 if event.what == "next" else -1)) % len(order)])

    def _set_choice(self, number: int, key: str | None) -> None:
        runs = self._loaded()
        if key and runs:
            self._changed(choices=self.view.with_choice(runs[0].spec.phenomenon, number, key))

    def _zoom(self, slot: Slot | None) -> None:
        grid = self.query_one("#live-grid")
        zoomed = slot is not None and not grid.has_class("-zoomed")
        grid.set_class(zoomed, "-zoomed")
        for each in self.query(Slot):
            each.set_class(zoomed and each is slot, "-zoomed")
        self.call_after_refresh(self._draw)

    def action_back(self) -> None:
        self._zoom(None)

    def action_panels(self, by: int) -> None:
        at = min(max(COUNTS.index(self.view.panels) + by, 0), len(COUNTS) - 1)
        self._zoom(None)
        self._changed(panels=COUNTS[at])
        focused = self.focused
        if isinstance(focused, Slot) and focused.number >= COUNTS[at]:
            self.query(Slot).first().focus()

    def action_axis(self) -> None:
        self._changed(x=AXES[(AXES.index(self.view.x) + 1) % len(AXES)])

    def action_log_y(self) -> None:
        order = (None, True, False)
        self._changed(log_y=order[(order.index(self.view.log_y) + 1) % len(order)])

    def action_smooth(self) -> None:
        self._changed(smooth=SMOOTH[(SMOOTH.index(self.view.smooth) + 1) % len(SMOOTH)])

    def action_members(self) -> None:
        self._changed(members=not self.view.members)

    # --- runs ---------------------------------------------------------------------------------------------------------

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

    def action_verb(self, verb: str) -> None:
        if self.record:
            verbs.ask(self.genlab, verb, self.record)

    def action_stop(self) -> None:
        run = self.record
        if run is None:
            return
        if run.state.ended:
            verbs.ask(self.genlab, "stop", run)
            return
        what = "cancel" if run.state is RunState.QUEUED else "stop"
        text = Content(f"{run.phenomenon} {clean_text(run.title, 60)}: what is finished is kept; R starts it again.")

        def answered(answer: str | None) -> None:
            if answer:
                verbs.ask(self.genlab, "stop", run)

        self.app.push_screen(Ask(f"{what} this run?", text, (Answer("x", f"{what} it", "stop"),)), answered)

    def action_retry(self) -> None:
        from jobs import runs

        run = self.record
        if run is None:
            return
        if run.state.resumable:
            self.genlab.act(f"retry {run.title}", runs.retry, self.genlab.lab, run.id)
        else:
            self.genlab.say(f"{run.title} is {run.state}: there is nothing to start again", severity="warning")

    def action_log(self) -> None:
        from screens.logview import LogView

        if not self.ids:
            return
        run_id = self.ids[0]
        path = self.genlab.lab.run(run_id).log
        self.app.push_screen(
            LogView(f"log of {run_id}", path, lambda: self.seen[run_id].data.logs if run_id in self.seen else ())
        )

    def action_verdict(self) -> None:
        seen = self.seen.get(self.ids[0]) if self.ids else None
        if seen is not None:
            ended = bool(self.record and self.record.state.ended)
            self.app.push_screen(Sheet(f"verdict of {seen.run_id}", verdict_table(seen.verdict, ended=ended)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer `retry` only where it means something."""
        if action == "retry":
            try:
                return bool(self.record and self.record.state.resumable)
            except NoMatches:
                return False
        return super().check_action(action, parameters)
