"""A run once more with one thing changed: its form over the screen, what will differ, what it costs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from genlab_tui import data
from genlab_tui.errors import GenlabError
from genlab_tui.lineage import Difference, differences
from genlab_tui.phenomenon import Phenomenon, config_values
from genlab_tui.regularisers import BY_NAME, REGULARISERS
from genlab_tui.run import RunSpec
from genlab_tui.text import clean_text
from screens.base import GenlabApi
from screens.cost import cost_line
from screens.draft import Draft, foreign
from screens.panels.fields import Field
from screens.panels.form import Form, field_help
from screens.panels.marks import clip
from screens.panels.regularisers import Regularisers
from screens.sheet import BOX

WIDE = 110


class ForkDraft:
    """The form of a fork: a draft that starts as its source, and in what it differs by now."""

    def __init__(self, phenomenon: Phenomenon, source: RunSpec) -> None:
        config = config_values(phenomenon.config_of(source))
        self.source = dataclasses.replace(source, config=config)
        self.draft = Draft(
            phenomenon,
            preset=source.preset if source.preset in phenomenon.presets else next(iter(phenomenon.presets)),
            data=source.data,
            seeds=str(source.seeds),
            first_seed=str(source.first_seed),
            device=source.device,
            values={p.name: p.text(config[p.name]) for p in phenomenon.params()},
            on=dict(source.regularisers),
        )

    def values(self) -> dict[str, str]:
        """Return the config fields, of those that are read, that have another value. Raises BadValue."""
        shown, draft = self.draft.in_use(), self.draft
        typed = {p.name: p.parse(draft.values[p.name]) for p in draft.phenomenon.params() if p.name in shown}
        return {name: draft.values[name] for name, value in typed.items() if value != self.source.config[name]}

    def spec(self) -> RunSpec:
        """Return the source with what was changed. Raises GenlabError."""
        draft, phenomenon = self.draft, self.draft.phenomenon
        changed = dataclasses.replace(self.source, config=self.source.config | self.values())
        return dataclasses.replace(
            changed,
            config=config_values(phenomenon.config_of(changed)),
            data=draft.data,
            seeds=draft.seed_count(),
            regularisers={r.name: draft.on[r.name] for r in REGULARISERS if r.name in draft.on},
        )

    def changed_fields(self) -> set[str]:
        """Return the names of the fields that have another value. Raises BadValue."""
        fixed = {"data": self.draft.data != self.source.data, "seeds": self.draft.seed_count() != self.source.seeds}
        return {name for name, changed in fixed.items() if changed} | self.values().keys()

    def differences(self) -> tuple[Difference, ...]:
        """Return in what the fork will differ from its source. Raises GenlabError."""
        return differences(self.source, self.spec())

    def request(self) -> dict[str, Any]:
        """Return the keyword arguments of `jobs.forks.fork`. Raises GenlabError."""
        spec, source = self.spec(), self.source
        return {
            "values": self.values(),
            "on": {n: s for n, s in spec.regularisers.items() if source.regularisers.get(n) != s},
            "off": [name for name in source.regularisers if name not in spec.regularisers],
            "data": spec.data if spec.data != source.data else None,
            "seeds": spec.seeds if spec.seeds != source.seeds else None,
        }

    def cost(self, width: int) -> str:
        """Return members, time and memory in a line. Raises GenlabError."""
        spec, phenomenon = self.spec(), self.draft.phenomenon
        with foreign(f"{phenomenon.name} has no estimate"):
            estimate = phenomenon.estimate(phenomenon.config_of(spec), spec)
            return cost_line(estimate, len(phenomenon.arms_of(spec)), spec.seeds, width)


class ForkForm(Form):
    """The fields that a fork may change."""

    NAMES: ClassVar[tuple[str, ...]] = ("data", "seeds")


class ForkDialog(ModalScreen[dict[str, Any] | None]):
    """Fields and regularisers of a run to change; enter gives the arguments of `jobs.forks.fork`, esc gives None."""

    DEFAULT_CSS = (
        BOX.format(name="ForkDialog", width=WIDE)
        + """
    ForkDialog > .sheet { padding: 0 1; }
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
            box.border_subtitle = "enter launches it beside · tab fields · esc leaves"
            phenomenon = self.fork.draft.phenomenon
            about = f"{phenomenon.name} from step 0, paired by seed: change one thing"
            yield Static(Content.styled(about, "$foreground-muted"), id="fork-about")
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
        hint = self.query_one("#fork-hint", Static)
        hint.update(clip(self._hint(problems), hint.size.width, hint.size.height))
        total, cost = self._sum(problems), self.query_one("#fork-cost", Static)
        self.query_one("#fork-sum", Static).update(clip(total, self.query_one("#fork-sum").size.width, 2))
        cost.update(self._cost(problems, cost.size.width or 80))

    def _hint(self, problems: dict[str, str]) -> Content:
        if problems:
            return Content.styled(problems.get(self.topic) or next(iter(problems.values())), "$text-error")
        if self.topic in BY_NAME:
            regulariser = BY_NAME[self.topic]
            lead = f"← → {regulariser.strength_name}" if self.fork.draft.applies(self.topic) else "does not apply here"
            return Content.styled(f"{lead}. {regulariser.help}", "$foreground-muted")
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

    def action_back(self) -> None:
        self.dismiss(None)

    def action_launch(self) -> None:
        """Give what was changed; where nothing was or something is wrong, say so and stay."""
        try:
            problem = self._missing() if self.fork.differences() else "nothing is changed: it would be the same run"
            request = self.fork.request()
            self.fork.cost(80)  # what does not go together says so here
        except GenlabError as error:
            problem = clean_text(error)
        if problem:
            cast(GenlabApi, self.app).say(problem, title="not launched", severity="warning")
        else:
            self.dismiss(request)
