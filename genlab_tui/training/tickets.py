"""Lottery tickets: rounds of training, pruning and reset (Frankle & Carbin 2019), with the controls of each round.

A round trains, for all seeds at once, what starts from masks that the round before has made; every round is a call of
`train` of its own, so optimisers start anew. Which cells there are needs no torch; training them does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from genlab_tui.training import pruning, seeds
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.pruning import Counts

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from genlab_tui import events as ev
    from genlab_tui.data import Arrays
    from genlab_tui.phenomenon import Context
    from genlab_tui.training.state import State
    from genlab_tui.training.train import Share

DENSE, TICKET, REINIT, RANDOM = "dense", "ticket", "reinit", "random"
ONE_SHOT, TUNED, REWOUND = "one-shot", "finetuned", "rewound"
MASKED = (TICKET, REINIT, RANDOM)
"""Kinds whose masks (or their numbers of survivors) come from the round before."""

_POINT = "rewinding point"


@dataclass(frozen=True)
class Cell:
    """What is trained at one seed: an arm of a kind, in a round, with `counts` weights left in its layers.

    `hidden` are the widths of a perceptron (empty: a network by name); `size` is its width relative to the base.
    """

    arm: str
    kind: str
    round: int
    counts: Counts
    hidden: tuple[int, ...] = ()
    size: float = 1.0

    @property
    def chain(self) -> str:
        """The chain of rounds that its masks belong to."""
        return f"{REWOUND if self.kind == REWOUND else TICKET}-{self.size:g}"


def needed(cells: Sequence[Cell], arms: Sequence[str]) -> list[Cell]:
    """Return the cells of some arms and those whose trained weights decide their masks."""
    shown = [cell for cell in cells if cell.arm in arms]

    def used(cell: Cell) -> bool:
        after = [other for other in shown if other.size == cell.size and other.round > cell.round]
        if cell.kind == DENSE:
            return bool(after)
        if cell.kind == TICKET:
            return any(other.kind in MASKED for other in after)
        return cell.kind == REWOUND and any(other.kind == REWOUND for other in after)

    return [cell for cell in cells if cell in shown or used(cell)]


@dataclass(frozen=True)
class Tickets:
    """The rounds of one group of seeds. `n` training samples, `validation` behind them and `test` others a seed.

    `rewind` is the step whose weights rewound tickets start from. `name` tells groups apart in what is kept, `title`
    to a person.
    """

    arrays: Arrays
    cells: Sequence[Cell]
    seeds: Sequence[int]
    recipe: Recipe
    n: int
    validation: int
    test: int
    rewind: int
    name: str
    title: str
    context: Context

    @cached_property
    def samples(self) -> Samples:
        """The split of every seed, standardised by one mean and spread; validation samples behind the training ones."""
        import numpy as np
        import torch

        from genlab_tui.data import arrays as prepare

        known = self.arrays
        mean, spread = float(known.x_train.mean()), float(known.x_train.std())
        parts = [prepare.split(known, self.n, s, n_val=self.validation, n_test=self.test) for s in self.seeds]

        def tensor(rows: Sequence[np.ndarray]) -> Tensor:
            return torch.from_numpy(np.stack(rows)).to(self.context.device)

        def inputs(rows: Sequence[np.ndarray]) -> Tensor:
            return tensor([prepare.flatten(((x - mean) / spread).astype(np.float32)) for x in rows])

        return Samples(
            inputs([np.concatenate((part.x_train, part.x_val)) for part in parts]),
            tensor([np.concatenate((part.y_train, part.y_val)) for part in parts]),
            inputs([part.x_test for part in parts]),
            tensor([part.y_test for part in parts]),
            known.classes,
            known.shape,
            -mean / spread,
        )

    def train(self, number: int, share: Share) -> Generator[ev.Event, None, dict[str, int]]:
        """Train a round; keep the masks of the next one. Returns how many networks ended how."""
        from genlab_tui.training.early_stop import EarlyStops, validation_loss
        from genlab_tui.training.train import train

        masked = any(cell.round == number and cell.kind in (*MASKED, REWOUND) for cell in self.cells)
        masks = self._kept(f"masks-{self.name}-{number % 2}") if masked else {}
        members, cells = self._members(number, masks)
        shown = {arm.name for arm in self.context.arms}
        later = {cell.arm: self.rewind for cell in cells if cell and cell.kind == REWOUND}
        stops = EarlyStops(self.context, shown, later)

        def body(context: Context) -> Generator[ev.Event, None, State]:
            probes = (validation_loss(self.n),)
            cohort = f"round {number}{self.title}"
            return train(members, self.samples, self.recipe, context, cohort=cohort, share=share, probes=probes)

        state = yield from stops.follow(body)
        self._keep_masks(number, state, members, cells, masks)
        if number == 0:
            self._keep_weights(state, members, cells)
        ends = [outcome.end for i, outcome in state.outcomes.items() if cells[i]]
        return {end: ends.count(end) for end in dict.fromkeys(ends)}

    def _members(self, number: int, masks: Mapping[str, list[Tensor]]) -> tuple[list[Member], list[Cell | None]]:
        """Return the members of a round, each with its cell; the network that gives the rewinding point has none."""
        here = [cell for cell in self.cells if cell.round == number]
        trained = self._kept(f"trained-{self.name}") if any(c.kind in (ONE_SHOT, TUNED) for c in here) else {}
        point = self._kept(f"rewind-{self.name}") if any(c.kind == REWOUND for c in here) else {}
        members: list[Member] = []
        cells: list[Cell | None] = []
        for place, seed in enumerate(self.seeds):
            for cell in here:
                recipe = replace(self.recipe, hidden=cell.hidden)
                member = Member(cell.arm, seed, inputs=place, labels=place, n=self.n, recipe=recipe)
                members.append(self._started(cell, member, masks, trained, point))
                cells.append(cell)
            if number == 0 and any(cell.kind == REWOUND for cell in self.cells):
                base = next(cell for cell in here if cell.size == 1)
                recipe = replace(self.recipe, hidden=base.hidden, steps=self.rewind)
                members.append(Member(_POINT, seed, inputs=place, labels=place, n=self.n, recipe=recipe))
                cells.append(None)
        return members, cells

    def _started(
        self,
        cell: Cell,
        member: Member,
        masks: Mapping[str, list[Tensor]],
        trained: Mapping[str, list[Tensor]],
        point: Mapping[str, list[Tensor]],
    ) -> Member:
        """Return a member with its mask and its start. Without a start, it begins with the draw of its seed."""
        seed = member.seed
        if cell.kind == DENSE:
            return member
        if cell.kind in (ONE_SHOT, TUNED):
            weights = trained[str(seed)]
            pruned = pruning.by_magnitude(weights[: len(cell.counts)], None, cell.counts)
            return replace(member, masks=pruned, start=weights if cell.kind == TUNED else None)
        own = masks[f"{cell.chain} {seed}"]
        if cell.kind == REINIT:
            return replace(member, masks=own, init=seeds.stream(seed, "re-initialisation", cell.round))
        if cell.kind == RANDOM:
            source = seeds.generator(seed, "random mask", cell.round)
            return replace(member, masks=pruning.at_random([mask.shape for mask in own], cell.counts, source))
        return replace(member, masks=own, start=point[str(seed)] if cell.kind == REWOUND else None)

    def _keep_masks(
        self,
        number: int,
        state: State,
        members: Sequence[Member],
        cells: Sequence[Cell | None],
        masks: Mapping[str, list[Tensor]],
    ) -> None:
        """Prune what was trained, for the next round. Two names take turns: a round done again finds its own masks."""
        after = {
            cell.chain: cell for cell in self.cells if cell.round == number + 1 and cell.kind in (*MASKED, REWOUND)
        }
        found: dict[str, list[Tensor]] = {}
        for i, (member, cell) in enumerate(zip(members, cells, strict=True)):
            chains = [] if cell is None else [f"{kind}-{cell.size:g}" for kind in _sources(cell)]
            for chain in (chain for chain in chains if chain in after):
                weights = state.trained(i).parameters.weights_of(0)
                key = f"{chain} {member.seed}"
                found[key] = pruning.by_magnitude(weights, masks.get(key), after[chain].counts)
        if found:
            self._keep(f"masks-{self.name}-{(number + 1) % 2}", found)

    def _keep_weights(self, state: State, members: Sequence[Member], cells: Sequence[Cell | None]) -> None:
        """Keep the weights that later rounds start from: those of the end and those of the rewinding point."""

        def numbers(wanted: Callable[[Cell | None], bool]) -> dict[str, list[Tensor]]:
            chosen = [i for i, cell in enumerate(cells) if wanted(cell)]
            return {str(members[i].seed): state.trained(i).parameters.tensors_of(0) for i in chosen}

        if any(cell.kind in (ONE_SHOT, TUNED) for cell in self.cells):
            self._keep(f"trained-{self.name}", numbers(lambda cell: cell is not None and cell.size == 1))
        if None in cells:
            self._keep(f"rewind-{self.name}", numbers(lambda cell: cell is None))

    def _keep(self, name: str, lists: Mapping[str, Sequence[Tensor]]) -> None:
        arrays = {f"{key} {at}": tensor for key, tensors in lists.items() for at, tensor in enumerate(tensors)}
        self.context.keep(name, arrays)

    def _kept(self, name: str) -> dict[str, list[Tensor]]:
        """Return lists of tensors on the device, as they were kept."""
        found: dict[str, dict[int, Tensor]] = {}
        for key, tensor in self.context.kept(name).items():
            stem, _, at = key.rpartition(" ")
            found.setdefault(stem, {})[int(at)] = tensor.to(self.context.device)
        return {stem: [rows[at] for at in sorted(rows)] for stem, rows in found.items()}


def _sources(cell: Cell) -> tuple[str, ...]:
    """Return the chains whose next masks a cell's trained weights decide."""
    return {DENSE: (TICKET, REWOUND), TICKET: (TICKET,), REWOUND: (REWOUND,)}.get(cell.kind, ())
