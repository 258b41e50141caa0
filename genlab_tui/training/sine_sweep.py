"""Sums of sines learnt from the point itself and from Fourier features: curves and the steps at which sines came."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training.sine_training import Learners, Shape, Waves, covered

SLICE = 20
"""Steps between two looks at who still trains, a part of a second."""
PER_DECADE = 24
"""Points of a curve in a decade of steps."""
PARTS = 10
"""Equal parts of [0, 1] that are searched for kinks of the first layer."""
AT_ONCE = {"cpu": 1, "cuda": 256}
"""Members in one batched product: on the CPU one fills a core, and leaves it when it is done."""


def looks(steps: int) -> frozenset[int]:
    """Return the steps at which curves have points: the first ones, then evenly on a log scale."""
    decades = math.log10(max(steps, 10))
    return frozenset({0} | {round(10 ** (at / PER_DECADE)) for at in range(math.ceil(decades * PER_DECADE) + 1)})


def learn_sines(
    shapes: Mapping[str, Shape],
    waves: Waves,
    seeds: Sequence[int],
    *,
    lr: float,
    steps: int,
    enough: float,
    fit: float,
    part: Callable[[str, int], str],
    share: tuple[float, float],
    context: Context,
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train a network of every shape (by arm) and seed until it has all sines, or for so many steps.

    It has a sine from the first step at which the coefficient is `enough`, and all once its error is down to `fit`.

    Yields `coefficient` of every frequency and `sine_loss` as curves, and as measures `steps_to_learn` (NaN: not in
    time) per frequency, as of the arm that `part` names, and of every arm `kink_cover` (None where features are read)
    and `error`. `share` is where this lies in the run's progress. Returns how many networks of each arm are done.
    """
    kind = "cuda" if context.device.startswith("cuda") else "cpu"
    threads = torch.get_num_threads()
    # One core a chunk, also the last one: products on two cores would round differently.
    pool = ThreadPoolExecutor(threads if kind == "cpu" else 1, "sines", torch.set_num_threads, (1,))
    groups = {
        arm: Learners(shape, waves, seeds, lr, enough=enough, fit=fit, at_once=AT_ONCE[kind], device=context.device)
        for arm, shape in shapes.items()
    }
    name = f"sines, seeds {seeds[0]} to {seeds[-1]}"
    cohorts = {
        name: tuple((arm, seed) for arm in groups for seed in seeds),
        f"{name}, by frequency": tuple(
            (part(arm, k), seed) for arm in groups for k in waves.frequencies for seed in seeds
        ),
    }
    for cohort, members in cohorts.items():
        yield ev.Cohort(id=cohort, members=members)
    plain, by_frequency = cohorts
    cover = [
        covered(shape.net, shape.initial(seed), PARTS) if not shape.features else None
        for shape in shapes.values()
        for seed in seeds
    ]
    step, before = 0, 0.0
    saved = context.resume()
    if saved is not None:
        step, before = saved.step, float(saved.meta["seconds"])
        for arm, group in groups.items():
            own = {key.removeprefix(f"{arm}."): a for key, a in saved.arrays.items() if key.startswith(f"{arm}.")}
            group.restore(own, step)
    began = time.monotonic()
    due = looks(steps)

    def seconds() -> float:
        return round(before + time.monotonic() - began, 3)

    def save() -> Checkpoint:
        arrays = {f"{arm}.{key}": array for arm, group in groups.items() for key, array in group.arrays().items()}
        return Checkpoint(step, arrays, {"seconds": seconds()})

    try:
        while step < steps and any(group.waiting for group in groups.values()):
            context.poll(save)
            count = min(SLICE, steps - step)
            work = [(arm, at) for arm, group in groups.items() for at in group.waiting]
            found = list(pool.map(partial(_advance, groups, count), work))
            yield from _points(groups, dict(zip(work, found, strict=True)), step, count, due, cohorts, seconds())
            for (arm, at), (coefficients, losses) in zip(work, found, strict=True):
                groups[arm].note(at, coefficients, losses)
            step += count
            for group in groups.values():
                group.step = step
            here = step / steps
            waiting = sum(len(group.waiting) for group in groups.values())
            # No time left: the worker estimates that of the whole run, from how much of it is done.
            yield ev.Progress(
                done=round(share[0] + share[1] * _gone(groups, here), 4),
                label=f"{name}, step {step:,}, {waiting} networks training",
            )
    finally:
        pool.shutdown()
        torch.set_num_threads(threads)  # MKL has one setting for all threads
    yield from _ends(groups, seeds, cover, plain, by_frequency)
    return {arm: int((group.done & ~group.diverged).sum()) for arm, group in groups.items()}


def _advance(groups: Mapping[str, Learners], count: int, job: tuple[str, int]) -> tuple[np.ndarray, np.ndarray]:
    arm, at = job
    return groups[arm].advance(at, count)


def _gone(groups: Mapping[str, Learners], steps_gone: float) -> float:
    """Return how much is done: the share of sines that are there, or of steps, whichever is more."""
    there = np.concatenate([group.reached.ravel() >= 0 for group in groups.values()])
    return max(steps_gone, float(there.mean()) ** 2)


def _points(
    groups: Mapping[str, Learners],
    found: Mapping[tuple[str, int], tuple[np.ndarray, np.ndarray]],
    step: int,
    count: int,
    due: frozenset[int],
    cohorts: Mapping[str, tuple[tuple[str, int], ...]],
    seconds: float,
) -> Generator[ev.Event]:
    """Yield the curves' points of the steps just taken; members that train no longer have none."""
    plain, by_frequency = cohorts
    for place in range(count):
        if step + place not in due:
            continue
        losses: list[float | None] = []
        coefficients: list[float | None] = []
        for arm, group in groups.items():
            members, count_k = group.reached.shape
            rows: list[np.ndarray | None] = [None] * members
            own: list[float | None] = [None] * members
            for at, chunk in enumerate(group.chunks):
                if (arm, at) in found:
                    coefficient, loss = found[arm, at]
                    for inner, row in enumerate(chunk):
                        rows[row], own[row] = coefficient[place, inner], float(loss[place, inner])
            losses += own
            coefficients += [None if row is None else float(row[k]) for k in range(count_k) for row in rows]
        for cohort, metric, values in ((plain, "sine_loss", losses), (by_frequency, "coefficient", coefficients)):
            yield ev.Curve(
                cohort=cohort, metric=metric, step=step + place, seconds=seconds, values=ev.to_values(values)
            )


def _ends(
    groups: Mapping[str, Learners], seeds: Sequence[int], cover: list[float | None], plain: str, by_frequency: str
) -> Generator[ev.Event]:
    for arm, group in groups.items():
        for row in np.flatnonzero(group.diverged).tolist():
            yield ev.Log(text=f"{arm}: the network of seed {seeds[row]} diverged", level="warning")
        late = int((~group.done).sum())
        if late:
            text = f"{arm}: {late} of {len(seeds)} networks lack a sine after the last step; take more steps"
            yield ev.Log(text=text, level="warning")
    steps = [float(at) if at >= 0 else math.nan for group in groups.values() for at in group.reached.T.ravel()]
    yield ev.Measure(cohort=by_frequency, name="steps_to_learn", values=ev.to_values(steps))
    yield ev.Measure(cohort=plain, name="kink_cover", values=ev.to_values(cover))
    errors = [
        math.nan if lost else float(error)
        for group in groups.values()
        for error, lost in zip(group.error, group.diverged, strict=True)
    ]
    yield ev.Measure(cohort=plain, name="error", values=ev.to_values(errors))
