"""A drawing-free description of a figure: the same for the terminal, a report and a CSV."""

from __future__ import annotations

from dataclasses import dataclass

from genlab_tui.text import human_number

MEMBER = " · seed "
"""Between an arm's label and the seed in the label of one member: its line is drawn faint, not in the legend."""


@dataclass(frozen=True)
class Line:
    """A series of a figure. `low` and `high` bound its band over seeds, point by point; None where there is none.

    Non-finite values are allowed and leave a gap. `slot` numbers its colour and marker; None: the next that is free.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    points: bool = False
    n: tuple[int, ...] | None = None
    slot: int | None = None


@dataclass(frozen=True)
class Reference:
    """A reference line: a threshold, a published value, chance. `axis` is the axis that the value lies on."""

    value: float
    label: str
    axis: str = "y"


@dataclass(frozen=True)
class Tick:
    """Something that happened on a line: `x` is where, `line` the label of the line, `count` to how many members."""

    x: float
    label: str
    line: str
    count: int = 1


@dataclass(frozen=True)
class Figure:
    """A chart: lines with bands, points, reference lines, log axes."""

    name: str
    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...] = ()
    references: tuple[Reference, ...] = ()
    log_x: bool = False
    log_y: bool = False
    note: str = ""
    ticks: tuple[Tick, ...] = ()


@dataclass(frozen=True)
class HeatMap:
    """A matrix with labelled rows (`y_ticks`) and columns (`x_ticks`); `values[row][column]`.

    With `levels` (values at which a contour is drawn: the first in full, the others dotted) or a `path` it is a field
    that was sampled at the cells' centres: colours run smoothly between them. `path` are places (column, row) in cells,
    not necessarily whole, from its start to its end. `log`: colours by the logarithm; values of 0 and less have the
    colour of the smallest above. `limits` are the ends of the scale where maps share one; else the map's own.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    x_ticks: tuple[str, ...]
    y_ticks: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    note: str = ""
    levels: tuple[float, ...] = ()
    path: tuple[tuple[float, float], ...] = ()
    log: bool = False
    limits: tuple[float, float] | None = None

    @property
    def contours(self) -> str:
        """What the contours are, in words: `line 2.3, dotted 0.23, 23`; empty without any."""
        if not self.levels:
            return ""
        first, *others = (human_number(level, 3) for level in self.levels)
        return f"line {first}" + (f", dotted {', '.join(others)}" if others else "")

    @property
    def smooth(self) -> bool:
        """Whether the cells are samples of a field rather than things of their own."""
        return bool(self.levels or self.path)
