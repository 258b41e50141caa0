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
from genlab_tui.errors import GenlabError, nearest

COMPLETE = "_GENLAB_TUI_COMPLETE"
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": "GENLAB"}


class Group(click.Group):
    """A group that keeps the order of declaration and suggests the nearest command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands as declared."""
        return list(self.commands)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command; an unknown one is answered with the nearest."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            hint = nearest(args[0], tuple(self.commands))
            raise click.UsageError(f"there is no command {args[0]!r}: {hint}", ctx)
        return super().resolve_command(ctx, args)


class PhenomenonCommand(click.Command):
    """A command whose help ends with the catalogue, or with the fields of the phenomenon that was named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember what was typed, for the help."""
        ctx.meta["genlab.typed"] = list(args)
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the catalogue or the fields."""
        from genlab_tui.commands.phenomena import write_help

        write_help(formatter, ctx.meta.get("genlab.typed", []))


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


JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
RUN_IDS = click.argument("runs", nargs=-1, required=True, metavar="RUN...")


@main.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
def tui(runs: tuple[str, ...] = ()) -> int:
    """Open the app (on the live view of RUN, where given)."""
    from genlab_tui.commands.tui import open_app

    return open_app(runs)


@main.command()
@click.option("--first-seed", type=int, default=0, show_default=True, help="The first of its 3 seeds.")
@click.option("--csv", "csv_path", metavar="FILE", help="Where the CSV goes (default: the lab's exports folder).")
def demo(first_seed: int, csv_path: str | None) -> int:
    """Train true against random labels on digits, 3 seeds: live in a terminal, as text without one."""
    from genlab_tui.commands.demo import run_demo

    return run_demo(first_seed, csv_path)


@main.command(cls=PhenomenonCommand)
@click.argument("phenomenon")
@click.option(
    "--preset",
    default="quick",
    show_default=True,
    help="A named config; every phenomenon has quick, standard and paper.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Override a field of the preset; repeatable."
)
@click.option("--on", multiple=True, metavar="R[=STRENGTH]", help="Turn a regulariser on; repeatable.")
@click.option("--off", multiple=True, metavar="R", help="Turn a regulariser of the preset off; repeatable.")
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
@click.option("--name", default="", help="A name to find the run by.")
@click.option("--hold", is_flag=True, help="Queue it held: it starts after `genlab-tui queue release`.")
@click.option("--wait", is_flag=True, help="Wait for the end, with progress on stderr; without it, return once queued.")
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
@click.option("-n", "--limit", type=click.IntRange(min=1), help="At most this many, newest first.")
@click.option("--trash", is_flag=True, help="The runs in the trash instead.")
@JSON
def list_(state: str | None, phenomenon: str | None, limit: int | None, trash: bool, as_json: bool) -> int:
    """List the runs, newest first."""
    from genlab_tui.commands.listing import list_runs

    return list_runs(state, phenomenon, limit, trash, as_json)


@main.command()
@click.argument("run")
@JSON
def show(run: str, as_json: bool) -> int:
    """Show one run: state, config, numbers, verdict."""
    from genlab_tui.commands.listing import show_run

    return show_run(run, as_json)


@main.command()
@click.argument("run")
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
@click.argument("run", metavar="RUN")
@click.argument("regulariser", metavar="REGULARISER[=STRENGTH|=off]")
def change(run: str, regulariser: str) -> int:
    """Change a regulariser of a run in training, from its next epoch on. Such a run is never SHOWN."""
    from genlab_tui.commands.control import change_run

    return change_run(run, regulariser)


@main.command(name="rm")
@RUN_IDS
@click.option("--undo", is_flag=True, help="Take them out of the trash again.")
def remove(runs: tuple[str, ...], undo: bool) -> int:
    """Put runs in the trash (nothing is erased)."""
    from genlab_tui.commands.control import apply

    return apply("restore" if undo else "trash", runs)


@main.command()
@click.argument("run")
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
@click.argument("run")
@click.option("--before", metavar="RUN", help="In front of this one (default: to the end).")
def queue_move(run: str, before: str | None) -> int:
    """Move a queued run."""
    from genlab_tui.commands.control import move_run

    return move_run(run, before)


@main.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN [RUN]...")
@click.option("--baseline", metavar="RUN", help="The run that deltas are taken to (default: the first).")
@click.option("--arm", "baseline_arm", metavar="ARM", help="With one run: the arm that the others are compared to.")
@click.option("--all", "every", is_flag=True, help="The final and the best value of every curve too.")
@JSON
def compare(runs: tuple[str, ...], baseline: str | None, baseline_arm: str | None, every: bool, as_json: bool) -> int:
    """Compare runs: what differs, the summary with differences paired by seed, the verdicts."""
    from genlab_tui.commands.compare import compare_runs

    return compare_runs(runs, baseline, baseline_arm, every, as_json)


@main.command()
@RUN_IDS
@click.option("--csv", "path", required=True, metavar="FILE", help="The file to write.")
@click.option(
    "--kind",
    type=click.Choice(["all", "summary", "curves", "figure", "criteria"]),
    default="all",
    show_default=True,
    help="What to write; `all` writes FILE (summary) and FILE-curves, FILE-figure, FILE-criteria beside it.",
)
@click.option("--baseline", metavar="RUN", help="The run that deltas are taken to (default: the first).")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@JSON
def export(runs: tuple[str, ...], path: str, kind: str, baseline: str | None, force: bool, as_json: bool) -> int:
    """Export runs as CSV: summary, tidy curves, figure points, criteria."""
    from genlab_tui.commands.compare import export_runs

    return export_runs(runs, path, kind, baseline, force, as_json)


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
@click.option("--preset", default="quick", show_default=True, help="A named config.")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Override a field; repeatable.")
@click.option("--on", multiple=True, metavar="R[=STRENGTH]", help="Turn a regulariser on; repeatable.")
@click.option("--off", multiple=True, metavar="R", help="Turn a regulariser of the preset off; repeatable.")
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
