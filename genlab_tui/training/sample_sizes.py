"""Networks by construction on ever more points of one seed: what they cost and miss; a checkpoint after each size."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlab_tui import events as ev
from genlab_tui.data import Arrays
from genlab_tui.data.arrays import flatten, split, standardise
from genlab_tui.data.corrupt import corrupt_labels
from genlab_tui.data.seeding import generator
from genlab_tui.phenomenon import Arm, Checkpoint, Context
from genlab_tui.training.finite_sample import (
    Array,
    DeepNetwork,
    Network,
    Projection,
    condition,
    deepen,
    distinct,
    fit,
    fit_between,
    fit_half,
    nearest,
    project,
    slopes,
)
from genlab_tui.training.power_law import growth

METRICS = (
    "error",
    "weights",
    "largest_weight",
    "lipschitz",
    "condition",
    "smallest_gap",
    "disagreement",
    "train_accuracy",
    "test_accuracy",
    "width",
)
BLOCK = 1024  # rows that are moved at once
WORST = ("error", "disagreement")
"""Judged by their largest value over the sizes; accuracy by its smallest one on the points, its last one on others."""


@dataclass(frozen=True)
class Problem:
    """One seed's points: inputs [n, d] in float64, one set of `targets` a name, and inputs that nobody fitted.

    `y_new` are the true classes of those, None where the targets are no classes. `conflicts` counts the rows that were
    drawn with the inputs of another one but another true label; copies that agree are one point.
    """

    x: Array
    targets: Mapping[str, Array]
    x_new: Array
    y_new: NDArray[np.int64] | None = None
    classes: int = 0
    conflicts: int = 0


def draw_gaussian(seed: int, n: int, d: int, new: int) -> Problem:
    """Draw Gaussian inputs and, of no relation to them, Gaussian targets."""
    x = generator(seed, "inputs").standard_normal((n, d))
    y = generator(seed, "targets").standard_normal(n)
    return Problem(x, {"random": y}, generator(seed, "new inputs").standard_normal((new, d)))


def draw_real(arrays: Arrays, seed: int, n: int, test: int) -> Problem:
    """Draw at most `n` different inputs of a data set; the targets are class numbers, the true ones and random ones."""
    part = standardise(split(arrays, min(n, len(arrays.y_train)), seed, n_test=test))
    x, x_new = (flatten(inputs).astype(np.float64) for inputs in (part.x_train, part.x_test))
    kept, conflicts = distinct(x, part.y_train)
    random = corrupt_labels(part.y_train, 1.0, part.classes, seed)[kept]
    targets = {"true": part.y_train[kept].astype(np.float64), "random": random.astype(np.float64)}
    for start in range(0, len(kept) if len(kept) < len(x) else 0, BLOCK):  # moved up in place: no second copy of x
        rows = kept[start : start + BLOCK]
        x[start : start + len(rows)] = x[rows]
    return Problem(x[: len(kept)], targets, x_new, part.y_test, part.classes, conflicts)


def sizes_of(problem: Problem, sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the numbers of points, those that are not there replaced by all there are."""
    return tuple(sorted({min(n, len(problem.x)) for n in sizes}))


def measure(problem: Problem, n: int, arm: Arm, lines: Mapping[int, Projection], dense: int) -> dict[str, float]:
    """Return the METRICS of an arm's network on the first n points, those that it has.

    `lines` gives the projection by how many directions were tried; `dense` is the most points for which n x n numbers
    are kept. Nothing where the points cannot be fitted at all: inputs in conflict, or two that meet on the line.
    """
    kind, targets = str(arm.factors["network"]), str(arm.factors["targets"])
    x, y = problem.x[:n], problem.targets[targets][:n]
    if targets == "true" and problem.conflicts:
        return {}
    if kind == "nearest neighbour":
        assert problem.y_new is not None
        hits = np.mean(nearest(x, y, problem.x_new) == problem.y_new)
        return {"train_accuracy": 1.0, "test_accuracy": float(hits)}
    line = lines[int(arm.factors["directions"])]
    if line.evenness <= 0.0 or (n > dense and kind in ("thresholds between", "deep")):
        return {}
    network, cond = _build(kind, line, y, int(arm.factors["layers"]))
    outputs = network(x).astype(np.float64)
    scale = float(np.abs(y).max()) or 1.0
    found = {"error": float(np.abs(outputs - y).max()) / scale, "weights": float(network.weights)}
    if kind in ("construction", "one direction"):
        pieces = slopes(line.z, y[line.order], line.first)
        found |= {"lipschitz": float(np.abs(pieces).max()), "smallest_gap": line.smallest}
        found |= {"disagreement": _disagreement(network, line, y, problem.x_new) / scale}
    if isinstance(network, DeepNetwork):
        found["width"] = float(network.width)
    else:
        found |= {"largest_weight": float(np.abs(network.w).max()), "width": float(network.b.size)}
    if cond:
        found["condition"] = cond
    if problem.y_new is not None:
        last = problem.classes - 1
        found["train_accuracy"] = float(np.mean(_classes(outputs, last) == y))
        found["test_accuracy"] = float(np.mean(_classes(network(problem.x_new), last) == problem.y_new))
    return found


def _build(kind: str, line: Projection, y: Array, layers: int) -> tuple[Network | DeepNetwork, float]:
    """Return a network of a kind, and the condition number of what was solved for it (0: not asked)."""
    if kind == "thresholds between":
        return fit_between(line, y)
    if kind == "half the weights":
        return fit_half(line, y), 0.0
    network = fit(line, y)
    if kind == "deep":
        return deepen(network, layers), 0.0
    if kind == "float32":
        return network.cast(np.float32), 0.0
    return network, condition(line)


def _classes(outputs: NDArray[Any], last: int) -> NDArray[Any]:
    """Return the nearest class number of every output."""
    found: NDArray[Any] = np.clip(np.rint(outputs), 0, last)
    return found


def _disagreement(network: Network | DeepNetwork, line: Projection, y: Array, x_new: Array) -> float:
    """Return how far the network is from a sorted search on new inputs between the first threshold and the last point.

    The search knows nothing of weights: it finds the two neighbours on the line and interpolates between their targets.
    """
    z = x_new @ line.a
    inside = (z >= line.first) & (z <= line.z[-1])
    if not inside.any():
        return math.nan
    searched = np.interp(z[inside], np.append(line.first, line.z), np.append(0.0, y[line.order]))
    return float(np.abs(network(x_new[inside]) - searched).max())


@dataclass(frozen=True)
class Sweep:
    """What is built in one stage: arms that read one problem, on growing numbers of points.

    `judged` is the most points at which errors are judged; `share` where the stage lies in the run's progress.
    """

    arms: tuple[Arm, ...]
    cohort: str
    judged: int
    dense: int
    share: tuple[float, float]
    seed: int


def sweep(
    plan: Sweep, problem: Problem, sizes: Sequence[int], context: Context
) -> Generator[ev.Event, None, dict[str, dict[str, float]]]:
    """Build every arm at every size, or at those after a checkpoint; return the measures of each arm."""
    places = sizes_of(problem, sizes)
    saved = context.resume()
    rows = [] if saved is None else [np.asarray(row, dtype=np.float64) for row in saved.arrays["rows"]]
    before = 0.0 if saved is None else float(saved.meta["seconds"])
    began = time.monotonic()

    def seconds() -> float:
        return before + time.monotonic() - began

    def save() -> Checkpoint:
        table = np.asarray(rows).reshape(len(rows), len(plan.arms), len(METRICS))
        return Checkpoint(places[len(rows) - 1] if rows else 0, {"rows": table}, {"seconds": seconds()})

    yield ev.Cohort(id=plan.cohort, members=tuple((arm.name, plan.seed) for arm in plan.arms))
    if problem.conflicts and not rows:
        text = f"{problem.conflicts} inputs come with more than one label: no function fits them (seed {plan.seed})"
        yield ev.Log(text=text, level="warning")
    tries = {int(arm.factors["directions"]) for arm in plan.arms if "directions" in arm.factors}
    for n in places[len(rows) :]:
        context.poll(save)
        lines = {count: project(problem.x[:n], plan.seed, count) for count in sorted(tries)}
        for count, line in lines.items():
            if line.evenness <= 0.0:
                text = f"two of {n:,} inputs meet on every line of {count} (seed {plan.seed}): nothing is built there"
                yield ev.Log(text=text, level="warning")
        found = [measure(problem, n, arm, lines, plan.dense) for arm in plan.arms]
        rows.append(np.array([[one.get(metric, math.nan) for metric in METRICS] for one in found]))
        for column, metric in enumerate(METRICS):
            values = [None if math.isnan(v) else v for v in rows[-1][:, column].tolist()]
            if any(v is not None for v in values):
                cells = ev.to_values(values)
                yield ev.Curve(cohort=plan.cohort, metric=metric, step=n, seconds=seconds(), values=cells)
        start, length = plan.share
        done = start + length * sum(m**2 for m in places[: len(rows)]) / sum(m**2 for m in places)
        yield ev.Progress(done=done, label=f"{plan.cohort}, n = {n:,}")

    table = np.asarray(rows)
    results = {arm.name: _landmarks(places, table[:, i], problem, plan.judged, arm) for i, arm in enumerate(plan.arms)}
    for name in sorted(set().union(*results.values())):
        ends = ev.to_values(results[arm.name].get(name) for arm in plan.arms)
        yield ev.Measure(cohort=plan.cohort, name=name, values=ends)
    return {arm: {name: v for name, v in found.items() if math.isfinite(v)} for arm, found in results.items()}


def _landmarks(places: Sequence[int], rows: Array, problem: Problem, judged: int, arm: Arm) -> dict[str, float]:
    """Return what an arm is judged by, from its METRICS at every size; NaN where a network was not to be had."""
    n, d = np.array(places), problem.x.shape[1]
    column = {metric: rows[:, i] for i, metric in enumerate(METRICS)}
    if arm.factors["network"] == "nearest neighbour":
        return {name: float(column[name][-1]) for name in ("train_accuracy", "test_accuracy")}
    found = {"conflicts": float(problem.conflicts if arm.factors["targets"] == "true" else 0), "points": float(n[-1])}
    for name in WORST:
        if name == "error" or np.isfinite(column[name]).any() or arm.factors["network"] == "construction":
            found[name] = _largest(column[name][n <= judged])
            if (n > judged).any():
                found[f"{name}_beyond"] = _largest(column[name][n > judged])
    if arm.factors["network"] == "construction":
        found["extra_weights"] = _largest(np.abs(column["weights"] - (2 * n + d)))
        found["lipschitz_growth"] = growth(n.tolist(), column["lipschitz"].tolist())
    if problem.y_new is not None:
        found["train_accuracy"] = -_largest(-column["train_accuracy"])
        found["test_accuracy"] = float(column["test_accuracy"][-1])
    for name in ("weights", "largest_weight", "lipschitz", "width", "condition"):
        # A ratio of condition numbers is one at the same size: the last that every kind of network is built for.
        asked = column[name][n <= judged] if name == "condition" else column[name]
        built = asked[np.isfinite(asked)]
        if built.size:
            found[name] = float(built[-1])
    layers = int(arm.factors["layers"])
    found["extra_units"] = _largest((column["width"] - np.ceil(n / layers))[np.isfinite(column["width"])])
    return found


def _largest(values: Array) -> float:
    """Return the largest value; NaN if one is missing or there are none."""
    return float(values.max()) if values.size else math.nan
