"""The batches of a step for all members: orders, shifts, mixing and targets, from the data on the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from genlab_tui.training import seeds
from genlab_tui.training.members import Member, Recipe, Samples

_Draw = Callable[[int], Tensor]


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
    """Draws an epoch for the members of a population, then hands out its batches.

    Draws are made per distinct seed and on the CPU; members of one seed share them.
    """

    def __init__(
        self, members: Sequence[Member], samples: Samples, recipe: Recipe, dtype: torch.dtype = torch.float32
    ) -> None:
        device = samples.inputs.device
        self.members, self.samples, self.recipe = members, samples, recipe
        self.n = samples.inputs.shape[1] - recipe.validation(samples.inputs.shape[1])
        self.bounds = bounds(self.n, recipe.batch)
        self.seeds = tuple(dict.fromkeys(m.seed for m in members))
        self.seed_of = torch.tensor([self.seeds.index(m.seed) for m in members], device=device)
        self.set_of = torch.tensor([m.inputs for m in members], device=device)
        self.labels_of = torch.tensor([m.labels for m in members], device=device)
        self.device, self.dtype = device, dtype
        self.reach = round(recipe.strength("augmentation"))
        if self.reach:
            self.table = shift_table(samples.shape, self.reach).to(device)
            edge = samples.inputs.new_full((*samples.inputs.shape[:2], 1), samples.fill)
            self.filled = torch.cat((samples.inputs, edge), dim=2).flatten()

    def begin(self, epoch: int) -> None:
        """Draw the orders (and shifts, mixing weights, fresh labels) of an epoch."""
        self.epoch = epoch
        self.order = self._per_seed(lambda s: torch.randperm(self.n, generator=seeds.generator(s, seeds.ORDER, epoch)))
        self.labels = self.labels_at(epoch)
        if self.reach:
            count = len(self.table)
            self.shifts = self._per_seed(
                lambda s: torch.randint(count, (self.n,), generator=seeds.generator(s, seeds.AUGMENTATION, epoch))
            )
        alpha = self.recipe.strength("mixup")
        if alpha:
            self.mixing = self._per_seed(lambda s: _beta(s, epoch, alpha, len(self.bounds))).to(self.dtype)

    def labels_at(self, epoch: int) -> Tensor:
        """Return every member's labels [members, n + validation] in an epoch: fixed ones, or that epoch's draw."""
        labels = self.samples.labels.index_select(0, self.labels_of)
        for row, member in enumerate(self.members):
            if member.fresh:
                source = seeds.generator(member.seed, seeds.FRESH_LABELS, epoch)
                drawn = torch.randint(self.samples.classes, (labels.shape[1],), generator=source)
                labels[row] = drawn.to(self.device)
        return labels

    def batch(self, position: int) -> tuple[Tensor, Tensor]:
        """Return inputs [members, batch, d] and target probabilities [members, batch, classes] of one batch."""
        start, stop = self.bounds[position]
        index = self.order[:, start:stop]
        place = self.set_of[:, None] * self.samples.inputs.shape[1] + index
        if self.reach:
            width = self.samples.inputs.shape[2]
            x = self.filled[(place * (width + 1))[:, :, None] + self.table[self.shifts[:, start:stop]]]
        else:
            flat = self.samples.inputs.flatten(0, 1)
            x = flat.index_select(0, place.flatten()).view(*place.shape, -1)
        target = self._targets(self.labels.gather(1, index))
        if self.recipe.strength("mixup"):
            # Within a random order any neighbour is a random partner.
            share = self.mixing[:, position, None, None]
            x = torch.lerp(x.roll(1, dims=1), x, share)
            target = torch.lerp(target.roll(1, dims=1), target, share)
        return x, target

    def masks(self, step: int, position: int, widths: Sequence[int]) -> list[Tensor]:
        """Return the dropout multipliers of a step, one [members, batch, width] per hidden layer; none without it."""
        drop = self.recipe.strength("dropout")
        if not drop:
            return []
        start, stop = self.bounds[position]
        drawn = [
            torch.empty(len(self.seeds), stop - start, width, dtype=self.dtype, device=self.device) for width in widths
        ]
        for row, seed in enumerate(self.seeds):
            source = torch.Generator(self.device).manual_seed(seeds.stream(seed, seeds.DROPOUT, step))
            for layer in drawn:
                layer[row].uniform_(generator=source)
        return [(layer >= drop).to(self.dtype).div_(1 - drop).index_select(0, self.seed_of) for layer in drawn]

    def _targets(self, labels: Tensor) -> Tensor:
        smoothing, classes = self.recipe.strength("label-smoothing"), self.samples.classes
        target = torch.full((*labels.shape, classes), smoothing / classes, dtype=self.dtype, device=self.device)
        return target.scatter_(2, labels[:, :, None], 1 - smoothing + smoothing / classes)

    def _per_seed(self, draw: _Draw) -> Tensor:
        """Stack one CPU draw per distinct seed and give every member its own seed's."""
        drawn = torch.stack([draw(seed) for seed in self.seeds]).to(self.device)
        return drawn.index_select(0, self.seed_of)


def _beta(seed: int, epoch: int, alpha: float, count: int) -> Tensor:
    source = np.random.default_rng(seeds.stream(seed, seeds.MIXUP, epoch))
    return torch.from_numpy(source.beta(alpha, alpha, size=count))
