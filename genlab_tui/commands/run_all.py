"""Launch every phenomenon as one queue, and end in one table of verdicts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from genlab_tui import phenomena
from genlab_tui.commands.listing import run_document
from genlab_tui.commands.output import print_json, print_table
from genlab_tui.commands.run import follow
from genlab_tui.errors import BadValue
from genlab_tui.paths import Lab, lab_home
from genlab_tui.run import OWN_SAMPLES, RunRecord, RunSpec, RunState
from genlab_tui.text import human_seconds
from genlab_tui.verdict import Status

ALONE = {
    "settings": "--set",
    "on": "--on",
    "off": "--off",
    "arms": "--arm",
    "expect": "--expect",
    "predict": "--predict",
}
"""Options that speak of one phenomenon."""


def launch_all(
    *,
    preset: str,
    seeds: int | None,
    first_seed: int,
    data: str | None,
    device: str,
    name: str,
    hold: bool,
    wait: bool,
    as_json: bool,
    **others: Any,
) -> int:
    """Queue a run of every phenomenon; with `wait`, follow them and print their verdicts. Returns the exit code.

    With `data`, those that do not take it are left out. Every specification is checked before the first is queued:
    raises what `build_spec` and `submit` raise, and BadValue for an option that speaks of one phenomenon.
    """
    from genlab_tui.run import check_name
    from jobs import runs as verbs
    from jobs.here import check_here
    from jobs.request import build_spec

    given = [option for option in ALONE if others.get(option)]
    if given:
        raise BadValue(f"--all and {ALONE[given[0]]} exclude each other", "that is for one phenomenon: name it")
    if hold and wait:
        raise BadValue("--hold and --wait exclude each other", "a held run never starts by itself")
    lab, chosen = lab_home(), phenomena.catalogue()
    if data:
        chosen = {key: phenomenon for key, phenomenon in chosen.items() if data in phenomenon.data}
        if not chosen:
            raise BadValue(f"no phenomenon takes {data!r}", "see: genlab-tui data")
        left = [key for key in phenomena.catalogue() if key not in chosen]
        if left:
            click.echo(f"left out, as they do not take {data}: {', '.join(left)}", err=True)
    specs = [
        build_spec(key, lab=lab, preset=preset, seeds=seeds, first_seed=first_seed, data=data, device=device)
        for key in chosen
    ]
    for spec in specs:
        check_here(spec)
    label = check_name(name)
    records = [verbs.submit(lab, spec, name=label, held=hold) for spec in specs]
    seconds = [_seconds(spec) for spec in specs]
    click.echo(f"{len(records)} runs, about {human_seconds(sum(seconds))} one after another", err=True)
    if wait:
        return report_all(lab, [record.id for record in records], seconds, as_json)
    if as_json:
        print_json({"schema": 1, "runs": [run_document(lab, record) for record in records]})
    else:
        for record in records:
            click.echo(record.id)
        click.echo("queued; follow them with: genlab-tui queue, or open genlab-tui", err=True)
    return 0


def _seconds(spec: RunSpec) -> float:
    phenomenon = phenomena.get(spec.phenomenon)
    return phenomenon.estimate(phenomenon.config_of(spec), spec).seconds


def report_all(lab: Lab, runs: Sequence[str], seconds: Sequence[float], as_json: bool) -> int:
    """Follow runs to their ends and print their verdicts; `seconds` is what each is expected to take.

    Returns 0 where all ended done. An interrupt leaves them going: raises KeyboardInterrupt.
    """
    begun, records = time.monotonic(), []
    for number, run in enumerate(runs):
        left = human_seconds(sum(seconds[number:]))
        try:
            records.append(follow(lab, run, before=f"{number + 1}/{len(runs)}, about {left} to go  "))
        except KeyboardInterrupt:
            click.echo("so do the others; stop what waits with: genlab-tui queue cancel RUN", err=True)
            raise
    took = time.monotonic() - begun
    documents = [run_document(lab, record) for record in records]
    if as_json:
        print_json({"schema": 1, "seconds": round(took, 1), "runs": documents})
    else:
        print_verdicts(records, documents)
        click.echo("\n" + totals(records, documents, took))
    return 0 if all(record.state is RunState.DONE for record in records) else 1


def print_verdicts(records: Sequence[RunRecord], documents: Sequence[dict[str, Any]]) -> None:
    """Print one row a run: its verdict, how many of its main and side claims are SHOWN, controls that fired."""
    rows = []
    for record, document in zip(records, documents, strict=True):
        claims = (document["verdict"] or {}).get("claims", [])
        status = (document["verdict"] or {}).get("status") or record.state.value
        main, side = ([claim for claim in claims if claim["main"] is wanted] for wanted in (True, False))
        rows.append(
            (
                record.phenomenon,
                record.data or OWN_SAMPLES,
                record.seeds,
                status,
                _shown(main),
                _shown(side),
                sum(_fired(claim) for claim in main) if claims else "–",
                human_seconds(record.ended - record.started) if record.ended and record.started else "–",
                record.id,
            )
        )
    headers = ("phenomenon", "data", "seeds", "verdict", "main", "side", "controls fired", "took", "run")
    print_table(headers, rows, right=(2, 4, 5, 6, 7))


def _shown(claims: Sequence[dict[str, Any]]) -> str:
    shown = sum(claim["status"] == Status.SHOWN.value for claim in claims)
    return f"{shown}/{len(claims)}" if claims else "–"


def _fired(claim: dict[str, Any]) -> int:
    return sum(bool((criterion.get("control") or {}).get("fired")) for criterion in claim["criteria"])


def totals(records: Sequence[RunRecord], documents: Sequence[dict[str, Any]], seconds: float) -> str:
    """Return `26 runs in 14 min: 20 SHOWN, 5 NOT SHOWN, 1 INCONCLUSIVE`; runs that did not end done are named."""
    count = Counter((document["verdict"] or {}).get("status") or "no verdict" for document in documents)
    order = [*(status.value for status in Status), "no verdict"]
    parts = ", ".join(f"{count[key]} {key}" for key in order if count[key])
    odd = [f"{r.phenomenon} {r.state.value}" for r in records if r.state is not RunState.DONE]
    return f"{len(records)} runs in {human_seconds(seconds)}: {parts}" + (
        f" · not done: {', '.join(odd)}" if odd else ""
    )
