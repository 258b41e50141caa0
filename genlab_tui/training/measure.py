"""Measurements of the members of the open program, as few passes as they allow."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from genlab_tui.training.evaluate import SCREEN, SCREEN_FACTOR, SCREEN_SLACK, evaluate
from genlab_tui.training.members import FINALS
from genlab_tui.training.population import Population
from genlab_tui.training.probes import Look, Probe
from genlab_tui.training.shard import Shard
from genlab_tui.training.state import State

Finals = dict[str, float]
T = TypeVar("T")


class Measurer:
    """Measures members of a state's open program."""

    def __init__(self, state: State, epoch_steps: int, probes: Sequence[Probe]) -> None:
        self.state, self.epoch_steps, self.probes = state, epoch_steps, probes

    def finals(self, members: Sequence[int], *, best: bool = False, train: bool = True) -> dict[int, Finals]:
        """Return the four metrics and the probes of some members, as they are now or as they were at their best.

        Without `train`, those of the training set are left out: they cost most.
        """
        return self._each(members, partial(self._finals, best=best, train=train))

    def probed(self, members: Sequence[int], probes: Sequence[Probe]) -> dict[int, Finals]:
        """Return some of the probes of some members, and nothing else."""
        return self._each(members, partial(self._probed, probes=probes))

    def promising(self, members: Sequence[int]) -> list[int]:
        """Return the members that a cheap look at some of their training set does not rule out as done."""
        found = self._each(members, self._look)
        # No loss is negative: the whole set's mean is at least the share of it that the look has seen.
        n = self.state.program.batches.n
        slack = min(n / min(SCREEN, n), SCREEN_FACTOR)
        good = []
        for i in members:
            recipe = self.state.recipes[i]
            loss, accuracy = found[i]
            if accuracy >= recipe.target - SCREEN_SLACK or loss <= slack * recipe.loss_target:
                good.append(i)
        return good

    def validation(self, members: Sequence[int]) -> dict[int, float]:
        """Return the loss of members on the samples that early stopping holds out."""
        return self._each(members, self._held_out)

    def _each(self, members: Sequence[int], measure: Callable[[Shard, list[int]], dict[int, T]]) -> dict[int, T]:
        """Measure the members of every shard, all shards at once."""
        start = time.perf_counter()
        asked = set(members)
        wanted = {id(s): [i for i in s.rows if i in asked] for s in self.state.program.shards}
        shards = [shard for shard in self.state.program.shards if wanted[id(shard)]]
        found: dict[int, T] = {}
        if shards:
            for part in self.state.crew.each(lambda shard: measure(shard, wanted[id(shard)]), shards):
                found |= part
        self.state.looking += time.perf_counter() - start
        return found

    def _subset(
        self, shard: Shard, members: Sequence[int], *, best: bool = False
    ) -> tuple[list[int], Population, Tensor, Tensor]:
        """Return the members measured, row by row, with their networks, input sets and present labels.

        The whole shard where most of it is asked for: copying members costs more than measuring a few too many.
        """
        batches, networks = shard.batches, shard.best if best and shard.best is not None else shard.population
        # A member with fresh labels is scored on the draw that it has not been trained on.
        labels = batches.labels_at(math.ceil(self.state.step / self.epoch_steps))
        if 2 * len(members) > len(shard.rows):
            return shard.rows, networks, batches.sets_of, labels
        rows = shard.positions(members)
        part = networks.take(rows)
        order = [rows[k] for k in part.layout.members]
        index = torch.tensor(order, device=labels.device)
        return [shard.rows[row] for row in order], part, batches.sets_of[index], labels[index]

    def _finals(self, shard: Shard, members: list[int], *, best: bool, train: bool) -> dict[int, Finals]:
        who, part, sets, labels = self._subset(shard, members, best=best)
        samples, n, loss = shard.samples, shard.batches.n, shard.recipe.loss
        columns: list[list[float]] = []
        if train:
            train_loss, train_accuracy = evaluate(part, samples.inputs, sets, labels, (0, n), loss)
            columns = [train_accuracy, train_loss]
        test_labels = samples.test_labels[sets]
        test_loss, test_accuracy = evaluate(part, samples.test_inputs, sets, test_labels, None, loss)
        columns += [test_accuracy, test_loss]
        names = FINALS if train else FINALS[2:]
        found = {i: dict(zip(names, row, strict=True)) for i, row in zip(who, zip(*columns, strict=True), strict=True)}
        for i, values in self._probe(shard, who, part, sets, labels, self.probes).items():
            found[i] |= values
        return {i: found[i] for i in members}

    def _probed(self, shard: Shard, members: list[int], *, probes: Sequence[Probe]) -> dict[int, Finals]:
        found = self._probe(shard, *self._subset(shard, members), probes)
        return {i: found[i] for i in members}

    def _probe(
        self, shard: Shard, who: list[int], part: Population, sets: Tensor, labels: Tensor, probes: Sequence[Probe]
    ) -> dict[int, Finals]:
        found: dict[int, Finals] = {i: {} for i in who}
        seen = [self.state.members[i] for i in who]
        look = Look(part, seen, shard.samples, sets, labels[:, : shard.batches.n], self.state.step)
        for probe in probes:
            for i, value in zip(who, probe.measure(look), strict=True):
                found[i][probe.metric] = value
        return found

    def _look(self, shard: Shard, members: list[int]) -> dict[int, tuple[float, float]]:
        return self._span(shard, members, (0, min(SCREEN, shard.batches.n)))

    def _held_out(self, shard: Shard, members: list[int]) -> dict[int, float]:
        batches = shard.batches
        found = self._span(shard, members, (batches.n, batches.n + batches.held))
        return {i: loss for i, (loss, _) in found.items()}

    def _span(self, shard: Shard, members: list[int], span: tuple[int, int]) -> dict[int, tuple[float, float]]:
        """Return loss and accuracy on some of the training set."""
        who, part, sets, labels = self._subset(shard, members)
        losses, accuracies = evaluate(part, shard.samples.inputs, sets, labels, span, shard.recipe.loss)
        found = dict(zip(who, zip(losses, accuracies, strict=True), strict=True))
        return {i: found[i] for i in members}
