"""How states, verdicts and progress look, the same on every screen."""

from __future__ import annotations

import time

from textual.content import Content

from genlab_tui.run import RunRecord, RunState

STATE_MARKS: dict[RunState, tuple[str, str]] = {
    RunState.QUEUED: ("·", "$foreground-muted"),
    RunState.STARTING: ("▷", "$text-primary"),
    RunState.RUNNING: ("▶", "$text-primary"),
    RunState.PAUSED: ("‖", "$text-warning"),
    RunState.STOPPING: ("▪", "$text-warning"),
    RunState.DONE: ("✓", "$text-success"),
    RunState.STOPPED: ("■", "$foreground-muted"),
    RunState.FAILED: ("✗", "$text-error"),
    RunState.KILLED: ("✗", "$text-error"),
    RunState.LOST: ("?", "$text-error"),
}
"""A character and a style for every state."""

FLAG = "⚑"
"""A regulariser was changed in flight: the numbers are never pooled with others."""

VERDICT_STYLES = {"SHOWN": "$text-success", "NOT SHOWN": "$text-accent", "INCONCLUSIVE": "$text-warning"}
"""A verdict's colour; NOT SHOWN is a result, so it is not the red of a failure."""

VERDICT_MARKS = {"SHOWN": "✓", "NOT SHOWN": "✗", "INCONCLUSIVE": "?"}
"""A mark that goes with a verdict's word, for the eye that runs down a list."""

VERDICT_SHORT = {"SHOWN": "SHOWN", "NOT SHOWN": "NOT", "INCONCLUSIVE": "INCON"}
VERDICT_ROOM = 9
"""Cells in which every verdict can be told from the others by its own words."""


def state_mark(record: RunRecord) -> Content:
    """Return the one-character mark of a run's state; a held run has its own."""
    if record.state is RunState.QUEUED and record.held:
        return Content.styled("◦", "$text-warning")
    return Content.styled(*STATE_MARKS[record.state])


def verdict_text(verdict: str, *, short: bool = False, room: int = 12) -> Content:
    """Return a verdict in its colour, abbreviated to a room of `VERDICT_ROOM` cells or more; `short` fits five."""
    word = verdict or "–"
    if short or room < VERDICT_ROOM:
        word = VERDICT_SHORT.get(verdict, "–")
    elif len(word) > room:
        word = "INCONCL." if verdict == "INCONCLUSIVE" else word[:room]
    return Content.styled(word, VERDICT_STYLES.get(verdict, "$foreground-disabled"))


def bar(done: float, width: int) -> Content:
    """Return a progress bar of a width in cells; `done` is 0 to 1 (anything else is cut to it)."""
    halves = round(min(max(done if done == done else 0.0, 0.0), 1.0) * width * 2)
    full, half = divmod(halves, 2)
    rest = width - full - half
    return Content.assemble(("━" * full + "╸" * half, "$primary"), ("─" * rest, "$border"))


def ago(moment: float, now: float | None = None) -> str:
    """Return how long ago a POSIX time is, in at most four characters: `now`, `5m`, `3h`, `12d`."""
    seconds = max((time.time() if now is None else now) - moment, 0)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "now"


def remaining(seconds: float) -> str:
    """Return a time left in at most five characters: `0:41`, `12:05`, `3h20`, `2d4h`; dashes where it is not known."""
    if not 0 <= seconds < 8_640_000:
        return "–:––"
    minutes, secs = divmod(round(seconds), 60)
    if minutes < 100:
        return f"{minutes}:{secs:02d}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}" if hours < 48 else f"{hours // 24}d{hours % 24}h"


def fit(text: str, width: int) -> str:
    """Return text cut or filled to exactly `width` cells."""
    content = Content(text)
    if content.cell_length > width:
        return content.truncate(width, ellipsis=True).plain if width > 0 else ""
    return text + " " * (width - content.cell_length)


def clip(content: Content, width: int, rows: int) -> Content:
    """Return content cut to a width and a number of rows, with an ellipsis; as it is while there is no layout yet."""
    if not width or not rows:
        return content
    lines = content.wrap(width)
    if len(lines) <= rows:
        return content
    last = lines[rows - 1].truncate(width - 1).rstrip() + Content("…")
    return Content("\n").join([*(line.rstrip() for line in lines[: rows - 1]), last])
