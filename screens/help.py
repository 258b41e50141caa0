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


def title_of(cls: type[DOMNode]) -> str:
    """Return what the help calls the keys of a screen or panel."""
    return str(cls.__dict__.get("HELP_TITLE") or cls.__dict__.get("BINDING_GROUP_TITLE") or cls.__name__)


def help_text(screen: Screen[Any], app: App[Any], width: int) -> Content:
    """Return the help for a screen in a width: every key with what it does."""
    parts: list[Content] = []
    for title, bindings in sections(screen):
        if parts:
            parts.append(Content(""))
        parts.append(Content.styled(title, "bold $text-primary"))
        for binding in bindings:
            keys = " ".join(app.get_key_display(Binding(b.key, b.action)) for b in Binding.make_bindings([binding]))
            gap = " " * max(KEYS - len(keys), 2)
            first, *rest = textwrap.wrap(binding.tooltip or binding.description, max(width - KEYS - 2, 20))
            parts.append(Content.assemble("  ", (keys, "$text-accent"), gap, first))
            parts += [Content(" " * (KEYS + 2) + line) for line in rest]
    return Content("\n").join(parts)


class HelpScreen(Sheet):
    """The keys of the screen below."""

    def __init__(self, below: Screen[Any]) -> None:
        title = getattr(below, "HELP_TITLE", "") or "this screen"
        super().__init__(f"keys · {title}", help_text(below, below.app, room(below.app.size.width)))
