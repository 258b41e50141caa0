"""What a mode leaves to its screens is there in all of them: an abstract hook would fail with the first key only."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from screens.base import ModeScreen
from screens.bulk import BulkActions
from screens.compare import CompareScreen
from screens.lab import LabScreen
from screens.live import LiveScreen
from screens.panels.chrome import HeaderLine, KeyLine
from screens.runs import RunsScreen


def hooks_of(kind: type) -> Iterator[str]:
    """Yield the methods and properties of a class that do nothing but raise NotImplementedError."""
    for name in dir(kind):
        found = inspect.getattr_static(kind, name)
        function = found.fget if isinstance(found, property) else found
        if inspect.isfunction(function) and "NotImplementedError" in function.__code__.co_names:
            yield name


@pytest.mark.parametrize("kind", [LabScreen, LiveScreen, RunsScreen, CompareScreen, HeaderLine, KeyLine])
def test_no_hook_is_left_open(kind: type) -> None:
    assert list(hooks_of(kind)) == []


def test_an_open_hook_is_found() -> None:
    assert "compose_body" in hooks_of(ModeScreen)
    assert {"chosen", "targets"} <= set(hooks_of(BulkActions))
