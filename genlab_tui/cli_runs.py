"""The commands about runs and the queue: launch, list, control, compare, export, report, watch (click alone)."""

from __future__ import annotations

from typing import Any

import click

from genlab_tui.commands.options import (
    EXPECT,
    JSON,
    NAME,
    PREDICT,
    PRESET,
    RUN,
    RUN_IDS,
    SELECTION,
    WAIT,
    Group,
    PhenomenonCommand,
    selected,
    settings,
)

RUN_COMMANDS = Group()
"""In the order of the help."""


@RUN_COMMANDS.command(cls=PhenomenonCommand)
@click.argument("phenomenon", required=False, metavar="[PHENOMENON]")
@click.option(
    "--all", "every", is_flag=True, help="Every phenomenon, as one queue; with --wait, one table of verdicts."
)
@PRESET
@settings("the preset")
@click.option("--arm", "arms", multiple=True, metavar="ARM", help="Launch only this arm (or: 'noise-*'); repeatable.")
@click.option("--seeds", type=int, help="How many seeds (default: the preset's).")
@click.option("--first-seed", type=int, default=0, show_default=True, help="The first seed.")
@click.option("--data", metavar="NAME", help="The data set (default: the preset's); see `genlab-tui data`.")
@click.option(
    "--device",
    "--devices",
    "device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda:N|all",
    help="Where it trains; all: on every GPU at once.",
)
@NAME
@EXPECT
@PREDICT
@click.option("--hold", is_flag=True, help="Queue it held: it starts after `genlab-tui queue release`.")
@WAIT
@JSON
def run(phenomenon: str | None, every: bool, **options: Any) -> int:
    """Launch a PHENOMENON: queue it, record it, and (with --wait) follow it to its verdict.

    Exit code 0 when it is queued, or with --wait when it ended done (with --all: when all did), whatever the verdict.
    """
    if every and phenomenon:
        raise click.UsageError("--all and a phenomenon exclude each other: name one, or launch all")
    if every:
        from genlab_tui.commands.run_all import launch_all

        return launch_all(**options)
    if not phenomenon:
        raise click.UsageError("which phenomenon? genlab-tui phenomena lists them, --all launches every one")
    from genlab_tui.commands.run import launch

    return launch(phenomenon, **options)


@RUN_COMMANDS.command(name="ls")
@click.option("--state", help="Only runs in this state.")
@click.option("--phenomenon", help="Only runs of this phenomenon.")
@click.option(
    "--filter", "expression", metavar="EXPR", help="As / on the Runs screen, e.g. 'wd>0 or #paper'; '?' explains."
)
@click.option("-n", "--limit", type=click.IntRange(min=1), help="At most this many, newest first.")
@click.option("--trash", is_flag=True, help="The runs in the trash instead.")
@JSON
def list_(
    state: str | None, phenomenon: str | None, expression: str | None, limit: int | None, trash: bool, as_json: bool
) -> int:
    """List the runs, newest first."""
    from genlab_tui.commands.listing import list_runs

    return list_runs(state, phenomenon, expression, limit, trash, as_json)


@RUN_COMMANDS.command()
@RUN
@click.option("--all", "every", is_flag=True, help="Every measure of every arm, however many.")
@JSON
def show(run: str, every: bool, as_json: bool) -> int:
    """Show one run: state, config, verdict, numbers."""
    from genlab_tui.commands.listing import show_run

    return show_run(run, as_json, every)


@RUN_COMMANDS.command()
@RUN
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
def logs(run: str, follow: bool) -> int:
    """Print what the worker of a run printed."""
    from genlab_tui.commands.listing import print_logs

    return print_logs(run, follow)


def _declare(group: click.Group, verb: str, text: str) -> None:
    """Declare a command that applies one verb of `jobs.runs` to every run named."""

    def body(runs: tuple[str, ...]) -> int:
        from genlab_tui.commands.control import apply

        return apply(verb, runs)

    group.command(name=verb, help=text)(RUN_IDS(body))


_declare(RUN_COMMANDS, "pause", "Pause running runs; each keeps its slot.")
_declare(RUN_COMMANDS, "resume", "Let paused runs go on; continue stopped, killed or lost ones from where they were.")
_declare(RUN_COMMANDS, "stop", "Stop runs at a checkpoint; `resume` continues them.")
_declare(RUN_COMMANDS, "retry", "Try ended runs again; finished parts are kept.")


@RUN_COMMANDS.command()
@RUN
@click.argument("regulariser", metavar="[REGULARISER[=STRENGTH|=off]]", default="")
@click.option("--withdraw", is_flag=True, help="Take back what was asked for (of all, without a REGULARISER).")
def change(run: str, regulariser: str, withdraw: bool) -> int:
    """Change a regulariser of a run in training, from its next epoch on. Such a run is never SHOWN."""
    from genlab_tui.commands.control import change_run, withdraw_changes

    return withdraw_changes(run, regulariser) if withdraw else change_run(run, regulariser)


@RUN_COMMANDS.command()
@RUN
@settings("the run")
@click.option("--data", metavar="NAME", help="Another data set.")
@click.option("--seeds", type=int, help="Another number of seeds.")
@click.option(
    "--from-checkpoint", is_flag=True, help="Go on from its checkpoint; regularisers alone can change, as in flight."
)
@NAME
@EXPECT
@PREDICT
@WAIT
@JSON
def fork(run: str, **options: Any) -> int:
    """Launch a RUN once more with something changed; its id goes to stdout. Exit codes as `run`."""
    from genlab_tui.commands.branch import fork_run

    return fork_run(run, **options)


@RUN_COMMANDS.command()
@RUN
@click.argument("count", type=int)
@NAME
@EXPECT
@PREDICT
@WAIT
@JSON
def seeds(run: str, count: int, **options: Any) -> int:
    """Give a finished RUN so many (COUNT) more seeds: a run of all of them, of which only the new ones are trained."""
    from genlab_tui.commands.branch import add_seeds

    return add_seeds(run, count, **options)


@RUN_COMMANDS.command(name="rm")
@RUN_IDS
@click.option("--undo", is_flag=True, help="Take them out of the trash again.")
def remove(runs: tuple[str, ...], undo: bool) -> int:
    """Put runs in the trash (nothing is erased)."""
    from genlab_tui.commands.control import apply

    return apply("restore" if undo else "trash", runs)


@RUN_COMMANDS.command()
@RUN
@click.option("--name", help="A new name (empty: none).")
@click.option("--tag", "tags", multiple=True, help="A tag to add; repeatable.")
@click.option("--untag", "untags", multiple=True, help="A tag to remove; repeatable.")
@click.option("--note", help="A note (empty: none).")
def edit(run: str, name: str | None, tags: tuple[str, ...], untags: tuple[str, ...], note: str | None) -> int:
    """Name, tag or annotate a run."""
    from genlab_tui.commands.control import edit_run

    return edit_run(run, name, tags, untags, note)


@RUN_COMMANDS.group(cls=Group, invoke_without_command=True)
@JSON
@click.pass_context
def queue(ctx: click.Context, as_json: bool) -> int | None:
    """Show the queue and the devices; hold, release, cancel or move what waits."""
    if ctx.invoked_subcommand is not None:
        return None
    from genlab_tui.commands.listing import show_queue

    return show_queue(as_json)


_declare(queue, "hold", "Keep queued runs from starting.")
_declare(queue, "release", "Let held runs start when their turn comes.")
_declare(queue, "cancel", "Take queued runs off the queue; `retry` queues them again.")


@queue.command(name="move")
@RUN
@click.option("--before", metavar="RUN", help="In front of this one (default: to the end).")
def queue_move(run: str, before: str | None) -> int:
    """Move a queued run."""
    from genlab_tui.commands.control import move_run

    return move_run(run, before)


@RUN_COMMANDS.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN [RUN]...")
@SELECTION
@click.option("--all", "every", is_flag=True, help="All numbers: short for --values all.")
@JSON
def compare(runs: tuple[str, ...], every: bool, as_json: bool, **options: Any) -> int:
    """Compare runs: what differs, the summary with differences paired by seed, the verdicts."""
    from genlab_tui.commands.compare import compare_runs

    return compare_runs(runs, selected(options, "all" if every or as_json else "measured"), as_json)


@RUN_COMMANDS.command()
@RUN_IDS
@click.option("--csv", "path", required=True, metavar="FILE", help="The file to write.")
@click.option(
    "--kind",
    type=click.Choice(["all", "summary", "curves", "figure", "criteria", "means", "settings"]),
    default="all",
    show_default=True,
    help="What to write; `all` writes FILE (summary), and FILE-curves, FILE-figure and so on beside it.",
)
@SELECTION
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@JSON
def export(runs: tuple[str, ...], path: str, kind: str, force: bool, as_json: bool, **options: Any) -> int:
    """Export runs as CSV: summary, tidy curves, their means and differences, figure points, criteria, settings."""
    from genlab_tui.commands.compare import export_runs

    return export_runs(runs, path, kind, selected(options, "all"), force, as_json)


@RUN_COMMANDS.command()
@RUN_IDS
@click.option("--format", "form", type=click.Choice(["md", "html", "both"]), help="What to write (default: both).")
@click.option("--out", metavar="FILE|DIR", help="Where it goes (default: the lab's exports folder; -: stdout).")
@click.option("--baseline", metavar="RUN", help="The run that deltas are taken to (default: the first).")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@JSON
def report(
    runs: tuple[str, ...], form: str | None, out: str | None, baseline: str | None, force: bool, as_json: bool
) -> int:
    """Write a report of runs: question, verdict, figures, published numbers, config, BibTeX, how to reproduce it.

    Markdown and HTML, each one file that needs no other.
    """
    from genlab_tui.commands.report import report_runs

    return report_runs(runs, form, out, baseline, force, as_json)


@RUN_COMMANDS.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--once", is_flag=True, help="Print one frame and exit.")
@click.option("--width", type=click.IntRange(20, 500), help="Columns (default: the terminal's, else 80).")
@click.option("--height", type=click.IntRange(6, 200), help="Lines (default: the terminal's, else 24).")
@click.option("--panels", type=click.IntRange(0, 6), default=2, show_default=True, help="How many charts.")
@click.option("--plain", is_flag=True, help="ASCII, no colours, lines only: for logs and screen readers.")
def watch(runs: tuple[str, ...], once: bool, width: int | None, height: int | None, panels: int, plain: bool) -> int:
    """Watch runs as text until they end: charts, progress, ETA, the criteria so far, then the verdict.

    Without a RUN, the one that started last. Exit code 0 when they ended, whatever the verdict.
    """
    from genlab_tui.commands.watch import watch_runs

    return watch_runs(runs, once, width, height, panels, plain)
