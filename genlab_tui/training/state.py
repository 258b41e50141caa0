"""The state of a call of `train`: its programs, who still trains, what has ended; to a checkpoint and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from genlab_tui.events import from_value, to_value
from genlab_tui.phenomenon import Checkpoint
from genlab_tui.training import graphs, modules
from genlab_tui.training.layout import Layout, Stack
from genlab_tui.training.members import Member, Outcome, Recipe, Samples
from genlab_tui.training.plan import recipes
from genlab_tui.training.population import Population
from genlab_tui.training.program import Crew, Program, shares

COMPACT_BELOW = 0.7
"""Members that ended are taken out of a program once fewer than this share of its rows still train."""


class State:
    """`plan` lists the programs, trained one after another; `program` is the one at `at`, `step` its step."""

    def __init__(
        self,
        members: Sequence[Member],
        samples: Samples,
        recipe: Recipe,
        plan: list[list[int]],
        crew: Crew | None = None,
        devices: Sequence[str] = (),
    ) -> None:
        self.members, self.samples, self.recipe, self.plan = members, samples, recipe, plan
        self.recipes = recipes(members, recipe)
        self.crew = crew or Crew(1)
        self.copies = [samples.to(device) for device in devices] or [samples]
        self.outcomes: dict[int, Outcome] = {}
        self.weights: dict[int, tuple[Tensor, Tensor]] = {}  # final parameters and statistics, flat, on the CPU
        self.changes: dict[str, float | None] = {}
        self.seconds = 0.0
        self.looking = 0.0  # seconds of measurements, in this process
        self.at, self.step, self.opened = 0, 0, False

    def open(self, at: int, pieces: list[list[int]] | None = None) -> None:
        """Begin a program, in these pieces (default: as many as there are threads)."""
        self.at, self.step = at, 0
        if pieces is None:
            threads = self.crew.threads if self.samples.inputs.device.type == "cpu" else len(self.copies)
            pieces = shares(self.plan[at], self.members, self.recipes, self.samples, threads)
        graphs.precision(self.recipes[self.plan[at][0]].precision, self.samples.inputs.device)
        self.program = Program(pieces, self.members, self.recipe, self.copies, self.crew)
        for name, strength in self.changes.items():
            self.program.change(name, strength)
        self.best_loss = {i: float("inf") for i in self.rows}
        self.best_epoch = dict.fromkeys(self.rows, 0)
        self.opened = True

    def next(self) -> None:
        """Go to the next program; `open` begins it."""
        self._close()
        self.at, self.step = self.at + 1, 0

    def split(self, parts: list[list[int]]) -> None:
        """Train the open program, not begun yet, as several."""
        self._close()
        self.plan = [*self.plan[: self.at], *parts, *self.plan[self.at + 1 :]]

    def _close(self) -> None:
        """Let go of a program's memory before another one asks for its own."""
        vars(self).pop("program", None)
        self.opened = False

    @property
    def ends(self) -> dict[str, int]:
        """How many members ended how: what a stage of training has to say."""
        found = [outcome.end for outcome in self.outcomes.values()]
        return {end: found.count(end) for end in dict.fromkeys(found)}

    @property
    def rows(self) -> list[int]:
        """The members in the program."""
        return self.program.rows

    @property
    def running(self) -> list[int]:
        """The members of the program that still train, in the order of their positions."""
        return sorted(i for i in self.rows if i not in self.outcomes)

    def end(self, member: int, outcome: Outcome, final: Population | None = None) -> None:
        """Record how a member ended and keep its weights; `final` is a population of it alone (default: as it is)."""
        if final is None:
            final = self.program.alone(member)
        self.outcomes[member] = outcome
        self.weights[member] = (final.parameters.flat.cpu(), final.statistics.flat.cpu())

    def compact(self) -> bool:
        """Take ended members out of the program if it pays; return whether it was done."""
        running = self.running
        if not running or len(running) >= COMPACT_BELOW * len(self.rows):
            return False
        self.program.keep(running)
        return True

    def change(self, regulariser: str, strength: float | None) -> None:
        """Change a regulariser of all members that are not done yet."""
        self.changes[regulariser] = strength
        self.program.change(regulariser, strength)

    def trained(self, member: int) -> Population:
        """Return a member that has ended as a population of one, with its final weights."""
        recipe = self.recipes[member]
        parameters, statistics = (tensor.to(self.samples.inputs.device) for tensor in self.weights[member])
        if recipe.network:
            return modules.restored(recipe, self.samples, parameters, statistics)
        norm = "batch-norm" in recipe.regularisers
        sizes = (self.samples.features, self.samples.classes)
        layout = Layout(*sizes, [recipe.hidden], [0], batch_norm=norm, norm=recipe.norm)
        momentum = recipe.strength("batch-norm")
        return Population(layout, Stack(layout, parameters), Stack(layout, statistics, "statistics"), momentum)

    def _arrays(self) -> dict[str, Tensor]:
        return {name: stack.flat for name, stack in self.program.parts.items()}

    def save(self) -> Checkpoint:
        """Return everything needed to go on from this step. Random draws need nothing: they follow from the step."""
        arrays = self._arrays()
        for i, (parameters, statistics) in self.weights.items():
            arrays |= {f"final.{i}.parameters": parameters, f"final.{i}.statistics": statistics}
        meta = {
            "plan": self.plan,
            "at": self.at,
            "pieces": self.program.pieces,
            "rows": [shard.rows for shard in self.program.shards],
            "seconds": self.seconds,
            "changes": self.changes,
            "best": [[i, to_value(self.best_loss[i]), self.best_epoch[i]] for i in self.best_loss],
            "outcomes": [
                [i, o.end, o.step, o.epoch, {k: to_value(v) for k, v in o.values.items()}]
                for i, o in self.outcomes.items()
            ],
        }
        full = {name: tensor for name, tensor in arrays.items() if tensor.numel()}
        return Checkpoint(self.step, full, meta)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same members, samples and recipe."""
        arrays, meta = checkpoint.arrays, checkpoint.meta
        self.plan = [[int(i) for i in part] for part in meta["plan"]]
        self.changes = dict(meta["changes"])
        self.seconds = float(meta["seconds"])
        # In the same shards, whatever this machine has: sums in another order would round differently.
        self.open(int(meta["at"]), [[int(i) for i in piece] for piece in meta["pieces"]])
        self.step = checkpoint.step
        rows = [[int(i) for i in kept] for kept in meta["rows"]]
        self.program.keep_rows(rows)
        if rows != [shard.rows for shard in self.program.shards]:
            raise ValueError("the checkpoint belongs to other members")
        for name, tensor in self._arrays().items():
            if tensor.numel():
                tensor.copy_(torch.as_tensor(arrays[name]))
        self.best_loss = {int(i): from_value(loss) for i, loss, _ in meta["best"]}
        self.best_epoch = {int(i): int(epoch) for i, _, epoch in meta["best"]}
        self.outcomes = {int(i): _outcome(*rest) for i, *rest in meta["outcomes"]}
        none = torch.zeros(0, dtype=self.samples.inputs.dtype)
        self.weights = {
            i: (_own(arrays[f"final.{i}.parameters"]), _own(arrays.get(f"final.{i}.statistics", none)))
            for i in self.outcomes
        }


def _own(array: Any) -> Tensor:
    return torch.as_tensor(array).clone()


def _outcome(end: str, step: int, epoch: float, values: dict[str, Any]) -> Outcome:
    return Outcome(end, int(step), float(epoch), {name: from_value(value) for name, value in values.items()})
