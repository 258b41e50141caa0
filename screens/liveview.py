"""How the Live screen is set: panels, axes, smoothing, what each panel shows; kept between sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from genlab_tui.lines import AXES, Axis

COUNTS = (1, 2, 4, 6)
SMOOTH = (0.0, 0.6, 0.9)
LOGS = (None, True, False)
"""An axis as declared, logarithmic, linear."""
KEPT = 64
"""Phenomena whose choices are kept."""
ALL = -1
"""Stands for every panel where a panel's number is asked for."""

Setting = Axis | bool | float | None
Arms = Mapping[str, Mapping[int, tuple[str, ...]]]


def _valid(name: str, value: object) -> bool:
    """Whether a setting of the curves may have a value."""
    if name == "x":
        return value in AXES
    if name == "smooth":
        return isinstance(value, float) and value in SMOOTH
    return isinstance(value, bool) or (value is None and name in ("log_x", "log_y", FIGURE_LOG_X))


@dataclass(frozen=True)
class CurveView:
    """How curves are drawn. `log_x`, `log_y` None: as the phenomenon declares it."""

    x: Axis = "step"
    log_x: bool | None = None
    log_y: bool | None = None
    smooth: float = 0.0
    members: bool = False

    @property
    def note(self) -> str:
        """What is not as usual, in few words."""
        parts = [f"x: {self.x}"] if self.x != "step" else []
        for axis, log in (("x", self.log_x), ("y", self.log_y)):
            if log is not None:
                parts.append(f"{axis}: {'log' if log else 'linear'}")
        if self.smooth:
            parts.append(f"smooth {self.smooth:g}")
        return " · ".join([*parts, "each seed"] if self.members else parts)


SETTINGS = ("x", "log_x", "log_y", "smooth", "members")
FIGURE_LOG_X = "figure_log_x"
"""A panel's own setting for the x axis of a figure, which what holds for all curves is not meant for."""


@dataclass(frozen=True)
class LiveView:
    """The settings. `choices[phenomenon][panel number]` is the key of what that panel shows.

    What holds for all panels is said once; `own[panel number]` has what a panel has of its own. `arms[phenomenon]`
    names the arms switched on in a panel, `without[panel number]` the runs that it leaves out.
    """

    panels: int = 4
    x: Axis = "step"
    log_y: bool | None = None
    smooth: float = 0.0
    members: bool = False
    choices: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    log_x: bool | None = None
    own: Mapping[int, Mapping[str, Setting]] = field(default_factory=dict)
    arms: Arms = field(default_factory=dict)
    without: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, document: object) -> LiveView:
        """Return the settings of a document; whatever is not valid there takes its default."""
        if not isinstance(document, dict):
            return cls()
        fresh = cls()
        panels, x, smooth = (document.get(name) for name in ("panels", "x", "smooth"))
        log_x, log_y = (document.get(name) for name in ("log_x", "log_y"))
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
            log_x=log_x if isinstance(log_x, bool) else None,
            own={number: kept for number, own in _numbered(document.get("own")).items() if (kept := _own(own))},
            arms={
                phenomenon: panels_of
                for phenomenon, chosen in _last(document.get("arms"))
                if (panels_of := _names(chosen))
            },
            without=_names(document.get("without")),
        )

    def document(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return {
            "panels": self.panels,
            **{name: getattr(self, name) for name in SETTINGS},
            "choices": {name: _texts(chosen) for name, chosen in self.choices.items()},
            "own": {str(n): dict(own) for n, own in self.own.items()},
            "arms": {name: _texts(chosen) for name, chosen in self.arms.items()},
            "without": _texts(self.without),
        }

    def with_choice(self, phenomenon: str, number: int, key: str) -> Mapping[str, Mapping[int, str]]:
        """Return the choices with another one for a panel."""
        rest = {name: chosen for name, chosen in self.choices.items() if name != phenomenon}
        return {**rest, phenomenon: {**self.choices.get(phenomenon, {}), number: key}}

    def of(self, number: int) -> CurveView:
        """Return how a panel draws its curves."""
        own = self.own.get(number, {})
        both: dict[str, Any] = {name: own.get(name, getattr(self, name)) for name in SETTINGS}
        return CurveView(**both)

    def figure_log_x(self, number: int) -> bool | None:
        """Return whether the x axis of a figure in a panel is logarithmic; None: as it is declared."""
        return cast("bool | None", self.own.get(number, {}).get(FIGURE_LOG_X))

    def with_setting(self, number: int, name: str, value: Setting) -> LiveView:
        """Return the view with a setting changed for one panel, or for all of them with `ALL`."""
        if number == ALL:
            own: dict[int, Mapping[str, Setting]] = {
                n: {k: v for k, v in kept.items() if k != name} for n, kept in self.own.items()
            }
            change: dict[str, Any] = {name: value}
        else:
            change = {}
            mine = {k: v for k, v in self.own.get(number, {}).items() if k != name}
            if value != (None if name == FIGURE_LOG_X else getattr(self, name)):
                mine[name] = value
            own = {**dict(self.own), number: mine}
        return replace(self, own={n: kept for n, kept in own.items() if kept}, **change)

    def with_arms(self, phenomenon: str, numbers: Iterable[int], arms: Sequence[str]) -> LiveView:
        """Return the view with these arms switched on in some panels; none at all: the usual ones."""
        rest = {name: chosen for name, chosen in self.arms.items() if name != phenomenon}
        chosen = {**self.arms.get(phenomenon, {}), **dict.fromkeys(numbers, tuple(arms))}
        kept = {n: names for n, names in chosen.items() if names}
        return replace(self, arms={**rest, phenomenon: kept} if kept else rest)

    def leaving_out(self, numbers: Iterable[int], run_ids: Sequence[str]) -> LiveView:
        """Return the view with these runs left out of some panels."""
        without = {**self.without, **dict.fromkeys(numbers, tuple(run_ids))}
        return replace(self, without={n: ids for n, ids in without.items() if ids})


def _own(stored: object) -> dict[str, Setting]:
    known = (*SETTINGS, FIGURE_LOG_X)
    return {k: v for k, v in stored.items() if k in known and _valid(k, v)} if isinstance(stored, dict) else {}


def _last(stored: object) -> list[tuple[str, object]]:
    return [(k, v) for k, v in list(stored.items())[-KEPT:] if isinstance(k, str)] if isinstance(stored, dict) else []


def _numbered(stored: object) -> dict[int, object]:
    if not isinstance(stored, dict):
        return {}
    return {int(n): value for n, value in stored.items() if str(n).isdecimal() and int(n) < max(COUNTS)}


def _names(stored: object) -> dict[int, tuple[str, ...]]:
    return {
        number: tuple(names)
        for number, names in _numbered(stored).items()
        if isinstance(names, list) and names and all(isinstance(name, str) for name in names)
    }


def _texts(numbered: Mapping[int, Any]) -> dict[str, Any]:
    return {str(n): list(value) if isinstance(value, tuple) else value for n, value in numbered.items()}
