"""Aligned columns as text, and the table of settings. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual.content import Content

from genlab_tui.settings import NONE, Setting
from genlab_tui.text import clean_text
from screens.columns import MUTED
from screens.comparison import Comparison
from screens.panels.layout import fitted

DIM = "$foreground-disabled"
STAR = "★"
Cell = Content | str
Line = Sequence[Cell]


def grid(
    head: Line, rows: Sequence[Line], *, right: Sequence[int] = (), gap: int = 2, cap: int | Sequence[int] = 28
) -> Content:
    """Return aligned columns; `right` ones are flush right. No cell is wider than `cap`, of its column or of all."""
    table = [[content(cell) for cell in line] for line in (head, *rows)]
    caps = [cap] * len(head) if isinstance(cap, int) else cap
    widths = [min(max(line[i].cell_length for line in table), caps[i]) for i in range(len(head))]
    lines = []
    for number_of, line in enumerate(table):
        cells = [fitted(cell, widths[i], right=i in right) for i, cell in enumerate(line)]
        text = Content(" " * gap).join(cells)
        lines.append(text.stylize(f"bold {MUTED}") if number_of == 0 else text)
    return Content("\n").join(lines)


def content(cell: Cell) -> Content:
    """Return a cell as content: text from outside is cleaned."""
    return cell if isinstance(cell, Content) else Content(clean_text(cell, 200))


def settings_text(found: Comparison, width: int = 1000, *, all_of_them: bool = False) -> Content:
    """Return what differs between the runs, or all their settings; columns give way where there is little room."""
    rows = [row for row in found.settings if all_of_them or row.differs]
    if not rows:
        only = "one run: nothing to differ from" if len(found.runs) == 1 else "nothing differs: the same settings"
        return Content.styled(only, MUTED)
    titles = [f"{STAR if run.id == found.baseline else ' '} {found.title(run.id)}" for run in found.runs]
    beside: list[Line] = [[_name(row), *(_value(v, row.differs) for v in row.values)] for row in rows]
    below: list[Line] = [
        [Content.styled(clean_text(title, 40), "bold"), *(_value(row.values[i], row.differs) for row in rows)]
        for i, title in enumerate(titles)
    ]
    turned: Line = ["", *(clean_text(row.name, 24).replace("_", " ") for row in rows)]
    wide = [lambda gap=gap, cap=cap: grid(["", *titles], beside, gap=gap, cap=cap) for gap, cap in CAPS]
    long = [lambda gap=gap, cap=cap: grid(turned, below, gap=gap, cap=cap) for gap, cap in CAPS]
    return first_that_fits([*wide, *long] if len(titles) <= max(len(rows), MANY) else [*long, *wide], width)


CAPS = ((2, 40), (1, 24), (1, 12), (1, 10))
MANY = 4
"""Up to so many runs stand side by side however little differs."""


def first_that_fits(makers: Sequence[Callable[[], Content]], width: int) -> Content:
    """Return the first text that is no wider than `width`; where none is, the narrowest (it scrolls sideways)."""
    made: list[Content] = []
    for make in makers:
        made.append(make())
        if text_width(made[-1]) <= width:
            return made[-1]
    return min(made, key=text_width)


def text_width(text: Content) -> int:
    """Return the cells of the widest line."""
    return max(map(cell_len, text.plain.split("\n")))


def _name(row: Setting) -> Content:
    return Content.styled(clean_text(row.name, 40).replace("_", " "), "bold" if row.differs else MUTED)


def _value(value: str, differs: bool) -> Content:
    return Content.styled(clean_text(value, 200), DIM if value == NONE else "" if differs else MUTED)


def differing(found: Comparison, run_id: str) -> str:
    """Return what sets a run apart from the others, in one line."""
    at = next((i for i, run in enumerate(found.runs) if run.id == run_id), None)
    rows = [row for row in found.settings if row.differs]
    if at is None:
        return ""
    mine = [(row.name, row.values[at]) for row in rows if row.values[at] != NONE]
    parts = (f"{clean_text(name, 30).replace('_', ' ')} {clean_text(value, 40)}" for name, value in mine)
    return " · ".join(parts)
