"""The mnist1d generator and the cache of what takes time to build."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui.data import built, mnist1d


def test_the_generator_keeps_to_the_published_construction() -> None:
    x, y = mnist1d.generate()
    assert x.shape == (5000, 40)
    assert np.bincount(y).tolist() == [500] * 10
    assert float(x.mean()) == pytest.approx(0.0, abs=1e-4)
    assert float(x.std()) == pytest.approx(1.0, abs=1e-4)
    assert len(np.unique(x, axis=0)) == 5000
    again, _ = mnist1d.generate()
    other, _ = mnist1d.generate(seed=1)
    assert np.array_equal(x, again)
    assert not np.array_equal(x, other)


def test_templates_start_and_end_at_zero_with_equal_power() -> None:
    rows = mnist1d.templates()
    assert rows.shape == (10, 12)
    assert np.allclose(rows[:, [0, -1]], 0.0)
    assert np.allclose(rows.std(axis=1), 1 / 6)


def test_a_linear_classifier_gets_about_a_third_right(tmp_path: Path) -> None:
    """Published: logistic regression 32 %, MLP 68 %. Least squares on one-hot labels is close to the former."""
    arrays = data.load("mnist1d", tmp_path)
    phi = np.c_[arrays.x_train, np.ones(4000)]
    weights = np.linalg.lstsq(phi, np.eye(10)[arrays.y_train], rcond=None)[0]
    right = (np.c_[arrays.x_test, np.ones(1000)] @ weights).argmax(1) == arrays.y_test
    assert 0.24 <= right.mean() <= 0.40


def test_it_is_built_once_and_read_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = data.load("mnist1d", tmp_path)
    path = built.cache_path("mnist1d", tmp_path)
    assert data.locate("mnist1d", tmp_path).where == str(path)

    def never() -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(mnist1d, "generate", never)
    second = data.load("mnist1d", tmp_path)
    assert np.array_equal(first.x_train, second.x_train)
    assert np.array_equal(first.y_test, second.y_test)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("damage", ["cut", "bytes", "empty", "foreign", "shape", "not finite"])
def test_a_damaged_cache_is_built_again(damage: str, tmp_path: Path) -> None:
    first = data.load("mnist1d", tmp_path)
    path = built.cache_path("mnist1d", tmp_path)
    content = bytearray(path.read_bytes())
    match damage:
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "bytes":
            middle = len(content) // 2
            content[middle : middle + 64] = bytes(64)
            path.write_bytes(content)
        case "empty":
            path.write_bytes(b"")
        case "foreign":
            path.write_bytes(b"something else entirely")
        case "shape":
            np.savez(path, x=np.zeros((3, 40), np.float32), y=np.zeros(3, np.int64))
        case "not finite":
            np.savez(path, x=np.full((5000, 40), np.nan, np.float32), y=np.zeros(5000, np.int64))
    again = data.load("mnist1d", tmp_path)
    assert np.array_equal(first.x_train, again.x_train)
    with np.load(path, allow_pickle=False) as file:
        assert file["x"].shape == (5000, 40), "the damaged file was replaced"


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    assert data.load("mnist1d", blocked).x_train.shape == (4000, 40)
