"""The regularisers as a block of single-key toggles with strengths."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from genlab_tui.regularisers import REGULARISERS, Regulariser
from genlab_tui.text import human_number
from screens.draft import Draft, strengths
from screens.panels.marks import fit

LEAST_CELL = 22


class Regularisers(Widget, can_focus=True):
    """Every regulariser: on or off, its strength, dimmed where it does not apply. Up and down move between them."""

    DEFAULT_CSS = """
    Regularisers { height: auto; width: 100%; }
    """
    BINDING_GROUP_TITLE = "Regularisers"
    MOVE = Binding.Group("choose", compact=True)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "switch", "on/off", key_display="space", tooltip="Switch the chosen regulariser"),
        Binding("up", "move(-1)", "regulariser before", group=MOVE, tooltip="The regulariser before"),
        Binding("down", "move(1)", "next regulariser", group=MOVE, tooltip="The next regulariser"),
    ]

    class Switched(Message):
        """The user wants a regulariser switched."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Moved(Message):
        """Another regulariser is chosen."""

    class Left(Message):
        """The focus moves past the last regulariser (1) or before the first (-1)."""

        def __init__(self, way: int) -> None:
            super().__init__()
            self.way = way

    def __init__(self) -> None:
        super().__init__()
        self.draft: Draft | None = None
        self.chosen = REGULARISERS[0].name
        self.kept: dict[str, float] = {}

    @property
    def regulariser(self) -> Regulariser:
        """The one that left and right change: the chosen one, which a toggle moves to."""
        return next(r for r in REGULARISERS if r.name == self.chosen)

    def show(self, draft: Draft) -> None:
        """Show the regularisers of a draft."""
        self.draft = draft
        self.kept |= draft.on
        self.refresh(layout=True)

    def switch(self, name: str) -> bool | None:
        """Switch a regulariser; returns whether it is on, or None where it does not apply."""
        self.chosen = name
        if self.draft is None or not self.draft.applies(name):
            self.refresh()
            return None
        on = self.draft.toggle(name, self.strength(self.regulariser))
        self.refresh()
        return on

    def step(self, by: int) -> float | None:
        """Step the strength of the chosen regulariser along its ladder; None where it does not apply."""
        if self.draft is None or not self.draft.applies(self.chosen):
            return None
        ladder, now = strengths(self.chosen), self.strength(self.regulariser)
        above = [s for s in ladder if s > now]
        below = [s for s in ladder if s < now]
        self.kept[self.chosen] = (above[0] if above else now) if by > 0 else (below[-1] if below else now)
        self.draft.strengthen(self.chosen, self.kept[self.chosen])
        self.refresh()
        return self.kept[self.chosen]

    def strength(self, regulariser: Regulariser) -> float:
        """Return the strength that a regulariser has, or would have when switched on."""
        on = self.draft.on if self.draft else {}
        return on.get(regulariser.name, self.kept.get(regulariser.name, regulariser.default))

    # --- drawing ------------------------------------------------------------------------------------------------------

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        columns = self._columns(width)
        return -(-len(REGULARISERS) // columns) if self._any else 1

    @property
    def _any(self) -> bool:
        """Whether any of them applies."""
        return self.draft is None or any(self.draft.applies(r.name) for r in REGULARISERS)

    def _columns(self, width: int) -> int:
        """How many fit side by side: a divisor of their number, so that the block is a rectangle."""
        return next(n for n in (4, 2, 1) if (width + 1) // n >= LEAST_CELL or n == 1)

    def _cell_width(self) -> int:
        """How many cells each takes, with a blank behind it; the last in a row may do without."""
        return min((self.size.width + 1) // self._columns(self.size.width), 32)

    def render(self) -> Content:
        if not self._any:
            return Content.styled("no regulariser applies here", "$foreground-disabled")
        width = self.size.width
        columns = self._columns(width)
        cell = self._cell_width()
        rows = [REGULARISERS[i : i + columns] for i in range(0, len(REGULARISERS), columns)]
        return Content("\n").join([Content(" ").join([self._cell(r, cell - 1) for r in row]) for row in rows])

    def _cell(self, regulariser: Regulariser, width: int) -> Content:
        applies = self.draft is not None and self.draft.applies(regulariser.name)
        on = self.draft is not None and regulariser.name in self.draft.on
        strength = human_number(self.strength(regulariser), 3) if applies else ""
        text = fit(f"{regulariser.label} {strength}", width - 2)
        at = regulariser.label.lower().index(regulariser.key)
        base = "bold $foreground" if on else "$foreground-muted" if applies else "$foreground-disabled"
        label = Content(text).stylize(base)
        if applies:
            label = label.stylize("bold underline $text-accent", at, at + 1)
        mark = Content.styled("● " if on else "○ " if applies else "  ", "$text-success" if on else base)
        whole = mark + label
        if self.has_focus and regulariser.name == self.chosen:
            whole = whole.stylize("$block-cursor-foreground on $block-cursor-background")
        return whole

    # --- keys and mouse -----------------------------------------------------------------------------------------------

    def action_switch(self) -> None:
        self.post_message(self.Switched(self.chosen))

    def action_move(self, by: int) -> None:
        names = [r.name for r in REGULARISERS]
        at = names.index(self.chosen) + by
        if 0 <= at < len(names):
            self.chosen = names[at]
            self.refresh()
            self.post_message(self.Moved())
        else:
            self.post_message(self.Left(by))

    def on_click(self, event: events.Click) -> None:
        columns = self._columns(self.size.width)
        cell = self._cell_width()
        at = event.y * columns + event.x // cell
        if self._any and event.x < cell * columns and at < len(REGULARISERS):
            self.post_message(self.Switched(REGULARISERS[at].name))

    def on_focus(self) -> None:
        self.post_message(self.Moved())
