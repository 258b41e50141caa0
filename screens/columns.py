"""How a run looks in a table, and by what it is sorted."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from textual.content import Content

from genlab_tui.colours import colour, marker
from genlab_tui.pins import NAMES, pin_of
from genlab_tui.regularisers import REGULARISERS, SHORT
from genlab_tui.run import RunRecord, RunState
from genlab_tui.text import clean_text, human_number
from screens.panels.layout import Column
from screens.panels.marks import FLAG, STATE_MARKS, VERDICT_ROOM, VERDICT_STYLES, ago, state_mark, verdict_text

MUTED = "$foreground-muted"


def short_regularisers(active: Mapping[str, float]) -> str:
    """Return the active regularisers in few cells: `wd 1e-3 drop 0.5`."""
    return _short(tuple(active.items())) if active else ""


@lru_cache(20_000)
def _short(active: tuple[tuple[str, float], ...]) -> str:
    # Asked for every run whenever one of them changes.
    known = dict(active)
    parts = (f"{SHORT.get(r.name, r.name)} {human_number(known[r.name], 3)}" for r in REGULARISERS if r.name in known)
    return " ".join(parts)


def state_text(run: RunRecord, *, flagged: bool = False) -> Content:
    """Return glyph, word and reason of a state, in its colour; `flagged`, whether the run was changed in flight too."""
    word = "held" if run.state is RunState.QUEUED and run.held else run.state.value
    reason = f" {clean_text(run.reason, 60)}" if run.reason else ""
    flag = (f"{FLAG} " if flagged and run.changed else "", "$text-warning")
    return Content.assemble(state_mark(run), " ", flag, (word, STATE_MARKS[run.state][1]), (reason, MUTED))


def headline_text(run: RunRecord, limit: int = 4) -> str:
    """Return the headline numbers in one line: `test accuracy 0.918 · steps 1200`."""
    items = list(run.headline.items())[:limit]
    return " · ".join(f"{clean_text(name, 30).replace('_', ' ')} {human_number(value, 3)}" for name, value in items)


def pin_text(run: RunRecord, *, dark: bool) -> Content:
    """Return the coloured marker that is pinned to a run; empty where none is."""
    slot = pin_of(run)
    return Content("") if slot is None else Content.styled(marker(slot), colour(slot, dark=dark))


def _pin_dark(run: RunRecord, width: int) -> Content:
    return pin_text(run, dark=True)


def _pin_light(run: RunRecord, width: int) -> Content:
    return pin_text(run, dark=False)


def _id(run: RunRecord, width: int) -> Content:
    return Content.styled(run.id[:width], MUTED)


def _name(run: RunRecord, width: int) -> Content:
    tags = "".join(f" #{clean_text(tag, 20)}" for tag in run.tags)
    return Content.assemble(clean_text(run.name, 80), (tags if run.name else tags[1:], "$text-accent"))


def _regularisers(run: RunRecord, width: int) -> Content:
    # The index knows that something was changed, not what: the lines about the run say it.
    later = (f" → {FLAG}" if run.changed else "", "$text-warning")
    return Content.assemble(short_regularisers(run.regularisers) or ("–", "$foreground-disabled"), later)


def _verdict(run: RunRecord, width: int) -> Content:
    return verdict_text(run.verdict, room=width)


def _muted(read: Callable[[RunRecord], object]) -> Callable[[RunRecord, int], Content]:
    return lambda run, width: Content.styled(clean_text(read(run), 200), MUTED)


def _plain(read: Callable[[RunRecord], object]) -> Callable[[RunRecord, int], Content]:
    return lambda run, width: Content(clean_text(read(run), 200))


COLUMNS: tuple[Column[RunRecord], ...] = (
    Column("colour", "", _pin_dark, 1, 1),
    Column("state", "state", lambda run, width: state_text(run, flagged=True), 10, 24),
    Column("id", "id", _id, 6, 6),
    Column("name", "name", _name, 8, 30, 1),
    Column("phenomenon", "phenomenon", _plain(lambda r: r.phenomenon), 14, 22),
    Column("data", "data", _muted(lambda r: r.data), 7, 14, 4),
    Column("regularisers", "regularisers", _regularisers, 8, 34, 3),
    Column("seeds", "seeds", _plain(lambda r: r.seeds or ""), 5, 5, 5, right=True),
    Column("verdict", "verdict", _verdict, VERDICT_ROOM, 12, 2),
    Column("headline", "headline", _plain(headline_text), 18, 60, 6),
    Column("age", "age", _muted(lambda r: ago(r.created) if r.created else ""), 4, 4, 1, right=True),
)

_WIDTHS: Mapping[str, Callable[[RunRecord], int]] = {
    "state": lambda r: 2 + 2 * r.changed + len(r.state.value) + (1 + min(len(r.reason), 60) if r.reason else 0),
    "name": lambda r: len(r.name) + sum(len(tag) + 2 for tag in r.tags),
    "phenomenon": lambda r: len(r.phenomenon),
    "data": lambda r: len(r.data),
    "regularisers": lambda r: max(len(short_regularisers(r.regularisers)), 1) + 4 * r.changed,
}


_DULL: Mapping[str, Callable[[RunRecord], object]] = {
    "name": lambda r: " #".join((r.name, *r.tags)),
    "phenomenon": lambda r: r.phenomenon,
    "data": lambda r: r.data,
    "seeds": lambda r: r.seeds,
}
"""The columns that may leave where all runs say the same in them, or nothing."""

STEPS = {"state": 4, "name": 4}
"""Columns that change while one looks grow by so many cells, so that a letter more does not move all beside it."""


def columns_for(runs: Sequence[RunRecord], *, dark: bool = True) -> tuple[Column[RunRecord], ...]:
    """Return the columns, hardly wider than what these runs have to say in it; without pinned colours, no markers."""
    found = []
    for column in COLUMNS:
        width = _WIDTHS.get(column.key)
        if column.key == "colour":
            if not any(run.colour for run in runs):
                continue
            column = column if dark else dataclasses.replace(column, cell=_pin_light)
        elif width:
            step = STEPS.get(column.key, 1)
            said = max(map(width, runs), default=0)
            most = min(-(-max(len(column.title) + 1, said) // step) * step, column.most)
            whole = min(said, most) if column.key == "regularisers" else 0
            column = dataclasses.replace(column, least=min(column.least, most), most=most, whole=whole)
        read = _DULL.get(column.key)
        if read and _alike(runs, read):
            column = dataclasses.replace(column, dull=True)
        found.append(column)
    return tuple(found)


def _alike(runs: Sequence[RunRecord], said: Callable[[RunRecord], object]) -> bool:
    """Tell whether all of some runs say the same, or the only one nothing."""
    return bool(runs) and all(said(run) == said(runs[0]) for run in runs) and (len(runs) > 1 or not said(runs[0]))


_STATES = {state: rank for rank, state in enumerate(RunState)}
_VERDICTS = {verdict: rank for rank, verdict in enumerate(VERDICT_STYLES)}

SORTS: Mapping[str, Callable[[RunRecord], Any]] = {
    "colour": lambda r: len(NAMES) if (slot := pin_of(r)) is None else slot,
    "state": lambda r: (_STATES[r.state], r.reason),
    "id": lambda r: r.id,
    "name": lambda r: (not r.name, r.name.lower()),
    "phenomenon": lambda r: r.phenomenon,
    "data": lambda r: r.data,
    "regularisers": lambda r: [r.regularisers.get(each.name, 0.0) for each in REGULARISERS],
    "seeds": lambda r: r.seeds,
    "verdict": lambda r: _VERDICTS.get(r.verdict, len(_VERDICTS)),
    "headline": lambda r: next((v for v in r.headline.values() if v == v), float("-inf")),
    "age": lambda r: -r.created,
}
"""What each column sorts by, ascending; equal ones stay newest first."""


def in_order(runs: Sequence[RunRecord], *orders: tuple[str, bool]) -> list[RunRecord]:
    """Return runs sorted by columns, the first counts most, each with whether it is reversed.

    The order among equals stays that of `runs`.
    """
    found = list(runs)
    for by, reverse in reversed(orders):
        found.sort(key=SORTS[by], reverse=reverse)
    return found


def taken(seconds: float | None) -> str:
    """Return how long a run took, for the eye."""
    from genlab_tui.text import human_seconds

    return "–" if seconds is None else human_seconds(seconds)


def moment(when: float) -> str:
    """Return a POSIX time in this machine's time zone, `–` for none."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when)) if when else "–"
