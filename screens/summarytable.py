"""The summary of the Compare screen as text: numbers of runs or groups with paired differences."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from textual.content import Content

from genlab_tui.selection import steps_note
from genlab_tui.stats import Summary
from genlab_tui.summary import SummaryRow
from genlab_tui.text import clean_text, human_number
from screens.columns import MUTED
from screens.comparison import Comparison
from screens.overlay import Overlay
from screens.tables import DIM, STAR, Cell, first_that_fits, grid


@dataclass(frozen=True)
class Form:
    """How much room a summary takes: gap between columns, most cells of a column, short numbers, spreads."""

    gap: int
    cap: int
    short: bool = False
    spread: bool = True


BESIDE = (
    Form(2, 28),
    Form(2, 28, short=True),
    Form(1, 24, short=True),
    Form(2, 23, short=True, spread=False),
    Form(1, 18, True, False),
)
BELOW = (Form(2, 28), Form(1, 24), Form(1, 20, short=True), Form(1, 15, short=True))
WIDE = 40
"""Cells that a number takes at most: those are never cut."""
LEAST = 12
"""Cells that a run beside others takes at the very least."""
ENDINGS = ("final", "best", "at")
ARMS = (Form(2, 28), Form(1, 24), Form(1, 18, short=True))


def summary_text(found: Comparison, width: int, overlay: Overlay | None = None) -> Content:
    """Return the paired summary: each run or group beside the baseline; the arms of a single one beside its first.

    Of several forms it takes the first that fits the width: side by side, shorter, then a line for every run.
    """
    overlay = overlay or Overlay()
    rows = overlay.rows(found)
    if not rows:
        return Content.styled(_nothing(found, overlay), MUTED)
    if overlay.selection(found).values in ENDINGS:
        # The status line says which values these are.
        rows = [replace(row, measure=row.measure.rpartition(" (")[0]) for row in rows]
    makers: list[Callable[[], Content]] = []
    if len(found.units) == 1:
        makers += [partial(_arms_table, rows, form) for form in ARMS]
    else:
        makers += [partial(_beside, found, rows, form) for form in BESIDE if len(found.units) * LEAST < width]
        makers += [partial(_below, found, rows, form) for form in BELOW]
    text = first_that_fits(makers, width)
    notes = [note for note in (steps_note(rows, found.selection.at), found.note, _unpaired(rows)) if note]
    for note in notes:
        for line in textwrap.wrap(clean_text(note, 1000), max(width, 30)):
            text = Content("\n").join((text, Content.styled(line, MUTED)))
    return text


def _unpaired(rows: Sequence[SummaryRow]) -> str:
    """Say so where a mean is over more seeds than its difference."""
    unequal = any(row.delta is not None and row.delta.n < row.value.n for row in rows)
    return "a mean is over all seeds of its run, a difference over the pairs alone" if unequal else ""


def _nothing(found: Comparison, overlay: Overlay) -> str:
    if found.summary:
        return "no such values here: n shows others, the arrows change the arm"
    if found.grouping.field and not found.units:
        return "every run was changed in flight: nothing to pool"
    return "no numbers yet: they come with the first finished arm"


def _by_cell(rows: Sequence[SummaryRow]) -> dict[tuple[str, str], dict[str, SummaryRow]]:
    cells: dict[tuple[str, str], dict[str, SummaryRow]] = {}
    for row in rows:
        cells.setdefault((row.measure, row.arm_title), {})[row.run] = row
    return cells


def _names(measure: str, arm: str, last: str, *, several_arms: bool) -> list[Cell]:
    name = Content("") if measure == last else Content(clean_text(measure, 40).replace("_", " "))
    return [name, Content.styled(clean_text(arm, 30), MUTED)] if several_arms else [name]


def _pairs(deltas: Iterable[Summary | None]) -> int | None:
    """Return of how many pairs the differences are; None where that is not the same everywhere."""
    pairs = {delta.n for delta in deltas if delta is not None}
    return pairs.pop() if len(pairs) == 1 else None


def _interval_head(pairs: int | None) -> str:
    """Return the heading of the intervals: how many pairs, where each row does not say it for itself."""
    return "95 % · pairs" if pairs is None else f"95 % · {pairs} pair{'' if pairs == 1 else 's'}"


def _beside(found: Comparison, rows: Sequence[SummaryRow], form: Form) -> Content:
    several = len({row.arm_title for row in rows}) > 1
    others = [run.id for run in found.units if run.id != found.baseline]
    title = 10 if form.short else 28
    head: list[Cell] = ["", *([""] * several), f"{STAR} {clean_text(found.title(found.baseline), title)}"]
    right = [len(head) - 1]
    pairs: dict[str, int | None] = {}
    for other in others:
        right += [len(head), len(head) + 1]
        pairs[other] = _pairs(row.delta for row in rows if row.run == other)
        head += [clean_text(found.title(other), title), "Δ", _interval_head(pairs[other])]
    lines, last = [], ""
    for (measure, arm), cells in _by_cell(rows).items():
        line = [*_names(measure, arm, last, several_arms=several), _spread(cells.get(found.baseline), form)]
        for other in others:
            row = cells.get(other)
            line += [_spread(row, form), *_delta(row.delta if row else None, row, form, say_n=pairs[other] is None)]
        lines.append(line)
        last = measure
    caps = [form.cap] * (1 + several) + [max(form.cap, WIDE)] * (len(head) - 1 - several)
    return grid(head, lines, right=right, gap=form.gap, cap=caps)


def _below(found: Comparison, rows: Sequence[SummaryRow], form: Form) -> Content:
    several = len({row.arm_title for row in rows}) > 1
    pairs = _pairs(row.delta for row in rows)
    head: list[Cell] = ["", *([""] * several), "", "mean ± sd", "Δ", _interval_head(pairs)]
    lines, last = [], ""
    order = [found.baseline, *(run.id for run in found.units if run.id != found.baseline)]
    for (measure, arm), cells in _by_cell(rows).items():
        for i, run in enumerate([run for run in order if run in cells]):
            row = cells[run]
            names = _names(measure, arm if not i else "", last, several_arms=several)
            title = Content(f"{STAR if run == found.baseline else ' '} {found.title(run)}")
            lines.append([*names, title, _spread(row, form), *_delta(row.delta, row, form, say_n=pairs is None)])
            last = measure
    caps = (*[form.cap] * (len(head) - 3), WIDE, WIDE, WIDE)
    return grid(head, lines, right=(len(head) - 3, len(head) - 2), gap=form.gap, cap=caps)


def _arms_table(rows: Sequence[SummaryRow], form: Form) -> Content:
    pairs = _pairs(row.arm_delta for row in rows)
    head: list[Cell] = ["", "", "mean ± sd", "n", f"Δ to {STAR}", _interval_head(pairs)]
    lines, last = [], ""
    for row in rows:
        names = _names(row.measure, row.arm_title, last, several_arms=True)
        if row.arm_delta is None:
            names[1] = Content.assemble((STAR, "$text-accent"), " ", clean_text(row.arm_title, 30))
        lines.append(
            [*names, _spread(row, form), str(row.value.n), *_delta(row.arm_delta, row, form, say_n=pairs is None)]
        )
        last = row.measure
    return grid(head, lines, right=(2, 3, 4), gap=form.gap, cap=(form.cap, form.cap, WIDE, WIDE, WIDE, WIDE))


def _number(value: float, digits: int, form: Form) -> str:
    """Return a number in few characters: thousands without a power of ten, in short forms no nought before the dot."""
    text = f"{value:.0f}" if 10 ** (digits - 1) <= abs(value) < 1e5 else human_number(value, digits)
    return re.sub(r"^(-?)0\.", r"\1.", text) if form.short else text


def _spread(row: SummaryRow | None, form: Form) -> Content:
    if row is None or not row.value.n:
        return Content.styled("–", DIM)
    mean = _number(row.value.mean, 3, form)
    if row.value.n < 2 or not form.spread:
        return Content(mean)
    return Content.assemble(mean, (f"{'' if form.short else ' '}±{_number(row.value.sd, 2, form)}", MUTED))


def _delta(delta: Summary | None, row: SummaryRow | None, form: Form, *, say_n: bool) -> list[Cell]:
    """Return difference and interval; one whose interval excludes 0 stands out, green for better, red for worse."""
    if delta is None or row is None:
        return ["", ""]
    if not delta.n:
        return [Content.styled("–", DIM), Content.styled("no shared seed", DIM)]
    text = f"{'+' if delta.mean > 0 else ''}{_number(delta.mean, 2 if form.short else 3, form)}"
    if delta.n < 2 or math.isnan(delta.low):
        return [Content.styled(text, MUTED), Content.styled("1 pair", DIM)]
    style = MUTED
    if delta.low > 0 or delta.high < 0:
        better = None if row.higher_is_better is None else (delta.mean > 0) == row.higher_is_better
        style = {None: "bold", True: "bold $text-success", False: "bold $text-error"}[better]
    comma = " " if form.short else ", "
    interval = f"[{_number(delta.low, 2, form)}{comma}{_number(delta.high, 2, form)}]{f' {delta.n}' if say_n else ''}"
    return [Content.styled(text, style), Content.styled(interval, MUTED)]
