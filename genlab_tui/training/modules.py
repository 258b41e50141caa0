"""A network that is an ordinary torch module, trained by the same loop: convolutional nets, one after another.

Batching such networks lost to one after another on the CPU wherever it was measured. Parameters are views of one
buffer, so that optimisers, penalties and checkpoints are those of the perceptrons; images are channels-last.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genlab_tui.models import networks
from genlab_tui.training import seeds
from genlab_tui.training.graphs import autocast
from genlab_tui.training.layout import Layout, Stack
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.training.passes import Loss
from genlab_tui.training.population import Population


class ModuleLayout(Layout):
    """One row, one group: the shapes are those of the module's parameters, matrices and kernels first."""

    def __init__(self, inputs: int, classes: int, weights: Sequence[Tensor], vectors: Sequence[Tensor]) -> None:
        super().__init__(inputs, classes, [()], [0])
        self.weight_shapes = [tuple(w.shape) for w in weights]
        self.vector_shapes = [tuple(v.shape) for v in vectors]

    def take(self, rows: Sequence[int]) -> ModuleLayout:
        return self


class ModuleStack(Stack):
    """The numbers of one module; `tensors` are views of `flat` in the shapes (and memory order) of the module's."""

    def __init__(self, layout: Layout, flat: Tensor, tensors: Sequence[Tensor], kind: str = "parameters") -> None:
        self.layout, self.flat, self.kind = layout, flat, kind
        self.tensors, start = [], 0
        for tensor in tensors:
            piece = flat[start : start + tensor.numel()]
            start += tensor.numel()
            if tensor.dim() == 4:
                out, inside, *kernel = tensor.shape
                self.tensors.append(piece.view(out, *kernel, inside).permute(0, 3, 1, 2))
            else:
                self.tensors.append(piece.view(tensor.shape))

    @classmethod
    def of(cls, layout: Layout, tensors: Sequence[Tensor], kind: str) -> ModuleStack:
        """Return the stack that holds copies of some tensors."""
        size = sum(tensor.numel() for tensor in tensors)
        like = tensors[0] if tensors else torch.zeros(0)
        stack = cls(layout, torch.zeros(size, dtype=like.dtype, device=like.device), tensors, kind)
        for mine, theirs in zip(stack.tensors, tensors, strict=True):
            mine.copy_(theirs)
        return stack

    def like(self) -> ModuleStack:
        return ModuleStack(self.layout, torch.zeros_like(self.flat), self.tensors, self.kind)

    def take(self, rows: Sequence[int]) -> ModuleStack:
        return ModuleStack(self.layout, self.flat.clone(), self.tensors, self.kind)

    def put(self, row: int, other: Stack, from_row: int) -> None:
        self.flat.copy_(other.flat)

    def tensors_of(self, row: int) -> list[Tensor]:
        return self.tensors

    def weights_of(self, row: int) -> list[Tensor]:
        return self.tensors[: len(self.layout.weight_shapes)]


class SeededDropout(nn.Module):
    """Dropout that draws from a generator of its own: networks trained side by side do not take each other's draws."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.source: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.p:
            return x
        kept = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.source)
        return x * kept.div_(1 - self.p)


def _seeded(module: nn.Module) -> list[SeededDropout]:
    """Replace every dropout in a module; return the new ones."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Dropout):
                setattr(parent, name, SeededDropout(child.p))
    return [m for m in module.modules() if isinstance(m, SeededDropout)]


class ModulePopulation(Population):
    """One module behind the passes of a population."""

    def __init__(self, module: nn.Module, shape: tuple[int, ...], classes: int, precision: str = "float32") -> None:
        named = [p.detach() for p in module.parameters()]
        self.weights = [p for p in module.parameters() if p.dim() > 1]
        self.vectors = [p for p in module.parameters() if p.dim() <= 1]
        self.averages = [b for b in module.buffers() if b.is_floating_point()]
        layout = ModuleLayout(math.prod(shape), classes, self.weights, self.vectors)
        self.module, self.shape, self.kind = module, shape, named[0].dtype
        parameters = ModuleStack.of(layout, [p.detach() for p in (*self.weights, *self.vectors)], "parameters")
        statistics = ModuleStack.of(layout, self.averages, "statistics")
        if not self.averages:
            statistics.flat = parameters.flat.new_zeros(0)
        super().__init__(layout, parameters, statistics)
        for p, view in zip((*self.weights, *self.vectors), parameters.tensors, strict=True):
            p.data = view
        self.dropouts, self.precision = _seeded(module), precision
        for b, view in zip(self.averages, statistics.tensors, strict=True):
            b.data = view
        self._out: Stack | None = None

    def take(self, rows: Sequence[int]) -> Population:
        for dropout in self.dropouts:
            dropout.source = None  # a generator cannot be copied
        return ModulePopulation(copy.deepcopy(self.module), self.shape, self.layout.classes, self.precision)

    def seed(self, seed: int, step: int) -> None:
        """Say whose draw the dropout of the next pass is."""
        source = torch.Generator(self.parameters.flat.device).manual_seed(seeds.stream(seed, seeds.DROPOUT, step))
        for dropout in self.dropouts:
            dropout.source = source

    def logits(self, inputs: Sequence[Tensor]) -> Tensor:
        self.module.eval()
        with torch.no_grad():
            return self._outputs(inputs).t()[None].contiguous()

    def features(self, inputs: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        seen: list[Tensor] = []
        last = [module for module in self.module.modules() if isinstance(module, nn.Linear)][-1]
        hook = last.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            outputs = self.logits(inputs)
        finally:
            hook.remove()
        return outputs, [seen[0].to(outputs.dtype)]

    def gradient(
        self, inputs: Sequence[Tensor], loss: Loss, masks: Sequence[Sequence[Tensor]], out: Stack, keep: float = 0.0
    ) -> Tensor:
        if self._out is not out:
            assert isinstance(out, ModuleStack)
            for p, view in zip((*self.weights, *self.vectors), out.tensors, strict=True):
                p.grad = view
            self._out = out
        out.flat.mul_(keep) if keep else out.flat.zero_()
        self.module.train()
        with torch.enable_grad():
            outputs = self._outputs(inputs)
        z = outputs.detach().t()[None].contiguous()
        losses = loss(z)
        torch.autograd.backward(outputs, z[0].t())
        return losses

    def _outputs(self, inputs: Sequence[Tensor]) -> Tensor:
        x = inputs[0][0].view(-1, *self.shape)
        if x.dim() == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        with autocast(self.precision, x.device):
            result: Tensor = self.module(x)
        return result.to(x.dtype)

    def change(self, regulariser: str, strength: float) -> None:
        """Take note of a changed regulariser: dropout is in the module."""
        if regulariser == "dropout":
            for dropout in self.dropouts:
                dropout.p = strength


def initial(recipe: Recipe, seed: int, samples: Samples) -> ModulePopulation:
    """Return a network by its name, drawn from a seed on the CPU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.stream(seed, seeds.INIT))
        module = networks.build(
            recipe.network,
            samples.shape,
            samples.classes,
            batch_norm="batch-norm" in recipe.regularisers,
            batch_norm_momentum=recipe.strength("batch-norm") or 0.1,
            dropout=recipe.strength("dropout"),
        )
    module = module.to(samples.inputs.device, samples.inputs.dtype)
    return ModulePopulation(module, samples.shape, samples.classes, recipe.precision)


def restored(recipe: Recipe, samples: Samples, parameters: Tensor, statistics: Tensor) -> ModulePopulation:
    """Return a network with the numbers of a trained one."""
    population = initial(recipe, 0, samples)
    population.parameters.flat.copy_(parameters)
    population.statistics.flat.copy_(statistics)
    return population
