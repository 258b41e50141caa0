"""The launch panel: the question, the form, the regularisers, what is wrong and what it would cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from genlab_tui import data
from genlab_tui.errors import GenlabError
from genlab_tui.phenomenon import Phenomenon
from genlab_tui.regularisers import BY_NAME
from genlab_tui.text import clean_text
from screens.draft import Draft, cost_line
from screens.panels.about import source_line
from screens.panels.fields import Field
from screens.panels.form import Form, field_help
from screens.panels.marks import clip, fit
from screens.panels.regularisers import Regularisers


class Launch(Vertical):
    """The draft of one phenomenon on screen; drafts of the others are kept as they were left."""

    class Changed(Message):
        """The draft is another, or says something else now."""

    def __init__(self, data_dir: Path, kept: object = None) -> None:
        super().__init__(id="launch", classes="panel")
        self.data_dir = data_dir
        self.kept: dict[str, Any] = dict(kept) if isinstance(kept, dict) else {}
        """The drafts of an earlier session, by phenomenon."""
        self.drafts: dict[str, Draft] = {}
        self.draft: Draft | None = None
        self.topic = ""
        """The field or regulariser that the hint is about."""
        self.news = ""
        """What the preset just chosen changed; the hint says so until something else is at hand."""

    def compose(self) -> ComposeResult:
        yield Static(id="question")
        yield Form()
        yield Static(id="hint")
        yield Regularisers()
        yield Static(id="cost")

    def take(self, phenomenon: Phenomenon, devices: list[str]) -> None:
        """Make the draft of a phenomenon the one at hand; its fields follow with the next refresh.

        Raises GenlabError for a declaration that does not hold together.
        """
        if self.draft and self.draft.phenomenon is phenomenon:
            return
        if phenomenon.name not in self.drafts:
            self.drafts[phenomenon.name] = Draft.restored(phenomenon, self.kept.get(phenomenon.name))
        self.draft = self.drafts[phenomenon.name]
        self.topic = self.news = ""
        self.border_title = Content(clean_text(phenomenon.title, 60))
        self._ask()
        self.query_one(Regularisers).show(self.draft)
        self.call_after_refresh(self._fill, devices)  # what is there is painted first

    def keep(self) -> dict[str, Any]:
        """Return all drafts as the next session reads them: JSON values."""
        return self.kept | {name: draft.keep() for name, draft in self.drafts.items()}

    async def _fill(self, devices: list[str]) -> None:
        if self.draft:
            await self.query_one(Form).show(self.draft, devices)
            self.redraw()

    def redraw(self) -> None:
        """Show what is wrong, what it costs and the help for what is at hand; nothing moves while typing."""
        if self.draft is None:
            return
        problems = self.draft.problems()
        missing = self._missing(self.draft)
        self.query_one(Form).mark(problems)
        hint = self.query_one("#hint", Static)
        hint.update(clip(self._hint(self.draft, problems, missing), hint.size.width, hint.size.height))
        self.query_one("#cost", Static).update(self._cost(self.draft, problems, missing))
        self.post_message(self.Changed())

    def _missing(self, draft: Draft) -> str:
        """Say how to get the data set where it is not on this machine; the form says whether it is."""
        field = self.query_one(Form).field("data")
        if draft.data not in data.DATASETS:
            field.remark("made by the phenomenon")
            return ""
        found = data.locate(draft.data, self.data_dir)
        field.remark(f"✓ {data.DATASETS[draft.data].title}" if found.present else "✗ not on this machine")
        return "" if found.present else f"{draft.data} is not on this machine: {found.problem or found.how}"

    def _hint(self, draft: Draft, problems: dict[str, str], missing: str) -> Content:
        if problems:
            return Content.styled(problems.get(self.topic) or next(iter(problems.values())), "$text-error")
        if missing and self.topic in ("", "data", "preset"):
            return Content.assemble(
                (clean_text(missing), "$text-warning"), (f" · {clean_text(self.news, 300)}" if self.news else "", "")
            )
        if self.topic in BY_NAME:
            regulariser = BY_NAME[self.topic]
            lead = f"← → {regulariser.strength_name}" if draft.applies(self.topic) else "does not apply here"
            words = f"{lead}. {regulariser.help}"
            return Content.styled(words, "$foreground-muted")
        if self.news:
            return Content.styled(clean_text(self.news, 300), "$text-accent")
        return Content.styled(field_help(draft, self.topic or "preset"), "$foreground-muted")

    def _cost(self, draft: Draft, problems: dict[str, str], missing: str) -> Content:
        if problems:
            words = ", ".join(name.replace("_", " ") for name in problems)
            return Content.styled(f"cannot launch yet: {words}", "$text-error")
        if missing:
            return Content.styled(f"cannot launch yet: {draft.data} is missing", "$text-warning")
        try:
            estimate, arms = draft.cost()
        except GenlabError as error:
            return Content.styled(clean_text(error), "$text-error")
        return Content.styled(cost_line(estimate, arms, draft.seed_count()), "bold $foreground")

    def _ask(self) -> None:
        """Show the question and where it comes from, in two rows."""
        if self.draft is None:
            return
        box = self.query_one("#question", Static)
        question = Content(clean_text(self.draft.phenomenon.question, 300))
        source = Content.styled(source_line(self.draft.phenomenon), "$foreground-muted")
        gap = "\n" if question.cell_length <= box.size.width else "  "
        box.update(clip(question + Content(gap) + source, box.size.width, 2))

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Give the form what the other parts leave, at most: they are always in view, and it scrolls."""
        self._ask()
        others = [child for child in self.children if not isinstance(child, Form)]
        taken = sum(child.outer_size.height + child.styles.margin.height for child in others)
        self.query_one(Form).styles.max_height = max(self.size.height - taken, 3)

    # --- what the user does -------------------------------------------------------------------------------------------

    @on(Field.Changed)
    def _field_changed(self, event: Field.Changed) -> None:
        event.stop()
        if self.draft is None or self.draft.text(event.name) == event.value:
            return  # a field that was just filled says so too
        form = self.query_one(Form)
        if form.shown != self.draft.phenomenon.name or not form.holds(event.field):
            return  # a late word from the form of the phenomenon before
        self.news = ""
        if event.name == "preset":
            before = self._settings(self.draft)
            self.draft.take_preset(event.value)
            self.news = _news(event.value, before, self._settings(self.draft), self.draft)
            form.refill(self.draft)
            self.query_one(Regularisers).show(self.draft)
        else:
            self.draft.put(event.name, event.value)
        self.redraw()

    @staticmethod
    def _settings(draft: Draft) -> dict[str, str]:
        return {"seeds": draft.seeds, "data": draft.data} | draft.values | {n: f"{s:g}" for n, s in draft.on.items()}

    @on(Form.Focused)
    def _field_focused(self, event: Form.Focused) -> None:
        event.stop()
        self.news = self.news if event.name == "preset" else ""
        self.topic = event.name
        self.redraw()

    @on(Regularisers.Moved)
    def _regulariser_chosen(self, event: Regularisers.Moved) -> None:
        event.stop()
        self.topic = self.query_one(Regularisers).chosen
        self.redraw()

    def switch(self, name: str) -> bool | None:
        """Switch a regulariser; returns whether it is on, or None where it does not apply."""
        on_now = self.query_one(Regularisers).switch(name)
        self.topic = name
        self.redraw()
        return on_now

    def strengthen(self, by: int) -> None:
        """Step the strength of the regulariser that was chosen last."""
        regularisers = self.query_one(Regularisers)
        if regularisers.step(by) is not None:
            self.topic = regularisers.chosen
            self.redraw()


def _news(preset: str, before: Mapping[str, str], after: Mapping[str, str], draft: Draft) -> str:
    """Say what a preset changed, and which regularisers stay because the user touched them."""
    changed = [
        f"{name.replace('_', ' ')} {fit(value, min(len(value), 24))}"
        for name in (*after, *(n for n in before if n not in after))
        if before.get(name) != (value := after.get(name, "off"))
    ]
    kept = [BY_NAME[name].label for name in draft.on if name in draft.touched]
    words = f"{preset} sets {', '.join(changed)}" if changed else f"{preset} changes nothing here"
    return words + (f"; your {', '.join(kept)} stay{'s' if len(kept) == 1 else ''}" if kept else "")
