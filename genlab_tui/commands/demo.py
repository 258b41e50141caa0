"""The demo: true against random labels on digits, 3 seeds, from launch to CSV."""

from __future__ import annotations

import time
from pathlib import Path

import click

from genlab_tui.commands.output import print_table, print_verdict
from genlab_tui.commands.run import announce_cost, follow, require_done
from genlab_tui.commands.tui import terminal_problem
from genlab_tui.paths import Lab, lab_home

BASELINE = "true"
MEASURES = ("steps_to_fit", "train_accuracy", "train_loss", "test_accuracy", "test_loss")


def run_demo(first_seed: int, csv_path: str | None) -> int:
    """Launch the demo; in a terminal open the app on it, without one print progress, verdict, comparison, CSV path."""
    from jobs import demo
    from jobs import runs as verbs

    lab = lab_home()
    spec = demo.demo_spec(lab, first_seed)
    in_terminal = not terminal_problem()
    if not in_terminal:
        click.echo(demo.QUESTION)
        announce_cost(spec)
    record = verbs.submit(lab, spec, name=demo.NAME)
    if in_terminal:
        from genlab_tui.commands.tui import open_app

        return open_app((record.id,))
    record = follow(lab, record.id)
    require_done(record)
    verdict = (verbs.read_result(lab, record.id) or {}).get("verdict")
    click.echo()
    print_verdict(verdict)
    if verdict and verdict["status"] == "INCONCLUSIVE":
        click.echo("\nthree seeds make a quick demo; this one can decide: genlab-tui run random-labels --wait")
    click.echo(f"\ntrue against random labels, {spec.seeds} seeds, differences paired by seed (Student-t 95 %)\n")
    _print_comparison(lab, record.id)
    path = Path(csv_path) if csv_path else lab.exports / f"demo-{record.id}-{time.strftime('%Y%m%d-%H%M%S')}.csv"
    from genlab_tui.commands.compare import write_csv

    written = write_csv(lab, [record], path, "all", None, overwrite=csv_path is not None)
    click.echo("\ncurves, figures and criteria lie beside it:")
    for other in written[1:]:
        click.echo(f"  {other}")
    click.echo(f"CSV: {written[0]}")
    return 0


def _print_comparison(lab: Lab, run_id: str) -> None:
    from genlab_tui.commands.compare import arm_rows
    from jobs import runs as verbs
    from jobs.loaded import load

    headers, rows = arm_rows(load(lab, verbs.find_run(lab, run_id)), BASELINE, MEASURES)
    print_table(headers, rows, right=range(2, len(headers)))
