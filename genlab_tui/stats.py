"""Numbers over seeds: means, Student-t intervals, paired differences. Seeds are the only unit of repetition."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Summary:
    """Mean, sample standard deviation (n - 1) and Student-t interval of finite values; NaN where n is too small."""

    n: int
    mean: float
    sd: float
    low: float
    high: float
    smallest: float
    largest: float


def t_quantile(n: int, level: float = 0.95) -> float:
    """Return the two-sided Student-t factor for the mean of n values; infinite below 2."""
    if n < 2:
        return math.inf
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.5 + level / 2))


def summarise(values: Iterable[float], level: float = 0.95) -> Summary:
    """Summarise finite values; with n = 0 everything is NaN, with n = 1 spread and interval are."""
    finite = [v for v in values if math.isfinite(v)]
    n = len(finite)
    if not n:
        return Summary(0, *(math.nan,) * 6)
    largest = max(map(abs, finite))
    # A square of more than 1e154 is no float: a power of two more or less changes no digit.
    scale = 2.0 ** (math.frexp(largest)[1] - 1) if largest > LARGE else 1.0
    centre = math.fsum(v / scale for v in finite) / n
    mean = centre * scale
    if n == 1:
        return Summary(1, mean, math.nan, math.nan, math.nan, mean, mean)
    sd = math.sqrt(math.fsum((v / scale - centre) ** 2 for v in finite) / (n - 1)) * scale
    half = t_quantile(n, level) * sd / math.sqrt(n)
    return Summary(n, mean, sd, mean - half, mean + half, min(finite), max(finite))


LARGE = 1e150
"""What is beyond is squared in parts."""
NOTHING = 1e-12
"""A mean below this share of the spread is rounding."""
SETTING = 1 << 32
"""In pooled groups a seed under the k-th other setting has the number `k * SETTING + seed`: no seed is that large."""


def over_seeds(values: Mapping[int, float]) -> dict[int, float]:
    """Return one number per seed: the mean of its finite values over the settings that it was trained under."""
    found: dict[int, list[float]] = {}
    for number, value in values.items():
        if math.isfinite(value):
            found.setdefault(number % SETTING, []).append(value)
    return {seed: math.fsum(numbers) / len(numbers) for seed, numbers in found.items()}


def paired_delta(values: Mapping[int, float], baseline: Mapping[int, float], level: float = 0.95) -> Summary:
    """Summarise `values - baseline` over the seeds that both have (same seed: same init, split and batch order).

    Of pooled groups the differences of a seed under several settings are averaged first: seeds are what is repeated.
    A mean that is no more than what rounding leaves of equal means is 0: a last digit of the values, or nothing beside
    how far the differences spread (errors are one minus accuracies, whose last digits are larger than their own).
    """
    shared = sorted(values.keys() & baseline.keys())
    delta = summarise(over_seeds({s: values[s] - baseline[s] for s in shared}).values(), level)
    rounding = sys.float_info.epsilon * max((abs(v[s]) for v in (values, baseline) for s in shared), default=0.0)
    if math.isfinite(delta.sd):
        rounding = max(rounding, NOTHING * delta.sd)
    return replace(delta, mean=0.0) if abs(delta.mean) <= rounding else delta


def wilson(count: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a rate: `count` of `n`; (0, 1) of none at all."""
    if not n:
        return 0.0, 1.0
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2))
    share = count / n
    centre, spread = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def pearson(x: Sequence[float], y: Sequence[float]) -> float:
    """Return Pearson's correlation; NaN below 2 points, and without spread."""
    if len(x) < 2:
        return math.nan
    u, v = ([value - math.fsum(row) / len(row) for value in row] for row in (x, y))
    sxx, syy = math.fsum(a * a for a in u), math.fsum(b * b for b in v)
    return math.fsum(a * b for a, b in zip(u, v, strict=True)) / math.sqrt(sxx * syy) if sxx and syy else math.nan


def spearman(x: list[float], y: list[float]) -> float:
    """Return Spearman's rank correlation (ties share their mean rank).

    NaN below 2 points, without spread, and where a value is NaN: what was not measured has no rank.
    """
    return math.nan if any(math.isnan(v) for v in (*x, *y)) else pearson(_ranks(x), _ranks(y))


def _ranks(values: list[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for k in order[start : end + 1]:
            ranks[k] = (start + end) / 2 + 1
        start = end + 1
    return ranks
