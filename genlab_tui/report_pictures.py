"""The pictures of a report: a phenomenon's figures with their numbers, and the main curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genlab_tui.blocks import Block, Heading, Picture, Text
from genlab_tui.compare import metric_figure
from genlab_tui.errors import GenlabError
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.report_tables import numbers_of
from genlab_tui.summary import LoadedRun

MANY, FEW = 12, 8
"""With more arms than `MANY`, the curves of `FEW` of them are drawn, from the first to the last."""
METRICS = 6
POINTS = 240


def figures(run: LoadedRun) -> Iterator[Block]:
    """Draw the phenomenon's figures, each with its numbers."""
    try:
        drawn = run.figures()
    except GenlabError as error:
        yield Heading("Figures")
        yield Text(f"They cannot be drawn: {error}", "warning")
        return
    yield from pictures("Figures", drawn)


def pictures(title: str, drawn: Sequence[Figure | HeatMap]) -> Iterator[Block]:
    """Draw figures under a title, each with its numbers where there are not too many."""
    if drawn:
        yield Heading(title)
    for figure in drawn:
        yield Picture(figure)
        yield from numbers_of(figure)


def curves(run: LoadedRun) -> Iterator[Block]:
    """Draw the main curves: mean and band over seeds by arm."""
    declared = [m.name for m in run.phenomenon.metrics] if run.phenomenon else []
    names = [name for name in dict.fromkeys((*declared, *run.data.curves)) if run.data.curves.get(name)][:METRICS]
    if not names:
        return
    yield Heading("Curves")
    arms = list(run.data.titles)
    chosen = arms
    said = f"Mean over {len(run.data.seeds)} seeds, band: ± 1 standard deviation."
    if len(arms) > MANY:
        chosen = [arms[round(i * (len(arms) - 1) / (FEW - 1))] for i in range(FEW)]
        said += f" {FEW} of {len(arms)} arms are drawn."
    yield Text(said, "quiet")
    for name in names:
        yield Picture(metric_figure([run], name, arms=chosen, points=POINTS))
