"""The lines of `events.jsonl`: what a worker says about a run, one JSON object a line, told apart by `kind`.

Every line carries the attempt, the stage it belongs to and the seconds since the run's attempt began; the worker
stamps them. A reader skips what it cannot parse (a torn tail, an unknown kind).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

Value = float | str | None


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every line has. `stage` is the key of the open stage (empty outside any), `at` seconds into the attempt."""

    attempt: int = 1
    stage: str = ""
    at: float = 0.0


class Begin(Event, tag="begin", frozen=True, kw_only=True):
    """An attempt begins. `kept` are the finished stages that it takes over, `resume` the open stage it continues
    and `resume_step` the step of its checkpoint: what came later in an earlier attempt is superseded. Where the open
    stage has several cohorts, `resume_cohort` is the one that step belongs to and `resume_finished` are whole."""

    time: float
    version: str = ""
    device: str = ""
    host: str = ""
    kept: tuple[str, ...] = ()
    resume: str = ""
    resume_step: int = -1
    resume_cohort: str = ""
    resume_finished: tuple[str, ...] = ()
    info: dict[str, str] = {}

    def keeps(self, stage: str, cohort: str, step: int) -> bool:
        """Whether something that an earlier attempt wrote still counts."""
        if stage in self.kept:
            return True
        if not stage or stage != self.resume:
            return False
        if cohort in self.resume_finished:
            return True
        return self.resume_cohort in ("", cohort) and step <= self.resume_step


class Cohort(Event, tag="cohort", frozen=True, kw_only=True):
    """Names members that are trained and reported together. `members` are (arm, seed) pairs; `id` is unique."""

    id: str
    members: tuple[tuple[str, int], ...]


class Curve(Event, tag="curve", frozen=True, kw_only=True):
    """One value per member of a cohort at a step. `epoch` is a fraction; `seconds` is training time."""

    cohort: str
    metric: str
    step: int
    epoch: float = 0.0
    seconds: float = 0.0
    values: tuple[Value, ...] = ()


class Measure(Event, tag="measure", frozen=True, kw_only=True):
    """One final number per member of a cohort (steps to fit, test error): what criteria and figures are made of."""

    cohort: str
    name: str
    values: tuple[Value, ...] = ()


class Heat(Event, tag="heat", frozen=True, kw_only=True):
    """A matrix of a member, row by row."""

    name: str
    arm: str
    seed: int
    x_ticks: tuple[str, ...]
    y_ticks: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]


class Mark(Event, tag="mark", frozen=True, kw_only=True):
    """Something worth a mark on the curves: a member fitted its data, an arm finished, a member diverged."""

    text: str
    step: int = -1
    arm: str = ""
    seed: int = -1
    cohort: str = ""


class Change(Event, tag="change", frozen=True, kw_only=True):
    """A regulariser was changed in flight at a step (strength None: switched off)."""

    regulariser: str
    strength: float | None
    step: int
    cohort: str = ""


class Taken(Event, tag="taken", frozen=True, kw_only=True):
    """Requests of `control.jsonl` (by their ids) that took effect: from now on they cannot be withdrawn."""

    requests: tuple[str, ...]


class Progress(Event, tag="progress", frozen=True, kw_only=True):
    """How much of the run's work is done, 0 to 1, and what it is doing. `eta` in seconds; negative: not known."""

    done: float
    label: str = ""
    eta: float = -1.0


class Log(Event, tag="log", frozen=True, kw_only=True):
    """A line for a person; `level` is info, warning or error."""

    text: str
    level: str = "info"


class Stage(Event, tag="stage", frozen=True, kw_only=True):
    """A stage is finished: resume skips it and takes `value` as what it returned."""

    key: str
    value: Any = None


class Status(Event, tag="status", frozen=True, kw_only=True):
    """The worker paused, went on, or was asked to stop: `paused`, `running`, `stopping`."""

    status: str


AnyEvent = Begin | Cohort | Curve | Measure | Heat | Mark | Change | Taken | Progress | Log | Stage | Status

_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_ENCODER = msgspec.json.Encoder()


def encode(event: Event) -> bytes:
    """Return an event as one JSON line, without its line break."""
    return _ENCODER.encode(event)


def decode(line: bytes) -> AnyEvent | None:
    """Return the event of a line, or None for anything that is not one (torn, foreign, of an unknown kind)."""
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def to_value(number: float | None) -> Value:
    """Return a number as it is written in an event: non-finite ones by name."""
    if number is None:
        return None
    if math.isfinite(number):
        return float(number)
    return "nan" if math.isnan(number) else ("inf" if number > 0 else "-inf")


def to_values(numbers: Iterable[float | None]) -> tuple[Value, ...]:
    """Return one value per member as written in an event; None means that the member has no value here."""
    return tuple(to_value(n) for n in numbers)


def from_value(value: Value) -> float:
    """Return the number of a value in an event; no value and nonsense are NaN (`missing` tells no value apart)."""
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        return _NAMED.get(value, math.nan)
    return math.nan


_NAMED: Mapping[str, float] = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
