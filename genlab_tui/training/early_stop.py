"""The early-stop step, found in retrospect: where a member's validation loss was smallest, though it trained on.

Validation samples lie behind the `n` that a member learns. What was found so far travels in the checkpoint, so a
resumed run finds what an unbroken one does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import torch

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training.evaluate import evaluate
from genlab_tui.training.probes import Look, Probe

VALIDATION_LOSS = "validation_loss"
MEASURES = ("early_stop_step", "early_stop_accuracy", "early_stop_loss", "start_accuracy")
"""Step, test accuracy and validation loss at the early stop, and test accuracy before any training."""

_KEY = "early stop"
T = TypeVar("T")


def validation_loss(n: int) -> Probe:
    """Return a probe of the loss on the samples from number `n` on."""

    def measure(look: Look) -> list[float]:
        which = torch.tensor([member.labels for member in look.members], device=look.labels.device)
        labels = look.samples.labels[which]
        return evaluate(look.networks, look.samples.inputs, look.sets, labels, (n, labels.shape[1]))[0]

    return Probe(VALIDATION_LOSS, measure)


@dataclass
class Found:
    """What is known of one member: `start` and `accuracy` are test accuracies, at its first line and at its best."""

    arm: str
    seed: int
    loss: float = math.inf
    step: float = math.nan
    accuracy: float = math.nan
    start: float = math.nan

    @property
    def values(self) -> tuple[float, float, float, float]:
        """The numbers in the order of `MEASURES`; NaN where the loss never was finite."""
        return self.step, self.accuracy, self.loss if math.isfinite(self.loss) else math.nan, self.start


@dataclass
class EarlyStops:
    """Follows what a call of `train` yields. Members of arms that are not `shown` train without being heard of.

    `later[arm]` are steps that a network was trained for before this training: they count as well.
    """

    context: Context
    shown: Collection[str]
    later: Mapping[str, int] = field(default_factory=dict)
    found: dict[str, list[Found]] = field(default_factory=dict)
    _losses: dict[str, tuple[int, Sequence[ev.Value]]] = field(default_factory=dict)

    def follow(self, train: Callable[[Context], Generator[ev.Event, None, T]]) -> Generator[ev.Event, None, T]:
        """Run `train(context)`; yield its events about what is shown, then the measures of every cohort's early stops.

        Returns what training returns.
        """
        events = train(cast(Context, _Watched(self.context, self)))
        while True:
            try:
                event = next(events)
            except StopIteration as stop:
                yield from self.measures()
                result: T = stop.value
                return result
            self.see(event)
            yield from self.heard(event)

    def see(self, event: ev.Event) -> None:
        """Take note of the numbers in an event."""
        if isinstance(event, ev.Cohort):
            if [(m.arm, m.seed) for m in self.found.get(event.id, [])] != list(event.members):
                self.found[event.id] = [Found(arm, seed) for arm, seed in event.members]
        elif isinstance(event, ev.Curve) and event.metric == "test_accuracy":
            self._losses[event.cohort] = event.step, event.values  # a line's validation loss comes after it
        elif isinstance(event, ev.Curve) and event.metric == VALIDATION_LOSS:
            step, accuracies = self._losses.get(event.cohort, (-1, ()))
            if step == event.step:
                self._take(self.found[event.cohort], step, event.values, accuracies)

    def _take(self, members: list[Found], step: int, losses: Sequence[ev.Value], right: Sequence[ev.Value]) -> None:
        for member, loss, accuracy in zip(members, losses, right, strict=True):
            if accuracy is None:
                continue
            if step == 0:
                member.start = ev.from_value(accuracy)
            if ev.from_value(loss) < member.loss:
                member.loss, member.accuracy = ev.from_value(loss), ev.from_value(accuracy)
                member.step = step + self.later.get(member.arm, 0)

    def heard(self, event: ev.Event) -> Iterator[ev.Event]:
        """Yield an event without the members that are not shown, if anything is left of it."""
        if isinstance(event, ev.Mark):
            if event.arm in self.shown:
                yield event
        elif isinstance(event, ev.Cohort):
            members = tuple(pair for pair in event.members if pair[0] in self.shown)
            if members:
                yield ev.Cohort(id=event.id, members=members)
        elif isinstance(event, ev.Curve | ev.Measure):
            values = self._of_shown(event.cohort, event.values)
            if any(value is not None for value in values):
                fields = {name: getattr(event, name) for name in event.__struct_fields__}
                yield type(event)(**{**fields, "values": values})
        else:
            yield event

    def _of_shown(self, cohort: str, values: Sequence[T]) -> tuple[T, ...]:
        pairs = zip(self.found[cohort], values, strict=True)
        return tuple(value for member, value in pairs if member.arm in self.shown)

    def measures(self) -> Iterator[ev.Measure]:
        """Yield the early stops of all cohorts, also of those that an earlier attempt finished."""
        for cohort, members in self.found.items():
            for name, column in zip(MEASURES, zip(*(m.values for m in members), strict=True), strict=True):
                values = ev.to_values(self._of_shown(cohort, column))
                if values:
                    yield ev.Measure(cohort=cohort, name=name, values=values)

    def extend(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return a checkpoint that also holds what was found."""
        rows = {
            cohort: [[m.arm, m.seed, *(ev.to_value(v) for v in (m.loss, m.step, m.accuracy, m.start))] for m in members]
            for cohort, members in self.found.items()
        }
        return replace(checkpoint, meta={**checkpoint.meta, _KEY: rows})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from what a checkpoint holds."""
        rows: Mapping[str, Sequence[Sequence[Any]]] = checkpoint.meta.get(_KEY, {})
        self.found = {
            cohort: [Found(arm, seed, *map(ev.from_value, numbers)) for arm, seed, *numbers in members]
            for cohort, members in rows.items()
        }


class _Watched:
    """A context whose checkpoints hold the early stops too."""

    def __init__(self, context: Context, stops: EarlyStops) -> None:
        self._context, self._stops = context, stops

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def poll(self, save: Callable[[], Checkpoint] | None = None) -> None:
        """Poll with a `save` that adds what was found."""
        self._context.poll(None if save is None else lambda: self._stops.extend(save()))

    def resume(self) -> Checkpoint | None:
        """Return the checkpoint, after taking out of it what was found."""
        checkpoint = self._context.resume()
        if checkpoint is not None:
            self._stops.restore(checkpoint)
        return checkpoint
