"""Where the numbers of every member lie: one buffer a population, wide in the first layer, without padding.

Members that read the same input stream (same samples in the same order) form a group, and the first layers of a group
lie side by side: one wide matrix product computes them all. Groups of the same make-up are stacked to a block. Within
a group, members of equal widths form a bucket, whose later layers are stacked too. Nothing is padded.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import torch
from torch import Tensor

Hidden = tuple[int, ...]


@dataclass(frozen=True)
class Bucket:
    """`count` members of a group with equal `hidden` widths; `first` is the first of them in the group.

    `units[l]` is where their units begin among all units of the group's hidden layer l.
    """

    hidden: Hidden
    first: int
    count: int
    units: tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """`groups` groups of the same make-up, each of `size` members in `buckets`; their rows begin at `first`.

    `widths[l]` is the number of units of a group in hidden layer l.
    """

    first: int
    groups: int
    size: int
    buckets: tuple[Bucket, ...]
    widths: tuple[int, ...]

    @property
    def rows(self) -> slice:
        return slice(self.first, self.first + self.groups * self.size)


class Layout:
    """The plan of a population of perceptrons with `depth` - 1 hidden layers each.

    `hidden` and `streams` have one entry per member; `norm` is where batch norm stands (`Recipe.norm`). Rows are the
    members in the order of storage: `members[row]` is a member's position in what was given, `row_of[member]` the
    reverse.
    """

    def __init__(
        self,
        inputs: int,
        classes: int,
        hidden: Sequence[Hidden],
        streams: Sequence[Hashable],
        *,
        batch_norm: bool = False,
        norm: str = "before",
    ) -> None:
        self.inputs, self.classes, self.batch_norm, self.norm = inputs, classes, batch_norm, norm
        self.hidden, self.streams = tuple(hidden), tuple(streams)
        self.depth = len(hidden[0]) + 1
        groups: dict[Hashable, list[int]] = {}
        for member, stream in enumerate(streams):
            groups.setdefault(stream, []).append(member)
        alike: dict[tuple[Hidden, ...], list[list[int]]] = {}
        for group in groups.values():
            group.sort(key=lambda member: hidden[member])
            alike.setdefault(tuple(hidden[member] for member in group), []).append(group)
        self.members = [member for same in alike.values() for group in same for member in group]
        self.row_of = {member: row for row, member in enumerate(self.members)}
        self.blocks: list[Block] = []
        first = 0
        for signature, same in alike.items():
            self.blocks.append(_block(first, len(same), signature))
            first += len(same) * len(signature)

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def weight_shapes(self) -> list[tuple[int, ...]]:
        """The stored weight matrices: per block the wide first layer, then the later layers bucket by bucket."""
        shapes: list[tuple[int, ...]] = []
        for block in self.blocks:
            if self.depth > 1:
                shapes.append((block.groups, block.widths[0], self.inputs))
            for bucket in block.buckets:
                sizes = (*bucket.hidden, self.classes) if self.depth > 1 else (self.inputs, self.classes)
                shapes += [(block.groups, bucket.count, after, before) for before, after in pairwise(sizes)]
        return shapes

    @cached_property
    def vector_shapes(self) -> list[tuple[int, ...]]:
        """The stored vectors: per block and hidden layer the bias (or scale and shift), then the output bias."""
        repeats = 2 if self.batch_norm else 1
        shapes: list[tuple[int, ...]] = []
        for block in self.blocks:
            shapes += [(block.groups, width) for width in block.widths for _ in range(repeats)]
            shapes.append((block.groups, block.size, self.classes))
        return shapes

    @cached_property
    def statistic_shapes(self) -> list[tuple[int, ...]]:
        """The running mean and variance of every hidden layer of every block; none without batch normalisation."""
        if not self.batch_norm:
            return []
        return [(block.groups, width) for block in self.blocks for width in block.widths for _ in range(2)]

    @cached_property
    def weights(self) -> int:
        """How many entries the weight matrices have together: they lie before all vectors."""
        return sum(math.prod(shape) for shape in self.weight_shapes)

    def units(self, block: Block, layer: int) -> Tensor:
        """Return the row that every unit of a block's hidden layer belongs to: [groups, width]."""
        rows = [
            block.first + bucket.first + k
            for bucket in block.buckets
            for k in range(bucket.count)
            for _ in range(bucket.hidden[layer])
        ]
        return torch.tensor(rows)[None] + block.size * torch.arange(block.groups)[:, None]

    def place(self, row: int) -> tuple[int, int, int, int, int]:
        """Return block, group, position in the group, bucket and position in the bucket of a row."""
        for at, block in enumerate(self.blocks):
            if row < block.rows.stop:
                group, position = divmod(row - block.first, block.size)
                for number, bucket in enumerate(block.buckets):
                    if position < bucket.first + bucket.count:
                        return at, group, position, number, position - bucket.first
        raise IndexError(row)

    def take(self, rows: Sequence[int]) -> Layout:
        """Return the layout of some rows alone, in the order given."""
        members = [self.members[row] for row in rows]
        return Layout(
            self.inputs,
            self.classes,
            [self.hidden[member] for member in members],
            [self.streams[member] for member in members],
            batch_norm=self.batch_norm,
            norm=self.norm,
        )


def _block(first: int, groups: int, signature: tuple[Hidden, ...]) -> Block:
    counts = {hidden: signature.count(hidden) for hidden in dict.fromkeys(signature)}
    depth = len(signature[0])
    starts = [list(accumulate((h[layer] * c for h, c in counts.items()), initial=0)) for layer in range(depth)]
    firsts = accumulate(counts.values(), initial=0)
    buckets = tuple(
        Bucket(hidden, begin, count, tuple(starts[layer][k] for layer in range(depth)))
        for k, ((hidden, count), begin) in enumerate(zip(counts.items(), firsts, strict=False))
    )
    return Block(first, groups, len(signature), buckets, tuple(starts[layer][-1] for layer in range(depth)))


class Stack:
    """One buffer for numbers of all members, with views of it; `kind` is `parameters` or `statistics`.

    Of parameters: `wide[block]` is the first layer [groups, units, inputs] (None without hidden layers),
    `deep[block][bucket][k]` the later weights [groups, count, after, before], `vectors[block]` the vectors, the output
    bias [groups, size, classes] last. Of statistics: `vectors[block]` is mean and variance of each layer in turn.
    """

    def __init__(self, layout: Layout, flat: Tensor, kind: str = "parameters") -> None:
        self.layout, self.flat, self.kind = layout, flat, kind
        weight_shapes = layout.weight_shapes if kind == "parameters" else []
        vector_shapes = layout.vector_shapes if kind == "parameters" else layout.statistic_shapes
        shapes = [*weight_shapes, *vector_shapes]
        pieces = torch.split(flat, [math.prod(shape) for shape in shapes]) if shapes else ()
        views = iter([piece.view(shape) for piece, shape in zip(pieces, shapes, strict=True)])
        self.wide: list[Tensor | None] = []
        self.deep: list[list[list[Tensor]]] = []
        later = max(layout.depth - 1, 1)
        for block in layout.blocks if kind == "parameters" else ():
            self.wide.append(next(views) if layout.depth > 1 else None)
            self.deep.append([[next(views) for _ in range(later)] for _ in block.buckets])
        each = len(vector_shapes) // len(layout.blocks)
        self.vectors = [[next(views) for _ in range(each)] for _ in layout.blocks]

    @classmethod
    def zeros(cls, layout: Layout, dtype: torch.dtype, device: torch.device, kind: str = "parameters") -> Stack:
        shapes = [*layout.weight_shapes, *layout.vector_shapes] if kind == "parameters" else layout.statistic_shapes
        size = sum(math.prod(shape) for shape in shapes)
        return cls(layout, torch.zeros(size, dtype=dtype, device=device), kind)

    def like(self) -> Stack:
        """Return zeros of the same form."""
        return Stack(self.layout, torch.zeros_like(self.flat), self.kind)

    def weights_of(self, row: int) -> list[Tensor]:
        """Return views of the weight matrices [after, before] of one row, first layer first."""
        at, group, _, number, k = self.layout.place(row)
        bucket, wide = self.layout.blocks[at].buckets[number], self.wide[at]
        later = [weight[group, k] for weight in self.deep[at][number]]
        if wide is None:
            return later
        start = bucket.units[0] + k * bucket.hidden[0]
        return [wide[group, start : start + bucket.hidden[0]], *later]

    def vectors_of(self, row: int) -> list[Tensor]:
        """Return views of the vectors of one row: per hidden layer its one or two, then the output bias."""
        at, group, position, number, k = self.layout.place(row)
        bucket, vectors = self.layout.blocks[at].buckets[number], self.vectors[at]
        hidden = vectors[:-1] if self.kind == "parameters" else vectors
        repeats = len(hidden) // max(len(bucket.hidden), 1)
        views = []
        for index, vector in enumerate(hidden):
            width = bucket.hidden[index // repeats]
            start = bucket.units[index // repeats] + k * width
            views.append(vector[group, start : start + width])
        return [*views, vectors[-1][group, position]] if self.kind == "parameters" else views

    def tensors_of(self, row: int) -> list[Tensor]:
        """Return views of everything of one row: weight matrices, then vectors."""
        return [*(self.weights_of(row) if self.kind == "parameters" else ()), *self.vectors_of(row)]

    def parts(self) -> Iterator[tuple[Tensor, int, int, int]]:
        """Yield every stored tensor, weights first, with its block, bucket (-1: all) and layer (-1: per member)."""
        if self.kind == "parameters":
            for at, (wide, buckets) in enumerate(zip(self.wide, self.deep, strict=True)):
                if wide is not None:
                    yield wide, at, -1, 0
                for number, later in enumerate(buckets):
                    for weight in later:
                        yield weight, at, number, -1
        repeats = 2 if self.layout.batch_norm else 1
        for at, vectors in enumerate(self.vectors):
            for index, vector in enumerate(vectors):
                last = self.kind == "parameters" and index == len(vectors) - 1
                yield vector, at, -1, -1 if last else index // repeats

    def take(self, rows: Sequence[int]) -> Stack:
        """Return a copy of some rows under the layout of those alone."""
        layout = self.layout.take(rows)
        taken = Stack.zeros(layout, self.flat.dtype, self.flat.device, self.kind)
        for row, member in enumerate(layout.members):
            for mine, theirs in zip(taken.tensors_of(row), self.tensors_of(rows[member]), strict=True):
                mine.copy_(theirs)
        return taken

    def put(self, row: int, other: Stack, from_row: int) -> None:
        """Overwrite a row by a row of another stack."""
        for mine, theirs in zip(self.tensors_of(row), other.tensors_of(from_row), strict=True):
            mine.copy_(theirs)

    def spread(self, values: Tensor) -> list[Tensor]:
        """Return one value per row as tensors that broadcast over the stored tensors, in the order of `parts`."""
        layout, spread = self.layout, []
        values = values.to(self.flat.device, self.flat.dtype)
        for tensor, at, number, layer in self.parts():
            block = layout.blocks[at]
            if layer >= 0:
                per_unit = values[layout.units(block, layer).to(self.flat.device)]
                spread.append(per_unit[:, :, None] if tensor.dim() == 3 else per_unit)
                continue
            per_member = values[block.rows].view(block.groups, block.size)
            if number >= 0:
                bucket = block.buckets[number]
                per_member = per_member[:, bucket.first : bucket.first + bucket.count, None]
            spread.append(per_member[:, :, None])
        return spread
