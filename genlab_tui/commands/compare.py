"""Compare runs as text or JSON, and export them as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from genlab_tui.commands.output import print_json, print_table
from genlab_tui.errors import NotFound, nearest
from genlab_tui.grouping import is_changed
from genlab_tui.paths import Lab, lab_home
from genlab_tui.report_tables import delta, spread
from genlab_tui.run import RunRecord
from genlab_tui.selection import Selected, Selection, select, steps_note
from genlab_tui.summary import METHOD, LoadedRun, SummaryRow, is_of, measure_names, summary_rows
from genlab_tui.text import clean_text


def find_all(lab: Lab, texts: tuple[str, ...]) -> list[RunRecord]:
    """Return the runs that texts name, each once, in their order."""
    from jobs import runs as verbs

    found = {record.id: record for record in (verbs.find_run(lab, text) for text in texts)}
    return list(found.values())


def compare_runs(runs: tuple[str, ...], selection: Selection, as_json: bool) -> int:
    """Print a comparison: settings that differ, numbers with paired differences, verdicts.

    With one run, `selection.arm` is the arm that the others are compared to; else the only arm that is shown.
    """
    from genlab_tui.compare import compare_document, verdict_rows
    from genlab_tui.settings import settings_table
    from jobs.loaded import load

    lab = lab_home()
    loaded: list[LoadedRun] = [load(lab, record) for record in find_all(lab, runs)]
    if len(loaded) == 1 and not as_json:
        known = measure_names(loaded[0], selection.at)
        measures = [m for m in known if is_of(m, _measured_or_all(loaded, selection).values)]
        headers, rows = arm_rows(loaded[0], selection.arm, measures, selection.at)
        print_table(headers, rows, right=range(2, len(headers)))
        return 0
    selection = replace(selection, baseline=_run_id(lab, selection.baseline))
    if as_json:
        print_json(compare_document(loaded, replace(selection, arm=None) if len(loaded) == 1 else selection))
        return 0
    selected = select(loaded, _measured_or_all(loaded, selection))
    titles = [run.title for run in loaded]
    settings = settings_table(loaded)
    if settings:
        print_table(("what differs", *titles), [(s.name, *s.values) for s in settings])
    else:
        click.echo("the settings are the same", err=True)
    click.echo()
    for group in selected.grouping.groups:
        click.echo(clean_text(f"{group.title}: {', '.join(run.title for run in group.members)}"))
    headers, rows = run_rows(selected)
    print_table(headers, rows, right=range(2, len(headers)))
    click.echo(f"\n{METHOD}", err=True)
    for note in (selected.note, steps_note(selected.rows, selection.at)):
        if note:
            click.echo(clean_text(note), err=True)
    changed = [run.title for run in loaded if is_changed(run)]
    if changed:
        click.echo(clean_text(f"changed in flight, INCONCLUSIVE and never pooled: {', '.join(changed)}"), err=True)
    verdicts = verdict_rows(loaded)
    if verdicts:
        click.echo()
        table = [((f"· {v.criterion}" if v.criterion else v.claim), *(s or "–" for s in v.statuses)) for v in verdicts]
        whole = [("run", *(run.record.verdict or "–" for run in loaded))]
        if any(run.spec.expected for run in loaded):
            whole.append(("predicted", *(run.spec.expected or "–" for run in loaded)))
        print_table(("verdict", *titles), [*whole, *table])
    return 0


def _run_id(lab: Lab, text: str | None) -> str | None:
    from jobs import runs as verbs

    return verbs.find_run(lab, text).id if text else None


def _measured_or_all(runs: Sequence[LoadedRun], selection: Selection) -> Selection:
    """Of runs that measured nothing, take the values of the curves."""
    measured = any(run.data.measures for run in runs)
    return selection if measured or selection.values != "measured" else replace(selection, values="all")


def run_rows(selected: Selected) -> tuple[list[str], list[list[str]]]:
    """Return one row per measure and arm: mean ± sd of each run or group, and its paired difference to the baseline."""
    cells: dict[tuple[str, str], dict[str, SummaryRow]] = {}
    for row in selected.rows:
        cells.setdefault((row.measure, row.arm_title), {})[row.run] = row
    base = next((unit for unit in selected.units if unit.id == selected.baseline), None)
    others = [unit for unit in selected.units if unit is not base]
    headers = ["measure", "arm", *([f"★ {base.title}"] if base else [])]
    for unit in others:
        headers += [unit.title, "Δ", "95 %", "pairs"]
    rows = []
    for (measure, arm), found in cells.items():
        line = [measure, arm, *([spread(found.get(base.id))] if base else [])]
        for unit in others:
            row_of = found.get(unit.id)
            line += [spread(row_of), *delta(row_of.delta if row_of else None)]
        rows.append(line)
    return headers, rows


def arm_rows(
    run: LoadedRun, baseline_arm: str | None, measures: Sequence[str] | None = None, at: float | None = None
) -> tuple[list[str], list[list[str]]]:
    """Return one row per measure and arm of one run, with the paired difference to its baseline arm."""
    known = tuple(arm.name for arm in run.data.arms)
    if baseline_arm and baseline_arm not in known:
        raise NotFound(f"run {run.id} has no arm {baseline_arm!r}", nearest(baseline_arm, known))
    rows = [
        [row.measure, row.arm_title, spread(row), *delta(row.arm_delta)]
        for row in summary_rows([run], measures=measures, arm_baseline=baseline_arm, at=at)
    ]
    return ["measure", "arm", "mean ± sd", "Δ", "95 %", "pairs"], rows


def export_runs(runs: tuple[str, ...], path: str, kind: str, selection: Selection, force: bool, as_json: bool) -> int:
    """Write runs as CSV and say where."""
    lab = lab_home()
    selection = replace(selection, baseline=_run_id(lab, selection.baseline))
    written = write_csv(lab, find_all(lab, runs), Path(path), kind, selection, overwrite=force)
    if as_json:
        print_json({"schema": 1, "files": [str(file) for file in written]})
    else:
        for file in written:
            click.echo(str(file))
    return 0


def write_csv(
    lab: Lab, records: list[RunRecord], path: Path, kind: str, selection: Selection | None, *, overwrite: bool
) -> list[Path]:
    """Write runs as CSV; the lab's own exports folder is made where it is missing."""
    from genlab_tui.export import export_csv
    from genlab_tui.safe_io import make_private_dir
    from jobs.loaded import load

    if path.parent == lab.exports:
        make_private_dir(lab.exports)
    return export_csv([load(lab, record) for record in records], kind, path, selection, overwrite)
