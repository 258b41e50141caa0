"""Batch norm scored with the statistics of one full pass over the training set, not with running averages.

Running averages lag behind weights that change fast, and are far off after few steps: a score with them says as much
about the averaging as about the network. Networks without batch norm are scored as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from genlab_tui.training import layers, modules
from genlab_tui.training.evaluate import evaluate
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.passes import Pass
from genlab_tui.training.population import Population
from genlab_tui.training.probes import Look, Probe
from genlab_tui.training.state import State

SAMPLES = 10_000
"""A pass takes as many training samples at most: a perceptron has all of them in one batch."""

BATCH = 500
"""Samples at once through a network that is a module: its statistics are the means over such batches."""

FIRST_LOOK, APART = 12, 1.15
"""Steps to a target are read off looks from the first step on, each 15 % later than the one before."""


def start(recipe: Recipe, seed: int, samples: Samples, gain: float) -> list[Tensor]:
    """Return initial numbers with weights of variance `gain` / inputs: those of the seed, rescaled (`Member.start`).

    Of a recipe with He's initialiser, whose gain is 2.
    """
    network = layers.initial(recipe, seed, samples)
    matrices = network.layout.depth
    tensors = [tensor.clone() for tensor in network.parameters.tensors_of(0)]
    return [tensor * math.sqrt(gain / 2) if k < matrices else tensor for k, tensor in enumerate(tensors)]


def looks(step: int) -> bool:
    """Whether a look at steps to a target comes after this step: from `FIRST_LOOK` on, each `APART` times the last."""
    if step < FIRST_LOOK:
        return False
    near = round(math.log(step / FIRST_LOOK) / math.log(APART))
    return any(round(FIRST_LOOK * APART**k) == step for k in (near - 1, near, near + 1))


def fit(metric: str, wanted: Callable[[Member], bool]) -> Probe:
    """Return a probe of the training accuracy with the statistics of a full pass; NaN for members not wanted.

    Of networks that are modules it is the accuracy with running averages: a pass a look would cost more than training.
    """

    def measure(look: Look) -> list[float]:
        found = [math.nan] * len(look.members)
        labels, networks = look.labels, look.networks
        assert isinstance(networks, Population)
        if isinstance(networks, modules.ModulePopulation):
            return evaluate(networks, look.samples.inputs, look.sets, labels)[1] if wanted(look.members[0]) else found
        count = min(labels.shape[1], SAMPLES)
        groups: dict[int, list[int]] = {}
        for row, member in enumerate(look.members):
            if wanted(member):
                groups.setdefault(int(look.sets[row]), []).append(row)
        for own, rows in groups.items():  # one stream at a time: its buffers stay small
            part = networks.take(rows)
            outputs = passed(part, look.samples.inputs[own, :count])
            order = [rows[k] for k in part.layout.members]
            right = (outputs.max(1).indices == labels[order, :count]).sum(1).tolist()
            for row, number in zip(order, right, strict=True):
                found[row] = number / count
        return found

    return Probe(metric, measure, also=looks)


def passed(networks: Population, inputs: Tensor) -> Tensor:
    """Set the statistics of perceptrons to those of a pass over inputs [n, d]; return its outputs [rows, classes, n].

    With biased variances, as in a batch of training; the unbiased ones are what is kept.
    """
    networks.momentum = 1.0
    one = Pass(networks, len(inputs))
    training = networks.layout.batch_norm and networks.layout.norm != "scale"
    for block, of_block in zip(one.blocks, networks.layout.blocks, strict=True):
        block.forward(inputs.expand(of_block.groups, -1, -1), (), training=training)
    return one.z


def accuracy(state: State, member: int) -> float:
    """Return a member's final test accuracy with the statistics of a full pass; NaN where it diverged."""
    if state.outcomes[member].end == "diverged":
        return math.nan
    samples, who = state.samples, state.members[member]
    network = state.trained(member)
    inputs = samples.inputs[who.inputs, : min(who.n or samples.n, SAMPLES)]
    if isinstance(network, modules.ModulePopulation):
        _passed_module(network, inputs)
    else:
        network = network.take([0])  # a copy: the numbers of the state stay as they ended
        passed(network, inputs)
    sets = torch.tensor([who.inputs], device=inputs.device)
    return evaluate(network, samples.test_inputs, sets, samples.test_labels[sets])[1][0]


def statistics(recipe: Recipe, samples: Samples, parameters: Tensor, averages: Tensor, inputs: Tensor) -> Tensor:
    """Return the running statistics of a network by name with these flat numbers, from a pass over inputs [n, d].

    `averages` are any of its running statistics: of a network without batch norm they come back as they are.
    """
    network = modules.restored(recipe, samples, parameters, averages)
    _passed_module(network, inputs[:SAMPLES])
    return network.statistics.flat


def _passed_module(network: modules.ModulePopulation, inputs: Tensor) -> None:
    norms = [m for m in network.module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.momentum = None  # the plain mean over batches
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0)
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.zero_()
    if not norms:
        return
    network.module.train()
    with torch.no_grad():
        for batch in torch.split(inputs, BATCH):
            x = batch.view(-1, *network.shape)
            network.module(x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x)
    network.module.eval()


def weight_norm(state: State, member: int) -> float:
    """Return the 2-norm of all weight matrices of a member's final network together; NaN where it diverged."""
    if state.outcomes[member].end == "diverged":
        return math.nan
    flat = state.weights[member][0]
    network = state.trained(member)
    return float(flat[: sum(math.prod(shape) for shape in network.layout.weight_shapes)].double().norm())
