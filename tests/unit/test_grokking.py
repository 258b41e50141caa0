"""Grokking: the table and its leakage, gradients against autograd, AdamW against torch's, arms, verdicts, the looks."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.phenomena._grokking import claims as judged
from genlab_tui.phenomena._grokking.config import (
    COMMUTATIVE,
    CONTROL,
    LEAK,
    MAIN,
    OPERATIONS,
    SPLITS,
    SUMMED,
    decay_arm,
    expected_steps,
    fraction_arm,
)
from genlab_tui.phenomena.grokking import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.training import modular
from genlab_tui.training.grokking import HOLD, Track, gone, looks, measures, train
from genlab_tui.training.pair_block import Block, Protocol, Task, blocks_of
from genlab_tui.training.pair_mlp import MlpPass, PairMlp
from genlab_tui.training.pair_space import BLOCK, perceptron_buffers
from genlab_tui.training.pair_table import Places, Workspace
from genlab_tui.training.pair_transformer import PairTransformer, TransformerPass
from genlab_tui.verdict import Status, Verdict, judge

GROKS, DECAY, DATA = (
    "the network generalises long after it fits",
    "more weight decay groks sooner",
    "more data groks sooner",
)
CPU = torch.device("cpu")


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_pair_has_the_answer_of_its_operation(operation: str) -> None:
    p = 13
    table = modular.table(operation, p)
    back = {
        "addition": (table.answer - table.b) % p,
        "subtraction": (table.answer + table.b) % p,
        "multiplication": table.answer * np.array([pow(int(b), -1, p) if b else 0 for b in table.b]) % p,
        "division": table.answer * table.b % p,
    }[operation]
    assert (back == table.a).all()
    sizes = {"addition": p * p, "subtraction": p * p, "multiplication": (p - 1) ** 2, "division": p * (p - 1)}
    assert table.n == sizes[operation]
    assert len({(a, b) for a, b in zip(table.a.tolist(), table.b.tolist(), strict=True)}) == table.n


@pytest.mark.parametrize("operation", OPERATIONS)
def test_pairs_are_held_out_with_their_mirror_images(operation: str) -> None:
    """The pitfall: a random split of ordered pairs gives half of the held-out ones away to a symmetric network."""
    table = modular.table(operation, 31)
    for fraction in (0.3, 0.5, 0.8):
        train = modular.split(table, fraction, 200_000)
        assert modular.leakage(table, train) == 0.0
        leaks = modular.leakage(table, modular.split(table, fraction, 200_000, ordered=True))
        assert leaks == pytest.approx(fraction, abs=0.08)
        assert train.mean() == pytest.approx(fraction, abs=0.02)
        assert len({int(modular.split(table, fraction, seed).sum()) for seed in range(5)}) == 1


def test_a_seed_s_splits_are_nested_and_its_own() -> None:
    table = modular.table("addition", 23)
    small, large = (modular.split(table, fraction, 7) for fraction in (0.3, 0.8))
    assert (large | ~small).all()
    assert (modular.split(table, 0.3, 7) == small).all()
    assert (modular.split(table, 0.3, 8) != small).any()


# --- networks ---------------------------------------------------------------------------------------------------------


def _trained_on(table: modular.Table, count: int, fraction: float = 0.5) -> torch.Tensor:
    masks = [modular.split(table, fraction, seed) for seed in range(count)]
    return torch.as_tensor(np.stack([np.flatnonzero(mask) for mask in masks]))


def _numbers(net: PairMlp | PairTransformer, count: int) -> torch.Tensor:
    flat = net.initial(list(range(count)), torch.float64)
    return flat + 0.1 * torch.randn(flat.shape, dtype=flat.dtype, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("summed", [False, True])
def test_the_hand_written_gradient_is_autograd_s(summed: bool) -> None:
    table, net = modular.table("division", 11), PairMlp(11, 5, 7, summed)
    train, flat, places = _trained_on(table, 3), _numbers(net, 3), Places(table, CPU)
    found = torch.zeros_like(flat)
    way, space = MlpPass(net, places, train), Workspace()
    for _ in range(2):  # the second time buffers are full of the first
        way.begin(flat, space)
        way.gradient(flat, found, 0)
    numbers = flat.clone().requires_grad_()
    outputs = net.outputs(numbers, places.a[train], places.b[train])
    loss = torch.nn.functional.cross_entropy(outputs.mT, places.answer[train], reduction="none").mean(1).sum()
    (expected,) = torch.autograd.grad(loss, numbers)
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("summed", [False, True])
def test_outputs_are_those_of_a_plain_network(summed: bool) -> None:
    """Embeddings side by side, written out: the first layer per symbol is only a way to compute it."""
    net = PairMlp(11, 5, 7, summed)
    flat = _numbers(net, 2)
    a, b = torch.tensor([1, 4, 4]), torch.tensor([2, 4, 10])
    for row, out in zip(range(2), net.outputs(flat, a, b), strict=True):
        embedding, first, read, bias, last = (part[row] for part in net.split(flat))
        x = embedding[a] + embedding[b] if summed else torch.cat((embedding[a], embedding[b]), 1)
        assert torch.allclose(torch.relu(x @ first.T + bias) @ read.T + last, out, atol=1e-12)
    same = torch.allclose(net.outputs(flat, a, b), net.outputs(flat, b, a))
    assert same is summed, "a network on summed embeddings cannot tell (a, b) from (b, a), the other can"


@pytest.mark.parametrize("norm", [False, True])
def test_the_transformer_sees_positions_and_nothing_ahead(norm: bool) -> None:
    net = PairTransformer(11, 8, 2, 2, 16, norm=norm, sign=norm)
    flat = _numbers(net, 3)
    assert flat.shape == (3, net.size)
    assert {name: tuple(part.shape[1:]) for name, part in net.split(flat).items()} == net.shapes
    a, b = torch.tensor([[1, 2]] * 3), torch.tensor([[5, 6]] * 3)
    tokens = net.written(a, b)
    assert tokens.shape == (3, 2, 4 if norm else 3)
    assert net.outputs(flat, a, b).shape == (3, 2, 11)
    stream = net.stream(flat, tokens)
    changed = tokens.clone()
    changed[..., -2] = 7  # b is the last token but one
    after = net.stream(flat, changed)
    assert torch.equal(after[:, :, :-2], stream[:, :, :-2]), "attention looked ahead"
    assert not torch.allclose(after[:, :, -1], stream[:, :, -1])
    assert not torch.allclose(net.outputs(flat, a, b), net.outputs(flat, b, a)), "positions are not told apart"


def test_members_know_nothing_of_each_other() -> None:
    net = PairTransformer(11, 8, 1, 2, 16, norm=True, sign=True)
    flat, a, b = _numbers(net, 3), torch.arange(5), torch.arange(5, 10)
    alone = torch.cat([net.outputs(flat[k : k + 1], a, b) for k in range(3)])
    assert torch.allclose(net.outputs(flat, a, b), alone, atol=1e-12)


def test_a_batch_is_half_of_the_samples_at_most_and_an_epoch_sees_each_once() -> None:
    table, net = modular.table("addition", 11), PairTransformer(11, 8, 1, 2, 16)
    train = _trained_on(table, 2)
    way = TransformerPass(net, Places(table, CPU), train, [0, 1], 10_000)
    assert way.batch == train.shape[1] // 2
    drawn = torch.cat([way._batch(step) for step in range(2)], 1)
    assert all(len(set(row.tolist())) == 2 * way.batch for row in drawn)
    assert set(drawn[0].tolist()) <= set(train[0].tolist())
    assert not torch.equal(way._batch(0), way._batch(2))


# --- steps ------------------------------------------------------------------------------------------------------------


def _block(net: PairMlp | PairTransformer, decays: tuple[float, ...], **rule: Any) -> Block:
    fields = {"operation": "addition", "p": 11, "steps": 100, "lr": 0.01, "betas": (0.9, 0.98)}
    protocol = Protocol(**{**fields, "fit": 0.99, "general": 0.95, "cap": 2.0, "dtype": torch.float64, **rule})
    table = modular.table(protocol.operation, protocol.p)
    tasks = [Task(MAIN, seed, net, decay, 0.5) for seed, decay in enumerate(decays)]
    masks = torch.as_tensor(np.stack([modular.split(table, 0.5, task.seed) for task in tasks]))
    return Block(range(len(tasks)), tasks, masks, Places(table, CPU), protocol).draw()


@pytest.mark.parametrize("net", [PairMlp(11, 5, 7), PairTransformer(11, 8, 1, 2, 16, norm=True)])
def test_steps_are_those_of_torch_s_adamw(net: PairMlp | PairTransformer) -> None:
    """The pitfall: weight decay is decoupled, and every member has its own."""
    block = _block(net, (0.0, 3.0))
    start = block.numbers[0].clone()
    block.advance(0, 30, Workspace())
    places = block.places
    for row, task in enumerate(block.tasks):
        flat = start[row : row + 1].clone().requires_grad_()
        optimiser = torch.optim.AdamW([flat], lr=0.01, betas=(0.9, 0.98), weight_decay=task.decay)
        chosen = block.masks[row].nonzero()[:, 0]
        for _ in range(30):
            optimiser.zero_grad()
            outputs = net.outputs(flat, places.a[chosen], places.b[chosen])[0]
            torch.nn.functional.cross_entropy(outputs, places.answer[chosen]).backward()
            optimiser.step()
        assert torch.allclose(block.numbers[0, row], flat.detach()[0], atol=1e-9)


def test_warm_up_begins_with_a_share_of_the_rate() -> None:
    net = PairMlp(11, 5, 7)
    slow, quick = _block(net, (0.0,), warmup=10), _block(net, (0.0,))
    start = slow.numbers[0].clone()
    for block in (slow, quick):
        block.advance(0, 1, Workspace())
    assert torch.allclose((slow.numbers[0] - start) * 10, quick.numbers[0] - start, atol=1e-12)


@pytest.mark.parametrize("sign", [False, True])
def test_a_few_steps_of_a_transformer_lower_its_loss(sign: bool) -> None:
    block = _block(PairTransformer(11, 16, 1, 4, 32, norm=sign, sign=sign), (1.0,), batch=16, warmup=5)
    before = block.look()[0][2]
    block.advance(0, 60, Workspace())
    assert block.look()[0][2] < 0.8 * before


def test_the_steps_do_not_depend_on_where_they_are_cut() -> None:
    net = PairTransformer(11, 8, 1, 2, 16)
    whole, parts = _block(net, (1.0, 0.0), batch=16), _block(net, (1.0, 0.0), batch=16)
    whole.advance(0, 20, Workspace())
    parts.advance(0, 7, Workspace())
    parts.advance(7, 20, Workspace())
    assert torch.equal(whole.numbers, parts.numbers)


def test_a_block_goes_on_without_those_that_ended() -> None:
    whole = _block(PairMlp(11, 5, 7), (1.0, 0.0, 3.0))
    alone = _block(PairMlp(11, 5, 7), (1.0, 0.0, 3.0))
    whole.advance(0, 10, Workspace())
    alone.advance(0, 5, Workspace())
    masks, tasks = alone.masks, alone.tasks
    rest = alone.without([1], lambda rows: Block(rows, tasks, masks, alone.places, alone.rule))
    assert rest is not None
    assert rest.rows == [0, 2]
    rest.advance(5, 10, Workspace())
    assert torch.allclose(rest.numbers, whole.numbers[:, [0, 2]], atol=1e-12)
    assert rest.without([0, 2], lambda rows: rest) is None


def test_a_network_that_has_collapsed_is_right_nowhere() -> None:
    """Equal outputs everywhere: to count a tie as right would make strong decay look like understanding."""
    block = _block(PairMlp(11, 5, 7), (1.0,))
    block.numbers[0].zero_()
    train, test, loss, *_ = block.look()[0]
    assert (train, test) == (0.0, 0.0)
    assert loss == pytest.approx(math.log(11))
    block.numbers[0].fill_(math.nan)
    assert all(map(math.isnan, block.look()[0]))


def test_members_of_a_block_have_as_many_samples() -> None:
    table, net = modular.table("addition", 59), PairMlp(59, 64, 128)
    leaky = PairMlp(59, 64, 128, True)
    tasks = [Task(MAIN, s, net, 1.0, 0.5) for s in range(30)] + [Task(DATA, s, net, 1.0, 0.8) for s in range(30)]
    tasks += [Task(LEAK, s, leaky, 1.0, 0.5, ordered=True) for s in range(30)]
    blocks = blocks_of(tasks, table, "cpu")
    assert sorted(row for rows in blocks for row in rows) == list(range(90))
    assert all(len({(tasks[row].net, tasks[row].fraction) for row in rows}) == 1 for rows in blocks)
    assert len(blocks_of(tasks, table, "cuda:0")) == 3


def test_looks_are_a_few_per_cent_apart_and_reach_the_end() -> None:
    for steps in (10, 700, 100_000):
        grid = looks(steps)
        assert grid[0] == 1
        assert grid[-1] == steps
        assert all(1 <= b - a <= max(0.021 * a + 1, 1) for a, b in itertools.pairwise(grid))
    assert len(looks(100_000)) < 500


def test_what_was_never_reached_is_told_from_what_was_lost() -> None:
    fine = Track(fit=50, general=600, at_fit=0.01, best=0.99, best_train=1.0, held=HOLD, ended=700)
    never = Track(fit=40, at_fit=0.02, best=0.03, best_train=1.0, ended=1200)
    unfitted, lost = Track(best=0.1, best_train=0.4, ended=1200), Track(lost=True, ended=3)
    found = measures([fine, never, unfitted, lost], [0.0] * 4)
    assert found["delay"][:2] == [12.0, 0.0]
    assert found["general_step"][:3] == [600.0, math.inf, math.inf]
    assert all(math.isnan(found[name][3]) for name in found if name not in ("end_step", "leakage"))
    assert math.isnan(found["delay"][2])
    assert math.isnan(found["fit_step"][2])


def test_done_rises_evenly_to_the_guess_and_slowly_beyond_it() -> None:
    """Limits only come nearer: when the main arm generalises, those that wait for it get one."""
    steps = range(1, 1001)
    found = [gone(step, 100.0, 1000.0 if step < 150 else 300.0) for step in steps if step <= 300]
    assert found == sorted(found)
    assert found[39] == pytest.approx(0.4)
    assert found[79] == pytest.approx(0.8)
    assert 0.8 < found[99] < found[199] < 1.0
    assert found[-1] == 1.0
    assert [gone(step, math.inf, 1000.0) for step in (500, 1000)] == pytest.approx([0.5, 1.0])


def test_progress_weighs_members_by_their_steps_and_leaves_the_time_left_to_the_worker() -> None:
    # Any test accuracy is enough: a member is over once it has fitted.
    rule = Protocol("addition", 11, 60, 0.01, (0.9, 0.98), 0.99, 0.0, 2.0)
    net = PairMlp(11, 16, 32)
    tasks = [Task(MAIN, seed, net, 1.0, 0.5, expected=30.0) for seed in range(2)]
    tasks += [Task(CONTROL, 0, net, 0.0, 0.3, expected=1e9)]
    context: Any = SimpleNamespace(device="cpu", resume=lambda: None, poll=lambda save: None)
    said = [one for one in train(tasks, rule, context, cohort="made", threads=1) if isinstance(one, ev.Progress)]
    assert said
    assert all(one.eta == -1.0 for one in said)
    assert [one.done for one in said] == sorted(one.done for one in said)
    assert said[-1].done == 1.0


# --- declaration ------------------------------------------------------------------------------------------------------


def _spec(preset: str = "quick", seeds: int = 3, arms: tuple[str, ...] = (), **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", "grokking", config, preset=preset, seeds=seeds, arms=arms)


def test_the_arms_of_the_presets() -> None:
    quick = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in quick] == [MAIN, "decay-3", CONTROL, "fraction-0.8", LEAK]
    assert [arm.name for arm in quick if arm.control] == [CONTROL, LEAK]
    standard = PHENOMENON.arms_of(_spec("standard"))
    assert [arm.name for arm in standard] == [MAIN, "decay-3", CONTROL, "fraction-0.3", "fraction-0.8", LEAK]
    assert PHENOMENON.preset("standard").seeds >= 5
    for preset in ("paper", "nanda"):
        assert LEAK not in [arm.name for arm in PHENOMENON.arms_of(_spec(preset))]
        assert PHENOMENON.preset(preset).gpu
        assert "not confirmed" in PHENOMENON.preset(preset).note
    assert 5 < PHENOMENON.estimate(PHENOMENON.make_config("quick"), _spec()).seconds < 60


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_leak_is_an_arm_where_its_network_can_fit_the_table(operation: str) -> None:
    """Its embeddings are added: of (a, b) and (b, a) with different answers it gets one right at most."""
    table = modular.table(operation, 13)
    answers = {(a, b): c for a, b, c in zip(table.a.tolist(), table.b.tolist(), table.answer.tolist(), strict=True)}
    alike = all(answers.get((b, a), c) == c for (a, b), c in answers.items())
    assert (operation in COMMUTATIVE) is alike
    assert (LEAK in [arm.name for arm in PHENOMENON.arms_of(_spec(operation=operation))]) is alike
    leak = _spec("leak", operation=operation)
    if alike:
        assert LEAK in [arm.name for arm in PHENOMENON.arms_of(leak)]
    else:
        with pytest.raises(BadValue, match=f"cannot fit {operation}") as error:
            PHENOMENON.arms_of(leak)
        assert "concatenated" in str(error.value.hint)
        assert PHENOMENON.arms_of(_spec(operation=operation, split=SPLITS[1])), "this network can tell them apart"
        assert PHENOMENON.arms_of(_spec(operation=operation, embedding=SUMMED, model="transformer")), "not read there"


def test_the_memory_of_a_perceptron_has_its_buffers_in_it() -> None:
    table, net = modular.table("addition", 11), PairMlp(11, 5, 7)
    train_, flat, space = _trained_on(table, 3), _numbers(net, 3), Workspace()
    MlpPass(net, Places(table, CPU), train_).begin(flat, space)
    held = sum(one.numel() for one in space._made.values())
    n = train_.shape[1]
    assert held == 3 * (perceptron_buffers(11, 7, n) + n), "n more: the ones that are taken off the softmax"

    def memory(seeds: int = 1, arms: tuple[str, ...] = (MAIN,), **values: Any) -> float:
        spec = _spec(seeds=seeds, arms=arms, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).bytes

    wide = memory(p=199, hidden=8192, embed=4)
    assert 2.6e9 < wide < 3.5e9, "one network is one block, and one thread has it"
    assert memory(p=199, hidden=8192, embed=4, precision="float64") > 1.8 * wide
    assert memory() < 3e8 + 4 * 3 * BLOCK["cpu"] + 1e7


def test_what_is_expected_of_an_arm_is_within_its_budget() -> None:
    spec = _spec("standard")
    config = PHENOMENON.config_of(spec)
    guesses = {arm.name: expected_steps(config, arm) for arm in PHENOMENON.arms_of(spec)}
    assert all(0 < steps <= config.steps for steps in guesses.values())
    assert guesses[CONTROL] == config.cap * guesses[MAIN]


@pytest.mark.parametrize(
    ("values", "named", "hint"),
    [
        ({"p": 60}, "p = 60 is not a prime", "59"),
        ({"fractions": (0.5, 0.8)}, "fractions has 0.5", "0.8"),
        ({"decays": (1.0,)}, "decays has 1", "3"),
        ({"model": "transformer", "embed": 66}, "embed = 66 is no multiple of the 4 heads", "64"),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any], named: str, hint: str) -> None:
    spec = _spec(**values)
    with pytest.raises(BadValue, match=named) as error:
        PHENOMENON.plan(PHENOMENON.config_of(spec), spec)
    assert hint in str(error.value.hint)


def test_bounds_and_repetitions_are_refused() -> None:
    for values in ({"p": 7}, {"fractions": (0.8, 0.8)}, {"lr": 0.0}, {"operation": "power"}, {"cap": 1.0}):
        with pytest.raises(BadValue):
            PHENOMENON.make_config("quick", values)


# --- the verdict, on numbers made by hand -----------------------------------------------------------------------------

GROKKED = {"fit_step": 50.0, "general_step": 600.0, "delay": 12.0, "test_at_fit": 0.01, "best_test": 0.98}
NEVER = {"fit_step": 40.0, "general_step": math.inf, "delay": 0.0, "test_at_fit": 0.01, "best_test": 0.02}
TABLE: dict[str, dict[str, float]] = {
    MAIN: {**GROKKED, "end_step": 680.0},
    decay_arm(3.0): {**GROKKED, "general_step": 450.0, "end_step": 500.0},
    CONTROL: {**NEVER, "end_step": 1200.0},
    fraction_arm(0.8): {**GROKKED, "general_step": 200.0, "delay": 3.0, "end_step": 220.0},
    LEAK: {**GROKKED, "general_step": 290.0, "test_at_fit": 0.47, "end_step": 310.0},
}


def _data(
    seeds: int = 3, arms: tuple[str, ...] = (), operation: str = "addition", **changes: dict[str, Any]
) -> RunData:
    """Return made data; changes by arm (`no_decay={"best_test": [...]}`): one number, or one a seed."""
    spec = _spec(seeds=seeds, arms=arms, operation=operation)
    launched = PHENOMENON.arms_of(spec)
    found: dict[str, dict[tuple[str, int], float]] = {}
    for arm in launched:
        for name, value in {**TABLE[arm.name], **changes.get(arm.name.replace("-", "_").replace(".", "_"), {})}.items():
            for k, seed in enumerate(spec.seed_list):
                found.setdefault(name, {})[arm.name, seed] = value[k] if isinstance(value, list) else value
    return RunData(spec, launched, spec.seed_list, measures=found)


def _verdict(data: RunData) -> tuple[Status, dict[str, Any], Verdict]:
    verdict = judge(PHENOMENON, data.spec, data)
    return verdict.status, {claim.name: claim for claim in verdict.claims}, verdict


def test_a_delay_of_twelve_times_is_shown() -> None:
    status, claims, _ = _verdict(_data())
    assert status is Status.SHOWN
    assert {name: claim.status for name, claim in claims.items()} == dict.fromkeys((GROKS, DECAY, DATA), Status.SHOWN)
    assert claims[GROKS].main
    assert not claims[DECAY].main


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_can_be_shown(operation: str) -> None:
    """Where no leak is launched its control is not asked for; the two of the network without decay remain."""
    status, claims, _ = _verdict(_data(operation=operation))
    assert status is Status.SHOWN
    controls = [one.control for one in claims[GROKS].criteria]
    assert [one is not None for one in controls] == [True, True, operation in COMMUTATIVE]
    assert not any(one.missing or one.fired for one in controls if one)


def test_the_texts_say_what_budget_the_control_has_and_what_the_paper_s_preset_cannot_reach() -> None:
    _, claims, _ = _verdict(_data())
    assert "or all 3,000 steps where" in claims[GROKS].statement
    assert "cannot be reached" in PHENOMENON.preset("paper").note


@pytest.mark.parametrize(
    "changed",
    [
        {"delay": [12.0, 4.9, 12.0]},
        {"test_at_fit": [0.01, 0.11, 0.01]},
        {"best_test": [0.98, 0.94, 0.98], "delay": [12.0, 0.0, 12.0], "general_step": [600.0, math.inf, 600.0]},
    ],
)
def test_one_seed_that_does_not_is_not_shown(changed: dict[str, Any]) -> None:
    assert _verdict(_data(decay=changed))[0] is Status.NOT_SHOWN


@pytest.mark.parametrize(
    ("arm", "changed", "named"),
    [
        ("no_decay", {"best_test": [0.02, 0.96, 0.02]}, "without weight decay"),
        ("no_decay", {"delay": [0.0, 0.0, 15.0]}, "without weight decay"),
        ("leak", {"test_at_fit": [0.47, 0.02, 0.47]}, "split that leaks"),
        ("no_decay", {"best_test": [0.02, math.nan, 0.02]}, "has no numbers"),
    ],
)
def test_a_control_that_fires_in_one_seed_makes_it_unclear(arm: str, changed: dict[str, Any], named: str) -> None:
    status, claims, _ = _verdict(_data(**{arm: changed}))
    assert status is Status.INCONCLUSIVE
    assert named in claims[GROKS].reason


@pytest.mark.parametrize("arm", ["decay", "no_decay"])
def test_a_network_that_never_fitted_is_no_evidence(arm: str) -> None:
    status, claims, _ = _verdict(_data(**{arm: {"fit_step": [50.0, math.nan, 50.0]}}))
    assert status is Status.INCONCLUSIVE
    assert "precondition" in claims[GROKS].reason


def test_two_seeds_are_too_few_and_no_control_no_verdict() -> None:
    assert _verdict(_data(seeds=2))[0] is Status.INCONCLUSIVE
    status, claims, verdict = _verdict(_data(arms=(MAIN, decay_arm(3.0))))
    assert status is Status.INCONCLUSIVE
    assert GROKS not in claims
    assert GROKS in verdict.scope
    assert _verdict(_data(arms=(MAIN, CONTROL)))[0] is Status.SHOWN, "without the leak its control is left out"


def test_arms_that_never_generalised_count_with_the_steps_they_had() -> None:
    data = _data(fraction_0_8={"general_step": math.inf, "end_step": 300.0})
    arm = fraction_arm(0.8)
    assert judged.waited(data, arm) == dict.fromkeys(data.seeds, 300.0)
    slow = _data(decay_3={"general_step": [450.0, 900.0, 900.0]})
    assert _verdict(slow)[1][DECAY].status is Status.NOT_SHOWN
    assert _verdict(slow)[0] is Status.SHOWN, "side claims do not count"
    neither = _data(
        decay={"general_step": math.inf, "delay": 0.0, "best_test": 0.1}, decay_3={"general_step": math.inf}
    )
    assert _verdict(neither)[1][DECAY].status is Status.INCONCLUSIVE
    assert _verdict(neither)[1][GROKS].status is Status.NOT_SHOWN


# --- figures ----------------------------------------------------------------------------------------------------------


def _curve(values: list[float], steps: list[float]) -> Curve:
    at = np.array(steps)
    return Curve(at, at, at, np.array(values))


def test_figures_hold_a_network_s_last_value_on_logarithmic_axes() -> None:
    data = _data()
    long, short = _curve([0.0, 0.5, 1.0], [1, 10, 100]), _curve([0.0, 0.8, math.nan], [1, 10, 100])
    curves = {(arm.name, seed): long for arm in data.arms for seed in data.seeds}
    curves[MAIN, data.seeds[0]] = short
    names = ("train_accuracy", "test_accuracy", "train_loss", "test_loss", "weight_norm")
    whole = RunData(data.spec, data.arms, data.seeds, dict.fromkeys(names, curves), data.measures)
    figures = [figure for figure in PHENOMENON.figures(whole) if isinstance(figure, Figure)]
    assert [figure.name for figure in figures] == [
        *("grokking", "decays", "fractions", "leak", "norm", "loss", "steps"),
    ]
    first = figures[0]
    assert first.log_x
    assert "decoupled" in first.note
    train = next(line for line in first.lines if line.label.startswith("train"))
    assert train.y[-1] == pytest.approx((0.8 + 1.0 + 1.0) / 3), "the mean is over all seeds to the end"
    places = {ref.label: ref.value for ref in first.references if ref.axis == "x"}
    assert places == {"train 99%": pytest.approx(50.0), "test 95%": pytest.approx(600.0)}
    assert set(PHENOMENON.panels) <= {figure.name for figure in figures}
    empty = RunData(data.spec, data.arms, data.seeds)
    assert all(isinstance(figure, Figure) for figure in PHENOMENON.figures(empty))
