"""Copies that part after some steps: what they share, what they do not; lines between networks; matched units."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genlab_tui.training import copies, matching, seeds
from genlab_tui.training.batches import Batches
from genlab_tui.training.layout import Layout
from genlab_tui.training.matching import match, permuted, shuffle
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.nets import Net
from genlab_tui.training.paths import Path, alphas, barrier, scores
from genlab_tui.training.plan import stream
from genlab_tui.training.strengths import Strengths

BATCHES, BATCH = 5, 4
N = BATCHES * BATCH


def _samples(sets: int = 1, n: int = N, features: int = 6) -> Samples:
    source = torch.Generator().manual_seed(3)
    inputs = torch.randn(sets, n, features, generator=source, dtype=torch.float64)
    labels = torch.randint(3, (sets, n), generator=source)
    return Samples(inputs, labels, inputs[:, :8] + 0.1, labels[:, :8], 3, (features,))


def _orders(member: Member, epoch: int, **regularisers: float) -> Batches:
    recipe = Recipe(hidden=(4,), batch=BATCH, regularisers=regularisers)
    samples = _samples()
    layout = Layout(samples.features, samples.classes, [recipe.hidden], [stream(member, recipe)])
    batches = Batches([member], layout, samples, recipe, Strengths([recipe]))
    batches.begin(epoch)
    return batches


# --- orders -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fork", [1, 3, 7, 10, 14])
def test_a_copy_sees_the_same_batches_until_it_parts_and_others_after(fork: int) -> None:
    """Also in the middle of an epoch, in which every sample still comes by once."""
    trunk, copy = Member("first", 5), Member("k", 5, order=77, order_from=fork)
    for epoch in range(4):
        mine, other = _orders(trunk, epoch).orders[0], _orders(copy, epoch).orders[0]
        assert sorted(other.tolist()) == list(range(N))
        shared = min(max(fork - epoch * BATCHES, 0), BATCHES) * BATCH
        assert mine[:shared].tolist() == other[:shared].tolist()
        if shared < N - 1:
            assert mine[shared:].tolist() != other[shared:].tolist()


def test_a_copy_of_the_start_has_nothing_but_the_other_order() -> None:
    for epoch in range(2):
        whole = _orders(Member("k", 5, order=77), epoch).orders
        assert torch.equal(_orders(Member("k", 5, order=77, order_from=0), epoch).orders, whole)
        expected = torch.randperm(N, generator=seeds.generator(77, seeds.ORDER, epoch))
        assert torch.equal(whole[0], expected)


def test_an_order_that_is_the_seeds_own_is_never_drawn_anew() -> None:
    for member in (Member("k", 5, order_from=3), Member("k", 5, order=5, order_from=3)):
        assert torch.equal(_orders(member, 0).orders, _orders(Member("first", 5), 0).orders)


def test_shifts_and_mixing_weights_part_with_the_order() -> None:
    trunk, copy = Member("first", 5), Member("k", 5, order=77, order_from=3)
    mine, other = (_orders(m, 0, augmentation=2.0, mixup=0.4) for m in (trunk, copy))
    assert mine.shifts[2][0, : 3 * BATCH].tolist() == other.shifts[2][0, : 3 * BATCH].tolist()
    assert mine.shifts[2][0, 3 * BATCH :].tolist() != other.shifts[2][0, 3 * BATCH :].tolist()
    assert mine.mixing is not None
    assert other.mixing is not None
    assert mine.mixing[0, :3].tolist() == other.mixing[0, :3].tolist()
    assert mine.mixing[0, 3:].tolist() != other.mixing[0, 3:].tolist()


def test_members_with_forks_do_not_share_a_stream_of_inputs() -> None:
    recipe = Recipe(hidden=(4,))
    found = {stream(Member("k", 5, order=77, order_from=fork), recipe) for fork in (0, 1, 2)}
    assert len(found | {stream(Member("first", 5), recipe)}) == 4


def test_members_of_a_seed_share_what_they_should() -> None:
    first, start, late, again, other = copies.members(
        ("first", "k-0", "k-9", "again", "independent"),
        {"k-0": 0, "k-9": 9},
        [7],
        again="again",
        independent="independent",
    )
    assert {m.init_seed for m in (first, start, late, again)} == {7}
    assert other.init_seed != 7
    assert start.order_seed == late.order_seed
    assert len({m.order_seed for m in (first, start, again, other)}) == 4
    assert (start.order_from, late.order_from) == (0, 9)
    assert {(m.inputs, m.labels) for m in (first, start, late, again, other)} == {(0, 0)}


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_copies_are_one_network_until_they_part(kit: SimpleNamespace, optimiser: str) -> None:
    """Numbers and optimiser state: a copy that never parts ends where the network ends, to the last digits."""
    recipe = Recipe(hidden=(4,), batch=BATCH, optimiser=optimiser, lr=0.05, epochs=3, target=2.0)
    steps = 3 * BATCHES
    prefix = dataclasses.replace(recipe, steps=8)
    members = [
        Member("first", 5),
        *(Member(f"k-{k}", 5, order=77, order_from=k) for k in (0, 8, steps - 1, steps)),
        Member("first at 8", 5, recipe=prefix),
        Member("copy at 8", 5, order=77, order_from=8, recipe=prefix),
    ]
    result = kit.run(members, _samples(), recipe)
    first, start, late, last, never, short, same = (result.flat(i) for i in range(7))
    torch.testing.assert_close(short, same, atol=1e-12, rtol=0)
    torch.testing.assert_close(first, never, atol=1e-12, rtol=0)
    torch.testing.assert_close(first, last, atol=1e-12, rtol=0)  # the last batch is the same set of samples
    assert float((start - first).norm()) > 1e-3
    assert float((late - first).norm()) > 1e-3
    kit.assert_equal_to_plain(result, members, _samples(), recipe)


def test_a_copy_goes_on_with_the_optimiser_that_it_shared(kit: SimpleNamespace) -> None:
    """Started again from the weights of step k with new moments, it would end somewhere else."""
    recipe = Recipe(hidden=(4,), batch=BATCH, lr=0.05, epochs=4, target=2.0)
    whole = kit.run([Member("k", 5, order=77, order_from=2 * BATCHES)], _samples(), recipe)
    half = dataclasses.replace(recipe, epochs=2)
    prefix = kit.run([Member("first", 5)], _samples(), half)
    assert prefix.state is not None
    start = prefix.state.trained(0).parameters.tensors_of(0)
    again = kit.run([Member("again", 5, order=77, start=start)], _samples(), half)
    assert float((whole.flat(0) - again.flat(0)).norm()) > 1e-3


def test_a_stopped_training_of_copies_goes_on_with_the_same_orders(kit: SimpleNamespace) -> None:
    recipe = Recipe(hidden=(4,), batch=BATCH, lr=0.05, epochs=4, target=2.0)
    members = [Member("first", 5), Member("k", 5, order=77, order_from=7)]
    whole = kit.run(members, _samples(), recipe)
    part = kit.run(members, _samples(), recipe, kit.Desk(stop_at=2))
    rest = kit.run(members, _samples(), recipe, kit.Desk(part.saved))
    for i in range(2):
        assert torch.equal(whole.flat(i), rest.flat(i))


# --- lines ------------------------------------------------------------------------------------------------------------


def test_a_barrier_is_the_largest_value_above_the_mean_of_the_ends() -> None:
    assert barrier([0.1, 0.5, 0.2]) == pytest.approx(0.35)
    assert barrier([0.1, 0.0, 0.1]) == 0
    assert barrier([0.3, 0.2, 0.1]) == pytest.approx(0.1), "an end counts too"
    assert math.isnan(barrier([0.1, math.nan, 0.1]))


def test_places_have_both_ends() -> None:
    places = alphas(30)
    assert (len(places), places[0], places[-1]) == (30, 0.0, 1.0)
    assert np.diff(places) == pytest.approx(1 / 29)


def test_scores_along_a_line_are_those_of_the_weighted_means() -> None:
    net, samples = Net((6, 5, 4, 3)), _samples(2)
    ends = net.initial([1, 2], dtype=torch.float64)
    recipe = Recipe(hidden=(5, 4))
    path = Path("k", 0, ends[0], ends[1], torch.zeros(0), 1)
    lost = Path("k", 1, ends[0], ends[1] * math.nan, torch.zeros(0), 0)
    row, none = scores([path, lost], (0.0, 0.25, 1.0), recipe, samples, lambda: None)
    for k, at in enumerate((0.0, 0.25, 1.0)):
        flat = (1 - at) * ends[0] + at * ends[1]
        outputs = net.outputs(flat[None], samples.inputs[1])[0]
        wrong = (outputs.argmax(1) != samples.labels[1]).double().mean()
        assert row["train_error"][k] == pytest.approx(float(wrong))
        loss = torch.nn.functional.cross_entropy(outputs, samples.labels[1])
        assert row["train_loss"][k] == pytest.approx(float(loss))
    assert len(row["test_error"]) == 3
    assert all(math.isnan(value) for values in none.values() for value in values)


def test_a_distance_is_relative_to_the_norms() -> None:
    one = torch.tensor([3.0, 4.0])
    assert Path("k", 0, one, one, torch.zeros(0), 0).distance == 0
    assert Path("k", 0, one, -one, torch.zeros(0), 0).distance == pytest.approx(2)


def test_batch_norm_has_statistics_of_its_own_at_every_place() -> None:
    """Means of the running statistics of two ends belong to no network on the line."""
    from genlab_tui.training import full_pass, modules

    source = torch.Generator().manual_seed(1)
    inputs = torch.randn(1, 24, 64, generator=source)
    labels = torch.randint(3, (1, 24), generator=source)
    samples = Samples(inputs, labels, inputs[:, :8], labels[:, :8], 3, (1, 8, 8))
    recipe = Recipe(network="resnet-20")
    ends = [modules.initial(recipe, seed, samples) for seed in (1, 2)]
    flats = [end.parameters.flat.clone() for end in ends]
    averages = ends[0].statistics.flat.clone()
    middle = torch.lerp(flats[0], flats[1], 0.5)
    found = full_pass.statistics(recipe, samples, middle, averages, inputs[0])
    either = [full_pass.statistics(recipe, samples, flat, averages, inputs[0]) for flat in flats]
    assert not torch.allclose(found, (either[0] + either[1]) / 2, atol=1e-3)
    (row,) = scores([Path("k", 0, *flats, averages, 0)], (0.0, 0.5), recipe, samples, lambda: None)
    network = modules.restored(recipe, samples, middle, found)
    outputs = network.logits([inputs])[0].t()
    assert row["train_loss"][1] == pytest.approx(float(torch.nn.functional.cross_entropy(outputs, labels[0])), rel=1e-4)
    assert network.module.training is False


def test_a_network_that_diverged_has_no_line(kit: SimpleNamespace) -> None:
    """Whatever numbers it stopped with, and whatever becomes of the order of its units."""
    recipe = Recipe(hidden=(4,), batch=BATCH, epochs=1, target=2.0)
    members = [Member("first", 5), Member("k-0", 5, order=77), Member("independent", 5, init=9)]
    state = kit.run(members, _samples(), recipe).state
    state.outcomes[2] = dataclasses.replace(state.outcomes[2], end="diverged")
    copy, other = copies.paths(state, "first")
    assert (copy.arm, other.arm) == ("k-0", "independent")
    assert math.isfinite(copy.distance)
    lines = [other, *copies.reordered(state, [other], "matched", "shuffled", lambda: None)]
    assert [line.arm for line in lines] == ["independent", "matched", "shuffled"]
    for row in scores(lines, (0.0, 1.0), recipe, state.samples, lambda: None):
        assert math.isnan(barrier(row["test_error"]))
    assert all(math.isnan(line.distance) for line in lines)
    assert copies.paths(state, "not launched") == []


def test_lines_come_one_by_one_and_a_stop_is_heard_before_each(kit: SimpleNamespace) -> None:
    """Thousands of networks are scored after training: who waits is told how far it is, and may stop."""
    recipe = Recipe(hidden=(4,), batch=BATCH, epochs=1, target=2.0)
    state = kit.run([Member("first", 5), Member("independent", 5, init=9)], _samples(), recipe).state
    pairs = copies.paths(state, "first") * 2
    polls: list[int] = []
    lines = copies.reordered(state, pairs, "matched", "shuffled", lambda: polls.append(1))
    seen = [(line.arm, len(polls)) for line in lines]
    assert seen == [("matched", 1), ("shuffled", 1), ("matched", 2), ("shuffled", 2)]
    rows = scores(pairs, (0.0, 0.5, 1.0), recipe, state.samples, lambda: polls.append(1))
    assert len(next(rows)["test_error"]) == 3
    assert len(list(rows)) == 1
    assert len(polls) > 2


# --- matching ---------------------------------------------------------------------------------------------------------

NET = Net((10, 16, 12, 8, 4))


def _numbers(seed: int) -> torch.Tensor:
    """Return a network with biases that are not 0."""
    source = torch.Generator().manual_seed(seed)
    return NET.initial([seed], dtype=torch.float64)[0] + 0.1 * torch.randn(NET.size, generator=source).double()


def test_permuting_hidden_units_leaves_the_function_as_it_is() -> None:
    flat, x = _numbers(1), torch.randn(50, 10, generator=torch.Generator().manual_seed(2)).double()
    other = permuted(NET, flat, shuffle(NET, 7))
    assert float((other - flat).norm()) > 1
    before, after = (NET.outputs(one[None], x) for one in (flat, other))
    assert float((before - after).abs().max()) < 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_matching_recovers_a_known_permutation(seed: int) -> None:
    flat = _numbers(seed)
    hidden = permuted(NET, flat, shuffle(NET, seed))
    found = match(NET, flat, hidden, seed)
    assert torch.equal(permuted(NET, hidden, found.orders), flat)
    assert found.passes < matching.PASSES
    for order, drawn in zip(found.orders, shuffle(NET, seed), strict=True):
        assert np.array_equal(drawn[order], np.arange(len(order)))


def test_matching_recovers_a_permutation_under_noise() -> None:
    flat = _numbers(1)
    noisy = flat + 0.02 * torch.randn(NET.size, generator=torch.Generator().manual_seed(5)).double()
    found = match(NET, flat, permuted(NET, noisy, shuffle(NET, 3)), 1)
    assert torch.equal(permuted(NET, permuted(NET, noisy, shuffle(NET, 3)), found.orders), noisy)


def test_matching_brings_independent_networks_nearer_and_cannot_be_improved_layer_by_layer() -> None:
    one, two = _numbers(1), _numbers(2)
    found = match(NET, one, two, 1)
    matched = permuted(NET, two, found.orders)
    assert float((matched - one).norm()) < float((two - one).norm())
    again = match(NET, one, matched, 2)
    assert all(np.array_equal(order, np.arange(len(order))) for order in again.orders)
    assert again.passes == 1
    for order, width in zip(found.orders, NET.sizes[1:-1], strict=True):
        assert sorted(order.tolist()) == list(range(width))


def test_a_network_without_hidden_layers_has_nothing_to_match() -> None:
    net = Net((4, 3))
    flat = net.initial([1])[0]
    assert match(net, flat, flat, 1).orders == ()
    assert torch.equal(permuted(net, flat, ()), flat)
