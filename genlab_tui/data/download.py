"""The downloading process: `python -P -m genlab_tui.data.download NAME FOLDER`.

It has torchvision download one data set into an empty folder and prints JSON lines on standard output:
`{"done": bytes, "total": bytes, "what": file}` while it works, `{"error": text}` before it ends with code 1.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import tarfile
import threading
import zlib
from pathlib import Path
from typing import Any

import msgspec

from genlab_tui.data.sets import DATASETS
from genlab_tui.data.torchvision_sets import LAYOUTS

TIMEOUT = 30.0  # seconds without an answer from a server
EVERY = 0.25  # seconds between two reports


def main(arguments: list[str]) -> int:
    """Download and verify; return the exit code."""
    name, folder = arguments[0], Path(arguments[1])
    done = threading.Event()
    reporter = threading.Thread(target=_report, args=(name, folder, done), daemon=True)
    reporter.start()
    try:
        _download(name, folder)
    except (RuntimeError, OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
        _say(error=_reason(error))
        return 1
    finally:
        done.set()
        reporter.join()
    _say(done=DATASETS[name].bytes_download, total=DATASETS[name].bytes_download, what="verified")
    return 0


def _download(name: str, folder: Path) -> None:
    """Download with torchvision, which checks every file's MD5, then open each split once."""
    socket.setdefaulttimeout(TIMEOUT)
    from torchvision import datasets

    layout = LAYOUTS[name]
    for options in layout.splits:
        getattr(datasets, layout.class_name)(str(folder), **options, download=True)


def _report(name: str, folder: Path, done: threading.Event) -> None:
    """Say how many bytes have come, by looking at the files: independent of how torchvision downloads."""
    total, layout, said = DATASETS[name].bytes_download, LAYOUTS[name], -1
    while not done.wait(EVERY):
        sizes = {path.name: path.stat().st_size for path in folder.rglob(layout.archives) if path.is_file()}
        come = min(sum(sizes.values()), total)
        if come != said:
            _say(done=come, total=total, what=list(sizes)[-1] if sizes else "connecting")
            said = come


def _say(**report: Any) -> None:
    try:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more: the caller has gone, so does the download


def _reason(error: Exception) -> str:
    """Return an error in one line; torchvision lists every mirror it tried, the last line says most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return re.sub(r"<urlopen error (.*)>", r"\1", lines[-1]) if lines else type(error).__name__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
