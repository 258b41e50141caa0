"""The launch panel: the question, the form, the regularisers, what is wrong and what it would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from genlab_tui.record import IDENTITY_DIGITS
from genlab_tui.regularisers import BY_NAME
from genlab_tui.run import OWN_SAMPLES, RunRecord
from genlab_tui.text import clean_text
from screens.cost import cost_line
from screens.draft import Draft
from screens.panels.about import source_line
from screens.panels.fields import Field
from screens.panels.form import Form, field_help, gpu_hint
from screens.panels.marks import clip, fit
from screens.panels.predicted import predicted_text
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
        self.devices: tuple[str, ...] = ()
        self.took: Mapping[str, float] = {}
        """How long runs that are done took here, by the beginning of their identity."""
        self._told: Sequence[RunRecord] = ()

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
        self.devices = tuple(devices)
        self.border_title = Content(clean_text(phenomenon.title, 60))
        self._ask()
        self.query_one(Regularisers).show(self.draft)
        self.call_after_refresh(self._fill, devices)  # what is there is painted first

    def tell(self, runs: Sequence[RunRecord], devices: Sequence[str]) -> None:
        """Take note of the runs that are done, and of the devices that there are; the same again costs nothing."""
        from jobs import durations

        took = durations.took(runs) if runs is not self._told else self.took
        changed = took != self.took or tuple(devices) != self.devices
        self._told, self.took, self.devices = runs, took, tuple(devices)
        if changed:
            self.redraw()

    def predict(self, expected: str, prediction: str) -> None:
        """Write down what the user expects of the run in the making."""
        if self.draft:
            self.draft.predict(expected, prediction)
            self.redraw()

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
        form = self.query_one(Form)
        preset = self.draft.phenomenon.preset(self.draft.preset)
        form.field("preset").remark(f"GPU: {preset.gpu}" if preset.gpu else preset.note)
        form.mark(problems)
        hint = self.query_one("#hint", Static)
        hint.update(clip(self._hint(self.draft, problems, missing), hint.size.width, hint.size.height))
        cost = self.query_one("#cost", Static)
        cost.update(self._cost(self.draft, problems, cost.size.width or 80))
        self.border_subtitle = self._standing(self.draft, problems, missing)
        self.post_message(self.Changed())

    def _missing(self, draft: Draft) -> str:
        """Say how to get the data set where it is not on this machine; the form says whether it is."""
        field = self.query_one(Form).field("data")
        if draft.data not in data.DATASETS:
            field.remark(OWN_SAMPLES)
            return ""
        found = data.locate(draft.data, self.data_dir)
        field.remark(f"✓ {data.DATASETS[draft.data].title}" if found.present else "✗ not on this machine")
        return "" if found.present else f"{draft.data} is not here: {found.problem or found.how}"

    def _hint(self, draft: Draft, problems: dict[str, str], missing: str) -> Content:
        if problems:
            return Content.styled(problems.get(self.topic) or next(iter(problems.values())), "$text-error")
        if missing and self.topic in ("", "data", "preset"):
            more = clean_text(self.news, 300) or gpu_hint(draft)
            return Content.assemble((clean_text(missing), "$text-warning"), f" · {more}" if more else "")
        if self.news and self.topic not in BY_NAME:
            return Content.styled(clean_text(self.news, 300), "$text-accent")
        return Content.styled(field_help(draft, self.topic or "preset"), "$foreground-muted")

    def _cost(self, draft: Draft, problems: dict[str, str], width: int) -> Content:
        if problems:
            words = ", ".join(name.replace("_", " ") for name in problems)
            return Content.styled(f"cannot launch yet: {words}", "$text-error")
        try:
            estimate, arms = draft.cost()
            took = self.took.get(draft.spec().identity()[:IDENTITY_DIGITS], 0.0)
        except GenlabError as error:
            return Content.styled(clean_text(error), "$text-error")
        line = cost_line(estimate, arms, draft.seed_count(), width, took, draft.phenomenon.precision)
        return Content.styled(line, "bold $foreground")

    def _standing(self, draft: Draft, problems: dict[str, str], missing: str) -> Content:
        """Say why it cannot be launched, else what is predicted of it, else that something may be."""
        room = max(self.outer_size.width - 6, 20)
        if problems:
            return Content("")
        if missing:
            return Content.styled(f"✗ cannot launch yet: {draft.data} is missing", "$text-warning").truncate(room)
        if self._wants_gpu(draft):
            return Content.styled("✗ needs a GPU, or device cpu by name", "$text-warning").truncate(room)
        if draft.expected or draft.prediction:
            return predicted_text(draft.expected, draft.prediction, room, "you predict")
        return Content.assemble(("P", "bold $text-accent"), (" predict the verdict", "$foreground-muted"))

    def _wants_gpu(self, draft: Draft) -> bool:
        """Whether the preset is meant for a GPU, this machine has none, and the processor was not named."""
        gpus = [name for name in self.devices if name != "cpu"]
        return bool(draft.phenomenon.preset(draft.preset).gpu) and draft.device == "auto" and not gpus

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
        self.call_after_refresh(self.redraw)

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
            form.leave_in_use(self.draft)
        self.redraw()

    @staticmethod
    def _settings(draft: Draft) -> dict[str, str]:
        shown = draft.in_use()
        values = {name: text for name, text in draft.values.items() if name in shown}
        return {"seeds": draft.seeds, "data": draft.data} | values | {n: f"{s:g}" for n, s in draft.on.items()}

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
        for name in (*after, *(n for n in before if n not in after and n in BY_NAME))
        if before.get(name) != (value := after.get(name, "off"))
    ]
    kept = [BY_NAME[name].label for name in draft.on if name in draft.touched]
    words = f"{preset} sets {', '.join(changed)}" if changed else f"{preset} changes nothing here"
    return words + (f"; your {', '.join(kept)} stay{'s' if len(kept) == 1 else ''}" if kept else "")
