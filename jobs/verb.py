"""The frame of every verb: the lock, the facts before, the index after."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from genlab_tui.errors import GenlabError, LabUnusable, NotFound
from genlab_tui.paths import RUN_ID, Lab, RunDir
from genlab_tui.run import RunId, RunMeta, RunState, decode
from genlab_tui.safe_io import LineWriter, is_locked, read_json, write_json
from genlab_tui.store import open_store
from genlab_tui.text import clean_text
from jobs.index import reconciled


def unusable(lab: Lab, error: OSError) -> LabUnusable:
    """Return what to say where a lab cannot be written."""
    return LabUnusable(f"cannot write to {lab.root}: {error.strerror or error}", "free some space, or set GENLAB_HOME")


def run_dir(lab: Lab, run_id: RunId) -> RunDir:
    """Return the directory of a run that is there. Raises NotFound."""
    if not RUN_ID.fullmatch(run_id) or not lab.run(run_id).path.is_dir():
        raise NotFound(f"there is no run {clean_text(run_id, 80)!r}", "see `genlab-tui ls`")
    return lab.run(run_id)


class Verb:
    """The frame of a verb on one run: the lock, the true record before, the record after written to the index."""

    def __init__(self, lab: Lab, run_id: RunId) -> None:
        self.lab, self.dir = lab, run_dir(lab, run_id)
        self._locked = open_store(lab).locked()

    def __enter__(self) -> Verb:
        self._locked.__enter__()
        try:
            self.record = reconciled(self.lab, self.dir.id)
            order = {"order": self.record.created}
            self.queue = order | (read_json(self.dir.queue) or {}) | {"attempt": self.record.attempt}
        except BaseException:
            self._locked.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            if error is None:
                open_store(self.lab).put(reconciled(self.lab, self.dir.id))
        finally:
            self._locked.__exit__(None, None, None)
        if isinstance(error, OSError):
            raise unusable(self.lab, error) from error

    def put_queue(self, **changes: Any) -> None:
        """Change `queue.json`, whose other fields stay."""
        write_json(self.dir.queue, self.queue | changes)

    def put_meta(self, **changes: Any) -> None:
        """Change `meta.json`, whose other fields stay."""
        document = (read_json(self.dir.meta) or {}) | changes
        decode(RunMeta, document)
        write_json(self.dir.meta, document)

    def ask(self, action: str, **what: Any) -> None:
        """Ask the worker of the present attempt for something."""
        writer = LineWriter(self.dir.control)
        try:
            request = {"attempt": self.record.attempt, "at": round(time.time(), 3), "action": action} | what
            writer.write(msgspec.json.encode(request), durable=True)
        finally:
            writer.close()

    def wrong(self, what: str, hint: str = "") -> GenlabError:
        return GenlabError(f"run {self.record.title} is {self.record.state}: {what}", hint)

    def again(self) -> None:
        """Queue another attempt. Raises GenlabError for a run that has not ended, is done, or left a process behind."""
        if self.record.state is RunState.DONE:
            raise self.wrong("there is nothing left to do", "launch it again to repeat it")
        if not self.record.state.resumable:
            raise self.wrong("it has not ended")
        patience = time.monotonic() + 1.0
        while is_locked(self.dir.keeper_lock):  # its keeper has recorded the end and is on its way out
            if time.monotonic() > patience:
                raise self.wrong("a process of its last attempt still runs", "wait for its end, or end it")
            time.sleep(0.01)
        self.put_queue(attempt=self.record.attempt + 1, order=time.time(), held=False, cancelled=False)
