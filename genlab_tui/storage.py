"""A TinyDB storage that survives kills: a write lands whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from tinydb.storages import Storage

from genlab_tui.errors import LabUnusable
from genlab_tui.safe_io import atomic_write

Tables = dict[str, dict[str, msgspec.Raw]]
Signature = tuple[int, int, int]


class CorruptStore(Exception):
    """The file of the index is not one; RunStore rebuilds it."""


class SafeStorage(Storage):
    """TinyDB storage: documents stay undecoded JSON until somebody wants one; writes are atomic replacements.

    Inside `batch` writes are gathered and land as one at its end; outside, each lands before `write` returns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._signature: Signature | None = None
        self._tables: Tables = {}
        self._batch = False
        self._dirty = False

    def signature(self) -> Signature | None:
        """Return what tells one state of the file from the next; None where there is no file."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LabUnusable(f"cannot read {self.path}: {error.strerror}", "check its permissions") from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def read(self) -> Tables:
        """Return the tables; raises CorruptStore or LabUnusable."""
        if self._batch and self._dirty:
            return self._tables
        signature = self.signature()
        if signature is None:
            self._signature, self._tables = None, {}
        elif signature != self._signature:
            try:
                self._tables = msgspec.json.decode(self.path.read_bytes(), type=Tables)
            except OSError as error:
                raise LabUnusable(f"cannot read {self.path}: {error.strerror}", "check its permissions") from error
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise CorruptStore(str(error)) from error
            self._signature = signature
        return self._tables

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace the tables. Raises OSError, and then forgets what it knew."""
        self._tables = {
            name: {
                key: document if isinstance(document, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(document))
                for key, document in table.items()
            }
            for name, table in data.items()
        }
        self._dirty = True
        if not self._batch:
            self._flush()

    def _flush(self) -> None:
        self._dirty, self._signature = False, None
        atomic_write(self.path, msgspec.json.encode(self._tables))
        self._signature = self.signature()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Gather writes into one. Where the body raises, nothing is written."""
        self._batch = True
        try:
            yield
        except BaseException:
            self._batch, self._dirty, self._signature = False, False, None
            raise
        self._batch = False
        if self._dirty:
            self._flush()
