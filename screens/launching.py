"""From the form to the queue: validate, offer an identical run first, ask before a long one, submit, say so."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from textual.content import Content

from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunSpec
from genlab_tui.text import clean_text
from screens.base import ModeScreen
from screens.draft import about
from screens.panels.marks import ago
from screens.sheet import Answer, Ask

LONG = 600.0
"""Estimated seconds above which a launch is asked about first."""
AGAIN = Answer("a", "run it again", "run")
"""Not `r`: a key hit twice must not answer the question that it raised."""
_one_at_a_time = threading.Lock()


def launch(screen: ModeScreen, phenomenon: str, request: dict[str, Any], seconds: float = 0.0) -> None:
    """Launch what `request` asks for (the keyword arguments of `build_spec`); every step off the UI thread.

    `seconds` is what the estimate says.
    """
    genlab = screen.genlab
    asked = partial(_asked, screen, seconds)
    genlab.act(f"launch {phenomenon}", _try, genlab.lab, phenomenon, request, seconds, then=asked)


def _try(
    lab: Lab, phenomenon: str, request: dict[str, Any], seconds: float
) -> tuple[RunSpec, RunRecord | None, RunRecord | None]:
    """Return the specification, the identical run if there is one, and the run if it was queued without a question.

    One at a time, so that of two launches in quick succession the second one finds the first.
    """
    from jobs import runs
    from jobs.request import build_spec

    with _one_at_a_time:
        spec = build_spec(phenomenon, lab=lab, **request)
        same = runs.find_identical(lab, spec)
        return spec, same, runs.submit(lab, spec) if same is None and seconds <= LONG else None


def _asked(screen: ModeScreen, seconds: float, found: tuple[RunSpec, RunRecord | None, RunRecord | None]) -> None:
    spec, same, run = found
    if run is not None:
        _launched(screen, run)
    elif isinstance(screen.app.screen, Ask):
        return  # the same key twice: the question is there already
    elif same is not None:
        answers = (Answer("enter", "open it", "open"), AGAIN)
        question = Ask("the same run exists", Content(_same_text(same, seconds)), answers)
        screen.app.push_screen(question, partial(_answered, screen, spec, same.id))
    else:
        text = f"This takes about {about(seconds)} on this machine: launch?"
        question = Ask("a long run", Content(text), (Answer("enter", "launch it", "run"),))
        screen.app.push_screen(question, partial(_answered, screen, spec, ""))


def _same_text(same: RunRecord, seconds: float) -> str:
    how = f"{same.state}, {same.verdict}" if same.verdict else str(same.state)
    age = ago(same.created)
    when = "just now" if age == "now" else f"{age} ago"
    again = f" Once more takes about {about(seconds)}." if seconds > LONG else ""
    return (
        f"{clean_text(same.title, 60)} ({how}) was launched {when} with the same config, data, seeds and device.{again}"
    )


def _answered(screen: ModeScreen, spec: RunSpec, same: str, answer: str | None) -> None:
    from jobs import runs

    if answer == "open":
        screen.genlab.open_live(same)
    elif answer == "run":
        then = partial(_launched, screen)
        screen.genlab.act(f"launch {spec.phenomenon}", runs.submit, screen.genlab.lab, spec, then=then)


def _launched(screen: ModeScreen, run: RunRecord) -> None:
    screen.genlab.say(f"{run.phenomenon} {run.id} is queued", title="launched")
    screen.genlab.launched(run.id)
