"""The catalogue as text: a list, one phenomenon in full, the documentation's table, the help of `run`."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from genlab_tui import phenomena, regularisers
from genlab_tui.commands.output import print_json, print_table
from genlab_tui.phenomenon import Phenomenon, Preset


def document(phenomenon: Phenomenon) -> dict[str, Any]:
    """Return the declaration of a phenomenon as a JSON document."""
    return {
        "name": phenomenon.name,
        "title": phenomenon.title,
        "group": phenomenon.group,
        "question": phenomenon.question,
        "explanation": phenomenon.explanation,
        "data": list(phenomenon.data),
        "precision": phenomenon.precision,
        "refused": dict(phenomenon.refused),
        "regularisers": list(phenomenon.regularisers),
        "presets": {
            name: {
                "note": p.note,
                "seeds": p.seeds,
                "data": p.data or next(iter(phenomenon.data), ""),
                "values": dict(p.values),
                "gpu": p.gpu,
            }
            for name, p in phenomenon.presets.items()
        },
        "fields": [
            {
                "name": p.name,
                "type": p.kind.__name__ + ("..." if p.many else ""),
                "default": p.default,
                "help": p.help,
                "bounds": p.bounds,
                "unit": p.unit,
                "unverified": p.unverified,
            }
            for p in phenomenon.params()
        ],
        "papers": [{"key": p.key, "title": p.title, "venue": p.venue, "url": p.url} for p in phenomenon.papers],
        "version": phenomenon.version,
    }


def list_phenomena(as_json: bool, markdown: bool) -> int:
    """Print the catalogue."""
    known = phenomena.catalogue()
    if as_json:
        print_json(
            {"schema": 1, "phenomena": [document(p) for p in known.values()], "broken": dict(phenomena.broken())}
        )
    elif markdown:
        click.echo(markdown_table())
    else:
        print_table(("name", "group", "question"), [(p.name, p.group, p.question) for p in known.values()])
    for name, reason in phenomena.broken().items():
        click.echo(f"genlab-tui: the phenomenon file {name}.py does not load: {reason}", err=True)
    return 0


def markdown_table() -> str:
    """Return the catalogue as the table of the documentation."""
    lines = ["| phenomenon | question | papers | data | presets |", "|---|---|---|---|---|"]
    for p in phenomena.catalogue().values():
        papers = "; ".join(f"[{paper.key}]({paper.url})" for paper in p.papers)
        data = ", ".join(p.data) or "its own"
        lines.append(f"| `{p.name}` | {p.question} | {papers} | {data} | {', '.join(p.presets)} |")
    return "\n".join(lines)


def describe(name: str, as_json: bool, markdown: bool = False) -> int:
    """Print one phenomenon in full."""
    p = phenomena.get(name)
    if markdown:
        from genlab_tui.commands.pages import page

        click.echo(page(p), nl=False)
        return 0
    if as_json:
        print_json({"schema": 1, **document(p)})
        return 0
    click.echo(click.style(p.title, bold=True) + f"  ({p.name})\n{p.question}\n")
    click.echo(textwrap.fill(p.explanation, 96) + "\n")
    formatter = click.HelpFormatter(width=100)
    _write_fields(formatter, p)
    with formatter.section("Papers"):
        formatter.write_dl([(paper.key, f"{paper.title}. {paper.venue}. {paper.url}") for paper in p.papers])
    click.echo(formatter.getvalue().rstrip())
    return 0


def _write_fields(formatter: click.HelpFormatter, p: Phenomenon) -> None:
    with formatter.section("Presets"):
        formatter.write_dl([(name, _preset_help(preset)) for name, preset in p.presets.items()])
    with formatter.section("Fields (--set FIELD=VALUE)"):
        formatter.write_dl([(f"{f.name}={f.text(f.default)}", _field_help(f)) for f in p.params()])
    with formatter.section("Regularisers (--on, --off)"):
        rows = [(f"{r.name}={r.default:g}", r.help) for r in regularisers.applicable(p.regularisers)]
        formatter.write_dl(rows or [("none", "no regulariser applies to it")])
    with formatter.section("Data sets (--data)"):
        formatter.write_text(", ".join(p.data) or "none: it draws its own samples")
    with formatter.section("Precision"):
        formatter.write_text(p.precision)


def _preset_help(preset: Preset) -> str:
    gpu = f"on a GPU {preset.gpu} (an estimate); not started on a CPU unless asked for by name" if preset.gpu else ""
    return "; ".join(part for part in (preset.note, gpu) if part) or "–"


def _field_help(field: Any) -> str:
    parts = [field.help]
    if field.bounds:
        parts.append(f"[{field.bounds}{' ' + field.unit if field.unit else ''}]")
    if field.unverified:
        parts.append("(default unverified)")
    return " ".join(parts)


def write_help(formatter: click.HelpFormatter, typed: list[str]) -> None:
    """Write the end of `run --help`: the fields of the phenomenon typed, or the catalogue."""
    known = phenomena.catalogue()
    chosen = next((known[word] for word in typed if word in known), None)
    if chosen:
        with formatter.section(chosen.title):
            formatter.write_text(chosen.question)
        _write_fields(formatter, chosen)
        return
    with formatter.section("Phenomena (genlab-tui run PHENOMENON --help shows its fields)"):
        formatter.write_dl([(p.name, p.question) for p in known.values()])
