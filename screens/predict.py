"""What a person expects of a run, written down before it is launched: for teaching, and for honesty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from genlab_tui.phenomenon import Claim
from genlab_tui.text import clean_text
from jobs.request import PREDICTION_LENGTH
from screens.panels.marks import VERDICT_STYLES
from screens.sheet import BOX, WIDTH

KEYS = {"s": "SHOWN", "n": "NOT SHOWN", "i": "INCONCLUSIVE", "g": ""}
"""A key for each guess."""
MEANING = {
    "SHOWN": "the claim holds here",
    "NOT SHOWN": "a criterion fails: a result too",
    "INCONCLUSIVE": "nothing can be said: too few seeds, a control fires",
    "": "no guess",
}


class Prediction(NamedTuple):
    """What is expected: a verdict or none, in one's own words or none."""

    expected: str
    words: str


class Predict(ModalScreen[Prediction | None]):
    """Asks what one expects. A key picks the verdict and leads to the words; enter keeps both, esc neither."""

    DEFAULT_CSS = (
        BOX.format(name="Predict", width=WIDTH)
        + """
    Predict #predict-claims { height: auto; max-height: 7; margin-bottom: 1; }
    Predict Input { border: none; padding: 0 1; height: 1; margin-top: 1; background: $panel; }
    """
    )
    AUTO_FOCUS = ""  # the keys of the guesses come first
    BINDING_GROUP_TITLE = "A prediction"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"guess('{key}')", verdict or "no guess", tooltip=f"Expect {verdict or 'nothing'}")
            for key, verdict in KEYS.items()
        ),
        Binding("up", "back", "guess again", show=False, tooltip="From the words back to the guess"),
        Binding("down,tab", "words", "words", show=False, tooltip="From the guess to the words"),
        Binding("enter", "keep", "keep", tooltip="Keep the prediction; it goes into the run"),
        Binding("escape", "dismiss(None)", "leave as it was", tooltip="Leave the prediction as it was"),
    ]

    def __init__(self, title: str, claims: Sequence[Claim], before: Prediction) -> None:
        super().__init__()
        self.heading = title
        self.claims = [claim for claim in claims if claim.main]
        self.expected = before.expected
        self.before = before

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(f"What do you expect? {clean_text(self.heading, 50)}")
            box.border_subtitle = "enter keeps it · esc leaves it as it was"
            with VerticalScroll(id="predict-claims", can_focus=False):
                yield Static(self._claims())
            yield Static(id="predict-guess")
            yield Input(self.before.words, placeholder="in your own words", max_length=PREDICTION_LENGTH, compact=True)

    def on_mount(self) -> None:
        self._show()

    def _claims(self) -> Content:
        if not self.claims:
            return Content.styled("No claim is judged with this config: only words can be kept.", "$text-warning")
        texts = [clean_text(claim.statement or claim.name, 400) for claim in self.claims]
        return Content("\n").join([Content.assemble(("claim ", "$foreground-muted"), text) for text in texts])

    def _show(self) -> None:
        lines = []
        for key, verdict in KEYS.items():
            chosen = verdict == self.expected
            mark = Content.styled("● " if chosen else "○ ", "$text-success" if chosen else "$foreground-muted")
            style = VERDICT_STYLES.get(verdict, "$foreground")
            name = Content.styled(f" {verdict or 'no guess':<13}", f"bold {style}" if chosen else style)
            meaning = Content.styled(MEANING[verdict] if verdict else "", "$foreground-muted")
            lines.append(Content.assemble(mark, (key, "bold $text-accent"), name, meaning))
        self.query_one("#predict-guess", Static).update(Content("\n").join(lines))

    def action_guess(self, key: str) -> None:
        self.expected = KEYS[key]
        self._show()
        self.action_words()

    def action_words(self) -> None:
        self.set_focus(self.query_one(Input))

    def action_back(self) -> None:
        self.set_focus(None)

    def action_keep(self) -> None:
        self.dismiss(Prediction(self.expected, self.query_one(Input).value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()
