"""Small populations, a context without a worker, and a plain one-network-at-a-time training loop to compare with."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from genlab_tui import events as ev
from genlab_tui.models.mlp import build
from genlab_tui.phenomenon import Arm, Checkpoint, Context, Stopped
from genlab_tui.run import RunSpec
from genlab_tui.training.batches import Batches
from genlab_tui.training.layout import Layout, Stack
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.plan import stream
from genlab_tui.training.population import Population
from genlab_tui.training.state import State
from genlab_tui.training.strengths import Strengths
from genlab_tui.training.train import train

Change = tuple[int, str, float | None]
"""Not before this step: a regulariser and its new strength."""


class Desk:
    """A context in the test's process; it can stop at a poll, hand on its checkpoint and ask for changes."""

    spec = RunSpec(id="00000000", phenomenon="test", config={})
    arms: tuple[Arm, ...] = ()
    device = "cpu"
    devices: tuple[str, ...] = ("cpu",)
    data_dir = Path()

    def __init__(
        self, checkpoint: Checkpoint | None = None, stop_at: int | None = None, script: Sequence[Change] = ()
    ) -> None:
        self.checkpoint, self.stop_at, self.polls = checkpoint, stop_at, 0
        self.script = list(script)
        self.saved: Checkpoint | None = None
        self.arrays: dict[str, Mapping[str, Any]] = {}

    def stage(self, key: str, body: Callable[[], Generator[ev.Event, None, Any]]) -> Generator[ev.Event, None, Any]:
        return (yield from body())

    def poll(self, save: Callable[[], Checkpoint] | None = None) -> None:
        self.polls += 1
        if save and self.polls == self.stop_at:
            saved = save()
            arrays = {name: tensor.clone() for name, tensor in saved.arrays.items()}
            self.saved = dataclasses.replace(saved, arrays=arrays)
            raise Stopped

    def keep(self, name: str, arrays: Mapping[str, Any]) -> None:
        self.arrays[name] = arrays

    def kept(self, name: str) -> Mapping[str, Any]:
        return self.arrays[name]

    def changes(self, cohort: str, step: int) -> list[tuple[str, float | None]]:
        due = [change for change in self.script if change[0] <= step]
        self.script = [change for change in self.script if change not in due]
        return [(name, strength) for _, name, strength in due]

    def resume(self) -> Checkpoint | None:
        return self.checkpoint


@dataclasses.dataclass
class Result:
    """What one call of `train` gave."""

    events: list[ev.Event]
    state: State | None
    saved: Checkpoint | None

    def of(self, kind: type[ev.Event]) -> list[Any]:
        return [e for e in self.events if isinstance(e, kind)]

    def curves(self, metric: str) -> list[ev.Curve]:
        return [e for e in self.of(ev.Curve) if e.metric == metric]

    def marks(self) -> list[ev.Mark]:
        return self.of(ev.Mark)

    def flat(self, member: int) -> Tensor:
        """Return the final numbers of a member as `flat_of` gives those of a module."""
        assert self.state is not None
        return flat_of(module_of(self.state.trained(member), 0))


def run(
    members: Sequence[Member], samples: Samples, recipe: Recipe, context: Desk | None = None, **options: Any
) -> Result:
    """Train and collect everything."""
    desk = context or Desk()
    checked: Context = desk
    events: list[ev.Event] = []
    generator = train(members, samples, recipe, checked, **{"cohort": "all", **options})
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
    d = math.prod(shape)
    centres = torch.randn(classes, d, generator=source, dtype=torch.float64)
    true, test = (torch.randint(classes, (size,), generator=source) for size in (n, k))
    inputs = centres[true] + noise * torch.randn(sets, n, d, generator=source, dtype=torch.float64)
    test_inputs = centres[test] + noise * torch.randn(sets, k, d, generator=source, dtype=torch.float64)
    labels = [true, *(torch.randint(classes, (n,), generator=source) for _ in range(label_sets - 1))]
    return Samples(
        inputs.to(dtype), torch.stack(labels), test_inputs.to(dtype), test.expand(sets, k), classes, shape, fill
    )


# --- populations ------------------------------------------------------------------------------------------------------


def population(
    hidden: Sequence[Any],
    seeds: Sequence[int],
    *,
    inputs: int = 25,
    classes: int = 4,
    batch_norm: bool = False,
    dtype: torch.dtype = torch.float64,
    streams: Sequence[Any] | None = None,
    momentum: float | Tensor | None = None,
    schemes: Sequence[str] | None = None,
) -> Population:
    """Return members of equal widths (one tuple) or of their own (a list of tuples), each its own stream by default."""
    widths = [tuple(h) for h in hidden] if isinstance(hidden, list) else [tuple(hidden)] * len(seeds)
    layout = Layout(inputs, classes, widths, streams or range(len(seeds)), batch_norm=batch_norm)
    return Population.initial(layout, seeds, dtype=dtype, momentum=momentum, schemes=schemes)


def module_of(population: Population, row: int, dropout: float = 0.0) -> nn.Sequential:
    """Return one row as a plain torch module with the same numbers."""
    layout = population.layout
    hidden = layout.hidden[layout.members[row]]
    momentum = population.momentum
    if isinstance(momentum, Tensor):
        momentum = float(momentum[row])
    module = build(
        layout.inputs, hidden, layout.classes, batch_norm=layout.batch_norm, dropout=dropout, momentum=momentum
    )
    module = module.to(population.parameters.flat.dtype)
    linears = [m for m in module if isinstance(m, nn.Linear)]
    norms = [m for m in module if isinstance(m, nn.BatchNorm1d)]
    with torch.no_grad():
        for mine, theirs in zip(_canonical(module), population.parameters.tensors_of(row), strict=True):
            mine.copy_(theirs)
        statistics = population.statistics.vectors_of(row)
        for at, norm in enumerate(norms):
            norm.running_mean.copy_(statistics[2 * at])
            norm.running_var.copy_(statistics[2 * at + 1])
    assert len(linears) == layout.depth
    return module


def _canonical(module: nn.Sequential) -> list[Tensor]:
    """Return a module's parameters in the order of `Stack.tensors_of`."""
    linears = [m for m in module if isinstance(m, nn.Linear)]
    norms = [m for m in module if isinstance(m, nn.BatchNorm1d)]
    vectors = [v for m in norms for v in (m.weight, m.bias)] if norms else [m.bias for m in linears[:-1]]
    return [*(m.weight for m in linears), *vectors, linears[-1].bias]


def gradient(
    population: Population, x: Tensor, loss: Any, masks: Sequence[Sequence[Tensor]], out: Stack, keep: float = 0.0
) -> Tensor:
    """Call `Population.gradient` with everything per member, in the order of the members; return their losses.

    `x` [members, batch, d] (members of one stream: the same); `loss` is a callback or target probabilities [members,
    batch, classes] of the cross-entropy; `masks[layer][member]` [batch, width].
    """
    layout = population.layout
    blocks, multipliers = [], []
    for block in layout.blocks:
        who = [layout.members[r] for r in range(block.rows.start, block.rows.stop)]
        groups = [who[start : start + block.size] for start in range(0, len(who), block.size)]
        blocks.append(torch.stack([x[group[0]] for group in groups]))
        of_layers = [[torch.cat([layer[i] for i in group], 1) for group in groups] for layer in masks]
        multipliers.append([torch.stack(layer) for layer in of_layers])
    if isinstance(loss, Tensor):
        target = loss[layout.members].transpose(1, 2)

        def cross_entropy(z: Tensor) -> Tensor:
            count = z.shape[2]
            found = -(target * z.log_softmax(1)).sum((1, 2)) / count
            z.copy_((z.softmax(1) * target.sum(1, keepdim=True) - target) / count)
            return found

        loss = cross_entropy
    losses = population.gradient(blocks, loss, multipliers if masks else [], out, keep)
    return losses[[layout.row_of[i] for i in range(len(layout))]]


class Draws:
    """The batches of some members, in the order of the members: inputs, target probabilities, masks."""

    def __init__(self, members: Sequence[Member], samples: Samples, recipe: Recipe) -> None:
        recipes = [m.recipe or recipe for m in members]
        streams = [stream(m, r) for m, r in zip(members, recipes, strict=True)]
        self.layout = Layout(samples.features, samples.classes, [r.hidden for r in recipes], streams)
        ordered = [members[i] for i in self.layout.members]
        self.strengths = Strengths([recipes[i] for i in self.layout.members])
        self.batches = Batches(ordered, self.layout, samples, recipes[0], self.strengths, samples.inputs.dtype)
        self.bounds = self.batches.bounds
        self._rows = [self.layout.row_of[i] for i in range(len(members))]

    def begin(self, epoch: int) -> None:
        self.batches.begin(epoch)

    @property
    def order(self) -> Tensor:
        return self.batches.orders[self.batches.order_of[self._rows]]

    @property
    def mixing(self) -> Tensor:
        assert self.batches.mixing is not None
        return self.batches.mixing[self._rows]

    def labels_at(self, epoch: int) -> Tensor:
        return self.batches.labels_at(epoch)[self._rows]

    def batch(self, position: int) -> tuple[Tensor, Tensor]:
        """Return inputs [members, batch, d] and target probabilities [members, batch, classes]."""
        of_blocks = self.batches.inputs(position)
        pairs = zip(of_blocks, self.layout.blocks, strict=True)
        x = torch.cat([x.repeat_interleave(block.size, 0) for x, block in pairs])
        targets = self.batches.targets(position)
        like = x.new_empty(len(self.layout), self.layout.classes, x.shape[1])
        return x[self._rows], targets.dense(like).transpose(1, 2)[self._rows]

    def masks(self, step: int, position: int) -> list[list[Tensor]]:
        """Return dropout's multipliers [batch, width] by layer and member, or nothing."""
        of_blocks = self.batches.masks(step, position)
        if not of_blocks:
            return []
        members = range(len(self._rows))
        return [[self._of(of_blocks, i, layer) for i in members] for layer in range(self.layout.depth - 1)]

    def _of(self, of_blocks: list[list[Tensor]], member: int, layer: int) -> Tensor:
        at, group, _, number, k = self.layout.place(self.layout.row_of[member])
        bucket = self.layout.blocks[at].buckets[number]
        start = bucket.units[layer] + k * bucket.hidden[layer]
        return of_blocks[at][layer][group, :, start : start + bucket.hidden[layer]]


# --- one network at a time --------------------------------------------------------------------------------------------


class GivenMasks(nn.Module):
    """Dropout with the masks of the population's own draw."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        return x * self.mask if self.training and self.mask is not None else x


@dataclasses.dataclass
class Plain:
    """What training one network plainly gave; with early stopping, `module` has its best weights."""

    module: nn.Sequential
    end: str
    step: int

    @property
    def flat(self) -> Tensor:
        return flat_of(self.module)


def train_plainly(member: Member, samples: Samples, recipe: Recipe, script: Sequence[Change] = ()) -> Plain:
    """Train one network with autograd and torch.optim: independent of the population but for what is drawn."""
    recipe = dataclasses.replace(member.recipe or recipe)
    norm = "batch-norm" in recipe.regularisers
    start = population(
        recipe.hidden,
        [member.init_seed],
        inputs=samples.features,
        classes=samples.classes,
        batch_norm=norm,
        dtype=samples.inputs.dtype,
        momentum=recipe.strength("batch-norm"),
        schemes=[recipe.init],
    )
    module = _with_given_masks(module_of(start, 0, 0.5))
    matrices = [m.weight for m in module if isinstance(m, nn.Linear)]
    with torch.no_grad():
        for mine, given in zip(_canonical(module), member.start or _canonical(module), strict=True):
            mine.copy_(given)
        for weight, mask in zip(matrices, member.masks or [1.0] * len(matrices), strict=True):
            weight.mul_(mask)
    optimiser = _optimiser(module, matrices, recipe)
    n = member.n or samples.n
    held = recipe.validation(n)
    x_all, waiting = samples.inputs[member.inputs, :n], list(script)
    best, best_epoch, kept = math.inf, 0, copy.deepcopy(module)
    step, epoch = 0, 0
    while True:
        for change in [c for c in waiting if c[0] <= step]:
            waiting.remove(change)
            recipe = dataclasses.replace(recipe, regularisers={**recipe.regularisers, change[1]: change[2] or 0.0})
        draws = Draws([dataclasses.replace(member, recipe=None)], samples, recipe)
        draws.begin(epoch)
        module.train()
        for position in range(len(draws.bounds)):
            _step(module, matrices, optimiser, recipe, draws, member, step, epoch, position)
            step += 1
            if step == recipe.steps:
                break
        whole = position + 1 == len(draws.bounds)
        epoch += whole
        module.eval()
        labels = draws.labels_at(epoch if whole else epoch + 1)[0]
        end = ""
        if held:
            loss, _ = _score(module, x_all[n - held :], labels[n - held :], recipe.loss)
            if loss < best:
                best, best_epoch, kept = loss, epoch, copy.deepcopy(module)
            if whole and epoch - best_epoch >= recipe.strength("early-stopping"):
                end = "early stopping"
        loss, accuracy = _score(module, x_all[: n - held], labels[: n - held], recipe.loss)
        if whole and accuracy >= recipe.target:
            end = "fitted"
        elif whole and loss <= recipe.loss_target:
            end = "loss"
        if not end and (step == recipe.steps if recipe.steps else epoch == recipe.epochs):
            end = "steps" if recipe.steps else "epochs"
        if end:
            return Plain((kept if held else module).eval(), end, step)


def _with_given_masks(module: nn.Sequential) -> nn.Sequential:
    return nn.Sequential(*(GivenMasks() if isinstance(layer, nn.Dropout) else layer for layer in module))


def _optimiser(module: nn.Sequential, matrices: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Return torch's own; where the decay is decoupled and torch has no such optimiser, without it."""
    rest = [p for p in module.parameters() if all(p is not w for w in matrices)]
    decay = recipe.strength("weight-decay")
    groups = [{"params": matrices, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]
    if recipe.optimiser == "sgd":
        if not recipe.coupled:
            groups[0]["weight_decay"] = 0.0
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.nesterov)
    kind = torch.optim.Adam if recipe.coupled else torch.optim.AdamW
    return kind(groups, lr=recipe.lr)


def _step(
    module: nn.Sequential,
    matrices: list[nn.Parameter],
    optimiser: torch.optim.Optimizer,
    recipe: Recipe,
    draws: Draws,
    member: Member,
    step: int,
    epoch: int,
    position: int,
) -> None:
    decay, lr = recipe.strength("weight-decay"), recipe.lr * recipe.decay**epoch
    x, target = draws.batch(position)
    dropouts = [m for m in module if isinstance(m, GivenMasks)]
    for at, masks in enumerate(draws.masks(step, position) or [[None]] * len(dropouts)):
        dropouts[at].mask = masks[0]
    before = [number.detach().clone() for number in _canonical(module)]
    loss = loss_of(module(x[0]), target[0], recipe.loss)
    if recipe.strength("l1"):
        loss = loss + recipe.strength("l1") * sum(w.abs().sum() for w in matrices)
    optimiser.zero_grad()
    loss.backward()
    for at, group in enumerate(optimiser.param_groups):
        group["lr"] = lr
        if at == 0 and (recipe.optimiser != "sgd" or recipe.coupled):
            group["weight_decay"] = decay
    with torch.no_grad():
        if recipe.optimiser == "sgd" and not recipe.coupled:
            for weight in matrices:
                weight.mul_(1 - lr * decay)
    optimiser.step()
    with torch.no_grad():
        for weight, mask in zip(matrices, member.masks or (), strict=False):
            weight.mul_(mask)
        for number, own, trains in zip(_canonical(module), before, member.trains or (), strict=False):
            number.copy_(torch.where(trains != 0, number, own))


def loss_of(outputs: Tensor, target: Tensor, kind: str) -> Tensor:
    """Return the loss of target probabilities: mean over samples; the squared one is summed over outputs."""
    if kind == "squared":
        return ((outputs - target) ** 2).sum(1).mean()
    return nn.functional.cross_entropy(outputs, target)


def _score(module: nn.Module, x: Tensor, labels: Tensor, kind: str) -> tuple[float, float]:
    with torch.no_grad():
        outputs = module(x)
        target = nn.functional.one_hot(labels, outputs.shape[1]).to(outputs.dtype)
        return float(loss_of(outputs, target, kind)), float((outputs.argmax(1) == labels).double().mean())


def flat_of(module: nn.Module) -> Tensor:
    """Return all parameters and running statistics of a module in one vector."""
    tensors: Mapping[str, Tensor] = module.state_dict()
    return torch.cat([t.flatten() for name, t in tensors.items() if "num_batches" not in name])


@pytest.fixture
def kit() -> SimpleNamespace:
    """Everything above, for tests (test files cannot import a conftest)."""
    names = (
        *(Desk, Draws, run, make_samples, population, module_of, gradient, train_plainly, loss_of, flat_of),
        *(assert_equal_to_plain,),
    )
    return SimpleNamespace(**{item.__name__: item for item in names})


def assert_equal_to_plain(
    result: Result,
    members: Sequence[Member],
    samples: Samples,
    recipe: Recipe,
    *,
    rtol: float = 1e-10,
    atol: float = 1e-11,
    script: Sequence[Change] = (),
) -> None:
    """Assert that every member ended as the plain loop ends it: at the same step, for the same reason, alike."""
    assert result.state is not None
    for i, member in enumerate(members):
        plain = train_plainly(member, samples, recipe, script)
        outcome = result.state.outcomes[i]
        assert (outcome.end, outcome.step) == (plain.end, plain.step), member
        torch.testing.assert_close(result.flat(i), plain.flat, rtol=rtol, atol=atol)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The suite is parallel over processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
