"""A shard of a program: members that one thread trains as one batch, their numbers, their optimiser and their data."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genlab_tui.training import modules, optimise
from genlab_tui.training.batches import Batches
from genlab_tui.training.graphs import Replay
from genlab_tui.training.layout import Layout, Stack
from genlab_tui.training.losses import Targets, objective
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.plan import stream
from genlab_tui.training.population import Population
from genlab_tui.training.strengths import Strengths


class Shard:
    """`rows[row]` is the member (its position among all) in a row. Those that ended are carried along, ignored."""

    def __init__(self, part: Sequence[int], members: Sequence[Member], common: Recipe, samples: Samples) -> None:
        self.all, self.common, self.samples = members, common, samples
        recipes = [members[i].recipe or common for i in part]
        self.recipe = recipes[0]
        device, dtype = samples.inputs.device, samples.inputs.dtype
        # Momentum of the running statistics is the strength of batch norm.
        if self.recipe.network:
            self.population: Population = modules.initial(self.recipe, members[part[0]].init_seed, samples)
        else:
            layout = Layout(
                samples.features,
                samples.classes,
                [r.hidden for r in recipes],
                [stream(members[i], r) for i, r in zip(part, recipes, strict=True)],
                batch_norm="batch-norm" in self.recipe.regularisers,
                norm=self.recipe.norm,
            )
            self.population = Population.initial(
                layout,
                [members[i].init_seed for i in part],
                dtype=dtype,
                device=device,
                schemes=[r.init for r in recipes],
            )
        self.rows = [part[member] for member in self.population.layout.members]
        self.strengths = Strengths([members[i].recipe or common for i in self.rows])
        self._set_momentum()
        self._start()
        self._build()
        self.optimiser = optimise.make(self.recipe, self.population.parameters, self.strengths)
        # Of the same layout as the population, row by row.
        self.best = self.population.take(range(len(self.rows))) if self.recipe.holds_out else None

    def _start(self) -> None:
        """Overwrite initial weights by those that members bring along; prune."""
        parameters = self.population.parameters
        for row, i in enumerate(self.rows):
            start, masks = self.all[i].start, self.all[i].masks
            if start:
                for view, number in zip(parameters.tensors_of(row), start, strict=True):
                    view.copy_(number)
            if masks:
                for view, mask in zip(parameters.weights_of(row), masks, strict=True):
                    view.mul_(mask.to(view.device, view.dtype))

    def _set_momentum(self) -> None:
        momenta = self.strengths.of("batch-norm")
        same = all(momentum == momenta[0] for momentum in momenta)
        self.population.momentum = momenta[0] if same else torch.tensor(momenta, dtype=torch.float64)

    def _build(self) -> None:
        """Make what follows from the members in the rows."""
        self.batches = Batches(
            [self.all[i] for i in self.rows],
            self.population.layout,
            self.samples,
            self.recipe,
            self.strengths,
            self.samples.inputs.dtype,
        )
        self._pruned: tuple[list[Tensor], list[Tensor]] | None = None
        self._trains = self._multipliers()
        self._penalties: optimise.Penalties | None = None
        self.replay = self._recorder()

    @property
    def parts(self) -> dict[str, Stack]:
        """Everything that training moves: parameters, statistics and the optimiser's state, by name."""
        named = {"parameters": self.population.parameters, "statistics": self.population.statistics}
        if self.best is not None:
            named |= {"best.parameters": self.best.parameters, "best.statistics": self.best.statistics}
        return named | {f"optimiser.{name}": stack for name, stack in self.optimiser.state.items()}

    def advance(self, epoch: int, position: int, step: int) -> Tensor:
        """Take step number `step` (from 0) with a batch of an epoch; return the loss [rows]."""
        batches = self.batches
        masks: list[list[Tensor]] = []
        if isinstance(self.population, modules.ModulePopulation):
            self.population.seed(self.all[self.rows[0]].seed, step)  # its dropout is its own
        else:
            masks = batches.masks(step, position)
        take = self.replay or self._step
        return take(batches.inputs(position), batches.targets(position), masks, self.recipe.factor(epoch), step + 1)

    def _step(
        self,
        inputs: Sequence[Tensor],
        targets: Targets,
        masks: Sequence[Sequence[Tensor]],
        factor: float | Tensor,
        step: int | Tensor,
    ) -> Tensor:
        """Take a step with nothing but tensors: a graph can record it."""
        population, optimiser = self.population, self.optimiser
        if self._penalties is None:
            folded = optimiser.scale is not None
            self._penalties = optimise.Penalties(
                population.parameters, self.strengths, folded=folded, trains=self._trains
            )
        loss = objective(self.recipe.loss, targets, optimiser.scale)
        optimiser.prepare()
        losses = population.gradient(inputs, loss, masks, optimiser.gradient, optimiser.keep)
        self._penalties.add(optimiser.gradient, population.parameters)
        self._prune()
        self._penalties.decay(population.parameters, factor)
        optimiser.update(population.parameters, factor, step)
        return losses

    def _recorder(self) -> Replay | None:
        """Return what replays steps on a GPU; None where every step is computed as it comes."""
        drops = self.recipe.network and self.strengths.any("dropout")  # its draws are not tensors that we hand in
        if self.samples.inputs.device.type != "cuda" or drops:
            return None
        return Replay(self._step, lambda: [stack.flat for stack in self.parts.values()])

    def _multipliers(self) -> Stack | None:
        """Return 1 for the numbers of the rows that train and 0 for those that do not; None where all do."""
        trains = [self.all[i].trains for i in self.rows]
        if not any(trains):
            return None
        multipliers = self.population.parameters.like()
        multipliers.flat.fill_(1.0)
        for row, own in enumerate(trains):
            if own:
                for view, given in zip(multipliers.tensors_of(row), own, strict=True):
                    view.copy_(given != 0)
        return multipliers

    def _prune(self) -> None:
        """Take pruned and frozen numbers out of the gradient: pruned ones stay 0, frozen ones what they are."""
        gradient = self.optimiser.gradient
        if self._trains is not None:
            gradient.flat.mul_(self._trains.flat)
        if self._pruned is None:
            pairs = [
                (view, mask.to(view.device, view.dtype))
                for row, i in enumerate(self.rows)
                for view, mask in zip(gradient.weights_of(row), self.all[i].masks or (), strict=False)
            ]
            self._pruned = [view for view, _ in pairs], [mask for _, mask in pairs]
        if self._pruned[0]:
            torch._foreach_mul_(*self._pruned)

    def change(self, regulariser: str, strength: float | None) -> None:
        """Change a dynamic regulariser in every row, from the next epoch on."""
        self.strengths.change(regulariser, strength)
        self._penalties = None
        self.replay = self._recorder()
        if isinstance(self.population, modules.ModulePopulation):
            self.population.change(regulariser, strength or 0.0)

    def positions(self, members: Sequence[int]) -> list[int]:
        """Return the rows of members."""
        where = {i: row for row, i in enumerate(self.rows)}
        return [where[i] for i in members]

    def keep_best(self, member: int) -> None:
        """Keep a member's present weights as its best."""
        assert self.best is not None
        row = self.rows.index(member)
        self.best.put(row, self.population, row)

    def alone(self, member: int, *, best: bool = False) -> Population:
        """Return a copy of a member as it is, or as it was at its best, as a population of one."""
        source = self.best if best and self.best is not None else self.population
        return source.take([self.rows.index(member)])

    def keep(self, members: Sequence[int]) -> None:
        """Take everyone else out of the shard."""
        rows = self.positions(members)
        if self.best is not None:
            self.best = self.best.take(rows)
        state = {name: stack.take(rows) for name, stack in self.optimiser.state.items()}
        self.population = self.population.take(rows)
        order = [rows[k] for k in self.population.layout.members]
        self.rows = [self.rows[row] for row in order]
        self.strengths = self.strengths.take(order)
        self._set_momentum()
        folded = self.optimiser.scale is not None
        self.optimiser = optimise.make(self.recipe, self.population.parameters, self.strengths, folded=folded)
        self.optimiser.load(state)
        self._build()
