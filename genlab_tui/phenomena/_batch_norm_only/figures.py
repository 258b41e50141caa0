"""Training batch norm alone: accuracy over width and depth, sizes of the scales, learning curves."""

from __future__ import annotations

from collections.abc import Sequence

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import over_factor
from genlab_tui.phenomena._batch_norm_only.claims import ACCURACY, CHOICE, chosen, tried
from genlab_tui.phenomena._batch_norm_only.config import (
    ABOVE_CHANCE,
    BOUNDS,
    DEPTH,
    FULL,
    LABELS,
    NEAR_ZERO,
    NOTHING,
    PUBLISHED,
    PUBLISHED_FULL,
    RANDOM,
    RESNET,
    SCALES,
    SWITCHED_OFF,
    TITLES,
    WIDTH,
    Config,
    arm_of,
    axis_of,
    data_of,
    largest,
    of_kind,
    others,
    share_name,
    size_name,
    sizes,
)
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

BAND = "line: mean over seeds, band: 1 standard deviation"


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return accuracy over width and over depth, the sizes of scales, and learning curves; also of data to come."""
    where = size_name(config, largest(config))
    shown = [arm_of(config, kind, largest(config)) for kind in (SCALES, RANDOM, FULL, LABELS, NOTHING)]
    learning = Figure(
        "learning",
        f"Test accuracy of the largest network ({where}) while it trains",
        "epoch",
        "test accuracy",
        curve_lines(run_data, ACCURACY, x="epoch", arms=shown),
        _marks(run_data),
        note=BAND,
    )
    axis = axis_of(config)
    drawn = [_over(config, run_data, axis, sizes(config))]
    if len(others(config)) > 1:
        drawn.append(_over(config, run_data, WIDTH if axis == DEPTH else DEPTH, others(config)))
    return (*drawn, _scales(config, run_data), learning)


def _marks(run_data: RunData) -> tuple[Reference, ...]:
    chance = 1 / data_of(run_data.spec).classes
    return (Reference(chance, "guessing"), Reference(chance + ABOVE_CHANCE, "guessing + 30 points"))


def _over(config: Config, run_data: RunData, factor: str, group: Sequence[tuple[int, int]]) -> Figure:
    """Return test accuracy over a size, one line for what trains."""
    if config.network == RESNET:
        axis, title = "layers", "ResNets of 16, 32 and 64 channels"
    elif factor == DEPTH:
        axis, title = "hidden layers", f"perceptrons {config.width} wide"
    else:
        axis, title = "units of a hidden layer", f"perceptrons of {config.depth} hidden layers"
    lines: tuple[Line, ...] = ()
    launched = {arm.name for arm in run_data.arms}
    kinds = (SCALES, RANDOM, FULL, LABELS) if largest(config) in group else (SCALES, RANDOM, FULL)
    for kind in kinds:
        arms = [arm for arm in of_kind(config, kind, group) if arm.name in launched]
        lines += over_factor(TITLES[kind], arms, factor, lambda arm: run_data.measure(ACCURACY, arm))
    if largest(config) in group:
        x = float(largest(config)[0 if factor == DEPTH else 1])
        lines += tuple(line for kind in (SCALES, RANDOM) for line in _chosen(config, run_data, kind, x))
    if config.network == RESNET:
        lines += _published()
    rule = "about 75 (layers - 1)" if config.network == RESNET else "2 x layers x width"
    return Figure(
        f"accuracy-{factor}",
        f"Test accuracy over {factor}: {title}",
        axis,
        "test accuracy",
        lines,
        _marks(run_data),
        log_x=True,
        note=f"scales and shifts: {rule}; all else stays as it was drawn, the output layer too; {BAND}",
    )


def _chosen(config: Config, run_data: RunData, kind: str, x: float) -> tuple[Line, ...]:
    """Return as a point what the chosen learning rate reaches in the largest network; none where none is chosen."""
    found = summarise(chosen(run_data, tried(config, kind)).values())
    if not found.n or len(tried(config, kind)) == 1:
        return ()
    low, high = (found.mean - found.sd,), (found.mean + found.sd,)
    return (Line(f"{TITLES[kind]}, learning rate {CHOICE}", (x,), (found.mean,), low, high, points=True, n=(found.n,)),)


def _published() -> tuple[Line, ...]:
    """Return what the publication has for CIFAR-10."""
    return tuple(
        Line(f"published, CIFAR-10: {what}", tuple(map(float, table)), tuple(table.values()), points=True)
        for what, table in ((TITLES[SCALES], PUBLISHED), (TITLES[FULL], PUBLISHED_FULL))
    )


def _scales(config: Config, run_data: RunData) -> Figure:
    """Return the share of scales below a size, with everything trained and with scales and shifts alone."""
    lines: list[Line] = []
    for kind in (SCALES, FULL, LABELS):
        arm = arm_of(config, kind, largest(config))
        found = [(bound, summarise(run_data.measure(share_name(bound), arm).values())) for bound in BOUNDS]
        rows = [(bound, s) for bound, s in found if s.n]
        if rows:
            lines.append(
                Line(
                    TITLES[kind],
                    tuple(bound for bound, _ in rows),
                    tuple(s.mean for _, s in rows),
                    tuple(s.mean - s.sd for _, s in rows),
                    tuple(s.mean + s.sd for _, s in rows),
                    n=tuple(s.n for _, s in rows),
                )
            )
    return Figure(
        "scales",
        f"How small scales become, largest network ({size_name(config, largest(config))})",
        "size |gamma|",
        "share of scales that are smaller",
        tuple(lines),
        (Reference(NEAR_ZERO, "as good as zero", "x"), Reference(SWITCHED_OFF, "published: about 1/4 to 1/3"))
        if config.network == RESNET
        else (Reference(NEAR_ZERO, "as good as zero", "x"),),
        log_x=True,
        note=f"initial scales: {'1' if config.gamma == 'one' else 'uniform from 0 to 1'}; {BAND}",
    )
