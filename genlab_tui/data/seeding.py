"""One random generator per seed and purpose, so that splits, labels, features and orders never share a stream.

Drawing more of one thing never changes another: the same seed gives the same split with any label noise.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np


def entropy(seed: int, purpose: str) -> tuple[int, int]:
    """Return the seed material of a purpose (`split`, `labels`, ...) under a seed."""
    return seed, crc32(purpose.encode())


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator of a purpose under a seed; the same two always give the same numbers."""
    return np.random.default_rng(np.random.SeedSequence(entropy(seed, purpose)))


def derived_seed(seed: int, purpose: str) -> int:
    """Return a 63-bit seed of a purpose for a generator that is not numpy's (torch.manual_seed takes it)."""
    return int(np.random.SeedSequence(entropy(seed, purpose)).generate_state(1, np.uint64)[0] >> 1)
