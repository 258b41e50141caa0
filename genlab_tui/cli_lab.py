"""The commands about lab and machine: data sets, the catalogue, replicas, check-ups, benchmarks (click alone)."""

from __future__ import annotations

from typing import Any

import click

from genlab_tui.commands.options import JSON, PRESET, Group, PhenomenonCommand, settings

LAB_COMMANDS = Group()
"""In the order of the help."""


@LAB_COMMANDS.group(cls=Group, invoke_without_command=True)
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


@LAB_COMMANDS.command()
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="As the documentation has it: the table, or the page of one.")
@JSON
def phenomena(name: str | None, markdown: bool, as_json: bool) -> int:
    """List the phenomena, or describe one: question, claims, fields, presets, papers."""
    from genlab_tui.commands.phenomena import describe, list_phenomena

    return describe(name, as_json, markdown) if name else list_phenomena(as_json, markdown)


@LAB_COMMANDS.command(cls=PhenomenonCommand)
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


@LAB_COMMANDS.command()
@click.option("--rebuild", is_flag=True, help="Write the run index anew from the run directories.")
@JSON
def doctor(rebuild: bool, as_json: bool) -> int:
    """Check this machine, the installation and the lab; exit code 1 where something is wrong."""
    from genlab_tui.commands.doctor import check_up

    return check_up(rebuild, as_json)


@LAB_COMMANDS.command()
@click.option("--training", is_flag=True, help="Only training on the CPU.")
@click.option("--curvature", is_flag=True, help="Only slices of the loss and eigenvalues.")
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
