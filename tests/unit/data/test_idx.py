"""IDX files: read exactly, and refused when they are not what they should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genlab_tui.data import idx
from genlab_tui.errors import GenlabError

Writer = Callable[[Path, np.ndarray], None]
IMAGES = np.random.default_rng(0).integers(0, 256, (7, 5, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", ["images-idx3-ubyte", "images-idx3-ubyte.gz"])
def test_what_was_written_is_read(name: str, tmp_path: Path, idx_writer: Writer) -> None:
    path = tmp_path / name
    idx_writer(path, IMAGES)
    assert np.array_equal(idx.read_idx(path, (7, 5, 3)), IMAGES)
    assert idx.stored_size(path) == idx.file_size((7, 5, 3)) == 4 + 12 + 105


@pytest.mark.parametrize("name", ["images-idx3-ubyte", "images-idx3-ubyte.gz"])
@pytest.mark.parametrize("keep", [0, 3, 20, -1])
def test_a_file_that_is_cut_off_is_refused(name: str, keep: int, tmp_path: Path, idx_writer: Writer) -> None:
    path = tmp_path / name
    idx_writer(path, IMAGES)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(GenlabError, match=r"images-idx3") as caught:
        idx.read_idx(path, (7, 5, 3))
    assert "\n" not in str(caught.value)
    assert idx.stored_size(path) != idx.file_size((7, 5, 3))


def test_a_file_of_another_shape_is_refused(tmp_path: Path, idx_writer: Writer) -> None:
    path = tmp_path / "images"
    idx_writer(path, IMAGES)
    with pytest.raises(GenlabError, match="7x3x5"):
        idx.read_idx(path, (7, 3, 5))


def test_damage_inside_a_gzipped_file_is_noticed(tmp_path: Path, idx_writer: Writer) -> None:
    path = tmp_path / "images.gz"
    idx_writer(path, IMAGES)
    content = bytearray(path.read_bytes())
    content[40:60] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(GenlabError):
        idx.read_idx(path, (7, 5, 3))


def test_a_missing_file_has_no_size(tmp_path: Path) -> None:
    assert idx.stored_size(tmp_path / "none") == -1
