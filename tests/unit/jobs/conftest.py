"""The toy phenomenon in the catalogue of this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from genlab_tui import phenomena

TOYS = Path(__file__).parents[2] / "data" / "phenomena"


@pytest.fixture(autouse=True)
def _toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GENLAB_PHENOMENA", str(TOYS))
    monkeypatch.setattr(phenomena, "__path__", [*phenomena.__path__, str(TOYS)])
    caches = (phenomena.catalogue, phenomena.broken, phenomena._scan)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()
