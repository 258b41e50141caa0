"""The command palette: every key of the screen at hand, every phenomenon, every theme."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from genlab_tui.text import clean_text
from screens.themes import TERMINAL_THEMES

if TYPE_CHECKING:
    from screens.base import GenlabApi


class Command(NamedTuple):
    """One line of the palette."""

    name: str
    help: str
    run: IgnoreReturnCallbackType


class GenlabCommands(Provider):
    """What can be done here, by name."""

    def _commands(self) -> Iterator[Command]:
        from genlab_tui.phenomena import catalogue

        genlab = cast("GenlabApi", self.app)
        seen = set()
        for found in self.screen.active_bindings.values():
            binding = found.binding
            if not found.enabled or binding.system or not binding.description or binding.action in seen:
                continue
            if binding.action.endswith("command_palette") or not type(found.node).__module__.startswith("screens"):
                continue
            seen.add(binding.action)
            key = self.app.get_key_display(binding)
            run = partial(self.app.run_action, binding.action, found.node)
            yield Command(f"{binding.description} ({key})", binding.tooltip, run)
        for phenomenon in catalogue().values():
            open_it = partial(genlab.open_lab, phenomenon.name)
            yield Command(f"open {clean_text(phenomenon.title, 60)}", clean_text(phenomenon.question, 120), open_it)
        for theme in sorted(set(self.app.available_themes) - TERMINAL_THEMES):
            yield Command(f"theme {theme}", "Change the colours", partial(setattr, self.app, "theme", theme))

    async def discover(self) -> Hits:
        for command in self._commands():
            yield DiscoveryHit(command.name, command.run, help=command.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in self._commands():
            score = matcher.match(command.name)
            if score > 0:
                yield Hit(score, matcher.highlight(command.name), command.run, help=command.help)
