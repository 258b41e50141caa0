"""The two lines that frame every screen: where you are and what the machine does; which keys work here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widget import Widget

from genlab_tui.run import RunRecord, RunState
from genlab_tui.text import clean_text
from screens.panels.gpu import load_line
from screens.panels.marks import STATE_MARKS
from screens.toosmall import ENOUGH, out_of_sight

if TYPE_CHECKING:
    from screens.base import GenlabApi

Piece = tuple[Content, str]
"""Some text of a line and the key that a click on it stands for (empty: none)."""

TABS = (("1", "lab"), ("2", "live"), ("3", "runs"), ("4", "compare"))


class _Line(Widget):
    """One row of pieces; a click on a piece presses its key."""

    DEFAULT_CSS = """
    _Line { height: 1; width: 100%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[tuple[int, int, str]] = []

    def pieces(self, width: int) -> Sequence[Piece]:
        """Return what the line shows in a given width."""
        raise NotImplementedError(type(self).__name__)

    def render(self) -> Content:
        self.spans, column, parts = [], 0, []
        for content, key in self.pieces(self.size.width):
            if key:
                self.spans.append((column, column + content.cell_length, key))
            column += content.cell_length
            parts.append(content)
        return Content("").join(parts)

    def on_click(self, event: events.Click) -> None:
        key = next((key for start, end, key in self.spans if start <= event.x < end), None)
        if key:
            self.app.simulate_key(key)


class HeaderLine(_Line):
    """genlab, the four modes, the lab, how many runs go, and what the machine does."""

    DEFAULT_CSS = """
    HeaderLine { dock: top; background: $panel; color: $text-muted; }
    """

    def pieces(self, width: int) -> Sequence[Piece]:
        genlab = cast("GenlabApi", self.app)
        mode = self.app.current_mode
        left: list[Piece] = [(Content.styled(" genlab ", "bold $text-primary"), "")]
        for key, name in TABS:
            here = "bold $foreground on $background" if name == mode else ""
            left.append((Content.assemble(" ", (key, "$text-accent"), f" {name} ").stylize(here), key))
        room = width - sum(content.cell_length for content, _ in left) - 1
        cramped = out_of_sight(self.screen)
        path, counts = short_path(str(genlab.lab.root)), count_line(genlab.runs)
        marks = count_line(genlab.runs, short=True)
        for words, detail in (
            ((path, counts), 2),
            ((counts,), 2),
            ((counts,), 1),
            ((counts,), 0),
            ((marks,), 0),
            ((), 0),
        ):
            middle = "  " + " · ".join(word for word in words if word)
            load = f"more in {ENOUGH}" if cramped else load_line(genlab.devices, detail)
            if cell_len(middle) + len(load) + 2 <= room:
                break
        gap = " " * (room - cell_len(middle) - len(load))
        return [*left, (Content.styled(middle, "$foreground"), ""), (Content(gap), ""), (Content(load), "")]


def count_line(runs: Sequence[RunRecord], *, short: bool = False) -> str:
    """Return `2 running · 1 queued`, without what is nought; `short` gives `▶2 ·1`."""
    counts = {
        RunState.RUNNING: sum(r.state.active and r.state is not RunState.PAUSED for r in runs),
        RunState.PAUSED: sum(r.state is RunState.PAUSED for r in runs),
        RunState.QUEUED: sum(r.state is RunState.QUEUED for r in runs),
    }
    if short:
        return " ".join(f"{STATE_MARKS[state][0]}{n}" for state, n in counts.items() if n)
    return " · ".join(f"{n} {state}" for state, n in counts.items() if n)


def short_path(path: str) -> str:
    """Return a path for the eye: the home directory as `~`, nothing that could drive a terminal."""
    from pathlib import Path

    home = str(Path.home())
    return clean_text("~" + path[len(home) :] if home != "/" and path.startswith(home + "/") else path, 60)


class KeyLine(_Line):
    """The keys that work here, those of the focused panel first; help and leaving always at the right."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; background: $panel; color: $text-muted; }
    """
    LAST = ("question_mark", "q")

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def _bindings_updated(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.refresh()

    def pieces(self, width: int) -> Sequence[Piece]:
        try:
            active = self.screen.active_bindings
        except NoMatches:  # the screen is on its way out
            return []
        focused = self.screen.focused
        shown: dict[str, tuple[str, list[Binding]]] = {}
        idle = getattr(self.screen, "idle_actions", ())
        for found in active.values():
            binding = found.binding
            if binding.action in idle:
                continue
            typed = focused is not None and focused.check_consume_key(binding.key, binding.key_display)
            if binding.show and found.enabled and binding.key not in self.LAST and not binding.system and not typed:
                label = binding.group.description if binding.group else binding.description
                shown.setdefault(label if binding.group else binding.action, (label, []))[1].append(binding)
        ends = [active[key].binding for key in self.LAST if key in active]
        last = [self._piece(binding.description, [binding]) for binding in ends]
        if last:  # a blank at the very end would cost a key its place in 60 columns
            last[-1] = (last[-1][0].right_crop(1), last[-1][1])
        room = width - 1 - sum(content.cell_length for content, _ in last)
        pieces: list[Piece] = [(Content(" "), "")]
        for label, bindings in shown.values():
            piece = self._piece(label, bindings)
            if piece[0].cell_length > room:
                break
            room -= piece[0].cell_length
            pieces.append(piece)
        return [*pieces, (Content(" " * max(room, 0)), ""), *last]

    def _piece(self, label: str, bindings: list[Binding]) -> Piece:
        grouped = [b for b in bindings if b.group] or bindings[:1]
        shown = list(dict.fromkeys(self.app.get_key_display(binding) for binding in grouped))
        keys = ("" if all(len(key) == 1 for key in shown) else "/").join(shown)
        return Content.assemble((keys, "bold $text-accent"), f" {label}  "), bindings[0].key
