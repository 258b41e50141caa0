"""The order of the list of runs: by a column, and among equals by another."""

from __future__ import annotations

from collections.abc import Sequence

from screens.columns import SORTS

Order = tuple[str, bool]
"""A column, and whether it is sorted the other way round."""
Orders = tuple[Order, ...]
"""By which column first, then by which."""
USUAL: Orders = (("age", False),)


def recalled(kept: object) -> Orders:
    """Return the order that was kept, the usual one where there is none."""
    found = [each for each in kept if isinstance(each, list) and len(each) == 2] if isinstance(kept, list) else []
    orders = tuple((by, bool(reverse)) for by, reverse in found if isinstance(by, str) and by in SORTS)
    return orders[:2] or USUAL


def by_column(orders: Orders, column: str) -> Orders:
    """Sort by a column first; the other way round where it is the first already."""
    by, reverse = orders[0]
    return _first((column, not reverse if column == by else False), orders[1:])


def by_next(orders: Orders, shown: Sequence[str]) -> Orders:
    """Sort by the column after the first one on the screen."""
    return _first((_next(orders[0][0], shown) or shown[0], False), orders[1:])


def turned(orders: Orders) -> Orders:
    """Sort by the same columns, the first one the other way round."""
    by, reverse = orders[0]
    return _first((by, not reverse), orders[1:])


def then_by_next(orders: Orders, shown: Sequence[str]) -> Orders:
    """Sort equals by the next column on the screen, after the last one by none."""
    first, second = orders[0], orders[1][0] if len(orders) > 1 else ""
    column = _next(second, shown) if second else shown[0]
    if column == first[0]:
        column = _next(column, shown)
    return _first(first, ((column, False),) if column else ())


def order_text(orders: Orders) -> str:
    """Return `by age, reversed, then state`."""
    words = (f"{by}{', reversed' if reverse else ''}" for by, reverse in orders)
    return f"by {', then '.join(words)}"


def _first(first: Order, rest: Orders) -> Orders:
    return (first, *(order for order in rest if order[0] != first[0]))


def _next(column: str, shown: Sequence[str]) -> str:
    """Return the column after another on the screen; empty after the last."""
    at = shown.index(column) + 1 if column in shown else 0
    return shown[at] if at < len(shown) else ""
