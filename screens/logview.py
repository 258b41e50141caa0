"""The log of a run over the whole screen, kept up to date while it is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from genlab_tui.events import Log
from screens.panels.log import LogPanel, log_tail


class LogView(ModalScreen[None]):
    """Reports and output of a run; arrows and page keys scroll, the end is followed."""

    DEFAULT_CSS = """
    LogView { align: center middle; background: $background 60%; }
    LogView > Vertical {
        width: 100%; height: 100%; padding: 0 1; border: round $primary; background: $background;
        border-title-color: $text-primary; border-title-style: bold; border-subtitle-color: $text-muted;
    }
    LogView LogPanel { height: 1fr; }
    """
    BINDING_GROUP_TITLE = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,l,enter", "dismiss", "close", tooltip="Close the log"),
        Binding("g", "edge('home')", "begin", show=False, tooltip="The first line"),
        Binding("G", "edge('end')", "end", show=False, tooltip="The last line, and follow it"),
    ]

    def __init__(self, title: str, path: Path, logs: Callable[[], Sequence[Log]]) -> None:
        super().__init__()
        self.heading = title
        self.path = path
        self.logs = logs

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self.heading)
            box.border_subtitle = "esc closes · ↑ ↓ scroll · G end"
            yield LogPanel()

    def on_mount(self) -> None:
        self.query_one(LogPanel).focus()
        self._look()
        self.set_interval(1.0, self._look)

    class Read(Message):
        """The end of the log as it is now."""

        def __init__(self, lines: Sequence[str]) -> None:
            super().__init__()
            self.lines = lines

    def _look(self) -> None:
        self.run_worker(lambda: self.post_message(self.Read(log_tail(self.path))), thread=True, name="log")

    def on_log_view_read(self, message: Read) -> None:
        self.query_one(LogPanel).tell(self.logs(), message.lines)

    def action_edge(self, where: str) -> None:
        panel = self.query_one(LogPanel)
        if where == "home":
            panel.scroll_home(animate=False)
        else:
            panel.scroll_end(animate=False)
