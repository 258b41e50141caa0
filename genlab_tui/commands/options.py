"""What several commands are declared with: the group and its help, and the options that they share (click alone)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from genlab_tui.errors import nearest

Decorator = Callable[[Any], Any]

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
RUN = click.argument("run", metavar="RUN")
RUN_IDS = click.argument("runs", nargs=-1, required=True, metavar="RUN...")
NAME = click.option("--name", default="", help="A name to find the run by.")
WAIT = click.option(
    "--wait", is_flag=True, help="Wait for the end, with progress on stderr; without it, return once queued."
)
EXPECT = click.option(
    "--expect", metavar="VERDICT", default="", help="The verdict you expect: shown, not-shown or inconclusive."
)
PREDICT = click.option(
    "--predict", metavar="TEXT", default="", help="What you expect, in your own words; kept with the run."
)
PRESET = click.option(
    "--preset",
    default="quick",
    show_default=True,
    help="A named config; every phenomenon has quick, standard and paper.",
)


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


def together(*options: Decorator) -> Decorator:
    """Return options as one decorator; the help shows them in this order."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def settings(of: str) -> Decorator:
    """Return the options that change a config; `of` is what is changed: `the preset`, `the run`."""
    return together(
        click.option(
            "--set", "settings", multiple=True, metavar="FIELD=VALUE", help=f"Override a field of {of}; repeatable."
        ),
        click.option("--on", multiple=True, metavar="R[=STRENGTH]", help="Turn a regulariser on; repeatable."),
        click.option("--off", multiple=True, metavar="R", help=f"Turn a regulariser of {of} off; repeatable."),
    )


SELECTION = together(
    click.option("--baseline", metavar="RUN", help="What deltas are taken to (default: the first run)."),
    click.option("--arm", metavar="ARM", help="Only this arm; with one run, what others are compared to."),
    click.option("--group-by", "group_by", default="", metavar="FIELD", help="Pool the runs of equal FIELD."),
    click.option("--at", type=float, metavar="STEP", help="Also the values measured nearest to a step."),
    click.option(
        "--values",
        type=click.Choice(["all", "measured", "final", "best", "at"]),
        help="Which numbers: measured by the run, or of its curves the final, the best, those at a step.",
    ),
    click.option(
        "--x",
        type=click.Choice(["step", "epoch", "seconds"]),
        default="step",
        show_default=True,
        help="What the curves are written along (export --kind means).",
    ),
)
"""What a comparison shows."""


def selected(options: dict[str, Any], values: str) -> Any:
    """Return the choices of `SELECTION`; `values` are the numbers where none were chosen."""
    from genlab_tui.selection import Selection

    return Selection(**(options | {"values": options["values"] or values}))
