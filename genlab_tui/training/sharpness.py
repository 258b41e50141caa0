"""How sharp the minima are that training ended in: curvature, worst and random neighbours, all on one fixed subset.

Everything is computed in float64, on plain cross-entropy in evaluation mode, for all networks of a seed at once. Batch
norm with its running statistics is an affine map: it is folded into the weights before it, so that what is measured is
a plain perceptron with the very same outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training import seeds
from genlab_tui.training.curvature import Spectrum, hessian_product, top
from genlab_tui.training.layers import initial
from genlab_tui.training.nets import Loss, Net, gradients, losses
from genlab_tui.training.passes import BN_EPSILON
from genlab_tui.training.slices import direction
from genlab_tui.training.state import State

START = "Lanczos start"
MEASURED = "measured"  # in a checkpoint: the events of every seed that was measured
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scales:
    """How far each measure looks: lengths of the steps, widths of the box, numbers of iterations and directions."""

    rho: float
    adaptive_rho: float
    box: float
    ascent: int
    radius: float
    directions: int


@dataclass(frozen=True)
class Sharpness:
    """The measures of M networks, [M] each, in float64."""

    sam: Tensor
    adaptive: Tensor
    keskar: Tensor
    rise: Tensor


# --- networks ---------------------------------------------------------------------------------------------------------


def folded(state: State, member: int) -> Tensor:
    """Return a trained perceptron's numbers [P] in float64, with its batch norm folded into weights and biases."""
    network = state.trained(member)
    numbers = [tensor.double() for tensor in network.parameters.tensors_of(0)]
    recipe = state.recipes[member]
    depth = len(recipe.hidden) + 1
    matrices, vectors = numbers[:depth], numbers[depth:]
    if "batch-norm" in recipe.regularisers:
        statistics = [tensor.double() for tensor in network.statistics.tensors_of(0)]
        biases = []
        for layer in range(depth - 1):
            scale, shift = vectors[2 * layer], vectors[2 * layer + 1]
            mean, variance = statistics[2 * layer], statistics[2 * layer + 1]
            factor = scale * (variance + BN_EPSILON).rsqrt()
            matrices[layer] = matrices[layer] * factor[:, None]
            biases.append(shift - mean * factor)
        vectors = [*biases, vectors[-1]]
    return torch.cat([tensor.reshape(-1) for tensor in (*matrices, *vectors)])


def moved(state: State, member: int) -> float:
    """Return the distance of a trained network's own numbers from those that it began with."""
    who = state.members[member]
    start = initial(state.recipes[member], who.init_seed, state.samples).parameters.flat.cpu().double()
    return float((state.weights[member][0].double() - start).norm())


def net_of(state: State, member: int) -> Net:
    """Return the shape of a perceptron in training."""
    return Net((state.samples.features, *state.recipes[member].hidden, state.samples.classes))


def subset_loss(net: Net, state: State, member: int, size: int) -> tuple[Loss, Tensor]:
    """Return the loss on the first samples that a member learns, as a function of numbers, and those inputs."""
    who, samples = state.members[member], state.samples
    x = samples.inputs[who.inputs, :size].double()
    y = samples.labels[who.labels, :size]
    return partial(_loss, net, x, y), x


def _loss(net: Net, x: Tensor, y: Tensor, flat: Tensor) -> Tensor:
    return losses(net, flat, x, y)


def rescaled(net: Net, flat: Tensor, factor: float) -> Tensor:
    """Return ReLU networks with the first layer multiplied by a factor that the second is divided by: same outputs.

    Dinh et al. 2017: relu(c z) = c relu(z) for c > 0.
    """
    found = flat.clone()
    matrices, biases = net.split(found)
    matrices[0].mul_(factor)
    biases[0].mul_(factor)
    matrices[1].div_(factor)
    return found


# --- measures ---------------------------------------------------------------------------------------------------------


def spectrum(loss: Loss, flat: Tensor, seed: int, count: int, tolerance: float, limit: int) -> Spectrum:
    """Return the largest eigenvalues of the Hessian of networks [M, P], algebraically: a large negative one is none.

    NaN for those that `limit` products leave with an error bound beyond the tolerance: they are no numbers to judge by.
    """
    generator = seeds.generator(seed, START)
    start = torch.randn(flat.shape[1], generator=generator, dtype=torch.float64).to(flat.device)
    found = top(hessian_product(loss, flat), start.expand_as(flat).contiguous(), count, tolerance, limit)
    return replace(found, values=found.values.where(found.errors <= tolerance * found.values.abs(), torch.nan))


def measure(net: Net, loss: Loss, flat: Tensor, seed: int, scales: Scales, poll: Callable[[], None]) -> Sharpness:
    """Return the measures of networks [M, P] of one seed, which share their random directions."""
    here, slope = gradients(loss, flat)

    def rise(step: Tensor) -> Tensor:
        with torch.no_grad():
            return loss(flat + step) - here

    sam = rise(scales.rho * _unit(slope))
    # T = diag(|w|): the worst step of length rho in units of the weights' own sizes is rho T^2 g / |T g|.
    size = flat.abs()
    adaptive = rise(scales.adaptive_rho * size * _unit(size * slope))
    poll()
    total = torch.zeros_like(here)
    for number in range(scales.directions):
        total += rise(scales.radius * direction(net, flat, seed, number))
        poll()
    keskar = []
    for row in flat:
        keskar.append(keskar_sharpness(loss, row, scales.box, scales.ascent))
        poll()
    found = torch.tensor(keskar, dtype=torch.float64)
    return Sharpness(sam.cpu(), adaptive.cpu(), found, (total / scales.directions).cpu())


def _unit(vectors: Tensor) -> Tensor:
    """Return rows of length 1; rows of zeros as they are: where nothing leads uphill, nothing is climbed."""
    length = vectors.norm(dim=1, keepdim=True)
    return vectors / torch.where(length > 0, length, torch.ones_like(length))


def keskar_sharpness(loss: Loss, flat: Tensor, box: float, iterations: int) -> float:
    """Return 100 (max f - f) / (1 + f) for the largest loss f inside the box |z_i| <= box (|x_i| + 1) around x [P].

    Keskar et al. 2017, in the whole space (A = I): found by some iterations of L-BFGS-B from x, so a lower bound.
    NaN where the loss at x is not finite.
    """
    from scipy.optimize import minimize

    here = float(loss(flat[None])[0])
    if not np.isfinite(here):
        return float("nan")
    half = (box * (flat.abs() + 1)).cpu().numpy()
    best = here

    def descend(z: Floats) -> tuple[float, Floats]:
        nonlocal best
        value, slope = gradients(loss, (flat + torch.from_numpy(z).to(flat.device))[None])
        best = max(best, float(value[0]))
        return -float(value[0]), -slope[0].cpu().numpy()

    options: dict[str, Any] = {"maxiter": iterations}
    minimize(
        descend, np.zeros(len(half)), jac=True, method="L-BFGS-B", bounds=np.stack([-half, half], 1), options=options
    )
    return 100 * (best - here) / (1 + here)


def output_difference(net: Net, flat: Tensor, other: Tensor, x: Tensor) -> Tensor:
    """Return the largest difference [M] between outputs of networks and of others in their place."""
    with torch.no_grad():
        return (net.outputs(flat, x) - net.outputs(other, x)).abs().flatten(1).amax(1).cpu()


def together(state: State, members: Sequence[int]) -> Tensor:
    """Return the numbers [M, P] of trained perceptrons, on the device of the samples."""
    return torch.stack([folded(state, member) for member in members]).to(state.samples.inputs.device)


def finished(state: State, name: str, measured: Mapping[int, Sequence[ev.Event]]) -> Checkpoint:
    """Return the checkpoint of a training that is over, of the cohorts that `train` calls by this name.

    With what was said of the seeds `measured` so far, for the next attempt to say again and to measure the others
    alone. Logs are left out: those of an earlier attempt are never dropped.
    """
    cohorts = [name if at == 0 else f"{name} {at + 1}" for at in range(len(state.plan))]
    saved = state.save()
    lines = {
        str(seed): [ev.encode(event).decode() for event in events if not isinstance(event, ev.Log)]
        for seed, events in measured.items()
    }
    return replace(saved, meta={**saved.meta, MEASURED: lines}, cohort=cohorts[-1], finished=tuple(cohorts[:-1]))


def measured_before(context: Context) -> dict[int, list[ev.Event]]:
    """Return what an earlier attempt at the open stage said of the seeds that it measured."""
    saved = context.resume()
    lines: Mapping[str, Sequence[str]] = saved.meta.get(MEASURED, {}) if saved is not None else {}
    return {int(seed): [event for line in of if (event := ev.decode(line.encode()))] for seed, of in lines.items()}
