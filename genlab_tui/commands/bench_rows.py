"""Rows of the bench: a figure with what it must and what it should reach, and the machine it was measured on."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measured figure. `target` is what it must reach, `reach` what it is meant to; `spread` over the repeats.

    With `more`, larger is better. A row without a target says how fast the machine is and nothing else.
    """

    name: str
    value: float
    target: float | None
    unit: str
    spread: tuple[float, float]
    reach: float | None = None
    more: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is what it must be."""
        if self.target is None:
            return True
        return self.value >= self.target if self.more else self.value <= self.target

    @property
    def sign(self) -> str:
        return "≥" if self.more else "≤"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "target": self.target,
            "met": self.met,
            "unit": self.unit,
            "spread": list(self.spread),
            "reach": self.reach,
            "better": "more" if self.more else "less",
        }

    def cells(self) -> tuple[str, ...]:
        """Return name, median, must, reach, met and spread as a table has them."""
        met = "" if self.target is None else "yes" if self.met else "NO"
        return (
            self.name,
            f"{self.value:.3g} {self.unit}",
            "" if self.target is None else f"{self.sign} {self.target:g}",
            "" if self.reach is None else f"{self.sign} {self.reach:g}",
            met,
            f"{self.spread[0]:.3g} to {self.spread[1]:.3g}",
        )


COLUMNS = ("what", "median", "must", "reach", "met", "spread")


def row(
    name: str,
    values: Sequence[float],
    target: float | None,
    unit: str,
    *,
    reach: float | None = None,
    more: bool = False,
) -> Row:
    """Return the row of repeated values: median and spread."""
    return Row(name, statistics.median(values), target, unit, (min(values), max(values)), reach, more)


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio of each repeat."""
    return [a / b for a, b in zip(above, below, strict=True)]


def machine(packages: Sequence[str] = ("textual",)) -> dict[str, str]:
    """Return what the figures were measured on."""
    return {
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": sys.version.split()[0],
        **dict(_versions(packages)),
    }


def _versions(packages: Sequence[str]) -> Iterator[tuple[str, str]]:
    from importlib.metadata import PackageNotFoundError, version

    for package in packages:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
