"""Work in parts, one after another with room between them: no key waits for more than one of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from textual.message_pump import MessagePump

ROOM = 0.003
"""Seconds between two parts: what is there to be done besides is done then."""
PATIENCE = 10
"""How often a part lets a key pass that is being dealt with."""

Part = Callable[[], object]


class Turns:
    """The parts of the newest piece of work. What is left of the one before is dropped: the newer one has it too.

    `busy` tells that a key is being dealt with: it goes first.
    """

    def __init__(self, node: MessagePump, busy: Callable[[], bool]) -> None:
        self.node = node
        self.busy = busy
        self.waiting: deque[Part] = deque()
        self._going = False
        self._held = 0

    def take(self, parts: Iterable[Part]) -> None:
        """Do the first part now where a key waits for it, everything else in its turn."""
        self.waiting = deque(parts)
        if self.waiting and self.busy():
            self.waiting.popleft()()
        self._soon()

    def _soon(self) -> None:
        if self.waiting and not self._going:
            self._going = True
            self.node.set_timer(ROOM, self._next)

    def _next(self) -> None:
        self._going = False
        if self.busy() and self._held < PATIENCE:
            self._held += 1
        elif self.waiting:  # a key may have had all of them done anew
            self._held = 0
            self.waiting.popleft()()
        self._soon()
