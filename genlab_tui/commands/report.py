"""Write the report of runs as Markdown and HTML."""

from __future__ import annotations

from pathlib import Path

import click

from genlab_tui.commands.compare import find_all
from genlab_tui.commands.output import print_json
from genlab_tui.errors import BadValue
from genlab_tui.paths import lab_home
from genlab_tui.run import RunRecord


def report_runs(
    runs: tuple[str, ...], form: str | None, out: str | None, baseline: str | None, force: bool, as_json: bool
) -> int:
    """Write the report of runs and print the files written; with `-` as the file, print the report itself.

    Without a format, a file's ending says which; else it is both.
    """
    from genlab_tui.report import FORMATS, SUFFIXES, make_report, write_report
    from genlab_tui.safe_io import make_private_dir
    from jobs import runs as verbs
    from jobs.loaded import load

    lab = lab_home()
    records = find_all(lab, runs)
    base = verbs.find_run(lab, baseline).id if baseline else None
    ending = SUFFIXES.get(Path(out).suffix.lower()) if out else None
    formats = ("md", "html") if form == "both" or not (form or ending) else (form or ending or "md",)
    if out == "-":
        if form == "both" or as_json:
            raise BadValue("only one report fits on stdout", "give --format md or --format html, and no --json")
        click.echo(FORMATS[form or "md"](make_report([load(lab, record) for record in records], base)), nl=False)
        return 0
    if out is None:
        make_private_dir(lab.exports)
    files = write_report([load(lab, record) for record in records], formats, out or lab.exports, base, overwrite=force)
    if as_json:
        print_json({"schema": 1, "runs": [_brief(record) for record in records], "files": [str(f) for f in files]})
    else:
        for file in files:
            click.echo(str(file))
    return 0


def _brief(record: RunRecord) -> dict[str, str | None]:
    return {"id": record.id, "state": str(record.state), "verdict": record.verdict or None}
