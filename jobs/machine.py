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
_load: tuple[float, float] | None = None


def cpu_load() -> float:
    """Return the share of all cores in use lately, 0 to 1.

    It is measured since the last look, and looks come from several threads: within half a second the last number is
    given again, since a window of a few milliseconds says nothing.
    """
    global _load
    import psutil

    now = time.monotonic()
    if _load is None:
        _load = (now, psutil.cpu_percent(interval=0.1) / 100)
    elif now - _load[0] >= _LOAD_WINDOW:
        _load = (now, psutil.cpu_percent(interval=None) / 100)
    return _load[1]
