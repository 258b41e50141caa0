"""Devices and slots, with an NVML that this machine need not have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunState
from genlab_tui.safe_io import make_private_dir, write_json
from genlab_tui.store import open_store
from jobs import gpus, local, machine
from jobs.gpus import Load, used_by_others
from jobs.launcher import Device, Launcher

GB = 1_000_000_000


class FakeNvml:
    """Three GPUs and one MIG instance, as NVML shows them."""

    class NVMLError(Exception):
        """What NVML raises."""

    NVML_TEMPERATURE_GPU = 0

    def __init__(self) -> None:
        self.uuids = ["GPU-aaaa1111", "GPU-aaaa2222", "GPU-bbbb3333"]
        self.pids: dict[str, list[int]] = {}
        self.used: dict[str, int] = {}

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - NVML's names
        return len(self.uuids)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        return self.uuids[index]

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        if uuid not in [*self.uuids, "MIG-cccc/4444"]:
            raise self.NVMLError
        return uuid

    def nvmlDeviceGetUUID(self, handle: str) -> str:  # noqa: N802
        return handle

    def nvmlDeviceGetName(self, handle: str) -> bytes:  # noqa: N802
        return b"Test GPU"

    def nvmlDeviceGetUtilizationRates(self, handle: str) -> Any:  # noqa: N802
        if handle.startswith("MIG-"):
            raise self.NVMLError
        return SimpleNamespace(gpu=81)

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> Any:  # noqa: N802
        return SimpleNamespace(used=self.used.get(handle, GB // 2), total=80 * GB)

    def nvmlDeviceGetTemperature(self, handle: str, sensor: int) -> int:  # noqa: N802
        return 61

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[Any]:  # noqa: N802
        return [SimpleNamespace(pid=pid) for pid in self.pids.get(handle, [])]

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: str) -> list[Any]:  # noqa: N802
        return []


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNvml]:
    fake = FakeNvml()
    monkeypatch.setattr(gpus, "_nvml", lambda: fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    gpus._visible.cache_clear()
    yield fake
    gpus._visible.cache_clear()


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path / "lab")
    open_store(lab)
    return lab


@pytest.mark.parametrize(
    ("setting", "uuids"),
    [
        (None, ["GPU-aaaa1111", "GPU-aaaa2222", "GPU-bbbb3333"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("2,0", ["GPU-bbbb3333", "GPU-aaaa1111"]),
        (" 1 , 2 ", ["GPU-aaaa2222", "GPU-bbbb3333"]),
        ("0,-1,2", ["GPU-aaaa1111"]),
        ("0,9,2", ["GPU-aaaa1111"]),
        ("0,0,1", ["GPU-aaaa1111"]),
        ("GPU-bbbb3333", ["GPU-bbbb3333"]),
        ("gpu-bb,0", ["GPU-bbbb3333", "GPU-aaaa1111"]),
        ("GPU-aaaa", []),
        ("MIG-cccc/4444", ["MIG-cccc/4444"]),
        ("MIG-unknown", []),
    ],
)
def test_visible_devices_mean_what_they_mean_to_cuda(
    nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch, setting: str | None, uuids: list[str]
) -> None:
    if setting is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    assert [gpu.uuid for gpu in gpus.visible()] == uuids


def test_slots_are_named_by_the_physical_gpu(nvml: FakeNvml, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,0")
    monkeypatch.setenv("GENLAB_GPU_SLOTS", "2")
    monkeypatch.setenv("GENLAB_CPU_SLOTS", "nonsense")
    names = [(slot.name, slot.device) for slot in local.all_slots()]
    assert names == [
        ("cuda-2-0", "cuda:0"),
        ("cuda-2-1", "cuda:0"),
        ("cuda-0-0", "cuda:1"),
        ("cuda-0-1", "cuda:1"),
        ("cpu-0", "cpu"),
    ]
    taken = [local.take_slot(lab, ["cuda:1", "cpu"]) for _ in range(4)]
    assert [t[0].name for t in taken if t] == ["cuda-0-0", "cuda-0-1", "cpu-0"]
    assert taken[3] is None
    assert {path.name for path in lab.slots.iterdir()} == {"cuda-0-0.lock", "cuda-0-1.lock", "cpu-0.lock"}
    busy = {device.name: device.busy_slots for device in local.devices(lab)}
    assert busy == {"cpu": 1, "cuda:0": 0, "cuda:1": 2}
    for one in taken:
        if one:
            os.close(one[1])


def test_a_mig_instance_gives_a_safe_file_name(nvml: FakeNvml, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-cccc/4444")
    taken = local.take_slot(lab, ["cuda:0"])
    assert taken is not None
    assert taken[0].name == "cuda-MIG-cccc-4444-0"
    os.close(taken[1])
    assert local.devices(lab)[1].utilisation is None


def test_devices_show_their_load(nvml: FakeNvml, lab: Lab) -> None:
    cpu, first, *_ = local.devices(lab)
    assert (cpu.name, cpu.slots) == ("cpu", 1)
    assert cpu.memory_total
    assert (first.name, first.title, first.utilisation, first.temperature) == ("cuda:0", "Test GPU", 0.81, 61)
    assert (first.memory_used, first.memory_total) == (GB // 2, 80 * GB)


def test_a_gpu_that_others_use_is_skipped_and_named(nvml: FakeNvml, lab: Lab) -> None:
    nvml.pids = {"GPU-aaaa1111": [4711]}
    devices = local.devices(lab)
    assert [d.used_by_others for d in devices] == [False, True, False, False]
    assert local.candidates("auto", devices)[0] == ["cuda:1", "cuda:2"]
    assert local.candidates("cuda:0", devices) == ([], "GPU0, which others are using")
    assert local.candidates("cuda:7", devices) == ([], "cuda:7, which this machine does not have")
    assert local.candidates("cuda:2", devices) == (["cuda:2"], "GPU2")
    assert local.candidates("cpu", devices) == (["cpu"], "the CPU")
    nvml.pids = {uuid: [4711] for uuid in nvml.uuids}
    assert local.candidates("auto", local.devices(lab))[0] == ["cpu"]
    assert local.candidates("auto", [Device("cpu", "", 1)])[0] == ["cpu"]


def test_all_means_every_gpu_together_or_none(nvml: FakeNvml, lab: Lab) -> None:
    devices = local.devices(lab)
    names, waits = local.candidates("all", devices)
    assert (names, waits) == (["cuda:0", "cuda:1", "cuda:2"], "GPU0 and GPU1 and GPU2")
    assert local.placed("all", names, dict.fromkeys(names, 1)) == names
    assert local.placed("all", names, {**dict.fromkeys(names, 1), "cuda:1": 0}) == []
    assert local.placed("auto", names, {**dict.fromkeys(names, 1), "cuda:0": 0}) == ["cuda:1", "cuda:2"]
    taken = local.take_all(lab, names)
    assert [slot.device for slot, _ in taken] == names
    assert local.take_all(lab, names) == []
    os.close(taken[2][1])
    assert local.take_all(lab, names) == [], "those that were free are given back"
    assert local.take_slot(lab, ["cuda:2"]) is not None
    for _, fd in taken[:2]:
        os.close(fd)
    nvml.pids = {"GPU-aaaa1111": [4711]}
    assert local.candidates("all", local.devices(lab))[0] == ["cuda:1", "cuda:2"]
    assert local.candidates("all", [Device("cpu", "", 1)]) == ([], "a GPU, which this machine does not have")


def test_our_own_workers_are_no_strangers(nvml: FakeNvml, lab: Lab) -> None:
    nvml.pids = {"GPU-aaaa1111": [4711]}
    record = RunRecord(id="0000abcd", phenomenon="toy", state=RunState.RUNNING)
    make_private_dir(lab.run(record.id).path)
    write_json(lab.run(record.id).pid, {"attempt": 1, "worker": {"pid": 4711, "start": "1"}})
    open_store(lab).put(record)
    assert [d.used_by_others for d in local.devices(lab)] == [False] * 4


@pytest.mark.parametrize(
    ("load", "ours", "busy", "others"),
    [
        (Load(), set(), 0, False),
        (Load(pids=frozenset({1})), {1}, 1, False),
        (Load(pids=frozenset({1, 2})), {1}, 1, True),
        (Load(pids=frozenset({99})), {1}, 1, False),  # a container: our worker under its outer pid
        (Load(pids=frozenset({99})), {1}, 0, True),
        (Load(pids=frozenset({98, 99})), {1}, 1, True),
        (Load(memory_used=30 * GB), set(), 0, True),  # a container that shows no pids: somebody hidden
        (Load(memory_used=30 * GB), set(), 1, False),
        (Load(memory_used=30 * GB, drawing=frozenset({7})), set(), 0, False),
        (Load(memory_used=GB), set(), 0, False),
    ],
)
def test_who_uses_a_gpu(load: Load, ours: set[int], busy: int, others: bool) -> None:
    assert used_by_others(load, frozenset(ours), busy) is others


def test_without_nvml_there_is_the_cpu(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "_nvml", lambda: None)
    assert [d.name for d in local.devices(lab)] == ["cpu"]
    launcher: Launcher = local.LocalLauncher()
    assert [d.name for d in launcher.devices(lab)] == ["cpu"]
    assert launcher.queue_view(lab) == []


def test_children_get_an_environment_without_foreign_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere/else")
    monkeypatch.setenv("GENLAB_DATA", "data")
    monkeypatch.setenv("GENLAB_PHENOMENA", f"mine{os.pathsep}{os.pathsep}/theirs")
    monkeypatch.chdir(tmp_path)
    env = machine.child_environment()
    assert env.get("PYTHONPATH") in (None, str(machine.OURS))
    assert env["GENLAB_DATA"] == str(tmp_path / "data")
    assert env["GENLAB_PHENOMENA"] == f"{tmp_path / 'mine'}{os.pathsep}/theirs"
    monkeypatch.setattr(machine, "OURS", next(iter(machine._site_folders())))
    assert "PYTHONPATH" not in machine.child_environment()


@pytest.mark.parametrize(("text", "seconds"), [("5", 5.0), ("0", 0.1), ("x", 30.0), ("1e9", 3600.0), ("nan", 0.1)])
def test_grace(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    monkeypatch.setenv("GENLAB_GRACE", text)
    assert machine.grace_seconds() == seconds


def test_threads_are_shared_among_the_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.worker import limit_threads

    monkeypatch.setattr(machine, "cores", lambda: 16)
    monkeypatch.setenv("GENLAB_CPU_SLOTS", "4")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert limit_threads() == 4
    assert os.environ["OMP_NUM_THREADS"] == "4"
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    limit_threads()
    assert os.environ["OMP_NUM_THREADS"] == "2"
