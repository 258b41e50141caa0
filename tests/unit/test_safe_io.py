"""Files survive kills: atomic replacement, whole lines, tolerant reading, locks that children keep."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from genlab_tui import safe_io
from genlab_tui.errors import LabUnusable


def test_atomic_write_replaces_with_private_mode_under_any_umask(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    old = os.umask(0)
    try:
        safe_io.atomic_write(path, b"one")
        safe_io.atomic_write(path, b"two")
        made = safe_io.make_private_dir(tmp_path / "x" / "y")
    finally:
        os.umask(old)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_failed_write_keeps_the_old_content_and_leaves_no_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    safe_io.atomic_write(path, b"old")

    def full(fd: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        safe_io.atomic_write(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_read_json_is_none_for_anything_but_an_object(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert safe_io.read_json(path) is None
    for content in (b"", b"{", b"[1]", b"\xff\xfe", b"nan", b"[" * 100_000):
        path.write_bytes(content)
        assert safe_io.read_json(path) is None
    safe_io.write_json(path, {"a": 1})
    assert safe_io.read_json(path) == {"a": 1}


def test_appending_after_a_torn_line_starts_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a":1}\n{"torn":')
    writer = safe_io.LineWriter(path)
    writer.write(b'{"b":2}', durable=True)
    writer.close()
    assert path.read_bytes().splitlines() == [b'{"a":1}', b'{"torn":', b'{"b":2}']


def test_temps_of_dead_writers_are_swept_and_those_of_living_ones_kept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone = tmp_path / f".store.json.{dead.pid}.abcd.tmp"
    here = tmp_path / f".store.json.{os.getpid()}.abcd.tmp"
    gone.touch()
    here.touch()
    assert safe_io.sweep_temps(tmp_path) == 1
    assert (gone.exists(), here.exists()) == (False, True)


def test_flock_is_kept_by_a_child_that_inherits_it(tmp_path: Path) -> None:
    path = tmp_path / "keeper.lock"
    fd = safe_io.try_flock(path)
    assert fd is not None
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[fd])
    os.close(fd)
    try:
        assert safe_io.is_locked(path)
        assert safe_io.try_flock(path) is None
    finally:
        child.communicate(b"\n")
    assert not safe_io.is_locked(path)
    again = safe_io.try_flock(path)
    assert again is not None
    os.close(again)


def test_looking_at_a_lock_creates_nothing(tmp_path: Path) -> None:
    assert not safe_io.is_locked(tmp_path / "none.lock")
    assert list(tmp_path.iterdir()) == []


def test_folder_under_a_file_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LabUnusable, match="GENLAB_HOME"):
        safe_io.make_private_dir(tmp_path / "file" / "lab")
