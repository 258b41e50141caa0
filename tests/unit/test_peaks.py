"""Rises, falls and places of curves over a factor, seed by seed."""

from __future__ import annotations

import math

import pytest

from genlab_tui.peaks import first_below, largest_rise, profile, rise_near
from genlab_tui.phenomenon import Arm
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.3, 0.1, 0.25, 0.05), (0.15, 1, 2)),
        ((0.5, 0.4, 0.3), (0.0, 0, 0)),
        ((0.1,), (0.0, 0, 0)),
        ((), (0.0, 0, 0)),
        ((0.9, 0.2, 0.3, 0.1, 0.4), (0.3, 3, 4)),
    ],
)
def test_the_largest_rise_is_between_a_place_and_a_later_one(
    values: tuple[float, ...], expected: tuple[float, int, int]
) -> None:
    rise, low, high = largest_rise(values)
    assert rise == pytest.approx(expected[0])
    assert (low, high) == expected[1:]


def test_first_below() -> None:
    assert first_below((0.3, 0.01, 0.0), 0.01) == 1
    assert first_below((0.3, 0.2), 0.01) is None


def test_rise_near_looks_within_the_factor_alone() -> None:
    x, y = (2.0, 4.0, 8.0, 16.0, 32.0), (0.2, 0.1, 0.3, 0.9, 0.05)
    assert rise_near(y, x, 8.0, 1.6) == pytest.approx(0.2)
    assert rise_near(y, x, 8.0, 2.0) == pytest.approx(0.8)
    assert math.isnan(rise_near(y, x, 100.0, 1.6))
    assert math.isnan(rise_near(y, x, math.nan, 1.6))
    assert math.isnan(rise_near(y, x, 2.0, 1.6)), "nothing lies before the first place"


def test_a_profile_is_in_the_order_of_the_factor_and_of_whole_seeds() -> None:
    arms = tuple(Arm(f"h{h}", factors={"width": h}) for h in (30, 5, 100))
    measures = {"err": {(f"h{h}", seed): h / 100 + seed for h in (5, 30, 100) for seed in (1, 2, 3)}}
    measures["err"]["h30", 2] = math.nan
    del measures["err"]["h100", 3]
    found = profile(RunData(RunSpec("00000001", "x", {}), arms, (1, 2, 3), measures=measures), "err", arms, "width")
    assert found.x == (5.0, 30.0, 100.0)
    assert found.per_seed == {1: pytest.approx((1.05, 1.3, 2.0))}
    assert found.mean == pytest.approx((1.05, 1.3, 2.0))
    assert profile(RunData(RunSpec("00000001", "x", {}), arms), "err", arms, "width").mean == ()
