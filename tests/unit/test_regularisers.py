"""The declared set of regularisers."""

from __future__ import annotations

import pytest

from genlab_tui import regularisers
from genlab_tui.errors import BadValue, NotFound


def test_keys_and_names_are_unique_and_ladders_inside_their_bounds() -> None:
    declared = regularisers.REGULARISERS
    assert len({r.key for r in declared}) == len({r.name for r in declared}) == len(declared) == 8
    for r in declared:
        assert r.check(r.default) == r.default
        assert all(r.check(strength) == strength for strength in r.ladder)
        assert list(r.ladder) == sorted(r.ladder)


@pytest.mark.parametrize(
    ("text", "found"),
    [("dropout=0.3", ("dropout", 0.3)), ("wd", ("weight-decay", 1e-3)), ("label_smoothing", ("label-smoothing", 0.1))],
)
def test_parsing(text: str, found: tuple[str, float]) -> None:
    assert regularisers.parse(text) == found


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("dropuot", NotFound, "did you mean 'dropout'"),
        ("dropout=2", BadValue, "nearest valid value: 0.95"),
        ("dropout=much", BadValue, "not a number"),
        ("weight-decay=nan", BadValue, "nearest valid value: 0.001"),
    ],
)
def test_errors(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        regularisers.parse(text)
