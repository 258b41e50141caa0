"""The verdicts of the Compare screen as text: claims, criteria, what was predicted, what the papers report."""

from __future__ import annotations

import textwrap
from functools import partial

from textual.content import Content

from genlab_tui.compare import VerdictRow
from genlab_tui.expectation import expectation
from genlab_tui.grouping import is_changed
from genlab_tui.summary import LoadedRun
from genlab_tui.text import clean_text
from genlab_tui.verdict import CriterionResult, Grade
from screens.columns import MUTED
from screens.comparison import Comparison
from screens.panels.marks import FLAG, verdict_text
from screens.panels.predicted import OUTCOMES
from screens.panels.verdict import MARKS, number
from screens.tables import DIM, Cell, Line, content, first_that_fits, grid

SIGNS = {"right": "✓", "wrong": "✗", "undecided": "?"}
LEAST_NAME = 16
"""Cells in which a criterion can still be guessed."""
LEAST_ROOM = 9
"""Cells of a result where there is little room."""


FORMS = ((44, True, False), (44, False, False), (18, False, True), (9, False, True))
"""Most cells of a result, whether what is asked and what is published have columns, whether results are short."""


def verdicts_text(found: Comparison, width: int = 1000) -> Content:
    """Return claims and criteria of all runs side by side, with what was predicted and what the papers report.

    The results have the room they need; names are cut to the rest, and what was asked is left out where that is little.
    Where that is not enough, each run has a line.
    """
    if not found.verdicts:
        return Content.styled("no claim is judged on these runs", MUTED)
    for cap, asked, short in FORMS:
        head, lines = _beside(found, asked=asked, short=short)
        gap = 1 if cap < LEAST_NAME else 2
        columns = [[content(line[i]).cell_length for line in (head, *lines)] for i in range(1, len(head))]
        rest = width - sum(min(max(cells), cap) + gap for cells in columns)
        names = max(content(line[0]).cell_length for line in lines)
        if rest >= min(names, 26 if asked else LEAST_NAME):
            text = grid(head, lines, gap=gap, cap=(max(min(rest, 60), LEAST_NAME), *([cap] * len(columns))))
            break
    else:
        text = first_that_fits([partial(_below, found, cap) for cap in (24, 16, 12, 9)], width)
    return Content("\n").join((text, *_predictions(found, width)))


def _beside(found: Comparison, *, asked: bool, short: bool) -> tuple[Line, list[Line]]:
    """Return heading and rows: names, a result per run, and last what is asked for and published."""
    published = asked and any(_published(row) for row in found.verdicts)
    last: list[Cell] = [""] * (asked + published)
    title, room = (9, 9) if short else (28, 12)
    extra = ["asked"] * asked + ["published"] * published
    head: Line = ["", *(clean_text(found.title(run.id), title) for run in found.runs), *extra]
    lines: list[Line] = [
        [Content.styled("run", "bold"), *(_status(run, room) for run in found.runs), *last],
    ]
    if any(run.spec.expected for run in found.runs):
        lines.append(["predicted", *(_predicted(run, room) for run in found.runs), *last])
    for row in found.verdicts:
        if not row.criterion:
            side = "" if row.main else " (side claim)"
            name = Content.assemble((clean_text(row.claim, 60), "bold"), (side, MUTED))
            lines.append([name, *(verdict_text(s, room=room) for s in row.statuses), *last])
            continue
        threshold = clean_text(next((c.threshold for c in row.cells if c), ""), 40)
        line: list[Cell] = [f"  {clean_text(row.criterion, 60)}", *(_criterion(c, short=short) for c in row.cells)]
        line += [Content.styled(threshold, MUTED)] if asked else []
        line += [Content.styled(_published(row), MUTED)] if published else []
        lines.append(line)
    return head, lines


def _below(found: Comparison, cap: int) -> Content:
    """Return a line per run: its verdict, what was predicted, and each claim with the marks of its criteria."""
    predicted = any(run.spec.expected for run in found.runs)
    claims = [i for i, row in enumerate(found.verdicts) if not row.criterion]
    head: list[Cell] = ["", "run", *(["predicted"] if predicted else [])]
    head += [clean_text(found.verdicts[i].claim, 60) for i in claims]
    lines: list[Line] = []
    for at, run in enumerate(found.runs):
        line: list[Cell] = [Content.styled(found.title(run.id), "bold"), _status(run, 9)]
        line += [_predicted(run, 9)] if predicted else []
        for i, end in zip(claims, [*claims[1:], len(found.verdicts)], strict=True):
            cells = [found.verdicts[k].cells[at] for k in range(i + 1, end)]
            marks = [MARKS[Grade(c.status)] for c in cells if c]
            short = verdict_text(found.verdicts[i].statuses[at], short=True)
            line.append(Content.assemble(short, " ", *marks))
        lines.append(line)
    return grid(head, lines, gap=1 if cap < LEAST_NAME else 2, cap=cap)


def _status(run: LoadedRun, room: int) -> Content:
    flag = f" {FLAG}" if is_changed(run) else ""
    return verdict_text(str(run.verdict.status) if run.verdict else "", room=room) + Content(flag)


def _predicted(run: LoadedRun, room: int) -> Content:
    """Return what was expected, and whether it came so once the run is done."""
    if not run.spec.expected:
        return Content.styled("–", DIM)
    came = expectation(run)
    said = verdict_text(run.spec.expected, room=room, short=room < len(run.spec.expected))
    if not came:
        return said
    sign = f" {SIGNS[came]}"
    return Content.assemble(said, (f"{sign} {came}" if room > LEAST_ROOM else sign, OUTCOMES[came]))


def _predictions(found: Comparison, width: int) -> list[Content]:
    """Return what was predicted in its author's own words, a paragraph per run."""
    lines: list[Content] = []
    for run in found.runs:
        expected, words = run.spec.expected, clean_text(run.spec.prediction, 500)
        if not expected and not words:
            continue
        came = expectation(run)
        said = f"predicted {expected}{f': {came}' if came else ''}" if expected else "predicted"
        style = OUTCOMES.get(came, MUTED)
        title = clean_text(found.title(run.id), 40)
        lines += [Content(""), Content.assemble((f"{title} ", "bold"), (said, style))]
        wrapped = textwrap.wrap(words, max(min(width, 100) - 2, 20))
        lines += [Content.styled(f"  {line}", MUTED) for line in wrapped]
    return lines


def _published(row: VerdictRow) -> str:
    """Return what the paper reports for a criterion."""
    cell = next((c for c in row.cells if c and c.published is not None), None)
    if cell is None:
        return ""
    value = cell.published
    return clean_text(value, 40) if isinstance(value, str) else number(value, cell.unit)


def _criterion(cell: CriterionResult | None, *, short: bool = False) -> Content:
    if cell is None:
        return Content.styled("–", DIM)
    sign, style = MARKS[Grade(cell.status)]
    fired = bool(cell.control and cell.control.fired)
    control = "" if not fired else " FIRED" if short else "  control FIRED"
    return Content.assemble(
        (sign, style), " ", number(cell.value, "" if short else cell.unit), (control, "$text-error")
    )
