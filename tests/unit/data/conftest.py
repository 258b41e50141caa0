"""Small data sets in the layouts of the real ones, written by the test itself."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genlab_tui.data import torchvision_sets


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write unsigned bytes as IDX, gzipped where the name says so."""
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    content = header + array.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)


@pytest.fixture
def idx_writer() -> Callable[[Path, np.ndarray], None]:
    return write_idx


@pytest.fixture
def no_debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that Debian's package is not installed."""
    monkeypatch.setenv("GENLAB_DEBIAN_DATASETS", str(tmp_path / "no-debian"))


@pytest.fixture
def write_family() -> Callable[..., None]:
    """Return `write_family(folder, suffix="")`: the four files of the MNIST family at their real sizes."""

    def write(folder: Path, suffix: str = "") -> None:
        random = np.random.default_rng(0)
        for name, shape in torchvision_sets._IDX.values():
            # Rows repeat so that compression is fast; labels run through all classes.
            small = random.integers(0, 256, (10, *shape[1:])) if len(shape) > 1 else np.arange(10)
            write_idx(folder / f"{name}{suffix}", np.tile(small, (shape[0] // 10, *(1,) * (len(shape) - 1))))

    return write
