"""Universal approximation: error over width in two norms, units over pieces by depth, the training loss."""

from __future__ import annotations

import statistics

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import MEDIAN, curve_lines, median_lines
from genlab_tui.measures import over_factor
from genlab_tui.phenomena._universal_approximation.claims import JUMP
from genlab_tui.phenomena._universal_approximation.config import TRAINED_TENTS, UNITS, Config, grid, kinds
from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return the figures, also of data still coming."""
    written, layers, learnt, deep = kinds(run_data.arms)
    laws = (_law(config, run_data, "sine", -2), _law(config, run_data, "kink", -1))
    jump = Reference(JUMP, "no continuous function is closer to the jump")
    sup = Figure(
        "sup",
        "Written down: largest error over the width",
        "hidden units",
        "largest |network - target|",
        (*_over(run_data, "sup", written), *(law for law in laws if law)),
        (jump,),
        log_x=True,
        log_y=True,
        note=f"{MEDIAN}; of the worst shift of the target; the laws are drawn below what they are compared with",
    )
    smooth = tuple(arm for arm in written if arm.name == "sine")
    gap = Figure(
        "trained",
        "Trained: largest error over the width",
        "hidden units",
        "largest |network - target|",
        _over(run_data, "sup", (*learnt, *smooth)),
        (jump,),
        log_x=True,
        log_y=True,
        note=f"{MEDIAN}; training minimises the mean square at {config.samples:,} samples, shown is the largest error: "
        "loss and samples are in the gap, beside what Adam does not find",
    )
    square = Figure(
        "l2",
        "Root mean square error over the width",
        "hidden units",
        "L2 error",
        _over(run_data, "l2", (*written, *learnt)),
        log_x=True,
        log_y=True,
        note=f"{MEDIAN}; in this norm the step is met too",
    )
    depth = Figure(
        "depth",
        "Units needed for equal error, by depth",
        "linear pieces of the target",
        "hidden units",
        _over(run_data, "units", tuple(arm for arm in layers if not arm.control)),
        log_x=True,
        log_y=True,
        note="tents applied one after another, each layer writes out a part of them; errors are rounding",
    )
    equal = Figure(
        "depth-error",
        "Largest error by depth",
        "linear pieces of the target",
        "largest |network - target|",
        _over(run_data, "depth_error", layers),
        log_x=True,
        log_y=True,
        note=MEDIAN,
    )
    by_depth = Figure(
        "trained-depth",
        f"Trained by depth: {UNITS} units on {2**TRAINED_TENTS} linear pieces",
        "hidden layers",
        "L2 error",
        over_factor("trained", deep, "trained layers", lambda arm: run_data.measure("l2_wide", arm)),
        (Reference(12**-0.5, "predicting the mean"), Reference(0.0, "written out")),
        note="mean over seeds, band: 1 standard deviation",
    )
    loss = Figure(
        "loss",
        "Training loss, of the widest networks and by depth",
        "step",
        "mean squared error",
        curve_lines(run_data, "train_loss"),
        log_y=True,
        note="line: mean over seeds, band: 1 standard deviation",
    )
    return sup, gap, square, depth, equal, by_depth, loss


def _law(config: Config, run_data: RunData, arm: str, power: int) -> Line | None:
    """Return a line of that power beside the error of an arm, a third of it at the largest width."""
    wide = list(run_data.measure("sup_wide", arm).values())
    if not wide or min(wide) <= 0.0:
        return None
    widths = grid(config)
    level = statistics.median(wide) / 3
    y = tuple(level * (width / widths[-1]) ** power for width in widths)
    return Line(f"slope {power}", tuple(map(float, widths)), y)


def _over(run_data: RunData, metric: str, arms: tuple[Arm, ...]) -> tuple[Line, ...]:
    return median_lines(run_data, metric, [arm.name for arm in arms])
