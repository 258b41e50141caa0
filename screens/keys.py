"""One key after the other: what a key leads to is done before the next one is looked at.

Textual hands a key to the widget that has the focus at that instant and goes on. Over a slow link, or while the
machine trains, keys come in bursts: `/toy⏎r` would reach the list as commands, before `/` has opened the filter.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from textual.app import App
from textual.events import Key

PATIENCE = 0.25
"""Seconds after which a key that takes long no longer keeps the next one waiting."""
ROUNDS = 2
"""Once for the key itself, once for what the widget says because of it."""


class KeyQueue:
    """Keys in the order in which they were typed; `handle` is what the app does with one."""

    def __init__(self, app: App[Any], handle: Callable[[Key], Awaitable[None]]) -> None:
        self.app = app
        self.handle = handle
        self.waiting: deque[Key] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a key is being dealt with."""
        return self._task is not None and not self._task.done()

    def put(self, key: Key) -> None:
        """Have a key handled after those before it."""
        self.waiting.append(key)
        if not self.busy:
            self._task = asyncio.create_task(self._work(), name="keys")

    async def _work(self) -> None:
        while self.waiting:
            target = self.app.focused or self.app.screen
            self.app.call_later(self.handle, self.waiting.popleft())
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._passed(self.app)
                    for _ in range(ROUNDS):
                        for node in target.ancestors_with_self:  # the app is the last of them
                            await self._passed(node)

    @staticmethod
    async def _passed(node: Any) -> None:
        """Return when a node has worked off the messages that it has by now, or is closed."""
        done = asyncio.Event()
        if node.call_later(done.set):
            await done.wait()
