"""What blocks of networks on pairs share: the table on their device, and buffers that they take turns with."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genlab_tui.training.modular import Table


class Places:
    """A table on a device: symbols and answers [n]."""

    def __init__(self, table: Table, device: torch.device) -> None:
        self.p, self.n = table.p, table.n
        self.a, self.b, self.answer = (
            torch.as_tensor(part, device=device) for part in (table.a, table.b, table.answer)
        )


class Workspace:
    """Buffers of one thread, one a name and as large as was ever asked for: what is in them is the last user's."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, torch.dtype], Tensor] = {}

    def get(self, name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """Return the buffer of that name in that shape, of the kind of `like`."""
        key, size = (name, like.dtype), math.prod(shape)
        if key not in self._made or self._made[key].numel() < size:
            self._made[key] = like.new_empty(size)
        return self._made[key][:size].view(shape)
