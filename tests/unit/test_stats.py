"""Numbers over seeds, against scipy."""

from __future__ import annotations

import math
import sys

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from genlab_tui.stats import paired_delta, pearson, spearman, summarise

FLOATS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: round(v, 3))


@given(st.lists(FLOATS, min_size=2, max_size=12))
def test_interval_is_student_t(values: list[float]) -> None:
    found = summarise(values)
    low, high = scipy.stats.t.interval(
        0.95, len(values) - 1, loc=found.mean, scale=found.sd / math.sqrt(len(values)) or 1e-300
    )
    assert found.low == pytest.approx(low, rel=1e-9, abs=1e-6)
    assert found.high == pytest.approx(high, rel=1e-9, abs=1e-6)


@given(st.lists(FLOATS, min_size=2, max_size=12), st.sampled_from([600, 900, 1000]))
def test_huge_values_are_summarised_as_small_ones(values: list[float], power: int) -> None:
    """What diverged may end at 1e200: a power of two changes no digit, and no square overflows."""
    small, huge = summarise(values), summarise([v * 2.0**power for v in values])
    assert huge.mean == pytest.approx(small.mean * 2.0**power, rel=1e-12)
    assert huge.sd == pytest.approx(small.sd * 2.0**power, rel=1e-12)
    assert math.isfinite(summarise([sys.float_info.max] * 3).mean)
    assert summarise([-sys.float_info.max, sys.float_info.max]).mean == 0


def test_one_value_has_no_spread_and_none_has_nothing() -> None:
    one, none = summarise([3.0]), summarise([math.nan])
    assert (one.n, one.mean) == (1, 3.0)
    assert math.isnan(one.low)
    assert none.n == 0
    assert math.isnan(none.mean)


def test_delta_is_paired_over_shared_seeds_only() -> None:
    found = paired_delta({1: 2.0, 2: 4.0, 3: 9.0}, {2: 1.0, 3: 5.0, 4: 100.0})
    assert (found.n, found.mean) == (2, 3.5)


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=3, max_size=15))
def test_spearman_agrees_with_scipy(pairs: list[tuple[float, float]]) -> None:
    x, y = [p[0] for p in pairs], [p[1] for p in pairs]
    if len(set(x)) < 2 or len(set(y)) < 2:
        assert math.isnan(spearman(x, y))
    else:
        assert spearman(x, y) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-9)


def test_what_rounding_leaves_of_equal_means_is_nought() -> None:
    """0.1 + 0.2 - 0.3 is not 0 in binary; a table must not show 5.55e-17."""
    values, baseline = {0: 0.1 + 0.2, 1: 0.5}, {0: 0.3, 1: 0.5}
    assert paired_delta(values, baseline).mean == 0.0
    assert paired_delta({0: 1e-20}, {0: 2e-20}).mean == -1e-20
    assert paired_delta({0: 0.3 + 1e-12}, {0: 0.3}).mean > 0
    errors = {0: 1 - 0.97, 1: 1 - 0.964}, {0: 1 - 0.964, 1: 1 - 0.97}
    assert paired_delta(*errors).mean == 0.0
    assert paired_delta({0: 1e-6, 1: 0.0}, {0: 0.0, 1: 0.9e-6}).mean > 0


def test_pearsons_correlation_is_scipys_and_none_without_spread() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.1, 0.0, 0.3, 0.4]
    assert pearson(x, y) == pytest.approx(scipy.stats.pearsonr(x, y).statistic)
    assert pearson([1.0, 2.0, 3.0], [6.0, 4.0, 2.0]) == pytest.approx(-1.0)
    assert math.isnan(pearson([1.0, 2.0], [3.0, 3.0]))
    assert math.isnan(pearson([1.0], [3.0]))
