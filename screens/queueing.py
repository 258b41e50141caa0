"""What the keys of the queue do: watch, pause, stop and take that back, hold, order, start again, add seeds."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual import on
from textual.widgets import OptionList

from genlab_tui.run import RunRecord, RunState
from screens import verbs
from screens.base import ModeScreen
from screens.panels.queue import Queue
from screens.undo import Change, History


class QueueActions(ModeScreen):
    """A mode with the queue on it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._history = History()

    @on(OptionList.OptionSelected, "Queue")
    def _run_entered(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id:
            self.genlab.open_live(event.option_id)

    @on(Queue.Asked)
    def _run_asked(self, event: Queue.Asked) -> None:
        event.stop()
        queue = self.query_one(Queue)
        run = next((run for run in queue.runs if run.id == event.run_id), None)
        if run is None:
            return
        queued = [r for r in queue.runs if r.state is RunState.QUEUED]
        if event.verb in ("up", "down"):
            verbs.reorder(self.genlab, run, event.verb, queued)
        elif event.verb == "seeds":
            from screens.branching import more_seeds  # not for the first paint

            more_seeds(self, run)
        elif event.verb == "stop" and not run.state.ended:
            self._stop(run, queued)
        else:
            verbs.ask(self.genlab, event.verb, run)

    def _stop(self, run: RunRecord, queued: list[RunRecord]) -> None:
        """Stop a run, or cancel a queued one, whose place is kept in mind: `u` takes either back."""
        from jobs import runs

        after = next((r.id for r in queued[queued.index(run) + 1 :]), None) if run in queued else None
        cancel = partial(verbs.uncancel, run_id=run.id, before=after, held=run.held)
        verb, back = (runs.cancel, cancel) if run in queued else (runs.stop, partial(runs.resume, run_id=run.id))
        what = f"{verb.__name__} {run.title}"

        def stopped(done: None) -> None:
            self._history.add(Change(what, back))
            self.genlab.say("u takes it back", title=what)

        self.genlab.act(what, verb, self.genlab.lab, run.id, then=stopped)

    @on(Queue.Undo)
    def _undo_asked(self, event: Queue.Undo) -> None:
        event.stop()
        change = self._history.pop()
        if change is None:
            self.genlab.say("nothing was stopped that could be taken back", severity="warning")
        else:
            self.genlab.act(f"undo: {change.what}", self._history.taking_back(change), self.genlab.lab)
