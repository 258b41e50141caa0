"""A few regularisers of one run to change, over the screen: in flight, or in a fork from the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from genlab_tui.regularisers import BY_NAME, REGULARISERS, SHORT, Regulariser, strength_text
from genlab_tui.text import clean_text
from screens.draft import strengths
from screens.panels.marks import fit
from screens.sheet import BOX, WIDTH

if TYPE_CHECKING:
    from jobs.runs import Pending

LABEL, NOW, NEW = 18, 12, 13
"""Cells of the columns."""


ROOMY = 110
"""Cells of a line from which a change that is awaited is said in full."""


def awaited(pending: Sequence[Pending], width: int) -> str:
    """Say what was asked for and has not taken effect; empty where nothing was."""
    roomy = width >= ROOMY
    names = {name: r.label if roomy else SHORT.get(name, name) for name, r in BY_NAME.items()}
    words = [f"{names[p.regulariser]} {strength_text(p.strength)}" for p in pending if p.regulariser in names]
    if not words:
        return ""
    what = ", ".join(words) if len(words) <= (3 if roomy else 1) else f"{len(words)} changes"
    return f"{what} from the next epoch" if roomy else f"{what} next epoch"


@dataclass(frozen=True)
class Facts:
    """How a run's regularisers stand: in effect, asked for; `problem` says why nothing can be changed now.

    `applied` is the step at which each was changed last.
    """

    now: Mapping[str, float]
    pending: Sequence[Pending] = ()
    problem: str = ""
    applied: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Wish:
    """What the user decided: the changes to ask for (None: off) and the requests to take back."""

    changes: tuple[tuple[str, float | None], ...] = ()
    withdraw: tuple[str, ...] = ()


@dataclass
class Changing:
    """Which of a few regularisers get another strength; what was asked for before is where each starts from."""

    names: tuple[str, ...]
    facts: Facts
    wanted: dict[str, float | None] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    """The requests taken back, which may still be listed for a moment."""
    kept: dict[str, float] = field(default_factory=dict)
    """The strength that each would have when switched on again."""

    def asked(self, name: str) -> list[Pending]:
        """Return what was asked of a regulariser and has not taken effect."""
        return [p for p in self.facts.pending if p.regulariser == name and p.id not in self.withdrawn]

    def now(self, name: str) -> float | None:
        """Return the strength in effect."""
        return self.facts.now.get(name)

    def expected(self, name: str) -> float | None:
        """Return the strength that it will have if nothing is decided here."""
        asked = self.asked(name)
        return asked[-1].strength if asked else self.now(name)

    def target(self, name: str) -> float | None:
        """Return the strength that it is to have."""
        return self.wanted[name] if name in self.wanted else self.expected(name)

    def changed(self, name: str) -> bool:
        """Whether something is to be asked for."""
        return self.target(name) != self.expected(name)

    def switch(self, name: str) -> None:
        """Switch it off, or on at the strength that it had."""
        target = self.target(name)
        if target is None:
            known = (self.kept.get(name), self.expected(name), self.now(name), BY_NAME[name].default)
            self.wanted[name] = next(strength for strength in known if strength is not None)
        else:
            self.kept[name] = target
            self.wanted[name] = None

    def step(self, name: str, by: int) -> None:
        """Go along the ladder; below its lowest strength it is off."""
        target, ladder = self.target(name), strengths(name)
        if target is None:
            self.wanted[name] = ladder[0] if by > 0 else None
        else:
            above = [s for s in ladder if s > target]
            below = [s for s in ladder if s < target]
            self.wanted[name] = (above[0] if above else target) if by > 0 else (below[-1] if below else None)

    def wish(self) -> Wish:
        """Return what is to be done; what goes back to the present strength is taken back instead of changed twice."""
        changes: list[tuple[str, float | None]] = []
        withdraw: list[str] = []
        for name in self.names:
            if not self.changed(name):
                continue
            if self.target(name) == self.now(name):
                withdraw += [p.id for p in self.asked(name)]
            else:
                changes.append((name, self.target(name)))
        return Wish(tuple(changes), tuple(withdraw))


def change_words(name: str, before: float | None, after: float | None) -> str:
    """Return `dropout off → 0.5`."""
    return f"{BY_NAME[name].label} {strength_text(before)} → {strength_text(after)}"


class RegulariserChanges(ModalScreen[Wish | None]):
    """Toggles with the strength in effect beside the new one; enter gives what was decided, esc gives None.

    `look` is asked for the facts now and then, so that what takes effect meanwhile is seen; `withdraw` takes a request
    back at once. `notice` says what a change means for the run.
    """

    DEFAULT_CSS = (
        BOX.format(name="RegulariserChanges", width=WIDTH)
        + """
    RegulariserChanges #changes-rows { margin: 1 0; }
    RegulariserChanges #changes-sum { margin-top: 1; }
    """
    )
    BINDING_GROUP_TITLE = "Regularisers to change"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(r.key, f"switch('{r.name}')", r.label, show=False, tooltip=f"{r.label} on or off")
            for r in REGULARISERS
            if r.dynamic
        ),
        Binding("up", "move(-1)", "regulariser before", show=False, tooltip="The regulariser before"),
        Binding("down", "move(1)", "next regulariser", show=False, tooltip="The next regulariser"),
        Binding("space", "switch('')", "on/off", show=False, tooltip="Switch the chosen regulariser"),
        Binding("left", "step(-1)", "weaker", show=False, tooltip="Less of the chosen regulariser, down to off"),
        Binding("right", "step(1)", "stronger", show=False, tooltip="More of the chosen regulariser"),
        Binding(
            "u,backspace,delete",
            "withdraw",
            "withdraw",
            show=False,
            tooltip="Take back what was asked for and has not taken effect",
        ),
        Binding("enter", "apply", "apply", show=False, tooltip="Ask for the changes"),
        Binding("escape,q", "dismiss(None)", "close", show=False, tooltip="Close; everything stays as it is"),
    ]

    def __init__(
        self,
        title: str,
        names: Sequence[str],
        look: Callable[[], Facts],
        *,
        notice: str,
        when: str,
        does: str = "enter applies",
        withdraw: Callable[[Pending], None] | None = None,
    ) -> None:
        super().__init__()
        self.heading, self.notice, self.when, self.does = title, notice, when, does
        self.look, self.withdraw = look, withdraw
        self.model = Changing(tuple(names), look())
        self.chosen = self._first()
        self.withdrawing: dict[str, int | None] = {}
        """What is being taken back, with the step of the change before it."""
        self.late = ""

    def _first(self) -> str:
        """The one that something was asked of, else the first."""
        return next((name for name in self.model.names if self.model.asked(name)), self.model.names[0])

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="sheet", can_focus=False) as box:
            box.border_title = Content(clean_text(self.heading, 68))
            box.border_subtitle = f"{self.does} · ← → strength · esc leaves all as it was"
            yield Static(id="changes-rows")
            yield Static(id="changes-help")
            yield Static(id="changes-sum")
            yield Static(Content.styled(self.notice, "$text-warning"), id="changes-notice")

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(0.5, self._look)

    def _look(self) -> None:
        facts = self.look()
        if facts != self.model.facts:
            self.model.facts = facts
            for name, before in self.withdrawing.items():
                if facts.applied.get(name) != before:
                    self._too_late(name)
            self._draw()

    def _too_late(self, name: str) -> None:
        self.late = f"{BY_NAME[name].label} too late: applied at step {self.model.facts.applied[name]}"

    # --- drawing ------------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        muted = "$foreground-muted"
        head = Content.styled(f"  {fit('', LABEL)}{fit('now', NOW)}{self.when}", muted)
        rows = [self._row(BY_NAME[name]) for name in self.model.names]
        self.query_one("#changes-rows", Static).update(Content("\n").join([head, *rows]))
        chosen = BY_NAME[self.chosen]
        self.query_one("#changes-help", Static).update(
            Content.styled(f"{chosen.strength_name}, {chosen.low:g} to {chosen.high:g}. {chosen.help}", muted)
        )
        self.query_one("#changes-sum", Static).update(self._sum())

    def _row(self, regulariser: Regulariser) -> Content:
        name, model = regulariser.name, self.model
        target, changed = model.target(name), model.changed(name)
        at = regulariser.label.lower().index(regulariser.key)
        label = Content(fit(regulariser.label, LABEL)).stylize("bold underline $text-accent", at, at + 1)
        here = name == self.chosen
        arrows = ("‹", "›") if here else (" ", " ")
        new = f"{arrows[0]}{strength_text(target)}{arrows[1]}" if here or changed else " as it is"
        style = "bold $text-accent" if changed else "$foreground" if here else "$foreground-muted"
        row = Content.assemble(
            ("● " if target is not None else "○ ", "$text-success" if target is not None else "$foreground-muted"),
            label,
            (fit(strength_text(model.now(name)), NOW), "$foreground"),
            (fit(new, NEW), style),
        )
        asked = model.asked(name)
        if asked:
            words = f"asked: {strength_text(asked[-1].strength)}"
            row += Content.assemble(
                (words, "$text-warning"), ("  u", "bold $text-accent"), (" withdraws", "$foreground-muted")
            )
        return row.stylize("$block-cursor-foreground on $block-cursor-background", 0, 2 + LABEL) if here else row

    def _sum(self) -> Content:
        facts, wish = self.model.facts, self.model.wish()
        if facts.problem:
            return Content.styled(clean_text(facts.problem, 300), "$text-error")
        words = [change_words(name, self.model.now(name), strength) for name, strength in wish.changes]
        words += [f"{BY_NAME[p.regulariser].label} stays" for p in facts.pending if p.id in wish.withdraw]
        if words:
            return Content.styled(", ".join(words), "bold")
        if self.late:
            return Content.styled(self.late, "$text-warning")
        asked = {name: self.model.asked(name) for name in self.model.names}
        waits = [f"{BY_NAME[name].label} {strength_text(own[-1].strength)}" for name, own in asked.items() if own]
        return Content(f"asked for: {', '.join(waits)}, {self.when}" if waits else "nothing is changed yet")

    # --- keys ---------------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        names = self.model.names
        self.chosen = names[(names.index(self.chosen) + by) % len(names)]
        self._draw()

    def action_switch(self, name: str) -> None:
        name = name or self.chosen
        if name in self.model.names:
            self.chosen = name
            self.model.switch(name)
        self._draw()

    def action_step(self, by: int) -> None:
        self.model.step(self.chosen, by)
        self._draw()

    def action_withdraw(self) -> None:
        """Take back what was asked of the chosen one last, else what was asked last at all."""
        model = self.model
        asked = model.asked(self.chosen) or [p for name in model.names for p in model.asked(name)]
        if self.withdraw is None:
            return
        if not asked:
            if self.chosen in model.facts.applied:
                self._too_late(self.chosen)
                self._draw()
            return
        self.chosen = asked[-1].regulariser
        model.wanted.pop(self.chosen, None)
        model.withdrawn.add(asked[-1].id)
        self.withdrawing[self.chosen] = model.facts.applied.get(self.chosen)
        self.withdraw(asked[-1])
        self._draw()

    def action_apply(self) -> None:
        self.dismiss(None if self.model.facts.problem else self.model.wish())
