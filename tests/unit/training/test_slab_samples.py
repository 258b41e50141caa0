"""Slab samples: each coordinate tells the class alone, no cut through a complex one does; permuting, AUC."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from genlab_tui.training.slab_samples import SIMPLE, Slabs, auc, draw, permuted, rotation, width_of

KIND = Slabs(features=6, kinds=(5, 7), margin=0.1)


def _slab_of(x: np.ndarray, slabs: int, margin: float) -> np.ndarray:
    """Return how many slabs away from the middle one each value lies; -1 in a gap."""
    width = width_of(slabs, margin)
    away = np.rint(np.abs(x) / (width + 2 * margin))
    inside = np.abs(np.abs(x) - away * (width + 2 * margin)) <= width / 2 + 1e-12
    return np.where(inside, away, -1).astype(int)


def test_the_simple_coordinate_is_separable_with_its_margin() -> None:
    x, y = draw(KIND, 4000, 0, "train")
    signed = x[:, SIMPLE] * (2 * y - 1)
    assert signed.min() >= 0.1
    assert signed.max() <= 1.0
    assert 0.45 < y.mean() < 0.55


@pytest.mark.parametrize(("odds", "kinds"), [*product(("released", "equal"), ((5,), (7,), (5, 7)))])
def test_every_slab_belongs_to_the_class_of_its_turn(odds: str, kinds: tuple[int, ...]) -> None:
    kind = Slabs(6, kinds, 0.1, odds)
    x, y = draw(kind, 4000, 1, "train")
    for column, slabs in enumerate(kind.counts, start=1):
        away = _slab_of(x[:, column], slabs, 0.1)
        assert away.min() >= 0
        assert (away % 2 == y).all()
        assert set(away) == set(range((slabs + 1) // 2))
        assert np.abs(x[:, column]).max() <= 1.0


def test_the_odds_of_the_paper_s_code_leave_no_difference_in_the_mean_square() -> None:
    """That difference is what makes slabs of equal odds simpler than they look."""
    gaps = {}
    for odds in ("released", "equal"):
        x, y = draw(Slabs(2, (5,), 0.1, odds), 200_000, 2, "train")
        squares = x[:, 1] ** 2
        gaps[odds] = abs(squares[y == 1].mean() - squares[y == 0].mean())
    assert gaps["released"] < 0.01
    assert gaps["equal"] > 0.2


def test_coordinates_are_independent_given_the_class() -> None:
    x, y = draw(KIND, 50_000, 3, "train")
    for label in (0, 1):
        correlations = np.corrcoef(np.abs(x[y == label]), rowvar=False) - np.eye(6)
        assert np.abs(correlations).max() < 0.04


def test_permuted_columns_move_together_and_the_others_stay() -> None:
    x, _ = draw(KIND, 300, 4, "test")
    other = permuted(x, slice(1, None), 4, "test")
    assert (other[:, SIMPLE] == x[:, SIMPLE]).all()
    rows = {tuple(row): at for at, row in enumerate(x[:, 1:])}
    places = [rows[tuple(row)] for row in other[:, 1:]]
    assert sorted(places) == list(range(300))
    assert places != list(range(300))
    simple = permuted(x, [SIMPLE], 4, "test")
    assert (simple[:, 1:] == x[:, 1:]).all()
    assert sorted(simple[:, SIMPLE]) == sorted(x[:, SIMPLE])


def test_a_rotation_is_orthogonal_and_of_its_seed() -> None:
    turned = Slabs(6, (5,), 0.1, rotate=True)
    first, again, second = rotation(turned, 0), rotation(turned, 0), rotation(turned, 1)
    assert np.allclose(first @ first.T, np.eye(6), atol=1e-12)
    assert (first == again).all()
    assert not np.allclose(first, second)
    assert (rotation(KIND, 0) == np.eye(6)).all()


def test_auc_is_that_of_all_pairs() -> None:
    random = np.random.default_rng(0)
    scores, labels = np.round(random.normal(size=60), 1), random.integers(0, 2, 60)
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[labels == 1] for b in scores[labels == 0]]
    assert auc(scores, labels) == pytest.approx(np.mean(pairs), abs=1e-12)
    assert auc(labels.astype(float), labels) == 1.0
    assert np.isnan(auc(scores, np.ones(60, dtype=np.int64)))
    assert np.isnan(auc(np.full(60, np.nan), labels))
