"""Intrinsic dimension: accuracy over d, d_int90 over D, the controls, small networks, learning."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlab_tui.figure import Figure, Line, Reference, Tick
from genlab_tui.lines import curve_lines
from genlab_tui.phenomena._intrinsic_dimension.config import CONTROLS, RANDOM, REACH, Config, data_of, dims_of
from genlab_tui.phenomena._intrinsic_dimension.numbers import (
    TEST,
    Sweep,
    direct,
    fitted,
    local,
    mean_of,
    name_of,
    small_networks,
)
from genlab_tui.phenomena._intrinsic_dimension.side import PUBLISHED, SOURCE
from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return the figures, also of data still coming."""
    nets = [arm for arm in run_data.arms if arm.factors.get("kind") == "network"]
    nets.sort(key=lambda arm: float(arm.factors["D"]))
    controls = [arm for arm in run_data.arms if arm.factors.get("kind") == "control"]
    return (
        _accuracy(run_data, config, nets),
        _dimension(run_data, config, nets, controls),
        _controls(run_data, config, controls),
        _small(run_data, config, nets),
        _learning(run_data, config, nets),
    )


def _over_d(label: str, found: Sequence[int], rows: Sequence[Sequence[float]]) -> tuple[Line, ...]:
    """Return values over dimensions: mean over draws, band of one standard deviation."""
    if not rows:
        return ()
    columns = [summarise(column) for column in zip(*rows, strict=True)]
    return (
        Line(
            label,
            tuple(float(d) for d in found),
            tuple(s.mean for s in columns),
            tuple(s.mean - s.sd for s in columns),
            tuple(s.mean + s.sd for s in columns),
            n=tuple(s.n for s in columns),
        ),
    )


def _accuracy(run_data: RunData, config: Config, nets: Sequence[Arm]) -> Figure:
    lines: list[Line] = []
    ticks = []
    for arm in nets:
        found = local(run_data, config, arm.name)
        label = f"{arm.name} (D = {float(arm.factors['D']):,.0f})"
        lines += _over_d(label, found.dims, list(found.shares.values()))
        if found.rows and found.reached:
            ticks.append(Tick(found.dimension(), f"d_int90 = {found.dimension():.0f}", label))
    return Figure(
        "accuracy",
        "Accuracy in a random subspace",
        "dimensions trained, d",
        "test accuracy / that of direct training",
        tuple(lines),
        (Reference(REACH, "90 % of direct training"), Reference(1.0, "direct training")),
        log_x=True,
        note=f"{config.projection} projections, {config.basis} bases; a seed draws P, theta_0, split and order; "
        "line: mean over seeds, band: 1 standard deviation",
        ticks=tuple(ticks),
    )


def _point(label: str, places: Sequence[tuple[float, Sweep]]) -> tuple[Line, ...]:
    """Return d_int90 over D, with its spread over draws."""
    rows = [(x, found.bounded(), summarise(found.per_seed().values())) for x, found in places if found.rows]
    if not rows:
        return ()
    return (
        Line(
            label,
            tuple(x for x, _, _ in rows),
            tuple(value for _, value, _ in rows),
            tuple(max(value - s.sd, 1.0) if math.isfinite(s.sd) else value for _, value, s in rows),
            tuple(value + s.sd if math.isfinite(s.sd) else value for _, value, s in rows),
            points=True,
            n=tuple(s.n for _, _, s in rows),
        ),
    )


def _dimension(run_data: RunData, config: Config, nets: Sequence[Arm], controls: Sequence[Arm]) -> Figure:
    every = [float(arm.factors["D"]) for arm in (*nets, *controls)]
    lines = list(_point("networks", [(float(a.factors["D"]), local(run_data, config, a.name)) for a in nets]))
    for arm in controls:
        found = fitted(run_data, config, arm.name)
        bound = "" if not found.rows or found.reached else ", at least"
        lines += _point(f"{CONTROLS[arm.name]}, by training accuracy{bound}", [(float(arm.factors["D"]), found)])
    if every:
        ends = (min(every), max(*every, *(float(size) for size in PUBLISHED)))
        lines.append(Line("D itself", ends, ends))
    reported = sorted(PUBLISHED.items())
    lines.append(
        Line(f"{SOURCE}", tuple(float(x) for x, _ in reported), tuple(float(y) for _, y in reported), points=True)
    )
    return Figure(
        "dimension",
        "Intrinsic dimension over size",
        "parameters of the network, D",
        "d_int90",
        tuple(lines),
        log_x=True,
        log_y=True,
        note="read off the mean over draws, band: 1 standard deviation over draws; the paper's: global baseline, "
        "MNIST, and d_int90 grows with the baseline",
    )


def _controls(run_data: RunData, config: Config, controls: Sequence[Arm]) -> Figure:
    lines: list[Line] = []
    for arm in controls:
        found = fitted(run_data, config, arm.name)
        lines += _over_d(CONTROLS[arm.name], found.dims, list(found.rows.values()))
    return Figure(
        "controls",
        f"Training accuracy of network {config.control_net}",
        "dimensions trained, d",
        "training accuracy",
        tuple(lines),
        (Reference(REACH, "90 %"), Reference(1 / data_of(run_data.spec).classes, "guessing")),
        log_x=True,
        note="the same network on fewer samples; line: mean over seeds, band: 1 standard deviation",
    )


def _small(run_data: RunData, config: Config, nets: Sequence[Arm]) -> Figure:
    known = data_of(run_data.spec)
    lines: list[Line] = []
    for arm in nets[-1:]:
        found = local(run_data, config, arm.name)
        lines += _over_d(f"subspaces of {arm.name}", found.dims, list(found.rows.values()))
    rows = small_networks(run_data, config, known.features, known.classes)
    counts = [count for count, row in rows if row]
    values = [summarise(row.values()) for _, row in rows if row]
    if counts:
        lines.append(
            Line(
                "small networks, trained directly",
                tuple(float(count) for count in counts),
                tuple(s.mean for s in values),
                tuple(s.mean - s.sd for s in values),
                tuple(s.mean + s.sd for s in values),
                n=tuple(s.n for s in values),
            )
        )
    best = [mean_of(run_data, TEST, direct(arm.name)) for arm in nets]
    finite = [value for value in best if math.isfinite(value)]
    return Figure(
        "small",
        "The same number of trained parameters, spent in two ways",
        "numbers trained",
        "test accuracy",
        tuple(lines),
        (Reference(REACH * max(finite), "90 % of the best network"),) if finite else (),
        log_x=True,
        note="small: one hidden layer of a few units; line: mean over seeds, band: 1 standard deviation",
    )


def _learning(run_data: RunData, config: Config, nets: Sequence[Arm]) -> Figure:
    names = [name_of(arm.name, d) for arm in nets[-1:] for d in dims_of(config, arm.name)]
    names += [direct(arm.name) for arm in nets[-1:]]
    names += [name_of(RANDOM, d) for d in dims_of(config, RANDOM)[-1:]]
    return Figure(
        "learning",
        "Learning in subspaces of the largest network",
        "epoch",
        "training accuracy",
        curve_lines(run_data, "train_accuracy", x="epoch", arms=names),
        (Reference(1 / data_of(run_data.spec).classes, "guessing"),),
        note="line: mean over seeds, band: 1 standard deviation",
    )
