"""Launch a run, and follow it to its end on request."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.paths import Lab, lab_home
from genlab_tui.run import OWN_SAMPLES, RunRecord, RunState
from genlab_tui.text import clean_text, human_bytes, human_seconds


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Return `FIELD=VALUE` texts as a dict; raises BadValue for a text of another form."""
    values = {}
    for setting in settings:
        name, given, value = setting.partition("=")
        if not given or not name.strip():
            raise BadValue(f"--set {setting!r} is not FIELD=VALUE", "for example --set n=1000")
        values[name.strip()] = value
    return values


def launch(
    phenomenon: str,
    preset: str,
    settings: Sequence[str],
    on: Sequence[str],
    off: Sequence[str],
    arms: Sequence[str],
    seeds: int | None,
    first_seed: int,
    data: str | None,
    device: str,
    name: str,
    expect: str,
    predict: str,
    hold: bool,
    wait: bool,
    as_json: bool,
) -> int:
    """Queue and record a run; with `wait`, follow it and report. Returns the exit code."""
    from genlab_tui import regularisers
    from genlab_tui.run import check_name
    from jobs import runs as verbs
    from jobs.request import build_spec

    if hold and wait:
        raise BadValue("--hold and --wait exclude each other", "a held run never starts by itself")
    lab = lab_home()
    spec = build_spec(
        phenomenon,
        lab=lab,
        preset=preset,
        values=parse_settings(settings),
        on=dict(regularisers.parse(text) for text in on),
        off=[regularisers.get(text).name for text in off],
        arms=tuple(arms),
        seeds=seeds,
        first_seed=first_seed,
        data=data,
        device=device,
        expected=expect,
        prediction=predict,
    )
    record = verbs.submit(lab, spec, name=check_name(name), held=hold)
    announce_cost(spec)
    return report(lab, record, wait, as_json)


def report(lab: Lab, record: RunRecord, wait: bool, as_json: bool) -> int:
    """Say of a run just launched what its id is or, with `wait`, how it ended. Returns the exit code."""
    from genlab_tui.commands.listing import print_run, show_run

    if not wait:
        if as_json:
            print_run(lab, record)
        else:
            click.echo(record.id)
            click.echo(f"queued; follow it with: genlab-tui logs -f {record.id}, or open genlab-tui", err=True)
        return 0
    record = follow(lab, record.id)
    if as_json:
        print_run(lab, record)
    else:
        show_run(record.id, False)
    return 0 if record.state is RunState.DONE else 1


def announce_cost(spec: Any) -> None:
    """Say on stderr what a run will cost."""
    from genlab_tui import phenomena

    phenomenon = phenomena.get(spec.phenomenon)
    cost = phenomenon.estimate(phenomenon.config_of(spec), spec)
    click.echo(
        f"{spec.phenomenon} on {spec.data or OWN_SAMPLES}: {cost.members} members, "
        f"about {human_seconds(cost.seconds)}, {human_bytes(cost.bytes)}",
        err=True,
    )


def follow(lab: Lab, run_id: str, before: str = "") -> RunRecord:
    """Wait for the end of a run, showing its progress on stderr after `before`; an interrupt leaves the run going.

    On a terminal one line is redrawn; elsewhere a line is printed at every tenth. Raises KeyboardInterrupt.
    """
    from jobs import runs as verbs
    from jobs.tail import RunReader

    reader = RunReader(lab.run(run_id))
    live = sys.stderr.isatty()
    tenth = -1
    label = ""
    try:
        while True:
            record = verbs.find_run(lab, run_id)
            reader.read_all()
            progress = reader.data().progress
            if record.state.ended:
                break
            if live:
                click.echo("\r\x1b[K" + _fitting(before + _progress_line(record, progress)), nl=False, err=True)
            elif progress and int(progress.done * 10) > tenth:
                tenth = int(progress.done * 10)
                click.echo(before + _progress_line(record, progress), err=True)
            elif record.state.value != label and not progress:
                label = record.state.value
                click.echo(f"{before}{run_id} {label}", err=True)
            time.sleep(0.3)
    except KeyboardInterrupt:
        click.echo(f"\n{run_id} goes on; stop it with: genlab-tui stop {run_id}", err=True)
        raise
    if live:
        click.echo("\r\x1b[K", nl=False, err=True)
    why = f": {clean_text(record.reason)}" if record.reason else ""
    click.echo(f"{run_id} {record.state.value}{why}", err=True)
    return record


def _progress_line(record: RunRecord, progress: Any) -> str:
    if progress is None:
        return f"{record.id} {record.state.value}"
    filled = int(progress.done * 24)
    eta = f"  ETA {human_seconds(progress.eta)}" if progress.eta >= 0 else ""
    bar = "█" * filled + "·" * (24 - filled)
    return f"{record.id} {record.state.value} {bar} {progress.done:4.0%}{eta}  {clean_text(progress.label, 60)}"


def _fitting(line: str) -> str:
    """Return a line cut to the terminal: one that wraps cannot be redrawn."""
    return line[: shutil.get_terminal_size().columns - 1]


def require_done(record: RunRecord) -> None:
    """Raise GenlabError where a run did not end done."""
    if record.state is not RunState.DONE:
        raise GenlabError(
            f"run {record.id} ended {record.state.value}: {record.reason}", f"see: genlab-tui logs {record.id}"
        )
