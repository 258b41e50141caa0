"""A grid of character cells with a style each, and its strips: what charts and heat maps are put together in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip


class Cells:
    """`width` x `height` cells. A cell has a character, the key of a style, and maybe a background of its own."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.text = [[" "] * width for _ in range(height)]
        self.keys = [[""] * width for _ in range(height)]
        self.tints: dict[tuple[int, int], str] = {}

    def copy(self) -> Cells:
        """Return the same cells, to be written over."""
        other = Cells(0, 0)
        other.width, other.height = self.width, self.height
        other.text, other.keys = [row.copy() for row in self.text], [row.copy() for row in self.keys]
        other.tints = self.tints.copy()
        return other

    def changes(self, before: Cells) -> list[tuple[int, int, int]]:
        """Return what looks different from cells of the same size: row, first column and number of columns.

        One stretch a row: Textual sends a row's cells from the left up to the end of a stretch, for each of them anew.
        """
        tinted: dict[int, set[int]] = {}
        for (row, column), _ in self.tints.items() ^ before.tints.items():
            tinted.setdefault(row, set()).add(column)
        found: list[tuple[int, int, int]] = []
        for row in range(self.height):
            columns = tinted.get(row, set())
            for now, then in ((self.text[row], before.text[row]), (self.keys[row], before.keys[row])):
                if now != then:
                    columns |= {column for column, (a, b) in enumerate(zip(now, then, strict=True)) if a != b}
            if columns:
                first, last = min(columns), max(columns) + 1
                while last < self.width and not (self.text[row][last] and before.text[row][last]):
                    last += 1  # the second cell of a wide character
                found.append((row, first, last - first))
        return found

    def put(self, row: int, column: int, text: str, key: str = "") -> int:
        """Write text (cleaned before) from a cell on, cut at the edge; return the column after it.

        A wide character takes two cells: its second one stays empty. Combining marks are left out.
        """
        for character in text:
            size = cell_len(character)
            if not size:
                continue
            if not 0 <= row < self.height or column + size > self.width:
                break
            if column >= 0:
                self.text[row][column], self.keys[row][column] = character, key
                if size == 2:
                    self.text[row][column + 1], self.keys[row][column + 1] = "", key
            column += size
        return column

    def strips(self, styles: Mapping[str, Style], base: Style) -> list[Strip]:
        """Return one strip a row. `styles` are the styles of the keys, `base` the one below them all."""
        seen: dict[tuple[str, str], Style] = {}
        return [self._strip(row, styles, base, seen) for row in range(self.height)]

    def _strip(self, row: int, styles: Mapping[str, Style], base: Style, seen: dict[tuple[str, str], Style]) -> Strip:
        segments: list[Segment] = []
        characters, keys, tints = self.text[row], self.keys[row], self.tints
        start, current = 0, (keys[0], tints.get((row, 0), "")) if self.width else ("", "")
        for column in range(1, self.width + 1):
            look = (keys[column], tints.get((row, column), "")) if column < self.width else None
            if look != current:
                if current not in seen:
                    style = base + styles[current[0]] if current[0] else base
                    seen[current] = style + Style(bgcolor=current[1]) if current[1] else style
                segments.append(Segment("".join(characters[start:column]), seen[current]))
                start = column
                if look is not None:
                    current = look
        return Strip(segments, self.width)


def columns_of(text: str) -> int:
    """Return how many cells a text takes."""
    return cell_len(text)


def shorten(text: str, width: int) -> str:
    """Return text cut to a number of cells, with an ellipsis where something is missing."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    out, used = "", 0
    for character in text:
        size = cell_len(character)
        if used + size > width - 1:
            break
        out, used = out + character, used + size
    return out + "…"


def wrapped(text: str, width: int, most: int) -> list[str]:
    """Return text in at most so many lines of a number of cells, broken between words; what is too long is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if columns_of(longer) > width and lines[-1] and len(lines) < most:
            lines.append(word)
        else:
            lines[-1] = longer
    return [shorten(line, width) for line in lines]


def squeeze(text: str, width: int) -> str:
    """Return text cut in its middle: what tells labels apart is often at their end."""
    if columns_of(text) <= width:
        return text
    head = shorten(text, width // 3 + 1)
    tail = ""
    for character in reversed(text):
        if cell_len(head + character + tail) > width:
            break
        tail = character + tail
    return head + tail


def telling(labels: Sequence[str]) -> dict[str, str]:
    """Return labels without the words that all of them begin with, each under its whole self."""
    words = [label.split(" ") for label in labels]
    common = 0
    while len(words) > 1 and all(len(w) > common + 1 and w[common] == words[0][common] for w in words):
        common += 1
    return {label: " ".join(w[common:]) for label, w in zip(labels, words, strict=True)}
