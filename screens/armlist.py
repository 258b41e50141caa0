"""The list in which arms, and runs where there are several, are switched on and off for a panel or for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from genlab_tui.text import clean_text


class Entry(NamedTuple):
    """A line of the list: what it is (`run` or `arm`; `all` is the choice of panels), its key and its words."""

    kind: str
    key: str
    title: str


class Chosen(NamedTuple):
    """What was switched on, and whether that is meant for every panel."""

    runs: tuple[str, ...]
    arms: tuple[str, ...]
    everywhere: bool


class ArmList(ModalScreen[Chosen | None]):
    """Switch with space; enter takes it over, esc leaves it as it was. At least one run and one arm stay on."""

    DEFAULT_CSS = """
    ArmList { align: center middle; background: $background 60%; }
    ArmList > Vertical {
        width: 64; max-width: 96%; height: auto; max-height: 90%; padding: 0 1;
        border: round $primary; background: $surface; border-title-color: $text-primary; border-title-style: bold;
        border-subtitle-color: $text-muted;
    }
    ArmList OptionList { border: none; padding: 0; background: transparent; height: auto; max-height: 100%; }
    ArmList OptionList { text-wrap: nowrap; text-overflow: ellipsis; }
    ArmList OptionList:focus { border: none; }
    """
    BINDING_GROUP_TITLE = "The list of arms"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "close", tooltip="Leave everything as it was"),
        Binding("space", "switch", "on or off", tooltip="Switch the arm or the run on or off"),
        Binding("a", "every", "all or none", tooltip="All arms on; where they are, the first alone"),
        Binding("o", "only", "only this", tooltip="This arm, or this run, alone"),
        Binding("j", "app.simulate_key('down')", "down", show=False, tooltip="The next one"),
        Binding("k", "app.simulate_key('up')", "up", show=False, tooltip="The one before"),
    ]

    def __init__(
        self, title: str, runs: Sequence[tuple[str, str]], arms: Sequence[tuple[str, str]], on: Chosen
    ) -> None:
        super().__init__()
        self.heading = title
        self.entries = (
            Entry("all", "", "for all panels"),
            *(Entry("run", key, f"run {words}") for key, words in (runs if len(runs) > 1 else ())),
            *(Entry("arm", key, words) for key, words in arms),
        )
        self.switched = {
            ("all", ""): on.everywhere,
            **{("run", key): key in on.runs for key, _ in runs},
            **{("arm", key): key in on.arms for key, _ in arms},
        }

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(clean_text(self.heading, 56))
            box.border_subtitle = "space switches · a all · o only this · enter takes it"
            yield OptionList(*(Option(self._line(entry)) for entry in self.entries), markup=False, compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = min(1, len(self.entries) - 1)

    def _line(self, entry: Entry) -> Content:
        mark = ("[x] ", "$text-success") if self.switched[entry.kind, entry.key] else ("[ ] ", "$foreground-muted")
        style = "$foreground-muted" if entry.kind == "all" else "bold" if entry.kind == "run" else ""
        return Content.assemble(mark, (clean_text(entry.title, 80), style))

    def _of(self, kind: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind == kind]

    def _show(self, kind: str) -> None:
        options = self.query_one(OptionList)
        for at, entry in enumerate(self.entries):
            if entry.kind == kind:
                options.replace_option_prompt_at_index(at, self._line(entry))

    @property
    def _here(self) -> Entry:
        return self.entries[self.query_one(OptionList).highlighted or 0]

    def action_switch(self) -> None:
        entry = self._here
        self.switched[entry.kind, entry.key] ^= True
        if entry.kind != "all" and not any(self.switched[e.kind, e.key] for e in self._of(entry.kind)):
            self.switched[entry.kind, entry.key] = True  # a panel without lines would say nothing
        self._show(entry.kind)

    def action_every(self) -> None:
        kind = "run" if self._here.kind == "run" else "arm"
        entries = self._of(kind)
        on = not all(self.switched[kind, e.key] for e in entries)
        self.switched |= {(kind, e.key): on or place == 0 for place, e in enumerate(entries)}
        self._show(kind)

    def action_only(self) -> None:
        entry = self._here
        if entry.kind != "all":
            self.switched |= {(entry.kind, e.key): e == entry for e in self._of(entry.kind)}
            self._show(entry.kind)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()

        def chosen(kind: str) -> tuple[str, ...]:
            return tuple(key for (k, key), is_on in self.switched.items() if k == kind and is_on)

        self.dismiss(Chosen(chosen("run"), chosen("arm"), self.switched["all", ""]))
