"""Verify a phenomenon: many verdicts on disjoint blocks of fresh seeds, and how often each status came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from genlab_tui import phenomena, replicas
from genlab_tui.commands.output import hanging, print_json, print_table
from genlab_tui.commands.run import announce_cost, follow, parse_settings, require_done
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.paths import Lab, lab_home
from genlab_tui.replicas import Rate, Replica
from genlab_tui.run import OWN_SAMPLES, RunRecord, RunSpec, RunState
from genlab_tui.text import clean_text, human_number, human_seconds
from genlab_tui.verdict import Status


def verify(
    phenomenon: str,
    count: int,
    preset: str,
    settings: Sequence[str],
    on: Sequence[str],
    off: Sequence[str],
    seeds: int | None,
    first_seed: int,
    data: str | None,
    device: str,
    markdown: bool,
    as_json: bool,
) -> int:
    """Train the replicas as one run, or take up the one that is there; print the rates. Returns the exit code."""
    from genlab_tui import regularisers
    from jobs.request import MAX_SEEDS, build_spec
    from jobs.tail import load_run

    lab = lab_home()
    each = seeds or phenomena.get(phenomenon).preset(preset).seeds
    if count * each > MAX_SEEDS:
        raise BadValue(
            f"{count} replicas of {each} seeds are {count * each} seeds, more than {MAX_SEEDS}",
            f"nearest valid value: --replicas {MAX_SEEDS // each}" if each <= MAX_SEEDS else "fewer seeds each",
        )
    spec = build_spec(
        phenomenon,
        lab=lab,
        preset=preset,
        values=parse_settings(settings),
        on=dict(regularisers.parse(text) for text in on),
        off=[regularisers.get(text).name for text in off],
        seeds=count * each,
        first_seed=first_seed,
        data=data,
        device=device,
    )
    record = take_up(lab, spec, f"verify {phenomenon}, {count} replicas")
    require_done(record)
    declared = phenomena.get(phenomenon)
    judged = replicas.split(declared, load_run(lab.run(record.id)), each)
    if as_json:
        print_json(document(record, spec, each, judged))
    elif markdown:
        click.echo(section(record, spec, each, judged))
    else:
        report(record, spec, each, judged)
    return 0


def take_up(lab: Lab, spec: RunSpec, name: str) -> RunRecord:
    """Return the finished run of a specification: the stored one, the unfinished one continued, or a new one."""
    from jobs import runs as verbs

    record = verbs.find_identical(lab, spec) or verbs.find_identical(lab, spec, unfinished=True)
    if record is None:
        record = verbs.submit(lab, spec, name=name)
        announce_cost(spec)
    elif record.state is RunState.DONE:
        click.echo(f"{record.id} has these replicas already", err=True)
        return record
    elif record.state.ended:
        click.echo(f"{record.id} was {record.state.value}: going on from where it was", err=True)
        verbs.retry(lab, record.id)
    elif record.held or record.state is RunState.PAUSED:
        kind = "held" if record.held else "paused"
        raise GenlabError(
            f"{record.id} has these replicas, but is {kind}", f"let it go on: genlab-tui resume {record.id}"
        )
    return follow(lab, record.id)


# --- what is printed --------------------------------------------------------------------------------------------------


def _rate(rate: Rate) -> dict[str, Any]:
    intervals = {status.name.lower(): list(rate.interval(status)) for status in Status}
    return {
        "n": rate.n,
        "shown": rate.shown,
        "not_shown": rate.not_shown,
        "inconclusive": rate.inconclusive,
        "wilson95": intervals,
    }


def document(record: RunRecord, spec: RunSpec, each: int, judged: Sequence[Replica]) -> dict[str, Any]:
    """Return the JSON document: `positive` and `control` rates, every claim's, and each replica."""
    return {
        "schema": 1,
        "phenomenon": spec.phenomenon,
        "preset": spec.preset,
        "data": spec.data,
        "regularisers": spec.regularisers,
        "replicas": len(judged),
        "seeds_per_replica": each,
        "first_seed": spec.first_seed,
        "run": record.id,
        "seconds": record.ended - record.started,
        "positive": _rate(replicas.positive(judged)),
        "control": _rate(replicas.control(judged)),
        "claims": [
            {"name": name, "main": main, **_rate(rate), "reasons": replicas.reasons(judged, name)}
            for (name, main), rate in replicas.claims(judged).items()
        ],
        "each": [
            {
                "seeds": list(replica.seeds),
                "status": replica.verdict.status,
                "control": replica.control,
                "claims": {c.name: {"status": c.status, "reason": c.reason} for c in replica.verdict.claims},
            }
            for replica in judged
        ],
    }


def _cell(rate: Rate, status: Status) -> str:
    low, high = rate.interval(status)
    return f"{rate.count(status)} ({low:.0%} to {high:.0%})"


def _rows(judged: Sequence[Replica]) -> list[tuple[str, Rate]]:
    rows = [("verdict", replicas.positive(judged)), ("its negative controls", replicas.control(judged))]
    for (name, main), rate in replicas.claims(judged).items():
        rows.append((name + ("" if main else " (side)"), rate))
    return rows


def report(record: RunRecord, spec: RunSpec, each: int, judged: Sequence[Replica]) -> None:
    """Print the rates for people."""
    last = spec.first_seed + spec.seeds - 1
    took = human_seconds(record.ended - record.started)
    click.echo(
        f"{spec.phenomenon} on {spec.data or OWN_SAMPLES}, preset {spec.preset}: "
        f"{len(judged)} replicas of {each} seeds ({spec.first_seed} to {last}), run {record.id}, {took}\n"
    )
    print_table(
        ("", "n", *Status),
        [(name, rate.n, *(_cell(rate, status) for status in Status)) for name, rate in _rows(judged)],
        right=(1,),
    )
    click.echo("\nin brackets: Wilson's 95 % interval of the rate; a control that is SHOWN has fired")
    for (name, _), rate in replicas.claims(judged).items():
        if rate.shown < rate.n:
            why = "; ".join(f"{count}x {reason}" for reason, count in replicas.reasons(judged, name).items())
            click.echo(hanging("", clean_text(f"{name}: {why}", 2000), 2))


def section(record: RunRecord, spec: RunSpec, each: int, judged: Sequence[Replica]) -> str:
    """Return the rates as a section of Markdown, with the mean of every criterion beside the published number."""
    last = spec.first_seed + spec.seeds - 1
    lines = [
        f"### `{spec.phenomenon}` --preset {spec.preset} on {spec.data or OWN_SAMPLES}",
        "",
        f"{len(judged)} replicas of {each} seeds ({spec.first_seed} to {last}), "
        f"{human_seconds(record.ended - record.started)}.",
        "",
        "| | n | SHOWN | NOT SHOWN | INCONCLUSIVE | why not |",
        "|---|---|---|---|---|---|",
    ]
    for name, rate in _rows(judged):
        found = replicas.reasons(judged, name.removesuffix(" (side)"))
        why = "; ".join(f"{count}x {reason}" for reason, count in found.items())
        lines.append(f"| {name} | {rate.n} | " + " | ".join(_cell(rate, status) for status in Status) + f" | {why} |")
    lines += ["", "| claim | criterion | asked | mean of the replicas (smallest to largest) | paper |"]
    lines += ["|---|---|---|---|---|"]
    return "\n".join(lines + _criteria(judged))


def _criteria(judged: Sequence[Replica]) -> list[str]:
    """Return a row of Markdown per criterion and control, over the replicas."""
    from genlab_tui.events import from_value
    from genlab_tui.stats import summarise

    values: dict[tuple[str, str, str, str], list[float]] = {}
    for replica in judged:
        for claim in replica.verdict.claims:
            for one in claim.criteria:
                paper = "" if one.published is None else f"{one.published} ({one.published_source})"
                values.setdefault((claim.name, one.name, one.threshold, paper), []).append(from_value(one.value))
                if one.control:
                    key = (claim.name, f"control: {one.control.name}", f"must not be {one.control.threshold}", "")
                    values.setdefault(key, []).append(from_value(one.control.value))
    rows, shown = [], ""
    for (claim_name, name, threshold, paper), found in values.items():
        s = summarise(found)
        numbers = f"{human_number(s.mean)} ({human_number(s.smallest)} to {human_number(s.largest)})" if s.n else "–"
        rows.append(f"| {claim_name if claim_name != shown else ''} | {name} | {threshold} | {numbers} | {paper} |")
        shown = claim_name
    return rows
