"""The IDX format of the MNIST family: read with numpy, plain or gzipped; sizes checked without reading.

Format: two zero bytes, a type byte (0x08: unsigned bytes), the number of dimensions, each dimension as a big-endian
32-bit number, then the values.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from genlab_tui.errors import GenlabError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def file_size(shape: tuple[int, ...]) -> int:
    """Return the size in bytes of an uncompressed IDX file of unsigned bytes with these dimensions."""
    values = 1
    for side in shape:
        values *= side
    return 4 + 4 * len(shape) + values


def stored_size(path: Path) -> int:
    """Return the uncompressed size of an IDX file, from the last four bytes of a gzipped one; -1 if unreadable."""
    try:
        size = path.stat().st_size
        if path.suffix != ".gz":
            return size
        with path.open("rb") as file:
            if size < 18 or file.read(2) != b"\x1f\x8b":
                return -1
            file.seek(-4, os.SEEK_END)
            return int(struct.unpack("<I", file.read(4))[0])
    except OSError:
        return -1


def read_idx(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the array of an IDX file of unsigned bytes, plain or gzipped (by its suffix).

    Raises GenlabError where the file is cut off, damaged or not of the shape expected.
    """
    import numpy as np

    try:
        raw = path.read_bytes()
        data = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise GenlabError(f"{path} cannot be read: {error}", "fetch the data set again") from error
    header = bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
    if data[: len(header)] != header or len(data) != file_size(shape):
        wanted = "x".join(map(str, shape))
        raise GenlabError(f"{path} is not the IDX file of {wanted} bytes that it should be", "fetch the data set again")
    return np.frombuffer(data, dtype=np.uint8, offset=len(header)).reshape(shape)
