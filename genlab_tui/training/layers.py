"""The layers of a network as places in its flat numbers: taken out, put into another network, measured.

A layer is a weight matrix (or kernel) with the vectors that belong to it: its bias, and the scale and shift of the
batch norm behind it. Running statistics belong to no layer: they stay those of the network a layer is put into.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from genlab_tui.training import modules
from genlab_tui.training.assess import Point
from genlab_tui.training.layout import Layout
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.training.population import Population

Span = tuple[int, int]


@dataclass(frozen=True)
class Layer:
    """A layer: its name and its places [start, stop) in the flat numbers of a network."""

    name: str
    spans: tuple[Span, ...]

    def of(self, flat: Tensor) -> Tensor:
        """Return the layer's numbers in one vector."""
        return torch.cat([flat[start:stop] for start, stop in self.spans])

    def put(self, flat: Tensor, other: Tensor) -> Tensor:
        """Return a copy of a network's numbers with this layer's taken from another network."""
        changed = flat.clone()
        for start, stop in self.spans:
            changed[start:stop] = other[start:stop]
        return changed


def initial(recipe: Recipe, seed: int, samples: Samples) -> Population:
    """Return the network that a member of this recipe and initial seed starts from, as a population of one."""
    if recipe.network:
        return modules.initial(recipe, seed, samples)
    norm = "batch-norm" in recipe.regularisers
    layout = Layout(samples.features, samples.classes, [recipe.hidden], [0], batch_norm=norm, norm=recipe.norm)
    like = samples.inputs
    return Population.initial(layout, [seed], dtype=like.dtype, device=like.device, schemes=[recipe.init])


def layers(network: Population) -> tuple[Layer, ...]:
    """Return the layers of a population of one, from the inputs on (of a module: in the order of its weights).

    Perceptrons: fc1, fc2, ... Modules: conv1, ..., fc1, ... and, of residual blocks, stage1.block2.conv1 and
    stage2.block1.shortcut; a vector belongs to the weights that it follows in the module.
    """
    shapes = [*network.layout.weight_shapes, *network.layout.vector_shapes]
    ends = torch.tensor([0, *(math.prod(shape) for shape in shapes)]).cumsum(0).tolist()
    spans: list[Span] = list(pairwise(ends))
    matrices = len(network.layout.weight_shapes)
    if isinstance(network, modules.ModulePopulation):
        return _of_module(network.module, spans, matrices)
    own = [[span] for span in spans[:matrices]]
    repeats = 2 if network.layout.batch_norm else 1
    for k, span in enumerate(spans[matrices:]):
        own[min(k // repeats, matrices - 1)].append(span)
    return tuple(Layer(f"fc{k}", tuple(each)) for k, each in enumerate(own, start=1))


def _of_module(module: nn.Module, spans: Sequence[Span], matrices: int) -> tuple[Layer, ...]:
    weights, vectors = iter(spans[:matrices]), iter(spans[matrices:])
    names = _names(module)
    own: dict[str, list[Span]] = {}
    for path, parameter in module.named_parameters():
        if parameter.dim() > 1:
            name = names[path.removesuffix(".weight")]
            own[name] = [next(weights)]
        else:
            own[name].append(next(vectors))
    return tuple(Layer(name, tuple(each)) for name, each in own.items())


def _names(module: nn.Module) -> dict[str, str]:
    """Return a readable name for the path of every module with weights."""
    from torchvision.models.resnet import BasicBlock  # seconds to import, and only modules need it

    names: dict[str, str] = {}
    stage, block = 1, 0
    prefix = ""
    counts = {"conv": 0, "fc": 0}
    for path, child in module.named_modules():
        if isinstance(child, BasicBlock):
            if child.downsample is not None:
                stage, block = stage + 1, 0
            block += 1
            prefix = path + "."
        elif isinstance(child, (nn.Linear, nn.Conv1d, nn.Conv2d)):
            if prefix and path.startswith(prefix):
                inside = path.removeprefix(prefix).replace("downsample.0", "shortcut")
                names[path] = f"stage{stage}.block{block}.{inside}"
                continue
            kind = "fc" if isinstance(child, nn.Linear) else "conv"
            counts[kind] += 1
            names[path] = f"{kind}{counts[kind]}"
    return names


def swaps(
    final: Point, places: Sequence[Layer], sources: Mapping[str, Sequence[Tensor]]
) -> Iterator[tuple[tuple[str, str], Point]]:
    """Yield a network with one layer replaced, under the names of the layer and of the source, for each of them.

    `sources` are flat numbers of networks of the same make-up; a name with several gives a network for each.
    """
    for layer in places:
        for name, networks in sources.items():
            for flat in networks:
                changed = layer.put(final.parameters, flat.to(final.parameters))
                yield (layer.name, name), Point(changed, final.statistics, final.inputs, final.labels)


def movement(layer: Layer, start: Tensor, end: Tensor) -> tuple[float, float]:
    """Return how far a layer has come: |end - start| / |start| (2-norms), and the largest change of a number."""
    before = layer.of(start).double()
    change = layer.of(end).double() - before
    return float(change.norm() / before.norm()), float(change.abs().max())
