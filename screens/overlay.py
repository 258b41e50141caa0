"""What the chart of the Compare screen shows and how: metric or figure, arm, axes, smoothing. No widgets here."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from genlab_tui.compare import metric_figure
from genlab_tui.difference import difference_figure, without_band
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.grouping import Group
from genlab_tui.lines import AXES, Axis
from genlab_tui.selection import Selection, field_figure
from genlab_tui.summary import VALUES, LoadedRun, SummaryRow, Values, baseline_arm, is_of
from genlab_tui.text import clean_text
from screens.comparison import Comparison

T = TypeVar("T")

VIEWS = ("curves", "difference", "figure", "field", "summary", "settings", "verdicts")
CHARTS = ("curves", "difference", "figure", "field")
SMOOTH = (0.0, 0.6, 0.9, 0.97)
BANDS = 10
"""The bands of more runs than these are only a smudge."""
MANY = 6
"""More lines than these in one chart are too many: then one arm is shown at first."""
PREFERRED = ("test_accuracy", "test_loss", "test_error")


def after(items: Sequence[T], item: T, by: int = 1) -> T:
    """Return what comes after an item, around the end; the first where it is none of them."""
    return items[(items.index(item) + by) % len(items)] if item in items else items[0]


@dataclass
class Overlay:
    """The choices of a user; they hold while the compared runs change."""

    view: str = "curves"
    metric: str = ""
    figure: str = ""
    arm: str | None = None
    arm_chosen: bool = False
    x: Axis = "step"
    log_y: bool | None = None
    log_x: bool | None = None
    members: bool = False
    band: bool | None = None
    smooth: float = 0.0
    group_by: str = ""
    at: float | None = None
    values: Values = "all"
    measure: str = ""
    all_settings: bool = False

    # --- remembered ---------------------------------------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """Return the choices as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def read(cls, document: object) -> Overlay:
        """Return the choices of a document; what it does not have, or has wrong, is as at the start."""
        overlay = cls()
        if not isinstance(document, dict):
            return overlay
        for field in dataclasses.fields(cls):
            value, default = document.get(field.name), field.default
            allowed = ALLOWED.get(field.name)
            if allowed(value) if allowed else isinstance(value, type(default)):
                setattr(overlay, field.name, value)
        return overlay

    def start_anew(self) -> None:
        """Forget what was chosen for the runs before: other runs are compared one by one."""
        self.arm_chosen, self.group_by = False, ""

    # --- what is there ------------------------------------------------------------------------------------------------

    def views(self, found: Comparison) -> list[str]:
        """Return the views that show something."""
        absent = set() if len(found.units) > 1 else {"difference"}
        return [view for view in VIEWS if view not in absent | (set() if found.numeric else {"field"})]

    def selection(self, found: Comparison) -> Selection:
        """Return what is shown, as an export and the command line would have to be asked for it."""
        unit = next((unit for unit in found.units if unit.id == found.baseline), None)
        run = unit.members[0] if isinstance(unit, Group) else unit
        values: Values = "all" if self.values == "at" and self.at is None else self.values
        base = run.id if run else None
        return Selection(base, self.arm, found.grouping.field, found.selection.at, values, self.x)

    def rows(self, found: Comparison) -> list[SummaryRow]:
        """Return the rows of the summary that are shown."""
        values = self.selection(found).values
        return [
            row for row in found.summary if (self.arm is None or row.arm == self.arm) and is_of(row.measure, values)
        ]

    def settle(self, found: Comparison) -> None:
        """Choose what is not chosen, or no longer there; nothing while no run is there to tell."""
        if not found.runs:
            return
        if self.metric not in found.metrics:
            shared = [m for m in found.metrics if all(m in run.data.curves for run in found.runs)] or found.metrics
            self.metric = next((m for m in PREFERRED if m in shared), next(iter(shared), ""))
        titles = self.figures(found)
        if self.figure not in titles:
            # A figure that shows the metrics over the steps again comes last: one line a run and arm is a tangle.
            own = [f.title for f in found.figures if not (isinstance(f, Figure) and f.x_label in AXES)]
            self.figure = next(iter((*own, *titles)), "")
        measures = self.measures(found)
        if self.measure not in measures:
            self.measure = measures[0] if measures else ""
        if self.view not in self.views(found):
            self.view = VIEWS[0]
        if found.refused and self.group_by == found.refused:
            self.group_by = ""
        names = [name for name, _ in found.arms]
        if self.arm not in names:
            self.arm = None
        if not self.arm_chosen and len(found.units) > 1:
            first = baseline_arm(next(unit for unit in found.units if unit.id == found.baseline))
            self.arm = first if len(names) * len(found.units) > MANY and first in names else None

    def lacks(self, run: LoadedRun) -> bool:
        """Tell whether a run that has ended has no curve of the metric shown."""
        return self.view in ("curves", "difference") and run.record.state.ended and self.metric not in run.data.curves

    def nothing(self, found: Comparison) -> str:
        """Say why there is nothing to see: of runs that have all ended, nothing will come any more."""
        if any(not member.record.state.ended for member in found.runs):
            return "no data yet"
        have = [{arm for arm, _ in unit.data.curves.get(self.metric, {})} for unit in found.units]
        if self.view == "difference" and sum(map(bool, have)) > 1 and not self.arm:
            return "no arm in common"
        if self.view == "difference" and sum(map(bool, have)) > 1:
            return "no seed in common: differences are paired by seed"
        return "no such curve" if self.view in ("curves", "difference") else "no such numbers"

    def banded(self, found: Comparison) -> bool:
        """Tell whether bands are drawn; unless chosen, not of so many that nothing else could be seen."""
        return self.band if self.band is not None else self.view != "curves" or len(found.units) <= BANDS

    @property
    def arms(self) -> list[str] | None:
        """The arms shown; None for all."""
        return None if self.arm is None else [self.arm]

    @staticmethod
    def figures(found: Comparison) -> list[str]:
        """Return the titles of the figures there are."""
        return [figure.title for figure in found.figures]

    @staticmethod
    def measures(found: Comparison) -> list[str]:
        """Return the values that there are, each once."""
        return list(dict.fromkeys(row.measure for row in found.summary))

    # --- choices ------------------------------------------------------------------------------------------------------

    def next_picture(self, found: Comparison, by: int) -> None:
        """Go to the next metric, or in the view of figures to the next figure."""
        if self.view == "figure":
            titles = self.figures(found)
            self.figure = after(titles, self.figure, by) if titles else ""
        elif self.view == "field":
            measures = self.measures(found)
            self.measure = after(measures, self.measure, by) if measures else ""
        elif found.metrics:
            self.metric = after(found.metrics, self.metric, by)

    def next_arm(self, found: Comparison, by: int = 1) -> None:
        """Go from all arms through each of them."""
        if not found.arms:
            return
        self.arm = after([None, *(name for name, _ in found.arms)], self.arm, by)
        self.arm_chosen = True

    def next_axis(self) -> None:
        """Go from step to epoch to seconds."""
        self.x = after(AXES, self.x)

    def next_log_x(self) -> None:
        """Go from what the phenomenon declares to logarithmic to linear."""
        self.log_x = after((None, True, False), self.log_x)

    def next_log_y(self) -> None:
        """Go from what the phenomenon declares to logarithmic to linear."""
        self.log_y = after((None, True, False), self.log_y)

    def next_smooth(self) -> None:
        """Smooth more, then not at all."""
        self.smooth = after(SMOOTH, self.smooth)

    def next_values(self) -> None:
        """Go from all numbers through each kind of them; those at a step come only where a step was asked for."""
        self.values = after([v for v in VALUES if v != "at" or self.at is not None], self.values)

    # --- what is drawn ------------------------------------------------------------------------------------------------

    def picture(self, found: Comparison) -> Figure | HeatMap | None:
        """Return what to draw of a comparison."""
        if self.view == "figure":
            chosen = next((figure for figure in found.figures if figure.title == self.figure), None)
            return self._shown(chosen, found) if isinstance(chosen, Figure) else chosen
        if self.view == "field":
            return self._shown(field_figure(self._of_arm(found), found.grouping, self.measure, log_x=self.log_x), found)
        if not self.metric:
            return None
        if self.view == "difference":
            figure = difference_figure(
                found.units,
                found.baseline,
                self.metric,
                x=self.x,
                arms=self.arms,
                members=self.members,
                log_x=self.log_x,
                titles=found.titles,
            )
        else:
            figure = metric_figure(
                found.units,
                self.metric,
                x=self.x,
                arms=self.arms,
                members=self.members,
                log_x=self.log_x,
                log_y=self.log_y,
                titles=found.titles,
            )
        arm = dict(found.arms).get(self.arm or "", "")
        shown = self._shown(figure, found)
        return self._one_arm(shown, arm, named=len(found.units) > 1) if arm else shown

    def _of_arm(self, found: Comparison) -> list[SummaryRow]:
        return [row for row in found.summary if self.arm is None or row.arm == self.arm]

    def _shown(self, figure: Figure, found: Comparison) -> Figure:
        return figure if self.banded(found) else without_band(figure)

    @staticmethod
    def _one_arm(figure: Figure, arm: str, *, named: bool) -> Figure:
        """Where all lines are of one arm, the title says so and the labels need not."""
        lines = figure.lines
        if named:
            lines = tuple(dataclasses.replace(x, label=x.label.replace(f" · {arm}", "", 1)) for x in lines)
        return dataclasses.replace(figure, lines=lines, title=f"{figure.title} · {arm}")

    def words(self, found: Comparison) -> Iterator[str]:
        """Yield what is shown and how, in a few words each."""
        titles = self.figures(found)
        if self.view == "figure" and len(titles) > 1 and self.figure in titles:
            yield f"figure {titles.index(self.figure) + 1} of {len(titles)}"
        else:
            yield self.view
        if self.view in ("curves", "difference"):
            yield f"x {self.x}{'' if self.log_x is None else ' log' if self.log_x else ' linear'}"
            if self.log_y is not None and self.view == "curves":
                yield "y log" if self.log_y else "y linear"
            if self.smooth:
                yield f"smooth {self.smooth:g}"
            band = "±1 sd over seeds" if self.view == "curves" else "Student-t 95 % over pairs"
            yield band if self.banded(found) else "no band"
            if self.members:
                yield "each seed"
        if self.view == "field" and self.banded(found):
            yield "±1 sd over seeds"
        if self.view == "summary" and self.values != "all":
            yield f"values: {self.values}"
        if self.view in ("curves", "difference", "field", "summary") and len(found.arms) > 1:
            title = dict(found.arms).get(self.arm or "")
            yield f"arm {clean_text(title, 24)}" if title else f"all {len(found.arms)} arms"
        if found.grouping.field:
            yield f"by {clean_text(found.grouping.field, 24).replace('_', ' ')}"


def _optional_flag(value: object) -> bool:
    return value is None or isinstance(value, bool)


ALLOWED: Mapping[str, Callable[[Any], bool]] = {
    "view": lambda value: value in VIEWS,
    "x": lambda value: value in AXES,
    "values": lambda value: value in VALUES,
    "smooth": lambda value: value in SMOOTH,
    "arm": lambda value: value is None or isinstance(value, str),
    "log_x": _optional_flag,
    "log_y": _optional_flag,
    "band": _optional_flag,
    "at": lambda value: value is None or (type(value) in (int, float) and math.isfinite(value)),
}
"""What a remembered choice may be; any other has the type that it starts with."""
