"""Training in random subspaces: theta = theta_0 + P theta_d, where only theta_d trains (Li et al. 2018).

One network, many dimensions d: a unit is one architecture, one seed and one set of labels, and all its dimensions take
their steps together, in one population whose numbers are theta_0 plus one product. Units know nothing of each other;
every core trains some of them, and they meet at the end of a stretch of steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training import modules
from genlab_tui.training.batches import Batches
from genlab_tui.training.evaluate import evaluate
from genlab_tui.training.layout import Layout, Stack
from genlab_tui.training.losses import objective
from genlab_tui.training.members import FINALS, Member, Recipe, Samples
from genlab_tui.training.optimise import Penalties
from genlab_tui.training.population import Population
from genlab_tui.training.program import Crew
from genlab_tui.training.projection import Draws
from genlab_tui.training.strengths import Strengths
from genlab_tui.training.train import Share

STRETCH = 50
"""Steps after which units meet, at most: where a run can be stopped."""

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Task:
    """What a unit trains: members that differ in their dimension alone.

    `dims` ascending, `names` what the member of each is called; `inputs`, `labels` and `n` as of a `Member`. The
    recipe's learning rate is that of Adam on theta_d; its weight decay is coupled, on the weight matrices of theta.
    `purpose` tells draws of P apart: tasks of one seed, purpose, size and `widest` have the same P. It has `widest`
    columns, or as many as the largest dimension where that is more.
    """

    names: tuple[str, ...]
    seed: int
    recipe: Recipe
    dims: tuple[int, ...]
    inputs: int
    labels: int
    n: int
    purpose: str
    widest: int = 0


class Unit:
    """A task in training. `z` [dims, columns] is theta_d of every dimension, zero beyond it."""

    def __init__(self, task: Task, samples: Samples, draws: Draws) -> None:
        self.task, self.samples = task, samples
        recipe, count = task.recipe, len(task.dims)
        self.members = [
            Member(name, task.seed, task.inputs, task.labels, recipe=recipe, n=task.n) for name in task.names
        ]
        device, dtype = samples.inputs.device, samples.inputs.dtype
        self.populations: list[Population]
        if recipe.network:
            self.populations = [modules.initial(recipe, task.seed, samples) for _ in task.dims]
        else:
            norm = "batch-norm" in recipe.regularisers
            layout = Layout(
                samples.features,
                samples.classes,
                [recipe.hidden] * count,
                [0] * count,
                batch_norm=norm,
                norm=recipe.norm,
            )
            momentum = recipe.strength("batch-norm") or None
            self.populations = [
                Population.initial(
                    layout,
                    [task.seed] * count,
                    dtype=dtype,
                    device=device,
                    momentum=momentum,
                    schemes=[recipe.init] * count,
                )
            ]
        self.gradients = [p.parameters.like() for p in self.populations]
        self.numbers = [_rows(p.parameters, count) for p in self.populations]
        self.slopes = [_rows(g, count) for g in self.gradients]
        alike = self.members[:1] if recipe.network else self.members
        strengths = Strengths([recipe] * len(alike))
        self.batches = Batches(alike, self.populations[0].layout, samples, recipe, strengths, dtype)
        self.penalties = [Penalties(g, strengths, folded=False) for g in self.gradients]
        self.theta = self._gather(self.numbers)
        self.start = self.theta[0].clone()
        self.basis = draws.basis(task.seed, task.purpose, len(self.start), task.dims, task.widest)
        self.z = self.start.new_zeros(count, self.basis.columns)
        self.first, self.second = torch.zeros_like(self.z), torch.zeros_like(self.z)
        self.epoch = -1

    # --- numbers ------------------------------------------------------------------------------------------------------

    def _gather(self, pieces: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return all numbers of every row [dims, D], in the order of the network's tensors."""
        return torch.cat([torch.cat(list(rows), 1) for rows in pieces])

    def place(self) -> None:
        """Put theta_0 + P z into the networks."""
        self.theta.copy_(self.start.expand_as(self.theta))
        self.basis.add(self.z, self.theta)
        first = 0
        for rows in self.numbers:
            stop = first + len(rows[0])
            parts = torch.split(self.theta[first:stop], [view.shape[1] for view in rows], dim=1)
            for view, part in zip(rows, parts, strict=True):
                view.copy_(part)
            first = stop

    def gradient(self, position: int, step: int) -> Tensor:
        """Return the gradient of the loss by z [dims, columns] on one batch of the epoch."""
        self.place()
        recipe, batches = self.task.recipe, self.batches
        inputs = batches.inputs(position)
        for population, out, penalties in zip(self.populations, self.gradients, self.penalties, strict=True):
            masks: list[list[Tensor]] = []
            if isinstance(population, modules.ModulePopulation):
                population.seed(self.task.seed, step)
            else:
                masks = batches.masks(step, position)
            population.gradient(inputs, objective(recipe.loss, batches.targets(position)), masks, out)
            penalties.add(out, population.parameters)
        return self.basis.adjoint(self._gather(self.slopes))

    # --- steps --------------------------------------------------------------------------------------------------------

    @property
    def steps(self) -> int:
        """The steps of an epoch."""
        return len(self.batches.bounds)

    def train(self, begin: int, end: int) -> None:
        """Take the steps from number `begin` (from 0) to `end`, all of one epoch."""
        for step in range(begin, end):
            epoch, position = divmod(step, self.steps)
            if epoch != self.epoch:
                self.batches.begin(epoch)
                self.epoch = epoch
            self._descend(self.gradient(position, step), step + 1)

    def _descend(self, g: Tensor, count: int) -> None:
        """Take a step of Adam; numbers beyond a row's dimension have no gradient and stay 0."""
        self.first.lerp_(g, 1 - BETA1)
        self.second.mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
        spread = self.second.sqrt().div_(math.sqrt(1 - BETA2**count)).add_(EPSILON)
        lr = self.task.recipe.lr * self.task.recipe.decay**self.epoch
        self.z.addcdiv_(self.first, spread, value=-lr / (1 - BETA1**count))

    def finals(self) -> list[dict[str, float]]:
        """Return the four metrics of every dimension; NaN for one that diverged."""
        self.place()
        task, samples = self.task, self.samples
        found: dict[str, list[float]] = {name: [] for name in FINALS}
        for population in self.populations:
            rows = len(population.layout)
            sets = torch.full((rows,), task.inputs, device=samples.inputs.device)
            labels = samples.labels[task.labels, : task.n].expand(rows, -1)
            tests = samples.test_labels[task.inputs].expand(rows, -1)
            for part, inputs, wanted in (("train", samples.inputs, labels), ("test", samples.test_inputs, tests)):
                losses, right = evaluate(population, inputs, sets, wanted, loss=task.recipe.loss)
                found[f"{part}_loss"] += losses
                found[f"{part}_accuracy"] += right
        alive = torch.isfinite(self.z).all(1).tolist()
        return [
            {name: values[row] if alive[row] else math.nan for name, values in found.items()}
            for row in range(len(task.dims))
        ]

    @property
    def state(self) -> dict[str, Tensor]:
        """What training moves, by name."""
        statistics = {f"statistics.{k}": p.statistics.flat for k, p in enumerate(self.populations)}
        moved = {"z": self.z, "first": self.first, "second": self.second}
        return moved | {name: t for name, t in statistics.items() if t.numel()}


def _rows(stack: Stack, count: int) -> list[Tensor]:
    """Return every stored tensor as [rows, numbers of a row]; a module has one row."""
    if isinstance(stack, modules.ModuleStack):
        return [stack.flat[None]]
    return [part.view(count, -1) for part, *_ in stack.parts()]


def train(
    tasks: Sequence[Task],
    samples: Samples,
    draws: Draws,
    context: Context,
    *,
    cohort: str,
    share: Share | None = None,
    threads: int | None = None,
) -> Generator[ev.Event, None, dict[tuple[str, int], dict[str, float]]]:
    """Train tasks of one number of samples, batch size and epochs; return the final metrics of every member.

    Yields a cohort of all members, curves at ever rarer epochs, and at the end the final measures. Continues from
    `context.resume()`, saves through `context.poll`.
    """
    share = share or Share()
    on_cpu = samples.inputs.device.type == "cpu"
    crew = Crew((threads or torch.get_num_threads()) if on_cpu else 1)
    try:
        units = [Unit(task, samples, draws) for task in tasks]
        epochs, per_epoch = tasks[0].recipe.epochs, units[0].steps
        if any((unit.steps, unit.task.recipe.epochs) != (per_epoch, epochs) for unit in units):
            raise ValueError("tasks that train together have one number of steps")
        # The long ones first: the last to be done is then a short one.
        order = sorted(units, key=lambda unit: -unit.theta.numel() * unit.basis.columns)
        step, seconds = 0, 0.0
        saved = context.resume()
        if saved is not None:
            step, seconds = saved.step, float(saved.meta["seconds"])
            for k, unit in enumerate(units):
                for name, tensor in unit.state.items():
                    tensor.copy_(saved.arrays[f"{k}.{name}"])
        members = tuple((member.arm, member.seed) for unit in units for member in unit.members)
        yield ev.Cohort(id=cohort, members=members)
        clock, at_start = time.perf_counter() - seconds, step

        def save() -> Checkpoint:
            arrays = {f"{k}.{name}": t for k, unit in enumerate(units) for name, t in unit.state.items()}
            return Checkpoint(step, arrays, {"seconds": time.perf_counter() - clock}, cohort)

        def finals() -> list[dict[str, float]]:
            of_units = dict(zip(map(id, order), crew.each(Unit.finals, order), strict=True))
            return [row for unit in units for row in of_units[id(unit)]]

        def lines(rows: Sequence[dict[str, float]]) -> Generator[ev.Event, None, None]:
            passed = time.perf_counter() - clock
            for metric in FINALS:
                yield ev.Curve(
                    cohort=cohort,
                    metric=metric,
                    step=step,
                    epoch=step / per_epoch,
                    seconds=passed,
                    values=ev.to_values(row[metric] for row in rows),
                )

        total = epochs * per_epoch
        begun = time.perf_counter()
        if step == 0:
            yield from lines(finals())
        while step < total:
            end = min(step + STRETCH, (step // per_epoch + 1) * per_epoch)
            crew.each(partial(_advance, begin=step, end=end), order)
            step = end
            if step < total and step % per_epoch == 0 and _due(step // per_epoch):
                yield from lines(finals())
            each = (time.perf_counter() - begun) / (step - at_start)
            gone = share.before + share.size * step / total
            yield ev.Progress(
                done=round(gone, 4),
                label=f"epoch {math.ceil(step / per_epoch)}, {len(members)} networks in their subspaces",
                eta=round(each * total * (1 - gone) / share.size, 1),
            )
            if step < total:
                context.poll(save)
        rows = finals()
        yield from lines(rows)
        for metric in FINALS:
            yield ev.Measure(cohort=cohort, name=metric, values=ev.to_values(row[metric] for row in rows))
        yield ev.Measure(
            cohort=cohort, name="test_error", values=ev.to_values(1 - row["test_accuracy"] for row in rows)
        )
        if lost := [arm for (arm, _), row in zip(members, rows, strict=True) if math.isnan(row["test_loss"])]:
            yield ev.Log(text=f"diverged: {'; '.join(dict.fromkeys(lost))}", level="warning")
        return dict(zip(members, rows, strict=True))
    finally:
        crew.close()


def _advance(unit: Unit, begin: int, end: int) -> None:
    unit.train(begin, end)


def _due(epoch: int) -> bool:
    """Whether curves have a point after an epoch: 1, 2, 4, 8, ..."""
    return epoch & (epoch - 1) == 0
