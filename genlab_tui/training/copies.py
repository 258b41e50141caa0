"""Copies of a network that share their first steps and then see the samples in orders of their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from torch import Tensor

from genlab_tui.training import matching, seeds
from genlab_tui.training.members import Member
from genlab_tui.training.nets import Net
from genlab_tui.training.paths import Path
from genlab_tui.training.state import State

COPY, THIRD, INDEPENDENT = "order of a copy", "order of a third copy", "independent network"


def members(
    arms: Sequence[str], forks: Mapping[str, int], group: Sequence[int], *, again: str, independent: str
) -> list[Member]:
    """Return one member per arm and seed, all of a seed on its one split.

    An arm in `forks` takes the steps of the seed's own order up to that one, and those of another order after it: the
    same other order whatever the step, so that arms differ in nothing else. `again` has a third order from the start,
    `independent` also initial weights of its own; any other arm is the network of the seed itself.
    """
    found = []
    for place, seed in enumerate(group):
        for arm in arms:
            init = order = None
            if arm in forks:
                order = seeds.stream(seed, COPY)
            elif arm == again:
                order = seeds.stream(seed, THIRD)
            elif arm == independent:
                init = order = seeds.stream(seed, INDEPENDENT)
            start = forks.get(arm, 0)
            found.append(Member(arm, seed, place, place, init=init, order=order, order_from=start))
    return found


def paths(state: State, first: str) -> list[Path]:
    """Return the lines from the network of each seed, arm `first`, to all others of that seed; none without it."""
    starts = {member.seed: i for i, member in enumerate(state.members) if member.arm == first}
    return [
        Path(member.arm, member.seed, _end(state, starts[member.seed]), _end(state, i), state.weights[i][1], place)
        for i, member in enumerate(state.members)
        if member.arm != first and member.seed in starts
        for place in (member.inputs,)
    ]


def _end(state: State, member: int) -> Tensor:
    """Return the final numbers of a member, NaN where it diverged."""
    flat = state.weights[member][0]
    return flat * math.nan if state.outcomes[member].end == "diverged" else flat


def reordered(
    state: State, pairs: Sequence[Path], matched: str, shuffled: str, poll: Callable[[], None]
) -> Iterator[Path]:
    """Yield the lines to the ends of some paths with hidden units matched to their start's, and in a random order.

    Two of each path, the matched one first. `poll` is called before each path: matching wide layers takes its time.
    """
    net = Net((state.samples.features, *state.recipe.hidden, state.samples.classes))
    for path in pairs:
        poll()
        finite = bool(path.start.isfinite().all()) and bool(path.end.isfinite().all())
        random = matching.shuffle(net, path.seed)
        orders = matching.match(net, path.start, path.end, path.seed).orders if finite else random
        for arm, order in ((matched, orders), (shuffled, random)):
            end = matching.permuted(net, path.end, order)
            yield Path(arm, path.seed, path.start, end, path.averages, path.place)
