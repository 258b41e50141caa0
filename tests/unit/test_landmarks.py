"""What is read off learning curves: ends of epochs alone, first crossings, values there and between epochs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from genlab_tui.landmarks import at_epochs, first_reaching, highest, largest_gap, where_crossing, whole_epochs
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData

SPEC = RunSpec("00000001", "memorisation", {}, seeds=2)


def _data(**metrics: dict[int, list[float]]) -> RunData:
    """Return curves of the arm `a` at epochs 0, 1/2, 1, 2, 3 (as many as there are values), and of another arm."""
    epochs = np.array([0.0, 0.5, 1.0, 2.0, 3.0])

    def curve(values: list[float]) -> Curve:
        at = epochs[: len(values)]
        return Curve(10 * at, at, at, np.array(values))

    curves = {
        name: {("a", seed): curve(values) for seed, values in of.items()} | {("b", 0): curve([9.0] * 5)}
        for name, of in metrics.items()
    }
    return RunData(SPEC, (), (0, 1), curves=curves)


def test_only_ends_of_epochs_count() -> None:
    """Also a value inside the first epoch that is high enough is no epoch, and what is not finite is none."""
    data = _data(fit={0: [0.95, 0.95, 0.4, math.nan, 0.9], 1: [0.1, 0.2, 0.3]})
    assert whole_epochs(data, "fit", "a") == {0: {1: 0.4, 3: 0.9}, 1: {1: 0.3}}
    first = first_reaching(data, "fit", "a", 0.9)
    assert first[0] == 3
    assert math.isnan(first[1])
    assert whole_epochs(data, "other", "a") == {}


def test_values_at_epochs() -> None:
    data = _data(test={0: [0.0, 0.0, 0.5, 0.6, 0.7], 1: [0.0, 0.0, 0.8]})
    found = at_epochs(data, "test", "a", {0: 2.0, 1: 2.0, 5: 1.0, 6: math.nan})
    assert found[0] == 0.6
    assert all(math.isnan(found[seed]) for seed in (1, 5, 6))
    assert highest(data, "test", "a") == {0: 0.7, 1: 0.8}


def test_a_crossing_lies_between_epochs() -> None:
    """Half-way from 0.6 to 1.0 in one metric is half-way in the other; at once, or never, are said as such."""
    data = _data(
        clean={0: [0.0, 0.0, 0.6, 1.0, 1.0], 1: [0.0, 0.0, 0.9, 0.95, 0.7]},
        noisy={0: [0.0, 0.0, 0.1, 0.3, 0.9], 1: [0.0, 0.0, 0.2, 0.3, 0.4]},
    )
    assert where_crossing(data, "noisy", "a", 0.8, of="clean") == pytest.approx({0: 0.2, 1: 0.2})
    never = where_crossing(data, "noisy", "a", 0.98, of="clean")
    assert never[0] == pytest.approx(0.29)
    assert math.isnan(never[1])


def test_the_largest_gap_has_no_sign() -> None:
    data = _data(
        clean={0: [0.0, 9.0, 0.5, 0.6, 0.7], 1: [0.0]}, noisy={0: [0.0, 0.0, 0.6, 0.5, 1.0], 1: [0.0, 0.0, 0.2]}
    )
    assert largest_gap(data, "clean", "noisy", "a") == pytest.approx({0: 0.3})
