"""Which members train together: programs of members that batch, split where they would not fit the memory."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise

from genlab_tui.errors import BadValue
from genlab_tui.models import networks
from genlab_tui.training import cost
from genlab_tui.training.members import Member, Recipe, Samples


def recipes(members: Sequence[Member], common: Recipe) -> list[Recipe]:
    """Return every member's own recipe."""
    return [member.recipe or common for member in members]


def stream(member: Member, recipe: Recipe) -> Hashable:
    """Return what decides the inputs that a member sees, step by step: members with equal streams share them."""
    mixing, shift = recipe.strength("mixup"), recipe.strength("augmentation")
    return member.inputs, member.orders, mixing, round(shift)


def programs(
    members: Sequence[Member], samples: Samples, common: Recipe, budget: float | None = None, *, together: int = 1
) -> list[list[int]]:
    """Return the programs: positions of members that one batched program trains, in the order of their training.

    Members batch that agree in depth, batch size, number of samples, optimiser, loss, batch norm, schedule and early
    stopping (or not); their widths and everything else may differ. Networks other than perceptrons train one by one on
    each of `together` cores.
    A program needs at most `budget` bytes (default: what is free), unless one that cannot be split needs more. Raises
    BadValue for members, samples and recipe that do not fit together.
    """
    _check(members, samples, common)
    each = recipes(members, common)
    alike: dict[Hashable, list[int]] = {}
    for i, (member, recipe) in enumerate(zip(members, each, strict=True)):
        alike.setdefault(_key(member, recipe), []).append(i)
    limit = budget or cost.available(samples.inputs.device)
    plan = []
    for group in alike.values():
        if each[group[0]].network:
            plan += _crews(group, members, each, together)
        else:
            plan += _split(group, members, each, samples, limit)
    where = {i: number for number, part in enumerate(plan) for i in part}
    for i, member in enumerate(members):
        if member.follows is not None and where[member.follows] != where[i]:
            raise BadValue("a member can only follow one that trains beside it", "give both the same recipe")
    return plan


def halve(part: Sequence[int], members: Sequence[Member], each: Sequence[Recipe]) -> list[list[int]]:
    """Return a program in two, or whole where members that follow each other are all it has.

    Members of one stream stay together where that is possible, those that follow with their partners always.
    """
    clumps = _clumps(part, members, each, streams=True)
    if len(clumps) == 1:
        clumps = _clumps(part, members, each, streams=False)
    middle = (len(clumps) + 1) // 2
    halves = [[i for clump in half for i in clump] for half in (clumps[:middle], clumps[middle:])]
    return [half for half in halves if half]


def _check(members: Sequence[Member], samples: Samples, common: Recipe) -> None:
    sets, n = samples.inputs.shape[:2]
    if not members:
        raise BadValue("there is no member to train")
    if samples.labels.shape[1] != n or samples.test_inputs.shape[0] != sets or samples.test_labels.shape[0] != sets:
        raise BadValue("inputs, labels and test sets do not fit together")
    if max(m.inputs for m in members) >= sets or max(m.labels for m in members) >= len(samples.labels):
        raise BadValue("a member learns a set that is not there")
    for member, recipe in zip(members, recipes(members, common), strict=True):
        recipe.check()
        if not 0 <= member.n <= n:
            raise BadValue(f"a member learns {member.n} samples of {n}", f"nearest valid value: {n}")
        size = member.n or n
        if "batch-norm" in recipe.regularisers and min(recipe.batch, size - recipe.validation(size)) < 2:
            raise BadValue("batch norm needs batches of at least 2")


def _key(member: Member, recipe: Recipe) -> Hashable:
    optimiser = "adam" if recipe.optimiser == "adamw" else recipe.optimiser
    norm = recipe.norm if "batch-norm" in recipe.regularisers else ""
    return (
        *(len(recipe.hidden), recipe.batch, member.n, optimiser, recipe.nesterov, recipe.loss, norm),
        *(recipe.decay, recipe.drops, recipe.holds_out, recipe.log_points, recipe.dense, recipe.every),
        *(recipe.network, recipe.precision, recipe.check_every),
    )


def _clumps(
    part: Sequence[int], members: Sequence[Member], each: Sequence[Recipe], *, streams: bool
) -> list[list[int]]:
    """Return the members that follow one another together, and with `streams` those that share one."""
    root = {i: i for i in part}

    def find(i: int) -> int:
        while root[i] != i:
            i = root[i]
        return i

    first: dict[Hashable, int] = {}
    for i in part:
        if streams:
            root[find(i)] = find(first.setdefault(stream(members[i], each[i]), i))
        partner = members[i].follows
        if partner is not None and partner in root:
            root[find(i)] = find(partner)
    clumps: dict[int, list[int]] = {}
    for i in part:
        clumps.setdefault(find(i), []).append(i)
    return list(clumps.values())


def _crews(group: list[int], members: Sequence[Member], each: Sequence[Recipe], together: int) -> list[list[int]]:
    """Return networks by `together`, or by more where they follow one another."""
    crews: list[list[int]] = [[]]
    for clump in _clumps(group, members, each, streams=False):
        if crews[-1] and len(crews[-1]) + len(clump) > together:
            crews.append([])
        crews[-1] += clump
    return crews


def _split(
    group: list[int], members: Sequence[Member], each: Sequence[Recipe], samples: Samples, limit: float
) -> list[list[int]]:
    # One member of which a part trains makes the program keep multipliers of everyone.
    frozen = any(members[i].trains is not None for i in group)
    needed = sum(member_bytes(samples, each[i], frozen=frozen) for i in group)
    parts = halve(group, members, each)
    if needed <= limit or len(parts) == 1:
        return [group]
    return [piece for part in parts for piece in _split(part, members, each, samples, limit)]


def member_bytes(samples: Samples, recipe: Recipe, *, frozen: bool = False) -> float:
    """Estimate the memory that training a member takes beside the samples.

    `frozen` if it trains beside one of which not everything does, or is one: multipliers are kept of all of them.
    """
    if recipe.network:
        return 0.0
    sizes = (samples.features, *recipe.hidden, samples.classes)
    parameters = sum((a + 1) * b for a, b in pairwise(sizes))
    copies = (2 if recipe.optimiser == "sgd" else 4) + recipe.holds_out + frozen
    activations = recipe.batch * (samples.features + 4 * sum(sizes[1:]))
    return samples.inputs.element_size() * (copies * parameters + activations)


def costs(members: Sequence[Member], samples: Samples, common: Recipe) -> list[float]:
    """Return what every member's training costs, relative to each other: for the progress bar."""
    found = []
    for member, recipe in zip(members, recipes(members, common), strict=True):
        n = member.n or samples.n
        found.append(n * expected_epochs(member, samples, recipe) * sum(_products(samples, recipe)))
    return found


def expected_epochs(member: Member, samples: Samples, recipe: Recipe) -> float:
    """Return the epochs that a member is expected to train: what it says, else its recipe's limit."""
    steps = recipe.steps * recipe.batch / (member.n or samples.n)
    return member.expected_epochs or (steps if recipe.steps else recipe.epochs)


def work(samples: Samples, recipe: Recipe) -> float:
    """Return what a step of a member costs, relative to each other: its arithmetic, and what it never goes below."""
    return sum(_products(samples, recipe)) + 5e3


def pass_share(each: Sequence[Recipe], samples: Samples) -> float:
    """Return what a forward pass costs of training: more than a third, as the first layer needs no derivative."""
    if each[0].network:
        return 1 / 3
    forward = sum(sum(_products(samples, recipe)) for recipe in each)
    first = sum(_products(samples, recipe)[0] for recipe in each)
    return forward / (3 * forward - first)


def _products(samples: Samples, recipe: Recipe) -> list[float]:
    """Return the multiplications per sample of each layer of a perceptron; of other networks, their sum."""
    if recipe.network:
        return [networks.multiplications(recipe.network, samples.shape)]
    sizes = (samples.features, *recipe.hidden, samples.classes)
    return [float(a * b) for a, b in pairwise(sizes)]
