"""What training a population costs, from its operations: for the form, before anything is launched (no torch here)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

START = 4.0
"""Seconds to start, to import torch and to load the data."""

FLOPS_PER_SECOND = {"cpu": 1.2e11, "cuda": 1.5e13}
"""cpu: measured, two cores, others working too; cuda: derived, not measured."""

STEP_SECONDS = {"cpu": 2e-3, "cuda": 2e-3}
"""What a step of a whole population costs beside its arithmetic."""

BUDGET = {"cpu": 1.5e9, "cuda": 3e10}
"""Bytes set aside for one population."""

SLOWING = frozenset({"weight-decay", "l1", "dropout", "augmentation", "label-smoothing", "mixup"})
"""Regularisers that may keep a network from ever fitting noise."""

EXTRA = {"dropout": 0.35, "augmentation": 0.5, "mixup": 0.15, "batch-norm": 0.35, "l1": 0.15}
"""What a regulariser adds to the time of a step, as a share of it: measured, rough."""


def kind_of(device: str) -> str:
    """Return `cuda` for a device named `cuda:N`, else `cpu`."""
    return "cuda" if device.startswith("cuda") else "cpu"


def seconds(
    size: float, n: int, batch: int, epochs: Sequence[float], device: str, regularisers: Collection[str] = ()
) -> float:
    """Guess the seconds to train networks of `size` weights on `n` samples, one number of epochs each.

    Six operations per weight and sample and what a step's passes over the parameters cost.
    """
    kind = kind_of(device)
    steps = math.ceil(n / batch)
    work = sum(epochs) * (6.6 * n * size + 60.0 * steps * size)
    more = 1.0 + sum(EXTRA.get(name, 0.0) for name in regularisers)
    return START + more * work / FLOPS_PER_SECOND[kind] + max(epochs, default=0.0) * steps * STEP_SECONDS[kind]


CONVOLVED = {"cpu": 1e11, "cuda": 2e13}
"""Operations a second of convolutional networks in float32; cpu: measured on two cores, cuda: derived, not measured."""

BF16 = 2.2
"""How many times faster they train in bf16, where the processor knows it: measured."""


def network_seconds(
    multiplications: float, n: int, epochs: Sequence[float], device: str, precision: str = "float32"
) -> float:
    """Guess the seconds to train networks of that many multiplications a sample, one number of epochs each."""
    speed = CONVOLVED[kind_of(device)] * (BF16 if precision == "bf16" else 1.0)
    return START + 6.0 * multiplications * n * sum(epochs) / speed


def available(device: Any) -> float:
    """Return the bytes that a population may take on a device (a torch device): part of what is free now."""
    if device.type == "cuda":
        import torch

        free, _ = torch.cuda.mem_get_info(device)
        return 0.8 * float(free)
    import psutil

    return 0.5 * float(psutil.virtual_memory().available)


def groups(seeds: Sequence[int], bytes_each: float, device: str) -> list[tuple[str, tuple[int, ...]]]:
    """Return the seeds that are trained together, as many as fit the memory set aside, under a name for their stage."""
    size = at_once(bytes_each, device)
    found = [tuple(seeds[start : start + size]) for start in range(0, len(seeds), size)]
    return [(f"seeds {own[0]} to {own[-1]}" if len(own) > 1 else f"seed {own[0]}", own) for own in found]


def at_once(bytes_each: float, device: str) -> int:
    """Return how many groups of members of that many bytes fit the memory set aside, at least 1."""
    return max(int(BUDGET[kind_of(device)] // bytes_each), 1)
