"""Regulariser changes in flight, on the worker's side: asked for, withdrawn, taken, made again after a resume."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genlab_tui import events as ev
from genlab_tui import regularisers
from jobs import checkpoint

Strength = float | None
"""None: off."""


@dataclass(frozen=True)
class Asked:
    """A change that was asked for and has not taken effect. `id` is how it can be withdrawn."""

    id: str
    regulariser: str
    strength: Strength


class Changes:
    """What is to change and when. `kept` and `saved` are what the attempt takes over, `made` what earlier ones changed.

    A change holds from the moment it is taken: what is trained later in other stages begins with it.
    """

    def __init__(
        self,
        made: Sequence[ev.Change],
        kept: Mapping[str, Any],
        saved: checkpoint.Label | None,
        first: Mapping[str, Strength],
    ) -> None:
        self._kept, self._saved = kept, saved
        # What an earlier attempt changed after its checkpoint is changed again, at the same steps.
        self._again = sorted((c for c in made if not self._begun_with(c)), key=lambda change: change.step)
        self._in_force: dict[str, Strength] = {c.regulariser: c.strength for c in made if self._begun_with(c)}
        self._told = {saved.stage} if saved else set()
        self._asked = [Asked("", name, strength) for name, strength in first.items()]

    def _begun_with(self, change: ev.Change) -> bool:
        """Whether a change is part of what this attempt takes over: of a finished stage, or of the checkpoint."""
        if change.stage in self._kept:
            return True
        saved = self._saved
        if saved is None or saved.stage != change.stage:
            return False
        return change.cohort in saved.finished or (change.cohort == saved.cohort and change.step < saved.step)

    def ask(self, request: Mapping[str, Any]) -> None:
        """Take a line of `control.jsonl`. Raises GenlabError, TypeError or ValueError for one that makes no sense."""
        regulariser = regularisers.get(str(request.get("regulariser")))
        strength = request.get("strength")
        checked = None if strength is None else regulariser.check(float(strength))
        self._asked.append(Asked(str(request.get("id", "")), regulariser.name, checked))

    def withdraw(self, request: Mapping[str, Any]) -> None:
        """Forget a change that was asked for and has not taken effect."""
        self._asked = [asked for asked in self._asked if not asked.id or asked.id != request.get("id")]

    def due(
        self, stage: str, cohort: str, step: int, look: Callable[[], None]
    ) -> tuple[list[tuple[str, Strength]], list[str]]:
        """Return the changes to make now, each regulariser once, and the ids of the requests that they carry out.

        `look` reads the newest requests: one that was withdrawn before this moment takes no effect.
        """
        due = [c for c in self._again if (c.stage, c.cohort) == (stage, cohort) and c.step <= step]
        again = {c.regulariser for c in self._again if c.stage == stage}
        self._again = [c for c in self._again if c not in due]
        found: list[tuple[str, Strength]] = []
        if stage not in self._told:
            self._told.add(stage)
            found += [item for item in self._in_force.items() if item[0] not in again]
        found += [(c.regulariser, c.strength) for c in due]
        if self._asked:
            look()
        taken, self._asked = self._asked, []
        found += [(asked.regulariser, asked.strength) for asked in taken]
        last = dict(found)
        self._in_force |= last
        return list(last.items()), [asked.id for asked in taken if asked.id]
