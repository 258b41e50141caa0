"""The feature table keeps its form: the same columns everywhere, known words in the cells, a note for each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "COMPARISON.md"
TOOLS = ["LEET", "terminalboard", "wandb-tui", "ltui", "TensorBoard", "genlab-tui"]
CELL = re.compile(r"(yes|no|partly|not checked)((?:\[\^[a-z0-9-]+\])+)")


def text() -> str:
    """Return the page."""
    return PAGE.read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    """Return the cells of every row of the feature tables, without their headers."""
    lines = [line for line in text().partition("\n## ")[2].splitlines() if line.startswith("|")]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in found if row[0] not in ("feature", "---")]


def notes() -> dict[str, str]:
    """Return the notes at the end of the page."""
    return dict(re.findall(r"^\[\^([a-z0-9-]+)\]: (.+)$", text(), re.MULTILINE))


def test_every_table_has_the_same_columns() -> None:
    headers = [line for line in text().splitlines() if line.startswith("| feature |")]
    assert len(headers) >= 5
    for header in headers:
        assert [cell.strip() for cell in header.strip("|").split("|")][1:] == TOOLS
    assert len(rows()) >= 40
    assert len({row[0] for row in rows()}) == len(rows())


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_cell_is_a_known_word_with_a_note(row: list[str]) -> None:
    assert len(row) == 1 + len(TOOLS)
    known = notes()
    for cell in row[1:]:
        match = CELL.fullmatch(cell)
        assert match, cell
        for note in re.findall(r"\[\^([a-z0-9-]+)\]", match[2]):
            assert note in known, note
            if match[1] == "not checked":
                assert re.match("Not checked: |LEET reads|wandb-tui 0.3.0 loads", known[note]), known[note]


def test_every_note_is_used_and_names_a_source() -> None:
    body = text().partition("\n## Notes")[0]
    defined = re.findall(r"^\[\^([a-z0-9-]+)\]:", text(), re.MULTILINE)
    assert len(defined) == len(set(defined))
    for name, note in notes().items():
        assert f"[^{name}]" in body, name
        assert "`" in note or len(note) > 30, name
        assert note.endswith("."), name


def test_versions_and_date_are_said() -> None:
    head = text().partition("\n## ")[0]
    assert re.search(r"\d{1,2} November 2026", head)
    for tool in TOOLS:
        assert re.search(rf"^\| {tool} \|.*\d+\.\d+", head, re.MULTILINE), tool


def test_it_says_where_others_are_ahead() -> None:
    ours = [CELL.fullmatch(row[-1]) for row in rows()]
    lacking = [row for row, cell in zip(rows(), ours, strict=True) if cell and cell[1] != "yes"]
    assert len(lacking) >= 8
    for row in lacking:
        assert any(cell.startswith(("yes", "partly")) for cell in row[1:-1]), row[0]


def test_files_of_ours_that_notes_name_are_there() -> None:
    root = PAGE.parents[1]
    for name, note in notes().items():
        if name.startswith("g-"):
            for path in re.findall(r"`((?:genlab_tui|screens|jobs|docs|tests)/[\w/.]+)`", note):
                assert (root / path).exists(), path
