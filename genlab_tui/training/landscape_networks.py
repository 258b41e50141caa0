"""Train the networks of a group of seeds with and without shortcuts, and keep them with the way that they took."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping, Sequence

import torch
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training.landscape_training import Plan, Stack, Trained, network
from genlab_tui.training.members import Samples
from genlab_tui.training.program import Crew
from genlab_tui.training.slices import direction
from genlab_tui.training.train import Share
from genlab_tui.training.trajectory import principal

TOGETHER = 8
"""Networks of a stack at most: their activations then fit a core's cache. A constant, as sums depend on it."""
OTHERS = 1 << 20
"""Numbers of the random directions that the way is compared with, away from those of the slices."""


def train(
    sizes: tuple[int, ...],
    arms: Mapping[str, bool],
    seeds: Sequence[int],
    data: Samples,
    plan: Plan,
    context: Context,
    *,
    cohort: str,
    keep: str,
    share: Share,
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all arms (True: with shortcuts) of some seeds; return how many ended how.

    Yields training losses and final measures. Kept under the name `keep`: `ARM SEED numbers` [P], of those that have a
    way also `directions` [2, P] and `path` [T, 2].
    """
    stacks = [
        Stack(arm, network(sizes, shortcuts), seeds[at : at + TOGETHER], places[at : at + TOGETHER], data, plan)
        for places in [range(len(seeds))]
        for at in range(0, len(seeds), TOGETHER)
        for arm, shortcuts in arms.items()
    ]
    members = [(stack.arm, seed) for stack in stacks for seed in stack.seeds]
    saved = context.resume()
    if saved is not None:
        _restore(stacks, saved)
    seconds = float(saved.meta["seconds"]) if saved is not None else 0.0
    yield ev.Cohort(id=cohort, members=tuple(members))
    crew = Crew(torch.get_num_threads() if data.inputs.device.type == "cpu" else 1)
    try:
        while any(stack.alive for stack in stacks):
            clock = time.monotonic()
            training = [stack for stack in stacks if stack.alive]
            before = {id(stack): set(stack.alive) for stack in training}
            crew.each(Stack.run, training)
            seconds += time.monotonic() - clock
            epoch, step = max(stack.epoch for stack in stacks), max(stack.steps for stack in stacks)
            values = [
                loss if i in before.get(id(stack), ()) else None
                for stack in stacks
                for i, loss in enumerate(stack.losses)
            ]
            yield ev.Curve(
                cohort=cohort,
                metric="train_loss",
                step=step,
                epoch=float(epoch),
                seconds=round(seconds, 3),
                values=ev.to_values(values),
            )
            yield _progress(stacks, plan, epoch, seconds, share)
            context.poll(lambda: _save(stacks, step, seconds))  # noqa: B023
    finally:
        crew.close()
    yield from _ends(stacks, context, cohort, keep)
    ends = [one.end for stack in stacks for one in stack.ended.values()]
    return {end: ends.count(end) for end in dict.fromkeys(ends)}


def _progress(stacks: Sequence[Stack], plan: Plan, epoch: int, seconds: float, share: Share) -> ev.Progress:
    """Guess the end from how far the losses have fallen, on a log scale; no later than the last epoch."""
    gone = []
    for stack in stacks:
        for i in range(len(stack.seeds)):
            by_loss = 0.0
            if plan.target > 0 and 0 < stack.losses[i] < 2.0:
                by_loss = math.log(2.0 / stack.losses[i]) / math.log(2.0 / plan.target)
            gone.append(1.0 if i in stack.ended else min(max(by_loss, epoch / plan.epochs), 0.99))
    part = max(min(sum(gone) / len(gone), 1.0), 1e-3)
    training = sum(len(stack.alive) for stack in stacks)
    return ev.Progress(
        done=round(share.before + share.size * part, 4),
        label=f"epoch {epoch}, {training} of {len(gone)} networks still train",
        eta=round(seconds / part * (1 - share.before - share.size * part) / share.size, 1),
    )


def _ends(stacks: Sequence[Stack], context: Context, cohort: str, keep: str) -> Generator[ev.Event, None, None]:
    """Yield final measures, and keep networks and ways."""
    named: dict[str, list[float]] = {}
    arrays: dict[str, Tensor] = {}
    for stack in stacks:
        for i, seed in enumerate(stack.seeds):
            context.poll()
            values = dict(stack.ended[i].values) | _way(stack, stack.ended[i], seed, arrays)
            for name, value in values.items():
                named.setdefault(name, []).append(value)
    for name, row in named.items():
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values(row))
    ended = [(stack, seed, stack.ended[i]) for stack in stacks for i, seed in enumerate(stack.seeds)]
    for end, words in (("diverged", "diverged"), ("epochs", "did not reach the training loss")):
        if lost := [f"{stack.arm} (seed {seed})" for stack, seed, one in ended if one.end == end]:
            more = f" and {len(lost) - 6} more" if len(lost) > 6 else ""
            if end == "diverged" or stacks[0].plan.target > 0:
                yield ev.Log(text=f"{words}: {', '.join(lost[:6])}{more}", level="warning")
    context.keep(keep, arrays)


def _way(stack: Stack, one: Trained, seed: int, arrays: dict[str, Tensor]) -> dict[str, float]:
    """Return the shares of a network's way, and put what is kept of it beside the others."""
    name = f"{stack.arm} {seed}"
    arrays[f"{name} numbers"] = one.numbers
    others = torch.cat([direction(stack.net, one.numbers[None], seed, OTHERS + k) for k in range(2)])
    way = principal(one.snapshots, others) if torch.isfinite(one.numbers).all() else None
    if way is None:
        return dict.fromkeys(("principal_share", "random_share", "walk_share"), math.nan)
    arrays |= {f"{name} directions": way.directions, f"{name} path": way.path}
    return {"principal_share": way.share, "random_share": way.random, "walk_share": way.walk}


def _save(stacks: Sequence[Stack], step: int, seconds: float) -> Checkpoint:
    """Return the state of all stacks."""
    arrays: dict[str, Tensor] = {}
    metas = []
    for k, stack in enumerate(stacks):
        own, meta = stack.save()
        arrays |= {f"{k} {name}": tensor for name, tensor in own.items()}
        metas.append(meta)
    return Checkpoint(step, arrays, {"stacks": metas, "seconds": seconds})


def _restore(stacks: Sequence[Stack], saved: Checkpoint) -> None:
    """Go on from a checkpoint."""
    for k, (stack, meta) in enumerate(zip(stacks, saved.meta["stacks"], strict=True)):
        prefix = f"{k} "
        own = {name[len(prefix) :]: array for name, array in saved.arrays.items() if name.startswith(prefix)}
        stack.restore(own, meta)
