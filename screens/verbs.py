"""What a key asks to be done with a run, in the words of the jobs."""

from __future__ import annotations

from contextlib import suppress

from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunState
from screens.base import GenlabApi


def ask(genlab: GenlabApi, verb: str, run: RunRecord) -> None:
    """Do what `pause`, `stop`, `hold` or `retry` means for a run in its state; says so where it means nothing."""
    from jobs import runs

    queued, state = run.state is RunState.QUEUED, run.state
    verbs = {
        "retry": runs.resume if state is RunState.PAUSED else runs.retry if state.resumable else None,
        "pause": runs.resume if state is RunState.PAUSED or state.resumable else runs.pause if state.active else None,
        "stop": runs.cancel if queued else runs.stop if state.active else None,
        "hold": (runs.release if run.held else runs.hold) if queued else None,
    }
    chosen = verbs[verb]
    if chosen is None:
        genlab.say(f"{run.title} is {run.state}: there is nothing to {verb}", severity="warning")
    else:
        genlab.act(f"{chosen.__name__} {run.title}", chosen, genlab.lab, run.id)


def uncancel(lab: Lab, run_id: str, before: str | None, held: bool) -> None:
    """Queue a cancelled run again, in front of the run that came after it if that still waits. Raises GenlabError."""
    from jobs import runs

    runs.retry(lab, run_id)
    if held:
        runs.hold(lab, run_id)
    if before is not None:
        with suppress(GenlabError):  # it has started meanwhile: then the end of the queue is the place
            runs.move(lab, run_id, before)


def reorder(genlab: GenlabApi, run: RunRecord, way: str, queued: list[RunRecord]) -> None:
    """Move a queued run one place `up` or `down` among the queued runs, which are given in their order."""
    from jobs import runs

    ids = [r.id for r in queued]
    if run.id not in ids:
        genlab.say(f"{run.title} is {run.state}: only a queued run has a place in the queue", severity="warning")
        return
    at = ids.index(run.id)
    if way == "up" and at > 0:
        before: str | None = ids[at - 1]
    elif way == "down" and at < len(ids) - 1:
        before = ids[at + 2] if at + 2 < len(ids) else None
    else:
        return
    genlab.act(f"move {run.title}", runs.move, genlab.lab, run.id, before)
