"""From the form to the queue: validate, offer the stored run first, ask before a long one, submit, say so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from textual.content import Content

from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunSpec
from genlab_tui.text import clean_text
from screens.base import ModeScreen
from screens.cost import about
from screens.panels.marks import ago
from screens.sheet import Answer, Ask

LONG = 600.0
"""Estimated seconds above which a launch is asked about first."""
AGAIN = Answer("a", "run it again", "run")
"""Not the key that asked for it: one hit twice must not answer the question that it raised."""
_one_at_a_time = threading.Lock()


def launch(
    screen: ModeScreen,
    phenomenon: str,
    request: dict[str, Any],
    seconds: float = 0.0,
    then: Callable[[RunRecord], None] = lambda run: None,
) -> None:
    """Launch what `request` asks for (the keyword arguments of `build_spec`); every step off the UI thread.

    `seconds` is what the estimate says; `then` gets the run, on the UI thread, once it is queued.
    """
    genlab = screen.genlab
    asked = partial(_asked, screen, seconds, then)
    genlab.act(f"launch {phenomenon}", _try, genlab.lab, phenomenon, request, seconds, then=asked)


Found = tuple[RunSpec, RunRecord | None, RunRecord | None]
"""The specification, the stored run that is like it if there is one, and the run if it was queued unasked."""


def _try(lab: Lab, phenomenon: str, request: dict[str, Any], seconds: float) -> Found:
    """Look for a stored run, a whole one first, and queue where there is nothing to ask about.

    One at a time, so that of two launches in quick succession the second one finds the first.
    """
    from jobs import runs
    from jobs.request import build_spec

    with _one_at_a_time:
        spec = build_spec(phenomenon, lab=lab, **request)
        same = runs.find_identical(lab, spec) or runs.find_identical(lab, spec, unfinished=True)
        return spec, same, runs.submit(lab, spec) if same is None and seconds <= LONG else None


def _asked(screen: ModeScreen, seconds: float, then: Callable[[RunRecord], None], found: Found) -> None:
    spec, same, run = found
    if run is not None:
        _launched(screen, then, run)
    elif isinstance(screen.app.screen, Ask):
        return  # the same key twice: the question is there already
    elif same is not None:
        unfinished = same.state.resumable
        first = Answer("enter", "resume it", "resume") if unfinished else Answer("enter", "open it", "open")
        answers = (first, *([Answer("o", "open it", "open")] if unfinished else []), AGAIN)
        title = "the same run exists, unfinished" if unfinished else "the same run exists"
        question = Ask(title, Content(same_text(same, seconds)), answers)
        screen.app.push_screen(question, partial(_answered, screen, then, spec, same))
    else:
        text = f"This takes about {about(seconds)} on this machine: launch?"
        question = Ask("a long run", Content(text), (Answer("enter", "launch it", "run"),))
        screen.app.push_screen(question, partial(_answered, screen, then, spec, None))


def same_text(same: RunRecord, seconds: float = 0.0) -> str:
    """Say of a stored run that it is the one asked for, and what another would take where that is long."""
    end = same.verdict or clean_text(same.reason, 80)
    how = f"{same.state}, {end}" if end else str(same.state)
    age = ago(same.created)
    when = "just now" if age == "now" else f"{age} ago"
    again = f" Once more takes about {about(seconds)}." if seconds > LONG else ""
    kept = " What it finished is kept: resumed, it goes on from there." if same.state.resumable else ""
    return (
        f"{clean_text(same.title, 60)} ({how}) was launched {when} with the same config, data, seeds and device."
        f"{kept}{again}"
    )


def _answered(
    screen: ModeScreen, then: Callable[[RunRecord], None], spec: RunSpec, same: RunRecord | None, answer: str | None
) -> None:
    from jobs import runs

    genlab = screen.genlab
    if answer == "open" and same is not None:
        genlab.open_live(same.id)
    elif answer == "resume" and same is not None:
        resumed = partial(_resumed, screen, same)
        genlab.act(f"resume {same.title}", runs.resume, genlab.lab, same.id, then=resumed)
    elif answer == "run":
        launched = partial(_launched, screen, then)
        genlab.act(f"launch {spec.phenomenon}", runs.submit, genlab.lab, spec, then=launched)


def _resumed(screen: ModeScreen, run: RunRecord, done: None) -> None:
    screen.genlab.say("2 shows it in Live", title=f"resumed {run.phenomenon} {run.title}")
    screen.genlab.launched(run.id)


def _launched(screen: ModeScreen, then: Callable[[RunRecord], None], run: RunRecord) -> None:
    screen.genlab.say("2 shows it in Live", title=f"launched {run.phenomenon} {run.id}")
    screen.genlab.launched(run.id)
    then(run)
