"""What can be done with the run that is shown: pause, stop, start again, read its log and its verdict."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingType
from textual.content import Content

from genlab_tui import phenomena
from genlab_tui.errors import GenlabError
from genlab_tui.events import Log
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunState
from genlab_tui.text import clean_text
from screens import branching, verbs
from screens.branching import FORK, FROM_CHECKPOINT, MORE_SEEDS
from screens.changing import ChangingInFlight
from screens.draft import claims_of
from screens.panels.about import ABOUT, about_text
from screens.panels.log import reports
from screens.panels.verdict import verdict_table
from screens.sheet import Answer, Ask, Sheet

RUN_KEYS: tuple[BindingType, ...] = (
    Binding("p", "pause", "pause", tooltip="Pause the run"),
    Binding("p", "resume", "resume", tooltip="Let a paused run go on; start an ended one again"),
    Binding("x", "stop", "stop", tooltip="Stop the run (it can be started again); cancel it while queued"),
    Binding("t", "change", "toggle", tooltip="Change a regulariser while the run trains, or take that back"),
    Binding("f", "fork", "fork", tooltip=FORK),
    Binding("l", "log", "log", tooltip="What the run reported and printed"),
    Binding("v", "verdict", "verdict", tooltip="Every claim and criterion with its numbers"),
    Binding("i", "about", "about", tooltip=ABOUT),
    Binding("F", "fork_checkpoint", "fork from there", show=False, tooltip=FROM_CHECKPOINT),
    Binding("S", "more_seeds", "more seeds", tooltip=MORE_SEEDS),
    Binding(
        "R", "retry", "retry", tooltip="Start a run that ended early again, from where it was; let a paused one go on"
    ),
)


PAUSABLE = frozenset({RunState.STARTING, RunState.RUNNING})
AGAIN = frozenset(state for state in RunState if state.resumable)
ASKED: dict[str, tuple[str, frozenset[RunState]]] = {
    "pause": ("pausing…", PAUSABLE),
    "resume": ("resuming…", AGAIN | {RunState.PAUSED}),
    "stop": ("stopping…", PAUSABLE | {RunState.PAUSED}),
    "retry": ("starting again…", AGAIN),
}
"""What is said of a run while a verb was asked for and has not happened, and in which states it has not."""

PATIENCE = 60.0
"""Seconds after which what was asked is no longer believed to happen."""


@dataclass(frozen=True)
class Asked:
    """What was asked of a run: the word for it, in which states it is still awaited, and when (monotonic)."""

    word: str
    during: frozenset[RunState]
    when: float


class RunActions(ChangingInFlight):
    """A mode that shows a run; it binds `RUN_KEYS`."""

    def __init__(self) -> None:
        super().__init__()
        self._asked_of: dict[str, Asked] = {}

    @property
    def idle_actions(self) -> Collection[str]:
        ended = self.record is not None and self.record.state.ended
        return ("pause", "stop", "change") if ended else ("more_seeds",)

    def own_marks(self, run_id: str) -> Sequence[tuple[int, str]]:
        """Return the user's marks on the curves of a run: steps with a few words."""
        return ()

    def redraw(self) -> None:
        """Show the run as it is now."""
        raise NotImplementedError

    # --- what was asked and has not happened yet ----------------------------------------------------------------------

    @property
    def pending(self) -> str:
        """What was asked of the run shown and has not happened yet, in a word; empty where nothing was."""
        run = self.record
        asked = self._asked_of.get(run.id) if run else None
        if run is None or asked is None:
            return ""
        if run.state in asked.during and time.monotonic() - asked.when < PATIENCE:
            return asked.word
        del self._asked_of[run.id]
        return ""

    @property
    def awaited(self) -> str:
        """What was asked of the run shown and has not happened yet, changes in flight included, in a few words."""
        return self.pending or self.awaited_changes

    def _ask(self, verb: str, run: RunRecord) -> None:
        """Ask for `pause`, `resume`, `stop` or `retry`, and say so at once; asking twice changes nothing."""
        from jobs import runs

        word, during = ASKED[verb]
        if self.pending == word:
            return
        fn = getattr(runs, verb)

        def attempt(lab: Lab, run_id: str) -> None:
            try:
                fn(lab, run_id)
            except (GenlabError, OSError):
                self.app.call_from_thread(self._refused, run_id)
                raise

        self._asked_of[run.id] = Asked(word, during, time.monotonic())
        self.genlab.act(f"{verb} {run.title}", attempt, self.genlab.lab, run.id)
        self.redraw()

    def _refused(self, run_id: str) -> None:
        self._asked_of.pop(run_id, None)
        self.redraw()

    # --- keys ---------------------------------------------------------------------------------------------------------

    def action_fork(self) -> None:
        if self.record is not None:
            branching.fork(self, self.record)

    def action_fork_checkpoint(self) -> None:
        if self.record is not None:
            branching.fork_from_checkpoint(self, self.record)

    def action_more_seeds(self) -> None:
        if self.record is not None:
            branching.more_seeds(self, self.record)

    def action_pause(self) -> None:
        run = self.record
        if run is not None and run.state in PAUSABLE:
            if not self.pending:
                self._ask("pause", run)
        elif run is not None:
            verbs.ask(self.genlab, "pause", run)

    def action_resume(self) -> None:
        if self.record is not None:
            self._ask("resume", self.record)

    def action_stop(self) -> None:
        run = self.record
        if run is None:
            return
        if run.state.ended or run.state is RunState.STOPPING:
            verbs.ask(self.genlab, "stop", run)
            return
        queued = run.state is RunState.QUEUED
        what = "cancel" if queued else "stop"
        text = Content(f"{run.phenomenon} {clean_text(run.title, 60)}: what is finished is kept; R starts it again.")

        def answered(answer: str | None) -> None:
            if answer and queued:
                verbs.ask(self.genlab, "stop", run)
            elif answer:
                self._ask("stop", run)

        self.app.push_screen(Ask(f"{what} this run?", text, (Answer("x", f"{what} it", "stop"),)), answered)

    def action_retry(self) -> None:
        run = self.record
        if run is None:
            return
        if run.state is RunState.PAUSED:
            self._ask("resume", run)
        elif run.state.resumable:
            self._ask("retry", run)
        else:
            self.genlab.say(f"{run.title} is {run.state}: there is nothing to start again", severity="warning")

    def action_log(self) -> None:
        from screens.logview import LogView

        if self.shown is None:
            return
        run_id = self.shown.run_id

        def logs() -> Sequence[Log]:
            seen = self.shown
            return reports(seen.data, self.own_marks(run_id)) if seen is not None and seen.run_id == run_id else ()

        self.app.push_screen(LogView(f"log of {run_id}", self.genlab.lab.run(run_id).log, logs))

    def action_verdict(self) -> None:
        seen = self.shown
        if seen is not None:
            state = self.record.state if self.record else RunState.QUEUED
            text = verdict_table(seen.verdict, ended=state.ended, done=state is RunState.DONE, spec=seen.data.spec)
            self.app.push_screen(Sheet(f"verdict of {seen.run_id}", text))

    def action_about(self) -> None:
        if self.shown is None:
            return
        spec = self.shown.data.spec
        try:
            phenomenon = phenomena.get(spec.phenomenon)
            text = about_text(phenomenon, claims_of(phenomenon, spec))
        except GenlabError as error:
            self.genlab.say(error, title="there is nothing to read about it", severity="warning")
        else:
            self.app.push_screen(Sheet(clean_text(phenomenon.title, 60), text))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer `resume` and `retry` only where they mean something; `p` is one of pause and resume."""
        if action in ("pause", "resume", "retry"):
            run = self.record
            again = run is not None and (run.state is RunState.PAUSED or run.state.resumable)
            return again if action != "pause" else not again
        return super().check_action(action, parameters)
