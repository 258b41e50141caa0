"""This machine and this installation, as drains, keepers and workers need to know them."""

from __future__ import annotations

import os
import site
import sysconfig
import time
from pathlib import Path

OURS = Path(__file__).resolve().parent.parent
"""Where the packages of this program lie."""

_DROPPED = frozenset({"PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "GENLAB_KEEPER", "GENLAB_LOCKS"})


def slots_of(setting: str) -> int:
    """Return how many slots an environment variable gives (a device has 1 unless it says 1 to 64)."""
    text = os.environ.get(setting, "")
    return int(text) if text.isdecimal() and 1 <= int(text) <= 64 else 1


def cores() -> int:
    """Return how many CPU cores this process may use: affinity and the quota of its control group."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(count, int(quota) // int(period)))
    except (OSError, ValueError):  # no such file, or the quota is `max`
        return count


def child_environment() -> dict[str, str]:
    """Return the environment of drains, keepers and workers: nothing in it can put other code before ours.

    `PYTHONPATH` goes, unless these packages lie where a bare interpreter would not find them (a source tree, `pip
    install --target`): then it names their folder alone. Relative folders become absolute, for children run elsewhere.
    """
    env = {key: value for key, value in os.environ.items() if key not in _DROPPED}
    if OURS not in _site_folders():
        env["PYTHONPATH"] = str(OURS)
    for key in ("GENLAB_DATA", "GENLAB_PHENOMENA"):
        if env.get(key):
            folders = (str(Path(folder).expanduser().absolute()) for folder in env[key].split(os.pathsep) if folder)
            env[key] = os.pathsep.join(folders)
    return env


def _site_folders() -> set[Path]:
    folders = [*site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return {Path(folder).resolve() for folder in folders}


def grace_seconds() -> float:
    """Return how long a worker has to stop when asked, and again when told (`GENLAB_GRACE`, 30 s)."""
    try:
        return min(max(0.1, float(os.environ.get("GENLAB_GRACE", "30"))), 3600.0)
    except ValueError:
        return 30.0


_LOAD_WINDOW = 0.5
_load: tuple[float, float, float] | None = None
"""Of the last measurement: when, and the seconds that all cores were busy and that they had, since the boot."""
_share = 0.0


def cpu_load() -> float:
    """Return the share of all cores in use lately, 0 to 1.

    Looks come from several threads: one window for the whole process, of half a second at least, since a window of a
    few milliseconds says nothing (psutil's own percentage keeps one window a thread).
    """
    global _load, _share
    now = time.monotonic()
    if _load is None:
        _load = (now, *_cpu_seconds())
        time.sleep(0.1)
    elif now - _load[0] < _LOAD_WINDOW:
        return _share
    busy, total = _cpu_seconds()
    if total > _load[2]:
        _share = min(max((busy - _load[1]) / (total - _load[2]), 0.0), 1.0)
    _load = (now, busy, total)
    return _share


def _cpu_seconds() -> tuple[float, float]:
    import psutil

    times = psutil.cpu_times()
    total = sum(times[:8])  # what follows (guest) is counted in user already
    return total - times.idle - getattr(times, "iowait", 0.0), total
