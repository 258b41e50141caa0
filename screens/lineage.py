"""Where a run comes from, what was made from it and what was expected of it, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from textual.content import Content

from genlab_tui.lineage import lineage
from genlab_tui.run import RunRecord, RunSpec
from genlab_tui.text import clean_text
from screens.panels.predicted import predicted_text

MUTED = "$foreground-muted"
MOST = 8
"""So many runs made from one are named."""


def family(run: RunRecord, runs: Sequence[RunRecord]) -> dict[str, RunRecord]:
    """Return the runs that the lines about one run name: what it was made from and what was made from it."""
    return {other.id: other for other in runs if other.id == run.parent or other.parent == run.id}


def lineage_lines(
    run: RunRecord, spec: RunSpec | None, source: RunSpec | None, kin: Mapping[str, RunRecord]
) -> Iterator[Content]:
    """Yield what a run was made from, what was made from it and what was predicted.

    `source` is the specification of the run that it was made from (None: unread, or gone), `kin` its `family`.
    """
    if run.parent:
        name = clean_text(kin[run.parent].name, 40) if run.parent in kin else ""
        text = lineage(spec, source) if spec is not None else f"made from {clean_text(run.parent, 40)}"
        yield Content.assemble(text, (f"  ({name})" if name else "", MUTED))
    made = [called(other) for other in kin.values() if other.parent == run.id]
    if made:
        more = f" and {len(made) - MOST} more" if len(made) > MOST else ""
        yield Content.assemble(("made from it ", MUTED), ", ".join(made[:MOST]) + more)
    if run.expected or run.prediction:
        yield predicted_text(run.expected, run.prediction, 2000, verdict=run.verdict)


def called(run: RunRecord) -> str:
    """Return the id of a run, with its name where it has one."""
    return f"{run.id} {clean_text(run.name, 40)}" if run.name else run.id
