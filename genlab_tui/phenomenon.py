"""What an experiment declares: question, config, arms, measurement, figure, claims, verdict.

A phenomenon is one file in `genlab_tui/phenomena/` with a module-level `PHENOMENON = Phenomenon(...)`. Form, command
line and documentation are generated from the declaration. Everything here is free of torch and numpy; only `run`
may import torch, inside the function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genlab_tui.config import Param, config_values, param, params
from genlab_tui.context import Checkpoint, Context, Stopped
from genlab_tui.errors import NotFound, nearest
from genlab_tui.regularisers import applicable

if TYPE_CHECKING:
    from genlab_tui.events import Event
    from genlab_tui.figure import Figure, HeatMap
    from genlab_tui.run import RunSpec
    from genlab_tui.rundata import RunData

__all__ = [
    "Arm",
    "Checkpoint",
    "Claim",
    "Context",
    "Criterion",
    "Estimate",
    "Metric",
    "Paper",
    "Param",
    "PerSeed",
    "Phenomenon",
    "Preset",
    "Rule",
    "Stopped",
    "Test",
    "config_values",
    "param",
    "params",
]

USUAL = "float32"
"""The precision of a phenomenon that asks for no other."""


# --- declarations -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Paper:
    """A source: `key` is how text refers to it (`Zhang et al. 2017`)."""

    key: str
    title: str
    venue: str
    url: str
    bibtex: str = ""


@dataclass(frozen=True)
class Arm:
    """One condition inside a run. `factors` say what differs (`{"labels": "random", "width": 64}`)."""

    name: str
    label: str = ""
    factors: Mapping[str, float | str] = field(default_factory=dict)
    control: bool = False

    @property
    def title(self) -> str:
        return self.label or self.name


@dataclass(frozen=True)
class Metric:
    """A curve that the run streams. `references` become reference lines.

    `step_label` says what its steps count where that is not training steps, `log_step` that they span decades.
    """

    name: str
    label: str
    log: bool = False
    higher_is_better: bool = True
    unit: str = ""
    references: tuple[tuple[float, str], ...] = ()
    step_label: str = "step"
    log_step: bool = False


@dataclass(frozen=True)
class Preset:
    """A named config: what differs from the defaults, plus seeds and data set. `note` says what it is for.

    `gpu` is what it is expected to take on a GPU, time and memory, of a preset that is meant for one: without a GPU
    it starts only where the CPU is asked for by name.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = 3
    data: str = ""
    regularisers: Mapping[str, float] = field(default_factory=dict)
    arms: tuple[str, ...] = ()
    note: str = ""
    gpu: str = ""


@dataclass(frozen=True)
class Estimate:
    """What a run will cost: shown before launch."""

    members: int
    seconds: float
    bytes: float


@dataclass(frozen=True)
class Rule:
    """When values over seeds pass. The bounds are inclusive; `strict` excludes the bound, of two the lower one.

    Default: the mean over seeds passes and at least 2/3 of the seeds pass too. `every` asks every seed; `chance`
    asks instead that the Student-t 95 % interval contains that value and that the mean is within `high` of it.
    """

    low: float | None = None
    high: float | None = None
    strict: bool = False
    every: bool = False
    chance: float | None = None

    def passes(self, value: float) -> bool:
        """Whether one number is inside the bounds (NaN never is)."""
        at_low, at_high = (
            bound is not None and math.isclose(value, bound, rel_tol=1e-12) for bound in (self.low, self.high)
        )
        if value != value or (self.strict and (at_high if self.low is None else at_low)):
            return False
        # A mean of five times 0.995 is 0.9949999999999999: rounding must not decide a verdict.
        return (self.low is None or value > self.low or at_low) and (self.high is None or value < self.high or at_high)

    @property
    def text(self) -> str:
        """The threshold in words: `≥ 0.995`, `in [0.9, 1.1]`, `within 0.025 of 0.1 (t interval)`."""
        if self.chance is not None:
            return f"within {self.high:g} of {self.chance:g} (t interval)"
        if self.low is not None and self.high is not None:
            return f"in {'(' if self.strict else '['}{self.low:g}, {self.high:g}]"
        if self.low is not None:
            return f"{'>' if self.strict else '≥'} {self.low:g}"
        return f"{'<' if self.strict else '≤'} {self.high:g}"


PerSeed = Mapping[int, float]


@dataclass(frozen=True)
class Test:
    """A number per seed with a rule: the form of a precondition, an effect and a negative control.

    `measure` gives one number per seed (a seed whose number is missing is left out); `needs` are the arms it reads.
    With `pooled`, it is judged on that one number of the seeds together instead (a place read off the mean curve).
    `geometric` is for ratios: their mean over seeds is the geometric one, 1 for those of two equal networks.
    """

    name: str
    measure: Callable[[RunData], PerSeed]
    rule: Rule
    needs: tuple[str, ...] = ()
    pooled: Callable[[RunData], float] | None = None
    statement: str = ""
    geometric: bool = False


Test.__test__ = False  # type: ignore[attr-defined]  # not for pytest to collect


@dataclass(frozen=True)
class Criterion:
    """One measurable statement: precondition, effect with its threshold, and a negative control that must not fire.

    `published` is what the paper reports for the same number, `published_source` where. `unit` is for the eye.
    """

    effect: Test
    precondition: Test | None = None
    control: Test | None = None
    published: float | str | None = None
    published_source: str = ""
    unit: str = ""

    @property
    def name(self) -> str:
        return self.effect.name

    @property
    def needs(self) -> tuple[str, ...]:
        """The arms without which the criterion cannot be judged."""
        tests = (self.effect, self.precondition, self.control)
        return tuple(dict.fromkeys(arm for test in tests if test for arm in test.needs))


@dataclass(frozen=True)
class Claim:
    """What the paper says, as a set of criteria. Side claims are shown, never counted."""

    name: str
    statement: str
    criteria: tuple[Criterion, ...]
    main: bool = True
    paper: str = ""


# --- the whole --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phenomenon:
    """A declared experiment. See `phenomena/memorisation.py` for one to copy.

    `plan(config, spec)` gives every arm of the config (the caller keeps those in `spec.arms`); `estimate` what a run
    costs; `figures` what to draw from data that may still be incomplete; `claims` what is judged; `run` yields
    events. `version` goes up when the numbers of a config change: it is part of a run's identity. `in_flight(config)`
    says whether regularisers can be changed while a run trains. `refused` says of data sets that are not in `data` why
    the protocol makes no sense there; `weight_decay(config)` which of the things of that name the regulariser is here.
    `data` is empty where the experiment draws its own samples. `precision` is what it computes in, for the eye;
    `panels` are the figures (or metrics) that Live opens with, where those that tell most are not the usual ones.
    """

    name: str
    title: str
    group: str
    question: str
    explanation: str
    papers: tuple[Paper, ...]
    config: type
    presets: Mapping[str, Preset]
    data: tuple[str, ...]
    plan: Callable[[Any, RunSpec], tuple[Arm, ...]]
    estimate: Callable[[Any, RunSpec], Estimate]
    figures: Callable[[RunData], tuple[Figure | HeatMap, ...]]
    claims: Callable[[Any, RunSpec], tuple[Claim, ...]]
    run: Callable[[Any, Context], Iterator[Event]]
    metrics: tuple[Metric, ...] = ()
    regularisers: tuple[str, ...] = ()
    headline: tuple[str, ...] = ()
    version: int = 1
    in_flight: Callable[[Any], bool] = lambda config: True
    refused: Mapping[str, str] = field(default_factory=dict)
    weight_decay: Callable[[Any], str] = lambda config: "decoupled, on weight matrices alone"
    precision: str = USUAL
    panels: tuple[str, ...] = ()

    def changeable(self, spec: RunSpec) -> tuple[str, ...]:
        """Return the regularisers that may be changed while a run trains: the dynamic ones that it has."""
        if not self.in_flight(self.config_of(spec)):
            return ()
        return tuple(r.name for r in applicable(self.regularisers) if r.dynamic)

    def params(self) -> tuple[Param, ...]:
        """The declared config fields, in order."""
        return params(self.config)

    def preset(self, name: str) -> Preset:
        """Return a preset; raises NotFound with the nearest."""
        if name not in self.presets:
            raise NotFound(f"{self.name} has no preset {name!r}", nearest(name, tuple(self.presets)))
        return self.presets[name]

    def make_config(self, preset: str = "quick", overrides: Mapping[str, Any] | None = None) -> Any:
        """Return the Config of a preset with some fields overridden (texts or typed values).

        Raises NotFound for an unknown field or preset, BadValue for a value out of bounds.
        """
        fields = {p.name: p for p in self.params()}
        values = {**self.preset(preset).values, **(overrides or {})}
        for name in values:
            if name not in fields:
                raise NotFound(f"{self.name} has no field {name!r}", nearest(name, tuple(fields)))
        return self.config(**{name: fields[name].parse(value) for name, value in values.items()})

    def config_of(self, spec: RunSpec) -> Any:
        """Return the typed Config of a stored run; fields that it lacks take their defaults, unknown ones are left."""
        fields = {p.name: p for p in self.params()}
        return self.config(**{k: fields[k].parse(v) for k, v in spec.config.items() if k in fields})

    def arms_of(self, spec: RunSpec) -> tuple[Arm, ...]:
        """Return the arms that a run launches; raises NotFound for an arm that the config does not have."""
        arms = self.plan(self.config_of(spec), spec)
        known = tuple(a.name for a in arms)
        for name in spec.arms:
            if name not in known:
                raise NotFound(f"{self.name} has no arm {name!r} with this config", nearest(name, known))
        return tuple(a for a in arms if not spec.arms or a.name in spec.arms)
