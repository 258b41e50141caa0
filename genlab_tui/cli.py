"""The command line: how it is run, and the commands that open the app. Data goes to stdout, messages to stderr.

Each command is one thin function, here or in `cli_runs` and `cli_lab`, whose body lives in `commands/`. These three
import click alone: `--help` must not wait for textual or torch.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from genlab_tui import __version__
from genlab_tui.cli_lab import LAB_COMMANDS
from genlab_tui.cli_runs import RUN_COMMANDS
from genlab_tui.commands.options import Group
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


for command in (*RUN_COMMANDS.commands.values(), *LAB_COMMANDS.commands.values()):
    main.add_command(command)


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
