"""Everything about one run in a few lines or a whole column: what the list has no room for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
from textual.content import Content

from genlab_tui import phenomena
from genlab_tui.errors import GenlabError
from genlab_tui.filter_fields import took
from genlab_tui.paths import Lab
from genlab_tui.regularisers import summary
from genlab_tui.run import OWN_SAMPLES, RunRecord, RunSpec
from genlab_tui.settings import config_text
from genlab_tui.text import clean_text
from genlab_tui.verdict import Verdict, decode
from screens.columns import MUTED, headline_text, moment, state_text, taken
from screens.lineage import lineage_lines
from screens.panels.happened import changes_text
from screens.panels.marks import FLAG, verdict_text
from screens.panels.verdict import verdict_table


@dataclass(frozen=True)
class Files:
    """What the files of a run say: None while they are read, or where they are missing; `problem` says why.

    `source` is the specification of the run that it was made from; `changes` are those made in flight, in words.
    """

    spec: RunSpec | None = None
    result: Mapping[str, Any] | None = None
    source: RunSpec | None = None
    problem: str = ""
    changes: str = ""


def read_files(lab: Lab, run: RunRecord) -> Files:
    """Read what the lines about a run need; what cannot be read is a problem, never an exception."""
    from jobs import runs

    try:
        spec, result = runs.read_spec(lab, run.id), runs.read_result(lab, run.id)
    except (GenlabError, OSError) as error:
        return Files(problem=str(error))
    source = None
    if run.parent:
        with suppress(GenlabError, OSError):  # it may be gone for ever
            source = runs.read_spec(lab, run.parent)
    problem = ""
    try:
        phenomena.get(run.phenomenon)
    except GenlabError as error:
        problem = f"{error.message}: its numbers stay, figures and verdict cannot be made again"
    return Files(spec, result, source, problem, _changes(lab, run) if run.changed else "")


def _changes(lab: Lab, run: RunRecord) -> str:
    from jobs.tail import load_run

    try:
        return changes_text(load_run(lab.run(run.id)))
    except (GenlabError, OSError):
        return ""


def detail(run: RunRecord, files: Files, family: Mapping[str, RunRecord]) -> Content:
    """Return the lines about a run; `family` are the runs that it was made from and those made from it."""
    return Content("\n").join(_lines(run, files, family))


def _lines(run: RunRecord, files: Files, family: Mapping[str, RunRecord]) -> Iterator[Content]:
    spec = files.spec
    title = clean_text(run.name or run.phenomenon, 80)
    tags = "".join(f"  #{clean_text(tag, 40)}" for tag in run.tags)
    yield Content.assemble((title, "bold"), (f"  {run.id}", MUTED), (tags, "$text-accent"))
    if run.note:
        yield Content.styled(clean_text(run.note, 2000), "italic")
    if files.problem:
        yield Content.styled(clean_text(files.problem, 300), "$text-warning")
    attempt = f" · attempt {run.attempt}" if run.attempt > 1 else ""
    device = f" · {clean_text(run.device, 40)}" if run.device else ""
    age = f" · {moment(run.created)} · took {taken(took(run, time.time()))}{device}{attempt}"
    yield state_text(run) + Content.styled(age, MUTED)
    seeds = f"{run.seeds} seeds from {run.first_seed}" if run.seeds != 1 else f"seed {run.first_seed}"
    yield _pair("what", f"{run.phenomenon} · {run.preset} · {run.data or OWN_SAMPLES} · {seeds}")
    yield from lineage_lines(run, spec, files.source, family)
    if run.regularisers or run.changed:
        flag = f"  {FLAG} changed in flight: never pooled" if run.changed else ""
        after = f" → {files.changes}" if files.changes else ""
        yield _pair("regularisers", summary(run.regularisers) + after) + Content.styled(flag, "$text-warning")
    if spec is not None:
        if spec.arms:
            yield _pair("arms", ", ".join(spec.arms))
        yield _pair("config", "  ".join(f"{name}={config_text(value)}" for name, value in spec.config.items()))
    if run.headline:
        yield _pair("numbers", headline_text(run))
    judged = _verdict(files.result or {})
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
