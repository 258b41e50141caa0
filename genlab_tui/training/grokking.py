"""Training far beyond the fit on a table of pairs: AdamW on many members, each until it generalises or its time is up.

Blocks of members train by themselves between two looks, each on one core; a member that has ended leaves its block.
The last block that remains is computed on all cores. Products on another number of cores may round differently, so a
checkpoint gives the very numbers of an unbroken run where it is resumed on as many cores as it was made on; elsewhere
its last networks may go slightly another way.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import torch

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training import modular
from genlab_tui.training.pair_block import ACCURACIES, METRICS, Block, Protocol, Task, blocks_of
from genlab_tui.training.pair_table import Places, Workspace
from genlab_tui.training.program import Crew

EVERY = 50
"""Steps that are all looked at; after them a look comes when `APART` more were taken."""
APART = 0.02
HOLD = 6
"""Looks in a row at which a member must generalise before it ends: about an eighth more steps."""
RARE = 4
"""Losses and norms are reported at one look of so many."""
STRETCH = 100
"""Steps between two polls of the context, at most."""
SAY_EVERY = 0.3
"""Seconds between two events of progress."""
NEAR = 0.8
"""Up to this share of the steps guessed for a member progress follows the guess; later it may be too low."""


@dataclass
class Track:
    """What has been seen of a member: steps (0: not yet), test accuracy when it fitted, the best, where it ended."""

    fit: int = 0
    general: int = 0
    at_fit: float | None = None
    best_train: float = 0.0
    best: float = 0.0
    held: int = 0
    ended: int = 0
    lost: bool = False


def looks(steps: int) -> list[int]:
    """Return the steps that are looked at: the first ones all, then by a constant ratio, the last."""
    found = list(range(1, min(EVERY, steps) + 1))
    while found[-1] < steps:
        found.append(min(max(found[-1] + 1, math.ceil(found[-1] * (1 + APART))), steps))
    return found


def gone(step: int, expected: float, limit: float) -> float:
    """Return how much of a member that still trains is done after a step.

    Its share of the steps that were expected, or of its limit where that is nearer; slower and slower where the guess
    was too low. It never falls: a limit only ever comes nearer.
    """
    close = NEAR * min(expected, limit)
    hoped = NEAR * step / close if step <= close else 1 - (1 - NEAR) * close / step
    return max(hoped, step / limit)


def train(
    tasks: Sequence[Task], rule: Protocol, context: Context, *, cohort: str, threads: int | None = None
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all tasks, or on from a checkpoint; yield curves and measures; return how many of each arm generalised.

    Measures: `fit_step`, `general_step` (infinite: never), `delay` (their ratio, 0: never), `test_at_fit`,
    `best_train`, `best_test`, `end_step`, `leakage`; NaN of a member that diverged or that never fitted its samples.
    """
    device = torch.device(context.device)
    table = modular.table(rule.operation, rule.p)
    places = Places(table, device)
    drawn = np.stack([modular.split(table, task.fraction, task.seed, task.ordered) for task in tasks])
    masks = torch.as_tensor(drawn, device=device)
    tracks = [Track() for _ in tasks]
    place = {(task.arm, task.seed): row for row, task in enumerate(tasks)}
    crew = Crew((threads or torch.get_num_threads()) if device.type == "cpu" else 1)
    local = threading.local()

    def make(rows: Sequence[int]) -> Block:
        return Block(rows, tasks, masks, places, rule)

    def space() -> Workspace:
        if not hasattr(local, "space"):
            local.space = Workspace()
        return local.space  # type: ignore[no-any-return]

    step, seconds = 0, 0.0
    planned = blocks_of(tasks, table, context.device, rule.batch)
    saved = context.resume()
    if saved is not None:
        step, seconds = saved.step, float(saved.meta["seconds"])
        tracks = [Track(**one) for one in saved.meta["tracks"]]
    blocks: dict[int, Block] = {}
    for k, rows in enumerate(planned):
        if saved is None:
            blocks[k] = make(rows).draw()
        elif alive := [row for row in rows if not tracks[row].ended]:
            blocks[k] = make(alive)
            blocks[k].numbers.copy_(saved.arrays[f"block {k}"])
    clock = time.perf_counter() - seconds
    said = clock

    def save() -> Checkpoint:
        arrays = {f"block {k}": block.numbers for k, block in blocks.items()}
        meta = {"seconds": time.perf_counter() - clock, "tracks": [asdict(track) for track in tracks]}
        return Checkpoint(step, arrays, meta, cohort)

    def limit(task: Task) -> float:
        """Return the step at which a member has to end."""
        other = tracks[place[task.capped, task.seed]] if (task.capped, task.seed) in place else None
        return min(rule.steps, rule.cap * other.general) if other and other.general else rule.steps

    def progress() -> ev.Progress:
        """Return how much is done, each member weighed by its steps; the time left is the worker's to estimate."""
        weights = [min(task.expected, rule.steps) for task in tasks]
        done = sum(
            weight * (1.0 if track.ended else gone(step, weight, limit(task)))
            for task, track, weight in zip(tasks, tracks, weights, strict=True)
        )
        return ev.Progress(
            done=round(min(done / sum(weights), 1.0), 4),
            label=f"step {step:,}: {sum(not track.ended for track in tracks)} of {len(tasks)} networks train",
        )

    yield ev.Cohort(id=cohort, members=tuple((task.arm, task.seed) for task in tasks))
    try:
        grid = looks(rule.steps)
        at = sum(one <= step for one in grid)
        while blocks:
            end = min(step + STRETCH, grid[at])
            crew.each(lambda block: block.advance(step, end, space()), list(blocks.values()))  # noqa: B023
            step = end
            if step == grid[at]:
                whole = at % RARE == 0 or step == rule.steps
                seen = _look(crew, blocks, whole)
                for row, values in seen.items():
                    yield from _follow(tracks[row], tasks[row], values, step, rule, cohort)
                ended = [row for row in seen if _is_over(tracks[row], step, limit(tasks[row]))]
                for number, metric in enumerate(METRICS if whole else ACCURACIES):
                    yield ev.Curve(
                        cohort=cohort,
                        metric=metric,
                        step=step,
                        epoch=float(step),
                        seconds=round(time.perf_counter() - clock, 3),
                        values=ev.to_values(
                            _short(seen[row][number]) if row in seen else None for row in range(len(tasks))
                        ),
                    )
                for row in ended:
                    tracks[row].ended = step
                if ended:
                    remaining = {k: block.without(ended, make) for k, block in blocks.items()}
                    blocks = {k: block for k, block in remaining.items() if block is not None}
                at += 1
            if not blocks or time.perf_counter() - said > SAY_EVERY:
                said = time.perf_counter()
                yield progress()
            if blocks:
                context.poll(save)
    finally:
        crew.close()
    leaks = [modular.leakage(table, mask) for mask in drawn]
    for name, numbers in measures(tracks, leaks).items():
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values(numbers))
    for words, wanted in (("diverged", True), ("never fitted their samples", False)):
        lost = [t for t, track in zip(tasks, tracks, strict=True) if track.lost is wanted and (wanted or not track.fit)]
        if lost:
            names = ", ".join(f"{task.arm} (seed {task.seed})" for task in lost[:5]) + (", ..." if lost[5:] else "")
            yield ev.Log(text=f"{len(lost)} networks {words}: {names}", level="warning")
    counts = dict.fromkeys((task.arm for task in tasks), 0)
    for task, track in zip(tasks, tracks, strict=True):
        counts[task.arm] += bool(track.general)
    return counts


def measures(tracks: Sequence[Track], leaks: Sequence[float]) -> dict[str, list[float]]:
    """Return the numbers of the criteria, one a member."""
    whole = [not track.lost for track in tracks]
    fitted = [track.fit > 0 and ok for track, ok in zip(tracks, whole, strict=True)]

    def where(mask: Sequence[bool], value: Callable[[Track], float]) -> list[float]:
        return [value(track) if ok else math.nan for track, ok in zip(tracks, mask, strict=True)]

    return {
        "fit_step": where(fitted, lambda t: float(t.fit)),
        "general_step": where(whole, lambda t: float(t.general) if t.general else math.inf),
        "delay": where(fitted, lambda t: t.general / t.fit),
        "test_at_fit": where(fitted, lambda t: math.nan if t.at_fit is None else t.at_fit),
        "best_train": where(whole, lambda t: t.best_train),
        "best_test": where(whole, lambda t: t.best),
        "end_step": [float(track.ended) for track in tracks],
        "leakage": list(leaks),
    }


def _look(crew: Crew, blocks: dict[int, Block], whole: bool) -> dict[int, list[float]]:
    """Return the metrics of every member that trains, by its place."""
    found = crew.each(partial(Block.look, whole=whole), list(blocks.values()))
    return {
        row: values
        for block, table in zip(blocks.values(), found, strict=True)
        for row, values in zip(block.rows, table, strict=True)
    }


def _follow(
    track: Track, task: Task, values: Sequence[float], step: int, rule: Protocol, cohort: str
) -> Generator[ev.Event, None, None]:
    """Note what a look shows of a member; yield a mark where it fits and where it generalises."""
    mark = partial(ev.Mark, step=step, arm=task.arm, seed=task.seed, cohort=cohort)
    train, test = values[:2]
    if math.isnan(train):
        track.lost = True
        yield mark(text="diverged")
        return
    track.best_train, track.best = max(track.best_train, train), max(track.best, test)
    if not track.fit and train >= rule.fit:
        track.fit, track.at_fit = step, test
        yield mark(text=f"train accuracy {100 * rule.fit:g} %")
    track.held = track.held + 1 if test >= rule.general else 0
    if not track.general and track.held:
        track.general = step
        yield mark(text=f"test accuracy {100 * rule.general:g} %")


def _is_over(track: Track, step: int, limit: float) -> bool:
    return track.lost or step >= limit or (track.held >= HOLD and track.fit > 0)


def _short(value: float) -> float:
    """Return a number with as many digits as a curve needs."""
    return float(f"{value:.6g}")
