"""Train perceptrons with and without normalisation side by side, and look at what a step does to them on the way."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import torch
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training.normalised import KINDS
from genlab_tui.training.normalised_shard import Net, Plan, Task, Trainer, spaced
from genlab_tui.training.shift_probes import BATCH_LOSS, BETA, CHANGE, COSINE, ICS, PROBES

POLL_EVERY = 10
"""Steps after which the context is polled."""
SHARDS = 2
"""Parts that train on a core each: a constant, so that a run goes on alike on a machine with other cores."""
EARLY = 1.5
"""Looks lie at (k / count) ** EARLY of training, probes at (k / count) ** 2: more of them where more happens."""
BANDS = 2
"""Levels of loss in a decade, within which probes are compared."""
IN_BAND = 3
"""Probes that a level needs to have a median."""
BY_LEVEL = (ICS, COSINE, BETA, CHANGE)
"""What is compared at levels of loss."""


def level(loss: float) -> int | None:
    """Return the level of a loss: 0 from 1 on, -1 below; None of a loss that has none."""
    return math.floor(BANDS * math.log10(loss)) if math.isfinite(loss) and loss > 0 else None


def at_level(metric: str, band: int) -> str:
    """Return the name of a probe's median at a level of loss."""
    return f"{metric} at level {band}"


def train(
    nets: Sequence[Net], task: Task, plan: Plan, context: Context, *, cohort: str, before: float, size: float
) -> Generator[ev.Event, None, None]:
    """Train all members; yields their curves, probes and final measures. `before` and `size` are shares of the run.

    A member whose loss is no longer finite goes on as it is, and its numbers are missing from there on.
    """
    order = sorted(nets, key=lambda net: KINDS.index(net.kind))
    shards = [Trainer(part, task, plan) for k in range(SHARDS) if (part := order[k::SHARDS])]
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)  # a shard has one core: two that meet after every operation wait for each other
        with ThreadPoolExecutor(len(shards), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from _Run(shards, plan, cohort, before, size).events(context, pool)
    finally:
        torch.set_num_threads(threads)


class _Run:
    """One call of `train`."""

    def __init__(self, shards: Sequence[Trainer], plan: Plan, cohort: str, before: float, size: float) -> None:
        self.shards, self.plan, self.cohort, self.before, self.size = shards, plan, cohort, before, size
        self.nets = [net for shard in shards for net in shard.nets]
        self.probed = [i for i, net in enumerate(self.nets) if net.probed]
        self.per_epoch = shards[0].per_epoch
        self.step, self.seconds = 0, 0.0
        self.diverged: set[int] = set()

    def events(self, context: Context, pool: Executor) -> Generator[ev.Event, None, None]:
        """Train to the end."""
        plan, per_epoch = self.plan, self.per_epoch
        looks = {per_epoch * epoch for epoch in spaced(plan.steps // per_epoch, plan.looks, EARLY)} | {plan.steps}
        probes = set(spaced(plan.steps, plan.probes, 2.0))
        saved = context.resume()
        if saved is not None:
            self.restore(saved)
        clock = time.monotonic()
        yield ev.Cohort(id=self.cohort, members=tuple((net.arm, net.seed) for net in self.nets))
        for stop in sorted(looks | probes | set(range(0, plan.steps, POLL_EVERY))):
            if saved is not None and stop <= saved.step:
                continue
            look, inspect = stop in looks, stop in probes
            list(pool.map(lambda shard: shard.run_to(stop, look=look, inspect=inspect), self.shards))  # noqa: B023
            self.step = stop
            self.seconds += time.monotonic() - clock
            if look:
                yield from self.looked()
            if inspect and self.probed:
                yield from self.inspected()
            if stop:
                yield self.progress()
                context.poll(self.save)
            clock = time.monotonic()  # a pause is no training
        yield from self.ends()

    def save(self) -> Checkpoint:
        """Return the state of all shards."""
        arrays = {f"{k} {name}": tensor for k, shard in enumerate(self.shards) for name, tensor in shard.save().items()}
        return Checkpoint(self.step, arrays, {"seconds": self.seconds})

    def restore(self, saved: Checkpoint) -> None:
        """Go on from a checkpoint."""
        for k, shard in enumerate(self.shards):
            own = {name[len(f"{k} ") :]: array for name, array in saved.arrays.items() if name.startswith(f"{k} ")}
            shard.restore(own, saved.step)
        self.step, self.seconds = saved.step, float(saved.meta["seconds"])
        gone = ~torch.isfinite(self.evals()[:, 0]).all(0)
        self.diverged = {i for i, lost in enumerate(gone.tolist()) if lost}

    def evals(self) -> Tensor:
        """Return all evaluations [looks, 3, M]."""
        return torch.cat([torch.stack(shard.evals) for shard in self.shards], 2)

    def progress(self) -> ev.Progress:
        """Say how far training is."""
        share = self.step / self.plan.steps
        done = self.before + self.size * share
        eta = self.seconds * (1 - done) / (self.size * share)
        label = f"step {self.step:,} of {self.plan.steps:,}, {len(self.nets)} networks"
        return ev.Progress(done=round(done, 4), eta=round(eta, 1), label=label)

    # --- what is said -------------------------------------------------------------------------------------------------

    def line(self, metric: str, values: Sequence[float | None]) -> ev.Curve:
        return ev.Curve(
            cohort=self.cohort,
            metric=metric,
            step=self.step,
            epoch=self.step / self.per_epoch,
            seconds=round(self.seconds, 3),
            values=ev.to_values(values),
        )

    def looked(self) -> Iterator[ev.Event]:
        """Yield the newest evaluation, and who has diverged since the one before."""
        found = self.evals()[-1]
        names = ("train_loss",) if self.plan.linear else ("train_loss", "train_accuracy", "test_accuracy")
        for name, row in zip(names, found, strict=False):
            yield self.line(name, row.tolist())
        for i, loss in enumerate(found[0].tolist()):
            if not math.isfinite(loss) and i not in self.diverged:
                self.diverged.add(i)
                net = self.nets[i]
                yield ev.Mark(text="diverged", step=self.step, arm=net.arm, seed=net.seed, cohort=self.cohort)

    def inspected(self) -> Iterator[ev.Event]:
        """Yield the newest probe."""
        found = torch.cat([shard.probes[-1] for shard in self.shards if shard.probes], 1)
        for name, row in zip(PROBES, found.tolist(), strict=True):
            values: list[float | None] = [None] * len(self.nets)
            for i, value in zip(self.probed, row, strict=True):
                values[i] = value
            yield self.line(name, values)

    def ends(self) -> Iterator[ev.Event]:
        """Yield the final measures: losses and accuracies, and probes by level of loss."""
        evals = self.evals()
        finite = torch.isfinite(evals[-1, 0])
        found = {"train_loss": evals[-1, 0], "first_train_loss": evals[0, 0]}
        if not self.plan.linear:
            seen = evals[:, 1:].nan_to_num(nan=-1.0).amax(0)
            best_train, best = (torch.where(finite, row, math.nan) for row in seen)
            found |= {"train_accuracy": evals[-1, 1], "test_accuracy": evals[-1, 2], "best_test_accuracy": best}
            found |= {"best_train_accuracy": best_train, "first_test_accuracy": evals[0, 2]}
        for name, row in found.items():
            yield self.measure(name, row.tolist())
        gone = [
            f"{net.arm} (seed {net.seed})" for net, fine in zip(self.nets, finite.tolist(), strict=True) if not fine
        ]
        if gone:
            more = f" and {len(gone) - 6} more" if len(gone) > 6 else ""
            yield ev.Log(text=f"diverged: {', '.join(gone[:6])}{more}", level="warning")
        if self.probed:
            probes = torch.cat([torch.stack(shard.probes) for shard in self.shards if shard.probes], 2)
            by_name = medians(probes)
            for name in sorted(by_name):
                own = {i: by_name[name].get(place) for place, i in enumerate(self.probed)}
                yield self.measure(name, [own.get(i) for i in range(len(self.nets))])

    def measure(self, name: str, values: Sequence[float | None]) -> ev.Measure:
        return ev.Measure(cohort=self.cohort, name=name, values=ev.to_values(values))


def medians(probes: Tensor) -> dict[str, dict[int, float]]:
    """Return, by name, the median of each probe [times, probes, members] over all times and at each level of loss."""
    found: dict[str, dict[int, float]] = {}
    loss = PROBES.index(BATCH_LOSS)
    for member in range(probes.shape[2]):
        rows = probes[:, :, member].tolist()
        bands: dict[int, list[list[float]]] = {}
        for row in rows:
            if (band := level(row[loss])) is not None:
                bands.setdefault(band, []).append(row)
        for k, metric in enumerate(PROBES):
            if k != loss:
                found.setdefault(f"median {metric}", {})[member] = _median([row[k] for row in rows])
            if metric in BY_LEVEL:
                for band, own in bands.items():
                    if len(own) >= IN_BAND:
                        found.setdefault(at_level(metric, band), {})[member] = _median([row[k] for row in own])
    return found


def _median(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return statistics.median(finite) if finite else math.nan
