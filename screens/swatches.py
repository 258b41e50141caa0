"""The colours and markers that can be pinned to runs, to pick one from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from genlab_tui.colours import colour, marker
from genlab_tui.pins import NAMES
from genlab_tui.run import RunId, RunRecord
from genlab_tui.text import clean_text
from screens.sheet import BOX

KEYS = "abcdefghijklm"
"""A key for each colour; `n` none of them, `o` one of its own for each run."""


class Swatches(ModalScreen[Mapping[RunId, str] | None]):
    """Picks a colour with its marker for some runs; gives the name for each of them, None for esc."""

    DEFAULT_CSS = BOX.format(name="Swatches", width=48)
    BINDING_GROUP_TITLE = "Colours to pick from"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,left", "cursor(-1)", "before", show=False, tooltip="The colour before"),
        Binding("down,right", "cursor(1)", "next", show=False, tooltip="The next colour"),
        Binding("enter", "take", "take it", tooltip="Pin this colour"),
        Binding("n", "none", "none", tooltip="Pin no colour"),
        Binding("o", "own", "one each", tooltip="Pin another colour to each of the runs, in their order"),
        Binding("escape,q", "dismiss(None)", "leave", tooltip="Leave the colours as they were"),
        *(
            Binding(key, f"pick({slot})", name, show=False, tooltip=f"Pin the {name}")
            for slot, (key, name) in enumerate(zip(KEYS, NAMES, strict=True))
        ),
    ]

    def __init__(self, records: Sequence[RunRecord], taken: Mapping[str, int]) -> None:
        """`taken` counts the other runs that have a colour, by its name."""
        super().__init__()
        self.records = tuple(records)
        self.taken = taken
        now = {record.colour for record in records}
        free = next((name for name in NAMES if not taken.get(name)), NAMES[0])
        chosen = next(iter(now)) if len(now) == 1 else ""
        self.cursor = NAMES.index(chosen) if chosen in NAMES else NAMES.index(free)

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            what = self.records[0].title if len(self.records) == 1 else f"{len(self.records)} runs"
            box.border_title = Content(f"a colour for {clean_text(what, 24)}")
            own = " · o each" if len(self.records) > 1 else ""
            box.border_subtitle = Content(f"a to m takes it · n none{own} · esc")
            yield Static(id="swatches")

    def on_mount(self) -> None:
        self._draw()

    def _draw(self) -> None:
        dark = self.app.current_theme.dark
        lines = []
        for slot, (key, name) in enumerate(zip(KEYS, NAMES, strict=True)):
            hue = colour(slot, dark=dark)
            count = self.taken.get(name, 0)
            others = f"{count} other run{'' if count == 1 else 's'}" if count else ""
            here = slot == self.cursor
            line = Content.assemble(
                ("▌" if here else " ", "$text-accent"),
                (f" {key}  ", "$text-accent"),
                (f"{marker(slot)} ━━━━ ", hue),
                (f"{name:<9}", "bold" if here else ""),
                (f"{others:<16}", "$foreground-muted"),
            )
            lines.append(line.stylize("on $boost") if here else line)
        self.query_one("#swatches", Static).update(Content("\n").join(lines))

    def action_cursor(self, by: int) -> None:
        self.cursor = (self.cursor + by) % len(NAMES)
        self._draw()

    def action_take(self) -> None:
        self.action_pick(self.cursor)

    def action_pick(self, slot: int) -> None:
        self.dismiss({record.id: NAMES[slot] for record in self.records})

    def action_none(self) -> None:
        self.dismiss({record.id: "" for record in self.records})

    def action_own(self) -> None:
        free = sorted(NAMES, key=lambda name: (self.taken.get(name, 0), NAMES.index(name)))
        self.dismiss({record.id: free[i % len(free)] for i, record in enumerate(self.records)})
