"""How the Live screen is set: panels, axes, smoothing, what each panel shows; kept between sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from genlab_tui.lines import AXES, Axis

COUNTS = (1, 2, 4, 6)
SMOOTH = (0.0, 0.6, 0.9)
KEPT = 64
"""Phenomena whose choices are kept."""


@dataclass(frozen=True)
class LiveView:
    """The settings. `choices[phenomenon][panel number]` is the key of what that panel shows."""

    panels: int = 4
    x: Axis = "step"
    log_y: bool | None = None
    smooth: float = 0.0
    members: bool = False
    choices: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, document: object) -> LiveView:
        """Return the settings of a document; whatever is not valid there takes its default."""
        if not isinstance(document, dict):
            return cls()
        fresh = cls()
        panels, x, smooth, log_y = (document.get(name) for name in ("panels", "x", "smooth", "log_y"))
        choices: dict[str, dict[int, str]] = {}
        stored = document.get("choices")
        for phenomenon, chosen in list(stored.items())[-KEPT:] if isinstance(stored, dict) else ():
            if isinstance(phenomenon, str) and isinstance(chosen, dict):
                choices[phenomenon] = {
                    int(n): key for n, key in chosen.items() if str(n).isdecimal() and isinstance(key, str)
                }
        return cls(
            panels=panels if panels in COUNTS else fresh.panels,
            x=cast(Axis, x) if x in AXES else fresh.x,
            log_y=log_y if isinstance(log_y, bool) else None,
            smooth=smooth if smooth in SMOOTH else fresh.smooth,
            members=document.get("members") is True,
            choices=choices,
        )

    def document(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return {
            "panels": self.panels,
            "x": self.x,
            "log_y": self.log_y,
            "smooth": self.smooth,
            "members": self.members,
            "choices": {name: {str(n): key for n, key in chosen.items()} for name, chosen in self.choices.items()},
        }

    def with_choice(self, phenomenon: str, number: int, key: str) -> Mapping[str, Mapping[int, str]]:
        """Return the choices with another one for a panel."""
        rest = {name: chosen for name, chosen in self.choices.items() if name != phenomenon}
        return {**rest, phenomenon: {**self.choices.get(phenomenon, {}), number: key}}

    @property
    def note(self) -> str:
        """What is not as usual, in few words."""
        parts = [f"x: {self.x}"] if self.x != "step" else []
        if self.log_y is not None:
            parts.append("y: log" if self.log_y else "y: linear")
        if self.smooth:
            parts.append(f"smooth {self.smooth:g}")
        return " · ".join([*parts, "each seed"] if self.members else parts)
