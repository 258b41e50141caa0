"""The state of a population in training: who still runs, their tensors, what has ended; to a checkpoint and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from genlab_tui.events import from_value, to_value
from genlab_tui.phenomenon import Checkpoint
from genlab_tui.training import optimise
from genlab_tui.training.batches import Batches
from genlab_tui.training.members import Member, Outcome, Recipe, Samples
from genlab_tui.training.population import Architecture, Population, Stack

COMPACT_BELOW = 0.7
"""Members that ended are taken out of the program once fewer than this share of its rows still run."""


class State:
    """Rows are the members still in the program; those with an outcome have ended and are carried along, ignored."""

    def __init__(self, members: Sequence[Member], samples: Samples, recipe: Recipe) -> None:
        self.members, self.samples, self.recipe = members, samples, recipe
        device, self.dtype = samples.inputs.device, samples.inputs.dtype
        architecture = Architecture(
            samples.inputs.shape[2], recipe.hidden, samples.classes, "batch-norm" in recipe.regularisers
        )
        self.step, self.seconds = 0, 0.0
        self.rows = list(range(len(members)))
        self.population = Population.initial(
            architecture,
            [m.seed for m in members],
            dtype=self.dtype,
            device=device,
            momentum=recipe.strength("batch-norm"),
        )
        self.optimiser = optimise.make(recipe.optimiser, self.population.parameters, recipe.momentum)
        self.outcomes: dict[int, Outcome] = {}
        self.weights: dict[int, tuple[Tensor, Tensor]] = {}  # final parameters and statistics, flat, on the CPU
        self.best = self.population.take(self.rows) if recipe.validation(samples.inputs.shape[1]) else None
        self.best_loss = {i: float("inf") for i in self.rows}
        self.best_epoch = dict.fromkeys(self.rows, 0)
        self.batches = self._batches()

    def _batches(self) -> Batches:
        return Batches([self.members[i] for i in self.rows], self.samples, self.recipe, self.dtype)

    @property
    def running(self) -> list[int]:
        """The members that still train."""
        return [i for i in self.rows if i not in self.outcomes]

    def positions(self, members: Sequence[int]) -> list[int]:
        """Return the rows of members in the program."""
        return [self.rows.index(i) for i in members]

    def end(self, member: int, outcome: Outcome, final: Population | None = None) -> None:
        """Record how a member ended and keep its weights; `final` is a population of it alone (default: as it is)."""
        if final is None:
            final = self.population.take(self.positions([member]))
        self.outcomes[member] = outcome
        self.weights[member] = (final.parameters.flat.cpu(), final.statistics.flat.cpu())

    def compact(self) -> bool:
        """Take ended members out of the program if it pays; return whether it was done."""
        running = self.running
        if not running or len(running) >= COMPACT_BELOW * len(self.rows):
            return False
        keep = self.positions(running)
        self.population = self.population.take(keep)
        self.optimiser.load({name: stack.take(keep) for name, stack in self.optimiser.state.items()})
        if self.best is not None:
            self.best = self.best.take(keep)
        self.rows = running
        self.batches = self._batches()
        return True

    def trained(self, member: int) -> Population:
        """Return a member that has ended as a population of one, with its final weights."""
        parameters, statistics = self.weights[member]
        return self._population(1, parameters, statistics)

    def _population(self, count: int, parameters: Tensor, statistics: Tensor) -> Population:
        architecture, device = self.population.architecture, self.samples.inputs.device
        return Population(
            architecture,
            Stack(architecture.parameter_shapes, count, parameters.to(device)),
            Stack(architecture.statistic_shapes, count, statistics.to(device)),
            self.population.momentum,
        )

    def save(self) -> Checkpoint:
        """Return everything needed to go on from this step. Random draws need nothing: they follow from the step."""
        arrays: dict[str, Tensor] = {
            "parameters": self.population.parameters.flat,
            "statistics": self.population.statistics.flat,
        }
        arrays |= {f"optimiser.{name}": stack.flat for name, stack in self.optimiser.state.items()}
        if self.best is not None:
            arrays |= {
                "best.parameters": self.best.parameters.flat,
                "best.statistics": self.best.statistics.flat,
            }
        for i, (parameters, statistics) in self.weights.items():
            arrays |= {f"final.{i}.parameters": parameters, f"final.{i}.statistics": statistics}
        meta = {
            "rows": self.rows,
            "seconds": self.seconds,
            "best": [[i, to_value(self.best_loss[i]), self.best_epoch[i]] for i in self.best_loss],
            "outcomes": [
                [i, o.end, o.step, o.epoch, {k: to_value(v) for k, v in o.values.items()}]
                for i, o in self.outcomes.items()
            ],
        }
        return Checkpoint(self.step, {name: tensor for name, tensor in arrays.items() if tensor.numel()}, meta)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same members, samples and recipe."""
        arrays, meta = checkpoint.arrays, checkpoint.meta
        device, empty = self.samples.inputs.device, torch.zeros(0, dtype=self.dtype)
        self.step, self.seconds, self.rows = checkpoint.step, float(meta["seconds"]), [int(i) for i in meta["rows"]]
        count = len(self.rows)
        self.population = self._population(count, _own(arrays["parameters"]), _own(arrays.get("statistics", empty)))
        shapes = self.population.architecture.parameter_shapes
        self.optimiser = optimise.make(self.recipe.optimiser, self.population.parameters, self.recipe.momentum)
        self.optimiser.load(
            {name: Stack(shapes, count, _own(arrays[f"optimiser.{name}"]).to(device)) for name in self.optimiser.state}
        )
        if self.best is not None:
            self.best = self._population(
                count, _own(arrays["best.parameters"]), _own(arrays.get("best.statistics", empty))
            )
        self.best_loss = {int(i): from_value(loss) for i, loss, _ in meta["best"]}
        self.best_epoch = {int(i): int(epoch) for i, _, epoch in meta["best"]}
        self.outcomes = {int(i): _outcome(*rest) for i, *rest in meta["outcomes"]}
        self.weights = {
            i: (_own(arrays[f"final.{i}.parameters"]), _own(arrays.get(f"final.{i}.statistics", empty)))
            for i in self.outcomes
        }
        self.batches = self._batches()


def _own(array: Any) -> Tensor:
    return torch.as_tensor(array).clone()


def _outcome(end: str, step: int, epoch: float, values: dict[str, Any]) -> Outcome:
    return Outcome(end, int(step), float(epoch), {name: from_value(value) for name, value in values.items()})
