"""Messages between the app and its screens: small dataclass-like messages; floods of the same kind collapse."""

from __future__ import annotations

from textual.message import Message

from genlab_tui.run import RunRecord
from screens.poller import Snapshot


class Looked(Message):
    """The background thread found something new. Sent to the app."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class RunsChanged(Message):
    """The index of runs changed (newest first, trash left out). Sent to the active screen by the app."""

    def __init__(self, runs: tuple[RunRecord, ...]) -> None:
        super().__init__()
        self.runs = runs

    def can_replace(self, message: Message) -> bool:
        """A newer index replaces one that still waits."""
        return isinstance(message, RunsChanged)


class ProgressChanged(Message):
    """The progress of active runs moved on (`genlab.progress`). Sent to the active screen by the app."""

    def can_replace(self, message: Message) -> bool:
        """One look at the newest progress is enough."""
        return isinstance(message, ProgressChanged)


class DevicesChanged(Message):
    """The load of the devices was sampled again (`genlab.devices`). Sent to the active screen by the app."""

    def can_replace(self, message: Message) -> bool:
        """One look at the newest sample is enough."""
        return isinstance(message, DevicesChanged)
