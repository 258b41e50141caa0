"""A run's data decoded from its events: curves, measures, heat maps, marks; bounded in memory while it grows.

`RunDataBuilder.feed` takes events one by one; `snapshot` gives the frozen `RunData` that figures, criteria and panels
read. An attempt that takes over supersedes what an earlier one wrote past its last stage or checkpoint.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from genlab_tui import events as ev
from genlab_tui.phenomenon import Arm
from genlab_tui.run import RunSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MAX_ROWS = 4096
Member = tuple[str, int]
T = TypeVar("T")


@dataclass(frozen=True)
class Curve:
    """One member's curve of one metric. Arrays of equal length; steps ascend; values may be non-finite."""

    step: Floats
    epoch: Floats
    seconds: Floats
    value: Floats


@dataclass(frozen=True)
class RunData:
    """A snapshot of a run. `curves[metric][(arm, seed)]`, `measures[name][(arm, seed)]`.

    `progress` is the last progress event; `changes` the regularisers changed in flight, `taken` the requests for such
    changes that took effect.
    """

    spec: RunSpec
    arms: tuple[Arm, ...] = ()
    seeds: tuple[int, ...] = ()
    curves: Mapping[str, Mapping[Member, Curve]] = field(default_factory=dict)
    measures: Mapping[str, Mapping[Member, float]] = field(default_factory=dict)
    heats: Mapping[str, Mapping[Member, ev.Heat]] = field(default_factory=dict)
    marks: tuple[ev.Mark, ...] = ()
    changes: tuple[ev.Change, ...] = ()
    logs: tuple[ev.Log, ...] = ()
    stages: Mapping[str, object] = field(default_factory=dict)
    progress: ev.Progress | None = None
    status: str = ""
    begin: ev.Begin | None = None
    taken: frozenset[str] = frozenset()

    def arm(self, name: str) -> Arm | None:
        """Return a launched arm by its name."""
        return next((a for a in self.arms if a.name == name), None)

    @property
    def titles(self) -> dict[str, str]:
        """The arms whose curves can be drawn, with their titles: those launched.

        Where none of these has a curve, those that have: an arm may be many trainings, each with a name of its own.
        """
        launched = {arm.name: arm.title for arm in self.arms}
        curved = (arm for curves in self.curves.values() for arm, _ in curves)
        if any(arm in launched for arm in curved):
            return launched
        return {arm: arm for curves in self.curves.values() for arm, _ in curves} or launched

    def of_seeds(self, seeds: Sequence[int]) -> RunData:
        """Return the same run as if only these of its seeds had been launched: a replica of its verdict."""
        wanted = set(seeds)

        def own(table: Mapping[str, Mapping[Member, T]]) -> dict[str, dict[Member, T]]:
            return {name: {m: v for m, v in named.items() if m[1] in wanted} for name, named in table.items()}

        return replace(
            self,
            spec=replace(self.spec, first_seed=min(wanted), seeds=len(wanted)),
            seeds=tuple(sorted(wanted)),
            curves=own(self.curves),
            measures=own(self.measures),
            heats=own(self.heats),
        )

    def measure(self, name: str, arm: str) -> dict[int, float]:
        """Return a measure of one arm per seed; seeds without it are left out."""
        return {seed: v for (a, seed), v in self.measures.get(name, {}).items() if a == arm}


class _Block:
    """The rows of one cohort and metric: steps and one value per member, halved by min/max when full."""

    def __init__(self, width: int) -> None:
        import numpy as np

        self.width, self.n = width, 0
        self.rows = np.empty((256, width + 3), dtype=np.float64)

    def add(self, step: int, epoch: float, seconds: float, values: tuple[ev.Value, ...]) -> None:
        import numpy as np

        if self.n >= MAX_ROWS:
            self._halve()
        elif self.n == len(self.rows):
            grown = np.empty((len(self.rows) * 2, self.width + 3), dtype=np.float64)
            grown[: self.n] = self.rows[: self.n]
            self.rows = grown
        row = self.rows[self.n]
        row[0], row[1], row[2] = step, epoch, seconds
        for i, value in enumerate(values[: self.width], start=3):
            row[i] = value if isinstance(value, float) else ev.from_value(value)
        row[3 + len(values) :] = math.nan
        self.n += 1

    def _halve(self) -> None:
        """Keep two rows of every four: per member its smaller and its larger value, in the order they came."""
        import numpy as np

        kept_tail = 64  # the newest rows stay exact: the end of a curve is what people read
        head = (self.n - kept_tail) // 4 * 4
        groups = self.rows[:head].reshape(-1, 4, self.width + 3)
        values = groups[:, :, 3:]
        filled_low = np.where(np.isnan(values), np.inf, values)
        filled_high = np.where(np.isnan(values), -np.inf, values)
        low_at, high_at = filled_low.argmin(1), filled_high.argmax(1)
        low = np.take_along_axis(values, low_at[:, None], 1)[:, 0]
        high = np.take_along_axis(values, high_at[:, None], 1)[:, 0]
        low_first = low_at <= high_at
        out = np.empty((len(groups), 2, self.width + 3))
        out[:, 0, :3], out[:, 1, :3] = groups[:, 0, :3], groups[:, 2, :3]
        out[:, 0, 3:] = np.where(low_first, low, high)
        out[:, 1, 3:] = np.where(low_first, high, low)
        tail = self.rows[head : self.n].copy()
        half = head // 2
        self.rows[:half] = out.reshape(-1, self.width + 3)
        self.rows[half : half + len(tail)] = tail
        self.n = half + len(tail)

    def cut(self, step: int) -> None:
        """Drop the rows after a step."""
        kept = self.rows[: self.n][self.rows[: self.n, 0] <= step]
        self.n = len(kept)
        self.rows[: self.n] = kept


class RunDataBuilder:
    """Builds RunData from events in the order of the file."""

    def __init__(self, spec: RunSpec, arms: tuple[Arm, ...]) -> None:
        self.spec, self.arms = spec, arms
        self.version = 0
        self._cohorts: dict[str, tuple[Member, ...]] = {}
        self._stage_of: dict[str, str] = {}
        self._blocks: dict[tuple[str, str], _Block] = {}
        self._measures: dict[str, dict[Member, tuple[float, str]]] = {}
        self._heats: dict[str, dict[Member, ev.Heat]] = {}
        self._marks: list[ev.Mark] = []
        self._changes: list[ev.Change] = []
        self._logs: list[ev.Log] = []
        self._stages: dict[str, object] = {}
        self._progress: ev.Progress | None = None
        self._taken: set[str] = set()
        self._status = ""
        self._begin: ev.Begin | None = None
        self._attempt = 0

    def feed_all(self, events: Iterable[ev.AnyEvent]) -> None:
        """Take events in order."""
        for event in events:
            self.feed(event)

    def feed(self, event: ev.AnyEvent) -> None:
        """Take one event. Lines of an attempt older than the newest `begin` are ignored."""
        if isinstance(event, ev.Begin):
            if event.attempt > self._attempt:
                self._supersede(event)
                self.version += 1
            return
        if self._attempt and event.attempt != self._attempt:
            return
        self.version += 1
        match event:
            case ev.Cohort():
                members = tuple((arm, seed) for arm, seed in event.members)
                if self._cohorts.get(event.id) != members:
                    self._cohorts[event.id] = members
                    for key in [k for k in self._blocks if k[0] == event.id]:
                        del self._blocks[key]
                self._stage_of[event.id] = event.stage
            case ev.Curve():
                block = self._blocks.get((event.cohort, event.metric))
                if block is None:
                    if event.cohort not in self._cohorts:
                        return
                    block = _Block(len(self._cohorts[event.cohort]))
                    self._blocks[event.cohort, event.metric] = block
                block.add(event.step, event.epoch, event.seconds, event.values)
            case ev.Measure():
                named = self._measures.setdefault(event.name, {})
                for member, value in zip(self._cohorts.get(event.cohort, ()), event.values, strict=False):
                    if value is not None:
                        named[member] = (ev.from_value(value), event.stage)
            case ev.Heat():
                self._heats.setdefault(event.name, {})[event.arm, event.seed] = event
            case ev.Mark():
                self._marks.append(event)
            case ev.Change():
                self._changes.append(event)
            case ev.Log():
                self._logs = [*self._logs[-499:], event]
            case ev.Stage():
                self._stages[event.key] = event.value
            case ev.Progress():
                self._progress = event
            case ev.Status():
                self._status = event.status
            case ev.Taken():
                self._taken |= set(event.requests)

    def _supersede(self, begin: ev.Begin) -> None:
        """A new attempt: keep its kept stages, cut the open one at its checkpoint, drop the rest."""
        kept = set(begin.kept)

        def keep(stage: str) -> bool:
            return stage in kept

        for key in list(self._blocks):
            stage = self._stage_of.get(key[0], "")
            if begin.keeps(stage, key[0], sys.maxsize):
                continue
            if begin.keeps(stage, key[0], -1):
                self._blocks[key].cut(begin.resume_step)
            else:
                del self._blocks[key]
        for named in self._measures.values():
            for member in [m for m, (_, stage) in named.items() if not keep(stage)]:
                del named[member]
        for heats in self._heats.values():
            for member in [m for m, heat in heats.items() if not keep(heat.stage)]:
                del heats[member]
        self._marks = [m for m in self._marks if begin.keeps(m.stage, m.cohort, m.step)]
        # A change at the very step of a checkpoint came after it: it is made again.
        self._changes = [c for c in self._changes if begin.keeps(c.stage, c.cohort, c.step + 1)]
        self._stages = {k: v for k, v in self._stages.items() if k in kept}
        self._begin, self._attempt, self._status = begin, begin.attempt, ""

    def snapshot(self) -> RunData:
        """Return what is known now. Arrays are copies: a snapshot never changes."""
        curves: dict[str, dict[Member, Curve]] = {}
        for (cohort, metric), block in self._blocks.items():
            columns = block.rows[: block.n].T.copy()  # a member's values side by side: they are read together
            step, epoch, seconds = columns[:3]
            for i, member in enumerate(self._cohorts[cohort], start=3):
                curves.setdefault(metric, {})[member] = Curve(step, epoch, seconds, columns[i])
        return RunData(
            spec=self.spec,
            arms=self.arms,
            seeds=self.spec.seed_list,
            curves=curves,
            measures={name: {m: v for m, (v, _) in named.items()} for name, named in self._measures.items()},
            heats={name: dict(heats) for name, heats in self._heats.items()},
            marks=tuple(self._marks),
            changes=tuple(self._changes),
            logs=tuple(self._logs),
            stages=dict(self._stages),
            progress=self._progress,
            status=self._status,
            begin=self._begin,
            taken=frozenset(self._taken),
        )
