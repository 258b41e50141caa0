"""Messages between the app and its screens: small dataclass-like messages; floods of the same kind collapse."""

from __future__ import annotations

from textual.message import Message

from genlab_tui.run import RunRecord


class RunsChanged(Message):
    """The index of runs changed (newest first, trash left out). Sent to the active screen by the app."""

    def __init__(self, runs: tuple[RunRecord, ...]) -> None:
        super().__init__()
        self.runs = runs

    def can_replace(self, message: Message) -> bool:
        """A newer index replaces one that still waits."""
        return isinstance(message, RunsChanged)
