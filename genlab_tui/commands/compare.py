"""Compare runs as text or JSON, and export them as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from genlab_tui.commands.output import print_json, print_table
from genlab_tui.errors import GenlabError, NotFound, nearest
from genlab_tui.paths import Lab, lab_home
from genlab_tui.run import RunRecord
from genlab_tui.stats import Summary
from genlab_tui.summary import METHOD, LoadedRun, SummaryRow, pairing_note, summary_rows
from genlab_tui.text import clean_text, human_number


def find_all(lab: Lab, texts: tuple[str, ...]) -> list[RunRecord]:
    """Return the runs that texts name, each once, in their order."""
    from jobs import runs as verbs

    found = {record.id: record for record in (verbs.find_run(lab, text) for text in texts)}
    return list(found.values())


def compare_runs(runs: tuple[str, ...], baseline: str | None, arm: str | None, every: bool, as_json: bool) -> int:
    """Print a comparison: settings that differ, numbers with paired differences, verdicts.

    The numbers are the runs' measures; with `every`, the final and the best value of each curve too.
    """
    from genlab_tui.compare import compare_document, settings_table, verdict_rows
    from jobs import runs as verbs
    from jobs.loaded import load

    lab = lab_home()
    loaded: list[LoadedRun] = [load(lab, record) for record in find_all(lab, runs)]
    base = verbs.find_run(lab, baseline).id if baseline else None
    if as_json:
        print_json(compare_document(loaded, base))
        return 0
    titles = [run.title for run in loaded]
    if len(loaded) == 1:
        headers, rows = arm_rows(loaded[0], arm, None if every else plain_measures(loaded))
        print_table(headers, rows, right=range(2, len(headers)))
        return 0
    if arm:
        raise GenlabError("--arm compares the arms of one run", "give one run, or leave --arm out")
    settings = settings_table(loaded)
    if settings:
        print_table(("what differs", *titles), [(s.name, *s.values) for s in settings])
    else:
        click.echo("the settings are the same", err=True)
    click.echo()
    headers, rows = run_rows(loaded, base, None if every else plain_measures(loaded))
    print_table(headers, rows, right=range(2, len(headers)))
    click.echo(f"\n{METHOD}", err=True)
    note = pairing_note(loaded, base)
    if note:
        click.echo(clean_text(note), err=True)
    verdicts = verdict_rows(loaded)
    if verdicts:
        click.echo()
        table = [((f"· {v.criterion}" if v.criterion else v.claim), *(s or "–" for s in v.statuses)) for v in verdicts]
        print_table(("verdict", *titles), [("run", *(run.record.verdict or "–" for run in loaded)), *table])
    return 0


def plain_measures(runs: Sequence[LoadedRun]) -> list[str] | None:
    """Return the measures that the runs report, without those derived from curves; None where there are none."""
    return list(dict.fromkeys(name for run in runs for name in run.data.measures)) or None


def run_rows(
    runs: Sequence[LoadedRun], baseline: str | None, measures: Sequence[str] | None = None
) -> tuple[list[str], list[list[str]]]:
    """Return one row per measure and arm: mean ± sd of each run, and its paired difference to the baseline run."""
    base = next((run for run in runs if run.id == baseline), runs[0])
    cells: dict[tuple[str, str], dict[str, SummaryRow]] = {}
    for row in summary_rows(runs, base.id, measures):
        cells.setdefault((row.measure, row.arm_title), {})[row.run] = row
    headers = ["measure", "arm"]
    for run in [base, *(r for r in runs if r is not base)]:
        headers.append(("★ " if run is base else "") + run.title)
        if run is not base:
            headers += ["Δ", "95 %", "pairs"]
    rows = []
    for (measure, arm), found in cells.items():
        line = [measure, arm, _spread(found.get(base.id))]
        for run in runs:
            if run is not base:
                row_of = found.get(run.id)
                line += [_spread(row_of), *_delta(row_of.delta if row_of else None)]
        rows.append(line)
    return headers, rows


def arm_rows(
    run: LoadedRun, baseline_arm: str | None, measures: Sequence[str] | None = None
) -> tuple[list[str], list[list[str]]]:
    """Return one row per measure and arm of one run, with the paired difference to its baseline arm."""
    known = tuple(arm.name for arm in run.data.arms)
    if baseline_arm and baseline_arm not in known:
        raise NotFound(f"run {run.id} has no arm {baseline_arm!r}", nearest(baseline_arm, known))
    rows = [
        [row.measure, row.arm_title, _spread(row), *_delta(row.arm_delta)]
        for row in summary_rows([run], measures=measures, arm_baseline=baseline_arm)
    ]
    return ["measure", "arm", "mean ± sd", "Δ", "95 %", "pairs"], rows


def _spread(row: SummaryRow | None) -> str:
    if row is None or not row.value.n:
        return "–"
    spread = f" ± {human_number(row.value.sd, 2)}" if row.value.n > 1 else ""
    return human_number(row.value.mean) + spread


def _delta(delta: Summary | None) -> list[str]:
    if delta is None or not delta.n:
        return ["", "", ""]
    interval = f"[{human_number(delta.low, 3)}, {human_number(delta.high, 3)}]" if delta.n > 1 else "–"
    sign = "+" if delta.mean > 0 else ""
    return [sign + human_number(delta.mean, 3), interval, str(delta.n)]


def export_runs(runs: tuple[str, ...], path: str, kind: str, baseline: str | None, force: bool, as_json: bool) -> int:
    """Write runs as CSV and say where."""
    from jobs import runs as verbs

    lab = lab_home()
    base = verbs.find_run(lab, baseline).id if baseline else None
    written = write_csv(lab, find_all(lab, runs), Path(path), kind, base, overwrite=force)
    if as_json:
        print_json({"schema": 1, "files": [str(file) for file in written]})
    else:
        for file in written:
            click.echo(str(file))
    return 0


def write_csv(
    lab: Lab, records: list[RunRecord], path: Path, kind: str, baseline: str | None, *, overwrite: bool
) -> list[Path]:
    """Write runs as CSV; the lab's own exports folder is made where it is missing."""
    from genlab_tui.export import export_csv
    from genlab_tui.safe_io import make_private_dir
    from jobs.loaded import load

    if path.parent == lab.exports:
        make_private_dir(lab.exports)
    return export_csv([load(lab, record) for record in records], kind, path, baseline, overwrite)
