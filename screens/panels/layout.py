"""The columns of a table: which fit into a width, and what a row and the heading look like in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from textual.content import Content

R = TypeVar("R")
GAP = 2


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column: its key, heading, how a row looks in it, and how much room it takes.

    `least` cells are what it needs, `most` what it can use; where the table is too narrow, columns of the highest
    `rank` leave first. `cell` gets the row and the width that the column has. While a column has less than the `whole`
    of what its rows say, `dull` ones leave: those in which no row differs from the next.
    """

    key: str
    title: str
    cell: Callable[[R, int], Content]
    least: int
    most: int = 0
    rank: int = 0
    right: bool = False
    whole: int = 0
    dull: bool = False


def layout(columns: Sequence[Column[R]], width: int) -> list[tuple[Column[R], int]]:
    """Return the columns that fit into a width, each with its own; what is left over goes to those that can use it."""
    kept = list(columns)
    while len(kept) > 1 and sum(c.least for c in kept) + GAP * (len(kept) - 1) > width:
        worst = max(c.rank for c in kept)
        kept.remove(next(c for c in reversed(kept) if c.rank == worst))
    found = _shared(kept, width)
    while any(size < c.whole for c, size in found) and (dull := [c for c in kept if c.dull]):
        kept.remove(dull[-1])
        found = _shared(kept, width)
    return found


def _shared(kept: Sequence[Column[R]], width: int) -> list[tuple[Column[R], int]]:
    """Return columns that fit with their widths: what is left over goes first to those that are to be read whole."""
    sizes = {c.key: c.least for c in kept}
    spare = width - sum(sizes.values()) - GAP * (len(kept) - 1)
    by_rank = sorted(kept, key=lambda c: c.rank)
    for wanted in ({c.key: c.whole for c in kept}, {c.key: c.most for c in kept}):
        while spare > 0 and (hungry := [c for c in by_rank if sizes[c.key] < wanted[c.key]]):
            for column in hungry[:spare]:
                sizes[column.key] += 1
                spare -= 1
    return [(c, sizes[c.key]) for c in kept]


def row_text(columns: Sequence[tuple[Column[R], int]], row: R) -> Content:
    """Return a row in columns of these widths."""
    cells = (fitted(column.cell(row, size), size, right=column.right) for column, size in columns)
    return Content(" " * GAP).join(cells)


def head_text(columns: Sequence[tuple[Column[R], int]], by: str, reverse: bool) -> Content:
    """Return the heading; the column that the rows are sorted by has an arrow."""
    cells = []
    for column, size in columns:
        text = f"{column.title}{'▾' if reverse else '▴'}" if column.key == by else column.title
        style = "$text-primary" if column.key == by else ""
        cells.append(fitted(Content.styled(text, style), size, right=column.right))
    return Content(" " * GAP).join(cells)


def fitted(content: Content, width: int, *, right: bool = False) -> Content:
    """Return content cut or filled to exactly a width in cells."""
    length = content.cell_length
    if length > width:
        return content.truncate(width, ellipsis=True) if width > 0 else Content("")
    blank = Content(" " * (width - length))
    return blank + content if right else content + blank
