"""Take members of `full_batch` along together, from look to look, shared out over the cores; report and resume."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import torch
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training.edge_columns import COLUMNS, ERROR, RISES, SHARPNESS, UNSURE
from genlab_tui.training.full_batch import Walk, Workspace

LINES = 800
"""Losses that a curve has about: every so many steps, an odd number, or a loss that alternates would look smooth."""


def looks(steps: int, every: int) -> list[int]:
    """Return the steps at which is looked: 0, every `every`-th and the last."""
    return sorted({*range(0, steps, every), steps})


def track(
    walks: Sequence[Walk],
    context: Context,
    *,
    cohort: str,
    every: int,
    until: float,
    share: tuple[float, float],
) -> Generator[ev.Event, None, None]:
    """Walk all members to their ends, or on from a checkpoint; yields curves and progress.

    They must have the same number of steps, and end before it where they diverge or reach the training accuracy
    `until` (0: never). `share` is where this stands in the whole run and how much of it it is.
    """
    descents = [walk.descent for walk in walks]
    steps = max(descent.steps for descent in descents)
    stride = max(steps // LINES, 1) | 1
    saved = context.resume()
    if saved is not None:
        restore(walks, saved)
    yield ev.Cohort(id=cohort, members=tuple((descent.arm, descent.seed) for descent in descents))
    threads = torch.get_num_threads()
    workers = threads if walks[0].flat.device.type == "cpu" else 1
    spaces: SimpleQueue[Workspace] = SimpleQueue()
    for _ in range(workers):
        spaces.put(Workspace(walks[0].problem))

    def go(walk: Walk, stop: int) -> list[float]:
        space = spaces.get()
        try:
            return walk.walk_to(stop, space)
        finally:
            spaces.put(space)

    began, first = time.monotonic(), saved.step if saved is not None else -1
    before = float(saved.meta.get("seconds", 0.0)) if saved is not None else 0.0
    try:
        # Each member has one core: two that meet after every operation wait for each other.
        torch.set_num_threads(1)
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for stop in looks(steps, every):
                if stop <= first:
                    continue
                going = [None if walk.ended(until) else pool.submit(go, walk, stop) for walk in walks]
                if not any(going):
                    break
                passed = [job.result() if job else [] for job in going]
                passing = time.monotonic() - began
                yield from _said(walks, cohort, stop, passed, stride, round(before + passing, 3))
                yield _progress(share, stop, steps, max(first, 0), passing, len(walks))
                context.poll(lambda: save(walks, stop, before + passing))  # noqa: B023 - called at once
    finally:
        torch.set_num_threads(threads)
    unsure = sum(row[ERROR] > UNSURE * abs(row[SHARPNESS]) for walk in walks for row in walk.noted)
    if unsure:
        text = f"the sharpness of {unsure} looks is known less well than to {UNSURE:.0%}: see the measure unsure"
        yield ev.Log(text=text, level="warning")
    if gone := [f"{walk.descent.arm} (seed {walk.descent.seed})" for walk in walks if walk.diverged]:
        more = f" and {len(gone) - 6} more" if len(gone) > 6 else ""
        yield ev.Log(text=f"diverged, the rate is too large: {', '.join(gone[:6])}{more}", level="warning")


def _said(
    walks: Sequence[Walk], cohort: str, stop: int, passed: Sequence[list[float]], stride: int, seconds: float
) -> Iterator[ev.Event]:
    """Yield what was seen since the look before: the losses on the way, then this look; who diverged."""

    def line(metric: str, step: int, values: Sequence[float | None]) -> ev.Curve:
        return ev.Curve(
            cohort=cohort, metric=metric, step=step, epoch=float(step), seconds=seconds, values=ev.to_values(values)
        )

    length = max(map(len, passed))
    since = stop - length + 1
    for place in range(1 if since else 0, length):
        if (since + place) % stride == 0 or since + place == stop:
            yield line("train_loss", since + place, [own[place] if own else None for own in passed])
    noted = {name: [walk.noted[-1][k] if own else None for walk, own in zip(walks, passed, strict=True)]
             for k, name in enumerate(COLUMNS)}  # fmt: skip
    for name in ("sharpness", "accuracy"):
        yield line({"accuracy": "train_accuracy"}.get(name, name), stop, noted[name])
    yield line("eta_sharpness", stop, [_times(s, w.descent.lr) for s, w in zip(noted["sharpness"], walks, strict=True)])
    rises = []
    for walk, own in zip(walks, passed, strict=True):
        before = walk.noted[-2][RISES] if len(walk.noted) > 1 else 0.0
        rises.append((walk.noted[-1][RISES] - before) / (length - 1) if own and length > 1 else None)
    if length > 1:
        yield line("rising_steps", stop, rises)
    for walk, own in zip(walks, passed, strict=True):
        if own and walk.diverged:
            yield ev.Mark(text="diverged", step=stop, arm=walk.descent.arm, seed=walk.descent.seed, cohort=cohort)


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _progress(share: tuple[float, float], stop: int, steps: int, first: int, seconds: float, members: int) -> ev.Event:
    done = share[0] + share[1] * stop / steps
    eta = seconds / max(stop - first, 1) * steps / share[1] * (1 - done) if stop > first else -1.0
    return ev.Progress(done=round(done, 4), label=f"step {stop:,} of {steps:,}, {members} networks", eta=round(eta, 1))


def save(walks: Sequence[Walk], step: int, seconds: float) -> Checkpoint:
    """Return where all members stand, after the look at `step`, and the seconds that it took to get there."""
    most = max(len(walk.looks) for walk in walks)
    noted = torch.full((len(walks), most, len(COLUMNS)), math.nan, dtype=torch.float64)
    places = torch.full((len(walks), most), -1, dtype=torch.int64)
    for i, walk in enumerate(walks):
        noted[i, : len(walk.noted)] = torch.tensor(walk.noted, dtype=torch.float64)
        places[i, : len(walk.looks)] = torch.tensor(walk.looks)

    def together(name: str) -> Tensor:
        return torch.cat([getattr(walk, name) for walk in walks]).cpu()

    arrays = {name: together(name) for name in ("flat", "velocity", "vector")}
    return Checkpoint(step, {**arrays, "noted": noted, "looks": places}, {"seconds": seconds})


def restore(walks: Sequence[Walk], saved: Checkpoint) -> None:
    """Put all members where a checkpoint has them."""
    for i, walk in enumerate(walks):
        for name in ("flat", "velocity", "vector"):
            setattr(walk, name, saved.arrays[name][i : i + 1].to(walk.flat.device).clone())
        walk.looks = [step for step in saved.arrays["looks"][i].tolist() if step >= 0]
        walk.noted = saved.arrays["noted"][i, : len(walk.looks)].tolist()
        walk.step = walk.looks[-1]
        walk.rises = int(walk.noted[-1][RISES])
        walk.diverged = math.isnan(walk.noted[-1][SHARPNESS])
