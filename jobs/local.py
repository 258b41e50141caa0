"""The local launcher: slots of this machine as locked files, its devices with their load, the queue for people."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunState
from genlab_tui.safe_io import PRIVATE_FILE, is_locked, make_private_dir, read_json, try_flock
from genlab_tui.store import open_store
from jobs import durations, gpus, machine
from jobs.index import list_now
from jobs.launcher import Device, QueueEntry

ALL = "all"
"""The device of a run that wants every GPU at once."""


@dataclass(frozen=True)
class Slot:
    """Room for one run on a device: a file in `lab.slots` that its keeper and worker hold locked."""

    name: str
    device: str
    gpu: gpus.Gpu | None = None

    def path(self, lab: Lab) -> Path:
        return lab.slots / f"{self.name}.lock"


def all_slots() -> list[Slot]:
    """Return the slots of every visible GPU in the order of the devices, then those of the CPU."""
    each = machine.slots_of("GENLAB_GPU_SLOTS")
    found = [
        Slot(f"cuda-{gpu.key}-{k}", f"cuda:{number}", gpu)
        for number, gpu in enumerate(gpus.visible())
        for k in range(each)
    ]
    return found + [Slot(f"cpu-{k}", "cpu") for k in range(machine.slots_of("GENLAB_CPU_SLOTS"))]


def devices(lab: Lab) -> list[Device]:
    """Return the CPU, then every GPU that `CUDA_VISIBLE_DEVICES` lets through, with their load. Never imports torch."""
    import psutil

    slots = all_slots()
    busy = {slot.name for slot in slots if is_locked(slot.path(lab))}
    memory = psutil.virtual_memory()
    own = [slot for slot in slots if slot.device == "cpu"]
    found = [
        Device(
            name="cpu",
            title=f"{machine.cores()} CPU cores",
            slots=len(own),
            busy_slots=sum(slot.name in busy for slot in own),
            utilisation=machine.cpu_load(),
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
        )
    ]
    ours = worker_pids(lab) if len(slots) > len(own) else frozenset()
    for number, gpu in enumerate(gpus.visible()):
        own = [slot for slot in slots if slot.gpu == gpu]
        held = sum(slot.name in busy for slot in own)
        load = gpus.load(gpu)
        found.append(
            Device(
                name=f"cuda:{number}",
                title=gpu.title,
                slots=len(own),
                busy_slots=held,
                used_by_others=gpus.used_by_others(load, ours, held),
                utilisation=load.utilisation,
                memory_used=load.memory_used,
                memory_total=load.memory_total,
                temperature=load.temperature,
            )
        )
    return found


def worker_pids(lab: Lab) -> frozenset[int]:
    """Return the pids of the workers of runs that have not ended, or ended so lately that a GPU may still show them."""
    found = set()
    lately = time.time() - 60
    for record in open_store(lab).records().values():
        if not record.state.ended or record.ended > lately:
            worker = (read_json(lab.run(record.id).pid) or {}).get("worker")
            if isinstance(worker, dict) and isinstance(worker.get("pid"), int):
                found.add(worker["pid"])
    return frozenset(found)


def candidates(device: str, known: list[Device]) -> tuple[list[str], str]:
    """Return the devices that a run may start on, best first, and in words what it waits for when none has room.

    `auto` means a GPU where there is one, and the CPU where there is none or where others use them all. `all` means
    every GPU that others do not use, together. A GPU that others use is never one to start on.
    """
    by_name = {d.name: d for d in known}
    cards = [d for d in known if d.name != "cpu"]
    free = [d for d in cards if not d.used_by_others]
    if device == ALL:
        if not cards:
            return [], "a GPU, which this machine does not have"
        return [d.name for d in free], " and ".join(_short(d.name) for d in free) or "a GPU that others do not use"
    if device == "auto":
        chosen = free or [by_name["cpu"]]
    elif device not in by_name:
        return [], f"{device}, which this machine does not have"
    elif by_name[device].used_by_others:
        return [], f"{_short(device)}, which others are using"
    else:
        chosen = [by_name[device]]
    return [d.name for d in chosen], " or ".join(_short(d.name) for d in chosen)


def placed(device: str, names: list[str], room: Mapping[str, int]) -> list[str]:
    """Return the candidates with room for a run, best first; with `all`, every one of them or none."""
    found = [name for name in names if room[name] > 0]
    return [] if device == ALL and found != names else found


def _short(device: str) -> str:
    return device.replace("cuda:", "GPU") if device != "cpu" else "the CPU"


def queue_order(lab: Lab, record: RunRecord) -> tuple[float, float, str]:
    """Return the place of a queued run: what `queue.json` says, then its age."""
    order = (read_json(lab.run(record.id).queue) or {}).get("order")
    place = float(order) if isinstance(order, (int, float)) else record.created
    return place, record.created, record.id


def queue_view(lab: Lab) -> list[QueueEntry]:
    """Return active runs (position 0), then the queued ones in the order in which they will start."""
    return view(lab, list_now(lab))


def view(lab: Lab, records: list[RunRecord]) -> list[QueueEntry]:
    """Return the queue of runs that the caller has listed already (see `queue_view`)."""
    active = sorted((r for r in records if r.state.active), key=lambda r: r.started)
    queued = sorted((r for r in records if r.state is RunState.QUEUED), key=lambda r: queue_order(lab, r))
    if not active and not queued:
        return []
    took = durations.took(records)
    takes = {record.id: durations.expected(lab, record, took) for record in (*active, *queued)}
    entries = [QueueEntry(record, 0, "", takes[record.id]) for record in active]
    if not queued:
        return entries
    known = devices(lab)
    room = {d.name: d.slots - d.busy_slots for d in known}
    for position, record in enumerate(queued, start=1):
        names, waits = candidates(record.device, known)
        start = placed(record.device, names, room)
        if record.held:
            waits = "release (held)"
        elif start:
            for name in start if record.device == ALL else start[:1]:
                room[name] -= 1
            waits = "its start"
        entries.append(QueueEntry(record, position, waits, takes[record.id]))
    return entries


def wake(lab: Lab, *, again_after: float = 0.0) -> None:
    """Start a drain unless one holds the queue. Returns at once; the drain has no tie to this process.

    With `again_after`, not within so many seconds of the last one that was started that way by this process.
    """
    now = time.monotonic()
    if is_locked(lab.queue_lock) or now - _woken.get(lab, -again_after) < again_after:
        return
    if again_after:
        _woken[lab] = now
    os.close(os.open(lab.drain_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE))
    # A shell that goes at once: the drain is then nobody's child here, and leaves no zombie in a long-lived app.
    subprocess.run(
        ["/bin/sh", "-c", '"$@" </dev/null >>"$0" 2>&1 &', str(lab.drain_log), *drain_command(lab)],
        env=machine.child_environment(),
        cwd=lab.root,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )


_woken: dict[Lab, float] = {}


def drain_command(lab: Lab) -> list[str]:
    """Return the command line of a drain."""
    return [sys.executable, "-P", "-m", "jobs.drain", str(lab.root)]


def take_slot(lab: Lab, names: list[str]) -> tuple[Slot, int] | None:
    """Lock a free slot of one of these devices, in their order; return it with its descriptor, or None."""
    make_private_dir(lab.slots)
    slots = all_slots()
    for name in names:
        for slot in slots:
            if slot.device == name and (fd := try_flock(slot.path(lab))) is not None:
                return slot, fd
    return None


def take_all(lab: Lab, names: list[str]) -> list[tuple[Slot, int]]:
    """Lock a free slot of each of these devices and return them with their descriptors; none if one has none."""
    taken: list[tuple[Slot, int]] = []
    for name in names:
        one = take_slot(lab, [name])
        if one is None:
            for _, fd in taken:
                os.close(fd)
            return []
        taken.append(one)
    return taken


class LocalLauncher:
    """This machine as a Launcher."""

    name = "local"

    def devices(self, lab: Lab) -> list[Device]:
        """Return the CPU and the visible GPUs with their load."""
        return devices(lab)

    def wake(self, lab: Lab) -> None:
        """Start a drain unless one serves the queue."""
        wake(lab)

    def queue_view(self, lab: Lab) -> list[QueueEntry]:
        """Return active runs, then the queued ones in order."""
        return queue_view(lab)
