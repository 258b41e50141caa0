"""A grid of character cells with a style each, and its strips: what charts and heat maps are put together in."""

from __future__ import annotations

from collections.abc import Mapping

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
