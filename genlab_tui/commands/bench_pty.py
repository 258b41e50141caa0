"""An app in a pseudo-terminal, as the bench drives it: what its screen shows, what it costs, how soon it answers."""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ
from types import TracebackType
from typing import Self

from genlab_tui.errors import GenlabError

ROWS, COLUMNS = 24, 80
PATIENCE = 20.0
"""Seconds after which an app that shows nothing of what is waited for is given up."""
APP = (sys.executable, "-P", "-m", "genlab_tui", "tui")

_TOKEN = re.compile(
    r"\x1b\[(?P<given>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]P_^X].*?(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-OQ-WYZ`-~\\]"
    r"|(?P<text>[^\x1b]+)",
    re.DOTALL,
)

Cell = tuple[str, str]
"""A character and the codes of its style."""


class Screen:
    """What a terminal shows of the bytes it got: as much of one as Textual's output needs."""

    def __init__(self, rows: int = ROWS, columns: int = COLUMNS) -> None:
        self.rows, self.columns = rows, columns
        self.cells: list[list[Cell]] = []
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest, self._style = "", ""
        self._row = self._column = 0
        self._clear()

    def _clear(self) -> None:
        self.cells = [[(" ", "")] * self.columns for _ in range(self.rows)]

    def feed(self, data: bytes) -> None:
        """Take what was sent; a sequence that is cut off waits for its end."""
        text = self._rest + self._decoder.decode(data)
        at = 0
        while found := _TOKEN.match(text, at):
            at = found.end()
            if found["text"] is not None:
                self._write(found["text"])
            elif found["final"] is not None:
                self._control(found["given"], found["final"])
        self._rest = text[at:]

    def _control(self, given: str, final: str) -> None:
        numbers = [int(part) if part.isdecimal() else 0 for part in given.split(";")]
        if final in "Hf":
            self._row = min(max(numbers[0], 1), self.rows) - 1
            self._column = min(max(numbers[1] if len(numbers) > 1 else 1, 1), self.columns) - 1
        elif final == "m":
            self._style = "" if given in ("", "0") else given
        elif final == "J" and numbers[0] == 2:
            self._clear()

    def _write(self, text: str) -> None:
        for character in text:
            if character == "\n":
                self._row, self._column = min(self._row + 1, self.rows - 1), 0
            elif character == "\r":
                self._column = 0
            elif character >= " " and self._column < self.columns:
                self.cells[self._row][self._column] = (character, self._style)
                self._column += 2 if unicodedata.east_asian_width(character) in "WF" else 1

    @property
    def lines(self) -> list[str]:
        """The text of every row."""
        return ["".join(character for character, _ in row) for row in self.cells]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Driven:
    """A program in a pseudo-terminal. Leaving the context kills it."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        import pty

        self.screen = Screen()
        self.sent = 0
        self._ours, theirs = pty.openpty()
        ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            command, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, close_fds=True
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._ours)

    def take(self, seconds: float) -> float:
        """Wait at most so long for output and show it; return when it came (0: none did)."""
        ready, _, _ = select.select([self._ours], [], [], max(seconds, 0.0))
        if not ready:
            return 0.0
        try:
            data = os.read(self._ours, 65536)
        except OSError as problem:
            raise GenlabError(f"an app ended before its time:\n{self.screen.text.strip()[-600:]}") from problem
        came = time.perf_counter()
        self.sent += len(data)
        self.screen.feed(data)
        return came

    def run(self, seconds: float) -> None:
        """Let it go on for a while."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.take(left)

    def until(self, shown: Callable[[Screen], object], what: str) -> float:
        """Wait until the screen shows something; return when the output came that shows it."""
        end = time.perf_counter() + PATIENCE
        came = time.perf_counter()
        while not shown(self.screen):
            came = self.take(end - time.perf_counter()) or came
            if time.perf_counter() > end:
                raise GenlabError(f"an app did not show {what} for {PATIENCE:.0f} s", "is this machine overloaded?")
        return came

    def type(self, keys: str) -> float:
        """Send keys; return when."""
        at = time.perf_counter()
        os.write(self._ours, keys.encode())
        return at

    @property
    def cpu(self) -> float:
        """Seconds of processor time that it has used, in all of its threads."""
        import psutil

        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def memory(self) -> int:
        """Bytes of memory that it holds (resident)."""
        import psutil

        return int(psutil.Process(self._process.pid).memory_info().rss)


NO_PYC = "PYTHONDONTWRITEBYTECODE"


def environment(lab: Path) -> dict[str, str]:
    """Return the environment of an app on a lab: a terminal with all colours, nothing of the user's own.

    Compiled modules are kept, as they are for anybody who starts it a second time.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GENLAB_", "TEXTUAL"))}
    for name in ("NO_COLOR", "FORCE_COLOR", "TMUX", "STY", "SSH_CONNECTION", "SSH_TTY", "TERM_PROGRAM", NO_PYC):
        env.pop(name, None)
    return env | {"GENLAB_HOME": str(lab), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
