"""Regulariser strengths and step sizes of every row of a program; they may change while it trains."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genlab_tui.regularisers import BY_NAME
from genlab_tui.training.members import Recipe

DYNAMIC = tuple(name for name, r in BY_NAME.items() if r.dynamic)


class Strengths:
    """One number per row of everything that may differ between members of one program."""

    def __init__(self, recipes: Sequence[Recipe]) -> None:
        self.recipes = list(recipes)
        self.lr = [r.lr for r in recipes]
        self.momentum = [r.momentum for r in recipes]
        self.coupled = [r.coupled for r in recipes]
        self._undropped = [len(r.hidden) - r.dropout_layers if r.dropout_layers else 0 for r in recipes]
        self._first: Tensor | None = None
        self._of = {name: [r.strength(name) for r in recipes] for name in BY_NAME}
        self._tensors: dict[str, Tensor] = {}

    def of(self, name: str) -> list[float]:
        """Return a regulariser's strength in every row, 0 where it is off."""
        return self._of[name]

    def any(self, name: str) -> bool:
        """Whether a regulariser is on anywhere."""
        return any(self._of[name])

    def change(self, name: str, strength: float | None) -> None:
        """Set a dynamic regulariser in all rows (None: off)."""
        self._of[name] = [strength or 0.0] * len(self.recipes)
        self._tensors.pop(name, None)

    def take(self, rows: Sequence[int]) -> Strengths:
        """Return those of some rows, as they are now."""
        taken = Strengths([self.recipes[row] for row in rows])
        taken._of = {name: [values[row] for row in rows] for name, values in self._of.items()}
        return taken

    def tensor(self, name: str, like: Tensor) -> Tensor:
        """Return a regulariser's strengths [rows] as a tensor of the kind of `like`."""
        kept = self._tensors.get(name)
        if kept is None or kept.dtype != like.dtype or kept.device != like.device:
            kept = self._tensors[name] = torch.tensor(self._of[name], dtype=like.dtype, device=like.device)
        return kept

    def undropped(self, device: torch.device) -> Tensor | None:
        """Return how many of a row's first hidden layers dropout leaves alone [rows]; None where it is none in any."""
        if not any(self._undropped):
            return None
        if self._first is None or self._first.device != device:
            self._first = torch.tensor(self._undropped, device=device)
        return self._first


def single(values: Sequence[float]) -> float | None:
    """Return the value that all rows have in common, else None."""
    return values[0] if all(value == values[0] for value in values) else None
