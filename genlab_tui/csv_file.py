"""CSV files: cells that keep every digit and start no formula, and files that appear whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.safe_io import PRIVATE_FILE, fsync_dir
from genlab_tui.text import clean_text

FORMULA_STARTS = frozenset("=+-@\t\r\n")
Row = tuple[Sequence[str], Mapping[str, Any]]
"""The cells that say which run a row is from, as text already, and the row's own values by column."""


def cell(value: Any) -> str:
    """Return a value as the text of its cell: exact numbers, neutralised text, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(float(value))  # numpy floats would name their type
    if isinstance(value, (list, tuple)):
        return cell_text(" ".join(cell(v) if isinstance(v, (bool, int, float)) else str(v) for v in value))
    return cell_text(str(value))


def cell_text(text: str) -> str:
    """Return text that no spreadsheet takes for a formula and no terminal for a command."""
    cleaned = clean_text(text, 10_000)
    # Some spreadsheets fold full-width forms first, so `＝` starts a formula too.
    first = unicodedata.normalize("NFKC", cleaned[:1])[:1]
    return "'" + cleaned if first in FORMULA_STARTS or text[:1] in FORMULA_STARTS else cleaned


def write_rows(out: TextIO, about: Sequence[str], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a header and rows; a column that a row lacks stays empty."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*map(cell_text, about), *columns])
    for run_cells, own in rows:
        writer.writerow([*run_cells, *[cell(own.get(column)) for column in columns]])


def check_targets(files: Iterable[Path], overwrite: bool) -> None:
    """Refuse before anything is written, so that one refusal leaves no half of an export."""
    for file in files:
        folder = file.parent
        if not folder.is_dir():
            raise GenlabError(f"there is no folder {folder}", "create it, or choose another file")
        if file.is_dir():
            raise BadValue(f"{file} is a folder", "name a file in it")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise GenlabError(f"cannot write to {folder}: permission denied", "choose a folder that you can write")
        if not overwrite and os.path.lexists(file):
            raise _taken(file)


def _taken(file: Path) -> BadValue:
    return BadValue(f"{file} is there already", "choose another name; on the command line --force overwrites it")


@contextmanager
def whole_file(file: Path, overwrite: bool) -> Iterator[TextIO]:
    """Stream into a private temporary file that becomes `file` at the end; an error leaves what was there before.

    Named like the temporaries of `safe_io.atomic_write`, whose sweep then finds it after a kill. Raises GenlabError.
    """
    temp = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            with io.TextIOWrapper(io.BufferedWriter(io.FileIO(fd, "w"), 1 << 16), "utf-8", newline="") as out:
                os.fchmod(fd, PRIVATE_FILE)
                yield out
                out.flush()
                os.fsync(fd)
            if overwrite:
                temp.replace(file)
            else:
                _claim(temp, file)
        except BaseException:
            with suppress(OSError):
                temp.unlink()
            raise
        fsync_dir(file.parent)
    except OSError as error:
        raise GenlabError(
            f"cannot write {file}: {error.strerror or error}", "choose a folder that you can write"
        ) from error


def _claim(temp: Path, file: Path) -> None:
    """Give the finished file its name unless somebody else has it by now."""
    try:
        os.link(temp, file)
    except FileExistsError:
        raise _taken(file) from None
    except OSError:  # a file system without hard links
        if os.path.lexists(file):
            raise _taken(file) from None
        temp.replace(file)
    else:
        temp.unlink()
