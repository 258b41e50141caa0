"""List runs, show one, print its log, show the queue."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from genlab_tui.commands.output import hanging, print_json, print_table, print_verdict
from genlab_tui.errors import BadValue, GenlabError, NotFound, nearest
from genlab_tui.paths import Lab, lab_home
from genlab_tui.run import OWN_SAMPLES, RunRecord, RunState, encode
from genlab_tui.text import clean_text, human_bytes, human_number, human_seconds

ROWS = 40
"""So many numbers of a run are printed unless all are asked for."""


def list_runs(
    state: str | None, phenomenon: str | None, expression: str | None, limit: int | None, trash: bool, as_json: bool
) -> int:
    """Print the runs, newest first; `expression` is a filter (`genlab_tui.filters`), `?` prints what it can say."""
    from jobs import runs as verbs

    if expression is not None and expression.strip() == "?":
        print_language()
        return 0
    if state and state not in set(RunState):
        raise NotFound(f"there is no state {state!r}", nearest(state, tuple(RunState)))
    found = verbs.list_runs(lab_home(), trashed=trash)
    chosen = [r for r in found if (not state or r.state == state) and (not phenomenon or r.phenomenon == phenomenon)]
    chosen = filtered(chosen, expression, found) if expression else chosen
    chosen = chosen[:limit] if limit is not None else chosen
    if as_json:
        print_json({"schema": 1, "runs": [encode(record) for record in chosen]})
        return 0
    if not chosen:
        nothing = "the trash is empty" if trash else "no runs yet: genlab-tui demo launches a first one"
        click.echo("no such runs" if found else nothing, err=True)
        return 0
    print_table(
        ("id", "state", "verdict", "phenomenon", "data", "seeds", "regularisers", "age", "name", "why it ended"),
        [_row(record) for record in chosen],
        right=(5, 7),
    )
    return 0


def filtered(records: Sequence[RunRecord], expression: str, known: Sequence[RunRecord]) -> list[RunRecord]:
    """Return the runs that pass a filter; `known` say which headline numbers there are.

    Raises BadValue for one that is not understood whole: a script must not go on with half of it.
    """
    from genlab_tui.filters import measures_of, parse

    found = parse(expression, measures_of(known))
    if found.problems:
        raise BadValue(f"--filter {clean_text(found.problem, 300)}", "genlab-tui ls --filter '?' explains")
    return found.of(records)


def print_language() -> None:
    """Print what a filter can say."""
    from genlab_tui.filter_help import LANGUAGE, words

    for example, meaning in (*LANGUAGE, *words()):
        click.echo(hanging(example, meaning, 21))


def _row(record: RunRecord) -> tuple[object, ...]:
    from genlab_tui.regularisers import summary

    return (
        record.id,
        record.state.value + (" (held)" if record.held and record.state is RunState.QUEUED else ""),
        record.verdict or "–",
        record.phenomenon,
        record.data,
        record.seeds,
        summary(record.regularisers) + _flag(record),
        _age(record.created),
        record.name,
        record.reason,
    )


def _flag(record: RunRecord) -> str:
    return " (changed in flight)" if record.changed else ""


def _age(created: float) -> str:
    seconds = max(time.time() - created, 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def show_run(run: str, as_json: bool, every: bool = False) -> int:
    """Print one run: what it is, its verdict, its numbers; of many numbers the first, unless `every` is asked for."""
    from jobs import runs as verbs

    lab = lab_home()
    record = verbs.find_run(lab, run)
    if as_json:
        print_run(lab, record)
        return 0
    document = run_document(lab, record)
    state = record.state.value + (f": {clean_text(record.reason)}" if record.reason else "")
    lines = [
        ("run", f"{record.id}{'  ' + clean_text(record.name) if record.name else ''}"),
        ("phenomenon", f"{record.phenomenon} on {record.data or OWN_SAMPLES}, preset {record.preset}"),
        ("state", state),
        ("seeds", f"{record.first_seed} to {record.first_seed + record.seeds - 1}"),
        ("config", "  ".join(f"{k}={_plain(v)}" for k, v in document["config"].items())),
    ]
    if document["lineage"]:
        lines.append(("made from", document["lineage"]))
    if record.regularisers:
        from genlab_tui.regularisers import summary

        lines.append(("regularised", summary(record.regularisers)))
    if record.changed:
        lines.append(("changed", f"{_changes(lab, record)}: changed in flight, INCONCLUSIVE and never pooled"))
    if record.ended and record.started:
        lines.append(("took", human_seconds(record.ended - record.started)))
    if record.tags:
        lines.append(("tags", ", ".join(record.tags)))
    if record.note:
        lines.append(("note", record.note))
    for label, text in lines:
        click.echo(hanging(label, clean_text(text, 2000), 12))
    click.echo()
    print_verdict(document["verdict"])
    if document["summary"]:
        click.echo()
        print_summary(document["summary"], None if every else ROWS, f"genlab-tui show {record.id} --all")
    click.echo(f"\nfiles       {clean_text(lab.run(record.id).path, 2000)}")
    return 0


def _changes(lab: Lab, record: RunRecord) -> str:
    """Return `dropout 0.5 at step 300, mixup off at step 900`."""
    from genlab_tui.lineage import changes_text
    from jobs.forks import changes_of

    return changes_text(changes_of(lab, record.id)) or "a regulariser"


def print_run(lab: Lab, record: RunRecord) -> None:
    """Print the machine-readable document of a run."""
    print_json(run_document(lab, record))


def run_document(lab: Lab, record: RunRecord) -> dict[str, Any]:
    """Return the document of `run --json` and `show --json`: stable fields, `schema` 1."""
    from genlab_tui.lineage import lineage
    from jobs import runs as verbs

    spec = verbs.read_spec(lab, record.id)
    source = None
    if spec.parent:
        with suppress(GenlabError):  # it may be gone for ever
            source = verbs.read_spec(lab, spec.parent)
    result: Mapping[str, Any] = verbs.read_result(lab, record.id) or {}
    return {
        "schema": 1,
        "id": record.id,
        "phenomenon": record.phenomenon,
        "state": record.state.value,
        "reason": record.reason,
        "config": spec.config,
        "preset": spec.preset,
        "data": spec.data,
        "regularisers": spec.regularisers,
        "arms": list(spec.arms),
        "seeds": list(spec.seed_list),
        "device": spec.device,
        "parent": spec.parent,
        "lineage": lineage(spec, source),
        "changed": record.changed,
        "summary": result.get("summary", {}),
        "headline": result.get("headline", {}),
        "verdict": result.get("verdict"),
        "record": encode(record),
    }


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def print_summary(summary: dict[str, Any], most: int | None = None, more: str = "") -> None:
    """Print the summary of a run: arm by measure, mean and spread over seeds; `more` prints what is beyond `most`."""
    rows = []
    for arm, measures in summary.items():
        for name, numbers in measures.items():
            spread = human_number(_number(numbers["sd"]), 2)
            rows.append((arm, name, human_number(_number(numbers["mean"])), spread, numbers["n"]))
    shown = rows if most is None or len(rows) <= most else rows[:most]
    print_table(("arm", "measure", "mean", "sd", "seeds"), shown, right=(2, 3, 4))
    if len(shown) < len(rows):
        click.echo(f"{len(rows) - len(shown)} more rows: {more}")


def _number(value: Any) -> float | None:
    from genlab_tui.events import from_value

    return None if value is None else from_value(value)


def print_logs(run: str, follow: bool) -> int:
    """Print the log of a run, cleaned line by line; with `follow`, until it ends."""
    from jobs import runs as verbs

    lab = lab_home()
    record = verbs.find_run(lab, run)
    path = lab.run(record.id).log
    position = 0
    while True:
        ended = verbs.find_run(lab, record.id).state.ended
        if path.exists():
            with path.open("rb") as file:
                file.seek(position)
                block = file.read()
            whole = block if ended or not follow else block[: block.rfind(b"\n") + 1]
            position += len(whole)
            for line in whole.decode(errors="replace").splitlines():
                click.echo(clean_text(line, 4000))
        if not follow or ended:
            if not position:
                click.echo("it printed nothing; genlab-tui show has its numbers", err=True)
            return 0
        time.sleep(0.3)


def show_queue(as_json: bool) -> int:
    """Print the queue and the devices."""
    from jobs import local

    lab = lab_home()
    entries = local.queue_view(lab)
    running = [entry.record for entry in entries if not entry.position]
    waiting = [entry for entry in entries if entry.position]
    devices = local.devices(lab)
    if as_json:
        import dataclasses

        print_json(
            {
                "schema": 1,
                "running": [encode(r) for r in running],
                "queued": [
                    {"position": e.position, "waiting_for": e.waiting_for, "run": encode(e.record)} for e in waiting
                ],
                "devices": [dataclasses.asdict(device) for device in devices],
            }
        )
        return 0
    rows = [("▶", r.id, r.phenomenon, r.state.value + _flag(r), f"on {r.device}") for r in running]
    rows += [
        (str(e.position), e.record.id, e.record.phenomenon, "queued" + _flag(e.record), e.waiting_for) for e in waiting
    ]
    if rows:
        print_table(("", "id", "phenomenon", "state", ""), rows)
    else:
        click.echo("nothing is running or queued", err=True)
    click.echo()
    print_table(
        ("device", "", "slots", "load", "memory", "°C"),
        [
            (
                d.name,
                d.title + (" (in use by others)" if d.used_by_others else ""),
                f"{d.busy_slots}/{d.slots}",
                f"{d.utilisation:.0%}" if d.utilisation is not None else "–",
                _memory(d.memory_used, d.memory_total),
                f"{d.temperature:.0f}" if d.temperature is not None else "–",
            )
            for d in devices
        ],
        right=(2, 3, 4, 5),
    )
    return 0


def _memory(used: int | None, total: int | None) -> str:
    return "–" if used is None or not total else f"{human_bytes(used)} / {human_bytes(total)}"
