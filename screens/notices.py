"""What is said to the user: toasts, and the terminal's own signal for one who looks elsewhere."""

from __future__ import annotations

import time
from typing import Any

from textual.app import App

from genlab_tui.text import clean_text
from screens.sheet import Ask, Sheet

WAYS = {
    "bell": "the terminal's bell",
    "osc 9": "a desktop notification (OSC 9: iTerm2, kitty, WezTerm, Ghostty)",
    "osc 777": "a desktop notification (OSC 777: foot, urxvt, Ghostty)",
    "off": "nothing but the toast",
}
"""How the end of a run is told while the terminal is in the background."""

ERROR_SECONDS = 5.0


class Notices:
    """Toasts that wait while a sheet is read; signals while the terminal does not have the focus."""

    def __init__(self, app: App[Any]) -> None:
        self.app = app
        self.way = "bell"
        self._unsaid: list[tuple[str, str, str]] = []
        self._until = 0.0

    def say(self, text: object, *, title: str = "", severity: str = "information") -> None:
        """Show a toast; over a sheet or a question it waits: it would lie over what is being read."""
        words = clean_text(text, 300), clean_text(title, 80), severity
        if any(isinstance(screen, (Ask, Sheet)) for screen in self.app.screen_stack[-1:]):
            self._unsaid.append(words)
        else:
            self._toast(*words)

    def say_the_rest(self) -> None:
        """Show the toasts that waited."""
        unsaid, self._unsaid = self._unsaid, []
        for words in unsaid:
            self._toast(*words)

    def _toast(self, text: str, title: str, severity: str) -> None:
        """Show one toast at a time: several would lie over half of a small screen. An error keeps its seconds."""
        kind: Any = severity
        now = time.monotonic()
        if now >= self._until:
            self.app.clear_notifications()
        if severity == "error":
            self._until = now + ERROR_SECONDS
        self.app.notify(text, title=title, severity=kind, markup=False)

    @property
    def unseen(self) -> bool:
        """Whether the terminal is in the background (known of terminals that report it)."""
        return not self.app.app_focus

    def signal(self, text: str) -> None:
        """Tell through the terminal what a toast says, where nobody looks at it."""
        driver = self.app._driver
        if not self.unseen or driver is None or self.way not in WAYS or self.way == "off":
            return
        words = clean_text(text, 200).replace(";", ",")
        codes = {"bell": "\a", "osc 9": f"\x1b]9;genlab: {words}\a", "osc 777": f"\x1b]777;notify;genlab;{words}\a"}
        driver.write(codes[self.way])
