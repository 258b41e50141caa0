"""Functions on the unit interval met by networks of growing width, written down and trained, and by deep ones."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from genlab_tui import events as ev
from genlab_tui.phenomenon import Arm, Checkpoint, Context
from genlab_tui.training.line_networks import (
    TEETH,
    LineNetwork,
    Target,
    compose,
    composed_error,
    draw_targets,
    draw_tents,
    errors,
    through,
    with_units,
)
from genlab_tui.training.line_training import Lines, Start, draw_network
from genlab_tui.training.power_law import growth

FINE = 32  # points of the grid on a piece of the widest network written down
SLICE = 50  # steps between two looks at the training loss
TAIL = 4  # the widths at the end that say whether an error still falls
RESOLVED = {"sawtooth": 8 * TEETH}  # widths from which the error's law is that of small pieces: four to a kink

Ends = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Place:
    """One seed of the run, and where its stage lies in the run's progress."""

    seed: int
    start: float
    length: float

    def progress(self, done: float, label: str, eta: float = -1.0) -> ev.Progress:
        return ev.Progress(done=self.start + self.length * done, label=label, eta=eta)


# --- written down -----------------------------------------------------------------------------------------------------


def written_down(
    arms: Sequence[Arm], widths: Sequence[int], draws: int, place: Place, context: Context
) -> Generator[ev.Event, None, Ends]:
    """Meet every target at equispaced knots, for all widths; return the measures of each arm.

    `sup` is the largest error over the interval, of the worst of the draws of the target; `l2` the root of the mean
    square, over draws too; `sup_least` that of the best draw; `sup_own` that of the draw that is trained on.
    """
    grid = np.linspace(0.0, 1.0, FINE * max(widths) + 1)
    rows = []
    for arm in arms:
        context.poll()
        targets = draw_targets(str(arm.factors["target"]), place.seed, draws)
        points = [target.points(grid) for target in targets]
        found = [_met(targets, points, width) for width in widths]
        rows.append(found)
    cohort = f"written down, seed {place.seed}"
    yield ev.Cohort(id=cohort, members=tuple((arm.name, place.seed) for arm in arms))
    for at, width in enumerate(widths):
        for metric in ("sup", "l2"):
            values = ev.to_values(found[at][metric] for found in rows)
            yield ev.Curve(cohort=cohort, metric=metric, step=width, values=values)
    ends = {arm.name: law(widths, found, str(arm.factors["target"])) for arm, found in zip(arms, rows, strict=True)}
    yield from _measures(cohort, ends)
    yield place.progress(1.0, cohort)
    return ends


def _met(targets: Sequence[Target], points: Sequence[tuple[np.ndarray, np.ndarray]], width: int) -> dict[str, float]:
    knots = np.linspace(0.0, 1.0, width + 1)
    found = [errors(through(knots, t.f(knots)), x, y) for t, (x, y) in zip(targets, points, strict=True)]
    sup = [largest for largest, _ in found]
    return {
        "sup": max(sup),
        "sup_least": min(sup),
        "sup_own": sup[0],
        "l2": math.sqrt(math.fsum(mean**2 for _, mean in found) / len(found)),
    }


def law(widths: Sequence[int], found: Sequence[dict[str, float]], target: str) -> dict[str, float]:
    """Return what an arm is judged by: slopes in log-log, the tail's slope, the first, the last and the least error."""
    first = next((at for at, width in enumerate(widths) if width >= RESOLVED.get(target, 0)), len(widths))
    column = {name: [row[name] for row in found] for name in found[0]}
    own = column["sup_own"]
    least = column.get("sup_least", own)
    return {
        "sup_slope": growth(widths[first:], column["sup"][first:]),
        "l2_slope": growth(widths[first:], column["l2"][first:]),
        "tail_slope": growth(widths[-TAIL:], own[-TAIL:]),
        "sup_narrow": own[0],
        "sup_wide": own[-1],
        "sup_least": math.nan if any(map(math.isnan, least)) else min(least),
        "fall": math.nan if any(map(math.isnan, own)) else min(own) / own[0],
        "l2_wide": column["l2"][-1],
    }


# --- depth ------------------------------------------------------------------------------------------------------------


def deepened(arms: Sequence[Arm], count: int, place: Place) -> Generator[ev.Event, None, Ends]:
    """Write out ever more tents, one applied after another, with every depth; return units and errors of each arm.

    An arm with the factor `units of` gets the units of that depth, in one layer.
    """
    tops = draw_tents(place.seed, count)
    cohort = f"depth, seed {place.seed}"
    yield ev.Cohort(id=cohort, members=tuple((arm.name, place.seed) for arm in arms))
    ends: Ends = {}
    for tents in range(2, count + 1):
        for arm in arms:
            own = tops[:tents]
            if "units of" in arm.factors:
                network = with_units(own, compose(own, int(arm.factors["units of"])).units)
            else:
                network = compose(own, int(arm.factors["layers"]))
            ends[arm.name] = {"units": float(network.units), "depth_error": composed_error(network, own)}
        for metric in ("units", "depth_error"):
            values = ev.to_values(ends[arm.name][metric] for arm in arms)
            yield ev.Curve(cohort=cohort, metric=metric, step=2**tents, values=values)
    yield from _measures(cohort, ends)
    return ends


# --- trained ----------------------------------------------------------------------------------------------------------


def trained(
    arms: Sequence[Arm],
    widths: Sequence[int],
    samples: int,
    steps: int,
    lr: float,
    place: Place,
    context: Context,
) -> Generator[ev.Event, None, Ends]:
    """Train a network of every width on every target, all together; return the measures of each arm.

    `train_loss` follows the widest network. The errors are those on the whole interval, not at the samples.
    """
    targets = [draw_targets(str(arm.factors["target"]), place.seed, 1)[0] for arm in arms]
    x = np.linspace(0.0, 1.0, samples)
    lines = Lines([Start(draw_network(w, place.seed), t.f(x)) for t in targets for w in widths], lr)
    cohort = f"trained, seed {place.seed}"
    saved = context.resume()
    before = 0.0
    if saved is not None:
        lines.restore(saved.arrays, saved.step)
        before = float(saved.meta["seconds"])
    began, done_before = time.monotonic(), lines.steps

    def seconds() -> float:
        return before + time.monotonic() - began

    def save() -> Checkpoint:
        return Checkpoint(lines.steps, lines.arrays(), {"seconds": seconds()})

    yield ev.Cohort(id=cohort, members=tuple((arm.name, place.seed) for arm in arms))
    widest = [(at + 1) * len(widths) - 1 for at in range(len(arms))]
    while lines.steps < steps:
        context.poll(save)
        at = lines.steps
        for _ in range(min(SLICE, steps - at)):
            lines.step()
            if lines.steps == at + 1:  # the loss before this step
                losses = ev.to_values(lines.loss[widest].tolist())
                yield ev.Curve(cohort=cohort, metric="train_loss", step=at, seconds=seconds(), values=losses)
        left = (time.monotonic() - began) / (lines.steps - done_before) * (steps - lines.steps)
        yield place.progress(lines.steps / steps, f"{cohort}, step {lines.steps:,}", left)
    rows = _assess(lines.networks(), targets, widths)
    for at, width in enumerate(widths):
        for metric in ("sup", "l2"):
            values = ev.to_values(found[at][metric] for found in rows)
            yield ev.Curve(cohort=cohort, metric=metric, step=width, seconds=seconds(), values=values)
    ends = {arm.name: law(widths, found, "") for arm, found in zip(arms, rows, strict=True)}
    for arm in arms:
        if any(math.isnan(v) for v in ends[arm.name].values()):
            yield ev.Log(text=f"{arm.title}: a network diverged (seed {place.seed})", level="warning")
    yield from _measures(cohort, ends)
    return ends


def _assess(
    networks: Sequence[LineNetwork], targets: Sequence[Target], widths: Sequence[int]
) -> list[list[dict[str, float]]]:
    """Return the errors of trained networks on the whole interval, per target and width."""
    grid = np.linspace(0.0, 1.0, FINE * max(widths) + 1)
    rows = []
    for at, target in enumerate(targets):
        x, y = target.points(grid)
        own = [errors(network, x, y) for network in networks[at * len(widths) : (at + 1) * len(widths)]]
        rows.append([{"sup": sup, "sup_own": sup, "l2": mean} for sup, mean in own])
    return rows


def _measures(cohort: str, ends: Ends) -> Generator[ev.Event]:
    for name in next(iter(ends.values())):
        values = ev.to_values(found[name] for found in ends.values())
        yield ev.Measure(cohort=cohort, name=name, values=values)
