"""The verdict as it forms: one line in the Live screen, and everything with its numbers in a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from genlab_tui.events import Value, from_value, to_value
from genlab_tui.expectation import outcome
from genlab_tui.run import RunSpec
from genlab_tui.text import clean_text, human_number
from genlab_tui.verdict import ClaimResult, ControlResult, CriterionResult, Grade, Status, Verdict, interval
from screens.panels.cells import shorten
from screens.panels.marks import VERDICT_MARKS, VERDICT_STYLES
from screens.panels.predicted import OUTCOMES, predicted_text

MARKS = {Grade.PASS: ("✓", "$text-success"), Grade.FAIL: ("✗", "$text-error"), Grade.UNMET: ("?", "$text-warning")}
WAITING = ("…", "$foreground-muted")
GUESS_FROM = 110
"""Cells from which the verdict line has room for what was predicted; in fewer it only says how that came out."""
TALLIED = (Status.SHOWN, Status.NOT_SHOWN, Status.INCONCLUSIVE)
FORMING = "verdict forms when networks finish"


def number(value: Value, unit: str = "") -> str:
    """Return a value in few characters with its unit."""
    text = human_number(from_value(value), 3) if value not in (None, "nan") else "–"
    unit = clean_text(unit, 20)
    return f"{text} {unit}" if unit else text


def mark(criterion: CriterionResult, *, ended: bool) -> tuple[str, str]:
    """Return the character and style of a criterion. Without a number, a run that goes on is waited for."""
    return WAITING if criterion.status is Grade.UNMET and not ended else MARKS[criterion.status]


def control_mark(controls: Iterable[ControlResult], *, ended: bool) -> Content:
    """Return whether a negative control fired (which it must not), in one word."""
    known = list(controls)
    if any(c.fired for c in known):
        return Content.assemble(("control FIRED", "bold $text-error"))
    if not known:
        return Content("")
    if any(c.missing for c in known):
        return Content.assemble("control ", ("?", "$text-warning") if ended else WAITING)
    return Content.assemble("control ", ("quiet", "$text-success"))


def side_tally(claims: Iterable[ClaimResult]) -> Content:
    """Return how the side claims came out, `side 3✓ 4✗ 1?`; empty where there are none."""
    counts = Counter(claim.status for claim in claims if not claim.main)
    marks = (Content.styled(f"{counts[s]}{VERDICT_MARKS[s]}", VERDICT_STYLES[s]) for s in TALLIED if counts[s])
    return Content(" ").join([Content.styled("side", "$foreground-muted"), *marks]) if counts else Content("")


def verdict_line(
    verdict: Verdict | None, width: int, *, ended: bool, done: bool = True, spec: RunSpec | None = None
) -> Content:
    """Return the verdict in one line: as many criteria of the main claims as fit, each as full as there is room.

    What the `spec` says that was predicted stands beside the verdict of a run that has ended, and is `done`. How the
    side claims came out is the first to give way.
    """
    if verdict is None:
        return Content.styled(" no verdict: the phenomenon is not installed", "$foreground-muted")
    criteria = [c for claim in verdict.claims if claim.main for c in claim.criteria]
    side = side_tally(verdict.claims) if ended else Content("")
    if not criteria:
        nothing = Content.styled(" no main claim is judged with these arms", "$foreground-muted")
        both = Content("  ").join([nothing, side])
        return both if side.plain and both.cell_length <= width else nothing
    controls = control_mark((c.control for c in criteria if c.control), ended=ended)
    so_far = "" if done else " so far"
    status = Content.styled(verdict.status + so_far, f"bold {VERDICT_STYLES[verdict.status]}") if ended else Content("")
    guess = spec.expected if spec is not None and ended and done else ""
    said = predicted_text(guess, "", width, "you predicted", verdict.status) if guess else Content("")
    if guess and width < GUESS_FROM:
        came = outcome(guess, verdict.status)
        said = Content.styled(f"you: {came}", OUTCOMES[came])
    ends, more = (Content("  ").join([p for p in (controls, status, said, s) if p.plain]) for s in (Content(""), side))
    tight = width - more.cell_length - 3
    if _criteria(criteria, len(criteria), tight, ended=ended).plain:
        ends = more
    room = width - ends.cell_length - 3
    measured = [c for c in criteria if c.seeds]
    if not ended and not measured:
        ends, room = Content(""), width - 2
        line = Content.assemble(WAITING, " ", (shorten(FORMING, max(room - 2, 1)), "$foreground-muted"))
    else:
        line = _criteria(criteria if ended else measured, len(criteria), room, ended=ended)
        line = line if line.plain else Content(f"{len(criteria)} criteria")
    gap = max(width - line.cell_length - ends.cell_length - 2, 1)
    return Content.assemble(" ", line, " " * gap, ends)


def _criteria(told: Sequence[CriterionResult], all_of_them: int, room: int, *, ended: bool) -> Content:
    """Return criteria as fully as they fit, nothing where none does; those not `told` are waited for, only counted."""
    waiting = all_of_them - len(told)
    rest = [Content.styled(f"+{waiting} {WAITING[0]}", WAITING[1])] if waiting else []
    for style in ("full", "named", "short", "mark"):
        line = Content("  ").join([*(_criterion(c, style, ended=ended) for c in told), *rest])
        if line.cell_length <= room:
            return line
    return _as_fits(told, waiting, room, ended=ended)


def _as_fits(told: Sequence[CriterionResult], waiting: int, room: int, *, ended: bool) -> Content:
    """Return the criteria that need a look first, as many as fit, and how many more there are of each kind."""
    order = sorted(told, key=lambda c: c.status is Grade.PASS)
    for style in ("named", "short"):
        best, line = Content(""), Content("")
        for done, criterion in enumerate(order, start=1):
            line += Content("  " if done > 1 else "") + _criterion(criterion, style, ended=ended)
            counts = Counter(mark(c, ended=ended) for c in order[done:])
            if waiting:
                counts[WAITING] += waiting
            longer = Content("  ").join(
                [line, *(Content.styled(f"+{n} {sign}", colour) for (sign, colour), n in counts.items())]
            )
            if longer.cell_length > room:
                break
            best = longer
        if best.plain:
            return best
    return Content("")


LONG = 2000
"""Characters of a text in the table at most: a sheet scrolls, so sentences are wrapped there, not cut."""
NAMES = {"full": 40, "named": 40, "short": 26, "mark": 26}
"""Cells of a criterion's name in each manner of writing it."""


def _criterion(criterion: CriterionResult, style: str, *, ended: bool) -> Content:
    sign, colour = mark(criterion, ended=ended)
    name = clean_text(criterion.name, NAMES[style])
    value = number(criterion.value, criterion.unit if style == "full" else "") if criterion.seeds else ""
    parts: list[Content | str | tuple[str, str]] = [(sign, colour), f" {name}"]
    if value and style != "mark":
        parts += [" ", (value, "bold")]
    if style == "full":
        parts.append((f" {clean_text(criterion.threshold, 40)}", "$foreground-muted"))
    return Content.assemble(*parts)


def verdict_table(verdict: Verdict | None, *, ended: bool, done: bool = True, spec: RunSpec | None = None) -> Content:
    """Return every claim with every criterion: number, threshold, agreement of seeds, published number, control.

    What the `spec` says that was predicted comes first, and how it came out once the run has ended, and is `done`.
    """
    if verdict is None:
        return Content.styled("The phenomenon of this run is not installed: there is nothing to judge it by.", "")
    head: list[Content] = []
    if ended:
        head.append(Content.styled(verdict.status, f"bold {VERDICT_STYLES[verdict.status]}"))
    else:
        head.append(Content.styled("forming while the run goes on", "italic $foreground-muted"))
    blocks = [Content("  ").join([*head, Content.styled(clean_text(verdict.scope, LONG), "$foreground-muted")])]
    if spec is not None and (spec.expected or spec.prediction):
        came = verdict.status if ended and done else ""
        blocks.append(predicted_text(spec.expected, spec.prediction, 1000, "you predicted", came))
    blocks += [_claim(claim, ended=ended) for claim in verdict.claims]
    return Content("\n\n").join(blocks)


def _claim(claim: ClaimResult, *, ended: bool) -> Content:
    title = clean_text(claim.name, 300)
    kind = "claim" if claim.main else "side claim"
    lines = [Content.assemble((f"{kind}: ", "$foreground-muted"), (title, "bold"))]
    if ended:
        lines[0] += Content.styled(f"  {claim.status}", VERDICT_STYLES[claim.status])
    if claim.statement:
        lines.append(Content.styled(f"  {clean_text(claim.statement, LONG)}", "$foreground-muted"))
    for criterion in claim.criteria:
        lines += _criterion_lines(criterion, ended=ended)
    if ended and claim.reason:
        lines.append(Content.styled(f"  → {clean_text(claim.reason, LONG)}", "$text-warning"))
    return Content("\n").join(lines)


def _criterion_lines(criterion: CriterionResult, *, ended: bool) -> list[Content]:
    sign, colour = mark(criterion, ended=ended)
    grade = criterion.status.value if ended or criterion.status is not Grade.UNMET else "waiting"
    value = number(criterion.value, criterion.unit) if criterion.seeds else "no number yet"
    lines = [
        Content.assemble(
            "  ",
            (f"{sign} {grade:7}", colour),
            f" {clean_text(criterion.name, 300)}  ",
            (value, "bold"),
            (f"  asked {clean_text(criterion.threshold, 300)}", "$foreground-muted"),
        )
    ]
    details = []
    if criterion.seeds:
        seeds = ", ".join(number(v) for v in list(criterion.seeds.values())[:8])
        more = f", … ({len(criterion.seeds)})" if len(criterion.seeds) > 8 else ""
        between = interval(criterion.seeds, criterion.value)
        if between:
            details.append(f"95 % interval {number(to_value(between[0]))} to {number(to_value(between[1]))}")
        details.append(f"seeds {seeds}{more}; {criterion.agree} of {len(criterion.seeds)} pass alone")
    if criterion.published is not None:
        published = criterion.published
        text = published if isinstance(published, str) else number(published, criterion.unit)
        source = f" ({clean_text(criterion.published_source, 300)})" if criterion.published_source else ""
        details.append(f"published {clean_text(text, 300)}{source}")
    if criterion.reason and ended:
        details.append(clean_text(criterion.reason, LONG))
    lines += [Content.styled(f"            {detail}", "$foreground-muted") for detail in details]
    control = criterion.control
    if control is not None:
        state = "FIRED" if control.fired else "no number" if control.missing else "quiet"
        name, rule = clean_text(control.name, 300), clean_text(control.threshold, 300)
        text = f"            control {name}: {number(control.value)}, fires if {rule} · {state}"
        lines.append(Content.styled(text, "$text-error" if control.fired else "$foreground-muted"))
    return lines


class VerdictLine(Widget):
    """The verdict in one line."""

    DEFAULT_CSS = """
    VerdictLine { height: 1; width: 100%; background: $background; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._verdict: Verdict | None = None
        self._spec: RunSpec | None = None
        self._ended = self._done = False

    def tell(self, verdict: Verdict | None, *, ended: bool, done: bool, spec: RunSpec) -> None:
        """Show a verdict."""
        if (verdict, ended, done, spec) != (self._verdict, self._ended, self._done, self._spec):
            self._verdict, self._ended, self._done, self._spec = verdict, ended, done, spec
            self.refresh()

    def render(self) -> RenderResult:
        if self._spec is None:
            return Content("")
        return verdict_line(self._verdict, self.size.width, ended=self._ended, done=self._done, spec=self._spec)


class VerdictTable(Static):
    """The whole verdict; it changes on the screen only when a number does."""

    DEFAULT_CSS = """
    VerdictTable { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: tuple[Verdict | None, bool, bool, RunSpec] | None = None

    def tell(self, verdict: Verdict | None, *, ended: bool, done: bool, spec: RunSpec) -> None:
        """Show a verdict."""
        if self._told != (verdict, ended, done, spec):
            self._told = (verdict, ended, done, spec)
            self.update(verdict_table(verdict, ended=ended, done=done, spec=spec))
