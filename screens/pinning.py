"""The lines of a chart in the colours that are pinned to their runs."""

from __future__ import annotations

import dataclasses

from genlab_tui.figure import MEMBER, Figure
from genlab_tui.pins import line_slots, pin_of
from screens.comparison import Comparison


def pinned(figure: Figure, found: Comparison) -> Figure:
    """Return a chart of several runs with the colour and marker of every line; as it is where no run is pinned.

    All lines of a pinned run have its colour. Groups pool runs of several colours: theirs are not used.
    """
    runs = found.runs
    if len(runs) < 2 or found.grouping.field or all(pin_of(run.record) is None for run in runs):
        return figure
    labels = list(dict.fromkeys(line.label.split(MEMBER)[0] for line in figure.lines))
    titles = [found.title(run.id) for run in runs]
    named = [[label for label in labels if label == t or label.startswith(f"{t} · ")] for t in titles]
    numbered = line_slots([run.record for run in runs], [len(each) for each in named])
    slots: dict[str, int] = {}
    for run_labels, run_slots in zip(named, numbered, strict=True):
        slots = dict(zip(run_labels, run_slots, strict=True)) | slots
    lines = (dataclasses.replace(line, slot=slots.get(line.label.split(MEMBER)[0])) for line in figure.lines)
    return dataclasses.replace(figure, lines=tuple(lines))
