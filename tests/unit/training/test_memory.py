"""Populations that do not fit the memory train in parts, with the same results."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.training import plan
from genlab_tui.training.layout import Stack
from genlab_tui.training.members import Member, Recipe
from genlab_tui.training.population import Population
from genlab_tui.training.program import Program

RECIPE = Recipe((12,), "adam", 5e-3, batch=10, epochs=5, target=2)
MEMBERS = [
    Member("true", 1),
    Member("random", 1, labels=1),
    Member("fresh", 1, labels=1, fresh=True, follows=1),
    Member("true", 2, recipe=dataclasses.replace(RECIPE, hidden=(30,))),
    Member("random", 2, labels=1),
    Member("other", 3, inputs=1),
    Member("short", 3, inputs=1, recipe=dataclasses.replace(RECIPE, epochs=2)),
]
ERRORS: dict[str, Callable[[], BaseException]] = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory"),
    "python": MemoryError,
    "torch on the CPU": lambda: RuntimeError(
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
    ),
}


def _assert_same(result: Any, whole: Any, members: list[Member]) -> None:
    for i, member in enumerate(members):
        mine, theirs = result.state.outcomes[i], whole.state.outcomes[i]
        assert (mine.end, mine.step) == (theirs.end, theirs.step), member
        torch.testing.assert_close(result.flat(i), whole.flat(i), rtol=1e-10, atol=1e-12)


def test_a_budget_splits(kit: SimpleNamespace) -> None:
    """As many programs as the budget asks for, members of a stream together, followers beside whom they follow."""
    samples = kit.make_samples()
    whole = kit.run(MEMBERS, samples, RECIPE)
    each = plan.recipes(MEMBERS, RECIPE)
    needed = [plan.member_bytes(samples, recipe) for recipe in each]
    assert whole.state.plan == [list(range(len(MEMBERS)))]
    for budget, count in ((sum(needed) * 0.9, 2), (sum(needed) / 2.3, 3), (1.0, 6)):
        result = kit.run(MEMBERS, samples, RECIPE, budget=budget)
        parts = result.state.plan
        assert len(parts) >= count
        assert sorted(i for part in parts for i in part) == list(range(len(MEMBERS)))
        assert all(sum(needed[i] for i in part) <= budget or part == [1, 2] or len(part) == 1 for part in parts)
        assert any(1 in part and 2 in part for part in parts)
        streams = [{plan.stream(MEMBERS[i], each[i]) for i in part} for part in parts]
        if budget > 1:
            assert sum(len(s) for s in streams) == 3, "no stream is in two programs"
        assert [c.id for c in result.of(ev.Cohort)] == ["all", *(f"all {k + 2}" for k in range(len(parts) - 1))]
        _assert_same(result, whole, MEMBERS)


def test_the_budget_is_what_is_free_by_default(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = kit.make_samples()
    monkeypatch.setattr("genlab_tui.training.cost.available", lambda device: 1.0)
    assert len(plan.programs(MEMBERS, samples, RECIPE)) == 6


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, int], list[int]]:
    """Make a place run out of memory with more than so many rows; return the rows it was tried with."""

    def patch(where: str, kind: str, limit: int) -> list[int]:
        tried: list[int] = []

        def check(rows: int) -> None:
            tried.append(rows)
            if rows > limit:
                raise ERRORS[kind]()

        if where == "zeros":
            zeros = Stack.zeros.__func__  # type: ignore[attr-defined]  # of a class method

            def limited(cls: type[Stack], layout: Any, *rest: Any) -> Stack:
                check(len(layout))
                made: Stack = zeros(cls, layout, *rest)
                return made

            monkeypatch.setattr(Stack, "zeros", classmethod(limited))
        else:
            original = getattr(Population, where)

            def call(self: Population, *rest: Any) -> Any:
                check(len(self.layout))
                return original(self, *rest)

            monkeypatch.setattr(Population, where, call)
        return tried

    return patch


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("where", ["zeros", "gradient", "logits"])
@pytest.mark.parametrize("limit", [2, 4])
def test_running_out_of_memory_splits(
    kit: SimpleNamespace, fail: Callable[[str, str, int], list[int]], kind: str, where: str, limit: int
) -> None:
    """Halves until it fits, a warning each time; results, cohorts and progress are as if it had been planned."""
    samples = kit.make_samples()
    whole = kit.run(MEMBERS, samples, RECIPE)
    tried = fail(where, kind, limit)
    result = kit.run(MEMBERS, samples, RECIPE)
    logs = result.of(ev.Log)
    parts = result.state.plan
    assert tried[0] == len(MEMBERS)
    assert all(len(part) <= limit for part in parts)
    assert sorted(i for part in parts for i in part) == list(range(len(MEMBERS)))
    assert len(logs) == len(parts) - 1
    assert all(log.level == "warning" and "out of memory" in log.text for log in logs)
    assert f"{len(MEMBERS)} networks at once" in logs[0].text
    last = {c.id: c.members for c in result.of(ev.Cohort)}
    assert list(last) == ["all", *(f"all {k + 2}" for k in range(len(parts) - 1))]
    for name, part in zip(last, parts, strict=True):
        assert last[name] == tuple((MEMBERS[i].arm, MEMBERS[i].seed) for i in part)
    done = [e.done for e in result.of(ev.Progress)]
    assert done == sorted(done)
    assert done[-1] == 1.0
    _assert_same(result, whole, MEMBERS)


def test_the_first_part_is_let_go_before_the_next(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """No two programs are in memory at once: neither after one has ended nor after one has failed."""
    import gc
    import weakref

    alive: list[weakref.ref[Program]] = []
    original = Program.__init__

    def begin(self: Program, *rest: Any) -> None:
        gc.collect()
        assert not [ref for ref in alive if ref() is not None]
        alive.append(weakref.ref(self))
        original(self, *rest)
        if len(self.rows) > 4:
            raise MemoryError

    monkeypatch.setattr(Program, "__init__", begin)
    result = kit.run(MEMBERS, kit.make_samples(), RECIPE)
    assert len(alive) == len(result.state.plan) + len(result.of(ev.Log)) > 2


@pytest.mark.parametrize("kind", ERRORS)
def test_with_nothing_left_to_split_it_is_raised(
    kit: SimpleNamespace, fail: Callable[[str, str, int], list[int]], kind: str
) -> None:
    """A single member, or a member and who follows it: a split would change when that one ends."""
    tried = fail("gradient", kind, 0)
    with pytest.raises(type(ERRORS[kind]())):
        kit.run(MEMBERS[3:], kit.make_samples(), RECIPE)
    assert tried[-1] == 1
    with pytest.raises(type(ERRORS[kind]())):
        kit.run([Member("partner", 1), Member("follower", 1, follows=0)], kit.make_samples(), RECIPE)
    assert tried[-1] == 2


def test_other_errors_are_not_swallowed(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are raised as they are, with nothing trained in parts before."""
    tried = []

    def broken(self: Population, *rest: Any) -> None:
        tried.append(len(self.layout))
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Population, "gradient", broken)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        kit.run(MEMBERS, kit.make_samples(), RECIPE)
    assert tried == [len(MEMBERS)]


def test_what_has_been_trained_is_not_thrown_away(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first step, running out of memory is an error: the run goes on from its checkpoint."""
    original, calls = Population.gradient, []

    def late(self: Population, *rest: Any) -> Any:
        calls.append(1)
        if len(calls) == 5:
            raise MemoryError
        return original(self, *rest)

    monkeypatch.setattr(Population, "gradient", late)
    with pytest.raises(MemoryError):
        kit.run(MEMBERS, kit.make_samples(), RECIPE)
    assert len(calls) == 5


def test_a_split_run_resumes_as_it_was_split(
    kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, fail: Callable[[str, str, int], list[int]]
) -> None:
    """The parts are in the checkpoint: a machine with more memory goes on with them, to the same last bit."""
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", -1.0)
    samples = kit.make_samples(dtype=torch.float32)
    fail("gradient", "python", 3)
    whole = kit.run(MEMBERS, samples, RECIPE)
    before = kit.run(MEMBERS, samples, RECIPE, kit.Desk(stop_at=40))
    assert len(whole.state.plan) > 1
    assert before.saved.cohort == "all 2"
    monkeypatch.undo()
    resumed = kit.run(MEMBERS, samples, RECIPE, kit.Desk(before.saved))
    assert resumed.state.plan == whole.state.plan
    for i in range(len(MEMBERS)):
        assert torch.equal(resumed.state.weights[i][0], whole.state.weights[i][0])
