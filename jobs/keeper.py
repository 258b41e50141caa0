"""The parent of one worker: starts it, waits for it, writes how it ended, wakes the drain.

Started by the drain as `python -I .../jobs/keeper.py RUN_DIR ORDER`, in a session of its own, with everything it needs
in ORDER (JSON): it imports the standard library alone, so nothing that is broken around it keeps it from recording an
end. It holds the locks of the run and of the slot; the worker inherits them.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

# Exit codes of a worker. What they say survives a full disk, which a message in a file would not.
DONE = 0
FAILED = 80
STOPPED = 81
REASONS = {82: "diverged", 83: "CUDA OOM", 84: "host OOM", 85: "disk full", 86: "data set missing"}

FAILED_MARK = "genlab: failed: "
"""The worker's last line of `log.txt` says why it failed, after this mark."""

HEARTBEAT = 20.0
"""Seconds between two touches of `keeper.lock`: how a run on another machine is seen to live."""

_RESERVE = 4096


def process_start(pid: int) -> str:
    """Return when a process started, in whatever unit the system tells cheaply, or "" where there is none.

    Pids are used again; a pid together with this is one process.
    """
    if pid <= 1:
        return ""
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    listed = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()


def identity(pid: int) -> dict[str, Any]:
    """Return a process as `pid.json` records it."""
    return {"pid": pid, "start": process_start(pid)}


class Keeper:
    """Keeps one attempt of one run."""

    def __init__(self, run_dir: Path, order: dict[str, Any]) -> None:
        self.run_dir = run_dir
        self.attempt: int = order["attempt"]
        self.order = order
        self.locks: list[int] = order["locks"]
        self.worker: subprocess.Popen[bytes] | None = None
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        os.set_blocking(self.wake_write, False)
        self.terminated = 0.0
        self.stop_asked = 0.0
        self.killed = False
        self.log_start = 0
        self.reserve = self._reserve_exit()

    def run(self) -> None:
        """Start the worker, wait for its end, record it."""
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the select below
        signal.signal(signal.SIGTERM, self._on_term)
        signal.signal(signal.SIGINT, self._on_term)
        ooms = _oom_kills()
        started = round(time.time(), 3)
        self._write_pid(started)
        try:
            self._start_worker()
        except OSError as error:
            self._write_exit("failed", f"the worker could not be started: {error.strerror or error}")
            return
        self._write_pid(started)
        code = self._wait()
        self._classify(code, _oom_kills() > ooms)

    def _on_term(self, *_: object) -> None:
        self.terminated = self.terminated or time.monotonic()

    def _start_worker(self) -> None:
        with suppress(OSError):
            self.log_start = (self.run_dir / "log.txt").stat().st_size
        env = {**os.environ, **self.order["env"], "GENLAB_KEEPER": str(os.getpid())}
        env["GENLAB_LOCKS"] = ",".join(map(str, self.locks))
        self.worker = subprocess.Popen(
            [self.order["python"], "-P", "-m", "jobs.worker", str(self.run_dir)],
            env=env,
            stdin=subprocess.DEVNULL,
            pass_fds=self.locks,
        )

    def _wait(self) -> int:
        assert self.worker
        grace: float = self.order["grace"]
        sent = 0.0
        beat = time.monotonic()
        while (code := self.worker.poll()) is None:
            select.select([self.wake_read], [], [], 1.0)
            with suppress(BlockingIOError):
                os.read(self.wake_read, 512)
            now = time.monotonic()
            if not self.stop_asked and _stop_asked(self.run_dir / "control.jsonl", self.attempt):
                self.stop_asked = now
            late = self.stop_asked and now - self.stop_asked >= grace
            if not sent and (self.terminated or late):
                sent = now
                self.worker.terminate()
            elif sent and now - sent >= grace and not self.killed:
                self.killed = True
                self.worker.kill()
            if now - beat >= HEARTBEAT:
                beat = now
                with suppress(OSError):
                    os.utime(self.run_dir / "keeper.lock")
        return code

    def _classify(self, code: int, out_of_memory: bool) -> None:
        asked = self.stop_asked or _stop_asked(self.run_dir / "control.jsonl", self.attempt)
        if code < 0:
            name = signal.Signals(-code).name if -code in signal.valid_signals() else ""
            if self.killed and asked:
                self._write_exit("stopped", "did not stop when asked, killed", signal=-code)
            elif code == -signal.SIGKILL and out_of_memory:
                self._write_exit("killed", "host OOM", signal=-code)
            else:
                self._write_exit("killed", f"signal {-code} ({name})" if name else f"signal {-code}", signal=-code)
        elif code == DONE:
            self._write_exit("done", "", code=code)
        elif code == STOPPED:
            self._write_exit("stopped", "on request" if asked else "terminated (SIGTERM)", code=code)
        else:
            said = _last_words(self.run_dir / "log.txt", self.log_start)
            self._write_exit("failed", said or REASONS.get(code, f"exit code {code}"), code=code)

    def _write_pid(self, started: float) -> None:
        value = {
            "attempt": self.attempt,
            "host": self.order["host"],
            "boot_id": self.order["boot_id"],
            "keeper": identity(os.getpid()),
            "worker": identity(self.worker.pid) if self.worker else None,
            "slot": self.order["slot"],
            "device": self.order["device"],
            "started": started,
        }
        with suppress(OSError):  # on a full disk the run must still be able to end with that reason
            _atomic_write(self.run_dir / "pid.json", json.dumps(value).encode())

    def _reserve_exit(self) -> Path | None:
        """Take the space of `exit.json` now, so that it can be written on a disk that is full then."""
        path = self.run_dir / f".exit.json.{os.getpid()}.{secrets.token_hex(4)}.tmp"
        try:
            _write(path, b" " * _RESERVE)
        except OSError:
            return None
        return path

    def _write_exit(self, state: str, reason: str, **how: int) -> None:
        value = {"attempt": self.attempt, "state": state, **how, "reason": reason[:300], "ended": round(time.time(), 3)}
        data = json.dumps(value).encode() + b"\n"
        target = self.run_dir / "exit.json"
        if self.reserve is None:
            _atomic_write(target, data)
            return
        fd = os.open(self.reserve, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, data)
            os.ftruncate(fd, len(data))
            os.fsync(fd)
        finally:
            os.close(fd)
        self.reserve.replace(target)
        _sync_dir(self.run_dir)

    def leave(self) -> None:
        """Give the locks back, then wake the drain."""
        for fd in self.locks:
            with suppress(OSError):
                os.close(fd)
        with suppress(OSError), Path(self.order["lab"], "drain.log").open("ab") as log:
            subprocess.Popen(
                [self.order["python"], "-P", "-m", "jobs.drain", self.order["lab"]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def _stop_asked(control: Path, attempt: int) -> bool:
    try:
        lines = control.read_bytes().splitlines()
    except OSError:
        return False
    for line in lines:
        with suppress(ValueError, AttributeError):
            request = json.loads(line)
            if request.get("attempt") == attempt and request.get("action") == "stop":
                return True
    return False


def _last_words(log: Path, start: int) -> str:
    """Return why the worker failed by its last words in the log, or ""."""
    try:
        with log.open("rb") as file:
            file.seek(max(start, log.stat().st_size - 65536))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    for line in reversed(text.splitlines()):
        if line.startswith(FAILED_MARK):
            return line[len(FAILED_MARK) :].strip()
    return ""


def _oom_kills() -> int:
    """Return how many processes the kernel has killed for want of memory, here (cgroup) or on this machine."""
    for path in ("/sys/fs/cgroup/memory.events", "/proc/vmstat"):
        with suppress(OSError, ValueError):
            for line in Path(path).read_text(encoding="ascii").splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    return 0


def _write(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, data)
        os.fsync(fd)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(fd)


def _atomic_write(path: Path, data: bytes) -> None:
    temp = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    _write(temp, data)
    temp.replace(path)
    _sync_dir(path.parent)


def _sync_dir(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def main() -> None:
    """Run as `keeper.py RUN_DIR ORDER`."""
    keeper = Keeper(Path(sys.argv[1]), json.loads(sys.argv[2]))
    for fd in keeper.locks:  # the drain must not inherit them; pass_fds hands them to the worker
        fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    try:
        keeper.run()
    finally:
        keeper.leave()


if __name__ == "__main__":
    main()
