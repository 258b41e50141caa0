"""Runs made from runs: forked from the start or from a checkpoint with something changed, or given more seeds.

What a new run takes over of its parent is written into its `events.jsonl` as attempt 0 before it is queued, so that
its worker finds it as what an earlier attempt left, and readers need to know nothing of it.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from genlab_tui import events as ev
from genlab_tui import phenomena, regularisers
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.paths import Lab, RunDir
from genlab_tui.run import NAME_LENGTH, RunId, RunRecord, RunSpec, RunState
from genlab_tui.safe_io import PRIVATE_FILE
from jobs import checkpoint, request, runs, tail
from jobs.inflight import CHANGING, check
from jobs.verb import Verb, run_dir

PATIENCE = 20.0
"""Seconds that a running run is given to write a checkpoint when it is forked from there."""
TRIES = 3
_SEEDS = re.compile(r", \d+ seeds$")
TAKEN_OVER = (ev.Cohort, ev.Curve, ev.Measure, ev.Heat, ev.Mark, ev.Change, ev.Stage)


def fork(
    lab: Lab,
    run_id: RunId,
    *,
    values: Mapping[str, Any] | None = None,
    on: Mapping[str, float | None] | None = None,
    off: Iterable[str] = (),
    data: str | None = None,
    seeds: int | None = None,
    from_checkpoint: bool = False,
    name: str = "",
) -> RunRecord:
    """Queue the same run with something changed, and return its record.

    `on` gives regularisers a strength (None: their default), `off` takes them away. From the start, everything may
    change; `from_checkpoint` goes on where the last checkpoint was, and only regularisers that can be changed in flight
    may: the fork is judged as changed in flight. Raises NotFound, BadValue, MissingData or GenlabError before anything
    is written.
    """
    if from_checkpoint:
        if values or data or seeds:
            raise BadValue(
                "from a checkpoint only regularisers can change: networks, data and seeds are in it",
                "without --from-checkpoint it starts at step 0",
            )
        return _from_checkpoint(lab, run_id, _strengths(on, off), name)
    return runs.submit(lab, fork_spec(lab, run_id, values=values, on=on, off=off, data=data, seeds=seeds), name=name)


def fork_spec(
    lab: Lab,
    run_id: RunId,
    *,
    values: Mapping[str, Any] | None = None,
    on: Mapping[str, float | None] | None = None,
    off: Iterable[str] = (),
    data: str | None = None,
    seeds: int | None = None,
) -> RunSpec:
    """Return the specification of a fork from the start: that of a run with some things changed. Raises as `fork`."""
    source = _current(run_dir(lab, run_id))
    fields = {p.name: p for p in phenomena.get(source.phenomenon).params()}
    kept = {field: value for field, value in source.config.items() if field in fields}
    wanted = source.regularisers | _strengths(on, off)
    kept_on = {name: strength for name, strength in wanted.items() if strength is not None}
    preset = phenomena.get(source.phenomenon).preset(source.preset).regularisers
    spec = request.build_spec(
        source.phenomenon,
        lab=lab,
        preset=source.preset,
        values=kept | dict(values or {}),
        on=kept_on,
        off=[name for name in preset if name not in kept_on],
        arms=source.arms,
        seeds=source.seeds if seeds is None else seeds,
        first_seed=source.first_seed,
        data=data or source.data,
        device=source.device,
        parent=source.id,
    )
    if spec.identity() == source.identity():
        raise BadValue("nothing is changed: a fork differs from its run in something", "for example --on dropout=0.5")
    return spec


def source(lab: Lab, run_id: RunId) -> RunSpec:
    """Return the specification that a fork of a run starts from. Raises NotFound or GenlabError as `fork` does."""
    return _current(run_dir(lab, run_id))


def in_force(lab: Lab, run_id: RunId) -> dict[str, float]:
    """Return the regularisers of a run as they stand after what was changed in flight."""
    active = dict(tail.read_spec(run_dir(lab, run_id)).regularisers)
    for change in changes_of(lab, run_id):
        active.pop(change.regulariser, None)
        if change.strength is not None:
            active[change.regulariser] = change.strength
    return active


def changes_of(lab: Lab, run_id: RunId) -> tuple[ev.Change, ...]:
    """Return what was changed in flight, in order, as far as it still counts after every attempt. Raises NotFound."""
    events = surviving(run_dir(lab, run_id).events)
    return tuple(event for event in events if isinstance(event, ev.Change))


def _strengths(on: Mapping[str, float | None] | None, off: Iterable[str]) -> dict[str, float | None]:
    """Return what regularisers become: checked strengths, None for off."""
    changed: dict[str, float | None] = {}
    for name, strength in (on or {}).items():
        regulariser = regularisers.get(name)
        changed[regulariser.name] = regulariser.default if strength is None else regulariser.check(float(strength))
    return changed | {regularisers.get(name).name: None for name in off}


def _current(run: RunDir) -> RunSpec:
    """Return the specification of a run whose phenomenon is still the one it was made with. Raises GenlabError."""
    spec = tail.read_spec(run)
    phenomenon = phenomena.get(spec.phenomenon)
    if phenomenon.version != spec.phenomenon_version:
        raise GenlabError(
            f"{spec.phenomenon} is at version {phenomenon.version} now, run {spec.id} is of {spec.phenomenon_version}",
            "launch it anew",
        )
    return spec


# --- from the checkpoint ----------------------------------------------------------------------------------------------


def can_continue(lab: Lab, run_id: RunId) -> str:
    """Return why a run cannot be forked from its checkpoint; empty where it can. Raises NotFound or GenlabError."""
    run = run_dir(lab, run_id)
    spec = tail.read_spec(run)
    if not phenomena.get(spec.phenomenon).changeable(spec):
        return f"{spec.phenomenon} has no regulariser that can be changed in flight: fork it from step 0"
    record = runs.find_run(lab, run_id)
    if record.state is RunState.DONE:
        return "it is done, and has no checkpoint any more: fork it from step 0"
    if record.state in CHANGING or checkpoint.read_label(run.checkpoint) is not None:
        return ""
    return f"it is {record.state} and has no checkpoint: fork it from step 0"


def _from_checkpoint(lab: Lab, run_id: RunId, changed: Mapping[str, float | None], name: str) -> RunRecord:
    source = run_dir(lab, run_id)
    spec = _current(source)
    if not changed:
        raise BadValue("nothing is changed: a fork differs from its run in something", "for example --on dropout=0.5")
    for regulariser, strength in changed.items():
        check(source, run_id, regulariser, strength)
    why = can_continue(lab, run_id)
    if why:
        raise GenlabError(f"run {run_id}: {why}")
    _save_now(lab, run_id)
    fresh = spec.anew(parent=spec.id, inherited=spec.inherited, forked_with=dict(changed))
    for _ in range(TRIES):
        with suppress(FileNotFoundError):  # the stage ended while it was copied: the next one has a checkpoint later
            return runs.submit(lab, fresh, name=name, fill=partial(_continue, source))
    raise GenlabError(f"run {run_id} has no checkpoint at this moment", "try again, or fork it from step 0")


def _save_now(lab: Lab, run_id: RunId) -> None:
    """Have a run at work write a checkpoint, and wait for it as long as that is reasonable."""
    run = run_dir(lab, run_id)
    before = _stamp(run.checkpoint)
    with Verb(lab, run_id) as verb:
        if verb.record.state not in (RunState.STARTING, RunState.RUNNING):
            return
        verb.ask("save")
    until = time.monotonic() + PATIENCE
    while _stamp(run.checkpoint) in (None, before) and time.monotonic() < until:
        if runs.find_run(lab, run_id).state.ended:
            return
        time.sleep(0.1)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _continue(source: RunDir, spec: RunSpec, target: RunDir) -> RunSpec:
    """Put a run's checkpoint and what led to it into the directory of a fork; FileNotFoundError where it is gone."""
    for file in (source.checkpoint, *source.path.glob("checkpoint.*.safetensors")):
        _copy(file, target.path / file.name)
    label = checkpoint.read_label(target.checkpoint)
    finished = {event.key for event in surviving(source.events) if isinstance(event, ev.Stage)}
    if label is None or label.stage in finished:
        raise FileNotFoundError("the checkpoint is of a stage that is finished")
    cut = ev.Begin(
        attempt=1,
        time=0.0,
        kept=tuple(finished),
        resume=label.stage,
        resume_step=label.step,
        resume_cohort=label.cohort,
        resume_finished=label.finished,
    )
    _write(target, (event for event in surviving(source.events) if _counts(cut, event)))
    target.changed.touch(mode=0o600)
    return dataclasses.replace(spec, forked_at=label.step)


# --- more seeds -------------------------------------------------------------------------------------------------------


def add_seeds(
    lab: Lab, run_id: RunId, count: int, *, name: str = "", prediction: str = "", expected: str = ""
) -> RunRecord:
    """Queue a run of all seeds of a finished one and `count` more, of which only the new ones are trained.

    It takes the tags over, and without a `name` the source's, with the number of seeds. Raises GenlabError for a run
    that is not done, that was changed in flight or that is of another version.
    """
    source, record = run_dir(lab, run_id), runs.find_run(lab, run_id)
    spec = request.predicted(more_seeds_spec(lab, run_id, count), prediction, expected)
    mark = f"~{run_id}"
    if record.name and not name:
        seeds = f", {spec.seeds} seeds"
        name = _SEEDS.sub("", record.name)[: NAME_LENGTH - len(seeds)] + seeds

    def take_over(spec: RunSpec, target: RunDir) -> RunSpec:
        _write(target, _marked(surviving(source.events), mark))
        return spec

    more = runs.submit(lab, spec, name=name, fill=take_over)
    if not record.tags:
        return more
    runs.edit(lab, more.id, tags=record.tags)
    return runs.find_run(lab, more.id)


def more_seeds_spec(lab: Lab, run_id: RunId, count: int) -> RunSpec:
    """Return the specification of a finished run with more seeds. Raises as `add_seeds`."""
    record = runs.find_run(lab, run_id)
    spec = _current(run_dir(lab, run_id))
    if record.state is not RunState.DONE:
        raise GenlabError(f"run {record.title} is {record.state}: seeds are added to a run that is done")
    if record.changed:
        raise GenlabError(f"run {record.title} was changed in flight: it is never pooled with others", "launch it anew")
    room = min(request.MAX_SEEDS - spec.seeds, request.MAX_FIRST_SEED - spec.first_seed - spec.seeds)
    if not 1 <= count <= room:
        nearest = min(max(count, 1), room)
        raise BadValue(f"{count} more seeds: it has to be 1 to {room}", f"nearest valid value: {nearest}")
    return spec.anew(parent=spec.id, seeds=spec.seeds + count, inherited=spec.seeds)


def _marked(events: Iterable[ev.AnyEvent], mark: str) -> Iterable[ev.AnyEvent]:
    """Yield events under names of stages and cohorts that the seeds to come do not use."""
    for event in events:
        changes: dict[str, Any] = {"stage": f"{mark} {event.stage}"}
        if isinstance(event, ev.Cohort):
            changes["id"] = f"{mark} {event.id}"
        elif isinstance(event, (ev.Curve, ev.Measure, ev.Change)) or (isinstance(event, ev.Mark) and event.cohort):
            changes["cohort"] = f"{mark} {event.cohort}"
        if isinstance(event, ev.Stage):
            changes = {"key": f"{mark} {event.key}"}
        yield msgspec.structs.replace(event, **changes)
    yield ev.Stage(key=f"{mark} ")  # what was written outside of any stage is kept too


# --- both -------------------------------------------------------------------------------------------------------------


def surviving(events: Path) -> Iterator[ev.AnyEvent]:
    """Yield what counts of a run's events after all of its attempts, in order, of the kinds that are taken over.

    Reads the file twice and holds no more than its attempts.
    """
    attempts: list[ev.Begin] = []
    for event in tail.iter_events(events):
        if isinstance(event, ev.Begin) and event.attempt > (attempts[-1].attempt if attempts else 0):
            attempts.append(event)
    current = 0
    for event in tail.iter_events(events):
        if isinstance(event, ev.Begin):
            current = max(current, event.attempt)
        elif (
            isinstance(event, TAKEN_OVER)
            and event.attempt == current
            and all(_counts(begin, event) for begin in attempts if begin.attempt > current)
        ):
            yield event


def _counts(begin: ev.Begin, event: ev.AnyEvent) -> bool:
    """Whether an event still counts for an attempt that begins so; as `RunDataBuilder` has it."""
    match event:
        case ev.Stage():
            return event.key in begin.kept
        case ev.Cohort():
            return begin.keeps(event.stage, event.id, -1)
        case ev.Curve() | ev.Mark():
            return begin.keeps(event.stage, event.cohort, event.step)
        case ev.Change():
            return begin.keeps(event.stage, event.cohort, event.step + 1)
    return event.stage in begin.kept


def _copy(source: Path, target: Path) -> None:
    """Copy a file for its owner alone, durably. Raises OSError."""
    shutil.copyfile(source, target)
    target.chmod(PRIVATE_FILE)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _write(target: RunDir, events: Iterable[ev.AnyEvent]) -> None:
    lines = (ev.encode(msgspec.structs.replace(event, attempt=0)) + b"\n" for event in events)
    with target.events.open("wb") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    target.events.chmod(PRIVATE_FILE)
