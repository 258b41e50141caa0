"""The colour and the marker that a user pins to a run: by name in its `meta.json`, the same in every list and chart.

A slot is the number of a colour and a marker at once (`colours.colour(slot)`, `colours.marker(slot)`). The slots that
can be pinned are named by the shape of their marker, for that stays while the colour follows the theme.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from genlab_tui.colours import COLOURS, MARKERS
from genlab_tui.figure import MEMBER, Figure
from genlab_tui.run import RunId, RunRecord

NAMES = (
    "dot",
    "square",
    "triangle",
    "diamond",
    "ring",
    "box",
    "outline",
    "gem",
    "cross",
    "star",
    "down",
    "funnel",
    "spark",
)
"""What the slots that can be pinned are called, in their order."""

_SLOTS = {name: slot for slot, name in enumerate(NAMES)}
_ALL = COLOURS * len(MARKERS)


def pin_of(record: RunRecord) -> int | None:
    """Return the slot pinned to a run, or None; a name that this version does not know is none."""
    return _SLOTS.get(record.colour)


def pinned_slots(records: Sequence[RunRecord]) -> dict[RunId, int]:
    """Return a slot for every run: the pinned one, else the next that is free.

    Runs that are pinned to the same slot share it: that is what their user asked for. A free slot has a colour that no
    pin has, as long as there is one.
    """
    pins = {record.id: slot for record in records if (slot := pin_of(record)) is not None}
    taken, colours = set(pins.values()), {slot % COLOURS for slot in pins.values()}
    quiet = [slot for slot in range(COLOURS) if slot not in colours]
    rest = [slot for slot in range(_ALL) if slot not in taken and slot not in quiet]
    free = iter((quiet + rest) * (len(records) // _ALL + 2))
    return {record.id: pins[record.id] if record.id in pins else next(free) for record in records}


def line_slots(records: Sequence[RunRecord], lines: Sequence[int]) -> list[list[int]]:
    """Return the slots of several lines a run, `lines` says how many: all of a pinned run's are of its colour.

    Its first line has the pinned slot itself, the others the markers after it. Lines of runs that are not pinned are
    numbered in their order, past the colours that are pinned while others are left.
    """
    pins = [pin_of(record) for record in records]
    colours = {pin % COLOURS for pin in pins if pin is not None}
    free = [slot for slot in range(_ALL) if slot % COLOURS not in colours] or list(range(_ALL))
    found, at = [], 0
    for pin, count in zip(pins, lines, strict=True):
        if pin is None:
            found.append([free[(at + i) % len(free)] for i in range(count)])
            at += count
        else:
            found.append([_slot(pin % COLOURS, pin % len(MARKERS) + i) for i in range(count)])
    return found


def pinned(figure: Figure, records: Sequence[RunRecord], titles: Sequence[str]) -> Figure:
    """Return a chart of several runs with the colour and marker of every line; as it is where no run is pinned.

    The label of a line begins with the title of its run. All lines of a pinned run have its colour.
    """
    if len(records) < 2 or all(pin_of(record) is None for record in records):
        return figure
    labels = list(dict.fromkeys(line.label.split(MEMBER)[0] for line in figure.lines))
    named = [[label for label in labels if label == t or label.startswith(f"{t} · ")] for t in titles]
    numbered = line_slots(records, [len(each) for each in named])
    slots: dict[str, int] = {}
    for run_labels, run_slots in zip(named, numbered, strict=True):
        slots = dict(zip(run_labels, run_slots, strict=True)) | slots
    lines = (dataclasses.replace(line, slot=slots.get(line.label.split(MEMBER)[0])) for line in figure.lines)
    return dataclasses.replace(figure, lines=tuple(lines))


def _slot(colour: int, marker: int) -> int:
    """Return the slot of a colour and a marker: there is one for each pair, as their numbers share no factor."""
    return next(slot for slot in range(colour, _ALL, COLOURS) if slot % len(MARKERS) == marker % len(MARKERS))
