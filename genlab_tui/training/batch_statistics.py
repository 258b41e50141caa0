"""What batch norm's statistics are worth: trained perceptrons measured with those of other batches.

Everything here works on copies of a trained network's numbers: a measurement moves no running statistics. As in
training (and in PyTorch), a batch is normalised by its biased variance, while running and recomputed variances are
unbiased estimates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab_tui.training import full_pass, seeds
from genlab_tui.training.members import Samples
from genlab_tui.training.passes import BN_EPSILON
from genlab_tui.training.population import Population
from genlab_tui.training.state import State

PARTITION = "test partition"


@dataclass(frozen=True)
class Perceptron:
    """The numbers of one trained perceptron, as copies: one entry per hidden layer, the output layer last.

    `matrices` [after, before] of every layer; `scales`, `means` and `variances` [width] of the hidden ones (none
    without batch norm); `shifts` [width] of the hidden ones, the biases without batch norm, and of the output.
    """

    matrices: tuple[Tensor, ...]
    shifts: tuple[Tensor, ...]
    scales: tuple[Tensor, ...] = ()
    means: tuple[Tensor, ...] = ()
    variances: tuple[Tensor, ...] = ()

    @classmethod
    def of(cls, population: Population) -> Perceptron:
        """Copy the only row of a population; raises ValueError unless its batch norm stands before the activations."""
        if population.layout.batch_norm and population.layout.norm != "before":
            raise ValueError(f"batch norm stands {population.layout.norm} the activations")
        matrices = tuple(w.clone() for w in population.parameters.weights_of(0))
        *hidden, last = (v.clone() for v in population.parameters.vectors_of(0))
        if not population.layout.batch_norm:
            return cls(matrices, (*hidden, last))
        running = [v.clone() for v in population.statistics.vectors_of(0)]
        return cls(matrices, (*hidden[1::2], last), tuple(hidden[::2]), tuple(running[::2]), tuple(running[1::2]))

    @property
    def normalised(self) -> bool:
        """Whether it has batch norm."""
        return bool(self.scales)


def outputs(network: Perceptron, x: Tensor, *, batch: bool) -> Tensor:
    """Return the outputs [..., n, classes] for inputs [..., n, d], without dropout.

    With `batch`, every layer is normalised by mean and biased variance over the n samples of its own batch (training
    mode), else by the running statistics. Without batch norm both are the same.
    """
    h = x
    for layer, matrix in enumerate(network.matrices[:-1]):
        h = _activated(network, layer, h @ matrix.t(), batch=batch)
    return h @ network.matrices[-1].t() + network.shifts[-1]


def _activated(network: Perceptron, layer: int, z: Tensor, *, batch: bool) -> Tensor:
    """Return the activations of a hidden layer from its pre-activations [..., n, width]."""
    if not network.normalised:
        return (z + network.shifts[layer]).relu()
    if batch:
        mean, variance = z.mean(-2, keepdim=True), z.var(-2, keepdim=True, correction=0)
    else:
        mean, variance = network.means[layer], network.variances[layer]
    unit = (z - mean) * (variance + BN_EPSILON).rsqrt()
    return (unit * network.scales[layer] + network.shifts[layer]).relu()


def batch_mode_accuracy(
    network: Perceptron, x: Tensor, labels: Tensor, *, batch: int, partitions: int, seed: int
) -> float:
    """Return the accuracy where test samples are normalised together in mini-batches of `batch` samples.

    Mean over random partitions of the samples x [n, d], the same for every network of a seed. Batches are all of that
    size: the few samples that are left over sit out of a partition (another few in each), as their smaller batch would
    be of another kind, and one sample alone has no variance. Fewer samples than `batch` make one batch.
    """
    n = len(labels)
    size = min(batch, n)
    whole = n // size * size
    right = 0
    for number in range(partitions):
        order = torch.randperm(n, generator=seeds.generator(seed, PARTITION, number))[:whole].to(x.device)
        grouped = outputs(network, x[order].view(-1, size, x.shape[1]), batch=True)
        right += int((grouped.argmax(-1).flatten() == labels[order]).sum())
    return right / (partitions * whole)


def accuracy(network: Perceptron, x: Tensor, labels: Tensor) -> float:
    """Return the accuracy in evaluation mode."""
    return float((outputs(network, x, batch=False).argmax(-1) == labels).double().mean())


def variance_ratios(network: Perceptron, x: Tensor) -> list[float]:
    """Return, per batch-norm layer, how far its running variance is off: the largest ratio over its channels.

    max(real / running, running / real), real the variance over x [n, d] in evaluation mode (dropout off, the layers
    before with their running statistics): the shift ratio of Li et al. 2019. Both carry batch norm's epsilon, as what
    it divides by does, so that a channel that never varies has a ratio. Without batch norm nothing.
    """
    h, found = x, []
    for layer in range(len(network.scales)):
        z = h @ network.matrices[layer].t()
        real, running = z.var(0, correction=1) + BN_EPSILON, network.variances[layer] + BN_EPSILON
        found.append(float(torch.maximum(real / running, running / real).max()))
        h = _activated(network, layer, z, batch=False)
    return found


@dataclass(frozen=True)
class Modes:
    """What one trained network measured; NaN everywhere where it diverged.

    Test accuracies in training mode (`batch_mode`) and with the statistics of a full pass over the training set (as
    many samples as such a pass takes at most); `ratios` of the running variance per batch-norm layer, from the inputs
    on.
    """

    batch_mode: float
    recomputed: float
    ratios: tuple[float, ...]


def modes(state: State, member: int, *, batch: int, partitions: int) -> Modes:
    """Measure a member that has ended, test batches of `batch` samples. Its own numbers stay as they are."""
    samples, who = state.samples, state.members[member]
    recipe = state.recipes[member]
    if state.outcomes[member].end == "diverged":
        layers = len(recipe.hidden) if "batch-norm" in recipe.regularisers else 0
        return Modes(float("nan"), float("nan"), (float("nan"),) * layers)
    trained = state.trained(member)
    network = Perceptron.of(trained)
    x, labels = _test(samples, who.inputs)
    train = samples.inputs[who.inputs]
    with torch.no_grad():
        again = trained.take([0])  # a copy: the pass sets its statistics
        full_pass.passed(again, train[: full_pass.SAMPLES])
        return Modes(
            batch_mode_accuracy(network, x, labels, batch=batch, partitions=partitions, seed=who.seed),
            accuracy(Perceptron.of(again), x, labels),
            tuple(variance_ratios(network, train)),
        )


def _test(samples: Samples, which: int) -> tuple[Tensor, Tensor]:
    return samples.test_inputs[which], samples.test_labels[which]


def worst(ratios: Sequence[float]) -> float:
    """Return the largest ratio of all layers; NaN if any is, or without layers."""
    return max(ratios) if ratios and all(r == r for r in ratios) else float("nan")
