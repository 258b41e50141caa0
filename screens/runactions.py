"""What can be done with the run that is shown: pause, stop, start again, read its log and its verdict."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding, BindingType
from textual.content import Content

from genlab_tui.events import Log
from genlab_tui.run import RunRecord, RunState
from genlab_tui.text import clean_text
from screens import verbs
from screens.base import ModeScreen
from screens.follow import Seen
from screens.panels.log import reports
from screens.panels.verdict import verdict_table
from screens.sheet import Answer, Ask, Sheet

RUN_KEYS: tuple[BindingType, ...] = (
    Binding("p", "verb('pause')", "pause", tooltip="Pause the run, or let it go on; start an ended one again"),
    Binding("x", "stop", "stop", tooltip="Stop the run (it can be started again); cancel it while queued"),
    Binding("l", "log", "log", tooltip="What the run reported and printed"),
    Binding("v", "verdict", "verdict", tooltip="Every claim and criterion with its numbers"),
    Binding("R", "retry", "retry", tooltip="Start a run that ended early again, from where it was"),
)


class RunActions(ModeScreen):
    """A mode that shows a run; it binds `RUN_KEYS`."""

    @property
    def record(self) -> RunRecord | None:
        """The index entry of the run shown."""
        raise NotImplementedError

    @property
    def shown(self) -> Seen | None:
        """What was read of the run shown."""
        raise NotImplementedError

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

        if self.shown is None:
            return
        run_id = self.shown.run_id

        def logs() -> Sequence[Log]:
            seen = self.shown
            return reports(seen.data) if seen is not None and seen.run_id == run_id else ()

        self.app.push_screen(LogView(f"log of {run_id}", self.genlab.lab.run(run_id).log, logs))

    def action_verdict(self) -> None:
        seen = self.shown
        if seen is not None:
            ended = bool(self.record and self.record.state.ended)
            self.app.push_screen(Sheet(f"verdict of {seen.run_id}", verdict_table(seen.verdict, ended=ended)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer `retry` only where it means something."""
        if action == "retry":
            return bool(self.record and self.record.state.resumable)
        return super().check_action(action, parameters)
