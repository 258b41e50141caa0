"""The form: generated from what a phenomenon declares; one row a field, help for the one that has the focus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from genlab_tui.phenomenon import Param
from genlab_tui.regularisers import BY_NAME
from genlab_tui.text import clean_text
from jobs.request import MAX_FIRST_SEED, MAX_SEEDS
from screens.draft import FIXED, Draft
from screens.panels.fields import Entry, Field

FIXED_HELP = {
    "preset": "a named config",
    "data": "the data set that every arm is made from",
    "seeds": f"repetitions of every arm, paired across arms: 1 to {MAX_SEEDS}; a verdict needs 3",
    "first_seed": f"the first of the consecutive seeds: 0 to {MAX_FIRST_SEED}",
    "device": "auto takes the first free GPU, else the processor",
}


class Form(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The fields of a draft that are read with what it says, two to a row; up and down move between them."""

    DEFAULT_CSS = """
    Form { layout: grid; grid-size: 2; grid-rows: 1; grid-gutter: 0 1; height: auto; scrollbar-size-vertical: 1; }
    """
    BINDING_GROUP_TITLE = "Form"
    NAMES: ClassVar[Sequence[str]] = FIXED
    """The fields before those of the config."""
    MOVE = Binding.Group("field", compact=True)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "field above", group=MOVE, tooltip="The field before"),
        Binding("down,enter", "move(1)", "field below", group=MOVE, tooltip="The next field"),
    ]

    class Left(Message):
        """The focus moves past the last field (1) or before the first (-1)."""

        def __init__(self, way: int) -> None:
            super().__init__()
            self.way = way

    class Focused(Message):
        """A field got the focus."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        super().__init__()
        self.shown = ""
        self._last = self.NAMES[0]
        self._fields: dict[str, Field] = {}

    def compose(self) -> ComposeResult:
        for name in self.NAMES:
            options = ("auto", "cpu") if name == "device" else () if "seed" in name else ("",)
            self._fields[name] = Field(name, name.replace("_", " "), "", options, wide=name in ("preset", "data"))
            yield self._fields[name]

    async def show(self, draft: Draft, devices: Sequence[str]) -> None:
        """Show a draft; the fields are built anew only for another phenomenon."""
        phenomenon = draft.phenomenon
        if self.shown != phenomenon.name:
            self.shown = phenomenon.name
            await self.query(".-param").remove()
            added = [_field(param, draft.values[param.name]) for param in phenomenon.params()]
            self._fields = {name: self._fields[name] for name in self.NAMES} | {f.name or "": f for f in added}
            await self.mount_all(added)
            self._offer("preset", tuple(phenomenon.presets))
            self._offer("data", phenomenon.data or ("",))
            self._last = self.NAMES[0]
            self.scroll_home(animate=False, immediate=True)
        self._offer("device", ("auto", *devices))
        self.refill(draft)

    def _offer(self, name: str, options: Sequence[str]) -> None:
        if name in self._fields:
            self.field(name).offer(options)

    def refill(self, draft: Draft) -> None:
        """Bring the values of a draft into the fields."""
        for name in self.NAMES:
            self.field(name).take(getattr(draft, name))
        for name, value in draft.values.items():
            self.field(name).take(value)
        self.leave_in_use(draft)

    def leave_in_use(self, draft: Draft) -> None:
        """Show the fields that are read with what the draft says, and hide the others."""
        shown = draft.in_use()
        for name, field in self._fields.items():
            field.display = name in self.NAMES or name in shown
        _lay_out([field for field in self._fields.values() if field.display])

    def mark(self, problems: Mapping[str, str]) -> None:
        """Mark the fields that are wrong."""
        for name, field in self._fields.items():
            field.mark(name in problems)

    def field(self, name: str) -> Field:
        """Return a field by its name."""
        return self._fields[name]

    def holds(self, field: Field) -> bool:
        """Whether a field is one of those shown, not of the phenomenon before."""
        return self._fields.get(field.name or "") is field

    @property
    def focused_name(self) -> str:
        """The name of the field that has the focus, or empty."""
        return next((name for name, field in self._fields.items() if field.editor is self.screen.focused), "")

    def take_focus(self, name: str = "") -> None:
        """Focus a field: the one named, else the one that had it last."""
        name = name or self._last
        self.screen.set_focus(self.field(name if self.field(name).display else self.NAMES[0]).editor)

    def on_descendant_focus(self) -> None:
        if name := self.focused_name:
            self._last = name
            self.post_message(self.Focused(name))

    @on(Entry.Leave)
    def _entry_left(self, event: Entry.Leave) -> None:
        event.stop()
        self.action_move(event.way)

    def action_move(self, by: int) -> None:
        fields = [field for field in self._fields.values() if field.display]
        at = next((i for i, field in enumerate(fields) if field.editor is self.screen.focused), -1) + by
        if 0 <= at < len(fields):
            self.screen.set_focus(fields[at].editor)
        else:
            self.post_message(self.Left(by))


def _lay_out(fields: Sequence[Field]) -> None:
    """Have fields share a row where two narrow ones follow each other; one that a wide one follows has it alone."""
    column = 0
    for field, following in zip(fields, [*fields[1:], None], strict=True):
        wide = field.wide or (column == 0 and following is not None and following.wide)
        field.set_class(wide, "-wide")
        column = 0 if wide else 1 - column


def _field(param: Param, value: str) -> Field:
    options: tuple[str, ...] = ()
    if param.kind is bool and not param.many:
        options = ("no", "yes")
    elif param.choices and not param.many:
        options = tuple(param.text(choice) for choice in param.choices)
    wide = param.many or any(len(option) > 8 for option in options)
    field = Field(param.name, param.name.replace("_", " "), value, options, wide=wide, doubt=param.unverified)
    field.add_class("-param")
    return field


def field_help(draft: Draft, name: str) -> str:
    """Return the help of a field: what it is, its unit, its bounds; or of a regulariser: what its strength is."""
    if name in BY_NAME:
        regulariser = BY_NAME[name]
        lead = f"← → {regulariser.strength_name}" if draft.applies(name) else "does not apply here"
        return f"{lead}. {regulariser.help}"
    if name == "preset":
        preset = draft.phenomenon.preset(draft.preset)
        return clean_text("; ".join(filter(None, (gpu_hint(draft), preset.note))) or FIXED_HELP[name])
    if name in FIXED_HELP:
        return FIXED_HELP[name]
    param = next((p for p in draft.phenomenon.params() if p.name == name), None)
    if param is None:
        return ""
    doubt = f"? default {param.text(param.default)} not confirmed by a source" if param.unverified else ""
    parts = [param.help, param.unit, param.bounds, doubt]
    return clean_text(" · ".join(part for part in parts if part))


def gpu_hint(draft: Draft) -> str:
    """Return what the preset is expected to take on a GPU, where it is meant for one."""
    gpu = draft.phenomenon.preset(draft.preset).gpu
    return f"GPU: {clean_text(gpu, 80)} (an estimate)" if gpu else ""
