"""Data sets in torchvision's folder layout: found by name and size, refused when damaged, read without torch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui.data import torchvision_sets
from genlab_tui.errors import GenlabError, MissingData


@pytest.mark.usefixtures("no_debian")
@pytest.mark.parametrize(
    ("name", "folder", "suffix"), [("mnist", "MNIST", ""), ("fashion-mnist", "FashionMNIST", ".gz")]
)
def test_the_mnist_family_is_found_and_read(
    name: str, folder: str, suffix: str, tmp_path: Path, write_family: Callable[..., None]
) -> None:
    write_family(tmp_path / folder / "raw", suffix)
    found = data.locate(name, tmp_path)
    assert found.present
    assert found.where == str(tmp_path / folder / "raw")
    assert found.bytes > 0
    arrays = data.load(name, tmp_path)
    assert arrays.x_train.shape == (60_000, 1, 28, 28)
    assert arrays.x_train.dtype == np.float32
    assert 0.0 <= arrays.x_train.min() < arrays.x_train.max() <= 1.0
    assert arrays.y_test.tolist()[:12] == [*range(10), 0, 1]


def test_debians_folder_is_found_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_family: Callable[..., None]
) -> None:
    monkeypatch.setenv("GENLAB_DEBIAN_DATASETS", str(tmp_path / "debian"))
    write_family(tmp_path / "debian" / "fashion-mnist", ".gz")
    assert data.locate("fashion-mnist", tmp_path / "data").where == str(tmp_path / "debian" / "fashion-mnist")
    assert not data.locate("mnist", tmp_path / "data").present


@pytest.mark.usefixtures("no_debian")
def test_a_missing_or_short_file_is_named(tmp_path: Path, write_family: Callable[..., None]) -> None:
    raw = tmp_path / "KMNIST" / "raw"
    write_family(raw)
    short = raw / "t10k-images-idx3-ubyte"
    short.write_bytes(short.read_bytes()[:1000])
    with pytest.raises(MissingData, match=r"damaged: .*t10k-images-idx3-ubyte holds 1,000 bytes, not 7,840,016"):
        data.require("kmnist", tmp_path)
    short.unlink()
    with pytest.raises(MissingData, match=r"incomplete: .*t10k-images-idx3-ubyte is missing") as caught:
        data.load("kmnist", tmp_path)
    assert caught.value.hint == "genlab-tui data fetch kmnist"


@pytest.mark.usefixtures("no_debian")
def test_a_file_with_the_right_size_and_the_wrong_content_is_refused(
    tmp_path: Path, write_family: Callable[..., None]
) -> None:
    raw = tmp_path / "MNIST" / "raw"
    write_family(raw)
    labels = raw / "train-labels-idx1-ubyte"
    labels.write_bytes(bytes(len(labels.read_bytes())))
    assert data.locate("mnist", tmp_path).present, "sizes alone cannot tell"
    with pytest.raises(GenlabError, match="train-labels-idx1-ubyte is not the IDX file"):
        data.load("mnist", tmp_path)


@pytest.mark.usefixtures("no_debian")
def test_labels_that_are_no_class_are_refused(
    tmp_path: Path, write_family: Callable[..., None], idx_writer: Callable[[Path, np.ndarray], None]
) -> None:
    raw = tmp_path / "MNIST" / "raw"
    write_family(raw)
    idx_writer(raw / "t10k-labels-idx1-ubyte", np.full(10_000, 11))
    with pytest.raises(GenlabError, match="no class"):
        data.load("mnist", tmp_path)


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "svhn"])
def test_files_with_other_content_fail_torchvisions_checksums(name: str, tmp_path: Path) -> None:
    layout = torchvision_sets.LAYOUTS[name]
    for file, size in layout.files.items():
        path = tmp_path / layout.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as sparse:
            sparse.truncate(size)
    assert data.locate(name, tmp_path).present
    with pytest.raises(GenlabError, match=f"the files of {name} in .* are damaged"):
        data.load(name, tmp_path)


@pytest.mark.parametrize(("name", "channels_last"), [("cifar10", True), ("svhn", False)])
def test_torchvisions_arrays_become_channels_first(
    name: str, channels_last: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 3, 32, 32)).astype(np.uint8)

    class Fake:
        def __init__(self, _root: str, **options: object) -> None:
            assert options.pop("download") is False
            self.data = images.transpose(0, 2, 3, 1) if channels_last else images
            self.targets = self.labels = [*range(10), 0, 1]

    from torchvision import datasets

    monkeypatch.setattr(datasets, torchvision_sets.LAYOUTS[name].class_name, Fake)
    arrays = torchvision_sets.load(data.DATASETS[name], tmp_path)
    assert np.allclose(arrays.x_train, images / 255.0, atol=1e-7)
    assert arrays.x_train.flags["C_CONTIGUOUS"]
    assert arrays.y_train.tolist() == [*range(10), 0, 1]


def test_the_layouts_are_torchvisions_own() -> None:
    """Class names, folders and file names agree with the installed torchvision."""
    from torchvision import datasets

    for name, layout in torchvision_sets.LAYOUTS.items():
        cls = getattr(datasets, layout.class_name)
        if torchvision_sets.is_idx(name):
            assert {file for file, _ in cls.resources} == {f"{file}.gz" for file in layout.files}
            assert layout.folder == f"{cls.__name__}/raw"
        elif name == "svhn":
            assert {cls.split_list[s][1] for s in ("train", "test")} == set(layout.files)
        else:
            files = {file for file, _ in cls.train_list + cls.test_list} | {cls.meta["filename"]}
            assert files == set(layout.files)
            assert (layout.folder, layout.archives) == (cls.base_folder, cls.filename)
    assert "torch" in sys.modules
