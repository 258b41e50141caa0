"""A slow line: what is drawn adapts to it, keys are not buried under old pictures, and an idle screen sends nothing."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from genlab_tui import events as ev
from genlab_tui.paths import Lab
from genlab_tui.safe_io import make_private_dir, write_json
from screens.link import ASK_AFTER, FIRST, GRACE, LEAST, LONGEST, LOST, Link

KeepRun = Callable[..., str]

pytestmark = pytest.mark.usefixtures("toys")

ASK = b"\x1b[6n"


class SlowTerminal:
    """A terminal at the end of a line: takes `rate` bytes a second, says where its cursor is when it gets there."""

    def __init__(
        self,
        environ: Mapping[str, str],
        rate: float,
        *,
        answers: bool = True,
        leads: bool = False,
        args: tuple[str, ...] = (),
    ) -> None:
        """Start the app; with `leads` it is the leader of a session whose terminal this is, as at a login."""
        self.rate, self.answers = rate, answers
        self.seen = bytearray()
        self.asked_at = 0
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.fd = ours
        program = [sys.executable, "-P", "-m", "genlab_tui", "tui", *args]
        root = str(Path(__file__).resolve().parents[2])
        self.process = subprocess.Popen(
            program,
            env={**environ, "TERM": "xterm-256color"},
            cwd=root,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=leads,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if leads else None,
        )
        os.close(theirs)
        self._began, self._read = time.monotonic(), 0

    def run(self, seconds: float, until: Callable[[], object] = lambda: False) -> bool:
        """Read for a time, or until something holds; return whether it does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until():
                return True
            allowed = int((time.monotonic() - self._began) * self.rate) - self._read
            if allowed >= min(self.rate / 20, 512) and select.select([self.fd], [], [], 0.02)[0]:
                try:
                    data = os.read(self.fd, min(allowed, 4096))
                except OSError:  # the app has closed the terminal
                    time.sleep(0.05)
                    continue
                self._read += len(data)
                self.seen += data
                self._answer()
            elif allowed > self.rate / 5:  # nothing to read: what was not used is lost, as on a line
                self._read += allowed - int(self.rate / 5)
            else:
                time.sleep(0.01)
        return bool(until())

    def _answer(self) -> None:
        while self.answers and (at := self.seen.find(ASK, self.asked_at)) >= 0:
            self.asked_at = at + len(ASK)
            os.write(self.fd, b"\x1b[1;1R")

    def press(self, keys: bytes) -> int:
        """Type; return how much had been seen before."""
        os.write(self.fd, keys)
        return len(self.seen)

    def waiting(self) -> int:
        """Return how many bytes lie between the app and us."""
        count = bytearray(4)
        fcntl.ioctl(self.fd, termios.FIONREAD, count)
        return int(struct.unpack("i", count)[0])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_quick_link_is_never_behind() -> None:
    clock = Clock()
    link = Link(clock)
    for _ in range(20):
        link.sent += 5000
        link.taken = link.sent
        assert link.ask()
        clock.now += 0.002
        link.answer()
        assert link.behind <= link.room
    assert link.rest < 0.01
    assert link.room > FIRST


def test_a_slow_link_is_told_by_its_answers() -> None:
    clock = Clock()
    link = Link(clock)
    for _ in range(12):
        link.sent += 4000
        link.taken = link.sent  # a buffer on the way took it at once
        assert link.ask()
        assert link.behind > link.room or link.room == FIRST
        clock.now += 2.0
        link.answer()
        assert link.behind == 0
    assert link.room == LEAST
    assert 3.9 < link.rest <= LONGEST


def test_little_changes_ask_for_nothing() -> None:
    link = Link(Clock())
    link.sent += ASK_AFTER - 1
    assert not link.ask()
    link.sent += 1
    assert link.ask()
    assert not link.ask()


def test_a_terminal_that_never_answers_counts_as_what_the_kernel_took() -> None:
    clock = Clock()
    link = Link(clock)
    link.sent = 30_000
    link.taken = 10_000
    link.ask()
    assert link.behind == 30_000
    clock.now += GRACE + 0.1
    assert link.behind == 20_000
    link.taken = 30_000
    assert link.behind == 0
    assert link.rest == 0


def test_an_answer_that_is_lost_does_not_stop_the_drawing_for_ever() -> None:
    clock = Clock()
    link = Link(clock)
    link.sent = 1000
    link.ask()
    clock.now += 0.1
    link.answer()
    link.sent = link.taken = 90_000
    link.ask()
    clock.now += LOST - 1
    assert link.behind > link.room
    clock.now += 2
    assert link.behind == 0


def test_an_answer_that_nobody_asked_for_means_nothing() -> None:
    link = Link(Clock())
    link.answer()
    assert not link.answers


@pytest.fixture
def growing(lab: Lab, keep_run: KeepRun) -> Iterator[str]:
    """A run whose curves grow twenty times a second."""
    run_id = keep_run("growing", "running", steps=2)
    stop = threading.Event()

    def write() -> None:
        with lab.run(run_id).events.open("ab") as file:
            step = 2
            while not stop.wait(0.05):
                for arm, height in (("fast", 0.9), ("slow", 0.4)):
                    values = ev.to_values(height * (step % 17) / 17 + 0.01 * seed for seed in range(3))
                    curve = ev.Curve(
                        cohort=arm, metric="test_accuracy", step=step, epoch=step / 10, seconds=step / 20, values=values
                    )
                    file.write(ev.encode(curve) + b"\n")
                file.flush()
                step += 1

    thread = threading.Thread(target=write)
    thread.start()
    yield run_id
    stop.set()
    thread.join()


@pytest.fixture
def environ(lab: Lab, toys: Path) -> dict[str, str]:
    make_private_dir(lab.root)
    write_json(lab.view, {"welcomed": True})
    return {**os.environ, "GENLAB_HOME": str(lab.root), "GENLAB_ASCII": "0", "LC_ALL": "C.UTF-8"}


@pytest.mark.slow
@pytest.mark.parametrize("answers", [True, pytest.param(False, marks=pytest.mark.full)])
def test_over_a_slow_line_keys_are_not_buried_under_pictures(
    environ: dict[str, str], growing: str, answers: bool
) -> None:
    rate = 1200
    terminal = SlowTerminal(environ, rate, answers=answers)
    try:
        assert terminal.run(30, lambda: b"1 running" in terminal.seen)
        terminal.press(b"2")
        assert terminal.run(30, lambda: b"growing" in terminal.seen)
        terminal.run(15)  # curves grow, pictures come as the line takes them
        before = terminal.press(b"?")
        pressed = time.monotonic()
        assert terminal.run(60, lambda: re.search(rb"keys[^\n]{0,40}Live", terminal.seen[before:]))
        buried = len(terminal.seen) - before
        # With answers: a picture on its way and the one with the help. Without: also what the kernel's buffer holds.
        assert buried < (12_000 if answers else 40_000)
        assert time.monotonic() - pressed < (10 if answers else 45)
        terminal.press(b"\x1b")
        terminal.run(1)
        terminal.press(b"q")
        assert terminal.run(20, lambda: terminal.process.poll() is not None)
        assert terminal.process.returncode == 0
        terminal.rate *= 100
        assert terminal.run(5, lambda: b"goes on without the screen" in terminal.seen)
    finally:
        terminal.close()


@pytest.mark.slow
def test_an_idle_screen_sends_next_to_nothing(environ: dict[str, str], keep_run: KeepRun) -> None:
    keep_run("one")
    terminal = SlowTerminal(environ, 1e6)
    try:
        assert terminal.run(30, lambda: b"enomena" in terminal.seen)
        terminal.run(4)
        for key in (b"1", b"2", b"3", b"4"):
            terminal.press(key)
            terminal.run(4)
            before = len(terminal.seen)
            terminal.run(4)
            assert (len(terminal.seen) - before) / 4 <= 1024, key
    finally:
        terminal.close()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_leaves_the_terminal_as_it_was(
    environ: dict[str, str], keep_run: KeepRun, number: signal.Signals, status: int
) -> None:
    keep_run("going", "running", steps=3)
    terminal = SlowTerminal(environ, 1e6)
    try:
        assert terminal.run(30, lambda: b"1 running" in terminal.seen)
        terminal.process.send_signal(number)
        assert terminal.run(15, lambda: terminal.process.poll() is not None)
        assert terminal.process.returncode == status
        terminal.run(0.5)
        assert b"\x1b[?1049l" in terminal.seen
        assert b"1 run goes on without the screen" in terminal.seen
    finally:
        terminal.close()


@pytest.mark.slow
def test_a_line_that_breaks_ends_the_app(environ: dict[str, str], keep_run: KeepRun) -> None:
    keep_run("going", "running", steps=3)
    terminal = SlowTerminal(environ, 1e6, leads=True)
    assert terminal.run(30, lambda: b"1 running" in terminal.seen)
    os.close(terminal.fd)  # the kernel sends SIGHUP, and nothing can be written any more
    assert terminal.process.wait(15) == 129


@pytest.mark.slow
@pytest.mark.parametrize("off", ["--no-mouse", "GENLAB_MOUSE", ""])
def test_the_mouse_is_left_to_the_terminal_on_request(environ: dict[str, str], off: str) -> None:
    more = {"GENLAB_MOUSE": "0"} if off == "GENLAB_MOUSE" else {}
    terminal = SlowTerminal(environ | more, 1e6, args=(off,) if off.startswith("--") else ())
    try:
        assert terminal.run(30, lambda: b"enomena" in terminal.seen)
        assert (b"\x1b[?1000h" in terminal.seen) is (not off)
    finally:
        terminal.close()


@pytest.mark.slow
def test_the_option_draws_in_ascii(environ: dict[str, str]) -> None:
    del environ["GENLAB_ASCII"]
    terminal = SlowTerminal(environ, 1e6, args=("--ascii",))
    try:
        assert terminal.run(30, lambda: b"enomena" in terminal.seen)
        terminal.run(1)
        assert terminal.seen.isascii()
    finally:
        terminal.close()
