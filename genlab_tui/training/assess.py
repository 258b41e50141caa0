"""Many given sets of weights scored without training: perceptrons as one batched population, modules in turn.

What replaces a layer, walks along a direction or averages networks makes weights; here they get their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import torch
from torch import Tensor

from genlab_tui.errors import BadValue
from genlab_tui.training import modules
from genlab_tui.training.evaluate import evaluate
from genlab_tui.training.layout import Layout, Stack
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.training.population import Population
from genlab_tui.training.program import Crew

PARTS = ("train", "test")

UNITS = {"cpu": 1 << 14, "cuda": 1 << 19}
"""Units and features of the networks that are scored at once: their products then have 128 samples and more."""

BYTES = {"cpu": 1 << 28, "cuda": 1 << 32}
"""Bytes of the weights that are stacked at once, at most (one network is always taken)."""


@dataclass(frozen=True)
class Point:
    """One set of numbers for a recipe's network: flat, as `State.weights` keeps them.

    `statistics` are the running ones of batch norm (None without). Training samples are those of the input and label
    sets `inputs` and `labels`, test samples those of `inputs`.
    """

    parameters: Tensor
    statistics: Tensor | None = None
    inputs: int = 0
    labels: int = 0


def assess(
    points: Iterable[Point],
    recipe: Recipe,
    samples: Samples,
    *,
    on: Sequence[str] = PARTS,
    n: int = 0,
    at_once: int = 0,
    threads: int | None = None,
    poll: Callable[[], None] | None = None,
) -> Iterator[dict[str, float]]:
    """Yield loss and accuracy of every point, in their order: `train_loss`, `train_accuracy`, `test_loss`, ...

    In evaluation mode, the recipe's plain loss, on the parts of the samples in `on`; of the training samples the first
    `n` (0: all). Points are taken from the iterable only as they are needed: perceptrons `at_once` on each of
    `threads` cores (default: what suits the caches of this machine and all of torch's cores), modules one by one.
    `poll` is called between them. Raises BadValue for an unknown part and for numbers that do not fit the network.
    """
    unknown = [part for part in on if part not in PARTS]
    if unknown or not on:
        raise BadValue(f"there is no part {unknown[0]!r} of the samples" if unknown else "no samples to score on")
    waiting = iter(points)
    device = samples.inputs.device
    module = modules.initial(recipe, 0, samples) if recipe.network else None
    size = 1 if module else at_once or _at_once(recipe, samples)
    crew = Crew(threads or torch.get_num_threads())
    together = crew.threads if device.type == "cpu" and module is None else 1

    def score(chunk: list[Point]) -> list[dict[str, float]]:
        networks = _loaded(module, chunk[0]) if module else _stacked(chunk, recipe, samples)
        return _scores(networks, chunk, recipe, samples, on, n or samples.n)

    try:
        while True:
            if together > 1:
                torch.set_num_threads(1)  # points are made here, while others may need the cores
            taken = list(islice(waiting, size * together))
            if not taken:
                return
            each = -(-len(taken) // together)
            chunks = [taken[start : start + each] for start in range(0, len(taken), each)]
            for found in crew.each(score, chunks):
                yield from found
            if poll:
                poll()
    finally:
        crew.close()


def _at_once(recipe: Recipe, samples: Samples) -> int:
    kind = "cuda" if samples.inputs.device.type == "cuda" else "cpu"
    sizes = (samples.features, *recipe.hidden, samples.classes)
    parameters = sum((a + 1) * b for a, b in pairwise(sizes))
    by_bytes = BYTES[kind] // (2 * parameters * samples.inputs.element_size())
    return max(min(UNITS[kind] // sum(sizes[1:]), by_bytes), 1)


def _stacked(chunk: Sequence[Point], recipe: Recipe, samples: Samples) -> Population:
    """Return a population of the points; those on the same inputs share the product of their first layers."""
    norm = "batch-norm" in recipe.regularisers
    streams = [point.inputs for point in chunk]
    widths = [recipe.hidden] * len(chunk)
    layout = Layout(samples.features, samples.classes, widths, streams, batch_norm=norm, norm=recipe.norm)
    parameters = _gathered(layout, [point.parameters for point in chunk], samples.inputs, "parameters")
    none = samples.inputs.new_zeros(0)
    given = [none if point.statistics is None else point.statistics for point in chunk]
    return Population(layout, parameters, _gathered(layout, given, samples.inputs, "statistics"))


def _gathered(layout: Layout, flats: Sequence[Tensor], like: Tensor, kind: str) -> Stack:
    """Return flat numbers of members, one tensor each, in the places that a layout of equal widths has for them."""
    stack = Stack.zeros(layout, like.dtype, like.device, kind)
    each = stack.flat.numel() // len(layout)
    wrong = [flat.numel() for flat in flats if flat.numel() != each]
    if wrong:
        raise BadValue(f"{wrong[0]} {kind} do not fit a network of {each}")
    rows = torch.stack([flats[member] for member in layout.members]).to(like.device, like.dtype)
    for at, block in enumerate(layout.blocks):
        places: list[Tensor] = [*stack.vectors[at]]
        if kind == "parameters":
            wide = stack.wide[at]
            places = [*(() if wide is None else (wide,)), *stack.deep[at][0], *places]
        start = 0
        for place in places:
            stop = start + place.numel() // (block.groups * block.size)
            place.copy_(rows[block.rows, start:stop].reshape(place.shape))
            start = stop
    return stack


def _loaded(module: modules.ModulePopulation, point: Point) -> modules.ModulePopulation:
    """Return the module with the numbers of a point."""
    for stack, given in ((module.parameters, point.parameters), (module.statistics, point.statistics)):
        size = 0 if given is None else given.numel()
        if size != stack.flat.numel():
            raise BadValue(f"{size} {stack.kind} do not fit a network of {stack.flat.numel()}")
        if given is not None:
            stack.flat.copy_(given)
    return module


def _scores(
    networks: Population, chunk: Sequence[Point], recipe: Recipe, samples: Samples, on: Sequence[str], n: int
) -> list[dict[str, float]]:
    """Return the numbers of the points of a chunk, in their order."""
    members, device = networks.layout.members, samples.inputs.device
    sets = torch.tensor([chunk[member].inputs for member in members], device=device)
    found: list[dict[str, float]] = [{} for _ in chunk]
    for part in on:
        if part == "train":
            which = torch.tensor([chunk[member].labels for member in members], device=device)
            labels, inputs = samples.labels[which][:, :n], samples.inputs
        else:
            labels, inputs = samples.test_labels[sets], samples.test_inputs
        losses, accuracies = evaluate(networks, inputs, sets, labels, None, recipe.loss)
        for member, loss, accuracy in zip(members, losses, accuracies, strict=True):
            found[member] |= {f"{part}_loss": loss, f"{part}_accuracy": accuracy}
    return found
