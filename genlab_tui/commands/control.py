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
    from jobs import runs as verbs

    lab = lab_home()
    if not regulariser:
        raise BadValue("there is nothing to change", "for example: genlab-tui change last dropout=0.3")
    name, strength = parse_change(regulariser)
    record = verbs.find_run(lab, run)
    verbs.change(lab, record.id, name, strength)
    to = "off" if strength is None else f"{strength:g}"
    click.echo(f"{record.id} asked to set {name} to {to} from its next epoch on; its verdict will say so", err=True)
    return 0


def parse_change(text: str) -> tuple[str, float | None]:
    """Return what `dropout=0.3`, `dropout` (its default) or `dropout=off` asks for. Raises NotFound or BadValue."""
    from genlab_tui import regularisers

    name, _, given = text.partition("=")
    return (regularisers.get(name.strip()).name, None) if given.strip() == "off" else regularisers.parse(text)


def withdraw_changes(run: str, regulariser: str) -> int:
    """Take back the changes that were asked of a run and have not taken effect; of one regulariser, or of all."""
    from jobs import runs as verbs

    lab = lab_home()
    name = parse_change(regulariser)[0] if regulariser else ""
    record = verbs.find_run(lab, run)
    asked = [p for p in verbs.pending_changes(lab, record.id) if name in ("", p.regulariser)]
    if not asked:
        what = f"of {name} " if name else ""
        raise GenlabError(f"run {record.title} has no change {what}to take back", "what took effect stays")
    for pending in asked:
        verbs.withdraw(lab, record.id, pending.id)
        click.echo(f"{record.id} goes on without the change of {pending.regulariser}", err=True)
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
