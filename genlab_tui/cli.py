"""The command line: one thin function a command. Data goes to stdout, messages to stderr.

Only click is imported here: `--help` must not wait for textual or torch. Each body lives in `commands/`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from genlab_tui import __version__
from genlab_tui.commands.options import (
    JSON,
    NAME,
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
from genlab_tui.errors import GenlabError

COMPLETE = "_GENLAB_TUI_COMPLETE"
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": "GENLAB"}


def run_cli(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; errors become one line on stderr."""
    try:
        if COMPLETE in os.environ:
            main.main(args=list(arguments), prog_name="genlab-tui", complete_var=COMPLETE)
        # Not main.main(): it turns a closed pipe into exit code 1 before anybody can tell it from a failure.
        with main.make_context("genlab-tui", list(arguments)) as context:
            result = main.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    except GenlabError as error:
        from genlab_tui.text import clean_text

        click.echo(f"genlab-tui: {clean_text(error.message, 2000)}", err=True)
        if error.hint:
            click.echo(f"  {clean_text(error.hint, 2000)}", err=True)
        return error.exit_code
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`): there is nothing more to say, also not at the interpreter's exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0


@click.group(cls=Group, invoke_without_command=True, context_settings=CONTEXT)
@click.option("--home", metavar="DIR", help="The lab directory (default: GENLAB_HOME, else your data directory).")
@click.version_option(__version__, "-V", "--version", prog_name="genlab-tui")
@click.pass_context
def main(ctx: click.Context, home: str | None) -> int | None:
    """A terminal lab for the science of generalisation: launch, watch, compare and judge.

    Without a command it opens the app.
    """
    if home:
        os.environ["GENLAB_HOME"] = os.path.abspath(os.path.expanduser(home))  # noqa: PTH100, PTH111 - pathlib is slow to load
    if ctx.invoked_subcommand is None:
        result: int = ctx.invoke(tui)
        return result
    return None


@main.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters alone (GENLAB_ASCII=1).")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal (GENLAB_MOUSE=0).")
def tui(runs: tuple[str, ...] = (), ascii_only: bool = False, no_mouse: bool = False) -> int:
    """Open the app (on the live view of RUN, where given)."""
    from genlab_tui.commands.tui import open_app

    return open_app(runs, ascii_only=ascii_only, mouse=not no_mouse)


@main.command()
@click.option("--first-seed", type=int, default=0, show_default=True, help="The first of its 3 seeds.")
@click.option("--csv", "csv_path", metavar="FILE", help="Where the CSV goes (default: the lab's exports folder).")
def demo(first_seed: int, csv_path: str | None) -> int:
    """Train true against random labels on digits, 3 seeds: live in a terminal, as text without one."""
    from genlab_tui.commands.demo import run_demo

    return run_demo(first_seed, csv_path)


@main.command(cls=PhenomenonCommand)
@click.argument("phenomenon")
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
@click.option(
    "--expect", metavar="VERDICT", default="", help="The verdict you expect: shown, not-shown or inconclusive."
)
@click.option("--predict", metavar="TEXT", default="", help="What you expect, in your own words; kept with the run.")
@click.option("--hold", is_flag=True, help="Queue it held: it starts after `genlab-tui queue release`.")
@WAIT
@JSON
def run(**options: Any) -> int:
    """Launch a PHENOMENON: queue it, record it, and (with --wait) follow it to its verdict.

    Exit code 0 when it is queued, or with --wait when it ended done, whatever the verdict.
    """
    from genlab_tui.commands.run import launch

    return launch(**options)


@main.command(name="ls")
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


@main.command()
@RUN
@JSON
def show(run: str, as_json: bool) -> int:
    """Show one run: state, config, numbers, verdict."""
    from genlab_tui.commands.listing import show_run

    return show_run(run, as_json)


@main.command()
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


_declare(main, "pause", "Pause running runs; each keeps its slot.")
_declare(main, "resume", "Let paused runs go on; continue stopped, killed or lost ones from where they were.")
_declare(main, "stop", "Stop runs at a checkpoint; `resume` continues them.")
_declare(main, "retry", "Try ended runs again; finished parts are kept.")


@main.command()
@RUN
@click.argument("regulariser", metavar="[REGULARISER[=STRENGTH|=off]]", default="")
@click.option("--withdraw", is_flag=True, help="Take back what was asked for (of all, without a REGULARISER).")
def change(run: str, regulariser: str, withdraw: bool) -> int:
    """Change a regulariser of a run in training, from its next epoch on. Such a run is never SHOWN."""
    from genlab_tui.commands.control import change_run, withdraw_changes

    return withdraw_changes(run, regulariser) if withdraw else change_run(run, regulariser)


@main.command()
@RUN
@settings("the run")
@click.option("--data", metavar="NAME", help="Another data set.")
@click.option("--seeds", type=int, help="Another number of seeds.")
@click.option(
    "--from-checkpoint", is_flag=True, help="Go on from its checkpoint; regularisers alone can change, as in flight."
)
@NAME
@WAIT
@JSON
def fork(run: str, **options: Any) -> int:
    """Launch a RUN once more with something changed; its id goes to stdout. Exit codes as `run`."""
    from genlab_tui.commands.branch import fork_run

    return fork_run(run, **options)


@main.command()
@RUN
@click.argument("count", type=int)
@NAME
@WAIT
@JSON
def seeds(run: str, count: int, name: str, wait: bool, as_json: bool) -> int:
    """Give a finished RUN so many (COUNT) more seeds: a run of all of them, of which only the new ones are trained."""
    from genlab_tui.commands.branch import add_seeds

    return add_seeds(run, count, name, wait, as_json)


@main.command(name="rm")
@RUN_IDS
@click.option("--undo", is_flag=True, help="Take them out of the trash again.")
def remove(runs: tuple[str, ...], undo: bool) -> int:
    """Put runs in the trash (nothing is erased)."""
    from genlab_tui.commands.control import apply

    return apply("restore" if undo else "trash", runs)


@main.command()
@RUN
@click.option("--name", help="A new name (empty: none).")
@click.option("--tag", "tags", multiple=True, help="A tag to add; repeatable.")
@click.option("--untag", "untags", multiple=True, help="A tag to remove; repeatable.")
@click.option("--note", help="A note (empty: none).")
def edit(run: str, name: str | None, tags: tuple[str, ...], untags: tuple[str, ...], note: str | None) -> int:
    """Name, tag or annotate a run."""
    from genlab_tui.commands.control import edit_run

    return edit_run(run, name, tags, untags, note)


@main.group(cls=Group, invoke_without_command=True)
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


@main.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN [RUN]...")
@SELECTION
@click.option("--all", "every", is_flag=True, help="All numbers: short for --values all.")
@JSON
def compare(runs: tuple[str, ...], every: bool, as_json: bool, **options: Any) -> int:
    """Compare runs: what differs, the summary with differences paired by seed, the verdicts."""
    from genlab_tui.commands.compare import compare_runs

    return compare_runs(runs, selected(options, "all" if every or as_json else "measured"), as_json)


@main.command()
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


@main.command()
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


@main.command()
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


@main.group(cls=Group, invoke_without_command=True)
@JSON
@click.pass_context
def data(ctx: click.Context, as_json: bool) -> int | None:
    """List the data sets: what is here, where, how large; fetch those that are not."""
    if ctx.invoked_subcommand is not None:
        return None
    from genlab_tui.commands.data import list_data

    return list_data(as_json)


@data.command(name="fetch")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def data_fetch(names: tuple[str, ...]) -> int:
    """Fetch data sets, with a progress bar."""
    from genlab_tui.commands.data import fetch_data

    return fetch_data(names)


@main.command()
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="As the documentation has it: the table, or the page of one.")
@JSON
def phenomena(name: str | None, markdown: bool, as_json: bool) -> int:
    """List the phenomena, or describe one: question, claims, fields, presets, papers."""
    from genlab_tui.commands.phenomena import describe, list_phenomena

    return describe(name, as_json, markdown) if name else list_phenomena(as_json, markdown)


@main.command(cls=PhenomenonCommand)
@click.argument("phenomenon")
@click.option(
    "--replicas", "count", type=click.IntRange(min=1), default=20, show_default=True, help="How many verdicts."
)
@PRESET
@settings("the preset")
@click.option("--seeds", type=click.IntRange(min=1), help="Seeds of each replica (default: the preset's).")
@click.option("--first-seed", type=int, default=10_000, show_default=True, help="The first seed of the first replica.")
@click.option("--data", metavar="NAME", help="The data set (default: the preset's).")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda:N", help="Where it trains.")
@click.option("--markdown", is_flag=True, help="As a section of the documentation.")
@JSON
def verify(**options: Any) -> int:
    """Judge a PHENOMENON many times over on disjoint blocks of fresh seeds, trained as one run.

    Prints how often it was SHOWN, NOT SHOWN and INCONCLUSIVE, and how often its negative controls fired. The run is
    stored: the same command again continues one that was interrupted, or prints one that is done.
    """
    from genlab_tui.commands.verify import verify as verify_phenomenon

    return verify_phenomenon(**options)


@main.command()
@click.option("--rebuild", is_flag=True, help="Write the run index anew from the run directories.")
@JSON
def doctor(rebuild: bool, as_json: bool) -> int:
    """Check this machine, the installation and the lab; exit code 1 where something is wrong."""
    from genlab_tui.commands.doctor import check_up

    return check_up(rebuild, as_json)


@main.command()
@click.option("--training", is_flag=True, help="Only training on the CPU.")
@click.option("--gpu", is_flag=True, help="Only training on a GPU.")
@click.option("--start", is_flag=True, help="Only how fast it starts.")
@click.option("--store", is_flag=True, help="Only the run index.")
@click.option("--chart", is_flag=True, help="Only the charts.")
@click.option("--ui", is_flag=True, help="Only the screens: keys, CPU, memory, bytes to the terminal; two minutes.")
@click.option("--repeats", type=click.IntRange(3, 101), default=5, show_default=True, help="Interleaved repeats.")
@JSON
def bench(repeats: int, as_json: bool, **groups: bool) -> int:
    """Measure this machine: ratios to plain programs, side by side in one run; minutes."""
    from genlab_tui.commands.bench import run_bench

    return run_bench(groups, repeats, as_json)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of a SHELL, to be sourced from its start-up file."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise GenlabError(f"no completion for {shell}")
    click.echo(found(main, {}, "genlab-tui", COMPLETE).source())
    return 0
