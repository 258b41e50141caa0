"""What the panels of the Live screen can show of the runs at hand, worked out once for the same data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from genlab_tui.compare import LoadedRun
from genlab_tui.errors import GenlabError
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.rundata import RunData
from genlab_tui.text import clean_text
from screens.liveview import COUNTS, LiveView
from screens.panels.choices import Choice, Options, chart, choices, defaults

Picture = Figure | HeatMap

MANY = 12
"""With more arms than that, curves of all of them are a tangle: a few are drawn, and the figures come first."""

FEW = 8
"""So many of many arms have their curves drawn, from the first to the last."""


class Gallery:
    """The pictures of runs; figures, choices and verdict are those of the first."""

    def __init__(self) -> None:
        self.runs: tuple[LoadedRun, ...] = ()
        self.own: tuple[Picture, ...] = ()
        self.problem = ""
        """Why the phenomenon's figures cannot be drawn; empty where they can."""
        self.choices: tuple[Choice, ...] = ()
        self._drawn: dict[int, tuple[object, list[RunData], Picture | None]] = {}

    def take(self, runs: Sequence[LoadedRun]) -> None:
        """Take over the runs as they are now."""
        before, self.runs = self.runs, tuple(runs)
        if not self.runs:
            self.own, self.problem, self.choices = (), "", ()
        elif not before or before[0].data is not self.runs[0].data:
            try:
                self.own, self.problem = self.runs[0].figures(), ""
            except GenlabError as error:
                self.own, self.problem = (), str(error)
            self.choices = choices(self.runs[0].phenomenon, self.runs[0].data, self.own)

    @property
    def phenomenon(self) -> str:
        """The name of the first run's phenomenon."""
        return self.runs[0].spec.phenomenon if self.runs else ""

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms whose curves are drawn: all, or a few spread over many."""
        names = tuple(arm.name for arm in self.runs[0].data.arms) if self.runs else ()
        if len(self.runs) > 1 or len(names) <= MANY:
            return names
        return tuple(names[round(i * (len(names) - 1) / (FEW - 1))] for i in range(FEW))

    @property
    def note(self) -> str:
        """What the legend says about arms without curves; empty where there are none."""
        every = len(self.runs[0].data.arms) if self.runs else 0
        return f"curves of {len(self.arms)} of {every} arms" if len(self.arms) < every else ""

    def keys(self, view: LiveView) -> list[str]:
        """Return what each panel shows: what was chosen for this phenomenon, else the default."""
        known = {choice.key for choice in self.choices}
        chosen = view.choices.get(self.phenomenon, {})
        usual = defaults(self.choices, max(COUNTS), figures_first=bool(self.note))
        return [key if (key := chosen.get(i, "")) in known else usual[i] for i in range(len(usual))]

    def slots(self) -> dict[str, int]:
        """Return the number of the colour and marker of every arm, the same in every panel."""
        labels = [
            clean_text((f"{run.title} · " if len(self.runs) > 1 else "") + arm.title, 60)
            for run in self.runs
            for arm in run.data.arms
            if len(self.runs) > 1 or arm.name in self.arms
        ]
        return {label: i for i, label in enumerate(dict.fromkeys(labels))}

    def picture(self, number: int, view: LiveView) -> Picture | None:
        """Return what a panel shows; the same object as long as nothing changed."""
        keys = self.keys(view)
        key = keys[number] if number < len(keys) else ""
        options = Options(view.x, view.log_y, view.members)
        stamp = (key, options, [run.title for run in self.runs])
        data = [run.data for run in self.runs]
        known = self._drawn.get(number)
        if known is None or known[0] != stamp or any(a is not b for a, b in zip_longest(known[1], data)):
            picture = chart(key, self.runs, self.own, options, self.arms) if key else None
            self._drawn[number] = known = (stamp, data, picture)
        return known[2]
