"""What was changed last on a screen, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genlab_tui.paths import Lab
from genlab_tui.run import RunId, RunRecord

MOST = 200


@dataclass(frozen=True)
class Change:
    """A change that can be undone: what it was in a few words, and the verb that takes it back (called in a thread)."""

    what: str
    back: Callable[[Lab], Any]


class History:
    """The changes of this session, the last one on top."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def add(self, change: Change) -> None:
        """Take note of a change that was made."""
        self._changes = [*self._changes[-MOST + 1 :], change]

    def pop(self) -> Change | None:
        """Return the last change and forget it; None where there is none."""
        return self._changes.pop() if self._changes else None


def before(records: Sequence[RunRecord], field: str) -> Mapping[RunId, Mapping[str, Any]]:
    """Return what a field of the user's (name, tags, note, colour) holds, run by run, as `edits.edit_all` takes it."""
    return {record.id: {field: getattr(record, field)} for record in records}
