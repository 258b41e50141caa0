"""Pause, resume, stop, retry, hold, release, cancel, move, trash, restore, edit: the verbs that change runs."""

from __future__ import annotations

import click

from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.paths import lab_home
from genlab_tui.text import clean_text

DONE_WORDS = {
    "pause": "asked to pause",
    "resume": "asked to go on",
    "stop": "asked to stop",
    "retry": "queued again",
    "hold": "held",
    "release": "released",
    "cancel": "cancelled",
    "trash": "in the trash; back with: genlab-tui rm --undo",
    "restore": "out of the trash",
}


def apply(verb: str, runs: tuple[str, ...]) -> int:
    """Apply a verb of `jobs.runs` to every run; a run that refuses is named and the others go on (exit code 1)."""
    from jobs import runs as verbs

    lab = lab_home()
    failed = 0
    for text in runs:
        try:
            record = verbs.find_run(lab, text)
            getattr(verbs, verb)(lab, record.id)
        except GenlabError as error:
            if len(runs) == 1:
                raise
            click.echo(f"genlab-tui: {clean_text(str(error))}", err=True)
            failed += 1
        else:
            undo = f" {record.id}" if verb == "trash" else ""
            click.echo(f"{record.id} {DONE_WORDS[verb]}{undo}", err=True)
    return 1 if failed else 0


def change_run(run: str, regulariser: str) -> int:
    """Change a regulariser of a run in training: `dropout=0.3`, or `dropout=off`."""
    from genlab_tui import regularisers
    from jobs import runs as verbs

    lab = lab_home()
    name, _, given = regulariser.partition("=")
    if given.strip() == "off":
        name, strength = regularisers.get(name.strip()).name, None
    else:
        name, strength = regularisers.parse(regulariser)
    record = verbs.find_run(lab, run)
    verbs.change(lab, record.id, name, strength)
    to = "off" if strength is None else f"{strength:g}"
    click.echo(f"{record.id} asked to set {name} to {to} from its next epoch on; its verdict will say so", err=True)
    return 0


def move_run(run: str, before: str | None) -> int:
    """Move a queued run in front of another, or to the end."""
    from jobs import runs as verbs

    lab = lab_home()
    record = verbs.find_run(lab, run)
    verbs.move(lab, record.id, verbs.find_run(lab, before).id if before else None)
    click.echo(f"{record.id} moved", err=True)
    return 0


def edit_run(run: str, name: str | None, tags: tuple[str, ...], untags: tuple[str, ...], note: str | None) -> int:
    """Change what the user adds to a run."""
    from genlab_tui.run import check_name
    from jobs import runs as verbs

    if name is None and note is None and not tags and not untags:
        raise BadValue("there is nothing to change", "give --name, --tag, --untag or --note")
    lab = lab_home()
    record = verbs.find_run(lab, run)
    new_tags = None
    if tags or untags:
        kept = [tag for tag in record.tags if tag not in untags]
        new_tags = tuple(dict.fromkeys([*kept, *(clean_text(tag, 40) for tag in tags)]))
    verbs.edit(lab, record.id, name=check_name(name) if name is not None else None, tags=new_tags, note=note)
    click.echo(f"{record.id} changed", err=True)
    return 0
