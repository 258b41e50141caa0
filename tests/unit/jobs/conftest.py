"""The toy phenomenon in the catalogue of this process."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _toy(toy: None) -> None:
    """Every test here has the toy."""
