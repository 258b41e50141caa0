"""GPUs through NVML: which are visible, how loaded, and whether somebody else computes on them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from genlab_tui.text import slug

QUIET_MEMORY = 2_000_000_000
"""Bytes that an idle GPU may show as used; more without any process to name is somebody hidden from here."""


@dataclass(frozen=True)
class Gpu:
    """A visible GPU. `key` names it in slot files: NVML's index, or the id of a MIG instance."""

    key: str
    uuid: str
    title: str


@dataclass(frozen=True)
class Load:
    """What a GPU does now; None where NVML does not say. `pids` compute on it, `drawing` only show pictures."""

    utilisation: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    temperature: float | None = None
    pids: frozenset[int] = frozenset()
    drawing: frozenset[int] = frozenset()


@cache
def _nvml() -> Any:
    """Return the initialised NVML binding, or None on a machine without it."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


def _ask(question: Callable[..., Any], *args: Any) -> Any:
    """Return NVML's answer, or None where this GPU has none."""
    try:
        return question(*args)
    except _nvml().NVMLError:
        return None


def visible() -> list[Gpu]:
    """Return the GPUs that `CUDA_VISIBLE_DEVICES` lets through, in its order: number N here is torch's `cuda:N`.

    Unset: all of them. As in CUDA, the list ends at its first entry that names no GPU, so that empty and -1 mean none.
    Whole numbers are NVML's (PCI bus order, as in nvidia-smi); entries may also be UUIDs, their beginnings, or MIG ids.
    """
    nvml = _nvml()
    if nvml is None:
        return []
    return list(_visible(os.environ.get("CUDA_VISIBLE_DEVICES")))


@cache
def _visible(setting: str | None) -> tuple[Gpu, ...]:
    nvml = _nvml()
    count = _ask(nvml.nvmlDeviceGetCount) or 0
    every = [gpu for index in range(count) if (gpu := _gpu(str(index), _ask(nvml.nvmlDeviceGetHandleByIndex, index)))]
    if setting is None:
        return tuple(every)
    chosen: list[Gpu] = []
    for entry in setting.split(","):
        gpu = _entry(entry.strip(), every)
        if gpu is None or gpu in chosen:
            break
        chosen.append(gpu)
    return tuple(chosen)


def _entry(entry: str, every: list[Gpu]) -> Gpu | None:
    if entry.isdecimal():
        return next((gpu for gpu in every if gpu.key == str(int(entry))), None)
    if entry.startswith("MIG-"):
        return _gpu(slug(entry), _ask(_nvml().nvmlDeviceGetHandleByUUID, entry))
    begins = [gpu for gpu in every if entry and gpu.uuid.lower().startswith(entry.lower())]
    return begins[0] if len(begins) == 1 else None


def _gpu(key: str, handle: Any) -> Gpu | None:
    if handle is None:
        return None
    nvml = _nvml()
    uuid, title = _ask(nvml.nvmlDeviceGetUUID, handle), _ask(nvml.nvmlDeviceGetName, handle)
    return Gpu(key, _text(uuid), _text(title) or "GPU") if uuid else None


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def load(gpu: Gpu) -> Load:
    """Return what a GPU does now."""
    nvml = _nvml()
    handle = _ask(nvml.nvmlDeviceGetHandleByUUID, gpu.uuid) if nvml else None
    if handle is None:
        return Load()
    rates, memory = _ask(nvml.nvmlDeviceGetUtilizationRates, handle), _ask(nvml.nvmlDeviceGetMemoryInfo, handle)
    computing = _ask(nvml.nvmlDeviceGetComputeRunningProcesses, handle) or []
    drawing = _ask(nvml.nvmlDeviceGetGraphicsRunningProcesses, handle) or []
    return Load(
        utilisation=None if rates is None else rates.gpu / 100,
        memory_used=None if memory is None else int(memory.used),
        memory_total=None if memory is None else int(memory.total),
        temperature=_ask(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU),
        pids=frozenset(int(process.pid) for process in computing),
        drawing=frozenset(int(process.pid) for process in drawing),
    )


def used_by_others(load: Load, ours: frozenset[int], busy_slots: int) -> bool:
    """Tell whether processes that are no worker of this lab compute on a GPU.

    In a container NVML may show pids of the outside, or none: so many unknown ones as slots are busy count as ours,
    and memory in use without any process and without a busy slot is somebody else's.
    """
    strangers = load.pids - ours
    if strangers:
        return len(strangers) > max(busy_slots - len(load.pids & ours), 0)
    if busy_slots or load.pids or load.drawing or load.memory_used is None:
        return False
    return load.memory_used > QUIET_MEMORY
