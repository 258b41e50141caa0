"""The log of a run: what the phenomenon reported and the end of what the worker printed, cleaned."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.style import Style
from rich.text import Text
from textual.widgets import RichLog

from genlab_tui.events import Log
from genlab_tui.rundata import RunData
from genlab_tui.text import clean_text, human_seconds
from screens.panels.happened import convert

TAIL = 200_000
"""Bytes of log.txt that are shown, from its end."""


def log_tail(path: Path, limit: int = TAIL) -> list[str]:
    """Return the last lines of a log file, cleaned; none where there is no file. A line cut at the front is left out.

    A carriage return means what it means in a terminal: the line is written anew (progress bars).
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - limit, 0))
            data = file.read(limit)
    except OSError:
        return []
    lines = data.decode("utf-8", "replace").split("\n")
    if size > limit:
        lines = lines[1:]
    shown = [line.rstrip("\r").rpartition("\r")[2] for line in lines]
    while shown and not shown[-1].strip():
        shown.pop()
    return [clean_text(line, 2000, multiline=True) for line in shown]


def reports(data: RunData, own: Sequence[tuple[int, str]] = ()) -> tuple[Log, ...]:
    """Return when and where a run began, what it reported and what its members reached, as one log.

    `own` are the user's marks at steps: each stands where a curve came to that step.
    """
    found: list[Log] = []
    if data.begin is not None:
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(data.begin.time))
        attempt = f", attempt {data.begin.attempt}" if data.begin.attempt > 1 else ""
        found.append(Log(attempt=data.begin.attempt, text=f"began {moment} on {data.begin.device or '?'}{attempt}"))
    for mark in data.marks:
        arm = data.arm(mark.arm)
        who = [arm.title if arm else mark.arm] if mark.arm else []
        who += [f"seed {mark.seed}"] if mark.seed >= 0 else []
        where = f" at step {mark.step:,}" if mark.step >= 0 else ""
        text = f"{', '.join(who)}: {mark.text}{where}" if who else f"{mark.text}{where}"
        found.append(Log(attempt=mark.attempt, at=mark.at, text=text))
    curve = max((c for m in data.curves.values() for c in m.values()), key=lambda c: len(c.step), default=None)
    for step, words in own:
        at = convert(curve, step, "step", "seconds") if curve is not None and len(curve.step) else 0.0
        newest = data.begin.attempt if data.begin else 1
        found.append(Log(attempt=newest, at=at, text=f"your mark: {words} at step {step:,}"))
    return tuple(sorted((*found, *data.logs), key=lambda log: (log.attempt, log.at)))


LEVELS = {"warning": "yellow", "error": "red"}


class LogPanel(RichLog):
    """Reports first, each with its time, then the worker's output; it stays at the end unless scrolled up."""

    DEFAULT_CSS = """
    LogPanel { background: $background; scrollbar-size-vertical: 1; overflow: hidden auto; }
    """

    def __init__(self) -> None:
        super().__init__(wrap=True, markup=False, highlight=False, max_lines=5000, min_width=20)
        self._shown: tuple[tuple[Log, ...], tuple[str, ...]] | None = None

    def tell(self, logs: Sequence[Log], lines: Sequence[str]) -> None:
        """Show reports and the lines of the log; what is already shown is only added to."""
        now = (tuple(logs), tuple(lines))
        if now == self._shown:
            return
        before, self._shown = self._shown, now
        if before and before[0] == now[0] and before[1] and now[1][: len(before[1])] == before[1]:
            self._write(now[1][len(before[1]) :])
            return
        self.clear()
        for log in logs:
            style = Style(color=LEVELS.get(log.level))
            self.write(Text(f"{human_seconds(log.at):>7}  {clean_text(log.text, 500)}", style=style))
        if logs and lines:
            self.write(Text("── output ──", style="dim"))
        if not logs and not lines:
            self.write(Text("nothing was logged", style="dim"))
        self._write(now[1])

    def _write(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.write(Text(line))
