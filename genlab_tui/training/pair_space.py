"""How many networks on a table of pairs are one block, and what its buffers hold: for the estimate too (no torch)."""

from __future__ import annotations

from genlab_tui.training.cost import kind_of

BLOCK = {"cpu": 1.5e6, "cuda": 2e9}
"""Numbers that a block's pass goes through, about: what suits the cache of a core."""


def together(numbers: float, device: str) -> int:
    """Return how many networks make a block, where each goes through so many numbers a step; one at least."""
    return max(int(BLOCK[kind_of(device)] // numbers), 1)


def perceptron_buffers(p: int, hidden: int, samples: float) -> float:
    """Return the numbers of the buffers that a perceptron's pass has for each network of the largest block.

    The grid of all pairs; hidden units, their gradients and the outputs of those trained on; four sums over symbols.
    """
    return float(p * p * hidden + samples * (2 * hidden + p) + 4 * p * hidden)
