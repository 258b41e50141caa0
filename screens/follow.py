"""The thread that follows runs for the Live screen: quick while something is written, slow while nothing is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genlab_tui import phenomena
from genlab_tui.errors import GenlabError
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.paths import Lab, RunDir
from genlab_tui.run import RunRecord
from genlab_tui.rundata import RunData
from genlab_tui.summary import LoadedRun
from genlab_tui.verdict import Verdict
from screens.panels.log import log_tail

if TYPE_CHECKING:
    from jobs.runs import Pending
    from jobs.tail import RunReader

EVERY, SELDOM = 0.75, 2.0
"""Seconds between two deliveries: at a run's start, and when it is old enough for a second to be less than a dot."""
DOTS = 75
QUICK, SLOW = 0.25, 2.0
"""Seconds between two looks while events come in, and when none have for a while."""
SLICE = 1_000_000
"""Bytes read in one go; between two the other threads have their turn."""
LOG_BYTES = 20_000


@dataclass(frozen=True)
class Seen:
    """What is known of a run: its data, its verdict so far, the end of its log; `error` says why that is not all.

    `figures` are the phenomenon's, worked out here because some take long; `problem` says why there are none.
    `pending` are the changes in flight that were asked for and have not taken effect.
    """

    run_id: str
    data: RunData
    verdict: Verdict | None
    log: tuple[str, ...] = ()
    error: str = ""
    figures: tuple[Figure | HeatMap, ...] = ()
    problem: str = ""
    pending: tuple[Pending, ...] = ()


class Follower:
    """Polls the readers it is given and delivers what is new, from its own thread. Asleep while not `active`.

    `pace` tells how many seconds to leave between two deliveries because the link is slow.
    """

    def __init__(self, deliver: Callable[[Seen], object], pace: Callable[[], float] = float) -> None:
        self.deliver = deliver
        self.pace = pace
        self.looks = 0
        self._readers: Mapping[str, RunReader] = {}
        self._told: dict[str, tuple[object, ...]] = {}
        self._logs: dict[str, tuple[object, tuple[str, ...]]] = {}
        self._every: dict[str, float] = {}
        self._active = self._stopped = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def follow(self, readers: Mapping[str, RunReader]) -> None:
        """Follow these runs from now on; what is known of them is delivered at once."""
        self._readers, self._told = dict(readers), {}
        self._wake.set()

    def set_active(self, active: bool) -> None:
        """Go to sleep or wake up."""
        self._active = active
        self._wake.set()

    def wake(self) -> None:
        """Look now: something may have changed."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread; waits at most two seconds for a look under way."""
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _loop(self) -> None:
        pause = QUICK
        while not self._stopped:
            self._wake.clear()
            readers = self._readers
            if not (self._active and readers):
                self._wake.wait()
                continue
            began = time.monotonic()
            new = [self._look(run_id, reader, readers) for run_id, reader in readers.items()]
            pause = QUICK if any(new) else min(pause * 1.5, SLOW)
            rest = min((self._every.get(run_id, EVERY) for run_id in readers), default=EVERY) if any(new) else pause
            # However much there is to work out, at least three quarters of the time are left to others.
            self._wake.wait(max(rest, 3 * (time.monotonic() - began), self.pace()))

    def _look(self, run_id: str, reader: RunReader, readers: Mapping[str, RunReader]) -> bool:
        """Read what is new of a run and deliver it; return whether there was anything."""
        self.looks += 1
        last = time.monotonic()
        while self._going(readers) and reader.poll(SLICE):
            if time.monotonic() - last >= EVERY:  # a long file: show how far it is read
                self._tell(run_id, reader)
                last = time.monotonic()
            time.sleep(0.001)
        return self._going(readers) and self._tell(run_id, reader)

    def _going(self, readers: Mapping[str, RunReader]) -> bool:
        return self._active and not self._stopped and self._readers is readers

    def _tell(self, run_id: str, reader: RunReader) -> bool:
        log = self._log(run_id, reader)
        asked = _stamp(reader.run_dir.control)
        stamp = (reader.builder.version, _stamp(reader.run_dir.result), log, asked)
        if self._told.get(run_id) == stamp:
            return False
        self._told[run_id] = stamp
        verdict, error = None, ""
        try:
            verdict = reader.verdict()
        except GenlabError as problem:
            error = str(problem)
        except Exception as problem:  # noqa: BLE001 - a phenomenon's own code on unfinished data; shown, not hidden
            error = f"the verdict cannot be worked out: {type(problem).__name__}: {problem}"
        data = reader.data()
        if data.begin is not None:
            # A curve of 80 columns moves by a dot when it grows by a 75th: more pictures would look the same.
            self._every[run_id] = min(max((time.time() - data.begin.time) / DOTS, EVERY), SELDOM)
        # Live draws the figures of the first run alone.
        figures, undrawn = _figures(run_id, data) if run_id == next(iter(self._readers), "") else ((), "")
        pending = _pending(reader.run_dir, data.taken) if asked else ()
        self.deliver(Seen(run_id, data, verdict, log, error, figures, undrawn, pending))
        return True

    def _log(self, run_id: str, reader: RunReader) -> tuple[str, ...]:
        stamp = _stamp(reader.run_dir.log)
        known = self._logs.get(run_id)
        if known is None or known[0] != stamp:
            self._logs[run_id] = known = (stamp, tuple(log_tail(reader.run_dir.log, LOG_BYTES)))
        return known[1]


def _figures(run_id: str, data: RunData) -> tuple[tuple[Figure | HeatMap, ...], str]:
    """Return the figures of a run's phenomenon, or why there are none."""
    name = data.spec.phenomenon
    try:
        return LoadedRun(RunRecord(run_id, name), data, None, phenomena.catalogue().get(name)).figures(), ""
    except GenlabError as error:
        return (), str(error)


def _pending(run: RunDir, taken: Collection[str]) -> tuple[Pending, ...]:
    from jobs import runs

    with suppress(GenlabError):
        return tuple(runs.pending_changes(Lab(run.path.parent.parent), run.id, taken))
    return ()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
