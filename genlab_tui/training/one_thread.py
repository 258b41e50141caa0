"""Linear algebra on one thread: small products lose more by meeting than they win, the more so on a shared machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch


@contextmanager
def one_thread(wanted: bool = True) -> Iterator[None]:
    """Hold torch, numpy and scikit-learn to one thread inside; nothing where it is not wanted."""
    if not wanted:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _pools().limit(limits=1):
            yield
    finally:
        torch.set_num_threads(before)


@cache
def _pools() -> Any:
    """Return the thread pools of this process: looked up once, when everything that has one is loaded."""
    import sklearn.metrics.pairwise  # noqa: F401
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
