"""Programs in shards, one a thread: whoever computes what, the results are those of one network at a time."""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.training import plan
from genlab_tui.training.members import Member, Recipe
from genlab_tui.training.population import Population
from genlab_tui.training.probes import accuracy_on, weight_norm
from genlab_tui.training.program import shares
from genlab_tui.training.shard import Shard

BASE = Recipe((12, 6), "sgd", 0.02, batch=10, epochs=6, target=2, regularisers={"dropout": 0.2, "batch-norm": 0.2})


def _with(**fields: Any) -> Recipe:
    return dataclasses.replace(BASE, **fields)


MEMBERS = [
    Member("a", 1),
    Member("b", 1, labels=1, recipe=_with(hidden=(20, 9), lr=0.01)),
    Member("c", 1, labels=2, recipe=_with(hidden=(5, 5), momentum=0.5, steps=8)),
    Member("a", 2, inputs=1),
    Member("b", 2, inputs=1, labels=1, recipe=_with(hidden=(20, 9), lr=0.01, epochs=3)),
    Member("c", 2, inputs=1, labels=2, recipe=_with(hidden=(5, 5), steps=8)),
    Member("control", 1, labels=1, fresh=True, follows=2),
    Member("deviant", 1, recipe=_with(lr=0.005, regularisers={"batch-norm": 0.1, "mixup": 0.5, "augmentation": 1.0})),
]


def _curves(result: Any) -> list[tuple[Any, ...]]:
    return [(c.cohort, c.metric, c.step, c.values) for c in result.of(ev.Curve)]


@pytest.mark.parametrize("threads", [2, 3, 20])
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_on_many_threads_every_member_is_the_same(kit: SimpleNamespace, threads: int, optimiser: str) -> None:
    """Weights, curves, measures and ends are those of one thread, to rounding; and those of the plain loop."""
    members = []
    for member in MEMBERS:
        recipe = member.recipe or BASE
        lr = recipe.lr if optimiser == "sgd" else recipe.lr / 10
        members.append(dataclasses.replace(member, recipe=dataclasses.replace(recipe, optimiser=optimiser, lr=lr)))
    samples, probes = kit.make_samples(), [weight_norm(), accuracy_on("clean", kit.make_samples().labels)]
    one = kit.run(members, samples, BASE, threads=1, probes=probes)
    many = kit.run(members, samples, BASE, threads=threads, probes=probes)
    for i, member in enumerate(members):
        torch.testing.assert_close(many.flat(i), one.flat(i), rtol=1e-10, atol=1e-12)
        mine, theirs = many.state.outcomes[i], one.state.outcomes[i]
        assert (mine.end, mine.step) == (theirs.end, theirs.step), member
        assert mine.values == pytest.approx(theirs.values, rel=1e-9, nan_ok=True)
    for mine, theirs in zip(_curves(many), _curves(one), strict=True):
        assert mine[:3] == theirs[:3]
        assert [v is None for v in mine[3]] == [v is None for v in theirs[3]]
        present = [(a, b) for a, b in zip(mine[3], theirs[3], strict=True) if a is not None]
        assert [a for a, _ in present] == pytest.approx([b for _, b in present], rel=1e-9)
    assert many.marks() == one.marks()
    plain = [i for i, member in enumerate(members) if member.follows is None]
    for i in plain:
        torch.testing.assert_close(
            many.flat(i), kit.train_plainly(members[i], samples, BASE).flat, rtol=1e-10, atol=1e-11
        )


@pytest.mark.parametrize("threads", [1, 2, 3, 5, 20])
def test_shares(kit: SimpleNamespace, threads: int) -> None:
    """Every member is in one shard, no shard is empty, and the work is spread as evenly as the members allow."""
    samples = kit.make_samples()
    widths = [(4, 4), (30, 30), (60, 10), (8, 100), (200, 20)]
    members = [Member(f"{h}", seed, recipe=_with(hidden=h)) for seed in range(4) for h in widths]
    recipes = plan.recipes(members, BASE)
    part = list(range(len(members)))
    found = shares(part, members, recipes, samples, threads)
    assert sorted(i for piece in found for i in piece) == part
    assert len(found) == min(threads, len(part))
    assert all(found)
    loads = [sum(plan.work(samples, recipes[i]) for i in piece) for piece in found]
    largest = max(plan.work(samples, recipes[i]) for i in part) * (4 if threads <= len(widths) else 1)
    assert max(loads) <= max(sum(loads) / threads + largest, largest)
    assert shares(part, members, recipes, samples, threads) == found


def test_a_run_goes_on_in_the_shards_that_it_began_in(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit, also on a machine with more cores or fewer, after members and whole shards have left."""
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", -1.0)
    samples = kit.make_samples(dtype=torch.float32)
    members = [*MEMBERS, Member("alone", 3, recipe=_with(optimiser="adam", lr=1e-3))]
    desk = kit.Desk()
    whole = kit.run(members, samples, BASE, desk, threads=3)
    assert len(whole.state.plan) == 2
    for stop, threads in ((5, 1), (9, 2), (20, 3), (31, 8), (desk.polls - 10, 1)):
        before = kit.run(members, samples, BASE, kit.Desk(stop_at=stop), threads=3)
        resumed = kit.run(members, samples, BASE, kit.Desk(before.saved), threads=threads)
        assert _curves(before) + _curves(resumed) == _curves(whole), f"stopped after {stop}"
        for i in range(len(members)):
            if members[i].arm != "alone":  # of the second program, which begins after the stop
                assert torch.equal(resumed.flat(i), whole.flat(i))


@pytest.mark.parametrize("regularisers", [{}, {"early-stopping": 9.0, "dropout": 0.2}])
def test_a_member_that_diverges_in_one_shard_leaves_all_others_alone(
    kit: SimpleNamespace, regularisers: dict[str, float]
) -> None:
    samples = kit.make_samples(dtype=torch.float32)
    members = []
    for member in MEMBERS:
        recipe = dataclasses.replace(member.recipe or BASE, regularisers=regularisers, epochs=6, steps=0)
        members.append(dataclasses.replace(member, recipe=recipe, follows=None))
    healthy = kit.run(members, samples, BASE, threads=3)
    start = [torch.full_like(part, math.inf) for part in healthy.state.trained(1).parameters.tensors_of(0)]
    broken = kit.run(
        [dataclasses.replace(m, start=start if i == 1 else None) for i, m in enumerate(members)],
        samples,
        BASE,
        threads=3,
    )
    assert broken.state.outcomes[1].end == "diverged"
    for i in range(len(members)):
        if i != 1:
            assert torch.equal(broken.flat(i), healthy.flat(i))


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[BaseException], int], list[str]]:
    """Make a pass through more than so many rows fail; return the threads of the passes that did."""

    def patch(error: type[BaseException], limit: int) -> list[str]:
        original, threads = Population.gradient, []

        def gradient(self: Population, *rest: Any) -> Any:
            if len(self.layout) > limit:
                threads.append(threading.current_thread().name)
                raise error("one shard")
            return original(self, *rest)

        monkeypatch.setattr(Population, "gradient", gradient)
        return threads

    return patch


def test_an_error_in_a_shard_is_an_error(
    kit: SimpleNamespace, fail: Callable[[type[BaseException], int], list[str]]
) -> None:
    threads = fail(ZeroDivisionError, 2)
    with pytest.raises(ZeroDivisionError, match="one shard"):
        kit.run(MEMBERS, kit.make_samples(), BASE, threads=3)
    assert threading.current_thread().name not in threads
    assert not [t for t in threading.enumerate() if t.name.startswith("shard")], "no thread is left behind"


def test_a_shard_out_of_memory_splits_the_program(
    kit: SimpleNamespace, fail: Callable[[type[BaseException], int], list[str]]
) -> None:
    samples = kit.make_samples()
    whole = kit.run(MEMBERS, samples, BASE, threads=1)
    fail(MemoryError, 1)
    result = kit.run(MEMBERS, samples, BASE, threads=3)
    assert len(result.state.plan) > 1
    assert result.of(ev.Log)
    for i in range(len(MEMBERS)):
        assert result.state.outcomes[i].step == whole.state.outcomes[i].step
        torch.testing.assert_close(result.flat(i), whole.flat(i), rtol=1e-10, atol=1e-12)


def test_shards_do_share_the_work(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every shard takes its steps and its measurements on the threads made for it, and no others remain."""
    seen: set[tuple[int, str]] = set()
    original = Shard.advance

    def advance(self: Shard, *rest: int) -> torch.Tensor:
        seen.add((len(self.rows), threading.current_thread().name))
        return original(self, *rest)

    monkeypatch.setattr(Shard, "advance", advance)
    result = kit.run(MEMBERS, kit.make_samples(), BASE, threads=2)
    assert len(result.state.plan) == 1
    assert threading.current_thread().name not in {name for _, name in seen} or len(result.state.program.shards) == 1
    assert not [t for t in threading.enumerate() if t.name.startswith("shard")]
