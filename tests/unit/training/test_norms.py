"""Batch norm after the activation, and its scale and shift alone, against autograd and plain torch loops."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from genlab_tui.errors import BadValue
from genlab_tui.training import layers
from genlab_tui.training.assess import Point, assess
from genlab_tui.training.batches import Batches
from genlab_tui.training.layout import Layout
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.plan import programs, stream
from genlab_tui.training.population import Population
from genlab_tui.training.strengths import Strengths

HIDDEN = [(7, 5, 6), (4, 5, 3), (7, 5, 6), (9, 2, 4)]
ON = {"batch-norm": 0.3}


class Scale(nn.Module):
    """A learnt scale and shift a unit: what batch norm has beside its normalising."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias


class Plain(nn.Module):
    """One row of a population as a torch module with the same numbers; dropout's multipliers are handed in."""

    def __init__(self, population: Population, row: int) -> None:
        super().__init__()
        layout = population.layout
        widths = layout.hidden[layout.members[row]]
        self.norm = layout.norm
        sizes = [layout.inputs, *widths]
        self.linears = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in pairwise(sizes))
        momentum = population.momentum
        share = float(momentum[row]) if isinstance(momentum, Tensor) else momentum
        make = Scale if self.norm == "scale" else (lambda width: nn.BatchNorm1d(width, momentum=share))
        self.norms = nn.ModuleList(make(width) for width in widths)
        self.out = nn.Linear(widths[-1], layout.classes)
        self.double()
        with torch.no_grad():
            for mine, theirs in zip(self.numbers(), population.parameters.tensors_of(row), strict=True):
                mine.copy_(theirs)
            statistics = population.statistics.vectors_of(row)
            for at, norm in enumerate(self.norms if self.norm != "scale" else ()):
                norm.running_mean.copy_(statistics[2 * at])
                norm.running_var.copy_(statistics[2 * at + 1])

    def numbers(self) -> list[nn.Parameter]:
        """Return the parameters in the order of `Stack.tensors_of`."""
        vectors = [v for norm in self.norms for v in (norm.weight, norm.bias)]
        return [*(linear.weight for linear in self.linears), self.out.weight, *vectors, self.out.bias]

    def forward(self, x: Tensor, masks: list[Tensor] | None = None) -> Tensor:
        for at, (linear, norm) in enumerate(zip(self.linears, self.norms, strict=True)):
            x = linear(x)
            x = norm(x.relu()) if self.norm == "after" else norm(x).relu()
            if masks:
                x = x * masks[at]
        return self.out(x)


def _population(norm: str, hidden: list[tuple[int, ...]], momentum: Tensor | float) -> Population:
    layout = Layout(6, 4, hidden, [0] * len(hidden), batch_norm=True, norm=norm)
    population = Population.initial(layout, [3 + i for i in range(len(hidden))], dtype=torch.float64, momentum=momentum)
    source = torch.Generator().manual_seed(0)
    flat = population.parameters.flat
    flat.add_(0.2 * torch.randn(flat.shape, generator=source, dtype=torch.float64))
    return population


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("norm", ["before", "after", "scale"])
def test_the_gradient_is_that_of_autograd(kit: SimpleNamespace, norm: str, dropout: bool) -> None:
    """Gradients, accumulated ones, and running statistics, of members of several widths on one stream."""
    population = _population(norm, HIDDEN, torch.linspace(0.2, 0.6, len(HIDDEN), dtype=torch.float64))
    row_of = population.layout.row_of
    source = torch.Generator().manual_seed(1)
    x = torch.randn(1, 11, 6, generator=source, dtype=torch.float64).expand(len(HIDDEN), -1, -1)
    target = torch.rand(len(HIDDEN), 11, 4, generator=source, dtype=torch.float64).softmax(2)
    masks = [[(torch.rand(11, h[layer], generator=source) > 0.3).double() / 0.7 for h in HIDDEN] for layer in range(3)]
    if not dropout:
        masks = [[torch.ones_like(mask) for mask in layer] for layer in masks]
    plain = [Plain(population, row_of[i]).train() for i in range(len(HIDDEN))]
    out = population.parameters.like()
    out.flat.fill_(2.0)
    loss = kit.gradient(population, x, target, masks, out, keep=0.5)
    for i, module in enumerate(plain):
        expected = nn.functional.cross_entropy(module(x[i], [layer[i] for layer in masks]), target[i])
        expected.backward()
        torch.testing.assert_close(loss[i], expected.detach(), rtol=1e-12, atol=1e-12)
        for mine, theirs in zip(out.tensors_of(row_of[i]), module.numbers(), strict=True):
            torch.testing.assert_close(mine, 1.0 + theirs.grad, rtol=1e-10, atol=1e-12)
        statistics = population.statistics.vectors_of(row_of[i])
        for at, own in enumerate(module.norms if norm != "scale" else ()):
            torch.testing.assert_close(statistics[2 * at], own.running_mean)
            torch.testing.assert_close(statistics[2 * at + 1], own.running_var)


@pytest.mark.parametrize("norm", ["after", "scale"])
def test_training_equals_a_plain_loop(kit: SimpleNamespace, norm: str) -> None:
    """To 1e-10 after 70 steps at learning rates of their own, in company that ends on the way; evaluation too."""
    samples: Samples = kit.make_samples()
    recipe = Recipe((12, 8, 8), "sgd", 0.1, momentum=0.0, batch=9, epochs=10, target=2, regularisers=ON, norm=norm)
    members = [
        Member("slow", 1, recipe=dataclasses.replace(recipe, lr=0.02)),
        Member("fast", 1),
        *(Member(f"short {k}", 1, recipe=dataclasses.replace(recipe, epochs=3 + k)) for k in range(4)),
    ]
    result = kit.run(members, samples, recipe)
    for i, member in enumerate(members[:2]):
        own = member.recipe or recipe
        start = layers.initial(own, member.seed, samples)
        start.momentum = 0.3
        module = Plain(start, 0).train()
        optimiser = torch.optim.SGD(module.parameters(), lr=own.lr)
        layout = Layout(samples.features, samples.classes, [own.hidden], [stream(member, own)])
        batches = Batches([member], layout, samples, own, Strengths([own]), torch.float64)
        for epoch in range(own.epochs):
            batches.begin(epoch)
            order = batches.orders[0]
            for first, last in batches.bounds:
                optimiser.zero_grad()
                chosen = order[first:last]
                outputs = module(samples.inputs[0, chosen])
                nn.functional.cross_entropy(outputs, samples.labels[0, chosen]).backward()
                optimiser.step()
        trained = result.state.trained(i)
        for mine, theirs in zip(trained.parameters.tensors_of(0), module.numbers(), strict=True):
            torch.testing.assert_close(mine, theirs.detach(), rtol=1e-10, atol=1e-10)
        with torch.no_grad():
            outputs = module.eval()(samples.test_inputs[0])
        torch.testing.assert_close(trained.logits([samples.test_inputs[:1]])[0].t(), outputs, rtol=1e-10, atol=1e-10)
        parameters, statistics = result.state.weights[i]
        (scored,) = assess([Point(parameters, statistics)], own, samples, on=("test",))
        right = (outputs.argmax(1) == samples.test_labels[0]).double().mean()
        assert scored["test_accuracy"] == pytest.approx(float(right))


def test_places_of_batch_norm_are_programs_of_their_own(kit: SimpleNamespace) -> None:
    recipe = Recipe((12, 8), regularisers=ON)
    members = [Member(norm, 1, recipe=dataclasses.replace(recipe, norm=norm)) for norm in ("before", "after", "scale")]
    assert programs(members, kit.make_samples(), recipe) == [[0], [1], [2]]
    off = [dataclasses.replace(m, recipe=dataclasses.replace(m.recipe, regularisers={})) for m in members]
    assert programs(off, kit.make_samples(), recipe) == [[0, 1, 2]], "without batch norm its place does not matter"


def test_what_has_no_such_place_is_refused() -> None:
    with pytest.raises(BadValue, match="no place for batch norm 'inside'"):
        Recipe((4,), norm="inside").check()
    with pytest.raises(BadValue, match="vgg-11 has its own place"):
        Recipe(network="vgg-11", norm="after").check()
