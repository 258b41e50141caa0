"""Help for a screen, made from its own bindings: what is bound is what is shown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from textual.app import App
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen

from screens.sheet import Sheet, room
from screens.toosmall import ENOUGH, out_of_sight

KEYS = 16


def sections(screen: Screen[Any]) -> Iterator[tuple[str, list[Binding]]]:
    """Yield a title and the bindings of a screen, then of each kind of panel on it.

    Only what the lab itself binds: the editing keys of a text field are everybody's.
    """
    seen: set[type[DOMNode]] = set()
    nodes: list[DOMNode] = [screen, *screen.walk_children()]
    everywhere: list[tuple[str, list[Binding]]] = []
    for node in nodes:
        for cls in type(node).__mro__:
            own: list[BindingType] = cls.__dict__.get("BINDINGS", [])
            if cls in seen or not own or not cls.__module__.startswith("screens."):
                continue
            seen.add(cls)
            section = (title_of(cls), [b for b in own if isinstance(b, Binding)])
            if cls.__module__ == "screens.base":
                everywhere.append(section)
            else:
                yield section
    yield from everywhere


HINTS = (
    ("^p", "The palette, like `:`: find any action, run, phenomenon or theme by a few letters of its name"),
    ("tab shift+tab", "The next pane, the one before"),
    ("^c ^c", "Leave, like q and ^q; runs go on whatever becomes of the screen"),
    ("click", "Go to a pane, choose a line; on the first and the last line: press the key that is there"),
    ("double click", "Open what is under the mouse"),
    ("shift+drag", "Mark text with the terminal's own mouse (in some terminals: alt, or fn)"),
    ("GENLAB_ASCII=1", "Draw in ASCII alone (also in the palette); `NO_COLOR=1`: no colours"),
    ("GENLAB_MOUSE=0", "Leave the mouse to the terminal"),
)
"""What no binding says."""


def title_of(cls: type[DOMNode]) -> str:
    """Return what the help calls the keys of a screen or panel."""
    return str(cls.__dict__.get("HELP_TITLE") or cls.__dict__.get("BINDING_GROUP_TITLE") or cls.__name__)


def help_text(screen: Screen[Any], app: App[Any], width: int) -> Content:
    """Return the help for a screen in a width: every key with what it does."""
    parts: list[Content] = []
    if hidden := out_of_sight(screen):
        size = f"{app.size.width}x{app.size.height}"
        words = f"In {size} there is no room for {', '.join(hidden)}; from {ENOUGH} on there is."
        parts += [Content.styled(line, "$text-warning") for line in textwrap.wrap(words, width)]
    for title, bindings in sections(screen):
        if parts:
            parts.append(Content(""))
        parts.append(Content.styled(title, "bold $text-primary"))
        for binding in bindings:
            keys = [app.get_key_display(Binding(b.key, b.action)) for b in Binding.make_bindings([binding])]
            parts += _row(" ".join(keys), binding.tooltip or binding.description, width)
    parts += [Content(""), Content.styled("Mouse and terminal", "bold $text-primary")]
    for hint, words in HINTS:
        parts += _row(hint, words, width)
    return Content("\n").join(parts)


def _row(keys: str, words: str, width: int) -> list[Content]:
    """Return keys and what they do, in as many lines as it takes."""
    first, *rest = textwrap.wrap(words, max(width - KEYS - 2, 20))
    gap = " " * max(KEYS - len(keys), 2)
    return [
        Content.assemble("  ", (keys, "$text-accent"), gap, first),
        *(Content(" " * (KEYS + 2) + line) for line in rest),
    ]


class HelpScreen(Sheet):
    """The keys of the screen below."""

    def __init__(self, below: Screen[Any]) -> None:
        title = getattr(below, "HELP_TITLE", "") or "this screen"
        super().__init__(f"keys · {title}", help_text(below, below.app, room(below.app.size.width)))
