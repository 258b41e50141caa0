"""What the panels of the Live screen can show of the runs at hand, worked out once for the same data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest

from genlab_tui.figure import Figure, HeatMap
from genlab_tui.pins import line_slots
from genlab_tui.rundata import RunData
from genlab_tui.summary import LoadedRun
from genlab_tui.text import clean_text
from screens.liveview import COUNTS, LiveView
from screens.panels.choices import FIGURE, Choice, Options, chart, choices, defaults
from screens.panels.happened import OwnMarks

Picture = Figure | HeatMap

MANY = 12
"""With more arms than that, curves of all of them are a tangle: a few are drawn, and the figures come first."""

FEW = 8
"""So many of many arms have their curves drawn, from the first to the last."""


POINTS = 400
"""Points of a line in a picture, about: more than a terminal has columns."""


class Gallery:
    """The pictures of runs; figures, choices and verdict are those of the first."""

    def __init__(self) -> None:
        self.runs: tuple[LoadedRun, ...] = ()
        self.own: tuple[Picture, ...] = ()
        self.problem = ""
        """Why the phenomenon's figures cannot be drawn; empty where they can."""
        self.choices: tuple[Choice, ...] = ()
        self.own_marks: OwnMarks = {}
        """The user's marks on the runs."""
        self._drawn: dict[int, tuple[object, list[RunData], Picture | None]] = {}

    def take(self, runs: Sequence[LoadedRun], own: tuple[Picture, ...] = (), problem: str = "") -> None:
        """Take over the runs as they are now, with the figures of the first (or why there are none)."""
        before, self.runs = self.runs, tuple(runs)
        if not self.runs:
            self.own, self.problem, self.choices = (), "", ()
        elif not before or before[0].data is not self.runs[0].data:
            self.own, self.problem = own, problem
            self.choices = choices(self.runs[0].phenomenon, self.runs[0].data, self.own)

    @property
    def phenomenon(self) -> str:
        """The name of the first run's phenomenon."""
        return self.runs[0].spec.phenomenon if self.runs else ""

    @property
    def names(self) -> dict[str, str]:
        """Every arm whose curves can be drawn, with its title, in order."""
        found: dict[str, str] = {}
        for run in self.runs:
            for name, title in run.data.titles.items():
                found.setdefault(name, title)
        return found

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms whose curves are drawn unless others were chosen: all, or a few spread over many."""
        names = tuple(self.names)
        if len(names) * len(self.runs) <= MANY or len(names) < 2:
            return names
        few = min(max(FEW // len(self.runs), 2), len(names))
        return tuple(dict.fromkeys(names[round(i * (len(names) - 1) / (few - 1))] for i in range(few)))

    def arms_of(self, number: int, view: LiveView) -> tuple[str, ...]:
        """Return the arms whose curves a panel draws."""
        chosen = view.arms.get(self.phenomenon, {}).get(number, ())
        return tuple(name for name in self.names if name in chosen) or self.arms

    def runs_of(self, number: int, view: LiveView) -> tuple[LoadedRun, ...]:
        """Return the runs whose curves a panel draws."""
        left_out = view.without.get(number, ())
        return tuple(run for run in self.runs if run.id not in left_out) or self.runs

    @property
    def many(self) -> bool:
        """Whether there are more arms than are drawn unless others were chosen."""
        return len(self.arms) < len(self.names)

    def note(self, number: int, view: LiveView) -> str:
        """Return what the legend says about arms and runs without curves in a panel; empty where there are none."""
        drawn, every = len(self.arms_of(number, view)), len(self.names)
        runs = len(self.runs_of(number, view))
        parts = [f"{runs} of {len(self.runs)} runs"] if runs < len(self.runs) else []
        parts += [f"curves of {drawn} of {every} arms"] if drawn < every else []
        return " · ".join(parts)

    def keys(self, view: LiveView) -> list[str]:
        """Return what each panel shows: what was chosen for this phenomenon, else the default."""
        known = {choice.key for choice in self.choices}
        chosen = view.choices.get(self.phenomenon, {})
        phenomenon = self.runs[0].phenomenon if self.runs else None
        first = phenomenon.panels if phenomenon else ()
        usual = defaults(self.choices, max(COUNTS), figures_first=self.many, first=first)
        return [key if (key := chosen.get(i, "")) in known else usual[i] for i in range(len(usual))]

    def slots(self, numbers: Iterable[int], view: LiveView) -> dict[str, int]:
        """Return the number of the colour and marker of every arm drawn in some panels, the same in each.

        The arms of a run that is pinned to a colour have that colour beside those of other runs.
        """
        drawn = {(run.id, arm) for n in numbers for run in self.runs_of(n, view) for arm in self.arms_of(n, view)}
        labels = [
            [
                clean_text((f"{run.title} · " if len(self.runs) > 1 else "") + arm.title, 60)
                for arm in run.data.arms
                if (run.id, arm.name) in drawn
            ]
            for run in self.runs
        ]
        if len(self.runs) == 1:
            return {label: i for i, label in enumerate(dict.fromkeys(labels[0]))}
        numbered = line_slots([run.record for run in self.runs], [len(named) for named in labels])
        found: dict[str, int] = {}
        for label, slot in zip(chain(*labels), chain(*numbered), strict=True):
            found.setdefault(label, slot)
        return found

    def picture(self, number: int, view: LiveView, points: int = POINTS) -> Picture | None:
        """Return what a panel shows, about so many points a line; the same object as long as nothing changed."""
        keys = self.keys(view)
        key = keys[number] if number < len(keys) else ""
        how, figure = view.of(number), key.startswith(FIGURE)
        log_x = view.figure_log_x(number) if figure else how.log_x
        options = Options(how.x, how.log_y, how.members, log_x, points)
        runs, arms = self.runs_of(number, view), self.arms_of(number, view)
        own = {run.id: tuple(self.own_marks.get(run.id, ())) for run in runs}
        stamp = (key, options, arms, own, [run.title for run in runs], len(self.runs))
        data = [run.data for run in runs]
        known = self._drawn.get(number)
        if known is None or known[0] != stamp or any(a is not b for a, b in zip_longest(known[1], data)):
            picture = chart(key, runs, self.own, options, arms, own) if key else None
            if isinstance(picture, Figure) and not figure and len(runs) == 1 < len(self.runs):
                picture = _of_one(picture, runs[0].title)
            self._drawn[number] = known = (stamp, data, picture)
        return known[2]


def _of_one(figure: Figure, title: str) -> Figure:
    """Return a chart of one run with the labels it has among those of others."""
    return dataclasses.replace(
        figure,
        title=f"{figure.title} · {title}",
        lines=tuple(dataclasses.replace(line, label=f"{title} · {line.label}") for line in figure.lines),
        ticks=tuple(dataclasses.replace(tick, line=f"{title} · {tick.line}") for tick in figure.ticks),
    )
