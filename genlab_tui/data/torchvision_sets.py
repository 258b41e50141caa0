"""The data sets of torchvision, in its own folder layout: found by size, read, and downloaded by its code.

The MNIST family is read here with numpy, so that loading it needs no torch; CIFAR and SVHN through torchvision, which
verifies their checksums.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab_tui.data import idx
from genlab_tui.data.sets import Arrays, DataSet, Located
from genlab_tui.errors import GenlabError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEBIAN = Path("/usr/share/datasets")


@dataclass(frozen=True)
class Layout:
    """Where torchvision keeps a data set under its root: files with the fewest bytes each can have.

    `archives` is a pattern of the files that a download brings, for its progress.
    """

    class_name: str
    folder: str
    files: Mapping[str, int]
    archives: str
    splits: tuple[Mapping[str, Any], ...] = ({"train": True}, {"train": False})


def _idx_layout(class_name: str) -> Layout:
    files = {name: idx.file_size(shape) for name, shape in _IDX.values()}
    return Layout(class_name, f"{class_name}/raw", files, "*.gz")


_IDX: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "x_train": ("train-images-idx3-ubyte", (60_000, 28, 28)),
    "y_train": ("train-labels-idx1-ubyte", (60_000,)),
    "x_test": ("t10k-images-idx3-ubyte", (10_000, 28, 28)),
    "y_test": ("t10k-labels-idx1-ubyte", (10_000,)),
}
_CIFAR10_BATCH = 10_000 * 3_073  # one label byte and the pixels of each image
LAYOUTS: Mapping[str, Layout] = {
    "mnist": _idx_layout("MNIST"),
    "fashion-mnist": _idx_layout("FashionMNIST"),
    "kmnist": _idx_layout("KMNIST"),
    "cifar10": Layout(
        "CIFAR10",
        "cifar-10-batches-py",
        dict.fromkeys((*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"), _CIFAR10_BATCH) | {"batches.meta": 1},
        "cifar-10-python.tar.gz",
    ),
    "cifar100": Layout(
        "CIFAR100",
        "cifar-100-python",
        {"train": 50_000 * 3_074, "test": 10_000 * 3_074, "meta": 1},
        "cifar-100-python.tar.gz",
    ),
    "svhn": Layout(
        "SVHN",
        ".",
        {"train_32x32.mat": 182_040_794, "test_32x32.mat": 64_275_384},
        "*_32x32.mat",
        ({"split": "train"}, {"split": "test"}),
    ),
}


def is_idx(name: str) -> bool:
    """Whether a data set is of the MNIST family."""
    return name in ("mnist", "fashion-mnist", "kmnist")


def locate(data_set: DataSet, data_dir: Path) -> Located:
    """Find a data set: in the data folder, and for Fashion-MNIST also where Debian's package puts it."""
    how = f"genlab-tui data fetch {data_set.name}"
    problem = ""
    for folder in _folders(data_set.name, data_dir):
        files, wrong = _files(data_set.name, folder)
        if files and not wrong:
            return Located(data_set.name, True, str(folder), sum(f.stat().st_size for f in files.values()))
        problem = problem or wrong
    return Located(data_set.name, False, how=how, problem=problem)


def load(data_set: DataSet, data_dir: Path) -> Arrays:
    """Return the arrays of a data set that `locate` finds. Raises GenlabError for damaged files."""
    if not is_idx(data_set.name):
        return _load_torchvision(data_set, data_dir)
    for folder in _folders(data_set.name, data_dir):
        files, wrong = _files(data_set.name, folder)
        if files and not wrong:
            parts = {part: idx.read_idx(files[name], shape) for part, (name, shape) in _IDX.items()}
            return _arrays(
                data_set,
                parts["x_train"][:, None],
                parts["y_train"],
                parts["x_test"][:, None],
                parts["y_test"],
            )
    raise GenlabError(f"the data set {data_set.name} has gone from this machine")


def _folders(name: str, data_dir: Path) -> Iterable[Path]:
    yield data_dir / LAYOUTS[name].folder
    if name == "fashion-mnist":
        yield Path(os.environ.get("GENLAB_DEBIAN_DATASETS", DEBIAN)) / name


def _files(name: str, folder: Path) -> tuple[dict[str, Path], str]:
    """Return the files of a data set in a folder, and what is wrong with them (no files and no wrong: not there)."""
    found: dict[str, Path] = {}
    missing, wrong = "", ""
    for file, size in LAYOUTS[name].files.items():
        plain, zipped = folder / file, folder / f"{file}.gz"
        path = zipped if is_idx(name) and not plain.is_file() and zipped.is_file() else plain
        if not path.is_file():
            missing = missing or file
            continue
        found[file] = path
        actual = idx.stored_size(path) if is_idx(name) else path.stat().st_size
        if actual < size or (is_idx(name) and actual != size):
            wrong = wrong or f"damaged: {path} holds {max(actual, 0):,} bytes, not {size:,}"
    if found and missing:
        wrong = wrong or f"incomplete: {folder / missing} is missing"
    return found, wrong


def _load_torchvision(data_set: DataSet, data_dir: Path) -> Arrays:
    import numpy as np
    from torchvision import datasets

    layout = LAYOUTS[data_set.name]
    try:
        train, test = (
            getattr(datasets, layout.class_name)(str(data_dir), **options, download=False) for options in layout.splits
        )
    except (RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise GenlabError(
            f"the files of {data_set.name} in {data_dir} are damaged: {error}",
            "remove them, then `genlab-tui data fetch " + data_set.name + "`",
        ) from error
    channels_first = data_set.name == "svhn"

    def images(part: Any) -> NDArray[np.uint8]:
        data = np.asarray(part.data, dtype=np.uint8)
        return data if channels_first else data.transpose(0, 3, 1, 2)

    def labels(part: Any) -> NDArray[np.int64]:
        return np.asarray(part.labels if channels_first else part.targets, dtype=np.int64)

    return _arrays(data_set, images(train), labels(train), images(test), labels(test))


def _arrays(
    data_set: DataSet,
    x_train: NDArray[np.uint8],
    y_train: NDArray[Any],
    x_test: NDArray[np.uint8],
    y_test: NDArray[Any],
) -> Arrays:
    import numpy as np

    if max(int(y_train.max()), int(y_test.max())) >= data_set.classes:
        raise GenlabError(f"{data_set.name} has a label that is no class: its files are damaged")
    scale = np.float32(1.0 / 255.0)
    return Arrays(
        np.ascontiguousarray(x_train, dtype=np.float32) * scale,
        y_train.astype(np.int64),
        np.ascontiguousarray(x_test, dtype=np.float32) * scale,
        y_test.astype(np.int64),
        data_set.classes,
        data_set.shape,
    )
