"""Every binding says what it does and stands in the README; the failing test shows the table to put there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path

from textual.binding import Binding, BindingType
from textual.dom import DOMNode

import screens
from genlab_tui.app import GenlabApp
from genlab_tui.paths import lab_home
from screens.help import title_of

README = Path(__file__).resolve().parents[2] / "README.md"
KEYS = README.parent / "docs" / "KEYS.md"
ORDER = ("Everywhere", "Lab", "Live", "Runs", "Compare")


def sections() -> Iterator[tuple[str, list[Binding]]]:
    """Yield a title and the bindings of every screen and panel that there is."""
    for module in pkgutil.walk_packages(screens.__path__, "screens."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == module.name:
                own: list[BindingType] = value.__dict__.get("BINDINGS", [])
                bindings = [b for b in own if isinstance(b, Binding)]
                assert len(bindings) == len(own), f"{value.__name__} has a binding without a description"
                if bindings:
                    yield title_of(value), bindings


def shown(app: GenlabApp, bindings: list[Binding], words: Callable[[Binding], str]) -> list[tuple[str, str]]:
    """Return keys and words of bindings; keys of one meaning together."""
    said: dict[str, list[str]] = {}
    for b in bindings:
        assert b.description, f"{b.key} has no description"
        keys = [app.get_key_display(Binding(one.key, one.action)) for one in Binding.make_bindings([b])]
        said.setdefault(words(b), []).extend(b.key_display.split() if b.key_display else keys)
    return [(" ".join(f"`{key}`" for key in dict.fromkeys(keys)), what) for what, keys in said.items()]


def ordered() -> list[tuple[str, list[Binding]]]:
    return sorted(sections(), key=lambda s: (ORDER.index(s[0]) if s[0] in ORDER else len(ORDER), s[0]))


def short_table() -> str:
    """The README's: a row for each screen and panel."""
    app = GenlabApp(lab_home())
    lines = ["| where | keys |", "|---|---|"]
    for title, bindings in ordered():
        cells = " · ".join(f"{keys} {what}" for keys, what in shown(app, bindings, lambda b: b.description.lower()))
        lines.append(f"| {title} | {cells} |")
    return "\n".join(lines)


def long_table() -> str:
    """The one of docs/KEYS.md: a row for each key."""
    app = GenlabApp(lab_home())
    lines = ["| where | key | what it does |", "|---|---|---|"]
    for title, bindings in ordered():
        for keys, what in shown(app, bindings, lambda b: b.tooltip or b.description):
            lines.append(f"| {title} | {keys} | {what} |")
    return "\n".join(lines)


def test_the_table_of_keys_in_the_readme_is_that_of_the_bindings() -> None:
    block = README.read_text().split("<!-- keys -->")[1].split("<!-- /keys -->")[0].strip()
    assert block == short_table()


def test_the_page_of_keys_is_that_of_the_bindings() -> None:
    assert KEYS.read_text().split("\n\n", 2)[2].strip() == long_table()


def test_every_declared_key_of_a_regulariser_is_a_toggle() -> None:
    from genlab_tui.regularisers import REGULARISERS

    assert [r.key for r in REGULARISERS] == list("wldasmbe")
