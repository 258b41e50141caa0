"""What the commands print: tables for people, one JSON document for programs."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from genlab_tui.text import clean_text

STATE_COLOURS = {
    "queued": "bright_black",
    "starting": "cyan",
    "running": "cyan",
    "paused": "yellow",
    "stopping": "yellow",
    "done": "green",
    "stopped": "yellow",
    "failed": "red",
    "killed": "red",
    "lost": "red",
}
VERDICT_COLOURS = {"SHOWN": "green", "NOT SHOWN": "yellow", "INCONCLUSIVE": "magenta"}
HOW_IT_PASSES = "A criterion passes where the mean over seeds does and, alone, at least two thirds of the seeds."
INTERVALS = "Student's t 95 % interval of the mean"
GRADE_MARKS = {"PASS": "✓", "FAIL": "✗", "UNMET": "?"}


def print_json(document: Any) -> None:
    """Print one JSON document; non-finite numbers are written by name, never as invalid JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(finite(document)), indent=2).decode())


def finite(value: Any) -> Any:
    """Return a document with non-finite floats replaced by `nan`, `inf`, `-inf`, as in events."""
    if isinstance(value, float):
        from genlab_tui.events import to_value

        return to_value(value)
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[int] = ()) -> None:
    """Print a plain aligned table; cells are cleaned; the widest column gives way to a narrow terminal.

    `right` are the columns aligned to the right. Nothing is cut where stdout is no terminal.
    """
    cells = [[clean_text(cell, 200) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(headers), *cells]) for i in range(len(headers))]
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns - 2 * (len(widths) - 1)
        while sum(widths) > room and max(widths) > 12:
            widths[widths.index(max(widths))] -= 1
    click.echo(_row([click.style(h, bold=True) for h in headers], [len(h) for h in headers], widths, right))
    for row in cells:
        cut = [c if len(c) <= w else c[: w - 1] + "…" for c, w in zip(row, widths, strict=True)]
        click.echo(_row([_coloured(c) for c in cut], [len(c) for c in cut], widths, right))


def _row(texts: Sequence[str], lengths: Sequence[int], widths: Sequence[int], right: Sequence[int]) -> str:
    parts = []
    for i, (text, length, width) in enumerate(zip(texts, lengths, widths, strict=True)):
        pad = " " * max(width - length, 0)
        parts.append(pad + text if i in right else text + pad)
    return "  ".join(parts).rstrip()


def _coloured(cell: str) -> str:
    colour = STATE_COLOURS.get(cell) or VERDICT_COLOURS.get(cell)
    return click.style(cell, fg=colour) if colour else cell


def hanging(label: str, text: str, indent: int) -> str:
    """Return a label and a text that is wrapped beside it, as wide as the terminal (100 columns without one)."""
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    lines = textwrap.wrap(text, max(width - indent, 30), break_long_words=False, break_on_hyphens=False) or [""]
    return "\n".join([f"{label:{indent}}{lines[0]}", *(" " * indent + line for line in lines[1:])])


def print_verdict(verdict: dict[str, Any] | None) -> None:
    """Print a verdict: its status and scope, then every claim with its criteria, numbers and control."""
    if not verdict:
        click.echo("verdict     none yet")
        return
    status = verdict["status"]
    click.echo(f"verdict     {click.style(status, fg=VERDICT_COLOURS.get(status), bold=True)}")
    click.echo(hanging("scope", clean_text(verdict["scope"], 2000), 12))
    for claim in verdict["claims"]:
        side = "" if claim["main"] else "  (side claim)"
        reason = clean_text(claim.get("reason") or "")
        claim_status = click.style(claim["status"], fg=VERDICT_COLOURS.get(claim["status"]))
        click.echo(f"\n  {clean_text(claim['name'])}: {claim_status}{side}")
        if reason:
            click.echo(f"    because {reason}")
        for criterion in claim["criteria"]:
            click.echo("    " + criterion_line(criterion))
    if verdict["claims"]:
        click.echo("\n" + hanging("read as", f"{HOW_IT_PASSES} In brackets: {INTERVALS}.", 12))


def criterion_line(criterion: dict[str, Any]) -> str:
    """Return a criterion in one line: mark, name, number, threshold, published number, seeds, control."""
    from genlab_tui.text import human_number
    from genlab_tui.verdict import interval

    def number(value: Any) -> str:
        return human_number(value) if isinstance(value, (int, float)) else str(value if value is not None else "–")

    between = interval(criterion["seeds"], criterion["value"])
    parts = [
        GRADE_MARKS.get(criterion["status"], "?"),
        clean_text(criterion["name"]),
        number(criterion["value"]),
        *([clean_text(criterion["unit"])] if criterion.get("unit") else []),
        *([f"({number(between[0])} to {number(between[1])})"] if between else []),
        "asked " + clean_text(criterion["threshold"]),
        f"[{criterion['agree']}/{len(criterion['seeds'])} seeds]",
    ]
    if criterion.get("published") is not None:
        parts.append(f"paper {number(criterion['published'])}")
    control = criterion.get("control")
    if control:
        word = "FIRED" if control["fired"] else "no number" if control.get("missing") else "quiet"
        parts.append(f"· control {clean_text(control['name'])} {number(control['value'])} {word}")
    if criterion.get("reason"):
        parts.append(f"({clean_text(criterion['reason'])})")
    return " ".join(parts)
