"""The app as a program in a terminal: what it remembers, how it is drawn, what it says, how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import LineFilter
from textual.theme import Theme

from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord
from genlab_tui.safe_io import make_private_dir, read_json, write_json
from screens.ascii import KEYS, AsciiFilter, ascii_wanted
from screens.base import MODES
from screens.link import Flow, LinkDriver
from screens.notices import WAYS, Notices
from screens.themes import SIXTEEN, TERMINAL_THEMES, THEMES

if TYPE_CHECKING:
    from textual.actions import ActionParseResult

ENDS = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
"""Signals that end the app, with its exit status then."""
TWICE = 3.0
"""Seconds within which a second ctrl+c leaves."""


class Shell(App[None]):
    """Keeps the view of a lab in its `view.json`: a broken one costs the view alone."""

    def __init__(self, lab: Lab, start: str = "") -> None:
        self._view = read_json(lab.view) or {}
        last = self.recall("mode")
        # The mode that the first paint shows: where one left the lab, unless told otherwise.
        self.DEFAULT_MODE = start or (last if last in MODES else MODES[0])  # type: ignore[misc]
        super().__init__()
        self.lab = lab
        self.runs: tuple[RunRecord, ...] = ()
        self._notices = Notices(self)
        way = self.recall("notify")
        if isinstance(way, str) and way in WAYS:
            self._notices.way = way
        self._flow = Flow(self)
        self._interrupted = -TWICE
        self._ascii = AsciiFilter(ascii_wanted(os.environ, _encoding(), self.recall("ascii")))
        for theme in (*THEMES, SIXTEEN):
            self.register_theme(theme)
        self.theme = self._first_theme(self.recall("theme"))

    def _first_theme(self, wanted: object) -> str:
        """Return the theme remembered, or the lab's own where that one is gone or would show nothing."""
        unseen = self.no_color and wanted in TERMINAL_THEMES
        return wanted if isinstance(wanted, str) and wanted in self.available_themes and not unseen else THEMES[0].name

    def _theme_chosen(self, theme: Theme) -> None:
        if theme is not SIXTEEN:  # the terminal's choice, not the user's
            self.remember(theme=theme.name)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *([self._ascii] if self._ascii.enabled else [])]

    def get_driver_class(self) -> type[Driver]:
        return LinkDriver

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, self._theme_chosen)
        if not self.is_headless:
            if self.console.color_system == "standard" and self.theme == THEMES[0].name and not self.no_color:
                self.theme = SIXTEEN.name
            loop = asyncio.get_running_loop()
            for number, status in ENDS.items():
                loop.add_signal_handler(number, self._leave, status)

    # --- how it is drawn ----------------------------------------------------------------------------------------------

    def post_display_hook(self) -> None:
        self._flow.displayed(self._driver)

    def pace(self) -> float:
        """Return how many seconds the link needs between two pictures of what trains; 0 for a quick one."""
        return self._driver.link.rest if isinstance(self._driver, LinkDriver) else 0.0

    def get_key_display(self, binding: Binding) -> str:
        name = super().get_key_display(binding)
        return "".join(KEYS.get(character, character) for character in name) if self._ascii.enabled else name

    def action_ascii(self) -> None:
        """Draw in ASCII, or in all characters again; remembered."""
        self._ascii.enabled = not self._ascii.enabled
        self.remember(ascii=self._ascii.enabled)
        for screen in {screen for stack in self._screen_stacks.values() for screen in stack}:
            for widget in screen.walk_children(with_self=True):
                widget.notify_style_update()
                widget.refresh(layout=True)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action. A mistake in one is said and written down; it does not end the app for somebody at work."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:
            if self.is_headless:
                raise
            with suppress(OSError), self.lab.screen_log.open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%F %T')} {action}\n{traceback.format_exc()}\n")
            self.say(f"{type(error).__name__}: {error} · {self.lab.screen_log}", title="that failed", severity="error")
            return True

    # --- what it says -------------------------------------------------------------------------------------------------

    def say(self, text: object, *, title: str = "", severity: str = "information") -> None:
        self._notices.say(text, title=title, severity=severity)

    def say_the_rest(self) -> None:
        self._notices.say_the_rest()

    def tell(self, text: str, severity: str) -> None:
        """Say that a run ended; through the terminal too where nobody looks at it."""
        self._notices.say(text, severity=severity)
        self._notices.signal(text)

    def action_tell_by(self, way: str) -> None:
        """Choose how the end of a run is told while the terminal is in the background; remembered."""
        self._notices.way = way
        self.remember(notify=way)
        self.say(WAYS[way], title="a run that ends while you look elsewhere")

    def copy(self, text: str, what: str) -> None:
        self.copy_to_clipboard(text)
        self.say(text, title=f"copied {what}")

    # --- what it remembers --------------------------------------------------------------------------------------------

    def recall(self, name: str) -> Any:
        return self._view.get(name)

    def remember(self, **settings: Any) -> None:
        self._view |= settings
        try:
            make_private_dir(self.lab.root)
            write_json(self.lab.view, self._view, durable=False)  # many keys lead here: none waits for the disk
        except (GenlabError, OSError) as error:
            self.say(error, title="cannot remember the view", severity="warning")

    # --- how it ends --------------------------------------------------------------------------------------------------

    async def action_quit(self) -> None:
        self._leave(0)

    def action_help_quit(self) -> None:
        """Leave at the second ctrl+c: the first may have been a slip."""
        now, last = time.monotonic(), self._interrupted
        self._interrupted = now
        if now - last <= TWICE:
            self._leave(0)
        else:
            self.say("q or ctrl+c again leaves; runs go on", title="leave?")

    def _leave(self, status: int) -> None:
        self.remember(mode=self.current_mode)
        going = sum(not run.state.ended for run in self.runs)
        many = "1 run goes" if going == 1 else f"{going} runs go"
        note = f"{many} on without the screen: genlab-tui brings it back, genlab-tui ls lists them."
        heard = status != ENDS[signal.SIGHUP]  # there is no terminal any more
        self.exit(return_code=status, message=Text(note) if going and heard else None)


def _encoding() -> str:
    """Return the encoding of the terminal, as the locale says (Python's own UTF-8 mode hides it)."""
    import locale

    return locale.getencoding() if sys.platform != "darwin" else "utf-8"
