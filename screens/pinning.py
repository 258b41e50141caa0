"""The lines of a chart in the colours that are pinned to their runs."""

from __future__ import annotations

from genlab_tui import pins
from genlab_tui.figure import Figure
from screens.comparison import Comparison


def pinned(figure: Figure, found: Comparison) -> Figure:
    """Return a chart in the colours that are pinned; groups pool runs of several colours: theirs are not used."""
    if found.grouping.field:
        return figure
    return pins.pinned(figure, [run.record for run in found.runs], [found.title(run.id) for run in found.runs])
