"""What the chart of the Compare screen shows and how: metric or figure, arm, axes, smoothing. No widgets here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from genlab_tui.compare import LoadedRun, baseline_arm, metric_figure
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.lines import AXES, Axis
from genlab_tui.text import clean_text
from screens.comparison import Comparison

T = TypeVar("T")

VIEWS = ("curves", "figure", "summary", "settings", "verdicts")
SMOOTH = (0.0, 0.6, 0.9, 0.97)
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
    band: bool = True
    smooth: float = 0.0

    def settle(self, found: Comparison) -> None:
        """Choose what is not chosen, or no longer there."""
        if self.metric not in found.metrics:
            shared = [m for m in found.metrics if all(m in run.data.curves for run in found.runs)] or found.metrics
            self.metric = next((m for m in PREFERRED if m in shared), next(iter(shared), ""))
        titles = self.figures(found)
        if self.figure not in titles:
            self.figure = titles[0] if titles else ""
        names = [name for name, _ in found.arms]
        if self.arm not in names:
            self.arm = None
        if not self.arm_chosen and len(found.runs) > 1:
            first = baseline_arm(next(run for run in found.runs if run.id == found.baseline))
            self.arm = first if len(names) * len(found.runs) > MANY and first in names else None

    def lacks(self, run: LoadedRun) -> bool:
        """Tell whether a run that has ended has no curve of the metric shown."""
        return self.view == "curves" and run.record.state.ended and self.metric not in run.data.curves

    @property
    def arms(self) -> list[str] | None:
        """The arms shown; None for all."""
        return None if self.arm is None else [self.arm]

    @staticmethod
    def figures(found: Comparison) -> list[str]:
        """Return the titles of the figures there are."""
        return [figure.title for figure in found.figures]

    # --- choices ------------------------------------------------------------------------------------------------------

    def next_picture(self, found: Comparison, by: int) -> None:
        """Go to the next metric, or in the view of figures to the next figure."""
        if self.view == "figure":
            titles = self.figures(found)
            self.figure = after(titles, self.figure, by) if titles else ""
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

    # --- what is drawn ------------------------------------------------------------------------------------------------

    def picture(self, found: Comparison) -> Figure | HeatMap | None:
        """Return what to draw of a comparison."""
        if self.view == "figure":
            chosen = next((figure for figure in found.figures if figure.title == self.figure), None)
            return self._shown(chosen) if isinstance(chosen, Figure) else chosen
        if not self.metric:
            return None
        figure = metric_figure(
            found.runs,
            self.metric,
            x=self.x,
            arms=self.arms,
            members=self.members,
            log_x=self.log_x,
            log_y=self.log_y,
            titles=found.titles,
        )
        arm = dict(found.arms).get(self.arm or "", "")
        return self._one_arm(self._shown(figure), arm, named=len(found.runs) > 1) if arm else self._shown(figure)

    def _shown(self, figure: Figure) -> Figure:
        if self.band:
            return figure
        return dataclasses.replace(
            figure, lines=tuple(dataclasses.replace(line, low=None, high=None) for line in figure.lines)
        )

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
        if self.view == "curves":
            yield f"x {self.x}{'' if self.log_x is None else ' log' if self.log_x else ' linear'}"
            if self.log_y is not None:
                yield "y log" if self.log_y else "y linear"
            if self.smooth:
                yield f"smooth {self.smooth:g}"
            yield "±1 sd over seeds" if self.band else "no band"
            if self.members:
                yield "each seed"
        if self.view in ("curves", "summary") and len(found.arms) > 1:
            title = dict(found.arms).get(self.arm or "")
            yield f"arm {clean_text(title, 24)}" if title else f"all {len(found.arms)} arms"
