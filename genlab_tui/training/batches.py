"""The batches of a step for a program: orders, shifts, mixing and targets, from the data on the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from genlab_tui.training import seeds
from genlab_tui.training.layout import Layout
from genlab_tui.training.losses import Targets
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.strengths import Strengths

_Draw = Callable[[int], Tensor]
_Orders = tuple[int, int, int]
"""`Member.orders`: a seed, the step at which another one takes over, and that one."""


def bounds(n: int, batch: int) -> list[tuple[int, int]]:
    """Return where the batches of an epoch start and stop; a last batch of one joins the one before.

    (One sample has no variance for batch normalisation to divide by.)
    """
    starts = list(range(0, n, batch))
    if len(starts) > 1 and n - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], n], strict=True))


def shift_table(shape: tuple[int, ...], reach: int) -> Tensor:
    """Return where every value of a shifted input comes from: [shifts, d], with d standing for the fill.

    Images [C, H, W] move by up to `reach` pixels in both directions and fill up at the border; one-dimensional inputs
    are rolled.
    """
    if len(shape) == 1:
        base = torch.arange(shape[0])
        return torch.stack([base.roll(by) for by in range(-reach, reach + 1)])
    channels, height, width = shape
    base = torch.arange(channels * height * width).view(shape)
    padded = torch.full((channels, height + 2 * reach, width + 2 * reach), base.numel())
    padded[:, reach : reach + height, reach : reach + width] = base
    span = range(2 * reach + 1)
    return torch.stack([padded[:, r : r + height, c : c + width].flatten() for r in span for c in span])


class Batches:
    """Draws an epoch for the members of a program (in the order of its rows), then hands out its batches.

    Draws are made per distinct seed and on the CPU. Members of one group read one stream of inputs.
    """

    def __init__(
        self,
        members: Sequence[Member],
        layout: Layout,
        samples: Samples,
        recipe: Recipe,
        strengths: Strengths,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        device = samples.inputs.device
        self.members, self.layout, self.samples, self.strengths = members, layout, samples, strengths
        n = members[0].n or samples.n
        self.n, self.held = n - recipe.validation(n), recipe.validation(n)
        self.bounds = bounds(self.n, recipe.batch)
        self.seeds = tuple(dict.fromkeys(m.orders for m in members))
        self.own_seeds = tuple(dict.fromkeys(m.seed for m in members))
        self.device, self.dtype = device, dtype
        self.labels_of = torch.tensor([m.labels for m in members], device=device)
        self.sets_of = torch.tensor([m.inputs for m in members], device=device)
        self.order_of = torch.tensor([self.seeds.index(m.orders) for m in members], device=device)
        # One member of each group stands for its stream: its row, order and first sample, one tensor a block.
        self._leaders = [list(range(b.rows.start, b.rows.stop, b.size)) for b in layout.blocks]
        self._rows = [torch.tensor(rows, device=device) for rows in self._leaders]
        self._orders = [self.order_of[rows] for rows in self._rows]
        self._firsts = [(self.sets_of[rows] * samples.n)[:, None] for rows in self._rows]
        self._fixed = samples.labels.index_select(0, self.labels_of)[:, :n]
        self._fresh = [row for row, member in enumerate(members) if member.fresh]
        self._seed_of = torch.tensor([self.own_seeds.index(m.seed) for m in members], device=device)
        self._tables: dict[int, Tensor] = {}

    def begin(self, epoch: int) -> None:
        """Draw the orders (and shifts, mixing weights, fresh labels) of an epoch."""
        self.epoch = epoch
        self.orders = self._per_seed(self._order)
        self._ordered = self.labels_at(epoch).gather(1, self.orders.index_select(0, self.order_of))
        self._begin_shifts(epoch)
        self._begin_mixing(epoch)

    def _shared(self, orders: _Orders) -> int:
        """Return how many batches of the epoch come before another seed's orders take over."""
        return min(max(orders[1] - self.epoch * len(self.bounds), 0), len(self.bounds))

    def _order(self, orders: _Orders) -> Tensor:
        """Return the order of an epoch: from a take-over on, what is left of it in an order of the other seed."""
        before, _, after = orders

        def permutation(seed: int, count: int) -> Tensor:
            return torch.randperm(count, generator=seeds.generator(seed, seeds.ORDER, self.epoch))

        shared = self._shared(orders)
        if not shared:
            return permutation(after, self.n)
        order, start = permutation(before, self.n), self.bounds[shared - 1][1]
        return torch.cat((order[:start], order[start:][permutation(after, self.n - start)]))

    def _joined(self, draw: _Draw, orders: _Orders, *, batches: bool = False) -> Tensor:
        """Return one seed's draws for the samples (or the batches) of an epoch, from a take-over on the other's."""
        before, _, after = orders
        shared = self._shared(orders)
        if not shared:
            return draw(after)
        start = shared if batches else self.bounds[shared - 1][1]
        return torch.cat((draw(before)[:start], draw(after)[start:]))

    def _begin_shifts(self, epoch: int) -> None:
        reach_of = [round(reach) for reach in self.strengths.of("augmentation")]
        self.shifts: dict[int, Tensor] = {}
        # By block: the groups of each reach, all of them in one where they agree.
        self._reaches = [_alike([reach_of[row] for row in rows], self.device) for rows in self._leaders]
        for reach in sorted(set(reach_of) - {0}):
            if reach not in self._tables:
                self._tables[reach] = shift_table(self.samples.shape, reach).to(self.device)
            draw = partial(_shifts, epoch=epoch, count=len(self._tables[reach]), n=self.n)
            self.shifts[reach] = self._per_seed(partial(self._joined, draw))

    def _begin_mixing(self, epoch: int) -> None:
        alphas = self.strengths.of("mixup")
        self.mixing: Tensor | None = None
        if not any(alphas):
            return
        drawn: dict[tuple[_Orders, float], Tensor] = {}
        count = len(self.bounds)
        for member, alpha in zip(self.members, alphas, strict=True):
            key = (member.orders, alpha)
            if key not in drawn:
                draw = partial(_beta, epoch=epoch, alpha=alpha, count=count)
                mixed = self._joined(draw, key[0], batches=True) if alpha else torch.ones(count, dtype=torch.float64)
                drawn[key] = mixed
        rows = [drawn[m.orders, alpha] for m, alpha in zip(self.members, alphas, strict=True)]
        self.mixing = torch.stack(rows).to(self.device, self.dtype)

    def labels_at(self, epoch: int) -> Tensor:
        """Return every row's labels [rows, n + validation] in an epoch: fixed ones, or that epoch's draw."""
        if not self._fresh:
            return self._fixed
        labels = self._fixed.clone()
        for row in self._fresh:
            source = seeds.generator(self.members[row].seed, seeds.FRESH_LABELS, epoch)
            # All of the set are drawn: the first of them do not depend on how many are used.
            drawn = torch.randint(self.samples.classes, (self.samples.n,), generator=source)
            labels[row] = drawn[: labels.shape[1]].to(self.device)
        return labels

    @cached_property
    def _filled(self) -> Tensor:
        """The samples with the fill appended to each, flat."""
        edge = self.samples.inputs.new_full((*self.samples.inputs.shape[:2], 1), self.samples.fill)
        return torch.cat((self.samples.inputs, edge), dim=2).flatten()

    def inputs(self, position: int) -> list[Tensor]:
        """Return the inputs [groups, batch, d] of one batch, one tensor a block."""
        start, stop = self.bounds[position]
        flat = self.samples.inputs.flatten(0, 1)
        batch = []
        for at in range(len(self._rows)):
            place = self._firsts[at] + self.orders[:, start:stop].index_select(0, self._orders[at])
            if self.shifts:
                x = self._shifted(at, place, start, stop)
            else:
                x = flat.index_select(0, place.flatten()).view(*place.shape, -1)
            if self.mixing is not None:
                # Within a random order any neighbour is a random partner.
                share = self.mixing[self._rows[at]][:, position, None, None]
                x = torch.lerp(x.roll(1, dims=1), x, share)
            batch.append(x)
        return batch

    def _shifted(self, at: int, place: Tensor, start: int, stop: int) -> Tensor:
        """Return inputs [groups, batch, d] of a block, each group's shifted as far as its members ask for."""
        width = self.samples.features
        x = torch.empty(*place.shape, width, dtype=self.samples.inputs.dtype, device=self.device)
        for reach, groups in self._reaches[at]:
            first = place[groups]
            if reach:
                shifts = self.shifts[reach][self._orders[at][groups], start:stop]
                x[groups] = self._filled[(first * (width + 1))[:, :, None] + self._tables[reach][shifts]]
            else:
                x[groups] = self.samples.inputs.flatten(0, 1)[first]
        return x

    def targets(self, position: int) -> Targets:
        """Return what the outputs of one batch should be."""
        start, stop = self.bounds[position]
        labels = self._ordered[:, start:stop]
        smoothing = self.strengths.tensor("label-smoothing", self.samples.inputs)
        mixed = self.mixing is not None
        return Targets(
            labels,
            smoothing if self.strengths.any("label-smoothing") else None,
            labels.roll(1, dims=1) if mixed else None,
            self.mixing[:, position] if self.mixing is not None else None,
        )

    def masks(self, step: int, position: int) -> list[list[Tensor]]:
        """Return dropout's multipliers of a step, one [groups, batch, width] per hidden layer and block, or nothing."""
        if not self.strengths.any("dropout"):
            return []
        start, stop = self.bounds[position]
        drawn: dict[tuple[int, ...], list[Tensor]] = {}
        for hidden in dict.fromkeys(self.layout.hidden):
            of_seeds = [self._uniform(seed, step, stop - start, hidden) for seed in self.own_seeds]
            drawn[hidden] = [torch.stack(layer) for layer in zip(*of_seeds, strict=True)]
        drop = self.strengths.tensor("dropout", self.samples.inputs)
        undropped = self.strengths.undropped(self.device)
        which = self._seed_of
        masks = []
        for block in self.layout.blocks:
            shape = (block.groups, stop - start)
            of_block = [torch.empty(*shape, width, dtype=self.dtype, device=self.device) for width in block.widths]
            for bucket in block.buckets:
                rows = torch.arange(block.rows.start, block.rows.stop, device=self.device)
                rows = rows.view(block.groups, block.size)[:, bucket.first : bucket.first + bucket.count].flatten()
                everywhere = drop[rows][:, None, None]
                for layer, mask in enumerate(of_block):
                    p = everywhere
                    if undropped is not None:
                        p = torch.where((undropped[rows] <= layer)[:, None, None], everywhere, 0.0)
                    uniform = drawn[bucket.hidden][layer].index_select(0, which[rows])
                    kept = (uniform >= p).to(self.dtype).div_(1 - p)
                    width, begin = bucket.hidden[layer], bucket.units[layer]
                    place = mask[:, :, begin : begin + bucket.count * width].view(*shape, bucket.count, width)
                    place.copy_(kept.view(block.groups, bucket.count, stop - start, width).transpose(1, 2))
            masks.append(of_block)
        return masks

    def _uniform(self, seed: int, step: int, count: int, hidden: Sequence[int]) -> list[Tensor]:
        source = torch.Generator(self.device).manual_seed(seeds.stream(seed, seeds.DROPOUT, step))
        layers = [torch.empty(count, width, dtype=self.dtype, device=self.device) for width in hidden]
        return [layer.uniform_(generator=source) for layer in layers]

    def _per_seed(self, draw: Callable[[_Orders], Tensor]) -> Tensor:
        """Stack one CPU draw per distinct stream of orders."""
        return torch.stack([draw(orders) for orders in self.seeds]).to(self.device)


def _alike(values: Sequence[int], device: torch.device) -> list[tuple[int, Tensor | slice]]:
    """Return every distinct value with the places that have it."""
    if len(set(values)) == 1:
        return [(values[0], slice(None))]
    return [(v, torch.tensor([k for k, w in enumerate(values) if w == v], device=device)) for v in sorted(set(values))]


def _shifts(seed: int, *, epoch: int, count: int, n: int) -> Tensor:
    return torch.randint(count, (n,), generator=seeds.generator(seed, seeds.AUGMENTATION, epoch))


def _beta(seed: int, epoch: int, alpha: float, count: int) -> Tensor:
    source = np.random.default_rng(seeds.stream(seed, seeds.MIXUP, epoch))
    return torch.from_numpy(source.beta(alpha, alpha, size=count))
