"""Everything about one run in a few lines or a whole column: what the list has no room for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from textual.content import Content

from genlab_tui.compare import config_text
from genlab_tui.regularisers import summary
from genlab_tui.run import RunRecord, RunSpec
from genlab_tui.text import clean_text
from genlab_tui.verdict import Verdict, decode
from screens.columns import FLAG, MUTED, headline_text, moment, state_text, taken
from screens.filter import took
from screens.panels.marks import verdict_text
from screens.panels.verdict import verdict_table


def detail(run: RunRecord, spec: RunSpec | None, result: Mapping[str, Any] | None) -> Content:
    """Return the lines about a run; `spec` and `result` are None while they are read or where they are missing."""
    return Content("\n").join(_lines(run, spec, result or {}))


def _lines(run: RunRecord, spec: RunSpec | None, result: Mapping[str, Any]) -> Iterator[Content]:
    title = clean_text(run.name, 80) or run.phenomenon
    tags = "".join(f"  #{clean_text(tag, 40)}" for tag in run.tags)
    yield Content.assemble((title, "bold"), (f"  {run.id}", MUTED), (tags, "$text-accent"))
    if run.note:
        yield Content.styled(clean_text(run.note, 500), "italic")
    attempt = f" · attempt {run.attempt}" if run.attempt > 1 else ""
    device = f" · {clean_text(run.device, 40)}" if run.device else ""
    age = f" · {moment(run.created)} · took {taken(took(run, time.time()))}{device}{attempt}"
    yield state_text(run) + Content.styled(age, MUTED)
    seeds = f"{run.seeds} seeds from {run.first_seed}" if run.seeds != 1 else f"seed {run.first_seed}"
    yield _pair("what", f"{run.phenomenon} · {run.preset} · {run.data} · {seeds}")
    if run.regularisers or run.changed:
        flag = f"  {FLAG} changed in flight: never pooled" if run.changed else ""
        yield _pair("regularisers", summary(run.regularisers)) + Content.styled(flag, "$text-warning")
    if spec is not None:
        if spec.arms:
            yield _pair("arms", ", ".join(spec.arms))
        yield _pair("config", "  ".join(f"{name}={config_text(value)}" for name, value in spec.config.items()))
    if run.headline:
        yield _pair("numbers", headline_text(run))
    judged = _verdict(result)
    if judged is not None:
        yield Content("")
        yield verdict_table(judged, ended=True)
    elif run.verdict:
        yield Content.assemble(("verdict", MUTED), " ", verdict_text(run.verdict))


def _verdict(result: Mapping[str, Any]) -> Verdict | None:
    try:
        return decode(result["verdict"])
    except (KeyError, msgspec.ValidationError):
        return None  # none yet, or of a kind that this version does not know


def _pair(name: str, value: str) -> Content:
    return Content.assemble((f"{name} ", MUTED), clean_text(value, 1000))
