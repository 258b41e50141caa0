"""What a gradient step does to a network: internal covariate shift, and how far its gradient can be trusted.

Definitions of Santurkar et al. 2018. Internal covariate shift of a layer (definition 2.1): the change of its gradient
on the same batch when the layers before it have taken their step and it has not, as 2-norm and cosine. Where there is
noise, it is drawn anew as well, as it is for the next step: it shifts even where no layer takes one. Along the gradient
direction: range of the loss, largest change of the gradient (gradient predictiveness), and the largest ratio
of that change to the distance moved (effective beta-smoothness).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genlab_tui.training.normalised import (
    Layer,
    Make,
    Weights,
    forward,
    gradients,
    layer_out,
    losses,
    product,
    stepped,
)

ICS, COSINE, INPUT_SHIFT = "ics", "ics_cosine", "input_shift"
BETA, CHANGE, LOSS_RANGE = "effective_beta", "gradient_change", "loss_range"
BATCH_LOSS = "batch_loss"
PROBES = (BATCH_LOSS, ICS, COSINE, INPUT_SHIFT, BETA, CHANGE, LOSS_RANGE)


def covariate_shift(
    weights: Weights,
    gradient: Weights,
    lr: Tensor,
    inputs: Tensor,
    targets: Tensor,
    make: Make,
    now: Sequence[Layer] | None,
    then: Sequence[Layer] | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return, of every layer but the first, [M, layers - 1]: change of its gradient, cosine, shift of its inputs.

    `gradient` is that of all layers on these samples [M, samples, features] with the noise of `now`. Layers before one
    have taken their step, and noise `then` of the step to come; the layer itself and those behind it are as they were.
    The gradient of a layer is that of its matrix. The shift of inputs is the distance of their means and spreads over
    the samples, over that spread.
    """
    after = stepped(weights, gradient, lr)
    before: list[Tensor] = []
    forward(weights, inputs[:, None], make, now, keep=before)
    last = len(weights.matrices) - 1
    moved = inputs[:, None]  # the inputs of a layer after the step of those before it
    fed, leaves, shifts = [], [], []
    h: Tensor | None = None  # [M, variants]: the k-th variant has taken the step in its first k layers
    with torch.enable_grad():
        for layer, matrix in enumerate(weights.matrices):
            z = None if h is None else product(h, matrix)
            if layer:
                leaf = product(moved, matrix).requires_grad_()
                fed.append(moved[:, 0])
                leaves.append(leaf)
                shifts.append(_distance(before[layer][:, 0], moved[:, 0]))
                z = leaf if z is None else torch.cat((z, leaf), 1)
            if layer < last:
                with torch.no_grad():
                    noise = then[layer] if then else None
                    moved = layer_out(product(moved, after.matrices[layer]), layer, after, make, noise, None)
                if z is not None:
                    h = layer_out(z, layer, weights, make, now[layer] if now else None, None)
            else:
                assert z is not None
                h = z if make.linear else z + weights.shifts[last][:, None, None]
        assert h is not None
        found = torch.autograd.grad(losses(h, targets, make).sum(), leaves)
    norms, cosines = [], []
    for old, x, dz in zip(gradient.matrices[1:], fed, found, strict=True):
        new = torch.bmm(x.transpose(1, 2), dz[:, 0])
        norms.append((new - old).flatten(1).norm(dim=1))
        cosines.append((new * old).sum((1, 2)) / (new.flatten(1).norm(dim=1) * old.flatten(1).norm(dim=1)))
    return torch.stack(norms, 1), torch.stack(cosines, 1), torch.stack(shifts, 1)


def _distance(old: Tensor, new: Tensor) -> Tensor:
    """Return the distance of means and spreads of units [M, samples, units], relative to the spread of the old ones."""
    mean, spread = new.mean(1) - old.mean(1), new.std(1, correction=0) - old.std(1, correction=0)
    return (mean.square() + spread.square()).sum(1).sqrt() / old.var(1, correction=0).sum(1).sqrt()


def along_gradient(
    weights: Weights,
    gradient: Weights,
    steps: Tensor,
    inputs: Tensor,
    targets: Tensor,
    make: Make,
    noise: Sequence[Layer] | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return, per member, effective beta, largest change of the gradient and range of the loss over steps [M, sizes].

    All on the same samples, with the same noise.
    """
    sizes = steps.shape[1]
    start, direction = (
        Weights.of([tensor.repeat_interleave(sizes, 0) for tensor in one.all]) for one in (weights, gradient)
    )
    there = stepped(start, direction, steps.flatten())
    again = [
        (s.repeat_interleave(sizes, 0), m.repeat_interleave(sizes, 0)) if s.dim() else (s, m) for s, m in noise or ()
    ]
    loss, new = gradients(
        there, inputs.repeat_interleave(sizes, 0), targets.repeat_interleave(sizes, 0), make.times(sizes), again or None
    )
    change = _norm([a - b for a, b in zip(new.all, direction.all, strict=True)]).view(-1, sizes)
    beta = change / (steps * _norm(gradient.all)[:, None])
    values = loss.view(-1, sizes)
    return beta.amax(1), change.amax(1), values.amax(1) - values.amin(1)


def _norm(tensors: Sequence[Tensor]) -> Tensor:
    """Return the 2-norm of each member's numbers."""
    return torch.stack([tensor.square().flatten(1).sum(1) for tensor in tensors]).sum(0).sqrt()


def probe(
    weights: Weights,
    lr: Tensor,
    factors: Tensor,
    inputs: Tensor,
    targets: Tensor,
    make: Make,
    now: Sequence[Layer] | None,
    then: Sequence[Layer] | None,
) -> Tensor:
    """Return the numbers of `PROBES` as [probes, M] for the next step of every member, in the precision of `weights`.

    `factors` are the sizes of steps along the gradient, as multiples of the learning rate. Shift is the mean of layers.
    """
    loss, gradient = gradients(weights, inputs, targets, make, now)
    ics, cosine, shift = covariate_shift(weights, gradient, lr, inputs, targets, make, now, then)
    beta, change, spread = along_gradient(weights, gradient, lr[:, None] * factors, inputs, targets, make, now)
    return torch.stack((loss, ics.mean(1), cosine.mean(1), shift.mean(1), beta, change, spread))
