"""Launch a run made from another: a fork with something changed, or the same with more seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from genlab_tui.commands.run import announce_cost, parse_settings, report
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.paths import lab_home
from genlab_tui.run import check_name


def fork_run(
    run: str,
    settings: Sequence[str],
    on: Sequence[str],
    off: Sequence[str],
    data: str | None,
    seeds: int | None,
    from_checkpoint: bool,
    name: str,
    expect: str,
    predict: str,
    wait: bool,
    as_json: bool,
) -> int:
    """Queue a fork of a run; with `wait`, follow it. Returns the exit code."""
    from genlab_tui import regularisers
    from genlab_tui.lineage import lineage
    from jobs import forks, request
    from jobs import runs as verbs

    lab = lab_home()
    source = verbs.find_run(lab, run)
    if from_checkpoint and (expect or predict):
        raise BadValue("a fork from a checkpoint is always INCONCLUSIVE: there is nothing to predict of it")
    if from_checkpoint and (why := forks.can_continue(lab, source.id)):
        raise GenlabError(f"run {source.title} cannot be forked from its checkpoint: {why}")
    wanted: dict[str, Any] = {
        "values": parse_settings(settings),
        "on": dict(regularisers.parse(text) for text in on),
        "off": [regularisers.get(text).name for text in off],
        "data": data,
        "seeds": seeds,
    }
    if from_checkpoint:
        record = forks.fork(lab, source.id, **wanted, from_checkpoint=True, name=check_name(name))
    else:
        asked = request.predicted(forks.fork_spec(lab, source.id, **wanted), predict, expect)
        record = verbs.submit(lab, asked, name=check_name(name))
    spec = verbs.read_spec(lab, record.id)
    click.echo(lineage(spec, verbs.read_spec(lab, source.id)), err=True)
    if not from_checkpoint:
        announce_cost(spec)
    code = report(lab, record, wait, as_json)
    click.echo(f"compare them with: genlab-tui compare {source.id} {record.id}", err=True)
    return code


def add_seeds(run: str, count: int, name: str, expect: str, predict: str, wait: bool, as_json: bool) -> int:
    """Queue a run of all seeds of a finished one and `count` more; with `wait`, follow it. Returns the exit code."""
    from genlab_tui.lineage import lineage
    from jobs import forks
    from jobs import runs as verbs

    lab = lab_home()
    source = verbs.find_run(lab, run)
    record = forks.add_seeds(lab, source.id, count, name=check_name(name), prediction=predict, expected=expect)
    spec = verbs.read_spec(lab, record.id)
    click.echo(f"{lineage(spec)}; only the others are trained", err=True)
    announce_cost(spec.own_seeds)
    return report(lab, record, wait, as_json)
