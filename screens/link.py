"""How fast the terminal takes what is sent, so that a slow link is never sent more than it can show.

Buffers on the way (the kernel's, ssh's, the network's) hide a slow terminal until they are full, and then every key
waits for seconds of old pictures. So now and then the terminal is asked where its cursor is: its answer comes when it
has shown all that was sent before. Until then the screen collects its changes and sends them as one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from threading import Event as Flag
from typing import IO, TYPE_CHECKING, Any

from textual import events
from textual.drivers.linux_driver import LinuxDriver

from screens.lean import lean

if TYPE_CHECKING:
    from textual.app import App
    from textual.message import Message

ASK = "\x1b[6n"
"""Where is your cursor? Every terminal answers, in a few bytes."""
ASK_AFTER = 512
"""Characters after which the terminal is asked: what less than that changes is shown in no time."""
AHEAD = 0.4
"""So many seconds of what the link takes may be on their way."""
LEAST, FIRST, MOST = 1024, 16_384, 65_536
"""Characters on their way: always allowed, before anything is known, at most."""
GRACE, LOST = 2.0, 30.0
"""Seconds to wait for the first answer, and for one that never comes although there were others."""
SHARE = 2.0
"""Pictures of what trains leave the link idle for so many times the time that one takes."""
LONGEST = 20.0


class Link:
    """What was sent, what the kernel took, what the terminal has shown; in characters."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.sent = self.taken = self.shown = 0
        self.answers = False
        self.delay = 0.0
        """Seconds that a picture took of late."""
        self._asked: deque[tuple[int, float]] = deque()
        self._last = self._answered = clock()
        self._mark = 0
        self._rates: deque[float] = deque(maxlen=8)

    def ask(self) -> bool:
        """Whether to ask the terminal now; takes it for asked."""
        if self.sent - self._mark < ASK_AFTER:
            return False
        self._asked.append((self.sent, self.clock()))
        self._mark = self.sent
        return True

    def answer(self) -> None:
        """Take note of the terminal's answer (one that nobody asked for means nothing)."""
        if not self._asked:
            return
        count, asked = self._asked.popleft()
        now = self.clock()
        took = max(now - max(asked, self._answered), 1e-6)
        self._rates.append((count - self.shown) / took)
        self.delay = 0.5 * self.delay + 0.5 * (now - asked)
        self.answers, self.shown, self._answered = True, count, now

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._asked)

    @property
    def room(self) -> float:
        """How much may be on its way."""
        return min(max(AHEAD * max(self._rates), LEAST), MOST) if self._rates else FIRST

    @property
    def behind(self) -> float:
        """How much is on its way; only what the kernel has not taken where the terminal does not answer."""
        if self._asked:
            waited = self.clock() - max(self._asked[0][1], self._answered if self.answers else 0.0)
            if waited > (LOST if self.answers else GRACE):
                if self.answers:
                    self._asked.clear()
                    self.shown = self.sent
            else:
                return max(self.sent - self.shown, 0)
        return max(self.sent - self.taken, 0)

    @property
    def rest(self) -> float:
        """Seconds to leave between two pictures of what trains."""
        held = self.clock() - self._asked[0][1] if self._asked and self.answers else 0.0
        return min(SHARE * max(self.delay, held), LONGEST)


class _Meter:
    """The terminal as a file that counts what it took; one that is gone takes everything."""

    def __init__(self, file: IO[str], link: Link) -> None:
        self.file, self.link = file, link

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self.file.write(text)
        self.link.taken += len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self.file.flush()

    def fileno(self) -> int:
        return self.file.fileno()


class LinkDriver(LinuxDriver):
    """Textual's driver with a look at the link."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self.link = Link()
        self._quiet = Flag()
        self._file: Any = _Meter(self._file, self.link)

    def write(self, data: str) -> None:
        data = lean(data)
        self.link.sent += len(data)
        super().write(data)

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.CursorPosition):
            self.link.answer()
            if not self.link.waiting:
                self._quiet.set()
            return
        super().process_message(message)

    def disable_input(self) -> None:
        """Wait for answers still to come: after the end, they would be typed into the shell."""
        self._quiet.clear()
        if self.link.waiting and self.link.answers:
            self._quiet.wait(2.0)
        super().disable_input()


class Flow:
    """Holds the drawing of an app back while its terminal has enough to do."""

    EVERY = 0.05
    """Seconds between two looks at the link while the drawing is held."""

    def __init__(self, app: App[Any]) -> None:
        self.app = app
        self.missed = False
        """Whether something was drawn for nothing meanwhile."""
        self._held: ExitStack | None = None

    @property
    def held(self) -> bool:
        return self._held is not None

    def displayed(self, driver: object) -> None:
        """A picture went to the driver; on the UI thread."""
        if not isinstance(driver, LinkDriver):
            return
        if self._held is not None:
            self.missed = True
            return
        link = driver.link
        if link.ask():
            driver.write(ASK)
        if link.behind > link.room:
            self._held = ExitStack()
            self._held.enter_context(self.app.batch_update())
            self.app.set_timer(self.EVERY, lambda: self._look(driver))

    def _look(self, driver: LinkDriver) -> None:
        link = driver.link
        if self._held is None:
            return
        if link.behind > link.room / 2:
            self.app.set_timer(self.EVERY, lambda: self._look(driver))
            return
        held, self._held = self._held, None
        held.close()
        if self.missed:
            self.missed = False
            self.app.screen.refresh()
