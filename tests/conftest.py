"""What every test gets: a lab of its own, one thread a process, and the `--full` switch for whole campaigns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# The suite is parallel over processes: more threads in each would only fight. Read by torch and numpy when they load.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
for variable in [name for name in os.environ if name.startswith("GENLAB_")]:
    del os.environ[variable]

TOYS = Path(__file__).parent / "data" / "phenomena"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--full` and `--accept-snapshots`."""
    parser.addoption("--full", action="store_true", help="run whole campaigns (marker `full`) too")
    parser.addoption(
        "--accept-snapshots", action="store_true", help="take what the screens show now as what they should"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip whole campaigns unless asked for."""
    if config.getoption("--full"):
        return
    skip = pytest.mark.skip(reason="a whole campaign: run it with --full")
    for item in items:
        if "full" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _own_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ever touches the lab of the person who runs the suite."""
    monkeypatch.setenv("GENLAB_HOME", str(tmp_path / "lab"))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the toy phenomenon in the catalogue, here and in every child."""
    from genlab_tui import phenomena

    monkeypatch.setenv("GENLAB_PHENOMENA", str(TOYS))
    monkeypatch.setattr(phenomena, "__path__", [*phenomena.__path__, str(TOYS)])
    caches = (phenomena.catalogue, phenomena.broken, phenomena._scan)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()
