"""Where the numbers of ragged populations lie: nothing padded, nothing lost, nothing mixed up."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genlab_tui.training.layout import Layout, Stack
from genlab_tui.training.population import PASSES

KINDS = ("parameters", "statistics")


@st.composite
def layouts(draw: Any) -> Layout:
    """Draw members of up to three widths and four streams, at any depth, with and without batch norm."""
    count, depth = draw(st.integers(1, 9)), draw(st.integers(0, 3))
    hidden = st.tuples(*[st.integers(1, 5)] * depth)
    some = st.sampled_from(draw(st.lists(hidden, min_size=1, max_size=3)))
    members = [(draw(some), draw(st.integers(0, 3))) for _ in range(count)]
    return Layout(3, 2, [h for h, _ in members], [s for _, s in members], batch_norm=draw(st.booleans()))


def _counted(layout: Layout, kind: str) -> Stack:
    """Return a stack in which every entry is another number."""
    stack = Stack.zeros(layout, torch.float64, torch.device("cpu"), kind)
    stack.flat.copy_(torch.arange(len(stack.flat)))
    return stack


def _shapes(layout: Layout, member: int, kind: str) -> list[tuple[int, ...]]:
    hidden = layout.hidden[member]
    if kind == "statistics":
        return [(h,) for h in hidden for _ in range(2)] if layout.batch_norm else []
    weights = [(after, before) for before, after in pairwise((3, *hidden, 2))]
    return [*weights, *((h,) for h in hidden for _ in range(1 + layout.batch_norm)), (2,)]


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(layouts())
def test_rows_cover_everything_once(layout: Layout) -> None:
    """Each row has the tensors of its own widths, first layer first; together they are the buffer, without padding."""
    assert sorted(layout.members) == list(range(len(layout)))
    for kind in KINDS:
        stack = _counted(layout, kind)
        seen: list[float] = []
        for row, member in enumerate(layout.members):
            assert layout.row_of[member] == row
            views = stack.tensors_of(row)
            assert [tuple(view.shape) for view in views] == _shapes(layout, member, kind)
            seen += [value for view in views for value in view.flatten().tolist()]
        assert sorted(seen) == list(range(len(stack.flat)))
    parameters = _counted(layout, "parameters")
    matrices = {v for row in range(len(layout)) for w in parameters.weights_of(row) for v in w.flatten().tolist()}
    assert matrices == set(range(layout.weights)), "all weight matrices lie before all vectors"


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(layouts(), st.data())
def test_taking_and_putting_back(layout: Layout, data: Any) -> None:
    """Any rows in any order are copied under a layout of their own, and put back to where they were."""
    order = data.draw(st.permutations(range(len(layout))))
    rows = order[: data.draw(st.integers(1, len(order)))]
    for kind in KINDS:
        stack = _counted(layout, kind)
        taken = stack.take(rows)
        assert len(taken.layout) == len(rows)
        for row, k in enumerate(taken.layout.members):
            for mine, theirs in zip(taken.tensors_of(row), stack.tensors_of(rows[k]), strict=True):
                assert torch.equal(mine, theirs)
        before = stack.flat.clone()
        taken.flat.neg_()
        assert torch.equal(stack.flat, before), "a copy"
        for row, k in enumerate(taken.layout.members):
            stack.put(rows[k], taken, row)
        for row in range(len(layout)):
            sign = -1 if row in rows else 1
            for now, was in zip(stack.tensors_of(row), _counted(layout, kind).tensors_of(row), strict=True):
                assert torch.equal(now, sign * was)


@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(layouts(), st.data())
def test_taking_rows_as_they_lie_changes_nothing(layout: Layout, data: Any) -> None:
    """All rows in order give the same buffer; so does taking some of what was taken, however it was taken before."""
    stack = _counted(layout, "parameters")
    assert torch.equal(stack.take(range(len(layout))).flat, stack.flat)
    rows = data.draw(st.permutations(range(len(layout))))[: data.draw(st.integers(1, len(layout)))]
    taken = stack.take(rows)
    kept = [rows[k] for k in taken.layout.members]
    assert torch.equal(stack.take(kept).flat, taken.flat)


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(layouts())
def test_spreading_gives_every_entry_the_value_of_its_row(layout: Layout) -> None:
    """Against a loop over rows, for parameters and for statistics."""
    values = torch.arange(len(layout), dtype=torch.float64) + 1
    for kind in KINDS:
        spread, expected = Stack.zeros(layout, torch.float64, torch.device("cpu"), kind), _counted(layout, kind)
        parts = list(spread.parts())
        for (part, *_), value in zip(parts, spread.spread(values), strict=True):
            part.add_(value)
        assert sum(part.numel() for part, *_ in parts) == len(spread.flat)
        for row in range(len(layout)):
            for view in expected.tensors_of(row):
                view.fill_(values[row])
        assert torch.equal(spread.flat, expected.flat)


def test_members_of_a_stream_share_the_first_layer() -> None:
    """A group's first layer is one matrix; groups of the same make-up are one block, whatever the order given."""
    hidden = [(4,), (7,), (7,), (4,), (9,)]
    layout = Layout(3, 2, hidden, ["a", "b", "a", "b", "c"])
    assert [(block.groups, block.size, block.widths) for block in layout.blocks] == [(2, 2, (11,)), (1, 1, (9,))]
    assert layout.members == [0, 2, 3, 1, 4]
    stack = Stack.zeros(layout, torch.float32, torch.device("cpu"))
    assert [tuple(wide.shape) for wide in stack.wide if wide is not None] == [(2, 11, 3), (1, 9, 3)]


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_population_is_taken_with_its_momenta(kit: SimpleNamespace, batch_norm: bool) -> None:
    """Rows taken compute what they computed, in evaluation and in training."""
    momenta = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    whole = kit.population(
        [(5,), (3,), (5,), (3,)], range(4), batch_norm=batch_norm, streams=[0, 0, 1, 2], momentum=momenta
    )
    rows = [1, 2, 0]
    part = whole.take(rows)
    assert part.layout.members != [0, 1, 2], "rows move"
    x = torch.randn(4, 12, 25, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x[1] = x[0]
    target = torch.full((4, 12, 4), 0.25, dtype=torch.float64)
    out, of_part = whole.parameters.like(), part.parameters.like()
    losses = kit.gradient(whole, x, target, [], out)
    who = [whole.layout.members[row] for row in rows]
    mine = kit.gradient(part, x[who], target[who], [], of_part)
    torch.testing.assert_close(mine, losses[who], rtol=1e-12, atol=0)
    for row, k in enumerate(part.layout.members):
        for stack, other in ((of_part, out), (part.statistics, whole.statistics)):
            for a, b in zip(stack.tensors_of(row), other.tensors_of(rows[k]), strict=True):
                torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-14)


def test_what_training_works_in_stays_where_it_is(kit: SimpleNamespace) -> None:
    """However many sizes are evaluated: a recorded step reads and writes there. Those of evaluation are let go."""
    population = kit.population((6,), [1, 2])
    x = torch.randn(2, 60, 25, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    target, out = torch.full((2, 60, 4), 0.25, dtype=torch.float64), population.parameters.like()
    population.logits([x[:, :10]])
    for size in (10, 7):
        kit.gradient(population, x[:, :size], target[:, :size], [], out)
    places = [population.logits([x[:, :size]]).data_ptr() for size in (10, 7)]
    expected = population.logits([x]).clone()
    for size in range(11, 60):
        torch.testing.assert_close(population.logits([x[:, :size]]), expected[:, :, :size], rtol=1e-12, atol=1e-14)
    assert [population.logits([x[:, :size]]).data_ptr() for size in (10, 7)] == places
    assert len(population._passes) <= 2 + PASSES
