"""What was changed last on a screen, and how it is taken back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genlab_tui.paths import Lab
from genlab_tui.run import RunId, RunRecord

MOST = 200


@dataclass(frozen=True)
class Change:
    """A change that can be undone: what it was in a few words, and the verb that takes it back (called in a thread)."""

    what: str
    back: Callable[[Lab], Any]
    then: str = ""
    """How things stand once it is taken back, where `what` does not say it."""
    failed: bool = False
    """Whether it could not be taken back before."""

    @property
    def undone(self) -> str:
        """How things stand once it is taken back."""
        return self.then or f"{self.what}: as it was before"


class History:
    """The changes of this session, the last one on top."""

    def __init__(self) -> None:
        self._changes: deque[Change] = deque(maxlen=MOST)

    def add(self, change: Change) -> None:
        """Take note of a change that was made."""
        self._changes.append(change)

    def pop(self) -> Change | None:
        """Return the last change and forget it; None where there is none. Its verb is `taking_back`."""
        return self._changes.pop() if self._changes else None

    def taking_back(self, change: Change) -> Callable[[Lab], Any]:
        """Return the verb that takes a change back, for a thread; where it fails, the change is there again.

        What fails once more goes to the bottom: it must not keep those before it from being taken back.
        """

        def back(lab: Lab) -> Any:
            try:
                return change.back(lab)
            except Exception:
                (self._changes.appendleft if change.failed else self._changes.append)(replace(change, failed=True))
                raise

        return back


def before(records: Sequence[RunRecord], field: str) -> Mapping[RunId, Mapping[str, Any]]:
    """Return what a field of the user's (name, tags, note, colour) holds, run by run, as `edits.edit_all` takes it."""
    return {record.id: {field: getattr(record, field)} for record in records}
