"""Starts queued runs as long as there are any: `python -P -m jobs.drain LAB_ROOT`. One at a time for a lab.

Every app, command and keeper that sees a queued run starts one; the lock of the queue lets one through. It looks once
more after giving the lock back, so a run that was queued while it was leaving is not forgotten.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab, RunDir
from genlab_tui.run import RunRecord, RunState, boot_id, host_name
from genlab_tui.safe_io import PRIVATE_FILE, is_locked, read_json, try_flock
from genlab_tui.store import open_store
from jobs import keeper, local, machine, runs
from jobs.index import list_now

REST = 2.0
"""Seconds until the whole queue is looked at again when nothing that can be seen cheaply has changed."""

TICK = 0.1
MAX_STARTS = 3
"""A run whose keeper dies this often before it says anything is held, for a person to look at."""

LOG_LIMIT = 256_000


class Drain:
    """Serves the queue of one lab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._keepers: list[tuple[subprocess.Popen[bytes], RunDir, int]] = []
        self._starts: Counter[tuple[str, int]] = Counter()

    def run(self) -> None:
        """Serve until no run waits for a device of this machine, or another drain does."""
        while (lock := try_flock(self.lab.queue_lock)) is not None:
            try:
                self._serve()
            finally:
                os.close(lock)
            if not self._waiting():
                return

    def _serve(self) -> None:
        while (waiting := self._waiting()) or self._unheard():
            known = local.devices(self.lab)
            room = {d.name: d.slots - d.busy_slots for d in known}
            started = 0
            for record in waiting:
                names = local.placed(record.device, local.candidates(record.device, known)[0], room)
                taken = self._start(record, names) if names else []
                for slot in taken:
                    room[slot.device] -= 1
                started += bool(taken)
            if not waiting or started < len(waiting):
                self._rest()

    def _unheard(self) -> bool:
        """Tell whether a keeper that was started has not said yet that it keeps its run. Reaps those that ended."""
        self._keepers = [kept for kept in self._keepers if kept[0].poll() is None]
        return any((read_json(run.pid) or {}).get("attempt") != attempt for _, run, attempt in self._keepers)

    def _rest(self) -> None:
        """Wait until a slot was taken or freed, or the index changed, or for a while."""
        before, until = self._signs(), time.monotonic() + REST
        while time.monotonic() < until and self._signs() == before:
            time.sleep(TICK)

    def _signs(self) -> object:
        taken = tuple(is_locked(slot.path(self.lab)) for slot in local.all_slots())
        return taken, open_store(self.lab).signature(), self._unheard()

    def _waiting(self) -> list[RunRecord]:
        """Return the queued runs that are not held and that this machine can run, in order."""
        here = {slot.device for slot in local.all_slots()} | {"auto"}
        here |= {local.ALL} if here - {"auto", "cpu"} else set()
        queued = [r for r in list_now(self.lab) if r.state is RunState.QUEUED and not r.held and r.device in here]
        return sorted(queued, key=lambda r: local.queue_order(self.lab, r))

    def _start(self, record: RunRecord, names: list[str]) -> list[local.Slot]:
        """Start a run on one of these devices (or on all); return its slots, none where none is free after all."""
        if self._starts[record.id, record.attempt] >= MAX_STARTS:
            log(f"{record.id} did not start {MAX_STARTS} times: held, see its log.txt")
            del self._starts[record.id, record.attempt]
            runs.hold(self.lab, record.id)
            return []
        if record.device == local.ALL:
            taken = local.take_all(self.lab, names)
        else:
            one = local.take_slot(self.lab, names)
            taken = [one] if one else []
        if not taken:
            return []
        slots, slot_fds = [slot for slot, _ in taken], [fd for _, fd in taken]
        run = self.lab.run(record.id)
        run_fd = None
        try:
            run_fd = try_flock(run.keeper_lock)
            if run_fd is None:
                return []
            with open_store(self.lab).locked():
                # From here on a stop goes to the worker; until here it cancelled the run.
                queue = read_json(run.queue) or {}
                if queue.get("cancelled") or queue.get("held"):
                    return []
            self._starts[record.id, record.attempt] += 1
            self._start_keeper(record, int(queue.get("attempt", 1)), slots, [run_fd, *slot_fds])
        finally:
            for fd in slot_fds:
                os.close(fd)
            if run_fd is not None:
                os.close(run_fd)
        log(f"started {record.id} attempt {record.attempt} on {' and '.join(slot.name for slot in slots)}")
        return slots

    def _start_keeper(self, record: RunRecord, attempt: int, slots: list[local.Slot], locks: list[int]) -> None:
        run = self.lab.run(record.id)
        order = {
            "attempt": attempt,
            "slot": " ".join(slot.name for slot in slots),
            "device": ALL_GPUS if record.device == local.ALL else slots[0].device,
            "locks": locks,
            "python": sys.executable,
            "lab": str(self.lab.root),
            "host": host_name(),
            "boot_id": boot_id(),
            "grace": machine.grace_seconds(),
            "env": {"CUDA_VISIBLE_DEVICES": ",".join(s.gpu.uuid for s in slots if s.gpu)} | _WORKER_ENVIRONMENT,
        }
        with open(run.log, "ab", opener=_private) as output:
            process = subprocess.Popen(
                [sys.executable, "-I", keeper.__file__, str(run.path), json.dumps(order)],
                env=machine.child_environment(),
                cwd=self.lab.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=locks,
                start_new_session=True,
            )
        self._keepers.append((process, run, attempt))


ALL_GPUS = "cuda:all"
"""What a worker is told that was given every GPU."""

_WORKER_ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)


def log(text: str) -> None:
    """Say something in `drain.log` (this process's standard error)."""
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, file=sys.stderr, flush=True)


def _open_log(path: Path) -> None:
    """Send standard output and error to the log, which loses its older half when it is long."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT:
            path.write_bytes(path.read_bytes()[-LOG_LIMIT // 2 :])
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE_FILE)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)


def main() -> int:
    """Run as `python -P -m jobs.drain LAB_ROOT`."""
    lab = Lab(Path(sys.argv[1]).absolute())
    try:
        _open_log(lab.drain_log)
        Drain(lab).run()
    except GenlabError as error:
        log(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
