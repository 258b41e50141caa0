"""The fields of a phenomenon's Config: declared once, they make the form, the options and the documentation."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genlab_tui.errors import BadValue, nearest

if TYPE_CHECKING:
    from genlab_tui.run import ConfigValue


def param(
    default: Any,
    *,
    help: str,  # noqa: A002 - the word of the design and of click
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] = (),
    unit: str = "",
    unverified: bool = False,
    only: Mapping[str, tuple[Any, ...]] | None = None,
    distinct: bool = False,
) -> Any:
    """Declare one field of a phenomenon's Config: default, help, bounds (inclusive), choices, unit.

    `unverified` marks a default that no readable source confirms; the form and the docs say so. `only` says with which
    values of other fields, declared before, the field is read at all: `only={"model": ("network",)}`; the form hides it
    with others. Field types: bool, int, float, str, or tuple[int, ...], tuple[float, ...], tuple[str, ...] (bounds and
    choices then hold for each); of a tuple, `distinct` says that no value may come twice (of a sweep; widths may).
    """
    metadata = {"help": help, "low": low, "high": high, "choices": choices, "unit": unit, "unverified": unverified}
    return field(default=default, metadata=metadata | {"only": dict(only or {}), "distinct": distinct})


@dataclass(frozen=True)
class Param:
    """A declared config field."""

    name: str
    kind: type  # bool, int, float or str
    many: bool
    default: Any
    help: str
    low: float | None
    high: float | None
    choices: tuple[Any, ...]
    unit: str
    unverified: bool
    only: Mapping[str, tuple[Any, ...]]
    distinct: bool = False

    @property
    def bounds(self) -> str:
        """The allowed values in words: `1 to 10`, `at least 0`, `a, b or c`, or empty."""
        if self.choices:
            return "one of " + ", ".join(str(c) for c in self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"at least {self.low:g}"
        return f"at most {self.high:g}" if self.high is not None else ""

    def text(self, value: Any) -> str:
        """Return a value as a person types it (`parse` reads it back)."""
        return " ".join(_plain(v) for v in value) if self.many else _plain(value)

    def parse(self, value: Any) -> Any:
        """Return the typed value of a text (or of an already typed value).

        Raises BadValue that names the field, what is allowed and the nearest valid value.
        """
        if not self.many:
            return self._one(value)
        items = value.replace(",", " ").split() if isinstance(value, str) else value
        if not isinstance(items, (list, tuple)):
            items = (items,)
        if not items:
            raise BadValue(f"{self.name} needs at least one value", f"default: {self.text(self.default)}")
        found = tuple(self._one(item) for item in items)
        twice = [v for i, v in enumerate(found) if v in found[:i]]
        if self.distinct and twice:
            once = tuple(dict.fromkeys(found))
            raise BadValue(f"{self.name} has {_plain(twice[0])} twice", f"nearest valid value: {self.text(once)}")
        return found

    def _one(self, value: Any) -> Any:
        try:
            typed = _to_kind(value, self.kind)
        except ValueError:
            words = {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}
            raise BadValue(
                f"{self.name} = {str(value)!r} is not {words[self.kind]}", self.bounds or f"default: {self.default}"
            ) from None
        if self.choices and typed not in self.choices:
            close = nearest(str(typed), tuple(str(c) for c in self.choices))
            raise BadValue(f"{self.name} = {str(value)!r} is not {self.bounds}", close)
        if self.kind in (int, float):
            low = self.low if self.low is not None else typed
            high = self.high if self.high is not None else typed
            if not low <= typed <= high:
                closest = self.default if typed != typed else min(max(typed, low), high)
                closest = closest if isinstance(closest, tuple) else self.kind(closest)
                raise BadValue(
                    f"{self.name} = {_plain(typed)} is outside its bounds ({self.bounds})",
                    f"nearest valid value: {self.text(closest) if isinstance(closest, tuple) else _plain(closest)}",
                )
        return typed


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)


def _to_kind(value: Any, kind: type) -> Any:
    if kind is bool:
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in ("yes", "true", "on", "1", "y"):
            return True
        if word in ("no", "false", "off", "0", "n"):
            return False
        raise ValueError(word)
    if kind is int:
        if isinstance(value, bool):
            raise ValueError(value)
        if isinstance(value, float) and not value.is_integer():
            raise ValueError(value)
        try:
            return int(value)
        except ValueError:  # 1e6 is a whole number too
            if not (number := float(value)).is_integer():
                raise
            return int(number)
    if kind is float:
        if isinstance(value, bool):
            raise ValueError(value)
        return float(value)
    return str(value)


def params(config_type: type) -> tuple[Param, ...]:
    """Return the declared fields of a Config, in order.

    Raises TypeError for a field that is no `param`, or that depends on one that is not declared before it.
    """
    hints = typing.get_type_hints(config_type)
    found: list[Param] = []
    for f in dataclasses.fields(config_type):
        hint, many = hints[f.name], False
        if isinstance(hint, types.GenericAlias) and hint.__origin__ is tuple:
            hint, many = hint.__args__[0], True
        if hint not in (bool, int, float, str) or "help" not in f.metadata:
            raise TypeError(f"{config_type.__name__}.{f.name} is not a declared param")
        if unknown := set(f.metadata["only"]) - {p.name for p in found}:
            raise TypeError(f"{config_type.__name__}.{f.name} depends on {', '.join(unknown)}, not declared before it")
        found.append(Param(name=f.name, kind=hint, many=many, default=f.default, **f.metadata))
    return tuple(found)


def in_use(fields: Iterable[Param], values: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the fields that are read with these values (texts or typed): those whose `only` holds.

    A field that depends on one that is not read is not read either; a value that is not valid (yet) hides nothing.
    """
    read: dict[str, Param] = {}
    for each in fields:
        if all(name in read and _holds(read[name], values[name], wanted) for name, wanted in each.only.items()):
            read[each.name] = each
    return frozenset(read)


def _holds(field_: Param, value: Any, wanted: tuple[Any, ...]) -> bool:
    try:
        return field_.parse(value) in wanted
    except BadValue:
        return True


def config_values(config: Any) -> dict[str, ConfigValue]:
    """Return a Config as the plain dict that a RunSpec stores."""
    return {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
