"""The tables of the Compare screen as text: summary, settings, verdicts. Pure functions from a comparison."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from rich.cells import cell_len
from textual.content import Content

from genlab_tui.compare import NONE
from genlab_tui.stats import Summary
from genlab_tui.summary import SummaryRow
from genlab_tui.text import clean_text, human_number
from genlab_tui.verdict import CriterionResult, Grade
from screens.columns import FLAG, MUTED
from screens.comparison import Comparison
from screens.panels.marks import verdict_text
from screens.panels.table import fitted
from screens.panels.verdict import MARKS, number

DIM = "$foreground-disabled"
STAR = "★"
Cell = Content | str
Line = Sequence[Cell]


def grid(
    head: Line, rows: Sequence[Line], *, right: Sequence[int] = (), gap: int = 2, cap: int | Sequence[int] = 28
) -> Content:
    """Return aligned columns; `right` ones are flush right. No cell is wider than `cap`, of its column or of all."""
    table = [[_content(cell) for cell in line] for line in (head, *rows)]
    caps = [cap] * len(head) if isinstance(cap, int) else cap
    widths = [min(max(line[i].cell_length for line in table), caps[i]) for i in range(len(head))]
    lines = []
    for number_of, line in enumerate(table):
        cells = [fitted(cell, widths[i], right=i in right) for i, cell in enumerate(line)]
        text = Content(" " * gap).join(cells)
        lines.append(text.stylize(f"bold {MUTED}") if number_of == 0 else text)
    return Content("\n").join(lines)


def _content(cell: Cell) -> Content:
    return cell if isinstance(cell, Content) else Content(clean_text(cell, 200))


# --- summary ----------------------------------------------------------------------------------------------------------


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
ARMS = (Form(2, 28), Form(1, 24), Form(1, 18, short=True))


def summary_text(found: Comparison, width: int, arms: Sequence[str] | None = None) -> Content:
    """Return the paired summary: each run beside the baseline; the arms of a single run beside its first one.

    Of several forms it takes the first that fits the width: side by side, shorter, then a line for every run.
    """
    rows = [row for row in found.summary if arms is None or row.arm in arms]
    if not rows:
        return Content.styled("no numbers yet: they come with the first finished arm", MUTED)
    makers: list[Callable[[], Content]] = []
    if len(found.runs) == 1:
        makers += [partial(_arms_table, rows, form) for form in ARMS]
    else:
        makers += [partial(_beside, found, rows, form) for form in BESIDE]
        makers += [partial(_below, found, rows, form) for form in BELOW]
    text = Content("")
    for make in makers:
        text = make()
        if _width(text) <= width:
            break
    return text


def _width(text: Content) -> int:
    return max(map(cell_len, text.plain.split("\n")))


def _by_cell(rows: Sequence[SummaryRow]) -> dict[tuple[str, str], dict[str, SummaryRow]]:
    cells: dict[tuple[str, str], dict[str, SummaryRow]] = {}
    for row in rows:
        cells.setdefault((row.measure, row.arm_title), {})[row.run] = row
    return cells


def _names(measure: str, arm: str, last: str, *, several_arms: bool) -> list[Cell]:
    name = Content("") if measure == last else Content(clean_text(measure, 40).replace("_", " "))
    return [name, Content.styled(clean_text(arm, 30), MUTED)] if several_arms else [name]


def _interval_head(deltas: Iterable[Summary | None]) -> str:
    """Return the heading of the intervals: it says how many pairs, where that is the same everywhere."""
    pairs = {delta.n for delta in deltas if delta is not None}
    return f"95 % · {pairs.pop()} pairs" if len(pairs) == 1 else "95 %"


def _beside(found: Comparison, rows: Sequence[SummaryRow], form: Form) -> Content:
    several = len({row.arm_title for row in rows}) > 1
    others = [run.id for run in found.runs if run.id != found.baseline]
    title = 10 if form.short else 28
    head: list[Cell] = ["", *([""] * several), f"{STAR} {clean_text(found.title(found.baseline), title)}"]
    right = [len(head) - 1]
    for other in others:
        right += [len(head), len(head) + 1]
        interval = _interval_head(row.delta for row in rows if row.run == other)
        head += [clean_text(found.title(other), title), "Δ", interval]
    lines, last = [], ""
    for (measure, arm), cells in _by_cell(rows).items():
        line = [*_names(measure, arm, last, several_arms=several), _spread(cells.get(found.baseline), form)]
        for other in others:
            row = cells.get(other)
            line += [_spread(row, form), *_delta(row.delta if row else None, row, form)]
        lines.append(line)
        last = measure
    return grid(head, lines, right=right, gap=form.gap, cap=form.cap)


def _below(found: Comparison, rows: Sequence[SummaryRow], form: Form) -> Content:
    several = len({row.arm_title for row in rows}) > 1
    interval = _interval_head(row.delta for row in rows)
    head: list[Cell] = ["", *([""] * several), "", "mean ± sd", "Δ", interval]
    lines, last = [], ""
    order = [found.baseline, *(run.id for run in found.runs if run.id != found.baseline)]
    for (measure, arm), cells in _by_cell(rows).items():
        for i, run in enumerate([run for run in order if run in cells]):
            row = cells[run]
            names = _names(measure, arm if not i else "", last, several_arms=several)
            title = Content(f"{STAR if run == found.baseline else ' '} {found.title(run)}")
            lines.append([*names, title, _spread(row, form), *_delta(row.delta, row, form)])
            last = measure
    return grid(head, lines, right=(len(head) - 3, len(head) - 2), gap=form.gap, cap=form.cap)


def _arms_table(rows: Sequence[SummaryRow], form: Form) -> Content:
    interval = _interval_head(row.arm_delta for row in rows)
    head: list[Cell] = ["", "", "mean ± sd", "n", f"Δ to {STAR}", interval]
    lines, last = [], ""
    for row in rows:
        names = _names(row.measure, row.arm_title, last, several_arms=True)
        if row.arm_delta is None:
            names[1] = Content.assemble((STAR, "$text-accent"), " ", clean_text(row.arm_title, 30))
        lines.append([*names, _spread(row, form), str(row.value.n), *_delta(row.arm_delta, row, form)])
        last = row.measure
    return grid(head, lines, right=(2, 3, 4), gap=form.gap, cap=form.cap)


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


def _delta(delta: Summary | None, row: SummaryRow | None, form: Form) -> list[Cell]:
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
    interval = f"[{_number(delta.low, 2, form)}{comma}{_number(delta.high, 2, form)}]"
    return [Content.styled(text, style), Content.styled(interval, MUTED)]


# --- settings ---------------------------------------------------------------------------------------------------------


def settings_text(found: Comparison, width: int = 1000, *, all_of_them: bool = False) -> Content:
    """Return what differs between the runs, or all their settings; columns give way where there is little room."""
    rows = [row for row in found.settings if all_of_them or row.differs]
    if not rows:
        only = "one run: nothing to differ from" if len(found.runs) == 1 else "nothing differs: the same settings"
        return Content.styled(only, MUTED)
    head = ["", *(f"{STAR if run.id == found.baseline else ' '} {found.title(run.id)}" for run in found.runs)]
    lines: list[Line] = []
    for row in rows:
        style = "" if row.differs else MUTED
        name = Content.styled(clean_text(row.name, 40).replace("_", " "), style or "bold")
        values = [Content.styled(clean_text(v, 200), DIM if v == NONE else style) for v in row.values]
        lines.append([name, *values])
    text = Content("")
    for gap, cap in ((2, 40), (1, 24), (1, 12), (1, 10)):
        text = grid(head, lines, gap=gap, cap=cap)
        if _width(text) <= width:
            break
    return text


def differing(found: Comparison, run_id: str) -> str:
    """Return what sets a run apart from the others, in one line."""
    at = next((i for i, run in enumerate(found.runs) if run.id == run_id), None)
    rows = [row for row in found.settings if row.differs]
    if at is None:
        return ""
    mine = [(row.name, row.values[at]) for row in rows if row.values[at] != NONE]
    parts = (f"{clean_text(name, 30).replace('_', ' ')} {clean_text(value, 40)}" for name, value in mine)
    return " · ".join(parts)


# --- verdicts ---------------------------------------------------------------------------------------------------------


LEAST_NAME = 16
"""Cells in which a criterion can still be guessed."""


def verdicts_text(found: Comparison, width: int = 1000) -> Content:
    """Return claims and criteria of all runs side by side.

    The results have the room they need; names are cut to the rest, and what was asked is left out where that is little.
    """
    if not found.verdicts:
        return Content.styled("no claim is judged on these runs", MUTED)
    text = Content("")
    for gap, cap, asked, short in (
        (2, 44, True, False),
        (2, 44, False, False),
        (2, 18, False, True),
        (1, 9, False, True),
    ):
        head, lines = _verdict_lines(found, asked=asked, short=short)
        columns = [[_content(line[i]).cell_length for line in (head, *lines)] for i in range(1, len(head))]
        rest = width - sum(min(max(cells), cap) + gap for cells in columns)
        names = max(_content(line[0]).cell_length for line in lines)
        text = grid(head, lines, gap=gap, cap=(max(min(rest, 60), LEAST_NAME), *([cap] * len(columns))))
        if rest >= min(names, 26 if asked else LEAST_NAME):
            break
    return text


def _verdict_lines(found: Comparison, *, asked: bool, short: bool) -> tuple[Line, list[Line]]:
    """Return heading and rows: names, a result per run, and last what is asked for."""
    last: list[Cell] = [""] if asked else []
    title = 9 if short else 28
    head: Line = ["", *(clean_text(found.title(run.id), title) for run in found.runs), *(["asked"] if asked else [])]
    whole: list[Cell] = [Content.styled("run", "bold")]
    for run in found.runs:
        flag = f" {FLAG}" if run.data.changes else ""
        status = str(run.verdict.status) if run.verdict else ""
        whole.append(verdict_text(status, room=9 if short else 12) + Content(flag))
    lines: list[Line] = [[*whole, *last]]
    for row in found.verdicts:
        if not row.criterion:
            side = "" if row.main else " (side claim)"
            name = Content.assemble((clean_text(row.claim, 60), "bold"), (side, MUTED))
            lines.append([name, *(verdict_text(s, room=9 if short else 12) for s in row.statuses), *last])
            continue
        threshold = clean_text(next((c.threshold for c in row.cells if c), ""), 40)
        cells = [_criterion(c, short=short) for c in row.cells]
        lines.append(
            [f"  {clean_text(row.criterion, 60)}", *cells, *([Content.styled(threshold, MUTED)] if asked else [])]
        )
    return head, lines


def _criterion(cell: CriterionResult | None, *, short: bool = False) -> Content:
    if cell is None:
        return Content.styled("–", DIM)
    sign, style = MARKS[Grade(cell.status)]
    fired = bool(cell.control and cell.control.fired)
    control = "" if not fired else " FIRED" if short else "  control FIRED"
    return Content.assemble(
        (sign, style), " ", number(cell.value, "" if short else cell.unit), (control, "$text-error")
    )
