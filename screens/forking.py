"""A run once more with one thing changed: its form over the screen, what will differ, what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from genlab_tui import data
from genlab_tui.errors import GenlabError
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.text import clean_text
from screens.base import GenlabApi
from screens.columns import MUTED
from screens.forkdraft import ForkDraft
from screens.panels.fields import Entry, Field
from screens.panels.form import Form, field_help
from screens.panels.marks import clip
from screens.panels.predicted import predicted_text
from screens.panels.regularisers import Regularisers
from screens.predict import Predict, Prediction
from screens.sheet import BOX

WIDE = 110


class ForkForm(Form):
    """The fields that a fork may change."""

    NAMES: ClassVar[tuple[str, ...]] = ("data", "seeds")


class ForkDialog(ModalScreen[ForkDraft | None]):
    """Fields and regularisers of a run to change; enter gives the draft back, which can be launched, esc gives None."""

    DEFAULT_CSS = (
        BOX.format(name="ForkDialog", width=WIDE)
        + """
    ForkDialog > .sheet { padding: 0 1; }
    ForkDialog #fork-about { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    ForkDialog #fork-hint { height: 2; }
    ForkDialog #fork-sum { height: 2; }
    ForkDialog #fork-cost { height: 1; }
    ForkDialog Field.-changed Label { color: $text-accent; text-style: bold; }
    """
    )
    BINDING_GROUP_TITLE = "A fork"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "launch", "launch", priority=True, tooltip="Launch the fork and compare it with its source"),
        Binding("escape", "back", "close", tooltip="Launch nothing"),
        Binding("P", "predict", "predict", tooltip="Write down what you expect of the fork before it is launched"),
        Binding("tab", "pane(1)", "fields", show=False, tooltip="Fields, regularisers"),
        Binding("shift+tab", "pane(-1)", "regularisers", show=False, tooltip="Regularisers, fields"),
        *(
            Binding(r.key, f"switch('{r.name}')", r.label, show=False, tooltip=f"{r.label} on or off")
            for r in REGULARISERS
        ),
        Binding("left", "strength(-1)", "weaker", show=False, tooltip="Less of the regulariser toggled last"),
        Binding("right", "strength(1)", "stronger", show=False, tooltip="More of the regulariser toggled last"),
    ]

    def __init__(self, title: str, fork: ForkDraft, data_dir: Path) -> None:
        super().__init__()
        self.heading = f"fork {clean_text(title, 40)}"
        self.fork = fork
        self.data_dir = data_dir
        self.topic = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(self.heading)
            box.border_subtitle = "enter launches it beside · P predicts · tab fields · esc leaves"
            yield Static(id="fork-about")
            yield ForkForm()
            yield Static(id="fork-hint")
            yield Regularisers()
            yield Static(id="fork-sum")
            yield Static(id="fork-cost")

    async def on_mount(self) -> None:
        await self.query_one(ForkForm).show(self.fork.draft, [])
        self.query_one(Regularisers).show(self.fork.draft)
        self.set_focus(self.query_one(Regularisers))
        self.call_after_refresh(self._fit)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Give the form what the other parts leave, at most: they are always in view, and it scrolls."""
        box, form = self.query_one(".sheet"), self.query_one(ForkForm)
        others = [child for child in box.children if child is not form]
        taken = sum(child.outer_size.height for child in others)
        form.styles.max_height = max(int(self.size.height * 0.94) - 2 - taken, 3)
        self._draw()

    # --- what it says -------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        draft = self.fork.draft
        problems = {n: p for n, p in draft.problems().items() if n in (*ForkForm.NAMES, *draft.values)}
        form = self.query_one(ForkForm)
        form.mark(problems)
        changed = set() if problems else self.fork.changed_fields()
        for field in form.query(Field):
            field.set_class(field.name in changed, "-changed")
        about = self.query_one("#fork-about", Static)
        about.update(self._about(about.size.width))
        hint = self.query_one("#fork-hint", Static)
        hint.update(clip(self._hint(problems), hint.size.width, hint.size.height))
        total, cost = self._sum(problems), self.query_one("#fork-cost", Static)
        self.query_one("#fork-sum", Static).update(clip(total, self.query_one("#fork-sum").size.width, 2))
        cost.update(self._cost(problems, cost.size.width or 80))

    def _about(self, width: int) -> Content:
        """Say what is predicted of the fork; else what a fork is."""
        draft = self.fork.draft
        said = predicted_text(draft.expected, draft.prediction, width, "you predict")
        about = f"{draft.phenomenon.name} from step 0, paired by seed: change one thing"
        return said if said.plain else Content.styled(about, MUTED)

    def _hint(self, problems: dict[str, str]) -> Content:
        if problems:
            return Content.styled(problems.get(self.topic) or next(iter(problems.values())), "$text-error")
        return Content.styled(field_help(self.fork.draft, self.topic or "data"), "$foreground-muted")

    def _sum(self, problems: dict[str, str]) -> Content:
        """Say in what the fork differs; more than one thing is allowed, but said."""
        if problems:
            return Content.styled(
                f"cannot launch yet: {', '.join(n.replace('_', ' ') for n in problems)}", "$text-error"
            )
        try:
            changed = self.fork.differences()
        except GenlabError as error:
            return Content.styled(clean_text(error), "$text-error")
        words = clean_text(", ".join(str(one) for one in changed), 400)
        if not changed:
            return Content.styled("nothing is changed yet", "$foreground-muted")
        if len(changed) == 1:
            return Content.assemble(("1 change: ", "$text-success"), (words, "bold"))
        alone = f"{len(changed)} changes: the difference is no longer about one thing: "
        return Content.assemble((alone, "$text-warning"), (words, "bold"))

    def _cost(self, problems: dict[str, str], width: int) -> Content:
        if problems:
            return Content("")
        try:
            line = self.fork.cost(width)
        except GenlabError as error:
            return Content.styled(clean_text(error), "$text-error")
        missing = self._missing()
        return Content.styled(missing, "$text-warning") if missing else Content.styled(line, "$foreground")

    def _missing(self) -> str:
        """Say that the data set is not on this machine, and how to get it; empty where it is."""
        name = self.fork.draft.data
        if name not in data.DATASETS:
            return ""
        found = data.locate(name, self.data_dir)
        return "" if found.present else clean_text(f"{name} is not on this machine: {found.problem or found.how}")

    # --- keys ---------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave enter to a field that is typed into: there it goes to the next one."""
        return not (action == "launch" and isinstance(self.focused, Entry))

    @on(Field.Changed)
    def _field_changed(self, event: Field.Changed) -> None:
        event.stop()
        draft, form = self.fork.draft, self.query_one(ForkForm)
        if draft.text(event.name) != event.value and form.holds(event.field):
            draft.put(event.name, event.value)
            form.leave_in_use(draft)
            self._draw()

    @on(Form.Focused)
    def _field_focused(self, event: Form.Focused) -> None:
        event.stop()
        self.topic = event.name
        self._draw()

    @on(Regularisers.Moved)
    def _regulariser_chosen(self, event: Regularisers.Moved) -> None:
        event.stop()
        self.topic = self.query_one(Regularisers).chosen
        self._draw()

    @on(Regularisers.Switched)
    def _switch_asked(self, event: Regularisers.Switched) -> None:
        event.stop()
        self.action_switch(event.name)

    @on(Form.Left)
    def _form_left(self, event: Form.Left) -> None:
        event.stop()
        if event.way > 0:
            self.set_focus(self.query_one(Regularisers))

    @on(Regularisers.Left)
    def _regularisers_left(self, event: Regularisers.Left) -> None:
        event.stop()
        if event.way < 0:
            self.query_one(ForkForm).take_focus()

    def action_pane(self, by: int) -> None:
        regularisers = self.query_one(Regularisers)
        if regularisers.has_focus:
            self.query_one(ForkForm).take_focus()
        else:
            self.set_focus(regularisers)

    def action_switch(self, name: str) -> None:
        regularisers = self.query_one(Regularisers)
        regularisers.switch(name)
        self.topic = name
        self.set_focus(regularisers)
        self._draw()

    def action_strength(self, by: int) -> None:
        regularisers = self.query_one(Regularisers)
        if regularisers.step(by) is not None:
            self.topic = regularisers.chosen
            self._draw()

    def action_predict(self) -> None:
        draft = self.fork.draft
        before = Prediction(draft.expected, draft.prediction)
        self.app.push_screen(Predict(draft.phenomenon.title, draft.claims(), before), self._predicted)

    def _predicted(self, prediction: Prediction | None) -> None:
        if prediction is not None:
            self.fork.draft.predict(*prediction)
            self._draw()

    def action_back(self) -> None:
        self.dismiss(None)

    def action_launch(self) -> None:
        """Give back what was changed; where nothing was or something is wrong, say so and stay."""
        try:
            problem = self._missing() if self.fork.differences() else "nothing is changed: it would be the same run"
            self.fork.cost(80)  # what does not go together says so here
        except GenlabError as error:
            problem = clean_text(error)
        if problem:
            cast(GenlabApi, self.app).say(problem, title="not launched", severity="warning")
        else:
            self.dismiss(self.fork)
