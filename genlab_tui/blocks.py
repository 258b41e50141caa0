"""What a report is made of, before it is Markdown or HTML: headings, text, tables, pictures, code. Plain text in all.

Texts may come from anywhere: whoever writes them as Markdown or HTML cleans and escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass

from genlab_tui.figure import Figure, HeatMap


@dataclass(frozen=True)
class Heading:
    """The title of a part; the report's own title is of level 1."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph. A `quiet` one is a remark, a `warning` one must not be overlooked."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Verdicts:
    """Statuses that are seen from afar, each with what it is of."""

    statuses: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Facts:
    """Names and what they are."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Rows under headers; `right` are the columns of numbers. A `folded` one is for who wants the details."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    caption: str = ""
    folded: bool = False

    @property
    def limit(self) -> int:
        """Characters of a cell at most; a folded table has every number of every seed."""
        return 1_000_000 if self.folded else 400


@dataclass(frozen=True)
class Picture:
    """A figure, drawn."""

    figure: Figure | HeatMap


@dataclass(frozen=True)
class Source:
    """A publication; `url` is a link where it is one of the web."""

    key: str
    title: str
    venue: str
    url: str


@dataclass(frozen=True)
class Code:
    """Lines to be copied as they are."""

    text: str
    language: str = ""
    caption: str = ""


Block = Heading | Text | Verdicts | Facts | Table | Picture | Source | Code


@dataclass(frozen=True)
class Report:
    """A whole report: its title, its parts, and the line at its end."""

    title: str
    blocks: tuple[Block, ...]
    footer: str = ""


def web_link(url: str) -> str:
    """Return an address of the web that can be linked to, or nothing: `javascript:` and its like are none."""
    safe = url.startswith(("https://", "http://")) and url.isascii() and url.isprintable()
    return url if safe and not set(url) & set(" <>\"'`\\()|[]{}") else ""
