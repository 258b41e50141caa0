"""Colours and markers pinned to runs, and those of the runs beside them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from genlab_tui.colours import COLOURS, MARKERS, colour, marker
from genlab_tui.pins import NAMES, line_slots, pin_of, pinned_slots
from genlab_tui.run import RunRecord


def runs(*colours: str) -> list[RunRecord]:
    return [RunRecord(f"a{i:07x}", "toy", colour=pinned) for i, pinned in enumerate(colours)]


def test_every_name_has_a_marker_of_its_own() -> None:
    slots = [pin_of(run) for run in runs(*NAMES)]
    assert slots == list(range(len(MARKERS)))
    assert len({marker(slot) for slot in slots if slot is not None}) == len(NAMES) == len(MARKERS)


def test_an_unknown_name_pins_nothing() -> None:
    assert pin_of(runs("\x1b[31mred")[0]) is None
    assert list(pinned_slots(runs("", "nosuch", "")).values()) == [0, 1, 2]


def test_pinned_runs_keep_their_slot_and_the_others_get_the_rest() -> None:
    assert list(pinned_slots(runs("", "dot", "", "square")).values()) == [2, 0, 3, 1]
    # The star has the colour of the square: runs that are not pinned stay away from it while they can.
    assert list(pinned_slots(runs("star", "", "", "")).values()) == [9, 0, 2, 3]


@given(st.lists(st.sampled_from(["", "", "", *NAMES]), max_size=150))
def test_no_two_runs_share_a_slot_unless_both_are_pinned_to_it(pinned: list[str]) -> None:
    records = runs(*pinned)
    found = pinned_slots(records)
    assert [found[run.id] for run in records if run.colour] == [pin_of(run) for run in records if run.colour]
    free = [found[run.id] for run in records if not run.colour]
    if len(records) < COLOURS * len(MARKERS):
        assert len(set(free)) == len(free)
        assert not set(free) & {pin_of(run) for run in records if run.colour}


def test_the_lines_of_a_pinned_run_have_its_colour_and_markers_of_their_own() -> None:
    slots = line_slots(runs("", "square", ""), [2, 3, 1])
    assert [len(each) for each in slots] == [2, 3, 1]
    assert slots[1][0] == NAMES.index("square")
    assert {colour(slot, dark=True) for slot in slots[1]} == {colour(NAMES.index("square"), dark=True)}
    assert len({marker(slot) for slot in slots[1]}) == 3
    others = {colour(slot, dark=True) for slot in (*slots[0], *slots[2])}
    assert len(others) == 3
    assert not others & {colour(slots[1][0], dark=True)}


def test_without_pins_lines_are_numbered_in_their_order() -> None:
    assert line_slots(runs("", ""), [2, 3]) == [[0, 1], [2, 3, 4]]
    assert line_slots([], []) == []
