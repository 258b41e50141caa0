"""A report as one Markdown file: tables of all numbers, pictures as SVG inside it (listed at its end).

GitHub does not show pictures that lie in the file itself: there, the tables beside each have its numbers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from genlab_tui.blocks import Block, Code, Facts, Heading, Picture, Report, Source, Table, Text, Verdicts, web_link
from genlab_tui.drawing import draw
from genlab_tui.text import clean_text

LIMIT = 4000
_SPECIAL = re.compile(r"[\\`*_{}\[\]#~$]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_BARE = re.compile(r"(www)\.|://", re.IGNORECASE)
"""What GitHub makes links of by itself."""
_LEADING = re.compile(r"^(\d+)([.)])(?=\s|$)|^([-+=])")
_SIGNS = {"SHOWN": "✅", "NOT SHOWN": "❌", "INCONCLUSIVE": "❔"}


def to_markdown(report: Report) -> str:
    """Return a report as Markdown (CommonMark with tables)."""
    pictures: list[str] = []
    parts = [f"# {plain(report.title)}"]
    parts += [text for block in report.blocks if (text := _block(block, pictures))]
    if report.footer:
        parts.append(f"---\n\n{plain(report.footer)}")
    return "\n\n".join([*parts, *pictures]) + "\n"


def plain(text: str, limit: int = LIMIT) -> str:
    """Return outside text so that Markdown shows it as it is: no link, tag, cell or heading comes of it."""
    return _LEADING.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", _escaped(text, limit))


def _escaped(text: str, limit: int) -> str:
    escaped = "".join(_ENTITIES.get(c, c) for c in _SPECIAL.sub(r"\\\g<0>", clean_text(text, limit)))
    return _BARE.sub(lambda m: f"{m[1]}&#46;" if m[1] else "&#58;//", escaped)


def _block(block: Block, pictures: list[str]) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {plain(text)}"
        case Text(text, kind):
            # A remark is marked by its place; emphasis around foreign text could be broken by it.
            return f"> {plain(text)}" if kind == "warning" else plain(text)
        case Verdicts(statuses):
            return "\n".join(f"- {_SIGNS.get(s, '')} **{plain(s)}** {plain(what)}".rstrip() for s, what in statuses)
        case Facts(rows):
            return "\n".join(f"- {plain(name)}: {plain(value)}" for name, value in rows)
        case Table():
            return _table(block)
        case Source(key, title, venue, url):
            link = web_link(url)
            return f"- {plain(key)}: {plain(title)}. {plain(venue)}." + (f" <{link}>" if link else "")
        case Code(text, language, caption):
            return (f"{plain(caption)}\n\n" if caption else "") + fenced(text, language)
        case Picture(figure):
            number = len(pictures) + 1
            image = base64.b64encode(draw(figure).encode()).decode()
            pictures.append(f"[figure-{number}]: data:image/svg+xml;base64,{image}")
            return f"![{plain(figure.title or figure.name, 200)}][figure-{number}]"


def fenced(text: str, language: str = "") -> str:
    """Return lines of code in a fence that nothing in them can close."""
    cleaned = clean_text(text, 100_000, multiline=True)
    longest = max((len(run) for run in re.findall(r"`+", cleaned)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{cleaned}\n{fence}"


def _table(table: Table) -> str:
    rule = "|" + "|".join("---:" if i in table.right else "---" for i in _columns(table)) + "|"
    lines = [_row(table.headers, table.limit), rule, *(_row(row, table.limit) for row in table.rows)]
    return (f"{plain(table.caption)}\n\n" if table.caption else "") + "\n".join(lines)


def _columns(table: Table) -> Iterable[int]:
    return range(len(table.headers))


def _row(cells: Iterable[str], limit: int) -> str:
    return "| " + " | ".join(_escaped(cell, limit) or " " for cell in cells) + " |"
