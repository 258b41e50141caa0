"""List and fetch data sets."""

from __future__ import annotations

import sys

import click

from genlab_tui.commands.output import print_json, print_table
from genlab_tui.paths import lab_home
from genlab_tui.text import human_bytes


def list_data(as_json: bool) -> int:
    """Print every data set: shape, sizes, whether it is here, where, and how to get it."""
    from genlab_tui import data

    folder = lab_home().data
    rows = []
    for name, data_set in data.DATASETS.items():
        found = data.locate(name, folder)
        rows.append((data_set, found))
    if as_json:
        print_json(
            {
                "schema": 1,
                "folder": str(folder),
                "data": [
                    {
                        "name": d.name,
                        "title": d.title,
                        "shape": d.shape,
                        "classes": d.classes,
                        "train": d.train,
                        "test": d.test,
                        "present": found.present,
                        "where": found.where,
                        "bytes": found.bytes,
                        "how": found.how,
                        "source": d.source,
                    }
                    for d, found in rows
                ],
            }
        )
        return 0
    print_table(
        ("name", "inputs", "classes", "train", "test", "here", "size", "where, or how to get it"),
        [
            (
                d.name,
                "x".join(map(str, d.shape)),
                d.classes,
                d.train,
                d.test,
                "yes" if found.present else "no",
                human_bytes(found.bytes) if found.bytes else "–",
                found.where if found.present else found.how,
            )
            for d, found in rows
        ],
        right=(2, 3, 4, 6),
    )
    return 0


def fetch_data(names: tuple[str, ...]) -> int:
    """Fetch data sets one after another, with a progress bar; raises GenlabError at the first that fails."""
    from genlab_tui import data
    from genlab_tui.data import fetch
    from genlab_tui.errors import NotFound, nearest

    folder = lab_home().data
    for name in names:
        if name not in data.DATASETS:
            raise NotFound(f"there is no data set {name!r}", nearest(name, tuple(data.DATASETS)))
    for name in names:
        if data.locate(name, folder).present:
            click.echo(f"{name} is here: {data.locate(name, folder).where}", err=True)
            continue
        with click.progressbar(length=1, label=f"{name:14}", file=sys.stderr) as bar:
            seen = 0

            def report(done: int, total: int, _what: str) -> None:
                nonlocal seen
                bar.length = max(total, 1)
                bar.update(done - seen)
                seen = done

            found = fetch(name, folder, report)
        click.echo(f"{name} is here: {found.where} ({human_bytes(found.bytes)})", err=True)
    return 0
