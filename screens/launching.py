"""From the form to the queue: validate, offer an identical stored run first, submit, say so."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual.content import Content

from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunSpec
from genlab_tui.text import clean_text
from screens.base import ModeScreen
from screens.panels.marks import ago
from screens.sheet import Answer, Ask


def launch(screen: ModeScreen, phenomenon: str, request: dict[str, Any]) -> None:
    """Launch what `request` asks for (the keyword arguments of `build_spec`); every step off the UI thread."""
    genlab = screen.genlab
    genlab.act(f"launch {phenomenon}", _prepare, genlab.lab, phenomenon, request, then=partial(_prepared, screen))


def _prepare(lab: Lab, phenomenon: str, request: dict[str, Any]) -> tuple[RunSpec, RunRecord | None]:
    from jobs import runs
    from jobs.request import build_spec

    spec = build_spec(phenomenon, lab=lab, **request)
    return spec, runs.find_identical(lab, spec)


def _prepared(screen: ModeScreen, found: tuple[RunSpec, RunRecord | None]) -> None:
    spec, same = found
    if same is None:
        submit(screen, spec)
        return
    how = f"{same.state}, {same.verdict}" if same.verdict else str(same.state)
    age = ago(same.created)
    when = "just now" if age == "now" else f"{age} ago"
    text = f"{clean_text(same.title, 60)} ({how}) was launched {when} with the same config, data, seeds and device."
    answers = (Answer("o", "open it", "open"), Answer("r", "run again all the same", "run"))
    screen.app.push_screen(
        Ask("the same run exists", Content(text), answers), partial(_answered, screen, spec, same.id)
    )


def _answered(screen: ModeScreen, spec: RunSpec, same: str, answer: str | None) -> None:
    if answer == "open":
        screen.genlab.open_live(same)
    elif answer == "run":
        submit(screen, spec)


def submit(screen: ModeScreen, spec: RunSpec) -> None:
    """Queue a run and say its id."""
    from jobs import runs

    def launched(run: RunRecord) -> None:
        screen.genlab.say(f"{run.phenomenon} {run.id} is queued", title="launched")

    screen.genlab.act(f"launch {spec.phenomenon}", runs.submit, screen.genlab.lab, spec, then=launched)
