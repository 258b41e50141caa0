"""One frame of `watch`: the runs, their charts, the criteria so far, as lines of text of a given size."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from genlab_tui.commands.output import STATE_COLOURS, VERDICT_COLOURS
from genlab_tui.errors import GenlabError
from genlab_tui.events import from_value
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.grouping import is_changed
from genlab_tui.summary import LoadedRun
from genlab_tui.text import clean_text, human_number, human_seconds
from genlab_tui.verdict import ClaimResult, CriterionResult, Grade
from screens.ascii import to_ascii
from screens.gallery import Gallery
from screens.liveview import LiveView
from screens.panels.cells import columns_of, shorten
from screens.panels.chart import render_chart
from screens.panels.choices import FIGURE

NAMED = 4
"""So many runs have a line of their own."""
LEAST, WIDE, TALL = 6, 76, 16
"""Lines of a chart at least, columns for two side by side, lines of a chart at most."""
STATE_MARKS = {"running": "▶", "starting": "▷", "paused": "‖", "stopping": "■", "queued": "·", "done": "✓"}
GRADE_MARKS = {Grade.PASS: "✓", Grade.FAIL: "✗", Grade.UNMET: "?"}
_COLOURED = re.compile(r"\b(NOT SHOWN|SHOWN|INCONCLUSIVE|FIRED)\b|(?<=^ )([✓✗])(?= )")


def compose(
    runs: Sequence[LoadedRun], width: int, height: int, *, panels: int, plain: bool, colours: bool
) -> list[str]:
    """Return the frame: at most `height` lines of at most `width` columns. `plain`: in ASCII alone.

    Charts give way before criteria, criteria before the lines of the runs. On the main thread only.
    """
    head = [run_line(run, width) for run in runs[:NAMED]]
    if len(runs) > NAMED:
        head.append(shorten(f"and {len(runs) - NAMED} more runs", width))
    foot = [line for run in runs[:NAMED] for line in _verdict(run, width, alone=len(runs) == 1)]
    charts: list[str] = []
    room = height - len(head) - min(len(foot), max(height // 3, 2))
    if panels and room >= LEAST:
        charts = _charts(_pictures(runs, panels), width, room, plain)
    room = max(height - len(head) - len(charts), 0)
    if len(foot) > room:
        # The last line is the one that says how it stands.
        hidden = len(foot) - room + 1
        foot = (
            [*foot[: max(room - 2, 0)], f" … {hidden} more: genlab-tui show {runs[0].id}", foot[-1]][-room:]
            if room
            else []
        )
    lines = [shorten(line, width) for line in (*head, *charts, *foot)][:height]
    if plain:
        return [to_ascii(line).rstrip() for line in lines]
    return [_paint(line, runs) if colours else line.rstrip() for line in lines]


def _own(run: LoadedRun) -> tuple[Figure | HeatMap, ...]:
    """Return the figures of a run's phenomenon; none where its code fails on the run."""
    try:
        return run.figures()
    except GenlabError:
        return ()


def _pictures(runs: Sequence[LoadedRun], count: int) -> list[Figure]:
    """Return what Live shows first of these runs; heat maps need colours and are left out, empty charts come last."""
    gallery, view = Gallery(), LiveView()
    gallery.take(runs, _own(runs[0]))
    keys = gallery.keys(view)
    # The figures are those of the first run alone: of several, the curves that they share say more.
    numbers = sorted(range(len(keys)), key=lambda n: len(runs) > 1 and keys[n].startswith(FIGURE))
    found = [figure for n in numbers if isinstance(figure := gallery.picture(n, view), Figure)]
    every = {figure.name: figure for figure in found}.values()
    return sorted(every, key=lambda figure: not any(line.x for line in figure.lines))[:count]


def _charts(figures: Sequence[Figure], width: int, room: int, plain: bool) -> list[str]:
    """Return charts in one column or two, as high as the room lets them be."""
    columns = 2 if len(figures) > 1 and width >= WIDE else 1
    rows = min(-(-len(figures) // columns), max(room // LEAST, 1))
    if not figures:
        return []
    tall = min(room // rows, TALL if rows == 1 or columns == 2 else room)
    each = width if columns == 1 else (width - 2) // 2
    lines: list[str] = []
    for row in range(rows):
        side_by_side = figures[row * columns : (row + 1) * columns]
        drawn = [render_chart(figure, each, tall, ascii_only=plain) for figure in side_by_side]
        lines += ["  ".join(parts) for parts in zip(*drawn, strict=True)]
    return lines


def run_line(run: LoadedRun, width: int) -> str:
    """Return a run in one line: what it is, its state, how far it is and how long it will take."""
    record, spec, progress = run.record, run.spec, run.data.progress
    state = "held" if record.held and record.state == "queued" else str(record.state)
    mark = STATE_MARKS.get(str(record.state), "✗")
    facts = [f"{mark} {spec.phenomenon} {run.id}", clean_text(record.name, 40), spec.data, f"{spec.seeds} seeds"]
    if is_changed(run):
        facts.append("changed in flight")
    parts = [state]
    if record.state.ended:
        parts += [clean_text(record.reason, 60)] if record.reason else []
        if record.started and record.ended:
            parts.append(human_seconds(record.ended - record.started))
    elif progress is not None:
        done = min(max(progress.done, 0.0), 1.0) if progress.done == progress.done else 0.0
        parts += [f"{100 * done:.0f} %", bar(done, 12 if width >= 90 else 6)]
        if progress.eta >= 0:
            parts.append(f"ETA {human_seconds(progress.eta)}")
    right = "  ".join(parts)
    left = shorten(" · ".join(clean_text(fact, 60) for fact in facts if fact), max(width - columns_of(right) - 2, 12))
    return f"{left}{' ' * max(width - columns_of(left) - columns_of(right), 2)}{right}"


def bar(done: float, length: int) -> str:
    """Return a bar of a share from 0 to 1."""
    filled = round(done * length)
    return "█" * filled + "·" * (length - filled)


def _verdict(run: LoadedRun, width: int, *, alone: bool) -> list[str]:
    """Return the criteria of the main claims with their numbers, a line each (one line in all of several runs)."""
    ended = run.record.state.ended
    if run.verdict is None:
        return [f" {run.id} has no verdict: its phenomenon is not installed"] if run.phenomenon is None else []
    claims = [claim for claim in run.verdict.claims if claim.main]
    criteria = [c for claim in claims for c in claim.criteria]
    measured = [c for c in criteria if c.seeds]
    if not ended and not measured:
        return [f" … {run.id}: the verdict forms when networks finish"]
    passed = sum(c.status is Grade.PASS for c in criteria)
    # What ended early was not judged: its numbers so far are told, and no verdict.
    words = (
        str(run.verdict.status) if run.record.state == "done" else f"{run.record.state}, so far" if ended else "so far"
    )
    total = f" {run.id} {words}: {passed} of {len(criteria)} criteria pass"
    if not alone:
        return [total + _fired(claims)]
    lines = [_criterion(c, ended=ended) for c in criteria if ended or c.seeds]
    if len(lines) < len(criteria):
        lines.append(f" … {len(criteria) - len(lines)} criteria wait for numbers")
    return [*lines, total]


def _fired(claims: Sequence[ClaimResult]) -> str:
    fired = any(c.control and c.control.fired for claim in claims for c in claim.criteria)
    return "; a control FIRED" if fired else ""


def _criterion(c: CriterionResult, *, ended: bool) -> str:
    mark = GRADE_MARKS[c.status] if ended or c.status is not Grade.UNMET else "…"
    value = human_number(from_value(c.value)) if c.seeds else "no number"
    text = f" {mark} {clean_text(c.name, 60)} {value} asked {clean_text(c.threshold, 60)}"
    if c.seeds:
        text += f" [{c.agree}/{len(c.seeds)} seeds]"
    if c.control:
        word = "FIRED" if c.control.fired else "no number" if c.control.missing else "quiet"
        text += f" · control {word}"
    return text


def _paint(line: str, runs: Sequence[LoadedRun]) -> str:
    """Return a line with its words of state and verdict in colour."""

    def colour(match: re.Match[str]) -> str:
        word = match[0]
        known = {**VERDICT_COLOURS, "FIRED": "red", "✓": "green", "✗": "red"}
        return click.style(word, fg=known[word], bold=True)

    line = _COLOURED.sub(colour, line.rstrip())
    for run in runs[:NAMED]:
        state = str(run.record.state)
        if f" {run.id}" in line and f"  {state}" in line:
            return line.replace(f"  {state}", "  " + click.style(state, fg=STATE_COLOURS.get(state), bold=True), 1)
    return line
