"""One stream of randomness per seed, purpose and place in training; nothing is kept between draws.

A member's draws depend on its own seed alone, never on who else is in the population, and two arms with the same seed
draw the same initial weights, batch orders, dropout masks, shifts and mixing weights. Because every draw is derived
anew from where training stands, a checkpoint needs no generator state and a resumed run goes on exactly as it would
have.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

INIT = "init"
ORDER = "order"
DROPOUT = "dropout"
MIXUP = "mixup"
AUGMENTATION = "augmentation"
FRESH_LABELS = "fresh labels"


def stream(seed: int, purpose: str, place: int = 0) -> int:
    """Return a 63-bit seed for one purpose under a member's seed at one place (an epoch, a step) of training."""
    digest = blake2b(f"{seed} {purpose} {place}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, purpose: str, place: int = 0) -> torch.Generator:
    """Return a fresh CPU generator for a purpose: draws made on the CPU are the same on every device."""
    import torch

    return torch.Generator().manual_seed(stream(seed, purpose, place))
