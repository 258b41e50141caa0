"""Numbers that do not train: never changed, and all else as one-at-a-time training with torch has it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from genlab_tui.training import modules, plan
from genlab_tui.training.graphs import Replay
from genlab_tui.training.members import Member, Recipe
from genlab_tui.training.shard import Shard

PENALTIES = {"weight-decay": 0.1, "l1": 1e-3}
NORM = {"batch-norm": 0.2}
BASE = Recipe((9, 7), "sgd", 0.05, decay=0.97, batch=13, epochs=6, target=2)
WIDTHS = ((9, 7), (5, 7), (9, 7))


def _start(kit: SimpleNamespace, member: Member, recipe: Recipe) -> list[Tensor]:
    recipe = member.recipe or recipe
    norm = "batch-norm" in recipe.regularisers
    drawn = kit.population(recipe.hidden, [member.init_seed], batch_norm=norm)
    return [number.clone() for number in drawn.parameters.tensors_of(0)]


def _some(numbers: Sequence[Tensor], seed: int, share: float = 0.3) -> list[Tensor]:
    source = torch.Generator().manual_seed(seed)
    return [torch.rand(number.shape, generator=source) < share for number in numbers]


def _members(kit: SimpleNamespace, recipe: Recipe, rates: Sequence[float] = (0.05, 0.05, 0.05, 0.05)) -> list[Member]:
    """Return one that trains a part of everything, one that trains vectors alone, one nothing, one everything."""
    made = [
        Member(f"m{k}", 1 + k % 2, labels=k % 2, recipe=dataclasses.replace(recipe, hidden=hidden, lr=lr))
        for k, (hidden, lr) in enumerate(zip((*WIDTHS, WIDTHS[0]), rates, strict=True))
    ]
    numbers = [_start(kit, member, recipe) for member in made]
    trains: list[Any] = [
        _some(numbers[0], 1),
        [torch.full(number.shape, float(number.dim() == 1), dtype=number.dtype) for number in numbers[1]],
        [torch.zeros((), dtype=torch.bool).expand(number.shape) for number in numbers[2]],
        None,
    ]
    return [dataclasses.replace(member, trains=own) for member, own in zip(made, trains, strict=True)]


RECIPES = {
    "sgd": BASE,
    "sgd, penalties": dataclasses.replace(BASE, regularisers=PENALTIES | NORM),
    "nesterov": dataclasses.replace(BASE, nesterov=True, regularisers=NORM),
    "coupled": dataclasses.replace(BASE, coupled=True, regularisers=PENALTIES),
    "adam": dataclasses.replace(BASE, optimiser="adam", regularisers=NORM),
    "adamw": dataclasses.replace(BASE, optimiser="adamw", regularisers=PENALTIES),
    "dropout": dataclasses.replace(BASE, optimiser="adam", regularisers={"dropout": 0.2, "mixup": 0.3} | NORM),
}


@pytest.mark.parametrize("rates", [(0.05,) * 4, (0.05, 0.02, 0.01, 0.03)], ids=["one rate", "four rates"])
@pytest.mark.parametrize("name", RECIPES)
def test_the_rest_trains_as_with_torch_and_frozen_numbers_stay(
    kit: SimpleNamespace, name: str, rates: tuple[float, ...]
) -> None:
    recipe = RECIPES[name]
    samples = kit.make_samples()
    members = _members(kit, recipe, rates)
    result = kit.run(members, samples, recipe)
    assert len(result.state.plan) == 1, "whoever freezes something trains beside those that train everything"
    kit.assert_equal_to_plain(result, members, samples, recipe)
    for i, member in enumerate(members):
        begun, ended = _start(kit, member, recipe), result.state.trained(i).parameters.tensors_of(0)
        for before, after, moves in zip(begun, ended, member.trains or [torch.ones(())] * len(begun), strict=True):
            still = (moves == 0).expand(before.shape)
            assert torch.equal(before[still], after[still]), "to the last bit"
            assert bool((before[~still] != after[~still]).any()) == bool((~still).any())


@pytest.mark.parametrize("name", ["sgd, penalties", "adamw"])
def test_rows_that_train_everything_do_not_notice(kit: SimpleNamespace, name: str) -> None:
    recipe = RECIPES[name]
    samples = kit.make_samples()
    members = _members(kit, recipe)
    with_frozen = kit.run(members, samples, recipe)
    without = kit.run([dataclasses.replace(member, trains=None) for member in members], samples, recipe)
    assert torch.equal(with_frozen.state.weights[3][0], without.state.weights[3][0])


def test_running_statistics_move_where_nothing_trains(kit: SimpleNamespace) -> None:
    recipe = dataclasses.replace(BASE, regularisers=NORM)
    result = kit.run(_members(kit, recipe), kit.make_samples(), recipe)
    statistics = result.state.trained(2).statistics
    assert not torch.equal(statistics.flat, torch.zeros_like(statistics.flat))
    for variance in statistics.vectors_of(0)[1::2]:
        assert bool((variance != 1.0).all())


def test_masks_and_frozen_numbers_together(kit: SimpleNamespace) -> None:
    """A pruned weight is 0 and stays so, whether it trains or not."""
    recipe = dataclasses.replace(BASE, regularisers=PENALTIES)
    member = _members(kit, recipe)[0]
    assert member.trains is not None
    masks = _some(member.trains[:3], 5, 0.6)
    members = [dataclasses.replace(member, masks=[mask.double() for mask in masks]), Member("plain", 2, recipe=recipe)]
    samples = kit.make_samples()
    result = kit.run(members, samples, recipe)
    kit.assert_equal_to_plain(result, members, samples, recipe)
    for weight, mask in zip(result.state.trained(0).parameters.weights_of(0), masks, strict=True):
        assert bool((weight[~mask] == 0).all())


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_stopped_and_resumed_it_ends_with_the_same_bits(kit: SimpleNamespace, optimiser: str, monkeypatch: Any) -> None:
    """Also once members have left, so that rows were packed anew."""
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", -1.0)
    recipe = dataclasses.replace(BASE, optimiser=optimiser, regularisers=PENALTIES | NORM)
    members = _members(kit, recipe)
    for k in (0, 3):
        own = members[k].recipe
        assert own is not None
        members[k] = dataclasses.replace(members[k], recipe=dataclasses.replace(own, steps=8))
    samples = kit.make_samples(dtype=torch.float32)
    desk = kit.Desk()
    whole = kit.run(members, samples, recipe, desk)
    assert len(whole.state.rows) == 2
    for stop in (3, 8, 12, desk.polls):
        before = kit.run(members, samples, recipe, kit.Desk(stop_at=stop))
        after = kit.run(members, samples, recipe, kit.Desk(before.saved))
        for i in range(len(members)):
            for mine, theirs in zip(after.state.weights[i], whole.state.weights[i], strict=True):
                assert torch.equal(mine, theirs), (stop, i)


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_a_module_trains_what_it_may_alone(kit: SimpleNamespace, optimiser: str) -> None:
    """Scale and shift of a convolutional network: as torch trains it when nothing else asks for a gradient."""
    recipe = Recipe((), optimiser, 0.01, batch=8, epochs=2, target=2, network="cnn-5:2")
    recipe = dataclasses.replace(recipe, regularisers={"batch-norm": 0.2, "weight-decay": 0.1})
    samples = kit.make_samples(n=20, k=10, shape=(1, 16, 16), noise=0.5)
    drawn = modules.initial(recipe, 3, samples)
    scales = [id(v) for m in drawn.module.modules() if isinstance(m, torch.nn.BatchNorm2d) for v in (m.weight, m.bias)]
    trains = [torch.tensor(id(p) in scales).expand(p.shape) for p in (*drawn.weights, *drawn.vectors)]
    member = Member("scales", 3, trains=trains)
    result = kit.run([member, Member("all", 3)], samples, recipe)
    module = copy.deepcopy(drawn.module).to(memory_format=torch.contiguous_format)
    own = [p for m in module.modules() if isinstance(m, torch.nn.BatchNorm2d) for p in (m.weight, m.bias)]
    other = torch.optim.SGD(own, 0.01, 0.9) if optimiser == "sgd" else torch.optim.AdamW(own, 0.01, weight_decay=0.0)
    plain = dataclasses.replace(recipe, network="", regularisers={})
    draws = kit.Draws([member], samples, plain)
    for epoch in range(recipe.epochs):
        draws.begin(epoch)
        module.train()
        for position in range(len(draws.bounds)):
            x, target = draws.batch(position)
            other.zero_grad()
            kit.loss_of(module(x[0].view(-1, *samples.shape)), target[0], "cross-entropy").backward()
            other.step()
    ended = result.state.trained(0)
    for mine, theirs in zip(ended.module.state_dict().values(), module.state_dict().values(), strict=True):
        if mine.is_floating_point():
            torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-11)
    for kernel, begun in zip(ended.weights, drawn.weights, strict=True):
        assert torch.equal(kernel, begun)


def test_what_does_not_fit_the_network_is_refused(kit: SimpleNamespace) -> None:
    member = _members(kit, BASE)[0]
    assert member.trains is not None
    with pytest.raises(ValueError, match="shorter"):
        kit.run([dataclasses.replace(member, trains=member.trains[:-1])], kit.make_samples(), BASE)


def test_marks_of_frozen_numbers_count_in_the_budget(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    weights = 25 * 9 + 9 * 7 + 7 * 4 + 9 + 7 + 4
    assert plan.member_bytes(samples, BASE, frozen=True) == plan.member_bytes(samples, BASE) + 8 * weights
    members = _members(kit, BASE)
    budget = sum(plan.member_bytes(samples, member.recipe or BASE) for member in members)
    assert len(plan.programs(members, samples, BASE, budget)) > 1
    free = [dataclasses.replace(member, trains=None) for member in members]
    assert len(plan.programs(free, samples, BASE, budget)) == 1
    one = [dataclasses.replace(free[0], trains=members[0].trains), *free[1:]]
    with_all = sum(plan.member_bytes(samples, member.recipe or BASE, frozen=True) for member in members)
    assert len(plan.programs(one, samples, BASE, with_all)) == 1
    assert len(plan.programs(one, samples, BASE, with_all - 1)) > 1, "one of which a part trains: marks for every row"


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_replayed_steps_freeze_the_same(kit: SimpleNamespace, monkeypatch: Any, optimiser: str) -> None:
    """As a GPU records them: the marks are tensors that stay where they are."""
    recipe = dataclasses.replace(BASE, optimiser=optimiser, regularisers=PENALTIES | NORM)
    samples, members = kit.make_samples(), _members(kit, recipe, (0.05, 0.02, 0.01, 0.03))
    plain = kit.run(members, samples, recipe)

    def record(shard: Shard) -> Replay:
        return Replay(shard._step, lambda: [stack.flat for stack in shard.parts.values()], record=False)

    monkeypatch.setattr(Shard, "_recorder", record)
    replayed = kit.run(members, samples, recipe)
    for i in range(len(members)):
        torch.testing.assert_close(replayed.state.weights[i][0], plain.state.weights[i][0], rtol=1e-11, atol=1e-13)
    assert torch.equal(replayed.state.weights[2][0], plain.state.weights[2][0])
