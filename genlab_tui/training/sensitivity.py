"""How sensitive a network is to its inputs, sample by sample (Arpit et al. 2017).

Loss sensitivity: how much the loss of a sample changes with its input, and how unevenly that is spread over samples.
The paper (section 3.2) differentiates the mean loss by an earlier sample through the steps of training since; here it
is the direct derivative of the sample's own loss, a stand-in that takes no unrolled training.
Critical samples (section 4.1): those that have a sample of another class, as the network sees it, close by.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Context
from genlab_tui.training.passes import BN_EPSILON
from genlab_tui.training.population import Population
from genlab_tui.training.probes import Look, Probe

STEPS = 10  # of the search for a critical sample
STRIDE = 0.25  # of the radius: what a step of it moves every feature by
CHUNK = 4096  # samples at once


@dataclass(frozen=True)
class Layers:
    """A perceptron as it is evaluated: matrices [after, before] with their biases, batch norm multiplied in."""

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    @classmethod
    def of(cls, population: Population, row: int = 0) -> Layers:
        """Return a row of a population, sharing its numbers where nothing is multiplied in.

        Raises BadValue where batch norm stands elsewhere than before the activations: it cannot be multiplied in.
        """
        if population.layout.batch_norm and population.layout.norm != "before":
            raise BadValue(f"batch norm {population.layout.norm} the activations is no part of the matrices")
        weights = list(population.parameters.weights_of(row))
        vectors = population.parameters.vectors_of(row)
        biases = list(vectors)
        if population.layout.batch_norm:
            statistics = population.statistics.vectors_of(row)
            biases = []
            for layer in range(len(weights) - 1):
                scale, shift = vectors[2 * layer], vectors[2 * layer + 1]
                mean, variance = statistics[2 * layer], statistics[2 * layer + 1]
                factor = scale * (variance + BN_EPSILON).rsqrt()
                weights[layer] = weights[layer] * factor[:, None]
                biases.append(shift - mean * factor)
            biases.append(vectors[-1])
        return cls(tuple(weights), tuple(biases))

    def outputs(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return outputs [n, classes] and the hidden activations."""
        hidden: list[Tensor] = []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = torch.addmm(bias, x, weight.t()).relu_()
            hidden.append(x)
        return torch.addmm(self.biases[-1], x, self.weights[-1].t()), hidden

    def back(self, derivative: Tensor, hidden: Sequence[Tensor]) -> Tensor:
        """Return the derivative by the inputs [n, d] of what has this derivative by the outputs [n, classes]."""
        derivative = derivative @ self.weights[-1]
        for weight, activation in zip(reversed(self.weights[:-1]), reversed(hidden), strict=True):
            derivative = (derivative * (activation > 0)) @ weight
        return derivative

    def predictions(self, x: Tensor) -> Tensor:
        """Return the class given to every sample."""
        return torch.cat([self.outputs(part)[0].argmax(1) for part in torch.split(x, CHUNK)])


def loss_sensitivity(layers: Layers, x: Tensor, labels: Tensor) -> Tensor:
    """Return sum |d loss / d x| over the features of every sample [n], of its cross-entropy."""
    found = []
    for part, own in zip(torch.split(x, CHUNK), torch.split(labels, CHUNK), strict=True):
        z, hidden = layers.outputs(part)
        derivative = torch.softmax(z, 1).scatter_(1, own[:, None], 0.0)
        # Of its own class it is p - 1, which rounds to 0 once a sample is fitted; minus the others' sum does not.
        derivative.scatter_(1, own[:, None], -derivative.sum(1, keepdim=True))
        found.append(layers.back(derivative, hidden).abs().sum(1))
    return torch.cat(found)


def gini(values: Tensor) -> float:
    """Return the Gini coefficient: 0 where all are equal, 1 - 1/n where one has all; NaN where nobody has any."""
    ordered = values.double().sort().values
    n, total = len(ordered), float(ordered.sum())
    if not total > 0:
        return float("nan")
    ranks = torch.arange(1, n + 1, dtype=torch.float64, device=ordered.device)
    return float(((2 * ranks - n - 1) * ordered).sum()) / (n * total)


def critical_sample_ratio(
    layers: Layers, x: Tensor, radii: Sequence[float], poll: Callable[[], None] = lambda: None
) -> list[float]:
    """Return, of every radius, the share of samples with one of another class no further away in any feature.

    A search by `STEPS` steps, of `STRIDE` radii a feature each, along the sign of what the strongest other class gains
    on the sample's own; in the manner of Arpit et al.'s LASS, without its noise. It finds some of those there are: the
    ratio is a lower bound. What a smaller radius found counts for a larger one. `poll` is called between radii.
    """
    own = layers.predictions(x)
    critical = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    found: dict[float, float] = {}
    for radius in sorted(radii):
        poll()
        rest = (~critical).nonzero()[:, 0]
        for part in torch.split(rest, CHUNK):
            critical[part] = _search(layers, x[part], own[part], radius)
        found[radius] = float(critical.double().mean())
    return [found[radius] for radius in radii]


def _search(layers: Layers, x: Tensor, own: Tensor, radius: float) -> Tensor:
    """Return for which samples another class was found within the radius."""
    found = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    low, high, moved = x - radius, x + radius, x
    place = torch.arange(len(x), device=x.device)
    for step in range(STEPS + 1):
        z, hidden = layers.outputs(moved)
        theirs = own[place][:, None]
        # Differences of outputs, not of a loss: that of a fitted network is too flat to have a direction.
        other = z.scatter(1, theirs, -torch.inf).argmax(1, keepdim=True)
        crossed = (z.gather(1, other) > z.gather(1, theirs))[:, 0]
        found[place[crossed]] = True
        if step == STEPS or bool(crossed.all()):
            return found
        derivative = torch.zeros_like(z).scatter_(1, other, 1.0).scatter_(1, theirs, -1.0)
        moved = moved + STRIDE * radius * layers.back(derivative, hidden).sign()
        kept = ~crossed
        place = place[kept]
        moved = torch.minimum(torch.maximum(moved[kept], low[place]), high[place])
    return found


class Looks:
    """The loss sensitivity of every training sample, looked at now and then and averaged over training.

    A look is taken with the first measurement at its step or later. It stands for the time around it, up to half-way to
    its neighbours (trapezium rule). Looks are kept by the context, so that a resumed run has those of an earlier
    attempt; `name` tells stages apart.
    """

    def __init__(self, context: Context, name: str, steps: Sequence[int]) -> None:
        self.context, self.name, self.steps = context, name, sorted(set(steps))
        self._taken: dict[int, dict[str, tuple[int, Tensor]]] = {}
        self._lock = threading.Lock()  # shards are measured side by side

    def probe(self, metric: str = "sensitivity_gini") -> Probe:
        """Return the probe of the Gini coefficient of the average so far, NaN before the first look."""
        return Probe(metric, self._measure)

    def _measure(self, look: Look) -> list[float]:
        assert isinstance(look.networks, Population)
        names = [f"{member.arm}.{member.seed}" for member in look.members]
        gone = [step for step in self.steps if step <= look.step]
        with self._lock:
            taken = {step: self._at(step) for step in gone}
        # What was kept after the checkpoint that a run resumes from is taken again.
        rows = {
            step: [row for row, name in enumerate(names) if name not in seen or seen[name][0] >= look.step]
            for step, seen in taken.items()
        }
        now = {row: (look.step, _of_row(look, row)) for row in sorted({row for some in rows.values() for row in some})}
        with self._lock:
            for step, missing in rows.items():
                if missing:
                    taken[step].update((names[row], now[row]) for row in missing)
                    self._keep(step)
        found = []
        for name in names:
            own = dict(seen[name] for seen in taken.values())
            found.append(gini(average(list(own), list(own.values()))) if own else float("nan"))
        return found

    def _at(self, step: int) -> dict[str, tuple[int, Tensor]]:
        """Return the look of a step: when it was really taken and what was seen, of every member."""
        if step not in self._taken:
            try:
                kept = self.context.kept(f"{self.name}-{step}")
            except KeyError:
                kept = {}
            whole = {name: (int(kept[f"{name} at"]), kept[name]) for name in kept if not name.endswith(" at")}
            self._taken[step] = whole
        return self._taken[step]

    def _keep(self, step: int) -> None:
        seen = self._taken[step]
        arrays = {name: values for name, (_, values) in seen.items()}
        arrays |= {f"{name} at": torch.tensor(at) for name, (at, _) in seen.items()}
        self.context.keep(f"{self.name}-{step}", arrays)


def _of_row(look: Look, row: int) -> Tensor:
    """Return the loss sensitivity of a row's training samples."""
    assert isinstance(look.networks, Population)
    labels = look.labels[row]
    inputs = look.samples.inputs[int(look.sets[row])][: len(labels)]
    return loss_sensitivity(Layers.of(look.networks, row), inputs, labels).cpu()


def average(steps: Sequence[int], values: Sequence[Tensor]) -> Tensor:
    """Return the average over time, from the first step to the last, of values known at some steps."""
    if len(steps) == 1:
        return values[0]
    edges = [steps[0], *((a + b) / 2 for a, b in pairwise(steps)), steps[-1]]
    total = sum(value * (edges[k + 1] - edges[k]) for k, value in enumerate(values))
    assert isinstance(total, Tensor)
    return total / (steps[-1] - steps[0])


def spaced(epochs: int) -> tuple[int, ...]:
    """Return the epochs to look at: 1, 2, 4, 8, ... and the last."""
    found = [1]
    while 2 * found[-1] < epochs:
        found.append(2 * found[-1])
    return tuple(dict.fromkeys((*found, epochs)))
