"""Small populations, a context without a worker, and a plain one-network-at-a-time training loop to compare with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from genlab_tui import events as ev
from genlab_tui.models.mlp import build
from genlab_tui.phenomenon import Arm, Checkpoint, Context, Stopped
from genlab_tui.run import RunSpec
from genlab_tui.training.batches import Batches
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.population import Population
from genlab_tui.training.state import State
from genlab_tui.training.train import train


class Desk:
    """A context that trains in the test's process; it can stop at a poll and hand on its checkpoint."""

    spec = RunSpec(id="00000000", phenomenon="test", config={})
    arms: tuple[Arm, ...] = ()
    device = "cpu"
    data_dir = Path()

    def __init__(self, checkpoint: Checkpoint | None = None, stop_at: int | None = None) -> None:
        self.checkpoint, self.stop_at, self.polls = checkpoint, stop_at, 0
        self.saved: Checkpoint | None = None

    def stage(self, key: str, body: Callable[[], Generator[ev.Event, None, Any]]) -> Generator[ev.Event, None, Any]:
        return (yield from body())

    def poll(self, save: Callable[[], Checkpoint] | None = None) -> None:
        self.polls += 1
        if save and self.polls == self.stop_at:
            saved = save()
            arrays = {name: tensor.clone() for name, tensor in saved.arrays.items()}
            self.saved = dataclasses.replace(saved, arrays=arrays)
            raise Stopped

    def resume(self) -> Checkpoint | None:
        return self.checkpoint


@dataclasses.dataclass
class Result:
    """What one call of `train` gave."""

    events: list[ev.Event]
    state: State | None
    saved: Checkpoint | None

    def curves(self, metric: str) -> list[ev.Curve]:
        return [e for e in self.events if isinstance(e, ev.Curve) and e.metric == metric]

    def marks(self) -> list[ev.Mark]:
        return [e for e in self.events if isinstance(e, ev.Mark)]


def run(members: list[Member], samples: Samples, recipe: Recipe, context: Desk | None = None) -> Result:
    """Train and collect everything."""
    desk = context or Desk()
    checked: Context = desk
    events: list[ev.Event] = []
    generator = train(members, samples, recipe, checked, cohort="all")
    state = None
    try:
        while True:
            events.append(next(generator))
    except StopIteration as stop:
        state = stop.value
    except Stopped:
        pass
    return Result(events, state, desk.saved)


def make_samples(
    *,
    n: int = 60,
    k: int = 40,
    shape: tuple[int, ...] = (1, 5, 5),
    classes: int = 4,
    sets: int = 2,
    label_sets: int = 3,
    dtype: torch.dtype = torch.float64,
    fill: float = -0.5,
    noise: float = 1.0,
) -> Samples:
    """Return clustered Gaussian data: set 0 of labels is learnable, the others are random."""
    source = torch.Generator().manual_seed(7)
    d = 1
    for side in shape:
        d *= side
    centres = torch.randn(classes, d, generator=source, dtype=torch.float64)
    true, test = (torch.randint(classes, (size,), generator=source) for size in (n, k))
    inputs = centres[true] + noise * torch.randn(sets, n, d, generator=source, dtype=torch.float64)
    test_inputs = centres[test] + noise * torch.randn(sets, k, d, generator=source, dtype=torch.float64)
    labels = [true, *(torch.randint(classes, (n,), generator=source) for _ in range(label_sets - 1))]
    return Samples(
        inputs.to(dtype), torch.stack(labels), test_inputs.to(dtype), test.expand(sets, k), classes, shape, fill
    )


def module_of(population: Population, row: int, dropout: float = 0.0) -> nn.Sequential:
    """Return one member as a plain torch module with the same numbers."""
    a = population.architecture
    module = build(
        a.inputs, a.hidden, a.classes, batch_norm=a.batch_norm, dropout=dropout, momentum=population.momentum
    )
    module = module.to(population.parameters.flat.dtype)
    linears = [m for m in module if isinstance(m, nn.Linear)]
    norms = [m for m in module if isinstance(m, nn.BatchNorm1d)]
    parts = [part[row] for part in population.parameters.parts]
    statistics = [part[row, 0] for part in population.statistics.parts]
    with torch.no_grad():
        for linear, weight in zip(linears, parts, strict=False):
            linear.weight.copy_(weight.T)
        for at, norm in enumerate(norms):
            norm.weight.copy_(parts[a.depth + 2 * at][0])
            norm.bias.copy_(parts[a.depth + 2 * at + 1][0])
            norm.running_mean.copy_(statistics[2 * at])
            norm.running_var.copy_(statistics[2 * at + 1])
        if not norms:
            for at, linear in enumerate(linears[:-1]):
                linear.bias.copy_(parts[a.depth + at][0])
        linears[-1].bias.copy_(parts[-1][0])
    return module


class GivenMasks(nn.Module):
    """Dropout with the masks of the population's own draw."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mask if self.training and self.mask is not None else x


def train_plainly(member: Member, samples: Samples, recipe: Recipe) -> nn.Sequential:
    """Train one network with autograd and torch.optim: independent of the population but for the batches drawn."""
    dtype = samples.inputs.dtype
    start = Population.initial(
        _architecture(samples, recipe), [member.seed], dtype=dtype, momentum=recipe.strength("batch-norm")
    )
    module = module_of(start, 0, recipe.strength("dropout"))
    dropouts = [at for at, layer in enumerate(module) if isinstance(layer, nn.Dropout)]
    for at in dropouts:
        module[at] = GivenMasks()
    matrices = [m.weight for m in module if isinstance(m, nn.Linear)]
    optimiser: torch.optim.Optimizer
    decay = recipe.strength("weight-decay")
    if recipe.optimiser == "adam":
        rest = [p for p in module.parameters() if all(p is not w for w in matrices)]
        groups = [{"params": matrices, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=recipe.lr)
    else:
        optimiser = torch.optim.SGD(module.parameters(), lr=recipe.lr, momentum=recipe.momentum)
    batches = Batches([member], samples, recipe, dtype)
    step = 0
    for epoch in range(recipe.epochs):
        batches.begin(epoch)
        lr = recipe.lr * recipe.decay**epoch
        for group in optimiser.param_groups:
            group["lr"] = lr
        for position in range(len(batches.bounds)):
            x, target = batches.batch(position)
            for at, mask in zip(dropouts, batches.masks(step, position, recipe.hidden), strict=False):
                module[at].mask = mask[0]
            loss = nn.functional.cross_entropy(module(x[0]), target[0])
            loss = loss + recipe.strength("l1") * sum(w.abs().sum() for w in matrices)
            optimiser.zero_grad()
            loss.backward()
            if decay and recipe.optimiser == "sgd":
                with torch.no_grad():
                    for weight in matrices:
                        weight.mul_(1 - lr * decay)
            optimiser.step()
            step += 1
    return module.eval()


def _architecture(samples: Samples, recipe: Recipe) -> Any:
    from genlab_tui.training.population import Architecture

    return Architecture(samples.inputs.shape[2], recipe.hidden, samples.classes, "batch-norm" in recipe.regularisers)


def flat_of(module: nn.Module) -> torch.Tensor:
    """Return all parameters and running statistics of a module in one vector."""
    tensors: Mapping[str, torch.Tensor] = module.state_dict()
    return torch.cat([t.flatten() for name, t in tensors.items() if "num_batches" not in name])


@pytest.fixture
def kit() -> SimpleNamespace:
    """Everything above, for tests (test files cannot import a conftest)."""
    names = (Desk, run, make_samples, module_of, train_plainly, flat_of)
    return SimpleNamespace(**{item.__name__: item for item in names})


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The suite is parallel over processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
