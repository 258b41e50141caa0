"""Fetch a data set in a process of its own: torchvision's download imports torch, which the caller must not.

The child downloads into a temporary folder beside the data sets and prints JSON lines; what is whole is then moved
into place, and the folder is removed whatever happened.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from genlab_tui.data.sets import DataSet, Located
from genlab_tui.errors import GenlabError
from genlab_tui.safe_io import make_private_dir
from genlab_tui.text import clean_text, human_bytes

PREFIX = ".fetch-"


def fetch(data_set: DataSet, data_dir: Path, progress: Callable[[int, int, str], None] | None) -> Located:
    """Download a data set of torchvision into its layout under `data_dir`. Raises GenlabError, with nothing left."""
    from genlab_tui.data import torchvision_sets

    make_private_dir(data_dir)
    sweep(data_dir)
    room = shutil.disk_usage(data_dir).free
    needed = 3 * data_set.bytes_download  # the archive and what it unpacks to, side by side
    if room < needed:
        raise GenlabError(
            f"{data_set.name} needs {human_bytes(needed)} in {data_dir}, {human_bytes(room)} are free",
            "set GENLAB_DATA to a folder with more room",
        )
    with _temporary(data_dir) as folder:
        error = _run_child(data_set.name, folder, progress)
        found = torchvision_sets.locate(data_set, folder) if not error else None
        if found is None or not found.present or not found.where.startswith(str(folder)):
            reason = error or (found.problem if found else "") or "the files that came are not the data set"
            raise GenlabError(
                f"{data_set.name} could not be fetched: {reason}",
                f"where there is a network: genlab-tui data fetch {data_set.name}, then copy {data_dir} here",
            )
        _move(data_set.name, folder, data_dir)
    return torchvision_sets.locate(data_set, data_dir)


def sweep(data_dir: Path) -> int:
    """Remove what a killed fetch left behind; return how many folders."""
    swept = 0
    for folder in data_dir.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).split("-")[0]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept


def child_command(name: str, folder: Path) -> list[str]:
    """Return the command of the downloading process."""
    return [sys.executable, "-P", "-m", "genlab_tui.data.download", name, str(folder)]


def _run_child(name: str, folder: Path, progress: Callable[[int, int, str], None] | None) -> str:
    """Run the download; return what went wrong in one line, or nothing."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["TQDM_DISABLE"] = "1"
    error = ""
    with tempfile.TemporaryFile() as messages:
        child = subprocess.Popen(
            child_command(name, folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=messages,
            env=environment,
        )
        try:
            assert child.stdout is not None
            for line in child.stdout:
                report = _parse(line)
                if "error" in report:
                    error = clean_text(report["error"], 300)
                elif progress and isinstance(report.get("done"), int) and isinstance(report.get("total"), int):
                    progress(report["done"], report["total"], clean_text(report.get("what", ""), 80))
            code = child.wait()
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
            if child.stdout is not None:
                child.stdout.close()
        if code and not error:
            messages.seek(0)
            tail = messages.read()[-4000:].decode(errors="replace").strip().splitlines()
            error = clean_text(tail[-1] if tail else f"the download ended with code {code}", 300)
    return error


def _parse(line: bytes) -> dict[str, Any]:
    try:
        report = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeError):
        return {}  # something else that a library printed
    return report if isinstance(report, dict) else {}


def _move(name: str, source: Path, target: Path) -> None:
    """Move the files of a data set into place, each in one step; archives stay behind."""
    from genlab_tui.data.torchvision_sets import LAYOUTS

    layout = LAYOUTS[name]
    make_private_dir(target / layout.folder)
    for file in layout.files:
        (source / layout.folder / file).replace(target / layout.folder / file)


@contextmanager
def _temporary(data_dir: Path) -> Iterator[Path]:
    folder = data_dir / f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid))
