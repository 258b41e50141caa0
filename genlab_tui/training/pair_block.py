"""Members that take their steps as one on a table of pairs: AdamW on blocks of a shape, and looks at the whole table.

Weight decay is decoupled and acts on all numbers: embeddings, matrices, biases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab_tui.training.modular import Table
from genlab_tui.training.pair_mlp import MlpPass, PairMlp
from genlab_tui.training.pair_space import together
from genlab_tui.training.pair_table import Places, Workspace
from genlab_tui.training.pair_transformer import PairTransformer, TransformerPass

Net = PairMlp | PairTransformer

LOOK = {"cpu": 1 << 19, "cuda": 1 << 29}
"""Numbers that a look makes at once, about: what suits the cache of a core."""
FEWEST = 64
"""Pairs that are looked at at once, at least."""
EPSILON = 1e-8
ACCURACIES = ("train_accuracy", "test_accuracy")
METRICS = (*ACCURACIES, "train_loss", "test_loss", "weight_norm")
"""What a look measures; without losses: the first two and the last."""


@dataclass(frozen=True)
class Task:
    """A member: its arm and seed, weight decay, share of the table that it trains on, `ordered` as of a split.

    `capped`: it ends at the protocol's multiple of the step at which the arm of that name, same seed, generalised.
    `expected`: a guess of the steps that it trains, which says how much is done and nothing else.
    """

    arm: str
    seed: int
    net: Net
    decay: float
    fraction: float
    ordered: bool = False
    capped: str = ""
    expected: float = math.inf


@dataclass(frozen=True)
class Protocol:
    """What all members have in common. `fit` and `general` are the accuracies that count as such, `batch` 0: all."""

    operation: str
    p: int
    steps: int
    lr: float
    betas: tuple[float, float]
    fit: float
    general: float
    cap: float
    warmup: int = 0
    batch: int = 0
    dtype: torch.dtype = torch.float32


class Block:
    """Members that take their steps as one: `rows` are their places among all tasks."""

    def __init__(self, rows: Sequence[int], tasks: Sequence[Task], masks: Tensor, places: Places, rule: Protocol):
        self.rows, self.rule, self.places = list(rows), rule, places
        self.net = tasks[rows[0]].net
        self.tasks = [tasks[row] for row in rows]
        self.masks = masks[self.rows]
        self.decay = torch.tensor([[task.decay] for task in self.tasks], dtype=rule.dtype, device=masks.device)
        train = torch.stack([mask.nonzero()[:, 0] for mask in self.masks])
        self.way: MlpPass | TransformerPass
        if isinstance(self.net, PairMlp):
            self.way = MlpPass(self.net, places, train)
        else:
            self.way = TransformerPass(self.net, places, train, [task.seed for task in self.tasks], rule.batch)
        self.numbers = torch.zeros(3, len(rows), self.net.size, dtype=rule.dtype, device=masks.device)

    def draw(self) -> Block:
        """Draw the initial numbers; return the block."""
        self.numbers[0] = self.net.initial([task.seed for task in self.tasks], self.rule.dtype)
        return self

    def advance(self, begin: int, end: int, space: Workspace) -> None:
        """Take the steps from number `begin` (from 0) to `end`."""
        numbers, first, second = self.numbers
        slope, spread = space.get("slope", first.shape, first), space.get("spread", first.shape, first)
        rule, (one, two) = self.rule, self.rule.betas
        self.way.begin(numbers, space)
        for step in range(begin, end):
            self.way.gradient(numbers, slope, step)
            count = step + 1
            lr = rule.lr * min(1.0, count / rule.warmup if rule.warmup else 1.0)
            numbers.mul_(1 - lr * self.decay)
            first.lerp_(slope, 1 - one)
            second.mul_(two).addcmul_(slope, slope, value=1 - two)
            torch.sqrt(second, out=spread).mul_(1 / math.sqrt(1 - two**count)).add_(EPSILON)
            numbers.addcdiv_(first, spread, value=-lr / (1 - one**count))

    def look(self, whole: bool = True) -> list[list[float]]:
        """Return the metrics of every member over its parts of the table; without `whole` the accuracies alone.

        A pair is right where its answer's output is larger than all others: a network that has collapsed to equal
        outputs is right nowhere.
        """
        places, numbers = self.places, self.numbers[0]
        size = max(LOOK[numbers.device.type] // int(len(numbers) * self.net.work), FEWEST)
        right, loss = [], []
        with torch.no_grad():
            for start in range(0, places.n, size):
                part = slice(start, start + size)
                outputs = self.net.outputs(numbers, places.a[part], places.b[part])
                answer = places.answer[part].expand(len(numbers), -1)[..., None]
                chosen = outputs.gather(2, answer)[..., 0]
                if whole:
                    loss.append(outputs.logsumexp(2) - chosen)
                right.append(chosen > outputs.scatter_(2, answer, -math.inf).amax(2))
        scores = [torch.cat(right, 1).to(numbers.dtype), *([torch.cat(loss, 1)] if whole else [])]
        table = [(score * mask).sum(1) / mask.sum(1) for score in scores for mask in (self.masks, ~self.masks)]
        found = torch.stack([*table, numbers.norm(dim=1)], 1).tolist()
        return [row if math.isfinite(row[-1]) else [math.nan] * len(row) for row in found]

    def without(self, gone: Sequence[int], make: Callable[[Sequence[int]], Block]) -> Block | None:
        """Return the block of those that remain; None where nobody does."""
        kept = [k for k, row in enumerate(self.rows) if row not in gone]
        if len(kept) == len(self.rows):
            return self
        if not kept:
            return None
        found = make([self.rows[k] for k in kept])
        found.numbers.copy_(self.numbers[:, kept])
        return found


def blocks_of(tasks: Sequence[Task], table: Table, device: str, batch: int = 0) -> list[list[int]]:
    """Return which tasks train as one: of one shape and one number of samples, as many as suit the cache."""
    kinds: dict[object, list[int]] = {}
    for row, task in enumerate(tasks):
        kinds.setdefault((task.net, task.fraction, task.ordered), []).append(row)
    found = []
    for rows in kinds.values():
        task = tasks[rows[0]]
        samples = task.fraction * table.n
        size = together(task.net.work * min(batch or samples, samples), device)
        found += [rows[start : start + size] for start in range(0, len(rows), size)]
    return found
