"""Text in ASCII that takes the same room, and when it is wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from genlab_tui.colours import MARKERS
from genlab_tui.text import clean_text
from screens.ascii import ascii_wanted, to_ascii
from screens.panels.cells import Cells
from screens.panels.marks import STATE_MARKS, bar
from screens.panels.paint import Plot, Stroke
from screens.panels.plain import raster


@given(st.text(max_size=60))
def test_any_text_becomes_ascii_of_the_same_width(text: str) -> None:
    cleaned = clean_text(text)
    plain = to_ascii(cleaned)
    assert plain.isascii()
    assert plain.isprintable()
    assert cell_len(plain) == cell_len(cleaned)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("0.51 ± 0.02 · 3 ≤ 4", "0.51 +-0.02 - 3 <=4"),
        ("0.51 ±0.02", "0.51+-0.02"),
        ("“a” – b…", '"a" - b~'),
        ("Δ loss × 2 → ∞", "D loss x 2 > 8"),
        ("naïve é 日本", "naive e ????"),
        ("⣿⡀⠀", ":. "),
    ],
)
def test_what_there_are_words_for_keeps_its_meaning(text: str, plain: str) -> None:
    assert to_ascii(text) == plain


def test_markers_stay_different_and_so_do_states() -> None:
    assert len({to_ascii(character) for character in MARKERS}) == len(MARKERS)
    # Failed and killed runs share a mark in any case.
    assert len({to_ascii(mark) for mark, _ in STATE_MARKS.values()}) == len({mark for mark, _ in STATE_MARKS.values()})


@pytest.mark.parametrize(
    ("done", "text"), [(0.0, "----------"), (0.5, "=====-----"), (0.55, "=====>----"), (1.0, "=" * 10)]
)
def test_a_bar_shows_what_is_done_without_colours(done: float, text: str) -> None:
    assert to_ascii(bar(done, 10).plain) == text


@pytest.mark.parametrize(
    ("environ", "encoding", "remembered", "wanted"),
    [
        ({"TERM": "xterm-256color"}, "utf-8", None, False),
        ({"TERM": "xterm-256color"}, "UTF8", None, False),
        ({"TERM": "xterm-256color"}, "ISO-8859-1", None, True),
        ({"TERM": "xterm"}, "ANSI_X3.4-1968", None, True),
        ({"TERM": "linux"}, "utf-8", None, True),
        ({"TERM": "vt100"}, "utf-8", None, True),
        ({"TERM": "linux"}, "utf-8", False, False),
        ({"TERM": "xterm"}, "utf-8", True, True),
        ({"TERM": "xterm", "GENLAB_ASCII": "0"}, "ascii", True, False),
        ({"TERM": "xterm", "GENLAB_ASCII": "1"}, "utf-8", False, True),
        ({"TERM": "xterm", "GENLAB_ASCII": "maybe"}, "utf-8", "yes", False),
    ],
)
def test_ascii_is_wanted(environ: dict[str, str], encoding: str, remembered: object, wanted: bool) -> None:
    assert ascii_wanted(environ, encoding, remembered) is wanted


def test_lines_are_drawn_with_a_character_for_each_arm() -> None:
    cells = Cells(8, 4)
    rising = Stroke("line-0", [[(0, 0), (15, 15)]], True, "●")
    dots = Stroke("line-1", [[(0, 15), (15, 15)]], False, "■")
    faint = Stroke("faint-0", [[(0, 7), (3, 7)], [(15, 0)]], True, "●")
    raster(Plot([faint, rising, dots], [(0.5, True)]), cells, 0, 0, 8, 4)
    rows = ["".join(row) for row in cells.text]
    assert rows == [
        "#   : x#",
        "    xx  ",
        "..xx:   ",
        "xx     .",
    ]
    assert cells.keys[3][0] == "line-0"
