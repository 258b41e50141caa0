"""Data sets: what there is, where it is, how to get it, and its arrays. Importing this imports no numpy and no torch.

Beside the facade: `arrays` (splits, standardising), `corrupt` (labels and inputs), `seeding` (one generator a purpose).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from genlab_tui.data.sets import DATASETS, Arrays, DataSet, Located
from genlab_tui.errors import MissingData, NotFound, nearest

__all__ = ["DATASETS", "Arrays", "DataSet", "Located", "fetch", "get", "known", "load", "locate", "require"]

Progress = Callable[[int, int, str], None]


def get(name: str) -> DataSet:
    """Return a declared data set; raises NotFound with the nearest name."""
    if name not in DATASETS:
        raise NotFound(f"there is no data set {name!r}", nearest(name, tuple(DATASETS)))
    return DATASETS[name]


def known(name: str, otherwise: str = "digits") -> DataSet:
    """Return the declaration of a data set, or of another where it is one of somebody's own: for sizes and shapes."""
    return DATASETS.get(name, DATASETS[otherwise])


def locate(name: str, data_dir: Path) -> Located:
    """Say whether and where a data set is on this machine: file names and sizes only, well under a millisecond a file.

    Raises NotFound for an unknown name.
    """
    data_set = get(name)
    if data_set.source == "scikit-learn":
        return Located(name, True, "ships with scikit-learn")
    if name == "mnist1d":
        from genlab_tui.data import built

        path = built.cache_path(name, data_dir)
        if path.is_file():
            return Located(name, True, str(path), path.stat().st_size)
        return Located(name, True, "built on first use")
    if name == "mnist5k":
        from genlab_tui.data import built

        return built.locate_mnist5k(data_set)
    from genlab_tui.data import torchvision_sets

    return torchvision_sets.locate(data_set, data_dir)


def require(name: str, data_dir: Path) -> None:
    """Raise MissingData, with the one command that gets it, where a data set is not on this machine."""
    found = locate(name, data_dir)
    if not found.present:
        reason = found.problem or "not on this machine"
        raise MissingData(f"the data set {name} is {reason}", found.how)


def load(name: str, data_dir: Path) -> Arrays:
    """Return the arrays of a data set that is here.

    Pooled sets come in a fixed draw; use `arrays.split` for a draw of one's own. Raises NotFound, MissingData, and
    GenlabError for files that are damaged.
    """
    require(name, data_dir)
    if DATASETS[name].bytes_download:
        from genlab_tui.data import torchvision_sets

        return torchvision_sets.load(DATASETS[name], data_dir)
    from genlab_tui.data import built

    return built.load(DATASETS[name], data_dir)


def fetch(name: str, data_dir: Path, progress: Progress | None = None) -> Located:
    """Get a data set: download it (in a process of its own, checksums verified) or build it; return where it is.

    `progress(done, total, what)` is called with bytes. A failed download leaves nothing behind. Raises NotFound,
    MissingData where only an installation would bring it, GenlabError where the download failed.
    """
    data_set = get(name)
    found = locate(name, data_dir)
    if data_set.bytes_download:
        if found.present:
            return found
        from genlab_tui.data import fetching

        return fetching.fetch(data_set, data_dir, progress)
    require(name, data_dir)
    load(name, data_dir)
    return locate(name, data_dir)
