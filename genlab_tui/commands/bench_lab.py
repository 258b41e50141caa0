"""Labs made for the bench: many ended runs, runs with curves, and a process that writes to one as a worker would.

Nothing trains here: the numbers are made up, the files and their format are the real ones.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from genlab_tui import events as ev
from genlab_tui.paths import Lab, RunDir

ARMS = ("true", "corrupt-0.2", "corrupt-0.4", "corrupt-0.6", "corrupt-0.8", "random")
SEEDS = 3
METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
COHORT = "bench"
LONG = 20_000.0
"""Steps over which the made curves fall: longer than anything that is written here."""


def filled_lab(root: Path, runs: int) -> Lab:
    """Make a lab with `runs` ended runs in its index."""
    from genlab_tui.run import RunRecord, RunState
    from genlab_tui.safe_io import make_private_dir
    from genlab_tui.store import RunStore

    lab = Lab(root)
    make_private_dir(lab.runs)
    records = [
        RunRecord(
            id=f"{index:08x}",
            phenomenon=("random-labels", "double-descent")[index % 2],
            state=RunState.DONE,
            preset="quick",
            data="digits",
            device="cpu",
            seeds=5,
            created=1.7e9 + index,
            started=1.7e9 + index,
            ended=1.7e9 + index + 60,
            attempt=1,
            verdict="SHOWN",
            headline={"ratio": 1.5},
        )
        for index in range(runs)
    ]
    for record in records:
        (lab.runs / record.id).mkdir(mode=0o700)
    RunStore(lab).put(*records)
    return lab


def add_run(
    lab: Lab, *, rows: int, seeds: int = SEEDS, metrics: Iterable[str] = METRICS, ended: bool = False
) -> RunDir:
    """Add a run of six arms with `rows` rows of each metric, at work in this process or ended.

    One that is at work needs somebody who holds its keeper's lock.
    """
    from genlab_tui import phenomena
    from genlab_tui.phenomenon import config_values
    from genlab_tui.record import record_of
    from genlab_tui.run import RunMeta, RunSpec, boot_id, encode, host_name, new_run_id
    from genlab_tui.safe_io import make_private_dir, write_json
    from genlab_tui.store import RunStore
    from jobs.keeper import process_start

    now = time.time()
    config = phenomena.get("random-labels").make_config("quick", {})
    spec = RunSpec(new_run_id(), "random-labels", config_values(config), arms=ARMS, seeds=seeds, created=now - 60)
    run = lab.run(spec.id)
    make_private_dir(run.path)
    attempt = {"attempt": 1}
    here = {"host": host_name(), "boot_id": boot_id(), "slot": "cpu-0", "device": "cpu", "started": now - 59}
    process = {"pid": os.getpid(), "start": process_start(os.getpid())}
    write_json(run.spec, encode(spec))
    write_json(run.meta, encode(RunMeta()))
    write_json(run.queue, attempt | {"order": now, "held": False, "cancelled": False})
    write_json(run.pid, attempt | here | {"keeper": process, "worker": process})
    begin = ev.Begin(time=now - 59, device="cpu")
    cohort = ev.Cohort(id=COHORT, members=tuple((arm, seed) for arm in ARMS for seed in spec.seed_list))
    with run.events.open("wb") as file:
        file.writelines(ev.encode(event) + b"\n" for event in (begin, cohort))
        for step in range(rows):
            file.write(lines(step, len(cohort.members), metrics))
        file.write(ev.encode(ev.Progress(done=0.1, label="epoch 1", eta=60.0)) + b"\n")
    if ended:
        write_json(run.exit, attempt | {"state": "done", "code": 0, "reason": "", "ended": now - 1})
    record = record_of(run)
    assert record is not None
    RunStore(lab).put(record)
    return run


def lines(step: int, members: int, metrics: Iterable[str] = METRICS) -> bytes:
    """Return the lines of one step: a value of every metric for every member."""
    events = (
        ev.Curve(
            cohort=COHORT,
            metric=metric,
            step=step,
            epoch=step / 8,
            seconds=step / 50,
            values=ev.to_values(_values(step, members, falling=metric.endswith("loss"))),
        )
        for metric in metrics
    )
    return b"".join(ev.encode(event) + b"\n" for event in events)


def _values(step: int, members: int, *, falling: bool) -> Iterator[float]:
    for k in range(members):  # seeds of an arm lie far apart: wide bands are the most work to draw and to send
        noise = ((step * 7919 + k * 104729) % 1000) / 1000 - 0.5
        level = 2.3 * math.exp(-step / (LONG / (1 + k % 6))) + 0.02 * noise
        yield round(level + 0.05 if falling else 1 - level / 2.5, 6)


def write(events: str, first: int, members: int, per_second: float) -> None:
    """Write `per_second` steps a second to a run until somebody ends this process, or its parent ends."""
    parent = os.getppid()
    began = time.monotonic()
    step = first
    with Path(events).open("ab", buffering=0) as file:
        while os.getppid() == parent:
            due = first + int((time.monotonic() - began) * per_second)
            while step < due:
                file.write(lines(step, members))
                step += 1
                if step % 50 == 0:
                    progress = ev.Progress(done=min(step / LONG, 1.0), label=f"step {step}", eta=LONG / per_second)
                    file.write(ev.encode(progress) + b"\n")
            time.sleep(0.5 / per_second)


def writer(run: RunDir, first: int, members: int, per_second: float) -> list[str]:
    """Return the command line of a process that does so."""
    call = f"write({str(run.events)!r}, {first}, {members}, {per_second})"
    return [sys.executable, "-P", "-c", f"from genlab_tui.commands.bench_lab import write; {call}"]
