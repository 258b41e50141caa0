"""How many more seeds a finished run gets: one number to type, over the screen."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from genlab_tui import phenomena
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.lineage import seeds_text
from genlab_tui.run import RunSpec
from genlab_tui.text import clean_text
from jobs.request import MAX_SEEDS
from screens.cost import about
from screens.draft import foreign
from screens.sheet import BOX, WIDTH

STEPS = (3, 5, 10, 20, 30, 50, 100, 200, 500, MAX_SEEDS)
"""The numbers of seeds that one goes to when nothing else is said."""


def usual(seeds: int) -> int:
    """Return how many more seeds are offered: 3 become 5, 5 become 10."""
    return next((step for step in STEPS if step > seeds), seeds) - seeds


def added_seconds(spec: RunSpec, count: int) -> float:
    """Return what the estimate says for the new seeds alone. Raises GenlabError."""
    import dataclasses

    phenomenon = phenomena.get(spec.phenomenon)
    new = dataclasses.replace(spec, first_seed=spec.first_seed + spec.seeds, seeds=count, inherited=0)
    with foreign(f"{phenomenon.name} has no estimate"):
        return phenomenon.estimate(phenomenon.config_of(new), new).seconds


class MoreSeeds(ModalScreen[int | None]):
    """Asks for a number of seeds to add; enter gives it, esc gives None."""

    DEFAULT_CSS = BOX.format(name="MoreSeeds", width=WIDTH)
    BINDING_GROUP_TITLE = "More seeds"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close", tooltip="Add no seeds"),
        Binding("up", "count(1)", "one more", tooltip="One seed more"),
        Binding("down", "count(-1)", "one less", tooltip="One seed less"),
    ]

    def __init__(self, spec: RunSpec, title: str) -> None:
        super().__init__()
        self.spec = spec
        self.heading = f"more seeds for {clean_text(title, 40)}"

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(self.heading)
            box.border_subtitle = "enter adds them · ↑ ↓ count · esc leaves it as it is"
            have = f"How many more seeds? It has {self.spec.seeds}: {seeds_text(self.spec)}."
            yield Static(Content(have))
            yield Input(str(usual(self.spec.seeds)), compact=True, select_on_focus=True)
            yield Static(id="seeds-hint")

    def on_mount(self) -> None:
        self._explain()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._explain()

    def count(self) -> int:
        """Return the number that is typed. Raises BadValue."""
        text, most = self.query_one(Input).value, MAX_SEEDS - self.spec.seeds
        try:
            count = int(text)
        except ValueError:
            raise BadValue(f"{clean_text(text, 40)!r} is not a whole number", f"1 to {most}") from None
        if not 1 <= count <= most:
            raise BadValue(f"{count} more is outside its bounds (1 to {most})")
        return count

    def _explain(self) -> None:
        """Say what will be trained, and how long it takes; or what is wrong."""
        hint, first = self.query_one("#seeds-hint", Static), self.spec.first_seed + self.spec.seeds
        try:
            count = self.count()
        except BadValue as error:
            hint.update(Content.styled(clean_text(error), "$text-error"))
            return
        new = f"seed {first}" if count == 1 else f"seeds {first} to {first + count - 1}"
        words = f"{self.spec.seeds + count} seeds in a new run; only {new} {'is' if count == 1 else 'are'} trained"
        with suppress(GenlabError):
            words += f", about {about(added_seconds(self.spec, count))}"
        hint.update(Content.styled(f"{words}.", "$foreground-muted"))

    def action_count(self, by: int) -> None:
        try:
            count = self.count()
        except BadValue:
            count = usual(self.spec.seeds)
        self.query_one(Input).value = str(min(max(count + by, 1), MAX_SEEDS - self.spec.seeds))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            self.dismiss(self.count())
        except BadValue as error:
            self.query_one("#seeds-hint", Static).update(Content.styled(clean_text(error), "$text-error"))
