"""What a chart panel of a run can show: its metrics, the generalisation gap, the phenomenon's own figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genlab_tui.compare import metric_figure
from genlab_tui.figure import Figure, HeatMap, Reference
from genlab_tui.lines import AXES, Axis
from genlab_tui.phenomenon import Phenomenon
from genlab_tui.rundata import Curve, Member, RunData
from genlab_tui.summary import LoadedRun
from screens.panels.happened import OwnMarks, references, ticks

GAP = "gap"
PAIR = ("train_accuracy", "test_accuracy")
FIGURE = "figure:"


@dataclass(frozen=True)
class Choice:
    """Something a panel can show: `key` is kept between sessions, `title` is for the eye.

    `curves` tells figures that only show the metrics over the steps again.
    """

    key: str
    title: str
    curves: bool = False


def choices(phenomenon: Phenomenon | None, data: RunData, figures: Sequence[Figure | HeatMap]) -> tuple[Choice, ...]:
    """Return what there is to show, declared metrics first; metrics count as soon as the phenomenon declares them."""
    declared = {m.name: m.label for m in phenomenon.metrics} if phenomenon else {}
    names = dict.fromkeys((*declared, *data.curves))
    found = [Choice(name, declared.get(name, name.replace("_", " "))) for name in names]
    if all(name in names for name in PAIR):
        found.append(Choice(GAP, "generalisation gap"))
    return (*found, *(Choice(FIGURE + f.name, f.title, isinstance(f, Figure) and f.x_label in AXES) for f in figures))


def defaults(
    known: Sequence[Choice], count: int, *, figures_first: bool = False, first: Sequence[str] = ()
) -> list[str]:
    """Return the keys that the first panels show: loss, test accuracy, gap, figures; then the rest in order.

    A run without accuracy curves starts with its figures, and so does one that asks for it. `first` come before all:
    the names of figures, or of metrics where no figure is called that.
    """
    keys = [choice.key for choice in known]
    asked = [FIGURE + name if FIGURE + name in keys else name for name in first]
    figures = [choice.key for choice in sorted(known, key=lambda c: c.curves) if choice.key.startswith(FIGURE)]
    curves_first = GAP in keys and not figures_first and not first
    wanted = ["train_loss", "test_accuracy", GAP, *figures, *keys] if curves_first else [*figures, *keys]
    order = [key for key in dict.fromkeys([*asked, *wanted]) if key in keys]
    return [order[i % len(order)] for i in range(count)] if order else []


@dataclass(frozen=True)
class Options:
    """How curves are drawn, with about so many points a line. `log_x`, `log_y` None: as the phenomenon declares it."""

    x: Axis = "step"
    log_y: bool | None = None
    members: bool = False
    log_x: bool | None = None
    points: int = 400


def chart(
    key: str,
    runs: Sequence[LoadedRun],
    figures: Sequence[Figure | HeatMap],
    options: Options,
    arms: Sequence[str] | None = None,
    own: OwnMarks | None = None,
) -> Figure | HeatMap | None:
    """Return what a panel shows of one run or several: a metric of all of them, or one of the figures given.

    With `arms`, the curves are those of these arms alone. `own` are the user's marks on the runs.
    """
    if key.startswith(FIGURE):
        return _with_logs(next((f for f in figures if f.name == key[len(FIGURE) :]), None), options)
    shown = [dataclasses.replace(run, data=with_gap(run.data)) for run in runs] if key == GAP else list(runs)
    figure = metric_figure(
        shown,
        key,
        x=options.x,
        arms=arms,
        members=options.members,
        log_x=options.log_x,
        log_y=options.log_y,
        points=options.points,
    )
    if key == GAP:
        figure = dataclasses.replace(figure, title="generalisation gap", y_label="train - test accuracy")
        figure = dataclasses.replace(figure, references=(Reference(0.0, "no gap"),))
    names = arms if arms is not None else [arm.name for run in runs for arm in run.data.arms]
    return dataclasses.replace(
        figure,
        references=(*figure.references, *references(shown, key, options.x, own or {})),
        ticks=ticks(shown, key, options.x, names),
    )


def _with_logs(figure: Figure | HeatMap | None, options: Options) -> Figure | HeatMap | None:
    if not isinstance(figure, Figure):
        return figure
    log_x = figure.log_x if options.log_x is None else options.log_x
    log_y = figure.log_y if options.log_y is None else options.log_y
    same = (log_x, log_y) == (figure.log_x, figure.log_y)
    return figure if same else dataclasses.replace(figure, log_x=log_x, log_y=log_y)


def with_gap(data: RunData) -> RunData:
    """Return run data with the curve `gap`: train minus test accuracy of every member, where both were measured."""
    import numpy as np

    train, test = (data.curves.get(name, {}) for name in PAIR)
    gaps: dict[Member, Curve] = {}
    for member, curve in train.items():
        other = test.get(member)
        if other is None:
            continue
        if len(curve.step) == len(other.step) and np.array_equal(curve.step, other.step):
            gaps[member] = dataclasses.replace(curve, value=curve.value - other.value)
        else:
            _, mine, theirs = np.intersect1d(curve.step, other.step, return_indices=True)
            gaps[member] = Curve(
                curve.step[mine], curve.epoch[mine], curve.seconds[mine], curve.value[mine] - other.value[theirs]
            )
    curves: Mapping[str, Mapping[Member, Curve]] = {**data.curves, GAP: gaps}
    return dataclasses.replace(data, curves=curves)
