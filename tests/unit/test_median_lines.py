"""Numbers over seeds that many phenomena read: medians with their range, one measure of one arm."""

from __future__ import annotations

import math
import statistics

import numpy as np

from genlab_tui.lines import median_lines
from genlab_tui.measures import measure_test
from genlab_tui.phenomenon import Arm, Rule
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData

ARMS = (Arm("a", "first"), Arm("b", "second"), Arm("c", "third"))


def _curve(steps: list[float], values: list[float]) -> Curve:
    step = np.array(steps)
    return Curve(step=step, epoch=step, seconds=step, value=np.array(values))


def _data() -> RunData:
    curves = {
        ("a", 0): _curve([10, 20], [1.0, 5.0]),
        ("a", 1): _curve([10, 20], [2.0, math.nan]),
        ("a", 2): _curve([10], [90.0]),
        ("b", 0): _curve([10], [math.nan]),
        ("c", 0): _curve([20, 10], [4.0, 3.0]),
    }
    spec = RunSpec("00000001", "none", {}, seeds=3)
    measures = {"error": {("a", 0): 1.0, ("a", 1): 2.0, ("a", 2): 90.0, ("b", 0): 7.0}}
    return RunData(spec, ARMS, spec.seed_list, measures=measures, curves={"error": curves})


def test_a_line_is_the_median_over_seeds_within_its_range() -> None:
    (line,) = median_lines(_data(), "error", ["a"])
    assert (line.label, line.x, line.y) == ("first", (10.0, 20.0), (2.0, 5.0)), "one wild seed does not move it"
    assert (line.low, line.high, line.n) == ((1.0, 5.0), (90.0, 5.0), (3, 1))


def test_arms_keep_the_order_asked_and_those_without_numbers_are_left_out() -> None:
    found = median_lines(_data(), "error", ["c", "b", "unknown", "a"], "|w|, ")
    assert [line.label for line in found] == ["|w|, third", "|w|, first"]
    assert found[0].x == (10.0, 20.0)
    assert median_lines(_data(), "other", ["a"]) == ()


def test_a_measure_of_an_arm_is_a_test() -> None:
    test = measure_test("error", "a", "words", Rule(high=3.0), "why")
    assert (test.name, test.needs, test.statement, test.pooled) == ("words", ("a",), "why", None)
    assert dict(test.measure(_data())) == {0: 1.0, 1: 2.0, 2: 90.0}
    pooled = measure_test("error", "a", "words", Rule(), pooled=statistics.median).pooled
    assert pooled is not None
    assert pooled(_data()) == 2.0
    empty = measure_test("error", "c", "words", Rule(), pooled=statistics.median).pooled
    assert empty is not None
    assert math.isnan(empty(_data()))
