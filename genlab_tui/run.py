"""A run: its identity, its specification, its states and its record in the index, with their codec and version."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from genlab_tui import __version__
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.paths import RUN_ID

SCHEMA = 1
NAME_LENGTH = 80

ConfigValue = bool | int | float | str | tuple[int | float | str, ...]
RunId = str

T = TypeVar("T")


class RunState(StrEnum):
    """The states of a run; the last five are ends, each with a reason."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    KILLED = "killed"
    LOST = "lost"

    @property
    def ended(self) -> bool:
        return self in _ENDED

    @property
    def active(self) -> bool:
        """Whether a keeper or worker should be alive for it."""
        return self in _ACTIVE

    @property
    def resumable(self) -> bool:
        """Whether `retry` and `resume` can start another attempt."""
        return self in _ENDED and self is not RunState.DONE


_ACTIVE = frozenset({RunState.STARTING, RunState.RUNNING, RunState.PAUSED, RunState.STOPPING})
_ENDED = frozenset({RunState.DONE, RunState.STOPPED, RunState.FAILED, RunState.KILLED, RunState.LOST})


def new_run_id() -> RunId:
    """Return a fresh random id of eight hexadecimal digits; the run directory's creation settles collisions.

    It starts with a letter: spreadsheets and pandas would read `12345678` and `1234e567` as numbers.
    """
    return secrets.choice("abcdef") + secrets.token_hex(4)[1:]


OWN_SAMPLES = "samples of its own"
"""What a run without a data set is on."""


@dataclass(frozen=True)
class RunSpec:
    """What was asked for: everything that decides what a run computes, and nothing else.

    `regularisers` maps the names that are on to their strengths. `arms` limits the run to those arms (empty: all).
    The seeds of the run are `first_seed .. first_seed + seeds - 1`. `prediction` and `expected` (a verdict) are what
    somebody wrote down before its launch: no part of its identity.

    `parent` is the run that this one was made from: the first `inherited` seeds were taken over from it, or it was
    forked from its checkpoint at step `forked_at` with `forked_with` changed, or (neither) launched anew with something
    changed.
    """

    id: RunId
    phenomenon: str
    config: dict[str, ConfigValue]
    preset: str = "quick"
    data: str = "digits"
    regularisers: dict[str, float] = field(default_factory=dict)
    arms: tuple[str, ...] = ()
    seeds: int = 3
    first_seed: int = 0
    device: str = "auto"
    created: float = 0.0
    version: str = ""
    phenomenon_version: int = 1
    parent: RunId = ""
    inherited: int = 0
    forked_at: int = -1
    forked_with: dict[str, float | None] = field(default_factory=dict)
    prediction: str = ""
    expected: str = ""
    schema: int = SCHEMA

    def anew(self, **changes: Any) -> RunSpec:
        """Return a specification as of a run that is launched now: no id, parent or prediction of this one."""
        fresh: dict[str, Any] = {"id": new_run_id(), "created": round(time.time(), 3), "version": __version__}
        fresh |= {"parent": "", "inherited": 0, "forked_at": -1, "forked_with": {}, "prediction": "", "expected": ""}
        return dataclasses.replace(self, **(fresh | changes))

    @property
    def own_seeds(self) -> RunSpec:
        """The specification of what the run trains itself: without the seeds that it took over."""
        if not self.inherited:
            return self
        first, count = self.first_seed + self.inherited, self.seeds - self.inherited
        return dataclasses.replace(self, first_seed=first, seeds=count)

    @property
    def seed_list(self) -> tuple[int, ...]:
        return tuple(range(self.first_seed, self.first_seed + self.seeds))

    def identity(self) -> str:
        """Return the SHA-256 over everything that decides the numbers; equal specs give equal runs."""
        content = {
            "schema": self.schema,
            "phenomenon": self.phenomenon,
            "phenomenon_version": self.phenomenon_version,
            "config": self.config,
            "data": self.data,
            "regularisers": self.regularisers,
            "arms": sorted(self.arms),
            "seeds": self.seeds,
            "first_seed": self.first_seed,
            "device": self.device,
        }
        if self.forked_at >= 0:
            content["forked"] = {"parent": self.parent, "at": self.forked_at, "with": self.forked_with}
        return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


@dataclass(frozen=True)
class RunMeta:
    """What the user adds to a run: never part of its identity."""

    name: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    colour: str = ""
    trashed: bool = False
    marks: tuple[tuple[int, str], ...] = ()
    """Marks of the user's own on the curves: steps with a few words."""
    schema: int = SCHEMA


@dataclass(frozen=True)
class RunRecord:
    """A run in the index: a few hundred bytes; the run directory has the rest and is the truth.

    `reason` says why the run ended (`diverged`, `CUDA OOM`, `signal 9`, ...), `verdict` is SHOWN, NOT SHOWN,
    INCONCLUSIVE or empty, `headline` at most four numbers. Times are POSIX seconds, 0 where not yet. `parent`,
    `inherited`, `prediction` and `expected` are those of the specification.
    """

    id: RunId
    phenomenon: str
    state: RunState = RunState.QUEUED
    reason: str = ""
    preset: str = ""
    data: str = ""
    device: str = ""
    seeds: int = 0
    first_seed: int = 0
    regularisers: dict[str, float] = field(default_factory=dict)
    created: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    attempt: int = 0
    verdict: str = ""
    headline: dict[str, float] = field(default_factory=dict)
    name: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    colour: str = ""
    trashed: bool = False
    held: bool = False
    changed: bool = False
    identity: str = ""
    parent: RunId = ""
    inherited: int = 0
    prediction: str = ""
    expected: str = ""
    schema: int = SCHEMA

    @property
    def title(self) -> str:
        """What a person calls it: its name, else its id."""
        return self.name or self.id


def decode(cls: type[T], document: dict[str, Any]) -> T:
    """Build a dataclass of this module from a JSON document; unknown fields are ignored. Raises GenlabError."""
    try:
        return msgspec.convert(document, cls)
    except msgspec.ValidationError as error:
        raise GenlabError(f"not a valid {cls.__name__}: {error}") from error


def encode(value: RunSpec | RunMeta | RunRecord) -> dict[str, Any]:
    """Return a dataclass of this module as a JSON document (plain dicts, lists, strings, numbers), every field in it.

    Field by field: msgspec leaves out those of a decoded instance that took their default.
    """
    return {f.name: msgspec.to_builtins(getattr(value, f.name)) for f in dataclasses.fields(value)}


def check_name(name: str) -> str:
    """Return a run name without anything that cannot be shown; raises BadValue where nothing is left or it is long."""
    from genlab_tui.text import clean_text

    cleaned = clean_text(name, 1000)
    if (name and not cleaned) or len(cleaned) > NAME_LENGTH:
        raise BadValue(
            f"a run name has 1 to {NAME_LENGTH} printable characters", f"nearest valid name: {cleaned[:NAME_LENGTH]!r}"
        )
    if cleaned == "last" or RUN_ID.fullmatch(cleaned):
        raise BadValue(f"the name {cleaned!r} reads like a run id", f"nearest valid name: {'run ' + cleaned!r}")
    return cleaned


def boot_id() -> str:
    """Return an id of this boot of the machine, so that a recorded pid of an earlier boot is never taken for alive."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123 - before pathlib loads
            return file.read().strip()
    except OSError:
        import psutil

        return f"boot-{int(psutil.boot_time())}"


def host_name() -> str:
    """Return this machine's name."""
    return os.uname().nodename
