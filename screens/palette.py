"""The command palette: everything that can be done on the screen at hand, recent runs, phenomena, themes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from textual.actions import ActionError, parse
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.dom import DOMNode
from textual.types import IgnoreReturnCallbackType
from textual.widget import Widget

from genlab_tui.text import clean_text
from screens.notices import WAYS
from screens.panels.marks import ago
from screens.themes import TERMINAL_THEMES

if TYPE_CHECKING:
    from screens.base import GenlabApi

RECENT = 20
"""How many runs are offered by name."""
MOTIONS = frozenset({"up", "down", "left", "right", "page up", "page down", "start", "end"})
"""What keys that move are called: nobody looks them up to move once."""
BY_HELP = 0.1
"""What words found in the help of a command are worth next to letters found in its name."""


class Command(NamedTuple):
    """One line of the palette."""

    name: str
    help: str
    run: IgnoreReturnCallbackType


class GenlabCommands(Provider):
    """What can be done here, by name."""

    def _commands(self) -> Iterator[Command]:
        yield from self._keys()
        yield from self._runs()
        yield from self._phenomena()
        yield from self._settings()

    def _keys(self) -> Iterator[Command]:
        """Every key of the screen: of what has the focus first, then of the panels that are seen."""
        seen = set()
        for node, binding in self._bindings():
            name = f"{binding.description} ({self.app.get_key_display(binding)})"
            # What has no help of its own is Textual's: the keys that edit a text field.
            if binding.system or not binding.tooltip or binding.description in MOTIONS or name in seen:
                continue
            if binding.action.endswith("command_palette") or not _possible(node, binding):
                continue
            seen.add(name)
            yield Command(name, binding.tooltip, partial(self._do, node, binding.action))

    def _bindings(self) -> Iterator[tuple[DOMNode, Binding]]:
        for found in self.screen.active_bindings.values():
            if found.enabled and type(found.node).__module__.startswith("screens"):
                yield found.node, found.binding
        # Then what other panels bind, and the screen itself where the panel with the focus has the key.
        seen = [widget for widget in self.screen.walk_children(Widget) if widget.focusable and widget.region.area]
        for node in (*seen, self.screen):
            for cls in type(node).__mro__:
                if cls.__module__.startswith("screens."):
                    own = [b for b in cls.__dict__.get("BINDINGS", []) if isinstance(b, Binding)]
                    for binding in Binding.make_bindings(own):
                        yield node, binding

    async def _do(self, node: DOMNode, action: str) -> None:
        if isinstance(node, Widget) and node.focusable:
            node.focus()
        await self.app.run_action(action, node)

    def _runs(self) -> Iterator[Command]:
        genlab = cast("GenlabApi", self.app)
        for run in genlab.runs[:RECENT]:
            title = clean_text(f"{run.phenomenon} {run.title}", 60)
            state = clean_text(f"{run.state} {run.verdict} · {ago(run.created)}", 60)
            yield Command(f"watch {title}", f"Open it in Live: {state}", partial(genlab.open_live, run.id))

    def _phenomena(self) -> Iterator[Command]:
        from genlab_tui.phenomena import catalogue

        genlab = cast("GenlabApi", self.app)
        for phenomenon in catalogue().values():
            open_it = partial(genlab.open_lab, phenomenon.name)
            yield Command(f"open {clean_text(phenomenon.title, 60)}", clean_text(phenomenon.question, 120), open_it)

    def _settings(self) -> Iterator[Command]:
        app: Any = self.app
        yield Command("welcome", "What this is, the keys that matter, and the demo", self._welcome)
        yield Command(
            "ascii on or off", "Draw with plain ASCII characters, or with all of them again", app.action_ascii
        )
        yield Command(
            "screenshot of the screen", "Write it as a picture (SVG) into the lab's exports", self._screenshot
        )
        for way, words in WAYS.items():
            help_text = f"A run that ends while another window has the focus: {words}"
            yield Command(f"notify: {way}", help_text, partial(app.action_tell_by, way))
        for theme in sorted(set(app.available_themes) - TERMINAL_THEMES):
            yield Command(f"theme {theme}", "Change the colours", partial(setattr, app, "theme", theme))

    def _screenshot(self) -> None:
        from screens.picture import take_screen

        app: Any = self.app
        app.call_after_refresh(take_screen, app)  # the palette itself is gone by then

    def _welcome(self) -> None:
        from screens.base import ModeScreen
        from screens.welcome import greet

        if isinstance(base := self.app.screen_stack[0], ModeScreen):
            greet(base)

    async def discover(self) -> Hits:
        for command in self._commands():
            yield DiscoveryHit(Content(command.name), command.run, command.name, _plain(command.help))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in self._commands():
            score = matcher.match(command.name)
            if score > 0 or query.lower() in command.help.lower():
                shown = Content(command.name)
                for at in matcher.fuzzy_search.match(query, command.name)[1]:
                    shown = shown.stylize(matcher.match_style, at, at + 1)
                yield Hit(score or BY_HELP, shown, command.run, command.name, _plain(command.help))


def _plain(text: str) -> Any:
    """Return help that the palette does not read as markup (it takes content too, whatever its types say)."""
    return Content(text)


def _possible(node: DOMNode, binding: Binding) -> bool:
    """Whether an action can be done now, as its node says."""
    try:
        namespace, name, parameters = parse(binding.action)
    except ActionError:
        return False
    return bool(namespace) or bool(node.check_action(name, parameters))
