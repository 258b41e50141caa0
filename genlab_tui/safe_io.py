"""Files that survive a kill at any moment: atomic replacement, appending, tolerant reading, private modes."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from genlab_tui.errors import LabUnusable

PRIVATE_DIR = 0o700
PRIVATE_FILE = 0o600


def make_private_dir(path: Path) -> Path:
    """Create a directory (and its parents) that only its owner can enter, under any umask.

    Raises LabUnusable where it cannot be created or written.
    """
    try:
        if not path.is_dir():
            path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
            path.chmod(PRIVATE_DIR)
    except OSError as error:
        raise LabUnusable(
            f"cannot create {path}: {error.strerror or error}", "set GENLAB_HOME to a folder you can write"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise LabUnusable(f"cannot write to {path}: permission denied", "set GENLAB_HOME to a folder you can write")
    return path


def atomic_write(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `data` so that a reader sees the old or the new content, also after a kill or a power cut.

    Unique temporary file in the same directory, fsync, rename, directory fsync. Mode 0600. Raises OSError. Without
    `durable` nothing waits for the disk: after a power cut (not after a kill) the content may be lost.
    """
    temp = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        try:
            os.fchmod(fd, PRIVATE_FILE)
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        temp.replace(path)
    except BaseException:
        with suppress(OSError):
            temp.unlink()
        raise
    if durable:
        fsync_dir(path.parent)


def fsync_dir(path: Path) -> None:
    """Make renames in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sweep_temps(directory: Path) -> int:
    """Remove temporary files of `atomic_write` whose writer no longer lives; return how many."""
    swept = 0
    for temp in directory.glob(".*.tmp"):
        parts = temp.name.split(".")
        pid = parts[-3] if len(parts) >= 4 else ""
        if pid.isdigit() and not _alive(int(pid)):
            with suppress(OSError):
                temp.unlink()
                swept += 1
    return swept


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Write anything msgspec encodes as indented JSON, as `atomic_write` does. Raises OSError."""
    atomic_write(path, msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n", durable=durable)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file, or None where it is missing, unreadable, cut off or not an object."""
    try:
        value = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class LineWriter:
    """Appends whole lines to a file; a torn last line of an earlier writer is closed first."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        size = os.fstat(self.fd).st_size
        if size and os.pread(self.fd, 1, size - 1) != b"\n":
            os.write(self.fd, b"\n")

    def write(self, line: bytes, *, durable: bool = False) -> None:
        """Append one line (without its line break) in one write; with `durable`, fsync. Raises OSError."""
        data = memoryview(line + b"\n")
        while data:
            data = data[os.write(self.fd, data) :]
        if durable:
            os.fsync(self.fd)

    def close(self) -> None:
        os.close(self.fd)


def try_flock(path: Path) -> int | None:
    """Take an exclusive flock on a file and return its descriptor, or None where somebody else holds it.

    The lock lives until every copy of the descriptor is closed, so a child that inherits it keeps it. It is tried for
    50 ms, because `is_locked` holds it for an instant when it looks. Raises OSError.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    for wait in (0.005, 0.015, 0.03, 0.0):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(wait)
        except BaseException:
            os.close(fd)
            raise
        else:
            return fd
    os.close(fd)
    return None


def is_locked(path: Path) -> bool:
    """Tell whether somebody holds the flock on a file, without creating the file."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


@contextmanager
def file_lock(path: Path, timeout: float = 30.0) -> Iterator[None]:
    """Hold an inter-process lock around a read-modify-write. Raises LabUnusable after `timeout` seconds."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(path, timeout=timeout, mode=PRIVATE_FILE):
            yield
    except Timeout as error:
        raise LabUnusable(
            f"{path} has been locked by another process for {timeout:.0f} s", "run `genlab-tui doctor`"
        ) from error
    except PermissionError as error:
        raise LabUnusable(f"cannot write to {path.parent}: permission denied", "set GENLAB_HOME") from error
