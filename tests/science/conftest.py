"""Run a phenomenon in process, through a worker's Context kept in memory, and read what it measured."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.phenomenon import Arm, Checkpoint, Phenomenon, Stopped, config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData, RunDataBuilder


class MemoryContext:
    """A Context without files: stages and checkpoints live in memory, events pass through JSON as in a real run.

    `stop_after` polls it raises Stopped, after saving a checkpoint; `attempt(...)` then continues.
    """

    def __init__(self, spec: RunSpec, arms: tuple[Arm, ...], data_dir: Path, stop_after: int = -1) -> None:
        self.spec, self.arms, self.data_dir, self.device = spec, arms, data_dir, "cpu"
        self.devices: tuple[str, ...] = ("cpu",)
        self.builder = RunDataBuilder(spec, arms)
        self.stages: dict[str, Any] = {}
        self.open, self.polls, self.attempt = "", 0, 0
        self.stop_after = stop_after
        self.saved: dict[str, Checkpoint] = {}
        self.arrays: dict[str, Mapping[str, Any]] = {}

    def stage(self, key: str, body: Callable[[], Generator[ev.Event, None, Any]]) -> Generator[ev.Event, None, Any]:
        if key in self.stages:
            return self.stages[key]
        self.open = key
        self.stages[key] = yield from body()
        yield ev.Stage(key=key, value=self.stages[key])
        self.open = ""
        self.saved.pop(key, None)
        return self.stages[key]

    def poll(self, save: Callable[[], Checkpoint] | None = None) -> None:
        self.polls += 1
        if self.polls - 1 == self.stop_after:
            if save is not None:
                self.saved[self.open] = save()
            raise Stopped

    def changes(self, cohort: str, step: int) -> tuple[tuple[str, float | None], ...]:
        return ()

    def keep(self, name: str, arrays: Mapping[str, Any]) -> None:
        self.arrays[name] = {key: torch.as_tensor(array).clone() for key, array in arrays.items()}

    def kept(self, name: str) -> Mapping[str, Any]:
        return self.arrays[name]

    def resume(self) -> Checkpoint | None:
        return self.saved.get(self.open)

    def run(self, phenomenon: Phenomenon) -> RunData:
        """Run one attempt to its end or to its stop."""
        self.attempt += 1
        resume = next(iter(self.saved), "")
        saved = self.saved.get(resume, Checkpoint(-1, {}))
        begin = ev.Begin(
            attempt=self.attempt,
            time=time.time(),
            kept=tuple(self.stages),
            resume=resume,
            resume_step=saved.step,
            resume_cohort=saved.cohort,
            resume_finished=saved.finished,
        )
        self._feed(begin)
        try:
            for event in phenomenon.run(phenomenon.config_of(self.spec), self):
                self._feed(event)
        except Stopped:
            self.open = ""
        return self.builder.snapshot()

    def _feed(self, event: ev.Event) -> None:
        stamped = _stamp(event, self.attempt, self.open)
        decoded = ev.decode(ev.encode(stamped))
        assert decoded is not None, f"an event that does not survive JSON: {event}"
        self.builder.feed(decoded)


def _stamp(event: ev.Event, attempt: int, stage: str) -> ev.Event:
    fields: Iterator[str] = iter(event.__struct_fields__)
    return type(event)(**{**{name: getattr(event, name) for name in fields}, "attempt": attempt, "stage": stage})


@pytest.fixture(scope="session")
def science_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder shared by the session, so that what is built is built once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def make_context(science_data: Path) -> Callable[..., MemoryContext]:
    """Return `make_context(phenomenon, preset="quick", values={...}, data=..., seeds=..., ...)`."""

    def make(phenomenon: Phenomenon, *, preset: str = "quick", stop_after: int = -1, **fields: Any) -> MemoryContext:
        chosen = phenomenon.preset(preset)
        values = fields.pop("values", {})
        fields = {"data": chosen.data or "digits", "seeds": chosen.seeds, "arms": chosen.arms, **fields}
        fields.setdefault("regularisers", dict(chosen.regularisers))
        config = config_values(phenomenon.make_config(preset, values))
        spec = RunSpec("00000001", phenomenon.name, config, preset=preset, version="test", **fields)
        spec = dataclasses.replace(spec, phenomenon_version=phenomenon.version)
        return MemoryContext(spec, phenomenon.arms_of(spec), science_data, stop_after)

    return make


@pytest.fixture
def run_phenomenon(make_context: Callable[..., MemoryContext]) -> Callable[..., RunData]:
    """Return `run_phenomenon(phenomenon, **spec fields) -> RunData`: a whole run in this process."""

    def run(phenomenon: Phenomenon, **fields: Any) -> RunData:
        return make_context(phenomenon, **fields).run(phenomenon)

    return run
