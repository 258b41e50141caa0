"""One program in training: its members in shards, one a thread, that take every step side by side."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

from genlab_tui.training.layout import Stack
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.plan import expected_epochs, stream, work
from genlab_tui.training.population import Population
from genlab_tui.training.shard import Shard

UNEVEN = 1.25
"""A shard may have this many times its fair share of the work before members are shared out in another way."""

T = TypeVar("T")
Part = TypeVar("Part")


class Crew:
    """Threads of one core each, which compute shards at once; one shard alone has all cores inside its operations.

    Many small operations on two threads of their own need no meeting point inside a step. Meeting after every operation
    costs a multiple of the time as soon as anyone else uses a core.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, "shard", initializer=torch.set_num_threads, initargs=(1,))

    def each(self, function: Callable[[Part], T], shards: Sequence[Part]) -> list[T]:
        """Return what a function gives for every shard (or other part that is computed by itself)."""
        if len(shards) == 1:
            if torch.get_num_threads() != self.threads:
                torch.set_num_threads(self.threads)
            return [function(shards[0])]
        return list(self._pool.map(function, shards))

    def close(self) -> None:
        """End the threads; whoever computes next has all cores again."""
        self._pool.shutdown()
        torch.set_num_threads(self.threads)  # MKL has one setting for all threads


class Program:
    """Members that train in step with each other. All shards agree in everything that makes up a batch.

    `samples` are the same data on every device that the run was given; the shards take turns among them.
    """

    def __init__(
        self,
        pieces: Sequence[Sequence[int]],
        members: Sequence[Member],
        common: Recipe,
        samples: Sequence[Samples],
        crew: Crew,
    ) -> None:
        self.pieces, self.crew = [list(piece) for piece in pieces], crew
        self.shards = [Shard(piece, members, common, samples[k % len(samples)]) for k, piece in enumerate(self.pieces)]
        self.recipe, self.batches = self.shards[0].recipe, self.shards[0].batches

    @property
    def rows(self) -> list[int]:
        """The members in the program, shard by shard, in the order of their rows."""
        return [i for shard in self.shards for i in shard.rows]

    @property
    def parts(self) -> dict[str, Stack]:
        """Everything that training moves, by name."""
        return {f"{k}.{name}": stack for k, shard in enumerate(self.shards) for name, stack in shard.parts.items()}

    def shard_of(self, member: int) -> Shard:
        """Return the shard that a member is in."""
        return next(shard for shard in self.shards if member in shard.rows)

    def strengths(self, regulariser: str) -> dict[int, float]:
        """Return a regulariser's strength for every member."""
        return {
            i: strength
            for shard in self.shards
            for i, strength in zip(shard.rows, shard.strengths.of(regulariser), strict=True)
        }

    def begin(self, epoch: int) -> None:
        """Draw an epoch."""
        self.crew.each(lambda shard: shard.batches.begin(epoch), self.shards)

    def advance(self, epoch: int, position: int, step: int) -> Tensor:
        """Take step number `step` (from 0) with a batch of an epoch; return the loss of every row of `rows`."""
        losses = self.crew.each(lambda shard: shard.advance(epoch, position, step), self.shards)
        return losses[0] if len(losses) == 1 else torch.cat([loss.to(losses[0].device) for loss in losses])

    def change(self, regulariser: str, strength: float | None) -> None:
        """Change a dynamic regulariser of every member, from the next epoch on."""
        for shard in self.shards:
            shard.change(regulariser, strength)

    def alone(self, member: int, *, best: bool = False) -> Population:
        """Return a copy of a member as it is, or as it was at its best, as a population of one."""
        return self.shard_of(member).alone(member, best=best)

    def keep(self, members: Sequence[int]) -> None:
        """Take everyone else out of the program."""
        kept = set(members)
        self.keep_rows([[i for i in shard.rows if i in kept] for shard in self.shards])

    def keep_rows(self, rows: Sequence[Sequence[int]]) -> None:
        """Keep these members of each shard, in this order; a shard without any is left out."""
        for shard, kept in zip(self.shards, rows, strict=True):
            if kept and list(kept) != shard.rows:
                shard.keep(kept)
        self.shards = [shard for shard, kept in zip(self.shards, rows, strict=True) if kept]
        self.pieces = [piece for piece, kept in zip(self.pieces, rows, strict=True) if kept]
        self.batches = self.shards[0].batches


def shares(
    part: Sequence[int], members: Sequence[Member], recipes: Sequence[Recipe], samples: Samples, threads: int
) -> list[list[int]]:
    """Return a program's members in at most `threads` shards of about equal work over all their epochs.

    Members of the same place in their streams stay together, so that the streams of a shard are of one make-up. Where
    one such place is most of the work (a few that train long beside many that stop early), whole streams do instead.
    """
    if recipes[part[0]].network:
        return [[i] for i in part]
    streams: dict[Hashable, list[int]] = {}
    for i in part:
        streams.setdefault(stream(members[i], recipes[i]), []).append(i)
    columns: dict[Hashable, list[int]] = {}
    for group in streams.values():
        ranks: dict[Hashable, int] = {}
        for i in group:
            rank = ranks[recipes[i].hidden] = ranks.get(recipes[i].hidden, -1) + 1
            columns.setdefault((recipes[i].hidden, rank), []).append(i)
    each = {i: work(samples, recipes[i]) * expected_epochs(members[i], samples, recipes[i]) for i in part}
    largest = max(sum(each[i] for i in column) for column in columns.values())
    if largest > UNEVEN * sum(each.values()) / threads and len(streams) >= threads:
        columns = streams
    if len(columns) < threads:
        columns = {i: [i] for i in part}
    found: list[list[int]] = [[] for _ in range(min(threads, len(columns)))]
    loads = [0.0] * len(found)
    cost = {key: sum(each[i] for i in column) for key, column in columns.items()}
    for key in sorted(columns, key=lambda key: -cost[key]):
        least = loads.index(min(loads))
        found[least] += columns[key]
        loads[least] += cost[key]
    return [sorted(piece) for piece in found]
