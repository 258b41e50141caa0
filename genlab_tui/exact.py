"""Every curve value of a run as it was written: not thinned, streamed from the events, attempts settled.

`RunDataBuilder` keeps a bounded picture; an export wants each value. Which lines of earlier attempts still count is
known only at the end of the file, so it is read twice and never held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from genlab_tui import events as ev

EventSource = Callable[[], Iterable[ev.AnyEvent]]
"""Opens a run's events from the start; called twice."""


@dataclass(frozen=True)
class CurveValue:
    """One member's value of one metric at one step. `value` may be NaN or infinite; no value gives no row."""

    arm: str
    seed: int
    metric: str
    step: int
    epoch: float
    seconds: float
    value: float


@dataclass(frozen=True)
class _Takeover:
    """A later attempt begins: what it keeps, and of which stage every cohort was at that moment."""

    begin: ev.Begin
    stages: dict[str, str]

    def keeps(self, event: ev.Curve) -> bool:
        return self.begin.keeps(self.stages.get(event.cohort, ""), event.cohort, event.step)


class _Walk:
    """Follows attempts and cohorts through the events by the rules of `RunDataBuilder.feed`."""

    def __init__(self) -> None:
        self.attempt = 0
        self.begins = 0
        self.members: dict[str, tuple[tuple[str, int], ...]] = {}
        self.stages: dict[str, str] = {}
        self.generation: dict[str, int] = {}

    def take(self, event: ev.AnyEvent) -> bool:
        """Take an event; tell whether it counts so far (a line of an attempt that has lost its place does not)."""
        if isinstance(event, ev.Begin):
            if event.attempt <= self.attempt:
                return False
            self.attempt = event.attempt
            self.begins += 1
            return True
        if self.attempt and event.attempt != self.attempt:
            return False
        if isinstance(event, ev.Cohort):
            members = tuple((arm, seed) for arm, seed in event.members)
            if self.members.get(event.id) != members:
                self.members[event.id] = members
                self.generation[event.id] = self.generation.get(event.id, 0) + 1
            self.stages[event.id] = event.stage
        return True


def exact_curves(source: EventSource) -> Iterator[CurveValue]:
    """Yield every curve value that counts, in the order of the file."""
    first = _Walk()
    takeovers = [
        _Takeover(event, dict(first.stages)) for event in source() if first.take(event) and isinstance(event, ev.Begin)
    ]
    last_generation = first.generation
    walk = _Walk()
    for event in source():
        if not walk.take(event) or not isinstance(event, ev.Curve) or event.cohort not in walk.members:
            continue
        if walk.generation[event.cohort] != last_generation.get(event.cohort):
            continue
        if not all(later.keeps(event) for later in takeovers[walk.begins :]):
            continue
        for (arm, seed), value in zip(walk.members[event.cohort], event.values, strict=False):
            if value is not None:
                yield CurveValue(arm, seed, event.metric, event.step, event.epoch, event.seconds, ev.from_value(value))
