"""What a report says of several runs together: what differs, paired differences, figures and verdicts side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genlab_tui.blocks import Block, Heading, Picture, Table, Text
from genlab_tui.compare import metric_figure, metric_names, overlay_figures, verdict_rows
from genlab_tui.errors import GenlabError
from genlab_tui.figure import Figure
from genlab_tui.grouping import is_changed
from genlab_tui.pins import pinned
from genlab_tui.report_pictures import MANY, METRICS, POINTS, pictures
from genlab_tui.report_run import main_measures
from genlab_tui.report_tables import delta, measured, spread
from genlab_tui.settings import settings_table
from genlab_tui.summary import METHOD, LoadedRun, SummaryRow, find_baseline, pairing_note, summary_rows

UNFOLDED = 3
"""So many measures are shown at once; the others are there to unfold."""


def overview(runs: Sequence[LoadedRun], baseline: str) -> Iterator[Block]:
    """List the runs with what was expected of them and what was found."""
    yield Heading("Runs")
    rows = tuple(
        (
            ("★ " if run.id == baseline else "") + run.title,
            run.spec.phenomenon,
            run.spec.data or "–",
            run.spec.preset,
            str(len(run.data.seeds) or run.spec.seeds),
            run.spec.expected or "–",
            str(run.verdict.status) if run.verdict else "–",
            "; ".join(run.flags) or "–",
        )
        for run in runs
    )
    yield Table(
        ("run", "phenomenon", "data", "preset", "seeds", "predicted", "verdict", "flags"), rows, frozenset((4,))
    )


def differing(runs: Sequence[LoadedRun]) -> Iterator[Block]:
    """Tell the settings that differ."""
    yield Heading("What differs")
    settings = settings_table(runs)
    if settings:
        yield Table(("setting", *(run.title for run in runs)), tuple((s.name, *s.values) for s in settings))
    else:
        yield Text("The settings are the same.")


def differences(runs: Sequence[LoadedRun], baseline: str) -> Iterator[Block]:
    """Tell the headline numbers of all runs with their differences to the baseline, paired by seed."""
    base = find_baseline(runs, baseline)
    measures = tuple(dict.fromkeys(name for run in runs for name in main_measures(run)))
    cells: dict[str, dict[str, dict[str, SummaryRow]]] = {}
    for row in summary_rows(runs, base.id, measures):
        cells.setdefault(row.measure, {}).setdefault(row.arm_title, {})[row.run] = row
    if not cells:
        return
    yield Heading("Numbers and paired differences")
    others = [run for run in runs if run is not base]
    headers = ["arm", f"★ {base.title}"]
    for run in others:
        headers += [run.title, "Δ", "95 %", "pairs"]
    for number, (measure, arms) in enumerate(cells.items()):
        rows = []
        for arm, found in arms.items():
            line = [arm, spread(found.get(base.id))]
            for run in others:
                row_of = found.get(run.id)
                line += [spread(row_of), *delta(row_of.delta if row_of else None)]
            rows.append(tuple(line))
        title = measure.replace("_", " ")
        if number < UNFOLDED:
            yield Heading(title, 3)
        right = frozenset(range(1, len(headers)))
        yield Table(tuple(headers), tuple(rows), right, "" if number < UNFOLDED else title, folded=number >= UNFOLDED)
    yield Text(f"Δ: {METHOD}; ★ is the baseline.", "quiet")
    note = pairing_note(runs, base.id)
    if note:
        yield Text(note, "warning")
    if any(is_changed(run) for run in runs):
        yield Text(
            "Runs that were changed in flight stand beside the others; they are never pooled with them.", "quiet"
        )


def together(runs: Sequence[LoadedRun]) -> Iterator[Block]:
    """Draw the figures on top of each other, then the curves."""
    try:
        drawn = overlay_figures(runs)
    except GenlabError as error:
        yield Heading("Figures")
        yield Text(f"They cannot be drawn: {error}", "warning")
    else:
        coloured = [_pinned(runs, figure) if isinstance(figure, Figure) else figure for figure in drawn]
        yield from pictures("Figures on top of each other", coloured)
    names = metric_names(runs)[:METRICS]
    if not names:
        return
    yield Heading("Curves")
    yield Text("Mean over seeds, band: ± 1 standard deviation.", "quiet")
    for name in names:
        picture = metric_figure(runs, name, arms=_arms(runs), points=POINTS)
        if picture.lines:
            yield Picture(_pinned(runs, picture))


def _pinned(runs: Sequence[LoadedRun], figure: Figure) -> Figure:
    return pinned(figure, [run.record for run in runs], [run.title for run in runs])


def _arms(runs: Sequence[LoadedRun]) -> list[str] | None:
    """Return the arms whose curves are drawn: of many, a few spread over them, as many as make no tangle."""
    names = list(dict.fromkeys(arm.name for run in runs for arm in run.data.arms))
    room = max(MANY // len(runs), 1)
    if len(names) * len(runs) <= MANY or len(names) <= 1:
        return None
    count = max(min(room, len(names)), 1)
    if count == 1:
        return names[:1]
    return list(dict.fromkeys(names[round(i * (len(names) - 1) / (count - 1))] for i in range(count)))


def verdicts(runs: Sequence[LoadedRun]) -> Iterator[Block]:
    """Set claims and criteria side by side."""
    rows = verdict_rows(runs)
    if not rows:
        return
    yield Heading("Verdicts side by side")
    table = [("verdict", *(str(run.verdict.status) if run.verdict else "–" for run in runs))]
    for row in rows:
        if not row.criterion:
            name = row.claim + ("" if row.main else " (side claim)")
            table.append((name, *(status or "–" for status in row.statuses)))
        else:
            asked = next((c.threshold for c in row.cells if c), "")
            cells = (
                f"{s} {measured(c.value, c.unit)}" if c else "–" for s, c in zip(row.statuses, row.cells, strict=True)
            )
            table.append((f"· {row.criterion} ({asked})", *cells))
    yield Table(("", *(run.title for run in runs)), tuple(table))
