"""Text from outside is inert."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from genlab_tui.text import clean_text, human_bytes, human_number, human_seconds, slug

PAYLOADS = [
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x1b]0;title\x07after", "after"),
    ("\x1b]52;c;aGk=\x1b\\after", "after"),
    ("\x9b31mred", "red"),
    ("\x9d0;title\x9cafter", "after"),
    ("\x1bPq#0\x1b\\after", "after"),
    ("a\x00b\x07c\x7fd", "abcd"),
    ("left\u202eright", "leftright"),
    ("zero\u200bwidth\ufeff", "zerowidth"),
    ("0 \u202e 0", "0 0"),
    ("line\nbreak\ttab\r\n", "line break tab"),
    ("[/x] [bold]kept[/bold]", "[/x] [bold]kept[/bold]"),
    ("\x1bcreset", "reset"),
    ("\ud800lone", "lone"),
]


def test_known_payloads() -> None:
    for raw, clean in PAYLOADS:
        assert clean_text(raw) == clean, repr(raw)


@given(st.text())
def test_nothing_that_drives_a_terminal_is_left(raw: str) -> None:
    for text in (clean_text(raw), clean_text(raw, multiline=True).replace("\n", "")):
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") for c in text)


@given(st.text(), st.integers(1, 40))
def test_length_is_bounded_and_cleaning_twice_is_cleaning_once(raw: str, limit: int) -> None:
    text = clean_text(raw, limit)
    assert len(text) <= limit
    assert clean_text(text, limit) == text


@given(st.text())
def test_slug_is_a_safe_file_name(raw: str) -> None:
    name = slug(raw)
    assert name.isascii()
    assert not name.startswith((".", "-"))
    assert "/" not in name
    assert name


def test_numbers_for_people() -> None:
    assert human_bytes(60_000_000) == "60 MB"
    assert human_seconds(41.2) == "0:41"
    assert human_seconds(12_011) == "3:20:11"
    assert human_number(0.99712345) == "0.9971"
    assert human_number(1.5e-7) == "1.5e-7"
    assert human_number(None) == "–"
    assert human_number(float("-inf")) == "-inf"
