"""Watch runs as text: one frame for scripts, a view that redraws where the cursor can be moved, lines elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence

import click

from genlab_tui.commands.compare import find_all
from genlab_tui.errors import NotFound
from genlab_tui.paths import Lab, lab_home
from genlab_tui.run import RunRecord
from genlab_tui.summary import LoadedRun
from genlab_tui.text import clean_text, human_seconds

EVERY = 1.0
"""Seconds between two looks."""
PATIENCE = 10.0
"""A frame that took so long to send is followed by a pause of so many times as long: the link is slow."""
SIZE = (80, 24)
"""Columns and lines where there is no terminal."""


def watch_runs(
    runs: tuple[str, ...], once: bool, width: int | None, height: int | None, panels: int, plain: bool
) -> int:
    """Show runs until they end, or one frame of them; return 0 whatever became of them."""
    lab = lab_home()
    watched = _Watched(lab, find_all(lab, runs) if runs else [last_started(lab)])
    look = _Look(width, height, panels, plain)
    if once:
        for line in look.frame(watched.look()):
            click.echo(line)
    elif look.redraws:
        _redraw(watched, look)
    else:
        _append(watched, look)
    return 0


def last_started(lab: Lab) -> RunRecord:
    """Return the run that started last; where none has started, the newest. Raises NotFound."""
    from jobs import runs as verbs

    records = verbs.list_runs(lab)
    if not records:
        raise NotFound("there is no run yet", "start one with `genlab-tui run`")
    started = [record for record in records if record.started]
    return max(started, key=lambda record: record.started) if started else records[0]


class _Watched:
    """The runs that are watched, read again at every look."""

    def __init__(self, lab: Lab, records: Sequence[RunRecord]) -> None:
        from jobs.tail import RunReader

        self.lab = lab
        self.readers = {record.id: RunReader(lab.run(record.id)) for record in records}

    def look(self) -> list[LoadedRun]:
        """Return the runs as they are now; where one waits for a drain, looking starts it. Raises GenlabError."""
        from jobs import runs as verbs
        from jobs.loaded import load

        known = {record.id: record for record in verbs.list_runs(self.lab)}
        return [load(self.lab, known.get(i) or verbs.find_run(self.lab, i), r) for i, r in self.readers.items()]


class _Look:
    """How frames are made: size, number of charts, characters, colours."""

    def __init__(self, width: int | None, height: int | None, panels: int, plain: bool) -> None:
        self.asked = (width, height)
        self.panels = panels
        self.terminal = sys.stdout.isatty()
        dumb = os.environ.get("TERM", "") in ("", "dumb", "unknown")
        # Not every stream can carry braille: a log in Latin-1 must not end the watching.
        self.plain = plain or not _carries(sys.stdout.encoding)
        self.redraws = self.terminal and not dumb and not plain
        self.colours = self.redraws and not os.environ.get("NO_COLOR")

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of a frame now."""
        here = shutil.get_terminal_size(SIZE) if self.terminal else os.terminal_size(SIZE)
        width, height = (
            self.asked[0] or here.columns,
            self.asked[1] or (here.lines - 1 if self.terminal else here.lines),
        )
        # A line that wraps, or a frame that scrolls, cannot be drawn over.
        return (min(width, here.columns), min(height, here.lines - 1)) if self.redraws else (width, height)

    def frame(self, runs: Sequence[LoadedRun]) -> list[str]:
        """Return the frame of runs."""
        from genlab_tui.commands.watch_frame import compose

        width, height = self.size
        return compose(runs, width, height, panels=self.panels, plain=self.plain, colours=self.colours)


def _carries(encoding: str | None) -> bool:
    try:
        "⣿│·".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _ended(runs: Sequence[LoadedRun]) -> bool:
    return all(run.record.state.ended for run in runs)


# --- where the cursor can be moved ------------------------------------------------------------------------------------


def _redraw(watched: _Watched, look: _Look) -> None:
    """Draw frame over frame, sending only lines that changed."""
    shown: list[str] = []
    size = look.size
    while True:
        runs = watched.look()
        lines = look.frame(runs)
        began = time.monotonic()
        anew = size != look.size
        size = look.size
        click.echo(("\x1b[2J\x1b[H" if anew else "") + over([] if anew else shown, lines), nl=False)
        sys.stdout.flush()
        shown = lines
        if _ended(runs):
            return
        time.sleep(max(EVERY, PATIENCE * (time.monotonic() - began)))


def over(shown: Sequence[str], lines: Sequence[str]) -> str:
    """Return what turns the frame that is shown into another one; the cursor stands below either."""
    up = f"\x1b[{len(shown)}A" if shown else ""
    parts = []
    for i, line in enumerate(lines):
        parts.append("\n" if i < len(shown) and shown[i] == line else f"\r\x1b[2K{line}\n" if shown else f"{line}\n")
    return up + "".join(parts) + ("\x1b[J" if len(lines) < len(shown) else "")


# --- where it cannot --------------------------------------------------------------------------------------------------


def _append(watched: _Watched, look: _Look) -> None:
    """Print a line whenever a run is a tenth further or in another state, and the whole frame at the end."""
    told: dict[str, tuple[str, int]] = {}
    while True:
        runs = watched.look()
        for run in runs:
            news = (str(run.record.state), int(_done(run) * 10))
            if told.get(run.id) != news:
                told[run.id] = news
                click.echo(_news(run, plain=look.plain))
        if _ended(runs):
            break
        sys.stdout.flush()
        time.sleep(EVERY)
    for line in look.frame(runs):
        click.echo(line)


def _done(run: LoadedRun) -> float:
    done = run.data.progress.done if run.data.progress else 0.0
    return min(max(done, 0.0), 1.0) if done == done else 0.0


def _news(run: LoadedRun, *, plain: bool) -> str:
    from screens.ascii import to_ascii

    record, progress = run.record, run.data.progress
    parts = [time.strftime("%H:%M:%S"), run.id, str(record.state)]
    if progress and not record.state.ended:
        parts.append(f"{100 * _done(run):.0f} %")
        if progress.eta >= 0:
            parts.append(f"ETA {human_seconds(progress.eta)}")
        parts.append(clean_text(progress.label, 60))
    if record.reason:
        parts.append(clean_text(record.reason, 200))
    text = "  ".join(part for part in parts if part)
    return to_ascii(text) if plain else text
