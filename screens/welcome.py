"""The welcome of a lab without any run: what this is, where things are, and the demo for whoever wants it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from genlab_tui.run import RunRecord
from screens.base import ModeScreen
from screens.sheet import BOX, WIDTH

SEEN = "welcomed"
"""The setting that says that nobody needs to be welcomed here any more."""
WORDS = (
    "genlab trains many small networks at once and asks what makes them generalise. "
    "You pick a phenomenon; it trains every condition with several seeds, draws the curves while they grow, "
    "and says whether the published claim is SHOWN here."
)
MODES = (
    ("1", "Lab", "pick a phenomenon, say how, launch it"),
    ("2", "Live", "watch it train"),
    ("3", "Runs", "everything that was run here"),
    ("4", "Compare", "runs side by side, export"),
)
THREE_KEYS = (("enter", "goes in"), ("r", "launches"), ("?", "shows all keys"))
DEMO = "The demo: does a network that learns true labels also learn random ones? Half a minute."


class Welcome(ModalScreen[str]):
    """A sheet that offers the demo; gives `demo`, or an empty answer."""

    DEFAULT_CSS = BOX.format(name="Welcome", width=WIDTH)
    BINDING_GROUP_TITLE = "Welcome"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,enter", "dismiss('demo')", "launch the demo", tooltip="Launch the demo and watch it in Live"),
        Binding("escape,q", "dismiss('')", "look around", tooltip="Leave the welcome; : welcome brings it back"),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="sheet") as box:
            box.border_title = "Welcome"
            box.border_subtitle = Content.assemble(
                ("d", "bold $text-accent"), " launches the demo · ", ("esc", "bold $text-accent"), " looks around first"
            )
            yield Static(self._text())

    def _text(self) -> Content:
        lines = [Content(WORDS), Content("")]
        for key, name, what in MODES:
            lines.append(
                Content.assemble(("  " + key, "bold $text-accent"), f" {name:<9}", (what, "$foreground-muted"))
            )
        keys = [Content.assemble((key, "bold $text-accent"), f" {what}") for key, what in THREE_KEYS]
        lines += [Content(""), Content("  ") + Content("   ").join(keys), Content("")]
        lines += [Content.styled(DEMO, "$text-primary")]
        return Content("\n").join(lines)


def greet(screen: ModeScreen) -> None:
    """Show the welcome; what is answered is done, and nobody is welcomed again."""

    def answered(answer: str | None) -> None:
        genlab = screen.genlab
        genlab.remember(**{SEEN: True})
        if answer == "demo":
            from jobs.demo import launch_demo

            genlab.act("launch the demo", launch_demo, genlab.lab, then=launched)

    def launched(run: RunRecord) -> None:
        screen.genlab.open_live(run.id)

    if not isinstance(screen.app.screen, Welcome):
        screen.app.push_screen(Welcome(), answered)


def nobody_there(screen: ModeScreen) -> bool:
    """Whether the app draws for no terminal: a picture, a measurement."""
    return screen.app.is_headless


def greet_first(screen: ModeScreen) -> None:
    """Welcome whoever opens a lab that has no run and that nobody has looked at; a lab with runs needs none."""
    genlab = screen.genlab
    if genlab.recall(SEEN) or nobody_there(screen):
        return
    if genlab.runs:
        genlab.remember(**{SEEN: True})
    elif screen.app.screen is screen:
        greet(screen)
